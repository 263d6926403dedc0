"""Two carts of one owner become one: nothing is lost, nothing doubles, and what was promised for the other is free."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from omniorder import CartState, MergeRule, PromiseState
from omniorder.domain.events import CartMerged, Recorded
from omniorder.errors import CartChanged, IllegalTransition, InvalidInput, InvalidQuantity, NotFound, TooMany
from omniorder.services.settings import Settings
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import VISA, booked, filled, free_slot, level, placed, promised, refused


@pytest.fixture(autouse=True)
def sound(shop: Shop) -> Iterator[None]:
    """Whatever a test did, everything adds up afterwards."""
    yield
    check_all(shop.hub)


def test_both_devices_lines_are_kept_and_each_says_where_it_came_from(shop: Shop) -> None:
    mine, other = filled(shop, {Shop.MILK: 2, Shop.BREAD: 1}), filled(shop, {Shop.MILK: 3, Shop.APPLES: 500})
    merged = shop.web.carts.merge(mine.id, other.id)
    assert [(one.line.sku, one.rule, one.here, one.there) for one in merged.lines] == [
        (Shop.MILK, MergeRule.RAISED, 2, 3),
        (Shop.BREAD, MergeRule.KEPT, 1, 0),
        (Shop.APPLES, MergeRule.ADDED, 0, 500),
    ]
    assert merged.lines[0].sources == (mine.id, other.id)
    assert [(line.sku, line.quantity) for line in shop.app.carts.get(mine.id).lines] == [
        (Shop.MILK, 3),
        (Shop.BREAD, 1),
        (Shop.APPLES, 500),
    ]


def test_the_cart_that_is_returned_is_the_one_that_is_stored(shop: Shop) -> None:
    mine, other = filled(shop), shop.app.carts.start()
    shop.app.carts.add(other.id, Shop.BREAD, 1, note="sliced, please", metadata={"gift": "yes"})
    merged = shop.app.carts.merge(mine.id, other.id)
    assert shop.web.carts.get(mine.id) == merged.cart
    assert merged.cart.lines[-1].note == "sliced, please"


def test_the_other_cart_ends_and_says_into_which_it_was_merged(shop: Shop) -> None:
    mine, other = filled(shop), filled(shop, {Shop.BREAD: 1})
    shop.app.carts.merge(mine.id, other.id)
    ended = shop.web.carts.get(other.id)
    assert (ended.state, ended.merged_into, ended.lines) == (CartState.MERGED, mine.id, other.lines)
    assert shop.web.carts.current() == shop.web.carts.get(mine.id)


def test_a_merged_cart_is_not_edited_any_more(shop: Shop) -> None:
    mine, other = filled(shop), filled(shop, {Shop.BREAD: 1})
    shop.app.carts.merge(mine.id, other.id)
    error = refused(IllegalTransition, shop.web.carts.add, other.id, Shop.MILK)
    assert (error.facts["machine"], error.facts["state"]) == ("cart", "merged")


def test_merging_again_changes_nothing(shop: Shop, stored: Callable[[], Rows]) -> None:
    mine, other = filled(shop), filled(shop, {Shop.MILK: 5})
    once = shop.app.carts.merge(mine.id, other.id)
    before = stored()
    again = shop.web.carts.merge(mine.id, other.id)
    assert (again.cart, [one.line for one in again.lines]) == (once.cart, [one.line for one in once.lines])
    assert stored() == before


def test_what_was_taken_out_after_a_merge_does_not_come_back_with_a_repetition(shop: Shop) -> None:
    mine, other = filled(shop), filled(shop, {Shop.BREAD: 1})
    merged = shop.app.carts.merge(mine.id, other.id).cart
    edited = shop.app.carts.remove(mine.id, merged.lines[-1].id)
    assert shop.app.carts.merge(mine.id, other.id).cart == edited


def test_merging_again_is_answered_even_when_the_cart_was_ordered_since(shop: Shop) -> None:
    mine, other = filled(shop), filled(shop, {Shop.BREAD: 1})
    shop.app.carts.merge(mine.id, other.id)
    promise = shop.app.checkout.promise(mine.id, slot=free_slot(shop, mine))
    shop.app.checkout.place(promise.id, pay=VISA)
    assert shop.app.carts.merge(mine.id, other.id).cart.state is CartState.ORDERED


def test_what_was_promised_for_the_other_cart_is_free_at_once(shop: Shop) -> None:
    mine, promise = filled(shop, {Shop.BREAD: 1}), promised(shop)
    assert (level(shop), booked(shop, promise.slot)) == ((40, 2), 1)
    shop.app.carts.merge(mine.id, promise.cart_id)
    assert (level(shop), booked(shop, promise.slot)) == ((40, 0), 0)
    assert shop.app.checkout.withdraw(promise.id).state is PromiseState.WITHDRAWN


def test_a_promise_of_the_cart_that_goes_on_stands_while_its_lines_do(shop: Shop) -> None:
    promise, other = promised(shop), filled(shop, {Shop.MILK: 1})
    assert shop.app.carts.merge(promise.cart_id, other.id).cart.promise_id == promise.id
    assert shop.app.checkout.place(promise.id, pay=VISA).lines[0].quantity == 2


def test_a_promise_of_the_cart_that_goes_on_covers_no_lines_that_came_later(shop: Shop) -> None:
    promise, other = promised(shop), filled(shop, {Shop.BREAD: 1})
    shop.app.carts.merge(promise.cart_id, other.id)
    refused(CartChanged, shop.app.checkout.place, promise.id, pay=VISA)


def test_a_merge_that_would_be_too_large_writes_nothing(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(max_lines=2, max_quantity=10))
    promise = promised(shop, {Shop.MILK: 6, Shop.BREAD: 1})
    long, heavy = filled(shop, {Shop.APPLES: 10}), shop.app.carts.start()
    heavy = shop.app.carts.add(heavy.id, Shop.BREAD, 10, note="sliced")
    refused(TooMany, shop.app.carts.merge, long.id, promise.cart_id)
    refused(TooMany, shop.app.carts.merge, promise.cart_id, heavy.id)
    refused(InvalidQuantity, shop.app.carts.merge, filled(shop, {Shop.BREAD: 10}).id, heavy.id)
    assert [shop.app.carts.get(cart.id) for cart in (long, heavy)] == [long, heavy]
    assert shop.app.carts.get(promise.cart_id).promise_id == promise.id
    assert level(shop) == (40, 6)


def test_a_handler_that_refuses_undoes_the_whole_merge(shop: Shop, stored: Callable[[], Rows]) -> None:
    mine, promise = filled(shop), promised(shop)
    before = stored()

    def refuse(_: Recorded, __: object) -> NoReturn:
        raise NotFound("warehouse", "W1")

    shop.hub.on(CartMerged, refuse)
    refused(NotFound, shop.app.carts.merge, mine.id, promise.cart_id)
    assert stored() == before


def test_an_agent_merges_for_the_customer_who_calls(shop: Shop) -> None:
    mine, other = filled(shop), filled(shop, {Shop.BREAD: 1})
    assert len(shop.phone.carts.merge(mine.id, other.id).lines) == 2


def test_an_ordered_cart_neither_takes_in_nor_is_taken_in(shop: Shop) -> None:
    ordered, mine = placed(shop).cart_id, filled(shop)
    for into, other in ((ordered, mine.id), (mine.id, ordered)):
        error = refused(IllegalTransition, shop.app.carts.merge, into, other)
        assert error.facts["state"] == "ordered"


def test_a_cart_that_was_merged_elsewhere_is_refused(shop: Shop) -> None:
    one, two, three = filled(shop), filled(shop), filled(shop)
    shop.app.carts.merge(one.id, two.id)
    for into, other in ((three, two), (two, three)):
        error = refused(IllegalTransition, shop.app.carts.merge, into.id, other.id)
        assert error.facts["state"] == "merged"


def test_another_customers_cart_answers_as_a_missing_one(shop: Shop) -> None:
    mine, theirs = filled(shop), filled(shop, touch=shop.stranger)
    for into, other in ((mine, theirs), (theirs, mine)):
        assert refused(NotFound, shop.app.carts.merge, into.id, other.id).facts["id"] == theirs.id


def test_a_cart_is_not_merged_with_itself(shop: Shop) -> None:
    mine = filled(shop)
    assert refused(InvalidInput, shop.app.carts.merge, mine.id, mine.id).facts["field"] == "other"
