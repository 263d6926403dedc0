"""Windows: every store's free slots, as if it had been asked by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from unittest.mock import patch

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain import windows
from omniorder.domain.stores import Slot, Store, slots
from omniorder.domain.windows import Windows
from omniorder.testing import strategies

CHANGE = datetime(2026, 10, 23, 20, tzinfo=UTC)
"""Two nights before clocks in Europe go back."""


def by_itself(store: Store, now: datetime, until: datetime, booked: dict[str, int], most: int) -> tuple[Slot, ...]:
    every = (evolve(slot, booked=booked.get(slot.id, 0)) for slot in slots(store, now=now, until=until))
    return tuple(islice((slot for slot in every if slot.free), most))


def alike(store: Store) -> st.SearchStrategy[Store]:
    """The same store under another id, and perhaps with one thing different."""
    other: st.SearchStrategy[dict[str, Any]] = st.just({})
    other |= st.just({"slot_capacity": store.slot_capacity + 1}) | st.just({"lead": store.lead + timedelta(hours=1)})
    other |= st.just({"name": "another"}) | st.just({"transit": timedelta(hours=7)}) | st.just({"services": ()})
    other |= st.just({"zone": "Pacific/Chatham"}) | st.just({"hours": "We 09:00-12:00"})
    return st.tuples(strategies.store_ids(), other).map(lambda drawn: evolve(store, id=drawn[0], **drawn[1]))


chains = strategies.stores().flatmap(lambda one: st.lists(alike(one), min_size=1, max_size=5))


@given(chains, st.integers(0, 3).map(lambda n: timedelta(hours=17 * n)), st.data())
def test_each_store_has_the_slots_that_it_has_by_itself(
    chain: Sequence[Store], after: timedelta, data: st.DataObject
) -> None:
    """In any order, with any of the first slots booked, at once or after a transfer, across a change of clocks."""
    until = CHANGE + timedelta(days=4)
    first = [slot.id for store in chain for slot in slots(store, now=CHANGE, until=until, limit=3)]
    booked = {slot: data.draw(st.sampled_from([1, 20, 60])) for slot in first if data.draw(st.booleans())}
    found = Windows(booked, now=CHANGE, until=until, most=4)
    for store in [*chain, *chain]:
        for wait in (timedelta(0), after):
            assert found.free(store, after=wait) == by_itself(store, CHANGE + wait, until, booked, 4)


def test_a_chain_that_shares_its_hours_reads_them_once() -> None:
    chain = [Store(f"S{n:03}", zone="Europe/Sofia", hours="Mo-Sa 08:00-21:00", name=f"Store {n}") for n in range(50)]
    found = Windows({}, now=CHANGE, until=CHANGE + timedelta(days=7), most=12)
    with patch.object(windows, "slots", wraps=slots) as read:
        assert [len(found.free(store)) for store in chain] == [12] * 50
    assert read.call_count == 1
