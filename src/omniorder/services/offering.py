"""Offers for a whole basket: what every store could promise of it, asked of the ports in a handful of questions.

However many stores there are, each port is asked once. What stores have in common is then worked out once: windows of
the same hours (`Windows`), quotes of the same prices (`_Quotes`), and what everybody has on the shelves (`Shelves`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from attrs import frozen

from omniorder.domain import promises
from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import Cart, CartLine
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
            sku: Available(sku, wanted, units)
            for sku, wanted in self.shelves.demand.items()
            if (units := shelf.get(sku, 0)) < wanted
        }
        available = tuple(short.get(full.sku, full) for full in self.all_here) if short else self.all_here
        quote, unpriced = self.quotes.at(store.id)
        free = self.windows.free(store)
        slots = self._in_time(free)
        reasons = [*map(_short, short.values()), *unpriced]
        if not slots:
            reasons.append(self._no_slot(store, free))
        # with a transfer it is no earlier and no cheaper: that helps against want of units only
        sent = self._with_transfer(store, short.values()) if short and len(reasons) == len(short) else None
        return Offer(store, distance(self.near, store), quote, slots, tuple(reasons), available, sent)

    def _in_time(self, slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
        return slots if self.by is None else tuple(slot for slot in slots if slot.starts < self.by)

    def _no_slot(self, store: Store, free: tuple[Slot, ...]) -> Reason:
        if free and self.by is not None:
            facts = {"store": store.id, "by": self.by.isoformat(), "earliest": free[0].starts.isoformat()}
            return Reason("slot.too_late", facts)
        return Reason("slot.unavailable", {"store": store.id, "reason": "none_free"})

    def _with_transfer(self, store: Store, short: Iterable[Available]) -> WithTransfer | None:
        sourcing = self.senders.complete(store, short)
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
        self._met: Final[list[Price | None]] = []
        self._kinds: Final[dict[int, int]] = {}
        self._alike: Final[dict[tuple[Money, int, Decimal], int]] = {}
        self._lines: Final[dict[tuple[str, int], QuoteLine]] = {}
        self._known: Final[dict[tuple[int, ...], tuple[Quote | None, tuple[Reason, ...]]]] = {}

    def at(self, store: str) -> tuple[Quote | None, tuple[Reason, ...]]:
        """The quote at this store, and what stands in its way.

        A live promise's own price is honoured until it lapses.
        """
        find = self._prices.get
        prices = [find((store, sku)) for sku in self._skus]
        kinds = tuple([self._kinds.get(id(price)) or self._kind(price) for price in prices])
        missing = self._missing(kinds)
        if self._live is not None and self._live.store == store:
            quote: Quote | None = self._live.quote
            reasons: tuple[Reason, ...] = ()
        elif missing:
            quote, reasons = None, ()
        else:
            quote, reasons = self._quote(kinds, prices)
        return quote, (*(Reason("price.missing", {"store": store, "sku": sku}) for sku in missing), *reasons)

    def _missing(self, kinds: tuple[int, ...]) -> list[str]:
        return [
            sku for sku, kind in zip(self._skus, kinds, strict=True) if kind == _NO_PRICE or sku not in self._articles
        ]

    def _quote(self, kinds: tuple[int, ...], prices: Sequence[Price | None]) -> tuple[Quote | None, tuple[Reason, ...]]:
        known = self._known.get(kinds)
        if known is None:
            found = {sku: (kind, price) for sku, kind, price in zip(self._skus, kinds, prices, strict=True) if price}
            try:
                known = promises.summed([self._line(line, *found[line.sku]) for line in self._cart.lines]), ()
            except InvalidMoney as impossible:
                known = None, (Reason(impossible.code, impossible.facts),)
            self._known[kinds] = known
        return known

    def _line(self, line: CartLine, kind: int, price: Price) -> QuoteLine:
        key = (line.id, kind)
        if key not in self._lines:
            self._lines[key] = promises.priced(line, self._articles[line.sku], price)
        return self._lines[key]

    def _kind(self, price: Price | None) -> int:
        """A number for what matters of a price to a quote; none is a kind too. Each object is looked at once."""
        if price is None:
            kind = _NO_PRICE
        else:
            kind = self._alike.setdefault((price.amount, price.per, price.tax), _NO_PRICE + 1 + len(self._alike))
        self._met.append(price)  # while it is here, nothing else has its id
        self._kinds[id(price)] = kind
        return kind


_NO_PRICE: Final = 1


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

    def complete(self, store: Store, short: Iterable[Available]) -> Sourcing | None:
        """How they and this store, which is `short` of these, have it all between them; None where they haven't."""
        sends = Service.SHIP_TO_STORE in store.services  # then what is here was counted above
        for lack in short:
            if self._units.get(lack.sku, 0) + (0 if sends else lack.available) < lack.wanted:
                return None
        donors = [self._donor(sender, store) for sender in self._stores if sender.id != store.id]
        return self._shelves.plan(store.id, donors, self._policy.strategy)

    def _donor(self, sender: Store, store: Store) -> Donor:
        cost = self._policy.cost(sender, store) if self._policy.cost is not None else None
        return Donor(sender.id, sender.transit, distance(sender.place, store), cost)
