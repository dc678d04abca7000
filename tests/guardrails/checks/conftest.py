"""The check as the guard builds it, and the shared evaluation data where it stands beside the clone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.checks.injection import InjectionCheck
from guardrails.commands.judge import CommandJudge
from guardrails.commands.rules import load_rules
from guardrails.commands.runbooks import load_runbooks

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture(scope="session")
def check() -> InjectionCheck:
    return InjectionCheck(CommandJudge(load_rules(), load_runbooks()))


@pytest.fixture(scope="session")
def rows() -> Callable[[str], list[dict[str, Any]]]:
    """Reads one shared data file, or skips the test where the data is not there."""

    def read(name: str) -> list[dict[str, Any]]:
        file = DATA / f"{name}.jsonl"
        if not file.exists():
            pytest.skip(f"../shared/data/{name}.jsonl is absent")
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    return read
