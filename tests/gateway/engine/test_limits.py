"""What vLLM's command line says of adapters."""

from __future__ import annotations

import pytest

from gateway.engine.command import lora_arguments
from gateway.engine.limits import Limits, read_limits


@pytest.mark.parametrize(
    ("command", "limits"),
    [
        ([], Limits(16, 1, None, enabled=False)),
        (lora_arguments(cuda=True), Limits(16, 4, None)),
        (lora_arguments(cuda=False), Limits(16, 4, frozenset(("q_proj", "k_proj", "v_proj", "o_proj")))),
        ([*lora_arguments(cuda=True), "--max_lora_rank=64", "--max-cpu-loras", "9"], Limits(64, 9, None)),
        (
            ["--enable-lora", "--lora-target-modules", "gate_up_proj"],
            Limits(16, 1, frozenset(("gate_proj", "up_proj"))),
        ),
    ],
)
def test_the_last_word_counts(command: list[str], limits: Limits) -> None:
    assert read_limits(command) == limits
