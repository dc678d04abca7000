"""The loop on a tiny model: what it learns, how it is interrupted, how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import torch
from serving import WARDGATE
from tiny_model import some_pairs

from gateway.adapters.digest import WEIGHTS, adapter_digest
from gateway.preferences.pairs import Pair, write_pairs
from training import trainer
from training.cli import Recipe
from training.cli import train as command
from training.config import TrainError, make_config
from training.interruption import Interrupted
from training.policy import load_adapted, load_tokenizer
from training.scoring import score_pairs
from training.tokens import encode_pairs
from training.trainer import Diverged, train

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Configure

FLAGS = {
    "loss": "dpo",
    "batch_size": 2,
    "accumulate": 2,
    "epochs": 12,
    "learning_rate": 1e-3,
    "lora_dropout": 0.1,
    "checkpoint_seconds": 0,
    "seed": 5,
}
STEPS = 12 * 5


def rows(folder: Path) -> list[dict[str, Any]]:
    file = folder / "metrics.jsonl"
    return [msgspec.json.decode(line) for line in file.read_bytes().splitlines()] if file.exists() else []


def begin(tiny: Path, folder: Path) -> subprocess.Popen[str]:
    """`wardgate train` on twenty pairs, as a user starts it."""
    (folder / "pairs.jsonl").write_bytes(write_pairs(some_pairs(20)))
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in FLAGS.items()]
    command = [WARDGATE, "train", f"--model={tiny}", f"--pairs={folder}/pairs.jsonl", f"--out={folder}/adapter", *flags]
    environment = os.environ | {"WARDGATE_HOME": str(folder), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def kill(process: subprocess.Popen[str], folder: Path, taken: int) -> None:
    """As `kill -9` does, once so many steps were taken."""
    until = time.monotonic() + 600
    while len(rows(folder / ".adapter.training")) < taken:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.002)
    process.kill()
    process.communicate(timeout=600)


@pytest.fixture(scope="module")
def undisturbed(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The adapter's file of a run that nobody interrupted."""
    out = tmp_path_factory.mktemp("undisturbed") / "adapter"
    train(make_config(FLAGS | {"model": str(tiny), "out": str(out)}), some_pairs(20), name="pairs")
    return (out / WEIGHTS).read_bytes()


def test_a_killed_run_goes_on_to_the_same_bits(tiny: Path, tmp_path: Path, undisturbed: bytes) -> None:
    """After kill -9 in mid-run --resume goes on: order, dropout, optimiser and reference are as before."""
    process = begin(tiny, tmp_path)
    kill(process, tmp_path, 7)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "adapter").exists()
    config = make_config(FLAGS | {"model": str(tiny), "out": str(tmp_path / "adapter")})
    outcome = train(config, some_pairs(20), name="pairs", resume=True)
    assert (tmp_path / "adapter" / WEIGHTS).read_bytes() == undisturbed
    assert outcome.steps == STEPS
    assert [row["step"] for row in rows(tmp_path / "adapter")] == list(range(1, STEPS + 1))
    assert not (tmp_path / ".adapter.training").exists()


def test_sigterm_saves_and_ends_clearly(
    tiny: Path,
    tmp_path: Path,
    undisturbed: bytes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit status 128 + 15 and a word on how to go on; the resumed run ends with the same bits."""
    monkeypatch.setenv("WARDGATE_HOME", str(tmp_path))
    (tmp_path / "pairs.jsonl").write_bytes(write_pairs(some_pairs(20)))
    told: Any = {"pairs": str(tmp_path / "pairs.jsonl"), "model": str(tiny), "out": tmp_path / "adapter"}
    told |= {"loss": FLAGS["loss"], "recipe": Recipe(**{name: FLAGS[name] for name in FLAGS if name != "loss"})}
    call_at(monkeypatch, 11, lambda _: os.kill(os.getpid(), signal.SIGTERM))
    assert command(**told) == 128 + signal.SIGTERM
    said = capsys.readouterr().err
    assert "go on with --resume" in said
    assert said.count("\n") == 1
    monkeypatch.undo()
    monkeypatch.setenv("WARDGATE_HOME", str(tmp_path))
    assert command(**told, resume=True) == 0
    assert (tmp_path / "adapter" / WEIGHTS).read_bytes() == undisturbed


def test_a_stop_between_forward_passes_leaves_no_half_step(
    tiny: Path, tmp_path: Path, undisturbed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step that was begun is taken again from its beginning, with the same dropout."""
    config = make_config(FLAGS | {"model": str(tiny), "out": str(tmp_path / "adapter")})
    calls = call_at(monkeypatch, 13, lambda _: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted, match=f"after step 6 of {STEPS}"):
        train(config, some_pairs(20), name="pairs")
    assert len(calls) == 13
    monkeypatch.undo()
    train(config, some_pairs(20), name="pairs", resume=True)
    assert (tmp_path / "adapter" / WEIGHTS).read_bytes() == undisturbed


def call_at(monkeypatch: pytest.MonkeyPatch, at: int, act: Callable[[torch.Tensor], object]) -> list[int]:
    """Do something with the result of the forward pass of that number."""
    calls: list[int] = []
    real = trainer.sequence_log_probs

    def counted(*given: Any) -> torch.Tensor:
        calls.append(1)
        found = real(*given)
        return found if len(calls) != at or (changed := act(found)) is None else changed  # type: ignore[return-value]

    monkeypatch.setattr(trainer, "sequence_log_probs", counted)
    return calls


def test_a_stop_while_the_reference_is_scored_keeps_what_was_scored(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The resumed run scores only the rest."""
    real = trainer.score_reference
    monkeypatch.setattr(trainer, "score_reference", lambda *given: (os.kill(os.getpid(), signal.SIGTERM), real(*given)))
    config = configure()
    with pytest.raises(Interrupted, match="while the reference was scored"):
        train(config, some_pairs(12))
    kept = Path(config.out).parent / ".adapter.training" / "reference.json"
    assert len(msgspec.json.decode(kept.read_bytes())["log_probs"]) == 4
    monkeypatch.undo()
    assert train(config, some_pairs(12), resume=True).pairs == 12


def test_dpo_learns_what_it_is_shown(configure: Configure) -> None:
    """From ln 2 on, the margin grows; what is saved is what was learned, seen through the served dtype."""
    config = configure(epochs=15, learning_rate=3e-2)
    pairs = some_pairs(12)
    outcome = train(config, pairs)
    taken = rows(Path(config.out))
    assert taken[0]["loss"] == pytest.approx(0.693147, abs=1e-6)
    assert taken[-1]["loss"] < 0.4
    assert outcome.accuracy == 1.0
    assert outcome.margin is not None
    assert outcome.margin > 1.0
    assert set(taken[-1]["standing"]) <= {"safety", "tone", "escalation", "helpfulness", "accuracy"}
    encoded = encode_pairs(load_tokenizer(config.model), pairs, 1024).pairs
    before, after = (
        score_pairs(load_adapted(config.model, adapter, torch.float32), encoded, torch.float32).answers
        for adapter in (None, config.out)
    )
    gained = after - before
    assert (gained[:, 0] > gained[:, 1]).all()


def test_the_first_loss_is_ln_2_in_bfloat16_too(configure: Configure) -> None:
    """The reference is scored in the layout that training uses, so rounding is the same on both sides."""
    config = configure(dtype="bfloat16")
    train(config, some_pairs(8))
    assert rows(Path(config.out))[0]["loss"] == pytest.approx(0.6931472, abs=1e-7)


def test_a_step_is_the_same_however_it_is_split(configure: Configure, tmp_path: Path) -> None:
    """1 by 8 and 4 by 2 give the same adapter, in float32 as far as the order of sums allows."""
    found = []
    for batch_size, accumulate in ((1, 8), (4, 2)):
        out = tmp_path / f"by{batch_size}"
        config = configure(
            batch_size=batch_size, accumulate=accumulate, out=str(out), learning_rate=1e-3, save_dtype="float32"
        )
        train(config, some_pairs(16))
        found.append([row["loss"] for row in rows(out)])
    assert found[0] == pytest.approx(found[1], abs=1e-5)


def test_sft_makes_the_chosen_answers_likelier(configure: Configure) -> None:
    """By the same loop, from rows without a worse answer; there is no margin to tell of."""
    config = configure(loss="sft", epochs=6, learning_rate=3e-2)
    examples = [Pair(pair.prompt, pair.chosen) for pair in some_pairs(12)]
    outcome = train(config, examples)
    taken = rows(Path(config.out))
    assert taken[-1]["loss"] < taken[0]["loss"] - 0.3
    assert (outcome.margin, outcome.accuracy) == (None, None)
    assert taken[-1]["rejected"] is None


def test_dpo_goes_on_with_an_adapter_and_is_held_against_it(configure: Configure, tmp_path: Path) -> None:
    """The reference is base + adapter, not the base: the loss begins at ln 2 although the adapter has learned."""
    sft = configure(loss="sft", epochs=6, learning_rate=3e-2, out=str(tmp_path / "sft"))
    train(sft, some_pairs(12))
    config = configure(adapter=sft.out, epochs=2)
    train(config, some_pairs(12))
    assert rows(Path(config.out))[0]["loss"] == pytest.approx(0.693147, abs=1e-6)
    assert adapter_digest(Path(config.out)) != adapter_digest(Path(sft.out))


def test_nf4_trains_on_a_cpu(configure: Configure) -> None:
    """The quantised path needs no GPU to be tried, and its probe and reference hold there too."""
    config = configure(quantize="nf4", dtype="bfloat16", epochs=8, learning_rate=3e-2)
    outcome = train(config, some_pairs(8))
    taken = rows(Path(config.out))
    assert taken[0]["loss"] == pytest.approx(0.693147, abs=1e-5)
    assert outcome.margin is not None
    assert outcome.margin > 0.1


def test_a_loss_that_is_no_number_stops_the_run(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last good checkpoint is kept, no adapter appears, and the message names the step."""
    call_at(monkeypatch, 4, lambda found: found * float("nan"))
    config = configure(epochs=3, checkpoint_seconds=0)
    with pytest.raises(Diverged, match=r"step 4: loss nan.*checkpoint is kept"):
        train(config, some_pairs(12))
    kept = Path(config.out).parent / ".adapter.training" / "checkpoint.pt"
    state = torch.load(kept, weights_only=True)
    assert state["progress"]["step"] == 3
    assert all(weight.isfinite().all() for weight in state["weights"].values())
    assert not Path(config.out).exists()


def test_a_gradient_that_explodes_stops_the_run(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred times the usual norm is no data's doing."""
    call_at(monkeypatch, 16, lambda found: found * 1e5)
    with pytest.raises(Diverged, match=r"step 16: .*gradient norm"):
        train(configure(epochs=9), some_pairs(12))


def test_another_run_cannot_be_resumed_by_mistake(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings and reference must be those the run began with; each difference is named."""
    call_at(monkeypatch, 2, lambda found: found * float("nan"))
    config = configure()
    with pytest.raises(Diverged):
        train(config, some_pairs(12))
    with pytest.raises(TrainError, match=r"--out: an unfinished run .* --resume"):
        train(config, some_pairs(12))
    with pytest.raises(TrainError, match=r"--seed: was 0 when the run began and is 1 now"):
        train(configure(seed=1), some_pairs(12), resume=True)
    with pytest.raises(TrainError, match=r"--pairs: .* not those the run began with"):
        train(config, some_pairs(13), resume=True)


def test_a_finished_run_is_told_again(configure: Configure) -> None:
    """--resume on what is done changes nothing; without it, nothing is overwritten."""
    config = configure()
    outcome = train(config, some_pairs(4))
    assert train(config, some_pairs(4), resume=True) == outcome
    with pytest.raises(TrainError, match="Adapters are never overwritten"):
        train(config, some_pairs(4))
