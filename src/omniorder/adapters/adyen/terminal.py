"""The messages of Adyen's Terminal API, by way of its cloud: what a card reader is asked, and what it says.

A payment is asked for asynchronously, since a customer may take minutes; what became of it is then asked for by the
same number. Source: Adyen's pages "Make a payment", "Verify transaction status" and "Cancel a transaction".
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from attrs import evolve

from omniorder.adapters.adyen.amounts import from_major, to_major
from omniorder.adapters.adyen.entries import Entry, Step
from omniorder.adapters.adyen.reading import object_in, text
from omniorder.domain.instants import iso
from omniorder.errors import GatewayTimeout, InvalidMoney


def service_id(key: str) -> str:
    """The number of a message: at most ten letters and digits, unique for a reader within two days."""
    return base64.b32encode(hashlib.sha256(key.encode()).digest()).decode()[:10]


def payment(sale_id: str, asked: Entry) -> dict[str, Any]:
    """Ask for a card. The payment's id goes along as the merchant's reference."""
    body = {
        "SaleData": {"SaleTransactionID": {"TransactionID": asked.payment, "TimeStamp": iso(asked.at)}},
        "PaymentTransaction": {
            "AmountsReq": {"Currency": asked.amount.currency, "RequestedAmount": to_major(asked.amount)}
        },
    }
    return _request(sale_id, "Payment", asked.key, asked.place, body)


def status(sale_id: str, asked: Entry, number: str) -> dict[str, Any]:
    """Ask what became of it; `number` tells one question from the next."""
    body = {"ReceiptReprintFlag": False, "MessageReference": _about(sale_id, asked)}
    return _request(sale_id, "TransactionStatus", f"{asked.key}?{number}", asked.place, body)


def abort(sale_id: str, asked: Entry, key: str) -> dict[str, Any]:
    """Stop asking for a card; `key` is ours for that."""
    body = {"AbortReason": "MerchantAbort", "MessageReference": _about(sale_id, asked)}
    return _request(sale_id, "Abort", key, asked.place, body)


def outcome(asked: Entry, reply: Mapping[str, Any]) -> Entry | None:
    """What became of a payment, by a reader's answer to `status`; None where it has never heard of it.

    `Step.WAITING` while it is under way. Raises `GatewayTimeout` for what tells nothing: a reader that is off, say.
    """
    told = object_in(reply, "SaleToPOIResponse", "TransactionStatusResponse")
    response = object_in(told, "Response")
    match response.get("Result"), response.get("ErrorCondition"):
        case "Success", _:
            repeated = object_in(told, "RepeatedMessageResponse", "RepeatedResponseMessageBody", "PaymentResponse")
            return _paid(asked, repeated)
        case "Failure", "InProgress":
            return evolve(asked, step=Step.WAITING)
        case "Failure", "NotFound":
            return None
        case _:
            raise GatewayTimeout(gateway="adyen", reason="no answer from the card reader")


def _paid(asked: Entry, told: Mapping[str, Any]) -> Entry:
    response = object_in(told, "Response")
    match response.get("Result"):
        case "Success":
            number = text(object_in(told, "POIData", "POITransactionID"), "TransactionID")
            amounts = object_in(told, "PaymentResult", "AmountsResp")
            try:
                amount = from_major(amounts.get("AuthorizedAmount"), text(amounts, "Currency"))
            except InvalidMoney:
                raise GatewayTimeout(gateway="adyen", reason="an amount that can't be") from None
            return evolve(asked, step=Step.DONE, psp=number.rpartition(".")[2], amount=amount, captured=True)
        case "Failure":
            return evolve(asked, step=Step.REFUSED, reason=_reason(response))
        case _:
            raise GatewayTimeout(gateway="adyen", reason="a payment that neither succeeded nor failed")


def _reason(response: Mapping[str, Any]) -> str:
    condition = text(response, "ErrorCondition").lower()
    more = parse_qs(text(response, "AdditionalResponse"))
    said = next(iter(more.get("refusalReason", [])), "")
    if condition == "refusal" and said:
        return said.lower().replace(" ", "_")[:80]
    return condition or "refused"


def _request(sale_id: str, category: str, key: str, reader: str, body: Mapping[str, Any]) -> dict[str, Any]:
    header = {
        "ProtocolVersion": "3.0",
        "MessageClass": "Service",
        "MessageCategory": category,
        "MessageType": "Request",
        "SaleID": sale_id,
        "ServiceID": service_id(key),
        "POIID": reader,
    }
    return {"SaleToPOIRequest": {"MessageHeader": header, f"{category}Request": body}}


def _about(sale_id: str, asked: Entry) -> dict[str, Any]:
    return {"MessageCategory": "Payment", "SaleID": sale_id, "ServiceID": service_id(asked.key)}
