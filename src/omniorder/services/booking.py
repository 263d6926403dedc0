"""Booking: a posting is written together with what it does to the balance, or not at all."""

from __future__ import annotations

import re
from typing import Final, cast

from attrs import evolve, frozen

from omniorder.domain import ids
from omniorder.domain.accounts import REDEEMED, Account, Posting
from omniorder.domain.money import Money
from omniorder.domain.text import line as valid_line
from omniorder.domain.text import looks_like_card_number
from omniorder.domain.text import reason as valid_reason
from omniorder.errors import BalanceTooLow, CardNumberRefused, CurrencyMismatch, InvalidMoney, InvalidText, NotFound
from omniorder.ports.storage import Transaction
from omniorder.ports.writes import AccountWrite, BalanceChange, Writes
from omniorder.services.paging import Page, cursor, limited, page, position
from omniorder.services.parts import Parts, Touch
from omniorder.services.units import Unit, in_transaction, reading

_OTHER: Final = re.compile(r"[a-z][a-z0-9_.-]{0,39}")


@frozen
class Entry:
    """What the back office wants to be posted, checked: which account, how much, and against what in its own books."""

    account: str
    amount: Money
    credit: bool
    against: str
    reason: str
    reference: str

    def posting(self, id: str, unit: Unit) -> Posting:
        """The posting of it."""
        debit, credit = (self.against, self.account) if self.credit else (self.account, self.against)
        return Posting(id, self.account, debit, credit, self.amount, unit.stamp, self.reason, self.reference)


def entry(account: str, amount: Money, *, credit: bool, against: str, reason: str, reference: str) -> Entry:
    """The entry, if it can be one. Raises `InvalidMoney`, `InvalidText`, `CardNumberRefused`."""
    found_by = valid_line(reference, "reference", most=100, least=0)
    if looks_like_card_number(found_by):
        raise CardNumberRefused("reference", "(hidden)", "must not contain a card number")
    return Entry(account, _some(amount), credit, _other(against), valid_reason(reason), found_by)


def _some(amount: Money) -> Money:
    given = cast("object", amount)
    if not isinstance(given, Money) or given.amount <= 0:
        raise InvalidMoney("amount", given, "must be Money, and more than nothing")
    return given


def _other(against: str) -> str:
    given = cast("object", against)
    if not isinstance(given, str) or not _OTHER.fullmatch(given) or given == REDEEMED:
        raise InvalidText("against", given, "must match [a-z][a-z0-9_.-]{0,39}, and not be what orders are paid with")
    return given


def post(
    parts: Parts, touch: Touch, name: str, asked: Entry, *, key: str | None, blank: Account | None = None
) -> Account:
    """Post it and return the account; with `blank` the account is opened where there is none.

    Raises `NotFound`, `CurrencyMismatch`, `BalanceTooLow`, `InvalidKey`, `KeyReused`, and `InvalidMoney` for a balance
    beyond 63 bits.
    """
    drawn = ids.posting_id(parts.time_ordered())

    def work(unit: Unit) -> Account:
        home, request = asked.account, [asked]
        earlier = unit.earlier(key, name, home=home, subject=home, request=request, result=home)
        found = unit.tx.account(asked.account)
        if found is None and blank is not None and earlier is None:
            unit.tx.write(Writes(accounts=(AccountWrite(None, blank),)))
            found = blank
        if found is None:
            raise NotFound("account", asked.account)
        if earlier is not None:
            return found
        if found.balance.currency != asked.amount.currency:
            raise CurrencyMismatch("amount", asked.amount.currency, f"must be {found.balance.currency}")
        if not asked.credit and asked.amount > found.available:
            raise BalanceTooLow(account=found.id, amount=str(asked.amount), left=str(found.available))
        posting = asked.posting(drawn, unit)
        after = booked(found, posting)
        book(unit, posting)
        return after

    return in_transaction(parts, touch.stamp(parts.clock), work)


def book(unit: Unit, posting: Posting, *, held: int = 0, spends: bool = False) -> None:
    """Write a posting and what it does to its account's balance, and (`held`) to what is held there.

    `spends`: only while the account is open.
    """
    unit.moved = posting
    change = BalanceChange(posting.account, posting.change, held, spends)
    unit.tx.write(Writes(balances=(change,), postings=(posting,)))


def booked(account: Account, posting: Posting) -> Account:
    """The account with this posting; raises `InvalidMoney` for a balance beyond 63 bits."""
    return evolve(account, balance=account.balance + Money(posting.change, account.balance.currency))


def posted(parts: Parts, account: str, after: str | None, limit: int) -> Page[Posting]:
    """A page of an account's postings, oldest first. Raises `InvalidQuantity`, `InvalidId`."""
    most = limited(limit, parts.settings.page_limit)
    start = position(after, str)

    def look(tx: Transaction) -> tuple[Posting, ...]:
        return tx.postings(account, after=start[0] if start else None, limit=most + 1)

    found = reading(parts, look)
    last = found[most - 1].id if len(found) >= most else ""
    return page(found, most, cursor(last))
