"""The fake's books in the words of the port, to be compared with ours: `ProviderBooks`, as the invariants want it."""

from __future__ import annotations

from datetime import UTC, datetime

from omniorder.adapters.stripe.amounts import from_stripe
from omniorder.adapters.stripe.references import LINK, ORDER, metadata, payment_of
from omniorder.domain.money import Money
from omniorder.domain.payments import Operation
from omniorder.ports.payments import Answer, Approved, Denied
from omniorder.testing.provider import ProviderOperation, ProviderPayment, ProviderState
from omniorder.testing.stripe.shelf import Done, Object, Shelf

__all__ = ["booked"]


def booked(shelf: Shelf, intent: Object) -> ProviderPayment:
    """A payment as it is on file. What was asked for may be less than what is set aside since: it was raised."""
    done = shelf.done.get(str(intent["id"]), [])
    refunds = shelf.all(
        "refund", lambda one: one["payment_intent"] == intent["id"] and bool(one["balance_transaction"])
    )
    refunded = sum(int(one["amount"]) for one in refunds if one["status"] == "succeeded")
    charged = shelf.charge_of(intent)
    state = _state(intent)
    return ProviderPayment(
        id=str(intent["id"]),
        payment=payment_of(intent),
        order=metadata(intent).get(ORDER, ""),
        token=str(intent["payment_method"] or ""),
        amount=_money(intent, done[0].units if done else int(intent["amount"])),
        state=state,
        authorised=_money(intent, int(charged["amount"]) if charged else 0),
        captured=_money(intent, int(intent["amount_received"])),
        refunded=_money(intent, refunded),
        created_at=datetime.fromtimestamp(int(intent["created"]), UTC),
        instant=intent["capture_method"] != "manual",
        reason=_reason(intent),
        operations=tuple(ProviderOperation(one.key, Operation(one.asked), _answer(intent, one)) for one in done),
    )


def _reason(intent: Object) -> str:
    match intent["last_payment_error"]:
        case {"decline_code": str(reason)} | {"code": str(reason)}:
            return reason
        case _:
            return ""


def _state(intent: Object) -> ProviderState:
    match intent["status"]:
        case "requires_capture":
            return ProviderState.AUTHORISED
        case "succeeded":
            return ProviderState.CAPTURED
        case "canceled" if intent["cancellation_reason"] == "automatic":
            return ProviderState.EXPIRED
        case "canceled":
            return ProviderState.VOIDED
        case "requires_payment_method" if intent["last_payment_error"] and LINK not in metadata(intent):
            return ProviderState.DECLINED
        case _:
            return ProviderState.REQUIRES_ACTION


def _answer(intent: Object, done: Done) -> Answer:
    if done.reason:
        return Denied(done.reason)
    return Approved(_money(intent, done.units), done.number or str(intent["id"]))


def _money(intent: Object, units: int) -> Money:
    return from_stripe(units, str(intent["currency"]))
