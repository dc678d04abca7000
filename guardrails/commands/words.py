"""Says in words what a rule matches."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardrails.commands.rules import Rule
    from guardrails.commands.schema import MatchData

_TEXTS = {
    "arguments": "an operand holds the pattern {}",
    "spares": "operands that hold {} do not count",
    "text": "its words hold the pattern {}",
    "harmless": "its words do not hold {}",
    "harmful": "or hold {} all the same",
    "same": "the two groups of {} hold the same",
    "redirect_path": "a redirection names a path that holds {}",
    "fed": "what it reads holds {}",
    "fed_text": "it reads from a command with a word that holds {}",
}
_LISTS = {
    "unless": "none of these is set: {}",
    "places": "an operand is of {}",
    "operands": "only the values of these operands count: {}",
    "redirects": "a redirection empties what is of {}",
    "fed_by": "it reads or is made of what one of these prints: {}",
    "through": "it is run through one of {}",
}
_FLAGS = {
    "appends": "a redirection that only appends counts, too",
    "fork": "it is a function that pipes itself into itself",
    "abbreviated": "long options may be shortened",
}


def matched(rule: Rule) -> list[list[str]]:
    """What each entry of the rule's `match` wants, line by line; all lines of an entry must hold."""
    return [list(_entry(match)) for match in rule.data]


def _entry(match: MatchData) -> Iterable[str]:
    yield f"the command is {_named(match.command)}"
    if match.subcommand:
        yield f"its subcommand is {' or '.join(match.subcommand)}"
    for group in match.options:
        yield f"{' or '.join(group.split('|'))} is set"
    for option, pattern in match.values.items():
        yield f"the value of {' or '.join(option.split('|'))} holds {pattern}"
    for field, said in (*_LISTS.items(), *_TEXTS.items(), *_FLAGS.items()):
        value = getattr(match, field)
        if value:
            yield said.format(", ".join(map(str, value)) if isinstance(value, list) else value)
    for slot, at in match.names.items():
        yield f"{{{slot}}} is operand {at + 1}"
    for slot, pattern in match.captures.items():
        yield f"{{{slot}}} is what the group of {pattern} holds"


def _named(names: list[str]) -> str:
    special = {"*": "any command", "": "a bare redirection", "?": "one that only the run tells"}
    return " or ".join(special.get(name, name) for name in names)
