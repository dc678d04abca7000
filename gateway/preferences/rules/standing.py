"""Which of several things said about one answer is heard.

Of one kind the last word counts, of each user where users are known. Across kinds the stronger signal is heard, in the
order of `Signal`: what an edit corrected is not praised by a thumb, and a person's word goes before the guard's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.store.records import FeedbackKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.preferences.exchanges import Exchange
    from gateway.store.records import Feedback

LOW_RATING = 2
# Each says that the answer was not what was wanted, or not good enough to keep.
_AGAINST = frozenset(
    {
        FeedbackKind.EDIT,
        FeedbackKind.REGENERATED,
        FeedbackKind.ABANDONED,
        FeedbackKind.FRUSTRATED,
        FeedbackKind.ROLLED_BACK,
        FeedbackKind.ESCALATED,
    }
)


def last_words(feedback: Iterable[Feedback]) -> list[Feedback]:
    """The last one of every user, and every one of nobody in particular; oldest first."""
    latest = {one.user or one.id: one for one in feedback}
    return sorted(latest.values(), key=lambda one: (one.created_us, one.id))


def thumbs(exchange: Exchange) -> int:
    """Thumbs up less thumbs down."""
    return sum(one.value for one in last_words(exchange.said(FeedbackKind.THUMBS)) if isinstance(one.value, int))


def kept(exchange: Exchange) -> bool:
    """Whether nothing was said or done against the answer."""
    if exchange.worse or thumbs(exchange) < 0:
        return False
    ratings = last_words(exchange.said(FeedbackKind.RATING))
    if any(isinstance(one.value, int) and one.value <= LOW_RATING for one in ratings):
        return False
    return not any(one.kind in _AGAINST for one in exchange.feedback)
