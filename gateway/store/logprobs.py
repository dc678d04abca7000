"""vLLM's token log-probabilities as three short columns: a third of the bytes, and ready for a trainer."""

from __future__ import annotations

import logging

import msgspec

_LOG = logging.getLogger(__name__)
# Log-probabilities are float32 in vLLM; beyond six places there is only the noise of their conversion.
_PLACES = 6


class _Alternative(msgspec.Struct, gc=False):
    token: str
    logprob: float


class _Token(msgspec.Struct, gc=False):
    token: str
    logprob: float
    top_logprobs: list[_Alternative] = []


class Columns(msgspec.Struct, frozen=True):
    """JSON texts: the tokens, one log-probability a token, `[[token, log-probability], …]` a token; empty if none."""

    tokens: str = ""
    logprobs: str = ""
    alternatives: str = ""


_decode = msgspec.json.Decoder(list[_Token]).decode
_NONE = Columns()


def columns(pieces: tuple[bytes, ...]) -> Columns:
    """The columns of an answer's pieces of `logprobs.content`; none where one piece is not of vLLM's shape.

    The text itself stands in `written`; the bytes of each token, which vLLM repeats, are not kept.
    """
    try:
        tokens = [token for piece in pieces for token in _decode(piece)]
    except msgspec.DecodeError as error:
        # Half of them would look like the whole.
        _LOG.warning("log-probabilities of an answer are not in vLLM's shape and are not kept: %s", error)
        return _NONE
    if not tokens:
        return _NONE
    given = [[[one.token, round(one.logprob, _PLACES)] for one in token.top_logprobs] for token in tokens]
    return Columns(
        tokens=_text([token.token for token in tokens]),
        logprobs=_text([round(token.logprob, _PLACES) for token in tokens]),
        alternatives=_text(given) if any(given) else "",
    )


def pieces(stored: Columns) -> tuple[bytes, ...]:
    """The columns as one piece of `logprobs.content` again."""
    if not stored.tokens:
        return ()
    tokens: list[str] = msgspec.json.decode(stored.tokens)
    logprobs: list[float] = msgspec.json.decode(stored.logprobs)
    alternatives: list[list[tuple[str, float]]] = (
        msgspec.json.decode(stored.alternatives) if stored.alternatives else [[] for _ in tokens]
    )
    content = [
        {
            "token": token,
            "logprob": logprob,
            "top_logprobs": [{"token": other, "logprob": value} for other, value in others],
        }
        for token, logprob, others in zip(tokens, logprobs, alternatives, strict=True)
    ]
    return (msgspec.json.encode(content),)


def _text(document: object) -> str:
    return msgspec.json.encode(document).decode()
