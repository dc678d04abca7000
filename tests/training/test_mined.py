"""`wardgate train --store`: the pairs are mined into a data set, and a run that goes on keeps to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pairs_made import says, told

from gateway.settings import load_settings
from gateway.store.database import Store
from training.config import TrainError
from training.sources import mine_pairs

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.settings import Settings


def said(settings: Settings, number: int) -> None:
    store = Store(settings.store_url)
    one = told(number, f"bad {number}", says(number, "edit", text=f"good {number}"))
    store.keep([one.inference, *one.feedback])
    store.close()


def test_a_store_becomes_a_dataset_named_after_the_adapter(tmp_path: Path) -> None:
    """What people say meanwhile changes the next run, never the one that goes on."""
    settings = load_settings({"WARDGATE_HOME": str(tmp_path)})
    out = tmp_path / "AIops@1"
    said(settings, 1)
    first = mine_pairs(settings, out, resume=True, for_sft=False)
    assert (first.name, first.version, [pair.chosen for pair in first.pairs]) == ("aiops-1", 1, ["good 1"])
    said(settings, 2)
    assert mine_pairs(settings, out, resume=True, for_sft=False) == first
    assert mine_pairs(settings, out, resume=False, for_sft=True).version == 2
    assert len(mine_pairs(settings, out, resume=True, for_sft=False).pairs) == 2


def test_a_store_without_pairs_is_told(tmp_path: Path) -> None:
    settings = load_settings({"WARDGATE_HOME": str(tmp_path)})
    with pytest.raises(TrainError, match="--store: there is no store at"):
        mine_pairs(settings, tmp_path / "a", resume=False, for_sft=False)
    Store(settings.store_url).close()
    with pytest.raises(TrainError, match="--store: a: there are no pairs"):
        mine_pairs(settings, tmp_path / "a", resume=False, for_sft=False)
