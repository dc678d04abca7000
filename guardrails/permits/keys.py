"""Ed25519 keys for permits, in the PEM files that `openssl genpkey -algorithm ed25519` writes."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from guardrails.permits.interface import TYPE, PermitError

if TYPE_CHECKING:
    from pathlib import Path

_MAKE = "make one with: openssl genpkey -algorithm ed25519 -out FILE"
_PUBLISH = "write it with: openssl pkey -in PRIVATE -pubout -out FILE"


class SigningKey:
    """The private half.

    Attributes:
        id: What the header's `kid` names.
        header: The first part of every permit that it signs.
    """

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.id = _name(key.public_key())
        self.header = _header(self.id)

    def sign(self, text: str) -> str:
        """The signature of an ASCII text, base64url."""
        return encoded(self._key.sign(text.encode("ascii")))

    @property
    def public_pem(self) -> bytes:
        return _pem(self._key.public_key())

    @classmethod
    def made(cls) -> tuple[SigningKey, bytes]:
        """A new key, and its PEM for a file that nobody else may read."""
        key = Ed25519PrivateKey.generate()
        return cls(key), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @classmethod
    def load(cls, path: Path) -> SigningKey:
        """The key in a PEM file.

        Raises:
            PermitError: It cannot be read, or holds something else.
        """
        try:
            key = load_pem_private_key(_read(path), None)
        except TypeError as error:
            raise PermitError(f"{path} is locked with a passphrase, which nobody is there to enter; {_MAKE}") from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise PermitError(f"{path} holds no private key in PEM; {_MAKE}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise PermitError(f"{path} holds a private key of another kind than Ed25519; {_MAKE}")
        return cls(key)


class VerifyingKey:
    """The public half; attributes as of `SigningKey`."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        self.id = _name(key)
        self.header = _header(self.id)

    def signed(self, text: str, signature: bytes) -> bool:
        """Whether `signature` is this key's of an ASCII text."""
        try:
            self._key.verify(signature, text.encode("ascii"))
        except InvalidSignature:
            return False
        return True

    @classmethod
    def parse(cls, pem: bytes, name: str = "the key") -> VerifyingKey:
        """The key in a PEM text; `name` is what errors call it.

        Raises:
            PermitError: It holds something else; a private key is something else, because a checker needs none.
        """
        try:
            key = load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm) as error:
            what = (
                "a private key, which who checks should not hold" if b"PRIVATE KEY" in pem else "no public key in PEM"
            )
            raise PermitError(f"{name} holds {what}; {_PUBLISH}") from error
        if not isinstance(key, Ed25519PublicKey):
            raise PermitError(f"{name} holds a public key of another kind than Ed25519; {_PUBLISH}")
        return cls(key)

    @classmethod
    def load(cls, path: Path) -> VerifyingKey:
        """The key in a PEM file.

        Raises:
            PermitError: As `parse`, or it cannot be read.
        """
        return cls.parse(_read(path), str(path))


def encoded(data: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decoded(text: str) -> bytes | None:
    """What `text` encodes; None where it is no base64url, or not written in the one way that `encoded` has."""
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (NotBase64, ValueError):
        return None
    return data if encoded(data) == text else None


def _header(key_id: str) -> str:
    return encoded(f'{{"alg":"EdDSA","typ":"{TYPE}","kid":"{key_id}"}}'.encode())


def _name(key: Ed25519PublicKey) -> str:
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:16]


def _pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PermitError(f"{path} cannot be read: {error.strerror}; check the path and who may read it") from error
