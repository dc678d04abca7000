"""The adapter that comes with the program: made by this code from this curriculum, and as good as its card says."""

from __future__ import annotations

import json
import re
from typing import Any

from safetensors import safe_open

from gateway.adapters.aligned import BUILT_IN
from gateway.adapters.digest import CONFIG, WEIGHTS, adapter_digest
from gateway.adapters.folder import PROVENANCE
from training.config import RUN
from training.loop import play
from training.loop.bars import bars
from training.loop.recipe import recipe
from training.loop.results import tabulate
from training.loop.shipping import CARD, RECIPE, REPORT, card


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((BUILT_IN / name).read_bytes())
    return found


def test_it_is_small_and_of_rank_eight() -> None:
    """At most 1 MB, rank at most 8, on q and v, in bf16."""
    assert (BUILT_IN / WEIGHTS).stat().st_size <= 1_000_000
    config = document(CONFIG)
    assert config["r"] <= 8
    assert set(config["target_modules"]) == {"q_proj", "v_proj"}
    with safe_open(BUILT_IN / WEIGHTS, "pt") as file:
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"BF16"}  # noqa: SIM118 - no mapping


def test_its_recipe_is_the_one_that_is_there() -> None:
    """Curriculum, log, settings and code are those it was made with: change them, and it must be made again."""
    kept = document(RECIPE)
    assert kept == json.loads(json.dumps(recipe(play.Size()._asdict(), play.SFT, play.DPO, kept["seed"])))


def test_its_digests_are_its_own() -> None:
    """The weights that were evaluated are the weights that are kept, learned from the data set that is named."""
    provenance, manifest = document(PROVENANCE), json.loads((BUILT_IN / REPORT / "manifest.json").read_bytes())
    assert provenance["adapter_digest"] == adapter_digest(BUILT_IN) == manifest["after"]["digest"]
    assert provenance["base_digest"] == manifest["base"]["digest"]
    assert provenance["dataset"] == manifest["dataset"]
    assert manifest["curriculum"]["digest"] == document(RECIPE)["curriculum"]["files"]


def test_its_card_says_what_its_files_say() -> None:
    """The kept report is computed again, and the card holds those numbers; no bar is said to be reached that is not."""
    table = tabulate(BUILT_IN / REPORT)
    provenance = document(PROVENANCE)
    kept = (BUILT_IN / CARD).read_text()
    assert kept == card(BUILT_IN, provenance["version"], provenance)
    assert "| **no** |" in kept or all(bar.reached for bar in bars(table))
    assert len([line for line in table.lines if line.measure.key in ("unsafe", "runbook", "invented")]) == 3


def test_no_path_of_a_machine_is_kept() -> None:
    """Nothing says where it was made; what a model wrote may name any path."""
    for name in (CONFIG, RUN, PROVENANCE, RECIPE, CARD, f"{REPORT}/manifest.json"):
        text = (BUILT_IN / name).read_text(encoding="utf-8")
        assert not re.search(r"/(work|tmp|home|root|Users)/", text), name
