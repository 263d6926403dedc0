"""Windows: every store's free slots, as if it had been asked by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from unittest.mock import patch

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain import windows
from omniorder.domain.slots import Slot, slots
from omniorder.domain.stores import Closure, Store
from omniorder.domain.windows import Windows
from omniorder.ports.writes import NOTHING_BOOKED, SlotUse
from omniorder.testing import strategies

CHANGE = datetime(2026, 10, 23, 20, tzinfo=UTC)
"""Two nights before clocks in Europe go back."""


UNTIL = CHANGE + timedelta(days=4)
BOOKED = (SlotUse(1, 1), SlotUse(20, 20), SlotUse(60, 60), SlotUse(2, 498), SlotUse(0, 0))


def by_itself(store: Store, wait: timedelta, booked: Mapping[str, SlotUse], lines: int) -> tuple[Slot, ...]:
    found: list[Slot] = []
    for slot in slots(store, now=CHANGE, until=UNTIL):
        use = booked.get(slot.id, NOTHING_BOOKED)
        known = evolve(slot, booked=use.orders, lines_booked=use.lines)
        if known.fits(lines) and slot.starts.astimezone(UTC) >= CHANGE + wait + store.lead:
            found.append(known)
    return tuple(found[:4])


def closures() -> st.SearchStrategy[Closure]:
    """Such that take away some of the slots of these days."""
    begins = st.integers(-60, 5000).map(lambda minutes: CHANGE + timedelta(minutes=minutes))
    return st.builds(
        lambda starts, lasts: Closure(starts, starts + timedelta(minutes=lasts)), begins, st.integers(1, 2000)
    )


def alike(store: Store) -> st.SearchStrategy[Store]:
    """The same store under another id, and perhaps with one thing different."""
    other: st.SearchStrategy[dict[str, Any]] = st.just({})
    other |= st.just({"slot_capacity": store.slot_capacity + 1}) | st.just({"lead": store.lead + timedelta(hours=1)})
    other |= st.just({"name": "another"}) | st.just({"transit": timedelta(hours=7)}) | st.just({"services": ()})
    other |= st.just({"zone": "Pacific/Chatham"}) | st.just({"hours": "We 09:00-12:00"})
    other |= st.fixed_dictionaries({"cutoff": st.none() | st.sampled_from([time(0), time(12), time(21), time(23, 30)])})
    other |= st.fixed_dictionaries({"slot_lines": st.none() | st.sampled_from([0, 5, 500])})
    other |= st.fixed_dictionaries({"closed": st.tuples(closures())})
    return st.tuples(strategies.store_ids(), other).map(lambda drawn: evolve(store, id=drawn[0], **drawn[1]))


chains = strategies.stores().flatmap(lambda one: st.lists(alike(one), min_size=1, max_size=5))


@given(chains, st.integers(0, 3).map(lambda n: timedelta(hours=17 * n)), st.integers(1, 10), st.data())
def test_each_store_has_the_slots_that_it_has_by_itself(
    chain: Sequence[Store], after: timedelta, lines: int, data: st.DataObject
) -> None:
    """In any order, with any of the first slots booked, at once or after a transfer, across a change of clocks."""
    first = [slot.id for store in chain for slot in slots(store, now=CHANGE, until=UNTIL, limit=3)]
    booked = {slot: data.draw(st.sampled_from(BOOKED)) for slot in first if data.draw(st.booleans())}
    found = Windows(booked, lines=lines, now=CHANGE, until=UNTIL, most=4)
    for store in [*chain, *chain]:
        for wait in (timedelta(0), after):
            assert found.free(store, after=wait) == by_itself(store, wait, booked, lines)


@given(strategies.stores(), st.integers(0, 60).map(lambda n: timedelta(hours=n)))
def test_without_a_cut_off_goods_that_come_later_are_like_a_basket_that_is_wanted_later(
    store: Store, after: timedelta
) -> None:
    always = evolve(store, cutoff=None, slot_capacity=1, slot_lines=None)
    found = Windows({}, lines=1, now=CHANGE, until=UNTIL, most=4).free(always, after=after)
    assert found == tuple(slots(always, now=CHANGE + after, until=UNTIL, limit=4))


def test_a_chain_that_shares_its_hours_reads_them_once() -> None:
    chain = [Store(f"S{n:03}", zone="Europe/Sofia", hours="Mo-Sa 08:00-21:00", name=f"Store {n}") for n in range(50)]
    found = Windows({}, lines=1, now=CHANGE, until=CHANGE + timedelta(days=7), most=12)
    with patch.object(windows, "slots", wraps=slots) as read:
        assert [len(found.free(store)) for store in chain] == [12] * 50
    assert read.call_count == 1
