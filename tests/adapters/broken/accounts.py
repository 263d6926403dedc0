"""Mistakes with gift cards and store credit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve

from omniorder.adapters.memory import writing
from omniorder.adapters.memory.database import Database
from omniorder.domain.accounts import Account, AccountState
from omniorder.domain.money import Money
from omniorder.errors import StaleWrite
from omniorder.testing.contracts.storage.accounts import account, hold
from tests.adapters.broken import Patch, alter, breaks, carry, method, rewrite

# --- accounts ---------------------------------------------------------------------------------------------


@breaks("an_account_comes_back_as_it_was_opened")
def accounts_that_never_expire(patch: Patch) -> None:
    rewrite(patch, "accounts", lambda write: evolve(write, after=evolve(write.after, expires_at=None)))


@breaks("an_account_that_was_never_opened_is_none")
def accounts_from_nowhere(patch: Patch) -> None:
    alter(patch, "account", lambda found: found or account())


@breaks("an_account_is_opened_once", "an_account_in_another_state_is_not_closed")
def accounts_without_guards(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        for write in writes:
            db.accounts.put(write.after.id, write.after)

    carry(patch, "accounts", step)


@breaks("closing_an_account_leaves_its_numbers_alone")
def accounts_closed_with_the_numbers_that_were_read(patch: Patch) -> None:
    original = writing.STEPS["accounts"]

    def step(db: Database, writes: Any) -> None:
        original(db, writes)
        for write in writes:
            db.accounts.put(write.after.id, write.after)

    carry(patch, "accounts", step)


@breaks("an_account_is_open_in_the_transaction_that_opens_it")
def accounts_opened_last(patch: Patch) -> None:
    accounts, journal = writing.STEPS["accounts"], writing.STEPS["journal"]
    waiting: list[Any] = []

    def later(db: Database, writes: Any) -> None:
        waiting.extend(writes)

    def now(db: Database, writes: Any) -> None:
        accounts(db, [waiting.pop(0) for _ in list(waiting)])
        journal(db, writes)

    carry(patch, "accounts", later)
    carry(patch, "journal", now)


# --- balances ---------------------------------------------------------------------------------------------


def _changed(patch: Patch, allows: Callable[[Account, Any, int, int], bool]) -> None:
    """Change balances where this says so: by the account, the change, the new balance and what is held then."""

    def step(db: Database, writes: Any) -> None:
        for write in writes:
            now = db.accounts.get(write.account)
            if now is None:
                raise StaleWrite(kind="account", id=write.account)
            balance, held = now.balance.amount + write.balance, now.held.amount + write.held
            if not allows(now, write, balance, held):
                raise StaleWrite(kind="account", id=write.account)
            currency = now.balance.currency
            after = evolve(now, balance=Money(balance, currency), held=Money(held, currency))
            db.accounts.put(write.account, after)

    carry(patch, "balances", step)


def _is_open(now: Account, write: Any) -> bool:
    return not write.spends or now.state is AccountState.OPEN


@breaks(
    "no_more_is_held_than_the_balance",
    "of_those_who_spend_at_once_as_many_succeed_as_the_balance_allows",
    "a_refused_balance_undoes_the_postings_and_holds_with_it",
)
def balances_that_hold_more_than_there_is(patch: Patch) -> None:
    _changed(patch, lambda now, write, balance, held: held >= 0 and _is_open(now, write))


@breaks("what_is_held_and_the_balance_never_fall_below_zero")
def balances_that_hold_less_than_nothing(patch: Patch) -> None:
    _changed(patch, lambda now, write, balance, held: held <= balance and _is_open(now, write))


@breaks("nothing_is_spent_from_a_closed_account")
def balances_of_closed_accounts_are_spent(patch: Patch) -> None:
    _changed(patch, lambda now, write, balance, held: 0 <= held <= balance)


@breaks("the_balance_of_an_account_that_is_not_there_is_not_changed")
def balances_of_no_account(patch: Patch) -> None:
    original = writing.STEPS["balances"]

    def step(db: Database, writes: Any) -> None:
        original(db, [write for write in writes if db.accounts.get(write.account)])

    carry(patch, "balances", step)


@breaks("what_is_added_to_a_balance_is_summed")
def the_last_change_of_a_balance_counts(patch: Patch) -> None:
    original = writing.STEPS["balances"]

    def step(db: Database, writes: Any) -> None:
        original(db, list({write.account: write for write in writes}.values()))

    carry(patch, "balances", step)


@breaks("of_what_is_added_at_once_nothing_is_lost", "what_is_added_to_a_balance_is_summed")
def balances_written_as_they_once_were(patch: Patch) -> None:
    first: dict[str, Account] = {}

    def step(db: Database, writes: Any) -> None:
        for write in writes:
            now = db.accounts.get(write.account)
            assert now is not None
            seen = first.setdefault(write.account, now)
            currency = seen.balance.currency
            balance, held = seen.balance + Money(write.balance, currency), seen.held + Money(write.held, currency)
            db.accounts.put(write.account, evolve(seen, balance=balance, held=held))

    carry(patch, "balances", step)


# --- holds ------------------------------------------------------------------------------------------------


@breaks("a_hold_in_any_state_comes_back_as_it_was_written", "every_step_of_a_hold_comes_back")
def holds_that_forget_why_they_were_denied(patch: Patch) -> None:
    def forget(write: Any) -> Any:
        steps = tuple(evolve(step, reason="") for step in write.after.steps)
        return evolve(write, after=evolve(write.after, steps=steps))

    rewrite(patch, "holds", forget)


@breaks(
    "a_hold_is_placed_once",
    "a_step_from_another_version_of_a_hold_is_refused",
    "of_those_who_step_at_once_one_does",
)
def holds_without_guards(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        for write in writes:
            db.holds.put((write.after.account, write.after.payment), write.after)

    carry(patch, "holds", step)


@breaks("a_hold_that_was_never_placed_is_none")
def holds_from_nowhere(patch: Patch) -> None:
    alter(patch, "hold", lambda found: found or hold())


@breaks("a_hold_is_found_by_its_payment_alone")
def one_hold_for_a_payment(patch: Patch) -> None:
    alter(patch, "holds_of", lambda found: found[:1])


@breaks("holds_are_listed_by_when_they_were_placed")
def holds_listed_by_when_alone(patch: Patch) -> None:
    def by_time(original: Any, tx: Any, start: Any, end: Any, *, after: Any, limit: int) -> Any:
        found = original(tx, start, end, after=None, limit=10**6)
        return tuple(one for one in found if after is None or one.placed_at > after[0])[:limit]

    method(patch, "holds", by_time)


# --- postings ---------------------------------------------------------------------------------------------


@breaks("postings_come_back_as_they_were_written_oldest_first")
def postings_newest_first(patch: Patch) -> None:
    alter(patch, "postings", lambda found: found[::-1])


@breaks("a_posting_is_written_once")
def postings_written_over(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        for one in writes:
            db.postings.put((one.account, one.id), one)

    carry(patch, "postings", step)
