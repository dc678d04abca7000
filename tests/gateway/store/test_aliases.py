"""What aliases answer from: promoted, rolled back, by many at once, and never to what cannot answer."""

from __future__ import annotations

import itertools
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from samples import NOW_US, adapter

from gateway.store.aliases import previous
from gateway.store.database import Store
from gateway.store.errors import StoreRefused
from gateway.store.records import AdapterState, Alias, By

if TYPE_CHECKING:
    from collections.abc import Callable

BY = By("kim", "a reason", NOW_US)
VERSIONS = ("1", "2", "3")


def stock(store: Store) -> None:
    """Three loaded adapters and an alias on the base."""
    for version in VERSIONS:
        store.adapters.register(adapter(version), BY)
        store.adapters.move(f"aiops@{version}", AdapterState.LOADED, BY)
    store.aliases.make("default", "base", BY)


def test_an_alias_is_made_once_and_promoted(store: Store) -> None:
    stock(store)
    assert store.aliases.make("default", "aiops@1", BY) is False
    assert store.aliases.promote("default", "aiops@1", By("kim", "", 7)) == Alias("default", "aiops@1", 7)
    assert store.aliases.promote("new", "aiops@2", BY) == Alias("new", "aiops@2", NOW_US)
    assert store.aliases.all() == [Alias("default", "aiops@1", 7), Alias("new", "aiops@2", NOW_US)]


def test_promoting_what_it_serves_changes_nothing(store: Store) -> None:
    stock(store)
    store.aliases.promote("default", "aiops@1", By("kim", "", 7))
    before = store.changes.last()
    assert store.aliases.promote("default", "aiops@1", By("lee", "", 8)).changed_us == 7
    assert store.changes.last() == before


def test_rollbacks_undo_promotions_one_by_one(store: Store) -> None:
    """Two promotions, two rollbacks, and then there is nothing left; the book has all of it."""
    stock(store)
    store.aliases.promote("default", "aiops@1", BY)
    store.aliases.promote("default", "aiops@2", BY)
    assert store.aliases.before("default") == "aiops@1"
    assert [store.aliases.rollback("default", BY).adapter for _ in range(2)] == ["aiops@1", "base"]
    with pytest.raises(StoreRefused, match="has served nothing but 'base'"):
        store.aliases.rollback("default", BY)
    actions = [one.action for one in store.changes.about("alias", "default")]
    assert actions == ["made", "promoted", "promoted", "rolled_back", "rolled_back"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda store: store.aliases.promote("default", "aiops@9", BY), "no such adapter"),
        (lambda store: store.aliases.promote("default", "aiops@4", BY), "it is registered, and only what is loaded"),
        (lambda store: store.aliases.rollback("nobody", BY), "does not exist"),
    ],
)
def test_what_cannot_answer_is_not_served(store: Store, change: Callable[[Store], object], words: str) -> None:
    stock(store)
    store.adapters.register(adapter("4"), BY)
    before = (store.aliases.all(), store.changes.last())
    with pytest.raises(StoreRefused, match=words):
        change(store)
    assert (store.aliases.all(), store.changes.last()) == before


def test_a_rollback_to_what_is_not_loaded_any_more_is_refused(store: Store) -> None:
    stock(store)
    store.aliases.promote("default", "aiops@1", BY)
    store.aliases.promote("default", "aiops@2", BY)
    store.adapters.move("aiops@1", AdapterState.REGISTERED, BY)
    with pytest.raises(StoreRefused, match="load it first"):
        store.aliases.rollback("default", BY)


def test_promotes_at_once_are_taken_one_by_one(store: Store, url: str) -> None:
    """Each of them is in the book, each says truly what was served before it, and the last one stands."""
    stock(store)
    others = [Store(url) for _ in range(3)]
    work = [(other, f"aiops@{VERSIONS[(round_ + i) % 3]}") for round_ in range(8) for i, other in enumerate(others)]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda one: one[0].aliases.promote("default", one[1], BY), work))
    told = store.changes.about("alias", "default")
    assert all(later.before == sooner.after for sooner, later in itertools.pairwise(told))
    assert store.aliases.all() == [Alias("default", told[-1].after, NOW_US)]
    numbers = [one.number for one in told]
    assert sorted(set(numbers)) == numbers
    for other in others:
        other.close()


class Book(RuleBasedStateMachine):
    """Promotions and rollbacks in any order: an alias serves what a stack of them would say."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.stack = ["base"]

    @initialize()
    def begin(self) -> None:
        self.store = Store(f"sqlite:///{Path(self.folder.name) / 'store.sqlite'}")
        stock(self.store)

    @rule(wanted=st.sampled_from(["base", *(f"aiops@{version}" for version in VERSIONS)]))
    def promote(self, wanted: str) -> None:
        self.store.aliases.promote("default", wanted, BY)
        if self.stack[-1] != wanted:
            self.stack.append(wanted)

    @rule()
    def rollback(self) -> None:
        if len(self.stack) == 1:
            with pytest.raises(StoreRefused):
                self.store.aliases.rollback("default", BY)
        else:
            self.stack.pop()
            self.store.aliases.rollback("default", BY)

    @rule()
    def restart(self) -> None:
        url = self.store.database.engine.url.render_as_string()
        self.store.close()
        self.store = Store(url)

    @invariant()
    def it_serves_what_the_stack_says(self) -> None:
        if hasattr(self, "store"):
            assert [alias.adapter for alias in self.store.aliases.all()] == [self.stack[-1]]
            before = previous(self.store.changes.about("alias", "default"))
            assert before == (self.stack[-2] if len(self.stack) > 1 else None)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
        self.folder.cleanup()


TestBook = Book.TestCase
TestBook.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
