from __future__ import annotations

import pytest

from guardrails.given import Given


@pytest.mark.parametrize(
    ("word", "there"),
    [
        ("db-7", True),
        ("DB-7", True),
        ("db", False),
        ("db-70", False),
        ("db-7.internal", True),
        ("internal", True),
        ("nginx", True),
        ("ginx", False),
        ("/data", True),
        ("/dat", False),
        ("--no-pager", True),
        ("--no", False),
        ("stra\u00dfe-1", True),
        ("c++", True),
    ],
)
def test_a_word_stands_there_as_a_whole(word: str, *, there: bool) -> None:
    """Whatever its case; a hyphen goes on, a dot, a slash or an apostrophe does not."""
    text = "DB-7.internal: nginx's disk at /data/x is full, tried --no-pager on Stra\u00dfe-1 with C++."
    assert Given(lambda: [text]).names(word) is there


def test_texts_are_asked_for_once_and_only_when_a_name_is_looked_up() -> None:
    """An answer without a command costs nothing."""
    asked = []

    def texts() -> list[str]:
        asked.append(1)
        return ["db-7", "web-1"]

    given = Given(texts)
    assert not asked
    assert given.names("db-7")
    assert given.names("web-1")
    assert not given.names("db-7\nweb-2")
    assert asked == [1]
