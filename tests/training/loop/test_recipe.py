"""The recipe's digests change with what decides the adapter, and with nothing else."""

from __future__ import annotations

import ast

from training.loop import play
from training.loop.recipe import _without_docstrings, code_digest, recipe


def test_the_same_recipe_twice() -> None:
    """Made again, it is the same, and JSON can hold it."""
    size = play.Size()._asdict()
    assert recipe(size, play.SFT, play.DPO, 0) == recipe(size, play.SFT, play.DPO, 0)
    assert recipe(size, play.SFT, play.DPO, 1) != recipe(size, play.SFT, play.DPO, 0)
    assert len(code_digest()) == 64


def test_only_what_the_code_says_counts() -> None:
    """Comments, docstrings and line breaks leave the digest as it is; a number does not."""
    one = ast.dump(_without_docstrings(ast.parse('def f(x):\n    """Says."""\n    return x + 1  # why\n')))
    two = ast.dump(_without_docstrings(ast.parse('def f(x):\n    """Says it better."""\n    return (x + 1)\n')))
    three = ast.dump(_without_docstrings(ast.parse('def f(x):\n    """Says."""\n    return x + 2\n')))
    assert one == two != three
