"""The training loop, from the first batch to the adapter: read it from top to bottom.

    pairs → token ids → reference log-probabilities, once → steps of (pack, score, loss, back) → adapter

An optimiser step is a number of forward passes whose weights are normalised together. All that a step depends on
(weights, optimiser, random state, order, reference) is in the checkpoint, so that a run that was killed and resumed
ends with the same bits as one that was not.
"""

from __future__ import annotations

import hashlib
import math
import resource
import statistics
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import torch

from gateway.engine.checkpoint import DigestCache, base_digest
from gateway.preferences.pairs import write_pairs
from training.allocator import keep_freed_memory
from training.batches import pack, plan_epoch
from training.checkpoints import Workplace, random_state, set_random_state
from training.config import RUN, TrainConfig
from training.interruption import Interrupted, Stop, listening
from training.journal import Journal, Row, Standing
from training.losses.dpo import margin
from training.losses.step import StepLoss, mean_strength, strengths
from training.policy import DTYPES, adapter_weights, build_policy, load_tokenizer
from training.progress import Display
from training.publish import Dataset, Outcome, publish, read_provenance
from training.reference import Reference, check_same, identify, score_reference
from training.scoring import sequence_log_probs
from training.tokens import encode_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.preferences.pairs import Pair
    from training.tokens import Encoded

EXPLODED = 100  # times the usual gradient norm: no data does that, only a model that has come apart
USUAL = 50  # steps that "usual" looks back on


class Diverged(Exception):
    """The run came apart; its last good checkpoint is kept, and the message says where."""


class Progress(NamedTuple):
    """Where a run is: what a checkpoint holds beside weights and optimiser."""

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    margins: float = 0.0  # of the epoch so far
    correct: int = 0
    norms: tuple[float, ...] = ()


class Scene(NamedTuple):
    """What a run happens in: where it is kept, who may stop it, who watches."""

    place: Workplace
    stop: Stop
    display: Display


class Run(NamedTuple):
    """What every step needs."""

    config: TrainConfig
    policy: Any
    optimizer: torch.optim.Optimizer
    pairs: list[Encoded]
    mean_beta: float
    reference: Reference
    scene: Scene

    @property
    def steps_an_epoch(self) -> int:
        return math.ceil(len(self.pairs) / self.config.pairs_a_step)

    @property
    def steps(self) -> int:
        return self.config.epochs * self.steps_an_epoch


def train(
    config: TrainConfig, pairs: Sequence[Pair], *, name: str = "pairs", version: int = 0, resume: bool = False
) -> Outcome:
    """Train an adapter and put it into `config.out`.

    Args:
        config: The run.
        pairs: What is learned from; for SFT rows without rejected answers are fine.
        name: The data set's, for the records.
        version: Likewise.
        resume: Go on with the run that was interrupted; a finished one is answered with what it came to.

    Raises:
        TrainError: The run cannot begin; names field, value and mend.
        Interrupted: SIGTERM or SIGINT came; everything is saved.
        Diverged: The loss or the gradient came apart; the last good checkpoint is kept.
    """
    if resume and (Path(config.out) / RUN).exists():
        return msgspec.structs.replace(read_provenance(Path(config.out)).metrics, adapter=config.out)
    keep_freed_memory()
    digest = hashlib.sha256(write_pairs(pairs)).hexdigest()
    with ExitStack() as cleanup:
        place = cleanup.enter_context(closing(Workplace(config, digest, resume=resume)))
        stop = cleanup.enter_context(listening())
        display = cleanup.enter_context(closing(Display()))
        encoding = encode_pairs(load_tokenizer(config.model), pairs, config.max_length, for_sft=config.loss == "sft")
        if encoding.cut or encoding.left_out:
            display.say(
                f"{encoding.cut} prompts lost their oldest text, {len(encoding.left_out)} pairs are left out: too long"
            )
        base = base_digest(Path(config.model), DigestCache(place.folder / "digests.json"))
        policy = build_policy(config)
        began = time.monotonic()
        run = _prepare(config, policy, encoding.pairs, base, Scene(place, stop, display))
        progress = _restore(run, place.load())
        journal = cleanup.enter_context(closing(Journal(place.folder, progress.step)))
        progress = _loop(run, progress, journal, began - progress.seconds)
        outcome = _outcome(run, progress)
        dataset = Dataset(name, version, digest, len(run.pairs))
        publish(policy, config, place.folder, outcome=outcome, dataset=dataset, base=base, reference=run.reference)
    return outcome


def _prepare(config: TrainConfig, policy: Any, pairs: list[Encoded], base: str, scene: Scene) -> Run:
    """Score the reference, or read it again: before the first step it is the policy itself."""
    reference = identify(policy, base, config, pairs)
    if kept := scene.place.load_reference():
        check_same(kept, reference)
        reference = kept

    def scored(count: int) -> None:
        scene.display.advance(count)
        if scene.stop.number:
            scene.place.save_reference(reference)
            raise Interrupted("stopped while the reference was scored; go on with --resume", scene.stop.number)

    if config.loss == "dpo":
        scene.display.begin("reference", len(pairs))
        plan = plan_epoch(pairs, config.batch_size, config.accumulate, config.seed, epoch=0)
        passes = ([pairs[index] for index in indices] for step in plan for indices in step)
        score_reference(policy, reference, passes, DTYPES[config.dtype], scored)
    scene.place.save_reference(reference)
    optimizer = torch.optim.AdamW(adapter_weights(policy).values(), lr=config.learning_rate, weight_decay=0.0)
    torch.manual_seed(config.seed)  # the dropout's; whatever was drawn before is forgotten
    return Run(config, policy, optimizer, pairs, mean_strength(config, pairs), reference, scene)


def _loop(run: Run, progress: Progress, journal: Journal, began: float) -> Progress:
    """Step by step to the end, with a checkpoint at times and whenever the run is told to stop."""
    place, stop, display = run.scene
    display.begin("training", run.steps, progress.step)
    run.policy.train()
    place.save(_state(run, progress, random_state()))
    saved = time.monotonic()
    while progress.step < run.steps:
        chance = random_state()
        taken = _step(run, progress, began)
        if taken is None:
            place.save(_state(run, progress, chance))
            raise Interrupted(f"stopped after step {progress.step} of {run.steps}; go on with --resume", stop.number)
        progress, row = taken
        journal.write(row)
        display.show(row, progress.tokens / progress.seconds)
        if time.monotonic() - saved >= run.config.checkpoint_seconds and progress.step < run.steps:
            place.save(_state(run, progress, random_state()))
            saved = time.monotonic()
    return progress


def _step(run: Run, progress: Progress, began: float) -> tuple[Progress, Row] | None:
    """One optimiser step; None, and nothing changed, if the run was told to stop in its middle."""
    config = run.config
    epoch, within = divmod(progress.step, run.steps_an_epoch)
    # One shuffle an epoch, made again for each step: it costs milliseconds, and a resumed run needs no memory of it.
    plan = plan_epoch(run.pairs, config.batch_size, config.accumulate, config.seed, epoch)[within]
    passes = [[run.pairs[index] for index in indices] for indices in plan]
    pairs = [pair for part in passes for pair in part]
    step_loss = StepLoss(config, pairs, run.mean_beta)
    loss = 0.0
    policy: list[torch.Tensor] = []
    for part in passes:
        if run.scene.stop.number:
            run.optimizer.zero_grad()
            return None
        batch = pack(part, DTYPES[config.dtype], run.policy.device)
        found = sequence_log_probs(run.policy, batch)
        reference = run.reference.of(part).to(found.device) if config.loss == "dpo" else None
        share = step_loss.share(part, found, reference)
        share.backward()
        loss += share.item()
        policy.append(found.detach().cpu())
    rate = _learning_rate(config, progress.step, run.steps)
    norm = float(torch.nn.utils.clip_grad_norm_(adapter_weights(run.policy).values(), config.gradient_norm))
    _check_sane(loss, norm, progress, config)
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    run.optimizer.step()
    run.optimizer.zero_grad()
    if within == 0:
        progress = progress._replace(margins=0.0, correct=0)
    row = Row(
        step=progress.step + 1,
        epoch=epoch + 1,
        loss=loss,
        learning_rate=rate,
        gradient_norm=norm,
        tokens=sum(pair.tokens for pair in pairs),
        seconds=time.monotonic() - began,
    )
    return _account(run, progress, pairs, torch.cat(policy), row)


def _learning_rate(config: TrainConfig, step: int, steps: int) -> float:
    """Up within the first steps, then level or down to 0 behind the last one."""
    rising = min(1.0, (step + 1) / max(1, round(config.warmup * steps)))
    falling = 1.0 if config.schedule == "constant" else (steps - step) / steps
    return config.learning_rate * min(rising, falling)


def _check_sane(loss: float, norm: float, progress: Progress, config: TrainConfig) -> None:
    usual = max([statistics.median(progress.norms or (math.inf,)), config.gradient_norm])
    if math.isfinite(loss) and math.isfinite(norm) and (len(progress.norms) < 10 or norm <= EXPLODED * usual):
        return
    raise Diverged(
        f"step {progress.step + 1}: loss {loss:.4g}, gradient norm {norm:.4g} (usual: {usual:.4g}): the run came apart "
        "and was stopped. Its last good checkpoint is kept. Begin anew with a lower --learning-rate, or look at the "
        "pairs of this step."
    )


def _account(
    run: Run, progress: Progress, pairs: list[Encoded], policy: torch.Tensor, row: Row
) -> tuple[Progress, Row]:
    """Count a step: how the pairs stood in it, by objective, and what it cost."""
    standing: dict[str, Standing] = {}
    gained, margins = policy, torch.zeros(0)
    if run.config.loss == "dpo":
        reference = run.reference.of(pairs)
        gained = policy - reference
        margins = margin(policy, reference, strengths(run.config, pairs))
        for objective in sorted({pair.pair.objective for pair in pairs}):
            own = margins[[pair.pair.objective == objective for pair in pairs]]
            standing[objective] = Standing(len(own), own.mean().item(), (own > 0).float().mean().item())
    progress = Progress(
        step=row.step,
        seconds=row.seconds,
        tokens=progress.tokens + row.tokens,
        margins=progress.margins + margins.sum().item(),
        correct=progress.correct + int((margins > 0).sum()),
        norms=(*progress.norms, row.gradient_norm)[-USUAL:],
    )
    chosen, rejected = gained.mean(0).tolist()
    worse = rejected if run.config.loss == "dpo" else None
    return progress, msgspec.structs.replace(row, chosen=chosen, rejected=worse, standing=standing)


def _state(run: Run, progress: Progress, chance: list[torch.Tensor]) -> dict[str, Any]:
    weights = {name: value.detach() for name, value in adapter_weights(run.policy).items()}
    optimizer = run.optimizer.state_dict()
    return {"progress": progress._asdict(), "weights": weights, "optimizer": optimizer, "random": chance}


def _restore(run: Run, state: dict[str, Any] | None) -> Progress:
    if state is None:
        return Progress()
    for name, parameter in adapter_weights(run.policy).items():
        parameter.data.copy_(state["weights"][name])
    run.optimizer.load_state_dict(state["optimizer"])
    set_random_state(state["random"])
    return Progress(**state["progress"])


def _outcome(run: Run, progress: Progress) -> Outcome:
    pairs, compared = len(run.pairs), run.config.loss == "dpo"
    return Outcome(
        adapter=run.config.out,
        pairs=pairs,
        steps=run.steps,
        seconds=progress.seconds,
        peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        tokens_per_second=progress.tokens / progress.seconds,
        margin=progress.margins / pairs if compared else None,
        accuracy=progress.correct / pairs if compared else None,
    )
