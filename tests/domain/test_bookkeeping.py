"""An order's money as balanced entries: what each event books, and that all of them agree with the order's own sums."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain import events as e
from omniorder.domain.bookkeeping import Entry, LedgerAccount, balances, entries, unlike
from omniorder.domain.events import Event, Recorded
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.errors import IllegalTransition, NotFound
from omniorder.testing import samples, strategies
from omniorder.testing.samples import MILK, NOW
from omniorder.testing.walks import Turn

PAY = "pay_SOF01_7K3F9Q_1"


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def order() -> Order:
    """Two cartons of milk at 2.49 (20 %), a bread at 3.10 (9 %) and 750 g of apples at 3.99 a kilogram (20 %)."""
    return samples.order()


def booked(*events: Event, kind: str = "card", of: Order | None = None) -> tuple[Entry, ...]:
    """The entries of these events, after a payment of this kind was asked for 12.00 EUR."""
    asked = (
        e.TenderAdded(PAY, kind, eur(1200)),
        e.LeftForStore(PAY, eur(1200)) if kind == "in_store" else e.AuthoriseRequested(PAY, "att_1", eur(1200)),
    )
    found = of or order()
    told = enumerate((*asked, *events), 1)
    return entries(found, [Recorded(found.store, found.id, seq, samples.stamp(), event) for seq, event in told])


def on(found: tuple[Entry, ...]) -> dict[str, int]:
    """Accounts by name, in minor units: debits less credits, those with nothing on them left out."""
    return {account.name: amount.amount for account, amount in balances(found).items() if amount.amount}


def milk_collected(units: int) -> e.PartCollected:
    line = next(line for line in order().lines if line.sku == MILK)
    return e.PartCollected((e.Units(line.id, units),))


PAID = e.Paid(PAY, eur(1200), "pi_1")


# --- what is booked when ----------------------------------------------------------------------------------


def test_what_is_set_aside_is_on_no_account() -> None:
    assert booked(e.Authorised(PAY, eur(1200), "pi_1")) == ()


def test_money_taken_before_goods_leave_is_owed_to_the_customer() -> None:
    assert on(booked(PAID)) == {"clearing:card": 1200, "prepayments": -1200}


def test_goods_that_leave_are_sold_and_the_tax_in_them_is_due() -> None:
    """498 cents with 20 % in them."""
    found = on(booked(PAID, milk_collected(2)))
    assert found == {"clearing:card": 1200, "prepayments": -702, "sales:0.20": -415, "tax:0.20": -83}


def test_the_tax_of_goods_that_leave_one_by_one_is_that_of_all_of_them() -> None:
    """Of one carton 41.5 cents are tax, 42 when rounded; of two it is 83."""
    assert on(booked(PAID, milk_collected(1)))["tax:0.20"] == -42
    assert on(booked(PAID, milk_collected(1), milk_collected(1)))["tax:0.20"] == -83


def test_goods_that_leave_unpaid_are_a_receivable_which_later_money_settles_first() -> None:
    gone = booked(milk_collected(2))
    assert on(gone)["receivable"] == 498
    assert on(booked(milk_collected(2), PAID)) == {
        "clearing:card": 1200, "prepayments": -702, "sales:0.20": -415, "tax:0.20": -83,
    }  # fmt: skip


def test_a_refund_is_owed_until_it_arrived() -> None:
    asked = e.RefundRequested(PAY, "att_2", eur(200))
    assert on(booked(PAID, asked)) == {"clearing:card": 1200, "prepayments": -1000, "refunds_payable": -200}
    assert on(booked(PAID, asked, e.Refunded(PAY, eur(200)))) == {"clearing:card": 1000, "prepayments": -1000}


@pytest.mark.parametrize(
    "after", [(e.RefundFailed(PAY, eur(200), "no"),), (e.Refunded(PAY, eur(200)), e.RefundBounced(PAY, eur(200), "no"))]
)
def test_a_refund_that_failed_or_came_back_is_the_customers_again(after: tuple[Event, ...]) -> None:
    asked = e.RefundRequested(PAY, "att_2", eur(200))
    assert on(booked(PAID, asked, *after)) == on(booked(PAID))


def test_what_a_bank_takes_back_is_disputed_and_what_it_gives_again_is_not() -> None:
    assert on(booked(PAID, e.Disputed(PAY, eur(900)))) == {
        "clearing:card": 300, "disputed": 900, "prepayments": -1200,
    }  # fmt: skip
    assert on(booked(PAID, e.Disputed(PAY, eur(900)), e.Disputed(PAY, eur(0)))) == on(booked(PAID))


@pytest.mark.parametrize("kind", ["gift_card", "store_credit"])
def test_a_gift_card_pays_with_what_the_shop_owed_for_it(kind: str) -> None:
    assert on(booked(PAID, kind=kind)) == {f"gift_cards:{kind}": 1200, "prepayments": -1200}


@pytest.mark.parametrize(
    ("means", "account"), [("cash", "cash"), ("terminal", "clearing:terminal"), ("", "clearing:in_store")]
)
def test_what_the_counter_took_is_in_the_till_or_with_its_terminal(means: str, account: str) -> None:
    taken = e.CounterStarted(PAY, "att_1", eur(1200), means=means)
    assert on(booked(taken, e.Paid(PAY, eur(1200)), kind="in_store")) == {account: 1200, "prepayments": -1200}


def test_a_fee_is_income_out_of_what_the_customer_paid() -> None:
    assert on(booked(PAID, e.FeeCharged(eur(150), "late"))) == {
        "clearing:card": 1200, "prepayments": -1050, "fees": -150,
    }  # fmt: skip


def test_goodwill_is_an_expense_and_the_sale_stands() -> None:
    sold = booked(PAID, milk_collected(2))
    granted = booked(PAID, milk_collected(2), e.CreditGranted(eur(100), "sorry", goodwill=True))
    assert on(granted) == on(sold) | {"prepayments": -802, "goodwill": 100}


def test_goods_that_cost_less_after_all_take_their_tax_with_them() -> None:
    """2.49 of 4.98 EUR: 41 of 83 cents, so that what is left is the tax in what is left."""
    line = next(line for line in order().lines if line.sku == MILK)
    found = on(booked(PAID, milk_collected(2), e.CreditGranted(eur(249), "sour", (e.Units(line.id, 1),))))
    assert found == {"clearing:card": 1200, "prepayments": -951, "sales:0.20": -207, "tax:0.20": -42}


def test_a_credit_for_no_goods_in_particular_is_spread_over_what_was_sold() -> None:
    everything = e.Collected(tuple(e.Units(line.id, line.quantity) for line in order().lines))
    found = on(booked(PAID, everything, e.CreditGranted(eur(100), "late")))
    assert sum(found[name] for name in ("sales:0.20", "tax:0.20")) == -(498 + 299) + 72
    assert sum(found[name] for name in ("sales:0.09", "tax:0.09")) == -310 + 28


def test_a_credit_beyond_what_was_sold_is_of_the_fee() -> None:
    found = on(booked(PAID, e.FeeCharged(eur(150), "late"), e.CreditGranted(eur(50), "it was us")))
    assert found == {"clearing:card": 1200, "prepayments": -1100, "fees": -100}


def test_an_entry_says_what_happened_when_and_to_which_payment() -> None:
    paid, refunded = booked(PAID, e.RefundRequested(PAY, "att_2", eur(200)))
    assert (paid.what, paid.reference, paid.provider_id, paid.at) == ("Paid", PAY, "pi_1", NOW)
    assert (paid.id, refunded.id) == (f"{order().id}/3", f"{order().id}/4")
    sold = booked(milk_collected(2))[-1]
    assert (sold.what, sold.reference) == ("PartCollected", order().id)


def test_the_journal_of_another_order_is_refused() -> None:
    with pytest.raises(IllegalTransition):
        booked(PAID, PAID)
    with pytest.raises(NotFound):
        booked(e.Paid("pay_SOF01_7K3F9Q_2", eur(1200)))


# --- whatever happens -------------------------------------------------------------------------------------


def journal_of(steps: tuple[Turn, ...]) -> list[Recorded]:
    told = [(step, event) for step in steps for event in step.events]
    order_id, store = steps[0].after.id, steps[0].after.store
    return [
        Recorded(store, order_id, seq, evolve(samples.stamp(), at=step.at), event)
        for seq, (step, event) in enumerate(told, 1)
    ]


@given(strategies.lives() | strategies.lives(by_card=True))
def test_the_accounts_agree_with_the_order_at_every_step_of_its_life(steps: tuple[Turn, ...]) -> None:
    for number in range(1, len(steps) + 1):
        known = steps[:number]
        assert list(unlike(known[-1].after, entries(known[-1].after, journal_of(known)))) == []


@given(strategies.lives(by_card=True))
def test_debits_are_credits_in_each_entry_and_no_posting_is_of_nothing(steps: tuple[Turn, ...]) -> None:
    found = entries(steps[-1].after, journal_of(steps))
    assert all(posting.amount.amount > 0 for entry in found for posting in entry.postings)
    assert all(sum(amount.amount for amount in balances([entry]).values()) == 0 for entry in found)


@given(strategies.lives(by_card=True))
def test_neither_side_of_the_customers_account_is_ever_below_nothing(steps: tuple[Turn, ...]) -> None:
    """Nor are both open at once: what was paid ahead is used before anything is owed."""
    journal = journal_of(steps)
    found = entries(steps[-1].after, journal)
    for number in range(len(found)):
        sums: Mapping[LedgerAccount, Money] = balances(found[: number + 1])
        ahead, owed = sums.get(LedgerAccount("prepayments")), sums.get(LedgerAccount("receivable"))
        assert ahead is None or ahead.amount <= 0
        assert owed is None or owed.amount >= 0
        assert not (ahead and owed and ahead.amount and owed.amount)


@given(strategies.lives(by_card=True).filter(lambda steps: any(s.after.kept.amount for s in steps)), st.data())
def test_an_entry_that_is_left_out_is_noticed(steps: tuple[Turn, ...], data: st.DataObject) -> None:
    """The control: the comparison compares."""
    last = steps[-1].after
    found = entries(last, journal_of(steps))
    lost = data.draw(st.sampled_from(found))
    rest = [entry for entry in found if entry is not lost]
    undone = [amount for amount in balances([lost]).values() if amount.amount]
    assert bool(undone) == (list(unlike(last, rest)) != [])
