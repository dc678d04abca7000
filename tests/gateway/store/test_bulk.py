"""Statements of many rows keep what single rows would, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from samples import inference

from gateway.store.bulk import ROWS
from gateway.store.records import Answer

if TYPE_CHECKING:
    from gateway.store.database import Store

ODD = "a\0b\ue000c ' \" \\ %s \U0001f4a9"


@pytest.mark.parametrize("count", [ROWS - 1, ROWS, 2 * ROWS + 3])
def test_a_batch_of_any_size_comes_back_whole(store: Store, count: int) -> None:
    answers = (Answer(index=0, written=ODD, sent=ODD),)
    batch = [inference(number, answers=answers, error=ODD) for number in range(count)]
    store.keep(batch)
    assert [store.inferences.get(one.id) for one in batch] == batch


def test_what_is_there_already_stays_as_it_is(store: Store) -> None:
    """A batch that is drained twice, as after a crash between two commits, changes and doubles nothing."""
    batch = [inference(number) for number in range(ROWS)]
    store.keep(batch[: ROWS // 2])
    store.keep([inference(number, error="second") for number in range(ROWS)])
    store.keep(batch)
    kept = [store.inferences.get(one.id) for one in batch]
    assert [one.error for one in kept if one] == [""] * (ROWS // 2) + ["second"] * (ROWS - ROWS // 2)
