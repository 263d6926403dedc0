"""Whatever a provider answers, whenever it does: the answer has its effect, once, and no money is lost by it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain import coupling
from omniorder.domain import events as e
from omniorder.domain.answers import (
    AUTHORISATION_EXPIRED,
    Absent,
    Answer,
    Approved,
    Denied,
    NeedsAction,
    NoAnswer,
    disputed,
    heard,
)
from omniorder.domain.lifecycle import AttemptState, Funding, OrderState, PaymentState, ReservationState, is_legal
from omniorder.domain.money import Money
from omniorder.domain.orders import Order, told
from omniorder.domain.payments import Action, Attempt, Operation
from omniorder.errors import IllegalTransition, NotFound
from omniorder.testing import samples, strategies
from omniorder.testing.samples import NOW
from omniorder.testing.walks import answers_to, below, one_of

SOON = timedelta(minutes=1)
ACTION = NeedsAction(Action("secret"), "pi_1")


def after(order: Order, events: tuple[e.Event, ...], at: datetime = NOW) -> Order:
    """The order after these events and all that follows."""
    return coupling.follow(told(order, events, at), at)[0]


@frozen
class Conversation:
    """An answer to one attempt of an order, somewhere in that order's life."""

    order: Order
    attempt: Attempt
    answer: Answer
    at: datetime

    def heard(self, order: Order | None = None) -> tuple[e.Event, ...]:
        """The events of the answer, on this order or as it is later."""
        return heard(order or self.order, self.attempt.id, self.answer, look_at=self.at + SOON)


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    steps = draw(strategies.lives(by_card=True))
    order, at = steps[-1].after, steps[-1].at + timedelta(seconds=draw(below(100)))
    payment, attempt = one_of(draw, [(p, a) for p in order.payments for a in p.attempts])
    return Conversation(order, attempt, one_of(draw, answers_to(payment, attempt)), at)


class TestAnyAnswerAtAnyTime:
    @given(conversations())
    def test_it_leads_to_events_that_the_tables_allow(self, said: Conversation) -> None:
        events = said.heard()
        assert told(said.order, events, said.at).version == said.order.version + len(events)

    @given(conversations())
    def test_hearing_it_again_changes_nothing(self, said: Conversation) -> None:
        """Except that what never arrived is believed absent only when it was asked for before."""
        once = after(said.order, said.heard(), said.at)
        again = after(once, said.heard(once), said.at)
        first_absence = said.answer == Absent() and said.attempt.state is AttemptState.PLANNED
        assert first_absence or evolve(again, version=once.version) == once

    @given(conversations())
    def test_what_is_known_stays_known(self, said: Conversation) -> None:
        """But for what is undone: an authorisation that ended before it was captured, a refund that came back."""
        known = said.attempt.state in (AttemptState.SUCCEEDED, AttemptState.REFUSED)
        undone = {"AuthorisationLapsed", "FundingLost", "RefundBounced"}
        assert not known or undone.issuperset(names(said.heard()))

    @given(conversations())
    def test_no_more_is_captured_than_authorised_or_refunded_than_captured(self, said: Conversation) -> None:
        for payment in after(said.order, said.heard(), said.at).payments:
            back = payment.refunded + payment.refund_pending
            assert 0 <= back.amount <= payment.captured.amount <= payment.authorised.amount

    @given(conversations())
    def test_the_joint_state_stays_a_legal_one(self, said: Conversation) -> None:
        joint = after(said.order, said.heard(), said.at).joint
        assert any(is_legal(joint, reservation) for reservation in ReservationState)

    @given(conversations(), st.booleans())
    def test_money_for_an_order_that_is_undone_is_sent_back(self, said: Conversation, instant: bool) -> None:
        try:
            undone = after(said.order, coupling.cancel(said.order, "customer", said.at), said.at)
        except IllegalTransition:
            undone = said.order
        over = undone.state in (OrderState.CANCELLING, OrderState.CANCELLED, OrderState.EXPIRING, OrderState.EXPIRED)
        for payment in undone.payments if over else ():
            for attempt in payment.attempts:
                if attempt.operation is Operation.AUTHORISE and attempt.state is not AttemptState.REFUSED:
                    approved = Approved(attempt.amount, "pi_1", captured=instant)
                    said = evolve(said, attempt=attempt, answer=approved)
                    undone = after(undone, said.heard(undone), said.at)
        assert not over or undone.funding in (Funding.BUSY, Funding.CLEAR) or _refund_was_refused(undone)


def _refund_was_refused(order: Order) -> bool:
    """A refund that the provider refused is asked for again later: its money may wait."""
    return any(
        a.operation is Operation.REFUND and a.state in (AttemptState.REFUSED, AttemptState.ABSENT)
        for p in order.payments
        for a in p.attempts
    )


# --- one by one -------------------------------------------------------------------------------------------

ASKED = samples.paying(samples.order())
TOTAL = ASKED.total
HALF = Money(TOTAL.amount // 2, TOTAL.currency)
PAYMENT = ASKED.payments[0].id
FIRST = ASKED.payments[0].attempts[0].id


def names(events: tuple[e.Event, ...]) -> list[str]:
    return [type(event).__name__ for event in events]


def say(order: Order, answer: Answer) -> list[str]:
    """The names of the events of this answer to the last attempt of all."""
    return names(heard(order, order.payments[-1].attempts[-1].id, answer, look_at=NOW + SOON))


@pytest.mark.parametrize(
    ("answer", "events"),
    [
        (Approved(TOTAL, "pi_1"), ["AttemptSucceeded", "Authorised"]),
        (Approved(TOTAL, "pi_1", captured=True), ["AttemptSucceeded", "Paid"]),
        (ACTION, ["AttemptUnanswered", "ActionRequired"]),
        (Denied("lost_card"), ["AttemptRefused", "Declined", "TenderFailed"]),
        (NoAnswer(), ["AttemptUnanswered"]),
        (Absent(), ["AttemptUnanswered"]),
    ],
)
def test_an_authorisation_is_answered(answer: Answer, events: list[str]) -> None:
    assert say(ASKED, answer) == events


def test_what_never_arrived_is_a_decline_once_it_was_looked_for() -> None:
    unanswered = samples.heard(ASKED, NoAnswer())
    assert say(unanswered, Absent()) == ["ProvedAbsent", "Declined", "TenderFailed"]


def test_the_customer_is_asked_to_act_once() -> None:
    assert say(samples.heard(ASKED, ACTION), ACTION) == ["AttemptUnanswered"]


def test_a_customer_who_acted_is_authorised() -> None:
    assert say(samples.heard(ASKED, ACTION), Approved(TOTAL)) == ["AttemptSucceeded", "Authorised"]


@pytest.mark.parametrize("captured", [False, True])
def test_an_approval_that_was_believed_absent_is_found_and_sent_back(captured: bool) -> None:
    absent = samples.heard(samples.heard(ASKED, NoAnswer()), Absent())
    expired = after(absent, (e.ExpiryStarted(NOW),))
    late = heard(expired, FIRST, Approved(TOTAL, "pi_1", captured=captured), look_at=NOW + SOON)
    assert names(late) == ["FoundLate", "LateCaptured" if captured else "LateAuthorised"]
    asked = after(expired, late).payment(PAYMENT).attempts[-1]
    assert asked.operation is (Operation.REFUND if captured else Operation.VOID)
    assert asked.state is AttemptState.PLANNED


EXPIRING = after(samples.heard(ASKED, NoAnswer()), (e.ExpiryStarted(NOW + SOON),))


@pytest.mark.parametrize(
    ("answer", "events"),
    [
        (Approved(TOTAL, "pi_1"), ["AttemptSucceeded", "Authorised"]),
        (Approved(TOTAL, "pi_1", captured=True), ["AttemptSucceeded", "FoundCaptured"]),
        (Denied("lost_card"), ["AttemptRefused", "Declined"]),
        (Absent(), ["ProvedAbsent", "Declined"]),
        (ACTION, ["AttemptUnanswered"]),
    ],
)
def test_an_authorisation_is_answered_while_it_is_being_voided(answer: Answer, events: list[str]) -> None:
    assert names(heard(EXPIRING, FIRST, answer, look_at=NOW + SOON)) == events


HANDING_OVER = samples.handing_over(samples.ready(samples.authorised(samples.order())))


@pytest.mark.parametrize(
    ("answer", "events"),
    [
        (Approved(TOTAL, "ch_1"), ["AttemptSucceeded", "Captured"]),
        (Approved(HALF, "ch_1", open=True), ["AttemptSucceeded", "PartCaptured"]),
        (Denied("card_declined"), ["AttemptRefused", "CaptureRefused"]),
        (Denied(AUTHORISATION_EXPIRED), ["AttemptRefused", "AuthorisationLapsed", "FundingLost"]),
        (ACTION, ["AttemptUnanswered"]),
        (NoAnswer(), ["AttemptUnanswered"]),
    ],
)
def test_a_capture_is_answered(answer: Answer, events: list[str]) -> None:
    assert say(HANDING_OVER, answer) == events


@pytest.mark.parametrize("answer", [Denied("card_declined"), Denied(AUTHORISATION_EXPIRED)])
def test_goods_stay_when_their_capture_is_refused(answer: Answer) -> None:
    failed = samples.heard(HANDING_OVER, answer)
    assert not failed.pickup.collected
    assert failed.pickup.claim == ()


VOIDING = samples.every_order()["cancelling"]


@pytest.mark.parametrize(
    ("answer", "events"),
    [
        (Approved(TOTAL), ["AttemptSucceeded", "Voided"]),
        (Absent(), ["AttemptUnanswered"]),
        (Denied("already_captured", TOTAL), ["AttemptRefused", "FoundCaptured"]),
        (Denied("try_later"), ["AttemptUnanswered"]),
        (NoAnswer(), ["AttemptUnanswered"]),
    ],
)
def test_a_void_is_answered(answer: Answer, events: list[str]) -> None:
    assert say(VOIDING, answer) == events


def test_a_void_that_came_too_late_is_followed_by_a_refund() -> None:
    found = samples.heard(VOIDING, Denied("already_captured", TOTAL)).payments[0]
    assert found.state is PaymentState.CAPTURED
    assert found.refund_pending == TOTAL


REFUNDING = samples.every_order()["refunding"]


@pytest.mark.parametrize(
    ("answer", "events"),
    [
        (Approved(TOTAL), ["AttemptSucceeded", "Refunded"]),
        (Denied("closed_account"), ["AttemptRefused", "RefundFailed"]),
        (NoAnswer(), ["AttemptUnanswered"]),
    ],
)
def test_a_refund_is_answered(answer: Answer, events: list[str]) -> None:
    assert say(REFUNDING, answer) == events


def test_a_refused_refund_is_not_asked_for_again_at_once() -> None:
    refused = samples.heard(REFUNDING, Denied("closed_account"))
    assert refused.payments[0].refund_pending == Money(0, TOTAL.currency)
    assert refused.state is OrderState.CANCELLING


def test_an_answer_to_nothing_is_refused() -> None:
    with pytest.raises(NotFound):
        heard(ASKED, "att_SOF01_NEVER_1", NoAnswer(), look_at=NOW + SOON)


# --- a success that does not last ----------------------------------------------------------------------------

READY = samples.ready(samples.authorised(samples.order()))


@pytest.mark.parametrize("reason", [AUTHORISATION_EXPIRED, "voided"])
def test_an_authorisation_that_ended_at_the_provider_lapses(reason: str) -> None:
    assert names(heard(READY, FIRST, Denied(reason), look_at=NOW)) == ["AuthorisationLapsed", "FundingLost"]
    lapsed = after(READY, heard(READY, FIRST, Denied(reason), look_at=NOW))
    assert (lapsed.payments[0].state, lapsed.funding) == (PaymentState.LAPSED, Funding.COVERED)
    assert lapsed.payments[1].state is PaymentState.DUE_IN_STORE  # it can be paid at the counter
    assert heard(lapsed, FIRST, Denied(reason), look_at=NOW) == ()


def test_a_denial_that_was_overtaken_by_an_approval_ends_nothing() -> None:
    """It may be the answer to a question that was asked before the customer tried again."""
    assert heard(READY, FIRST, Denied("card_declined"), look_at=NOW) == ()


def test_an_authorisation_of_which_a_part_was_taken_does_not_lapse_by_hearsay() -> None:
    """The next capture finds out; until then the money that was taken can still be refunded."""
    taken = samples.after(
        HANDING_OVER, *heard(HANDING_OVER, _last(HANDING_OVER), Approved(HALF, open=True), look_at=NOW)
    )
    assert taken.payments[0].state is PaymentState.AUTHORISED
    assert heard(taken, FIRST, Denied(AUTHORISATION_EXPIRED), look_at=NOW) == ()


def _last(order: Order) -> str:
    return order.payments[-1].attempts[-1].id


def test_a_refund_that_comes_back_bounces_once_and_is_tried_again_like_a_refused_one() -> None:
    refunded = samples.heard(REFUNDING, Approved(TOTAL))
    assert refunded.state is OrderState.CANCELLED
    bounce = heard(refunded, _last(refunded), Denied("closed_account"), look_at=NOW)
    assert names(bounce) == ["RefundBounced"]
    back = after(refunded, bounce)
    assert (back.kept, back.payments[0].reason, back.state) == (TOTAL, "closed_account", OrderState.CANCELLED)
    assert heard(back, _last(refunded), Denied("closed_account"), look_at=NOW) == ()
    again = coupling.due(back)
    assert again == back.payments[0].attempts[-1].asked_at + coupling.REFUND_AGAIN
    assert again is not None
    assert coupling.follow(back, again)[0].payments[0].refund_pending == TOTAL


def test_of_a_dispute_the_most_that_was_ever_told_counts() -> None:
    paid = samples.heard(ASKED, Approved(TOTAL, captured=True))
    assert disputed(paid.payments[0], HALF) == (e.Disputed(PAYMENT, HALF),)
    all_of_it = after(paid, disputed(paid.payments[0], TOTAL)).payments[0]
    assert all_of_it.disputed == TOTAL
    assert disputed(all_of_it, HALF) == disputed(all_of_it, TOTAL) == ()
    assert disputed(all_of_it, Money(10**6, "USD")) == ()
    assert disputed(ASKED.payments[0], TOTAL) == ()


# --- another amount than was asked for -----------------------------------------------------------------------


@pytest.mark.parametrize("amount", [HALF, TOTAL + TOTAL], ids=["less", "more"])
@pytest.mark.parametrize("captured", [False, True])
def test_an_authorisation_of_another_amount_is_held(amount: Money, captured: bool) -> None:
    """It confirms nothing, and what it is about is given back when the time to pay is over."""
    wrong = Approved(amount, "pi_1", captured=captured)
    assert say(ASKED, wrong) == ["AttemptUnanswered"]
    held = samples.heard(ASKED, wrong)
    assert held.state is OrderState.PLACED
    expiring = after(held, (e.ExpiryStarted(NOW),))
    undone = after(expiring, heard(expiring, FIRST, wrong, look_at=NOW + SOON))
    assert undone.payments[0].authorised == amount
    assert undone.payments[0].refund_pending == (amount if captured else Money(0, TOTAL.currency))


def test_a_refund_of_another_amount_is_held() -> None:
    assert say(REFUNDING, Approved(HALF)) == ["AttemptUnanswered"]
