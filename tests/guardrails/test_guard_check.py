from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from gateway.cli import build
from guardrails.cli import check
from guardrails.interface import Channel, Shell

if TYPE_CHECKING:
    from pathlib import Path


def test_a_harmless_command_is_allowed_and_a_destructive_one_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("ls -l") == 0
    assert capsys.readouterr().out == "allow\n"
    assert check("rm -rf /var/lib/postgresql") == 1
    told = capsys.readouterr().out
    assert told.startswith("block\n")
    assert "instead: " in told


def test_json_is_the_contract_s_object(capsys: pytest.CaptureFixture[str]) -> None:
    text = "To free space, run rm -rf /var/lib/postgresql now."
    assert check(text, kind=Channel.OUTPUT, json_=True) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["action"] == "block"
    start, end = document["findings"][0]["span"]
    assert text[start:end].startswith("rm -rf /var/lib/postgresql")
    assert document["unchecked"] == []
    assert document["elapsed_us"] >= 0


def test_standard_input_is_read_for_a_dash(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("ls\n"))
    assert check("-") == 0
    assert capsys.readouterr().out == "allow\n"


def test_lines_are_answered_in_order(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [{"text": "ls", "kind": "command"}, {"text": "nginx; id", "kind": "parameter", "type": "service"}]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n\n".join(map(json.dumps, lines))))
    assert check(jsonl=True) == 1
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["action"] for answer in answers] == ["allow", "block"]


@pytest.mark.parametrize(
    ("line", "words"),
    [("{", "line 2: is no JSON"), ('{"text": 1}', "line 2: text: is a number"), ('{"kind": "x"}', "line 2: text")],
)
def test_a_bad_line_is_named_by_number_and_field(
    line: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f'{{"text": "ls"}}\n{line}\n'))
    assert check(jsonl=True) == 2
    assert words in capsys.readouterr().err


def test_bad_use_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "policy.yaml"
    bad.write_text("blocked_statu: 200\n")
    assert check() == 2
    assert check("x", jsonl=True) == 2
    assert check("x", policy=bad) == 2
    assert "did you mean blocked_status?" in capsys.readouterr().err
    assert check("x", type_="servce") == 2
    assert "type" in capsys.readouterr().err


def test_input_that_is_no_text_is_bad_use(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), encoding="utf-8"))
    assert check("-") == 2
    assert "UTF-8" in capsys.readouterr().err


def test_a_policy_decides_what_a_finding_leads_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("checks: {commands: {action: escalate}}\n")
    assert check("rm -rf /", policy=policy, shell=Shell.BASH) == 1
    assert capsys.readouterr().out.startswith("escalate\n")


def test_the_program_reaches_it(capsys: pytest.CaptureFixture[str]) -> None:
    app = build({"guard.check": "guardrails.cli:check"})
    for arguments, status in (
        (["ls"], 0),
        (["--json", "rm -rf /"], 1),
        (["-rf"], 0),
        (["--kind", "foo", "x"], 2),
        (["--help"], 0),
    ):
        with pytest.raises(SystemExit) as ended:
            app(["guard", "check", *arguments])
        assert ended.value.code == status
    assert "Example" in capsys.readouterr().out


def test_people_see_effect_target_and_tree(capsys: pytest.CaptureFixture[str]) -> None:
    """What it would do to what, and how it is read."""
    assert check("ssh db1 'sudo rm -rf /var/lib/mysql'") == 1
    told = capsys.readouterr().out
    assert "    effect: delete, on /var/lib/mysql (data: the MySQL data directory)\n" in told
    assert "  would run:\n    ssh db1 'sudo rm -rf /var/lib/mysql'\n      sudo rm" in told
    assert check("sudo ls", tree=True) == 0
    assert capsys.readouterr().out == "allow\n  would run:\n    sudo ls\n      ls\n"


def test_programs_ask_for_the_tree(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It is a key of its own, and absent where nobody asks."""
    assert check("sudo ls", json_=True, tree=True) == 0
    assert [one["argv"] for one in json.loads(capsys.readouterr().out)["tree"]] == [["sudo", "ls"], ["ls"]]
    assert check("sudo ls", json_=True) == 0
    assert "tree" not in json.loads(capsys.readouterr().out)
    monkeypatch.setattr("sys.stdin", io.StringIO('{"text": "ls"}'))
    assert check(jsonl=True, tree=True) == 0
    assert json.loads(capsys.readouterr().out)["tree"][0]["argv"] == ["ls"]
