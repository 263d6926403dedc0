"""Orders as those see them who work for the retailer: what they cost in the end, and how their money was booked."""

from __future__ import annotations

from attrs import frozen

from omniorder.domain import bookkeeping
from omniorder.domain.actors import Associate
from omniorder.domain.bookkeeping import Entry
from omniorder.domain.orders import Order
from omniorder.domain.unreturned import OpenRefund, open_refunds
from omniorder.errors import NotFound
from omniorder.ports.storage import Transaction
from omniorder.services.access import order_for
from omniorder.services.paging import Page, cursor, limited, position
from omniorder.services.refunds import CorrectedOrders
from omniorder.services.units import reading


@frozen
class StaffOrders(CorrectedOrders):
    """The orders of a store, or (for the system) of all."""

    def refunds(self, store: str | None = None, *, after: str | None = None, limit: int = 50) -> Page[OpenRefund]:
        """Refunds of orders placed at a store (an associate's own) that have not arrived: on their way, or refused.

        By order id. All of one order are on one page, which may have more than `limit` for that. Raises `NotFound`
        (also without a store, for those who have none), `InvalidId`.
        """
        most = limited(limit, self.parts.settings.page_limit)
        actor = self.touch.actor
        home = actor.store if store is None and isinstance(actor, Associate) else store or ""
        if not self.touch.works_at(home) or self.parts.stores.store(home) is None:
            raise NotFound("store", home)
        place = position(after, str)
        last: str | None = place[0] if place else None
        items: list[OpenRefund] = []
        while True:
            found = self._unreturned(home, last, most)
            for order in found:
                more = open_refunds(order)
                if items and len(items) + len(more) > most:
                    return Page(tuple(items), cursor(last or ""))
                items += more
                last = order.id
            if len(found) < most:
                return Page(tuple(items), None)

    def _unreturned(self, home: str, after: str | None, limit: int) -> tuple[Order, ...]:
        return reading(self.parts, lambda tx: tx.unreturned(home, after=after, limit=limit))

    def ledger(self, order_id: str) -> tuple[Entry, ...]:
        """The order's money as balanced entries, the oldest first: see `omniorder.domain.bookkeeping`.

        Raises `NotFound`.
        """

        def read(tx: Transaction) -> tuple[Entry, ...]:
            order = order_for(self.touch, tx, order_id)
            journal = tx.journal(order.store, order.id, after=0, limit=order.version)
            return bookkeeping.entries(order, journal)

        return reading(self.parts, read)
