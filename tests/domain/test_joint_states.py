"""Order, money, pick-up and stock together: what holds in every state that a small order can reach at all.

`tests.domain.joint_states` finds those states by trying everything; here is what must be true of each. `--long`
explores bigger orders too.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

import pytest
from attrs import evolve, fields

from omniorder.domain import answers, coupling, orders
from omniorder.domain import events as e
from omniorder.domain.answers import Answer, Approved, Denied, NeedsAction, NoAnswer
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.lifecycle import (
    Funding,
    OrderState,
    PaymentState,
    PickupState,
    ReservationState,
    is_legal,
)
from omniorder.domain.orders import Order
from omniorder.domain.payments import Action, Operation
from omniorder.domain.proposals import Proposal
from omniorder.domain.quantities import weight_bounds
from omniorder.domain.terms import Terms
from omniorder.errors import IllegalTransition, OmniorderError
from tests.domain.joint_states import (
    HOLD,
    LOOK_AGAIN,
    By,
    Explorer,
    Key,
    Setting,
    World,
    deadlines,
    failed_refund,
    heard,
    swept,
)

BOTH = ("card", "in_store")
SEVERAL = Capabilities(several_captures=True)

SETTINGS = (
    Setting("nothing to pay", price=0),
    Setting("late news", late=True),
    Setting("late news, two tenders", tries=2, late=True),
    Setting("two tenders of either kind", tenders=BOTH, tries=2),
    Setting("parts, paid in the store", units=(2,), tenders=("in_store",)),
    Setting("parts, captured each", units=(2,), capabilities=SEVERAL),
    Setting("parts, captured once", units=(1, 1)),
    Setting("parts, captured whole", units=(2,), capabilities=Capabilities(partial_capture=False)),
    Setting("three units, captured each", units=(2, 1), tenders=BOTH, capabilities=SEVERAL),
    Setting("two lines, two tenders", units=(1, 1), tenders=BOTH, tries=2),
    Setting("split between two cards", tenders=("card+card",), tries=2),
    Setting("split between card and counter, in parts", units=(2,), tenders=("card+in_store",), tries=2),
    Setting("corrected, captured once", units=(1, 1), corrects=True),
    Setting("corrected, captured each", units=(2,), capabilities=SEVERAL, corrects=True),
    Setting("corrected, captured whole", units=(2,), capabilities=Capabilities(partial_capture=False), corrects=True),
    Setting("corrected, refunded whole", units=(2,), capabilities=Capabilities(partial_refund=False), corrects=True),
    Setting("what the store hasn't got", units=(2, 1), tenders=BOTH, rejects=True),
    Setting("what the store hasn't got, paid at once", units=(1, 1), capabilities=SEVERAL, rejects=True, late=True),
    Setting("weighed, captured once", units=(2,), weighed=True),
    Setting("weighed, captured each", units=(2,), capabilities=SEVERAL, weighed=True),
    Setting("weighed, captured whole", units=(2,), capabilities=Capabilities(partial_capture=False), weighed=True),
    Setting("weighed, paid in the store", units=(2,), tenders=("in_store",), weighed=True),
    Setting("weighed, raised", units=(2,), capabilities=Capabilities(incremental=True), weighed=True, raises=True),
    Setting("ends, captured early", ends=True),
    Setting("ends, captured early in parts", units=(2,), capabilities=SEVERAL, ends=True),
    Setting("ends, captured early as a whole", units=(2,), capabilities=Capabilities(partial_capture=False), ends=True),
    Setting("ends, extended", capabilities=Capabilities(partial_refund=False, extension=True), ends=True),
    Setting("ends, authorised anew", capabilities=Capabilities(partial_refund=False, reuse=True), ends=True),
    Setting("ends, paid at the counter", capabilities=Capabilities(partial_refund=False), ends=True),
    Setting("ends, extended or anew", capabilities=Capabilities(reuse=True, extension=True), ends=True),
    Setting("paid at a card reader", tenders=("in_store",), late=True, readers=2),
    Setting("parts, paid at a card reader", units=(2,), tenders=("in_store",), readers=1),
    Setting("by card, or at a card reader", readers=2),
    Setting("kept for a fee, or paid in the store", tenders=BOTH, fee=30),
    Setting("kept for a fee, captured whole", units=(2,), capabilities=Capabilities(partial_capture=False), fee=30),
    Setting("spoils beside other goods", units=(1, 1), tenders=BOTH, fee=30, spoils=True),
    Setting("spoils beside other goods, captured each", units=(1, 1), capabilities=SEVERAL, spoils=True),
    Setting("spoils, captured early", units=(1, 1), ends=True, spoils=True),
    Setting("spoils alone", tenders=BOTH, fee=30, spoils=True),
)
BIGGER = (
    Setting("parts, late news, two tenders", (2,), BOTH, SEVERAL, tries=2, late=True),
    Setting("corrected, two tenders", tenders=BOTH, tries=2, corrects=True),
    Setting("late news, three tenders", tries=3, late=True),
    Setting("split, captured each, late news", (2,), ("card+card", "card+in_store"), SEVERAL, tries=3, late=True),
    Setting("weighed, two tenders", units=(2, 1), tenders=BOTH, tries=2, weighed=True),
    Setting("ends, authorised anew in parts", units=(2,), capabilities=evolve(SEVERAL, reuse=True), ends=True),
    Setting(
        "ends, two tenders", tenders=BOTH, tries=2, capabilities=Capabilities(reuse=True, extension=True), ends=True
    ),
    Setting("spoils, split between two cards", (1, 1), ("card", "card+card"), tries=2, ends=True, spoils=True),
    Setting("ends, late news", late=True, capabilities=Capabilities(reuse=True, extension=True), ends=True),
    Setting("ends, weighed", units=(2,), capabilities=evolve(SEVERAL, reuse=True), ends=True, weighed=True),
)

ENDED = (OrderState.COMPLETED, OrderState.CANCELLED, OrderState.EXPIRED)


@lru_cache(maxsize=1)
def explore(setting: Setting) -> Explorer:
    """All worlds of one setting. Those of all settings would be too many to keep."""
    explored = Explorer(setting)
    gc.freeze()  # it has no cycles, and is too large to be searched for some
    return explored


@cache
def examples(setting: Setting) -> tuple[World, ...]:
    """One world of each kind in this setting, which can be kept for the tests that are about all settings."""
    return tuple({kind(world): world for world in explore(setting).worlds.values()}.values())


def kind(world: World) -> Key:
    """What the tests that are about all settings tell worlds apart by."""
    payments = world.order.payments
    refused = any(attempt.reason and not attempt.open for payment in payments for attempt in payment.attempts)
    return world.order.joint, world.reservation.state, any(map(failed_refund, payments)), refused


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "all_worlds" in metafunc.fixturenames:
        settings = (*SETTINGS, *BIGGER) if metafunc.config.getoption("--long") else SETTINGS
        metafunc.parametrize("all_worlds", settings, ids=lambda setting: setting.name, indirect=True, scope="module")


@pytest.fixture(scope="module")
def all_worlds(request: pytest.FixtureRequest) -> Explorer:
    """All worlds of one setting; pytest runs all tests of a setting before those of the next."""
    explored = explore(request.param)
    examples(request.param)  # while they are at hand
    return explored


def broken(all_worlds: Explorer, holds: Callable[[World], bool]) -> list[Key]:
    """The worlds in which something does not hold."""
    return [key for key, world in all_worlds.worlds.items() if not holds(world)]


def everywhere(all_worlds: Explorer, holds: Callable[[World], bool]) -> None:
    """Assert that it holds in every world, or tell how the first one in which it does not was reached."""
    found = broken(all_worlds, holds)
    assert not found, f"{len(found)} of {len(all_worlds.worlds)} worlds, such as\n{all_worlds.story(found[0])}"


# --- the machines agree -----------------------------------------------------------------------------------


def test_every_joint_state_is_one_of_the_coupling_table(all_worlds: Explorer) -> None:
    everywhere(all_worlds, lambda world: is_legal(world.order.joint, world.reservation.state))


def test_what_the_provider_says_and_what_time_does_is_never_refused(all_worlds: Explorer) -> None:
    told = [f"{all_worlds.story(key)}\n{what}" for key, what in all_worlds.refused]
    assert not told, told[0]


def test_an_answer_has_its_effect_once(all_worlds: Explorer) -> None:
    """Whatever the provider says again about an attempt that is over, nothing follows; but that a refund came back."""

    def deaf(world: World) -> bool:
        for payment in world.order.payments:
            for attempt in payment.attempts:
                asked = attempt.amount
                sayings: list[Answer] = [NoAnswer(), NeedsAction(Action("again"))]
                if attempt.operation is not Operation.REFUND or not answers.may_change(payment, attempt):
                    sayings.append(Denied("again"))
                if not answers.may_turn_up(attempt):
                    sayings += [Approved(asked), Approved(asked, captured=True)]
                for answer in [] if attempt.open else sayings:
                    if answers.heard(world.order, attempt.id, answer, look_at=world.now):
                        return False
        return True

    everywhere(all_worlds, deaf)


def test_nothing_more_follows_from_what_has_been_followed(all_worlds: Explorer) -> None:
    everywhere(all_worlds, lambda world: swept(swept(world)) == swept(world))


# --- stock ------------------------------------------------------------------------------------------------


def test_the_units_held_are_those_that_the_customer_still_expects(all_worlds: Explorer) -> None:
    """S6: of what is weighed the most that it may weigh, while any of it is open; an order that is over holds none."""

    def same(world: World) -> bool:
        expected: dict[str, int] = defaultdict(int)
        for line in world.order.pickup.lines:
            bought = world.order.line(line.line)
            most = weight_bounds(bought.quantity, bought.tolerance)[1]
            expected[bought.sku] += most - line.collected - line.dropped if line.open else 0
        return world.reservation.live() == {sku: units for sku, units in expected.items() if units}

    everywhere(all_worlds, same)


def test_a_unit_is_collected_or_given_up_once(all_worlds: Explorer) -> None:
    """S5, and no more leaves than was ordered, nor what was never picked."""

    def counted(world: World) -> bool:
        lines = world.order.pickup.lines
        return all(
            0 <= line.collected <= line.picked and line.dropped >= 0 and line.collected + line.dropped <= line.quantity
            for line in lines
        ) and all(line.live >= 0 for line in world.reservation.lines)

    everywhere(all_worlds, counted)


# --- money ------------------------------------------------------------------------------------------------


def open_money(order: Order) -> int:
    """What is set aside and may still be taken; a payment that is being voided does not count."""
    taking = (PaymentState.AUTHORISED, PaymentState.CAPTURING)
    return sum((p.authorised - p.captured).amount for p in order.payments if p.state in taking)


def on_its_way_back(order: Order) -> int:
    return sum(p.refund_pending.amount for p in order.payments)


def test_no_payment_gives_back_more_than_it_took_or_takes_more_than_was_set_aside(all_worlds: Explorer) -> None:
    """M2, per tender."""
    everywhere(
        all_worlds,
        lambda world: all(
            p.refunded.amount >= 0
            and p.refund_pending.amount >= 0
            and p.refunded + p.refund_pending <= p.captured <= p.authorised
            for p in world.order.payments
        ),
    )


def test_the_order_knows_of_all_money_that_was_taken_and_given_back(all_worlds: Explorer) -> None:
    """Whatever the provider said, in whatever order and however late."""
    everywhere(all_worlds, lambda world: world.order.kept.amount == sum(world.taken.values()))


def test_what_is_held_beyond_the_ceiling_is_on_its_way_back(all_worlds: Explorer) -> None:
    """M2, per order. Two things can only wait: a refund that the provider refused, and a capture under way."""

    def within(world: World) -> bool:
        order = world.order
        held = order.kept.amount - on_its_way_back(order) + open_money(order)
        waits = any(name.startswith("refund again") for name in deadlines(world))
        taking = any(p.state is PaymentState.CAPTURING for p in order.payments)
        waits = waits or taking or order.pickup.state is PickupState.HANDING_OVER
        return held <= order.ceiling.amount or waits

    everywhere(all_worlds, within)


def test_what_has_left_the_store_is_paid(all_worlds: Explorer) -> None:
    """M3: at least, while the order is open; to the cent, once it is completed and nothing is pending."""

    def paid(world: World) -> bool:
        order = world.order
        kept = order.kept.amount - on_its_way_back(order)
        if order.state is OrderState.COMPLETED and order.funding is Funding.CLEAR:
            return kept == order.owed.amount
        return kept >= order.owed.amount - order.fees.amount

    everywhere(all_worlds, paid)


def test_an_order_that_was_undone_keeps_a_fee_at_most(all_worlds: Explorer) -> None:
    """M4."""

    def settled(world: World) -> bool:
        order = world.order
        undone = order.state in coupling.UNDONE and order.funding is Funding.CLEAR
        return not undone or (order.kept, open_money(order)) == (order.fees - order.credited, 0)

    everywhere(all_worlds, settled)


def test_cash_is_given_back_only_for_what_was_credited(all_worlds: Explorer) -> None:
    """It has paid for goods that left: whatever else is too much came by card, or was taken by a reader."""
    everywhere(
        all_worlds,
        lambda world: (
            bool(world.order.corrections)
            or not any(
                attempt.operation is Operation.REFUND
                for payment in world.order.payments
                for attempt in payment.attempts
                if payment.kind == "in_store" and not payment.gateway
            )
        ),
    )


# --- time -------------------------------------------------------------------------------------------------


def test_from_everywhere_the_order_can_end_without_the_customer(all_worlds: Explorer) -> None:
    """No dead end: provider, clock and staff alone can bring every order to an end with all money settled."""
    before: dict[Key, list[Key]] = defaultdict(list)
    for key, steps in all_worlds.steps.items():
        for by, after in steps:
            if by is not By.CUSTOMER:
                before[after].append(key)
    good = {
        key
        for key, world in all_worlds.worlds.items()
        if world.order.state in ENDED and world.order.funding is Funding.CLEAR
    }
    assert good
    spreading = list(good)
    while spreading:
        for key in before[spreading.pop()]:
            if key not in good:
                good.add(key)
                spreading.append(key)
    stuck = [key for key in all_worlds.worlds if key not in good]
    assert not stuck, f"{len(stuck)} worlds have no way out, such as\n{all_worlds.story(stuck[0])}"


def silent(world: World) -> World:
    """The world after every open question was asked again, in vain."""
    for payment in world.order.payments:
        for attempt in payment.attempts:
            if attempt.open:
                world = heard(world, attempt, NoAnswer())
    return world


def test_once_the_sweep_has_been_it_has_no_reason_to_come_back_at_once(all_worlds: Explorer) -> None:
    """A timer that stays in the past would keep a worker busy for nothing."""

    def quiet(world: World) -> bool:
        due = coupling.due(silent(swept(world)).order, world.terms)
        return due is None or due > world.now

    everywhere(all_worlds, quiet)


def test_whatever_time_will_do_has_a_timer(all_worlds: Explorer) -> None:
    def remembered(world: World) -> bool:
        due = coupling.due(world.order, world.terms)
        waits = any(a.open and not p.left_to_people(a) for p in world.order.payments for a in p.attempts)
        if waits and due is None:
            return False
        for instant in (world.now, *deadlines(world).values()):
            later = evolve(world, now=max(instant, world.now))
            if swept(later).order != world.order and (due is None or due > later.now):
                return False
        return True

    everywhere(all_worlds, remembered)


def test_a_hand_over_under_way_waits_for_an_answer(all_worlds: Explorer) -> None:
    """So whoever hears it can finish it, when the associate who began has gone."""
    everywhere(
        all_worlds,
        lambda world: (
            world.order.pickup.state is not PickupState.HANDING_OVER
            or any(attempt.open for p in world.order.payments for attempt in p.attempts)
        ),
    )


# --- steps one by one -------------------------------------------------------------------------------------


def one_of_every_kind(world: World) -> Iterable[e.Event]:
    """An event of every class, about this order's own payment, attempt and line."""
    order = world.order
    payment = order.payments[-1] if order.payments else None
    attempt = payment.attempts[-1] if payment and payment.attempts else None
    line = order.pickup.lines[0].line
    values: dict[str, object] = {
        "payment": payment.id if payment else "pay_1",
        "attempt": attempt.id if attempt else "att_1",
        "line": line,
        "quantity": 1,
        "grams": 1,
        "units": (e.Units(line, 1),),
        "missing": (e.Units(line, 1),),
        "amount": order.total,
        "look_at": world.now + LOOK_AGAIN,
        "until": world.now + HOLD,
        "hold_until": world.now + HOLD,
        "pay_by": world.now + HOLD,
        "expires_at": world.now + HOLD,
        "generation": 2,
        "total": order.total,
        "ceiling": order.ceiling,
        "lines": (evolve(order.lines[0], id="ln_more"),),
        "notes": (),
        "at": world.now,
        "without_allergens": (),
    }
    asked = Proposal(line, 1, evolve(order.lines[0], id="ln_other"), "rsv_other", world.now + HOLD, "not_found")
    for kind in e.EVENTS.values():
        if not kind.__subclasses__():
            named: dict[str, Any] = values | {"proposal": asked} if kind is e.SubstituteProposed else values
            yield kind(**{field.name: named.get(field.name, "x") for field in fields(kind)})


def tried(world: World, event: e.Event) -> OmniorderError | None:
    """Why the order refuses this event; None when it takes it, one version on."""
    try:
        after = orders.apply(world.order, event, world.now)
    except OmniorderError as refusal:
        return refusal
    assert after.version == world.order.version + 1
    return None


def test_an_event_is_taken_or_refused_with_a_reason_and_nothing_changes() -> None:
    """Every event in every joint state: either the order is one version on, or it is as it was."""
    worlds = [world for setting in SETTINGS for world in examples(setting)]
    for world in {(world.order.joint, world.reservation.state): world for world in worlds}.values():
        before = repr(world.order)
        for event in one_of_every_kind(world):
            refusal = tried(world, event)
            if isinstance(refusal, IllegalTransition):
                assert refusal.facts["event"] == type(event).__name__
                assert refusal.facts["why"]
        assert repr(world.order) == before


# --- the exploring itself ---------------------------------------------------------------------------------


def test_the_explorer_sees_every_state_that_this_release_uses() -> None:
    """Otherwise all of the above would be true of too little."""
    seen = [world for setting in SETTINGS for world in examples(setting)]
    assert {world.order.state for world in seen} == set(OrderState) - {OrderState.RETURNED}
    assert {world.order.funding for world in seen} == set(Funding)
    assert {world.order.pickup.state for world in seen} == set(PickupState) - {
        PickupState.AWAITING_STOCK,
        PickupState.REROUTED,
    }
    assert {world.reservation.state for world in seen} == set(ReservationState)
    assert {p.state for world in seen for p in world.order.payments} == set(PaymentState) - {PaymentState.CREATED}
    assert any(failed_refund(p) for world in seen for p in world.order.payments)
    assert any(a.reason and not a.open for world in seen for p in world.order.payments for a in p.attempts)


def _never(*_: object) -> tuple[e.Event, ...]:
    return ()


def test_a_refund_that_is_forgotten_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: without `_refund` there is a dead end."""
    monkeypatch.setattr(coupling, "_refund", _never)
    with pytest.raises(AssertionError, match="no way out"):
        test_from_everywhere_the_order_can_end_without_the_customer(Explorer(Setting("control")))


def test_a_hand_over_that_does_not_wait_for_the_money_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: goods that leave while the capture is still open."""

    def careless(order: Order) -> tuple[e.Event, ...]:
        return (e.Collected(order.pickup.claim), e.OrderCompleted())

    monkeypatch.setattr(coupling, "_finish_hand_over", careless)
    monkeypatch.setattr(orders, "forbidden", lambda event, joint: None)
    with pytest.raises(AssertionError, match="worlds, such as"):
        test_what_has_left_the_store_is_paid(Explorer(Setting("control")))


def test_a_no_show_that_leaves_the_goods_in_the_bay_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: only the order hears of it."""

    def half(order: Order, at: datetime, hold_until: datetime, terms: Terms) -> tuple[e.Event, ...]:
        late = order.pickup.until is not None and at >= order.pickup.until
        return (e.NoShowStarted(),) if late and order.state is OrderState.CONFIRMED else ()

    monkeypatch.setattr(coupling, "overdue", half)
    with pytest.raises(AssertionError, match="worlds, such as"):
        test_every_joint_state_is_one_of_the_coupling_table(Explorer(Setting("control")))
