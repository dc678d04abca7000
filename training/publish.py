"""A finished run as a folder: the adapter in PEFT's layout and, beside it, everything it was made from."""

from __future__ import annotations

import hashlib
import json
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from peft import get_peft_model_state_dict
from safetensors.torch import save_file

from gateway.adapters.digest import CONFIG, WEIGHTS, adapter_digest
from gateway.engine.checkpoint import find_checkpoint
from training.checkpoints import sync_folder, write_whole
from training.config import RUN, TrainConfig
from training.journal import BOARD, METRICS
from training.policy import DTYPES

if TYPE_CHECKING:
    from training.reference import Reference

PROVENANCE = "wardgate.json"
CARD = "README.md"


class Dataset(msgspec.Struct, frozen=True):
    """What was learned from.

    Attributes:
        name: Of the data set, or of the file without its ending.
        version: Of the data set; 0 for a mere file.
        digest: SHA-256, hex, of all its pairs as JSON Lines: that of a data set's manifest.
        pairs: That were learned from; those that did not fit are not among them.
    """

    name: str
    version: int
    digest: str
    pairs: int


class Outcome(msgspec.Struct, frozen=True):
    """A finished run: the last line of `wardgate train --json`.

    Attributes:
        adapter: Its folder.
        pairs: That were learned from.
        steps: Of the optimiser.
        seconds: From the first batch on, reference pass included.
        peak_bytes: Highest resident size of the process.
        tokens_per_second: Trained on; a pair's prompt counts once, and nothing is padded.
        margin: Mean β-scaled margin over the last epoch's pairs, each as it stood before its step; None for SFT.
        accuracy: Share of those margins above 0; None for SFT.
    """

    adapter: str
    pairs: int
    steps: int
    seconds: float
    peak_bytes: int
    tokens_per_second: float
    margin: float | None
    accuracy: float | None


class Provenance(msgspec.Struct, frozen=True):
    """`wardgate.json`: what `adapters register` reads."""

    base_model: str
    base_digest: str
    dataset: Dataset
    loss: str
    code_version: str
    seed: int
    reference_digest: str
    adapter_digest: str
    metrics: Outcome


def publish(
    policy: Any,
    config: TrainConfig,
    workplace: Path,
    *,
    outcome: Outcome,
    dataset: Dataset,
    base: str,
    reference: Reference,
) -> None:
    """Put the adapter's folder in its place, whole; the run's own folder is gone then."""
    out = Path(config.out)
    draft = workplace / "adapter"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    base_model = find_checkpoint(config.model).name
    _save_adapter(policy, config, draft, base_model)
    provenance = Provenance(
        base_model=base_model,
        base_digest=base,
        dataset=dataset,
        loss=config.loss,
        code_version=code_version(),
        seed=config.seed,
        reference_digest=reference.digest,
        adapter_digest=adapter_digest(draft),
        metrics=msgspec.structs.replace(outcome, adapter=out.name),
    )
    write_whole(draft / PROVENANCE, msgspec.json.format(msgspec.json.encode(provenance), indent=2) + b"\n")
    named = {"model": base_model, "out": out.name, "adapter": config.adapter and Path(config.adapter).name}
    write_whole(draft / RUN, msgspec.structs.replace(config, **named).to_json())  # no paths of the machine it ran on
    write_whole(draft / CARD, model_card(config, provenance).encode())
    shutil.copy(workplace / METRICS, draft / METRICS)
    shutil.copytree(workplace / BOARD, draft / BOARD)
    draft.replace(out)
    sync_folder(out.parent)
    shutil.rmtree(workplace, ignore_errors=True)


def read_provenance(folder: Path) -> Provenance:
    """What stands in an adapter's `wardgate.json`.

    Raises:
        OSError: It cannot be read.
        msgspec.MsgspecError: It is no provenance.
    """
    return msgspec.json.decode((folder / PROVENANCE).read_bytes(), type=Provenance)


def code_version() -> str:
    """The package's version, and what its training code is: 12 hex digits of the SHA-256 over its files."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for file in sorted(here.rglob("*.py")):
        digest.update(f"{file.relative_to(here)}\n".encode() + file.read_bytes())
    return f"{version('wardgate')}+training.{digest.hexdigest()[:12]}"


def model_card(config: TrainConfig, provenance: Provenance) -> str:
    """README.md of the adapter, with the hub's header."""
    dataset, found = provenance.dataset, provenance.metrics
    beta = "each pair's own" if config.beta is None else config.beta
    rows = {
        "Base": f"{provenance.base_model}, weights {provenance.base_digest[:12]}",
        "Began from": f"adapter {Path(config.adapter).name}" if config.adapter else "the base alone",
        "Loss": config.loss + (f", β {beta}, chosen weight {config.chosen_weight}" if config.loss == "dpo" else ""),
        "Data": f"{dataset.name}@{dataset.version}, {dataset.pairs} pairs, {dataset.digest[:12]}",
        "LoRA": f"rank {config.lora_r}, alpha {config.lora_alpha}, on {', '.join(config.targets)}",
        "Steps": f"{found.steps} of {config.pairs_a_step} pairs, rate {config.learning_rate}, seed {config.seed}",
        "Margin, accuracy": "-"
        if found.margin is None
        else f"{found.margin:.4f}, {found.accuracy:.1%} (training pairs)",
        "Code": provenance.code_version,
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return (
        f"---\nlibrary_name: peft\nbase_model: {provenance.base_model}\ntags: [lora, {config.loss}, wardgate]\n---\n\n"
        f"# {Path(config.out).name}\n\nA LoRA adapter trained by `wardgate train`.\n\n| | |\n|---|---|\n{table}\n\n"
        f"`{RUN}` holds every setting, `{METRICS}` a row for each step, `{PROVENANCE}` the digests in full.\n"
        "What it was not tested for it cannot be trusted with: see the report of `wardgate evaluate`.\n"
    )


def _save_adapter(policy: Any, config: TrainConfig, folder: Path, base_model: str) -> None:
    dtype = DTYPES[config.save_dtype]
    # Embeddings are never learned here; "auto" would ask the hub for the base's configuration.
    learned = get_peft_model_state_dict(policy, save_embedding_layers=False)
    weights = {name: value.to("cpu", dtype).contiguous() for name, value in learned.items()}
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    told = policy.peft_config["default"].to_dict() | {"base_model_name_or_path": base_model, "inference_mode": True}
    plain = {name: sorted(value) if isinstance(value, set) else value for name, value in told.items()}
    write_whole(folder / CONFIG, json.dumps(plain, indent=2, sort_keys=True, default=str).encode() + b"\n")
