"""The tables of all lives, written out once more by hand, and what must be true of any table."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from itertools import permutations
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain import events as e
from omniorder.domain import lifecycle
from omniorder.domain.lifecycle import (
    BUSY_PAYMENTS,
    ENDED,
    MACHINES,
    Funding,
    Joint,
    OrderState,
    PaymentState,
    PickupState,
    advance,
    forbidden,
    funding,
)
from omniorder.domain.money import Money
from omniorder.errors import IllegalTransition
from omniorder.testing.samples import every_event

# state, event, state after; a state in which nothing happens stands alone

TABLES = {
    "cart": """
        OPEN       CartStarted        OPEN
        OPEN       LineAdded          OPEN
        OPEN       LineChanged        OPEN
        OPEN       LineNoted          OPEN
        OPEN       LineConsented      OPEN
        OPEN       LineRemoved        OPEN
        OPEN       PromiseMade        OPEN
        OPEN       PromiseReplaced    OPEN
        OPEN       PromiseWithdrawn   OPEN
        OPEN       PromiseLapsed      OPEN
        OPEN       PromiseAccepted    OPEN
        OPEN       CartOrdered        ORDERED
        OPEN       CartAbsorbed       OPEN
        OPEN       CartMerged         MERGED
        OPEN       CartClaimed        OPEN
        OPEN       HandoffOffered     OPEN
        OPEN       HandoffAccepted    OPEN
        OPEN       HandoffWithdrawn   OPEN
        OPEN       CartAbandoned      ABANDONED
        ORDERED    CartReopened       OPEN
        ORDERED    CartClaimed        ORDERED
        ORDERED    HandoffOffered     ORDERED
        ORDERED    HandoffAccepted    ORDERED
        ORDERED    HandoffWithdrawn   ORDERED
        ABANDONED  CartResumed        OPEN
        ABANDONED  CartClaimed        ABANDONED
        ABANDONED  HandoffWithdrawn   ABANDONED
        MERGED     CartClaimed        MERGED
    """,
    "handoff": """
        OFFERED    HandoffAccepted    ACCEPTED
        OFFERED    HandoffWithdrawn   WITHDRAWN
        ACCEPTED   HandoffWithdrawn   WITHDRAWN
        WITHDRAWN
    """,
    "promise": """
        HELD       PromiseAccepted    ACCEPTED
        HELD       PromiseReplaced    REPLACED
        HELD       PromiseWithdrawn   WITHDRAWN
        HELD       PromiseLapsed      LAPSED
        ACCEPTED
        REPLACED
        WITHDRAWN
        LAPSED
    """,
    "reservation": """
        HELD       ReservationExtended   HELD
        HELD       Firmed                FIRM
        HELD       ReservationReleased   RELEASED
        HELD       ReservationExpired    EXPIRED
        FIRM       UnitsConsumed         FIRM
        FIRM       UnitsReleased         FIRM
        FIRM       LastUnitsResolved     SETTLED
        SETTLED
        RELEASED
        EXPIRED
    """,
    "attempt": """
        PLANNED    AttemptSucceeded    SUCCEEDED
        PLANNED    AttemptRefused      REFUSED
        PLANNED    AttemptUnanswered   UNKNOWN
        PLANNED    AttemptWithdrawn    ABSENT
        UNKNOWN    AttemptUnanswered   UNKNOWN
        UNKNOWN    AttemptSucceeded    SUCCEEDED
        UNKNOWN    AttemptRefused      REFUSED
        UNKNOWN    ProvedAbsent        ABSENT
        ABSENT     FoundLate           SUCCEEDED
        SUCCEEDED
        REFUSED
    """,
    "payment": """
        CREATED          AuthoriseRequested      AUTHORISING
        CREATED          LeftForStore            DUE_IN_STORE
        CREATED          PaymentWithdrawn        VOIDED
        AUTHORISING      ActionRequired          ACTION_REQUIRED
        AUTHORISING      Authorised              AUTHORISED
        AUTHORISING      Paid                    CAPTURED
        AUTHORISING      Declined                DECLINED
        AUTHORISING      VoidRequested           VOIDING
        ACTION_REQUIRED  Authorised              AUTHORISED
        ACTION_REQUIRED  Paid                    CAPTURED
        ACTION_REQUIRED  Declined                DECLINED
        ACTION_REQUIRED  VoidRequested           VOIDING
        AUTHORISED       IncreaseRequested       AUTHORISED
        AUTHORISED       Increased               AUTHORISED
        AUTHORISED       IncreaseRefused         AUTHORISED
        AUTHORISED       ExtensionRequested      AUTHORISED
        AUTHORISED       AuthorisationExtended   AUTHORISED
        AUTHORISED       ExtensionRefused        AUTHORISED
        AUTHORISED       CaptureRequested        CAPTURING
        AUTHORISED       VoidRequested           VOIDING
        AUTHORISED       AuthorisationLapsed     LAPSED
        CAPTURING        Captured                CAPTURED
        CAPTURING        PartCaptured            AUTHORISED
        CAPTURING        CaptureRefused          AUTHORISED
        CAPTURING        AuthorisationLapsed     LAPSED
        VOIDING          Authorised              VOIDING
        VOIDING          Voided                  VOIDED
        VOIDING          Declined                DECLINED
        VOIDING          AuthorisationLapsed     LAPSED
        VOIDING          FoundCaptured           CAPTURED
        DUE_IN_STORE     CounterStarted          COLLECTING
        DUE_IN_STORE     Waived                  VOIDED
        COLLECTING       Paid                    CAPTURED
        COLLECTING       CounterFailed           DUE_IN_STORE
        COLLECTING       VoidRequested           VOIDING
        CAPTURED         RefundRequested         CAPTURED
        CAPTURED         Refunded                CAPTURED
        CAPTURED         RefundFailed            CAPTURED
        CAPTURED         RefundBounced           CAPTURED
        CAPTURED         Disputed                CAPTURED
        DECLINED         LateAuthorised          VOIDING
        DECLINED         LateCaptured            CAPTURED
        VOIDED           LateAuthorised          VOIDING
        VOIDED           LateCaptured            CAPTURED
        LAPSED           LateAuthorised          VOIDING
        LAPSED           LateCaptured            CAPTURED
        LAPSED           RefundRequested         LAPSED
        LAPSED           Refunded                LAPSED
        LAPSED           RefundFailed            LAPSED
        LAPSED           RefundBounced           LAPSED
    """,
    "order": """
        PLACED      OrderClaimed     PLACED
        PLACED      PassUsedTwice    PLACED
        PLACED      OrderPlaced      PLACED
        PLACED      TenderFailed     PLACED
        PLACED      TenderAdded      PLACED
        PLACED      PaymentDeadlineExtended PLACED
        PLACED      OrderConfirmed   CONFIRMED
        PLACED      CancelStarted    CANCELLING
        PLACED      ExpiryStarted    EXPIRING
        CONFIRMED   OrderClaimed     CONFIRMED
        CONFIRMED   OrderChanged     CONFIRMED
        CONFIRMED   PassUsedTwice    CONFIRMED
        CONFIRMED   LinesAppended    CONFIRMED
        CONFIRMED   LinesCancelled   CONFIRMED
        CONFIRMED   OrderRerouted    CONFIRMED
        CONFIRMED   FundingLost      CONFIRMED
        CONFIRMED   CreditGranted    CONFIRMED
        CONFIRMED   FeeCharged       CONFIRMED
        CONFIRMED   HoldLost         CONFIRMED
        CONFIRMED   HoldRestored     CONFIRMED
        CONFIRMED   TenderAdded      CONFIRMED
        CONFIRMED   PartCollected    CONFIRMED
        CONFIRMED   PartReturned     CONFIRMED
        CONFIRMED   OrderCompleted   COMPLETED
        CONFIRMED   CancelStarted    CANCELLING
        CONFIRMED   NoShowStarted    EXPIRING
        CANCELLING  OrderClaimed     CANCELLING
        CANCELLING  PassUsedTwice    CANCELLING
        CANCELLING  CreditGranted    CANCELLING
        CANCELLING  OrderCancelled   CANCELLED
        EXPIRING    OrderClaimed     EXPIRING
        EXPIRING    PassUsedTwice    EXPIRING
        EXPIRING    CreditGranted    EXPIRING
        EXPIRING    OrderExpired     EXPIRED
        COMPLETED   OrderClaimed     COMPLETED
        COMPLETED   PassUsedTwice    COMPLETED
        COMPLETED   CreditGranted    COMPLETED
        COMPLETED   FeeCharged       COMPLETED
        COMPLETED   GoodsExchanged   COMPLETED
        COMPLETED   PartReturned     COMPLETED
        COMPLETED   TenderAdded      COMPLETED
        COMPLETED   AllReturned      RETURNED
        CANCELLED   OrderClaimed     CANCELLED
        CANCELLED   PassUsedTwice    CANCELLED
        EXPIRED     OrderClaimed     EXPIRED
        EXPIRED     PassUsedTwice    EXPIRED
        RETURNED    OrderClaimed     RETURNED
        RETURNED    PassUsedTwice    RETURNED
    """,
    "pickup": """
        PLANNED            ProxyNamed         PLANNED
        PLANNED            ProxyWithdrawn     PLANNED
        PLANNED            PickReleased       TO_PICK
        PLANNED            StockAwaited       AWAITING_STOCK
        PLANNED            PickupCancelled    CANCELLED
        AWAITING_STOCK     OrderChanged       AWAITING_STOCK
        AWAITING_STOCK     CustomerOnTheWay   AWAITING_STOCK
        AWAITING_STOCK     CustomerArrived    AWAITING_STOCK
        AWAITING_STOCK     CustomerAttended   AWAITING_STOCK
        AWAITING_STOCK     ArrivalWithdrawn   AWAITING_STOCK
        AWAITING_STOCK     ProxyNamed         AWAITING_STOCK
        AWAITING_STOCK     ProxyWithdrawn     AWAITING_STOCK
        AWAITING_STOCK     LinesAppended      AWAITING_STOCK
        AWAITING_STOCK     SubstituteDeclined AWAITING_STOCK
        AWAITING_STOCK     SubstituteWithdrawn  AWAITING_STOCK
        AWAITING_STOCK     UnitsSubstituted   AWAITING_STOCK
        AWAITING_STOCK     SlotMoved          AWAITING_STOCK
        AWAITING_STOCK     UnitsSent          AWAITING_STOCK
        AWAITING_STOCK     UnitsArrived       AWAITING_STOCK
        AWAITING_STOCK     ArrivalMoved       AWAITING_STOCK
        AWAITING_STOCK     StockArrived       TO_PICK
        AWAITING_STOCK     CustomerAsked      AWAITING_CUSTOMER
        AWAITING_STOCK     PickRerouted       REROUTED
        AWAITING_STOCK     PickupCancelled    CANCELLED
        TO_PICK            OrderChanged       TO_PICK
        TO_PICK            CustomerOnTheWay   TO_PICK
        TO_PICK            CustomerArrived    TO_PICK
        TO_PICK            CustomerAttended   TO_PICK
        TO_PICK            ArrivalWithdrawn   TO_PICK
        TO_PICK            ProxyNamed         TO_PICK
        TO_PICK            ProxyWithdrawn     TO_PICK
        TO_PICK            LinesAppended      TO_PICK
        TO_PICK            SubstituteDeclined TO_PICK
        TO_PICK            SubstituteWithdrawn  TO_PICK
        TO_PICK            UnitsSubstituted   TO_PICK
        TO_PICK            SlotMoved          TO_PICK
        TO_PICK            PickClaimed        TO_PICK
        TO_PICK            PickJoined         TO_PICK
        TO_PICK            PickLeft           TO_PICK
        TO_PICK            PickStarted        PICKING
        TO_PICK            ShortPicked        TO_PICK
        TO_PICK            UnitsSent          TO_PICK
        TO_PICK            StockAwaited       AWAITING_STOCK
        TO_PICK            CustomerAsked      AWAITING_CUSTOMER
        TO_PICK            PickRerouted       REROUTED
        TO_PICK            PickupCancelled    CANCELLED
        PICKING            CustomerOnTheWay   PICKING
        PICKING            CustomerArrived    PICKING
        PICKING            CustomerAttended   PICKING
        PICKING            ArrivalWithdrawn   PICKING
        PICKING            ProxyNamed         PICKING
        PICKING            ProxyWithdrawn     PICKING
        PICKING            LinesAppended      PICKING
        PICKING            SubstituteDeclined PICKING
        PICKING            SubstituteWithdrawn  PICKING
        PICKING            UnitsSubstituted   PICKING
        PICKING            SubstituteProposed PICKING
        PICKING            SlotMoved          PICKING
        PICKING            PickClaimed        PICKING
        PICKING            PickJoined         PICKING
        PICKING            PickLeft           PICKING
        PICKING            LinePicked         PICKING
        PICKING            LinePutBack        PICKING
        PICKING            LineWeighed        PICKING
        PICKING            ShortPicked        PICKING
        PICKING            PickReset          TO_PICK
        PICKING            CustomerAsked      AWAITING_CUSTOMER
        PICKING            MadeReady          READY
        PICKING            PickRerouted       REROUTED
        PICKING            PickupCancelled    CANCELLED
        AWAITING_CUSTOMER  CustomerOnTheWay   AWAITING_CUSTOMER
        AWAITING_CUSTOMER  CustomerArrived    AWAITING_CUSTOMER
        AWAITING_CUSTOMER  CustomerAttended   AWAITING_CUSTOMER
        AWAITING_CUSTOMER  ArrivalWithdrawn   AWAITING_CUSTOMER
        AWAITING_CUSTOMER  ProxyNamed         AWAITING_CUSTOMER
        AWAITING_CUSTOMER  ProxyWithdrawn     AWAITING_CUSTOMER
        AWAITING_CUSTOMER  CustomerAsked      AWAITING_CUSTOMER
        AWAITING_CUSTOMER  SubstituteDeclined AWAITING_CUSTOMER
        AWAITING_CUSTOMER  SubstituteWithdrawn  AWAITING_CUSTOMER
        AWAITING_CUSTOMER  UnitsSubstituted   AWAITING_CUSTOMER
        AWAITING_CUSTOMER  LinesAppended      AWAITING_CUSTOMER
        AWAITING_CUSTOMER  QuestionAnswered   AWAITING_CUSTOMER
        AWAITING_CUSTOMER  QuestionLapsed     AWAITING_CUSTOMER
        AWAITING_CUSTOMER  QuestionWithdrawn  AWAITING_CUSTOMER
        AWAITING_CUSTOMER  UnitsSent          AWAITING_CUSTOMER
        AWAITING_CUSTOMER  UnitsArrived       AWAITING_CUSTOMER
        AWAITING_CUSTOMER  ArrivalMoved       AWAITING_CUSTOMER
        AWAITING_CUSTOMER  PickResumed        PICKING
        AWAITING_CUSTOMER  Requeued           TO_PICK
        AWAITING_CUSTOMER  StockAwaited       AWAITING_STOCK
        AWAITING_CUSTOMER  PickRerouted       REROUTED
        AWAITING_CUSTOMER  PickupCancelled    CANCELLED
        READY              CustomerOnTheWay   READY
        READY              CustomerArrived    READY
        READY              CustomerAttended   READY
        READY              ArrivalWithdrawn   READY
        READY              ProxyNamed         READY
        READY              ProxyWithdrawn     READY
        READY              DeadlineExtended   READY
        READY              Reminded           READY
        READY              UnitsSpoiled       READY
        READY              CodeReissued       READY
        READY              Restaged           READY
        READY              PersonChecked      READY
        READY              UnitsRefused       READY
        READY              LeftOffline        READY
        READY              Unreadied          PICKING
        READY              HandOverStarted    HANDING_OVER
        READY              NoShow             LAPSED
        READY              RestLapsed         COLLECTED
        READY              RestCancelled      COLLECTED
        READY              PickupCancelled    CANCELLED
        HANDING_OVER       PartCollected      READY
        HANDING_OVER       Collected          COLLECTED
        HANDING_OVER       HandOverFailed     READY
        COLLECTED
        REROUTED
        LAPSED
        CANCELLED
    """,
    "transfer": """
        REQUESTED  TransferRequested  REQUESTED
        REQUESTED  TransferPicked     PICKED
        REQUESTED  TransferDelayed    REQUESTED
        REQUESTED  TransferCancelled  CANCELLED
        PICKED     TransferShipped    SHIPPED
        PICKED     TransferDelayed    PICKED
        PICKED     TransferShort      SHORT
        PICKED     TransferCancelled  CANCELLED
        SHIPPED    TransferDelayed    SHIPPED
        SHIPPED    TransferReceived   RECEIVED
        SHIPPED    TransferShort      SHORT
        RECEIVED
        SHORT
        CANCELLED
    """,
}

Row = dict[str, str]


def rows(machine: str) -> dict[str, Row]:
    """The text above as state -> event -> state after."""
    table: dict[str, Row] = {}
    for line in TABLES[machine].split("\n"):
        match line.split():
            case [state, event, after]:
                table.setdefault(state, {})[event] = after
            case [state]:
                table[state] = {}
            case other:
                assert not other, f"not a row: {line}"
    return table


STATES = [(machine, state) for machine, table in MACHINES.items() for state in table]
EVENTS = every_event()


def named(pair: object) -> str:
    return str(getattr(pair, "name", pair))


# --- the tables -------------------------------------------------------------------------------------------


def test_there_are_nine_machines() -> None:
    assert set(MACHINES) == set(TABLES)


@pytest.mark.parametrize("machine", TABLES)
def test_the_table_is_the_one_that_was_agreed(machine: str) -> None:
    made = {
        state.name: {kind.__name__: after.name for kind, after in row.items()}
        for state, row in MACHINES[machine].items()
    }
    assert made == rows(machine)


@pytest.mark.parametrize("machine", TABLES)
def test_every_state_has_a_row(machine: str) -> None:
    states: type[Enum] = type(next(iter(MACHINES[machine])))
    assert set(MACHINES[machine]) == set(states)


@pytest.mark.parametrize(("machine", "state"), STATES, ids=named)
def test_every_state_is_reached_from_the_first(machine: str, state: Enum) -> None:
    table = rows(machine)
    first = next(iter(MACHINES[machine])).name
    seen = {first}
    while more := {after for at in seen for after in table[at].values()} - seen:
        seen |= more
    assert state.name in seen


CLAIMS = {e.CartClaimed.__name__, e.OrderClaimed.__name__, e.PassUsedTwice.__name__}


def test_ended_states_are_exactly_those_in_which_nothing_happens_but_what_comes_to_light() -> None:
    alone = {(machine, state) for machine in TABLES for state, row in rows(machine).items() if not row.keys() - CLAIMS}
    assert {(machine, state.name) for machine, state in STATES if state in ENDED} == alone


@pytest.mark.parametrize(
    ("machine", "claim"), [("cart", e.CartClaimed), ("order", e.OrderClaimed), ("order", e.PassUsedTwice)]
)
def test_what_comes_to_light_is_possible_in_every_state_and_changes_none(machine: str, claim: type[e.Event]) -> None:
    assert {state: row[claim] for state, row in MACHINES[machine].items()} == {s: s for s in MACHINES[machine]}


def test_news_may_come_late_for_every_payment_that_came_to_nothing() -> None:
    for state in (PaymentState.DECLINED, PaymentState.VOIDED):
        assert set(lifecycle.PAYMENT[state]) == {e.LateAuthorised, e.LateCaptured}


def test_of_an_authorisation_that_lapsed_only_what_was_taken_before_can_go_back() -> None:
    """It takes nothing more, but for late news."""
    back = {e.RefundRequested, e.Refunded, e.RefundFailed, e.RefundBounced}
    assert set(lifecycle.PAYMENT[PaymentState.LAPSED]) == {e.LateAuthorised, e.LateCaptured} | back


@pytest.mark.parametrize(("machine", "state"), STATES, ids=named)
def test_a_state_is_no_string(machine: str, state: Enum) -> None:
    """So that comparing it with one is a type error, and never true by accident."""
    assert state != state.value
    assert not isinstance(state, str)


# --- advance ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("machine", "state"), STATES, ids=named)
def test_what_the_row_lists_leads_where_it_says(machine: str, state: Enum) -> None:
    for event in EVENTS:
        after = rows(machine)[state.name].get(type(event).__name__)
        if after is not None:
            assert advance(state, event).name == after


@pytest.mark.parametrize(("machine", "state"), STATES, ids=named)
def test_what_the_row_does_not_list_is_refused_naming_what_is_possible(machine: str, state: Enum) -> None:
    row = rows(machine)[state.name]
    for event in EVENTS:
        if type(event).__name__ in row:
            continue
        with pytest.raises(IllegalTransition) as refused:
            advance(state, event)
        facts = refused.value.facts
        assert (facts["machine"], facts["state"]) == (machine, state.value)
        assert facts["event"] == type(event).__name__
        assert facts["legal"] == sorted(row)
        told = str(refused.value)
        assert all(name in told for name in row) if row else "it has ended" in told


def test_the_samples_hold_an_event_of_every_class() -> None:
    """Otherwise the two tests above would leave some out."""
    assert {type(event) for event in EVENTS} == {k for k in e.EVENTS.values() if not k.__subclasses__()}


def test_every_event_of_the_tables_is_a_class_of_events() -> None:
    used = {kind for table in MACHINES.values() for row in table.values() for kind in row}
    assert used <= set(e.EVENTS.values())


# --- funding ----------------------------------------------------------------------------------------------


@frozen
class Purse:
    """What `funding` reads of a payment."""

    state: PaymentState
    amount: Money
    authorised: Money
    captured: Money
    refunded: Money
    refund_pending: Money


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def purse(state: PaymentState, *, amount: int = 0, authorised: int = 0, captured: int = 0, refunded: int = 0,
          pending: int = 0) -> Purse:  # fmt: skip
    return Purse(state, eur(amount), eur(authorised), eur(captured), eur(refunded), eur(pending))


amounts = st.integers(0, 3)
"""Few values, so that sums often meet exactly."""


@st.composite
def purses(draw: st.DrawFn) -> Purse:
    """A payment whose amounts fit each other, in any state."""
    refunded, pending = draw(amounts), draw(st.sampled_from([0, 0, 0, 1]))
    captured = refunded + pending + draw(amounts)
    authorised = captured + draw(amounts)
    state = draw(st.sampled_from(PaymentState))
    return purse(state, amount=authorised + draw(amounts), authorised=authorised, captured=captured,
                 refunded=refunded, pending=pending)  # fmt: skip


questions = st.fixed_dictionaries({"closing": st.booleans(), "keep": amounts, "leaving": amounts, "wanted": amounts})
folds = given(payments=st.lists(purses(), max_size=3), asked=questions)


def moving(payment: Purse) -> bool:
    return payment.state in BUSY_PAYMENTS or payment.refund_pending.amount > 0


@folds
def test_funding_is_busy_exactly_while_money_is_moving(payments: list[Purse], asked: Any) -> None:
    assert (funding(payments, **asked) is Funding.BUSY) == any(map(moving, payments))


@folds
def test_funding_does_not_depend_on_the_order_of_the_payments(payments: list[Purse], asked: Any) -> None:
    assert len({funding(turned, **asked) for turned in permutations(payments)}) == 1


@folds
def test_only_an_order_that_is_on_its_way_out_is_clear(payments: list[Purse], asked: Any) -> None:
    assert asked["closing"] or funding(payments, **asked) is not Funding.CLEAR


@folds
def test_clear_means_that_nothing_is_open_and_the_shop_has_what_it_may_keep(payments: list[Purse], asked: Any) -> None:
    settled = not any(
        moving(p) or p.state in (PaymentState.CREATED, PaymentState.AUTHORISED, PaymentState.DUE_IN_STORE)
        for p in payments
    )
    kept = sum(p.captured.amount - p.refunded.amount for p in payments)
    clear = asked["closing"] and settled and kept == asked["keep"]
    assert (funding(payments, **asked) is Funding.CLEAR) == clear


@folds
def test_paid_and_covered_and_short_are_told_apart_by_sums(payments: list[Purse], asked: Any) -> None:
    """When nothing moves and the order goes on: cash in hand first, then what may still be taken."""
    kept = sum(p.captured.amount - p.refunded.amount for p in payments)
    set_aside = [p.authorised.amount - p.captured.amount for p in payments if p.state is PaymentState.AUTHORISED]
    due = [p.amount.amount for p in payments if p.state is PaymentState.DUE_IN_STORE]
    found = funding(payments, **asked)
    if found in (Funding.BUSY, Funding.CLEAR):
        return
    if kept >= asked["leaving"]:
        assert found is Funding.PAID
    elif kept + sum(set_aside) + sum(due) >= asked["wanted"]:
        assert found is Funding.COVERED
    else:
        assert found is Funding.SHORT


@folds
def test_a_payment_that_came_to_nothing_changes_nothing(payments: list[Purse], asked: Any) -> None:
    for state in (PaymentState.DECLINED, PaymentState.VOIDED, PaymentState.LAPSED):
        failed = purse(state, amount=3, authorised=2)
        assert funding([*payments, failed], **asked) == funding(payments, **asked)


@given(payments=st.lists(purses(), max_size=3), asked=questions, more=st.integers(1, 3))
def test_more_money_never_makes_an_order_short(payments: list[Purse], asked: Any, more: int) -> None:
    """Of an order that goes on: the answers from SHORT over COVERED to PAID only rise."""
    going = {**asked, "closing": False}
    rank = [Funding.SHORT, Funding.COVERED, Funding.PAID]
    before = funding(payments, **going)
    if before is Funding.BUSY:
        return
    cash = purse(PaymentState.CAPTURED, amount=more, authorised=more, captured=more)
    promised = purse(PaymentState.DUE_IN_STORE, amount=more)
    for added in (cash, promised):
        assert rank.index(funding([*payments, added], **going)) >= rank.index(before)


# --- guards -----------------------------------------------------------------------------------------------

CALM = Joint(
    OrderState.CONFIRMED, Funding.PAID, PickupState.READY, (PaymentState.AUTHORISED,), paid=True, collected=False
)
UNITS = (e.Units("ln_1", 1),)
LATER = next(event.until for event in EVENTS if isinstance(event, e.MadeReady))

FORBIDDEN: dict[str, tuple[e.Event, Callable[[Joint], Joint]]] = {
    "cancelling during a hand-over": (
        e.CancelStarted("", LATER), lambda calm: evolve(calm, pickup=PickupState.HANDING_OVER),
    ),
    "cancelling during a capture": (
        e.CancelStarted("", LATER), lambda calm: evolve(calm, payments=(PaymentState.CAPTURING,)),
    ),
    "cancelling while the counter collects": (
        e.CancelStarted("", LATER), lambda calm: evolve(calm, payments=(PaymentState.COLLECTING,)),
    ),
    "a no-show during a capture": (e.NoShow(), lambda calm: evolve(calm, payments=(PaymentState.CAPTURING,))),
    "expiring during a hand-over": (e.NoShowStarted(), lambda calm: evolve(calm, pickup=PickupState.HANDING_OVER)),
    "a no-show of what was partly collected": (e.NoShow(), lambda calm: evolve(calm, collected=True)),
    "expiring what was partly collected": (e.NoShowStarted(), lambda calm: evolve(calm, collected=True)),
    "cancelling what was partly collected": (
        e.CancelStarted("", LATER), lambda calm: evolve(calm, collected=True),
    ),
    "cancelling a pick-up that was partly collected": (
        e.PickupCancelled(""), lambda calm: evolve(calm, collected=True),
    ),
    "picking again what was partly collected": (e.Unreadied(""), lambda calm: evolve(calm, collected=True)),
    "cancelling what has left": (e.CancelStarted("", LATER), lambda calm: evolve(calm, left=True)),
    "a no-show of what has left": (e.NoShow(), lambda calm: evolve(calm, left=True)),
    "expiring what has left": (e.NoShowStarted(), lambda calm: evolve(calm, left=True)),
    "cancelling a pick-up that has left": (e.PickupCancelled(""), lambda calm: evolve(calm, left=True)),
    "picking again what has left": (e.Unreadied(""), lambda calm: evolve(calm, left=True)),
    "lapsing the rest of what has left": (e.RestLapsed(UNITS), lambda calm: evolve(calm, collected=True, left=True)),
    "cancelling the rest of what has left": (
        e.RestCancelled(UNITS), lambda calm: evolve(calm, collected=True, left=True),
    ),
    "lapsing the rest of nothing": (e.RestLapsed(UNITS), lambda calm: calm),
    "cancelling the rest of nothing": (e.RestCancelled(UNITS), lambda calm: calm),
    "confirming what is not funded": (e.OrderConfirmed(), lambda calm: evolve(calm, funding=Funding.SHORT)),
    "confirming while money is moving": (e.OrderConfirmed(), lambda calm: evolve(calm, funding=Funding.BUSY)),
    "giving away what is not paid": (e.Collected(UNITS), lambda calm: evolve(calm, paid=False)),
    "giving away a part that is not paid": (e.PartCollected(UNITS), lambda calm: evolve(calm, paid=False)),
    "ending with money set aside": (e.OrderCancelled(), lambda calm: evolve(calm, funding=Funding.COVERED)),
    "expiring with money set aside": (e.OrderExpired(), lambda calm: evolve(calm, funding=Funding.COVERED)),
}  # fmt: skip


@pytest.mark.parametrize("what", FORBIDDEN)
def test_a_guard_forbids(what: str) -> None:
    event, spoilt = FORBIDDEN[what]
    assert forbidden(event, spoilt(CALM))


@pytest.mark.parametrize("what", [what for what in FORBIDDEN if "the rest of" not in what])
def test_a_guard_lets_pass_what_is_not_in_the_way(what: str) -> None:
    event, _ = FORBIDDEN[what]
    assert forbidden(event, CALM) is None


@pytest.mark.parametrize("event", [e.RestLapsed(UNITS), e.RestCancelled(UNITS)], ids=named)
def test_the_rest_of_something_may_be_given_up(event: e.Event) -> None:
    assert forbidden(event, evolve(CALM, collected=True)) is None


def test_a_guard_only_looks_at_what_it_guards() -> None:
    """Whatever else happens, in whatever joint state, is the tables' business."""
    guarded = {type(event) for event, _ in FORBIDDEN.values()}
    worst = Joint(OrderState.CONFIRMED, Funding.SHORT, PickupState.HANDING_OVER, (PaymentState.CAPTURING,),
                  paid=False, collected=True)  # fmt: skip
    for event in EVENTS:
        if type(event) not in guarded:
            assert forbidden(event, worst) is None
