"""`wardgate pairs mine`: from what people did, and what the guard stopped, to a dataset of pairs."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from gateway.preferences.cli import DONE, NOTHING, Json, Out, keep, refuse, refusing
from gateway.preferences.datasets import Making, Source
from gateway.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.settings import Settings
    from gateway.store.database import Store

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
        result = _mine(settings, since_us=since_us, project=project, per_user=per_user, dataset=dataset, out=out)
        _tell(result, json_=json_, quiet=str(out) == "-")
    return DONE if result["pairs"] else NOTHING


def _mine(
    settings: Settings,
    *,
    since_us: int | None,
    project: str | None,
    per_user: int,
    dataset: str | None,
    out: Path | None,
) -> dict[str, Any]:
    # Half a second of database and parsers, which neither `--help` nor a misspelled flag needs.
    from gateway.preferences.mine import Mine  # noqa: PLC0415
    from gateway.store.evidence import Evidence, Span  # noqa: PLC0415
    from guardrails.guard import Guard  # noqa: PLC0415
    from guardrails.interface import Channel  # noqa: PLC0415
    from guardrails.policy import load_policy  # noqa: PLC0415

    guard = Guard(load_policy(settings.policy))
    opened = _open(settings.store_url)
    try:

        def stops(text: str) -> bool:
            return guard.examine(text, Channel.OUTPUT).action.stops

        walk = Mine(Evidence(opened.database), Span(project, since_us), stops, per_user)
        options = {"since_us": since_us, "project": project, "per_user": per_user, "policy": guard.policy.digest}
        sources = (Source(opened.database.shown),)
        account = walk.account
        result = keep(walk.pairs(), dataset, out, Making(datetime.now(UTC), sources, options, account.skipped))
    finally:
        opened.close()
    signals, skipped = (
        dict(sorted(account.candidates.items())),
        {name: count for name, count in sorted(account.skipped.items()) if count},
    )
    return result | {
        "store": opened.database.shown,
        "exchanges": account.exchanges,
        "pairs": account.pairs,
        "signals": signals,
        "skipped": skipped,
    }


def _open(url: str) -> Store:
    """The store, if it is there: whoever mines makes none."""
    from sqlalchemy import make_url  # noqa: PLC0415 - see above

    from gateway.store.database import Store  # noqa: PLC0415 - see above

    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        refuse("mine", f"--store: there is no store at {parsed.database}. Start a gateway first, or name its store.")
    return Store(url)


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
    out.write(f"{result['pairs']} pairs from {result['exchanges']} exchanges: {place}\n")
    out.writelines(f"  {signal.replace('_', ' ')}: {count}\n" for signal, count in result["signals"].items())
    for reason, count in result["skipped"].items():
        out.write(f"  left out, {reason.replace('.', ': ').replace('_', ' ')}: {count}\n")
