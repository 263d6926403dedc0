"""One operation, at most once under its key: planned and put down in one step, sent, and its answer put down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from omniorder.adapters.adyen.book import Book
from omniorder.adapters.adyen.calling import Rejected
from omniorder.adapters.adyen.entries import Entry, Step
from omniorder.adapters.adyen.standing import Standing
from omniorder.domain.money import Money
from omniorder.errors import GatewayFault, GatewayTimeout
from omniorder.ports.payments import Absent, Approved, Denied

REMEMBERS: Final = timedelta(days=7)
"""How long Adyen knows an idempotency key at least. Source: its page "API idempotency"."""

Plan = Callable[[Standing], Entry | Approved | Denied | Absent]
"""What to send, as its first entry; or the answer, where nothing needs to be sent."""

Send = Callable[[Entry, Standing], Entry]
"""Makes the call, and returns the next entry."""


@frozen
class Pages:
    """The pages of a book."""

    book: Book

    def read(self, payment: str) -> Standing:
        """Where this payment stands."""
        return Standing(self.book.read(payment))

    def note(self, entry: Entry) -> Standing:
        """Put an entry down, unless it is there already."""
        while True:
            page = self.book.read(entry.payment)
            if any(told.same(entry) for told in page):
                return Standing(page)
            if self.book.append(entry, len(page)):
                return Standing((*page, entry))

    def once(self, asked: Entry, plan: Plan, send: Send) -> Standing | Absent:
        """Let `asked` happen, whose key was possibly asked for before: what then is known is not sent again.

        Of two plans that would use the same money one is put down, and the other is made anew.

        Raises `GatewayFault` for a key that was used for another request, `GatewayTimeout` for one whose answer never
        came and that Adyen may have forgotten by now, and what `plan` and `send` raise.
        """
        while True:
            standing = self.read(asked.payment)
            known = standing.of(asked.key)
            if known is not None:
                _check_same(standing, asked)
                if known.step is not Step.SENT:
                    return standing
                _check_remembered(known, asked.at)
                sent = known
                break
            planned = plan(standing)
            if isinstance(planned, Absent):
                return planned
            sent = planned if isinstance(planned, Entry) else _decided(asked, planned)
            if self.book.append(sent, len(standing.page)):
                standing = Standing((*standing.page, sent))
                if not isinstance(planned, Entry):
                    return standing
                break
        try:
            heard = send(sent, standing)
        except Rejected as no:
            heard = evolve(sent, step=Step.REFUSED, reason=no.reason)
        return self.note(heard)


def _check_same(standing: Standing, asked: Entry) -> None:
    before = standing.sent(asked.key)
    # a void is for what is open, which may be less by now
    amount = before is None or asked.amount.amount == 0 or before.amount == asked.amount
    if not amount or (before is not None and before.operation is not asked.operation):
        raise GatewayFault(gateway="adyen", reason="the key was used for another request")


def _check_remembered(sent: Entry, now: datetime) -> None:
    if now >= sent.at + REMEMBERS:
        raise GatewayTimeout(gateway="adyen", reason="too old to be sent again under its key")


def _decided(asked: Entry, planned: Approved | Denied) -> Entry:
    """What needs no call is put down as well, so that it can be looked up."""
    if isinstance(planned, Approved):
        return evolve(asked, step=Step.DONE, amount=planned.amount, psp=planned.provider_id)
    nothing = Money(0, (planned.captured or asked.amount).currency)
    return evolve(asked, step=Step.REFUSED, amount=nothing, reason=planned.reason)
