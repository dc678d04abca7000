from __future__ import annotations

import json
from pathlib import Path

import pytest

from guardrails.intents import asks_for_person, frustrated, resolved

DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.parametrize(
    "text",
    [
        "I want to talk to a human.",
        "Could you connect me to a real person?",
        "Please escalate this.",
        "Escalate to the on-call engineer now!",
        "get me your supervisor",
        "Human please",
        "AGENT!",
        "Is anyone there?",
        "Is there a real person I can speak with?",
        "I don't want to talk to a bot.",
        "Enough robot, let me speak to somebody.",
        "Can someone from the team call me back? I need a person.",
        "Let me speak to your manager",
        "I'd rather deal with this by talking to a colleague of yours.",
        "Transfer me to billing support",
        "how can i reach a live agnet",
        "I can't get anywhere, put me through to an operator",
        "Hand me over to somebody who can fix it.",
        "Bitte verbinden Sie mich mit einem Mitarbeiter",
        "Je veux parler à un conseiller",
        "Quiero hablar con una persona",
        "Vorrei parlare con un operatore",
    ],
)
def test_a_request_for_a_person_is_heard_however_it_is_put(text: str) -> None:
    assert asks_for_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "I don't want to talk to a person, just tell me the command.",
        "There is no need to call anyone.",
        "My manager wants a report by Friday.",
        "I spoke to an agent yesterday.",
        "The user agent string is odd.",
        "Where is the human resources form?",
        "Restart the monitoring agent on db-3.",
        "Does the kubernetes operator reconcile this resource?",
        "When should I escalate an alert?",
        "This looks like a privilege escalation.",
        "How do people usually handle this?",
        "Fix it without contacting anybody.",
        "Which person wrote this commit?",
        "Write a script that lets an agent collect logs.",
        "Get me the agent version on web-2.",
        "nginx is down, what should I do?",
        "",
    ],
)
def test_speaking_of_people_is_no_request(text: str) -> None:
    assert not asks_for_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "It still fails.",
        "That didn't change anything.",
        "I have already tried that twice",
        "You are not listening to me.",
        "For the fourth time: it is the database.",
        "what a joke",
        "You keep repeating yourself.",
        "We are going in circles here.",
        "I've been waiting for hours",
        "Why is it not working???",
        "this makes me so angry",
        "No, that is not what I asked.",
    ],
)
def test_impatience_is_heard(text: str) -> None:
    assert frustrated(text)


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, what is the next step?",
        "The pod restarts every minute.",
        "Great, it works now, I was already giving up!",
        "I hate to bother you, but which format is it?",
        "Where do I find that page?",
    ],
)
def test_patience_is_not_taken_for_its_opposite(text: str) -> None:
    assert not frustrated(text)


def test_a_settled_matter_is_recognised_and_its_denial_is_not() -> None:
    assert resolved("That fixed it, thank you!")
    assert not resolved("It is not fixed now.")


def test_only_the_ends_of_a_very_long_message_are_read() -> None:
    assert asks_for_person("x " * 200_000 + "I want to speak to a human.")


def test_support_intents_are_told_apart() -> None:
    file = DATA / "support_intents.jsonl"
    if not file.exists():
        pytest.skip("../shared/data is not here")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    wanted = [row["text"] for row in rows if row["label"] == "contact_human_agent"]
    others = [row["text"] for row in rows if row["label"] != "contact_human_agent"]
    assert sum(map(asks_for_person, wanted)) >= 0.95 * len(wanted)
    assert sum(map(asks_for_person, others)) <= 0.01 * len(others)
