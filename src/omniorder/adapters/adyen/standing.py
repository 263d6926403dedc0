"""Where a payment at Adyen stands: a fold over its page, and what may still be asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import frozen

from omniorder.adapters.adyen.entries import Entry, Step
from omniorder.domain.answers import AUTHORISATION_EXPIRED
from omniorder.domain.money import Money
from omniorder.domain.payments import Operation

_BEGINS: Final = (Operation.AUTHORISE, Operation.COLLECT)
_RAISES: Final = (Operation.INCREASE, Operation.EXTEND)
_TAKEN: Final = (Step.RECEIVED, Step.DONE, Step.RESTORED)
_LOST: Final = (Step.REFUSED, Step.FAILED)
EXPIRE: Final = "EXPIRE"
_DISPUTED: Final = ("NOTIFICATION_OF_CHARGEBACK", "CHARGEBACK", "SECOND_CHARGEBACK")
_WON: Final = ("CHARGEBACK_REVERSED",)
DISPUTES: Final = (*_DISPUTED, *_WON)
"""The notifications that say what the customer's bank takes back, or gives back after all."""


@frozen
class Standing:
    """A payment's page, and what it comes to. Amounts are minor units of the payment's currency."""

    page: tuple[Entry, ...]

    def of(self, key: str) -> Entry | None:
        """How far the operation under `key` has come."""
        return max((entry for entry in self.page if key and entry.key == key), key=_step, default=None)

    def sent(self, key: str) -> Entry | None:
        """What was put down before the operation under `key` was sent."""
        return next((entry for entry in self.page if entry.key == key and entry.step is Step.SENT), None)

    def all(self, *operations: Operation) -> list[Entry]:
        """How far each of these operations has come."""
        keys = {entry.key: None for entry in self.page if entry.operation in operations}
        return [max((e for e in self.page if e.key == key and e.operation in operations), key=_step) for key in keys]

    @property
    def begun(self) -> Entry | None:
        """How far the authorisation has come, or what a card reader was asked to collect last."""
        begun = self.all(*_BEGINS)
        return next((entry for entry in begun if entry.step >= Step.DONE), begun[-1] if begun else None)

    @property
    def psp(self) -> str:
        """Adyen's reference of the payment, or empty while it isn't known."""
        begun = self.begun
        return begun.psp if begun is not None else ""

    @property
    def authorised(self) -> int:
        """What was set aside, all in all."""
        begun = self.begun
        if begun is None or begun.step is not Step.DONE:
            return 0
        raised = (entry.amount.amount for entry in self.all(*_RAISES) if entry.step is Step.DONE)
        return max(raised, default=begun.amount.amount)

    @property
    def captured(self) -> int:
        """What was taken."""
        begun = self.begun
        at_once = begun is not None and begun.step is Step.DONE and begun.captured
        return self.authorised if at_once else _sum(e for e in self.all(Operation.CAPTURE) if e.step in _TAKEN)

    @property
    def claimed(self) -> int:
        """What was taken, or may have been."""
        begun = self.begun
        at_once = begun is not None and begun.captured and begun.step is Step.DONE
        return self.authorised if at_once else _sum(e for e in self.all(Operation.CAPTURE) if e.step not in _LOST)

    @property
    def unsure(self) -> bool:
        """Whether nobody knows if a capture arrived."""
        return any(entry.step is Step.SENT for entry in self.all(Operation.CAPTURE))

    @property
    def returned(self) -> int:
        """What went back, or may have."""
        return _sum(entry for entry in self.all(Operation.REFUND) if entry.step not in _LOST)

    @property
    def expired(self) -> bool:
        """Whether Adyen has told that the authorisation is none any more."""
        return any(entry.event == EXPIRE for entry in self.page)

    @property
    def called_off(self) -> bool:
        """Whether it was voided after it was set aside: a void says nothing about what came later.

        A void that was only received may have overtaken an authorisation of which nothing is known.
        """
        begun = self.begun
        sure = _TAKEN if begun is not None and begun.step >= Step.WAITING else (Step.DONE,)
        voids = {void.key for void in self.all(Operation.VOID) if void.step in sure}
        told = [
            entry.operation is Operation.VOID
            for entry in self.page
            if entry is begun or (entry.key in voids and entry.step in _TAKEN)
        ]
        return bool(voids) and (begun is None or begun.step is not Step.DONE or told[-1])

    @property
    def withdrawn(self) -> bool:
        """Whether it was or may have been voided, before or after it was set aside: nothing more is asked of it."""
        return any(void.step not in _LOST for void in self.all(Operation.VOID))

    @property
    def closed(self) -> bool:
        """Whether a final capture was taken."""
        return any(entry.final for entry in self.all(Operation.CAPTURE) if entry.step not in _LOST)

    @property
    def open(self) -> int:
        """What is still set aside."""
        return 0 if self.called_off or self.closed or self.expired else max(0, self.authorised - self.claimed)

    def disputed(self, none: Money) -> Money:
        """What the customer's bank takes back, or threatens to, all in all: each payment is disputed once at a time."""
        told = [entry for entry in self.page if entry.event in DISPUTES]
        won = any(entry.event in _WON for entry in told)
        return none if won or not told else max(entry.amount for entry in told)

    def why_no_capture(self, amount: Money) -> str:
        """The reason for which nothing of this amount can be captured, or empty."""
        begun = self.begun
        match begun:
            case None:
                return "no_such_payment"
            case Entry(step=Step.DONE) if begun.amount.currency != amount.currency:
                return "other_currency"
            case Entry(step=Step.DONE):
                pass
            case _:
                return begun.reason or "not_authorised"
        if self.expired:
            return AUTHORISATION_EXPIRED
        if self.closed or begun.captured:
            return "already_captured"
        if self.withdrawn:
            return "cancelled"
        return "amount_exceeds_authorisation" if amount.amount > self.open else ""

    def why_no_refund(self, amount: Money) -> str:
        """The reason for which nothing of this amount can go back, or empty."""
        if self.captured == 0:
            return "not_captured"
        return "amount_exceeds_captured" if amount.amount > self.captured - self.returned else ""

    def why_no_change(self, amount: Money) -> str:
        """The reason for which what is set aside can't be changed to this amount, or empty."""
        if self.authorised == 0:
            return "not_authorised"
        if self.open == 0 or self.claimed or self.withdrawn:
            return AUTHORISATION_EXPIRED if self.expired else "already_captured" if self.claimed else "cancelled"
        return "amount_below_authorisation" if amount.amount < self.authorised else ""


def _step(entry: Entry) -> int:
    return entry.step


def _sum(entries: Iterable[Entry]) -> int:
    return sum(entry.amount.amount for entry in entries)
