"""Makes a checkpoint of a GGUF file: `python -m gateway.engine.convert FILE.gguf FOLDER`.

A process of its own, because it needs torch, which the gateway never loads.
"""

from __future__ import annotations

import sys
from pathlib import Path


def convert(source: Path, folder: Path) -> None:
    """Write weights (safetensors, bf16), config, tokenizer and chat template into `folder`.

    The values are restored in fp32 and rounded once, as vLLM rounds when it is told to serve bf16: it serves the same
    bits from half the bytes, and who trains on this checkpoint trains on what is served.
    """
    import torch  # noqa: PLC0415  # seconds; after the arguments were found good
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig  # noqa: PLC0415

    where = {"pretrained_model_name_or_path": source.parent, "gguf_file": source.name}
    tokenizer = AutoTokenizer.from_pretrained(**where)
    model = AutoModelForCausalLM.from_pretrained(
        **where, quantization_config=GgufConfig(dequantize=True), dtype=torch.float32
    )
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
