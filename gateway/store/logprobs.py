"""vLLM's token log-probabilities as three short columns: a third of the bytes, and ready for a trainer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOG = logging.getLogger(__name__)


class _Alternative(msgspec.Struct, gc=False):
    token: msgspec.Raw
    logprob: msgspec.Raw


class _Token(msgspec.Struct, gc=False):
    token: msgspec.Raw
    logprob: msgspec.Raw
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
    # Tokens and numbers stay the text they are: nothing is parsed that would only be written again.
    try:
        tokens = [token for piece in pieces for token in _decode(piece)]
    except msgspec.DecodeError as error:
        # Half of them would look like the whole.
        _LOG.warning("log-probabilities of an answer are not in vLLM's shape and are not kept: %s", error)
        return _NONE
    if not tokens:
        return _NONE
    given = any(token.top_logprobs for token in tokens)
    return Columns(
        tokens=_list([token.token for token in tokens]),
        logprobs=_list([token.logprob for token in tokens]),
        alternatives=_list([_pairs(token.top_logprobs) for token in tokens]) if given else "",
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


def _pairs(alternatives: list[_Alternative]) -> bytes:
    return b"[%b]" % b",".join([b"[%b,%b]" % (bytes(one.token), bytes(one.logprob)) for one in alternatives])


def _list(parts: Sequence[msgspec.Raw | bytes]) -> str:
    return (b"[%b]" % b",".join(parts)).decode()
