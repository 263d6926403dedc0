"""The ledger of one order, at the desks of those who work for the retailer."""

from __future__ import annotations

import pytest

from omniorder import Money
from omniorder.domain.bookkeeping import balances, unlike
from omniorder.errors import NotFound
from omniorder.testing.shop import Shop
from tests.services.steps import INSTANT, handed_over, placed, ready


def test_an_order_that_was_collected_is_sold_and_its_money_is_with_the_provider(shop: Shop) -> None:
    order = ready(shop, {Shop.MILK: 2, Shop.BREAD: 1})
    handed_over(shop, order)
    entries = shop.office.orders.ledger(order.id)
    assert [entry.what for entry in entries] == ["Captured", "Collected"]
    assert {account.name: amount.amount for account, amount in balances(entries).items() if amount.amount} == {
        "clearing:card": 808, "sales:0.09": -284, "sales:0.20": -415, "tax:0.09": -26, "tax:0.20": -83,
    }  # fmt: skip
    assert list(unlike(shop.office.orders.get(order.id), entries)) == []
    assert shop.store.orders.ledger(order.id) == entries


def test_an_order_whose_money_is_only_set_aside_has_no_entries(shop: Shop) -> None:
    assert shop.office.orders.ledger(placed(shop).id) == ()


def test_money_that_goes_back_leaves_nothing_on_any_account(shop: Shop) -> None:
    order = placed(shop, pay=INSTANT)
    shop.app.orders.cancel(order.id)
    entries = shop.office.orders.ledger(order.id)
    assert [entry.what for entry in entries] == ["Paid", "RefundRequested", "Refunded"]
    assert set(balances(entries).values()) == {Money(0, "EUR")}


def test_the_ledger_of_another_stores_order_is_not_there(shop: Shop) -> None:
    order = placed(shop)
    with pytest.raises(NotFound):
        shop.elsewhere.orders.ledger(order.id)
    with pytest.raises(NotFound):
        shop.store.orders.ledger("SOF01-000000")


def test_customers_have_no_ledger(shop: Shop) -> None:
    assert not hasattr(shop.app.orders, "ledger")
