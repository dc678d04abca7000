"""What decides the adapter that the loop makes: settings, data and code, as digests that a test can compute again."""

from __future__ import annotations

import ast
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from gateway.preferences.curricula import curriculum, material
from gateway.preferences.pairs import write_pairs
from training.loop.operators import recorded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.preferences.pairs import Pair

# What a change in which makes another adapter; what only measures or serves is not among them.
CODE = {
    "gateway.preferences.curricula": ("conversations", "curriculum", "incidents", "interface", "material"),
    "gateway.preferences": ("objectives",),
    "training": ("attention", "batches", "policy", "scoring", "tokens"),
    "training.losses": ("dpo", "sft", "step"),
    "training.loop": ("operators", "replay", "workload"),
}


def recipe(size: dict[str, Any], sft: Sequence[str], dpo: Sequence[str], seed: int) -> dict[str, Any]:
    """Everything that the adapter follows from, but for the machine.

    Args:
        size: How much of everything.
        sft: Flags of the first training.
        dpo: Flags of the second.
        seed: Of everything that is drawn.
    """
    return {
        "size": size,
        "sft": list(sft),
        "dpo": list(dpo),
        "seed": seed,
        "curriculum": {
            "files": material.digest(),
            "training": digest(curriculum.training_pairs()),
            "held_out": digest(curriculum.held_out_pairs()),
        },
        "operators_log": digest(recorded()),
        "code": code_digest(),
    }


def digest(pairs: Iterable[Pair]) -> str:
    """SHA-256, hex, of pairs as JSON Lines."""
    return hashlib.sha256(write_pairs(pairs)).hexdigest()


def code_digest() -> str:
    """SHA-256, hex, of what the code says: comments, docstrings and layout do not count."""
    found = hashlib.sha256()
    for package, names in CODE.items():
        for name in names:
            tree = ast.parse((files(package) / f"{name}.py").read_bytes())
            found.update(f"{package}.{name} {ast.dump(_without_docstrings(tree))}\n".encode())
    return found.hexdigest()


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body[0] = ast.Pass()
    return tree
