"""A merged checkpoint answers like base and adapter, says what it was made of, and is there whole or not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import torch
from peft import LoraConfig, get_peft_model
from tiny_model import make_model
from transformers import AutoModelForCausalLM

from gateway.adapters.digest import adapter_digest
from gateway.engine.checkpoint import DigestCache, base_digest, find_checkpoint
from gateway.store.database import Store
from gateway.store.records import Adapter, By
from training import merge as merging
from training.merge import MergeRefused, merge, merge_adapter

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a base model and a registered adapter that changes what it says."""
    home = tmp_path / "home"
    base = make_model(home / "models" / "tiny")
    torch.manual_seed(3)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    lora = LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    get_peft_model(model, lora).save_pretrained(tmp_path / "adapter")
    digest = base_digest(base, DigestCache(tmp_path / "digests.json"))
    store = Store(f"sqlite:///{home}/store.sqlite3")
    folder = tmp_path / "adapter"
    store.adapters.register(Adapter("ops", "1", str(folder), adapter_digest(folder), digest, 2, 1), By("me"))
    store.close()
    return home


def merged(home: Path, out: Path, adapter: str = "ops@1", model: str = "tiny") -> merging.Outcome:
    return merge_adapter(f"sqlite:///{home}/store.sqlite3", home, model, adapter, out)


def test_the_sum_is_base_and_adapter_and_says_so(home: Path, tmp_path: Path) -> None:
    """`serve --model` takes it under the adapter's name; its note holds every digest."""
    done = merged(home, tmp_path / "out")
    assert 0 <= done.distance <= done.tolerance == merging.DEFAULT_TOLERANCE
    found = find_checkpoint(str(tmp_path / "out"))
    assert (found.name, found.family, found.merged) == ("ops@1", "tiny", done.merged)
    note = json.loads((tmp_path / "out" / "wardgate.json").read_text())
    assert note["merged"]["adapter_digest"] == adapter_digest(tmp_path / "adapter")
    assert note["merged"]["digest"] == base_digest(tmp_path / "out", DigestCache(tmp_path / "d.json"))
    assert (tmp_path / "out" / "tokenizer.json").is_file()


def test_what_does_not_belong_together_is_not_merged(home: Path, tmp_path: Path) -> None:
    """And nothing is left where it would have been."""
    other = make_model(tmp_path / "other", seed=8)
    for words, given in (
        ("was trained on a base", {"model": str(other)}),
        ("is not on this machine", {"model": "/no/such/model"}),
        ("no such adapter", {"adapter": "ops@2"}),
    ):
        with pytest.raises(MergeRefused, match=words):
            merged(home, tmp_path / "out", **given)
    (tmp_path / "there").mkdir()
    with pytest.raises(MergeRefused, match="is there already"):
        merged(home, tmp_path / "there")
    with (tmp_path / "adapter" / "adapter_config.json").open("a") as file:
        file.write(" ")
    with pytest.raises(MergeRefused, match="not those that were registered"):
        merged(home, tmp_path / "out")
    assert not [path.name for path in tmp_path.iterdir() if "out" in path.name]


def test_a_sum_that_answers_otherwise_is_thrown_away(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "DEFAULT_TOLERANCE", -1.0)
    with pytest.raises(MergeRefused, match="serve it unmerged"):
        merged(home, tmp_path / "out")
    assert not [path.name for path in tmp_path.iterdir() if "out" in path.name]


def test_the_command_prints_what_it_made(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = str(home / "models" / "tiny")
    assert merge("ops@1", out=tmp_path / "out", model=model, home=home, json_=True) == 0
    assert json.loads(capsys.readouterr().out)["adapter"] == "ops@1"
    assert merge("ops@1", out=tmp_path / "out", model=model, home=home) == 1
    assert "is there already" in capsys.readouterr().err
