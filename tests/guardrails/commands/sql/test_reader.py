"""What a statement does, in whatever dialect, however it is dressed: hand-worked cases."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.commands import readers
from guardrails.commands.budget import BudgetExceeded
from guardrails.commands.judge import CommandJudge
from guardrails.commands.rules import load_rules
from guardrails.commands.runbooks import load_runbooks
from guardrails.interface import Shell

JUDGE = CommandJudge(load_rules(), load_runbooks())
PIECES = Path(__file__).with_name("pieces.txt").read_text(encoding="utf-8").split()


def stopped(text: str, shell: Shell = Shell.SQL) -> list[str]:
    return [finding.rule for finding in JUDGE.judge(text, shell).findings]


CASES = yaml.safe_load(Path(__file__).with_name("cases.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", CASES["dressed"])
def test_what_destroys_is_found_however_it_is_dressed(text: str) -> None:
    """In some dialect's reading at least, and by what it does."""
    assert [rule for rule in stopped(text) if rule != "commands.unresolvable"]


@pytest.mark.parametrize("text", CASES["quiet"])
def test_what_loses_nothing_passes(text: str) -> None:
    """Queries, narrow changes, definitions, mentions, and what a transaction takes back."""
    assert stopped(text) == []


@pytest.mark.parametrize("text", CASES["unresolvable"])
def test_a_string_that_only_the_server_knows_is_unresolvable(text: str) -> None:
    """What runs it cannot be judged, and is not passed."""
    assert "commands.unresolvable" in stopped(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("psql -c \"SELECT '\\'; DROP TABLE users; --'\"", True),  # to PostgreSQL the backslash is a character
        ("mysql -e \"SELECT '\\'; DROP TABLE users; --'\"", False),  # to MySQL it escapes the quote
        ("mysql -e 'START TRANSACTION; DROP TABLE users; ROLLBACK'", True),  # MySQL commits what defines
        ("psql -c 'BEGIN; DROP TABLE users; ROLLBACK'", False),
        ("sqlplus a/b <<'E'\nDELETE FROM users;\nROLLBACK;\nE", False),  # Oracle always has a transaction open
        ("psql -c '/*!50000 DROP TABLE users */'", False),  # a comment anywhere but in MySQL
        ("mysql -e '/*!50000 DROP TABLE users */'", True),
        ("psql -c 'SELECT 1 /* a /* b */ ; DROP TABLE users */'", False),  # comments nest there
        ("mysql -e 'SELECT 1 /* a /* b */ ; DROP TABLE users'", True),
    ],
)
def test_the_client_tells_the_dialect(text: str, found: bool) -> None:
    """Where the client is known, its server's way of reading decides."""
    assert bool(stopped(text, Shell.BASH)) is found


def test_a_finding_spans_its_statement() -> None:
    """Not the whole text, so that a person sees which one."""
    text = "SELECT 1; DELETE FROM users ; SELECT 2"
    (finding,) = JUDGE.judge(text, Shell.SQL).findings
    assert text[slice(*finding.span)] == "DELETE FROM users"


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM t WHERE " + "(" * 60 + "1" + ")" * 60,
        "DELETE FROM t WHERE " + "NOT " * 3000 + "a",
        "UPDATE t SET a = " + "f(" * 900 + ")" * 900,
        "DELETE FROM t WHERE a = 1 OR a = 2;" * 20000,
    ],
)
def test_a_crafted_statement_spends_its_budget(text: str) -> None:
    """Nesting and length that nobody writes are not judged at all."""
    with pytest.raises(BudgetExceeded):
        JUDGE.judge(text, Shell.SQL)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT DATE_ADD('MINUTE', CREATE SCHEMA a UPDATE b 30, c)",  # sqlglot fails on its own half-made tree
        "FOR a MERGE b IN (SELECT 1) DO SELECT 2",
        "DELETE FROM t@q(x)<INT>",
    ],
)
def test_a_broken_text_is_read_by_its_words(text: str) -> None:
    """Whatever the grammar makes of it."""
    assert readers.read(text, Shell.SQL).commands


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(PIECES),
        max_size=24,
    ).map(" ".join)
)
def test_any_text_is_read(text: str) -> None:
    """Nothing crashes the reader, and spans lie within the text."""
    try:
        script = readers.read(text, Shell.SQL)
    except BudgetExceeded:
        return
    for command in script.commands:
        assert 0 <= command.span[0] <= command.span[1] <= len(text)
