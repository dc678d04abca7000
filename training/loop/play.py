"""The whole product, once around: read it from top to bottom.

    serve → operators' log → SFT (the *before*) → load, promote → incidents arrive, people react → feedback → pairs
    → DPO → evaluate → register, load, promote under load → the same held-out incidents again → report

Everything a user would do is done as a user does it: by the `wardgate` command, or over HTTP.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.engine import embedded
from gateway.preferences.curricula.curriculum import held_out_pairs, training_pairs
from gateway.preferences.curricula.interface import shuffled
from gateway.preferences.pairs import write_pairs
from training.loop.gateway import Gateway, LoopFailed, run
from training.loop.operators import recorded
from training.loop.promotion import promote_under_load
from training.loop.recipe import recipe
from training.loop.replay import replayed
from training.loop.results import Arms, keep
from training.loop.shipping import RECIPE, write
from training.loop.visits import ask_base, ask_measured, people_react

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gateway.preferences.pairs import Pair
    from training.table import Table

ADAPTER, ALIAS = "incident", "default"
BEFORE, AFTER = f"{ADAPTER}@1", f"{ADAPTER}@2"
LESSON, HELD_OUT = "lesson@1", "held-out@1"


class Size(NamedTuple):
    """How much of everything; what a full run needs, and what a test can afford.

    Attributes:
        replay: Ordinary questions to the base, whose answers are trained on beside everything else: a third of them in
            SFT, the others in DPO, so that none is learned by heart.
        log: Rows of the operators' log.
        log_epochs: Times it is seen.
        arriving: Incidents that people react to.
        curriculum: Pairs of the curriculum beside what the feedback gave.
        epochs: Times DPO sees every pair.
        held_out: Held-out pairs whose answers are scored.
        measured: Held-out incidents asked before and after.
    """

    replay: int = 384
    log: int = 1920
    log_epochs: int = 1
    arriving: int = 160
    curriculum: int = 1200
    epochs: int = 1
    held_out: int = 240
    measured: int = 224


SMALL = Size(replay=9, log=48, log_epochs=1, arriving=16, curriculum=24, epochs=1, held_out=12, measured=12)
SFT = ("--loss", "sft", "--learning-rate", "3e-3", "--batch-size", "8", "--lora-alpha", "32")
DPO = ("--loss", "dpo", "--learning-rate", "5e-4", "--batch-size", "8", "--chosen-weight", "2.5", "--beta", "0.2")


class Stage(NamedTuple):
    """Where the loop plays, and who is told of each step."""

    home: Path
    size: Size
    seed: int
    tell: Callable[[str], None]

    @property
    def log(self) -> Path:
        return self.home / "loop.log"

    @property
    def report(self) -> Path:
        return self.home / "report"

    def wardgate(self, *words: str) -> dict[str, Any]:
        """A command on this home."""
        return run(self.home, *words, log=self.log)


async def play(stage: Stage) -> Table:
    """Once around; the table, computed from what lies in the report's folder afterwards.

    Raises:
        LoopFailed: A step did not do what it must.
        ModelUnavailable: The embedded model could not be made.
    """
    clock = Clock()
    model = await _prepare(stage)
    stage.tell("serving the base")
    async with Gateway.serving(stage.home) as gateway:
        clock.lap("serve")
        stage.tell(f"{stage.size.replay} ordinary questions to the base, so that what it says of them is kept")
        ordinary = replayed(await ask_base(gateway, stage.size.replay, stage.seed))
        clock.lap("replay")

        stage.tell("SFT on the operators' log: this is the model before")
        (stage.home / "log.jsonl").write_bytes(write_pairs([*recorded()[: stage.size.log], *ordinary[::3]]))
        log = ("--pairs", str(stage.home / "log.jsonl"), "--epochs", str(stage.size.log_epochs))
        before = await asyncio.to_thread(_train, stage, model, "before", *log, *SFT)
        clock.lap("sft")
        await asyncio.to_thread(_offer, stage, BEFORE, before)
        await asyncio.to_thread(stage.wardgate, "adapters", "promote", BEFORE, "--alias", ALIAS)
        stage.tell(f"{stage.size.arriving} incidents arrive, people react to the answers")
        reactions = await people_react(gateway, stage.size.arriving, stage.seed)
        stage.tell(f"feedback given: {reactions}")
        clock.lap("workload")
        stage.tell(f"{stage.size.measured} held-out incidents, before")
        generations = await ask_measured(gateway, "before", stage.size.measured, stage.seed)
        clock.lap("measured_before")

        stage.tell("from feedback to pairs, from pairs to a better adapter")
        await asyncio.to_thread(_lesson, stage, [pair for place, pair in enumerate(ordinary) if place % 3])
        lesson = ("--pairs", LESSON, "--adapter", str(before), "--epochs", str(stage.size.epochs))
        after = await asyncio.to_thread(_train, stage, model, "after", *lesson, *DPO)
        clock.lap("dpo")
        await asyncio.to_thread(_evaluate, stage, model, after)
        clock.lap("evaluate")

        stage.tell(f"{AFTER} is promoted while answers are streamed")
        await asyncio.to_thread(_offer, stage, AFTER, after)
        promoted = await promote_under_load(gateway, stage.wardgate, BEFORE, AFTER, ALIAS)
        stage.tell(f"promoted: {promoted}")
        clock.lap("promote")
        stage.tell(f"the same {stage.size.measured} held-out incidents, after")
        generations += await ask_measured(gateway, "after", stage.size.measured, stage.seed)
        clock.lap("measured_after")
    settings = {"size": stage.size._asdict(), "feedback": reactions, "promotion": promoted, "seconds": clock.laps}
    return keep(stage.report, Arms(model, before, after), generations, settings, stage.seed)


class Clock:
    """Seconds between laps."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.laps[name] = round(now - self._last, 1)
        self._last = now


async def _prepare(stage: Stage) -> Path:
    """An empty home beside the model that the project has already, and the files the loop begins with."""
    root, mark = stage.home.parent, stage.home / RECIPE
    if stage.home.exists() and any(stage.home.iterdir()) and not mark.exists():
        raise LoopFailed(f"--home: {stage.home} holds something that is no loop's. Give a folder of the loop's own.")
    folder = await embedded.obtain(root, stage.tell)
    shutil.rmtree(stage.home, ignore_errors=True)
    stage.home.mkdir(parents=True)
    write(mark, recipe(stage.size._asdict(), SFT, DPO, stage.seed))
    (stage.home / "models").symlink_to(root / "models")
    held_out = shuffled(held_out_pairs(), "loop", stage.seed)[: stage.size.held_out]
    (stage.home / "held-out.jsonl").write_bytes(write_pairs(held_out))
    return folder


def _train(stage: Stage, model: Path, out: str, *words: str) -> Path:
    folder = stage.home / out
    settings = ("--model", str(model), "--out", str(folder), "--seed", str(stage.seed))
    outcome = stage.wardgate("train", *settings, *words)
    stage.tell(f"  {outcome['steps']} steps in {outcome['seconds']:.0f} s, {outcome['tokens_per_second']:.0f} tokens/s")
    return folder


def _offer(stage: Stage, adapter: str, folder: Path) -> None:
    """Register it and have vLLM load it."""
    stage.wardgate("adapters", "register", adapter, str(folder))
    stage.wardgate("adapters", "load", adapter)


def _lesson(stage: Stage, ordinary: Sequence[Pair]) -> None:
    """What people did, what the curriculum says and what the base said of ordinary things, as one data set."""
    mined, taught = stage.home / "mined.jsonl", stage.home / "curriculum.jsonl"
    found = stage.wardgate("pairs", "mine", "--out", str(mined))
    stage.tell(f"  {found['pairs']} pairs mined from the feedback")
    drawn = shuffled(training_pairs(), "loop", stage.seed)[: stage.size.curriculum]
    taught.write_bytes(write_pairs([*drawn, *ordinary]))
    stage.wardgate("pairs", "import", str(mined), str(taught), "--dataset", LESSON)


def _evaluate(stage: Stage, model: Path, after: Path) -> None:
    held_out = str(stage.home / "held-out.jsonl")
    words = ("--model", str(model), "--before", str(stage.home / "before"), "--pairs", held_out)
    stage.wardgate("evaluate", str(after), *words, "--out", str(stage.report))
