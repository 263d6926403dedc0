"""Idempotency keys: the same command twice has one effect and one answer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import pytest

from omniorder import Add, Card, Channel, Customer, Money, PayInStore, Pick, Stage, Taken
from omniorder.errors import InvalidKey, KeyReused, NotPaid, OmniorderError
from omniorder.testing.shop import Shop
from tests.services.contents import Rows
from tests.services.steps import code, filled, level, placed, ready, refused

T = TypeVar("T")
Command = Callable[[Shop, str], object]


def test_a_cart_is_started_once(shop: Shop) -> None:
    first = shop.app.carts.start(language="bg", key="k")
    assert shop.app.carts.start(language="bg", key="k") == first


def test_units_are_added_once(shop: Shop) -> None:
    cart = shop.app.carts.start()
    first = shop.app.carts.add(cart.id, Shop.MILK, 2, key="k")
    assert shop.app.carts.add(cart.id, Shop.MILK, 2, key="k") == first
    assert first.lines[0].quantity == 2


def test_the_repetition_sees_the_cart_as_it_is_now(shop: Shop) -> None:
    cart = shop.app.carts.start()
    shop.app.carts.add(cart.id, Shop.MILK, 2, key="k")
    now = shop.app.carts.add(cart.id, Shop.BREAD, 1)
    assert shop.app.carts.add(cart.id, Shop.MILK, 2, key="k") == now


def test_units_are_picked_once(shop: Shop) -> None:
    order = placed(shop)
    line = order.lines[0].id
    first = shop.store.pickups.pick(order.id, line, 1, key="k")
    assert shop.store.pickups.pick(order.id, line, 1, key="k") == first
    assert first.pickup.lines[0].picked == 1


def test_a_part_is_handed_over_once(shop: Shop) -> None:
    order = ready(shop)
    said, one = code(shop, order), [Pick(order.lines[0].id, 1)]
    first = shop.store.pickups.hand_over(order.id, code=said, lines=one, key="k")
    assert shop.store.pickups.hand_over(order.id, code=said, lines=one, key="k") == first
    assert level(shop) == (39, 1)


def test_a_hand_over_that_failed_fails_again_under_its_key_and_works_under_another(shop: Shop) -> None:
    order = ready(shop, pay=Card("pm_card_capture_declined"))
    said = code(shop, order)
    errors = [refused(NotPaid, shop.store.pickups.hand_over, order.id, code=said, key="k") for _ in range(2)]
    assert [error.facts for error in errors] == [{"order": order.id, "due": "4.98 EUR", "reason": "card_declined"}] * 2


def test_goods_come_in_once(shop: Shop) -> None:
    first = shop.store.stock.receive("SOF01", Shop.MILK, 12, reference="DN-7", key="k")
    assert shop.store.stock.receive("SOF01", Shop.MILK, 12, reference="DN-7", key="k") == first
    assert level(shop) == (52, 0)


def test_an_order_is_called_off_once(shop: Shop) -> None:
    order = placed(shop)
    first = shop.app.orders.cancel(order.id, key="k")
    assert shop.app.orders.cancel(order.id, key="k") == first


REUSED: dict[str, tuple[Command, Command]] = {
    "carts.start": (
        lambda shop, _: shop.app.carts.start(key="k"),
        lambda shop, _: shop.app.carts.start(language="bg", key="k"),
    ),
    "carts.edit": (
        lambda shop, _: shop.app.carts.add(_cart(shop), Shop.MILK, 1, key="k"),
        lambda shop, _: shop.app.carts.add(_cart(shop), Shop.MILK, 2, key="k"),
    ),
    "pickups.pick": (
        lambda shop, order: shop.store.pickups.pick(order, _line(shop, order), 1, key="k"),
        lambda shop, order: shop.store.pickups.pick(order, [Pick(_line(shop, order), 2)], key="k"),
    ),
    "orders.cancel": (
        lambda shop, order: shop.app.orders.cancel(order, key="k"),
        lambda shop, order: shop.app.orders.cancel(order, reason="another", key="k"),
    ),
    "stock.receive": (
        lambda shop, _: shop.store.stock.receive("SOF01", Shop.MILK, 1, key="k"),
        lambda shop, _: shop.store.stock.receive("SOF01", Shop.MILK, 1, reference="DN-8", key="k"),
    ),
    "stock.adjust": (
        lambda shop, _: shop.store.stock.adjust("SOF01", Shop.MILK, -1, reason="count", key="k"),
        lambda shop, _: shop.store.stock.adjust("SOF01", Shop.MILK, -2, reason="count", key="k"),
    ),
    "stock.keep_back": (
        lambda shop, _: shop.store.stock.keep_back("SOF01", Shop.MILK, 1, key="k"),
        lambda shop, _: shop.store.stock.keep_back("SOF01", Shop.MILK, 2, key="k"),
    ),
}


def _cart(shop: Shop) -> str:
    current = shop.app.carts.current()
    assert current is not None
    return current.id


def _line(shop: Shop, order: str) -> str:
    return shop.app.orders.get(order).lines[0].id


@pytest.mark.parametrize("command", REUSED)
def test_one_key_with_two_requests_is_refused_and_changes_nothing(
    shop: Shop, stored: Callable[[], Rows], command: str
) -> None:
    order = placed(shop)
    filled(shop)
    first, second = REUSED[command]
    first(shop, order.id)
    before = stored()
    error = refused(KeyReused, second, shop, order.id)
    assert error.facts == {"command": command, "key": "k"}
    assert stored() == before


def test_a_part_that_was_handed_over_is_another_request_than_the_rest(shop: Shop) -> None:
    order = ready(shop)
    said = code(shop, order)
    shop.store.pickups.hand_over(order.id, code=said, lines=[Pick(order.lines[0].id, 1)], key="k")
    refused(KeyReused, shop.store.pickups.hand_over, order.id, code=said, key="k")


def test_a_note_is_part_of_the_request_and_stored_nowhere_in_clear(shop: Shop, stored: Callable[[], Rows]) -> None:
    cart = shop.app.carts.start()
    shop.app.carts.edit(cart.id, [Add(Shop.MILK, 1, "for Maria")], key="k")
    refused(KeyReused, shop.app.carts.edit, cart.id, [Add(Shop.MILK, 1, "for Ivan")], key="k")
    answers = next(rows for name, rows in stored().items() if name.endswith(("answers", "answer")))
    assert "Maria" not in repr(answers)
    assert len(answers) == 1


def test_the_same_key_of_two_customers_are_two_keys(shop: Shop) -> None:
    assert shop.app.carts.start(key="k").id != shop.stranger.carts.start(key="k").id


def test_the_same_key_of_customer_and_agent_on_one_cart_are_two_keys(shop: Shop) -> None:
    cart = shop.app.carts.start()
    shop.app.carts.add(cart.id, Shop.MILK, 2, key="k")
    assert shop.phone.carts.add(cart.id, Shop.MILK, 2, key="k").lines[0].quantity == 4


def test_the_same_key_for_two_commands_are_two_keys(shop: Shop) -> None:
    cart = shop.app.carts.start(key="k")
    assert shop.app.carts.add(cart.id, Shop.MILK, key="k").lines
    shop.store.stock.receive("SOF01", Shop.MILK, 1, key="k")
    assert shop.store.stock.adjust("SOF01", Shop.MILK, 1, reason="count", key="k").on_hand == 42


def test_the_same_key_for_two_orders_are_two_keys(shop: Shop) -> None:
    one, other = placed(shop), placed(shop)
    for order in (one, other):
        assert shop.app.orders.cancel(order.id, key="k").stage is Stage.CANCELLED


def test_the_same_customer_on_another_channel_repeats_the_same_command(shop: Shop) -> None:
    first = shop.app.carts.start(key="k")
    assert shop.web.carts.start(key="k") == first
    assert shop.hub.at(Channel.KIOSK, Customer("anna")).carts.start(key="k") == first


def test_a_refusal_is_not_remembered(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    said = code(shop, order)
    refused(NotPaid, shop.store.pickups.hand_over, order.id, code=said, key="k")
    paid = Taken(Money(498, "EUR"))
    receipt = shop.store.pickups.hand_over(order.id, code=said, taken=paid, key="k")
    assert receipt.order.stage is Stage.COLLECTED


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "a\nb", "a\x00b", 7, b"k"])
def test_a_key_is_up_to_255_characters_of_plain_ascii(shop: Shop, stored: Callable[[], Rows], key: str) -> None:
    cart = filled(shop)
    before = stored()
    assert refused(InvalidKey, shop.app.carts.add, cart.id, Shop.MILK, key=key).facts["field"] == "key"
    assert stored() == before


def test_the_longest_key_works(shop: Shop) -> None:
    key = "~" * 255
    assert shop.app.carts.start(key=key) == shop.app.carts.start(key=key)


def together(command: Callable[[], T]) -> list[T | OmniorderError]:
    """What six threads that are let go at once get from the same command."""
    gate = Barrier(6)

    def run(_: int) -> T | OmniorderError:
        gate.wait(timeout=30)
        try:
            return command()
        except OmniorderError as error:
            return error

    with ThreadPoolExecutor(6) as pool:
        return list(pool.map(run, range(6)))


def test_one_edit_under_one_key_from_many_threads_has_one_effect(shop: Shop) -> None:
    cart = shop.app.carts.start()
    results = together(lambda: shop.app.carts.add(cart.id, Shop.MILK, 2, key="k"))
    after = shop.app.carts.get(cart.id)
    assert results == [after] * 6
    assert after.lines[0].quantity == 2


def test_one_start_under_one_key_from_many_threads_gives_one_cart(shop: Shop) -> None:
    results = together(lambda: shop.app.carts.start(key="k"))
    assert results == [shop.app.carts.current()] * 6


def test_one_delivery_under_one_key_from_many_threads_comes_in_once(shop: Shop) -> None:
    results = together(lambda: shop.store.stock.receive("SOF01", Shop.MILK, 5, key="k"))
    assert results == [shop.store.stock.level("SOF01", Shop.MILK)] * 6
    assert level(shop) == (45, 0)
