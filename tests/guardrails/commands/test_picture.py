"""The tree as people and programs see it."""

from __future__ import annotations

import pytest

from guardrails.commands import readers
from guardrails.commands.picture import picture, tree_document
from guardrails.interface import Shell


@pytest.mark.parametrize(
    ("text", "shell", "lines"),
    [
        ("ls -l", Shell.BASH, ["ls -l"]),
        ("sudo rm -rf /srv", Shell.BASH, ["sudo rm -rf /srv", "  rm -rf /srv"]),
        ("a | b; c 2> 'x y'", Shell.BASH, ["a", "| b", "c 2> 'x y'"]),
        ("$X now", Shell.BASH, ["… now   (only the run tells which command)"]),
        ("cat <<E\nhi\nE\n", Shell.BASH, ["cat << (3 characters)"]),
        ("rm -rf \"$D\"/x 'a b'", Shell.BASH, ["rm -rf …/x 'a b'"]),
        ("DROP TABLE users", Shell.SQL, ["DROP TABLE users"]),
    ],
)
def test_a_picture_has_a_line_a_command(text: str, shell: Shell, lines: list[str]) -> None:
    """Indented below what it is run through, piped, redirected, with what nobody knows marked."""
    assert picture(readers.read(text, shell).commands) == lines


def test_a_long_picture_is_cut() -> None:
    """What would fill the screen is counted, and a long line ends in a dot."""
    shown = picture(readers.read(f"echo {'x' * 300}; " + "ls; " * 100).commands)
    assert len(shown) == 41
    assert shown[-1] == "and 61 more"
    assert len(shown[0]) == 160


def test_a_document_says_who_feeds_whom() -> None:
    """Unknown words are null; pipes and substitutions point into the list; spans are moved."""
    a, b, c = tree_document(readers.read('ls | rm "$(pwd)" > /dev/null 2>&1').commands, 5)
    named = {tuple(one["argv"]): one for one in (a, b, c)}
    fed = named["rm", None]
    assert [(a, b, c)[at]["argv"] for at in (*fed["stdin"], *fed["made_of"])] == [["ls"], ["pwd"]]
    assert fed["redirects"][0] == {"operator": ">", "target": "/dev/null", "descriptor": None}
    assert named["ls",]["span"] == [5, 7]
    assert (a["shell"], a["through"]) == ("bash", [])
