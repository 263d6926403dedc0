"""The calls of the Checkout API: each is sent under our key, and read as the next entry of the payment's page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, cast

from Adyen import Adyen
from Adyen.client import AdyenResult
from attrs import evolve, frozen

from omniorder.adapters.adyen import bodies, reading
from omniorder.adapters.adyen.calling import call
from omniorder.adapters.adyen.entries import LINK, Entry, Step
from omniorder.adapters.adyen.standing import Standing
from omniorder.domain.payments import Operation
from omniorder.errors import GatewayFault
from omniorder.ports.payments import Authorise

Details = Callable[[str, str], Mapping[str, Any]]
"""What `/payments` is told of a tender, by its token and method."""


@frozen
class Checkout:
    """The Checkout API for one account. Every call raises `Rejected`, `GatewayTimeout` and `GatewayFault`."""

    client: Adyen
    account: bodies.Account
    details: Details
    lifetimes: Mapping[str, timedelta]
    link_lasts: timedelta

    def authorise(self, request: Authorise, sent: Entry) -> Entry:
        """`POST /payments`, or `/paymentLinks` for a customer who is to choose how to pay."""
        api = self.client.checkout
        if sent.place == LINK:
            body = bodies.link(self.account, request, sent.at + self.link_lasts)
            return reading.link(sent, call(lambda: api.payment_links_api.payment_links(body, request.key)))
        body = bodies.payment(self.account, request, self.details(request.token, request.method))
        return reading.payment(sent, call(lambda: api.payments_api.payments(body, request.key)), self.lifetimes)

    def complete(self, waiting: Entry, details: Mapping[str, str], payment_data: str) -> Entry:
        """`POST /payments/details`, under a key that is made of the details: they are good for one payment."""
        body: dict[str, Any] = {"details": dict(details)} | ({"paymentData": payment_data} if payment_data else {})
        key = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        reply = call(lambda: self.client.checkout.payments_api.payments_details(body, key))
        if (told := reading.text(reply, "merchantReference")) and told != waiting.payment:
            raise GatewayFault(gateway="adyen", reason="the details of another payment")
        return reading.payment(waiting, reply, self.lifetimes)

    def modify(self, sent: Entry, standing: Standing) -> Entry:
        """`POST /payments/{pspReference}/captures`, `refunds`, `cancels` or `amountUpdates`."""
        api = self.client.checkout.modifications_api
        post: Mapping[Operation, Callable[..., AdyenResult]] = {
            Operation.CAPTURE: api.capture_authorised_payment,
            Operation.REFUND: api.refund_captured_payment,
            Operation.VOID: api.cancel_authorised_payment_by_psp_reference,
            Operation.INCREASE: api.update_authorised_amount,
            Operation.EXTEND: api.update_authorised_amount,
        }
        operation = cast("Operation", sent.operation)
        body = bodies.modification(self.account, operation, sent.payment, sent.key, sent.amount)
        return reading.received(sent, call(lambda: post[operation](body, standing.psp, sent.key)))

    def call_off(self, sent: Entry, standing: Standing) -> Entry:
        """Cancel what is set aside; by our reference, which may find nothing, where Adyen's is unknown."""
        begun = standing.begun
        if begun is not None and (number := link_of(begun)):
            closed = {"status": "expired"}
            call(lambda: self.client.checkout.payment_links_api.update_payment_link(closed, number))
            return evolve(sent, step=Step.DONE)  # nothing was set aside; a payment that was quicker is told as news
        if begun is not None and begun.step is Step.DONE and standing.psp:
            return self.modify(sent, standing)
        body = bodies.cancel_by_reference(self.account, sent.payment, sent.key)
        api = self.client.checkout.modifications_api
        return reading.received(sent, call(lambda: api.cancel_authorised_payment(body, sent.key)))

    def look_at_link(self, waiting: Entry) -> Entry | None:
        """`GET /paymentLinks/{id}`: the end of a link that was not paid in time, or None."""
        number = link_of(waiting)
        reply = call(lambda: self.client.checkout.payment_links_api.get_payment_link(number))
        expired = reply.get("status") == "expired"
        return evolve(waiting, step=Step.REFUSED, reason="link_expired", action="") if expired else None


def link_of(entry: Entry) -> str:
    """The id of the payment link that the customer has, or empty."""
    if entry.step is not Step.WAITING or not entry.action:
        return ""
    told: Mapping[str, Any] = json.loads(entry.action)
    return str(told["id"]) if told.get("type") == LINK else ""
