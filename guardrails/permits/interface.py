"""Permits: signed verdicts, so that what runs commands can refuse what was never judged.

A permit is a JSON Web Signature in its compact form (RFC 7515, 7519, 8037): `HEADER.CLAIMS.SIGNATURE`, each part
base64url without padding. What is signed is the ASCII text `HEADER.CLAIMS` as it travels, so nobody has to write JSON
the same way twice. Signed with Ed25519; who can check cannot sign.

    header   {"alg":"EdDSA","typ":"wardgate-permit+jwt","kid":KEY}, these bytes in this order and no others
    KEY      first 16 hex digits of the SHA-256 of the public key's DER form:
             openssl pkey -pubin -in permits.pub -outform DER | sha256sum
    claims   jti         the permit's own name, letters, digits and `._:-`; a runner takes each but once
             iat, exp    whole seconds since 1970: when it was issued, and from when on it holds no longer
             command     the exact text that was judged; of a tool call its arguments, as they were sent
             shell       bash, powershell, cmd or sql: the language it was judged in, and no other
             tool        of a tool call the function's name; `shell` is missing then
             parameters  {name: text} bound into the request that the answer came from
             policy      digest of the policy that judged
             rules       digest of the rules and runbooks that judged
             inference   the answer it came with; empty where the guard was asked alone

A checker takes the key that its `kid` names from those it was given, never from the permit; compares the header byte
for byte; refuses base64 that is written in any but the one way; checks the signature before it reads a claim; and then
wants `iat - skew <= now < exp + skew` and the very command, in the very shell, that it is about to run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPE = "wardgate-permit+jwt"
LIFETIME = 300
"""Seconds a permit holds where policy says nothing else."""
SKEW = 5
"""Seconds two machines' clocks may differ."""


class PermitError(Exception):
    """Nothing can be signed or checked: a key, a list of keys or a command that is unfit for it."""


class Reason(StrEnum):
    """Why a permit is not valid for what a runner wants to run."""

    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    OTHER_COMMAND = "other_command"
    OTHER_SHELL = "other_shell"
    OTHER_TOOL = "other_tool"
    OTHER_PARAMETERS = "other_parameters"
    OTHER_POLICY = "other_policy"
    OTHER_RULES = "other_rules"
    SEEN = "seen"


class PermitRefused(Exception):
    """The permit does not let the command run.

    Attributes:
        reason: For programs.
        message: For a person.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class Permit:
    """The claims; see the module's text. `shell` is None for a tool call, `tool` empty for a command."""

    id: str
    issued: int
    expires: int
    command: str
    policy: str
    rules: str
    shell: Shell | None = Shell.BASH
    tool: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    inference: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a runner is about to run.

    Attributes:
        command: The exact text; of a tool call its arguments.
        shell: What will run it; not looked at for a tool call.
        tool: The function's name; empty for a command.
        parameters: What was bound into the request; None where the runner does not know.
        policy: Digest of the only policy it trusts; None for any.
        rules: Digest of the only rules it trusts; None for any.
    """

    command: str
    shell: Shell = Shell.BASH
    tool: str = ""
    parameters: Mapping[str, str] | None = None
    policy: str | None = None
    rules: str | None = None
