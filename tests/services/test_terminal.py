"""A card reader at the counter: goods leave once it has the money, and whatever fails in between, it is taken once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from omniorder import (
    Card,
    Money,
    Order,
    OrderState,
    PayInStore,
    PaymentState,
    PickupState,
    Recorded,
    Stage,
    Taken,
    Terminal,
    events,
)
from omniorder.errors import IllegalTransition, NotFound, NotPaid, NotReady, StillRunning, TenderUnsupported
from omniorder.ports.payments import Collect
from omniorder.ports.storage import Transaction
from omniorder.testing.clock import FakeClock
from omniorder.testing.gateway import FakeGateway, ProviderState
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import charged, code, effects, level, names, part, ready, refused
from tests.services.unruly import Killed, UnrulyGateway

DUE = Money(498, "EUR")
READER = Terminal("tmr_1")


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    """A shop whose provider has card readers, and that dies around its calls."""
    return shop_with(open_shop, UnrulyGateway)


def shop_with(open_shop: OpenShop, kind: type[FakeGateway] = FakeGateway, **can: Any) -> Shop:
    clock = FakeClock()
    gateway = kind(clock=clock, **can)
    return open_shop(clock=clock, gateway=gateway, gateways={"card": gateway, "terminal": gateway})


def give(shop: Shop, order: Order, **what: Any) -> Any:
    """The hand-over at the reader."""
    return shop.store.pickups.hand_over(order.id, code=code(shop, order), **{"taken": READER, **what})


def dying(shop: Shop) -> UnrulyGateway:
    """The shop's provider, around whose calls the process may die."""
    assert isinstance(shop.gateway, UnrulyGateway)
    return shop.gateway


def waiting(shop: Shop, **where: Any) -> Order:
    """An order for whose customer's card the reader waits."""
    order = ready(shop, pay=PayInStore(), **where)
    refused(StillRunning, give, shop, order)
    return order


def now(shop: Shop, order: Order) -> Order:
    return shop.office.orders.get(order.id)


# --- the ways that it goes --------------------------------------------------------------------------------


def test_a_card_that_is_there_already_pays_and_the_goods_leave(shop: Shop) -> None:
    receipt = give(shop, ready(shop, pay=PayInStore()), taken=Terminal("tmr_visa"))
    [paid] = receipt.order.payments
    assert (receipt.total, charged(shop), level(shop)) == (DUE, 498, (38, 0))
    assert (paid.state, paid.means, paid.token) == (PaymentState.CAPTURED, "terminal", "tmr_visa")
    check_all(shop.hub)


def test_while_the_reader_waits_the_goods_stay_and_repeating_asks_again(shop: Shop) -> None:
    order = waiting(shop)
    refused(StillRunning, give, shop, order)
    assert (now(shop, order).pickup.state, level(shop)) == (PickupState.HANDING_OVER, (40, 2))
    shop.gateway.present_card("tmr_1")
    assert give(shop, order).total == DUE
    assert (level(shop), effects(shop)) == ((38, 0), [1])
    assert sum(isinstance(one, Collect) for one in shop.gateway.requests) == 1
    check_all(shop.hub)


def test_the_receipt_comes_again(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    said = code(shop, order)
    first = shop.store.pickups.hand_over(order.id, code=said, taken=Terminal("tmr_visa"))
    assert shop.store.pickups.hand_over(order.id, code=said, taken=Terminal("tmr_visa")) == first


def test_the_sweep_finds_out_as_well(shop: Shop) -> None:
    order = waiting(shop)
    shop.gateway.present_card("tmr_1")
    shop.advance(minutes=1)
    assert (now(shop, order).stage, level(shop)) == (Stage.COLLECTED, (38, 0))


def test_a_webhook_finds_out_as_well(shop: Shop) -> None:
    order = waiting(shop)
    shop.gateway.present_card("tmr_1")
    headers, body = shop.gateway.signed_webhook(now(shop, order).payments[0], "payment.captured")
    assert shop.hub.webhook("terminal", headers=headers, body=body).status == 200
    assert now(shop, order).stage is Stage.COLLECTED


@pytest.mark.parametrize("how", ["decline_card", "walk_away"])
def test_a_card_that_is_refused_is_told_and_the_code_is_good_for_another_try(shop: Shop, how: str) -> None:
    order = waiting(shop)
    getattr(shop.gateway, how)("tmr_1")
    reason = {"decline_card": "card_declined", "walk_away": "cancelled_by_customer"}[how]
    assert refused(NotPaid, give, shop, order).facts["reason"] == reason
    [due] = now(shop, order).payments
    assert (now(shop, order).pickup.state, due.state) == (PickupState.READY, PaymentState.DUE_IN_STORE)
    assert give(shop, order, taken=Terminal("tmr_visa")).total == DUE
    assert (charged(shop), level(shop)) == (498, (38, 0))
    check_all(shop.hub)


def test_a_card_that_is_refused_at_once_is_told_at_once(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    refusal = refused(NotPaid, give, shop, order, taken=Terminal("tmr_declined"))
    assert (refusal.facts["reason"], refusal.facts["due"]) == ("card_declined", str(DUE))


def test_under_one_key_a_refusal_that_somebody_else_heard_is_told_and_nobody_is_asked_to_pay_again(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    refused(StillRunning, give, shop, order, key="k")
    shop.gateway.decline_card("tmr_1")
    shop.advance(minutes=1)
    assert refused(NotPaid, give, shop, order, key="k").facts["reason"] == "card_declined"
    assert sum(isinstance(one, Collect) for one in shop.gateway.requests) == 1


def test_cash_is_taken_after_a_refused_card(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    refused(NotPaid, give, shop, order, taken=Terminal("tmr_declined"))
    receipt = give(shop, order, taken=Taken(DUE))
    refused_card, cash = receipt.order.payments
    assert (refused_card.state, cash.means, cash.token, charged(shop)) == (PaymentState.VOIDED, "cash", "", 0)
    check_all(shop.hub)


def test_a_card_online_that_refuses_its_capture_is_paid_at_the_reader(shop: Shop) -> None:
    order = ready(shop, pay=Card("pm_card_capture_declined"))
    refused(NotPaid, give, shop, order, taken=None)
    receipt = give(shop, order, taken=Terminal("tmr_visa"))
    assert [p.state for p in receipt.order.payments] == [PaymentState.VOIDED, PaymentState.CAPTURED]
    check_all(shop.hub)


def test_of_a_part_only_the_part_is_taken_and_the_rest_stays_due(shop: Shop) -> None:
    order = ready(shop, {Shop.MILK: 3}, pay=PayInStore())
    first = give(shop, order, lines=part(order, 1), taken=Terminal("tmr_visa"))
    assert (first.total.amount, first.order.due_in_store.amount) == (249, 498)
    second = give(shop, order, taken=Terminal("tmr_visa"))
    assert (second.total.amount, charged(shop), second.order.stage) == (498, 747, Stage.COLLECTED)
    check_all(shop.hub)


def test_what_is_paid_already_is_not_asked_for_at_the_reader(shop: Shop) -> None:
    order = ready(shop)
    give(shop, order)
    assert charged(shop) == 498
    assert not any(isinstance(one, Collect) for one in shop.gateway.requests)


def test_cash_that_the_till_took_for_what_the_reader_took_is_refused(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    said = code(shop, order)
    give(shop, order, taken=Terminal("tmr_visa"))
    refusal = refused(NotReady, shop.store.pickups.hand_over, order.id, code=said, taken=Taken(DUE))
    assert "return 4.98 EUR" in refusal.facts["reason"]


# --- no longer waiting ------------------------------------------------------------------------------------


def test_the_store_may_stop_waiting_and_what_is_due_is_due_again(shop: Shop) -> None:
    order = waiting(shop)
    after = shop.store.pickups.stop_payment(order.id)
    assert (after.pickup.state, after.due_in_store) == (PickupState.READY, DUE)
    assert [p.state for p in after.payments] == [PaymentState.VOIDED, PaymentState.DUE_IN_STORE]
    assert [one.state for one in shop.gateway.payments] == [ProviderState.VOIDED]
    check_all(shop.hub)
    assert give(shop, order, taken=Taken(DUE)).order.stage is Stage.COLLECTED
    check_all(shop.hub)


def test_the_hand_over_says_that_it_was_stopped(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    refused(StillRunning, give, shop, order, key="k")
    shop.store.pickups.stop_payment(order.id)
    assert refused(NotPaid, give, shop, order, key="k").facts["reason"] == "stopped"


def test_a_reader_that_was_stopped_takes_no_card(shop: Shop) -> None:
    order = waiting(shop)
    shop.store.pickups.stop_payment(order.id)
    with pytest.raises(NotFound):
        shop.gateway.present_card("tmr_1")


def test_a_card_that_was_quicker_than_stopping_has_paid_and_the_goods_are_the_customer_s(shop: Shop) -> None:
    order = waiting(shop)
    said = code(shop, order)
    shop.gateway.present_card("tmr_1")
    after = shop.store.pickups.stop_payment(order.id)
    assert (after.stage, after.kept, level(shop)) == (Stage.COLLECTED, DUE, (38, 0))
    assert shop.store.pickups.hand_over(order.id, code=said, taken=READER).total == DUE
    check_all(shop.hub)


def test_a_card_that_pays_while_the_stop_is_under_way_has_paid(shop: Shop) -> None:
    order = waiting(shop)
    shop.gateway.drop_next_request()  # the void never arrives
    refused(StillRunning, shop.store.pickups.stop_payment, order.id)
    assert now(shop, order).payments[0].state is PaymentState.VOIDING
    shop.gateway.present_card("tmr_1")
    shop.advance(minutes=1)
    after = now(shop, order)
    assert (after.state, after.kept, charged(shop)) == (OrderState.COMPLETED, DUE, 498)
    assert "FoundCaptured" in names(shop, order)
    check_all(shop.hub)


def test_stopping_where_no_reader_waits_changes_nothing(shop: Shop, stored: Callable[[], Rows]) -> None:
    order = ready(shop, pay=PayInStore())
    before = stored()
    assert shop.store.pickups.stop_payment(order.id) == order
    assert stored() == before


def test_stopping_twice_stops_once(shop: Shop) -> None:
    order = waiting(shop)
    first = shop.store.pickups.stop_payment(order.id)
    assert shop.store.pickups.stop_payment(order.id) == first


def test_stopping_whose_answer_is_lost_is_finished_by_the_sweep(shop: Shop) -> None:
    order = waiting(shop)
    shop.gateway.lose_next_reply()
    refused(StillRunning, shop.store.pickups.stop_payment, order.id)
    assert now(shop, order).pickup.state is PickupState.HANDING_OVER
    shop.advance(minutes=1)
    assert (now(shop, order).pickup.state, now(shop, order).due_in_store) == (PickupState.READY, DUE)
    check_all(shop.hub)


def test_an_order_of_another_store_has_no_reader_to_stop(shop: Shop) -> None:
    refused(NotFound, shop.elsewhere.pickups.stop_payment, waiting(shop).id)


# --- meanwhile --------------------------------------------------------------------------------------------


def test_nothing_is_called_off_while_the_reader_waits(shop: Shop) -> None:
    order = waiting(shop)
    refused(IllegalTransition, shop.app.orders.cancel, order.id)
    refused(IllegalTransition, shop.office.orders.cancel, order.id)


def test_a_no_show_does_not_come_over_somebody_who_is_paying(shop: Shop) -> None:
    order = waiting(shop)
    shop.advance(days=30)
    assert now(shop, order).pickup.state is PickupState.HANDING_OVER
    shop.gateway.present_card("tmr_1")
    shop.advance(minutes=1)
    assert now(shop, order).stage is Stage.COLLECTED


def test_a_reader_that_is_busy_with_somebody_else_says_so(shop: Shop) -> None:
    waiting(shop)
    other = ready(shop, pay=PayInStore(), nth=1)
    assert refused(NotPaid, give, shop, other).facts["reason"] == "reader_busy"


# --- a reader that says nothing ---------------------------------------------------------------------------


def test_a_request_whose_reply_was_lost_is_asked_after_and_taken_once(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    refused(StillRunning, give, shop, order, taken=Terminal("tmr_timeout_after"))
    shop.gateway.present_card("tmr_timeout_after")
    assert give(shop, order).total == DUE
    assert effects(shop) == [1]
    check_all(shop.hub)


def test_a_request_that_never_arrived_is_made_again_under_its_key(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    shop.gateway.drop_next_request()
    refused(StillRunning, give, shop, order)
    refused(StillRunning, give, shop, order)
    shop.gateway.present_card("tmr_1")
    assert give(shop, order).total == DUE
    keys = {one.key for one in shop.gateway.requests if isinstance(one, Collect)}
    assert len(keys) == 1
    check_all(shop.hub)


def test_a_reader_that_never_answers_can_be_given_up(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    refused(StillRunning, give, shop, order, taken=Terminal("tmr_timeout"))
    refused(StillRunning, shop.store.pickups.stop_payment, order.id)  # it may be on its way still
    shop.clock.advance(seconds=31)
    after = shop.store.pickups.stop_payment(order.id)
    assert (after.pickup.state, after.due_in_store) == (PickupState.READY, DUE)
    check_all(shop.hub)


@pytest.mark.parametrize("where", ["kill_before", "kill_after"])
def test_dying_around_the_request_is_finished_by_the_sweep(shop: Shop, where: str) -> None:
    order = ready(shop, pay=PayInStore())
    setattr(shop.gateway, where, "collect")
    with pytest.raises(Killed):
        give(shop, order, taken=Terminal("tmr_visa"))
    shop.advance(minutes=1)
    assert (now(shop, order).stage, charged(shop), effects(shop)) == (Stage.COLLECTED, 498, [1])
    check_all(shop.hub)


@pytest.mark.parametrize("event", [events.CounterStarted, events.Paid, events.Collected])
def test_dying_while_it_is_recorded_takes_the_money_once(shop: Shop, event: type[events.Event]) -> None:
    order = ready(shop, pay=PayInStore())
    said = code(shop, order)
    lives = [1]

    def die(recorded: Recorded, tx: Transaction) -> None:
        if lives:
            lives.clear()
            raise Killed

    shop.hub.on(event, die)
    with pytest.raises(Killed):
        shop.store.pickups.hand_over(order.id, code=said, taken=Terminal("tmr_visa"))
    shop.advance(minutes=1)
    receipt = shop.store.pickups.hand_over(order.id, code=said, taken=Terminal("tmr_visa"))
    assert (receipt.total, charged(shop), level(shop)) == (DUE, 498, (38, 0))
    check_all(shop.hub)


@pytest.mark.parametrize("where", ["kill_before", "kill_after"])
def test_dying_around_stopping_is_finished_by_the_sweep(shop: Shop, where: str) -> None:
    order = waiting(shop)
    setattr(shop.gateway, where, "void")
    with pytest.raises(Killed):
        shop.store.pickups.stop_payment(order.id)
    shop.advance(minutes=1)
    assert (now(shop, order).pickup.state, now(shop, order).due_in_store) == (PickupState.READY, DUE)
    check_all(shop.hub)


def test_a_claimant_that_died_is_stopped_once_its_call_must_be_over(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    dying(shop).kill_after = "collect"
    with pytest.raises(Killed):
        give(shop, order)
    refused(StillRunning, shop.store.pickups.stop_payment, order.id)
    shop.clock.advance(seconds=31)
    after = shop.store.pickups.stop_payment(order.id)
    assert (after.pickup.state, [one.state for one in shop.gateway.payments]) == (
        PickupState.READY,
        [ProviderState.VOIDED],
    )
    shop.advance(minutes=1)
    check_all(shop.hub)


# --- where there are none ---------------------------------------------------------------------------------


def test_a_hub_without_a_gateway_for_readers_says_so(open_shop: OpenShop) -> None:
    shop = open_shop()
    order = ready(shop, pay=PayInStore())
    assert refused(TenderUnsupported, give, shop, order).facts["tender"] == "terminal"
    assert now(shop, order) == order


def test_a_gateway_without_readers_is_not_asked(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop, in_person=False)
    order = ready(shop, pay=PayInStore())
    assert "no card readers" in refused(TenderUnsupported, give, shop, order).facts["reason"]
    assert (now(shop, order), shop.gateway.requests) == (order, [])
