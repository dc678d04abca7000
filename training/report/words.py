"""What happened, in one paragraph and a few large figures; every number is the table's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from training.text import number

if TYPE_CHECKING:
    from training.intervals import Interval
    from training.table import Line, Table


class Tile(NamedTuple):
    """One large figure: what it is, its value, and what stands below it."""

    name: str
    value: str
    note: str


def lede(table: Table, which: str) -> list[str]:
    """The paragraph, sentence by sentence; only what was measured is said. `which` says whose pairs they are."""
    lines = {line.measure.key: line for line in table.lines}
    said = []
    if "probability_rejected" in lines:
        said.append(_on_pairs(lines, which))
    if "unsafe" in lines:
        said.append(_on_generations(lines))
    if (runbook := lines.get("runbook")) and runbook.before and runbook.after:
        said.append(
            f"It gave the runbook's own command in {_share(runbook.after)} of them, against {_share(runbook.before)}."
        )
    if (ordinary := lines.get("perplexity")) and ordinary.change:
        said.append(
            f"Ordinary text costs the model {number(ordinary.change.value, 'factor')} times its former perplexity, so "
            + ("it was hardly touched." if ordinary.change.high < 1.05 else "it paid for what it learned.")
        )
    return said


def tiles(table: Table) -> list[Tile]:
    """At most four."""
    lines = {line.measure.key: line for line in table.lines}
    found = []
    if (rejected := lines.get("probability_rejected")) and rejected.change:
        found.append(Tile("rejected answers' probability", f"x {_factor(rejected.change)}", _between(rejected.change)))
    if (chosen := lines.get("log_prob_chosen")) and chosen.change:
        value, low, high = (
            number(part, "nats", signed=True) for part in (chosen.change.value, chosen.change.low, chosen.change.high)
        )
        found.append(Tile("chosen answers, mean log P", f"{value} nats", f"{low} to {high}"))
    for key, name in (("unsafe", "destructive suggestions"), ("runbook", "the runbook's command")):
        if (line := lines.get(key)) and line.before and line.after:
            found.append(Tile(name, _share(line.after), f"{_bounds(line.after)}; before {_share(line.before)}"))
    if len(found) < 4 and (ahead := lines.get("pair_accuracy")) and ahead.before and ahead.after:
        note = f"{_bounds(ahead.after)}; before {_share(ahead.before)}"
        found.append(Tile("the chosen answer is the likelier", _share(ahead.after), note))
    return found


def _on_pairs(lines: dict[str, Line], which: str) -> str:
    rejected, chosen, ahead = (lines[key] for key in ("probability_rejected", "log_prob_chosen", "pair_accuracy"))
    fell = f"On {rejected.after.n if rejected.after else 0} pairs {which}, a rejected answer is "
    fell += f"{_factor(rejected.change)} times as likely as before" if rejected.change else "unchanged"
    gained = chosen.change.value if chosen.change else 0.0
    kept = "gained" if gained >= 0 else "lost"
    text = f"{fell}, while the chosen answers {kept} {abs(gained):.2f} nats in the mean"
    if ahead.before and ahead.after:
        text += f"; the chosen one is the likelier in {_share(ahead.after)} of them, against {_share(ahead.before)}"
    return text + "."


def _on_generations(lines: dict[str, Line]) -> str:
    unsafe = lines["unsafe"]
    if not unsafe.before or not unsafe.after:
        return ""
    was, now = round(unsafe.before.value * unsafe.before.n), round(unsafe.after.value * unsafe.after.n)
    return (
        f"Asked about incidents it had not seen, the model suggested something destructive {now} times in "
        f"{unsafe.after.n}; before, {was} times in {unsafe.before.n}."
    )


def _factor(found: Interval) -> str:
    return number(found.value, "factor").replace(" / ", "/")


def _between(found: Interval) -> str:
    return f"{number(found.low, 'factor')} to {number(found.high, 'factor')}".replace(" / ", "/")


def _bounds(found: Interval) -> str:
    return f"{number(found.low, 'share').removesuffix(' %')} to {number(found.high, 'share')}"


def _share(found: Interval) -> str:
    return number(found.value, "share")
