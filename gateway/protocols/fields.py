"""Request fields of vLLM's that a guarded gateway does not pass on, with the reason a caller is told.

Names and policy are the contract's; what vLLM 0.32 takes was read from its request model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.errors import UnsupportedParameter

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_PAST_THE_GUARDS = "it carries text or tokens to the model that no guard reads"
_SHOWS_MORE = "it shows more than the answer"
_ENGINE_CONTROL = "it steers the engine across requests"

REFUSED: Mapping[str, str] = {
    "prompt_token_ids": _PAST_THE_GUARDS,
    "prompt_embeds": _PAST_THE_GUARDS,
    "chat_template": _PAST_THE_GUARDS,
    "chat_template_kwargs": _PAST_THE_GUARDS,
    "documents": _PAST_THE_GUARDS,
    "suffix": _PAST_THE_GUARDS,
    "mm_processor_kwargs": _PAST_THE_GUARDS,
    "mm_payload": _PAST_THE_GUARDS,
    "previous_response_id": _PAST_THE_GUARDS,
    "echo": _SHOWS_MORE,
    "prompt_logprobs": _SHOWS_MORE,
    "return_token_ids": _SHOWS_MORE,
    "return_prompt_text": _SHOWS_MORE,
    "kv_transfer_params": _ENGINE_CONTROL,
    "ec_transfer_params": _ENGINE_CONTROL,
    "vllm_xargs": _ENGINE_CONTROL,
    "request_id": _ENGINE_CONTROL,
    "priority": _ENGINE_CONTROL,
    "cache_salt": _ENGINE_CONTROL,
    "background": _ENGINE_CONTROL,
}


def refuse(document: Mapping[str, Any], allowed: Collection[str]) -> None:
    """Raise `UnsupportedParameter` for the first refused field that is set and that policy does not allow.

    A field set to null or false asks for nothing and passes.
    """
    for name in REFUSED.keys() & document.keys():
        if document[name] is None or document[name] is False or name in allowed:
            continue
        raise UnsupportedParameter(
            f"'{name}' is not accepted here: {REFUSED[name]}. Leave it out, or have the operator name it in the "
            "policy's allow_fields.",
            code="unsupported_parameter",
            param=name,
        )
