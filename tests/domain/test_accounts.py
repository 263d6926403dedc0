"""Codes lead to accounts and never back; and whatever steps a hold takes, it gives no more than it has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain import accounts, ids
from omniorder.domain.accounts import Account, AccountKind, AccountState, Done, HoldState, Posting
from omniorder.domain.answers import Approved, Denied
from omniorder.domain.channels import Channel
from omniorder.domain.events import Stamp
from omniorder.domain.money import Money
from omniorder.domain.payments import Operation
from omniorder.domain.text import looks_like_card_number
from omniorder.errors import GiftCardInvalid

NOW = datetime(2026, 11, 22, 8, 41, tzinfo=UTC)
SECRET, OTHER = b"a-secret-of-16-bytes-or-more", b"another-secret-of-the-shop"
NONE = Money(0, "EUR")


def card(balance: int = 2000, held: int = 0, **given: Any) -> Account:
    money = Money(balance, "EUR")
    return Account("gft_1", AccountKind.GIFT_CARD, AccountState.OPEN, money, Money(held, "EUR"), NOW, **given)


# --- codes ------------------------------------------------------------------------------------------------


@given(st.text())
def test_a_code_is_sixteen_characters_in_fours_and_no_card_number(seed: str) -> None:
    code = accounts.code_of(seed, SECRET)
    assert [len(group) for group in code.split("-")] == [4, 4, 4, 4]
    assert not set(code) - set("0123456789ABCDEFGHJKMNPQRSTVWXYZ-")
    assert not looks_like_card_number(code)


def test_a_code_that_looks_like_a_card_number_is_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["4242424242424242", "7K3F9QXB0000325A"])
    monkeypatch.setattr(ids, "spelt", lambda entropy, length: next(drawn))
    assert accounts.code_of("seed", SECRET) == "7K3F-9QXB-0000-325A"


def test_seeds_and_secrets_make_codes_of_their_own() -> None:
    codes = {accounts.code_of(seed, secret) for seed in ("1", "2") for secret in (SECRET, OTHER)}
    assert len(codes) == 4
    read = accounts.read_code(accounts.code_of("1", SECRET))
    assert accounts.card_account(read, SECRET) == accounts.card_account(read, SECRET)
    assert accounts.card_account(read, SECRET) != accounts.card_account(read, OTHER)


@pytest.mark.parametrize(
    "shown", ["7k3f9qxb0000325a", " 7K3F 9QXB 0000 325A ", "7K3F.9QXB-OOoO.325a", "7K3F-9QXB-0000-325A"]
)
def test_a_code_is_read_however_it_is_written(shown: str) -> None:
    assert accounts.read_code(shown) == "7K3F9QXB0000325A"
    assert accounts.read_code("ILil-9QXB-0000-325A") == "11119QXB0000325A"


@pytest.mark.parametrize("shown", [
    "", "7K3F", "7K3F-9QXB-0000-325AA", "7K3F-9QXB-0000-325U", "7K3F-9QXB-0000-325\u0410",
    "7K3F-9QXB-0000-\u0663\u0662\u0665\u0666", "7K3F-9QXB-0000-325\uff21", "7K3F-9QXB-0000-3\u1e9e\u1e9e",
    "7" * 41, "gft_" + "0" * 26, "\x007K3F9QXB0000325A", None, 5, b"7K3F9QXB0000325A", True,
])  # fmt: skip
def test_what_can_be_no_code_is_refused_unseen(shown: Any) -> None:
    with pytest.raises(GiftCardInvalid) as raised:
        accounts.read_code(shown)
    assert dict(raised.value.facts) == {}


def test_store_credit_is_one_account_per_customer_and_currency() -> None:
    made = {
        accounts.credit_account(owner, currency)
        for owner in ("customer:a", "customer:b")
        for currency in ("EUR", "SEK")
    }
    assert len(made) == 4
    assert accounts.credit_account("customer:a", "EUR") in made


def test_nothing_is_spent_from_the_instant_at_which_it_expires() -> None:
    one = card(expires_at=NOW)
    assert one.gone(NOW - timedelta(microseconds=1)) == ""
    assert one.gone(NOW) == "expired"
    assert evolve(one, state=AccountState.CLOSED).gone(NOW) == "closed"


def test_a_posting_adds_to_the_side_that_it_credits() -> None:
    stamp = Stamp(NOW, Channel.SYSTEM, "system:office")
    posting = Posting("pst_1", "gft_1", "cash", "gft_1", Money(5, "EUR"), stamp)
    assert posting.change == 5
    assert evolve(posting, debit="gft_1", credit="cash").change == -5


# --- holds ------------------------------------------------------------------------------------------------

_STEPS = st.lists(
    st.tuples(
        st.sampled_from([Operation.CAPTURE, Operation.VOID, Operation.REFUND, Operation.INCREASE]),
        st.integers(-5, 1200),
        st.booleans(),
    ),
    max_size=12,
)


def book(account: Account, done: Done) -> Account:
    """The account after a step."""
    balance, held = account.balance + Money(done.balance, "EUR"), account.held + Money(done.held, "EUR")
    return evolve(account, balance=balance, held=held)


@given(st.integers(0, 2000), st.integers(0, 1500), st.integers(-5, 1500), st.booleans(), _STEPS)
def test_whatever_is_asked_no_more_is_held_taken_or_given_back_than_there_is(
    balance: int, others: int, amount: int, now: bool, steps: list[tuple[Operation, int, bool]]
) -> None:
    account = card(balance, min(others, balance))
    done = accounts.place(account, "pay_1", "A-1", "k", Money(amount, "EUR"), now=now, at=NOW)
    account = book(account, done)
    for number, (operation, asked, final) in enumerate(steps):
        before = done.hold
        money = NONE if operation is Operation.VOID else Money(asked, "EUR")
        done = accounts.step(before, account, operation, f"k{number}", money, final=final, at=NOW)
        account, hold = book(account, done), done.hold
        assert NONE <= account.held <= account.balance
        assert NONE <= hold.refunded <= hold.captured <= hold.amount
        assert hold.open >= NONE
        assert hold.version == before.version + 1
        if isinstance(done.answer, Denied):
            assert (done.balance, done.held, hold.state) == (0, 0, before.state)
    hold = done.hold
    assert account.balance.amount == balance - hold.captured.amount + hold.refunded.amount
    assert account.held.amount == min(others, balance) + hold.open.amount


@given(st.integers(1, 2000), st.booleans())
def test_what_was_answered_can_be_answered_again(amount: int, now: bool) -> None:
    placed = accounts.place(card(), "pay_1", "A-1", "k", Money(amount, "EUR"), now=now, at=NOW)
    voided = accounts.step(placed.hold, card(), Operation.VOID, "v", NONE, final=False, at=NOW).hold
    first, void = voided.step("k"), voided.step("v")
    assert first is not None
    assert void is not None
    assert voided.answer(first) == placed.answer == Approved(Money(amount, "EUR"), "gft_1:pay_1", captured=now)
    if now:
        assert voided.answer(void) == Denied("already_captured", Money(amount, "EUR"))
    else:
        assert voided.answer(void) == Approved(Money(amount, "EUR"), "gft_1:pay_1")
    assert voided.step("other") is None


@pytest.mark.parametrize("operation", [Operation.AUTHORISE, Operation.COLLECT, Operation.EXTEND])
def test_what_an_account_can_t_do_is_denied(operation: Operation) -> None:
    hold = accounts.place(card(), "pay_1", "A-1", "k", Money(5, "EUR"), now=False, at=NOW).hold
    done = accounts.step(hold, card(), operation, "x", Money(5, "EUR"), final=False, at=NOW)
    assert done.answer == Denied("not_possible")
    assert done.hold.state is HoldState.OPEN
