"""The capture planner: who pays for the goods that are about to leave.

Money is taken when goods leave, and no more of it than they cost. What a provider can do decides the rest: one
that captures several times takes each part as it leaves; one that captures once takes everything that is still
ready, and what is never collected is refunded later, provided that it can refund a part: if not, it takes what leaves
and the rest is paid at the counter. One that can't capture partly takes the whole authorisation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, cast

from attrs import frozen

from omniorder.domain import events as e
from omniorder.domain import ids, pickups
from omniorder.domain.answers import may_turn_up
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.lifecycle import AttemptState, PaymentState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.payments import TERMINAL, PayInStore, Payment
from omniorder.domain.proofs import Proof, Shown
from omniorder.domain.text import line as valid_line
from omniorder.domain.text import looks_like_card_number
from omniorder.errors import CardNumberRefused, InvalidMoney, NotPaid, StillRunning

SAID: Final = Shown(Proof.CODE)


@frozen
class Terminal:
    """What is due is to be taken now by the card reader `reader`, the provider's id of it. Raises `InvalidText`."""

    reader: str

    def __attrs_post_init__(self) -> None:
        valid_line(self.reader, "reader", most=100)
        if looks_like_card_number(self.reader):
            raise CardNumberRefused("reader", "(hidden)", "a card number, where only the reader's id may stand")


@frozen
class Taken:
    """Money that the counter took: `amount`, by `means` ("cash", "terminal"), with the till's `reference`."""

    amount: Money
    means: str = "cash"
    reference: str = ""

    def __attrs_post_init__(self) -> None:
        amount = cast("object", self.amount)
        if not isinstance(amount, Money):
            raise InvalidMoney("amount", amount, "must be Money")
        valid_line(self.means, "means", most=40)
        valid_line(self.reference, "reference", most=100, least=0)


@frozen
class Due:
    """What pays for units that leave: `shares` of what is set aside, by payment, and at the counter the `rest`.

    A provider may have to take more than they cost; the rest is nothing or less then.
    """

    shares: Mapping[str, Money]
    rest: Money


def due(order: Order, units: tuple[e.Units, ...], capabilities: Mapping[str, Capabilities], *, at_counter: bool) -> Due:
    """Who pays for `units`, tender by tender; `at_counter` takes what a tender refused to give before.

    Raises `StillRunning` while it is not known how much is set aside.
    """
    if any(p.being_raised for p in order.payments):
        raise StillRunning(command="pickups.hand_over", id=order.id)
    due = order.owed_after(units) - order.held
    rest = order.owed_in_all - order.held
    for p in order.payments:  # what is being taken already, since it would have ended soon, comes before they leave
        due, rest = due - p.being_taken, rest - p.being_taken
    shares: dict[str, Money] = {}
    for p in order.payments:
        if p.state is PaymentState.AUTHORISED and due.amount > 0 and not (at_counter and p.refused_capture):
            room = p.authorised - p.captured
            can = capabilities.get(p.kind, Capabilities())
            wanted = max(due, rest) if can.partial_refund and not can.several_captures else due
            amount = min(wanted, room) if can.partial_capture else room
            shares[p.id] = amount
            due, rest = due - amount, rest - amount
    return Due(shares, due)


def hand_over(
    order: Order,
    units: tuple[e.Units, ...],
    *,
    capabilities: Mapping[str, Capabilities],
    taken: Taken | Terminal | None,
    look_at: datetime,
    shown: Shown = SAID,
    offline: bool = False,
) -> tuple[e.Event, ...]:
    """Claim the pick-up for `units` and plan the captures that pay for them.

    `capabilities` are by tender kind; `offline` says that the units have left already. Raises `NotPaid` when the
    tenders don't cover what leaves, or when what the counter took is not what is due; `StillRunning` while it is not
    known how much is set aside.
    """
    claim = e.HandOverStarted(units, look_at, shown.proof, shown.signature, offline)
    pickups.apply(order.pickup, claim, look_at)  # refuses units that aren't there, before any money is counted
    pays = due(order, units, capabilities, at_counter=taken is not None)
    plan: list[e.Event] = [claim]
    for p in order.payments:
        if taken is not None and p.refused_capture:
            # the counter takes what this tender would not give; what it still holds is given back
            plan.append(e.VoidRequested(p.id, p.next_attempt_id()))
        elif p.id in pays.shares:
            plan.append(e.CaptureRequested(p.id, p.next_attempt_id(), pays.shares[p.id]))
    return (*plan, *at_the_counter(order, pays.rest, taken))


def at_the_counter(order: Order, due: Money, taken: Taken | Terminal | None) -> tuple[e.Event, ...]:
    """What is still `due` is paid here: what was left for the store, or what an authorisation that ended left open.

    Raises `NotPaid` when the counter took nothing, or another amount.
    """
    if taken is None and due.amount > 0:
        raise NotPaid(order=order.id, due=str(due))
    if isinstance(taken, Taken) and (taken.amount != due or due.amount <= 0):
        raise NotPaid(order=order.id, due=str(due), reason=f"the counter took {taken.amount}")
    if taken is None or due.amount <= 0:
        return ()
    left = [p for p in order.payments if p.state is PaymentState.DUE_IN_STORE]
    for p in left:
        if p.amount >= due and _takes_another(p, taken):
            return (_started(p.id, p.next_attempt_id(), due, taken),)
    # no payment takes more than it was asked for: one for everything comes instead
    all_of_it = Money(max(due.amount, sum(p.amount.amount for p in left)), due.currency)
    new = order.next_payment_id()
    added = (e.TenderAdded(new, PayInStore.kind, all_of_it), e.LeftForStore(new, all_of_it))
    return (*(e.Waived(p.id) for p in left), *added, _started(new, ids.attempt_id(new, 1), due, taken))


def _takes_another(payment: Payment, taken: Taken | Terminal) -> bool:
    """Whether another try can be told from those before: of what readers were asked, only readers can say more."""
    of_readers = isinstance(taken, Terminal) and not any(may_turn_up(attempt) for attempt in payment.attempts)
    return of_readers or not payment.gateway


def _started(payment: str, attempt: str, due: Money, taken: Taken | Terminal) -> e.CounterStarted:
    if isinstance(taken, Terminal):
        return e.CounterStarted(payment, attempt, due, TERMINAL, reader=taken.reader)
    return e.CounterStarted(payment, attempt, due, taken.means, taken.reference)


def stop(order: Order, at: datetime) -> tuple[e.Event, ...]:
    """The events of no longer waiting for a card at the reader; none where no reader is waiting.

    Raises `StillRunning` while the call to the reader is under way: what comes of it is not known yet, so nobody could
    say whether it was stopped.
    """
    for p in order.payments:
        if p.state is not PaymentState.COLLECTING or not p.gateway:
            continue
        asked = p.attempts[-1]
        if asked.state is AttemptState.UNKNOWN:
            return (e.VoidRequested(p.id, p.next_attempt_id()),)
        if at < asked.look_at:
            raise StillRunning(command="pickups.hand_over", id=order.id)
        # whoever made the call has died: it may have arrived or not
        unheard = e.AttemptUnanswered(p.id, asked.id, at)
        return (unheard, e.VoidRequested(p.id, p.next_attempt_id()))
    return ()
