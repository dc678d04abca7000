"""What a training run costs beside TRL's DPOTrainer at its defaults: `python bench/training.py`.

The same pairs, the same optimiser steps of the same size, the same adapter shape and rate, on the embedded model, each
run in a process of its own, the two in turn. Ours counts its reference pass (TRL scores its reference in each step).
Accuracy is asked of both adapters on other pairs, in float32, against the base. Prints a table and writes JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HH = ROOT.parent / "shared" / "data" / "hh_rlhf_harmless_test.jsonl.gz"
MODEL = ROOT / "var" / "models" / "SmolLM2-135M-Instruct"
SIDES = ("ours", "trl")
GOALS = {"times as fast": 3.0, "share of the memory": 0.6}
BATCH, RATE, BETA = 4, 1e-4, 0.1
SHAPE = {"lora_r": 8, "lora_alpha": 16, "lora_dropout": 0.0, "targets": ("q_proj", "v_proj")}


def pairs_of(file: Path, start: int, count: int) -> list[Any]:
    from gateway.preferences.layouts.registry import LAYOUTS, LayoutName, Reading, Tally, read_files
    from gateway.preferences.objectives import Objective

    reading = Reading(LAYOUTS[LayoutName.HH], Objective.TONE, "bench", None)
    return list(read_files([file], reading, Tally()))[start : start + count]


def run_ours(model: Path, file: Path, steps: int, out: Path) -> float:
    from training.config import make_config
    from training.trainer import train

    told = SHAPE | {"loss": "dpo", "model": str(model), "out": str(out), "learning_rate": RATE, "beta": BETA}
    config = make_config(told | {"batch_size": BATCH, "accumulate": 1, "warmup": 0.0})
    return train(config, pairs_of(file, 0, steps * BATCH)).seconds


def run_trl(model: Path, file: Path, steps: int, out: Path) -> float:
    """As its documentation does it: a model by its name, defaults but for what both sides are told."""
    os.environ["HF_HUB_OFFLINE"] = "1"  # it sends telemetry otherwise
    from datasets import Dataset
    from peft import LoraConfig
    from trl import DPOConfig, DPOTrainer

    rows = [
        {
            "prompt": [{"role": turn.role, "content": turn.content} for turn in pair.prompt],
            "chosen": [{"role": "assistant", "content": pair.chosen}],
            "rejected": [{"role": "assistant", "content": pair.rejected}],
        }
        for pair in pairs_of(file, 0, steps * BATCH)
    ]
    told = DPOConfig(
        str(out),
        per_device_train_batch_size=BATCH,
        num_train_epochs=1,
        learning_rate=RATE,
        beta=BETA,
        warmup_steps=0,
        use_cpu=True,
        save_strategy="no",
    )
    lora = LoraConfig(
        r=SHAPE["lora_r"],
        lora_alpha=SHAPE["lora_alpha"],
        lora_dropout=SHAPE["lora_dropout"],
        target_modules=list(SHAPE["targets"]),
        task_type="CAUSAL_LM",
    )
    trainer = DPOTrainer(str(model), args=told, train_dataset=Dataset.from_list(rows), peft_config=lora)
    began = time.monotonic()
    trainer.train()
    seconds = time.monotonic() - began
    trainer.save_model(str(out))
    return seconds


def score(model: Path, file: Path, adapter: Path, skip: int, count: int) -> dict[str, float]:
    """Pair accuracy on other pairs, and the mean margin it comes from, in nats."""
    import torch

    from training.policy import load_adapted, load_tokenizer
    from training.scoring import score_pairs
    from training.tokens import encode_pairs

    pairs = encode_pairs(load_tokenizer(str(model)), pairs_of(file, skip, count), 1024).pairs
    policy = load_adapted(str(model), str(adapter), torch.float32)
    with policy.disable_adapter():
        before = score_pairs(policy, pairs, torch.float32).answers
    gained = score_pairs(policy, pairs, torch.float32).answers - before
    margins = gained[:, 0] - gained[:, 1]
    return {"accuracy": (margins > 0).float().mean().item(), "margin": margins.mean().item()}


def one(side: str, arguments: argparse.Namespace) -> None:
    """A run in this process; its figures on the last line of standard output."""
    began = time.monotonic()
    run = run_ours if side == "ours" else run_trl
    seconds = run(arguments.model, arguments.pairs, arguments.steps, arguments.out)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "seconds": seconds,
        "process_seconds": time.monotonic() - began,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * 1024,
    }
    print(json.dumps(figures))


def child(arguments: argparse.Namespace, *more: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--model", str(arguments.model), "--pairs", str(arguments.pairs), *more]
    command += ["--steps", str(arguments.steps), "--others", str(arguments.others)]
    environment = os.environ | ({"OMP_NUM_THREADS": str(arguments.threads)} if arguments.threads else {})
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def compare(arguments: argparse.Namespace) -> dict[str, Any]:
    runs: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as work:
        for number in range(arguments.rounds):
            for side in SIDES if number % 2 == 0 else reversed(SIDES):
                out = Path(work) / f"{side}{number}"
                runs[side].append(child(arguments, "--one", side, "--out", str(out)))
                print(f"{side} {number + 1}: {runs[side][-1]}", file=sys.stderr)
        others = {side: child(arguments, "--score", "--out", f"{work}/{side}0") for side in SIDES}
    middle = {
        side: {name: statistics.median(run[name] for run in runs[side]) for name in runs[side][0]} for side in SIDES
    }
    return {
        "steps": arguments.steps,
        "batch": BATCH,
        "threads": arguments.threads,
        "runs": runs,
        "medians": middle,
        "other_pairs": others,
    }


def table(found: dict[str, Any]) -> str:
    ours, trl = (found["medians"][side] for side in SIDES)
    rows = [
        ("training, s", ours["seconds"], trl["seconds"]),
        ("whole process, s", ours["process_seconds"], trl["process_seconds"]),
        ("CPU, s", ours["cpu_seconds"], trl["cpu_seconds"]),
        ("peak memory, GB", ours["peak_bytes"] / 1e9, trl["peak_bytes"] / 1e9),
        *(
            (f"{name} on other pairs", *(found["other_pairs"][side][name] for side in SIDES))
            for name in ("accuracy", "margin")
        ),
    ]
    lines = [f"{'':28}{'ours':>10}{'TRL':>10}", *(f"{name:28}{a:10.3f}{b:10.3f}" for name, a, b in rows)]
    faster, memory = trl["seconds"] / ours["seconds"], ours["peak_bytes"] / trl["peak_bytes"]
    lines.append(f"{faster:.2f} times as fast (bar: {GOALS['times as fast']}), ")
    lines[-1] += f"{memory:.2f} of the memory (bar: {GOALS['share of the memory']})"
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4, help="of 4 pairs")
    parser.add_argument("--others", type=int, default=48, help="pairs asked of both adapters afterwards")
    parser.add_argument("--threads", type=int, help="of both sides; two wait for each other where others use a core")
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--pairs", type=Path, default=HH, help="in the HH layout")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--one", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--score", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    for flag, given in (("--model", arguments.model), ("--pairs", arguments.pairs)):
        if not given.exists():
            parser.error(f"{flag}: {given} is not there; name one that is")
    sys.path.insert(0, str(ROOT))
    if arguments.one:
        one(arguments.one, arguments)
    elif arguments.score:
        at = arguments.steps * BATCH
        print(json.dumps(score(arguments.model, arguments.pairs, arguments.out, at, arguments.others)))
    else:
        found = compare(arguments)
        print(table(found))
        if arguments.json:
            arguments.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
