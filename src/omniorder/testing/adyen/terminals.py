"""Card readers behind the cloud of the Terminal API: what they were asked, and what the customer does at them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omniorder.adapters.adyen.amounts import from_major, to_minor
from omniorder.errors import NotFound
from omniorder.testing.adyen.ledger import Ledger, Reply
from omniorder.testing.adyen.shapes import complaint_of_terminal
from omniorder.testing.adyen.state import AtAdyen, AtReader, FakeCard


class Terminals:
    """The readers of one account."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._asked: dict[tuple[str, str], AtReader] = {}
        self.off: set[str] = set()

    def take(self, message: Mapping[str, Any], path: str) -> Reply:
        """A message to a reader, by `/async` or `/sync`."""
        if problem := complaint_of_terminal(message):
            return Reply(400, {"errors": [problem]})
        request: Mapping[str, Any] = message["SaleToPOIRequest"]
        header: Mapping[str, str] = request["MessageHeader"]
        reader = header["POIID"]
        if reader in self.off:
            told = "message=Did+not+receive+a+response+from+the+POI."
            return Reply(
                200, {"SaleToPOIRequest": {"EventNotification": {"EventToNotify": "Reject", "EventDetails": told}}}
            )
        match header["MessageCategory"]:
            case "Payment" if path == "async":
                self._ask(reader, header["ServiceID"], request["PaymentRequest"])
                return Reply(200, {})
            case "Abort":
                self._abort(reader, request["AbortRequest"]["MessageReference"]["ServiceID"])
                return Reply(200, {})
            case "TransactionStatus" if path == "sync":
                about: str = request["TransactionStatusRequest"]["MessageReference"]["ServiceID"]
                told_status = self._status(self._asked.get((reader, about)))
                return Reply(
                    200, {"SaleToPOIResponse": {"MessageHeader": header, "TransactionStatusResponse": told_status}}
                )
            case _:
                return Reply(400, {"errors": ["not this way"]})

    def present(self, reader: str, card: FakeCard) -> Reply:
        """The customer presents a card."""
        asked = self._waiting(reader)
        reply = self._ledger.settle_at_reader(asked.payment, card)
        if asked.payment.authorised:
            asked.said = {
                "Response": {"Result": "Success", "AdditionalResponse": f"pspReference={asked.payment.psp}"},
                "POIData": {"POITransactionID": {"TransactionID": f"BV0q001611222452000.{asked.payment.psp}"}},
                "PaymentResult": {"AmountsResp": {"AuthorizedAmount": asked.major, "Currency": asked.payment.currency}},
            }
        else:
            why = asked.payment.refused.replace(" ", "%20")
            asked.said = _failure("Refusal", f"refusalReason={why}&message=DECLINED")
        return reply

    def leave(self, reader: str) -> None:
        """The customer presses the red key."""
        self._waiting(reader).said = _failure("Cancel", "refusalReason=108%20Shopper%20cancelled%20tx")

    def forget(self, reader: str) -> None:
        """What the cloud accepted never reached the reader."""
        asked = self._waiting(reader)
        del self._asked[reader, asked.service_id]

    def _ask(self, reader: str, service_id: str, body: Mapping[str, Any]) -> None:
        if (reader, service_id) in self._asked:
            return
        amounts: Mapping[str, Any] = body["PaymentTransaction"]["AmountsReq"]
        currency: str = amounts["Currency"]
        minor = to_minor(from_major(amounts["RequestedAmount"], currency))["value"]
        reference: str = body["SaleData"]["SaleTransactionID"]["TransactionID"]
        payment = AtAdyen(self._ledger.number(), reference, currency, minor, "visa", manual=False)
        self._asked[reader, service_id] = AtReader(reader, service_id, payment, amounts["RequestedAmount"])

    def _abort(self, reader: str, service_id: str) -> None:
        asked = self._asked.get((reader, service_id))
        if asked is not None and asked.said is None:
            asked.said = _failure("Aborted", "refusalReason=104%20Merchant%20cancelled%20tx")

    def _status(self, asked: AtReader | None) -> dict[str, Any]:
        if asked is None:
            return {"Response": {"Result": "Failure", "ErrorCondition": "NotFound"}}
        if asked.said is None:
            return {"Response": {"Result": "Failure", "ErrorCondition": "InProgress"}}
        repeated = {"RepeatedResponseMessageBody": {"PaymentResponse": asked.said}}
        return {"Response": {"Result": "Success"}, "RepeatedMessageResponse": repeated}

    def _waiting(self, reader: str) -> AtReader:
        for asked in reversed(self._asked.values()):
            if asked.reader == reader and asked.said is None:
                return asked
        raise NotFound("payment at card reader", reader)


def _failure(condition: str, more: str) -> dict[str, object]:
    return {"Response": {"Result": "Failure", "ErrorCondition": condition, "AdditionalResponse": more}}
