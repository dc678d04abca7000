"""Escalations to people: what the guard thinks a person must see becomes an object with an id, and a record."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.ids import ESCALATION_PREFIX
from gateway.store.records import Escalation

if TYPE_CHECKING:
    from gateway.ids import Minter
    from gateway.metrics import Metrics
    from guardrails.escalation import Escalation as Assessment


class HandOver:
    """Mints escalations; whoever answers appends the record to the spool together with the inference's."""

    def __init__(self, minter: Minter, metrics: Metrics) -> None:
        self._minter = minter
        self._metrics = metrics

    def mint(self, assessment: Assessment, inference_id: str, project: str) -> tuple[dict[str, Any], Escalation]:
        """The contract's escalation object for the answer, and the record for the operators, with the same id."""
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
        record = Escalation(
            id=escalation_id,
            created_us=time.time_ns() // 1000,
            inference_id=inference_id,
            project=project,
            reason=assessment.reason,
            body=msgspec.json.encode(document),
        )
        self._metrics.escalation(assessment.reason)
        return document, record
