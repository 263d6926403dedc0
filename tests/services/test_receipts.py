"""Receipts of real hand-overs: what each tender gave, and the same again from the journal."""

from __future__ import annotations

import pytest

from omniorder import (
    Card,
    GiftCard,
    Money,
    PayInStore,
    Receipt,
    Rest,
    Store,
    StoreTouchpoint,
    Taken,
    Tendered,
    Unwanted,
)
from omniorder.errors import NotFound, StillRunning
from omniorder.testing.shop import Shop
from tests.services.steps import INSTANT, code, handed_over, part, ready, refused

BASKET = {Shop.MILK: 3, Shop.CHEESE: 500, Shop.BREAD: 1}
"""7.47 + 6.45 + 3.10 = 17.02 EUR."""


def reprinted(desk: StoreTouchpoint, receipt: Receipt) -> Receipt:
    return desk.pickups.receipt(receipt.order.id, receipt.number)


def test_a_receipt_says_what_each_tender_gave_and_can_be_had_again(shop: Shop) -> None:
    card = shop.office.gift_cards.issue(Money(500, "EUR")).code
    order = ready(shop, BASKET, pay=[GiftCard(card), Card("pm_card_visa")])
    first = handed_over(shop, order, lines=part(order, 2), refused=[Unwanted(order.lines[0].id, 1)])
    second = handed_over(shop, order)
    assert [one.number for one in (first, second)] == [f"{order.id}-1", f"{order.id}-2"]
    assert first.tendered == (Tendered("gift_card", Money(498, "EUR")),)  # it gives each part as it leaves
    assert (first.total.amount, first.balance.amount) == (498, 0)
    assert second.tendered == (Tendered("gift_card", Money(2, "EUR")), Tendered("card", Money(953, "EUR")))
    assert (second.before.amount, second.balance.amount) == (0, 0)
    assert [(one.name, one.quantity) for one in first.later] == [("Gouda", 500), ("Rye bread", 1)]
    shop.clock.advance(days=3)
    again = reprinted(shop.store, first)
    assert (again.text("bg"), again.html("bg")) == (first.text("bg"), first.html("bg"))
    assert (again.at, again.by, again.refused) == (first.at, first.by, first.refused)
    assert reprinted(shop.store, second) == second


def test_cash_is_told_as_cash(shop: Shop) -> None:
    order = ready(shop, BASKET, pay=PayInStore())
    receipt = handed_over(shop, order, taken=Taken(order.total, "cash"))
    assert receipt.tendered == (Tendered("in_store", Money(1702, "EUR"), "cash"),)
    assert "Cash                              €17.02" in receipt.text("en")


def test_what_was_paid_when_the_order_was_placed_is_told_as_paid_before(shop: Shop) -> None:
    receipt = handed_over(shop, ready(shop, pay=INSTANT))
    assert (receipt.tendered, receipt.before.amount) == ((), 498)


def test_what_a_provider_took_ahead_is_told_as_paid_ahead_and_then_as_paid_before(shop: Shop) -> None:
    order = ready(shop, BASKET)
    first = handed_over(shop, order, lines=part(order, 1))
    second = handed_over(shop, order)
    assert (first.tendered[0].amount.amount, first.total.amount, first.balance.amount) == (1702, 249, 1453)
    assert "Paid ahead" in first.text("en")
    assert (second.tendered, second.before.amount, second.balance.amount) == ((), 1453, 0)


def test_what_is_called_off_is_told_apart_from_what_was_not_wanted(shop: Shop) -> None:
    order = ready(shop, BASKET, pay=INSTANT)
    no = [Unwanted(order.lines[0].id, 1)]
    receipt = handed_over(shop, order, lines=part(order, 2), refused=no, rest=Rest.CANCELLED)
    text = receipt.text("en")
    assert text.index("Goes back to you") < text.index("Not wanted") < text.index("Called off")
    assert (receipt.balance.amount, receipt.order.kept.amount) == (
        1767 - 498,
        498,
    )  # what it might have weighed was charged too


def test_a_receipt_has_the_name_of_its_store(shop: Shop) -> None:
    named = Store(Shop.SOFIA, zone="Europe/Sofia", hours="Mo-Sa 08:00-21:00", name="Витоша 1")
    order = ready(shop)
    shop.office.stores.put(named)
    receipt = handed_over(shop, order)
    assert (receipt.store, receipt.store_name) == (Shop.SOFIA, "Витоша 1")
    assert "10:00:00" in receipt.text("en-GB")  # in the store's own time


def test_the_weight_that_was_handed_over_is_on_the_receipt(shop: Shop) -> None:
    placed = shop.app.checkout.place(shop.promise(500, sku=Shop.CHEESE).id, pay=Card("pm_card_visa"))
    shop.store.pickups.pick(placed.id, placed.lines[0].id, 541)
    shop.store.pickups.ready(placed.id)
    receipt = handed_over(shop, placed)
    assert (receipt.lines[0].quantity, receipt.total.amount) == (541, 698)
    assert reprinted(shop.store, receipt) == receipt


def test_a_sweep_that_finishes_a_hand_over_leaves_the_same_receipt(shop: Shop) -> None:
    order = ready(shop)
    said = code(shop, order)
    shop.gateway.lose_next_reply()
    refused(StillRunning, shop.store.pickups.hand_over, order.id, code=said)
    shop.advance(minutes=1)
    receipt = shop.store.pickups.receipt(order.id, f"{order.id}-1")
    assert (receipt.by, receipt.total.amount) == ("associate:ivan@SOF01", 498)


@pytest.mark.parametrize("number", ["", "1", "{}-2", "{}-0", "{}"])
def test_a_receipt_that_was_never_made_is_not_found(shop: Shop, number: str) -> None:
    order = ready(shop)
    handed_over(shop, order)
    error = refused(NotFound, shop.store.pickups.receipt, order.id, number.format(order.id))
    assert error.facts["kind"] == "receipt"


def test_nor_is_one_of_another_store(shop: Shop) -> None:
    receipt = handed_over(shop, ready(shop))
    refused(NotFound, reprinted, shop.elsewhere, receipt)
