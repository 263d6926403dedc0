"""Payments as a list: those of one kind of tender, in the order of their creation, whichever store they are of."""

from __future__ import annotations

from datetime import datetime

from omniorder.domain import events as e
from omniorder.domain import ids
from omniorder.domain.orders import Order
from omniorder.ports.storage import Storage
from omniorder.ports.writes import OrderWrite
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import StorageBench, paged, put
from omniorder.testing.samples import HOUR, MINUTE, NOW

Listed = tuple[datetime, str, Order]
"""When the payment was created, its id, and its order."""


def paid(
    storage: Storage, number: int, *kinds: str, at: datetime = NOW, store: str = samples.SOFIA, gap: int = 0
) -> list[Listed]:
    """Store an order to which a tender of each of these kinds came, each so many minutes after the last."""
    order = samples.order(number, store=store)
    for place, kind in enumerate(kinds):
        new = order.next_payment_id()
        asked = e.AuthoriseRequested(new, ids.attempt_id(new, 1), order.total)
        order = samples.after(order, e.TenderAdded(new, kind, order.total, "tok"), asked, at=at + place * gap * MINUTE)
    put(storage, orders=(OrderWrite(None, order),))
    return [(payment.created_at, payment.id, order) for payment in order.payments]


def listed(
    storage: Storage, kind: str = "card", *, start: datetime = NOW, end: datetime = NOW + 24 * HOUR,
    last: Listed | None = None, limit: int = 99,
) -> list[Listed]:  # fmt: skip
    """Payments of this kind, after the one that was `last` on the page before."""
    with storage.reading() as tx:
        found = tx.paid_by(kind, start=start, end=end, after=last and last[:2], limit=limit)
    return [(order.payment(id).created_at, id, order) for id, order in found]


class PaymentListContract(StorageBench):
    """What a storage promises about the payments of a kind."""

    def test_payments_come_by_creation_from_every_store_with_their_orders(self, storage: Storage) -> None:
        late = paid(storage, 1, "card", at=NOW + 2 * HOUR)
        early = paid(storage, 2, "card", store=samples.VARNA)
        middle = paid(storage, 3, "card", at=NOW + HOUR)
        assert listed(storage) == early + middle + late

    def test_payments_of_another_kind_are_not_listed(self, storage: Storage) -> None:
        card, gift_card = paid(storage, 1, "card", "gift_card")
        assert listed(storage) == [card]
        assert listed(storage, "gift_card") == [gift_card]

    def test_each_payment_of_an_order_is_listed_where_it_belongs(self, storage: Storage) -> None:
        first, second = paid(storage, 1, "card", "card", gap=90)
        [between] = paid(storage, 2, "card", at=NOW + HOUR)
        assert listed(storage) == [first, between, second]

    def test_a_payment_is_in_if_it_was_created_from_start_to_before_end(self, storage: Storage) -> None:
        found = paid(storage, 1, "card", "card", "card", gap=60)
        assert listed(storage, start=NOW + HOUR, end=NOW + 2 * HOUR) == found[1:2]

    def test_paging_through_payments_loses_and_repeats_none(self, storage: Storage) -> None:
        """Also when several were created at the same instant, and while later ones are."""
        placed = [one for n in range(1, 7) for one in paid(storage, n, "card", "card", at=NOW + n // 3 * HOUR)]

        def page(last: Listed | None) -> list[Listed]:
            found = listed(storage, end=NOW + 5 * HOUR, last=last, limit=3)
            assert len(found) <= 3
            if last is not None:
                paid(storage, 100 + sum(map(ord, last[1])), "card", at=NOW + 9 * HOUR)
            return found

        assert paged(page) == sorted(placed, key=lambda one: one[:2])
