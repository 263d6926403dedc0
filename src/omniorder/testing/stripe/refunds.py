"""Refunds and disputes: money that goes back, because the shop sends it or because a bank takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omniorder.testing.stripe.cards import CARDS
from omniorder.testing.stripe.refusals import Refusal, unexpected
from omniorder.testing.stripe.shelf import Done, Object, Shelf

__all__ = ["bounce", "close", "create", "dispute"]


def create(shelf: Shelf, params: Mapping[str, Any], key: str) -> Object:
    """Send money back: never more than was captured and is not on its way back yet."""
    number = str(params.get("payment_intent", ""))
    intent = shelf.get(number, "payment_intent")
    amount = int(params.get("amount", intent["amount_received"]))
    done = Done(key, "refund", amount)
    paid = shelf.charge_of(intent)
    if paid is None or not intent["amount_received"]:
        raise _noted(shelf, number, done, unexpected(intent))
    rest = intent["amount_received"] - _sent_back(shelf, number)
    if amount <= 0 or amount > rest:
        code = {"code": "charge_already_refunded"} if not rest else {}
        error = {"type": "invalid_request_error", "param": "amount", "message": "more than is left", **code}
        raise _noted(shelf, number, done, Refusal(400, error))
    refund: Object = {
        "id": shelf.number("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": shelf.number("txn"),
        "charge": paid["id"],
        "created": shelf.now(),
        "currency": intent["currency"],
        "failure_reason": None,
        "metadata": dict(params.get("metadata", {})),
        "payment_intent": number,
        "status": "succeeded",
    }
    shelf.put(refund, "refund.created")
    _charged(shelf, paid, amount)
    shelf.note(number, Done(key, "refund", amount, number=str(refund["id"])), effect=True)
    return refund


def bounce(shelf: Shelf, refund: Object, reason: str) -> Object:
    """The customer's bank sends a refund back: its card is closed, say."""
    paid = shelf.get(str(refund["charge"]), "charge")
    _charged(shelf, paid, -int(refund["amount"]))
    return shelf.put({**refund, "status": "failed", "failure_reason": reason}, "refund.failed")


def dispute(shelf: Shelf, intent: Object, amount: int | None, reason: str) -> Object:
    """The customer's bank takes money back, until it is settled who is right."""
    paid = shelf.charge_of(intent)
    if paid is None or not intent["amount_received"]:
        raise unexpected(intent)
    shelf.put({**paid, "disputed": True})
    opened: Object = {
        "id": shelf.number("dp"),
        "object": "dispute",
        "amount": intent["amount_received"] if amount is None else amount,
        "charge": paid["id"],
        "created": shelf.now(),
        "currency": intent["currency"],
        "metadata": {},
        "payment_intent": intent["id"],
        "reason": reason,
        "status": "needs_response",
    }
    return shelf.put(opened, "charge.dispute.created")


def close(shelf: Shelf, opened: Object, status: str) -> Object:
    """The dispute is settled: won or lost."""
    return shelf.put({**opened, "status": status}, "charge.dispute.closed")


def bounces(intent: Mapping[str, Any]) -> bool:
    """Whether the card is one whose refunds fail."""
    card = CARDS.get(str(intent.get("payment_method")))
    return card is not None and card.refund_fails


def _sent_back(shelf: Shelf, number: str) -> int:
    def moved(one: Object) -> bool:
        return bool(one["payment_intent"] == number and one["balance_transaction"] and one["status"] == "succeeded")

    return sum(int(one["amount"]) for one in shelf.all("refund", moved))


def _charged(shelf: Shelf, paid: Object, amount: int) -> None:
    refunded = int(paid["amount_refunded"]) + amount
    shelf.put({**paid, "amount_refunded": refunded, "refunded": refunded == paid["amount"]}, "charge.refunded")


def _noted(shelf: Shelf, number: str, done: Done, why: Refusal) -> Refusal:
    shelf.note(number, Done(done.key, done.asked, done.units, why.reason or "amount_invalid"), effect=False)
    return why
