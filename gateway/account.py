"""What is known of one exchange while it lasts: it becomes the answer's `wardgate` object and the record."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from gateway.protocols.chat_answer import FILTERED
from gateway.store.records import Answer, Digests, Inference, Timings
from guardrails.interface import Action, Verdict, merged, strongest
from guardrails.wire import finding_document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.access import Caller
    from gateway.adapters.registry import Target
    from gateway.engine.pool import EngineFacts
    from gateway.metrics import Metrics
    from gateway.protocols.chat import ChatRequest
    from gateway.protocols.chat_answer import ChoiceResult, Usage
    from gateway.store.records import Escalation, Outcome
    from guardrails.guard import Guard


def micros(seconds: float) -> int:
    """Whole microseconds."""
    return int(seconds * 1_000_000)


class Account:
    """One exchange's account, from the moment caller, request and target are known.

    Attributes:
        guard: What judges it, from its beginning to its end.
        action: The strongest action so far.
        input: The merged verdict on everything that came in.
        output: The merged verdict on the answer; None before there is one.
        permits: Signed verdicts on the answer's commands; None where nothing is signed here.
        escalation: The hand-over to a person, where there is one.
        sending: Bytes wait for the client to take them.
        closed: The outcome is decided; the client's leaving changes nothing any more.
        engine_seconds: Time spent waiting for vLLM.
    """

    def __init__(
        self, inference_id: str, api: str, caller: Caller, target: Target, request: ChatRequest, *, guard: Guard
    ) -> None:
        self.id = inference_id
        self.api = api
        self.caller = caller
        self.target = target
        self.request = request
        self.guard = guard
        self.extras = request.extras
        self.created_us = time.time_ns() // 1000
        self.started = time.perf_counter()
        self.user = ""
        self.action = Action.ALLOW
        self.input = Verdict(Action.ALLOW)
        self.output: Verdict | None = None
        self.answers: tuple[Answer, ...] = ()
        self.permits: list[dict[str, Any]] | None = None
        self.usage: Usage | None = None
        self.escalation: Escalation | None = None
        self.sending = False
        self.closed = False
        self.engine_seconds = 0.0
        self.first_token_seconds: float | None = None
        self.guard_input_seconds = 0.0
        self.guard_output_seconds = 0.0
        self._findings: list[dict[str, Any]] = []
        self._unchecked: list[dict[str, Any]] = []

    def judged_input(self, verdicts: Iterable[tuple[str, Verdict]]) -> None:
        """Take the verdicts on the request's texts, each with the name of its slot."""
        named = list(verdicts)
        self.input = merged(verdict for _, verdict in named)
        for slot, verdict in named:
            self._note("input", slot, verdict)

    def refused(self, text: str, choices: int) -> None:
        """The request was stopped; `text` is sent in each of its choices."""
        self.answers = tuple(Answer(index, "", text, FILTERED) for index in range(choices))

    def judged_output(self, results: list[ChoiceResult], usage: Usage | None) -> None:
        """Take what became of each choice, as far as it came."""
        self.usage = usage
        self.output = merged(result.verdict for result in results)
        for result in results:
            self._note("output", f"choices[{result.index}]", result.verdict)
        self.answers = tuple(
            Answer(
                index=result.index,
                written=result.written,
                sent=result.sent,
                finish_reason=result.finish_reason,
                tool_calls=result.tool_calls,
                logprobs=result.logprobs,
            )
            for result in results
        )

    def wardgate(self) -> bytes:
        """The contract's `wardgate` answer object, JSON."""
        document: dict[str, Any] = {
            "action": self.action,
            "findings": self._findings,
            "unchecked": self._unchecked,
            "adapter": self.target.adapter,
        }
        stopping = self.output if self.output is not None and self.output.action.stops else self.input
        if stopping.alternative is not None:
            document["alternative"] = stopping.alternative
        if self.permits is not None:
            document["permits"] = self.permits
        if self.escalation is not None:
            document["escalation"] = orjson.Fragment(self.escalation.body)
        return orjson.dumps(document)

    def inference(self, outcome: Outcome, status: int, facts: EngineFacts, error: str) -> Inference:
        """The record, with content only where the client lets it be kept."""
        keep = self.extras.store
        usage = self.usage
        return Inference(
            id=self.id,
            created_us=self.created_us,
            api=self.api,
            outcome=outcome,
            status=status,
            action=self.action,
            alias=self.target.alias,
            adapter=self.target.adapter,
            base_model=facts.base_model,
            project=self.caller.project,
            digests=Digests(
                policy=self.guard.policy.digest,
                rules=self.guard.rules_digest,
                base_model=facts.base_digest,
                chat_template=facts.chat_template_digest,
            ),
            timings=self._timings(),
            vllm_version=facts.vllm_version,
            logprobs_mode=facts.logprobs_mode,
            user=self.user,
            conversation_id=self.extras.conversation_id,
            streamed=self.request.stream,
            stored=keep,
            request=self.request.record() if keep else b"",
            answers=self.answers if keep else tuple(_bare(answer) for answer in self.answers),
            findings=msgspec.json.encode(self._kept_findings()) if self._findings else b"[]",
            unchecked=msgspec.json.encode(self._unchecked) if self._unchecked else b"[]",
            escalation=self.kept(self.escalation).body if self.escalation else b"",
            prompt_tokens=usage.prompt_tokens if usage else None,
            completion_tokens=usage.completion_tokens if usage else None,
            error=error,
        )

    def kept(self, escalation: Escalation) -> Escalation:
        """The hand-over as it may be kept: where the client forbids to store it, without what quotes the exchange."""
        if self.extras.store:
            return escalation
        document = msgspec.json.decode(escalation.body)
        diagnostics = document["diagnostics"] | {"named": []}
        bare = document | {"summary": "Not kept, as the request asked.", "attempted": [], "diagnostics": diagnostics}
        bare.pop("runbook", None)
        return msgspec.structs.replace(escalation, body=msgspec.json.encode(bare))

    def count(self, metrics: Metrics, status: int) -> None:
        """Count the exchange, once its outcome is known."""
        total = time.perf_counter() - self.started
        metrics.request_done(self.api, status, self.action, total)
        metrics.overhead(self.api, max(0.0, total - self.engine_seconds))
        if self.output is not None:
            metrics.guard_ran("output", self.guard_output_seconds)
        if self.first_token_seconds is not None:
            metrics.first_token(self.api, self.first_token_seconds)
        if self.usage is not None:
            metrics.tokens("prompt", self.usage.prompt_tokens)
            metrics.tokens("completion", self.usage.completion_tokens or 0)
        for verdict in (self.input, self.output) if self.output is not None else (self.input,):
            for finding in verdict.findings:
                metrics.finding(finding.check, verdict.action)
            for outcome in verdict.unchecked:
                metrics.unchecked(outcome.check, outcome.reason)
        if self.escalation is not None:
            metrics.escalation(self.escalation.reason)

    def _kept_findings(self) -> list[dict[str, Any]]:
        # A finding's message and target name what it found, in the exchange's own words.
        if self.extras.store:
            return self._findings
        return [
            {key: value for key, value in finding.items() if key != "target"} | {"message": ""}
            for finding in self._findings
        ]

    def _timings(self) -> Timings:
        return Timings(
            total=micros(time.perf_counter() - self.started),
            guard_input=micros(self.guard_input_seconds),
            guard_output=micros(self.guard_output_seconds),
            engine=micros(self.engine_seconds) if self.engine_seconds else None,
            first_token=None if self.first_token_seconds is None else micros(self.first_token_seconds),
        )

    def _note(self, stage: str, slot: str, verdict: Verdict) -> None:
        if verdict.action is Action.ALLOW and not verdict.findings and not verdict.unchecked:
            return
        self.action = strongest((self.action, verdict.action))
        for finding in verdict.findings:
            self._findings.append(finding_document(finding) | {"stage": stage, "slot": slot})
        for outcome in verdict.unchecked:
            self._unchecked.append({"check": outcome.check, "reason": outcome.reason, "stage": stage, "slot": slot})


def _bare(answer: Answer) -> Answer:
    """An answer without its content, for `store: false`."""
    return Answer(index=answer.index, written="", sent="", finish_reason=answer.finish_reason)
