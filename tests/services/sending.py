"""A distribution centre beside the example shop, and orders that await goods from it."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from omniorder import Associate, Channel, Order, Point, Promise, Store, Tender
from omniorder.domain.slots import slots
from omniorder.domain.store_services import Service
from omniorder.domain.transfers import Transfer
from omniorder.services.touchpoints import StoreTouchpoint
from omniorder.testing.shop import Shop
from tests.services.steps import VISA, filled

CENTRE = "SOFDC"
"""Sends goods to stores and sees no customers; it has 10 loaves of bread and 3 cartons of milk."""
TRANSIT = timedelta(hours=20)

EIGHT_LOAVES = {Shop.BREAD: 8, Shop.MILK: 1}
"""Sofia has five loaves: three have to come from elsewhere."""


def centre(shop: Shop, bread: int = 10, milk: int = 3) -> StoreTouchpoint:
    """The distribution centre, stocked, and an associate of it."""
    shop.office.stores.put(
        Store(CENTRE, zone="Europe/Sofia", hours="24/7", services={Service.SHIP_TO_STORE}, transit=TRANSIT,
              place=Point(lat=42.65, lon=23.40))
    )  # fmt: skip
    for sku, count in ((shop.BREAD, bread), (shop.MILK, milk)):
        if count:
            shop.office.stock.receive(CENTRE, sku, count)
    return shop.hub.at(Channel.STORE, Associate("dora", store=CENTRE))


def slot_after(shop: Shop, wait: timedelta, store: str = Shop.SOFIA) -> str:
    """The id of the store's first slot that begins so much later."""
    now = shop.clock.now()
    ahead = slots(shop.office.stores.get(store), now=now, until=now + timedelta(days=5))
    return next(slot.id for slot in ahead if slot.starts.astimezone(UTC) >= now + wait)


def promised_from_afar(shop: Shop, wishes: dict[str, int] | None = None, *, hours: int = 22, **terms: Any) -> Promise:
    """A promise at Sofia's store of what it has only with the centre's help."""
    cart = filled(shop, wishes or EIGHT_LOAVES)
    slot = slot_after(shop, timedelta(hours=hours))
    return shop.app.checkout.promise(cart.id, slot=slot, ship=True, **terms)


def awaiting(shop: Shop, wishes: dict[str, int] | None = None, *, pay: Tender = VISA, hours: int = 22) -> Order:
    """An order that waits for goods from the centre."""
    return shop.app.checkout.place(promised_from_afar(shop, wishes, hours=hours).id, pay=pay)


def only_transfer(shop: Shop) -> Transfer:
    """The one transfer that is to be sent by the centre, or is under way to Sofia."""
    (found,) = {one.id: one for one in (*shop.office.transfers.outgoing(CENTRE).items,
                                        *shop.office.transfers.incoming(shop.SOFIA).items)}.values()  # fmt: skip
    return found
