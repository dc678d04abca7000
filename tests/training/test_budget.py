"""The table of operations and memory, from numbers worked by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from training import budget
from training.budget import A100_BYTES, GIB, UNSEEN, Memory, floor, memory, two_rows, weight_bytes
from training.shapes import SHAPES
from training.trace import Step, Trace

if TYPE_CHECKING:
    from collections.abc import Callable

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
EIGHT, SEVENTY = SHAPES["8b"], SHAPES["70b"]


@pytest.fixture(scope="module")
def found() -> Callable[[str], dict[str, Any]]:
    """Budgets by shape, each computed once; 70B in NF4."""
    known: dict[str, dict[str, Any]] = {}

    def of(name: str) -> dict[str, Any]:
        if name not in known:
            known[name] = budget.budget(name, "nf4" if name == "70b" else "none", 4, 512, 128)
        return known[name]

    return of


def test_weights_by_hand() -> None:
    """8B in bf16 is two bytes a parameter; 70B in NF4 is 36.8 GiB, 4 of them embedding and head in bf16."""
    assert weight_bytes(EIGHT, None) == 2 * 8_030_261_248
    assert weight_bytes(SEVENTY, "nf4") == pytest.approx(36.80 * GIB, rel=1e-3)
    assert weight_bytes(SEVENTY, None) == 2 * 70_553_706_496


def test_floor_by_hand() -> None:
    """4N: 6.979 G numbers in the layers on 3,072 tokens, 0.525 G in the head on 1,024."""
    assert floor(EIGHT, Step()) == 4 * (6_979_321_856 * 3072 + 525_336_576 * 1024)
    assert two_rows(EIGHT, Step()) == 8 * (6_979_321_856 * 5120 + 525_336_576 * 1024)


def test_memory_by_part() -> None:
    """The adapter is float32 with a gradient and two moments; a matrix in NF4 is widened one at a time."""
    step = Step()
    trace = Trace(1, 1, 0, activations=1000 * GIB, head=7, peak=1001 * GIB)
    plain, four = (memory(SEVENTY, step, trace, quantize) for quantize in (None, "nf4"))
    assert plain.adapter == plain.gradients == plain.optimiser // 2 == 4 * SEVENTY.adapted(16, step.targets)
    assert plain.passing == GIB - 7 - plain.adapter
    assert four.passing - plain.passing == 2 * 28_672 * 8192
    assert sum(plain) == plain.total


def test_room_is_what_is_left() -> None:
    """Half of what is free is filled by 100 tokens, so twice as many fit."""
    free = A100_BYTES - UNSEEN - 20 * GIB
    assert Memory(20 * GIB, 0, 0, 0, free // 2, 0, 0).room(100) == 200
    assert Memory(A100_BYTES, 0, 0, 0, GIB, 0, 0).room(100) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "tera", "gib"),
    [
        pytest.param("8b", (92.3, 125.2), (37.3, 16.8), id="8b-bf16"),
        pytest.param("70b", (867.8, 1180.0), (145.7, 43.6), id="70b-nf4"),
    ],
)
def test_figures_of_the_readme(
    name: str, tera: tuple[float, float], gib: tuple[float, float], found: Callable[[str], dict[str, Any]]
) -> None:
    """The README's table is what is counted: 4N within 0.2 % beside attention; 8B fits plainly, 70B by recomputing."""
    kept, again = (found(name)["passes"][label] for label in ("kept", "recomputed"))
    assert (kept["flops"] / 1e12, again["flops"] / 1e12) == pytest.approx(tera, abs=0.06)
    assert (kept["bytes_total"] / GIB, again["bytes_total"] / GIB) == pytest.approx(gib, rel=0.01)
    row = next(line for line in README.splitlines() if line.startswith("| 8B" if name == "8b" else "| 70B"))
    cells = [cell.strip() for cell in row.strip("|").split("|")][1:]
    assert cells == [
        *(f"{each['flops'] / 1e12:,.0f}" for each in (kept, again)),
        *(f"{each['bytes_total'] / GIB:.0f}" for each in (kept, again)),
        f"{again['bytes']['weights'] / GIB:.1f}",
        f"{kept['bytes']['activations'] / GIB:.1f}",
        f"{(kept if name == '8b' else again)['tokens_that_fit']:,}",
    ]
    assert kept["flops_against_floor"] == pytest.approx(1, abs=0.002)
    assert kept["flops"] < 0.33 * found(name)["two_rows"]
    assert budget._fits(again) == "yes"
    assert budget._fits(kept) == ("yes" if name == "8b" else "no")


def test_command_prints_a_table_and_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The command prints what was counted, for a person or as one line."""
    monkeypatch.setitem(SHAPES, "135m", SHAPES["135m"]._replace(layers=2))
    assert budget.main(shape="135m", pairs=1, prompt=8, answer=4) == 0
    shown = capsys.readouterr().out
    assert "16 tokens a pass, 8 of answers" in shown
    assert "fits 80 GiB less 3" in shown
    assert budget.main(shape="135m", quantize="nf4", pairs=1, prompt=8, answer=4, json_=True) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["quantize"] == "nf4"
    assert line["passes"]["kept"]["bytes"]["weights"] == weight_bytes(SHAPES["135m"], "nf4")
