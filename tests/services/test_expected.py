"""The stock desk: what is on its way, and what may be promised by the time it has come."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from omniorder import Availability, ExpectedDelivery, Level
from omniorder.errors import InvalidInput, KeyReused, NotFound, OutOfStock, TooMany
from omniorder.services.stock import Stock
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.steps import filled, free_slot, placed, refused

BREAD = Shop.BREAD
"""Of which Sofia has five."""


def desk(shop: Shop) -> Stock:
    return shop.store.stock


def at(shop: Shop, hours: int) -> datetime:
    return shop.clock.now() + timedelta(hours=hours)


def expect(shop: Shop, quantity: int, hours: int = 24, reference: str = "DN-7") -> ExpectedDelivery:
    return desk(shop).expect(Shop.SOFIA, BREAD, quantity, at=at(shop, hours), reference=reference)


def left(shop: Shop) -> dict[str, int]:
    """Units that are still expected, by reference."""
    return {one.reference: one.quantity for one in desk(shop).expected(Shop.SOFIA, BREAD)}


def by(shop: Shop, hours: int) -> tuple[int, int]:
    """What may be promised now, and so many hours from now."""
    (found,) = desk(shop).availability(Shop.SOFIA, [BREAD], by=at(shop, hours))
    return found.now, found.then


# --- on its way -------------------------------------------------------------------------------------------


def test_what_is_expected_is_listed_the_earliest_first(shop: Shop) -> None:
    later, sooner = expect(shop, 12, 48, "DN-8"), expect(shop, 6, 24, "DN-7")
    assert sooner == ExpectedDelivery(Shop.SOFIA, BREAD, "DN-7", 6, at(shop, 24))
    assert desk(shop).expected(Shop.SOFIA, BREAD) == (sooner, later)
    assert desk(shop).expected(Shop.SOFIA, Shop.MILK) == ()


def test_said_again_it_is_another_date_and_quantity_and_not_more(shop: Shop) -> None:
    expect(shop, 12, 24)
    moved = expect(shop, 20, 48)
    assert desk(shop).expected(Shop.SOFIA, BREAD) == (moved,)


def test_what_was_to_come_days_ago_is_expected_all_the_same(shop: Shop) -> None:
    """A delivery may be late before anybody tells of it."""
    late = expect(shop, 12, -9 * 24)
    assert desk(shop).expected(Shop.SOFIA, BREAD) == (late,)
    assert by(shop, 1) == (5, 17)
    check_all(shop.hub)


def test_of_an_unknown_article_there_is_nothing(shop: Shop) -> None:
    assert desk(shop).level(Shop.SOFIA, "NO-SUCH") == Level(Shop.SOFIA, "NO-SUCH")
    assert desk(shop).movements(Shop.SOFIA, "NO-SUCH").items == ()


def test_none_calls_it_off(shop: Shop) -> None:
    expect(shop, 12)
    assert expect(shop, 0).quantity == 0
    assert left(shop) == {}


def test_what_is_received_under_its_reference_is_expected_no_more(shop: Shop) -> None:
    expect(shop, 12)
    desk(shop).receive(Shop.SOFIA, BREAD, 5, reference="DN-7")
    assert left(shop) == {"DN-7": 7}
    desk(shop).receive(Shop.SOFIA, BREAD, 9, reference="DN-7")
    assert left(shop) == {}
    assert desk(shop).level(Shop.SOFIA, BREAD).on_hand == 19
    check_all(shop.hub)


@pytest.mark.parametrize("reference", ["", "DN-8"])
def test_what_is_received_under_another_reference_changes_nothing_about_it(shop: Shop, reference: str) -> None:
    expect(shop, 12)
    desk(shop).receive(Shop.SOFIA, BREAD, 5, reference=reference)
    assert left(shop) == {"DN-7": 12}


def test_the_last_part_ends_a_delivery_that_is_short(shop: Shop) -> None:
    expect(shop, 12)
    desk(shop).receive(Shop.SOFIA, BREAD, 5, reference="DN-7", final=True)
    assert left(shop) == {}


def test_only_a_delivery_with_a_reference_has_a_last_part(shop: Shop) -> None:
    error = refused(InvalidInput, desk(shop).receive, Shop.SOFIA, BREAD, 5, final=True)
    assert error.facts["field"] == "final"


def test_an_expectation_repeated_under_its_key_does_not_bring_back_what_has_come(shop: Shop) -> None:
    when = at(shop, 24)

    def told(quantity: int = 12) -> ExpectedDelivery:
        return desk(shop).expect(Shop.SOFIA, BREAD, quantity, at=when, reference="DN-7", key="once")

    told()
    desk(shop).receive(Shop.SOFIA, BREAD, 5, reference="DN-7")
    assert told().quantity == 7
    refused(KeyReused, told, 13)


def test_an_associate_expects_at_their_own_store_only(shop: Shop) -> None:
    refused(NotFound, desk(shop).expect, "VAR01", BREAD, 12, at=at(shop, 24), reference="DN-7")
    refused(NotFound, desk(shop).expected, "VAR01", BREAD)
    refused(NotFound, desk(shop).availability, "VAR01", [BREAD], by=at(shop, 24))


# --- what may be promised by then -------------------------------------------------------------------------


def test_what_is_on_its_way_is_available_from_the_day_on_which_it_is_expected(shop: Shop) -> None:
    expect(shop, 12, 24)
    assert [by(shop, hours) for hours in (0, 23, 24, 48)] == [(5, 5), (5, 5), (5, 17), (5, 17)]


def test_nothing_of_it_is_promised_before_it_has_come(shop: Shop) -> None:
    expect(shop, 12, 0)
    cart = filled(shop, {BREAD: 6})
    refused(OutOfStock, shop.app.checkout.promise, cart.id, slot=free_slot(shop, cart))
    desk(shop).receive(Shop.SOFIA, BREAD, 12, reference="DN-7")
    assert shop.app.checkout.promise(cart.id, slot=free_slot(shop, cart)).quote.lines


def test_a_shortage_is_made_good_by_what_comes_before_anything_is_free(shop: Shop) -> None:
    placed(shop, {BREAD: 4})
    desk(shop).count(Shop.SOFIA, BREAD, 1)
    expect(shop, 2, 24, "DN-7")
    expect(shop, 2, 48, "DN-8")
    assert [by(shop, hours) for hours in (0, 24, 48)] == [(0, 0), (0, 0), (0, 1)]


def test_receiving_on_the_day_changes_nothing_for_later_dates(shop: Shop) -> None:
    expect(shop, 12, 24)
    shop.clock.advance(hours=24)
    before = by(shop, 24)
    desk(shop).receive(Shop.SOFIA, BREAD, 12, reference="DN-7")
    assert (before, by(shop, 24)) == ((5, 17), (17, 17))


def test_availability_comes_in_the_order_asked_for_with_the_next_delivery(shop: Shop) -> None:
    expect(shop, 12, 24, "DN-7")
    expect(shop, 3, 24, "DN-8")
    expect(shop, 9, 48, "DN-9")
    then = at(shop, 30)
    milk, bread, unknown, again = desk(shop).availability(Shop.SOFIA, [Shop.MILK, BREAD, "NEVER-SEEN", BREAD], by=then)
    assert bread == again == Availability(Shop.SOFIA, BREAD, 5, then, 20, next_at=at(shop, 24), next_units=15)
    assert milk == Availability(Shop.SOFIA, Shop.MILK, 40, then, 40)
    assert unknown == Availability(Shop.SOFIA, "NEVER-SEEN", 0, then, 0)


def test_too_many_at_once_are_refused(shop: Shop) -> None:
    refused(TooMany, desk(shop).availability, Shop.SOFIA, [BREAD] * 10_001, by=at(shop, 1))
