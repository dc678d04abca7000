from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from guardrails.permits.interface import Permit, PermitError, PermitRefused
from guardrails.permits.seen import take

if TYPE_CHECKING:
    from pathlib import Path


def permit(name: str) -> Permit:
    return Permit(id=name, issued=1, expires=301, command="ls", policy="", rules="")


def test_a_permit_is_taken_once(tmp_path: Path) -> None:
    """The file is made for its owner alone, and keeps expiry and name."""
    file = tmp_path / "seen"
    take(permit("a.0"), file)
    take(permit("a.01"), file)
    with pytest.raises(PermitRefused, match="taken before"):
        take(permit("a.0"), file)
    assert file.read_text() == "301 a.0\n301 a.01\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_line_that_broke_off_swallows_no_other(tmp_path: Path) -> None:
    """A runner that was killed while it wrote leaves half a line; the next one stands on its own."""
    file = tmp_path / "seen"
    file.write_text("301 a.")
    take(permit("b"), file)
    with pytest.raises(PermitRefused):
        take(permit("b"), file)


def test_of_many_at_once_one_gets_through(tmp_path: Path) -> None:
    """Readers and writers wait for one another."""

    def won(_: int) -> bool:
        try:
            take(permit("one"), tmp_path / "seen")
        except PermitRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(won, range(32))) == 1


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Nothing counts as taken that is not on disk."""
    with pytest.raises(PermitError, match="cannot be written"):
        take(permit("a"), tmp_path / "none" / "seen")
