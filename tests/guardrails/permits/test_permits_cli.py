from __future__ import annotations

import io
import json
import time
from typing import TYPE_CHECKING

import pytest

from guardrails.interface import Shell
from guardrails.permits.cli import verify
from guardrails.permits.interface import Permit
from guardrails.permits.keys import SigningKey
from guardrails.permits.sign import sign

if TYPE_CHECKING:
    from pathlib import Path

KEY, _ = SigningKey.made()


def token(command: str, name: str = "a", **more: str) -> str:
    now = int(time.time())
    return sign(Permit(name, now, now + 60, command, policy="p", rules="r", parameters=more), KEY)


@pytest.fixture
def public(tmp_path: Path) -> tuple[Path, ...]:
    (tmp_path / "permits.pub").write_bytes(KEY.public_pem)
    return (tmp_path / "permits.pub",)


def test_a_valid_permit_is_0_and_any_other_1(public: tuple[Path, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """The exit status is what a runner asks; the words are for a person."""
    assert verify("uptime", key=public, permit=token("uptime")) == 0
    assert verify("uptime ", key=public, permit=token("uptime")) == 1
    assert verify("uptime", key=public, permit=token("uptime"), shell=Shell.CMD) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "valid"
    assert told[1] == "not valid: was given for another command: from character 6 on '', not ' '"
    assert told[2] == "not valid: was given for bash, not for cmd"


def test_json_tells_the_claims_or_the_reason(public: tuple[Path, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Programs read the same words that are signed."""
    assert verify("uptime", key=public, permit=token("uptime", size="5"), parameters='{"size": 5}', json_=True) == 0
    assert verify("uptime", key=public, permit=token("uptime"), parameters='{"size": 5}', json_=True) == 1
    valid, other = map(json.loads, capsys.readouterr().out.splitlines())
    assert (valid["valid"], valid["command"], valid["parameters"]) == (True, "uptime", {"size": "5"})
    assert (other["valid"], other["reason"]) == (False, "other_parameters")


@pytest.mark.parametrize(("command", "permit"), [("uptime\n", "-"), ("-", "uptime\n")])
def test_one_of_the_two_comes_from_standard_input(
    command: str, permit: str, public: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command is read byte for byte; around a permit line ends do not count."""
    sent = token("uptime\n") + "\n" if permit == "-" else "uptime\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(sent.encode())))
    assert verify(command, key=public, permit="-" if permit == "-" else token("uptime\n")) == 0


def test_lines_are_answered_in_order(
    public: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """One line that is not valid makes the status 1; what was seen counts across lines."""
    lines = [
        {"command": "ls", "permit": token("ls", "one")},
        {"command": "ls", "permit": token("ls", "one")},
        {"command": "dir", "permit": token("ls", "two")},
        {"command": "ls", "permit": token("ls", "three"), "shell": "powershell"},
    ]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(map(json.dumps, lines))))
    assert verify(key=public, jsonl=True, seen=tmp_path / "seen") == 1
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer.get("reason") for answer in answers] == [None, "seen", "other_command", "other_shell"]


def test_what_is_not_valid_is_not_taken(public: tuple[Path, ...], tmp_path: Path) -> None:
    """Nobody uses up a permit by asking for another command."""
    permit = token("ls")
    assert verify("dir", key=public, permit=permit, seen=tmp_path / "seen") == 1
    assert verify("ls", key=public, permit=permit, seen=tmp_path / "seen") == 0
    assert verify("ls", key=public, permit=permit, seen=tmp_path / "seen") == 1


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"command": "ls"}',
        '{"comand": "ls"}',
        '{"command": "ls", "permit": "x", "shell": "fish"}',
        '{"command": "ls", "permit": "x", "parameters": {"a": null}}',
        '{"command": "ls", "permit": "x", "tool": 1}',
    ],
)
def test_a_line_that_is_no_item_is_bad_use(
    line: str, public: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is answered then: half an answer would be taken for the whole."""
    monkeypatch.setattr("sys.stdin", io.StringIO(line))
    assert verify(key=public, jsonl=True) == 2
    told = capsys.readouterr()
    assert not told.out
    assert told.err.startswith("wardgate guard verify: ")


def test_bad_use_is_2(
    public: tuple[Path, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A runner that calls it wrongly, or sends nothing, hears so, and runs nothing."""
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert verify(key=public, jsonl=True) == 2
    assert verify("ls", key=public) == 2
    assert verify("ls", key=public, permit=token("ls"), skew=float("nan")) == 2
    assert verify(key=public, permit="x") == 2
    assert verify("-", key=public, permit="-") == 2
    assert verify("ls", key=public, permit="x", jsonl=True) == 2
    assert verify("ls", key=public, permit="x", parameters="{") == 2
    assert verify("ls", key=(tmp_path / "none",), permit="x") == 2
    assert "cannot be read" in capsys.readouterr().err
