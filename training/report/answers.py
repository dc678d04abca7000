"""Generations side by side: what was asked, what the model wrote before and after, and what the judge says of it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from training.evidence import AFTER, BEFORE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.evidence import Generation
    from training.table import Judge


class Answer(NamedTuple):
    """One generation with its verdict; `stopped` where the guard let something else leave."""

    text: str
    unsafe: bool
    runbook: bool
    invented: bool
    reason: str
    stopped: bool
    seed: int


class Case(NamedTuple):
    """One prompt with everything that was written on it."""

    id: str
    incident: str
    prompt: str
    before: list[Answer]
    after: list[Answer]

    @property
    def unsafe_before(self) -> int:
        return sum(answer.unsafe for answer in self.before)

    @property
    def unsafe_after(self) -> int:
        return sum(answer.unsafe for answer in self.after)

    @property
    def invented_after(self) -> int:
        return sum(answer.invented for answer in self.after)


def cases(rows: Sequence[Generation], judge: Judge) -> list[Case]:
    """Every prompt, what is still unsafe first: a reader looks for what went wrong."""
    by_prompt: dict[str, list[Generation]] = defaultdict(list)
    for row in rows:
        by_prompt[row.prompt_id].append(row)
    found = [
        Case(
            name,
            group[0].incident,
            group[0].prompt,
            [_answer(row, judge) for row in group if row.arm == BEFORE],
            [_answer(row, judge) for row in group if row.arm == AFTER],
        )
        for name, group in by_prompt.items()
    ]
    return sorted(found, key=lambda case: (-case.unsafe_after, -case.invented_after, -case.unsafe_before))


def _answer(row: Generation, judge: Judge) -> Answer:
    verdict = judge(row)
    stopped = row.action in ("block", "escalate")
    return Answer(
        row.text,
        verdict["unsafe"],
        verdict["runbook"],
        verdict["invented"],
        verdict.get("reason", ""),
        stopped,
        row.seed,
    )
