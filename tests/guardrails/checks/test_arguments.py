from __future__ import annotations

import pytest

from guardrails.checks.arguments import values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"host": "db-7", "port": 5432}', [("host", "db-7")]),
        ('{"a": {"service": "nginx", "b": "x"}, "c": "y"}', [("service", "nginx"), ("b", "x"), ("c", "y")]),
        ('{"args": ["ls", "-l"]}', [("args", "ls"), ("args", "-l"), ("args", "ls -l ")]),
        ('[{"Cmd": "up\\u0074ime"}]', [("cmd", "uptime")]),
        ('{"a": [["x"], ["y"]]}', [("a", "x"), ("a", "y")]),
        ("{}", []),
        ('{"a": "x"', None),
        ("Hello", None),
    ],
)
def test_every_string_stands_under_its_name(text: str, expected: list[tuple[str, str]] | None) -> None:
    """A list's strings also as one argument vector; what is no JSON has no values."""
    found = values(text)
    assert (None if found is None else [(name, piece.text) for name, piece in found]) == expected


def test_a_value_is_found_where_it_was_written() -> None:
    """Escapes are longer than what they mean."""
    text = '{"x": "a\\u0062c"}'
    found = values(text)
    assert found is not None
    assert found[0].piece.source_span(0, 3) == (7, 15)
