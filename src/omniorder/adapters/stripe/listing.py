"""Payments as Stripe lists them, for reconciliation: ours and those that somebody else made on the same account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from omniorder.adapters.stripe.finding import Finder, paged
from omniorder.adapters.stripe.reading import received, worth
from omniorder.adapters.stripe.references import KEY, metadata, payment_of
from omniorder.domain.money import EXPONENTS, Money
from omniorder.ports.payments import Listed

__all__ = ["listed", "readable"]


def readable(intent: Mapping[str, Any]) -> bool:
    """Whether its currency is one; payments in others are never ours."""
    return str(intent.get("currency", "")).upper() in EXPONENTS


def listed(finder: Finder, intent: Mapping[str, Any]) -> Listed:
    """A PaymentIntent, sent with its latest charge and that charge's refunds, as the port lists it."""
    nothing = Money.zero(str(intent["currency"]).upper())
    charge = intent.get("latest_charge")
    authorised = refunded = nothing
    if isinstance(charge, dict):
        given = cast("dict[str, Any]", charge)
        if given.get("status") == "succeeded":
            authorised = worth(given, "amount")
        refunded = _moved_back(_refunds(finder, intent, given), nothing)
    return Listed(
        provider_id=str(intent["id"]),
        payment=payment_of(intent),
        created_at=datetime.fromtimestamp(int(intent["created"]), UTC),
        authorised=authorised,
        captured=received(intent),
        refunded=refunded,
        open=worth(intent, "amount_capturable"),
    )


def _refunds(finder: Finder, intent: Mapping[str, Any], charge: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """The refunds that were sent along, and all of them where those were only the first."""
    match charge.get("refunds"):
        case {"has_more": False} as sent:
            return paged(cast("dict[str, Any]", sent))
        case _:
            return finder.refunds(str(intent["id"])) if charge.get("amount_refunded") else ()


def _moved_back(refunds: Iterable[Mapping[str, Any]], nothing: Money) -> Money:
    """What went back of what was taken.

    Stripe may also show what was only set aside and is released as refunded. No money moved then, so that refund has
    no balance transaction; `amount_refunded` of the charge counts both.
    """
    total = nothing
    for refund in refunds:
        moved = bool(refund.get("balance_transaction")) or KEY in metadata(refund)
        if moved and refund.get("status") not in ("failed", "canceled"):
            total = total + worth(refund, "amount")
    return total
