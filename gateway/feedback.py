"""What may be said about an answer, and what each kind of it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from gateway.errors import InvalidRequest, NotFound, shown
from gateway.ids import INFERENCE_PREFIX
from gateway.store.records import FeedbackKind

if TYPE_CHECKING:
    from gateway.ids import Minter


def checked_value(kind: FeedbackKind, value: Any, inference_id: str, minter: Minter) -> int | str | None:
    """`value` where it fits its kind; the contract's rules.

    Raises:
        InvalidRequest: It does not; names field, value and mend.
        NotFound: It should be an inference id and was never issued here.
    """
    match kind:
        case FeedbackKind.THUMBS:
            return _number(kind, value, (-1, 1), "1 for up or -1 for down")
        case FeedbackKind.RATING:
            return _number(kind, value, range(1, 6), "a whole number from 1 to 5")
        case FeedbackKind.COMPARISON | FeedbackKind.REGENERATED:
            return _other_answer(kind, value, inference_id, minter)
        case (
            FeedbackKind.COMMENT
            | FeedbackKind.EDIT
            | FeedbackKind.FALSE_BLOCK
            | FeedbackKind.COPIED
            | FeedbackKind.ACCEPTED
            | FeedbackKind.ABANDONED
            | FeedbackKind.FRUSTRATED
            | FeedbackKind.EXECUTED
            | FeedbackKind.ROLLED_BACK
            | FeedbackKind.ESCALATED
        ):
            if value is not None:
                raise _wrong("value", value, f"a {kind.value!r} has none; leave it out, or say it in `text`")
            return None
    assert_never(kind)


def checked_text(kind: FeedbackKind, text: str | None) -> str:
    """`text` where it fits its kind: a comment and an edit are nothing without, any other may have one.

    Raises:
        InvalidRequest: It is missing, or cannot be stored.
    """
    if kind in (FeedbackKind.COMMENT, FeedbackKind.EDIT) and not (text or "").strip():
        mend = "what the user said" if kind is FeedbackKind.COMMENT else "the answer as it should have been"
        raise _wrong("text", text, f"a {kind.value!r} needs one: {mend}")
    return storable("text", text or "")


def storable(field: str, text: str) -> str:
    """`text`, unless a database would refuse it: PostgreSQL takes no NUL, and UTF-8 has no lone surrogates.

    Raises:
        InvalidRequest: It would.
    """
    if "\0" in text or (not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)):
        raise _wrong(field, text, "it holds a NUL or half a surrogate pair; send whole Unicode characters")
    return text


def issued(field: str, inference_id: str, minter: Minter) -> str:
    """`inference_id`, if this installation minted it; told by its signature, without a look-up.

    Raises:
        NotFound: It did not.
    """
    if not (inference_id.startswith(INFERENCE_PREFIX) and minter.verify(inference_id)):
        raise NotFound(
            f"{field}: {shown(inference_id)} was never issued here. Send the `id` of an answer from this gateway.",
            code="inference_not_found",
            param=field,
        )
    return inference_id


def _number(kind: FeedbackKind, value: Any, allowed: range | tuple[int, ...], mend: str) -> int:
    if type(value) is not int or value not in allowed:  # True is an int to isinstance
        raise _wrong("value", value, f"a {kind.value!r} takes {mend}")
    return value


def _other_answer(kind: FeedbackKind, value: Any, inference_id: str, minter: Minter) -> str:
    role = "the id of the answer that was worse" if kind is FeedbackKind.COMPARISON else "the id of the new answer"
    if not isinstance(value, str):
        raise _wrong("value", value, f"a {kind.value!r} takes {role}")
    if value == inference_id:
        raise _wrong("value", value, f"it is `inference_id` again; send {role}")
    return issued("value", value, minter)


def _wrong(field: str, value: Any, mend: str) -> InvalidRequest:
    return InvalidRequest(f"{field}: {shown(value)}: {mend}.", code="invalid_value", param=field)
