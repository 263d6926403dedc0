"""What the port is answered about an operation, as its payment's page stands."""

from __future__ import annotations

from collections.abc import Collection

from omniorder.adapters.adyen.entries import Entry, Step
from omniorder.adapters.adyen.standing import Standing
from omniorder.domain.money import Money
from omniorder.domain.payments import Action, Operation
from omniorder.ports.payments import Absent, Answer, Approved, Denied, NeedsAction, NoAnswer


def answer(
    standing: Standing, operation: Operation, key: str, *, believed: Collection[Operation], several: bool
) -> Answer:
    """The outcome of the operation under `key`.

    `believed` are the operations that count as done when Adyen has accepted the request. `several`: an authorisation
    takes more than one capture.
    """
    entry = standing.of(key)
    if entry is None and operation is Operation.AUTHORISE:
        # a notification told it, and the page that says under which key it was sent is lost
        entry = next((told for told in standing.all(operation) if not told.key), None)
    if entry is None or entry.operation is not operation:
        return Absent()
    match operation, entry.step:
        case Operation.VOID, Step.SENT | Step.RECEIVED | Step.REFUSED:
            return _void(standing, entry)
        case ((Operation.AUTHORISE | Operation.COLLECT), (Step.SENT | Step.RECEIVED | Step.WAITING)):
            return _begun(standing, entry)
        case _, Step.DONE | Step.RESTORED:
            return _approved(entry, several)
        case _, Step.RECEIVED if operation in believed:
            return _approved(entry, several)
        case _, Step.SENT:
            return NoAnswer(repeat=True)
        case _, Step.RECEIVED | Step.WAITING:
            return NoAnswer()
        case _:
            return Denied(entry.reason or "refused")


def _approved(entry: Entry, several: bool) -> Approved:
    opens = entry.operation is Operation.CAPTURE and several and not entry.final
    return Approved(entry.amount, entry.psp, captured=entry.captured, open=opens, until=entry.until)


def _begun(standing: Standing, entry: Entry) -> Answer:
    voids = standing.all(Operation.VOID)
    if any(void.step is Step.DONE for void in voids) or (entry.step is Step.WAITING and standing.called_off):
        return Denied("cancelled")
    if entry.step is Step.WAITING:
        return NeedsAction(Action(entry.action, _url(entry)), entry.psp)
    if entry.step is Step.SENT and any(void.step is Step.REFUSED for void in voids):
        return Absent()  # Adyen's own word: there was nothing under this reference to call off
    return NoAnswer(repeat=entry.step is Step.SENT)


def _void(standing: Standing, entry: Entry) -> Answer:
    begun = standing.begun
    known = begun is not None and begun.step in (Step.DONE, Step.WAITING)
    match entry.step:
        case Step.SENT:
            return NoAnswer(repeat=True)
        case Step.RECEIVED if known:
            return Approved(entry.amount, entry.psp)
        case Step.RECEIVED:
            return NoAnswer()  # it may have overtaken what it is to call off
        case _ if not known:
            return Absent()
        case _ if standing.expired:
            return Approved(entry.amount, entry.psp)
        case _:
            taken = Money(standing.captured, entry.amount.currency)
            return Denied(entry.reason, captured=taken if taken.amount else None)


def _url(entry: Entry) -> str:
    return entry.place if entry.place.startswith("https://") else ""
