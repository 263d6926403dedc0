"""Changing a confirmed order: other goods, another window, another store, as one new promise in place of the old."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from omniorder import (
    Add,
    Article,
    Card,
    Change,
    Consent,
    Money,
    Order,
    OrderEdit,
    PaidBy,
    PayInStore,
    PaymentState,
    Pick,
    PickupState,
    Price,
    Remove,
    Service,
    Settings,
    Slot,
    Store,
    Taken,
    events,
    from_json,
    to_json,
)
from omniorder.adapters.memory import MemoryStorage
from omniorder.errors import (
    IllegalTransition,
    KeyReused,
    Misconfigured,
    NotAllowed,
    NotCovered,
    OutOfStock,
    PaymentDeclined,
    PaymentInFlight,
    PlanImpossible,
    QuoteChanged,
    ServiceMissing,
    SlotUnavailable,
    SubstituteRefused,
)
from omniorder.ports.notifications import Occasion
from omniorder.ports.payments import Authorise, Capture, Void
from omniorder.testing.clock import FakeClock
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.invariants import check_all
from omniorder.testing.inventory import FakeInventory
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.sending import CENTRE, awaiting, centre
from tests.services.steps import (
    DECLINED,
    INSTANT,
    MASTERCARD,
    NEEDS_3DS,
    SILENT,
    booked,
    charged,
    code,
    level,
    names,
    placed,
    refused,
    slot_use,
)
from tests.services.test_notices import Postman
from tests.services.test_substitutes import DEARER, OTHER, UP_TO_3, finished, ordered, with_substitutes

MILK_AND_BREAD = {Shop.MILK: 2, Shop.BREAD: 2}
EUR = "EUR"


def later(shop: Shop, order: Order, nth: int = 3, *, store: str | None = None) -> Slot:
    """A window that the order could be moved to."""
    return shop.app.orders.slots(order.id, store=store)[nth]


def sent(shop: Shop, kind: type[Any]) -> list[Any]:
    """What the provider was asked for, of this kind."""
    return [request for request in shop.gateway.requests if isinstance(request, kind)]


def check(shop: Shop) -> None:
    check_all(shop.hub, gateways={"card": shop.gateway})


def collected(shop: Shop, order: Order, **what: Any) -> Order:
    """Everything that is wanted picked, made ready and handed over in Sofia."""
    shop.store.pickups.pick(order.id, [Pick(part.line, part.quantity) for part in order.pickup.rest()])
    order = shop.store.pickups.ready(order.id)
    return shop.store.pickups.hand_over(order.id, code=code(shop, order), **what).order


def raising(open_shop: OpenShop, **options: Any) -> Shop:
    """The shop with a provider that raises what is set aside."""
    clock = FakeClock()
    return open_shop(clock=clock, gateway=FakeGateway(clock=clock, incremental=True), **options)


# --- another window ---------------------------------------------------------------------------------------


def test_another_window_is_taken_before_the_old_one_is_free_and_everything_else_stays(shop: Shop) -> None:
    order = placed(shop, MILK_AND_BREAD)
    slot = later(shop, order)
    moved = shop.app.orders.change(order.id, slot=slot.id)
    assert (moved.pickup.slot, moved.pickup.window) == (slot.id, (slot.starts, slot.ends))
    assert (moved.pickup.state, moved.payments, moved.lines) == (PickupState.TO_PICK, order.payments, order.lines)
    assert (booked(shop, order.pickup.slot), slot_use(shop, slot.id).lines) == (0, 2)
    assert names(shop, order)[-2:] == ["OrderChanged", "SlotMoved"]
    check(shop)


@pytest.mark.parametrize("who", ["app", "web", "phone", "store", "office"])
def test_the_customer_their_agent_the_store_and_the_system_may_move_it_on_any_channel(who: str) -> None:
    with Shop.example() as shop:
        order = placed(shop)
        slot = later(shop, order)
        assert getattr(shop, who).orders.change(order.id, slot=slot.id).pickup.slot == slot.id


def test_a_full_window_is_refused_and_the_old_one_kept(shop: Shop, stored: Callable[[], Rows]) -> None:
    order, other = placed(shop), placed(shop, touch=shop.guest)
    slot = later(shop, order)
    shop.office.stores.put(Store(Shop.SOFIA, zone="Europe/Sofia", hours="24/7", slot_capacity=1))
    shop.office.orders.change(other.id, slot=slot.id)
    before = stored()
    for refusing in (shop.app.orders.change, shop.app.orders.quote_change):
        assert refused(SlotUnavailable, refusing, order.id, slot=slot.id).facts["reason"] == "full"
    assert stored() == before


def test_a_window_that_is_over_too_soon_or_closed_is_none() -> None:
    with Shop.example() as shop:
        order = placed(shop)
        at_ten, at_three = "slt_SOF01_20261123T0800Z", "slt_SOF01_20261124T0100Z"
        shop.clock.advance(minutes=5)
        for slot, reason in ((at_ten, "past"), (at_three, "closed"), ("slt_SOF01_20270123T0800Z", "beyond_horizon")):
            error = refused(SlotUnavailable, shop.app.orders.change, order.id, slot=slot)
            assert error.facts["reason"] == reason


def test_the_window_that_it_has_changes_nothing(shop: Shop, stored: Callable[[], Rows]) -> None:
    order = placed(shop)
    before = stored()
    assert shop.app.orders.change(order.id, slot=order.pickup.slot) == order
    assert stored() == before


# --- other goods ------------------------------------------------------------------------------------------


def test_fewer_units_are_called_off_and_less_is_captured_of_what_is_set_aside(shop: Shop) -> None:
    order = placed(shop, MILK_AND_BREAD)
    milk, bread = order.lines
    less = shop.app.orders.change(order.id, edits=[Change(milk.id, 1), Remove(bread.id)])
    assert (less.wanted_value, less.payments) == (Money(249, EUR), order.payments)
    assert (level(shop), level(shop, Shop.BREAD)) == ((40, 1), (5, 0))
    check(shop)
    collected(shop, less)
    assert (charged(shop), sent(shop, Void), len(sent(shop, Authorise))) == (249, [], 1)
    check(shop)


def test_more_units_come_as_a_line_of_their_own_at_the_price_of_now(shop: Shop) -> None:
    order = placed(shop)
    shop.office.prices.put(Price(Shop.MILK, Money(300, EUR), tax="0.20"))
    (milk,) = order.lines
    more = shop.app.orders.change(order.id, edits=[Change(milk.id, 3), Add(Shop.BREAD, 1, note="a fresh one")])
    assert [(line.sku, line.quantity, line.price.amount, line.note) for line in more.every_line] == [
        (Shop.MILK, 2, 249, ""), (Shop.MILK, 1, 300, ""), (Shop.BREAD, 1, 310, "a fresh one"),
    ]  # fmt: skip
    assert (more.lines, more.ceiling, more.due_in_store) == (order.lines, Money(1108, EUR), Money(610, EUR))
    assert (level(shop), level(shop, Shop.BREAD), slot_use(shop, order.pickup.slot).lines) == ((40, 3), (5, 1), 3)
    assert shop.app.orders.get(order.id) == more
    check(shop)
    collected(shop, more, taken=Taken(Money(610, EUR)))
    assert charged(shop) == 498
    check(shop)


def test_more_units_come_with_the_consent_of_their_line_and_may_be_substituted_up_to_its_cap(
    open_shop: OpenShop,
) -> None:
    shop = raising(open_shop, settings=Settings(raises_authorisations=True), migrate=True)
    order = ordered(shop, Consent.similar(cap=UP_TO_3))
    seen = shop.app.orders.quote_change(order.id, edits=[Change(order.lines[0].id, 4)])
    assert (seen.quote.total, seen.quote.ceiling) == (Money(996, EUR), Money(1200, EUR))
    more = shop.app.orders.change(order.id, edits=[Change(order.lines[0].id, 4)])
    (came,) = more.added
    assert (came.consent, more.ceiling) == (order.lines[0].consent, Money(1200, EUR))
    assert shop.app.orders.get(order.id) == more
    check(shop)
    for line in (order.lines[0], came):
        shop.store.pickups.substitute(order.id, line.id, 2, DEARER)
    finished(shop, shop.app.orders.get(order.id))
    assert charged(shop) == 4 * 299
    check(shop)


def test_a_wish_that_comes_by_a_change_brings_its_consent_which_the_journal_tells_without_allergens(shop: Shop) -> None:
    with_substitutes(shop)
    order = placed(shop, {Shop.BREAD: 1}, pay=PayInStore())
    consent = Consent.similar(cap=UP_TO_3, without_allergens=["gluten"])
    more = shop.app.orders.change(order.id, edits=[Add(Shop.MILK, 2, substitutes=consent)])
    (milk,) = more.added
    assert (milk.consent, more.ceiling) == (consent, Money(310 + 600, EUR))
    assert shop.app.orders.get(order.id) == more
    told = [entry.event for entry in shop.app.orders.timeline(order.id).items]
    came = [line for event in told if isinstance(event, events.LinesAppended) for line in event.lines]
    assert [line.consent for line in came] == [Consent.similar(cap=UP_TO_3)]
    check(shop)
    error = refused(SubstituteRefused, shop.store.pickups.substitute, order.id, milk.id, 1, OTHER)
    assert error.facts["reason"] == "allergen"
    after = shop.store.pickups.substitute(order.id, milk.id, 1, DEARER)
    assert [(line.sku, line.instead_of) for line in after.added] == [(Shop.MILK, ""), (DEARER, milk.id)]
    check(shop)


def test_what_is_dropped_and_what_comes_are_netted(shop: Shop) -> None:
    """All five loaves are this customer's: another line of two is had by giving two up."""
    order = placed(shop, {Shop.BREAD: 5})
    (bread,) = order.lines
    after = shop.app.orders.change(order.id, edits=[Change(bread.id, 3), Add(Shop.BREAD, 2, note="sliced")])
    assert (level(shop, Shop.BREAD), after.uncovered.amount) == ((5, 5), 0)
    check(shop)


def test_if_one_part_can_not_be_had_nothing_is_changed(shop: Shop, stored: Callable[[], Rows]) -> None:
    order = placed(shop, MILK_AND_BREAD)
    milk, _ = order.lines
    slot, edits = later(shop, order).id, [Remove(milk.id), Add(Shop.BREAD, 9)]
    before = stored()
    for refusing in (shop.app.orders.change, shop.app.orders.quote_change):
        error = refused(OutOfStock, refusing, order.id, slot=slot, edits=edits)
        assert [(one["sku"], one["wanted"], one["available"]) for one in error.facts["short"]] == [(Shop.BREAD, 9, 3)]
    assert stored() == before


def test_lines_beyond_what_the_window_takes_are_refused() -> None:
    with Shop.example() as shop:
        order = placed(shop)
        shop.office.stores.put(Store(Shop.SOFIA, zone="Europe/Sofia", hours="Mo-Sa 08:00-21:00", slot_lines=1))
        for refusing in (shop.app.orders.change, shop.app.orders.quote_change):
            error = refused(SlotUnavailable, refusing, order.id, edits=[Add(Shop.BREAD)])
            assert (error.facts["of"], error.facts["wanted"], error.facts["free"]) == ("lines", 1, 0)


def test_goods_can_not_come_once_there_is_no_time_to_prepare_them_but_go_at_any_time() -> None:
    with Shop.example() as shop:
        order = placed(shop, MILK_AND_BREAD)
        shop.clock.set(order.pickup.starts)
        error = refused(SlotUnavailable, shop.app.orders.change, order.id, edits=[Add(Shop.APPLES, 100)])
        assert error.facts["reason"] == "too_soon"
        assert shop.app.orders.change(order.id, edits=[Remove(order.lines[0].id)]).wanted_value == Money(620, EUR)


def test_all_lines_may_go_where_others_come_and_weighed_goods_keep_their_tolerance(shop: Shop) -> None:
    order = placed(shop, {Shop.CHEESE: 500})
    after = shop.app.orders.change(order.id, edits=[Remove(order.lines[0].id), Add(Shop.CHEESE, 400), Add(Shop.BREAD)])
    assert level(shop, Shop.CHEESE) == (5000, 440)
    check(shop)
    cheese, bread = after.added
    shop.store.pickups.pick(order.id, [Pick(cheese.id, 430), Pick(bread.id, 1)])
    ready = shop.store.pickups.ready(order.id)
    due = shop.app.orders.get(order.id).due_in_store
    shop.store.pickups.hand_over(order.id, code=code(shop, ready), taken=Taken(due) if due.amount else None)
    assert charged(shop) + due.amount == 555 + 310
    check(shop)


# --- another store ----------------------------------------------------------------------------------------


def test_another_store_holds_all_that_is_wanted_then_and_the_first_nothing(shop: Shop) -> None:
    order = placed(shop, MILK_AND_BREAD)
    milk, _ = order.lines
    slot = later(shop, order, 0, store=Shop.VARNA)
    moved = shop.app.orders.change(order.id, slot=slot.id, edits=[Change(milk.id, 1), Add(Shop.MILK, 3)])
    assert (moved.id, moved.pickup.store, moved.pickup.state) == (order.id, Shop.VARNA, PickupState.TO_PICK)
    assert (moved.payments[0], booked(shop, order.pickup.slot)) == (order.payments[0], 0)
    held = [level(shop, sku, store)[1] for store in (Shop.SOFIA, Shop.VARNA) for sku in (Shop.MILK, Shop.BREAD)]
    assert (held, slot_use(shop, slot.id).lines) == ([0, 0, 4, 2], 3)
    check(shop)


def test_it_may_go_there_and_back_with_other_goods_each_time(shop: Shop) -> None:
    order = placed(shop)
    for store, sku in ((Shop.VARNA, Shop.BREAD), (Shop.SOFIA, Shop.APPLES), (Shop.VARNA, Shop.MILK)):
        gone = Remove(shop.app.orders.get(order.id).every_line[-1].id)
        more: list[OrderEdit] = [] if store == Shop.VARNA and sku == Shop.MILK else [Add(sku, 2)]
        edits = [gone, *more] if order.added else more
        slot = later(shop, order, 0, store=store)
        order = shop.app.orders.change(order.id, slot=slot.id, edits=edits)
        check(shop)
    assert (order.pickup.store, level(shop), level(shop, Shop.MILK, Shop.VARNA)) == (Shop.VARNA, (40, 0), (10, 2))


def test_a_store_without_the_goods_or_that_does_not_hand_them_over_so_is_refused(
    shop: Shop, stored: Callable[[], Rows]
) -> None:
    shop.office.articles.put(Article("WINE", "Red wine", needs=[Service.AGE_RESTRICTED]))
    shop.office.prices.put(Price("WINE", Money(900, EUR), tax="0.20"))
    shop.office.stock.receive(Shop.MARKET, "WINE", 5)
    order = placed(shop, {Shop.MILK: 11})
    slot = later(shop, order, 0, store=Shop.VARNA).id
    before = stored()
    error = refused(OutOfStock, shop.app.orders.change, order.id, slot=slot)
    assert (error.facts["store"], error.facts["short"][0]["wanted"]) == (Shop.VARNA, 11)
    lacking = refused(ServiceMissing, shop.app.orders.change, order.id, edits=[Add("WINE")])
    assert lacking.facts["missing"] == [{"sku": "WINE", "service": "age_restricted"}]
    assert stored() == before


def test_goods_that_come_from_elsewhere_are_waited_for_and_called_off_by_a_move_to_another_store(shop: Shop) -> None:
    centre(shop)
    order = awaiting(shop)
    arrives = order.pickup.awaited[0].expected_at
    assert all(slot.starts >= arrives for slot in shop.app.orders.slots(order.id))
    too_early = next(slot for slot in shop.app.orders.slots(placed(shop, {Shop.MILK: 1}).id) if slot.starts < arrives)
    error = refused(SlotUnavailable, shop.app.orders.change, order.id, slot=too_early.id)
    assert error.facts["reason"] == "before_arrival"
    slot = later(shop, order, 0, store=Shop.VARNA)
    bread = order.lines[0] if order.lines[0].sku == Shop.BREAD else order.lines[1]
    moved = shop.app.orders.change(order.id, slot=slot.id, edits=[Change(bread.id, 2)])
    assert (moved.pickup.awaited, moved.pickup.state) == ((), PickupState.TO_PICK)
    assert (shop.office.transfers.outgoing(CENTRE).items, level(shop, Shop.BREAD, CENTRE)) == ((), (10, 0))
    check(shop)


def test_without_what_is_awaited_the_rest_is_picked_at_once(shop: Shop) -> None:
    centre(shop)
    order = awaiting(shop)
    bread = next(line for line in order.lines if line.sku == Shop.BREAD)
    after = shop.app.orders.change(order.id, edits=[Change(bread.id, 5), Add(Shop.APPLES, 300)])
    assert (after.pickup.state, level(shop, Shop.BREAD), level(shop, Shop.APPLES)[1]) == (
        PickupState.TO_PICK, (5, 5), 300,
    )  # fmt: skip
    check(shop)


# --- money ------------------------------------------------------------------------------------------------

MORE = [Add(Shop.BREAD, 1)]


def test_a_provider_that_can_raises_what_is_set_aside_and_no_second_authorisation_is_made(open_shop: OpenShop) -> None:
    shop = raising(open_shop)
    order = placed(shop)
    seen = shop.app.orders.quote_change(order.id, edits=MORE)
    assert (seen.quote.total, seen.difference, seen.missing, seen.paid_by) == (
        Money(808, EUR), Money(310, EUR), Money(310, EUR), PaidBy.RAISED,
    )  # fmt: skip
    more = shop.app.orders.change(order.id, edits=MORE, expect=seen.quote.total)
    assert ([p.authorised for p in more.payments], more.ceiling) == ([Money(808, EUR)], Money(808, EUR))
    assert (len(sent(shop, Authorise)), sent(shop, Void)) == (1, [])
    check(shop)
    collected(shop, more)
    assert [request.amount for request in sent(shop, Capture)] == [Money(808, EUR)]
    check(shop)


def test_an_increase_that_is_refused_leaves_the_rest_to_the_counter(open_shop: OpenShop) -> None:
    shop = raising(open_shop)
    order = placed(shop, pay=Card("pm_card_increase_declined"))
    more = shop.app.orders.change(order.id, edits=MORE)
    assert (more.payments[0].authorised, more.due_in_store) == (Money(498, EUR), Money(310, EUR))
    check(shop)


def test_an_increase_without_an_answer_is_found_by_a_sweep_and_nothing_more_is_asked_for_meanwhile(
    open_shop: OpenShop,
) -> None:
    shop = raising(open_shop)
    order = placed(shop)
    shop.gateway.lose_next_reply()
    more = shop.app.orders.change(order.id, edits=MORE)
    assert (more.payments[0].being_raised, more.funding.value, more.pickup.state.value) == (True, "short", "to_pick")
    refused(PaymentInFlight, shop.app.orders.change, order.id, edits=MORE)
    shop.app.orders.change(order.id, slot=later(shop, order).id)  # needs no more money
    check(shop)
    shop.advance(minutes=1)
    assert shop.app.orders.get(order.id).payments[0].authorised == Money(808, EUR)
    assert set(shop.gateway.effects.values()) == {1}
    check(shop)


def test_another_tender_gives_the_difference_and_the_first_is_kept(shop: Shop) -> None:
    order = placed(shop)
    more = shop.app.orders.change(order.id, edits=MORE, pay=MASTERCARD)
    assert [(p.authorised.amount, p.state) for p in more.payments] == [
        (498, PaymentState.AUTHORISED), (310, PaymentState.AUTHORISED),
    ]  # fmt: skip
    check(shop)
    collected(shop, more)
    assert charged(shop) == 808
    check(shop)


def test_where_nothing_covers_it_the_change_is_refused_before_anything_is_written(
    open_shop: OpenShop, stored: Callable[[], Rows]
) -> None:
    shop = open_shop(settings=Settings(falls_back_to_counter=False))
    order = placed(shop)
    before = stored()
    assert shop.app.orders.quote_change(order.id, edits=MORE).paid_by is PaidBy.TENDER
    assert refused(NotCovered, shop.app.orders.change, order.id, edits=MORE).facts["missing"] == "3.10 EUR"
    assert stored() == before


def test_a_tender_that_is_declined_leaves_the_rest_to_the_counter_or_to_another_tender(open_shop: OpenShop) -> None:
    shop = open_shop()
    order = placed(shop)
    assert shop.app.orders.change(order.id, edits=MORE, pay=DECLINED).due_in_store == Money(310, EUR)
    check(shop)


def test_a_declined_tender_is_told_where_the_counter_takes_nothing_and_another_pays() -> None:
    with Shop.example(settings=Settings(falls_back_to_counter=False)) as shop:
        order = placed(shop)
        error = refused(PaymentDeclined, shop.app.orders.change, order.id, edits=MORE, pay=DECLINED)
        assert error.order.wanted_value == Money(808, EUR)
        check(shop)
        moved = shop.app.orders.change(order.id, slot=later(shop, order).id)
        assert (moved.funding.value, moved.uncovered) == ("short", Money(310, EUR))
        paid = shop.app.orders.change(order.id, pay=MASTERCARD)
        assert (paid.funding.value, names(shop, order).count("OrderChanged")) == ("covered", 2)
        check(shop)
        collected(shop, paid)
        assert charged(shop) == 808


@pytest.mark.parametrize("card", [NEEDS_3DS, SILENT])
def test_a_customer_who_never_confirms_the_difference_pays_it_at_the_counter(open_shop: OpenShop, card: Any) -> None:
    shop = open_shop()
    order = placed(shop)
    more = shop.app.orders.change(order.id, edits=MORE, pay=card)
    assert more.payments[1].state in (PaymentState.ACTION_REQUIRED, PaymentState.AUTHORISING)
    for _ in range(4):
        shop.advance(minutes=11)
        check(shop)
    assert shop.app.orders.get(order.id).due_in_store == Money(310, EUR)


def test_what_was_paid_at_once_goes_back_by_as_much_as_is_called_off(shop: Shop) -> None:
    order = placed(shop, MILK_AND_BREAD, pay=INSTANT)
    after = shop.app.orders.change(order.id, edits=[Remove(order.lines[0].id)])
    assert (charged(shop), after.wanted_value) == (620, Money(620, EUR))
    check(shop)


def test_what_is_paid_in_the_store_is_paid_there_whatever_it_comes_to(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(falls_back_to_counter=False))
    order = placed(shop, pay=PayInStore())
    more = shop.app.orders.change(order.id, edits=MORE)
    assert more.due_in_store == Money(808, EUR)
    (milk,) = more.lines
    less = shop.app.orders.change(order.id, edits=[Remove(milk.id)])
    assert less.due_in_store == Money(310, EUR)
    check(shop)
    collected(shop, less, taken=Taken(Money(310, EUR)))
    check(shop)


def test_what_was_set_aside_once_is_enough_for_other_goods_of_the_same_price(shop: Shop) -> None:
    order = placed(shop, {Shop.BREAD: 2})
    less = shop.app.orders.change(order.id, edits=[Change(order.lines[0].id, 1)])
    more = shop.app.orders.change(order.id, edits=MORE)
    assert (less.ceiling, more.ceiling, more.payments) == (order.ceiling, order.ceiling, order.payments)
    check(shop)


def test_a_window_that_outlives_what_is_set_aside_is_refused_where_nothing_helps(
    open_shop: OpenShop, stored: Callable[[], Rows]
) -> None:
    clock = FakeClock()
    card = FakeGateway(clock=clock, lifetimes={"": timedelta(hours=8)}, partial_refund=False)
    shop = open_shop(clock=clock, gateway=card, settings=Settings(falls_back_to_counter=False))
    order = placed(shop)
    before = stored()
    slot = shop.app.orders.slots(order.id)[-1]
    assert refused(PlanImpossible, shop.app.orders.change, order.id, slot=slot.id).facts["reason"] == "too_short"
    assert stored() == before


def test_another_total_than_the_customer_saw_is_refused_with_the_new_one(
    shop: Shop, stored: Callable[[], Rows]
) -> None:
    order = placed(shop)
    seen = shop.app.orders.quote_change(order.id, edits=MORE)
    shop.office.prices.put(Price(Shop.BREAD, Money(350, EUR), tax="0.09"))
    before = stored()
    error = refused(QuoteChanged, shop.app.orders.change, order.id, edits=MORE, expect=seen.quote.total)
    assert (error.quote.total, error.facts["expected"]) == (Money(848, EUR), "8.08 EUR")
    assert stored() == before


def test_a_preview_can_be_written_and_read_again() -> None:
    with Shop.example() as shop:
        seen = shop.app.orders.quote_change(placed(shop).id, edits=MORE)
        assert from_json(to_json(seen)) == seen
        assert to_json(seen)["window"][0].endswith("+02:00")


# --- who, and when ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["store", "office"])
def test_only_who_acts_for_the_customer_has_it_cost_more(who: str) -> None:
    with Shop.example() as shop:
        order = placed(shop, MILK_AND_BREAD)
        desk = getattr(shop, who).orders
        refused(NotAllowed, desk.change, order.id, edits=MORE)
        swapped = desk.change(order.id, edits=[Change(order.lines[1].id, 1), Add(Shop.BREAD, 1)])
        assert swapped.wanted_value == order.total
        assert shop.phone.orders.change(order.id, edits=[Add(Shop.APPLES, 100)]).wanted_value > order.total


def test_once_the_store_has_begun_to_pick_it_is_too_late(shop: Shop, stored: Callable[[], Rows]) -> None:
    order = placed(shop)
    slot = later(shop, order).id
    shop.store.pickups.pick(order.id, order.lines[0].id, 1)
    before = stored()
    for refusing in (shop.app.orders.change, shop.app.orders.quote_change):
        error = refused(IllegalTransition, refusing, order.id, slot=slot)
        facts = error.facts
        assert (error.code, facts["machine"], facts["state"]) == ("transition.illegal", "pickup", "picking")
    refused(IllegalTransition, shop.app.orders.slots, order.id)
    assert stored() == before
    shop.store.pickups.reset(order.id)
    assert shop.app.orders.change(order.id, slot=slot).pickup.slot == slot


def test_an_order_that_is_not_paid_yet_is_no_promise_to_be_changed() -> None:
    with Shop.example() as shop:
        order = placed(shop, pay=NEEDS_3DS)
        error = refused(IllegalTransition, shop.app.orders.change, order.id, edits=MORE)
        assert (error.facts["machine"], error.facts["state"]) == ("order", "placed")


def test_where_the_stock_is_outside_windows_and_less_are_all_that_can_be_changed() -> None:
    clock = FakeClock()
    with Shop.example(clock=clock, outside=FakeInventory(clock=clock)) as shop:
        order = placed(shop, MILK_AND_BREAD)
        refused(Misconfigured, shop.app.orders.change, order.id, edits=MORE)
        edits = [Change(order.lines[0].id, 1)]
        after = shop.app.orders.change(order.id, slot=later(shop, order).id, edits=edits)
        assert after.wanted_value == Money(869, EUR)


# --- once -------------------------------------------------------------------------------------------------


def test_under_a_key_it_is_done_once_and_another_body_is_refused(shop: Shop) -> None:
    order = placed(shop, MILK_AND_BREAD)
    edits: list[OrderEdit] = [Remove(order.lines[0].id), Add(Shop.APPLES, 100)]
    first = shop.app.orders.change(order.id, edits=edits, key="k")
    assert shop.app.orders.change(order.id, edits=edits, key="k") == first
    for other in ({"edits": MORE}, {"edits": [Remove("ln_gone")]}, {"slot": later(shop, order).id}):
        refused(KeyReused, shop.app.orders.change, order.id, key="k", **other)
    assert names(shop, order).count("OrderChanged") == 1


def test_a_change_whose_commit_is_in_doubt_is_made_once() -> None:
    with Shop.example() as shop:
        order = placed(shop)
        storage = shop.hub._parts.storage
        assert isinstance(storage, MemoryStorage)
        storage.fail_next_commit(written=True)
        assert shop.app.orders.change(order.id, edits=MORE).wanted_value == Money(808, EUR)
        storage.fail_next_commit()
        assert shop.app.orders.change(order.id, edits=MORE).wanted_value == Money(1118, EUR)
        check(shop)


def test_the_customer_is_told_once_of_all_that_a_change_is() -> None:
    postman = Postman()
    with Shop.example(notifier=postman) as shop:
        order = placed(shop, MILK_AND_BREAD)
        shop.hub.sweep()
        edits: list[OrderEdit] = [Change(order.lines[0].id, 1), Add(Shop.MILK, 2)]
        shop.app.orders.change(order.id, slot=later(shop, order).id, edits=edits)
        shop.app.orders.change(order.id, slot=later(shop, order, 0, store=Shop.VARNA).id, edits=[])
        shop.hub.sweep()
        assert postman.occasions(order.id) == [Occasion.CONFIRMED, Occasion.CHANGED, Occasion.CHANGED]


def test_what_the_store_does_right_after_a_change_is_told_all_the_same() -> None:
    postman = Postman()
    with Shop.example(notifier=postman) as shop:
        order = placed(shop, MILK_AND_BREAD)
        shop.app.orders.change(order.id, slot=later(shop, order).id)
        after = shop.store.pickups.reject(order.id, [Pick(order.lines[0].id, 1)], reason="not_found")
        shop.app.orders.answer(order.id, "less")
        shop.hub.sweep()
        assert after.pickup.question is not None
        assert postman.occasions(order.id)[1:] == [Occasion.CHANGED, Occasion.QUESTION, Occasion.LESS]


def test_the_journal_tells_what_was_promised_instead_and_keeps_no_note(shop: Shop) -> None:
    order = placed(shop)
    shop.app.orders.change(order.id, slot=later(shop, order).id, edits=[Add(Shop.BREAD, note="for Maria")])
    entries = shop.app.orders.timeline(order.id).items
    told = next(entry for entry in entries if isinstance(entry.event, events.OrderChanged))
    assert told.event == events.OrderChanged(Money(808, EUR), 2)
    assert (told.stamp.channel.value, told.stamp.actor) == ("app", "customer:anna")
    assert "Maria" not in repr([(entry.event, getattr(entry.event, "notes", ())) for entry in entries])
    assert shop.web.orders.get(order.id).added[0].note == "for Maria"
