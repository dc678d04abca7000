"""Signed ids: minted here or not, told apart without a look-up."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ids import FEEDBACK_PREFIX, INFERENCE_PREFIX, Minter

FIRST = b"1" * 32
SECOND = b"2" * 32
DIGITS = string.ascii_letters + string.digits + "-_"
MINTER = Minter({1: FIRST}, 1)


@pytest.mark.parametrize("prefix", [INFERENCE_PREFIX, FEEDBACK_PREFIX, "resp_", "msg_"])
def test_what_was_minted_verifies(prefix: str) -> None:
    minted = MINTER.mint(prefix)
    assert minted.startswith(prefix)
    assert len(minted) == len(prefix) + 40
    assert set(minted) <= set(DIGITS)
    assert MINTER.verify(minted)


def test_any_changed_character_is_noticed() -> None:
    """Every position is covered by the MAC, the prefix too."""
    minted = MINTER.mint()
    for place in range(len(minted)):
        for other in DIGITS:
            forged = minted[:place] + other + minted[place + 1 :]
            assert MINTER.verify(forged) == (forged == minted)


@given(st.text() | st.text(DIGITS, min_size=40, max_size=60))
def test_foreign_text_is_refused(text: str) -> None:
    assert not MINTER.verify(text)
    assert not MINTER.verify(INFERENCE_PREFIX + text)


@pytest.mark.parametrize(
    "text", ["!" * 40, "=" * 40, "A" * 39 + "=", "A" * 38 + "==", " " + "A" * 39, "A" * 41, "é" * 40]
)
def test_what_is_not_in_our_digits_is_refused(text: str) -> None:
    assert not MINTER.verify(INFERENCE_PREFIX + text)


@pytest.mark.parametrize("cut", [slice(1, None), slice(None, -1), slice(9, None)])
def test_a_cut_id_is_refused(cut: slice) -> None:
    assert not MINTER.verify(MINTER.mint()[cut])


def test_an_id_does_not_change_its_kind() -> None:
    """A feedback id is no inference id, though the same key signed it."""
    minted = MINTER.mint(FEEDBACK_PREFIX)
    assert not MINTER.verify(INFERENCE_PREFIX + minted.removeprefix(FEEDBACK_PREFIX))


def test_ids_sort_by_time_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = [0, 1, 999, 1_700_000_000_000, 1_700_000_000_001, time.time_ns() // 1_000_000, (1 << 42) - 1]
    minted = []
    for moment in moments:
        monkeypatch.setattr("gateway.ids.time_ns", lambda moment=moment: moment * 1_000_000)
        minted.append(MINTER.mint())
    assert minted == sorted(minted)


def test_ids_of_one_millisecond_differ() -> None:
    assert len({MINTER.mint() for _ in range(10_000)}) == 10_000


def test_rotation_keeps_old_ids_valid_until_their_key_goes() -> None:
    old = MINTER.mint()
    rotated = Minter({1: FIRST, 2: SECOND}, 2)
    assert rotated.verify(old)
    new = rotated.mint()
    assert rotated.verify(new)
    assert not MINTER.verify(new)
    assert not Minter({2: SECOND}, 2).verify(old)


def test_a_key_under_another_number_does_not_verify() -> None:
    assert not Minter({1: SECOND, 2: FIRST}, 1).verify(MINTER.mint())


def test_user_hash_is_keyed_and_survives_rotation() -> None:
    assert MINTER.user_hash("ann") == Minter({1: FIRST, 2: SECOND}, 2).user_hash("ann")
    assert MINTER.user_hash("ann") != MINTER.user_hash("bob")
    assert MINTER.user_hash("ann") != Minter({1: SECOND}, 1).user_hash("ann")
    assert len(MINTER.user_hash("\ud800 é")) == 32


def test_feedback_id_repeats_only_with_the_idempotency_key() -> None:
    one, other = MINTER.mint(), MINTER.mint()
    again = MINTER.feedback_id(one, "k")
    assert again == MINTER.feedback_id(one, "k")
    assert MINTER.verify(again)
    assert again.startswith(FEEDBACK_PREFIX)
    assert len({again, MINTER.feedback_id(one, "l"), MINTER.feedback_id(other, "k")}) == 3
    assert MINTER.feedback_id(one) != MINTER.feedback_id(one)
    assert MINTER.verify(MINTER.feedback_id(one, ""))


def test_feedback_id_repeats_across_a_rotation() -> None:
    inference = MINTER.mint()
    assert MINTER.feedback_id(inference, "k") == Minter({1: FIRST, 2: SECOND}, 2).feedback_id(inference, "k")


def test_feedback_id_of_a_foreign_inference_is_an_error() -> None:
    with pytest.raises(ValueError, match="was not minted here"):
        MINTER.feedback_id("chatcmpl-x", "k")


@pytest.mark.parametrize(
    ("keys", "current", "message"),
    [
        ({}, 1, "no id key has the number 1"),
        ({1: FIRST}, 2, "no id key has the number 2"),
        ({70_000: FIRST}, 70_000, "does not fit 16 bits"),
        ({1: b"short"}, 1, "secret 1 has 5 bytes"),
    ],
)
def test_bad_keys_are_named(keys: dict[int, bytes], current: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Minter(keys, current)
