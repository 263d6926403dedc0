"""Card readers driven from the server, and the customer who holds a card to one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omniorder.testing.stripe import intents
from omniorder.testing.stripe.cards import NUMBERS
from omniorder.testing.stripe.refusals import Refusal, unexpected
from omniorder.testing.stripe.shelf import Object, Shelf

__all__ = ["cancel_action", "decline_to_pay", "present", "process", "put_up"]


def put_up(shelf: Shelf, number: str) -> Object:
    """A reader at a counter."""
    reader: Object = {
        "id": number,
        "object": "terminal.reader",
        "action": None,
        "device_type": "simulated_wisepos_e",
        "livemode": shelf.settings.livemode,
        "status": "online",
        "metadata": {},
    }
    return shelf.put(reader)


def process(shelf: Shelf, number: str, params: Mapping[str, Any], key: str) -> Object:
    """Ask for a card."""
    reader = shelf.get(number, "reader")
    intent = shelf.get(str(params["payment_intent"]), "payment_intent")
    if reader["status"] != "online":
        raise _refused("terminal_reader_offline")
    if _busy(reader):
        raise _refused("terminal_reader_busy")
    if intent["status"] != "requires_payment_method" or "card_present" not in intent["payment_method_types"]:
        raise unexpected(intent, "intent_invalid_state")
    return shelf.put({**reader, "action": _action(intent, "in_progress")}, "terminal.reader.action_updated")


def cancel_action(shelf: Shelf, number: str, params: Mapping[str, Any], key: str) -> Object:
    """Take what is asked for off the screen."""
    reader = shelf.get(number, "reader")
    return shelf.put({**reader, "action": None}, "terminal.reader.action_updated")


def present(shelf: Shelf, number: str, params: Mapping[str, Any], key: str) -> Object:
    """A card is held to the reader: approved or declined as its number says."""
    reader = shelf.get(number, "reader")
    if not _busy(reader):
        raise _refused("no_action_in_progress")
    intent = shelf.get(str(reader["action"]["process_payment_intent"]["payment_intent"]), "payment_intent")
    card = NUMBERS.get(str(params.get("card_present", {}).get("number", "4242424242424242")))
    if card is None:
        raise _refused("incorrect_number")
    if intent["status"] != "requires_payment_method":
        return _failed(shelf, reader, intent, "intent_invalid_state")
    if card.code:
        failed = intents.fail(shelf, intent, card.code, card.decline_code)
        return _failed(shelf, reader, failed, card.code)
    paid = intents.settle(shelf, intent, card, "card_present")
    first = shelf.done[str(intent["id"])][0].key
    shelf.effects[first] = shelf.effects.get(first, 0) + 1
    return shelf.put({**reader, "action": _action(paid, "succeeded")}, "terminal.reader.action_succeeded")


def decline_to_pay(shelf: Shelf, number: str) -> Object:
    """The customer presses the red key."""
    reader = shelf.get(number, "reader")
    if not _busy(reader):
        raise _refused("no_action_in_progress")
    intent = shelf.get(str(reader["action"]["process_payment_intent"]["payment_intent"]), "payment_intent")
    return _failed(shelf, reader, intent, "customer_canceled")


def _failed(shelf: Shelf, reader: Object, intent: Object, code: str) -> Object:
    action = {**_action(intent, "failed"), "failure_code": code}
    return shelf.put({**reader, "action": action}, "terminal.reader.action_failed")


def _busy(reader: Object) -> bool:
    return bool(reader["action"]) and reader["action"]["status"] == "in_progress"


def _action(intent: Mapping[str, Any], status: str) -> Object:
    return {
        "type": "process_payment_intent",
        "status": status,
        "failure_code": None,
        "failure_message": None,
        "process_payment_intent": {"payment_intent": intent["id"]},
    }


def _refused(code: str) -> Refusal:
    return Refusal(400, {"type": "invalid_request_error", "code": code, "message": code})
