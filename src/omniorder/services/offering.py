"""Offers for a whole basket: what every store could promise of it, asked of the ports in a handful of questions.

However many stores there are, each port is asked once. What stores have in common is then worked out once: windows of
the same hours (`Windows`), quotes of the same prices (`_Quotes`), and what everybody has on the shelves (`Shelves`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from attrs import frozen

from omniorder.domain import promises
from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import Cart, CartLine
from omniorder.domain.channels import Channel
from omniorder.domain.deliveries import Coming
from omniorder.domain.money import Money
from omniorder.domain.offers import Available, Offer, WithTransfer, distance
from omniorder.domain.promises import Promise, Quote, QuoteLine
from omniorder.domain.quantities import Unit, orderable
from omniorder.domain.ranking import SourcingPolicy
from omniorder.domain.slots import Slot
from omniorder.domain.sourcing import Shelves, Sourcing
from omniorder.domain.stores import Point, Store
from omniorder.domain.windows import Windows
from omniorder.errors import InvalidMoney
from omniorder.ports.writes import SlotUse
from omniorder.reasons.tree import Reason
from omniorder.services import coming, outside, sending
from omniorder.services.ledger import Ledger
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
    skus = sorted(cart.demand())
    articles = parts.catalogue.articles(skus)
    prices = parts.prices.prices(skus, stores=names, channel=channel, at=now)
    away = outside.available(parts, names, skus)
    with parts.storage.reading() as tx:
        there = parts.inventory.available(tx, skus, names) if away is None else away
        booked = without(tx.booked(names, now, until), live)
    stock = sending.with_held(there, live)
    # units elsewhere are held in our own books only
    senders = sending.senders(stores) if isinstance(parts.inventory, Ledger) else []
    honoured = live if live is not None and live.lines_version == cart.lines_version else None
    goods = _Goods.of(parts, promises.to_hold(cart, articles), stock, sending.staying(articles), senders)
    survey = _Survey(
        near=near,
        by=by,
        goods=goods,
        honoured=(honoured.store, goods.as_promised(parts, honoured, stock, senders)) if honoured else None,
        articles=articles,
        windows=Windows(booked, lines=len(cart.lines), now=now, until=until, most=limits.slots_offered),
        quotes=_Quotes(cart, articles, prices, honoured),
        needs=_Needs(articles),
    )
    answered = [(store, survey.short(store)) for store in stores if store.ways]
    more = coming.coming(parts, {store.id: short for store, short in answered})
    return parts.sourcing.ranking.order(survey.offer(store, short, more) for store, short in answered)


def without(booked: Mapping[str, SlotUse], live: Promise | None) -> Mapping[str, SlotUse]:
    """What is taken of slots but for what this promise takes itself."""
    if live is None or (use := booked.get(live.slot)) is None:
        return booked
    return {**booked, live.slot: SlotUse(use.orders - 1, use.lines - len(live.quote.lines))}


def measure(article: Article | None, available: int) -> dict[str, str | int]:
    """The facts that say of what is weighed that it is weighed, and how much of what is there can be ordered."""
    if article is None or article.unit is not Unit.GRAM:
        return {}
    most = {"orderable": orderable(available, article.tolerance)} if article.tolerance else {}
    return {"unit": article.unit.value, **most}


def unserved(store: Store, articles: Mapping[str, Article]) -> tuple[Reason, ...]:
    """What these articles need and the store doesn't do."""
    return _Needs(articles).missing(store)


@frozen
class _Goods:
    """What is wanted, and who has what of it."""

    shelves: Shelves
    all_here: tuple[Available, ...]
    senders: _Senders

    @classmethod
    def of(
        cls,
        parts: Parts,
        demand: Mapping[str, int],
        stock: Mapping[tuple[str, str], int],
        staying: Collection[str],
        senders: Sequence[Store],
    ) -> _Goods:
        shelves = Shelves(demand, stock, stays=staying)
        return cls(
            shelves=shelves,
            all_here=tuple(Available(sku, units, units) for sku, units in shelves.demand.items()),
            senders=_Senders(parts.sourcing, senders, shelves),
        )

    def as_promised(
        self, parts: Parts, live: Promise, stock: Mapping[tuple[str, str], int], senders: Sequence[Store]
    ) -> _Goods:
        """The same where it was promised: what may weigh more or less than it did then weighs there as it did."""
        demand, staying = promises.holds(live.quote), sending.weighed(live.quote)
        if (demand, staying) == (self.shelves.demand, self.shelves.stays):
            return self
        return _Goods.of(parts, demand, stock, staying, senders)


@frozen
class _Survey:
    """What is known when one store after the other is looked at."""

    near: Point | None
    by: datetime | None
    goods: _Goods
    honoured: tuple[str, _Goods] | None
    articles: Mapping[str, Article]
    windows: Windows
    quotes: _Quotes
    needs: _Needs

    def short(self, store: Store) -> dict[str, Available]:
        """What this store has too little of itself."""
        goods = self._goods(store)
        shelf = goods.shelves.at(store.id)
        return {
            sku: Available(sku, wanted, units)
            for sku, wanted in goods.shelves.demand.items()
            if (units := shelf.get(sku, 0)) < wanted
        }

    def offer(self, store: Store, short: Mapping[str, Available], more: Mapping[tuple[str, str], Coming]) -> Offer:
        """What this store could promise, which is `short` of these, and gets `more` of some."""
        goods = self._goods(store)
        available = tuple(short.get(full.sku, full) for full in goods.all_here) if short else goods.all_here
        quote, unpriced = self.quotes.at(store.id)
        free = self.windows.free(store)
        slots = self._in_time(free)
        lacks = (self._short(lack, store, more.get((store.id, lack.sku))) for lack in short.values())
        reasons = [*lacks, *unpriced, *self.needs.missing(store)]
        if not slots:
            reasons.append(self._no_slot(store, free))
        # with a transfer it is no earlier, no cheaper and no better served: that helps against want of units only
        sent = self._with_transfer(goods, store, short.values()) if short and len(reasons) == len(short) else None
        return Offer(store, distance(self.near, store), quote, slots, tuple(reasons), available, sent)

    def _goods(self, store: Store) -> _Goods:
        return self.honoured[1] if self.honoured is not None and self.honoured[0] == store.id else self.goods

    def _short(self, lack: Available, store: Store, more: Coming | None) -> Reason:
        facts = {"sku": lack.sku, "wanted": lack.wanted, "available": lack.available}
        measured = measure(self.articles.get(lack.sku), lack.available)
        return Reason("stock.short", {**facts, **measured, **coming.told(more, store)})

    def _in_time(self, slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
        return slots if self.by is None else tuple(slot for slot in slots if slot.starts < self.by)

    def _no_slot(self, store: Store, free: tuple[Slot, ...]) -> Reason:
        if free and self.by is not None:
            by, earliest = self.by.astimezone(store.tz), free[0].starts
            facts = {"store": store.id, "by": by.isoformat(), "earliest": earliest.isoformat()}
            return Reason("slot.too_late", facts)
        return Reason("slot.unavailable", {"store": store.id, "reason": "none_free"})

    def _with_transfer(self, goods: _Goods, store: Store, short: Iterable[Available]) -> WithTransfer | None:
        sourcing = goods.senders.complete(store, short)
        if sourcing is None:
            return None
        slots = self._in_time(self.windows.free(store, after=sourcing.arrives_in))
        return WithTransfer(sourcing, slots) if slots else None


class _Needs:
    """What the basket needs of a store beside goods, a price and a slot."""

    def __init__(self, articles: Mapping[str, Article]) -> None:
        self._needs: Final = [
            (sku, service)
            for sku, article in sorted(articles.items())
            for service in sorted(article.needs, key=lambda service: service.value)
        ]

    def missing(self, store: Store) -> tuple[Reason, ...]:
        """The services that this store doesn't offer, article by article."""
        return tuple(
            Reason("service.missing", {"store": store.id, "sku": sku, "service": service.value})
            for sku, service in self._needs
            if service not in store.services
        )


class _Quotes:
    """What the basket costs at each store. Where all prices are alike, so are the quotes."""

    def __init__(
        self,
        cart: Cart,
        articles: Mapping[str, Article],
        prices: Mapping[tuple[str, str], Price],
        honoured: Promise | None,
    ) -> None:
        self._cart: Final = cart
        self._articles: Final = articles
        self._prices: Final = prices
        self._honoured: Final = honoured
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
        if self._honoured is not None and self._honoured.store == store:
            quote: Quote | None = self._honoured.quote
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
    """The stores that send goods to others, and what they could send in all."""

    def __init__(self, policy: SourcingPolicy, senders: Iterable[Store], shelves: Shelves) -> None:
        self._policy: Final = policy
        self._shelves: Final = shelves
        self._stores: Final = {store.id: store for store in senders if shelves.sent_from(store.id)}
        self._units: Final[Counter[str]] = Counter()
        for name in self._stores:
            self._units.update(shelves.sent_from(name))

    def complete(self, store: Store, short: Iterable[Available]) -> Sourcing | None:
        """How they and this store, which is `short` of these, have it all between them; None where they haven't."""
        sends = store.id in self._stores  # so its own are counted among all of them
        for lack in short:
            own = self._shelves.sent_from(store.id).get(lack.sku, 0) if sends else 0
            if self._units[lack.sku] - own + lack.available < lack.wanted:
                return None
        donors = sending.donors(self._policy, self._stores.values(), store)
        return self._shelves.plan(store.id, donors, self._policy.strategy)
