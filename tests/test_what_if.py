"""The example's sad paths: what each story tells is what its customer is promised, wherever the shop is kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

import pytest
import what_if
from app_to_store import main
from telling import Telling

from omniorder import CartState, Money, Order, PaymentState, Stage
from omniorder.testing import Shop
from omniorder.testing.invariants import InvariantBroken, check_all
from tests.concurrency import unguarded
from tests.emptied import Fresh

Told = Callable[[str], str]
"""Tells a story of this name in `shop`; returns what was printed."""


@pytest.fixture(params=["memory", "sqlite"])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    url = "memory://" if request.param == "memory" else request.getfixturevalue("fresh_sqlite")()
    with Shop.example(url) as example:
        yield example


@pytest.fixture
def told(shop: Shop, capsys: pytest.CaptureFixture[str]) -> Told:
    def tell(name: str) -> str:
        what_if.tell_story(name, shop)
        check_all(shop.hub)
        return capsys.readouterr().out

    return tell


def only_order(shop: Shop) -> Order:
    (order,) = shop.app.orders.page().items
    return order


def stock(shop: Shop) -> tuple[int, int]:
    level = shop.office.stock.level(shop.SOFIA, shop.BREAD)
    return level.on_hand, level.reserved


def euros(cents: int) -> Money:
    return Money(cents, "EUR")


def test_one_of_two_customers_gets_the_last_unit_and_the_other_is_told(shop: Shop, told: Told) -> None:
    story = told("last-unit")
    orders = [*shop.app.orders.page().items, *shop.stranger.orders.page().items]
    assert [(order.stage, order.kept) for order in orders] == [(Stage.COLLECTED, euros(310))]
    assert stock(shop) == (0, 0)
    assert story.count("stock.short") == 1


def test_without_the_guard_both_get_it_and_the_story_breaks_off(
    fresh_sqlite: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Shop.example(fresh_sqlite()) as shop:
        unguarded.take_stock_unasked(monkeypatch)
        with pytest.raises(ValueError, match="too many values"):
            what_if.tell_story("last-unit", shop)


def test_money_that_comes_after_the_promise_goes_back_and_the_basket_is_open(shop: Shop, told: Told) -> None:
    assert "promise.gone" in told("promise-lapses")
    order = only_order(shop)
    assert (order.stage, order.kept) == (Stage.EXPIRED, euros(0))
    (paid,) = shop.gateway.payments
    assert (paid.authorised, paid.open) == (euros(620), euros(0)), "the bank did say yes"
    cart = shop.app.carts.get(order.cart_id)
    assert (cart.state, cart.demand()) == (CartState.OPEN, {shop.BREAD: 2})
    assert stock(shop) == (5, 0)


def test_a_second_card_pays_the_order_that_the_first_could_not(shop: Shop, told: Told) -> None:
    assert "payment.declined" in told("card-declined")
    order = only_order(shop)
    assert order.stage is Stage.COLLECTED
    assert [payment.state for payment in order.payments] == [PaymentState.DECLINED, PaymentState.CAPTURED]
    assert order.kept == order.total
    assert set(shop.gateway.effects.values()) == {1}


def test_the_payment_begun_in_the_app_is_the_one_that_is_finished_on_the_web(shop: Shop, told: Told) -> None:
    assert "IsActionRequired" in told("three-d-secure")
    order = only_order(shop)
    (payment,) = order.payments
    assert (order.stage, payment.state) == (Stage.COLLECTED, PaymentState.CAPTURED)
    by_channel = {entry.name: entry.stamp.channel.value for entry in shop.app.orders.timeline(order.id).items}
    assert (by_channel["ActionRequired"], by_channel["Authorised"]) == ("app", "web")


def test_the_right_code_works_after_three_wrong_ones_but_not_after_five(shop: Shop, told: Told) -> None:
    story = told("wrong-code")
    assert (story.count("code.wrong"), story.count("code.locked")) == (3, 1)
    hers, his = only_order(shop), shop.stranger.orders.page().items[0]
    assert [(order.stage, order.pickup.generation) for order in (hers, his)] == [
        (Stage.COLLECTED, 1),
        (Stage.COLLECTED, 2),
    ]


def test_what_both_devices_did_is_in_the_order_and_paid_once(shop: Shop, told: Told) -> None:
    story = told("two-devices")
    assert "version.conflict" in story
    assert "cart.changed" in story
    order = only_order(shop)
    assert {line.sku: line.quantity for line in order.lines} == {shop.BREAD: 3, shop.APPLES: 800}
    assert (order.stage, order.kept) == (Stage.COLLECTED, euros(3 * 310 + 319))
    assert stock(shop) == (2, 0)


def test_what_nobody_collects_goes_back_to_the_shelf_and_its_money_to_the_customer(shop: Shop, told: Told) -> None:
    assert "pickup.not_ready" in told("never-comes")
    order = only_order(shop)
    assert (order.stage, order.kept) == (Stage.NOT_COLLECTED, euros(0))
    (paid,) = shop.gateway.payments
    assert (paid.captured, paid.refunded) == (euros(620), euros(620))
    assert stock(shop) == (5, 0)


def test_what_the_store_cannot_find_is_off_the_books_and_not_charged(shop: Shop, told: Told) -> None:
    assert "do without what is missing" in " ".join(told("not-found").split())
    order = only_order(shop)
    assert (order.stage, order.kept) == (Stage.COLLECTED, euros(310))
    assert stock(shop) == (3, 0)


def test_the_story_shows_stock_and_money_before_and_after(told: Told) -> None:
    rows = [line.split() for line in told("never-comes").splitlines() if "RYE-BREAD" in line]
    assert [row[-6:] for row in rows] == [
        ["5", "0", "0.00", "0.00", "0.00", "EUR"],
        ["5", "2", "0.00", "6.20", "0.00", "EUR"],
        ["5", "0", "0.00", "6.20", "6.20", "EUR"],
    ]


def test_all_are_told_on_postgresql(postgres_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--what-if", "--database", postgres_url])
    shown = capsys.readouterr().out
    assert [name for name in what_if.STORIES if what_if.title(name) in shown] == list(what_if.STORIES)


def test_they_can_be_told_again_on_the_same_database(fresh_sqlite: Fresh, capsys: pytest.CaptureFixture[str]) -> None:
    """The ids of the first time are taken by then, and its clock has gone further."""
    names, url = ["last-unit", "never-comes", "wrong-code"], fresh_sqlite()
    what_if.tell_stories(names, url)
    what_if.tell_stories(names, url)
    assert capsys.readouterr().out.count("invariants") == 6


def test_the_other_shop_of_the_example_may_be_in_the_same_database(
    fresh_sqlite: Fresh, capsys: pytest.CaptureFixture[str]
) -> None:
    url = fresh_sqlite()
    main(["--what-if", "last-unit", "--database", url])
    main(["--database", url])
    main(["--what-if", "last-unit", "--database", url])
    shown = capsys.readouterr().out
    assert "order completed" in shown
    assert shown.count(what_if.title("last-unit")) == 2


def test_each_has_its_line_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert [name for name in what_if.STORIES if f"{name} " in shown] == list(what_if.STORIES)


def test_a_story_after_which_the_books_are_wrong_fails(fresh_sqlite: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    url = fresh_sqlite()

    def theft(shop: Shop, tell: Telling) -> None:
        """Somebody takes a loaf behind the library's back."""
        with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
            database.execute("UPDATE omniorder_stock SET on_hand = on_hand - 1 WHERE sku = ?", [shop.BREAD])
        database.close()

    monkeypatch.setitem(what_if.STORIES, "theft", theft)
    with pytest.raises(InvariantBroken, match="stock_is_the_sum_of_its_movements"):
        what_if.tell_stories(["theft"], url)
