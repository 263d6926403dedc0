"""A process that dies between any two steps: afterwards there is one order, one charge, and nothing is lost.

`Killed` is no `Exception`, so nothing of ours can catch it: what is left is what was committed. A hub that is opened
anew on the same database then goes on, as the next process would.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from omniorder import Money, OrderState, PayInStore, Recorded, Settings, Stage, Taken, events
from omniorder.errors import StillRunning
from omniorder.ports.storage import Transaction
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import (
    INSTANT,
    VISA,
    booked,
    code,
    effects,
    free_slot,
    level,
    only_order,
    placed,
    promised,
    ready,
    refused,
)
from tests.services.unruly import Killed, UnrulyGateway, unruly_shop


@pytest.fixture
def unruly(open_shop: OpenShop) -> tuple[Shop, UnrulyGateway]:
    """A shop whose provider can be switched off, and that dies around its calls; it waits for nobody."""
    return unruly_shop(lambda **o: open_shop(settings=Settings(wait_for_other=timedelta(0)), **o))


def dies(call: Callable[..., object], *args: Any, **kwargs: Any) -> None:
    """The process ends within this call."""
    with pytest.raises(Killed):
        call(*args, **kwargs)


def die(recorded: Recorded, tx: Transaction) -> None:
    raise Killed


def die_once() -> Callable[[Recorded, Transaction], None]:
    """A handler that kills the process the first time that it is called."""
    lives = [1]

    def handler(recorded: Recorded, tx: Transaction) -> None:
        if lives:
            lives.clear()
            raise Killed

    return handler


# --- placing ----------------------------------------------------------------------------------------------


def test_dying_before_the_intent_commits_leaves_nothing(shop: Shop, stored: Callable[[], Rows]) -> None:
    promise = promised(shop)
    before = stored()
    shop.hub.on(events.OrderPlaced, die_once())
    dies(shop.app.checkout.place, promise.id, pay=VISA)
    assert stored() == before
    assert shop.gateway.requests == []
    assert shop.app.checkout.place(promise.id, pay=VISA).state is OrderState.CONFIRMED


def test_dying_before_the_provider_is_called_is_finished_by_the_sweep(unruly: tuple[Shop, UnrulyGateway]) -> None:
    shop, gateway = unruly
    promise = promised(shop)
    gateway.kill_before = "authorise"
    dies(shop.app.checkout.place, promise.id, pay=VISA)
    assert only_order(shop).stage is Stage.AWAITING_PAYMENT
    shop.advance(minutes=1)
    assert only_order(shop).state is OrderState.CONFIRMED
    assert effects(shop) == [1]


def test_dying_after_the_provider_was_called_is_found_by_the_sweep(unruly: tuple[Shop, UnrulyGateway]) -> None:
    shop, gateway = unruly
    promise = promised(shop)
    gateway.kill_after = "authorise"
    dies(shop.app.checkout.place, promise.id, pay=VISA)
    shop.advance(minutes=1)
    assert only_order(shop).state is OrderState.CONFIRMED
    assert effects(shop) == [1]


def test_dying_while_the_answer_is_recorded_is_found_by_the_sweep(unruly: tuple[Shop, UnrulyGateway]) -> None:
    shop, _ = unruly
    promise = promised(shop)
    shop.hub.on(events.OrderConfirmed, die_once())
    dies(shop.app.checkout.place, promise.id, pay=VISA)
    assert only_order(shop).state is OrderState.PLACED
    shop.advance(minutes=1)
    assert only_order(shop).state is OrderState.CONFIRMED
    assert effects(shop) == [1]


@pytest.mark.parametrize("where", ["kill_before", "kill_after"])
@pytest.mark.parametrize("operation", ["authorise", "look_up"])
def test_dying_during_the_recovery_itself_still_converges(
    unruly: tuple[Shop, UnrulyGateway], where: str, operation: str
) -> None:
    shop, gateway = unruly
    promise = promised(shop)
    gateway.kill_after = "authorise"
    dies(shop.app.checkout.place, promise.id, pay=VISA)
    shop.clock.advance(minutes=1)
    setattr(gateway, where, operation)
    try:
        shop.hub.sweep()
    except Killed:
        shop.advance(minutes=2)
    assert only_order(shop).state is OrderState.CONFIRMED
    assert effects(shop) == [1]


def test_whoever_presses_again_after_a_crash_waits_and_then_finishes_it(
    unruly: tuple[Shop, UnrulyGateway],
) -> None:
    shop, gateway = unruly
    promise = promised(shop)
    gateway.kill_after = "authorise"
    dies(shop.app.checkout.place, promise.id, pay=VISA)
    assert refused(StillRunning, shop.web.checkout.place, promise.id, pay=VISA).retry
    shop.clock.advance(seconds=31)
    assert shop.web.checkout.place(promise.id, pay=VISA).state is OrderState.CONFIRMED
    assert effects(shop) == [1]


def test_a_crash_that_nobody_comes_back_from_before_the_deadline_gives_everything_back(
    unruly: tuple[Shop, UnrulyGateway],
) -> None:
    shop, gateway = unruly
    promise = promised(shop)
    gateway.kill_after = "authorise"
    dies(shop.app.checkout.place, promise.id, pay=VISA)
    shop.advance(hours=2)
    assert only_order(shop).stage is Stage.EXPIRED
    assert [p.open.amount for p in gateway.payments] == [0]
    assert (level(shop), booked(shop, promise.slot)) == ((40, 0), 0)


# --- the promise ------------------------------------------------------------------------------------------


def test_dying_while_a_promise_is_replaced_leaves_the_first_as_it_was(shop: Shop, stored: Callable[[], Rows]) -> None:
    first = promised(shop)
    slot, before = free_slot(shop, shop.app.carts.get(first.cart_id), "VAR01"), stored()
    shop.hub.on(events.PromiseMade, die)
    dies(shop.app.checkout.promise, first.cart_id, slot=slot)
    assert stored() == before


def test_dying_while_a_promise_lapses_lets_it_lapse_later_and_once(shop: Shop) -> None:
    promise = promised(shop)
    shop.hub.on(events.PromiseLapsed, die_once())
    shop.clock.advance(minutes=16)
    dies(shop.hub.sweep)
    assert level(shop) == (40, 2)
    shop.advance(minutes=2)
    assert (level(shop), booked(shop, promise.slot)) == ((40, 0), 0)


# --- the hand-over ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["kill_before", "kill_after"])
def test_dying_around_the_capture_is_finished_by_the_sweep(unruly: tuple[Shop, UnrulyGateway], where: str) -> None:
    shop, gateway = unruly
    order = ready(shop)
    said = code(shop, order)
    setattr(gateway, where, "capture")
    dies(shop.store.pickups.hand_over, order.id, code=said)
    assert level(shop) == (40, 2)
    shop.advance(minutes=3)
    assert shop.app.orders.get(order.id).stage is Stage.COLLECTED
    assert (level(shop), effects(shop)) == ((38, 0), [1, 1])
    receipt = shop.store.pickups.hand_over(order.id, code=said)
    assert receipt.total == Money(498, "EUR")


def test_dying_before_a_hand_over_is_claimed_leaves_it_ready(shop: Shop) -> None:
    order = ready(shop)
    said = code(shop, order)
    shop.hub.on(events.HandOverStarted, die_once())
    dies(shop.store.pickups.hand_over, order.id, code=said)
    assert shop.app.orders.get(order.id) == order
    assert shop.store.pickups.hand_over(order.id, code=said).order.stage is Stage.COLLECTED


def test_dying_while_the_goods_are_booked_out_charges_once_and_books_once(
    unruly: tuple[Shop, UnrulyGateway],
) -> None:
    shop, _ = unruly
    order = ready(shop)
    said = code(shop, order)
    shop.hub.on(events.Collected, die_once())
    dies(shop.store.pickups.hand_over, order.id, code=said)
    shop.advance(minutes=3)
    assert shop.app.orders.get(order.id).stage is Stage.COLLECTED
    assert (level(shop), effects(shop)) == ((38, 0), [1, 1])


def test_money_that_the_counter_took_is_not_forgotten_by_a_crash(unruly: tuple[Shop, UnrulyGateway]) -> None:
    shop, _ = unruly
    order = ready(shop, pay=PayInStore())
    said = code(shop, order)
    shop.hub.on(events.Paid, die_once())
    dies(shop.store.pickups.hand_over, order.id, code=said, taken=Taken(Money(498, "EUR")))
    shop.advance(minutes=3)
    after = shop.app.orders.get(order.id)
    assert (after.stage, after.kept, level(shop)) == (Stage.COLLECTED, Money(498, "EUR"), (38, 0))


# --- undoing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["kill_before", "kill_after"])
def test_dying_around_the_void_is_finished_by_the_sweep(unruly: tuple[Shop, UnrulyGateway], where: str) -> None:
    shop, gateway = unruly
    order = placed(shop)
    setattr(gateway, where, "void")
    dies(shop.app.orders.cancel, order.id)
    shop.advance(minutes=1)
    assert shop.app.orders.get(order.id).stage is Stage.CANCELLED
    assert [(p.state.value, p.open.amount) for p in gateway.payments] == [("voided", 0)]


@pytest.mark.parametrize("where", ["kill_before", "kill_after"])
def test_dying_around_a_refund_refunds_once(unruly: tuple[Shop, UnrulyGateway], where: str) -> None:
    shop, gateway = unruly
    order = placed(shop, pay=INSTANT)
    setattr(gateway, where, "refund")
    dies(shop.app.orders.cancel, order.id)
    shop.advance(minutes=1)
    assert shop.app.orders.get(order.id).stage is Stage.CANCELLED
    assert [p.refunded.amount for p in gateway.payments] == [498]


def test_late_money_is_to_be_sent_back_in_the_very_step_that_records_it(
    unruly: tuple[Shop, UnrulyGateway],
) -> None:
    shop, gateway = unruly
    gateway.lose_next_reply()
    order = placed(shop, pay=INSTANT)
    shop.clock.advance(minutes=16)
    gateway.kill_before = "refund"
    dies(shop.hub.sweep)
    seen = shop.app.orders.get(order.id)
    assert (seen.kept, seen.payments[0].refund_pending) == (Money(498, "EUR"), Money(498, "EUR"))
    shop.advance(minutes=2)
    assert shop.app.orders.get(order.id).kept == Money(0, "EUR")


def test_a_no_show_that_dies_on_the_way_gives_goods_and_money_back_once(
    unruly: tuple[Shop, UnrulyGateway],
) -> None:
    shop, gateway = unruly
    order = ready(shop)
    shop.clock.advance(days=5)
    gateway.kill_after = "void"
    dies(shop.hub.sweep)
    assert level(shop) == (40, 0)
    shop.advance(minutes=2)
    after = shop.app.orders.get(order.id)
    assert (after.stage, level(shop)) == (Stage.NOT_COLLECTED, (40, 0))
    assert [p.state.value for p in gateway.payments] == ["voided"]


# --- the next process -------------------------------------------------------------------------------------


def test_another_process_finishes_what_the_first_began(database_url: str) -> None:
    in_memory = database_url == "memory://"
    url = "memory://crashes" if in_memory else database_url
    first, gateway = unruly_shop(lambda **o: Shop.example(url, seed=1, stocked=in_memory, **o))
    promise = promised(first)
    gateway.kill_after = "authorise"
    dies(first.app.checkout.place, promise.id, pay=VISA)
    first.close()

    second = Shop.example(url, seed=2, clock=first.clock, gateway=gateway, stocked=False)
    second.advance(minutes=1)
    assert only_order(second).state is OrderState.CONFIRMED
    assert effects(second) == [1]
    second.close()


# --- the provider breaks its word -------------------------------------------------------------------------


def test_a_gateway_that_raises_what_it_may_not_leaves_the_outcome_open(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: object) -> object:
        raise ZeroDivisionError("a bug in somebody's gateway")

    promise = promised(shop)
    with caplog.at_level(logging.CRITICAL), monkeypatch.context() as patch:
        patch.setattr(shop.gateway, "authorise", broken)
        order = shop.app.checkout.place(promise.id, pay=VISA)
    assert order.stage is Stage.AWAITING_PAYMENT
    shop.advance(minutes=1)
    assert only_order(shop).state is OrderState.CONFIRMED
