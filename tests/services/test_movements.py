"""The stock desk: what is counted, damaged, thrown away and brought back, movement by movement."""

from __future__ import annotations

import pytest

from omniorder import Level, Movement
from omniorder.errors import InvalidInput, InvalidText, KeyReused, NotFound, OutOfStock
from omniorder.services.stock import Stock
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.steps import VISA, filled, free_slot, handed_over, placed, ready, refused

BREAD = Shop.BREAD
"""Of which Sofia has five."""


def desk(shop: Shop) -> Stock:
    return shop.store.stock


def booked(shop: Shop, sku: str = BREAD) -> list[tuple[str, int, int]]:
    """Kind, units at the shelf and units in quarantine of what the associate did, in the order of these."""
    return sorted((move.kind.value, move.quantity, move.quarantined) for move in by_hand(shop, sku))


def by_hand(shop: Shop, sku: str = BREAD) -> list[Movement]:
    """The movements of the level, but for the delivery with which the office stocked the shop."""
    found = desk(shop).movements(Shop.SOFIA, sku).items
    return [move for move in found if move.stamp.actor == "associate:ivan@SOF01"]


# --- counting ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("counted", "by"), [(7, 2), (5, 0), (3, -2), (0, -5)])
def test_after_a_count_the_books_say_what_was_counted(shop: Shop, counted: int, by: int) -> None:
    """A count that finds them right is written down as well: it is known since when they are."""
    assert desk(shop).count(Shop.SOFIA, BREAD, counted, reason="stock take") == Level(Shop.SOFIA, BREAD, counted)
    assert booked(shop) == [("count", by, 0)]
    assert [move.reason for move in by_hand(shop)] == ["stock take"]


def test_what_was_never_received_can_be_counted(shop: Shop) -> None:
    shop.office.stock.count("VAR01", Shop.APPLES, 0)
    assert shop.office.stock.count("VAR01", Shop.APPLES, 250).on_hand == 250
    check_all(shop.hub)


def test_a_count_below_what_is_reserved_is_a_shortage_until_the_units_turn_up(shop: Shop) -> None:
    placed(shop, {BREAD: 4})
    assert desk(shop).count(Shop.SOFIA, BREAD, 1).shortage == 3
    assert desk(shop).count(Shop.SOFIA, BREAD, 3).shortage == 1
    assert desk(shop).receive(Shop.SOFIA, BREAD, 1).shortage == 0
    check_all(shop.hub)


def test_a_repeated_count_counts_once(shop: Shop) -> None:
    """Under its key it is the count of the moment at which it was first told, whatever came since."""
    desk(shop).count(Shop.SOFIA, BREAD, 3, key="shelf-7")
    desk(shop).receive(Shop.SOFIA, BREAD, 10)
    assert desk(shop).count(Shop.SOFIA, BREAD, 3, key="shelf-7").on_hand == 13
    refused(KeyReused, desk(shop).count, Shop.SOFIA, BREAD, 4, key="shelf-7")
    assert booked(shop) == [("count", -2, 0), ("receive", 10, 0)]


# --- what can't be sold -----------------------------------------------------------------------------------


def test_what_is_quarantined_is_neither_sold_nor_lost(shop: Shop) -> None:
    found = desk(shop).quarantine(Shop.SOFIA, BREAD, 2, reason="mould?")
    assert (found.on_hand, found.quarantined, found.available) == (3, 2, 3)
    found = desk(shop).clear(Shop.SOFIA, BREAD, 1, reason="only flour")
    assert (found.on_hand, found.quarantined, found.available) == (4, 1, 4)
    found = desk(shop).write_off(Shop.SOFIA, BREAD, 1, reason="mould", from_quarantine=True)
    assert (found.on_hand, found.quarantined, found.available) == (4, 0, 4)
    assert booked(shop) == [("clear", 1, -1), ("quarantine", -2, 2), ("write_off", 0, -1)]
    check_all(shop.hub)


def test_what_is_written_off_is_gone(shop: Shop) -> None:
    assert desk(shop).write_off(Shop.SOFIA, BREAD, 2, reason="dropped").on_hand == 3
    assert booked(shop) == [("write_off", -2, 0)]


def test_nothing_is_promised_out_of_quarantine(shop: Shop) -> None:
    desk(shop).quarantine(Shop.SOFIA, BREAD, 4, reason="recall")
    cart = filled(shop, {BREAD: 2})
    refused(OutOfStock, shop.app.checkout.promise, cart.id, slot=free_slot(shop, cart))


@pytest.mark.parametrize("way", ["quarantine", "write_off"])
def test_what_was_promised_may_be_taken_from_the_shelf_and_is_missed(shop: Shop, way: str) -> None:
    """The shelf is right: who was promised the units is to be asked, and the books don't pretend."""
    placed(shop, {BREAD: 4})
    found = getattr(desk(shop), way)(Shop.SOFIA, BREAD, 3, reason="mould")
    assert (found.on_hand, found.reserved, found.shortage) == (2, 4, 2)
    check_all(shop.hub)


@pytest.mark.parametrize(
    ("way", "wanted", "available"),
    [("write_off", 6, 5), ("quarantine", 6, 5), ("clear", 3, 2), ("write_off_quarantined", 3, 2)],
)
def test_no_more_goes_than_is_there(shop: Shop, way: str, wanted: int, available: int) -> None:
    desk(shop).take_back(Shop.SOFIA, BREAD, 2, reference="SOF01-7K3F9Q", resellable=False)
    name, lying = way.removesuffix("_quarantined"), way.endswith("_quarantined")
    more = {"from_quarantine": True} if lying else {}
    error = refused(OutOfStock, getattr(desk(shop), name), Shop.SOFIA, BREAD, wanted, reason="mould", **more)
    assert error.facts["short"] == [{"sku": BREAD, "wanted": wanted, "available": available}]
    assert desk(shop).level(Shop.SOFIA, BREAD) == Level(Shop.SOFIA, BREAD, 5, quarantined=2)


@pytest.mark.parametrize("way", ["write_off", "quarantine", "clear"])
def test_whoever_takes_goods_from_sale_or_back_says_why(shop: Shop, way: str) -> None:
    refused(InvalidText, getattr(desk(shop), way), Shop.SOFIA, BREAD, 1, reason=" ")


# --- what comes back --------------------------------------------------------------------------------------


def test_what_comes_back_goes_to_the_shelf_or_to_quarantine(shop: Shop) -> None:
    order = ready(shop, {BREAD: 3})
    handed_over(shop, order)
    assert desk(shop).take_back(Shop.SOFIA, BREAD, 1, reference=order.id) == Level(Shop.SOFIA, BREAD, 3)
    found = desk(shop).take_back(Shop.SOFIA, BREAD, 2, reference=order.id, reason="crushed", resellable=False)
    assert (found.on_hand, found.quarantined, found.available) == (3, 2, 3)
    assert {move.reference for move in by_hand(shop)} == {order.id}
    assert booked(shop) == [("collect", -3, 0), ("return", 0, 2), ("return", 1, 0)]
    check_all(shop.hub)


def test_what_comes_back_can_be_promised_again(shop: Shop) -> None:
    order = ready(shop, {BREAD: 5})
    handed_over(shop, order)
    desk(shop).take_back(Shop.SOFIA, BREAD, 1, reference=order.id)
    assert placed(shop, {BREAD: 1}, pay=VISA).confirmed_at is not None


@pytest.mark.parametrize("flag", [1, "yes", None])
def test_a_flag_is_true_or_false(shop: Shop, flag: bool) -> None:
    refused(InvalidInput, desk(shop).take_back, Shop.SOFIA, BREAD, 1, reference="SOF01-7K3F9Q", resellable=flag)
    refused(InvalidInput, desk(shop).write_off, Shop.SOFIA, BREAD, 1, reason="mould", from_quarantine=flag)
    refused(InvalidInput, desk(shop).receive, Shop.SOFIA, BREAD, 1, reference="DN-7", final=flag)


# --- all of them ------------------------------------------------------------------------------------------

COMMANDS = {
    "receive": {"reference": "DN-7"},
    "adjust": {"reason": "found one"},
    "count": {},
    "write_off": {"reason": "mould"},
    "quarantine": {"reason": "mould?"},
    "clear": {"reason": "only flour"},
    "take_back": {"reference": "SOF01-7K3F9Q"},
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_repeated_under_its_key_is_carried_out_once(shop: Shop, name: str) -> None:
    desk(shop).quarantine(Shop.SOFIA, BREAD, 2, reason="mould?")
    command = getattr(desk(shop), name)
    first = command(Shop.SOFIA, BREAD, 1, key="once", **COMMANDS[name])
    assert command(Shop.SOFIA, BREAD, 1, key="once", **COMMANDS[name]) == first
    assert len(booked(shop)) == 2
    refused(KeyReused, command, Shop.SOFIA, BREAD, 2, key="once", **COMMANDS[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_a_movement_says_to_what_it_belongs(shop: Shop, name: str) -> None:
    desk(shop).quarantine(Shop.SOFIA, BREAD, 2, reason="mould?")
    command, told = getattr(desk(shop), name), {**COMMANDS[name], "reference": "RECALL-12"}
    first = command(Shop.SOFIA, BREAD, 1, key="once", **told)
    assert sorted(move.reference for move in by_hand(shop)) == ["", "RECALL-12"]
    assert command(Shop.SOFIA, BREAD, 1, key="once", **told) == first
    refused(KeyReused, command, Shop.SOFIA, BREAD, 1, key="once", **{**told, "reference": "RECALL-13"})
    check_all(shop.hub)


@pytest.mark.parametrize("name", COMMANDS)
def test_an_associate_touches_their_own_stores_shelves_only(shop: Shop, name: str) -> None:
    command = getattr(desk(shop), name)
    error = refused(NotFound, command, "VAR01", BREAD, 1, **COMMANDS[name])
    assert error.facts["kind"] == "store"
