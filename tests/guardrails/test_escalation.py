from __future__ import annotations

import json
from pathlib import Path

import pytest

from guardrails.escalation import Escalation, Signals, Turn, assess
from guardrails.interface import Action, Finding, Severity, Unchecked, Verdict
from guardrails.policy import EscalationPolicy

DATA = Path(__file__).parents[3] / "shared" / "data"
POLICY = EscalationPolicy()
BLOCKED = Verdict(
    Action.BLOCK,
    (Finding("commands", "files.delete-tree", Severity.CRITICAL, (0, 8), "would delete", alternative="du -sh /"),),
    alternative="du -sh /",
)
UNRESOLVABLE = Verdict(
    Action.ESCALATE,
    (Finding("commands", "commands.unresolvable", Severity.HIGH, (0, 2), "unknown", Action.ESCALATE),),
)


def users(*texts: str) -> list[Turn]:
    turns: list[Turn] = []
    for text in texts:
        turns += [Turn("user", text), Turn("assistant", "Have you tried `systemctl status nginx`? It may help.")]
    return turns[:-1]


def assessed(turns: list[Turn], signals: Signals | None = None, policy: EscalationPolicy = POLICY) -> Escalation | None:
    return assess(turns, signals or Signals(), policy)


def test_nothing_calls_for_a_person_in_a_calm_conversation() -> None:
    assert assessed(users("nginx is down", "thanks, what now?")) is None
    assert assessed([]) is None


def test_who_asks_for_a_person_gets_one_whatever_else_happens() -> None:
    everything = Signals(input=BLOCKED, output=UNRESOLVABLE, engine_failed=True, blocks_before=9)
    turns = users("useless!!", "I want to talk to a human", "still useless!!", "again: a human, please!")
    for signals in (Signals(), everything):
        found = assessed(turns, signals)
        assert found is not None
        assert found.reason == "requested"


def test_a_policy_may_wait_for_the_second_request() -> None:
    twice = EscalationPolicy(requested_after=2)
    assert assessed(users("I want to talk to a human"), policy=twice) is None
    found = assessed(users("I want to talk to a human", "get me a person"), policy=twice)
    assert found is not None
    assert found.reason == "requested"


def test_frustration_counts_over_turns_until_something_is_settled() -> None:
    assert assessed(users("It still fails.", "That did not help.")) is None
    found = assessed(users("It still fails.", "That did not help.", "This is ridiculous."))
    assert found is not None
    assert found.reason == "frustration"
    assert found.diagnostics["frustrated_turns"] == 3
    settled = users("It still fails.", "That did not help.", "Great, it works now.", "This is ridiculous.")
    assert assessed(settled) is None
    assert assessed(users("It still fails.", "That did not help.", "This is ridiculous.", "ok, next?")) is None


def test_the_third_stop_of_a_conversation_is_handed_over() -> None:
    assert assessed(users("x"), Signals(input=BLOCKED, blocks_before=1)) is None
    found = assessed(users("x"), Signals(input=BLOCKED, blocks_before=2))
    assert found is not None
    assert found.reason == "repeated_block"
    assert found.runbook == "du -sh /"
    assert assessed(users("x"), Signals(blocks_before=5)) is None


def test_a_command_nobody_can_resolve_and_a_dead_engine_are_handed_over() -> None:
    for signals, reason in (
        (Signals(output=UNRESOLVABLE), "unresolvable_command"),
        (Signals(engine_failed=True), "engine_failure"),
        (Signals(input=Verdict(Action.ESCALATE, BLOCKED.findings)), "policy"),
        (Signals(input=Verdict(Action.ESCALATE, unchecked=(Unchecked("commands", "crashed"),))), "policy"),
    ):
        found = assessed(users("x"), signals)
        assert found is not None
        assert found.reason == reason
        assert found.summary


def test_the_hand_over_tells_what_was_tried_and_what_was_named() -> None:
    found = assessed(users("pod api-2842 restarts, order 77 is stuck", "Get me an agent."), Signals(input=BLOCKED))
    assert found is not None
    assert found.attempted == ("systemctl status nginx",)
    assert found.diagnostics["named"] == ["pod api-2842", "order 77"]
    assert found.diagnostics["rules"] == ["files.delete-tree"]
    assert "Get me an agent." in found.summary


def test_an_assistant_without_commands_is_quoted_by_its_first_sentence() -> None:
    turns = [Turn("user", "help"), Turn("assistant", "Clear the cache. Then wait."), Turn("user", "I need a person")]
    found = assessed(turns)
    assert found is not None
    assert found.attempted == ("Clear the cache.",)


def test_recorded_dialogues_are_handed_over_or_not_as_people_said() -> None:
    file = DATA / "frustration.jsonl"
    if not file.exists():
        pytest.skip("../shared/data is not here")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    right = {"escalate": 0, "continue": 0}
    for row in rows:
        turns = [Turn(message["role"], message["content"]) for message in row["messages"]]
        right[row["label"]] += (assessed(turns) is not None) == (row["label"] == "escalate")
    for label, count in right.items():
        assert count >= 0.95 * sum(row["label"] == label for row in rows), label
