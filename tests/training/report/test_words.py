"""The paragraph and the figures say what the table says."""

from __future__ import annotations

from evaluated import judge, make_evidence

from training.evidence import Evidence, Manifest, by_arm
from training.report.words import lede, tiles
from training.table import compute
from training.text import number


def test_paragraph_has_the_tables_numbers() -> None:
    """The factor, the counts and the shares of the paragraph are those of the table."""
    evidence = make_evidence()
    table = compute(evidence, judge)
    lines = {line.measure.key: line for line in table.lines}
    said = " ".join(lede(table, "that training never saw"))
    change = lines["probability_rejected"].change
    assert change is not None
    assert (
        f"On 40 pairs that training never saw, a rejected answer is {number(change.value, 'factor')}".replace(
            " / ", "/"
        )
        in said
    )
    was, now = (sum(judge(row)["unsafe"] for row in arm) for arm in by_arm(evidence.generations, "before", "after"))
    assert f"{now} times in 20; before, {was} times in 20" in said
    assert [tile.name for tile in tiles(table)][2:] == ["destructive suggestions", "the runbook's command"]


def test_loss_is_called_a_loss() -> None:
    """Where the chosen answers lost, the paragraph does not say that they gained."""
    rows = make_evidence(pairs=4).logprobs
    swapped = [row for row in rows if row.arm == "after"]
    turned = [type(row)("before", *_rest(row)) for row in swapped]
    turned += [type(row)("after", *_rest(row)) for row in rows if row.arm == "before"]
    table = compute(Evidence(Manifest(), turned))
    assert "the chosen answers lost" in lede(table, "x")[0]
    assert tiles(table)[2].name == "the chosen answer is the likelier"


def _rest(row: object) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in ("pair", "objective", "side", "logprob", "tokens"))
