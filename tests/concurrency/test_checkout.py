"""A double click on "pay", and two devices in one basket."""

from __future__ import annotations

import time
from functools import partial

import pytest
from attrs import frozen

from omniorder import Add, Card, Cart, Change, Channel, Customer, Order
from omniorder.errors import OmniorderError
from omniorder.ports.payments import Approved, Authorise, Denied, NeedsAction
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import MANY, at_once, refused, won

VISA = Card("pm_card_visa")


@frozen
class Clicked:
    """What became of many clicks at once."""

    results: list[Order | OmniorderError]
    charges: int


def everybody_clicks(shop: Shop, patch: pytest.MonkeyPatch) -> Clicked:
    """The provider takes its time, so that all the others come while it is at work."""
    authorise = FakeGateway.authorise

    def slowly(gateway: FakeGateway, request: Authorise) -> Approved | NeedsAction | Denied:
        time.sleep(0.1)
        return authorise(gateway, request)

    patch.setattr(FakeGateway, "authorise", slowly)
    promise = shop.promise()
    touches = [shop.hub.at(channel, Customer("anna")) for channel in (Channel.APP, Channel.WEB)] * (MANY // 2)
    results = at_once([partial(touch.checkout.place, promise.id, pay=VISA) for touch in touches])
    return Clicked(results, sum(1 for one in shop.gateway.payments if one.open.amount))


def test_a_double_click_gives_one_order_one_charge_and_the_same_answer(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    clicked = everybody_clicks(shop, monkeypatch)
    assert refused(clicked.results) == []
    first, *others = won(clicked.results)
    assert all(other == first for other in others)
    assert clicked.charges == 1
    check_all(shop.hub)


def test_without_the_guard_a_double_click_charges_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    unguarded.decide_on_old_news(monkeypatch)
    clicked = everybody_clicks(shop, monkeypatch)
    assert len({order.id for order in won(clicked.results)}) > 1
    assert clicked.charges > 1


DEVICES = 8


def everybody_edits(shop: Shop) -> tuple[Cart, Cart]:
    """Each device changes a line of its own and adds a unit to a line that all share; the cart before and after."""
    cart = shop.app.carts.start()
    for n in range(DEVICES):
        cart = shop.app.carts.add(cart.id, Shop.BREAD, 1, note=f"for guest {n}")
    cart = before = shop.app.carts.add(cart.id, Shop.MILK, 1)

    def edit(n: int) -> Cart:
        device = shop.hub.at(Channel.APP, Customer("anna"), via=f"device {n}")
        mine = Change(before.lines[n].id, 2)
        return device.carts.edit(before.id, [mine, Add(Shop.MILK, 1)], if_version=before.version)

    assert refused(at_once([partial(edit, n) for n in range(DEVICES)])) == []
    return before, shop.app.carts.get(cart.id)


def test_what_many_devices_edit_at_once_is_all_kept(shop: Shop) -> None:
    before, after = everybody_edits(shop)
    assert [line.quantity for line in after.lines] == [2] * DEVICES + [1 + DEVICES]
    assert after.version == before.version + 2 * DEVICES
    check_all(shop.hub)


def test_without_the_guard_edits_are_lost(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    unguarded.decide_on_old_news(monkeypatch)
    _, after = everybody_edits(shop)
    assert after.lines[-1].quantity < 1 + DEVICES
