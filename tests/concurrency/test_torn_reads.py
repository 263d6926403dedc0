"""Two reads of one transaction may see two instants: PostgreSQL gives each statement a snapshot of its own."""

from __future__ import annotations

from threading import Thread

import pytest

from omniorder import Card
from omniorder.adapters.sql.transaction import SqlTransaction
from omniorder.domain.carts import Cart
from omniorder.errors import IllegalTransition
from omniorder.services import units
from omniorder.testing import Shop

VISA = Card("pm_card_visa")


def between_promise_and_cart(shop: Shop, promise: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a twin place the order after this thread read the promise, and before it reads the cart."""
    read = SqlTransaction.cart
    twins = [Thread(target=shop.web.checkout.place, args=(promise,), kwargs={"pay": VISA})]

    def slowly(tx: SqlTransaction, cart_id: str) -> Cart | None:
        if twins:
            twin = twins.pop()
            twin.start()
            twin.join(timeout=30)
        return read(tx, cart_id)

    monkeypatch.setattr(SqlTransaction, "cart", slowly)


def test_a_twin_that_commits_between_two_reads_gives_the_same_order(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Shop.example(postgres_url) as shop:
        promise = shop.promise()
        between_promise_and_cart(shop, promise.id, monkeypatch)
        order = shop.app.checkout.place(promise.id, pay=VISA)
        assert [one.id for one in shop.app.orders.page().items] == [order.id]
        assert len(shop.gateway.payments) == 1


def test_without_a_second_look_the_twin_is_told_what_is_not_so(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the refusal that a second look takes back."""
    with Shop.example(postgres_url) as shop:
        promise = shop.promise()
        between_promise_and_cart(shop, promise.id, monkeypatch)
        monkeypatch.setattr(units, "DOUBTFUL", ())
        with pytest.raises(IllegalTransition):
            shop.app.checkout.place(promise.id, pay=VISA)
