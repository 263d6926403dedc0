"""Offers made the slow way, one store after the other and one article after the other: what the fast way must equal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from attrs import evolve

from omniorder import Article, Cart, Offer, Point, Promise, Quote, Reason, Service, Slot, Store, Unit
from omniorder.domain import promises
from omniorder.domain.articles import pick_price
from omniorder.domain.lifecycle import PromiseState
from omniorder.domain.offers import Available, WithTransfer
from omniorder.domain.quantities import orderable
from omniorder.domain.slots import slots
from omniorder.domain.sourcing import Donor, plan
from omniorder.domain.stores import distance_km
from omniorder.errors import InvalidMoney
from omniorder.ports.storage import Transaction
from omniorder.ports.writes import NOTHING_BOOKED
from omniorder.services.touchpoints import ShoppingTouchpoint


def offers(
    touch: ShoppingTouchpoint, cart: Cart, *, near: Point | None = None, by: datetime | None = None
) -> tuple[Offer, ...]:
    """What `touch.checkout.offers` must answer."""
    parts = touch.checkout.parts
    with parts.storage.reading() as tx:
        return parts.sourcing.ranking.order(
            _offer(touch, tx, cart, store, near, by) for store in tx.stores() if _collects(store)
        )


def _collects(store: Store) -> bool:
    return bool({Service.PICKUP, Service.CURBSIDE, Service.LOCKERS} & store.services)


def _offer(
    touch: ShoppingTouchpoint, tx: Transaction, cart: Cart, store: Store, near: Point | None, by: datetime | None
) -> Offer:
    atp = _atp(touch, tx, cart)
    articles = tx.articles(sorted(cart.demand()))
    quote, unpriced = _quote(touch, tx, cart, store)
    live = _live(touch, tx, cart)
    if live and quote and quote is live.quote:
        wanted, weighed = promises.holds(quote), {line.sku for line in quote.lines if line.tolerance}
    else:
        wanted, weighed = promises.to_hold(cart, articles), {sku for sku in articles if articles[sku].tolerance}
    available = tuple(
        Available(sku, units, min(units, atp.get((store.id, sku), 0))) for sku, units in sorted(wanted.items())
    )
    reasons = [
        Reason(
            "stock.short",
            {
                "sku": one.sku,
                "wanted": one.wanted,
                "available": one.available,
                **_unit(articles, one),
                **_next(touch, tx, store, one.sku),
            },
        )
        for one in available
        if one.available < one.wanted
    ]
    short = len(reasons)
    reasons += unpriced
    for sku in sorted(articles):
        for service in sorted(articles[sku].needs, key=lambda service: service.value):
            if service not in store.services:
                reasons.append(Reason("service.missing", {"store": store.id, "sku": sku, "service": service.value}))
    free = _free(touch, tx, cart, store, timedelta(0))
    in_time = _in_time(free, by)
    if free and not in_time:
        assert by is not None
        facts = {"store": store.id, "by": by.astimezone(store.tz).isoformat(), "earliest": free[0].starts.isoformat()}
        reasons.append(Reason("slot.too_late", facts))
    elif not free:
        reasons.append(Reason("slot.unavailable", {"store": store.id, "reason": "none_free"}))
    sent: WithTransfer | None = None
    if short and short == len(reasons):
        fit = {(at, sku): units for (at, sku), units in atp.items() if at == store.id or sku not in weighed}
        sourcing = plan(wanted, store.id, fit, _donors(touch, tx, store), touch.checkout.parts.sourcing.strategy)
        later = _in_time(_free(touch, tx, cart, store, sourcing.arrives_in), by)
        sent = WithTransfer(sourcing, later) if sourcing.full and later else None
    return Offer(store, _far(near, store), quote, in_time, tuple(reasons), available, sent)


def _unit(articles: Mapping[str, Article], one: Available) -> Mapping[str, object]:
    article = articles.get(one.sku)
    if article is None or article.unit is not Unit.GRAM:
        return {}
    most = {"orderable": orderable(one.available, article.tolerance)} if article.tolerance else {}
    return {"unit": "gram", **most}


def _next(touch: ShoppingTouchpoint, tx: Transaction, store: Store, sku: str) -> Mapping[str, object]:
    now = touch.checkout.parts.clock.now()
    ahead = [one for one in tx.expected([sku], [store.id]) if one.at > now]
    if not ahead:
        return {}
    first = min(one.at for one in ahead)
    units = sum(one.quantity for one in ahead if one.at == first)
    return {"next_at": first.astimezone(store.tz).isoformat(timespec="minutes"), "next_units": units}


def _live(touch: ShoppingTouchpoint, tx: Transaction, cart: Cart) -> Promise | None:
    promise = tx.promise(cart.promise_id) if cart.promise_id else None
    if promise is None or promise.state is not PromiseState.HELD:
        return None
    return promise if touch.checkout.parts.clock.now() < promise.expires_at else None


def _atp(touch: ShoppingTouchpoint, tx: Transaction, cart: Cart) -> Mapping[tuple[str, str], int]:
    atp = {(level.store, level.sku): level.available for level in tx.levels(sorted(cart.demand()))}
    live = _live(touch, tx, cart)
    for reservation in live.reservations if live else ():
        held = tx.reservation(reservation)
        assert held is not None
        for sku, units in held.live().items():
            atp[held.store, sku] = atp.get((held.store, sku), 0) + units
    return atp


def _quote(touch: ShoppingTouchpoint, tx: Transaction, cart: Cart, store: Store) -> tuple[Quote | None, list[Reason]]:
    articles = tx.articles(sorted(cart.demand()))
    now = touch.checkout.parts.clock.now()
    prices = {
        sku: price
        for sku in sorted(cart.demand())
        if (price := pick_price(tx.prices([sku]), store=store.id, channel=touch.checkout.touch.channel, at=now))
    }
    reasons = [
        Reason("price.missing", {"store": store.id, "sku": sku})
        for sku in sorted(cart.demand())
        if sku not in prices or sku not in articles
    ]
    live = _live(touch, tx, cart)
    if live and (live.store, live.lines_version) == (store.id, cart.lines_version):
        return live.quote, reasons
    if reasons:
        return None, reasons
    try:
        return promises.quote(cart, articles, prices), reasons
    except InvalidMoney as impossible:
        return None, [Reason(impossible.code, impossible.facts)]


def _free(touch: ShoppingTouchpoint, tx: Transaction, cart: Cart, store: Store, after: timedelta) -> tuple[Slot, ...]:
    parts = touch.checkout.parts
    now, until = parts.clock.now(), parts.clock.now() + parts.settings.slot_horizon
    booked = tx.booked([store.id], now, until)
    live = _live(touch, tx, cart)
    found: list[Slot] = []
    for slot in slots(store, now=now, until=until):
        use, mine = booked.get(slot.id, NOTHING_BOOKED), bool(live and live.slot == slot.id)
        lines = len(live.quote.lines) if live and mine else 0
        known = evolve(slot, booked=use.orders - mine, lines_booked=use.lines - lines)
        if known.fits(len(cart.lines)) and slot.starts.astimezone(UTC) >= now + after + store.lead:
            found.append(known)
    return tuple(found[: parts.settings.slots_offered])


def _in_time(slots: tuple[Slot, ...], by: datetime | None) -> tuple[Slot, ...]:
    return tuple(slot for slot in slots if by is None or slot.starts < by)


def _donors(touch: ShoppingTouchpoint, tx: Transaction, store: Store) -> list[Donor]:
    cost = touch.checkout.parts.sourcing.cost
    return [
        Donor(one.id, one.transit, _far(one.place, store), cost(one, store) if cost else None)
        for one in tx.stores()
        if Service.SHIP_TO_STORE in one.services and one.id != store.id
    ]


def _far(near: Point | None, store: Store) -> float | None:
    return distance_km(near, store.place) if near and store.place else None
