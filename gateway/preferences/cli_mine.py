"""`wardgate pairs mine`: from what people did, and what the guard stopped, to a dataset of pairs."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from gateway.preferences.cli import DONE, NOTHING, Json, Out, keep, many, refuse, refusing
from gateway.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.preferences.orders import Order

_AGO = re.compile(r"(\d{1,4})([dh])")
_UNITS = {"d": "days", "h": "hours"}


def mine(
    *,
    store: str | None = None,
    since: str | None = None,
    project: str | None = None,
    dataset: str | None = None,
    out: Out | None = None,
    per_user: Annotated[int, Parameter(name="--per-user")] = 200,
    policy: Path | None = None,
    json_: Json = False,
) -> int:
    """Make preference pairs of edits, comparisons, thumbs, regenerated answers, blocks and wrong blocks.

    Reads the store while a gateway writes to it, and writes nothing there. The same store gives the same pairs, byte by
    byte; what became no pair is counted by reason. Exit status: 0 done, 1 there were no pairs, 2 bad use.

    Example: wardgate pairs mine --since 7d --dataset incidents

    Parameters
    ----------
    store
        sqlite:///PATH or postgresql://USER@HOST/NAME; otherwise that of WARDGATE_HOME.
    since
        Only exchanges that were asked for then or later: a date, a moment (2026-11-01T08:00Z), or 7d or 12h ago.
    project
        Only this project's exchanges; otherwise every project's, and none is ever paired with another's.
    dataset
        NAME, for the next version, or NAME@VERSION; kept in WARDGATE_HOME.
    out
        A file instead of a dataset; - for standard output.
    per_user
        At most so many pairs of one user, the heaviest first, so that nobody is heard more than the others.
    policy
        The guard's policy that edits must pass; otherwise the one that is set, or the built-in one.
    json_
        Print the result as one line of JSON.
    """
    with refusing("mine"), _refusing_store():
        if (dataset is None) is (out is None):
            refuse("mine", "say where the pairs go: --dataset NAME or --out FILE")
        if per_user < 1:
            refuse("mine", f"--per-user: {per_user} is not above 0. Leave it out for 200.")
        since_us = None if since is None else _moment(since)
        settings = load_settings(os.environ, None, {"store": store, "policy": policy})
        # Half a second of database and parsers, which neither `--help` nor a misspelled flag needs.
        from gateway.preferences.orders import Order  # noqa: PLC0415
        from gateway.store.evidence import Span  # noqa: PLC0415

        order = Order(settings.store_url, settings.policy, Span(project, since_us), per_user)
        result = _mine(order, dataset, out)
        _tell(result, json_=json_, quiet=str(out) == "-")
    return DONE if result["pairs"] else NOTHING


def _mine(order: Order, dataset: str | None, out: Path | None) -> dict[str, Any]:
    from gateway.preferences.orders import mining  # noqa: PLC0415 - see above

    with mining(order) as (walk, making):
        result = keep(walk.pairs(), dataset, out, making)
    account = walk.account
    return result | {
        "store": making.sources[0].name,
        "exchanges": account.exchanges,
        "pairs": account.pairs,
        "signals": dict(sorted(account.candidates.items())),
        "skipped": {reason: count for reason, count in sorted(account.skipped.items()) if count},
    }


def _moment(text: str) -> int:
    """Microseconds since the epoch; a moment without a zone is UTC."""
    if (ago := _AGO.fullmatch(text)) is not None:
        then = datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return int(then.timestamp()) * 1_000_000
    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        refuse("mine", f"--since: {text!r} is no moment. Write 2026-11-01, 2026-11-01T08:00Z, 7d or 12h.")
    return int((then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp() * 1_000_000)


@contextlib.contextmanager
def _refusing_store() -> Iterator[None]:
    from gateway.store.errors import StoreError  # noqa: PLC0415 - see above
    from guardrails.commands.rules import RuleError  # noqa: PLC0415 - see above
    from guardrails.policy import PolicyError  # noqa: PLC0415 - see above

    try:
        yield
    except (StoreError, PolicyError, RuleError) as error:
        refuse("mine", str(error))


def _tell(result: dict[str, Any], *, json_: bool, quiet: bool) -> None:
    out = sys.stderr if quiet else sys.stdout
    if json_:
        out.write(f"{json.dumps(result)}\n")
        return
    place = result.get("dataset") or result.get("out") or "nothing was written"
    out.write(f"{many(result['pairs'], 'pair')} from {many(result['exchanges'], 'exchange')}: {place}\n")
    out.writelines(f"  {signal.replace('_', ' ')}: {count}\n" for signal, count in result["signals"].items())
    for reason, count in result["skipped"].items():
        out.write(f"  left out, {reason.replace('.', ': ').replace('_', ' ')}: {count}\n")
