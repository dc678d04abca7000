"""The digest of an adapter: what makes two folders the same adapter, whoever computes it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
_PIECE = 1 << 20


def file_digest(file: Path) -> str:
    """SHA-256 of a file's content, hex.

    Raises:
        OSError: It is not there or cannot be read.
    """
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def adapter_digest(folder: Path) -> str:
    """SHA-256, hex, over the sorted lines `name sha256` of the two files that shape an answer.

    A model card or a metrics file beside them may change; the adapter stays what it is.

    Raises:
        OSError: One of the files is not there or cannot be read.
    """
    lines = "".join(f"{name} {file_digest(folder / name)}\n" for name in sorted((CONFIG, WEIGHTS)))
    return hashlib.sha256(lines.encode()).hexdigest()
