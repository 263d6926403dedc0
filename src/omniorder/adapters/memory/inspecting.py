"""Inspecting the storage in memory: straight from its tables, under its lock."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from omniorder.adapters.memory.database import Database
from omniorder.adapters.memory.transaction import LONG_AGO
from omniorder.domain.accounts import Account, Hold, Posting
from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import Cart
from omniorder.domain.deliveries import ExpectedDelivery
from omniorder.domain.events import Recorded
from omniorder.domain.handoffs import Handoff
from omniorder.domain.ids import store_of
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise
from omniorder.domain.staging import WAITING
from omniorder.domain.stock import Level, Movement, Reservation
from omniorder.domain.stores import Store
from omniorder.domain.transfers import Transfer
from omniorder.domain.webhooks import Webhook
from omniorder.ports.inspection import (
    BookedSlot,
    Booking,
    Claim,
    Delivery,
    Held,
    Known,
    Listing,
    Staged,
    Tries,
    UsedBin,
)
from omniorder.ports.writes import Answer, Timer


class MemoryInspection:
    """Implements `omniorder.ports.inspection.Inspection`."""

    def __init__(self, db: Database) -> None:
        self._db: Final = db

    def stores(self) -> Iterator[Store]:
        return iter(sorted(self._db.stores.rows(), key=lambda store: store.id))

    def articles(self) -> Iterator[Article]:
        return iter(sorted(self._db.articles.rows(), key=lambda article: article.sku))

    def prices(self) -> Iterator[Price]:
        rows = self._db.prices.items()
        return (price for _, price in sorted(rows, key=lambda item: (*item[0][:3], item[0][3] or LONG_AGO)))

    def levels(self) -> Iterator[Level]:
        return iter(sorted(self._db.levels.rows(), key=lambda level: (level.store, level.sku)))

    def movements(self) -> Iterator[Movement]:
        return iter(sorted(self._db.movements.rows(), key=lambda move: (move.store, move.sku, move.id)))

    def expected(self) -> Iterator[ExpectedDelivery]:
        return (row for _, row in sorted(self._db.expected.items(), key=lambda item: item[0]))

    def reservations(self) -> Iterator[Reservation]:
        return iter(sorted(self._db.reservations.rows(), key=lambda one: (one.store, one.id)))

    def held(self) -> Iterator[Held]:
        ours = (one for one in self._db.reservations.rows() if not one.outside)
        rows = (Held(one.store, line.sku, line.live) for one in ours for line in one.lines)
        return iter(sorted(rows, key=lambda row: (row.store, row.sku)))

    def slots(self) -> Iterator[BookedSlot]:
        rows = sorted(self._db.slots.items(), key=lambda item: item[0])
        return (BookedSlot(store, slot, row.starts, row.places, row.lines) for (store, slot), row in rows)

    def bins(self) -> Iterator[UsedBin]:
        return (UsedBin(store, code, orders) for (store, code), orders in sorted(self._db.bins.items()))

    def staged(self) -> Iterator[Staged]:
        ready = (order for order in self._db.orders.rows() if order.pickup.state in WAITING)
        rows = sorted(ready, key=lambda order: (order.pickup.store, order.pickup.id))
        return (Staged(order.pickup.store, order.id, order.pickup.bins) for order in rows)

    def bookings(self) -> Iterator[Booking]:
        made = self._db.promises.rows()
        worked = (order.pickup for order in self._db.orders.rows())
        rows = [Booking(one.store, one.slot, one.state, len(one.quote.lines)) for one in made]
        rows += [Booking(one.store, one.slot, one.state, one.places) for one in worked]
        return iter(sorted(rows, key=lambda row: (row.store, row.slot)))

    def carts(self) -> Iterator[Cart]:
        return iter(sorted(self._db.carts.rows(), key=lambda cart: cart.id))

    def customers(self) -> Iterator[Known]:
        return (Known(owner, version) for owner, version in sorted(self._db.customers.items()))

    def handoffs(self) -> Iterator[Handoff]:
        return iter(sorted(self._db.handoffs.rows(), key=lambda handoff: handoff.id))

    def promises(self) -> Iterator[Promise]:
        return iter(sorted(self._db.promises.rows(), key=lambda promise: (promise.store, promise.id)))

    def claims(self) -> Iterator[Claim]:
        promises, orders = list(self._db.promises.rows()), list(self._db.orders.rows())
        own = {one.reservation_id for one in promises}
        rows = [Claim(one.store, one.reservation_id, one.id) for one in promises]
        rows += [Claim(leg.store, leg.reservation, leg.transfer) for one in promises for leg in one.legs]
        rows += [Claim(one.source, one.reservation, one.id) for one in self._db.transfers.rows()]
        rows += [Claim(store_of(hold), hold, one.id) for one in orders for hold in one.pickup.holds]
        rows += [Claim(o.pickup.store, o.reservation_id, o.id) for o in orders if o.reservation_id not in own]
        return iter(sorted(rows, key=lambda row: (row.store, row.reservation)))

    def orders(self) -> Iterator[Order]:
        return iter(sorted(self._db.orders.rows(), key=lambda order: (store_of(order.id), order.id)))

    def transfers(self) -> Iterator[Transfer]:
        return iter(sorted(self._db.transfers.rows(), key=lambda one: (one.source, one.id)))

    def webhooks(self) -> Iterator[Webhook]:
        return iter(sorted(self._db.webhooks.rows(), key=lambda one: (one.store, one.id)))

    def listings(self) -> Iterator[Listing]:
        return (Listing(owner, order) for owner, order in sorted(self._db.orders_of))

    def accounts(self) -> Iterator[Account]:
        return iter(sorted(self._db.accounts.rows(), key=lambda account: account.id))

    def holds(self) -> Iterator[Hold]:
        return (hold for _, hold in sorted(self._db.holds.items(), key=lambda item: item[0]))

    def postings(self) -> Iterator[Posting]:
        return (posting for _, posting in sorted(self._db.postings.items(), key=lambda item: item[0]))

    def timers(self) -> Iterator[Timer]:
        rows = sorted(self._db.timers.items(), key=lambda item: item[0])
        return (Timer(store, subject, due.at) for (store, subject), due in rows)

    def journal(self) -> Iterator[Recorded]:
        rows = sorted(self._db.journal.items(), key=lambda item: item[0])
        return (entry.recorded for _, entry in rows)

    def deliveries(self) -> Iterator[Delivery]:
        return (Delivery(consumer, *event) for consumer, event in sorted(self._db.deliveries))

    def consumers(self) -> Iterator[str]:
        return iter(sorted(self._db.consumers))

    def tries(self) -> Iterator[Tries]:
        return (Tries(*key, count) for key, count in sorted(self._db.tries.items()))

    def answers(self) -> Iterator[Answer]:
        return iter(sorted(self._db.answers.rows(), key=lambda answer: (answer.home, answer.scope, answer.key)))

    def sizes(self) -> Mapping[str, int]:
        db = self._db
        return {
            "stores": len(db.stores), "articles": len(db.articles), "prices": len(db.prices), "levels": len(db.levels),
            "movements": len(db.movements), "expected": len(db.expected),
            "reservations": len(db.reservations), "carts": len(db.carts),
            "customers": len(db.customers), "handoffs": len(db.handoffs),
            "promises": len(db.promises), "orders": len(db.orders), "transfers": len(db.transfers),
            "accounts": len(db.accounts), "holds": len(db.holds), "postings": len(db.postings),
            "webhooks": len(db.webhooks),
            "listings": len(db.orders_of), "timers": len(db.timers), "journal": len(db.journal),
            "deliveries": len(db.deliveries),
            "tries": len(db.tries), "answers": len(db.answers),
        }  # fmt: skip

    def find_carts(self, ids: Collection[str]) -> Mapping[str, Cart]:
        return {id: found for id in ids if (found := self._db.carts.get(id))}

    def find_customers(self, owners: Collection[str]) -> Mapping[str, int]:
        return {owner: found for owner in owners if (found := self._db.customers.get(owner))}

    def find_handoffs(self, ids: Collection[str]) -> Mapping[str, Handoff]:
        return {id: found for id in ids if (found := self._db.handoffs.get(id))}

    def find_promises(self, ids: Collection[str]) -> Mapping[str, Promise]:
        return {id: found for id in ids if (found := self._db.promises.get(id))}

    def find_orders(self, ids: Collection[str]) -> Mapping[str, Order]:
        return {id: found for id in ids if (found := self._db.orders.get(id))}

    def find_transfers(self, ids: Collection[str]) -> Mapping[str, Transfer]:
        return {id: found for id in ids if (found := self._db.transfers.get(id))}

    def find_webhooks(self, ids: Collection[str]) -> Mapping[str, Webhook]:
        return {id: found for id in ids if (found := self._db.webhooks.get(id))}

    def find_reservations(self, ids: Collection[str]) -> Mapping[str, Reservation]:
        return {id: found for id in ids if (found := self._db.reservations.get(id))}

    def find_holds(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Hold]:
        return {key: found for key in keys if (found := self._db.holds.get(key))}

    def find_timers(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Timer]:
        return {key: Timer(*key, due.at) for key in keys if (due := self._db.timers.get(key))}

    def find_listings(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
        return {key: 1 for key in keys if self._db.orders_of.get(key)}

    def find_made(self, carts: Collection[str]) -> Mapping[str, frozenset[str]]:
        made: defaultdict[str, set[str]] = defaultdict(set)
        for promise in self._db.promises.rows():
            made[promise.cart_id].add(promise.id)
        return {id: frozenset(made[id]) for id in carts if id in made}

    def find_lengths(self, streams: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
        last: Counter[tuple[str, str]] = Counter()
        for home, stream, seq in self._db.journal:
            last[home, stream] = max(last[home, stream], seq)
        return {stream: last[stream] for stream in streams if stream in last}
