"""The cart desk: one basket on every channel."""

from __future__ import annotations

import pytest

from omniorder import Add, Agent, CartState, Change, Channel, Edit, Note, Remove
from omniorder.errors import (
    IllegalTransition,
    InvalidQuantity,
    NotAllowed,
    NotFound,
    TooMany,
    VersionConflict,
)
from omniorder.services.settings import Settings
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.steps import VISA, filled, placed, promised, refused


def test_a_new_cart_is_empty_and_open(shop: Shop) -> None:
    cart = shop.app.carts.start()
    assert (cart.state, cart.lines, cart.owner) == (CartState.OPEN, (), "customer:anna")


def test_a_cart_that_was_filled_in_the_app_is_the_same_on_the_web(shop: Shop) -> None:
    cart = filled(shop)
    assert shop.web.carts.get(cart.id) == cart


def test_the_current_cart_is_the_open_one_that_was_changed_last(shop: Shop) -> None:
    first = filled(shop)
    shop.clock.advance(minutes=1)
    second = filled(shop)
    assert shop.web.carts.current() == second
    shop.clock.advance(minutes=1)
    first = shop.app.carts.add(first.id, Shop.BREAD)
    assert shop.web.carts.current() == first


def test_there_is_no_current_cart_before_the_first(shop: Shop) -> None:
    assert shop.app.carts.current() is None


def test_an_ordered_cart_is_not_current_any_more(shop: Shop) -> None:
    placed(shop)
    assert shop.app.carts.current() is None


def test_adding_the_same_article_twice_makes_one_line(shop: Shop) -> None:
    cart = shop.app.carts.add(filled(shop).id, Shop.MILK, 3)
    assert [(line.sku, line.quantity) for line in cart.lines] == [(Shop.MILK, 5)]


def test_another_note_makes_another_line(shop: Shop) -> None:
    cart = shop.app.carts.add(filled(shop).id, Shop.MILK, 1, note="the blue one")
    assert [(line.quantity, line.note) for line in cart.lines] == [(2, ""), (1, "the blue one")]


def test_other_metadata_makes_another_line(shop: Shop) -> None:
    cart = shop.app.carts.add(filled(shop).id, Shop.MILK, 1, metadata={"gift": "yes"})
    assert [dict(line.metadata) for line in cart.lines] == [{}, {"gift": "yes"}]


def test_a_line_is_changed_noted_and_removed_by_its_id(shop: Shop) -> None:
    cart = filled(shop, {Shop.MILK: 2, Shop.BREAD: 1})
    milk, bread = cart.lines
    shop.app.carts.change(cart.id, milk.id, 4)
    shop.app.carts.note(cart.id, milk.id, "cold, please")
    after = shop.app.carts.remove(cart.id, bread.id)
    assert [(line.id, line.quantity, line.note) for line in after.lines] == [(milk.id, 4, "cold, please")]


def test_two_devices_that_touch_different_lines_both_get_what_they_asked_for(shop: Shop) -> None:
    seen = filled(shop, {Shop.MILK: 2, Shop.BREAD: 1})
    milk, bread = seen.lines
    shop.app.carts.change(seen.id, milk.id, 5, if_version=seen.version)
    after = shop.web.carts.change(seen.id, bread.id, 3, if_version=seen.version)
    assert [line.quantity for line in after.lines] == [5, 3]


def test_the_later_of_two_devices_that_touch_one_line_gets_the_current_cart(shop: Shop) -> None:
    seen = filled(shop)
    current = shop.app.carts.change(seen.id, seen.lines[0].id, 5, if_version=seen.version)
    conflict = refused(VersionConflict, shop.web.carts.change, seen.id, seen.lines[0].id, 3, if_version=seen.version)
    assert conflict.snapshot == current
    assert (conflict.facts["expected"], conflict.facts["current"]) == (seen.version, current.version)
    assert shop.web.carts.get(seen.id) == current


def test_a_line_that_another_device_removed_is_a_conflict_for_who_saw_it(shop: Shop) -> None:
    seen = filled(shop)
    shop.app.carts.remove(seen.id, seen.lines[0].id)
    conflict = refused(VersionConflict, shop.web.carts.note, seen.id, seen.lines[0].id, "?", if_version=seen.version)
    assert conflict.snapshot.lines == ()


def test_without_a_version_the_last_edit_counts(shop: Shop) -> None:
    seen = filled(shop)
    shop.app.carts.change(seen.id, seen.lines[0].id, 5)
    assert shop.web.carts.change(seen.id, seen.lines[0].id, 3).lines[0].quantity == 3


def test_several_edits_are_one_step_or_none(shop: Shop) -> None:
    cart = filled(shop, {Shop.MILK: 2, Shop.BREAD: 1})
    milk, bread = cart.lines
    edits: list[Edit] = [Add(Shop.APPLES, 500), Change(milk.id, 3), Note(milk.id, "cold"), Remove(bread.id)]
    after = shop.app.carts.edit(cart.id, edits)
    assert [(line.sku, line.quantity) for line in after.lines] == [(Shop.MILK, 3), (Shop.APPLES, 500)]

    refused(NotFound, shop.app.carts.edit, cart.id, [Change(milk.id, 9), Remove(bread.id)])
    assert shop.app.carts.get(cart.id) == after


def test_an_edit_that_changes_nothing_is_no_event(shop: Shop) -> None:
    cart = filled(shop)
    assert shop.app.carts.change(cart.id, cart.lines[0].id, 2).version == cart.version


def test_a_guest_has_a_cart_by_token(shop: Shop) -> None:
    cart = filled(shop, touch=shop.guest)
    assert shop.guest.carts.current() == cart
    assert cart.owner.startswith("guest:")
    assert "a-token-of-22" not in repr(cart)


@pytest.mark.parametrize("who", ["stranger", "guest"])
def test_somebody_elses_cart_answers_as_a_missing_one(shop: Shop, who: str) -> None:
    mine, desk = filled(shop), getattr(shop, who).carts
    missing = "crt_" + "0" * 26
    theirs = refused(NotFound, desk.get, mine.id)
    nobodys = refused(NotFound, desk.get, missing)
    assert (theirs.facts["kind"], str(theirs)) == ("cart", str(nobodys).replace(missing, mine.id))
    refused(NotFound, desk.add, mine.id, Shop.MILK)


def test_an_agent_works_on_the_cart_of_the_customer_who_calls(shop: Shop) -> None:
    cart = filled(shop)
    after = shop.phone.carts.add(cart.id, Shop.BREAD)
    assert shop.app.carts.get(cart.id) == after
    assert after.owner == "customer:anna"


def test_an_agent_who_helps_nobody_has_no_cart(shop: Shop) -> None:
    idle = shop.hub.at(Channel.PHONE, Agent("petya"))
    assert idle.carts.current() is None
    refused(NotAllowed, idle.carts.start)
    refused(NotFound, idle.carts.get, filled(shop).id)


def test_language_and_metadata_travel_from_the_cart_to_the_order(shop: Shop) -> None:
    cart = shop.app.carts.start(language="bg", metadata={"campaign": "autumn"})
    shop.app.carts.add(cart.id, Shop.MILK, 1, note="cold", metadata={"gift": "yes"})
    slot = shop.app.checkout.offers(cart.id)[0].slots[0].id
    promise = shop.app.checkout.promise(cart.id, slot=slot)
    order = shop.app.checkout.place(promise.id, pay=VISA)
    assert (order.language, dict(order.metadata)) == ("bg", {"campaign": "autumn"})
    assert (order.lines[0].note, dict(order.lines[0].metadata)) == ("cold", {"gift": "yes"})


def test_a_cart_holds_no_stock(shop: Shop) -> None:
    filled(shop, {Shop.BREAD: 1_000})
    assert shop.office.stock.level(Shop.SOFIA, Shop.BREAD).available == 5


def test_an_ordered_cart_can_not_be_edited(shop: Shop) -> None:
    order = placed(shop)
    error = refused(IllegalTransition, shop.app.carts.add, order.cart_id, Shop.MILK)
    assert (error.facts["machine"], error.facts["state"]) == ("cart", "ordered")


def test_editing_a_promised_cart_is_allowed_and_leaves_its_promise_alone(shop: Shop) -> None:
    promise = promised(shop)
    after = shop.app.carts.add(promise.cart_id, Shop.BREAD)
    assert after.promise_id == promise.id
    assert shop.office.stock.level(Shop.SOFIA, Shop.MILK).reserved == 2


def test_an_unknown_article_is_not_found(shop: Shop) -> None:
    error = refused(NotFound, shop.app.carts.add, shop.app.carts.start().id, "NO-SUCH-ARTICLE")
    assert (error.facts["kind"], error.facts["id"]) == ("article", "NO-SUCH-ARTICLE")


def test_a_cart_has_no_more_lines_than_the_settings_allow(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(max_lines=2))
    cart = filled(shop, {Shop.MILK: 1, Shop.BREAD: 1})
    refused(TooMany, shop.app.carts.add, cart.id, Shop.APPLES)
    assert shop.app.carts.add(cart.id, Shop.MILK).lines[0].quantity == 2


def test_the_limit_of_units_counts_all_lines_of_an_article_together(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(max_quantity=10))
    cart = filled(shop, {Shop.MILK: 6})
    error = refused(InvalidQuantity, shop.app.carts.add, cart.id, Shop.MILK, 5, note="another line")
    assert error.facts["value"] == "11"
    assert shop.app.carts.get(cart.id) == cart
