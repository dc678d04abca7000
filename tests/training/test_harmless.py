"""The Anthropic HH pairs, imported and trained on as a user does; a whole epoch is for a person's patience."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT

from gateway.preferences.layouts.registry import LAYOUTS, LayoutName, Reading, Tally, read_files
from gateway.preferences.objectives import Objective
from training.trainer import train

if TYPE_CHECKING:
    from conftest import Configure

HH = ROOT.parent / "shared" / "data" / "hh_rlhf_harmless_test.jsonl.gz"


@pytest.mark.slow
@pytest.mark.skipif(not HH.exists(), reason=f"{HH.name} stands in ../shared, beside the clone")
def test_dialogues_of_the_hh_data_can_be_learned_from(configure: Configure) -> None:
    """64 pairs: prompts of many turns lose their oldest, answers of any length stay whole."""
    pairs = list(read_files([HH], Reading(LAYOUTS[LayoutName.HH], Objective.SAFETY, "hh", 64), Tally()))
    assert len(pairs) >= 60
    outcome = train(configure(batch_size=8, accumulate=2, max_length=1200), pairs)  # a byte is a token here
    assert outcome.pairs >= 60
    assert outcome.steps == 4
    assert Path(outcome.adapter, "wardgate.json").is_file()
