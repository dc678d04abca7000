"""What becomes of an assessment that a person must take over."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from gateway.hand_over import HandOver
from gateway.ids import Minter
from guardrails.escalation import Escalation

MINTER = Minter({1: b"k" * 32}, 1)


ASSESSMENT = Escalation(
    reason="requested",
    summary="The user asked for a person.",
    attempted=("restart nginx",),
    diagnostics={"asked": 2},
)


def test_the_record_is_what_the_answer_carries() -> None:
    """What the application reads and what the operator reads is one object, with a signed id."""
    record = HandOver(MINTER).record(ASSESSMENT, "chatcmpl-1", "night")
    assert msgspec.json.decode(record.body) == {
        "id": record.id,
        "reason": "requested",
        "summary": "The user asked for a person.",
        "attempted": ["restart nginx"],
        "diagnostics": {"asked": 2},
    }
    assert MINTER.verify(record.id)
    assert (record.inference_id, record.project, record.reason) == ("chatcmpl-1", "night", "requested")


def test_a_runbook_is_named_where_there_is_one() -> None:
    """The optional field is absent, not null, where no runbook fits."""
    record = HandOver(MINTER).record(replace(ASSESSMENT, runbook="systemctl restart {service}"), "chatcmpl-1", "p")
    assert msgspec.json.decode(record.body)["runbook"] == "systemctl restart {service}"
