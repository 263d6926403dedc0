"""The invariants of accounts notice each way in which balances, holds, postings and orders can part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import evolve

from omniorder import GiftCard, Money
from omniorder.adapters.memory.database import Database
from omniorder.adapters.memory.tables import Table
from omniorder.adapters.memory.transaction import MemoryTransaction
from omniorder.domain.accounts import HoldState
from omniorder.testing.invariants import Invariant, InvariantBroken, accounts
from omniorder.testing.shop import Shop
from tests.services.steps import handed_over, placed, ready

CENT = Money(1, "EUR")


@pytest.fixture
def shop() -> Iterator[Shop]:
    """One order that was collected and one that is still to be, both paid by one gift card."""
    with Shop.example() as example:
        card = example.office.gift_cards.issue(Money(2000, "EUR"))
        handed_over(example, ready(example, pay=GiftCard(card.code)))
        placed(example, pay=GiftCard(card.code))
        yield example


def each(change: Callable[[Any], Any]) -> Callable[[Table[Any, Any]], None]:
    """Change (or, for None, drop) every row."""

    def damage(table: Table[Any, Any]) -> None:
        for key, row in list(table.items()):
            table.place(key, change(row))

    return damage


def with_step(hold: Any) -> Any:
    return evolve(hold, steps=(*hold.steps, hold.steps[-1]))


def orphaned(posting: Any) -> Any:
    return evolve(posting, account="gft_" + "0" * 26)


def yen(posting: Any) -> Any:
    return evolve(posting, amount=Money(posting.amount.amount, "JPY"))


def one_open(hold: Any) -> Any:
    return hold if hold.state is HoldState.OPEN else None


DAMAGES: dict[str, tuple[Invariant, str, Callable[[Any], Any], str]] = {
    "a balance": (accounts.balances_are_what_was_posted, "accounts",
                  lambda one: evolve(one, balance=one.balance + CENT), "its postings give 1502"),
    "no account": (accounts.balances_are_what_was_posted, "accounts", lambda one: None, "and no account"),
    "no postings": (accounts.balances_are_what_was_posted, "postings", lambda one: None, "its postings give 0"),
    "held beyond it": (accounts.balances_are_what_was_posted, "accounts",
                       lambda one: evolve(one, held=one.balance + CENT), "are held"),
    "held below zero": (accounts.balances_are_what_was_posted, "accounts",
                        lambda one: evolve(one, held=-CENT), "are held"),
    "currency": (accounts.balances_are_what_was_posted, "postings", yen, "the account in EUR"),
    "one side": (accounts.postings_have_two_sides, "postings", orphaned, "from"),
    "no amount": (accounts.postings_have_two_sides, "postings",
                  lambda one: evolve(one, amount=Money(0, "EUR")), "0.00 EUR"),
    "below zero": (accounts.postings_have_two_sides, "postings",
                   lambda one: evolve(one, amount=-one.amount), "-4.98 EUR"),
    "held for nobody": (accounts.what_is_held_is_held_by_payments, "holds", lambda one: None, "payments hold 0"),
    "held on no account": (accounts.what_is_held_is_held_by_payments, "accounts", lambda one: None, "no account"),
    "taken twice": (accounts.what_payments_took_is_posted, "holds",
                    lambda one: evolve(one, captured=one.captured + one.captured), "posted are 498"),
    "given unposted": (accounts.what_payments_took_is_posted, "holds",
                       lambda one: evolve(one, refunded=one.captured), "posted are 498 and 0"),
    "posted for nobody": (accounts.what_payments_took_is_posted, "holds", one_open, "holds nothing there"),
    "a key twice": (accounts.what_payments_took_is_posted, "holds", with_step, "a key did two things"),
    "another order": (accounts.accounts_and_orders_agree, "holds",
                      lambda one: evolve(one, order="SOF01-000000"), "knows of no such payment"),
    "another account": (accounts.accounts_and_orders_agree, "holds",
                        lambda one: evolve(one, account="gft_" + "0" * 26), "knows of no such payment"),
    "no hold": (accounts.accounts_and_orders_agree, "holds", lambda one: None, "knows nothing of it"),
    "let go": (accounts.accounts_and_orders_agree, "holds",
               lambda one: evolve(one, state=HoldState.VOIDED), "for the order it is authorised"),
    "kept": (accounts.accounts_and_orders_agree, "holds",
             lambda one: evolve(one, state=HoldState.OPEN), "for the order it is captured"),
    "taken unasked": (accounts.accounts_and_orders_agree, "holds",
                      lambda one: evolve(one, captured=one.captured + CENT), "for the order"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_what_parted_is_told(name: str, shop: Shop) -> None:
    invariant, table, change, told = DAMAGES[name]
    invariant(shop.hub)
    with shop.hub.journal.parts.storage.reading() as tx:
        assert isinstance(tx, MemoryTransaction)
        database: Database = tx.database
        each(change)(getattr(database, table))
    with pytest.raises(InvariantBroken) as raised:
        invariant(shop.hub)
    assert told in "\n".join(raised.value.broken[0].rows)
