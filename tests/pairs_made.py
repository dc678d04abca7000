"""Pairs for tests, and the exchanges that they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import strategies as st
from samples import feedback, inference

from gateway.preferences.exchanges import Exchange, exchange_of
from gateway.preferences.objectives import Objective
from gateway.preferences.pairs import Message, Pair
from gateway.preferences.rules.interface import Candidate, Skipped
from gateway.store.evidence import Told
from gateway.store.records import Answer, FeedbackKind, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

Given = tuple[int, dict[str, Any]]

texts = st.text(min_size=1, max_size=40).filter(str.strip)
_turns = st.builds(Message, st.sampled_from(["system", "user", "assistant"]), texts)
_prompts = st.tuples(st.lists(_turns, max_size=4), st.builds(Message, st.sampled_from(["system", "user"]), texts)).map(
    lambda parts: (*parts[0], parts[1])
)
any_pair = st.builds(
    Pair,
    prompt=_prompts,
    chosen=texts,
    rejected=texts,
    objective=st.sampled_from(Objective),
    beta=st.none() | st.floats(0.01, 10),
    weight=st.floats(0.01, 1000),
    flip_rate=st.floats(0, 0.49),
    origin=st.sampled_from(["edit", "thumbs", "edit+thumbs"]),
    inferences=st.lists(texts, max_size=2).map(tuple),
    feedback=st.lists(texts, max_size=2).map(tuple),
).filter(lambda pair: pair.chosen != pair.rejected)


def pair(number: int = 1, **changes: object) -> Pair:
    made = Pair((Message("user", f"question {number}"),), "good", "bad", origin="edit")
    return msgspec.structs.replace(made, **changes)


def says(number: int, kind: str, value: object = None, text: str = "", **fields: Any) -> Given:
    """Feedback number so and so; of nobody in particular unless a `user` is given."""
    return number, {"kind": FeedbackKind(kind), "value": value, "text": text, "user": "", **fields}


def told(number: int = 1, answer: str | tuple[Answer, ...] = "bad", *said: Given, **changes: Any) -> Told:
    """A stored exchange: one answer, whole as it was sent unless given otherwise, and what was said about it."""
    answers = (Answer(0, answer, answer, "stop"),) if isinstance(answer, str) else answer
    prompt = changes.pop("prompt", "q")
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    document = {"model": "default", "messages": messages} | changes.pop("request", {})
    fields = {"answers": answers, "request": msgspec.json.encode(document), "user": ""} | changes
    return Told(inference(number, **fields), tuple(feedback(one, number, **kind) for one, kind in said))


def exchange(number: int = 1, answer: str | tuple[Answer, ...] = "bad", *said: Given, **changes: Any) -> Exchange:
    """The same as a rule sees it; `worse` where it lost a comparison."""
    worse = changes.pop("worse", False)
    return exchange_of(told(number, answer, *said, **changes), worse=worse)


def blocked(number: int, written: str, sent: str, *said: Given, **changes: Any) -> Exchange:
    """An exchange whose answer the guard stopped."""
    found = b'[{"check":"commands","rule":"files.delete","severity":"critical","span":[0,8],"stage":"output"}]'
    fields = {"outcome": Outcome.STOPPED, "action": "block", "findings": found} | changes
    return exchange(number, (Answer(0, written, sent, "content_filter"),), *said, **fields)


def outcome(made: Iterable[Candidate | Skipped]) -> list[Any]:
    """What a rule made, short: (chosen, rejected, objective, weight) or the reason for none."""
    return [
        str(one) if isinstance(one, Skipped) else (one.chosen, one.rejected, one.objective.value, round(one.weight, 4))
        for one in made
    ]
