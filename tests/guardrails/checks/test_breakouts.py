"""Values that break out of the query they are put into, and those that only look like it."""

from __future__ import annotations

import pytest

from guardrails.checks.breakouts import broken_out


@pytest.mark.parametrize(
    "value",
    [
        "' or '1'='1", "x' OR 1=1 --", "admin'--", "admin' #", "1 or 1=1", "1) or (1=1",
        "' union select null, null--", "1; DROP TABLE users", "' UNION ALL SELECT name FROM sqlite_master --",
        '") or ("a"="a', "1 AND SLEEP(5)", "'; WAITFOR DELAY '0:0:5'--", "1 order by 9--",
        "' and 1=convert(int, @@version)--", "'||(select password from users)||'", "1' and substring(user(),1,1)='r",
        "' having 1=1--", "1/**/union/**/select/**/1", "'; exec master..xp_cmdshell 'dir'--",
        "x' and (select count(*) from all_tables) > 0 --", "or 1=1", "' or pg_sleep(9)--", '{"$ne": null}',
        "' || '1'=='1", "' or ''='", "5 and 5=6", "x'; shutdown --", "' or a=a--",
    ],
)  # fmt: skip
def test_what_breaks_out_is_told(value: str) -> None:
    """By its first quote, its comment at the end, its constants, its functions."""
    assert broken_out(value)


@pytest.mark.parametrize(
    "value",
    [
        "O'Brien", "rock 'n' roll", "the 'blue' and the 'green' pool", "restart it; then tell me",
        "select a node from the pool", "R&D", "error or warning", "disk = full or nearly so",
        'severity="critical" or severity="warning"', "union square", "cpu > 90 and rising",
        "it's slow and it's late", "users' and groups' rights", "order by Friday", "5 of 10 or more", "sleep mode",
        "1 or 2 replicas", "C# -- not Java", "don't; it is fine", "3 x 4 = 12", "see #42", "(or so)", "a || b",
        "what's the difference between 'a' and 'b'?",
    ],
)  # fmt: skip
def test_ordinary_text_stays(value: str) -> None:
    """Apostrophes, conjunctions, quotes that are closed."""
    assert not broken_out(value)
