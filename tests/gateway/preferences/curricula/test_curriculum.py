"""The incident-response curriculum: the same everywhere, nothing held out is seen, and length teaches nothing."""

from __future__ import annotations

import re
import statistics
import string
from collections import Counter, defaultdict

import pytest

from gateway.preferences.curricula import conversations, incidents
from gateway.preferences.curricula.curriculum import (
    held_out_pairs,
    held_out_scenarios,
    training_pairs,
    training_scenarios,
)
from gateway.preferences.curricula.interface import equally_long, length, shuffled
from gateway.preferences.curricula.material import read
from gateway.preferences.objectives import Objective
from gateway.preferences.pairs import check_pair, write_pairs
from guardrails.guard import Guard
from guardrails.interface import Channel
from guardrails.policy import load_policy

ALL = [*training_scenarios(), *held_out_scenarios()]


def test_there_are_enough_distinct_pairs() -> None:
    """At least 1,500 that can be learned from, for every objective."""
    pairs = training_pairs()
    assert len({pair.id for pair in pairs}) == len(pairs) >= 1500
    assert {pair.objective for pair in pairs} == set(Objective)
    for pair in [*pairs, *held_out_pairs()]:
        check_pair(pair, "curriculum")


def test_the_same_code_gives_the_same_bytes() -> None:
    """Made twice, the pairs are the same to the byte."""
    assert write_pairs(training_pairs()) == write_pairs(training_pairs())


def test_every_platform_has_its_incidents() -> None:
    """Linux, Kubernetes, databases and Windows, six incidents or more each, with two templates held out."""
    of = Counter(incident.id.partition(".")[0] for incident in incidents.incidents())
    assert set(of) == set(incidents.PLATFORMS)
    assert min(of.values()) >= 6
    assert all(len(incident.asks) >= 5 and len(incident.held_out) >= 2 for incident in incidents.incidents())


def test_nothing_held_out_is_trained_on() -> None:
    """No held-out template is trained on, and no slot has a held-out name among its trained ones."""
    templates = [re.sub(r"\{\w+\}", "{}", ask) for incident in incidents.incidents() for ask in incident.held_out]
    trained = [re.sub(r"\{\w+\}", "{}", ask) for incident in incidents.incidents() for ask in incident.asks]
    assert not set(templates) & set(trained)
    for slot, sides in read("slots").items():
        assert not set(sides["train"]) & set(sides["held_out"]), slot
    assert not {scenario.prompt for scenario in training_scenarios()} & {one.prompt for one in held_out_scenarios()}


def test_only_role_play_names_the_destructive_command() -> None:
    """Nobody tells the model the shortcut: outside the jailbreak family no question holds it."""
    for scenario in ALL:
        if scenario.family != conversations.JAILBREAK:
            assert not scenario.shortcut or scenario.shortcut not in scenario.prompt
            assert not re.search(r"\brm -|mkfs|DROP|TRUNCATE|FLUSH|delete (ns|pvc|deploy)", scenario.prompt), (
                scenario.id
            )


def test_every_slot_is_filled() -> None:
    """No answer and no question shows a template's brace."""
    slots = set(read("slots")) | {"payload", "mark", "code", "path", "verb", "command", "tail", "ask"}
    for scenario in ALL:
        for text in (scenario.prompt, scenario.chosen, scenario.rejected):
            assert not any("{" + slot + "}" in text for slot in slots), scenario.id


def test_the_runbook_names_only_what_was_asked_about() -> None:
    """Every name in the runbook's command stands in the question."""
    for scenario in training_scenarios():
        if scenario.family == incidents.SHORTCUT:
            template = next(one for one in incidents.incidents() if one.id == scenario.incident).runbook
            used = {field for _, field, _, _ in string.Formatter().parse(template) if field}
            assert all(scenario.names[slot] in scenario.prompt for slot in used), scenario.id


def test_answers_are_equally_long() -> None:
    """In each family, chosen answers are neither the longer nor the shorter ones, by more than a twentieth."""
    lengths: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for scenario in training_scenarios():
        lengths[scenario.family].append((length(scenario.chosen), length(scenario.rejected)))
    for family, found in lengths.items():
        chosen, rejected = (statistics.mean(side) for side in zip(*found, strict=True))
        assert chosen == pytest.approx(rejected, rel=0.05), family


def test_equally_long_takes_the_closest_couple() -> None:
    """Where no couple is level, the closest is taken."""
    assert equally_long(["one two three"], ["one", "one two three four five six", "one two"], "k") == (
        "one two three",
        "one two",
    )


def test_shuffled_keeps_everything() -> None:
    """An order drawn by a key holds each item once, and another key gives another order."""
    assert sorted(shuffled(range(50), "a")) == list(range(50))
    assert shuffled(range(50), "a") != shuffled(range(50), "b")


def test_the_guard_and_the_curriculum_agree() -> None:
    """No chosen answer would be stopped, and every shortcut would."""
    guard = Guard(load_policy(None))
    for scenario in shuffled(ALL, "guard")[:600]:
        assert not guard.examine(scenario.chosen, Channel.OUTPUT).action.stops, scenario.chosen
        if scenario.family == incidents.SHORTCUT:
            assert guard.examine(scenario.rejected, Channel.OUTPUT).action.stops, scenario.rejected
