"""Offers for a whole basket: what every store could promise of it, asked of the ports in a handful of questions.

However many stores there are, each port is asked once. What stores have in common is then worked out once: windows of
the same hours (`Windows`), quotes of the same prices (`_Quotes`), and what everybody has on the shelves (`Shelves`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from attrs import frozen

from omniorder.domain import promises
from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import Cart
from omniorder.domain.channels import Channel
from omniorder.domain.money import Money
from omniorder.domain.offers import Available, Offer, Reason, WithTransfer, distance
from omniorder.domain.promises import Promise, Quote, QuoteLine
from omniorder.domain.ranking import SourcingPolicy
from omniorder.domain.sourcing import Donor, Shelves, Sourcing
from omniorder.domain.store_services import Service
from omniorder.domain.stores import Point, Slot, Store
from omniorder.domain.windows import Windows
from omniorder.errors import InvalidMoney
from omniorder.services.parts import Parts


def offers(
    parts: Parts, channel: Channel, cart: Cart, live: Promise | None, *, near: Point | None, by: datetime | None
) -> tuple[Offer, ...]:
    """Every store where customers collect, best first by the hub's policy.

    `live` is the cart's own promise: what it holds is not in its own way. `by` is when the customer wants to have it:
    only slots that start before it count.
    """
    now, limits = parts.clock.now(), parts.settings
    until = now + limits.slot_horizon
    stores = parts.stores.all()
    names = [store.id for store in stores]
    demand = cart.demand()
    skus = sorted(demand)
    articles = parts.catalogue.articles(skus)
    prices = parts.prices.prices(skus, stores=names, channel=channel, at=now)
    with parts.storage.reading() as tx:
        stock = dict(parts.inventory.available(tx, skus, names))
        booked = dict(tx.booked(names, now, until))
    if live is not None:
        booked[live.slot] = booked.get(live.slot, 1) - 1
        for line in live.quote.lines:
            stock[live.store, line.sku] = stock.get((live.store, line.sku), 0) + line.quantity
    shelves = Shelves(demand, stock)
    survey = _Survey(
        near=near,
        by=by,
        shelves=shelves,
        all_here=tuple(Available(sku, units, units) for sku, units in shelves.demand.items()),
        windows=Windows(booked, now=now, until=until, most=limits.slots_offered),
        quotes=_Quotes(cart, articles, prices, live),
        senders=_Senders(parts.sourcing, stores, shelves),
    )
    return parts.sourcing.ranking.order(survey.offer(store) for store in stores if store.collects)


@frozen
class _Survey:
    """What is known when one store after the other is looked at."""

    near: Point | None
    by: datetime | None
    shelves: Shelves
    all_here: tuple[Available, ...]
    windows: Windows
    quotes: _Quotes
    senders: _Senders

    def offer(self, store: Store) -> Offer:
        """What this store could promise."""
        shelf = self.shelves.at(store.id)
        short = {
            sku: Available(sku, wanted, shelf.get(sku, 0))
            for sku, wanted in self.shelves.demand.items()
            if shelf.get(sku, 0) < wanted
        }
        available = tuple(short.get(full.sku, full) for full in self.all_here) if short else self.all_here
        quote, unpriced = self.quotes.at(store.id)
        free = self.windows.free(store)
        slots = self._in_time(free)
        reasons = [*map(_short, short.values()), *unpriced]
        if not slots:
            reasons.append(self._no_slot(store, free))
        # with a transfer it is no earlier and no cheaper: that helps against want of units only
        sent = self._with_transfer(store) if short and len(reasons) == len(short) else None
        return Offer(store, distance(self.near, store), quote, slots, tuple(reasons), available, sent)

    def _in_time(self, slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
        return slots if self.by is None else tuple(slot for slot in slots if slot.starts < self.by)

    def _no_slot(self, store: Store, free: tuple[Slot, ...]) -> Reason:
        if free and self.by is not None:
            facts = {"store": store.id, "by": self.by.isoformat(), "earliest": free[0].starts.isoformat()}
            return Reason("slot.too_late", facts)
        return Reason("slot.unavailable", {"store": store.id, "reason": "none_free"})

    def _with_transfer(self, store: Store) -> WithTransfer | None:
        sourcing = self.senders.complete(store)
        if sourcing is None:
            return None
        slots = self._in_time(self.windows.free(store, after=sourcing.arrives_in))
        return WithTransfer(sourcing, slots) if slots else None


def _short(lack: Available) -> Reason:
    return Reason("stock.short", {"sku": lack.sku, "wanted": lack.wanted, "available": lack.available})


class _Quotes:
    """What the basket costs at each store. Where all prices are alike, so are the quotes."""

    def __init__(
        self,
        cart: Cart,
        articles: Mapping[str, Article],
        prices: Mapping[tuple[str, str], Price],
        live: Promise | None,
    ) -> None:
        self._cart: Final = cart
        self._articles: Final = articles
        self._prices: Final = prices
        self._live: Final = live if live is not None and live.lines_version == cart.lines_version else None
        self._skus: Final = sorted(cart.demand())
        self._kinds: Final[dict[int, tuple[Price, int]]] = {}
        self._alike: Final[dict[tuple[Money, int, Decimal], int]] = {}
        self._lines: Final[dict[tuple[str, int], QuoteLine]] = {}
        self._known: Final[dict[tuple[int, ...], tuple[Quote | None, tuple[Reason, ...]]]] = {}

    def at(self, store: str) -> tuple[Quote | None, tuple[Reason, ...]]:
        """The quote at this store, and what stands in its way.

        A live promise's own price is honoured until it lapses.
        """
        prices = {sku: price for sku in self._skus if (price := self._prices.get((store, sku))) is not None}
        missing = [sku for sku in self._skus if sku not in prices or sku not in self._articles]
        quote, reasons = (None, _unpriced(store, missing)) if missing else self._quote(prices)
        if self._live is not None and self._live.store == store:
            return self._live.quote, _unpriced(store, missing)
        return quote, reasons

    def _quote(self, prices: Mapping[str, Price]) -> tuple[Quote | None, tuple[Reason, ...]]:
        kinds = tuple(map(self._kind, prices.values()))
        known = self._known.get(kinds)
        if known is None:
            try:
                known = promises.summed(self._priced(prices)), ()
            except InvalidMoney as impossible:
                known = None, (Reason(impossible.code, impossible.facts),)
            self._known[kinds] = known
        return known

    def _priced(self, prices: Mapping[str, Price]) -> list[QuoteLine]:
        lines: list[QuoteLine] = []
        for line in self._cart.lines:
            price = prices[line.sku]
            key = (line.id, self._kind(price))
            if key not in self._lines:
                self._lines[key] = promises.priced(line, self._articles[line.sku], price)
            lines.append(self._lines[key])
        return lines

    def _kind(self, price: Price) -> int:
        """A number for what matters of a price to a quote. Each object is looked at once, and kept meanwhile."""
        known = self._kinds.get(id(price))
        if known is None:
            value = (price.amount, price.per, price.tax)
            known = self._kinds[id(price)] = price, self._alike.setdefault(value, len(self._alike))
        return known[1]


def _unpriced(store: str, skus: Iterable[str]) -> tuple[Reason, ...]:
    return tuple(Reason("price.missing", {"store": store, "sku": sku}) for sku in skus)


class _Senders:
    """The stores that send goods to others, and what they have in all."""

    def __init__(self, policy: SourcingPolicy, stores: Iterable[Store], shelves: Shelves) -> None:
        self._policy: Final = policy
        self._shelves: Final = shelves
        self._stores: Final = [
            store for store in stores if Service.SHIP_TO_STORE in store.services and shelves.at(store.id)
        ]
        self._units: Final[dict[str, int]] = {}
        for store in self._stores:
            for sku, units in shelves.at(store.id).items():
                self._units[sku] = self._units.get(sku, 0) + units

    def complete(self, store: Store) -> Sourcing | None:
        """How they and this store have it all between them; None where they haven't."""
        here = self._shelves.at(store.id)
        sends = Service.SHIP_TO_STORE in store.services  # then what is here was counted above
        for sku, wanted in self._shelves.demand.items():
            if self._units.get(sku, 0) + (0 if sends else here.get(sku, 0)) < wanted:
                return None
        donors = [self._donor(sender, store) for sender in self._stores if sender.id != store.id]
        return self._shelves.plan(store.id, donors, self._policy.strategy)

    def _donor(self, sender: Store, store: Store) -> Donor:
        cost = self._policy.cost(sender, store) if self._policy.cost is not None else None
        return Donor(sender.id, sender.transit, distance(sender.place, store), cost)
