"""Tenders, payments and attempts: one money story each, and ids that nobody has to look up."""

from __future__ import annotations

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain import events as e
from omniorder.domain import ids, payments
from omniorder.domain.lifecycle import AttemptState, PaymentState
from omniorder.domain.money import Money
from omniorder.domain.payments import (
    CALL_TAKES,
    Action,
    Card,
    IsActionRequired,
    IsAuthorised,
    IsDueInStore,
    IsSettled,
    IsUnanswered,
    Operation,
    PayInStore,
    Payment,
    Tender,
    create,
)
from omniorder.errors import CardNumberRefused, IllegalTransition, InvalidId, InvalidText, NotFound
from omniorder.testing import strategies
from omniorder.testing.samples import HOUR, NOW, after, authorised, every_order, order, paying

PAY = "pay_SOF01_7K3F9Q_1"
ATT = "att_SOF01_7K3F9Q_1_1"


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def told(*events: e.PaymentEvent | e.AttemptEvent, amount: int = 1000) -> Payment:
    """A payment after these events."""
    payment = create(e.TenderAdded(PAY, "card", eur(amount), "pm_1"), NOW)
    for event in events:
        payment = payments.apply(payment, event, NOW)
    return payment


ASKED = e.AuthoriseRequested(PAY, ATT, eur(1000))
SET_ASIDE = e.Authorised(PAY, eur(1000), "pi_1")
CAPTURE = e.CaptureRequested(PAY, "att_2", eur(1000))


# --- tenders ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number", ["4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242", "378282246310005"]
)
def test_a_card_number_is_refused_and_never_shown(number: str) -> None:
    with pytest.raises(CardNumberRefused) as refused:
        Card(number)
    assert number not in str(refused.value)


@pytest.mark.parametrize("token", ["", "a\nb", "\x00", "x" * 256])
def test_a_token_is_one_line(token: str) -> None:
    with pytest.raises(InvalidText):
        Card(token)


def test_a_token_is_not_shown_in_a_log() -> None:
    assert "pm_secret" not in repr(Card("pm_secret"))
    assert "pm_secret" not in repr(create(e.TenderAdded(PAY, "card", eur(1), "pm_secret"), NOW))


def test_a_retailers_own_tender_has_a_kind_and_a_token() -> None:
    @frozen
    class MealVoucher(Tender):
        kind = "meal_voucher"

    assert (MealVoucher("mv_1").kind, MealVoucher("mv_1").token) == ("meal_voucher", "mv_1")


def test_paying_in_the_store_needs_no_token() -> None:
    assert PayInStore().token == ""


# --- ids --------------------------------------------------------------------------------------------------


@given(reference=strategies.orders().map(lambda made: made.id), number=st.integers(1, 99), attempt=st.integers(1, 99))
def test_the_order_can_be_read_off_the_ids(reference: str, number: int, attempt: int) -> None:
    payment = ids.payment_id(reference, number)
    assert ids.order_of(payment) == reference
    assert ids.order_of(ids.attempt_id(payment, attempt)) == reference


@pytest.mark.parametrize("stranger", ["", "pi_123", "pay_", "crt_SOF01_7K3F9Q_1", "pay_SOF01_7K3F9Q_1_2_3"])
def test_what_is_no_id_of_ours_names_no_order(stranger: str) -> None:
    with pytest.raises(InvalidId):
        ids.order_of(stranger)


def test_attempts_are_numbered_within_their_payment() -> None:
    assert told().next_attempt_id() == ATT
    assert told(ASKED).next_attempt_id() == "att_SOF01_7K3F9Q_1_2"


def test_a_repeated_decision_names_the_same_attempt() -> None:
    """So a transaction that is run again asks the provider under the same key."""
    assert told(ASKED, SET_ASIDE).next_attempt_id() == told(ASKED, SET_ASIDE).next_attempt_id()


# --- attempts ---------------------------------------------------------------------------------------------

ASKS: list[tuple[tuple[e.PaymentEvent, ...], Operation, int]] = [
    ((ASKED,), Operation.AUTHORISE, 1000),
    ((ASKED, SET_ASIDE, e.CaptureRequested(PAY, "att_2", eur(400))), Operation.CAPTURE, 400),
    ((ASKED, SET_ASIDE, e.VoidRequested(PAY, "att_2")), Operation.VOID, 1000),
    ((ASKED, e.Paid(PAY, eur(1000)), e.RefundRequested(PAY, "att_2", eur(300))), Operation.REFUND, 300),
    ((e.LeftForStore(PAY, eur(1000)), e.CounterStarted(PAY, "att_1", eur(700))), Operation.COLLECT, 700),
    ((ASKED, e.Declined(PAY, "no"), e.LateAuthorised(PAY, "att_2", eur(900))), Operation.VOID, 900),
]


@pytest.mark.parametrize(("events", "operation", "amount"), ASKS, ids=lambda value: getattr(value, "value", ""))
def test_every_request_plans_one_attempt(events: tuple[e.PaymentEvent, ...], operation: Operation, amount: int) -> None:
    planned = told(*events).attempts[-1]
    assert (planned.operation, planned.amount, planned.state) == (operation, eur(amount), AttemptState.PLANNED)
    assert (planned.asked_at, planned.look_at) == (NOW, NOW + CALL_TAKES)
    assert planned.open


def test_an_attempt_is_open_until_its_outcome_is_known() -> None:
    unknown = told(ASKED, e.AttemptUnanswered(PAY, ATT, NOW + HOUR))
    assert unknown.attempt(ATT).open
    assert unknown.attempt(ATT).look_at == NOW + HOUR
    for event in (e.AttemptSucceeded(PAY, ATT), e.AttemptRefused(PAY, ATT), e.ProvedAbsent(PAY, ATT)):
        assert not payments.apply(unknown, event, NOW).attempt(ATT).open


def test_an_attempt_keeps_what_the_provider_called_it_and_why_it_refused() -> None:
    assert told(ASKED, e.AttemptSucceeded(PAY, ATT, "pi_9")).attempt(ATT).provider_id == "pi_9"
    assert told(ASKED, e.AttemptRefused(PAY, ATT, "stolen")).attempt(ATT).reason == "stolen"


def test_an_attempt_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        told().attempt("att_x")
    with pytest.raises(NotFound):
        told(e.AttemptSucceeded(PAY, "att_x"))


# --- amounts ----------------------------------------------------------------------------------------------


def amounts(payment: Payment) -> tuple[int, int, int, int]:
    """Authorised, captured, refunded, on its way back."""
    pending = payment.refund_pending.amount
    return payment.authorised.amount, payment.captured.amount, payment.refunded.amount, pending


TAKEN = (ASKED, SET_ASIDE, CAPTURE, e.Captured(PAY, eur(1000)))
BACK = e.RefundRequested(PAY, "att_3", eur(300))
STORIES: dict[str, tuple[tuple[e.PaymentEvent, ...], tuple[int, int, int, int]]] = {
    "asked for": ((ASKED,), (0, 0, 0, 0)),
    "set aside": ((ASKED, SET_ASIDE), (1000, 0, 0, 0)),
    "taken": (TAKEN, (1000, 1000, 0, 0)),
    "taken at once": ((ASKED, e.Paid(PAY, eur(1000))), (1000, 1000, 0, 0)),
    "taken in two parts": (
        (ASKED, SET_ASIDE, CAPTURE, e.PartCaptured(PAY, eur(400)), CAPTURE, e.Captured(PAY, eur(600))),
        (1000, 1000, 0, 0),
    ),
    "refused to be taken": ((ASKED, SET_ASIDE, CAPTURE, e.CaptureRefused(PAY, "no")), (1000, 0, 0, 0)),
    "going back": ((*TAKEN, BACK), (1000, 1000, 0, 300)),
    "gone back": ((*TAKEN, BACK, e.Refunded(PAY, eur(300))), (1000, 1000, 300, 0)),
    "not gone back": ((*TAKEN, BACK, e.RefundFailed(PAY, eur(300), "closed account")), (1000, 1000, 0, 0)),
    "found taken": ((ASKED, e.VoidRequested(PAY, "att_2"), e.FoundCaptured(PAY, eur(1000))), (1000, 1000, 0, 0)),
    "taken late": ((ASKED, e.Declined(PAY, "no"), e.LateCaptured(PAY, eur(1000))), (1000, 1000, 0, 0)),
    "set aside late": ((ASKED, e.Declined(PAY, "no"), e.LateAuthorised(PAY, "att_2", eur(1000))), (1000, 0, 0, 0)),
    "at the counter": (
        (e.LeftForStore(PAY, eur(1000)), e.CounterStarted(PAY, "att_1", eur(700)), e.Paid(PAY, eur(700))),
        (700, 700, 0, 0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES)
def test_where_the_money_is(story: str) -> None:
    events, expected = STORIES[story]
    assert amounts(told(*events)) == expected


def test_net_and_returnable_are_what_is_held_and_what_may_still_go_back() -> None:
    paid = told(*TAKEN, BACK)
    assert (paid.net, paid.returnable) == (eur(1000), eur(700))
    gone = payments.apply(paid, e.Refunded(PAY, eur(300)), NOW)
    assert (gone.net, gone.returnable) == (eur(700), eur(700))


def test_the_providers_id_stays_once_it_is_known() -> None:
    assert told(ASKED, SET_ASIDE, e.Increased(PAY, eur(1200))).provider_id == "pi_1"
    assert told(ASKED, SET_ASIDE, e.VoidRequested(PAY, "att_2"), e.Authorised(PAY, eur(1000))).provider_id == "pi_1"


def test_the_reason_of_a_refusal_is_kept() -> None:
    assert told(ASKED, e.Declined(PAY, "insufficient_funds")).reason == "insufficient_funds"


@given(payment=strategies.payments())
def test_no_more_is_refunded_than_captured_or_captured_than_authorised(payment: Payment) -> None:
    """M2, whatever has happened."""
    authorised_, captured, refunded, pending = amounts(payment)
    assert min(authorised_, captured, refunded, pending) >= 0
    assert refunded + pending <= captured <= authorised_


@given(payment=strategies.payments())
def test_an_attempts_id_is_used_once(payment: Payment) -> None:
    ids = [attempt.id for attempt in payment.attempts]
    assert len(set(ids)) == len(ids)
    assert payment.next_attempt_id() not in ids


def test_what_a_table_refuses_changes_nothing() -> None:
    before = told(ASKED)
    for event in (e.Captured(PAY, eur(1)), e.AttemptWithdrawn(PAY, ATT), e.ProvedAbsent(PAY, ATT)):
        with pytest.raises(IllegalTransition):
            payments.apply(payments.apply(before, e.AttemptSucceeded(PAY, ATT), NOW), event, NOW)
    assert before == told(ASKED)


# --- what a channel is told -------------------------------------------------------------------------------


def test_the_outcome_says_what_is_next() -> None:
    assert told(ASKED, SET_ASIDE).outcome == IsAuthorised(eur(1000))
    assert told(e.LeftForStore(PAY, eur(1000))).outcome == IsDueInStore(eur(1000))
    assert told(ASKED).outcome == IsUnanswered()
    assert told(ASKED, e.Declined(PAY, "no")).outcome == IsSettled(PaymentState.DECLINED)
    assert told(*TAKEN).outcome == IsSettled(PaymentState.CAPTURED)


def test_what_the_customer_must_do_is_shown_where_it_is_known() -> None:
    waits = told(ASKED, e.ActionRequired(PAY))
    assert waits.outcome == IsActionRequired("", "")
    shown = evolve(waits, action=Action("cs_1", "https://3ds"))
    assert shown.outcome == IsActionRequired("cs_1", "https://3ds")
    assert "cs_1" not in repr(shown) + repr(shown.outcome)


@given(payment=strategies.payments())
def test_every_payment_has_an_outcome(payment: Payment) -> None:
    known = (IsAuthorised, IsActionRequired, IsDueInStore, IsSettled, IsUnanswered)
    assert isinstance(payment.outcome, known)


def test_a_payment_that_waits_for_its_void_is_unanswered() -> None:
    confirmed = authorised(order())
    voiding = after(confirmed, e.VoidRequested(confirmed.payments[0].id, "att_x"))
    assert voiding.payments[0].outcome == IsUnanswered()
    assert paying(order()).payments[0].outcome == every_order()["unanswered"].payments[0].outcome
