"""`wardgate train`: flags, what they name, and how a run ends."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path  # noqa: TC003  # the command line is read from the annotations
from typing import Annotated

import msgspec
from cyclopts import Parameter

from gateway.settings import SettingsError, load_settings
from training.config import TrainConfig, TrainError, make_config
from training.noise import hush
from training.sources import Found, check_certain, find_model, find_pairs, mine_pairs, only_one

DONE, FAILED, BAD_USE = 0, 1, 2


def _means(text: str) -> Parameter:
    return Parameter(help=text, negative=())


@Parameter(name="*", group="Recipe")
@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What `TrainConfig` says of each; what is not given comes from the model's preset."""

    epochs: Annotated[int | None, _means("Times every pair is seen.")] = None
    batch_size: Annotated[int | None, _means("Pairs in one forward pass.")] = None
    accumulate: Annotated[int | None, _means("Forward passes in one optimiser step.")] = None
    learning_rate: Annotated[float | None, _means("Highest rate of AdamW.")] = None
    schedule: Annotated[str | None, _means("linear falls to 0 behind the last step, constant stays.")] = None
    warmup: Annotated[float | None, _means("Share of the steps in which the rate rises.")] = None
    gradient_norm: Annotated[float | None, _means("Gradients are scaled down to this norm.")] = None
    beta: Annotated[float | None, _means("β of every pair; each pair's own otherwise.")] = None
    balance: Annotated[bool | None, _means("Scale each pair's loss by mean β / its β.")] = None
    chosen_weight: Annotated[float | None, _means("So many times the chosen answers' loss is added; 0: plain.")] = None
    max_length: Annotated[int | None, _means("Tokens; a longer prompt loses its oldest text, answers nothing.")] = None
    lora_r: Annotated[int | None, _means("Rank of a new adapter.")] = None
    lora_alpha: Annotated[int | None, _means("Its scale, times rank.")] = None
    lora_dropout: Annotated[float | None, _means("Share of its inputs left out in training.")] = None
    targets: Annotated[str | None, _means("Linear layers that get one, comma-separated.")] = None
    quantize: Annotated[str | None, _means("nf4 holds the base in four bits.")] = None
    dtype: Annotated[str | None, _means("Of the base in memory: bfloat16 or float32.")] = None
    recompute: Annotated[bool | None, _means("Compute activations twice: less memory, more time.")] = None
    save_dtype: Annotated[str | None, _means("Of the adapter's file: bfloat16 or float32.")] = None
    seed: Annotated[int | None, _means("Of the adapter's beginning, the order and the dropout.")] = None
    checkpoint_seconds: Annotated[float | None, _means("Time between checkpoints.")] = None


PRESET = Recipe()


def train(
    *,
    loss: str,
    out: Path,
    pairs: str | None = None,
    store: str | None = None,
    model: str | None = None,
    adapter: Path | None = None,
    resume: Annotated[bool, Parameter(negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    recipe: Recipe = PRESET,
) -> int:
    """Train a LoRA adapter on preference pairs, or on their chosen answers.

    Exit status: 0 trained, 1 the run came apart (its last good checkpoint is kept), 2 bad use, 128 + signal when it was
    told to stop (everything is saved; --resume goes on).

    Example: wardgate train --loss dpo --pairs incidents@3 --out adapters/incidents-1

    Example: wardgate train --loss sft --pairs log.jsonl --out var/operators && wardgate train --loss dpo --adapter
    var/operators --pairs pairs.jsonl --out var/aligned

    Args:
        loss: dpo, or sft, which learns the chosen answers alone.
        out: Folder of the adapter; appears whole, or not at all.
        pairs: A JSONL file, a data set's folder, or its NAME@VERSION.
        store: sqlite:///PATH or postgresql://USER@HOST/NAME: the pairs are mined from what people did.
        model: Folder with the base, or a hub id that is on this machine; the embedded default without it.
        adapter: Go on with this adapter: it is the beginning, and for dpo the reference.
        resume: Go on with the interrupted run of the same --out, or begin it; one that is finished is told again.
        json_: Print the outcome as one line of JSON.
        recipe: How it learns.
    """
    told = asdict(recipe) | {"loss": loss, "out": str(out), "adapter": None if adapter is None else str(adapter)}
    if recipe.targets is not None:
        told["targets"] = tuple(name.strip() for name in recipe.targets.split(",") if name.strip())
    try:
        settings = load_settings(os.environ, None, {"store": store})
        make_config(told | {"model": "."})  # a wrong flag is said before a model is fetched
        for_sft = loss == "sft"
        only_one(pairs, store)
        if pairs is None:
            found = mine_pairs(settings, out, resume=resume, for_sft=for_sft)
        else:
            found = find_pairs(pairs, settings.home, for_sft=for_sft)
        if not for_sft:
            check_certain(found)
        config = make_config(told | {"model": str(find_model(model, settings.home, _tell))})
    except (TrainError, SettingsError) as error:
        return _end(str(error), BAD_USE)
    return _run(config, found, resume=resume, json_=json_)


def _run(config: TrainConfig, found: Found, *, resume: bool, json_: bool) -> int:
    # Read when torch is loaded: threads that spin for each other take ten times as long once anything wants a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # torch takes seconds to import, and an image without it can still say what `train` is
    hush()
    from training.interruption import Interrupted  # noqa: PLC0415
    from training.trainer import Diverged  # noqa: PLC0415
    from training.trainer import train as run  # noqa: PLC0415

    try:
        outcome = run(config, found.pairs, name=found.name, version=found.version, resume=resume)
    except TrainError as error:
        return _end(str(error), BAD_USE)
    except Diverged as error:
        return _end(str(error), FAILED)
    except Interrupted as error:
        return _end(str(error), 128 + error.number)
    if json_:
        print(msgspec.json.encode(outcome).decode())  # noqa: T201  # it is what the command is for
    else:
        margin = "" if outcome.margin is None else f", margin {outcome.margin:.3f}, accuracy {outcome.accuracy:.1%}"
        print(  # noqa: T201
            f"{outcome.adapter}: {outcome.pairs} pairs, {outcome.steps} steps, {outcome.seconds:.0f} s, "
            f"{outcome.tokens_per_second:.0f} tokens/s{margin}"
        )
    return DONE


def _tell(message: str) -> None:
    print(message, file=sys.stderr)  # noqa: T201


def _end(message: str, status: int) -> int:
    _tell(f"wardgate train: {message}")
    return status
