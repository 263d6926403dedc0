"""The planner: what is planned is what the provider can do, covers the order, and comes out to the cent when done."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st

from omniorder.domain import answers, authorisations, capturing, coupling, ids, planning, steps
from omniorder.domain import events as e
from omniorder.domain.answers import AUTHORISATION_EXPIRED, Answer, Approved, Denied
from omniorder.domain.authorisations import LARGEST_SHARE, due, ends_before
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.capturing import Taken
from omniorder.domain.lifecycle import OrderState, PaymentState, PickupState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order, told
from omniorder.domain.payments import Attempt, Operation, Payment
from omniorder.domain.planning import Plan, plan, to_set_aside
from omniorder.domain.terms import Terms
from omniorder.errors import NotPaid, PlanImpossible
from omniorder.testing import samples
from omniorder.testing.samples import HOUR, NOW

DAY = timedelta(days=1)
UNTIL = NOW + 2 * DAY
MARGIN = 6 * HOUR
EARLY = UNTIL - MARGIN


def terms(**can: Any) -> Terms:
    counter = can.pop("counter", True)
    return Terms({"card": Capabilities(**can)}, MARGIN, counter)


def ending(order: Order, until: datetime | None = UNTIL) -> Order:
    """The order, whose authorisation ends then."""
    return evolve(order, payments=tuple(evolve(p, until=until, token="pm_card_visa") for p in order.payments))


CONFIRMED = ending(samples.authorised(samples.order()))
READY = ending(samples.ready(samples.authorised(samples.order())))
TOTAL = READY.total
(CARD,) = READY.payments


def kinds(made: Plan) -> list[str]:
    return [type(step).__name__ for step in made.steps]


# --- the rules, one by one --------------------------------------------------------------------------------

RULES: tuple[tuple[str, Order, dict[str, Any], list[str]], ...] = (
    ("ready", READY, {}, ["CaptureAtHandOver", "CaptureEarly"]),
    ("ready, can extend", READY, {"extension": True}, ["CaptureAtHandOver", "CaptureEarly"]),
    ("ready, refunds no parts", READY, {"partial_refund": False}, ["CaptureAtHandOver", "Lapse", "PayAtCounter"]),
    ("ready, refunds no parts, can extend", READY, {"partial_refund": False, "extension": True},
     ["CaptureAtHandOver", "Extend"]),
    ("not ready, can extend", CONFIRMED, {"extension": True, "reuse": True}, ["CaptureAtHandOver", "Extend"]),
    ("not ready, token may be used again", CONFIRMED, {"reuse": True}, ["CaptureAtHandOver", "Reauthorise"]),
    ("not ready, nothing helps", CONFIRMED, {}, ["CaptureAtHandOver", "Lapse", "PayAtCounter"]),
    ("not ready, nothing helps, no counter", CONFIRMED, {"counter": False}, ["CaptureAtHandOver", "Lapse"]),
    ("no end", ending(READY, None), {}, ["CaptureAtHandOver"]),
    ("collected before it ends", ending(READY, NOW + 30 * DAY), {}, ["CaptureAtHandOver"]),
)  # fmt: skip


@pytest.mark.parametrize(("order", "can", "wanted"), [rule[1:] for rule in RULES], ids=[rule[0] for rule in RULES])
def test_what_is_planned_follows_from_what_the_provider_can_do(
    order: Order, can: dict[str, Any], wanted: list[str]
) -> None:
    assert kinds(plan(order, terms(**can), NOW)) == wanted


def test_it_is_acted_on_in_the_last_quarter_of_its_time_at_the_earliest() -> None:
    lasts = UNTIL - CARD.attempts[0].asked_at
    assert ends_before(CARD, MARGIN) == EARLY
    assert ends_before(CARD, 10 * DAY) == UNTIL - lasts / LARGEST_SHARE
    assert due(READY, terms()) == EARLY


@pytest.mark.parametrize(
    ("can", "reason", "most"),
    [
        ({"several_captures": True}, "leaves", TOTAL.amount),
        ({}, "leaves_whole", TOTAL.amount),
        ({"partial_refund": False}, "leaves_only", TOTAL.amount),
        ({"partial_capture": False}, "captures_whole", TOTAL.amount),
    ],
)
def test_the_plan_says_how_the_hand_over_captures(can: dict[str, Any], reason: str, most: int) -> None:
    first, *_ = plan(READY, terms(**can), NOW).steps
    assert first == steps.CaptureAtHandOver(None, reason, CARD.id, Money(most, "EUR"))


def test_every_reason_is_explained() -> None:
    for _, order, can, _ in RULES:
        assert {step.reason for step in plan(order, terms(**can), NOW).steps} <= set(steps.REASONS)


def test_only_what_a_provider_can_raise_is_set_aside_short_of_the_most() -> None:
    cheese = samples.order(wishes=samples.A_PIECE_OF_CHEESE)
    assert to_set_aside(cheese, Capabilities(), raises=True) == cheese.ceiling
    assert to_set_aside(cheese, Capabilities(incremental=True), raises=False) == cheese.ceiling
    assert to_set_aside(cheese, Capabilities(incremental=True), raises=True) == cheese.total


def test_a_substitution_that_is_worth_more_is_planned_for() -> None:
    dearer = TOTAL + Money(100, "EUR")
    heavy = evolve(READY, payments=(evolve(CARD, authorised=dearer, amount=dearer),))
    first, *_ = plan(heavy, terms(), NOW, most=dearer).steps
    assert isinstance(first, steps.CaptureAtHandOver)
    assert first.most == dearer


def test_money_of_an_order_that_is_over_is_planned_to_go_back() -> None:
    paid = samples.every_order()["refunding"]
    assert plan(evolve(paid, payments=tuple(evolve(p, refund_pending=Money(0, "EUR")) for p in paid.payments)),
                terms(), NOW).steps == (
        steps.GiveBack(NOW, "excess", paid.payments[0].id, TOTAL),
    )  # fmt: skip


# --- what can't be carried out ----------------------------------------------------------------------------


def tendered(**values: Any) -> Order:
    order = samples.order()
    new = order.next_payment_id()
    added = e.TenderAdded(new, "card", order.ceiling, "pm_card_visa", **values)
    return told(order, (added, e.AuthoriseRequested(new, ids.attempt_id(new, 1), order.ceiling)), NOW)


SHORT = {"lifetimes": {"": timedelta(minutes=10)}, "partial_refund": False, "counter": False}


@pytest.mark.parametrize(
    ("values", "can", "reason"),
    [
        ({"now": True}, {"immediate": False}, "deposit"),
        ({"method": "apple_pay"}, {"wallets": frozenset({"google_pay"})}, "wallet"),
        ({}, SHORT, "too_short"),
    ],
)
def test_a_plan_that_the_provider_can_not_carry_out_is_refused_with_the_reason(
    values: dict[str, Any], can: dict[str, Any], reason: str
) -> None:
    with pytest.raises(PlanImpossible) as refused:
        plan(tendered(**values), terms(**can), NOW)
    assert (refused.value.facts["tender"], refused.value.facts["reason"]) == ("card", reason)


@pytest.mark.parametrize(
    "helps", [{"extension": True}, {"reuse": True}, {"counter": True}, {"lifetimes": {"": 30 * DAY}}, {"lifetimes": {}}]
)
def test_what_ends_early_is_not_refused_where_something_helps(helps: dict[str, Any]) -> None:
    assert plan(tendered(), terms(**{**SHORT, **helps}), NOW).steps


def test_what_can_be_captured_early_is_not_refused_if_the_window_begins_in_time() -> None:
    order = tendered()
    lasts = order.pickup.starts - NOW + 2 * HOUR
    can = {"lifetimes": {"": lasts}, "counter": False}
    soon = evolve(terms(**can), margin=HOUR)
    late = evolve(order, pickup=evolve(order.pickup, ends=NOW + 9 * DAY))
    assert plan(late, soon, NOW).steps
    with pytest.raises(PlanImpossible):
        plan(late, evolve(terms(**can, partial_refund=False), margin=HOUR), NOW)


# --- done step by step ------------------------------------------------------------------------------------


@define
class Simulation:
    """An order in the hands of a provider that does what it can do, refuses the rest, and sometimes refuses anyway."""

    order: Order
    terms: Terms
    lasts: timedelta | None
    draw: Any
    now: datetime = NOW
    ends: dict[str, datetime | None] = field(factory=dict[str, "datetime | None"])

    @property
    def can(self) -> Capabilities:
        return self.terms.capabilities["card"]

    def tell(self, events: tuple[e.Event, ...]) -> None:
        """These events and all that follows, with the provider's answers; the plan is right at every step."""
        self.order = coupling.follow(told(self.order, events, self.now), self.now, self.terms)[0]
        self.check()
        while asked := next(((p, a) for p in self.order.payments for a in p.attempts if a.open), None):
            answer = self.answer(*asked)
            heard = answers.heard(self.order, asked[1].id, answer, look_at=self.now + HOUR)
            self.order = coupling.follow(told(self.order, heard, self.now), self.now, self.terms)[0]
            self.check()

    def answer(self, payment: Payment, attempt: Attempt) -> Answer:
        ends, can = self.ends.get(payment.id), self.can
        over = ends is not None and self.now >= ends
        until = self.now + self.lasts if self.lasts else None
        match attempt.operation:
            case Operation.AUTHORISE if payment.replaces and (not can.reuse or self.draw(st.booleans())):
                return Denied("card_declined")
            case Operation.AUTHORISE:
                self.ends[payment.id] = until
                return Approved(attempt.amount, "pi", until=until)
            case Operation.CAPTURE if over:
                return Denied(AUTHORISATION_EXPIRED)
            case Operation.CAPTURE:
                assert can.partial_capture or attempt.amount == payment.authorised - payment.captured
                left = payment.authorised - payment.captured - attempt.amount
                return Approved(attempt.amount, "ch", open=can.several_captures and left.amount > 0)
            case Operation.EXTEND:
                assert can.extension
                if over or self.draw(st.booleans()):
                    return Denied("no")
                self.ends[payment.id] = until
                return Approved(attempt.amount, "pi", until=until)
            case Operation.INCREASE:
                assert can.incremental
                return Denied("no") if over or self.draw(st.booleans()) else Approved(attempt.amount, "pi")
            case _:
                return Approved(attempt.amount, "x")

    def check(self) -> None:
        """The plan covers what the order will cost, keeps to the ceiling, and asks nothing impossible."""
        order, can = self.order, self.can
        aside = sum(p.aside.amount + p.being_taken.amount for p in order.payments)
        assert order.kept.amount + aside <= order.ceiling.amount
        if order.state not in (OrderState.PLACED, OrderState.CONFIRMED):
            return
        made = plan(order, self.terms, self.now)
        covered = order.kept.amount + sum(p.being_taken.amount for p in order.payments)
        for step in made.steps:
            match step:
                case steps.CaptureAtHandOver(most=most):
                    covered += most.amount
                case steps.PayAtCounter(at=None, amount=amount):
                    covered += amount.amount
                case steps.Increase(payment=payment, to=to):
                    assert can.incremental
                    assert to <= order.ceiling
                    covered += (to - order.payment(payment).authorised).amount
                case steps.Extend():
                    assert can.extension
                case steps.Reauthorise():
                    assert can.reuse
                case steps.CaptureEarly(payment=payment, amount=amount):
                    assert can.partial_refund
                    assert can.partial_capture or amount == order.payment(payment).aside
                case steps.TakeNow():
                    assert can.immediate
                case _:
                    pass
        raising = any(a.open and a.operation is Operation.INCREASE for p in order.payments for a in p.attempts)
        asking = any(p.state in (PaymentState.AUTHORISING, PaymentState.COLLECTING, PaymentState.VOIDING)
                     for p in order.payments)  # fmt: skip
        handing_over = order.pickup.state is PickupState.HANDING_OVER
        assert covered >= order.wanted_value.amount or raising or asking or handing_over

    def wait(self, lasts: timedelta) -> None:
        """Let time go by, and do on the way whatever is due."""
        until = self.now + lasts
        for _ in range(200):
            looks = coupling.due(self.order, self.terms)
            if looks is None or looks > until:
                break
            self.now = max(self.now, looks)
            self.tell(coupling.overdue(self.order, self.now, self.now + HOUR, self.terms))
        else:
            raise AssertionError("it never comes to rest")
        self.now = until

    def collect(self, units: tuple[e.Units, ...]) -> None:
        """The customer comes, and pays at the counter what can't be had otherwise."""
        for _ in range(4):
            if self.order.pickup.state is not PickupState.READY:
                return
            before = self.order.pickup
            taken: Taken | None = None
            try:
                events = self.claim(units, taken)
            except NotPaid:
                due = self.order.value_after(units) - self.order.kept
                for p in self.order.payments:
                    due -= p.being_taken + p.aside
                events = self.claim(units, Taken(due))
            self.tell(events)
            if self.order.pickup.collected and self.order.pickup != before:
                return

    def claim(self, units: tuple[e.Units, ...], taken: Taken | None) -> tuple[e.Event, ...]:
        return capturing.hand_over(
            self.order, units, capabilities=self.terms.capabilities, taken=taken, look_at=self.now + HOUR
        )


@st.composite
def simulations(draw: st.DrawFn) -> Simulation:
    can = Capabilities(
        partial_capture=draw(st.booleans()),
        several_captures=draw(st.booleans()),
        partial_refund=draw(st.booleans()),
        extension=draw(st.booleans()),
        incremental=draw(st.booleans()),
        reuse=draw(st.booleans()),
    )
    lasts = draw(st.sampled_from([None, timedelta(minutes=30), 7 * HOUR, 2 * DAY, 9 * DAY]))
    margin = draw(st.sampled_from([timedelta(0), HOUR, DAY]))
    wishes = draw(st.sampled_from([samples.WISHES, samples.A_PIECE_OF_CHEESE]))
    return Simulation(samples.order(wishes=wishes), Terms({"card": can}, margin), lasts, draw)


WAITS = st.sampled_from([timedelta(0), 5 * HOUR, DAY, 2 * DAY, 8 * DAY])


@settings(report_multiple_bugs=False)
@given(simulations(), st.data())
def test_done_step_by_step_the_shop_keeps_what_the_goods_that_left_cost(shop: Simulation, data: st.DataObject) -> None:
    aside = to_set_aside(shop.order, shop.can, raises=data.draw(st.booleans()))
    new = shop.order.next_payment_id()
    card = e.TenderAdded(new, "card", aside, "pm_card_visa")
    shop.tell((card, e.AuthoriseRequested(new, ids.attempt_id(new, 1), aside)))
    shop.wait(data.draw(WAITS))
    picks: list[e.Event] = [e.PickStarted()]
    for line in shop.order.pickup.lines:
        least, most = line.to_pick
        picks.append(e.LinePicked(line.line, data.draw(st.integers(least, most))))
    shop.tell(tuple(picks))
    shop.wait(data.draw(WAITS))
    made_ready = e.MadeReady("C4", shop.now + 3 * DAY, "1")
    shop.tell((*shop.order.pickup.weighed(), made_ready))
    shop.wait(data.draw(WAITS))
    if shop.order.pickup.state is PickupState.READY and data.draw(st.booleans()):
        first = shop.order.pickup.rest()[0]
        shop.collect((e.Units(first.line, 1),))
        shop.wait(data.draw(WAITS))
    if shop.order.pickup.state is PickupState.READY and data.draw(st.booleans()):
        shop.collect(shop.order.pickup.rest())
    shop.wait(10 * DAY)
    order = shop.order
    assert order.state in (OrderState.COMPLETED, OrderState.EXPIRED), (order.state, order.pickup.state)
    assert order.kept == order.collected_value
    assert not any(p.aside.amount for p in order.payments)


def test_a_plan_beyond_what_the_provider_can_do_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: everybody is taken to extend, and to authorise anew."""
    monkeypatch.setattr(Terms, "of", lambda self, payment: Capabilities(extension=True, reuse=True))
    with pytest.raises(AssertionError):
        test_done_step_by_step_the_shop_keeps_what_the_goods_that_left_cost()


def test_an_order_that_is_short_of_money_for_good_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: what is missing is not had from elsewhere."""
    monkeypatch.setattr(authorisations, "cure", lambda order, terms, at=None: None)
    monkeypatch.setattr(planning, "cure", lambda order, terms, at=None: None)
    with pytest.raises(AssertionError):
        test_done_step_by_step_the_shop_keeps_what_the_goods_that_left_cost()


# --- what was corrected -----------------------------------------------------------------------------------


def test_a_fee_that_is_kept_is_not_planned_to_go_back() -> None:
    ready = samples.ready(samples.authorised(samples.order()))
    taking = capturing.hand_over(ready, ready.pickup.rest(), capabilities={}, taken=None, look_at=NOW)
    paid = samples.heard(told(ready, taking, NOW), Approved(ready.total))
    corrected = (e.CreditGranted(Money(100, "EUR"), "dented"), e.FeeCharged(Money(40, "EUR"), "dented"))
    planned = plan(told(paid, corrected, NOW), terms(), NOW)
    back = [step.amount.amount for step in planned.steps if isinstance(step, steps.GiveBack)]
    assert (paid.state, back) == (OrderState.COMPLETED, [60])
