"""The payment port: what a provider must be able to do, and what it may answer.

A gateway is called outside of any transaction, with an idempotency key that was committed before. It answers with
`Approved`, `NeedsAction` or `Denied`; when it can't know the outcome it raises `GatewayTimeout`. It never guesses.

Two references tie a provider's object to ours: `payment` (one per tender, the same for all of its operations) and
`key` (one per operation: the attempt's id). Both must be stored at the provider (Stripe: metadata), so that an
operation whose answer was lost can be found again by `look_up`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from attrs import field, frozen

from omniorder.domain.answers import Absent, Answer, Approved, Denied, NeedsAction, NoAnswer
from omniorder.domain.capturing import Capabilities
from omniorder.domain.money import Money
from omniorder.domain.payments import Action, Operation

__all__ = [
    "Absent",
    "Action",
    "Answer",
    "Approved",
    "Authorise",
    "Capabilities",
    "Capture",
    "Denied",
    "LookUp",
    "NeedsAction",
    "NoAnswer",
    "Notice",
    "Operation",
    "PaymentGateway",
    "Refund",
    "Void",
]


@frozen
class Authorise:
    """Set `amount` aside on the tender `token`; captured later. `order` is for the customer's statement."""

    payment: str
    key: str
    order: str
    token: str = field(repr=False)
    amount: Money


@frozen
class Capture:
    """Take `amount` of what was authorised. `final`: give the rest of the authorisation back."""

    payment: str
    key: str
    provider_id: str
    amount: Money
    final: bool


@frozen
class Void:
    """Give back what is authorised and not captured. `provider_id` is empty when no answer ever came."""

    payment: str
    key: str
    provider_id: str


@frozen
class Refund:
    """Send `amount` of what was captured back to where it came from."""

    payment: str
    key: str
    provider_id: str
    amount: Money


@frozen
class LookUp:
    """What became of the operation sent under `key`?"""

    payment: str
    key: str
    operation: Operation
    provider_id: str


@frozen
class Notice:
    """What a webhook is about: one of our payments, or empty. Its news is fetched, not believed."""

    payment: str
    kind: str


class PaymentGateway(Protocol):
    """One payment provider, for the tender kinds that the hub is told.

    Every method may raise `GatewayTimeout` (no answer) and `GatewayFault` (the provider failed, surely without
    effect). The same key must have at most one effect, and answer the same while it is remembered.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this provider can do; the capture planner asks for nothing else. The same as long as the hub lives."""
        ...

    def authorise(self, request: Authorise) -> Approved | NeedsAction | Denied:
        """Set the amount aside without taking it.

        `Approved` says how much is set aside, with `captured` where the provider takes money at once. `NeedsAction`
        when the customer must act first; the outcome is then learnt by `look_up`. `Denied` is final for this tender.
        """
        ...

    def capture(self, request: Capture) -> Approved | Denied:
        """Take the amount from what is set aside: all of it or nothing, and never more than is set aside.

        `Approved` says what this capture took, with `open` while the authorisation takes more of them. `Denied` leaves
        the authorisation as it was; with the reason `authorisation_expired` there is none any more.
        """
        ...

    def void(self, request: Void) -> Approved | Denied | Absent:
        """Give back what is set aside and not captured; voiding twice is `Approved`.

        `Denied` with `captured`, all that was taken so far, when nothing is left to give back; `Absent` when the
        provider knows of no such payment. Found by `payment` where `provider_id` is empty.
        """
        ...

    def refund(self, request: Refund) -> Approved | Denied:
        """Send the amount back: all of it or nothing, and all refunds together never more than was captured.

        `Approved` says what this refund sends back. After `Denied` the shop still holds the money.
        """
        ...

    def look_up(self, request: LookUp) -> Approved | NeedsAction | Denied | NoAnswer | Absent:
        """The outcome of one operation, found by its key, without any effect.

        `NoAnswer` while the provider is still working on it, `Absent` when it has never heard of it. What its method
        answered then is answered here, also when the provider has long forgotten the key itself.
        """
        ...

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Verify the signature over the raw `body`, then read what it is about. Names of headers come in any case.

        Raises `BadWebhook` for what is forged, malformed, too old or from the future.
        """
        ...
