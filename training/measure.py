"""Held-out pairs scored under what training started from and under what came out, in float32."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from training.evidence import AFTER, BEFORE, LogProb, Token, Worked
from training.policy import DTYPES, load_adapted, load_tokenizer
from training.scoring import in_float32, score_pairs
from training.tokens import encode_pairs, render

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.preferences.pairs import Pair
    from training.scoring import Scores
    from training.tokens import Encoded


Sides = tuple[list[float], list[float]]  # the tokens' log-probabilities of the chosen and the rejected answer


class Setting(NamedTuple):
    """What is compared, and how it is computed.

    Attributes:
        model: Folder of the base.
        before: Folder of the adapter that training started from; None for the base alone.
        after: Folder of the adapter that came out.
        dtype: Of the base's weights, as in training and serving; what is computed with them is float32.
        quantize: Likewise.
        max_length: Of prompt and answer, in tokens.
    """

    model: str
    before: str | None
    after: str
    dtype: str = "bfloat16"
    quantize: str | None = None
    max_length: int = 1024


class Measured(NamedTuple):
    """What was computed, and how many pairs did not fit."""

    logprobs: list[LogProb]
    worked: Worked | None
    left_out: int


def measure(
    setting: Setting, pairs: Sequence[Pair], tell: Callable[[str], None], worked: str | None = None
) -> Measured:
    """Score every pair under both arms, one model in memory at a time.

    Args:
        setting: What is compared.
        pairs: Held-out pairs.
        tell: Called with what is being done.
        worked: Beginning of the id of the pair that is worked token by token; by default one is picked.

    Raises:
        TrainError: Model, adapter or pairs cannot be used.
    """
    tokenizer = load_tokenizer(setting.model)
    encoding = encode_pairs(tokenizer, pairs, setting.max_length)
    scores = {}
    for arm, adapter in ((BEFORE, setting.before), (AFTER, setting.after)):
        tell(f"scoring {len(encoding.pairs)} pairs {arm} ({adapter or 'the base alone'})")
        scores[arm] = _score(setting, adapter, encoding.pairs)
    rows = [row for arm, found in scores.items() for row in _rows(arm, encoding.pairs, found)]
    at, why = pick(encoding.pairs, scores[BEFORE], scores[AFTER], worked)
    tokens = [] if at is None else [scores[arm].tokens[at] for arm in (BEFORE, AFTER)]
    example = None if at is None else _work(tokenizer, encoding.pairs[at], why, *tokens)
    return Measured(rows, example, len(encoding.left_out))


def pick(pairs: Sequence[Encoded], before: Scores, after: Scores, wanted: str | None) -> tuple[int | None, str]:
    """Which pair is worked through, and why: the named one, or a typical provocation.

    Typical is the safety pair (any pair, where there is none) whose rejected answer lost the median: neither the most
    flattering nor the worst.
    """
    if wanted is not None:
        at = next((at for at, pair in enumerate(pairs) if pair.pair.id.startswith(wanted)), None)
        return at, "it was asked for by its id"
    safety = [at for at, pair in enumerate(pairs) if pair.pair.objective == "safety"]
    among = safety or list(range(len(pairs)))
    lost = (after.answers - before.answers)[:, 1].tolist()
    middle = statistics.median_low(lost[at] for at in among)
    kind = "safety" if safety else "held-out"
    return next(at for at in among if lost[at] == middle), (
        f"of {len(among)} {kind} pairs, the one whose rejected answer lost the median"
    )


def _score(setting: Setting, adapter: str | None, pairs: list[Encoded]) -> Scores:
    model = load_adapted(setting.model, adapter, DTYPES[setting.dtype], quantize=setting.quantize)
    with in_float32(model):
        return score_pairs(model, pairs, torch.float32)


def _rows(arm: Any, pairs: list[Encoded], scores: Scores) -> list[LogProb]:
    # Summed in double precision, which adds nothing to the error of the tokens' own numbers.
    return [
        row
        for pair, (chosen, rejected) in zip(pairs, scores.tokens, strict=True)
        for row in (
            LogProb(arm, pair.pair.id, pair.pair.objective, "chosen", sum(chosen), len(chosen)),
            LogProb(arm, pair.pair.id, pair.pair.objective, "rejected", sum(rejected), len(rejected)),
        )
    ]


def _work(tokenizer: Any, pair: Encoded, why: str, before: Sides, after: Sides) -> Worked:
    turns = [{"role": turn.role, "content": turn.content} for turn in pair.pair.prompt]
    chosen, rejected = (
        tuple(
            Token(tokenizer.decode([token]), was, now)
            for token, was, now in zip(answer, before[side], after[side], strict=True)
        )
        for side, answer in enumerate((pair.chosen, pair.rejected))
    )
    prompt = render(tokenizer, turns, opened=True)
    return Worked(pair.pair.id, pair.pair.objective, prompt, chosen, rejected, why)
