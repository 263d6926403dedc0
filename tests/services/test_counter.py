"""Money at the counter: what it takes instead of a card, and what of it is on record."""

from __future__ import annotations

from omniorder import Card, Money, OrderState, PayInStore, PaymentState, Taken, events
from omniorder.errors import NotPaid, NotReady
from omniorder.testing import Shop
from tests.services.steps import code, ready, refused

DUE = Money(498, "EUR")


def test_what_a_card_refuses_the_counter_may_take_and_the_card_is_let_go(shop: Shop) -> None:
    order = ready(shop, pay=Card("pm_card_capture_declined"))
    said = code(shop, order)
    refused(NotPaid, shop.store.pickups.hand_over, order.id, code=said)
    receipt = shop.store.pickups.hand_over(order.id, code=said, taken=Taken(DUE))
    card, cash = receipt.order.payments
    assert receipt.order.state is OrderState.COMPLETED
    assert (card.state, cash.state, cash.captured) == (PaymentState.VOIDED, PaymentState.CAPTURED, DUE)


def test_money_taken_for_goods_that_were_paid_already_is_refused(shop: Shop) -> None:
    """The card's answer was lost, so the associate asks for cash: the till must not swallow it."""
    order = ready(shop)
    said = code(shop, order)
    shop.store.pickups.hand_over(order.id, code=said)
    refusal = refused(NotReady, shop.store.pickups.hand_over, order.id, code=said, taken=Taken(DUE))
    assert "return 4.98 EUR" in refusal.facts["reason"]


def test_how_the_counter_took_the_money_is_in_the_timeline(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    taken = Taken(DUE, "terminal", "TILL-0042")
    receipt = shop.store.pickups.hand_over(order.id, code=code(shop, order), taken=taken)
    told = [entry.event for entry in shop.app.orders.timeline(order.id).items]
    started = [event for event in told if isinstance(event, events.CounterStarted)]
    assert [(event.means, event.reference) for event in started] == [("terminal", "TILL-0042")]
    assert receipt.order.payments[-1].provider_id == "TILL-0042"


def test_a_code_re_issued_twice_under_one_key_is_one_new_code(shop: Shop) -> None:
    order = ready(shop)
    shop.store.pickups.reissue(order.id, key="k")
    new = code(shop, order)
    shop.store.pickups.reissue(order.id, key="k")
    assert code(shop, order) == new


def test_ready_without_a_bin_leaves_the_bin_as_it_is(shop: Shop) -> None:
    order = ready(shop)
    assert shop.store.pickups.ready(order.id).pickup == order.pickup
