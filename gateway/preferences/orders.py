"""What is to be mined and from where, for the command line and for whoever trains from a store."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import make_url

from gateway.preferences.datasets import Dataset, Making, Source, write_dataset
from gateway.preferences.mine import PER_USER, Mine
from gateway.store.connection import Database
from gateway.store.errors import StoreError
from gateway.store.evidence import Evidence, Span
from gateway.store.migrate import require_current
from guardrails.guard import Guard
from guardrails.interface import Channel
from guardrails.policy import load_policy

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Order:
    """What is to be mined.

    Attributes:
        store_url: `sqlite:///PATH` or `postgresql://USER@HOST/NAME`.
        policy: The guard's policy that edits must pass; the built-in one without.
    """

    store_url: str
    policy: Path | None = None
    span: Span = Span()  # noqa: RUF009 - frozen
    per_user: int = PER_USER


@contextlib.contextmanager
def mining(order: Order) -> Iterator[tuple[Mine, Making]]:
    """The walk through the store, and what a manifest says of it; its `skipped` fills up as the walk goes on.

    Raises:
        StoreError: There is no such store, or one of another version: mining makes none and changes none.
        PolicyError: The policy cannot be used.
        RuleError: The policy names rules that cannot be used.
    """
    guard = Guard(load_policy(order.policy))

    def stops(text: str) -> bool:
        return guard.examine(text, Channel.OUTPUT).action.stops

    url = make_url(order.store_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise StoreError(f"there is no store at {url.database}. Start a gateway first, or name its store.")
    database = Database(order.store_url)
    try:
        require_current(database)
        walk = Mine(Evidence(database), order.span, stops, order.per_user)
        options = {
            "since_us": order.span.since_us,
            "project": order.span.project,
            "per_user": order.per_user,
            "policy": guard.policy.digest,
        }
        yield walk, Making(datetime.now(UTC), (Source(database.shown),), options, walk.account.skipped)
    finally:
        database.close()


def mine_dataset(order: Order, root: Path, name: str) -> Dataset:
    """Mines into the next version of a dataset under `root`, or the newest one where it holds the same pairs.

    Raises:
        NoPairs: Nothing in the store makes a pair.
        DatasetError: The name is none.
        StoreError: There is no such store, or it cannot be reached.
        PolicyError: The policy cannot be used.
        RuleError: The policy names rules that cannot be used.
    """
    with mining(order) as (walk, making):
        return write_dataset(root, name, None, walk.pairs(), making)
