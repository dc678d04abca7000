"""From what is in the store to pairs: every rule sees every exchange, and the sieve keeps what is left."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.preferences.exchanges import Exchange, Unusable, exchange_of
from gateway.preferences.rules.comparison import Comparison
from gateway.preferences.rules.edit import Edit
from gateway.preferences.rules.false_block import FalseBlock
from gateway.preferences.rules.guard_stop import GuardStop
from gateway.preferences.rules.interface import Candidate, GroupRule, Rule, Signal, Skipped
from gateway.preferences.rules.regenerated import Regenerated
from gateway.preferences.rules.thumbs import Thumbs
from gateway.preferences.sieve import Sieve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gateway.preferences.pairs import Pair
    from gateway.store.evidence import Evidence, Span, Told

PER_USER = 200
_GROUP = 50  # exchanges with one prompt, each way: more votes on it would change little


@dataclass
class Account:
    """What became of everything that was said.

    Attributes:
        exchanges: Exchanges that were looked at.
        candidates: Pairs by signal, before the sieve.
        skipped: What became no pair, by `signal.reason`, `exchange.reason` or the sieve's reason.
    """

    exchanges: int = 0
    pairs: int = 0
    candidates: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)


class Mine:
    """One walk through a store.

    Args:
        stops: Whether the guard would stop a text.
        per_user: At most so many pairs of one user.
    """

    def __init__(self, evidence: Evidence, span: Span, stops: Callable[[str], bool], per_user: int = PER_USER) -> None:
        self.account = Account()
        self._evidence = evidence
        self._span = span
        self._per_user = per_user
        self._rules: tuple[Rule, ...] = (Comparison(), Edit(stops), FalseBlock(), Regenerated(), GuardStop())
        self._thumbs: GroupRule = Thumbs()
        self._worse: frozenset[tuple[str, str]] = frozenset()

    def pairs(self) -> Iterator[Pair]:
        """Every pair, in an order that the store's content alone decides; `account` is complete after the last.

        Raises:
            StoreGone: The store cannot be reached.
        """
        self._worse = self._evidence.worse()
        with Sieve() as sieve:
            for page in self._evidence.pages(self._span):
                self._read(page, sieve)
            for ids in sieve.groups(_GROUP):
                group = self._usable(self._evidence.of(ids))
                ordered = [group[id_] for id_ in ids if id_ in group]
                self._take(self._thumbs.signal, self._thumbs.pairs(ordered), sieve)
            for pair in sieve.pairs(self._per_user):
                self.account.pairs += 1
                yield pair
            self.account.skipped += sieve.dropped
        self.account.skipped += Counter(self._evidence.unused(self._span))

    def _read(self, page: list[Told], sieve: Sieve) -> None:
        self.account.exchanges += len(page)
        told = {one.inference.id: one for one in page}
        foreign = (said.project != one.inference.project for one in page for said in one.feedback)
        self.account.skipped["feedback_of_another_project"] += sum(foreign)
        exchanges = self._usable(told, self.account.skipped)
        needed = {id_ for exchange in exchanges.values() for rule in self._rules for id_ in rule.needs(exchange)}
        others = exchanges | self._usable(self._evidence.of(needed - told.keys()))
        for exchange in exchanges.values():
            for rule in self._rules:
                self._take(rule.signal, rule.pairs(exchange, others), sieve)
            try:
                if votes := self._thumbs.vote(exchange):
                    sieve.vote(exchange.key, exchange.inference.created_us, exchange.id, votes)
            except Skipped as problem:
                self._skip(self._thumbs.signal, problem)

    def _take(self, signal: Signal, made: Iterable[Candidate | Skipped], sieve: Sieve) -> None:
        for one in made:
            if isinstance(one, Skipped):
                self._skip(signal, one)
            else:
                self.account.candidates[signal.value] += 1
                sieve.add(one)

    def _skip(self, signal: Signal, problem: Skipped) -> None:
        self.account.skipped[f"{signal.value}.{problem}"] += 1

    def _usable(self, told: Mapping[str, Told], skipped: Counter[str] | None = None) -> dict[str, Exchange]:
        """Those that something can be learned from; the others are counted in `skipped`."""
        usable = {}
        for id_, one in told.items():
            try:
                usable[id_] = exchange_of(one, worse=(one.inference.project, id_) in self._worse)
            except Unusable as problem:
                if skipped is not None:
                    skipped[f"exchange.{problem}"] += 1
        return usable
