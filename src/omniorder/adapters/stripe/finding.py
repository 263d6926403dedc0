"""Finding a PaymentIntent again: by Stripe's number where it is known, and otherwise by our reference.

Stripe's search finds metadata, but lags behind what was written: usually by less than a minute. Its list does not lag.
So what search doesn't find is looked for among the payments that are younger than search may be late: together
the two miss nothing, and "never heard of it" can be said at once. Search says which, and each is then fetched: its own
copy may be old as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, cast

import stripe
from attrs import frozen

from omniorder.adapters.stripe.calling import NO_SUCH_PAYMENT, Refused, ask, read
from omniorder.adapters.stripe.reading import worth
from omniorder.adapters.stripe.references import KEY, PAYMENT, metadata, payment_of
from omniorder.domain.money import Money
from omniorder.errors import GatewayFault
from omniorder.ports.clock import Clock

__all__ = ["Finder", "paged"]

PAGE: Final = 100
"""As many as Stripe sends at a time."""

_WON: Final = frozenset({"won", "warning_closed", "prevented"})
"""Where a dispute ends that takes nothing."""

_SKEW: Final = timedelta(minutes=1)
"""By how much our clock may differ from Stripe's."""


@frozen
class Finder:
    """Looks for payments at Stripe. `lag` is how far its search may be behind; `options` go with every request."""

    client: stripe.StripeClient
    options: stripe.RequestOptions
    clock: Clock
    lag: timedelta

    def named(self, number: str) -> dict[str, Any] | None:
        """The payment of this number, with its latest charge."""
        service = self.client.v1.payment_intents
        try:
            return ask(lambda: service.retrieve(number, params={"expand": ["latest_charge"]}, options=self.options))
        except Refused as why:
            if why.reason != NO_SUCH_PAYMENT:
                raise GatewayFault(gateway="stripe", reason=why.reason) from why
            return None

    def one(self, payment: str, number: str) -> dict[str, Any] | None:
        """The payment that is ours under this reference; of several the one that is still open, or the latest."""
        if not number:
            return _latest(self._all(PAYMENT, payment))
        known = self.named(number)
        return known if known is not None and payment_of(known) == payment else None

    def made_by(self, payment: str, key: str, number: str) -> dict[str, Any] | None:
        """The payment that was created under this key."""
        known = self.one(payment, number) if number else None
        if known is not None and metadata(known).get(KEY) == key:
            return known
        return _latest(one for one in self._all(KEY, key) if payment_of(one) == payment)

    def _all(self, name: str, value: str) -> list[dict[str, Any]]:
        quoted = value.replace("\\", "\\\\").replace("'", "\\'")
        query = f"metadata['{name}']:'{quoted}'"
        service = self.client.v1.payment_intents
        hits = read(lambda: service.search(params={"query": query, "limit": PAGE}, options=self.options))
        numbers = [str(hit["id"]) for hit in paged(hits)]
        if not numbers:
            young = self.recent(self.clock.now() - self.lag - _SKEW)
            numbers = [str(one["id"]) for one in young if metadata(one).get(name) == value]
        return [one for number in numbers if (one := self.named(number)) is not None]

    def refunds(self, number: str) -> Iterator[dict[str, Any]]:
        """All refunds of this payment, the latest first."""
        service = self.client.v1.refunds

        def page(after: str) -> stripe.StripeObject:
            params: stripe.params.RefundListParams = {"payment_intent": number, "limit": PAGE}
            if after:
                params["starting_after"] = after
            return service.list(params=params, options=self.options)

        return _all_of(page)

    def disputed(self, number: str) -> Money | None:
        """What the customer's bank takes back of this payment, or threatens to: None where it never did."""
        service = self.client.v1.disputes
        page = paged(read(lambda: service.list(params={"payment_intent": number, "limit": PAGE}, options=self.options)))
        lost = [worth(one, "amount") for one in page if one.get("status") not in _WON]
        return sum(lost, start=Money.zero(str(page[0]["currency"]).upper())) if page else None

    def recent(self, since: datetime, until: datetime | None = None) -> Iterator[dict[str, Any]]:
        """All payments that were created in [since, until), the latest first, each with its charge and refunds.

        Stripe tells whole seconds.
        """
        created: stripe.params.PaymentIntentListParamsCreated = {"gte": math.ceil(since.timestamp())}
        if until is not None:
            created["lt"] = math.ceil(until.timestamp())
        expand = ["data.latest_charge", "data.latest_charge.refunds"]
        service = self.client.v1.payment_intents

        def page(after: str) -> stripe.StripeObject:
            params: stripe.params.PaymentIntentListParams = {"created": created, "limit": PAGE, "expand": expand}
            if after:
                params["starting_after"] = after
            return service.list(params=params, options=self.options)

        return _all_of(page)


def _all_of(page: Callable[[str], stripe.StripeObject]) -> Iterator[dict[str, Any]]:
    """What is on all pages, each of which begins after the last object of the one before."""
    after = ""
    while True:
        found = read(partial(page, after))
        for one in paged(found):
            yield one
            after = str(one["id"])
        if not found.get("has_more"):
            return


def paged(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The objects on one page of a list."""
    return cast("list[dict[str, Any]]", page["data"])


def _latest(found: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The latest of those that are still open, or else of all."""
    return max(found, key=lambda one: (one.get("status") != "canceled", one.get("created", 0)), default=None)
