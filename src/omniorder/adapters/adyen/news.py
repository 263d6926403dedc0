"""What a notification means for a payment's page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve

from omniorder.adapters.adyen.bodies import split
from omniorder.adapters.adyen.entries import LINK, Entry, Step
from omniorder.adapters.adyen.lifetimes import lapses
from omniorder.adapters.adyen.notices import Item
from omniorder.adapters.adyen.reading import REASONS
from omniorder.adapters.adyen.standing import DISPUTES, EXPIRE, Standing
from omniorder.domain.answers import AUTHORISATION_EXPIRED
from omniorder.domain.payments import Operation

_OUTCOMES: Final[Mapping[str, tuple[Operation, ...]]] = {
    "AUTHORISATION": (Operation.AUTHORISE, Operation.COLLECT),
    "OFFER_CLOSED": (Operation.AUTHORISE,),
    "CAPTURE": (Operation.CAPTURE,),
    "CAPTURE_FAILED": (Operation.CAPTURE,),
    "CANCELLATION": (Operation.VOID,),
    "TECHNICAL_CANCEL": (Operation.VOID,),
    "CANCEL_OR_REFUND": (Operation.VOID,),
    "REFUND": (Operation.REFUND,),
    "REFUND_FAILED": (Operation.REFUND,),
    "REFUNDED_REVERSED": (Operation.REFUND,),
    "AUTHORISATION_ADJUSTMENT": (Operation.INCREASE, Operation.EXTEND),
}
_UNDONE: Final = ("CAPTURE_FAILED", "REFUND_FAILED", "REFUNDED_REVERSED")
_WORDS: Final = {name.replace("_", " "): name for name in REASONS.values()} | {
    "not enough balance": "insufficient_funds"
}


def entry(
    payment: str, item: Item, standing: Standing, at: datetime, lifetimes: Mapping[str, timedelta]
) -> Entry | None:
    """What to put down, or None for what is no news to a payment: reports, offers, codes that nobody knows yet."""
    told = Entry(payment, "", None, Step.DONE, at, item.amount, psp=item.psp, event=item.event)
    if item.event in DISPUTES or item.event == EXPIRE:
        return told if item.success else None
    operations = _OUTCOMES.get(item.event, ())
    asked = _asked(standing, operations, item)
    if not operations or (asked is None and Operation.AUTHORISE not in operations):
        return None
    operation = asked.operation if asked is not None else Operation.AUTHORISE
    step = _step(item)
    if step is Step.REFUSED and asked is not None and asked.place == LINK and item.event == "AUTHORISATION":
        return None  # one card was refused; the customer may pay by another while the link is open
    lasts = operation in (Operation.AUTHORISE, Operation.INCREASE, Operation.EXTEND) and step is Step.DONE
    captured = operation is Operation.COLLECT or bool(asked is not None and asked.captured)
    return evolve(
        told,
        key=asked.key if asked is not None else "",
        operation=operation,
        step=step,
        amount=asked.amount if asked is not None and operation is Operation.VOID else item.amount,
        reason="" if step in (Step.DONE, Step.RESTORED) else _reason(item),
        until=lapses(lifetimes, item.brand, at) if lasts and not captured else None,
        captured=captured and step is Step.DONE,
        final=asked is not None and asked.final,
        brand=item.brand,
    )


def _asked(standing: Standing, operations: tuple[Operation, ...], item: Item) -> Entry | None:
    """What was sent that this is the outcome of: by our key, by Adyen's reference, or the only one that it can be."""
    _, key = split(item.reference)
    sent = [entry for entry in standing.page if entry.step is Step.SENT and entry.operation in operations]
    for entry in sent:
        of = standing.of(entry.key)
        if entry.key == key or (of is not None and of.psp == item.psp):
            return entry
    if item.event in ("AUTHORISATION", "OFFER_CLOSED"):
        return sent[-1] if sent else None
    open_ones = [entry for entry in sent if standing.of(entry.key) == entry and entry.amount == item.amount]
    return open_ones[0] if len(open_ones) == 1 else None


def _step(item: Item) -> Step:
    if item.event in _UNDONE:
        return Step.FAILED
    if item.event == "OFFER_CLOSED":
        return Step.REFUSED
    if not item.success:
        return Step.REFUSED
    return Step.RESTORED if item.restored else Step.DONE


def _reason(item: Item) -> str:
    said = item.reason.lower()
    if item.event.startswith("CAPTURE") and "expired" in said:
        return AUTHORISATION_EXPIRED
    return _WORDS.get(said) or (f"{item.event.lower()}" if item.event in _UNDONE else "refused")
