"""Who may do what: API keys with scopes, compared by digest and in constant time."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.errors import InvalidKey, ScopeMissing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gateway.settings import Settings

CHALLENGE = (("www-authenticate", "Bearer"),)


class Scope(StrEnum):
    CHAT = "chat"
    FEEDBACK = "feedback"
    ADMIN = "admin"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key it is.

    Attributes:
        project: Project that everything this caller leaves behind belongs to.
        key_id: Name of the key, fit for a log.
        scopes: What it may do.
    """

    project: str
    key_id: str
    scopes: frozenset[Scope]


class KeyFileUnusable(Exception):
    """The home's key file holds no key, or cannot be read or written."""


class Access:
    """The keys that open this gateway; holds their SHA-256 digests, never the keys."""

    def __init__(self, keys: Iterable[tuple[bytes, Caller]]) -> None:
        self._keys = tuple(keys)

    def authorize(self, authorization: bytes | None, api_key: bytes | None, scope: Scope) -> Caller:
        """The caller behind `Authorization: Bearer KEY`, or else behind `x-api-key: KEY`.

        Raises:
            InvalidKey: No key was sent, or none of this gateway's.
            ScopeMissing: The key is known and may not do this.
        """
        key = api_key
        if authorization is not None and authorization[:7].lower() == b"bearer ":
            key = authorization[7:].strip()
        if not key:
            raise InvalidKey(
                "No API key was sent. Send it as `Authorization: Bearer KEY` or as `x-api-key: KEY`.",
                code="invalid_api_key",
                headers=CHALLENGE,
            )
        presented = hashlib.sha256(key).digest()
        caller = None
        # Every key is compared, so that the time taken does not tell which one was near.
        for digest, owner in self._keys:
            if hmac.compare_digest(digest, presented):
                caller = owner
        if caller is None:
            raise InvalidKey("This API key is not one of this gateway's.", code="invalid_api_key", headers=CHALLENGE)
        if scope not in caller.scopes:
            held = ", ".join(sorted(caller.scopes))
            raise ScopeMissing(
                f"The API key {caller.key_id!r} lacks the scope {scope.value!r}; it has: {held}.", code="scope_missing"
            )
        return caller


def open_access(settings: Settings, home_key: str) -> Access:
    """The home's key with every scope, and the settings' further keys."""
    keys = [(hashlib.sha256(home_key.encode()).digest(), Caller(settings.project, "home", frozenset(Scope)))]
    for key in settings.keys:
        scopes = frozenset(Scope(scope) for scope in key.scopes)
        keys.append((bytes.fromhex(key.sha256), Caller(key.project, key.name, scopes)))
    return Access(keys)


def keep_key(file: Path) -> tuple[str, bool]:
    """The key in `file`, and whether it was made just now (mode 0600, whole or not at all).

    Raises:
        KeyFileUnusable: The file is empty or not text, or the folder cannot be written.
    """
    try:
        if file.exists():
            key = file.read_text(encoding="ascii").strip()
            if not key:
                raise KeyFileUnusable(f"{file} is empty. Delete it to have a new key made.")
            return key, False
        key = f"wg-{secrets.token_urlsafe(32)}"
        write_private(file, key)
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileUnusable(f"{file} cannot be used as the key's file: {error}") from error
    return key, True


def write_private(file: Path, text: str) -> None:
    """Write what nobody else on this machine may read, whole or not at all.

    Raises:
        OSError: The folder cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(f"{text.rstrip()}\n")
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)
