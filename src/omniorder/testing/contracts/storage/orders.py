"""Orders: whole aggregates that come back as they were written, and the two lists in which they are found."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from attrs import evolve

from omniorder.domain import events as e
from omniorder.domain.lifecycle import PickupState
from omniorder.domain.orders import Order
from omniorder.errors import AlreadyThere, StaleWrite
from omniorder.ports.storage import Storage
from omniorder.ports.writes import CartWrite, OrderWrite
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import StorageBench, paged, put, read, refuses, together
from omniorder.testing.contracts.storage.carts import edit, start
from omniorder.testing.samples import HOUR, NOW


def place(storage: Storage, order: Order) -> Order:
    """Store a new order."""
    put(storage, orders=(OrderWrite(None, order),))
    return order


def stored(storage: Storage, order: Order) -> Order | None:
    """The order as it comes back."""
    return read(storage, lambda tx: tx.order(order.id))


def coming(storage: Storage, *, last: Order | None = None, limit: int = 100) -> list[Order]:
    """Who comes to the sample store, after `last`."""
    arrival = last.pickup.arrival if last else None
    at = (arrival.arrived_at or arrival.expected_at) if arrival else None
    after = (arrival.arrived_at is not None, at, last.id) if last and arrival and at else None
    return list(read(storage, lambda tx: tx.coming(samples.SOFIA, after=after, limit=limit)))


class OrderContract(StorageBench):
    """What a storage promises about one order."""

    def test_an_order_that_was_never_stored_is_none(self, storage: Storage) -> None:
        assert stored(storage, samples.order()) is None

    def test_an_order_in_any_state_comes_back_as_it_was_written(self, storage: Storage) -> None:
        for name, order in samples.one_of_each(samples.every_order).items():
            place(storage, order)
            assert stored(storage, order) == order, name

    def test_every_step_of_an_order_comes_back(self, storage: Storage) -> None:
        before, *steps = samples.a_life()
        place(storage, before)
        for after in steps:
            put(storage, orders=(OrderWrite(before, after),))
            assert stored(storage, after) == after, (after.state, after.pickup.state)
            before = after

    def test_any_state_is_reached_by_one_write(self, storage: Storage) -> None:
        for number, (name, after) in enumerate(samples.one_of_each(samples.every_order).items(), 1):
            placed = place(storage, samples.order(number))
            put(storage, orders=(OrderWrite(placed, after),))
            assert stored(storage, placed) == after, name

    def test_an_order_line_keeps_its_note_and_labels(self, storage: Storage) -> None:
        order = place(storage, samples.order())
        found = stored(storage, order)
        assert found is not None
        assert (found.lines[0].note, dict(found.lines[0].metadata)) == (
            "ripe, please",
            {"colour": "green", "size": ""},
        )

    def test_a_placed_line_keeps_its_note_when_the_cart_is_changed_later(self, storage: Storage) -> None:
        cart, order = samples.every_cart()["reopened"], samples.order()
        assert [line.id for line in cart.lines] == [line.id for line in order.lines]
        put(storage, carts=(CartWrite(None, cart),), orders=(OrderWrite(None, order),))
        cart = edit(storage, cart, e.LineNoted(cart.lines[0].id, "unripe, please"))
        edit(storage, cart, e.LineRemoved(cart.lines[0].id))
        assert stored(storage, order) == order

    def test_a_cart_keeps_its_note_when_an_order_is_placed_on_it(self, storage: Storage) -> None:
        cart = start(storage, samples.cart())
        place(storage, samples.order())
        assert read(storage, lambda tx: tx.cart(cart.id)) == cart

    def test_what_the_provider_wants_the_customer_to_do_is_not_stored(self, storage: Storage) -> None:
        order = samples.every_order()["action required"]
        shown = evolve(order, payments=tuple(evolve(p, action=samples.ACTION) for p in order.payments))
        place(storage, shown)
        found = stored(storage, order)
        assert found is not None
        assert [payment.action for payment in found.payments] == [None]

    def test_an_order_is_inserted_once(self, storage: Storage) -> None:
        order = place(storage, samples.order())
        other = samples.every_order()["confirmed"]
        facts = refuses(storage, AlreadyThere, orders=(OrderWrite(None, other),))
        assert (facts["kind"], facts["id"]) == ("order", order.id)
        assert stored(storage, order) == order

    def test_a_step_from_an_older_version_is_refused(self, storage: Storage) -> None:
        placed, asked, confirmed, *_ = samples.a_life()
        place(storage, placed)
        put(storage, orders=(OrderWrite(placed, asked),))
        facts = refuses(storage, StaleWrite, orders=(OrderWrite(placed, confirmed),))
        assert (facts["kind"], facts["id"]) == ("order", placed.id)
        assert stored(storage, placed) == asked

    def test_a_step_of_an_order_that_is_not_there_is_refused(self, storage: Storage) -> None:
        placed, asked, *_ = samples.a_life()
        refuses(storage, StaleWrite, orders=(OrderWrite(placed, asked),))

    def test_hand_over_and_no_show_at_once_only_one_happens(self, shared: Storage) -> None:
        life = samples.every_order()
        place(shared, life["ready"])
        afters = [life["handing over"], life["not collected"], life["reissued"]]
        writes = [OrderWrite(life["ready"], after) for after in afters]
        results = together(*(partial(put, shared, orders=(write,)) for write in writes))
        happened = [after for after, result in zip(afters, results, strict=True) if result is None]
        assert len(happened) == 1
        assert stored(shared, life["ready"]) == happened[0]


def due_at(
    storage: Storage, *, start: datetime | None = None, end: datetime | None = None,
    states: Iterable[PickupState] = PickupState, last: Order | None = None, limit: int = 99,
) -> list[Order]:  # fmt: skip
    """The first store's pick-ups, after the one that was `last` on the page before."""
    values = [state.value for state in states]
    after = (last.pickup.starts, last.id) if last else None
    with storage.reading() as tx:
        return list(tx.pickups(samples.SOFIA, start=start, end=end, states=values, after=after, limit=limit))


def orders_of(storage: Storage, *, last: Order | None = None, limit: int = 99) -> list[Order]:
    """Anna's orders, after the one that was `last` on the page before."""
    after = (last.placed_at, last.id) if last else None
    with storage.reading() as tx:
        return list(tx.orders_of(samples.ANNA, after=after, limit=limit))


class OrderListContract(StorageBench):
    """What a storage promises about an owner's orders and a store's pick-ups."""

    def test_an_owners_orders_come_newest_first(self, storage: Storage) -> None:
        hours = {1: 0, 2: 2, 3: 1}
        old, new, middle = (place(storage, samples.order(n, at=NOW + h * HOUR)) for n, h in hours.items())
        assert orders_of(storage) == [new, middle, old]

    def test_orders_of_another_owner_are_not_listed(self, storage: Storage) -> None:
        place(storage, samples.order(1, owner=samples.BORIS))
        assert orders_of(storage) == []

    def test_a_listed_order_is_as_it_is_now(self, storage: Storage) -> None:
        placed, asked, *_ = samples.a_life()
        place(storage, placed)
        put(storage, orders=(OrderWrite(placed, asked),))
        assert orders_of(storage) == [asked]

    def test_orders_in_several_stores_are_in_one_list(self, storage: Storage) -> None:
        first = place(storage, samples.order(1, store=samples.SOFIA))
        second = place(storage, samples.order(2, store=samples.VARNA))
        assert orders_of(storage) == [second, first]

    def test_paging_through_orders_loses_and_repeats_none(self, storage: Storage) -> None:
        """Also when several were placed at the same instant, and while new ones are placed."""
        placed = [place(storage, samples.order(n, at=NOW + n // 3 * HOUR)) for n in range(1, 9)]

        def page(last: Order | None) -> list[Order]:
            found = orders_of(storage, last=last, limit=2)
            assert len(found) <= 2
            if last is not None:
                place(storage, samples.order(100 + int(last.id[-1]), at=NOW + 9 * HOUR))
            return found

        assert paged(page) == sorted(placed, key=lambda order: (order.placed_at, order.id), reverse=True)

    def test_pickups_come_by_window_and_order_id(self, storage: Storage) -> None:
        days = {1: 2, 3: 1, 2: 1}
        late, second, first = (
            place(storage, samples.order(n, starts=samples.slot_starts(day))) for n, day in days.items()
        )
        assert due_at(storage) == [first, second, late]

    def test_pickups_of_another_store_are_not_listed(self, storage: Storage) -> None:
        place(storage, samples.order(1, store=samples.VARNA))
        assert due_at(storage) == []

    def test_pickups_are_chosen_by_state(self, storage: Storage) -> None:
        every = [place(storage, order) for order in samples.one_of_each(samples.every_order).values()]
        wanted = (PickupState.READY, PickupState.TO_PICK)
        found = due_at(storage, states=wanted)
        assert [order.id for order in found] == sorted(o.id for o in every if o.pickup.state in wanted)
        assert due_at(storage, states=()) == []

    def test_a_pickup_is_listed_by_its_state_of_now(self, storage: Storage) -> None:
        life = samples.every_order()
        place(storage, life["confirmed"])
        put(storage, orders=(OrderWrite(life["confirmed"], life["ready"]),))
        assert due_at(storage, states=[PickupState.TO_PICK]) == []
        assert due_at(storage, states=[PickupState.READY]) == [life["ready"]]

    def test_a_window_is_in_if_it_starts_from_start_to_before_end(self, storage: Storage) -> None:
        days = [place(storage, samples.order(day, starts=samples.slot_starts(day))) for day in (1, 2, 3)]
        start, end = samples.slot_starts(2), samples.slot_starts(3)
        assert due_at(storage, start=start, end=end) == days[1:2]
        assert due_at(storage, start=start) == days[1:]
        assert due_at(storage, end=end) == days[:2]

    def test_who_arrived_first_is_listed_first_and_then_who_is_expected_first(self, storage: Storage) -> None:
        """Of this store, and nobody who has not said that they come, or has left again."""
        arrived, soon = e.CustomerArrived("P3"), e.CustomerOnTheWay(NOW + HOUR)
        comes = {
            1: (e.CustomerOnTheWay(NOW + 2 * HOUR),), 2: (soon,), 3: (soon, arrived), 4: (), 5: (arrived,),
            6: (arrived, e.ArrivalWithdrawn()),
        }  # fmt: skip
        for number, events in comes.items():
            order = samples.authorised(samples.order(number))
            place(storage, samples.after(order, *events, at=NOW - number * samples.MINUTE))
        elsewhere = samples.authorised(samples.order(7, store=samples.VARNA))
        place(storage, samples.after(elsewhere, arrived))
        found = [order.id for order in coming(storage)]
        assert found == [samples.order(number).id for number in (5, 3, 2, 1)]

    def test_paging_through_who_comes_loses_and_repeats_nobody(self, storage: Storage) -> None:
        """Also when several arrived at one instant."""
        told = (e.CustomerArrived(), e.CustomerOnTheWay(NOW + HOUR))
        for number in range(1, 9):
            order = samples.authorised(samples.order(number))
            place(storage, samples.after(order, told[number % 2]))
        pages = paged(lambda last: coming(storage, last=last, limit=3))
        assert pages == coming(storage)
        assert len(pages) == 8

    def test_paging_through_pickups_loses_and_repeats_none(self, storage: Storage) -> None:
        """Also when several have the same window."""
        starts = {n: samples.slot_starts(1 + n // 3) for n in range(1, 9)}
        placed = [place(storage, samples.order(n, starts=begins)) for n, begins in starts.items()]

        def page(last: Order | None) -> list[Order]:
            found = due_at(storage, last=last, limit=3)
            assert len(found) <= 3
            return found

        assert paged(page) == sorted(placed, key=lambda order: (order.pickup.starts, order.id))
