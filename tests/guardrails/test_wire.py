from __future__ import annotations

import pytest

from guardrails.interface import Action, Channel, Finding, Severity, Shell, Subject, Unchecked, Verdict
from guardrails.wire import ItemError, parse_item, verdict_document


def test_an_item_becomes_a_subject() -> None:
    assert parse_item({"text": "ls"}) == Subject("ls", Channel.COMMAND)
    item = {"text": "a", "kind": "parameter", "shell": None, "type": "enum", "values": ["a", "b"], "id": 7}
    assert parse_item(item) == Subject("a", Channel.PARAMETER, Shell.AUTO, "enum", ("a", "b"))
    assert parse_item({"text": "x"}, kind=Channel.OUTPUT, shell=Shell.SQL) == Subject("x", Channel.OUTPUT, Shell.SQL)


@pytest.mark.parametrize(
    ("item", "field", "words"),
    [
        (None, "", "is null"),
        ([], "", "is a list"),
        ("ls", "", "is a string"),
        ({}, "text", "missing"),
        ({"text": 3}, "text", "is a number"),
        ({"text": "x", "kind": "prose"}, "kind", "command, parameter, prompt, output"),
        ({"text": "x", "kind": ["command"]}, "kind", "use one of"),
        ({"text": "x", "shell": "zsh"}, "shell", "bash"),
        ({"text": "x", "type": "servce"}, "type", "service"),
        ({"text": "x", "type": 1}, "type", "name of a parameter type"),
        ({"text": "x", "values": "a"}, "values", "list of strings"),
        ({"text": "x", "values": [1]}, "values", "list of strings"),
        ({"txt": "x"}, "txt", "did you mean text?"),
    ],
)
def test_a_bad_item_is_refused_by_field_with_the_mend(item: object, field: str, words: str) -> None:
    with pytest.raises(ItemError) as caught:
        parse_item(item)
    assert caught.value.field == field
    assert words in str(caught.value)


def test_a_verdict_is_written_as_the_contract_has_it() -> None:
    finding = Finding("commands", "files.delete-tree", Severity.CRITICAL, (3, 11), "would delete /")
    verdict = Verdict(Action.BLOCK, (finding,), (Unchecked("injection", "budget"),), alternative="du -sh /")
    assert verdict_document(verdict, 12) == {
        "action": "block",
        "findings": [
            {
                "check": "commands",
                "rule": "files.delete-tree",
                "severity": "critical",
                "span": [3, 11],
                "message": "would delete /",
            }
        ],
        "unchecked": [{"check": "injection", "reason": "budget"}],
        "alternative": "du -sh /",
        "elapsed_us": 12,
    }
    assert verdict_document(Verdict(Action.REWRITE, rewritten="x"), 1)["rewritten"] == "x"
