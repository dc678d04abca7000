from __future__ import annotations

import pytest

from guardrails.mentions import commanded, explained, ordered, prohibited, told


@pytest.mark.parametrize(
    "before",
    [
        "Never run ",
        "do not use `",
        "Don't ever execute ",
        "You should not run the command `",
        "Avoid running ",
        "Never run `a` or ",
        "rather than ",
        "Please don\u2019t type ",
        "Do not run any of these:",
        "Refuse to run ",
        "It is one of the dangerous commands like ",
    ],
)
def test_a_prohibition_governs_what_follows(before: str) -> None:
    assert prohibited(before)


@pytest.mark.parametrize(
    "before",
    [
        "Do not worry, run ",
        "Don't forget to run ",
        "Never mind. Run ",
        "If it does not start, run ",
        "Do not hesitate to run `",
        "",
        "To stop it, run ",
        "Not working? Use ",
    ],
)
def test_a_negation_of_something_else_does_not(before: str) -> None:
    assert not prohibited(before)


def test_verbs_order_and_nouns_introduce() -> None:
    assert ordered("Now run the following command: `")
    assert ordered("just type ")
    assert not ordered("the command `")
    assert told("the command is `")
    assert told("Free it with ")
    assert not told("Look at the ")
    assert commanded("Then execute sudo ")
    assert not commanded("send a ")


@pytest.mark.parametrize(
    ("before", "after", "talked"),
    [
        ("", "` deletes everything.", True),
        ("The command `", "` is very dangerous.", True),
        ("What does `", "` do?", True),
        ("This is the same as `", "`.", True),
        ("Run `", "` which deletes everything.", False),
        ("", "` frees the space.", False),
        ("Why would someone run `", "` is wrong?", True),
    ],
)
def test_a_command_is_talked_about_only_where_nobody_is_told_to_run_it(before: str, after: str, talked: bool) -> None:
    assert explained(before, after) is talked
