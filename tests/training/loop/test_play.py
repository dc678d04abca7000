"""Where the loop plays."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from training.loop.gateway import LoopFailed
from training.loop.play import SMALL, Stage, play

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_of_somebody_s_is_not_emptied(tmp_path: Path) -> None:
    """A home that no loop has made is refused, and what lies in it stays."""
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "anna.txt").write_text("Dear Anna")
    with pytest.raises(LoopFailed, match="no loop's"):
        asyncio.run(play(Stage(tmp_path / "letters", SMALL, 0, print)))
    assert (tmp_path / "letters" / "anna.txt").exists()
