"""`wardgate adapters …`: what an operator does with adapters, through the gateway that runs on the home.

What needs no vLLM, `list` and `register`, works on the home's store where no gateway runs.
"""

from __future__ import annotations

import getpass
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from gateway.remote import NoGateway, Refused, Remote, home_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.settings import Settings

REFUSED, BAD_USE = 1, 2


@Parameter(name="*", group="Which gateway")
@dataclass(frozen=True, kw_only=True)
class Where:
    """Which gateway is meant, and how its answer is shown."""

    url: Annotated[str | None, Parameter(help="Where it is; by default the one that runs on the home.")] = None
    key: Annotated[str | None, Parameter(help="A key with the scope admin; by default the home's.")] = None
    home: Annotated[Path | None, Parameter(help="WARDGATE_HOME; ./var by default.")] = None
    json: Annotated[bool, Parameter(negative="", help="Print the gateway's answer as JSON.")] = False


HERE = Where()


def list_(*, where: Where = HERE) -> int:
    """Show the registered adapters, and which aliases each one serves.

    Example: wardgate adapters list
    """

    def locally(settings: Settings) -> Any:
        from gateway.adapters.offline import listed  # noqa: PLC0415 - the database, where no gateway has it open

        return listed(settings)

    return _do("list", where, lambda gateway: gateway.get("/admin/adapters"), _show_list, locally)


def register(adapter: str, path: Path, /, *, digest: str = "", why: str = "", where: Where = HERE) -> int:
    """Keep a copy of an adapter under a name that nothing else will ever have.

    Example: wardgate adapters register ops@3 runs/ops-3

    Parameters
    ----------
    adapter
        `name@version`.
    path
        The folder in PEFT's layout: adapter_config.json and adapter_model.safetensors.
    digest
        Refuse the adapter unless its digest is this one.
    why
        Kept with the change.
    """
    sent = {"id": adapter, "path": str(path.expanduser().absolute()), "digest": digest, "why": why}

    def locally(settings: Settings) -> Any:
        from gateway.adapters.offline import registered  # noqa: PLC0415 - likewise

        return registered(settings, sent, _me())

    return _do("register", where, lambda gateway: gateway.post("/admin/adapters", sent), _show_one, locally)


def load(adapter: str, /, *, why: str = "", where: Where = HERE) -> int:
    """Have every vLLM load a registered adapter, and see that each answers with its weights.

    Example: wardgate adapters load ops@3
    """
    path = f"/admin/adapters/{adapter}/load"
    return _do("load", where, lambda gateway: gateway.post(path, {"why": why}), _show_one)


def promote(adapter: str, /, *, alias: str, why: str = "", where: Where = HERE) -> int:
    """Have an alias answer from a loaded adapter, or from `base`; requests in flight end as they began.

    Example: wardgate adapters promote ops@3 --alias default
    """
    path, sent = f"/admin/aliases/{alias}/promote", {"adapter": adapter, "why": why}
    return _do("promote", where, lambda gateway: gateway.post(path, sent), _show_alias)


def rollback(*, alias: str, why: str = "", where: Where = HERE) -> int:
    """Have an alias answer from what it did before its last promotion.

    Example: wardgate adapters rollback --alias default
    """
    path = f"/admin/aliases/{alias}/rollback"
    return _do("rollback", where, lambda gateway: gateway.post(path, {"why": why}), _show_alias)


def _do(
    command: str,
    where: Where,
    ask: Callable[[Remote], Any],
    show: Callable[[Any], str],
    locally: Callable[[Settings], Any] | None = None,
) -> int:
    """Ask the gateway, or do it without one, and print what came of it; the exit status."""
    home = home_of(where.home)
    try:
        try:
            answer = ask(Remote.find(home, where.url, where.key))
        except NoGateway:
            if locally is None or where.url is not None:
                raise
            answer = locally(_settings(home))
    except NoGateway as error:
        return _say_no(command, f"{error}.".replace("..", "."), REFUSED)
    except Refused as error:
        return _say_no(command, str(error), BAD_USE if error.code == "invalid_value" else REFUSED)
    print(json.dumps(answer) if where.json else show(answer))  # noqa: T201 - it is what the command is for
    return 0


def _settings(home: Path) -> Settings:
    from gateway.settings import SettingsError, load_settings  # noqa: PLC0415 - half a second of pydantic

    try:
        return load_settings(os.environ, None, {"home": home})
    except SettingsError as error:
        raise NoGateway(str(error)) from error


def _me() -> str:
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user without a name
        return f"cli:{os.getuid()}"


def _say_no(command: str, message: str, status: int) -> int:
    print(f"wardgate adapters {command}: {message}", file=sys.stderr)  # noqa: T201 - it is what the command is for
    return status


def _show_list(answer: Any) -> str:
    rows = [
        (one["id"], one["state"], ", ".join(one["aliases"]) or "-", f"rank {one['rank']}", one["digest"][:12])
        for one in answer["data"]
    ]
    if not rows:
        return "no adapter is registered"
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _show_one(answer: Any) -> str:
    lines = [f"{answer['id']}: {answer['state']}, rank {answer['rank']}, digest {answer['digest'][:12]}"]
    if "replicas" in answer:
        lines.append(
            f"  loaded on {', '.join(answer['replicas'])}; may differ by {answer['tolerance']:.3f} nats a token"
        )
    lines += [f"  warning: {warning}" for warning in answer.get("warnings", ())]
    return "\n".join(lines)


def _show_alias(answer: Any) -> str:
    return f"{answer['name']} answers from {answer['answering'] or answer['adapter']}"
