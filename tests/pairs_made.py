"""Pairs for tests: any that the contract allows, and a plain one."""

from __future__ import annotations

import msgspec
from hypothesis import strategies as st

from gateway.preferences.objectives import Objective
from gateway.preferences.pairs import Message, Pair

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
