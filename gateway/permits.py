"""Signs verdicts: for the commands of an answer, and for what the guard alone was asked about."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from gateway.access import write_private
from guardrails.given import Given
from guardrails.interface import Action
from guardrails.permits.interface import PermitError
from guardrails.permits.issue import Issuer
from guardrails.permits.keys import SigningKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.account import Account
    from gateway.protocols.chat_answer import ChoiceResult
    from guardrails.guard import Guard

HOME = "home"
LENGTH = "length"  # the finish reason of an answer that ran out of tokens


def open_key(setting: str, home: Path) -> SigningKey | None:
    """The key that `permit_key` names; None where it names none.

    `home` stands for `permits.pem` in the home, made on first use with `permits.pub` beside it.

    Raises:
        PermitError: The file holds no key that can sign, or cannot be read or written.
    """
    if not setting:
        return None
    if setting != HOME:
        return SigningKey.load(Path(setting).expanduser())
    file = home / "permits.pem"
    try:
        if not file.exists():
            _, pem = SigningKey.made()
            write_private(file, pem.decode("ascii"))
        key = SigningKey.load(file)
        file.with_suffix(".pub").write_bytes(key.public_pem)
    except OSError as error:
        raise PermitError(f"{file} cannot be written: {error.strerror}; give a home to write to") from error
    return key


def sign_answer(key: SigningKey, guard: Guard, account: Account, results: list[ChoiceResult]) -> list[dict[str, Any]]:
    """The permits of an answer, each with the slot of its text; none where anything of the exchange was stopped."""
    if account.action is not Action.ALLOW:
        return []
    count = itertools.count()
    issuer = Issuer(
        key,
        guard,
        int(time.time()),
        lambda: f"{account.id}.{next(count)}",
        account.id,
        {name: parameter.value for name, parameter in (account.extras.parameters or {}).items()},
        Given(account.request.words),
    )
    found = []
    for result in results:
        where = f"choices[{result.index}]"
        found += [{"slot": where, **one} for one in issuer.answer(result.sent, cut=result.finish_reason == LENGTH)]
        for index, (tool, arguments) in enumerate(_called(result.tool_calls)):
            if (one := issuer.tool_call(tool, arguments)) is not None:
                found.append({"slot": f"{where}.tool_calls[{index}]", **one})
    return found


def _called(tool_calls: bytes) -> Iterator[tuple[str, str]]:
    """Name and arguments of each call, as whole answers and streams keep them."""
    for call in orjson.loads(tool_calls) if tool_calls else ():
        function = call.get("function", call)
        yield function.get("name") or "", function.get("arguments") or ""
