"""What bash need not be asked about."""

from __future__ import annotations

import pytest

from guardrails.commands.rules import load_rules
from guardrails.commands.silent import Silence

SILENCE = Silence(load_rules().index)

SILENT = [
    "SELECT a, count(*) FROM t WHERE b > 5 GROUP BY a ORDER BY 2 DESC;",
    "UPDATE t SET a = 1 WHERE id = 7;\nCOMMIT;",
    "INSERT INTO t VALUES (1, 'b; c');",
    "DROP TABLE t;",
]
# Each is SQL in front, and something of bash's behind.
SPEAKING = [
    "SELECT 1; rm -rf x",
    "SELECT 1; RM -rf x",
    "SELECT 1; r''m -rf x",
    'SELECT 1; r"m" -rf x',
    "SELECT 1; r\\m -rf x",
    "SELECT 1; sudo rm -rf x",
    "SELECT 1 | xargs rm",
    "SELECT 1 && python3.12 -c x",
    "SELECT 1; a=rm",
    "SELECT 1; A=b rm -rf x",
    "SELECT 1; ! rm x",
    "SELECT 1; >x rm -rf y",
    "SELECT 1 > x",
    "SELECT 1 >| 5",
    "SELECT 1; $x -rf y",
    "SELECT 1; `x`",
    "SELECT 1; {rm,-rf,x}",
    "SELECT 1; f() (f | f &); f",
    "SELECT 1; if true; then rm x; fi",
    "SELECT 1; ourtool destroy everything",
    "SELECT 1; invoke-rc.d nginx stop",
    "SELECT 1; (rm -rf x)",
    "SELECT 1; /bin/r?",
    "SELECT 1; cat <<E | sh",
    "SELECT 1; cat <(rm x)",
    "SELECT 1; \u0072\u200bm x",
]


@pytest.mark.parametrize("text", SILENT)
def test_silent(text: str) -> None:
    """Plain SQL says nothing to bash."""
    assert SILENCE.holds(text)


@pytest.mark.parametrize("text", SPEAKING)
def test_speaking(text: str) -> None:
    """Whatever may name, make, run, assign or redirect is read."""
    assert not SILENCE.holds(text)
