"""Ledgers and differences as CSV: amounts in both units, a line for each posting, and no formula in any cell."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from omniorder import Card, Money
from omniorder.domain.bookkeeping import Entry, LedgerAccount, LedgerPosting
from omniorder.domain.reconciling import Advice, Difference, DifferenceKind
from omniorder.errors import GatewayFault, InvalidFile, InvalidInstant
from omniorder.exchange import bookkeeping as exporting
from omniorder.exchange import export_ledger, write_differences, write_ledger
from omniorder.testing.shop import Shop
from tests.testing.test_invariants import lived_in

AT = datetime(2026, 11, 22, 8, 41, 34, tzinfo=UTC)


def rows(written: io.BytesIO | Path) -> list[dict[str, str]]:
    text = (written.getvalue() if isinstance(written, io.BytesIO) else written.read_bytes()).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def entry(amount: Money, **changes: Any) -> Entry:
    posting = LedgerPosting(LedgerAccount("clearing", "card"), LedgerAccount("prepayments"), amount)
    one = Entry("SOF01-7K3F9Q", 4, AT, "Paid", "pay_SOF01_7K3F9Q_1", "pi_1", (posting,))
    return evolve(one, **changes)


def difference(**changes: Any) -> Difference:
    one = Difference(DifferenceKind.CAPTURED_DIFFERS, Advice.BOOK_BY_HAND, AT, "SOF01-7K3F9Q", "pay_1", "pi_1")
    return evolve(one, **changes)


# --- ledgers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("money", "written"),
    [
        (Money(498, "EUR"), ("4.98", "EUR", "498")),
        (Money(1, "JPY"), ("1", "JPY", "1")),
        (Money(5, "KWD"), ("0.005", "KWD", "5")),
        (Money(2**62, "EUR"), ("46116860184273879.04", "EUR", str(2**62))),
    ],
)
def test_amounts_stand_in_major_and_in_minor_units(money: Money, written: tuple[str, ...]) -> None:
    file = io.BytesIO()
    assert write_ledger([entry(money)], file) == 1
    [row] = rows(file)
    assert (row["amount"], row["currency"], row["minor_units"]) == written


def test_a_line_says_when_what_and_from_which_account_to_which() -> None:
    file = io.BytesIO()
    write_ledger([entry(Money(498, "EUR"))], file)
    assert file.getvalue().decode() == (
        "at,order,seq,what,reference,provider_id,debit,credit,amount,currency,minor_units\r\n"
        "2026-11-22T08:41:34.000000Z,SOF01-7K3F9Q,4,Paid,pay_SOF01_7K3F9Q_1,pi_1,clearing:card,prepayments,4.98,EUR,498\r\n"
    )


def test_the_ledgers_of_all_orders_are_those_of_each(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the number of orders that are held at a time, and from whichever storage."""
    monkeypatch.setattr(exporting, "_STREAMS", 2)
    lived_in(shop)
    file, one_by_one = io.BytesIO(), io.BytesIO()
    count = export_ledger(shop.office, file)
    with shop.office.exports.reading() as view:
        orders = sorted(order.id for order in view.orders())
    write_ledger([entry for order in orders for entry in shop.office.orders.ledger(order)], one_by_one)
    assert file.getvalue() == one_by_one.getvalue()
    assert count == len(rows(file)) > 5
    sums: Counter[str] = Counter()
    for row in rows(file):
        sums[row["debit"]] += int(row["minor_units"])
        sums[row["credit"]] -= int(row["minor_units"])
    assert sums["clearing:card"] == sum(one.captured.amount - one.refunded.amount for one in shop.gateway.payments)


def test_a_window_has_the_entries_that_were_made_in_it(shop_in_memory: Shop) -> None:
    shop = shop_in_memory
    shop.app.checkout.place(shop.promise().id, pay=Card("pm_card_instant"))
    shop.clock.advance(hours=1)
    between = shop.clock.now()
    shop.app.checkout.place(shop.promise().id, pay=Card("pm_card_instant"))
    counts = [
        export_ledger(shop.office, io.BytesIO(), since=since, until=until)
        for since, until in ((None, None), (between, None), (None, between), (between + timedelta(hours=1), None))
    ]
    assert counts == [2, 1, 1, 0]
    with pytest.raises(InvalidInstant):
        export_ledger(shop.office, io.BytesIO(), since=between.replace(tzinfo=None))


# --- differences ------------------------------------------------------------------------------------------


def test_a_difference_has_both_amounts_and_what_to_do() -> None:
    file = io.BytesIO()
    assert write_differences([difference(ours=Money(498, "EUR"), theirs=Money(500, "USD"))], file) == 1
    [row] = rows(file)
    assert (row["ours"], row["ours_currency"], row["ours_minor_units"]) == ("4.98", "EUR", "498")
    assert (row["theirs"], row["theirs_currency"], row["theirs_minor_units"]) == ("5.00", "USD", "500")
    assert (row["kind"], row["advice"], row["to_do"]) == (
        "captured_differs", "book_by_hand", Advice.BOOK_BY_HAND.sentence,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_text_of_the_providers_is_a_formula(text: str) -> None:
    file = io.BytesIO()
    write_differences([difference(provider_id=text, payment=text)], file)
    [row] = rows(file)
    assert (row["provider_id"], row["payment"]) == (f"'{text}", f"'{text}")
    file = io.BytesIO()
    write_ledger([entry(Money(1, "EUR"), provider_id=text)], file)
    assert rows(file)[0]["provider_id"] == f"'{text}"


def test_what_is_not_there_is_an_empty_cell() -> None:
    file = io.BytesIO()
    write_differences([difference(order="", payment="")], file)
    [row] = rows(file)
    assert {row["order"], row["payment"], row["ours"], row["theirs"], row["theirs_currency"]} == {""}


def test_a_file_is_there_only_when_every_difference_was_found(tmp_path: Path) -> None:
    def broken() -> Iterator[Difference]:
        yield difference()
        raise GatewayFault(gateway="fake", reason="page 2 failed")

    path = tmp_path / "differences.csv"
    with pytest.raises(GatewayFault):
        write_differences(broken(), path)
    assert not path.exists()
    write_differences([difference()], path)
    assert len(rows(path)) == 1
    with pytest.raises(InvalidFile):
        write_differences([], tmp_path / "no" / "such" / "folder.csv")
