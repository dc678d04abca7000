"""`wardgate evaluate`, from an adapter to the table and from its files to the same table."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

import pytest
from pairs_made import says, told
from tiny_model import some_pairs

from gateway.adapters.keeping import keep_adapter
from gateway.engine.limits import Limits
from gateway.preferences.pairs import write_pairs
from gateway.store.database import Store
from training.arms import _recipe
from training.evaluate import evaluate
from training.trainer import train

if TYPE_CHECKING:
    from conftest import Configure

    from training.config import TrainConfig


@pytest.fixture
def trained(configure: Configure) -> TrainConfig:
    config = configure()
    train(config, some_pairs(4), name="four", version=2)
    return config


@pytest.fixture
def held_out(tmp_path: Path) -> Path:
    file = tmp_path / "held-out.jsonl"
    file.write_bytes(write_pairs(some_pairs(10)[4:]))
    return file


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_table_comes_from_the_files(
    trained: TrainConfig, held_out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is printed with the model is printed again from its files alone, and the files hold no computed number."""
    out = tmp_path / "evidence"
    adapter = tmp_path / "adapter"
    assert evaluate(adapter, model=trained.model, pairs=str(held_out), out=out, json_=True) == 0
    first = last_line(capsys)
    assert evaluate(from_=out, json_=True) == 0
    assert last_line(capsys) == first
    assert first["pair_accuracy"].keys() == {"value", "low", "high", "n"}
    assert first["probability_ratio_rejected"]["n"] == 6
    assert {file.name for file in out.iterdir()} == {
        "logprobs.jsonl", "manifest.json", "metrics.jsonl", "worked.json",
    }  # fmt: skip
    assert (tmp_path / "evidence.html").read_text().startswith("<!doctype html>")
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["dataset"]["name"], manifest["dataset"]["version"]) == ("four", 2)
    assert manifest["held_out"]["pairs"] == 6
    assert len(manifest["after"]["digest"]) == len(manifest["base"]["digest"]) == 64
    assert manifest["before"] == {"adapter": "", "digest": ""}


def test_continued_adapter_is_held_against_its_beginning(
    trained: TrainConfig, held_out: Path, configure: Configure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An adapter that goes on with another is compared with that one, not with the base, unless told so."""
    further = configure(adapter=trained.out, out=str(tmp_path / "further"))
    train(further, some_pairs(4))
    before = {}
    for name, against in (("start", None), ("base", "base"), ("first", None)):
        folder = tmp_path / ("adapter" if name == "first" else "further")
        out = tmp_path / name
        assert evaluate(folder, model=trained.model, pairs=str(held_out), out=out, before=against, json_=True) == 0
        before[name] = last_line(capsys)
    assert before["start"]["log_prob_rejected_before"] == before["first"]["log_prob_rejected"]
    assert before["base"]["log_prob_rejected_before"] == before["first"]["log_prob_rejected_before"]


def test_registered_adapter_is_held_against_what_people_said(
    trained: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It goes by its name, whatever became of the folder it was trained in, and the pairs are mined from a store."""
    monkeypatch.setenv("WARDGATE_HOME", str(tmp_path / "home"))
    keep_adapter(tmp_path / "home", "ops@3", Path(trained.out), Limits(), None, registered=False)
    rmtree(trained.out)
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = Store(url)
    for number in (1, 2):
        one = told(number, f"bad {number}", says(number, "edit", text=f"good {number}"))
        store.keep([one.inference, *one.feedback])
    store.close()
    out = tmp_path / "e"
    assert evaluate(Path("ops@3"), model=trained.model, store=url, out=out, json_=True) == 0
    assert last_line(capsys)["pair_accuracy"]["n"] == 2
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["after"]["adapter"] == "ops@3"
    assert (manifest["held_out"]["name"], manifest["held_out"]["version"]) == ("e-held-out", 1)
    assert evaluate(Path("ops@3"), model=trained.model, store=url, pairs="p", out=tmp_path / "f") == 2
    assert "--pairs FILE or --store URL, and only one of them" in capsys.readouterr().err


def test_person_reads_a_table(
    trained: TrainConfig, held_out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --json the table is aligned text, the training's own pairs are called so, and objectives stand apart."""
    pairs = tmp_path / "trained-on.jsonl"
    pairs.write_bytes(write_pairs(some_pairs(4)))
    assert evaluate(tmp_path / "adapter", model=trained.model, pairs=str(pairs), out=tmp_path / "e") == 0
    shown = capsys.readouterr()
    assert "pairs whose chosen answer is the likelier" in shown.out
    assert "by objective, change in nats" in shown.out
    assert "nothing here was held out" in shown.err


def test_start_is_proven(
    trained: TrainConfig, held_out: Path, configure: Configure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An adapter of the right name that is not the one training began with is refused, by digest."""
    train(configure(adapter=trained.out, out=str(tmp_path / "further")), some_pairs(4))
    weights = tmp_path / "adapter" / "adapter_model.safetensors"
    weights.write_bytes((tmp_path / "further" / weights.name).read_bytes())
    told: dict[str, Any] = {"model": trained.model, "pairs": str(held_out), "out": tmp_path / "e"}
    assert evaluate(tmp_path / "further", **told) == 2
    assert "is not what 'further' was trained from" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({}, "give an adapter with --pairs or --store and --out, or --from", id="nothing"),
        pytest.param({"from_": "nowhere"}, "has no manifest.json", id="from-nowhere"),
        pytest.param({"adapter": "nowhere", "pairs": "p", "out": "o"}, "holds no adapter_config.json", id="no-adapter"),
        pytest.param({"adapter": "adapter", "pairs": "p", "out": "adapter"}, "is not empty", id="out"),
        pytest.param(
            {"adapter": "adapter", "pairs": "held-out.jsonl", "out": "held-out.jsonl/o"},
            "can be written",
            id="unwritable",
        ),
        pytest.param({"adapter": "adapter", "pairs": "p", "out": "o"}, "--pairs: dataset: 'p'", id="no-pairs"),
        pytest.param(
            {"adapter": "adapter", "pairs": "held-out.jsonl", "out": "o", "before": "gone"},
            "--before: 'gone' holds no adapter",
            id="before",
        ),
        pytest.param(
            {"adapter": "adapter", "pairs": "held-out.jsonl", "out": "o", "worked": "zz"},
            "no pair's id begins with 'zz'",
            id="worked",
        ),
    ],
)
@pytest.mark.usefixtures("held_out")
def test_bad_use_is_told(
    given: dict[str, str], said: str, trained: TrainConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be evaluated ends with status 2 and says the field, the value and the mend."""
    paths = {name: tmp_path / value for name, value in given.items() if name in ("from_", "out", "adapter")}
    told: dict[str, Any] = {"model": trained.model, **given, **paths}
    if given.get("pairs") == "held-out.jsonl":
        told["pairs"] = str(tmp_path / given["pairs"])
    assert evaluate(told.pop("adapter", None), **told) == 2
    assert said in capsys.readouterr().err


def test_recipe_holds_no_path_of_the_machine() -> None:
    """The command that is kept with the evidence names folders by their last part."""
    given = ["evaluate", "/home/me/aligned", "--pairs", "h.jsonl", "--out", "/tmp/e"]
    assert _recipe(given) == "wardgate evaluate aligned --pairs h.jsonl --out e"
    assert not _recipe(["train"])
