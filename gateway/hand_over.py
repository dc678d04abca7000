"""Escalations to people: what the guard thinks a person must see becomes an object with an id, and a record."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.ids import ESCALATION_PREFIX
from gateway.store.records import Escalation

if TYPE_CHECKING:
    from gateway.ids import Minter
    from guardrails.escalation import Escalation as Assessment


class HandOver:
    """Mints escalations; whoever answers appends the record to the spool together with the inference's."""

    def __init__(self, minter: Minter) -> None:
        self._minter = minter

    def record(self, assessment: Assessment, inference_id: str, project: str) -> Escalation:
        """A new record for the operators; its body is the contract's escalation object, which the answer carries."""
        escalation_id = self._minter.mint(ESCALATION_PREFIX)
        document: dict[str, Any] = {
            "id": escalation_id,
            "reason": assessment.reason,
            "summary": assessment.summary,
            "attempted": list(assessment.attempted),
            "diagnostics": dict(assessment.diagnostics),
        }
        if assessment.runbook is not None:
            document["runbook"] = assessment.runbook
        return Escalation(
            id=escalation_id,
            created_us=time.time_ns() // 1000,
            inference_id=inference_id,
            project=project,
            reason=assessment.reason,
            body=msgspec.json.encode(document),
        )
