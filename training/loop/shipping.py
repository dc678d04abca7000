"""Make the adapter of a finished loop the one that comes with the program: weights, card, recipe and report."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from gateway.adapters.digest import CONFIG, WEIGHTS
from gateway.adapters.folder import PROVENANCE
from training.config import RUN
from training.loop.bars import bars
from training.loop.results import tabulate
from training.text import told

if TYPE_CHECKING:
    from pathlib import Path

RECIPE, REPORT, CARD = "recipe.json", "report", "README.md"


def ship(home: Path, folder: Path, version: int) -> None:
    """Replace what lies in `folder` by what the loop in `home` made, as this version."""
    made, draft = home / "after", folder.with_name(f".{folder.name}-draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name in (CONFIG, WEIGHTS, RUN):
        shutil.copy(made / name, draft / name)
    shutil.copytree(home / "report", draft / REPORT)
    shutil.copy(home / RECIPE, draft / RECIPE)
    provenance: dict[str, Any] = json.loads((made / PROVENANCE).read_bytes())
    write(draft / PROVENANCE, {"version": version, **provenance})
    (draft / CARD).write_text(card(home, version, provenance), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    draft.replace(folder)


def write(file: Path, document: dict[str, Any]) -> None:
    """A document, indented."""
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def card(home: Path, version: int, provenance: dict[str, Any]) -> str:
    """The model card; its numbers are computed from the report's files, where a test computes them again."""
    table = tabulate(home / REPORT)
    rows = [f"| {bar.wanted} | {bar.measured} | {'yes' if bar.reached else '**no**'} |" for bar in bars(table)]
    template = (files("training.loop") / "card.md").read_text(encoding="utf-8")
    return template.format(
        base_model=provenance["base_model"], version=version, bars="\n".join(rows), table=told(table)
    )
