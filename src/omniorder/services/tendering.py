"""What a customer brings to pay with: taken as given, and refused where the hub has nobody who takes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from omniorder.domain.payments import PayInStore, Tender
from omniorder.errors import InvalidInput, TenderUnsupported
from omniorder.services import payments
from omniorder.services.parts import Parts
from omniorder.services.surface import given

MOST_TENDERS: Final = 10
"""Tenders for one order in one go: more than anybody splits a bill into."""


def brought(pay: object) -> tuple[Tender, ...]:
    """One tender or several, each of them once; raises `InvalidInput`."""
    rule = f"a Tender (Card(...), PayInStore() or one of your own), or 1 to {MOST_TENDERS} of them"
    listed = tuple(cast("Sequence[object]", pay)) if isinstance(pay, (list, tuple)) else (pay,)
    tenders = tuple(given(tender, Tender, "pay", rule) for tender in listed)
    if not 1 <= len(tenders) <= MOST_TENDERS:
        raise InvalidInput("pay", len(tenders), rule)
    if len({(tender.kind, tender.token) for tender in tenders}) < len(tenders):
        raise InvalidInput("pay", [tender.kind for tender in tenders], "must not name a tender twice")
    return tenders


def taken_here(parts: Parts, tenders: Sequence[Tender]) -> None:
    """Raise `TenderUnsupported` for a tender that nobody takes, or not in this way; `NeedsOwnTransaction`."""
    for tender in tenders:
        if isinstance(tender, PayInStore):
            continue
        payments.own_transaction(parts, "checkout.place")
        can = parts.gateway(tender.kind).capabilities
        if tender.now and not can.immediate:
            raise TenderUnsupported(tender=tender.kind, reason="it can't be taken at once")
