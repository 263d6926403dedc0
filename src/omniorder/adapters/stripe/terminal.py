"""Card readers driven from the server: a payment is sent to a reader, and what became of it is asked for.

Chip or contactless, the reader and the customer decide; the payment says what was taken. It is created first and sent
to the reader second, each under a key of its own, so that a crash in between is finished by doing both again.
https://docs.stripe.com/terminal/payments/collect-card-payment?terminal-sdk-platform=server-driven
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import stripe
from attrs import frozen

from omniorder.adapters.stripe.calling import Refused, ask, read
from omniorder.adapters.stripe.reading import authorisation
from omniorder.adapters.stripe.references import READER, metadata
from omniorder.domain.payments import Action
from omniorder.errors import GatewayFault
from omniorder.ports.payments import Absent, Approved, Denied, NeedsAction, NoAnswer

__all__ = ["Readers"]


@frozen
class Readers:
    """The merchant's readers. `options` go with every request."""

    client: stripe.StripeClient
    options: stripe.RequestOptions

    def send(self, reader: str, intent: str, key: str) -> NeedsAction | Denied:
        """Have the reader ask for a card. `Denied` when it is busy, offline or unknown: no card was asked for."""
        params: stripe.params.terminal.ReaderProcessPaymentIntentParams = {
            "payment_intent": intent,
            # the price is settled: a tip would be another amount than the one that was asked for
            "process_config": {"enable_customer_cancellation": True, "skip_tipping": True},
        }
        readers = self.client.v1.terminal.readers
        options: stripe.RequestOptions = {**self.options, "idempotency_key": f"{key}_reader"}
        try:
            ask(lambda: readers.process_payment_intent(reader, params=params, options=options))
        except Refused as why:
            return Denied(why.reason)
        return NeedsAction(Action(""), intent)

    def became(self, intent: Mapping[str, Any]) -> Approved | NeedsAction | Denied | NoAnswer | Absent:
        """What became of a payment that was sent to a reader, by the payment and, while that is silent, the reader.

        `Absent` when the reader was never asked: it may be, again.
        """
        answer = authorisation(intent)
        if not isinstance(answer, NoAnswer) or intent.get("status") != "requires_payment_method":
            return answer
        match self._action(intent):
            case {"status": "in_progress"}:
                return NeedsAction(Action(""), str(intent["id"]))
            case {"status": "failed", **told}:
                return Denied(str(told.get("failure_code") or "reader_failed"))
            case {"status": "succeeded"}:
                return NoAnswer()
            case _:
                return Absent()

    def stop(self, intent: Mapping[str, Any]) -> None:
        """Take the payment, which is called off already, off the reader's screen, if it is still there.

        No money depends on it: the reader can't take any for a payment that is called off. So nothing is made of a
        reader that doesn't answer.
        """
        reader = metadata(intent).get(READER, "")
        try:
            match self._action(intent):
                case {"status": "in_progress"}:
                    readers = self.client.v1.terminal.readers
                    ask(lambda: readers.cancel_action(reader, options=self.options))
                case _:
                    return
        except (Refused, GatewayFault):
            return

    def _action(self, intent: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the reader does, or did last, as far as it is about this payment."""
        reader = metadata(intent).get(READER, "")
        if not reader:
            return {}
        readers = self.client.v1.terminal.readers
        match read(lambda: readers.retrieve(reader, options=self.options)):
            case {"action": {"process_payment_intent": {"payment_intent": number}, **told}} if number == intent["id"]:
                return cast("Mapping[str, Any]", told)
            case _:
                return {}
