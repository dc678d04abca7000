"""The guard in force follows its files, one whole guard after the other."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

import pytest
import structlog

from gateway import reload as reloading
from gateway.guarding import Guarding
from gateway.metrics import Metrics
from gateway.reload import Reload, Terminal
from guardrails.commands.rules import RuleError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

RULE = """\
pack: ours
rules:
  - id: drain
    effect: stop
    severity: high
    reason: would drain it
    reference: https://example.com
    match: [{command: [fleetctl], subcommand: [drain]}]
    positive: [fleetctl drain]
    negative: [fleetctl list]
"""


class Watched:
    """A guard with its files, watched."""

    def __init__(self, folder: Path) -> None:
        self.policy, self.rule = folder / "policy.yaml", folder / "rule.yaml"
        self.policy.write_text("rule_paths: [rule.yaml]\n")
        self.rule.write_text(RULE)
        self.metrics = Metrics()
        self.guarding = Guarding.load(self.policy)
        self.reload = Reload(self.guarding, self.metrics)

    def rules(self) -> set[str]:
        return {rule.id for rule in self.guarding.guard.rules.rules if rule.own}

    def times(self, result: str) -> int:
        return self.metrics._reloads[result]

    async def until(self, true: Callable[[], bool]) -> None:
        for _ in range(500):
            if true():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("not within five seconds")


@pytest.fixture
async def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    monkeypatch.setattr(reloading, "LOOK", 0.02)
    found = Watched(tmp_path)
    task = asyncio.create_task(found.reload.run())
    yield found
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_change_is_taken_up(watched: Watched) -> None:
    """A new guard takes the old one's place, and the old one stays as it was."""
    old = watched.guarding.guard
    watched.rule.write_text(RULE.replace("id: drain", "id: drain-it"))
    await watched.until(lambda: watched.rules() == {"ours.drain-it"})
    assert {rule.id for rule in old.rules.rules if rule.own} == {"ours.drain"}
    assert watched.guarding.guard.rules_digest != old.rules_digest
    assert (watched.times("done"), watched.times("refused")) == (1, 0)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("rule.yaml", RULE.replace("high", "hihg"), {"field": "rules.0.severity"}),
        ("rule.yaml", RULE.replace("[fleetctl list]", "[fleetctl drain]"), {"field": "negative.0"}),
        ("policy.yaml", "blocked_statsu: 400\n", {"field": "blocked_statsu", "value": 400}),
        ("policy.yaml", "rule_paths: [none.yaml]\n", {"field": "path"}),
    ],
)
async def test_what_cannot_be_meant_is_refused_once(
    watched: Watched, name: str, text: str, told: dict[str, object]
) -> None:
    """The guard stays, the log names file, line, field and mend, and a mended file is taken up."""
    old = watched.guarding.guard
    with structlog.testing.capture_logs() as logged:
        (watched.policy.parent / name).write_text(text)
        await watched.until(lambda: watched.times("refused") == 1)
        await asyncio.sleep(0.2)
    assert watched.guarding.guard is old
    assert watched.times("refused") == 1
    (line,) = [line for line in logged if line["log_level"] == "error"]
    assert told.items() <= line.items()
    assert line["mend"]
    assert ".yaml:1" in line["file"] or ".yaml:5" in line["file"]
    watched.rule.write_text(RULE.replace("id: drain", "id: mended"))
    watched.policy.write_text("rule_paths: [rule.yaml]\n")
    await watched.until(lambda: watched.rules() == {"ours.mended"})


async def test_a_file_that_only_a_refused_policy_names_is_watched(watched: Watched) -> None:
    """Mending it is enough."""
    more = watched.policy.with_name("more.yaml")
    more.write_text("pack: [\n")
    watched.policy.write_text("rule_paths: [rule.yaml, more.yaml]\n")
    await watched.until(lambda: watched.times("refused") == 1)
    more.write_text(RULE.replace("pack: ours", "pack: more"))
    await watched.until(lambda: watched.rules() == {"ours.drain", "more.drain"})


async def test_a_touched_file_changes_nothing(watched: Watched) -> None:
    """Equal digests keep the guard, asked for or not; a folder's new file counts."""
    old = watched.guarding.guard
    os.utime(watched.rule, (1, 1))
    watched.reload.ask()
    await asyncio.sleep(0.3)
    assert watched.guarding.guard is old
    assert watched.times("done") == 0


async def test_a_folder_s_new_file_is_read(watched: Watched) -> None:
    """Rules and runbooks may stand in folders."""
    folder = watched.policy.with_name("books")
    folder.mkdir()
    (folder / "one.md").write_text("# One\n")
    watched.policy.write_text("rule_paths: [rule.yaml]\nrunbook_paths: [books]\n")
    await watched.until(lambda: watched.times("done") == 1)
    (folder / "two.md").write_text("# Two\n\n```sh\ndf -h\n```\n\n```sh\nrm -rf /\n```\n")
    with structlog.testing.capture_logs() as logged:
        await watched.until(lambda: watched.times("done") == 2)
    assert [step.alternative.command for step in watched.guarding.guard.catalogue.steps] == ["df -h"]
    assert [line["line"] for line in logged if line["log_level"] == "warning"] == [8]


async def test_asking_reads_at_once(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """As SIGHUP does."""
    monkeypatch.setattr(reloading, "LOOK", 60.0)
    await asyncio.sleep(0.05)
    watched.rule.write_text(RULE.replace("id: drain", "id: asked"))
    watched.reload.ask()
    await watched.until(lambda: watched.rules() == {"ours.asked"})


def test_without_a_policy_file_there_is_nothing_to_watch() -> None:
    """The built-in policy does not change while a gateway runs."""
    assert Guarding.load(None).files() == ()


def test_a_gateway_does_not_start_on_examples_that_fail(tmp_path: Path) -> None:
    """What would be refused later is refused at once."""
    (tmp_path / "rule.yaml").write_text(RULE.replace("[fleetctl drain]", "[fleetctl drian]"))
    (tmp_path / "policy.yaml").write_text("rule_paths: [rule.yaml]\n")
    with pytest.raises(RuleError, match=r"rule\.yaml:9: positive\.0: 'fleetctl drian' is not found by the rule"):
        Guarding.load(tmp_path / "policy.yaml")


def test_a_closed_terminal_is_told_from_a_wish_to_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was there and is gone: only then a hang-up ends the gateway."""
    for was, there, closed in ((True, False, True), (True, True, False), (False, False, False)):
        monkeypatch.setattr(reloading, "_reachable", lambda was=was: was)
        terminal = Terminal()
        monkeypatch.setattr(reloading, "_reachable", lambda there=there: there)
        assert terminal.closed() is closed
