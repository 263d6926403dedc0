"""Authorisations end: whatever the provider can do about it, the goods are paid once, and the customer is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from omniorder import Money, Order, OrderState, PayInStore, PaymentState, Settings, Stage, Taken, events, steps
from omniorder.domain import authorisations, coupling, orders
from omniorder.errors import NotPaid, PlanImpossible, StillRunning
from omniorder.ports.notifications import Occasion
from omniorder.ports.payments import Absent, Authorise, Capture, Extend, Increase
from omniorder.services import payments
from omniorder.testing.clock import FakeClock
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import VISA, charged, handed_over, names, part, placed, promised, ready, refused
from tests.services.test_crashes import dies
from tests.services.test_notices import Postman
from tests.services.unruly import UnrulyGateway

LASTS = timedelta(days=2)
EARLY = timedelta(days=1, hours=12)
"""When something is done about it: the last quarter of its time, which is less than the margin of a day."""
SOON_AFTER = timedelta(seconds=10)
EUR = "EUR"
HALF_A_KILO = {Shop.CHEESE: 500}  # 6.45 EUR; at most 550 g, 7.10


def shop_with(
    open_shop: OpenShop, *, settings: Settings | None = None, notifier: Postman | None = None, **can: Any
) -> Shop:
    """The shop with a provider where money stays set aside for two days, and that `can` do this."""
    clock = FakeClock()
    gateway = UnrulyGateway(clock=clock, **{"lifetimes": {"": LASTS}, **can})
    options = {"settings": settings, "notifier": notifier, "migrate": notifier is not None}
    return open_shop(clock=clock, gateway=gateway, **{name: one for name, one in options.items() if one})


def provider(shop: Shop) -> UnrulyGateway:
    assert isinstance(shop.gateway, UnrulyGateway)
    return shop.gateway


def go_to(shop: Shop, order: Order, after: timedelta) -> Order:
    """The order once a sweep has been there so long after it was placed."""
    wait = order.placed_at + after + SOON_AFTER - shop.clock.now()
    shop.advance(seconds=wait.total_seconds())
    return shop.office.orders.get(order.id)


def sent(shop: Shop, kind: type[object]) -> list[Any]:
    return [request for request in shop.gateway.requests if isinstance(request, kind)]


def states(order: Order) -> list[str]:
    return [f"{p.kind} {p.state.value}" for p in order.payments]


def check(shop: Shop) -> None:
    """All that must always hold, against the provider's books too."""
    check_all(shop.hub)


# --- goods that are ready ---------------------------------------------------------------------------------


def test_what_is_ready_is_captured_before_what_is_set_aside_for_it_ends(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop)
    order = ready(shop)
    assert states(go_to(shop, order, EARLY - 2 * SOON_AFTER)) == ["card authorised"]
    order = go_to(shop, order, EARLY)
    assert (states(order), charged(shop), order.stage) == (["card captured"], 498, Stage.READY)
    go_to(shop, order, LASTS)
    assert handed_over(shop, order).total == Money(498, EUR)
    assert (len(sent(shop, Capture)), charged(shop)) == (1, 498)
    check(shop)


def test_who_never_comes_gets_back_what_was_captured_early(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop)
    order = go_to(shop, ready(shop), timedelta(days=6))
    assert (order.stage, charged(shop)) == (Stage.NOT_COLLECTED, 0)
    check(shop)


def test_a_part_that_is_not_collected_is_paid_back_after_an_early_capture(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop)
    order = go_to(shop, ready(shop), EARLY)
    handed_over(shop, order, lines=part(order, 1))
    order = go_to(shop, order, timedelta(days=6))
    assert (order.stage, charged(shop)) == (Stage.COLLECTED, 249)
    check(shop)


def test_a_customer_who_comes_during_the_early_capture_is_given_the_goods_once_it_is_answered(
    open_shop: OpenShop,
) -> None:
    shop = shop_with(open_shop, settings=Settings(wait_for_other=timedelta(0)))
    order = ready(shop)
    shop.gateway.lose_next_reply()
    assert states(go_to(shop, order, EARLY)) == ["card capturing"]
    refused(StillRunning, handed_over, shop, order)
    order = go_to(shop, order, EARLY + timedelta(minutes=5))
    assert (order.stage, charged(shop), shop.gateway.effects[order.payments[0].attempts[-1].id]) == (
        Stage.COLLECTED, 498, 1,
    )  # fmt: skip
    check(shop)


def test_a_no_show_waits_for_the_early_capture_and_pays_it_back(open_shop: OpenShop) -> None:
    """A control is in the joint states: there the sweep would be refused."""
    shop = shop_with(open_shop, lifetimes={"": timedelta(days=2, hours=20)})
    order = ready(shop)
    provider(shop).down = True
    go_to(shop, order, timedelta(days=2, hours=4))
    assert states(go_to(shop, order, timedelta(days=5))) == ["card capturing"]
    provider(shop).down = False
    order = go_to(shop, order, timedelta(days=5, minutes=10))
    order = go_to(shop, order, timedelta(days=5, minutes=20))
    assert (order.state, charged(shop)) == (OrderState.EXPIRED, 0)
    check(shop)


def test_an_early_capture_that_is_refused_leaves_the_card_for_the_counter(open_shop: OpenShop) -> None:
    """It is not asked again and again: the next way is taken, and the last of them is the counter."""
    shop = shop_with(open_shop)
    order = ready(shop)
    shop.gateway.expire(order.payments[0])
    order = go_to(shop, order, EARLY)
    assert states(order) == ["card lapsed", "in_store due_in_store"]
    assert order.due_in_store == Money(498, EUR)
    handed_over(shop, order, taken=Taken(order.due_in_store))
    assert len(sent(shop, Capture)) == 1
    check(shop)


@pytest.mark.parametrize("where", ["kill_before", "kill_after"])
def test_dying_around_the_early_capture_takes_the_money_once(open_shop: OpenShop, where: str) -> None:
    shop = shop_with(open_shop)
    order = ready(shop)
    setattr(shop.gateway, where, "capture")
    dies(go_to, shop, order, EARLY)
    order = go_to(shop, order, EARLY + timedelta(minutes=2))
    assert (states(order), charged(shop)) == (["card captured"], 498)
    check(shop)


# --- more time --------------------------------------------------------------------------------------------


def test_what_is_not_ready_yet_has_its_authorisation_extended(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop, extension=True)
    order = placed(shop)
    after = go_to(shop, order, EARLY)
    assert after.payments[0].until == shop.clock.now() + LASTS
    again = go_to(shop, order, 2 * EARLY + 2 * SOON_AFTER)
    assert again.payments[0].until == shop.clock.now() + LASTS
    assert (states(again), len(sent(shop, Extend))) == (["card authorised"], 2)
    check(shop)


def extended_once(shop: Shop) -> None:
    """An extension whose reply was lost, and what the next sweep makes of it."""
    order = placed(shop)
    shop.gateway.lose_next_reply()
    order = go_to(shop, order, EARLY)
    shop.gateway.forget_keys()
    order = go_to(shop, order, EARLY + timedelta(minutes=2))
    attempt = order.payments[0].attempts[-1]
    assert order.payments[0].until == order.placed_at + EARLY + SOON_AFTER + LASTS
    assert shop.gateway.effects[attempt.id] == 1
    check(shop)


def test_a_lost_reply_about_more_time_is_looked_up_rather_than_sent_again(open_shop: OpenShop) -> None:
    extended_once(shop_with(open_shop, extension=True))


def test_an_extension_sent_again_would_be_found(open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: without the look-up it takes effect twice."""
    monkeypatch.setattr(payments, "look_up", lambda *_: Absent())
    with pytest.raises(AssertionError):
        extended_once(shop_with(open_shop, extension=True))


@pytest.mark.parametrize("where", ["kill_before", "kill_after"])
def test_dying_around_an_extension_extends_once(open_shop: OpenShop, where: str) -> None:
    shop = shop_with(open_shop, extension=True)
    order = placed(shop)
    setattr(shop.gateway, where, "extend")
    dies(go_to, shop, order, EARLY)
    order = go_to(shop, order, EARLY + timedelta(minutes=2))
    assert shop.gateway.effects[order.payments[0].attempts[-1].id] == 1
    assert order.payments[0].until is not None
    assert order.payments[0].until > order.placed_at + LASTS
    check(shop)


def test_a_refused_extension_is_not_asked_for_again(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop, extension=True)
    order = placed(shop)
    provider(shop).denies = {"extend": "not_eligible"}
    go_to(shop, order, EARLY)
    shop.advance(hours=1)
    shop.advance(hours=1)
    order = shop.office.orders.get(order.id)
    assert names(shop, order).count("ExtensionRefused") == 1
    assert states(go_to(shop, order, LASTS)) == ["card lapsed", "in_store due_in_store"]


# --- anew -------------------------------------------------------------------------------------------------


def test_a_token_that_may_be_used_again_is_authorised_anew_and_the_old_one_given_back(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop, reuse=True)
    order = go_to(shop, placed(shop), EARLY)
    old, new = order.payments
    assert (states(order), new.replaces) == (["card voided", "card authorised"], old.id)
    assert [p.open.amount for p in shop.gateway.payments] == [0, 498]
    assert len(sent(shop, Authorise)) == 2
    check(shop)


def test_an_old_authorisation_that_is_not_given_back_would_be_found(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control: without `replace` the excess goes back all the same, but it is the new one that does."""
    monkeypatch.setattr(authorisations, "replace", lambda order: ())
    with pytest.raises(AssertionError):
        test_a_token_that_may_be_used_again_is_authorised_anew_and_the_old_one_given_back(open_shop)


def test_the_old_authorisation_stays_while_the_new_one_is_not_there(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop, reuse=True)
    order = placed(shop)
    provider(shop).down = True
    order = go_to(shop, order, EARLY)
    assert states(order) == ["card authorised", "card authorising"]
    provider(shop).down = False
    assert states(go_to(shop, order, EARLY + timedelta(minutes=2))) == ["card voided", "card authorised"]
    check(shop)


def test_a_customer_who_comes_meanwhile_pays_by_the_old_one_and_the_new_one_is_called_off(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop, reuse=True, partial_refund=False)
    order = ready(shop)
    shop.gateway.lose_next_reply()
    assert states(go_to(shop, order, EARLY)) == ["card authorised", "card authorising"]
    handed_over(shop, order)
    order = go_to(shop, order, EARLY + timedelta(minutes=5))
    assert (states(order), charged(shop)) == (["card captured", "card voided"], 498)
    assert [p.open.amount for p in shop.gateway.payments] == [0, 0]
    check(shop)


@pytest.mark.parametrize("where", ["kill_before", "kill_after"])
@pytest.mark.parametrize("operation", ["authorise", "void"])
def test_dying_around_the_exchange_leaves_one_authorisation(open_shop: OpenShop, operation: str, where: str) -> None:
    shop = shop_with(open_shop, reuse=True)
    order = placed(shop)
    setattr(shop.gateway, where, operation)
    dies(go_to, shop, order, EARLY)
    order = go_to(shop, order, EARLY + timedelta(minutes=2))
    order = go_to(shop, order, EARLY + timedelta(minutes=4))
    assert states(order) == ["card voided", "card authorised"]
    assert [p.open.amount for p in shop.gateway.payments] == [0, 498]
    check(shop)


def test_where_it_can_not_be_had_anew_the_old_one_stays_until_it_ends(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop, reuse=True)
    order = placed(shop)
    provider(shop).denies = {"authorise": "card_declined"}
    order = go_to(shop, order, EARLY)
    assert states(order) == ["card authorised", "card declined"]
    assert states(go_to(shop, order, LASTS)) == ["card lapsed", "card declined", "in_store due_in_store"]
    assert len(sent(shop, Authorise)) == 1
    check(shop)


# --- the counter ------------------------------------------------------------------------------------------


def test_where_nothing_helps_the_customer_is_told_to_pay_at_the_counter_and_can(open_shop: OpenShop) -> None:
    postman = Postman()
    shop = shop_with(open_shop, partial_refund=False, notifier=postman)
    order = ready(shop)
    order = go_to(shop, order, LASTS)
    assert order.due_in_store == Money(498, EUR)
    shop.hub.sweep()
    shop.hub.sweep()
    told = [one for one in postman.occasions(order.id) if one is not Occasion.REMINDER]
    assert told == [Occasion.CONFIRMED, Occasion.READY, Occasion.PAY_AT_COUNTER]
    refused(NotPaid, handed_over, shop, order)
    handed_over(shop, order, taken=Taken(order.due_in_store))
    assert (charged(shop), shop.office.orders.get(order.id).stage) == (0, Stage.COLLECTED)
    check(shop)


def test_who_chose_the_counter_is_not_told_of_it(open_shop: OpenShop) -> None:
    postman = Postman()
    shop = shop_with(open_shop, notifier=postman)
    order = placed(shop, pay=PayInStore())
    shop.hub.sweep()
    assert postman.occasions(order.id) == [Occasion.CONFIRMED]


def ended_unforeseen(shop: Shop) -> Order:
    """At the counter it comes to light that the authorisation has ended."""
    order = ready(shop)
    shop.gateway.expire(order.payments[0])
    error = refused(NotPaid, handed_over, shop, order)
    assert error.facts["reason"] == "authorisation_expired"
    return shop.office.orders.get(order.id)


def test_a_capture_that_comes_too_late_leaves_the_goods_in_the_store_and_the_counter_open(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop)
    order = ended_unforeseen(shop)
    assert (order.stage, order.due_in_store) == (Stage.READY, Money(498, EUR))
    handed_over(shop, order, taken=Taken(Money(498, EUR)))
    check(shop)


def test_a_capture_that_comes_too_late_is_made_up_for_at_once_where_the_token_may_be_used_again(
    open_shop: OpenShop,
) -> None:
    shop = shop_with(open_shop, reuse=True)
    order = ended_unforeseen(shop)
    assert states(order) == ["card lapsed", "card authorised"]
    assert handed_over(shop, order).total == Money(498, EUR)
    assert charged(shop) == 498
    check(shop)


def test_an_order_that_nobody_makes_up_for_would_be_found(open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: without `refill` nothing is due, and nobody is told."""
    monkeypatch.setattr(authorisations, "refill", lambda *_: ())
    shop = shop_with(open_shop)
    order = ended_unforeseen(shop)
    assert (order.due_in_store, order.funding.value) == (Money(0, EUR), "short")


def test_goods_that_leave_although_the_capture_came_too_late_would_be_found(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control: without the guard on what leaves, the invariants see unpaid goods."""
    monkeypatch.setattr(orders, "forbidden", lambda *_: None)
    monkeypatch.setattr(coupling, "_finish_hand_over", coupling_lets_go)
    shop = shop_with(open_shop)
    order = ready(shop)
    shop.gateway.expire(order.payments[0])
    handed_over(shop, order)
    with pytest.raises(AssertionError):
        check(shop)


def coupling_lets_go(order: Order) -> tuple[Any, ...]:
    """A hand-over that does not look at the money once the provider has answered."""
    if any(p.state is PaymentState.CAPTURING for p in order.payments):
        return ()
    return (events.Collected(order.pickup.claim), events.OrderCompleted())


# --- clocks -----------------------------------------------------------------------------------------------


def test_a_clock_that_steps_forth_and_back_does_nothing_twice(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop, extension=True)
    order = placed(shop)
    go_to(shop, order, EARLY - timedelta(minutes=30))
    assert sent(shop, Extend) == []
    shop.advance(hours=1)
    shop.advance(hours=-1)
    shop.advance(minutes=40)
    assert len(sent(shop, Extend)) == 1
    check(shop)


def test_a_sweep_that_was_down_for_days_still_finds_a_way(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop, extension=True, reuse=True)
    order = placed(shop)
    shop.gateway.expire(order.payments[0])
    order = go_to(shop, order, timedelta(days=9))
    assert states(order)[-1] == "card authorised"
    check(shop)


def test_a_provider_that_names_no_end_is_held_to_its_lifetime(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = shop_with(open_shop)
    real = shop.gateway.authorise
    monkeypatch.setattr(type(shop.gateway), "authorise", lambda _, request: _without_end(real(request)))
    order = placed(shop)
    assert order.payments[0].until == order.placed_at + LASTS


def _without_end(answer: Any) -> Any:
    return evolve(answer, until=None)


# --- more money -------------------------------------------------------------------------------------------


def weighed(shop: Shop, grams: int) -> Order:
    order = placed(shop, HALF_A_KILO)
    assert order.payments[0].authorised == Money(645, EUR)
    shop.store.pickups.pick(order.id, order.lines[0].id, grams)
    shop.store.pickups.ready(order.id)
    return go_to(shop, order, timedelta(minutes=2))


RAISING = Settings(raises_authorisations=True)


def test_a_piece_that_weighs_more_raises_what_is_set_aside_to_what_it_costs(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop, settings=RAISING, incremental=True)
    order = weighed(shop, 550)
    assert [request.amount for request in sent(shop, Increase)] == [Money(710, EUR)]
    assert order.payments[0].authorised == Money(710, EUR) == order.ceiling
    assert handed_over(shop, order).total == Money(710, EUR)
    check(shop)


def test_what_weighs_less_raises_nothing(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop, settings=RAISING, incremental=True)
    order = weighed(shop, 460)
    assert sent(shop, Increase) == []
    assert handed_over(shop, order).total == Money(593, EUR)
    check(shop)


def test_where_it_can_not_be_raised_the_difference_is_paid_at_the_counter(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop, settings=RAISING, incremental=True)
    provider(shop).denies = {"increase": "insufficient_funds"}
    order = weighed(shop, 550)
    assert order.due_in_store == Money(65, EUR)
    handed_over(shop, order, taken=Taken(Money(65, EUR)))
    assert charged(shop) == 645
    check(shop)


def test_a_lost_reply_about_more_money_is_found(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop, settings=RAISING, incremental=True)
    order = placed(shop, HALF_A_KILO)
    shop.store.pickups.pick(order.id, order.lines[0].id, 550)
    shop.gateway.lose_next_reply()
    shop.store.pickups.ready(order.id)
    order = go_to(shop, order, timedelta(minutes=1))
    shop.gateway.forget_keys()
    order = go_to(shop, order, timedelta(minutes=3))
    assert order.payments[0].authorised == Money(710, EUR)
    assert set(shop.gateway.effects.values()) == {1}
    check(shop)


def test_without_the_setting_the_most_is_set_aside_at_once(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop, incremental=True)
    assert placed(shop, HALF_A_KILO).payments[0].authorised == Money(710, EUR)


# --- plans ------------------------------------------------------------------------------------------------


def test_an_order_that_no_provider_can_carry_through_is_refused_and_nothing_is_written(
    open_shop: OpenShop, stored: Callable[[], Rows]
) -> None:
    can: dict[str, Any] = {"lifetimes": {"": timedelta(minutes=20)}, "partial_refund": False}
    shop = shop_with(open_shop, settings=Settings(falls_back_to_counter=False), **can)
    promise = promised(shop)
    before = stored()
    error = refused(PlanImpossible, shop.app.checkout.place, promise.id, pay=VISA)
    assert (error.code, error.facts["reason"], error.facts["tender"]) == ("tender.plan_impossible", "too_short", "card")
    assert stored() == before
    assert shop.gateway.requests == []


def test_the_plan_of_an_order_says_what_will_be_done(open_shop: OpenShop) -> None:
    shop = shop_with(open_shop)
    order = ready(shop)
    (card,) = order.payments
    assert shop.store.orders.plan(order.id).steps == (
        steps.CaptureAtHandOver(None, "leaves_whole", card.id, Money(498, EUR)),
        steps.CaptureEarly(order.placed_at + EARLY, "ready", card.id, Money(498, EUR)),
    )
