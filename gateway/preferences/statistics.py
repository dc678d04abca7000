"""What a set of pairs teaches at a glance: what for, from where, and whether length gives the answer away."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from statistics import quantiles
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.preferences.pairs import Pair

_SHOWN = {"p5": 4, "p25": 24, "p50": 49, "p75": 74, "p95": 94}  # of the 99 cuts between hundredths


class _Lengths:
    """Lengths of chosen against rejected answers, in one unit."""

    def __init__(self) -> None:
        self._ratios: list[float] = []
        self._longer = self._equal = 0

    def add(self, chosen: int, rejected: int) -> None:
        self._ratios.append(chosen / max(rejected, 1))
        self._longer += chosen > rejected
        self._equal += chosen == rejected

    def document(self) -> dict[str, Any]:
        """Quantiles of chosen ÷ rejected, and the share of pairs whose chosen answer is longer, equal, shorter."""
        count = len(self._ratios)
        return {
            "ratio": spread(self._ratios),
            "chosen_longer": share(self._longer, count),
            "equal": share(self._equal, count),
            "chosen_shorter": share(count - self._longer - self._equal, count),
        }


class _Part:
    """The pairs of one objective or origin."""

    def __init__(self) -> None:
        self._strengths: Counter[float] = Counter()
        self._weight = 0.0
        self._lengths = _Lengths()

    def add(self, pair: Pair) -> None:
        self._strengths[pair.strength] += 1
        self._weight += pair.weight
        self._lengths.add(len(pair.chosen), len(pair.rejected))

    def document(self) -> dict[str, Any]:
        lengths = self._lengths.document()
        return {
            "pairs": self._strengths.total(),
            "weight": round(self._weight, 6),
            "beta": {str(strength): count for strength, count in sorted(self._strengths.items())},
            "length_ratio": lengths["ratio"]["p50"],
            "chosen_longer": lengths["chosen_longer"],
        }


def statistics_of(pairs: Iterable[Pair]) -> dict[str, Any]:
    """Counts by objective and origin, length ratios, weights, repetitions and lineage; JSON. Keeps no text."""
    objectives: defaultdict[str, _Part] = defaultdict(_Part)
    origins: defaultdict[str, _Part] = defaultdict(_Part)
    characters, words = _Lengths(), _Lengths()
    weights: list[float] = []
    prompts: Counter[bytes] = Counter()
    seen: Counter[bytes] = Counter()
    traced = 0
    for pair in pairs:
        objectives[pair.objective.value].add(pair)
        origins[pair.origin or "none"].add(pair)
        characters.add(len(pair.chosen), len(pair.rejected))
        words.add(len(pair.chosen.split()), len(pair.rejected.split()))
        weights.append(pair.weight)
        prompts[_key(pair.prompt)] += 1
        seen[_key((pair.prompt, pair.chosen, pair.rejected))] += 1
        traced += bool(pair.inferences)
    count = len(weights)
    return {
        "pairs": count,
        "objectives": {name: part.document() for name, part in sorted(objectives.items())},
        "origins": {name: part.document() for name, part in sorted(origins.items())},
        "length": {"characters": characters.document(), "words": words.document()},
        "weights": {"total": round(sum(weights), 6), **spread(weights)},
        "prompts": {"distinct": len(prompts), "pairs_each": spread(list(prompts.values()))},
        "duplicates": count - len(seen),
        "lineage": share(traced, count),
    }


def spread(values: list[float] | list[int]) -> dict[str, float | None]:
    """Least, greatest and five quantiles between them; all None where there are no values."""
    if not values:
        return dict.fromkeys(("min", *_SHOWN, "max"))
    cuts = quantiles(values, n=100, method="inclusive") if len(values) > 1 else [values[0]] * 99
    inner = {name: round(cuts[place], 4) for name, place in _SHOWN.items()}
    return {"min": round(min(values), 4), **inner, "max": round(max(values), 4)}


def share(part: int, whole: int) -> float | None:
    """`part` of `whole`, 0 to 1; None of nothing."""
    return round(part / whole, 4) if whole else None


def _key(content: object) -> bytes:
    return hashlib.blake2b(msgspec.json.encode(content), digest_size=16).digest()
