"""Whether a folder holds an adapter that can be served here: PEFT's LoRA layout, whole, safe, of the right shapes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from gateway.adapters.digest import CONFIG, WEIGHTS, adapter_digest
from gateway.adapters.tensors import TensorsRefused, read_tensors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gateway.adapters.tensors import Tensor
    from gateway.engine.limits import Limits

PROVENANCE = "wardgate.json"
PICKLES = ("adapter_model.bin", "adapter_model.pt", "adapter_model.pth")
JSON_LIMIT = 1 << 20
_KEY = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])(?:\.default)?\.weight")
_LAYER = re.compile(r"(?:^|\.)layers\.(\d+)\.")
# What PEFT can do and vLLM cannot, with the value that means that it is not done.
PLAIN: dict[str, tuple[Any, ...]] = {
    "bias": ("none", None),
    "lora_bias": (False, None),
    "use_dora": (False, None),
    "use_qalora": (False, None),
    "use_bdlora": (None,),
    "layer_replication": (None,),
    "alora_invocation_tokens": (None,),
    "trainable_token_indices": (None,),
    "target_parameters": (None, []),
}
# Others than these change the base's weights when PEFT loads the adapter.
STARTS = ("gaussian", "eva", "orthogonal", "mica", "lora_ga")


class AdapterRefused(ValueError):
    """The folder holds nothing that can be served; the message names file, value and mend."""


class Checked(NamedTuple):
    """What is known of an adapter once its folder was found good.

    Attributes:
        rank: The highest of its modules.
        digest: As `adapter_digest`.
        base_model: What it says it was trained on; empty where it does not.
        base_digest: SHA-256 of the weights it says it was trained on; empty where it does not.
        provenance: `wardgate.json`, as it was written; empty where there is none.
    """

    rank: int
    digest: str
    base_model: str
    base_digest: str
    provenance: bytes


class Shapes(NamedTuple):
    """What the base model's `config.json` says of its modules.

    Attributes:
        layers: How many there are.
        sides: (inputs, outputs) of each module by its last name.
    """

    layers: int
    sides: Mapping[str, tuple[int, int]]


def check_folder(folder: Path, limits: Limits, shapes: Shapes | None) -> Checked:
    """Everything that can be told without loading it.

    Args:
        folder: PEFT's layout.
        limits: Of the vLLM that is to load it.
        shapes: Of the base model; None where its folder is not to be seen from here.

    Raises:
        AdapterRefused: It cannot be served.
        OSError: A file cannot be read.
    """
    for name in PICKLES:
        if (folder / name).exists():
            raise AdapterRefused(f"{name}: a pickle can run code when it is read; save the adapter as {WEIGHTS}")
    config = _json(folder, CONFIG)
    _check_config(config)
    if not (folder / WEIGHTS).is_file():
        raise AdapterRefused(f"{WEIGHTS}: is not there; save the adapter with PEFT's save_pretrained")
    try:
        tensors = read_tensors(folder / WEIGHTS)
    except TensorsRefused as error:
        raise AdapterRefused(f"{WEIGHTS}: {error}") from error
    rank = _check_tensors(tensors, config, limits, shapes)
    if rank > limits.rank:
        raise AdapterRefused(
            f"{CONFIG}: the rank {rank} is above vLLM's limit of {limits.rank}; train with a lower --lora-r, or start "
            f"vLLM with --max-lora-rank {rank}"
        )
    digest = adapter_digest(folder)
    provenance, said = b"", {}
    if (folder / PROVENANCE).is_file():
        said = _json(folder, PROVENANCE)
        provenance = msgspec.json.encode(said)
        claimed = said.get("adapter_digest")
        if claimed and claimed != digest:
            raise AdapterRefused(f"{PROVENANCE}: says the digest {claimed}, and the files have {digest}: they changed")
    return Checked(
        rank=rank,
        digest=digest,
        base_model=str(said.get("base_model") or config.get("base_model_name_or_path") or ""),
        base_digest=str(said.get("base_digest") or ""),
        provenance=provenance,
    )


def read_shapes(config: Mapping[str, Any]) -> Shapes | None:
    """The modules' sides, of a `config.json` of the Llama family; None where it says too little."""
    try:
        hidden, heads, between = config["hidden_size"], config["num_attention_heads"], config["intermediate_size"]
        width = config.get("head_dim") or hidden // heads
        queries, keys = heads * width, (config.get("num_key_value_heads") or heads) * width
        return Shapes(
            layers=config["num_hidden_layers"],
            sides={
                "q_proj": (hidden, queries),
                "k_proj": (hidden, keys),
                "v_proj": (hidden, keys),
                "o_proj": (queries, hidden),
                "gate_proj": (hidden, between),
                "up_proj": (hidden, between),
                "down_proj": (between, hidden),
            },
        )
    except (KeyError, TypeError):
        return None


def _json(folder: Path, name: str) -> dict[str, Any]:
    file = folder / name
    if not file.is_file():
        raise AdapterRefused(f"{name}: is not there; give the folder that PEFT's save_pretrained wrote")
    if file.stat().st_size > JSON_LIMIT:
        raise AdapterRefused(f"{name}: has {file.stat().st_size} bytes, more than the {JSON_LIMIT} that are read")
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AdapterRefused(f"{name}: is no JSON object: {error}") from error


def _check_config(config: Mapping[str, Any]) -> None:
    kind = config.get("peft_type")
    if kind != "LORA":
        raise AdapterRefused(f"{CONFIG}: peft_type is {kind!r}, and only LORA can be served")
    if not isinstance(config.get("r"), int) or config["r"] < 1:
        raise AdapterRefused(f"{CONFIG}: r is {config.get('r')!r}, not a rank")
    if not isinstance(config.get("lora_alpha"), int | float):
        raise AdapterRefused(f"{CONFIG}: lora_alpha is {config.get('lora_alpha')!r}, not a number")
    if config.get("modules_to_save"):
        raise AdapterRefused(
            f"{CONFIG}: modules_to_save is {config['modules_to_save']!r}: whole modules cannot be swapped under load; "
            "train without them, or merge"
        )
    for name, plain in PLAIN.items():
        if config.get(name, plain[0]) not in plain:
            raise AdapterRefused(f"{CONFIG}: {name} is {config[name]!r}, which vLLM cannot serve; train without it")
    start = config.get("init_lora_weights", True)
    if isinstance(start, str) and start.lower() not in STARTS:
        raise AdapterRefused(
            f"{CONFIG}: init_lora_weights is {start!r}, which changes the base's weights; save it as a plain LoRA"
        )


def _check_tensors(
    tensors: Mapping[str, Tensor], config: Mapping[str, Any], limits: Limits, shapes: Shapes | None
) -> int:
    """The highest rank of all modules, each of which has both its sides."""
    sides: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, tensor in tensors.items():
        match = _KEY.fullmatch(name)
        if match is None:
            raise AdapterRefused(
                f"{WEIGHTS}: tensor {name!r} is no LoRA side of a linear module (embeddings and whole modules cannot "
                "be served); train without it"
            )
        sides.setdefault(match["module"], {})[match["side"]] = tensor.shape
    if not sides:
        raise AdapterRefused(f"{WEIGHTS}: holds no tensor")
    return max(_check_module(module, both, config, limits, shapes) for module, both in sides.items())


def _check_module(
    module: str,
    both: Mapping[str, tuple[int, ...]],
    config: Mapping[str, Any],
    limits: Limits,
    shapes: Shapes | None,
) -> int:
    last = module.rpartition(".")[2]
    if limits.modules is not None and last not in limits.modules:
        known = ", ".join(sorted(limits.modules))
        raise AdapterRefused(
            f"{CONFIG}: the target module {last!r} is not among those that vLLM was given ({known}); train on these, "
            "or start vLLM with --lora-target-modules that hold it"
        )
    down, up = both.get("A", ()), both.get("B", ())
    rank = down[0] if down else 0
    right = len(down) == 2 and len(up) == 2 and rank == up[1]
    if right and not config.get("rank_pattern"):
        right = rank == config["r"]
    layer = _LAYER.search(module)
    if right and shapes is not None:
        right = last in shapes.sides and (down[1], up[0]) == shapes.sides[last]
        right = right and layer is not None and int(layer[1]) < shapes.layers
    if not right:
        raise AdapterRefused(
            f"{WEIGHTS}: {module}: the shapes A {list(down)} and B {list(up)} do not fit the base model at rank "
            f"{config['r']}; was it trained on another model?"
        )
    return rank
