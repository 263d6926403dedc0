"""The payment port: what a provider must be able to do, what some can do besides, and what they may answer.

A gateway is called outside of any transaction, with an idempotency key that was committed before. It answers with
`Approved`, `NeedsAction` or `Denied`; when it can't know the outcome it raises `GatewayTimeout`. It never guesses.

Two references tie a provider's object to ours: `payment` (one per tender, the same for all of its operations) and
`key` (one per operation: the attempt's id). Both must be stored at the provider (Stripe: metadata), so that an
operation whose answer was lost can be found again by `look_up`.

What not every provider can do is a Protocol of its own, above `PaymentGateway`: `InPersonGateway`,
`IncrementalGateway`, `ExtendingGateway`, `ListingGateway`. The capability of the same meaning says that it is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol

from attrs import field, frozen

from omniorder.domain.answers import Absent, Answer, Approved, Denied, NeedsAction, NoAnswer
from omniorder.domain.capabilities import Capabilities
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
    "Collect",
    "Denied",
    "Extend",
    "ExtendingGateway",
    "InPersonGateway",
    "Increase",
    "IncrementalGateway",
    "Listed",
    "ListingGateway",
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
    """Set `amount` aside on the tender `token`; captured later. `order` is for the customer's statement.

    `now`: take it at once instead, where the capabilities have `immediate`. `method` is the wallet that the customer
    chose ("apple_pay"), or empty. Without a token the customer is to choose and confirm on their own device
    (capability `links`): the answer is `NeedsAction`, with what their device or browser needs for that.
    """

    payment: str
    key: str
    order: str
    token: str = field(repr=False)
    amount: Money
    now: bool = False
    method: str = ""


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
class Increase:
    """Raise what is set aside to `amount`, all in all."""

    payment: str
    key: str
    provider_id: str
    amount: Money


@frozen
class Extend:
    """Keep what is set aside, `amount`, for longer."""

    payment: str
    key: str
    provider_id: str
    amount: Money


@frozen
class Collect:
    """Have the customer pay `amount` at the counter, by the card reader `reader` (the provider's id of it)."""

    payment: str
    key: str
    order: str
    reader: str
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
    """What a webhook is about: one of our payments, or empty. Its news is fetched, not believed.

    `id` is the provider's own for this piece of news, the same however often it is sent; empty where it has none.
    `disputed` is what the customer's bank takes back, or threatens to, all in all: nothing can be asked about that, and
    it moves nothing of ours.
    """

    payment: str
    kind: str
    id: str = ""
    disputed: Money | None = None


@frozen
class Listed:
    """A payment as the provider lists it. `payment` is our reference on it, or empty when it has none.

    `authorised`, `captured` and `refunded` are totals, `open` is what is still set aside.
    """

    provider_id: str
    payment: str
    created_at: datetime
    authorised: Money
    captured: Money
    refunded: Money
    open: Money


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

        `Approved` says how much is set aside, and `until` when if that has an end; with `captured` where money was
        taken at once. `NeedsAction` when the customer must act first; the outcome is then learnt by `look_up`. `Denied`
        is final for this tender.
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

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Notice | tuple[Notice, ...]:
        """Verify the signature over the raw `body`, then read what it is about. Names of headers come in any case.

        Several notices where the provider sends them together. One that wants more than "ok" to be answered says so in
        an attribute `webhook_reply`: the text.

        Raises `BadWebhook` for what is forged, malformed, too old, from the future or meant for another account.
        """
        ...


class IncrementalGateway(PaymentGateway, Protocol):
    """A provider that can raise what is set aside: capability `incremental`."""

    def increase(self, request: Increase) -> Approved | Denied:
        """Set more aside on the same authorisation. `Approved` says how much that is, all in all; `Denied` leaves it as
        it was."""
        ...


class ExtendingGateway(PaymentGateway, Protocol):
    """A provider that can keep money set aside for longer: capability `extension`."""

    def extend(self, request: Extend) -> Approved | Denied:
        """Begin the lifetime anew. `Approved` says `until` when; `Denied` leaves it as it was."""
        ...


class InPersonGateway(PaymentGateway, Protocol):
    """A provider with card readers at the counter: capability `in_person`."""

    def collect(self, request: Collect) -> Approved | NeedsAction | Denied:
        """Ask for a card at this reader, and take the money at once.

        `NeedsAction` while the reader waits for the card: the outcome is then learnt by `look_up`. `Approved` is
        always `captured`. `Denied` when the card was refused, or the reader can't be used; another request may follow.
        `void` stops the reader while nothing was taken, and finds the payment by `payment` as ever.
        """
        ...


class ListingGateway(PaymentGateway, Protocol):
    """A provider that can list what it has on file: capability `lists`."""

    def listed(self, since: datetime, until: datetime) -> Iterator[Listed]:
        """Every payment that was created within [since, until), page by page as it is iterated, each of them once."""
        ...
