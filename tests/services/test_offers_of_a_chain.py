"""Offers of a whole chain: as if each store were asked by itself, and as good as their word."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder import (
    Article,
    Cart,
    Closure,
    Money,
    Offer,
    Point,
    Price,
    Service,
    Slot,
    SourcingPolicy,
    Store,
    Unit,
    ranking,
    sourcing,
)
from omniorder.domain.slots import slots
from omniorder.errors import CurrencyMismatch, NoPrice, OmniorderError, OutOfStock, ServiceMissing, SlotUnavailable
from omniorder.ports.writes import SlotChange, Writes
from omniorder.testing.shop import Shop
from tests.services import one_by_one
from tests.services.conftest import OpenShop
from tests.services.steps import filled

SKUS = ("CHEESE", "EGGS", "FLOUR", "HONEY", "SALT")
HOURS = ("Mo-Sa 08:00-21:00", "24/7", "off", "Mo-Fr 09:00-10:00", "Mo-Su 18:00-02:00")
WAYS = (
    {Service.PICKUP},
    {Service.PICKUP},
    {Service.CURBSIDE, Service.SHIP_TO_STORE},
    {Service.SHIP_TO_STORE},
    {Service.FITTING},
)
POLICIES = (
    SourcingPolicy(),
    SourcingPolicy(
        strategy=sourcing.by(sourcing.cheapest_transfer, sourcing.spare_the_weak),
        ranking=ranking.ranked_by(ranking.cheapest, ranking.earliest),
        cost=lambda sender, store: None if sender.name else len(store.hours) * 100,
    ),
)

REFUSALS: Mapping[str, type[OmniorderError]] = {
    "stock.short": OutOfStock,
    "price.missing": NoPrice,
    "money.currency_mismatch": CurrencyMismatch,
    "service.missing": ServiceMissing,
    "slot.unavailable": SlotUnavailable,
}


def chain(shop: Shop, random: Random, *, stores: int = 6) -> Cart:
    """Stores of every kind beside those of the example, with this and that on the shelf, and a basket of Anna's."""
    office, now = shop.office, shop.clock.now()
    names = [f"CH{n:02}" for n in range(stores)]
    shops = [
        Store(
            name,
            zone=random.choice(["Europe/Sofia", "Europe/Stockholm"]),
            hours=random.choice(HOURS),
            name=random.choice(["", "corner"]),
            place=random.choice([None, Point(random.randint(41, 44), random.randint(22, 28))]),
            lead=timedelta(hours=random.choice([0, 1, 30])),
            slot_capacity=random.choice([0, 1, 2, 20]),
            slot_lines=random.choice([None, None, 2, 40]),
            cutoff=random.choice([None, None, time(9), time(12)]),
            closed=random.choice([(), (), (Closure(now, now + timedelta(hours=random.randint(1, 60))),)]),
            services=random.choice(WAYS),
            transit=timedelta(hours=random.choice([0, 5, 48, 400])),
        )
        for name in names
    ]
    office.stores.put(*shops)
    office.articles.put(*(article(sku, random) for sku in SKUS))
    for sku in SKUS:
        if random.random() < 0.95:
            office.prices.put(Price(sku, Money(random.randint(1, 3), "EUR"), tax="0.20"))
        for name in names:
            if random.random() < 0.2:
                currency = random.choice(["EUR", "EUR", "EUR", "SEK"])
                amount, per = Money(random.randint(1, 3), currency), random.choice([1, 2])
                office.prices.put(Price(sku, amount, tax=random.choice(["0.09", "0.20"]), per=per, store=name))
            if random.random() < 0.7:
                office.stock.receive(name, sku, random.randint(1, 6))
            for reference in random.sample(["DN-1", "DN-2"], random.choice([0, 0, 1, 2])):
                at = now + timedelta(hours=random.choice([-5, 4, 4, 30]))
                office.stock.expect(name, sku, random.randint(0, 4), at=at, reference=reference)
    taken = [
        SlotChange(store.id, slot.id, slot.starts, 1, slot.capacity, 1, slot.lines_capacity)
        for store in shops
        for slot in slots(store, now=now, until=now + timedelta(days=2), limit=3)
        if slot.capacity and random.random() < 0.6
    ]
    with shop.hub._parts.storage.transaction() as tx:
        tx.write(Writes(slots=tuple(taken)))
    return filled(shop, wishes(random))


def article(sku: str, random: Random) -> Article:
    """Counted, weighed or weighed when it is picked; some need a service."""
    needs = random.choice([set[Service](), set[Service](), set[Service](), {Service.CURBSIDE}])
    unit, tolerance = random.choice([(Unit.PIECE, "0"), (Unit.PIECE, "0"), (Unit.GRAM, "0"), (Unit.GRAM, "0.5")])
    return Article(sku, sku.title(), unit, needs=needs, tolerance=Decimal(tolerance))


def wishes(random: Random) -> Mapping[str, int]:
    return {sku: random.randint(1, 5) for sku in random.sample(SKUS, random.randint(1, 3))}


def judge(shop: Shop, random: Random) -> None:
    """The fast way equals the slow one, with and without a live promise, place and time limit."""
    cart = chain(shop, random)
    offered = shop.app.checkout.offers(cart.id)
    assert offered == one_by_one.offers(shop.app, cart)
    ways = [slots for offer in offered if (slots := offer.slots if offer.full else sent(offer))]
    if ways:
        shop.app.checkout.promise(cart.id, slot=random.choice(ways)[0].id, ship=True)
        shop.office.prices.put(Price("EGGS", Money(7, "EUR"), tax="0.20"))
        shop.office.articles.put(article("EGGS", random))
        if random.random() < 0.5:
            shop.app.carts.add(cart.id, "EGGS", 1)
    cart = shop.app.carts.get(cart.id)
    near = random.choice([None, Shop.HERE])
    by = random.choice([None, shop.clock.now() + timedelta(hours=random.randint(1, 90))])
    assert shop.app.checkout.offers(cart.id, near=near, by=by) == one_by_one.offers(shop.app, cart, near=near, by=by)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", range(3))
def test_every_store_is_offered_as_if_it_were_asked_alone(
    open_shop: OpenShop, seed: int, policy: SourcingPolicy
) -> None:
    """On every kind of storage."""
    judge(open_shop(sourcing=policy), Random(seed))


@given(st.randoms(use_true_random=False), st.sampled_from(POLICIES))
def test_every_store_is_offered_as_if_it_were_asked_alone_whatever_the_chain(
    random: Random, policy: SourcingPolicy
) -> None:
    with Shop.example(sourcing=policy) as shop:
        judge(shop, random)


def sent(offer: Offer) -> tuple[Slot, ...]:
    """In which slots it could be collected if others sent what is missing."""
    return offer.with_transfer.slots if offer.with_transfer is not None else ()


def keeps_its_word(shop: Shop, cart: Cart, offer: Offer) -> None:
    """A full offer can be promised in each of its slots at its price, and one with a transfer if others may send; what
    isn't offered can't be promised, and the error says why."""
    promise = shop.app.checkout.promise
    if offer.full:
        assert offer.quote is not None
        for slot in (offer.slots[0], offer.slots[-1]):
            assert promise(cart.id, slot=slot.id, expect=offer.quote.total).store == offer.store.id
        return
    now = shop.clock.now()
    every = slots(offer.store, now=now, until=now + shop.hub.settings.slot_horizon, limit=3)
    before = shop.office.stock.levels(offer.store.id, sorted(cart.demand()))
    can_be_sent = sent(offer)
    for slot in offer.slots[:2] or every:
        with pytest.raises(tuple(REFUSALS[reason.code] for reason in offer.reasons)):
            promise(cart.id, slot=slot.id)
        if slot.id not in [one.id for one in can_be_sent]:
            with pytest.raises((SlotUnavailable, *(REFUSALS[reason.code] for reason in offer.reasons))):
                promise(cart.id, slot=slot.id, ship=True)
    assert shop.office.stock.levels(offer.store.id, sorted(cart.demand())) == before
    for slot in {one.id: one for one in (*can_be_sent[:1], *can_be_sent[-1:])}.values():
        shipped(shop, cart, offer, slot)


def shipped(shop: Shop, cart: Cart, offer: Offer, slot: Slot) -> None:
    """The basket is promised in this slot at the offer's price, and each store sends what the offer said."""
    assert offer.quote is not None
    assert offer.with_transfer is not None
    sourcing = offer.with_transfer.sourcing
    promise = shop.app.checkout.promise(cart.id, slot=slot.id, expect=offer.quote.total, ship=True)
    assert promise.store == offer.store.id
    assert [(leg.store, leg.units) for leg in promise.legs] == [(leg.store, leg.units) for leg in sourcing.transfers]
    assert all(leg.arrives <= shop.clock.now() + sourcing.arrives_in for leg in promise.legs)


def judge_promises(shop: Shop, random: Random) -> None:
    cart = chain(shop, random)
    for offer in shop.app.checkout.offers(cart.id, near=Shop.HERE):
        keeps_its_word(shop, cart, offer)
        live = shop.app.carts.get(cart.id).promise_id
        if live is not None:
            shop.app.checkout.withdraw(live)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", range(3))
def test_an_offer_keeps_its_word(open_shop: OpenShop, seed: int, policy: SourcingPolicy) -> None:
    """On every kind of storage."""
    judge_promises(open_shop(sourcing=policy), Random(seed))


@given(st.randoms(use_true_random=False), st.sampled_from(POLICIES))
def test_an_offer_keeps_its_word_whatever_the_chain(random: Random, policy: SourcingPolicy) -> None:
    with Shop.example(sourcing=policy) as shop:
        judge_promises(shop, random)
