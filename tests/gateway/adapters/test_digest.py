"""What an adapter's digest covers."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from gateway.adapters.digest import adapter_digest

if TYPE_CHECKING:
    from pathlib import Path


def test_digest_covers_config_and_weights_and_nothing_else(tmp_path: Path) -> None:
    """The digest is that of the two files' lines; a model card beside them changes nothing, one byte of them does."""
    config, weights = tmp_path / "adapter_config.json", tmp_path / "adapter_model.safetensors"
    config.write_bytes(b"{}")
    weights.write_bytes(b"weights")
    lines = (
        f"adapter_config.json {hashlib.sha256(b'{}').hexdigest()}\n"
        f"adapter_model.safetensors {hashlib.sha256(b'weights').hexdigest()}\n"
    )
    assert adapter_digest(tmp_path) == hashlib.sha256(lines.encode()).hexdigest()
    (tmp_path / "README.md").write_text("a card")
    assert adapter_digest(tmp_path) == hashlib.sha256(lines.encode()).hexdigest()
    weights.write_bytes(b"Weights")
    assert adapter_digest(tmp_path) != hashlib.sha256(lines.encode()).hexdigest()
