"""A stored exchange as the rules read it, and what stands in the way."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from pairs_made import exchange, told

from gateway.preferences.exchanges import Unusable, exchange_of
from gateway.preferences.pairs import Message
from gateway.store.records import Outcome

CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
IMAGE = {"type": "image_url", "image_url": {"url": "x"}}


@pytest.mark.parametrize(
    ("prompt", "turns"),
    [
        ("Hi", [("user", "Hi")]),
        ([{"role": "system", "content": "S"}, {"role": "user", "content": "Hi"}], [("system", "S"), ("user", "Hi")]),
        ([{"role": "developer", "content": "S"}, {"role": "user", "content": "Hi"}], [("system", "S"), ("user", "Hi")]),
        (
            [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}],
            [("user", "a\nb")],
        ),
        ([{"role": "user", "content": "a", "name": "kim"}], [("user", "a")]),
    ],
)
def test_the_prompt_is_every_turn(prompt: Any, turns: list[tuple[str, str]]) -> None:
    assert [(turn.role, turn.content) for turn in exchange(prompt=prompt).prompt] == turns


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stored": False}, "not_stored"),
        ({"outcome": Outcome.CLIENT_GONE}, "broken_off"),
        ({"outcome": Outcome.ENGINE_FAILED}, "broken_off"),
        ({"request": {"tools": [{}]}}, "tools_offered"),
        ({"prompt": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}, "answer_continued"),
        ({"prompt": [{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}]}, "prompt_not_text"),
        (
            {"prompt": [{"role": "assistant", "tool_calls": [CALL]}, {"role": "user", "content": "a"}]},
            "prompt_not_text",
        ),
        ({"prompt": [{"role": "user", "content": [IMAGE]}]}, "prompt_not_text"),
        ({"prompt": [{"role": "user", "content": None}]}, "prompt_not_text"),
        ({"prompt": " "}, "no_prompt"),
    ],
)
def test_what_cannot_be_shown_again_is_told(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unusable, match=f"^{reason}$"):
        exchange_of(told(**changes))


@pytest.mark.parametrize(
    "request_", [b"", b"[]", b"{}", b'{"messages": []}', b'{"messages": [1]}', b'{"messages": [{}]}']
)
def test_a_request_of_another_form_is_told(request_: bytes) -> None:
    """Records of another version stop nobody."""
    one = told()
    with pytest.raises(Unusable, match=r"^request_unreadable$"):
        exchange_of(msgspec.structs.replace(one, inference=msgspec.structs.replace(one.inference, request=request_)))


def test_the_same_prompt_has_the_same_key_in_a_project() -> None:
    assert exchange(1).key == exchange(2).key
    assert exchange(1).key != exchange(1, project="b").key
    assert (
        exchange(1).key != exchange(1, prompt=[{"role": "system", "content": ""}, {"role": "user", "content": "q"}]).key
    )
    assert exchange(1).prompt == (Message("user", "q"),)
