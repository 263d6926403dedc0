"""Accounts: balances are changed by guarded sums, holds step by step, and postings are kept as they were written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from attrs import evolve

from omniorder.domain import accounts, ids
from omniorder.domain.accounts import REDEEMED, Account, AccountKind, AccountState, Hold, Posting
from omniorder.domain.money import Money
from omniorder.domain.payments import Operation
from omniorder.errors import AlreadyThere, StaleWrite
from omniorder.ports.storage import Storage, Transaction
from omniorder.ports.writes import AccountWrite, BalanceChange, HoldWrite, Writes
from omniorder.testing.contracts.storage.bench import StorageBench, paged, put, read, refuses, repeated, together
from omniorder.testing.samples import ANNA, HOUR, NOW, stamp

TWENTY = Money(2000, "EUR")
CARD = ids.gift_card_id((1).to_bytes(16))


def account(number: int = 1, *, balance: Money = TWENTY, held: int = 0) -> Account:
    """A gift card with so much on it."""
    return Account(
        ids.gift_card_id(number.to_bytes(16)), AccountKind.GIFT_CARD, AccountState.OPEN, balance,
        Money(held, balance.currency), NOW, expires_at=NOW + 1000 * HOUR, ending="9QXB", seed="pst_0", key_id="1",
    )  # fmt: skip


def credit(number: int = 1) -> Account:
    """Store credit, of which nothing is left."""
    none, id = Money(0, "JPY"), ids.store_credit_id(number.to_bytes(16))
    return Account(id, AccountKind.STORE_CREDIT, AccountState.OPEN, none, none, NOW, owner=ANNA)


def payment(number: int) -> str:
    """The id of a payment."""
    return ids.payment_id("SOF01-7K3F9Q", number)


def hold(number: int = 1, *, at: datetime = NOW, card: int = 1, amount: int = 1000) -> Hold:
    """What a payment has just set aside on a card."""
    money = Money(amount, "EUR")
    return accounts.place(account(card), payment(number), "SOF01-7K3F9Q", "a", money, now=False, at=at).hold


def after(before: Hold, operation: Operation, amount: int = 0, *, final: bool = False) -> Hold:
    """The hold after one more step."""
    key, money = f"k{before.version}", Money(amount, before.amount.currency)
    return accounts.step(before, account(), operation, key, money, final=final, at=NOW + HOUR).hold


def every_hold(number: int = 1) -> Mapping[str, Hold]:
    """A hold in each state, by what happened to it last."""
    placed = hold(number)
    part = after(placed, Operation.CAPTURE, 400)
    return {
        "placed": placed,
        "denied": hold(number, amount=2001),
        "in another currency": evolve(
            placed, steps=(*placed.steps, evolve(placed.steps[0], key="b", amount=Money(5, "JPY"), reason="no"))
        ),
        "part captured": part,
        "captured": after(part, Operation.CAPTURE, 500, final=True),
        "voided": after(part, Operation.VOID),
        "refunded": after(after(part, Operation.VOID), Operation.REFUND, 300),
        "increased": after(placed, Operation.INCREASE, 1200),
    }


def posting(number: int = 1, *, card: str = CARD, amount: int = 2000, debit: bool = False) -> Posting:
    """A posting to a card."""
    one, other = (card, REDEEMED) if debit else ("cash", card)
    id = ids.posting_id(number.to_bytes(16))
    return Posting(id, card, one, other, Money(amount, "EUR"), stamp(), "продадена", "R-7 \u20ac")


def take(tx: Transaction, amount: int, *, card: str = CARD) -> None:
    """Hold so much of a card, without looking at it."""
    tx.write(Writes(balances=(BalanceChange(card, held=amount, spends=True),)))


def _account(tx: Transaction, id: str) -> Account | None:
    return tx.account(id)


def _hold(tx: Transaction, payment: str) -> Hold | None:
    return tx.hold(CARD, payment)


def _numbers(storage: Storage, card: str = CARD) -> tuple[int, int]:
    """Balance and held."""
    found = read(storage, lambda tx: tx.account(card))
    assert found is not None
    return found.balance.amount, found.held.amount


class AccountContract(StorageBench):
    """What a storage promises about gift cards and store credit."""

    def test_an_account_comes_back_as_it_was_opened(self, storage: Storage) -> None:
        for one in (account(1), account(2, balance=Money(2**62, "BHD"), held=2**62), credit()):
            put(storage, accounts=(AccountWrite(None, one),))
            assert read(storage, partial(_account, id=one.id)) == one

    def test_an_account_that_was_never_opened_is_none(self, storage: Storage) -> None:
        assert read(storage, lambda tx: tx.account(CARD)) is None

    def test_an_account_is_opened_once(self, storage: Storage) -> None:
        put(storage, accounts=(AccountWrite(None, account()),))
        facts = refuses(storage, AlreadyThere, accounts=(AccountWrite(None, account(balance=Money(9, "EUR"))),))
        assert facts == {"kind": "account", "id": CARD}
        assert _numbers(storage) == (2000, 0)

    def test_closing_an_account_leaves_its_numbers_alone(self, storage: Storage) -> None:
        put(storage, accounts=(AccountWrite(None, account()),))
        put(storage, balances=(BalanceChange(CARD, balance=5, held=7),))
        closed = evolve(account(), state=AccountState.CLOSED)
        put(storage, accounts=(AccountWrite(account(), closed),))
        found = read(storage, lambda tx: tx.account(CARD))
        assert found == evolve(closed, balance=Money(2005, "EUR"), held=Money(7, "EUR"))

    def test_an_account_in_another_state_is_not_closed(self, storage: Storage) -> None:
        closed = evolve(account(), state=AccountState.CLOSED)
        write = AccountWrite(account(), closed)
        assert refuses(storage, StaleWrite, accounts=(write,)) == {"kind": "account", "id": CARD}
        put(storage, accounts=(AccountWrite(None, closed),))
        refuses(storage, StaleWrite, accounts=(write,))

    # --- balances ---

    def test_what_is_added_to_a_balance_is_summed(self, storage: Storage) -> None:
        put(storage, accounts=(AccountWrite(None, account()), AccountWrite(None, account(2))))
        changes = (BalanceChange(CARD, held=800), BalanceChange(account(2).id, balance=1), BalanceChange(CARD, -300))
        put(storage, balances=(*changes, BalanceChange(CARD, held=-300)))
        assert _numbers(storage) == (1700, 500)
        assert _numbers(storage, account(2).id) == (2001, 0)

    def test_no_more_is_held_than_the_balance(self, storage: Storage) -> None:
        put(storage, accounts=(AccountWrite(None, account()),))
        assert refuses(storage, StaleWrite, balances=(BalanceChange(CARD, held=2001),)) == {
            "kind": "account",
            "id": CARD,
        }
        put(storage, balances=(BalanceChange(CARD, held=2000),))
        refuses(storage, StaleWrite, balances=(BalanceChange(CARD, balance=-1),))
        assert _numbers(storage) == (2000, 2000)

    def test_what_is_held_and_the_balance_never_fall_below_zero(self, storage: Storage) -> None:
        put(storage, accounts=(AccountWrite(None, account()),))
        refuses(storage, StaleWrite, balances=(BalanceChange(CARD, held=-1),))
        refuses(storage, StaleWrite, balances=(BalanceChange(CARD, balance=-2001),))
        assert _numbers(storage) == (2000, 0)

    def test_the_balance_of_an_account_that_is_not_there_is_not_changed(self, storage: Storage) -> None:
        refuses(storage, StaleWrite, balances=(BalanceChange(CARD, balance=1),))

    def test_nothing_is_spent_from_a_closed_account(self, storage: Storage) -> None:
        put(storage, accounts=(AccountWrite(None, evolve(account(held=5), state=AccountState.CLOSED)),))
        refuses(storage, StaleWrite, balances=(BalanceChange(CARD, held=1, spends=True),))
        put(storage, balances=(BalanceChange(CARD, balance=-5, held=-5),))
        assert _numbers(storage) == (1995, 0)

    def test_an_account_is_open_in_the_transaction_that_opens_it(self, storage: Storage) -> None:
        put(storage, accounts=(AccountWrite(None, account()),), balances=(BalanceChange(CARD, 1, 1, spends=True),))
        assert _numbers(storage) == (2001, 1)

    def test_of_those_who_spend_at_once_as_many_succeed_as_the_balance_allows(self, shared: Storage) -> None:
        put(shared, accounts=(AccountWrite(None, account()),))

        def spend() -> bool:
            with shared.transaction() as tx:
                take(tx, 600)
            return True

        outcomes = together(*[spend] * 6)
        assert outcomes.count(True) == 3
        assert _numbers(shared) == (2000, 1800)

    def test_of_what_is_added_at_once_nothing_is_lost(self, shared: Storage) -> None:
        put(shared, accounts=(AccountWrite(None, account()),))
        work = partial(repeated, shared, lambda tx: tx.write(Writes(balances=(BalanceChange(CARD, balance=1),))))
        together(*[work] * 6)
        assert _numbers(shared) == (2006, 0)

    # --- holds ---

    def test_a_hold_in_any_state_comes_back_as_it_was_written(self, storage: Storage) -> None:
        for number, name in enumerate(every_hold(), 1):
            one = every_hold(number)[name]
            put(storage, holds=(HoldWrite(None, one),))
            assert read(storage, partial(_hold, payment=one.payment)) == one, name

    def test_every_step_of_a_hold_comes_back(self, storage: Storage) -> None:
        put(storage, holds=(HoldWrite(None, hold()),))
        for name, one in every_hold().items():
            before = read(storage, lambda tx: tx.hold(CARD, payment(1)))
            assert before is not None
            put(storage, holds=(HoldWrite(before, one),))
            assert read(storage, lambda tx: tx.hold(CARD, payment(1))) == one, name

    def test_a_hold_that_was_never_placed_is_none(self, storage: Storage) -> None:
        put(storage, holds=(HoldWrite(None, hold(1)), HoldWrite(None, hold(2, card=2))))
        assert read(storage, lambda tx: tx.hold(CARD, payment(2))) is None
        assert read(storage, lambda tx: tx.holds_of(payment(3))) == ()

    def test_a_hold_is_placed_once(self, storage: Storage) -> None:
        put(storage, holds=(HoldWrite(None, hold()),))
        facts = refuses(storage, AlreadyThere, holds=(HoldWrite(None, hold(amount=1)),))
        assert facts == {"kind": "hold", "id": hold().id}

    def test_a_step_from_another_version_of_a_hold_is_refused(self, storage: Storage) -> None:
        put(storage, holds=(HoldWrite(None, hold()),))
        put(storage, holds=(HoldWrite(hold(), after(hold(), Operation.CAPTURE, 400)),))
        voided = after(hold(), Operation.VOID)
        assert refuses(storage, StaleWrite, holds=(HoldWrite(hold(), voided),)) == {"kind": "hold", "id": hold().id}
        refuses(storage, StaleWrite, holds=(HoldWrite(hold(2), after(hold(2), Operation.VOID)),))

    def test_a_hold_is_found_by_its_payment_alone(self, storage: Storage) -> None:
        put(storage, holds=tuple(HoldWrite(None, hold(1, card=card)) for card in (2, 1)))
        put(storage, holds=(HoldWrite(None, hold(2)),))
        assert read(storage, lambda tx: tx.holds_of(payment(1))) == (hold(1, card=1), hold(1, card=2))

    def test_of_those_who_step_at_once_one_does(self, shared: Storage) -> None:
        put(shared, holds=(HoldWrite(None, hold()),))
        taken = after(hold(), Operation.CAPTURE, 400)

        def step() -> bool:
            put(shared, holds=(HoldWrite(hold(), taken),))
            return True

        assert together(*[step] * 4).count(True) == 1

    def test_holds_are_listed_by_when_they_were_placed(self, storage: Storage) -> None:
        placed = [hold(4), hold(1, at=NOW + HOUR, card=2), hold(2, at=NOW + HOUR), hold(3, at=NOW + HOUR)]
        early, late = hold(5, at=NOW - HOUR), hold(6, at=NOW + 2 * HOUR)
        put(storage, holds=tuple(HoldWrite(None, one) for one in (late, *placed, early)))
        ordered = [placed[0], *sorted(placed[1:], key=lambda one: (one.account, one.payment))]

        def page(last: Hold | None) -> tuple[Hold, ...]:
            key = None if last is None else (last.placed_at, last.account, last.payment)
            return read(storage, lambda tx: tx.holds(NOW, NOW + 2 * HOUR, after=key, limit=2))

        assert len(page(None)) == 2
        assert paged(page) == ordered

    # --- postings ---

    def test_postings_come_back_as_they_were_written_oldest_first(self, storage: Storage) -> None:
        several = [posting(number, debit=number > 1) for number in (1, 2, 3)]
        put(storage, postings=(*reversed(several), posting(9, card=account(2).id)))

        def page(last: Posting | None) -> tuple[Posting, ...]:
            return read(storage, lambda tx: tx.postings(CARD, after=last.id if last else None, limit=2))

        assert len(page(None)) == 2
        assert paged(page) == several

    def test_a_posting_is_written_once(self, storage: Storage) -> None:
        put(storage, postings=(posting(),))
        assert refuses(storage, AlreadyThere, postings=(posting(amount=1),)) == {"kind": "posting", "id": posting().id}

    def test_a_refused_balance_undoes_the_postings_and_holds_with_it(self, storage: Storage) -> None:
        put(storage, accounts=(AccountWrite(None, account()),))
        change = BalanceChange(CARD, balance=-2001)
        refuses(storage, StaleWrite, balances=(change,), postings=(posting(),), holds=(HoldWrite(None, hold()),))
        assert read(storage, lambda tx: tx.postings(CARD, after=None, limit=9)) == ()
        assert read(storage, lambda tx: tx.holds_of(payment(1))) == ()
