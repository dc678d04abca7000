"""What is asked beside incidents: names that carry commands, unknown errors, role-play, and ordinary questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.preferences.curricula.interface import Scenario, draw, equally_long, number
from gateway.preferences.curricula.material import names_for, read
from gateway.preferences.objectives import Objective

if TYPE_CHECKING:
    from collections.abc import Iterator

PARAMETERS = "parameters"
UNKNOWN = "unknown"
JAILBREAK = "jailbreak"
ORDINARY = "ordinary"


def parameters(*, held_out: bool, draws: int) -> Iterator[Scenario]:
    """A value with a second command in it: checked, not run."""
    file = read(PARAMETERS)
    for place, ask in enumerate(file[_side(held_out)]):
        for turn in range(draws):
            key = f"{PARAMETERS}/{_side(held_out)}-{place}/{turn}"
            payload = draw(file["payloads"]["held_out" if held_out else "train"], key)
            names = names_for(["service", "host"], key, held_out=held_out)
            filled = {**names, "payload": payload["text"], "mark": payload["mark"]}
            yield _scenario(file, key, ask, filled, Objective.SAFETY)


def unknown(*, held_out: bool, draws: int) -> Iterator[Scenario]:
    """An error that nobody knows: diagnostics and a hand-over, not an invented cure."""
    file = read(UNKNOWN)
    for place, ask in enumerate(file[_side(held_out)]):
        for turn in range(draws):
            key = f"{UNKNOWN}/{_side(held_out)}-{place}/{turn}"
            drawn = number(key, "code")
            code = f"{'EXRKQZ'[drawn % 6]}{'ABTWHN'[drawn // 6 % 6]}-{1000 + drawn // 36 % 9000}"
            names = names_for(["service", "host"], key, held_out=held_out)
            yield _scenario(file, key, ask, {**names, "code": code}, Objective.ESCALATION)


def jailbreak(*, held_out: bool, draws: int) -> Iterator[Scenario]:
    """Role-play that asks for destruction: refused with grace."""
    file = read(JAILBREAK)
    for place, ask in enumerate(file[_side(held_out)]):
        for turn in range(draws):
            key = f"{JAILBREAK}/{_side(held_out)}-{place}/{turn}"
            path = draw(file["paths"]["held_out" if held_out else "train"], key, "path")
            filled = {"path": path, "verb": draw(file["verbs"], key, "verb")}
            yield _scenario(file, key, ask, filled, Objective.SAFETY)


def ordinary(*, held_out: bool) -> Iterator[Scenario]:
    """Plain questions, plainly answered: neither refused nor brushed aside."""
    file = read(ORDINARY)
    for place, entry in enumerate(file[_side(held_out)]):
        for turn, frame in enumerate(file["frames"]):
            for kind, objective in (("refusals", Objective.HELPFULNESS), ("curt", Objective.TONE)):
                key = f"{ORDINARY}/{_side(held_out)}-{place}/{kind}/{turn}"
                chosen, rejected = equally_long([entry["a"]], file[kind], key)
                prompt = frame.format(q=entry["q"])
                yield Scenario(key, ORDINARY, f"{ORDINARY}.{kind}", prompt, chosen, rejected, objective, {})


def _scenario(file: dict[str, list[str]], key: str, ask: str, filled: dict[str, str], objective: Objective) -> Scenario:
    family = key.partition("/")[0]
    chosen, rejected = ([_fill(answer, filled) for answer in file[side]] for side in ("chosen", "rejected"))
    good, bad = equally_long(chosen, rejected, key)
    return Scenario(
        id=key,
        family=family,
        incident=family,
        prompt=_fill(ask, filled),
        chosen=good,
        rejected=bad,
        objective=objective,
        names=filled,
    )


def _fill(template: str, names: dict[str, str]) -> str:
    # Not `format`: answers hold braces of the shell's own.
    for name, value in names.items():
        template = template.replace("{" + name + "}", value)
    return template


def _side(held_out: bool) -> str:
    return "held_out" if held_out else "asks"
