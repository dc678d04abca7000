"""SQL in fences: a statement is judged whole, however many lines it takes, and a transaction with its end."""

from __future__ import annotations

import pytest

from guardrails.checks.commands import CommandsCheck
from guardrails.commands.judge import CommandJudge
from guardrails.commands.rules import load_rules
from guardrails.commands.runbooks import load_runbooks
from guardrails.commands.sql.lines import waits_in_sql

CHECK = CommandsCheck(CommandJudge(load_rules(), load_runbooks()), 20_000)


def stopped(text: str) -> bool:
    """Whether an answer is stopped, arriving character by character as at once."""
    at_once = CHECK.watch()
    found = bool(at_once.feed(text).outcomes or at_once.finish().outcomes)
    watch, piecemeal = CHECK.watch(), False
    for character in text:
        piecemeal = piecemeal or bool(watch.feed(character).outcomes)
    assert (piecemeal or bool(watch.finish().outcomes)) is found
    return found


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("DELETE FROM users\nWHERE id = 7;", False),
        ("DELETE FROM users\nWHERE id = 7\n   OR 1 = 1;", True),
        ("UPDATE users\nSET name = 'x'\nWHERE id = 7;", False),
        ("DELETE FROM users;\nWHERE id = 7;", True),
        ("BEGIN;\nDELETE FROM users;\nROLLBACK;", False),
        ("BEGIN;\nDELETE FROM users;\nCOMMIT;", True),
        ("SELECT 1;\n\nDROP TABLE users;", True),
        ("DO $$\nBEGIN\n  EXECUTE 'DROP TABLE users';\nEND\n$$;", True),
        ("CREATE FUNCTION f() RETURNS void AS $$\nBEGIN\n  DELETE FROM users;\nEND;\n$$ LANGUAGE plpgsql;", False),
        ("DELIMITER //\nCREATE PROCEDURE p()\nBEGIN\n  DELETE FROM users;\nEND //\nDELIMITER ;", False),
        ("ALTER TABLE users\n  DROP COLUMN email;", True),
        ("INSERT INTO notes VALUES ('a;\nDROP TABLE users;\nb');", False),
        ("/* a\nDROP TABLE users;\n*/\nSELECT 1;", False),
        ("DROP TABLE users", True),
        ("\\dt\nDROP TABLE users;", True),
        ("SELECT 1\nGO\nTRUNCATE TABLE users\nGO", True),
    ],
)
@pytest.mark.parametrize("label", ["sql", "postgresql", ""])
def test_a_statement_in_a_fence_is_judged_whole(sql: str, found: bool, label: str) -> None:
    """In a fence that names SQL, and in one that says nothing where the statement says it."""
    if label == "" and sql.startswith(("\\", "DELIMITER", "/*")):
        return
    assert stopped(f"Try this:\n```{label}\n{sql}\n```\nand look.") is found


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("SELECT 1;\n", True),
        ("SELECT 1\n", False),
        ("-- x\n", True),
        ("\\d t\n", True),
        ("SELECT '\n", False),
        ("BEGIN;\n", False),
    ],
)
def test_a_line_is_waited_for_as_a_client_does(text: str, complete: bool) -> None:
    """Until the statement is over."""
    assert (waits_in_sql(text) is None) is complete
