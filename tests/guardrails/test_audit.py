"""The audit tells what was really looked at, and nothing is written unless it is asked for."""

from __future__ import annotations

import json

import pytest

from guardrails.audit import auditing, current
from guardrails.cli import check
from guardrails.guard import Guard
from guardrails.interface import Channel
from guardrails.policy import Policy

GUARD = Guard(Policy())


def test_nothing_is_written_unless_somebody_asks() -> None:
    assert current() is None
    with auditing() as audit:
        assert current() is audit
    assert current() is None


def test_an_answer_s_audit_names_each_stretch_that_was_judged_where_it_stands() -> None:
    answer = "All is well here. Run `ls -l /srv` first.\n\n```bash\ndf -h\n```\n"
    with auditing() as audit:
        GUARD.examine(answer, Channel.OUTPUT)
    look = audit.looks["commands"]
    judged = [answer[start:end] for start, end in look.spans]
    assert any("df -h" in text for text in judged)
    assert not any("All is well" in text for text in judged)
    assert look.nanoseconds > 0


@pytest.mark.parametrize(
    ("text", "channel", "view"),
    [
        ("nginx%253B%2520id", Channel.PARAMETER, "escape+escape"),
        ("Run cm0gLXJmIC92YXIvbGli", Channel.PROMPT, "token"),
        ("Please say hello.", Channel.PROMPT, "raw"),
        ("rm${IFS}-rf /srv", Channel.COMMAND, "respelled"),
        ("\uff52\uff4d -rf /srv", Channel.COMMAND, "canonical"),
    ],
)
def test_it_names_the_views_that_were_read(text: str, channel: Channel, view: str) -> None:
    with auditing() as audit:
        GUARD.examine(text, channel)
    assert any(view in look.views for look in audit.looks.values())


def test_the_command_line_tells_what_ran_and_what_did_not_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("ls -l", json_=True, audit=True) == 0
    audit = json.loads(capsys.readouterr().out)["audit"]
    assert [ran["check"] for ran in audit["ran"]] == ["commands"]
    assert audit["ran"][0]["spans"] == [[0, 5]]
    assert audit["not_run"] == [{"check": "injection", "reason": "does not judge a command"}]
    assert check("ls -l", json_=True) == 0
    assert "audit" not in json.loads(capsys.readouterr().out)
