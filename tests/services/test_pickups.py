"""The store's desk: what is due, picking, ready."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from omniorder import Pick, PickupState, Stage
from omniorder.errors import (
    IllegalTransition,
    InvalidQuantity,
    Misconfigured,
    NotFound,
    NotReady,
    PaymentDeclined,
    WrongCode,
)
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import (
    DECLINED,
    code,
    handed_over,
    level,
    names,
    picked,
    placed,
    promised,
    ready,
    refused,
)

BASKET = {Shop.MILK: 2, Shop.BREAD: 3}


# --- what is due ------------------------------------------------------------------------------------------


def test_due_lists_this_stores_orders_by_the_start_of_their_window(shop: Shop) -> None:
    late = placed(shop, nth=3)
    early = placed(shop, nth=0)
    placed(shop, store="VAR01")
    assert [order.id for order in shop.store.pickups.due().items] == [early.id, late.id]


def test_due_on_a_day_goes_by_the_stores_own_calendar(shop: Shop) -> None:
    today = placed(shop, nth=9)  # 20:00 in Sofia
    tomorrow = placed(shop, nth=10)
    assert tomorrow.pickup.window[0].date() == date(2026, 11, 24)
    for day, order in ((date(2026, 11, 23), today), (date(2026, 11, 24), tomorrow)):
        assert [one.id for one in shop.store.pickups.due(day=day).items] == [order.id]
    assert shop.store.pickups.due(day=date(2026, 11, 25)).items == ()


def test_due_at_a_stage_lists_only_that(shop: Shop) -> None:
    waiting, fresh = ready(shop), placed(shop)
    assert [one.id for one in shop.store.pickups.due(stage=PickupState.READY).items] == [waiting.id]
    assert [one.id for one in shop.store.pickups.due(stage=PickupState.TO_PICK).items] == [fresh.id]


def test_due_comes_in_pages_that_lose_and_repeat_nothing(shop: Shop) -> None:
    wanted = {placed(shop, {Shop.MILK: 1}, nth=nth).id for nth in (0, 0, 0, 1, 2)}
    seen: list[str] = []
    after = None
    while True:
        page = shop.store.pickups.due(limit=2, after=after)
        seen += [order.id for order in page.items]
        if page.next is None:
            break
        after = page.next
    assert (len(seen), set(seen)) == (5, wanted)


def test_what_is_done_or_called_off_is_not_due(shop: Shop) -> None:
    handed_over(shop, ready(shop))
    shop.app.orders.cancel(placed(shop).id)
    assert shop.store.pickups.due().items == ()


def test_an_unpaid_order_is_not_to_be_picked(shop: Shop) -> None:
    error = refused(PaymentDeclined, shop.app.checkout.place, promised(shop).id, pay=DECLINED)
    line = error.order.lines[0]
    assert refused(IllegalTransition, shop.store.pickups.pick, error.order.id, line.id, 2).facts["state"] == "planned"


# --- picking ----------------------------------------------------------------------------------------------


def test_units_are_picked_line_by_line(shop: Shop) -> None:
    order = placed(shop, BASKET)
    milk, bread = order.lines
    shop.store.pickups.pick(order.id, milk.id, 2)
    shop.store.pickups.pick(order.id, bread.id, 1)
    order = shop.store.pickups.pick(order.id, bread.id, 2)
    assert [line.picked for line in order.pickup.lines] == [2, 3]
    assert order.pickup.state is PickupState.PICKING


def test_several_lines_are_picked_in_one_step_or_none(shop: Shop, stored: Callable[[], Rows]) -> None:
    order = placed(shop, BASKET)
    milk, bread = order.lines
    before = stored()
    refused(InvalidQuantity, shop.store.pickups.pick, order.id, [Pick(milk.id, 2), Pick(bread.id, 4)])
    assert stored() == before
    after = shop.store.pickups.pick(order.id, [Pick(milk.id, 2), Pick(bread.id, 3)])
    assert after.pickup.fully_picked


def test_no_more_is_picked_than_was_ordered(shop: Shop) -> None:
    order = placed(shop)
    shop.store.pickups.pick(order.id, order.lines[0].id, 1)
    error = refused(InvalidQuantity, shop.store.pickups.pick, order.id, order.lines[0].id, 2)
    assert error.facts["value"] == "2"
    assert "1 are still to be picked" in str(error)


def test_an_unknown_line_is_not_found(shop: Shop) -> None:
    order = placed(shop)
    assert refused(NotFound, shop.store.pickups.pick, order.id, "ln_0000000000000", 1).facts["kind"] == "line"


def test_picking_moves_no_stock(shop: Shop) -> None:
    picked(shop, placed(shop))
    assert level(shop) == (40, 2)


def test_reset_puts_everything_back_to_be_picked_again(shop: Shop) -> None:
    order = shop.store.pickups.reset(picked(shop, placed(shop)).id)
    assert (order.pickup.state, order.pickup.lines[0].picked) == (PickupState.TO_PICK, 0)
    assert picked(shop, order).pickup.fully_picked


# --- ready ------------------------------------------------------------------------------------------------


def test_ready_says_where_the_goods_lie_and_how_long_they_wait(shop: Shop) -> None:
    order = ready(shop)
    assert (order.stage, order.pickup.staged_at) == (Stage.READY, "C4")
    assert order.pickup.until is not None
    # collected from Monday to the third opening day after it, until the doors close in Sofia
    assert order.pickup.until.isoformat() == "2026-11-26T19:00:00+00:00"


def test_days_on_which_the_store_is_closed_do_not_count(shop: Shop) -> None:
    shop.clock.advance(days=4)  # Friday: Saturday, Monday and Tuesday are the opening days after it
    order = ready(shop)
    assert order.pickup.until is not None
    assert order.pickup.until.isoformat() == "2026-12-01T19:00:00+00:00"


def test_goods_wait_from_the_customers_window_on_when_they_are_ready_early(shop: Shop) -> None:
    order = ready(shop, nth=11)  # the next day's first slots
    assert order.pickup.until is not None
    assert order.pickup.window[0].date() == date(2026, 11, 24)
    assert order.pickup.until.isoformat() == "2026-11-27T19:00:00+00:00"


def test_saying_ready_twice_changes_nothing(shop: Shop, stored: Callable[[], Rows]) -> None:
    order = ready(shop)
    before = stored()
    assert shop.store.pickups.ready(order.id, staged_at="C4") == order
    assert stored() == before


def test_what_is_not_fully_picked_is_not_ready(shop: Shop) -> None:
    order = placed(shop, BASKET)
    shop.store.pickups.pick(order.id, order.lines[0].id, 2)
    assert refused(NotReady, shop.store.pickups.ready, order.id).facts["order"] == order.id


def test_what_nobody_began_to_pick_is_not_ready_either(shop: Shop) -> None:
    refused(IllegalTransition, shop.store.pickups.ready, placed(shop).id)


def test_unready_goes_back_to_picking_and_says_why(shop: Shop) -> None:
    order = shop.store.pickups.unready(ready(shop).id, reason="leaking carton")
    assert (order.pickup.state, order.stage) == (PickupState.PICKING, Stage.PREPARING)
    assert names(shop, order)[-1] == "Unreadied"
    assert shop.store.pickups.ready(order.id, staged_at="C5").pickup.staged_at == "C5"


def test_without_a_secret_nothing_becomes_ready(open_shop: OpenShop) -> None:
    shop = open_shop(secret=None)
    order = picked(shop, placed(shop))
    refused(Misconfigured, shop.store.pickups.ready, order.id)


# --- the pass ---------------------------------------------------------------------------------------------


def test_the_customer_sees_a_code_a_token_and_how_long_the_goods_wait(shop: Shop) -> None:
    order = ready(shop)
    ticket = shop.web.orders.pickup_pass(order.id)
    assert len(ticket.code) == 7
    assert ticket.code.isdigit()
    assert ticket.qr == f"OMNI:{order.id}:{ticket.token}"
    assert ticket.until == order.pickup.until


def test_the_pass_is_the_same_each_time_and_on_every_channel(shop: Shop) -> None:
    order = ready(shop)
    assert shop.web.orders.pickup_pass(order.id) == shop.app.orders.pickup_pass(order.id)


def test_there_is_no_pass_before_the_goods_are_ready_nor_after_they_are_gone(shop: Shop) -> None:
    order = placed(shop)
    refused(NotReady, shop.app.orders.pickup_pass, order.id)
    picked(shop, order)
    shop.store.pickups.ready(order.id)
    handed_over(shop, order)
    refused(NotReady, shop.app.orders.pickup_pass, order.id)


def test_nobody_sees_somebody_elses_pass(shop: Shop) -> None:
    order = ready(shop)
    refused(NotFound, shop.stranger.orders.pickup_pass, order.id)
    refused(NotFound, shop.guest.orders.pickup_pass, order.id)


@pytest.mark.parametrize("who", ["store", "phone", "office"])
def test_staff_agents_and_programs_have_no_way_to_a_pass(shop: Shop, who: str) -> None:
    assert not hasattr(getattr(shop, who).orders, "pickup_pass")


def test_code_and_token_are_stored_nowhere(shop: Shop, stored: Callable[[], Rows]) -> None:
    ticket = shop.app.orders.pickup_pass(ready(shop).id)
    rows = repr(stored())
    assert ticket.code not in rows
    assert ticket.token not in rows


def test_code_and_token_are_shown_by_no_repr(shop: Shop) -> None:
    ticket = shop.app.orders.pickup_pass(ready(shop).id)
    assert ticket.code not in repr(ticket)
    assert ticket.token not in repr(ticket)


def test_reissue_makes_a_new_code_and_kills_the_old_one(shop: Shop) -> None:
    order = ready(shop)
    old = code(shop, order)
    shop.store.pickups.reissue(order.id)
    new = code(shop, order)
    assert new != old
    refused(WrongCode, shop.store.pickups.hand_over, order.id, code=old)
    assert shop.store.pickups.hand_over(order.id, code=new).order.stage is Stage.COLLECTED


def test_only_what_is_ready_gets_a_new_code(shop: Shop) -> None:
    refused(IllegalTransition, shop.store.pickups.reissue, placed(shop).id)


# --- other stores -----------------------------------------------------------------------------------------


def test_another_stores_associate_does_not_know_the_order(shop: Shop) -> None:
    order = placed(shop)
    line = order.lines[0].id
    desk = shop.elsewhere.pickups
    for call in (
        lambda: desk.get(order.id),
        lambda: desk.pick(order.id, line, 1),
        lambda: desk.reset(order.id),
        lambda: desk.ready(order.id),
        lambda: desk.unready(order.id, reason="?"),
        lambda: desk.reissue(order.id),
        lambda: shop.elsewhere.orders.get(order.id),
        lambda: shop.elsewhere.orders.timeline(order.id),
        lambda: shop.elsewhere.orders.cancel(order.id),
    ):
        assert refused(NotFound, call).facts["kind"] == "order"
