"""What a customer brings to pay with: taken as given, and refused where the hub has nobody who takes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from omniorder.domain import events as e
from omniorder.domain import ids
from omniorder.domain.handoffs import Scope
from omniorder.domain.orders import Order
from omniorder.domain.payments import PayInStore, Tender
from omniorder.domain.tenders import Brought, Share
from omniorder.errors import InvalidInput, TenderUnsupported
from omniorder.services import accounts, payments
from omniorder.services.access import promise_for
from omniorder.services.parts import Parts, Touch
from omniorder.services.surface import given
from omniorder.services.units import reading

MOST_TENDERS: Final = 10
"""Tenders for one order in one go: more than anybody splits a bill into."""
_TWICE: Final = "must not name a tender twice"


def brought(pay: object) -> tuple[Tender, ...]:
    """One tender or several, each of them once; raises `InvalidInput`."""
    rule = f"a Tender (Card(...), PayInStore() or one of your own), or 1 to {MOST_TENDERS} of them"
    listed = tuple(cast("Sequence[object]", pay)) if isinstance(pay, (list, tuple)) else (pay,)
    tenders = tuple(given(tender, Tender, "pay", rule) for tender in listed)
    if not 1 <= len(tenders) <= MOST_TENDERS:
        raise InvalidInput("pay", len(tenders), rule)
    if len({Brought(tender).name for tender in tenders}) < len(tenders):
        raise InvalidInput("pay", [tender.kind for tender in tenders], _TWICE)
    return tenders


def taken_here(parts: Parts, tenders: Sequence[Tender]) -> None:
    """Raise `TenderUnsupported` for a tender that nobody takes, or not in this way; `NeedsOwnTransaction`."""
    for tender in tenders:
        if isinstance(tender, PayInStore):
            continue
        payments.own_transaction(parts, "checkout.place")
        can = parts.gateway_for(tender).capabilities
        if tender.now and not can.immediate:
            raise TenderUnsupported(tender=tender.kind, reason="it can't be taken at once")


def presented(parts: Parts, touch: Touch, promise_id: str, tenders: Sequence[Tender]) -> tuple[Brought, ...]:
    """The tenders as they may be stored, with what there is of those that are accounts of ours.

    Raises what `accounts.presented` raises, and `InvalidInput` for an account that is named twice.
    """
    if not any(accounts.is_ours(parts, tender.kind) for tender in tenders):
        return tuple(map(Brought, tenders))
    at = parts.clock.now()
    currency = reading(parts, lambda tx: promise_for(touch, tx, promise_id, Scope.PAY, at)).quote.total.currency
    proven = [accounts.presented(parts, touch, tender, currency) for tender in tenders]
    brought_ones = tuple(Brought(tender, accounts.available(parts, tender, currency)) for tender in proven)
    if len({one.name for one in brought_ones}) < len(brought_ones):
        raise InvalidInput("pay", [tender.kind for tender in tenders], _TWICE)
    return brought_ones


def asked(order: Order, given: Sequence[Share]) -> tuple[e.Event, ...]:
    """The events of asking each of these tenders for its share: the payments that come next of this order."""
    events: list[e.Event] = []
    for number, share in enumerate(given, len(order.payments) + 1):
        new, tender, amount = ids.payment_id(order.id, number), share.tender, share.amount
        events.append(e.TenderAdded(new, tender.kind, amount, tender.token, method=tender.method, now=tender.now))
        if isinstance(tender, PayInStore):
            events.append(e.LeftForStore(new, amount))
        else:
            events.append(e.AuthoriseRequested(new, ids.attempt_id(new, 1), amount))
    return tuple(events)
