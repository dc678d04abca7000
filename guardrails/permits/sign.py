"""Writes a permit."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from guardrails.interface import Shell
from guardrails.permits.interface import PermitError
from guardrails.permits.keys import encoded

if TYPE_CHECKING:
    from guardrails.permits.interface import Permit
    from guardrails.permits.keys import SigningKey

NAME = re.compile(r"[A-Za-z0-9._:-]{1,200}")


def sign(permit: Permit, key: SigningKey) -> str:
    """The permit as it travels.

    Raises:
        PermitError: Its command cannot be handed to any shell as it stands, its language is not told, or its name does
            not fit.
    """
    if not signable(permit.command):
        raise PermitError("the command is empty, holds NUL or is no Unicode text, so no shell can be handed it")
    if permit.shell is Shell.AUTO or (permit.shell is None) is not bool(permit.tool):
        raise PermitError("a permit is for one shell that is named, or for one tool")
    if not NAME.fullmatch(permit.id):
        raise PermitError(f"jti = {permit.id!r:.80}: use letters, digits and ._:- only, 200 at most")
    content = json.dumps(claims(permit), separators=(",", ":"))
    signed = f"{key.header}.{encoded(content.encode('ascii'))}"
    return f"{signed}.{key.sign(signed)}"


def signable(command: str) -> bool:
    """Whether a runner can be handed exactly this text."""
    return bool(command.strip()) and "\0" not in command and not any("\ud800" <= one <= "\udfff" for one in command)


def claims(permit: Permit) -> dict[str, Any]:
    """The claims as `guardrails.permits.interface` has them."""
    ran = {"tool": permit.tool} if permit.shell is None else {"shell": permit.shell.value}
    return {
        "jti": permit.id,
        "iat": permit.issued,
        "exp": permit.expires,
        "command": permit.command,
        **ran,
        "parameters": dict(permit.parameters),
        "policy": permit.policy,
        "rules": permit.rules,
        "inference": permit.inference,
    }
