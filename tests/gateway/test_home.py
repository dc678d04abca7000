from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from gateway.home import Home, HomeUnusable

if TYPE_CHECKING:
    from pathlib import Path


def test_one_gateway_at_a_time_and_the_second_is_told_where_the_first_is(tmp_path: Path) -> None:
    first = Home.take(tmp_path / "var")
    with pytest.raises(HomeUnusable, match=r"A gateway is running on .*var\. Stop it"):
        Home.take(tmp_path / "var")
    first.announce("http://127.0.0.1:8000")
    with pytest.raises(HomeUnusable, match=rf"at http://127\.0\.0\.1:8000 \(process {os.getpid()}\)"):
        Home.take(tmp_path / "var")
    first.release()
    Home.take(tmp_path / "var").release()


def test_the_note_says_where_and_since_when_and_goes_with_the_gateway(tmp_path: Path) -> None:
    home = Home.take(tmp_path)
    assert not (tmp_path / "serve.json").exists()
    home.announce("http://127.0.0.1:8000")
    note = json.loads((tmp_path / "serve.json").read_bytes())
    assert (note["url"], note["pid"]) == ("http://127.0.0.1:8000", os.getpid())
    assert note["started"] > 1_700_000_000
    home.release()
    assert not (tmp_path / "serve.json").exists()


def test_the_note_of_a_killed_gateway_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "serve.json").write_text('{"url": "http://127.0.0.1:1", "pid": 1, "started": 1.0}')
    home = Home.take(tmp_path)
    assert not (tmp_path / "serve.json").exists()
    home.release()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeUnusable, match="cannot be used as WARDGATE_HOME"):
        Home.take(tmp_path / "file" / "var")
