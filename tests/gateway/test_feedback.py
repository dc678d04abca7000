"""What each kind of feedback needs, rule by rule."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import InvalidRequest, NotFound
from gateway.feedback import checked_text, checked_value, issued, storable
from gateway.ids import Minter
from gateway.store.records import FeedbackKind

MINTER = Minter({1: b"k" * 32}, 1)
ANSWER = MINTER.mint("chatcmpl-")
OTHER = MINTER.mint("chatcmpl-")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("thumbs", 1),
        ("thumbs", -1),
        *(("rating", stars) for stars in range(1, 6)),
        ("comparison", OTHER),
        ("regenerated", OTHER),
        *((kind, None) for kind in FeedbackKind if kind not in ("thumbs", "rating", "comparison", "regenerated")),
    ],
)
def test_a_fitting_value_is_kept(kind: str, value: Any) -> None:
    """Every kind takes what the contract gives it."""
    assert checked_value(FeedbackKind(kind), value, ANSWER, MINTER) == value


@pytest.mark.parametrize(
    ("kind", "value", "mend"),
    [
        ("thumbs", 0, "1 for up"),
        ("thumbs", True, "1 for up"),
        ("thumbs", 1.0, "1 for up"),
        ("thumbs", "1", "1 for up"),
        ("thumbs", None, "1 for up"),
        ("rating", 0, "1 to 5"),
        ("rating", 6, "1 to 5"),
        ("rating", 4.5, "1 to 5"),
        ("comparison", None, "the answer that was worse"),
        ("comparison", 3, "the answer that was worse"),
        ("comparison", ANSWER, "`inference_id` again"),
        ("regenerated", ["x"], "the id of the new answer"),
        ("copied", 1, "leave it out"),
        ("edit", "text", "leave it out"),
    ],
)
def test_any_other_value_is_named(kind: str, value: Any, mend: str) -> None:
    """The error names the field, the value and the mend."""
    with pytest.raises(InvalidRequest, match=mend) as caught:
        checked_value(FeedbackKind(kind), value, ANSWER, MINTER)
    assert caught.value.param == "value"
    assert repr(value)[:100] in caught.value.message


@pytest.mark.parametrize("kind", [FeedbackKind.COMPARISON, FeedbackKind.REGENERATED])
def test_the_other_answer_must_be_ours(kind: FeedbackKind) -> None:
    """A second id is verified as the first is."""
    with pytest.raises(NotFound) as caught:
        checked_value(kind, f"{OTHER[:-1]}.", ANSWER, MINTER)
    assert caught.value.param == "value"


@pytest.mark.parametrize(
    "foreign", ["", "x", OTHER[:-1], f"{OTHER}x", MINTER.mint("fb-"), Minter({1: b"j" * 32}, 1).mint("chatcmpl-")]
)
def test_a_foreign_id_is_not_found(foreign: str) -> None:
    """Neither another installation's id, nor a changed one, nor one of ours that is no answer's."""
    with pytest.raises(NotFound):
        issued("inference_id", foreign, MINTER)


@pytest.mark.parametrize("kind", [FeedbackKind.COMMENT, FeedbackKind.EDIT])
@pytest.mark.parametrize("text", [None, "", " \n"])
def test_some_kinds_are_nothing_without_text(kind: FeedbackKind, text: str | None) -> None:
    """A comment that says nothing and an edit to nothing are mistakes."""
    with pytest.raises(InvalidRequest, match="needs one") as caught:
        checked_text(kind, text)
    assert caught.value.param == "text"


def test_any_kind_may_say_more() -> None:
    """A thumb may come with a word."""
    assert checked_text(FeedbackKind.THUMBS, "danke schön 👍") == "danke schön 👍"
    assert checked_text(FeedbackKind.COPIED, None) == ""


@pytest.mark.parametrize("text", ["a\0b", "half \ud83d"])
def test_what_no_database_takes_is_refused(text: str) -> None:
    """Rather a 400 now than a drain that stops later."""
    with pytest.raises(InvalidRequest, match="NUL"):
        storable("text", text)
