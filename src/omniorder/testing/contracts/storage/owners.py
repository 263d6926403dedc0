"""Owners: what is theirs, what changes hands, and the count that lets one decide about all of it at a time."""

from __future__ import annotations

from functools import partial

from attrs import evolve

from omniorder.domain import events as e
from omniorder.domain.carts import Cart
from omniorder.domain.orders import Order
from omniorder.errors import StaleWrite
from omniorder.ports.storage import Storage
from omniorder.ports.writes import CartWrite, CustomerWrite, OrderWrite, PromiseWrite, Writes
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import StorageBench, put, read, refuses, together, undone
from omniorder.testing.contracts.storage.carts import edit, start
from omniorder.testing.samples import ANNA, BORIS, HOUR, NOW


def _carts_of(storage: Storage, owner: str = ANNA, limit: int = 99) -> list[Cart]:
    return list(read(storage, lambda tx: tx.carts_of(owner, limit=limit)))


def _orders_of(storage: Storage, owner: str) -> list[Order]:
    return list(read(storage, lambda tx: tx.orders_of(owner, after=None, limit=99)))


def _order(storage: Storage, order_id: str) -> Order | None:
    return read(storage, lambda tx: tx.order(order_id))


def _told(storage: Storage, owner: str = ANNA) -> int:
    return read(storage, lambda tx: tx.customer(owner))


def _count(storage: Storage, before: int, after: int, owner: str = ANNA) -> None:
    put(storage, customers=(CustomerWrite(owner, before, after),))


class OwnerContract(StorageBench):
    """What a storage promises about owners."""

    def test_an_owners_carts_come_oldest_first_in_whatever_state(self, storage: Storage) -> None:
        carts = list(samples.one_of_each(samples.every_cart).values())
        for cart in reversed(carts):
            start(storage, cart)
        assert _carts_of(storage) == [cart for cart in carts if cart.owner == ANNA]

    def test_no_more_carts_come_than_were_asked_for(self, storage: Storage) -> None:
        first, second, _ = (start(storage, samples.cart(number)) for number in (1, 2, 3))
        assert _carts_of(storage, limit=2) == [first, second]

    def test_a_cart_that_changed_hands_is_its_new_owners_alone(self, storage: Storage) -> None:
        before = start(storage, samples.cart())
        after = edit(storage, before, e.CartClaimed(BORIS, ANNA))
        assert (_carts_of(storage), _carts_of(storage, BORIS)) == ([], [after])
        assert read(storage, lambda tx: tx.open_cart(ANNA)) is None
        assert read(storage, lambda tx: tx.open_cart(BORIS)) == after

    def test_a_cart_that_changed_hands_keeps_its_notes(self, storage: Storage) -> None:
        before = start(storage, samples.cart(note="ripe, please"))
        edit(storage, before, e.CartClaimed(BORIS, ANNA), e.LineNoted(before.lines[1].id, "sliced"))
        found = read(storage, lambda tx: tx.cart(before.id))
        assert found is not None
        assert [line.note for line in found.lines] == ["ripe, please", "sliced", ""]

    def test_a_promise_that_changed_hands_is_its_new_owners(self, storage: Storage) -> None:
        before = samples.promise()
        after = evolve(before, owner=BORIS)
        put(storage, promises=(PromiseWrite(None, before),))
        put(storage, promises=(PromiseWrite(before, after),))
        assert read(storage, lambda tx: tx.promise(before.id)) == after

    def test_an_order_that_changed_hands_moves_in_the_lists(self, storage: Storage) -> None:
        moved = samples.order(1, at=NOW)
        kept = [samples.order(2, at=NOW - HOUR), samples.order(3, at=NOW + HOUR, owner=BORIS)]
        put(storage, orders=tuple(OrderWrite(None, order) for order in (moved, *kept)))
        after = samples.after(moved, e.OrderClaimed(BORIS, ANNA))
        put(storage, orders=(OrderWrite(moved, after),))
        assert (_orders_of(storage, ANNA), _orders_of(storage, BORIS)) == ([kept[0]], [kept[1], after])

    def test_an_order_that_changed_hands_keeps_its_notes(self, storage: Storage) -> None:
        cart, order = start(storage, samples.cart()), samples.order()
        put(storage, orders=(OrderWrite(None, order),))
        edit(storage, cart, e.CartClaimed(BORIS, ANNA))
        put(storage, orders=(OrderWrite(order, samples.after(order, e.OrderClaimed(BORIS, ANNA))),))
        found = _order(storage, order.id)
        assert found is not None
        assert found.lines[0].note == "ripe, please"

    def test_an_order_may_change_hands_in_any_state(self, storage: Storage) -> None:
        for name, before in samples.one_of_each(samples.every_order).items():
            after = samples.after(before, e.OrderClaimed("customer:vera", before.owner))
            put(storage, orders=(OrderWrite(None, before),))
            put(storage, orders=(OrderWrite(before, after),))
            assert _order(storage, after.id) == after, name

    # --- the customer's own stream ---

    def test_of_a_customer_nothing_was_told_at_first(self, storage: Storage) -> None:
        _count(storage, 0, 1, BORIS)
        assert _told(storage) == 0

    def test_a_customer_is_counted_on(self, storage: Storage) -> None:
        _count(storage, 0, 1)
        _count(storage, 1, 3)
        assert _told(storage) == 3

    def test_counting_on_from_an_older_number_is_refused(self, storage: Storage) -> None:
        _count(storage, 0, 2)
        for before in (0, 1, 3):
            facts = refuses(storage, StaleWrite, customers=(CustomerWrite(ANNA, before, before + 1),))
            assert (facts["kind"], facts["id"]) == ("customer", ANNA)
        assert _told(storage) == 2

    def test_who_counts_from_an_older_number_writes_nothing_else(self, storage: Storage) -> None:
        _count(storage, 0, 1)
        refuses(storage, StaleWrite, customers=(CustomerWrite(ANNA, 0, 1),), carts=(CartWrite(None, samples.cart()),))
        assert _carts_of(storage) == []

    def test_a_count_that_is_undone_was_never_made(self, storage: Storage) -> None:
        with undone(storage) as tx:
            tx.write(Writes(customers=(CustomerWrite(ANNA, 0, 1),)))
            tx.flush()
        _count(storage, 0, 1)

    def test_of_counts_at_the_same_time_exactly_one_is_kept(self, shared: Storage) -> None:
        for before in (0, 1):
            results = together(*[partial(_count, shared, before, before + 1)] * 4)
            assert [type(result) for result in results if result is not None] == [StaleWrite] * 3
            assert _told(shared) == before + 1
