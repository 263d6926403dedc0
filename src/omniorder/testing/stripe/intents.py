"""PaymentIntents: created, confirmed, captured, raised, cancelled, and lapsed, with the charge that each of them has.

What isn't allowed raises `Refusal` with Stripe's code, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from omniorder.testing.stripe.cards import CARDS, Card
from omniorder.testing.stripe.refusals import Refusal, declined, invalid, missing, unexpected
from omniorder.testing.stripe.shelf import Done, Object, Shelf

__all__ = ["cancel", "capture", "charge", "create", "fail", "increment", "lapse", "settle"]

_MOST: Final = 99_999_999
_OPEN: Final = ("requires_payment_method", "requires_confirmation", "requires_action", "requires_capture")
_EXTENDED: Final = timedelta(days=30)


def create(shelf: Shelf, params: Mapping[str, Any], key: str, amount: int | None = None) -> Object:
    """A new payment, confirmed at once where it says so; `amount` is what it is made for instead, by mistake."""
    asked = int(params["amount"])
    if asked <= 0:
        raise invalid("parameter_invalid_integer", "amount")
    if asked > _MOST:
        raise Refusal(400, {"type": "invalid_request_error", "code": "amount_too_large", "param": "amount"})
    token = str(params.get("payment_method", ""))
    if token and token not in CARDS:
        raise missing("payment_method", token)
    if params.get("confirm") and not (token or params.get("confirmation_token")):
        raise invalid("parameter_missing", "payment_method")
    number = shelf.number("pi")
    kinds = list(params.get("allowed_payment_method_types", ["card"]))
    intent: Object = {
        "id": number,
        "object": "payment_intent",
        "amount": asked if amount is None else amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "cancellation_reason": None,
        "capture_method": params.get("capture_method", "automatic"),
        "client_secret": f"{number}_secret_fake",
        "created": shelf.now(),
        "currency": str(params["currency"]),
        "description": params.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": shelf.settings.livemode,
        "metadata": dict(params.get("metadata", {})),
        "next_action": None,
        "payment_method": token or None,
        "payment_method_options": params.get("payment_method_options", {}),
        "payment_method_types": kinds,
        "status": "requires_payment_method",
    }
    shelf.put(intent, "payment_intent.created")
    asked_for = "collect" if "card_present" in kinds else "authorise"
    if not params.get("confirm"):
        shelf.note(number, Done(key, asked_for, asked), effect=False)
        return intent
    # a confirmation token stands for a wallet's card that the customer has approved on their device
    card = CARDS[token] if token else Card(wallet="apple_pay")
    try:
        return _confirmed(shelf, intent, card, str(params.get("return_url", "")), Done(key, asked_for, asked))
    except Refusal as why:
        shelf.note(number, Done(key, asked_for, asked, why.reason), effect=False)
        raise


def _confirmed(shelf: Shelf, intent: Object, card: Card, return_url: str, done: Done) -> Object:
    if card.action:
        url = f"https://hooks.stripe.example/redirect/{intent['id']}"
        redirect = {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": return_url}}
        action: Object = redirect if return_url else {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
        shelf.note(str(intent["id"]), done, effect=False)
        return shelf.put(
            {**intent, "status": "requires_action", "next_action": action}, "payment_intent.requires_action"
        )
    if card.code:
        raise declined(fail(shelf, intent, card.code, card.decline_code), card.code, card.decline_code)
    shelf.note(str(intent["id"]), done, effect=True)
    return settle(shelf, intent, card)


def settle(shelf: Shelf, intent: Object, card: Card, kind: str = "card") -> Object:
    """The bank said yes: the money is set aside, or taken where it is to be taken at once."""
    at_once = intent["capture_method"] != "manual"
    amount = int(intent["amount"])
    paid = charge(shelf, intent, card, kind, at_once=at_once)
    done: Object = {
        **intent,
        "latest_charge": paid["id"],
        "next_action": None,
        "last_payment_error": None,
        "amount_capturable": 0 if at_once else amount,
        "amount_received": amount if at_once else 0,
        "status": "succeeded" if at_once else "requires_capture",
    }
    return shelf.put(done, "payment_intent.succeeded" if at_once else "payment_intent.amount_capturable_updated")


def charge(shelf: Shelf, intent: Mapping[str, Any], card: Card, kind: str, *, at_once: bool) -> Object:
    """The charge of an approved payment."""
    settings, wishes = shelf.settings, intent["payment_method_options"].get("card", {})

    def granted(feature: str, enabled: bool, yes: str = "available", no: str = "unavailable") -> Object:
        return {"status": yes if enabled and wishes.get(f"request_{feature}") == "if_available" else no}

    extended = granted("extended_authorization", settings.extended, "enabled", "disabled")
    lasts = _EXTENDED if extended["status"] == "enabled" else settings.lasts
    amount = int(intent["amount"])
    details: Object = {
        "brand": card.brand,
        "amount_authorized": amount,
        "capture_before": None if at_once else shelf.at(lasts),
        "multicapture": granted("multicapture", settings.multicapture),
        "incremental_authorization": granted("incremental_authorization", settings.incremental),
        "extended_authorization": extended,
        "wallet": {"type": card.wallet} if card.wallet else None,
    }
    paid: Object = {
        "id": shelf.number("ch"),
        "object": "charge",
        "amount": amount,
        "amount_captured": amount if at_once else 0,
        "amount_refunded": 0,
        "captured": at_once,
        "created": shelf.now(),
        "currency": intent["currency"],
        "disputed": False,
        "metadata": dict(intent["metadata"]),
        "payment_intent": intent["id"],
        "payment_method_details": {"type": kind, kind: details},
        "refunded": False,
        "status": "succeeded",
    }
    return shelf.put(paid, "charge.succeeded")


def fail(shelf: Shelf, intent: Object, code: str, decline_code: str = "") -> Object:
    """The bank or the customer said no: another card could be tried."""
    error = {"type": "card_error", "code": code, "decline_code": decline_code or None}
    failed: Object = {
        **intent, "status": "requires_payment_method", "payment_method": None, "next_action": None,
        "last_payment_error": error,
    }  # fmt: skip
    return shelf.put(failed, "payment_intent.payment_failed")


def capture(shelf: Shelf, number: str, params: Mapping[str, Any], key: str) -> Object:
    """Take some or all; the rest is released unless more is to come."""
    intent = shelf.get(number, "intent")
    amount = int(params.get("amount_to_capture", intent["amount_capturable"]))
    final = bool(params.get("final_capture", True))
    asked = "void" if amount == 0 else "capture"
    done = Done(key, asked, amount)
    paid = shelf.charge_of(intent)
    if intent["status"] != "requires_capture" or paid is None:
        raise _noted(shelf, intent, done, unexpected(intent))
    several = paid["payment_method_details"].get("card", {}).get("multicapture", {}).get("status") == "available"
    if amount < 0 or (amount == 0 and not (final and intent["amount_received"])):
        raise invalid("parameter_invalid_integer", "amount_to_capture")
    if amount > intent["amount_capturable"]:
        raise _noted(shelf, intent, done, unexpected(intent, "amount_too_large", "amount_to_capture"))
    if not final and not several:
        raise invalid("parameter_invalid_empty", "final_capture")
    left = 0 if final else intent["amount_capturable"] - amount
    received = intent["amount_received"] + amount
    taken: Object = {**paid, "amount_captured": received, "captured": left == 0}
    if left == 0 and not several and received < paid["amount"]:
        # what is released is told as a refund, though no money moved
        taken["amount_refunded"] = paid["amount"] - received
        shelf.put(_release(shelf, intent, paid["amount"] - received))
    shelf.put(taken, "charge.captured")
    after: Object = {
        **intent,
        "metadata": {**intent["metadata"], **params.get("metadata", {})},
        "amount_capturable": left,
        "amount_received": received,
        "status": "requires_capture" if left else "succeeded",
    }
    shelf.note(number, done, effect=True)
    return shelf.put(after, "payment_intent.amount_capturable_updated" if left else "payment_intent.succeeded")


def cancel(shelf: Shelf, number: str, params: Mapping[str, Any], key: str) -> Object:
    """Give everything back: of what was captured in part nothing can be cancelled any more."""
    intent = shelf.get(number, "intent")
    done = Done(key, "void", int(intent["amount_capturable"]))
    if intent["status"] not in _OPEN or intent["amount_received"]:
        raise _noted(shelf, intent, done, unexpected(intent))
    shelf.note(number, done, effect=True)
    return _ended(shelf, intent, str(params.get("cancellation_reason", "")) or None)


def increment(shelf: Shelf, number: str, params: Mapping[str, Any], key: str) -> Object:
    """Set more aside, in all."""
    intent = shelf.get(number, "intent")
    amount = int(params["amount"])
    done = Done(key, "increase", amount)
    paid = shelf.charge_of(intent)
    if intent["status"] != "requires_capture" or paid is None:
        raise _noted(shelf, intent, done, unexpected(intent))
    kind = paid["payment_method_details"]["type"]
    details = paid["payment_method_details"][kind]
    if details["incremental_authorization"]["status"] != "available":
        raise _noted(shelf, intent, done, unexpected(intent, "incremental_authorization_unavailable"))
    if amount <= intent["amount"]:
        raise invalid("parameter_invalid_integer", "amount")
    details = {**details, "amount_authorized": amount}
    shelf.put({**paid, "amount": amount, "payment_method_details": {"type": kind, kind: details}}, "charge.updated")
    after: Object = {
        **intent,
        "metadata": {**intent["metadata"], **params.get("metadata", {})},
        "amount": amount,
        "amount_capturable": amount - intent["amount_received"],
    }
    shelf.note(number, done, effect=True)
    return shelf.put(after, "payment_intent.amount_capturable_updated")


def lapse(shelf: Shelf, due: Callable[[Object], bool]) -> list[Object]:
    """End the authorisations that are due: cancelled when nothing was taken, and closed when something was."""
    ended: list[Object] = []
    for intent in shelf.all("payment_intent", lambda one: one["status"] == "requires_capture"):
        paid = shelf.charge_of(intent)
        if paid is None or not due(paid):
            continue
        if intent["amount_received"]:
            closed = {**intent, "status": "succeeded", "amount_capturable": 0}
            ended.append(shelf.put(closed, "payment_intent.succeeded"))
        else:
            shelf.put({**paid, "refunded": True, "amount_refunded": paid["amount"]}, "charge.expired")
            ended.append(_ended(shelf, intent, "automatic"))
    return ended


def _ended(shelf: Shelf, intent: Object, reason: str | None) -> Object:
    gone: Object = {
        **intent, "status": "canceled", "cancellation_reason": reason, "amount_capturable": 0, "next_action": None
    }  # fmt: skip
    return shelf.put(gone, "payment_intent.canceled")


def _release(shelf: Shelf, intent: Mapping[str, Any], amount: int) -> Object:
    return {
        "id": shelf.number("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "created": shelf.now(),
        "currency": intent["currency"],
        "metadata": {},
        "payment_intent": intent["id"],
        "status": "succeeded",
    }


def _noted(shelf: Shelf, intent: Mapping[str, Any], done: Done, why: Refusal) -> Refusal:
    """The refusal, after it was booked on the payment."""
    shelf.note(str(intent["id"]), Done(done.key, done.asked, done.units, why.reason), effect=False)
    return why
