"""Sweeps: deadlines take effect once, never early, whoever and however many look."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from omniorder import Money, OrderState, PayInStore, PaymentState, Pick, Stage, SweepReport, Tender, events
from omniorder.errors import InvalidQuantity, NotReady
from omniorder.services.ledger import Ledger
from omniorder.testing.clock import FakeClock
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.invariants import InvariantBroken, nothing_is_held_past_its_grace, nothing_is_overdue
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.sending import CENTRE, awaiting, centre
from tests.services.steps import (
    INSTANT,
    REPLY_LOST,
    VISA,
    booked,
    code,
    handed_over,
    level,
    names,
    placed,
    promised,
    ready,
    refused,
)
from tests.services.unruly import unruly_shop


def test_a_sweep_with_nothing_to_do_says_so(shop: Shop) -> None:
    report = shop.hub.sweep()
    assert (report.looked, dict(report.happened), dict(report.failed), report.more) == (0, {}, {}, False)


# --- no-shows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pay", "state"),
    [(VISA, PaymentState.VOIDED), (INSTANT, PaymentState.CAPTURED), (PayInStore(), PaymentState.VOIDED)],
    ids=["authorised", "charged", "due in store"],
)
def test_goods_that_nobody_collects_go_back_and_the_money_too(shop: Shop, pay: Tender, state: PaymentState) -> None:
    order = ready(shop, pay=pay)
    assert order.pickup.until is not None
    shop.clock.set(order.pickup.until)
    shop.advance(seconds=10)
    after = shop.app.orders.get(order.id)
    assert (after.state, after.stage) == (OrderState.EXPIRED, Stage.NOT_COLLECTED)
    assert (after.payments[-1].state, after.kept.amount) == (state, 0)
    assert (level(shop), booked(shop, order.pickup.slot)) == ((40, 0), 0)


def test_goods_wait_until_their_very_deadline_and_the_grace_after_it(shop: Shop) -> None:
    order = ready(shop)
    assert order.pickup.until is not None
    shop.clock.set(order.pickup.until)
    shop.advance(seconds=4)
    assert shop.app.orders.get(order.id).stage is Stage.READY
    assert handed_over(shop, order).order.stage is Stage.COLLECTED


def test_an_order_that_the_store_never_made_ready_is_no_no_show(shop: Shop) -> None:
    order = placed(shop)
    shop.advance(days=30)
    assert shop.app.orders.get(order.id).stage is Stage.PREPARING
    assert level(shop) == (40, 2)


def test_a_code_is_dead_after_a_no_show(shop: Shop) -> None:
    order = ready(shop)
    said = code(shop, order)
    shop.advance(days=5)
    refused(NotReady, shop.store.pickups.hand_over, order.id, code=said)


def test_the_rest_that_is_never_collected_is_released_and_refunded_and_the_order_completed(shop: Shop) -> None:
    order = ready(shop, {Shop.MILK: 3})
    handed_over(shop, order, lines=[Pick(order.lines[0].id, 1)])
    shop.advance(days=5)
    after = shop.app.orders.get(order.id)
    assert (after.state, after.kept.amount) == (OrderState.COMPLETED, 249)
    assert level(shop) == (39, 0)
    assert sum(p.captured.amount - p.refunded.amount for p in shop.gateway.payments) == 249


def test_the_rest_is_voided_where_it_was_never_captured(open_shop: OpenShop) -> None:
    clock = FakeClock()
    shop = open_shop(clock=clock, gateway=FakeGateway(clock=clock, several_captures=True))
    order = ready(shop, {Shop.MILK: 3})
    handed_over(shop, order, lines=[Pick(order.lines[0].id, 1)])
    shop.advance(days=5)
    (payment,) = shop.gateway.payments
    assert (payment.captured.amount, payment.refunded.amount, payment.open.amount) == (249, 0, 0)
    assert shop.app.orders.get(order.id).kept == Money(249, "EUR")


# --- many -------------------------------------------------------------------------------------------------


def test_more_than_the_limit_is_left_for_the_next_call(shop: Shop) -> None:
    for _ in range(5):
        promised(shop, {Shop.MILK: 1})
    shop.clock.advance(minutes=16)
    first, second = shop.hub.sweep(limit=3), shop.hub.sweep(limit=3)
    assert (first.looked, first.more) == (3, True)
    assert (second.looked, second.more) == (2, False)
    assert level(shop) == (40, 0)


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "9"])
def test_the_limit_is_a_whole_number(shop: Shop, limit: int) -> None:
    assert refused(InvalidQuantity, shop.hub.sweep, limit).facts["field"] == "limit"


def test_several_workers_let_each_promise_lapse_once(shop: Shop) -> None:
    made = [promised(shop, {Shop.MILK: 1}, store=store) for store in ("SOF01", "VAR01") for _ in range(6)]
    shop.clock.advance(minutes=16)
    gate = Barrier(3)

    def work() -> int:
        gate.wait(timeout=30)
        return shop.hub.sweep().happened.get("PromiseLapsed", 0)

    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(lambda _: work(), range(3)))
    assert sum(counts) == len(made)
    assert (level(shop), level(shop, store="VAR01")) == ((40, 0), (10, 0))
    assert {booked(shop, promise.slot) for promise in made} == {0}


MANY = 120


def test_many_workers_sweep_many_lapsed_promises_once_each_in_small_batches(shop: Shop) -> None:
    """More than any batch holds: each worker takes bounded bites until nothing is left."""
    made = [promised(shop, {Shop.CHEESE: 10}, store=Shop.SOFIA, nth=n % 12) for n in range(MANY)]
    assert level(shop, Shop.CHEESE) == (5000, MANY * 11)
    shop.clock.advance(minutes=16)
    gate = Barrier(4)

    def work() -> list[SweepReport]:
        gate.wait(timeout=30)
        reports = [shop.hub.sweep(limit=7)]
        while reports[-1].more:
            reports.append(shop.hub.sweep(limit=7))
        return reports

    with ThreadPoolExecutor(4) as pool:
        reports = [report for found in pool.map(lambda _: work(), range(4)) for report in found]
    assert max(report.looked for report in reports) <= 7
    assert sum(report.happened.get("PromiseLapsed", 0) for report in reports) == len(made)
    assert not any(report.failed for report in reports)
    assert level(shop, Shop.CHEESE) == (5000, 0)
    nothing_is_overdue(shop.hub)
    nothing_is_held_past_its_grace(shop.hub)


def test_nothing_is_held_past_its_grace_once_a_sweep_came_by(open_shop: OpenShop) -> None:
    """Goods of an order whose money is in flight wait until that is undone, and no longer."""
    shop, gateway = unruly_shop(open_shop)
    promised(shop)
    silent = placed(shop, pay=REPLY_LOST)
    gateway.down = True
    nothing_is_held_past_its_grace(shop.hub)
    shop.clock.advance(minutes=16)
    with pytest.raises(InvariantBroken, match="held until"):
        nothing_is_held_past_its_grace(shop.hub)
    shop.hub.sweep()
    assert shop.app.orders.get(silent.id).state is OrderState.EXPIRING
    nothing_is_held_past_its_grace(shop.hub)
    assert level(shop) == (40, 2)
    shop.clock.advance(minutes=31)
    with pytest.raises(InvariantBroken, match="held until"):
        nothing_is_held_past_its_grace(shop.hub)
    shop.hub.sweep()
    nothing_is_held_past_its_grace(shop.hub)
    assert level(shop) == (40, 0)


def test_goods_from_elsewhere_wait_for_money_in_flight_too_and_no_longer(open_shop: OpenShop) -> None:
    shop, gateway = unruly_shop(open_shop)
    centre(shop)
    silent = awaiting(shop, pay=REPLY_LOST)
    gateway.down = True
    shop.clock.advance(minutes=16)
    shop.hub.sweep()
    assert shop.app.orders.get(silent.id).state is OrderState.EXPIRING
    assert level(shop, Shop.BREAD, CENTRE) == (10, 3)
    nothing_is_held_past_its_grace(shop.hub)
    shop.clock.advance(minutes=31)
    with pytest.raises(InvariantBroken, match="held until"):
        nothing_is_held_past_its_grace(shop.hub)
    shop.hub.sweep()
    nothing_is_held_past_its_grace(shop.hub)
    assert level(shop, Shop.BREAD, CENTRE) == (10, 0)


def test_a_sweep_that_forgets_to_give_units_back_would_be_found(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: the promise lapses, its timer is gone, and its units are still held."""
    promised(shop)
    monkeypatch.setattr(Ledger, "release", lambda *_, **__: None)
    shop.advance(minutes=16)
    nothing_is_overdue(shop.hub)
    with pytest.raises(InvariantBroken, match="held until"):
        nothing_is_held_past_its_grace(shop.hub)


def test_several_workers_make_each_provider_call_once(open_shop: OpenShop) -> None:
    shop, gateway = unruly_shop(open_shop)
    gateway.down = True
    orders = [placed(shop, {Shop.MILK: 1}) for _ in range(6)]
    gateway.down = False
    shop.clock.advance(minutes=1)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: shop.hub.sweep(), range(3)))
    assert set(gateway.effects.values()) == {1}
    assert [shop.app.orders.get(order.id).state for order in orders] == [OrderState.CONFIRMED] * 6


def test_one_order_that_fails_does_not_keep_the_others_waiting(open_shop: OpenShop) -> None:
    shop = open_shop()
    bad, good = promised(shop), promised(shop, touch=shop.stranger)

    def object_to(entry: object, tx: object) -> None:
        recorded = getattr(entry, "event", None)
        if getattr(recorded, "promise", "") == bad.id:
            raise RuntimeError("this one can't lapse")

    shop.hub.on(events.PromiseLapsed, object_to)
    shop.clock.advance(minutes=16)
    report = shop.hub.sweep()
    assert dict(report.happened) == {"PromiseLapsed": 1}
    assert dict(report.failed) == {"unexpected": 1}
    assert shop.stranger.carts.get(good.cart_id).promise_id is None
    assert shop.app.carts.get(bad.cart_id).promise_id == bad.id


def test_what_failed_is_tried_again_when_its_lease_is_over(open_shop: OpenShop) -> None:
    shop = open_shop()
    promise = promised(shop)
    trouble = [True]

    def object_once(entry: object, tx: object) -> None:
        if trouble.pop() if trouble else False:
            raise RuntimeError("not now")

    shop.hub.on(events.PromiseLapsed, object_once)
    assert shop.advance(minutes=16).failed == {"unexpected": 1}
    assert shop.advance(seconds=30).looked == 0
    assert shop.advance(minutes=2).happened == {"PromiseLapsed": 1}
    assert shop.app.carts.get(promise.cart_id).promise_id is None


# --- clocks -----------------------------------------------------------------------------------------------


def test_a_clock_that_steps_back_lets_nothing_lapse_early_or_twice(shop: Shop) -> None:
    first = promised(shop, {Shop.MILK: 1})
    shop.advance(minutes=16)
    shop.clock.advance(hours=-1)
    second = promised(shop, {Shop.MILK: 1})
    assert shop.hub.sweep().happened == {}
    assert shop.advance(minutes=14).happened == {}
    assert shop.advance(minutes=2).happened == {"PromiseLapsed": 1}
    assert {booked(shop, promise.slot) for promise in (first, second)} == {0}


def test_answers_to_old_keys_are_forgotten_after_the_retention(shop: Shop) -> None:
    first = shop.app.carts.start(key="k-1")
    shop.advance(days=6)
    assert shop.app.carts.start(key="k-1").id == first.id
    shop.advance(days=2)
    assert shop.app.carts.start(key="k-1").id != first.id


def test_the_sweep_acts_as_system_in_the_journal(shop: Shop) -> None:
    order = ready(shop)
    shop.advance(days=5)
    entry = next(e for e in shop.office.orders.timeline(order.id).items if e.name == "NoShow")
    assert (entry.stamp.channel.value, entry.stamp.actor) == ("system", "system:sweep")
    assert "OrderExpired" in names(shop, order)
