"""The desk for payments that people see and no provider tells of: what came, what never came, and what went back.

What is said here is recorded by the same path as a provider's answer, as the answer to the attempt that is open: so it
has its effect once, and all that follows from money follows from it.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from omniorder.domain import ids
from omniorder.domain.actors import Associate
from omniorder.domain.answers import Absent, Answer, Approved, NoAnswer, heard, may_turn_up
from omniorder.domain.events import Event
from omniorder.domain.lifecycle import AttemptState, PaymentState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order, told
from omniorder.domain.payments import Attempt, Operation, PayInStore, Payment
from omniorder.domain.text import line as valid_line
from omniorder.errors import CurrencyMismatch, InvalidMoney, NotFound, TenderUnsupported
from omniorder.services import payments
from omniorder.services.access import work_for
from omniorder.services.logs import command
from omniorder.services.parts import Parts, Touch
from omniorder.services.ripples import carry_on
from omniorder.services.units import Unit, in_transaction

_IN = (Operation.AUTHORISE, Operation.COLLECT)


@frozen
class PaymentDesk:
    """Says what became of money that no provider tells of.

    That is money of a gateway that can't be asked (`Capabilities.by_hand`), and money at the counter: cash that goes
    back, and a card reader that stays silent while somebody with authority has seen the slip. An associate says so of
    payments at the counter of their own store.
    """

    parts: Parts
    touch: Touch

    @command("payments.received")
    def received(self, payment_id: str, amount: Money, *, reference: str = "", key: str | None = None) -> Order:
        """All that was asked for by this payment has come; `reference` is the bank statement's or slip's.

        Said again with the same reference it changes nothing. Only the whole amount is recorded: of less, wait for the
        rest or send it back; of more, record what was asked for and send the rest back. Money that came after the order
        ended is recorded too, whatever of it came, and is to go back then: see `sent_back`.

        Raises `NotFound`, `InvalidMoney` (another amount than what is asked for, or nothing is), `CurrencyMismatch`,
        `TenderUnsupported` (a provider tells of it), `InvalidText`, `NeedsOwnTransaction`.
        """
        ref = valid_line(reference, "reference", most=100, least=0)
        money = _money(amount)

        def answer(payment: Payment) -> tuple[Attempt, Answer] | None:
            attempt = _last(payment, lambda a: a.operation in _IN and (a.open or may_turn_up(a)))
            if attempt is None:
                if payment.captured == money and payment.provider_id == ref:
                    return None
                raise InvalidMoney("amount", money, "nothing is asked for any more: send it back")
            _same_currency(payment, money)
            if money > attempt.amount or (attempt.open and money < attempt.amount) or money.amount <= 0:
                raise InvalidMoney("amount", money, f"must be {attempt.amount}, which is what was asked for")
            return attempt, Approved(money, ref, captured=True)

        return self._say("payments.received", payment_id, answer, [money, ref], key)

    @command("payments.not_received")
    def not_received(self, payment_id: str, *, key: str | None = None) -> Order:
        """Nothing came by this payment and nobody waits for it any more: the order takes another tender.

        Should it come after all, say `received`. Where nothing is asked for, nothing changes. Raises `NotFound`,
        `TenderUnsupported` (a provider tells of it), `NeedsOwnTransaction`.
        """

        def answer(payment: Payment) -> tuple[Attempt, Answer] | None:
            attempt = _last(payment, lambda a: a.operation in _IN and a.open)
            return None if attempt is None else (attempt, Absent())

        return self._say("payments.not_received", payment_id, answer, None, key)

    @command("payments.sent_back")
    def sent_back(self, payment_id: str, amount: Money, *, reference: str = "", key: str | None = None) -> Order:
        """One refund of this payment, of this amount, was paid out in cash or sent to the customer's account.

        Said again with the same reference it changes nothing. Raises `NotFound`, `InvalidMoney` (no refund of this
        amount is due), `CurrencyMismatch`, `TenderUnsupported` (a provider tells of it), `InvalidText`,
        `NeedsOwnTransaction`.
        """
        ref = valid_line(reference, "reference", most=100, least=0)
        money = _money(amount)

        def answer(payment: Payment) -> tuple[Attempt, Answer] | None:
            _same_currency(payment, money)
            refunds = [a for a in payment.attempts if a.operation is Operation.REFUND and a.amount == money]
            for attempt in refunds:
                if attempt.open:
                    return attempt, Approved(money, ref)
            if any(a.state is AttemptState.SUCCEEDED and a.provider_id == ref for a in refunds):
                return None
            raise InvalidMoney("amount", money, f"no refund of this amount is due: {payment.refund_pending} are")

        return self._say("payments.sent_back", payment_id, answer, [money, ref], key)

    def _say(
        self,
        name: str,
        payment_id: str,
        answer: Callable[[Payment], tuple[Attempt, Answer] | None],
        request: object,
        key: str | None,
    ) -> Order:
        """Record what was said, then make the calls that follow from it."""
        payments.own_transaction(self.parts, name)
        this = ids.check("payment", payment_id)
        order_id, stamp = ids.order_of(this), self.touch.stamp(self.parts.clock)
        home = ids.store_of(order_id)

        def work(unit: Unit) -> Order:
            seen = unit.earlier(key, name, home=home, subject=this, request=request, result=order_id)
            before = work_for(self.touch, unit.tx, order_id)
            payment = self._told_by_people(before, this)
            said = None if seen else answer(payment)
            if said is None:
                return before
            attempt, what = said
            events: tuple[Event, ...] = ()
            if attempt.state is AttemptState.PLANNED and isinstance(what, Absent):
                # absent can only be what was asked for: it was, by whoever told the customer what to do
                events = heard(before, attempt.id, NoAnswer(), look_at=stamp.at)
            asked = told(before, events, stamp.at)
            return carry_on(unit, before, (*events, *heard(asked, attempt.id, what, look_at=stamp.at)))

        return payments.drive(self.parts, in_transaction(self.parts, stamp, work), stamp)

    def _told_by_people(self, order: Order, payment_id: str) -> Payment:
        found = next((p for p in order.payments if p.id == payment_id), None)
        at_counter = found is not None and found.kind == PayInStore.kind
        if found is None or (isinstance(self.touch.actor, Associate) and not at_counter):
            raise NotFound("payment", payment_id)
        if found.gateway and not _silent_reader(found) and not self.parts.gateway(found.gateway).capabilities.by_hand:
            raise TenderUnsupported(tender=found.kind, reason="its provider tells what becomes of it")
        return found


def _silent_reader(payment: Payment) -> bool:
    """Whether a card reader was asked for money and has not said what became of it."""
    waits = (PaymentState.COLLECTING, PaymentState.VOIDING)
    return payment.kind == PayInStore.kind and payment.state in waits


def _last(payment: Payment, fits: Callable[[Attempt], bool]) -> Attempt | None:
    return next((attempt for attempt in reversed(payment.attempts) if fits(attempt)), None)


def _money(amount: object) -> Money:
    if not isinstance(amount, Money):
        raise InvalidMoney("amount", amount, "must be Money")
    return amount


def _same_currency(payment: Payment, money: Money) -> None:
    if money.currency != payment.amount.currency:
        raise CurrencyMismatch("amount", money, f"must be in {payment.amount.currency}, as the order is")
