"""What a PaymentIntent or a refund, as it stands at Stripe, answers to the operations of the port.

Whatever can't be read (a status that Stripe invents tomorrow, a number that is none) is no answer: it is asked for
again, and never guessed at.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from omniorder.adapters.stripe.amounts import Unrepresentable, from_stripe
from omniorder.adapters.stripe.calling import timeout
from omniorder.adapters.stripe.references import LINK, metadata, noted, notes
from omniorder.domain.answers import AUTHORISATION_EXPIRED
from omniorder.domain.money import Money
from omniorder.domain.payments import Action, Operation
from omniorder.errors import InvalidMoney
from omniorder.ports.payments import Absent, Approved, Denied, NeedsAction, NoAnswer

__all__ = [
    "authorisation",
    "capture_refused",
    "expired",
    "noted_answer",
    "received",
    "refund_answer",
    "released",
    "taken",
    "until",
    "voided",
    "worth",
]

_LAPSED: Final = frozenset({"automatic", "expired"})
"""The reasons of a cancellation that time brought about."""


def authorisation(intent: Mapping[str, Any]) -> Approved | NeedsAction | Denied | NoAnswer:
    """What became of asking for the money: online or, for a card reader, what the payment itself tells."""
    number = str(intent.get("id", ""))
    match intent.get("status"):
        case "requires_capture":
            return Approved(worth(intent, "amount"), number, until=until(intent))
        case "succeeded" if intent.get("capture_method") == "manual":
            return Approved(worth(intent, "amount"), number, until=until(intent))
        case "succeeded":
            return Approved(received(intent), number, captured=True)
        case "requires_action":
            return NeedsAction(_action(intent), number)
        case "requires_payment_method" if LINK in metadata(intent):
            # a declined card is not the end here: the customer's page lets them take another
            return NeedsAction(_action(intent), number)
        case "requires_payment_method" if intent.get("last_payment_error"):
            return Denied(_why(intent["last_payment_error"]))
        case "canceled":
            return Denied(AUTHORISATION_EXPIRED if expired(intent) else "voided")
        case _:
            return NoAnswer()


def taken(intent: Mapping[str, Any], key: str) -> Approved:
    """What the capture under this key took, by Stripe's answer to it: all that was taken, less what others took."""
    others = sum(note.units for note in notes(intent, Operation.CAPTURE) if note.key != key)
    amount = received(intent) - _money(others, intent)
    return Approved(amount, str(intent.get("id", "")), open=intent.get("status") == "requires_capture")


def noted_answer(intent: Mapping[str, Any], operation: Operation, key: str) -> Approved | Absent:
    """What was answered to an operation that left a note, or `Absent`: it never took effect."""
    note = noted(intent, operation, key)
    if note is None:
        return Absent()
    end = until(intent) if operation is Operation.INCREASE else None
    return Approved(_money(note.units, intent), str(intent.get("id", "")), open=note.open, until=end)


def released(intent: Mapping[str, Any]) -> Approved | Denied | NoAnswer:
    """What a void finds: whether anything is still set aside, and what was taken."""
    number, releases = str(intent.get("id", "")), notes(intent, Operation.VOID)
    match intent.get("status"):
        case "canceled":
            return Approved(worth(intent, "amount"), number)
        case "succeeded" if releases:
            return Approved(_money(releases[0].units, intent), number)
        case "succeeded":
            return Denied("already_captured", received(intent))
        case _:
            return NoAnswer()


def voided(intent: Mapping[str, Any], key: str) -> Approved | Absent:
    """What became of a void. Nothing tells who cancelled a payment, and it makes no difference, unless time did."""
    if noted(intent, Operation.VOID, key):
        return noted_answer(intent, Operation.VOID, key)
    answer = released(intent)
    cancelled = intent.get("status") == "canceled" and not expired(intent)
    return answer if cancelled and isinstance(answer, Approved) else Absent()


def capture_refused(intent: Mapping[str, Any] | None, reason: str) -> Denied:
    """Why a capture was refused: that nothing is set aside any more has a reason of its own."""
    gone = intent is not None and expired(intent)
    late = reason in ("charge_expired_for_capture", "capture_charge_authorization_expired")
    return Denied(AUTHORISATION_EXPIRED if gone or late else reason)


def refund_answer(refund: Mapping[str, Any]) -> Approved | Denied:
    """What became of a refund. One that fails later is a denial then: the shop still holds the money."""
    match refund.get("status"):
        case "failed" | "canceled" as status:
            return Denied(str(refund.get("failure_reason") or f"refund_{status}"))
        case _:
            return Approved(worth(refund, "amount"), str(refund.get("id", "")))


def expired(intent: Mapping[str, Any]) -> bool:
    """Whether time ended it."""
    return intent.get("status") == "canceled" and intent.get("cancellation_reason") in _LAPSED


def received(intent: Mapping[str, Any]) -> Money:
    """All that was taken so far."""
    return worth(intent, "amount_received")


def until(intent: Mapping[str, Any]) -> datetime | None:
    """When what is set aside lapses, where its charge was sent along and has an end."""
    match intent.get("latest_charge"):
        case {"payment_method_details": {"type": str(kind), **details}}:
            match details.get(kind):
                case {"capture_before": int(moment)}:
                    return datetime.fromtimestamp(moment, UTC)
                case _:
                    return None
        case _:
            return None


def worth(thing: Mapping[str, Any], field: str) -> Money:
    """The amount in one field of an object; raises `GatewayTimeout` where there is none that can be read."""
    units = thing.get(field)
    if not isinstance(units, int):
        raise timeout(f"no {field}")
    return _money(units, thing)


def _money(units: int, thing: Mapping[str, Any]) -> Money:
    try:
        return from_stripe(units, str(thing.get("currency", "")))
    except (InvalidMoney, Unrepresentable) as wrong:
        raise timeout("an amount that can't be read") from wrong


def _action(intent: Mapping[str, Any]) -> Action:
    match intent.get("next_action"):
        case {"redirect_to_url": {"url": str(url)}}:
            return Action(str(intent.get("client_secret") or ""), url)
        case _:
            return Action(str(intent.get("client_secret") or ""))


def _why(error: object) -> str:
    match error:
        case {"decline_code": str(reason)} | {"code": str(reason)}:
            return reason
        case _:
            return "card_declined"
