"""Records as operators read them: JSON documents with what was kept as bytes decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.store.records import Adapter, Alias, Answer, Change, Escalation, Feedback, Inference

# What a request says about how tokens are drawn: OpenAI's names, then vLLM's.
SAMPLING = (
    *("temperature", "top_p", "n", "seed", "stop", "max_tokens", "max_completion_tokens"),
    *("presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs"),
    *("top_k", "min_p", "repetition_penalty", "min_tokens", "ignore_eos", "stop_token_ids", "bad_words"),
    *("allowed_token_ids", "structured_outputs", "response_format"),
)


def inference_summary(inference: Inference) -> dict[str, Any]:
    """What a listing shows: everything but the content."""
    return {
        "id": inference.id,
        "created_us": inference.created_us,
        "api": inference.api,
        "outcome": inference.outcome,
        "status": inference.status,
        "action": inference.action,
        "alias": inference.alias,
        "adapter": inference.adapter,
        "base_model": inference.base_model,
        "project": inference.project,
        "user": inference.user or None,
        "conversation_id": inference.conversation_id or None,
        "streamed": inference.streamed,
        "stored": inference.stored,
        "prompt_tokens": inference.prompt_tokens,
        "completion_tokens": inference.completion_tokens,
        "error": inference.error or None,
        "timings": msgspec.to_builtins(inference.timings),
    }


def inference_document(inference: Inference, feedback: Iterable[tuple[Feedback, bool]]) -> dict[str, Any]:
    """Everything that is known of one exchange, with its feedback, each with whether it was taken back."""
    request = _decoded(inference.request)
    return {
        **inference_summary(inference),
        "request": request,
        "sampling": {name: request[name] for name in SAMPLING if name in request} if request else None,
        "answers": [_answer_document(answer) for answer in inference.answers],
        "findings": _decoded(inference.findings) or [],
        "unchecked": _decoded(inference.unchecked) or [],
        "escalation": _decoded(inference.escalation),
        "digests": msgspec.to_builtins(inference.digests),
        "vllm_version": inference.vllm_version,
        "logprobs_mode": inference.logprobs_mode,
        "feedback": [feedback_document(given, retracted=retracted) for given, retracted in feedback],
    }


def feedback_document(feedback: Feedback, *, retracted: bool) -> dict[str, Any]:
    return {
        "id": feedback.id,
        "created_us": feedback.created_us,
        "inference_id": feedback.inference_id,
        "kind": feedback.kind,
        "value": feedback.value,
        "text": feedback.text or None,
        "idempotency_key": feedback.idempotency_key or None,
        "user": feedback.user or None,
        "project": feedback.project,
        "retracted": retracted,
    }


def escalation_document(escalation: Escalation) -> dict[str, Any]:
    """The contract's object, and what it belongs to."""
    return {
        **_decoded(escalation.body),
        "created_us": escalation.created_us,
        "inference_id": escalation.inference_id,
        "project": escalation.project,
    }


def adapter_document(adapter: Adapter, aliases: Iterable[str] = ()) -> dict[str, Any]:
    """One adapter, with the aliases that serve it; one that is served says so as its state."""
    serving = sorted(aliases)
    probe = _decoded(adapter.probe)
    return {
        "id": adapter.id,
        "name": adapter.name,
        "version": adapter.version,
        "state": "served" if serving else adapter.state,
        "aliases": serving,
        "loaded": adapter.loaded,
        "path": adapter.path,
        "digest": adapter.digest,
        "base_digest": adapter.base_digest or None,
        "rank": adapter.rank,
        "created_us": adapter.created_us,
        "provenance": _decoded(adapter.provenance),
        "probe": None if probe is None else {"vllm_version": probe["vllm_version"], "spread": probe["spread"]},
    }


def alias_document(alias: Alias, answering: str | None) -> dict[str, Any]:
    """One alias; `answering` differs from its adapter where that cannot answer here: `--base`, another base model."""
    return {
        "name": alias.name,
        "adapter": alias.adapter,
        "answering": answering,
        "changed_us": alias.changed_us,
    }


def change_document(change: Change) -> dict[str, Any]:
    """One line of the registry's book."""
    document: dict[str, Any] = msgspec.to_builtins(change)
    return document


def _answer_document(answer: Answer) -> dict[str, Any]:
    return {
        "index": answer.index,
        "written": answer.written,
        "sent": answer.sent,
        "finish_reason": answer.finish_reason,
        "tool_calls": _decoded(answer.tool_calls) or [],
        "logprobs": [token for piece in answer.logprobs for token in _decoded(piece)],
    }


def _decoded(text: bytes) -> Any:
    return msgspec.json.decode(text) if text else None
