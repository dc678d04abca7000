"""`wardgate adapters …` where no gateway runs, and what it says of one that cannot be reached."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from made_adapters import write
from serving import WARDGATE

from gateway.adapters.cli import Where, list_, load, promote, register, rollback
from gateway.remote import NoGateway, Remote
from gateway.store.database import Store
from gateway.store.records import By

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Where:
    monkeypatch.setenv("WARDGATE_MODEL", "org/base-model")
    return Where(home=tmp_path, json=True)


def test_what_needs_no_vllm_works_without_a_gateway(
    where: Where, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Registered in the home's store by whoever typed it, and listed from there."""
    assert register("ops@1", write(tmp_path / "run"), why="first", where=where) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "registered"
    assert list_(where=Where(home=tmp_path)) == 0
    assert capsys.readouterr().out.split()[:3] == ["ops@1", "registered", "-"]
    store = Store(f"sqlite:///{tmp_path}/store.sqlite3")
    (change,) = store.changes.about("adapter", "ops@1")
    assert (change.who.startswith("cli:"), change.why) == (True, "first")
    store.aliases.make("default", "base", By("me"))
    store.close()


def test_a_home_without_adapters_says_so(where: Where, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list_(where=Where(home=tmp_path)) == 0
    assert capsys.readouterr().out == "no adapter is registered\n"


def test_what_cannot_be_served_is_refused_there_too(
    where: Where, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = write(tmp_path / "run")
    assert register("ops@1", write(tmp_path / "broken", weights=b"x"), where=where) == 1
    assert "adapter_model.safetensors: it does not begin" in capsys.readouterr().err
    assert register("ops@1", write(tmp_path / "other", base_model_name_or_path="a/b"), where=where) == 1
    assert "'a/b'" in capsys.readouterr().err
    assert register("ops@1", good, digest="0" * 64, where=where) == 1
    assert register("ops", good, where=where) == 1
    assert "is no name@version" in capsys.readouterr().err


def test_what_needs_a_vllm_says_how_to_start_one(where: Where, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        lambda: load("ops@1", where=where),
        lambda: promote("ops@1", alias="default", where=where),
        lambda: rollback(alias="default", where=where),
    ):
        assert command() == 1
        assert "Start one there with `wardgate serve`" in capsys.readouterr().err


@pytest.mark.parametrize("note", ["", "{}", '{"url": "http://127.0.0.1:1", "pid": 999999999, "started": 1}'])
def test_a_gateway_that_died_is_not_taken_for_one(tmp_path: Path, note: str) -> None:
    (tmp_path / "serve.json").write_text(note)
    with pytest.raises(NoGateway, match="no gateway runs on"):
        Remote.find(tmp_path)


def test_nobody_at_the_url_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list_(where=Where(home=tmp_path, url="http://127.0.0.1:1", key="k")) == 1
    assert "cannot be reached" in capsys.readouterr().err
    assert list_(where=Where(home=tmp_path, url="http://127.0.0.1:1")) == 1
    assert "Give the key with --key" in capsys.readouterr().err
    assert list_(where=Where(home=tmp_path, url="file:///etc/passwd", key="k")) == 1
    assert "is no URL" in capsys.readouterr().err


@pytest.mark.parametrize("leaf", ["list", "register", "load", "promote", "rollback", "merge"])
def test_every_command_has_help_with_an_example(leaf: str) -> None:
    page = subprocess.run(
        [WARDGATE, "adapters", leaf, "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (page.returncode, "Example" in page.stdout) == (0, True)
