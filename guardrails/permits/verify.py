"""Checks a permit against what is about to run; knows no clock and no file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from guardrails.interface import Shell
from guardrails.permits.interface import SKEW, TYPE, Permit, PermitRefused, Reason
from guardrails.permits.keys import decoded
from guardrails.permits.sign import NAME, signable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.permits.interface import Wanted
    from guardrails.permits.keys import VerifyingKey

LONGEST = 4_000_000
"""Characters of a permit; the longest command that is judged fits in."""


def verify(token: str, wanted: Wanted, keys: Sequence[VerifyingKey], now: float, *, skew: float = SKEW) -> Permit:
    """What the permit says, where it lets `wanted` run.

    Args:
        token: The permit as it travelled.
        wanted: What is about to run.
        keys: Those whose permits count.
        now: Seconds since 1970.
        skew: Seconds by which the clocks may differ.

    Raises:
        PermitRefused: It does not.
    """
    permit = _opened(token, keys)
    if now < permit.issued - skew:
        raise PermitRefused(Reason.NOT_YET, f"was issued {permit.issued - now:.0f} s from now; set the clocks right")
    if now >= permit.expires + skew:
        raise PermitRefused(Reason.EXPIRED, f"expired {now - permit.expires:.0f} s ago; have the command judged again")
    if permit.tool != wanted.tool:
        given = f"tool {permit.tool}" if permit.tool else "a command"
        asked = f"tool {wanted.tool}" if wanted.tool else "a command"
        raise PermitRefused(Reason.OTHER_TOOL, f"was given for {given}, not for {asked}")
    if permit.command != wanted.command:
        raise PermitRefused(Reason.OTHER_COMMAND, _difference(permit.command, wanted.command))
    if permit.shell is not None and permit.shell is not wanted.shell:
        raise PermitRefused(Reason.OTHER_SHELL, f"was given for {permit.shell}, not for {wanted.shell}")
    if wanted.parameters is not None and permit.parameters != wanted.parameters:
        names = {*permit.parameters.items()} ^ {*wanted.parameters.items()}
        raise PermitRefused(
            Reason.OTHER_PARAMETERS, f"was given for other parameters: {', '.join(sorted({name for name, _ in names}))}"
        )
    for reason, claim, trusted in (
        (Reason.OTHER_POLICY, permit.policy, wanted.policy),
        (Reason.OTHER_RULES, permit.rules, wanted.rules),
    ):
        if trusted is not None and claim != trusted:
            raise PermitRefused(reason, f"was given under {claim:.16}…, not under {trusted:.16}…")
    return permit


def _opened(token: str, keys: Sequence[VerifyingKey]) -> Permit:
    """What a permit says that one of `keys` signed.

    Raises:
        PermitRefused: It is no permit, or not signed so.
    """
    header, _, rest = token.partition(".")
    body, _, signature = rest.partition(".")
    if len(token) > LONGEST or not token.isascii() or not _is_header(header):
        raise PermitRefused(Reason.MALFORMED, "is no permit: HEADER.CLAIMS.SIGNATURE, as the gateway sent it")
    key = next((key for key in keys if key.header == header), None)
    if key is None:
        raise PermitRefused(Reason.UNKNOWN_KEY, f"was signed by none of the keys {', '.join(key.id for key in keys)}")
    mark = decoded(signature)
    if mark is None or not key.signed(f"{header}.{body}", mark):
        raise PermitRefused(Reason.BAD_SIGNATURE, f"was not signed by the key {key.id} that it names")
    permit = _permit(decoded(body))
    if permit is None:
        raise PermitRefused(Reason.MALFORMED, "is signed, but its claims are not a permit's")
    return permit


def _is_header(text: str) -> bool:
    header = _object(decoded(text))
    return header is not None and header.keys() == {"alg", "typ", "kid"} and header["typ"] == TYPE


def _object(data: bytes | None) -> dict[str, Any] | None:
    try:
        found = json.loads(data) if data is not None else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


_SHELLS = [one.value for one in Shell if one is not Shell.AUTO]
_TEXTS = ("jti", "command", "policy", "rules", "inference")


def _permit(data: bytes | None) -> Permit | None:
    """The claims; None where they are not what `sign` writes."""
    given = _object(data)
    if given is None or not _fits(given):
        return None
    shell = given.get("shell")
    return Permit(
        id=given["jti"],
        issued=given["iat"],
        expires=given["exp"],
        command=given["command"],
        policy=given["policy"],
        rules=given["rules"],
        shell=None if shell is None else Shell(shell),
        tool=given.get("tool", ""),
        parameters=given["parameters"],
        inference=given["inference"],
    )


def _fits(given: dict[str, Any]) -> bool:
    parameters, tool, shell = given.get("parameters"), given.get("tool", ""), given.get("shell")
    return (
        all(isinstance(given.get(name), str) for name in _TEXTS)
        and all(type(given.get(name)) is int for name in ("iat", "exp"))
        and isinstance(parameters, dict)
        and all(isinstance(value, str) for value in parameters.values())
        and isinstance(tool, str)
        and bool(tool) is (shell is None)
        and (shell is None or shell in _SHELLS)
        and NAME.fullmatch(given["jti"]) is not None
        and signable(given["command"])
    )


def _difference(judged: str, asked: str) -> str:
    """Where two commands part, for a person to see a blank or a homoglyph."""
    at = next((at for at, (one, other) in enumerate(zip(judged, asked, strict=False)) if one != other), None)
    at = min(len(judged), len(asked)) if at is None else at
    return (
        f"was given for another command: from character {at} on {judged[at : at + 20]!a}, not {asked[at : at + 20]!a}"
    )
