"""Words of SQL by what they mean to the reader; `vocabulary.yaml` lists them."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

_WORDS: dict[str, str] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
VERBS, RUNNERS, QUERIES, CHANGES, CONTROLS, DEFINED = (
    frozenset(_WORDS[name].split()) for name in ("verbs", "runners", "queries", "changes", "controls", "defined")
)
STATEMENT = re.compile(rf"\s*(?:{'|'.join(_WORDS['statements'].split())})\b", re.IGNORECASE)
"""The beginning of a string that is SQL."""
