"""Reconciling: what a provider has on file laid beside ours, in both directions, however many payments there are.

First the provider is listed, outside of any transaction, into a private file (`listings`). Then ours are read in
batches, each in a short transaction of its own, and compared with what was listed under their references; what is left
of the list is what we don't know. Neither side is ever held in memory. What moves meanwhile is not compared, and said
so: the next run will.

Nothing here moves money. With `look_again` the provider is asked again about payments for which that is the advice,
exactly as a sweep or a webhook would have us do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, cast

from attrs import frozen

from omniorder.domain import ids
from omniorder.domain.actors import System
from omniorder.domain.channels import Channel
from omniorder.domain.events import Stamp
from omniorder.domain.instants import instant
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.payments import Payment
from omniorder.domain.reconciling import (
    Difference,
    DifferenceKind,
    Listed,
    compared,
    in_motion,
    second,
    set_aside,
    stray,
    unanswered,
)
from omniorder.errors import InvalidId, InvalidInstant, TenderUnsupported
from omniorder.ports.payments import ListingGateway
from omniorder.services import payments
from omniorder.services.listings import BATCH, ProviderList
from omniorder.services.parts import Parts
from omniorder.services.surface import given
from omniorder.services.units import reading

SKEW: Final = timedelta(minutes=5)
"""How much earlier than ours a provider's clock may say that a payment was created."""


@frozen
class Sums:
    """Amounts of one currency, in minor units: taken, given back, and still set aside."""

    captured: int = 0
    refunded: int = 0
    open: int = 0

    def plus(self, captured: Money, refunded: Money, open: Money) -> Sums:
        """With one payment more."""
        return Sums(self.captured + captured.amount, self.refunded + refunded.amount, self.open + open.amount)


@frozen
class Totals:
    """What was compared. `payments`: ours that were looked at; `listed`: what the provider listed for them, and what it
    listed beside them.

    `agreed` and `in_motion` are payments without a difference and those that were not compared because they may have
    changed after the list was made; `looked` is how many the provider was asked about again. `differences` counts by
    kind. `ours` and `theirs` are the sums of what was compared, by currency.
    """

    payments: int
    listed: int
    agreed: int
    in_motion: int
    looked: int
    differences: Mapping[DifferenceKind, int]
    ours: Mapping[str, Sums]
    theirs: Mapping[str, Sums]


class Reconciliation:
    """A report that is made while it is read: iterate over its differences once, then see its `totals`."""

    def __init__(self, parts: Parts, kind: str, since: datetime, until: datetime, *, look_again: bool) -> None:
        self._parts: Final = parts
        self.kind: Final = kind
        self.since: Final = since
        self.until: Final = until
        self._look_again: Final = look_again
        self._counts: Final[Counter[str]] = Counter()
        self._differences: Final[Counter[DifferenceKind]] = Counter()
        self._ours: Final[dict[str, Sums]] = {}
        self._theirs: Final[dict[str, Sums]] = {}

    @property
    def totals(self) -> Totals:
        """What was compared so far; all of it once every difference was read."""
        count = self._counts
        return Totals(
            count["payments"], count["listed"], count["agreed"], count["in_motion"], count["looked"],
            dict(self._differences), dict(self._ours), dict(self._theirs),
        )  # fmt: skip

    def __iter__(self) -> Iterator[Difference]:
        """Raises `GatewayTimeout` and `GatewayFault` when the provider can't be listed, `StorageFault`."""
        gateway = cast(ListingGateway, self._parts.gateway(self.kind))
        begun = self._parts.clock.now()
        with ProviderList() as provider:
            provider.put(gateway.listed(self.since - SKEW, self.until + gateway.capabilities.remembers))
            yield from self._ours_beside_theirs(provider, begun)
            for batch in provider.left_over(self.since, self.until):
                yield from self._strays(batch, begun)

    def _ours_beside_theirs(self, provider: ProviderList, begun: datetime) -> Iterator[Difference]:
        after: tuple[datetime, str] | None = None
        while batch := self._page(after):
            listed = provider.meet([id for id, _ in batch])
            for payment_id, order in batch:
                yield from self._judged(order, payment_id, listed.get(payment_id, ()), begun)
            last, order = batch[-1]
            after = (order.payment(last).created_at, last)

    def _page(self, after: tuple[datetime, str] | None) -> tuple[tuple[str, Order], ...]:
        return reading(
            self._parts,
            lambda tx: tx.paid_by(self.kind, start=self.since, end=self.until, after=after, limit=BATCH),
        )

    def _judged(self, order: Order, payment_id: str, listed: Sequence[Listed], begun: datetime) -> Iterator[Difference]:
        payment = order.payment(payment_id)
        found = self._looked_at(order, payment, listed, begun)
        if self._look_again and any(one.advice.safe for one in found):
            stamp = Stamp(self._parts.clock.now(), Channel.SYSTEM, System("reconcile").name)
            order = payments.look_again(self._parts, order, payment_id, stamp)
            payment = order.payment(payment_id)
            self._counts["looked"] += 1
            found = self._looked_at(order, payment, listed, begun)
        self._counts["payments"] += 1
        self._counts["listed"] += len(listed)
        if in_motion(payment, begun):
            self._counts["in_motion"] += 1
        else:
            self._counts["agreed"] += not found
            _add(self._ours, payment.captured, payment.refunded, set_aside(payment))
            for one in listed:
                _add(self._theirs, one.captured, one.refunded, one.open)
        yield from self._told(found)

    def _looked_at(
        self, order: Order, payment: Payment, listed: Sequence[Listed], begun: datetime
    ) -> tuple[Difference, ...]:
        late = tuple(unanswered(order, payment, begun - self._parts.settings.unknown_longest))
        return late or (() if in_motion(payment, begun) else tuple(compared(order, payment, listed)))

    def _strays(self, batch: Sequence[Listed], begun: datetime) -> Iterator[Difference]:
        """What the provider lists beside the payments that were created within the same time."""
        orders = self._known({order_id for one in batch if (order_id := _order_of(one))})
        for one in batch:
            order = orders.get(_order_of(one))
            payment = next((p for p in order.payments if p.id == one.payment), None) if order else None
            if order is None or payment is None:
                self._counts["listed"] += 1
                _add(self._theirs, one.captured, one.refunded, one.open)
                yield from self._told((found,) if (found := stray(one)) else ())
            elif not payment.provider_id:
                yield from self._judged(order, payment.id, (one,), begun)
            else:  # created at another time than ours: compared with those of that time, unless it is another one
                yield from self._told((found,) if (found := second(order, payment, one)) else ())

    def _known(self, order_ids: set[str]) -> Mapping[str, Order]:
        return reading(self._parts, lambda tx: {id: order for id in order_ids if (order := tx.order(id))})

    def _told(self, found: Sequence[Difference]) -> Sequence[Difference]:
        self._differences.update(one.kind for one in found)
        return found


def reconcile(parts: Parts, kind: str, since: datetime, until: datetime | None, *, look_again: bool) -> Reconciliation:
    """See `OrderHub.reconcile`."""
    payments.own_transaction(parts, "reconcile")
    if not parts.gateway(given(kind, str, "kind", "the kind of a tender")).capabilities.lists:
        raise TenderUnsupported(tender=kind, reason="its provider can't list what it has on file")
    start = instant(since, "since")
    end = parts.clock.now() if until is None else instant(until, "until")
    if start >= end:
        raise InvalidInstant("since", since, "must be before until, and before now")
    return Reconciliation(parts, kind, start, end, look_again=given(look_again, bool, "look_again", "True or False"))


def _order_of(found: Listed) -> str:
    """The order whose payment it says to be; empty when it says no such thing."""
    try:
        return ids.order_of(found.payment)
    except InvalidId:
        return ""


def _add(sums: dict[str, Sums], captured: Money, refunded: Money, open: Money) -> None:
    currency = captured.currency
    sums[currency] = sums.get(currency, Sums()).plus(captured, refunded, open)
