"""The before/after table, computed from an evaluation's raw files and from nothing else."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, NotRequired, Protocol, TypedDict

from training.evidence import AFTER, BEFORE, EvidenceError, by_arm
from training.intervals import bootstrap, wilson

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from training.evidence import Evidence, Generation, LogProb, Perplexity
    from training.intervals import Interval


class Judgement(TypedDict):
    """What is thought of a generation: destructive, its command the runbook's, it names what nobody named; and why."""

    unsafe: bool
    runbook: bool
    invented: bool
    reason: NotRequired[str]


class Judge(Protocol):
    """Judges a generation by the workload's own lists, see `training.loop.judge`."""

    def __call__(self, row: Generation, /) -> Judgement: ...


class Scored(NamedTuple):
    """One pair's four log-probabilities, in nats."""

    pair: str
    objective: str
    chosen_before: float
    rejected_before: float
    chosen_after: float
    rejected_after: float

    @property
    def chosen_change(self) -> float:
        return self.chosen_after - self.chosen_before

    @property
    def rejected_change(self) -> float:
        return self.rejected_after - self.rejected_before

    @property
    def margin(self) -> float:
        """How much further apart the answers are than before; β times it is DPO's margin."""
        return self.chosen_change - self.rejected_change


class Measure(NamedTuple):
    """What a line of the table is about.

    Attributes:
        key: Its name in JSON.
        label: What a person reads.
        form: How a value is written: `share`, `nats`, `probability`, `factor`.
        better: Whether it should rise (1), fall (-1) or neither (0).
    """

    key: str
    label: str
    form: str
    better: int


class Line(NamedTuple):
    """One measure before and after; None where there is no such thing.

    Attributes:
        measure: What it is about.
        before: Under what training started from.
        after: Under what came out.
        change: After against before, pair by pair or text by text.
        change_form: How the change is written: `nats`, `share` or `factor`.
    """

    measure: Measure
    before: Interval | None
    after: Interval | None
    change: Interval | None = None
    change_form: str = "nats"


_LOG_PROB = {
    "chosen": Measure("log_prob_chosen", "log P(chosen), mean", "nats", 1),
    "rejected": Measure("log_prob_rejected", "log P(rejected), mean", "nats", -1),
}
_PROBABILITY = {
    "chosen": Measure("probability_chosen", "P(chosen), geometric mean", "probability", 1),
    "rejected": Measure("probability_rejected", "P(rejected), geometric mean", "probability", -1),
}
_REJECTED_SHARE = Measure("rejected_share", "P(rejected) ÷ (P(rejected) + P(chosen)), mean", "share", -1)
_PAIR_ACCURACY = Measure("pair_accuracy", "pairs whose chosen answer is the likelier", "share", 1)
_MARGIN_ACCURACY = Measure("margin_accuracy", "pairs moved the right way", "share", 1)
_MARGIN = Measure("margin", "chosen gained on rejected, mean", "nats", 1)
_UNSAFE = Measure("unsafe", "generations that suggest something destructive", "share", -1)
_RUNBOOK = Measure("runbook", "generations whose command is the runbook's", "share", 1)
_INVENTED = Measure("invented", "generations that name a service or host nobody named", "share", -1)
_PERPLEXITY = Measure("perplexity", "perplexity on ordinary text", "factor", -1)
_AGAINST_BASE = Measure("perplexity_against_base", "the same against the base model", "factor", -1)
# The contract's names of changes that are factors.
_RATIO = {"probability_chosen": "probability_ratio_chosen", "probability_rejected": "probability_ratio_rejected"}


class Table(NamedTuple):
    """The whole table, and the lines on pairs again for each objective."""

    lines: list[Line]
    objectives: dict[str, list[Line]]


def compute(evidence: Evidence, judge: Judge | None = None) -> Table:
    """The table.

    Args:
        evidence: From `training.evidence.read_evidence`.
        judge: Needed where there are generations.

    Raises:
        EvidenceError: The files contradict each other, hold nothing, or need a judge.
    """
    pairs = scored_pairs(evidence.logprobs)
    groups: dict[str, list[Scored]] = defaultdict(list)
    for pair in pairs:
        groups[pair.objective].append(pair)
    lines = [*pair_lines(pairs), *_generation_lines(evidence.generations, judge), *_text_lines(evidence.perplexities)]
    if not lines:
        raise EvidenceError("the folder holds neither log-probabilities nor generations nor texts: nothing to compute.")
    return Table(lines, {name: pair_lines(group) for name, group in sorted(groups.items())})


def document(table: Table) -> dict[str, object]:
    """As `wardgate evaluate --json` prints it: every number `{"value", "low", "high", "n"}`.

    A name alone is what holds after; `…_before` and `…_change` stand beside it, and `objectives` repeats them for each.
    """
    return {
        **_flat(table.lines),
        "objectives": {name: _flat(lines) for name, lines in table.objectives.items()},
    }


def scored_pairs(rows: Sequence[LogProb]) -> list[Scored]:
    """Every pair with its four numbers, in the order of the file.

    Raises:
        EvidenceError: A pair lacks one, has one twice, or its answers differ in length between the arms.
    """
    found: dict[str, dict[tuple[str, str], LogProb]] = defaultdict(dict)
    for row in rows:
        if (row.arm, row.side) in found[row.pair]:
            raise EvidenceError(f"logprobs.jsonl: pair {row.pair} has {row.arm} {row.side} twice. Evaluate again.")
        found[row.pair][row.arm, row.side] = row
    return [_scored(pair, sides) for pair, sides in found.items()]


def pair_lines(pairs: Sequence[Scored]) -> list[Line]:
    """What is said of pairs; empty without pairs."""
    if not pairs:
        return []
    lines = [line for side in ("chosen", "rejected") for line in _side_lines(pairs, side)]
    before = [sigmoid(pair.rejected_before - pair.chosen_before) for pair in pairs]
    after = [sigmoid(pair.rejected_after - pair.chosen_after) for pair in pairs]
    ahead = (
        wilson(sum(pair.chosen_before > pair.rejected_before for pair in pairs), len(pairs)),
        wilson(sum(pair.chosen_after > pair.rejected_after for pair in pairs), len(pairs)),
    )
    moved = wilson(sum(pair.margin > 0 for pair in pairs), len(pairs))
    return [
        *lines,
        Line(_REJECTED_SHARE, bootstrap(before), bootstrap(after), bootstrap(_gains(before, after)), "share"),
        Line(_PAIR_ACCURACY, *ahead),
        Line(_MARGIN_ACCURACY, None, moved),
        Line(_MARGIN, None, bootstrap([pair.margin for pair in pairs])),
    ]


def _side_lines(pairs: Sequence[Scored], side: str) -> list[Line]:
    before = [getattr(pair, f"{side}_before") for pair in pairs]
    after = [getattr(pair, f"{side}_after") for pair in pairs]
    was, now, gained = bootstrap(before), bootstrap(after), bootstrap(_gains(before, after))
    return [
        Line(_LOG_PROB[side], was, now, gained),
        Line(_PROBABILITY[side], *_exponentials(was, now, gained), "factor"),
    ]


def _exponentials(was: Interval, now: Interval, gained: Interval) -> tuple[Interval, Interval, Interval]:
    return was.through(math.exp), now.through(math.exp), gained.through(math.exp)


def _gains(before: Sequence[float], after: Sequence[float]) -> list[float]:
    return [b - a for a, b in zip(before, after, strict=True)]


def sigmoid(x: float) -> float:
    """1 ÷ (1 + e⁻ˣ), without overflow."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _scored(pair: str, sides: dict[tuple[str, str], LogProb]) -> Scored:
    try:
        four = [sides[arm, side] for arm in (BEFORE, AFTER) for side in ("chosen", "rejected")]
    except KeyError as error:
        arm, side = error.args[0]
        raise EvidenceError(f"logprobs.jsonl: pair {pair} has no {arm} {side}. Evaluate again.") from None
    if four[0].tokens != four[2].tokens or four[1].tokens != four[3].tokens:
        raise EvidenceError(f"logprobs.jsonl: pair {pair} was tokenized differently before and after. Evaluate again.")
    return Scored(pair, four[0].objective, *(row.logprob for row in four))


def _generation_lines(rows: Sequence[Generation], judge: Judge | None) -> Iterator[Line]:
    if not rows:
        return
    if judge is None:
        raise EvidenceError("generations.jsonl: nobody judges them. They are judged where training.loop is installed.")
    before, after = ([judge(row) for row in arm] for arm in by_arm(rows, BEFORE, AFTER))
    yield Line(_UNSAFE, _share([row["unsafe"] for row in before]), _share([row["unsafe"] for row in after]))
    yield Line(_RUNBOOK, _share([row["runbook"] for row in before]), _share([row["runbook"] for row in after]))
    yield Line(_INVENTED, _share([row["invented"] for row in before]), _share([row["invented"] for row in after]))


def _share(hits: list[bool]) -> Interval | None:
    return wilson(sum(hits), len(hits)) if hits else None


def _text_lines(rows: Sequence[Perplexity]) -> Iterator[Line]:
    base, before, after = by_arm(rows, "base", BEFORE, AFTER)
    if before and after:
        yield _text_line(_PERPLEXITY, before, after)
    if base and after:
        yield _text_line(_AGAINST_BASE, base, after)


def _text_line(measure: Measure, before: list[Perplexity], after: list[Perplexity]) -> Line:
    if [(row.text, row.tokens) for row in before] != [(row.text, row.tokens) for row in after]:
        raise EvidenceError("perplexity.jsonl: the arms do not hold the same texts in the same order. Evaluate again.")
    tokens = [float(row.tokens) for row in after]
    was, now = [row.nll for row in before], [row.nll for row in after]
    nats = bootstrap(was, tokens), bootstrap(now, tokens), bootstrap(_gains(was, now), tokens)
    return Line(measure, *_exponentials(*nats), "factor")


def _flat(lines: Sequence[Line]) -> dict[str, Interval]:
    named = {
        name: interval
        for line in lines
        for name, interval in (
            (line.measure.key, line.after),
            (f"{line.measure.key}_before", line.before),
            (_RATIO.get(line.measure.key, f"{line.measure.key}_change"), line.change),
        )
    }
    return {name: interval for name, interval in named.items() if interval is not None}
