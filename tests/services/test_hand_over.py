"""The hand-over: the right code, exactly the money for what leaves, and the goods gone once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from omniorder import (
    Associate,
    Card,
    Channel,
    Money,
    PayInStore,
    PaymentState,
    Pick,
    PickupState,
    Settings,
    Stage,
    Taken,
)
from omniorder.errors import (
    IllegalTransition,
    InvalidQuantity,
    NotFound,
    NotPaid,
    NotReady,
    StillRunning,
)
from omniorder.testing.clock import FakeClock
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import (
    INSTANT,
    charged,
    code,
    handed_over,
    level,
    names,
    part,
    ready,
    refused,
)
from tests.services.unruly import unruly_shop

BASKET = {Shop.MILK: 2, Shop.BREAD: 1}
"""4.98 + 3.10 = 8.08 EUR."""


def several_captures(open_shop: OpenShop) -> Shop:
    """A shop whose provider captures as often as one likes."""
    clock = FakeClock()
    return open_shop(clock=clock, gateway=FakeGateway(clock=clock, several_captures=True))


# --- everything -------------------------------------------------------------------------------------------


def test_the_goods_leave_and_exactly_their_price_is_captured(shop: Shop) -> None:
    receipt = handed_over(shop, ready(shop, BASKET))
    assert receipt.total == Money(808, "EUR")
    assert charged(shop) == 808
    assert receipt.order.stage is Stage.COLLECTED
    assert (level(shop), level(shop, Shop.BREAD)) == ((38, 0), (4, 0))


def test_the_receipt_tells_lines_taxes_who_and_when(shop: Shop) -> None:
    receipt = handed_over(shop, ready(shop, BASKET))
    assert [(line.name, line.quantity, line.total.amount) for line in receipt.lines] == [
        ("Oat milk 1 l", 2, 498),
        ("Rye bread", 1, 310),
    ]
    assert [(str(part.rate), part.tax.amount) for part in receipt.taxes] == [("0.09", 26), ("0.20", 83)]
    assert (receipt.by, receipt.at) == ("associate:ivan@SOF01", shop.clock.now())


def test_the_goods_appear_in_the_ledger_as_collected_for_the_order(shop: Shop) -> None:
    order = ready(shop)
    shop.clock.advance(minutes=1)
    handed_over(shop, order)
    move = shop.store.stock.movements("SOF01", Shop.MILK).items[-1]
    assert (move.kind.value, move.quantity, move.reference) == ("collect", -2, order.id)


def test_a_code_may_be_said_with_spaces_and_dashes_and_a_token_scanned(shop: Shop) -> None:
    for shown in ("said", "token", "qr"):
        order = ready(shop)
        ticket = shop.app.orders.pickup_pass(order.id)
        said = f" {ticket.code[:3]} {ticket.code[3:5]}-{ticket.code[5:]}"
        text = {"said": said, "token": ticket.token.lower(), "qr": ticket.qr}[shown]
        assert shop.store.pickups.hand_over(order.id, code=text).order.stage is Stage.COLLECTED


def test_a_card_that_was_charged_at_once_is_not_charged_again(shop: Shop) -> None:
    handed_over(shop, ready(shop, pay=INSTANT))
    assert charged(shop) == 498
    assert "CaptureRequested" not in names(shop, shop.app.orders.page().items[0])


# --- twice ------------------------------------------------------------------------------------------------


def test_handing_over_twice_gives_the_same_receipt_and_moves_nothing(shop: Shop, stored: Callable[[], Rows]) -> None:
    order = ready(shop)
    said = code(shop, order)
    first = shop.store.pickups.hand_over(order.id, code=said)
    again = shop.store.pickups.hand_over(order.id, code=said)
    assert (again, level(shop), charged(shop)) == (first, (38, 0), 498)


def test_a_used_code_is_dead_for_everybody_else(shop: Shop) -> None:
    order = ready(shop)
    said = code(shop, order)
    shop.store.pickups.hand_over(order.id, code=said)
    colleague = shop.hub.at(Channel.STORE, Associate("maria", store="SOF01"))
    refused(NotReady, colleague.pickups.hand_over, order.id, code=said)
    assert level(shop) == (38, 0)


def test_another_part_than_was_handed_over_last_is_no_repetition(shop: Shop) -> None:
    order = ready(shop, {Shop.MILK: 3})
    said = code(shop, order)
    shop.store.pickups.hand_over(order.id, code=said, lines=part(order, 1))
    shop.store.pickups.hand_over(order.id, code=said)
    refused(NotReady, shop.store.pickups.hand_over, order.id, code=said, lines=part(order, 1))


# --- a part -----------------------------------------------------------------------------------------------


def test_a_provider_that_captures_several_times_takes_each_part_as_it_leaves(open_shop: OpenShop) -> None:
    shop = several_captures(open_shop)
    order = ready(shop, BASKET)
    first = handed_over(shop, order, lines=part(order, 1))
    assert (first.total.amount, charged(shop)) == (249, 249)
    assert (first.order.stage, level(shop)) == (Stage.READY, (39, 1))
    second = handed_over(shop, order)
    assert (second.total.amount, charged(shop)) == (559, 808)
    assert second.order.stage is Stage.COLLECTED


def test_a_provider_that_captures_once_takes_everything_that_is_still_ready(shop: Shop) -> None:
    order = ready(shop, BASKET)
    first = handed_over(shop, order, lines=part(order, 1))
    assert (first.total.amount, charged(shop)) == (249, 808)
    second = handed_over(shop, order)
    assert (second.total.amount, charged(shop)) == (559, 808)


def test_a_provider_that_cannot_capture_a_part_takes_the_whole_authorisation(open_shop: OpenShop) -> None:
    clock = FakeClock()
    gateway = FakeGateway(clock=clock, partial_capture=False, several_captures=False)
    shop = open_shop(clock=clock, gateway=gateway)
    order = ready(shop, BASKET)
    handed_over(shop, order, lines=part(order, 1))
    assert charged(shop) == 808


def test_parts_of_a_line_add_up_to_the_price_of_the_line(open_shop: OpenShop) -> None:
    shop = several_captures(open_shop)
    order = ready(shop, {Shop.APPLES: 333})  # 1.33 EUR
    totals = [handed_over(shop, order, lines=part(order, grams)).total.amount for grams in (111, 111, 111)]
    assert sum(totals) == charged(shop) == 133


def test_the_same_line_named_twice_is_summed(shop: Shop) -> None:
    order = ready(shop, BASKET)
    line = order.lines[0].id
    receipt = handed_over(shop, order, lines=[Pick(line, 1), Pick(line, 1)])
    assert [(one.line, one.quantity) for one in receipt.lines] == [(line, 2)]


def test_no_more_leaves_than_is_still_open(shop: Shop) -> None:
    order = ready(shop, BASKET)
    handed_over(shop, order, lines=part(order, 1))
    error = refused(InvalidQuantity, handed_over, shop, order, lines=part(order, 2))
    assert error.facts["value"] == "2"
    assert level(shop) == (39, 1)


def test_an_unknown_line_is_not_handed_over(shop: Shop) -> None:
    order = ready(shop)
    refused(NotFound, handed_over, shop, order, lines=[Pick("ln_0000000000000", 1)])
    assert shop.app.orders.get(order.id).pickup.state is PickupState.READY


def test_the_rest_that_is_called_off_is_refunded_and_goes_back_to_the_shelf(shop: Shop) -> None:
    order = ready(shop, BASKET)
    handed_over(shop, order, lines=part(order, 1))
    after = shop.app.orders.cancel(order.id)
    assert (after.stage, after.kept.amount, charged(shop)) == (Stage.COLLECTED, 249, 249)
    assert (level(shop), level(shop, Shop.BREAD)) == ((39, 0), (5, 0))


def test_the_rest_that_is_called_off_is_voided_where_it_was_not_captured(open_shop: OpenShop) -> None:
    shop = several_captures(open_shop)
    order = ready(shop, BASKET)
    handed_over(shop, order, lines=part(order, 1))
    after = shop.app.orders.cancel(order.id)
    assert (after.stage, charged(shop)) == (Stage.COLLECTED, 249)
    assert [p.open.amount for p in shop.gateway.payments] == [0]


# --- paid in the store ------------------------------------------------------------------------------------


def test_what_is_paid_at_the_counter_is_taken_by_the_counter(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    receipt = handed_over(shop, order, taken=Taken(Money(498, "EUR"), means="cash", reference="till 2"))
    assert receipt.order.stage is Stage.COLLECTED
    assert receipt.order.payments[-1].state is PaymentState.CAPTURED
    assert receipt.order.kept == Money(498, "EUR")


def test_unpaid_goods_never_leave(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    error = refused(NotPaid, handed_over, shop, order)
    assert error.facts["due"] == "4.98 EUR"
    assert level(shop) == (40, 2)


@pytest.mark.parametrize("amount", [497, 499, 0])
def test_the_counter_must_take_exactly_what_is_due(shop: Shop, amount: int) -> None:
    order = ready(shop, pay=PayInStore())
    refused(NotPaid, handed_over, shop, order, taken=Taken(Money(amount, "EUR")))
    assert shop.app.orders.get(order.id).pickup.state is PickupState.READY


def test_another_currency_is_not_what_is_due(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    refused(NotPaid, handed_over, shop, order, taken=Taken(Money(498, "USD")))


def test_the_counter_takes_nothing_for_what_a_card_pays(shop: Shop) -> None:
    order = ready(shop)
    refused(NotPaid, handed_over, shop, order, taken=Taken(Money(498, "EUR")))
    assert charged(shop) == 0


def test_a_part_is_paid_in_the_store_and_the_rest_stays_due_there(shop: Shop) -> None:
    order = ready(shop, BASKET, pay=PayInStore())
    first = handed_over(shop, order, lines=part(order, 1), taken=Taken(Money(249, "EUR")))
    assert (first.order.stage, first.order.due_in_store.amount) == (Stage.READY, 559)
    second = handed_over(shop, order, taken=Taken(Money(559, "EUR")))
    assert (second.order.stage, second.order.kept.amount) == (Stage.COLLECTED, 808)


def test_the_rest_that_is_never_paid_in_the_store_is_waived(shop: Shop) -> None:
    order = ready(shop, BASKET, pay=PayInStore())
    handed_over(shop, order, lines=part(order, 1), taken=Taken(Money(249, "EUR")))
    after = shop.app.orders.cancel(order.id)
    assert (after.stage, after.kept.amount, after.due_in_store.amount) == (Stage.COLLECTED, 249, 0)


# --- the capture goes wrong -------------------------------------------------------------------------------


def test_a_declined_capture_keeps_the_goods_and_leaves_the_code_valid(shop: Shop) -> None:
    order = ready(shop, pay=Card("pm_card_capture_declined"))
    error = refused(NotPaid, handed_over, shop, order)
    assert error.facts["reason"] == "card_declined"
    after = shop.app.orders.get(order.id)
    assert (after.pickup.state, level(shop)) == (PickupState.READY, (40, 2))
    refused(NotPaid, handed_over, shop, order)  # not WrongCode: the same code is looked at again


def test_an_unanswered_capture_keeps_the_goods_until_the_sweep_knows(shop: Shop) -> None:
    order = ready(shop)
    shop.gateway.lose_next_reply()
    error = refused(StillRunning, handed_over, shop, order)
    assert (error.facts["id"], error.retry) == (order.id, True)
    assert level(shop) == (40, 2)
    assert shop.app.orders.get(order.id).stage is Stage.READY

    shop.advance(seconds=40)
    after = shop.app.orders.get(order.id)
    assert (after.stage, level(shop), charged(shop)) == (Stage.COLLECTED, (38, 0), 498)


def test_the_associate_finds_out_by_the_same_call_once_it_is_time(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(wait_for_other=timedelta(0)))
    order = ready(shop)
    said = code(shop, order)
    shop.gateway.lose_next_reply()
    refused(StillRunning, shop.store.pickups.hand_over, order.id, code=said)
    refused(StillRunning, shop.store.pickups.hand_over, order.id, code=said)
    shop.clock.advance(minutes=3)
    receipt = shop.store.pickups.hand_over(order.id, code=said)
    assert (receipt.order.stage, receipt.total.amount, charged(shop)) == (Stage.COLLECTED, 498, 498)


def test_the_associate_gets_the_receipt_also_when_the_sweep_finished_for_them(shop: Shop) -> None:
    order = ready(shop)
    said = code(shop, order)
    shop.gateway.lose_next_reply()
    refused(StillRunning, shop.store.pickups.hand_over, order.id, code=said)
    shop.advance(minutes=1)
    receipt = shop.store.pickups.hand_over(order.id, code=said)
    assert (receipt.total.amount, receipt.by, receipt.at) == (498, "associate:ivan@SOF01", shop.clock.now())


def test_whoever_waits_for_an_unanswered_capture_does_not_lock_the_code(open_shop: OpenShop) -> None:
    shop, gateway = unruly_shop(lambda **o: open_shop(settings=Settings(wait_for_other=timedelta(0)), **o))
    order = ready(shop)
    said = code(shop, order)
    gateway.down = True
    for _ in range(8):
        refused(StillRunning, shop.store.pickups.hand_over, order.id, code=said)
    gateway.down = False
    shop.advance(minutes=3)
    assert shop.app.orders.get(order.id).stage is Stage.COLLECTED


def test_nothing_can_be_called_off_while_the_goods_are_being_handed_over(shop: Shop) -> None:
    order = ready(shop)
    shop.gateway.lose_next_reply()
    refused(StillRunning, handed_over, shop, order)
    refused(IllegalTransition, shop.app.orders.cancel, order.id)


def test_the_customer_can_not_collect_what_a_capture_that_never_arrived_did_not_pay(open_shop: OpenShop) -> None:
    shop, gateway = unruly_shop(open_shop)
    order = ready(shop)
    gateway.down = True
    refused(StillRunning, handed_over, shop, order)
    shop.advance(hours=1)
    assert shop.app.orders.get(order.id).stage is Stage.READY
    assert level(shop) == (40, 2)


def test_an_authorisation_that_grew_too_old_can_be_paid_at_the_counter(shop: Shop) -> None:
    order = ready(shop)
    shop.gateway.expire(order.payments[0])
    refused(NotPaid, handed_over, shop, order)
    receipt = handed_over(shop, order, taken=Taken(Money(498, "EUR"), means="terminal"))
    assert (receipt.order.stage, receipt.order.kept.amount) == (Stage.COLLECTED, 498)
    assert charged(shop) == 0


def test_the_same_card_is_not_asked_under_two_keys_for_one_hand_over(shop: Shop) -> None:
    order = ready(shop)
    shop.gateway.lose_next_reply()
    refused(StillRunning, handed_over, shop, order)
    shop.advance(seconds=40)
    assert set(shop.gateway.effects.values()) == {1}
    assert len(shop.gateway.effects) == 2  # one authorisation, one capture
