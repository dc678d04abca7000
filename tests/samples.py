"""Records to store in tests, each with every field filled."""

from __future__ import annotations

from gateway.store.records import (
    Adapter,
    Answer,
    Digests,
    Escalation,
    Event,
    Feedback,
    FeedbackKind,
    Inference,
    Outcome,
    Retraction,
    Timings,
)

DIGESTS = Digests(policy="a" * 64, rules="b" * 64, base_model="c" * 64, chat_template="d" * 64)
NOW_US = 1_780_000_000_000_000
_FIRST = (
    b'[{"token":"Check","logprob":-0.12345678955316544,"bytes":[67],'
    b'"top_logprobs":[{"token":"Check","logprob":-0.12345678955316544},{"token":"Look","logprob":-2.5}]}]'
)
LOGPROBS = (_FIRST, b'[{"token":" disk","logprob":-1.5,"bytes":[32],"top_logprobs":[]}]')
REQUEST = (
    b'{"model":"default","messages":[{"role":"user","content":"disk full"}],"temperature":0.7,"top_p":0.9,"seed":7,'
    b'"max_tokens":64,"stop":["END"],"wardgate":{"conversation_id":"c-1"}}'
)


def inference(number: int, **changes: object) -> Inference:
    fields: dict[str, object] = {
        "id": f"chatcmpl-{number:040d}",
        "created_us": NOW_US + number,
        "api": "chat",
        "outcome": Outcome.COMPLETED,
        "status": 200,
        "action": "allow",
        "alias": "default",
        "adapter": "base",
        "base_model": "SmolLM2-135M-Instruct",
        "project": "default",
        "digests": DIGESTS,
        "timings": Timings(total=9000, guard_input=120, guard_output=80, engine=8500, first_token=2000),
        "vllm_version": "0.32.0",
        "logprobs_mode": "processed_logprobs",
        "user": "u" * 32,
        "conversation_id": "c-1",
        "request": REQUEST,
        "answers": (Answer(index=0, written="Check disk", sent="Check disk", finish_reason="stop", logprobs=LOGPROBS),),
        "prompt_tokens": 12,
        "completion_tokens": 2,
    }
    return Inference(**(fields | changes))  # type: ignore[arg-type]  # a test's keyword arguments


def feedback(number: int, about: int = 0, **changes: object) -> Feedback:
    fields: dict[str, object] = {
        "id": f"fb-{number:040d}",
        "created_us": NOW_US + number,
        "inference_id": f"chatcmpl-{about:040d}",
        "kind": FeedbackKind.THUMBS,
        "project": "default",
        "value": 1,
        "idempotency_key": f"key-{number}",
        "user": "u" * 32,
    }
    return Feedback(**(fields | changes))  # type: ignore[arg-type]  # a test's keyword arguments


def retraction(number: int, project: str = "default") -> Retraction:
    return Retraction(id=f"fb-{number:040d}", created_us=NOW_US + 500, project=project)


def escalation(number: int, about: int = 0) -> Escalation:
    body = b'{"id":"esc-1","reason":"requested","summary":"wants a person","attempted":[],"diagnostics":{}}'
    return Escalation(
        id=f"esc-{number:040d}",
        created_us=NOW_US + number,
        inference_id=f"chatcmpl-{about:040d}",
        project="default",
        reason="requested",
        body=body,
    )


def adapter(version: str, digest: str = "d" * 64) -> Adapter:
    return Adapter("aiops", version, "/adapters/aiops", digest, "b" * 64, 16, NOW_US + int(version))


def everything() -> list[Event]:
    """One exchange with all that may belong to it; the first of its two opinions is taken back."""
    findings = b'[{"check":"commands","rule":"files.delete","severity":"critical","span":[0,8],"stage":"output"}]'
    whole = inference(1, findings=findings, unchecked=b'[{"check":"harm","reason":"budget"}]', escalation=b'{"id":"e"}')
    return [whole, feedback(1, about=1), feedback(2, about=1), retraction(1), escalation(1, about=1)]
