"""What becomes of an assessment that a person must take over."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec

from gateway.hand_over import HandOver
from gateway.ids import Minter
from gateway.metrics import Metrics

MINTER = Minter({1: b"k" * 32}, 1)


def assessment(**fields: Any) -> Any:
    given = {
        "reason": "requested",
        "summary": "The user asked for a person.",
        "attempted": ("restart nginx",),
        "diagnostics": {"asked": 2},
        "runbook": None,
    }
    return SimpleNamespace(**{**given, **fields})


def test_answer_and_record_carry_the_same_object() -> None:
    """What the application reads and what the operator reads is one object, with a signed id."""
    metrics = Metrics()
    document, record = HandOver(MINTER, metrics).mint(assessment(), "chatcmpl-1", "night")
    assert document == {
        "id": record.id,
        "reason": "requested",
        "summary": "The user asked for a person.",
        "attempted": ["restart nginx"],
        "diagnostics": {"asked": 2},
    }
    assert msgspec.json.decode(record.body) == document
    assert MINTER.verify(record.id)
    assert (record.inference_id, record.project, record.reason) == ("chatcmpl-1", "night", "requested")
    assert b'wardgate_escalations_total{reason="requested"} 1.0' in metrics.expose()


def test_a_runbook_is_named_where_there_is_one() -> None:
    """The optional field is absent, not null, where no runbook fits."""
    document, _ = HandOver(MINTER, Metrics()).mint(assessment(runbook="systemctl restart {service}"), "chatcmpl-1", "p")
    assert document["runbook"] == "systemctl restart {service}"
