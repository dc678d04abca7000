"""The table, from rows worked by hand."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from training.evidence import Evidence, EvidenceError, Generation, LogProb, Manifest, Perplexity
from training.table import Judgement, compute, document, scored_pairs, sigmoid

# pair: objective, before (chosen, rejected), after (chosen, rejected)
PAIRS = {
    "a": ("safety", (-10.0, -8.0), (-9.0, -18.0)),
    "b": ("safety", (-20.0, -25.0), (-20.0, -31.0)),
    "c": ("tone", (-12.0, -11.0), (-14.0, -12.0)),
}


def logprobs(pairs: dict[str, Any] = PAIRS) -> list[LogProb]:
    return [
        LogProb(arm, pair, objective, side, value, 7)
        for pair, (objective, *arms) in pairs.items()
        for arm, values in zip(("before", "after"), arms, strict=True)
        for side, value in zip(("chosen", "rejected"), values, strict=True)
    ]


def generations(before: list[str], after: list[str]) -> list[Generation]:
    return [
        Generation(arm, f"q{at}", "disk", "Disk full", at, text)
        for arm, texts in (("before", before), ("after", after))
        for at, text in enumerate(texts)
    ]


def judge(row: Generation) -> Judgement:
    return {"unsafe": "rm" in row.text, "runbook": row.text == "df -h", "invented": "_" in row.text}


def numbers(evidence: Evidence) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(document(compute(evidence, judge)))
    return found


def test_pairs_are_computed_as_by_hand() -> None:
    """Every measure on pairs has the value that a person gets with a pencil."""
    found = numbers(Evidence(Manifest(), logprobs()))
    by_hand = {
        "log_prob_chosen_before": -14.0,
        "log_prob_chosen": -43 / 3,
        "log_prob_chosen_change": -1 / 3,
        "log_prob_rejected_before": -44 / 3,
        "log_prob_rejected": -61 / 3,
        "log_prob_rejected_change": -17 / 3,
        "probability_chosen": math.exp(-43 / 3),
        "probability_ratio_chosen": math.exp(-1 / 3),
        "probability_rejected_before": math.exp(-44 / 3),
        "probability_ratio_rejected": math.exp(-17 / 3),
        "rejected_share_before": (1 / (1 + math.exp(-2)) + 1 / (1 + math.exp(5)) + 1 / (1 + math.exp(-1))) / 3,
        "rejected_share": (1 / (1 + math.exp(9)) + 1 / (1 + math.exp(11)) + 1 / (1 + math.exp(-2))) / 3,
        "pair_accuracy_before": 1 / 3,
        "pair_accuracy": 2 / 3,
        "margin_accuracy": 2 / 3,  # c: chosen lost 2, rejected only 1
        "margin": (11 + 6 - 1) / 3,
    }
    assert {name: found[name]["value"] for name in by_hand} == pytest.approx(by_hand)
    assert {found[name]["n"] for name in by_hand} == {3}
    assert all(found[name]["low"] <= found[name]["value"] <= found[name]["high"] for name in by_hand)


def test_objectives_are_computed_alone() -> None:
    """Each objective has the same measures over its own pairs."""
    found = numbers(Evidence(Manifest(), logprobs()))["objectives"]
    assert {name: (each["margin"]["value"], each["margin"]["n"]) for name, each in found.items()} == {
        "safety": (8.5, 2),
        "tone": (-1.0, 1),
    }


def test_unlikely_answers_do_not_overflow() -> None:
    """Answers a thousand nats apart have shares of 0 and 1, not an error."""
    assert [sigmoid(-1e4), sigmoid(0.0), sigmoid(1e4)] == [0.0, 0.5, 1.0]


def test_generations_are_shares_of_each_arm() -> None:
    """Shares are counted within an arm, with Wilson's bounds, by the judge and nobody else."""
    found = numbers(Evidence(Manifest(), generations=generations(["rm -rf /", "rm x_y", "df -h"], ["df -h", "df -h"])))
    assert found["unsafe_before"]["value"] == pytest.approx(2 / 3)
    assert found["unsafe"] == {"value": 0.0, "low": 0.0, "high": pytest.approx(0.6576, abs=1e-4), "n": 2}
    assert [found[name]["value"] for name in ("runbook_before", "runbook")] == [pytest.approx(1 / 3), 1.0]
    assert [found[name]["value"] for name in ("invented_before", "invented")] == [pytest.approx(1 / 3), 0.0]


def test_perplexity_counts_every_token_once() -> None:
    """Perplexity is over all tokens, not a mean of the texts', and its change is a factor."""
    rows = [Perplexity("before", "walk", 20.0, 10), Perplexity("before", "cook", 90.0, 30)]
    rows += [Perplexity("after", "walk", 21.0, 10), Perplexity("after", "cook", 91.0, 30)]
    found = numbers(Evidence(Manifest(), perplexities=rows))
    assert found["perplexity_before"]["value"] == pytest.approx(math.exp(110 / 40))
    assert found["perplexity"]["value"] == pytest.approx(math.exp(112 / 40))
    assert found["perplexity_change"]["value"] == pytest.approx(math.exp(2 / 40))
    assert "perplexity_against_base" not in found


def test_generations_need_a_judge() -> None:
    """Generations are never called safe because nobody looked."""
    with pytest.raises(EvidenceError, match="nobody judges them"):
        compute(Evidence(Manifest(), generations=generations(["a"], ["b"])))


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        pytest.param(Evidence(Manifest()), "nothing to compute", id="empty"),
        pytest.param(Evidence(Manifest(), logprobs()[:-1]), "pair c has no after rejected", id="missing"),
        pytest.param(Evidence(Manifest(), logprobs() + logprobs()[:1]), "pair a has before chosen twice", id="twice"),
        pytest.param(
            Evidence(Manifest(), perplexities=[Perplexity("before", "a", 1, 1), Perplexity("after", "b", 1, 1)]),
            "do not hold the same texts",
            id="texts",
        ),
    ],
)
def test_contradicting_files_are_refused(evidence: Evidence, said: str) -> None:
    """Rows that are missing, doubled or of other texts give an error that names them, never a number."""
    with pytest.raises(EvidenceError, match=said):
        compute(evidence)


def test_other_tokens_are_refused() -> None:
    """An answer that was cut differently in the two arms cannot be compared."""
    rows = logprobs()
    rows[0] = msgspec.structs.replace(rows[0], tokens=8)
    with pytest.raises(EvidenceError, match="pair a was tokenized differently"):
        scored_pairs(rows)
