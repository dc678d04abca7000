"""Constants of programs."""

from __future__ import annotations

import pytest

from guardrails.commands.literals import Reader, Value
from guardrails.commands.tree import UNKNOWN

KNOWN: dict[str, Value] = {"base": "/srv", "name": None, "all": ("a", "b")}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('"/etc"', "/etc"),
        ("'a' \"b\"", "ab"),
        ('"/a" + "/b"', "/a/b"),
        ('"/a" . "/b"', "/a/b"),
        ("base + '/x'", "/srv/x"),
        ('f"{base}/x"', "/srv/x"),
        ("`${base}/x`", "/srv/x"),
        ('"#{base}/x"', "/srv/x"),
        ('f"/var/{name}"', f"/var/{UNKNOWN}"),
        ('Path("/a") / "b"', "/a/b"),
        ('Path("/a") / "/b"', "/b"),
        ('os.path.join("/a", "b")', "/a/b"),
        ('os.path.join(base, "b")', "/srv/b"),
        ("Path.home()", "~"),
        ('os.environ["HOME"] + "/x"', "~/x"),
        ("process.env.HOME", "~"),
        ('new File("/a")', "/a"),
        ('["rm", "-rf", "/"]', ("rm", "-rf", "/")),
        ("%w[rm -rf /]", ("rm", "-rf", "/")),
        ('["rm"] + ["/"]', ("rm", "/")),
        ("0o777", "0o777"),
        ("unknown", None),
        ("unknown()", None),
        ('r"\\x"', "\\x"),
        ('"a\\tb"', "a\tb"),
    ],
)
def test_a_constant_is_worked_out(source: str, value: Value) -> None:
    """Whatever the language; what only the run will tell stays open."""
    assert Reader(source, KNOWN).value() == value


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ('"/a", recursive=True)', ["/a", None]),
        ('"/a", mode="w")', ["/a", "w"]),
        ('"rm", ["-rf", "/"], {shell: true})', ["rm", ("-rf", "/"), ()]),
        ("f(x, y), '/b')", [None, "/b"]),
        (")", []),
        ('"/a"', ["/a"]),
    ],
)
def test_arguments_are_told_apart(source: str, values: list[Value]) -> None:
    """Calls and options between them do not shift them."""
    assert Reader(source, KNOWN).arguments(0) == values


def test_deep_and_long_sources_are_given_up() -> None:
    """Work is bounded whatever the source."""
    assert Reader("[" * 5000, KNOWN).arguments(0)[:1] in ([None], [()], [(UNKNOWN,)], [UNKNOWN])
    assert Reader('"a" + ' * 5000, KNOWN).value() is None
    doubled: dict[str, Value] = {"p": "x" * 3000}
    assert Reader("p + p", doubled).value() is None
