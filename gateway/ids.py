"""Ids that this installation minted, and can tell from those it did not without a look-up.

Text of an id: prefix, then 40 characters of order-preserving base64 over 30 bytes:

    6 bit   version of this layout
    42 bit  milliseconds since the epoch, until 2109     (in the id of a repeatable feedback, a
    80 bit  random                                        keyed digest of what makes it repeatable)
    16 bit  number of the key
    96 bit  HMAC-SHA256 over prefix and the bytes before, truncated (RFC 2104, section 5)

Ids sort by time as plain text (C collation). Thirty bytes leave no spare bits in base64: an id has one spelling.
"""

from __future__ import annotations

import hmac
from binascii import a2b_base64, b2a_base64
from os import urandom
from time import time_ns
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

INFERENCE_PREFIX = "chatcmpl-"
FEEDBACK_PREFIX = "fb-"
ESCALATION_PREFIX = "esc-"
KEY_BYTES = 32  # of a new secret; the hash's own length, RFC 2104, section 3

_VERSION = 1
_BODY = 30
_MAC = 12
_SIGNED = _BODY - _MAC
_TEXT = _BODY * 4 // 3
_SHORTEST_KEY = 16
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
# The 64 digits of base64url in ASCII order, so that text sorts as the bytes do.
_SORTED = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_TO_TEXT = bytes.maketrans(_BASE64, _SORTED)
# What is no digit of ours becomes what is no digit of base64, and strict decoding refuses it.
_FROM_TEXT = bytes(_BASE64[_SORTED.index(byte)] if byte in _SORTED else 0 for byte in range(256))


class _Key(NamedTuple):
    number: bytes
    secret: bytes

    @staticmethod
    def derive(number: int, secret: bytes, purpose: bytes) -> _Key:
        return _Key(number.to_bytes(2), hmac.digest(secret, b"wardgate " + purpose, "sha256"))


class Minter:
    """Mints and verifies ids under numbered keys; an id stays valid as long as its key is kept.

    Args:
        keys: Secrets of at least 16 bytes by their number, 0 to 65535.
        current: Number of the key that signs new ids.

    Raises:
        ValueError: No key of that number, a number out of range, or a secret that is too short.
    """

    def __init__(self, keys: Mapping[int, bytes], current: int) -> None:
        if current not in keys:
            raise ValueError(f"current: no id key has the number {current}; known are {sorted(keys)}")
        for number, secret in keys.items():
            if not 0 <= number <= 0xFFFF:
                raise ValueError(f"keys: number {number} does not fit 16 bits; use 0 to 65535")
            if len(secret) < _SHORTEST_KEY:
                raise ValueError(f"keys: secret {number} has {len(secret)} bytes; use at least {_SHORTEST_KEY}")
        self._keys = {number.to_bytes(2): _Key.derive(number, secret, b"id") for number, secret in keys.items()}
        self._current = self._keys[current.to_bytes(2)]
        # The oldest key, so that a person's hash survives rotation.
        oldest = min(keys)
        self._users = _Key.derive(oldest, keys[oldest], b"user")

    def mint(self, prefix: str = INFERENCE_PREFIX) -> str:
        """A new id; costs 2 to 3 µs."""
        millisecond = (_VERSION << 42) + time_ns() // 1_000_000
        return _seal(prefix, millisecond.to_bytes(6) + urandom(10), self._current)

    def verify(self, id: str) -> bool:  # noqa: A002 - the contract's word
        """Whether one of the keys signed `id`; any text may be asked about. Compares in constant time."""
        return self._signer(id) is not None

    def user_hash(self, user_id: str) -> str:
        """Keyed hash of a user id, 32 characters; the same under rotation, useless without the oldest key."""
        return _text(hmac.digest(self._users.secret, user_id.encode(errors="surrogatepass"), "sha256")[:24])

    def feedback_id(self, inference_id: str, idempotency_key: str | None = None) -> str:
        """Id of a feedback: the same for the same idempotency key on the same inference, else a new one.

        Raises:
            ValueError: An idempotency key was given for an `inference_id` that these keys did not sign.
        """
        if not idempotency_key:
            return self.mint(FEEDBACK_PREFIX)
        # The key of the inference id, not the current one: a retry after a rotation is still a retry.
        key = self._signer(inference_id)
        if key is None:
            raise ValueError(f"inference_id: {inference_id!r} was not minted here")
        named = f"feedback\0{inference_id}\0{idempotency_key}".encode(errors="surrogatepass")
        repeatable = hmac.digest(key.secret, named, "sha256")[:15]
        return _seal(FEEDBACK_PREFIX, (_VERSION << 2).to_bytes() + repeatable, key)

    def _signer(self, id: str) -> _Key | None:  # noqa: A002 - the contract's word
        prefix, text = id[:-_TEXT], id[-_TEXT:]
        if not prefix or not id.isascii():
            return None
        try:
            body = a2b_base64(text.encode().translate(_FROM_TEXT), strict_mode=True)
        except ValueError:
            return None
        key = self._keys.get(body[_SIGNED - 2 : _SIGNED])
        if key is None:
            return None
        expected = hmac.digest(key.secret, prefix.encode() + body[:_SIGNED], "sha256")[:_MAC]
        return key if hmac.compare_digest(expected, body[_SIGNED:]) else None


def _seal(prefix: str, payload: bytes, key: _Key) -> str:
    signed = payload + key.number
    return prefix + _text(signed + hmac.digest(key.secret, prefix.encode() + signed, "sha256")[:_MAC])


def _text(body: bytes) -> str:
    return b2a_base64(body, newline=False).translate(_TO_TEXT).decode()
