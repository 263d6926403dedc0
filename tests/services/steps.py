"""The steps of an order's life, for tests that are about a later one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import pytest

from omniorder import Card, Cart, Guest, Order, Pick, Promise, Receipt, Tender
from omniorder.errors import OmniorderError
from omniorder.ports.writes import NOTHING_BOOKED, SlotUse
from omniorder.services.touchpoints import ShoppingTouchpoint
from omniorder.testing.shop import Shop

Pay = Tender | Sequence[Tender]
E = TypeVar("E", bound=OmniorderError)

VISA = Card("pm_card_visa")
MASTERCARD = Card("pm_card_mastercard")
DECLINED = Card("pm_card_declined")
INSTANT = Card("pm_card_instant")
NEEDS_3DS = Card("pm_card_3ds")
SILENT = Card("pm_card_timeout")
REPLY_LOST = Card("pm_card_timeout_after")
PENDING = Card("pm_card_pending")

TWO_MILKS: Mapping[str, int] = {Shop.MILK: 2}

GUEST = Guest("a-token-of-22-characters-or-more")
"""Who `shop.guest` is."""


def filled(shop: Shop, wishes: Mapping[str, int] = TWO_MILKS, *, touch: ShoppingTouchpoint | None = None) -> Cart:
    """A new cart with these wishes; Anna's, unless `touch` is somebody else's."""
    desk = (touch or shop.app).carts
    cart = desk.start()
    for sku, quantity in wishes.items():
        cart = desk.add(cart.id, sku, quantity)
    return cart


def free_slot(
    shop: Shop, cart: Cart, store: str = Shop.SOFIA, nth: int = 0, *, touch: ShoppingTouchpoint | None = None
) -> str:
    """The id of the store's n-th slot that is free."""
    offers = {offer.store.id: offer for offer in (touch or shop.app).checkout.offers(cart.id)}
    return offers[store].slots[nth].id


def promised(
    shop: Shop,
    wishes: Mapping[str, int] = TWO_MILKS,
    *,
    store: str = Shop.SOFIA,
    nth: int = 0,
    touch: ShoppingTouchpoint | None = None,
    **terms: Any,
) -> Promise:
    """A promise for a new cart with these wishes."""
    who = touch or shop.app
    cart = filled(shop, wishes, touch=who)
    return who.checkout.promise(cart.id, slot=free_slot(shop, cart, store, nth, touch=who), **terms)


def placed(
    shop: Shop, wishes: Mapping[str, int] = TWO_MILKS, *, pay: Pay = VISA, touch: ShoppingTouchpoint | None = None,
    **where: Any,
) -> Order:  # fmt: skip
    """An order for a new cart with these wishes."""
    who = touch or shop.app
    return who.checkout.place(promised(shop, wishes, touch=who, **where).id, pay=pay)


def picked(shop: Shop, order: Order) -> Order:
    """Every unit taken off the shelf in Sofia."""
    return shop.store.pickups.pick(order.id, [Pick(line.id, line.quantity) for line in order.lines])


def ready(shop: Shop, wishes: Mapping[str, int] = TWO_MILKS, *, pay: Pay = VISA, **where: Any) -> Order:
    """An order in Sofia that waits for its customer."""
    order = picked(shop, placed(shop, wishes, pay=pay, **where))
    return shop.store.pickups.ready(order.id, staged_at="C4")


def code(shop: Shop, order: Order) -> str:
    """The code that Anna says at the counter."""
    return shop.app.orders.pickup_pass(order.id).code


def wrong_code(shop: Shop, order: Order) -> str:
    """A code of the right form that is not hers."""
    return f"{(int(code(shop, order)) + 1) % 10_000_000:07}"


def handed_over(shop: Shop, order: Order, **what: Any) -> Receipt:
    """The goods given to Anna in Sofia."""
    return shop.store.pickups.hand_over(order.id, code=code(shop, order), **what)


def part(order: Order, *counts: int) -> list[Pick]:
    """So many units of the order's first lines."""
    return [Pick(line.id, count) for line, count in zip(order.lines, counts, strict=False)]


def charged(shop: Shop) -> int:
    """What the provider holds of its customers' money, in cents."""
    return sum(p.captured.amount - p.refunded.amount for p in shop.gateway.payments)


def effects(shop: Shop) -> list[int]:
    """How often each idempotency key had an effect at the provider."""
    return sorted(shop.gateway.effects.values())


def only_order(shop: Shop) -> Order:
    """Anna's one and only order."""
    (order,) = shop.app.orders.page().items
    return order


def level(shop: Shop, sku: str = Shop.MILK, store: str = Shop.SOFIA) -> tuple[int, int]:
    """(on hand, reserved)"""
    found = shop.office.stock.level(store, sku)
    return found.on_hand, found.reserved


def booked(shop: Shop, slot: str) -> int:
    """Places taken in a slot."""
    return slot_use(shop, slot).orders


def slot_use(shop: Shop, slot: str) -> SlotUse:
    """What is taken of a slot, as the storage counts it."""
    store = slot.split("_")[1]
    storage = shop.hub._parts.storage
    with storage.reading() as tx:
        now = shop.clock.now()
        horizon = now + shop.hub.settings.slot_horizon * 2
        return tx.booked([store], now - shop.hub.settings.slot_horizon, horizon).get(slot, NOTHING_BOOKED)


def names(shop: Shop, order: Order | str) -> list[str]:
    """What happened to an order, in order."""
    order_id = order if isinstance(order, str) else order.id
    return [entry.name for entry in shop.office.orders.timeline(order_id).items]


def refused(kind: type[E], call: Any, *args: Any, **kwargs: Any) -> E:
    """The error of exactly this class that the call raises."""
    with pytest.raises(kind) as raised:
        call(*args, **kwargs)
    assert type(raised.value) is kind
    return raised.value
