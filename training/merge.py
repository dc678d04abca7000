"""`wardgate adapters merge`: an adapter and its base as one checkpoint, which costs no LoRA at each token.

The sum is made in fp32 and saved in the base's own precision; what rounding did is measured on the probe's texts,
against base and adapter in fp32, and must stay within what the adapter's probe allows.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
from cyclopts import Parameter

from gateway.adapters.digest import adapter_digest
from gateway.engine.checkpoint import NOTE, DigestCache, Merged, base_digest, locate
from gateway.settings import SettingsError, load_settings
from training.noise import hush

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.store.records import Adapter

REFUSED, BAD_USE = 1, 2
DEFAULT_TOLERANCE = 0.03  # nats a token, as of a probe whose repeats agree
TEXTS = (
    "What should I check first when a web server is slow? Look at its error log and at the load of the host.",
    "Write one sentence about the sea. The sea is wide and never quite still.",
)


class MergeRefused(Exception):
    """Nothing was written; the message says why."""


class Outcome(NamedTuple):
    """What a merge gave: where it lies, and how far it is from base and adapter, nats a token (mean)."""

    out: Path
    merged: Merged
    distance: float
    tolerance: float


def merge(
    adapter: str,
    /,
    *,
    out: Path,
    model: str | None = None,
    home: Path | None = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Write a checkpoint that answers like base and adapter together; `wardgate serve --model DIR` serves it.

    Example: wardgate adapters merge ops@3 --out merged/ops-3

    Parameters
    ----------
    adapter
        `name@version`, registered.
    out
        The folder to make; it must not be there yet.
    model
        The base model; by default the one that `wardgate serve` would serve.
    home
        WARDGATE_HOME.
    json_
        Print what was made as one line of JSON.
    """
    try:
        settings = load_settings(os.environ, None, {"model": model, "home": home})
        done = merge_adapter(settings.store_url, settings.home, settings.model, adapter, out.expanduser().absolute())
    except SettingsError as error:
        return _say_no(str(error), BAD_USE)
    except MergeRefused as error:
        return _say_no(str(error), REFUSED)
    if json_:
        print(json.dumps({"out": str(done.out), "digest": done.merged.digest, **_figures(done)}))  # noqa: T201
    else:
        print(f"{done.merged.adapter} and {done.merged.base_model} are one in {done.out}")  # noqa: T201
        print(f"  {done.distance:.4f} nats a token from base and adapter; {done.tolerance:.4f} may be")  # noqa: T201
    return 0


def merge_adapter(store_url: str, home: Path, model: str, adapter_id: str, out: Path) -> Outcome:
    """Merge a registered adapter into its base, whole or not at all.

    Raises:
        MergeRefused: Adapter or base are not what they should be, `out` is there, or rounding cost too much.
    """
    found = _registered(store_url, adapter_id)
    base = locate(model if "/" in model else str(home / "models" / model))
    if base is None:
        raise MergeRefused(f"--model: the base model {model!r} is not on this machine; give its folder")
    known = DigestCache(home / "models" / ".digests.json")
    digest = base_digest(base, known)
    if found.base_digest and found.base_digest != digest:
        raise MergeRefused(
            f"{adapter_id}: was trained on a base with the digest {found.base_digest}, and {base} has {digest}; give "
            "the right one with --model"
        )
    if adapter_digest(Path(found.path)) != found.digest:
        raise MergeRefused(f"{adapter_id}: the files in {found.path} are not those that were registered")
    if out.exists():
        raise MergeRefused(f"--out: {out} is there already; name a new folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        tokens, tolerance = _texts(found)
        distance = _write(base, Path(found.path), draft, tokens)
        if distance > tolerance:
            raise MergeRefused(
                f"{adapter_id}: merged and rounded it answers {distance:.4f} nats a token away from base and adapter, "
                f"and {tolerance:.4f} may be; serve it unmerged"
            )
        made = Merged(adapter_id, found.digest, base.name, digest, base_digest(draft, known))
        check = {"distance": distance, "tolerance": tolerance, "texts": len(tokens) or len(TEXTS)}
        note = {"merged": msgspec.to_builtins(made), "check": check}
        (draft / NOTE).write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
        draft.chmod(0o755)
        draft.rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Outcome(out, made, distance, tolerance)


def _registered(store_url: str, adapter_id: str) -> Adapter:
    from gateway.store.database import Store  # noqa: PLC0415 - the database, which `--help` does not need
    from gateway.store.errors import StoreError  # noqa: PLC0415

    try:
        store = Store(store_url)
        found = store.adapters.get(adapter_id)
        store.close()
    except StoreError as error:
        raise MergeRefused(str(error)) from error
    if found is None:
        raise MergeRefused(f"{adapter_id}: no such adapter is registered; register it first")
    return found


def _texts(adapter: Adapter) -> tuple[list[list[int]], float]:
    """The token ids of the adapter's probe and its tolerance; none where it was never loaded."""
    if not adapter.probe:
        return [], DEFAULT_TOLERANCE
    probe = json.loads(adapter.probe)
    tolerance = max(DEFAULT_TOLERANCE, 3.0 * float(probe["spread"]))
    return [list(line["tokens"]) for line in probe["lines"]], tolerance


def _write(base: Path, adapter: Path, draft: Path, texts: Sequence[Sequence[int]]) -> float:
    """Merge, save as the base was saved, read it back, and say how far it is from base and adapter in fp32."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    hush()
    import torch  # noqa: PLC0415 - seconds, and absent from the gateway's image
    from peft import PeftModel  # noqa: PLC0415
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

    def read(folder: Path, dtype: Any) -> Any:
        return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True).eval()

    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    ids = [torch.tensor([list(text)]) for text in texts] or [
        tokenizer(text, return_tensors="pt")["input_ids"] for text in TEXTS
    ]
    saved_as = json.loads((base / "config.json").read_bytes())
    kind = getattr(torch, str(saved_as.get("dtype") or saved_as.get("torch_dtype") or "bfloat16"))
    together = PeftModel.from_pretrained(read(base, torch.float32), adapter)
    wanted = [_logprobs(together, one) for one in ids]
    merged = together.merge_and_unload(safe_merge=True)
    merged.to(kind).save_pretrained(draft)
    del together, merged
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json"):
        if (base / name).is_file():
            shutil.copyfile(base / name, draft / name)
    again = read(draft, torch.float32)
    gaps = [(was - _logprobs(again, one)).abs() for was, one in zip(wanted, ids, strict=True)]
    return float(torch.cat(gaps).mean())


def _logprobs(model: Any, ids: Any) -> Any:
    """The log-probability of each token after the first."""
    import torch  # noqa: PLC0415 - likewise

    with torch.inference_mode():
        logits = model(input_ids=ids).logits[0, :-1].float().log_softmax(-1)
        return logits.gather(1, ids[0, 1:, None])[:, 0]


def _figures(done: Outcome) -> dict[str, Any]:
    return {"adapter": done.merged.adapter, "distance": done.distance, "tolerance": done.tolerance}


def _say_no(message: str, status: int) -> int:
    print(f"wardgate adapters merge: {message}", file=sys.stderr)  # noqa: T201 - it is what the command is for
    return status
