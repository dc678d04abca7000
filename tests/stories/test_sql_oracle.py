"""The database is the oracle: what SQLite and PostgreSQL lose by a script is what the guard says that it destroys."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.composer import Composer
from oracle.databases import Postgres, Sqlite

from guardrails.commands.judge import CommandJudge
from guardrails.commands.rules import load_rules
from guardrails.commands.runbooks import load_runbooks
from guardrails.evaluation.tally import wilson
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Callable

    from postgres import Server

JUDGE = CommandJudge(load_rules(), load_runbooks())
STATEMENTS = yaml.safe_load((Path(__file__).parents[1] / "oracle" / "statements.yaml").read_text(encoding="utf-8"))
COMPOSED = {"sqlite": 400, "postgres": 250}


def stopped(script: str, client: str) -> bool:
    """Whether the guard stops the script on its way to the database."""
    text = f"{client} shop <<'END_OF_SCRIPT'\n{script}\nEND_OF_SCRIPT"
    return bool(JUDGE.judge(text, Shell.BASH).findings)


def compare(scripts: list[str], run: Callable[[str], tuple[list[str], str]], client: str) -> list[str]:
    """Scripts about which the guard and the database disagree; those with an error are left out, and counted."""
    wrong, errors, counted = [], 0, 0
    for script in scripts:
        gone, error = run(script)
        if "ERROR" in error or (client == "sqlite3" and error):
            errors += 1
            continue
        counted += 1
        if bool(gone) != stopped(script, client):
            wrong.append(f"{client}: {'lost ' + ', '.join(gone) if gone else 'lost nothing'}: {script}")
    agreed = counted - len(wrong)
    low, high = wilson(agreed, counted)
    share = f"{agreed / counted:.2%}, {low:.2%} to {high:.2%}"
    print(f"{client}: {agreed}/{counted} agree ({share}); {errors} with an error")  # noqa: T201 - what is measured
    for one in wrong[:20]:
        print("  " + one)  # noqa: T201 - what is to be looked at
    return wrong


@pytest.fixture(scope="module")
def shop(postgres: Server) -> Postgres:
    return Postgres(postgres)


def test_each_statement_of_the_table_does_what_the_guard_says(shop: Postgres) -> None:
    """One by one, in both databases where both know it."""
    marks = str(shop.marks)
    for_postgres = [one.replace("{marks}", marks) for one in STATEMENTS["both"] + STATEMENTS["postgres"]]
    assert compare(for_postgres, shop.run, "psql") == []
    assert compare(STATEMENTS["both"] + STATEMENTS["sqlite"], Sqlite().run, "sqlite3") == []


def test_what_the_script_does_not_say_is_a_written_limit(shop: Postgres) -> None:
    """What a routine does that was there before, and what an error takes back, the guard cannot know."""
    for script in STATEMENTS["limits"]:
        assert bool(shop.run(script)[0]) is not stopped(script, "psql"), script


@settings(max_examples=50, deadline=None)
@given(st.randoms(use_true_random=False))
def test_any_composed_script_does_to_sqlite_what_the_guard_says(chance: random.Random) -> None:
    """Hypothesis looks for the smallest script they disagree about."""
    script = Composer(chance, postgres=False).script()
    gone, error = Sqlite().run(script)
    assert error or bool(gone) is stopped(script, "sqlite3")


def test_composed_scripts_do_to_sqlite_what_the_guard_says() -> None:
    """Conditions, transactions, comments, quotes, put together at random."""
    composer = Composer(random.Random(10), postgres=False)
    wrong = compare([composer.script() for _ in range(COMPOSED["sqlite"])], Sqlite().run, "sqlite3")
    assert len(wrong) <= COMPOSED["sqlite"] * 0.005


@pytest.mark.slow
def test_composed_scripts_do_to_postgresql_what_the_guard_says(shop: Postgres) -> None:
    """Blocks, prepared statements, functions and strings that are run, too."""
    composer = Composer(random.Random(10), postgres=True, marks=str(shop.marks))
    wrong = compare([composer.script() for _ in range(COMPOSED["postgres"])], shop.run, "psql")
    assert len(wrong) <= COMPOSED["postgres"] * 0.005
