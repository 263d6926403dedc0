"""What went wrong once, found by machines that try everything: each as short as it can be told."""

from __future__ import annotations

import pytest

from omniorder import Associate, Card, Channel, Order, PaymentState, Receipt
from omniorder.domain.events import Stamp
from omniorder.domain.lifecycle import AttemptState
from omniorder.domain.proofs import Shown
from omniorder.errors import NotReady
from omniorder.services import handing_over
from omniorder.services.parts import Parts
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.steps import INSTANT, VISA, charged, code, placed, promised, ready, refused


def webhook(shop: Shop, order: Order) -> int:
    headers, body = shop.gateway.signed_webhook(order.payments[-1].id, "payment.updated")
    return shop.hub.webhook("card", headers=headers, body=body).status


def test_a_void_that_never_arrived_is_not_taken_for_money_given_back(shop: Shop) -> None:
    """A webhook made us look for the void; that it was not on file was heard as "there is nothing to void"."""
    order = placed(shop, pay=VISA)
    shop.gateway.drop_next_request()
    shop.app.orders.cancel(order.id)
    assert webhook(shop, order) == 200
    assert shop.app.orders.get(order.id).payments[-1].state is PaymentState.VOIDING
    shop.advance(minutes=1)
    assert shop.app.orders.get(order.id).payments[-1].state is PaymentState.VOIDED
    assert [one.open.amount for one in shop.gateway.payments] == [0]
    check_all(shop.hub)


def test_a_void_is_sent_until_it_arrives_however_long_that_takes(shop: Shop) -> None:
    """Once the provider had forgotten the key, the void was looked up only, and its absence ended the matter."""
    order = placed(shop, pay=VISA)
    shop.gateway.fail_next(remembered=True)
    shop.app.orders.cancel(order.id)
    shop.advance(hours=23)
    assert shop.app.orders.get(order.id).payments[-1].state is PaymentState.VOIDING
    shop.advance(hours=2)
    assert shop.app.orders.get(order.id).payments[-1].state is PaymentState.VOIDED
    assert [one.open.amount for one in shop.gateway.payments] == [0]
    check_all(shop.hub)


def test_a_payment_that_turns_up_when_it_is_voided_counts_as_made(shop: Shop) -> None:
    """It was refunded, and yet its authorisation was noted as one that had never reached the provider."""
    promise = promised(shop)
    shop.gateway.lose_next_reply()
    order = shop.app.checkout.place(promise.id, pay=INSTANT)
    shop.app.orders.cancel(order.id)
    shop.advance(minutes=1)
    (payment,) = shop.app.orders.get(order.id).payments
    assert payment.state is PaymentState.CAPTURED
    assert payment.attempts[0].state is AttemptState.SUCCEEDED
    assert charged(shop) == 0
    check_all(shop.hub)


def hand_over_first(shop: Shop, patch: pytest.MonkeyPatch, order: Order, by: str) -> None:
    """Let another till hand the order over just when the next one has checked the customer's code."""
    check, said, turns = handing_over._check_code, code(shop, order), iter([True])
    till = shop.hub.at(Channel.STORE, Associate(by, store=Shop.SOFIA))

    def check_and_wait(parts: Parts, found: Order, shown: object, stamp: Stamp) -> Shown:
        proved = check(parts, found, shown, stamp)
        if next(turns, False):
            till.pickups.hand_over(order.id, code=said)
        return proved

    patch.setattr(handing_over, "_check_code", check_and_wait)


@pytest.mark.parametrize("pay", [VISA, INSTANT], ids=["captured then", "paid before"])
def test_whoever_comes_second_to_the_counter_is_told_that_the_goods_are_gone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, pay: Card
) -> None:
    """They were told of an illegal transition instead."""
    order = ready(shop, pay=pay)
    said = code(shop, order)
    hand_over_first(shop, monkeypatch, order, "petar")
    refused(NotReady, shop.store.pickups.hand_over, order.id, code=said)
    check_all(shop.hub)


def test_the_second_press_of_the_button_gives_the_same_receipt(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pressed while the first was at work, it was refused as an illegal transition."""
    order = ready(shop, pay=VISA)
    said = code(shop, order)
    hand_over_first(shop, monkeypatch, order, "ivan")
    again = shop.store.pickups.hand_over(order.id, code=said)
    assert isinstance(again, Receipt)
    assert again.total == order.total
    check_all(shop.hub)
