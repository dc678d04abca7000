"""The runbook's command, as it was offered ≻ the answer that the guard stopped."""

from __future__ import annotations

from typing import Any

import pytest
from pairs_made import blocked, exchange, outcome, says

from gateway.preferences.rules.guard_stop import GuardStop, offered, plain
from gateway.store.records import Answer, Outcome
from guardrails.guard import Guard
from guardrails.interface import Channel
from guardrails.policy import Policy

BAD = "Run rm -rf /var/lib/postgresql now."
REFUSAL = "I stopped here.\n\nA safer way:\n\n```\nsystemctl restart postgresql\n```"
PAIR = ("Run `systemctl restart postgresql`.", BAD, "safety", 0.5)
FENCED = "Do:\n```\nrm -rf /\n```"


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (exchange(1, "fine"), []),
        (blocked(1, BAD, REFUSAL), [PAIR]),
        (blocked(1, BAD, "Run " + REFUSAL, streamed=True), [PAIR]),
        (blocked(1, BAD, REFUSAL, says(1, "thumbs", -1)), [PAIR]),
        (blocked(1, FENCED, REFUSAL), [("```\nsystemctl restart postgresql\n```", FENCED, "safety", 0.5)]),
        (blocked(1, BAD, REFUSAL, says(1, "false_block")), ["overruled"]),
        (blocked(1, BAD, REFUSAL, says(1, "edit", text="good")), ["overruled"]),
        (blocked(1, BAD, "I stopped here."), ["nothing_offered"]),
        (blocked(1, BAD, REFUSAL.replace("postgresql", "{service}")), ["offer_has_gaps"]),
        (blocked(1, "", REFUSAL), ["model_never_answered"]),
        (exchange(1, (Answer(0, "", "No.", "content_filter", b"[{}]"),), outcome=Outcome.STOPPED), ["tool_calls"]),
        (exchange(1, (Answer(0, BAD, REFUSAL, "content_filter"), Answer(1, "fine", "fine", "stop"),
                      Answer(2, "x " + BAD, REFUSAL, "content_filter")), outcome=Outcome.STOPPED),
         [(PAIR[0], BAD, "safety", 0.25), (PAIR[0], "x " + BAD, "safety", 0.25)]),
    ],
)  # fmt: skip
def test_a_stopped_answer_makes_a_pair(made: Any, expected: list[Any]) -> None:
    """What was offered is chosen, unless a person said more."""
    assert outcome(GuardStop().pairs(made, {})) == expected


def test_the_guards_own_refusal_is_read() -> None:
    """The real guard's refusal of a real destructive answer offers what its verdict says."""
    guard = Guard(Policy())
    verdict = guard.examine(BAD, Channel.OUTPUT)
    assert verdict.alternative
    assert offered(guard.refusal(verdict)) == verdict.alternative


@pytest.mark.parametrize(
    ("sent", "command"),
    [
        ("No.", None),
        ("```\nls\n```\n\nI stopped here.", None),
        ("As in\n\n```\nls\n```\n\nStopped.\n\n```\ndf -h\n```", "df -h"),
        ("Do:\n```bash\n\n\nStopped. Safer:\n\n```\na\nb\n```", "a\nb"),
    ],
)
def test_only_the_end_of_a_refusal_is_an_offer(sent: str, command: str | None) -> None:
    assert offered(sent) == command


@pytest.mark.parametrize(
    ("command", "instead_of", "answer"),
    [("ls", "rm x", "Run `ls`."), ("ls", "```\nrm x\n```", "```\nls\n```"), ("echo `id`", "x", "```\necho `id`\n```")],
)
def test_the_offer_is_an_answer_in_the_others_form(command: str, instead_of: str, answer: str) -> None:
    assert plain(command, instead_of) == answer
