"""Refunds that have not arrived: the list in which staff finds them, as long as somebody is to look at them again."""

from __future__ import annotations

from omniorder.domain.answers import Approved
from omniorder.domain.orders import Order
from omniorder.domain.payments import Operation
from omniorder.ports.storage import Storage
from omniorder.ports.writes import OrderWrite, TimerWrite
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import StorageBench, paged, put
from omniorder.testing.contracts.storage.orders import place
from omniorder.testing.samples import NOW


def unreturned(storage: Storage, *, store: str = samples.SOFIA, after: str | None = None, limit: int = 99) -> list[str]:
    """The ids of orders placed at a store with a refund that has not worked, after this one."""
    with storage.reading() as tx:
        return [order.id for order in tx.unreturned(store, after=after, limit=limit)]


def with_a_timer(storage: Storage, *orders: Order) -> list[str]:
    """Store new orders that are to be looked at again; their ids in order."""
    for order in orders:
        place(storage, order)
    put(storage, timers=tuple(TimerWrite(order.store, order.id, NOW) for order in orders))
    return sorted(order.id for order in orders)


class RefundListContract(StorageBench):
    """What a storage promises about refunds that did not work."""

    def test_orders_with_a_refund_that_did_not_work_come_by_id(self, storage: Storage) -> None:
        every = samples.one_of_each(samples.every_order).values()
        with_a_timer(storage, *reversed(every))
        waiting = sorted(order.id for order in every if _refunds(order))
        assert len(waiting) > 1
        assert unreturned(storage) == waiting

    def test_an_order_that_nobody_is_to_look_at_any_more_waits_for_no_refund(self, storage: Storage) -> None:
        place(storage, samples.every_order()["refunding"])
        assert unreturned(storage) == []

    def test_a_refund_that_worked_is_no_longer_listed(self, storage: Storage) -> None:
        before = samples.every_order()["refunding"]
        assert unreturned(storage) == []
        assert with_a_timer(storage, before) == unreturned(storage)
        after = samples.heard(before, Approved(before.kept, "re_1"))
        put(storage, orders=(OrderWrite(before, after),))
        assert unreturned(storage) == []

    def test_refunds_of_orders_placed_at_another_store_are_not_listed(self, storage: Storage) -> None:
        with_a_timer(storage, samples.every_order()["refunding"])
        assert unreturned(storage, store=samples.VARNA) == []

    def test_paging_through_refunds_loses_and_repeats_none(self, storage: Storage) -> None:
        placed = with_a_timer(storage, *(samples.every_order(number)["refunding"] for number in range(1, 8)))

        def page(last: str | None) -> list[str]:
            found = unreturned(storage, after=last, limit=3)
            assert len(found) <= 3
            return found

        assert paged(page) == placed


def _refunds(order: Order) -> bool:
    return any(one.operation is Operation.REFUND for payment in order.payments for one in payment.attempts)
