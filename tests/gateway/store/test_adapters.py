"""An adapter's life: which state may follow which, and that each step is written down."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from samples import NOW_US, adapter

from gateway.store.errors import StoreRefused
from gateway.store.records import LEGAL, AdapterState, By

if TYPE_CHECKING:
    from gateway.store.database import Store

REGISTERED, LOADED, FAILED, RETIRED = AdapterState
WAYS = {
    REGISTERED: (),
    LOADED: (LOADED,),
    FAILED: (FAILED,),
    RETIRED: (RETIRED,),
}
BY = By("kim", "a reason", NOW_US)


@pytest.mark.parametrize(("before", "after"), [*itertools.product(AdapterState, AdapterState)])
def test_only_legal_steps_are_taken(store: Store, before: AdapterState, after: AdapterState) -> None:
    """A step to where it is already changes nothing; any other that the table does not name is refused."""
    store.adapters.register(adapter("1"), BY)
    for state in WAYS[before]:
        store.adapters.move("aiops@1", state, BY)
    if after is before or after in LEGAL[before]:
        assert store.adapters.move("aiops@1", after, BY) is (after is not before)
        expected = after
    else:
        with pytest.raises(StoreRefused, match=f"what is {before} cannot become {after}"):
            store.adapters.move("aiops@1", after, BY)
        expected = before
    kept = store.adapters.get("aiops@1")
    assert kept is not None
    assert kept.state is expected


def test_what_an_alias_serves_can_only_fail(store: Store) -> None:
    store.adapters.register(adapter("1"), BY)
    store.adapters.move("aiops@1", LOADED, BY)
    store.aliases.promote("default", "aiops@1", BY)
    for state in (REGISTERED, RETIRED):
        with pytest.raises(StoreRefused, match="the alias 'default' serves it"):
            store.adapters.move("aiops@1", state, BY)
    assert store.adapters.move("aiops@1", FAILED, BY)


def test_every_step_is_written_down_once(store: Store) -> None:
    """Who, when, why, from where to where; the numbers rise by one over all subjects."""
    store.adapters.register(adapter("1"), BY)
    store.adapters.register(adapter("1"), BY)
    store.aliases.make("default", "base", BY)
    store.adapters.move("aiops@1", LOADED, By("lee", "", NOW_US + 1))
    store.adapters.keep_probe("aiops@1", b'{"lines":[]}', BY)
    told = store.changes.about("adapter", "aiops@1")
    assert [(one.number, one.action, one.before, one.after, one.who) for one in told] == [
        (1, "registered", "", "registered", "kim"),
        (3, "loaded", "registered", "loaded", "lee"),
        (4, "probed", "loaded", "loaded", "kim"),
    ]
    assert (told[0].why, told[0].changed_us, store.changes.last()) == ("a reason", NOW_US, 4)
    kept = store.adapters.get("aiops@1")
    assert kept is not None
    assert kept.probe == b'{"lines":[]}'


def test_a_probe_of_nobody_is_refused(store: Store) -> None:
    with pytest.raises(StoreRefused, match="no such adapter"):
        store.adapters.keep_probe("aiops@1", b"{}", BY)
    assert store.changes.last() == 0
