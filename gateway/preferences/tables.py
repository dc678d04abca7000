"""The statistics of pairs as a person reads them."""

from __future__ import annotations

import sys
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_statistics(document: dict[str, Any], named: str) -> None:
    """Two tables, by objective and by origin, and what stands beside them; on standard output."""
    console = Console(file=sys.stdout, highlight=False)
    console.print(Text(f"{named}: {document['pairs']} pairs on {document['prompts']['distinct']} prompts"))
    for name in ("objectives", "origins"):
        console.print(_parts(name.removesuffix("s"), document[name]))
    console.print(_lengths(document["length"]))
    weights, each = document["weights"], document["prompts"]["pairs_each"]
    console.print(
        f"weights {_number(weights['min'])} to {_number(weights['max'])}, in all {_number(weights['total'])}; "
        f"pairs a prompt {_number(each['p50'])}, at most {_number(each['max'])}"
    )
    console.print(f"repeated {document['duplicates']}; traced to an exchange {_percent(document['lineage'])}")


def _parts(name: str, parts: dict[str, Any]) -> Table:
    table = Table(name, "pairs", "weight", "β", "chosen ÷ rejected", "chosen longer", box=SIMPLE_HEAD)
    for key, part in parts.items():
        betas = " ".join(part["beta"])
        ratio, longer = _number(part["length_ratio"]), _percent(part["chosen_longer"])
        table.add_row(Text(key), str(part["pairs"]), _number(part["weight"]), betas, ratio, longer)
    return table


def _lengths(units: dict[str, Any]) -> Table:
    table = Table("length, chosen ÷ rejected", *units, box=SIMPLE_HEAD)
    for name, cut in (("5 % are below", "p5"), ("median", "p50"), ("95 % are below", "p95")):
        table.add_row(name, *(_number(lengths["ratio"][cut]) for lengths in units.values()))
    for name in ("chosen_longer", "equal", "chosen_shorter"):
        table.add_row(name.replace("_", " "), *(_percent(lengths[name]) for lengths in units.values()))
    return table


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")


def _percent(value: float | None) -> str:
    return "none" if value is None else f"{100 * value:.0f} %"
