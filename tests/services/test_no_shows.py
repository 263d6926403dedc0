"""When nobody comes: reminders, more time, the end of what is perishable, and what is kept of an order's money."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve

from omniorder import (
    Article,
    Closure,
    Leftovers,
    Money,
    MovementKind,
    NoShowPolicy,
    OrderState,
    PayInStore,
    RemindAfter,
    RemindBefore,
    Scope,
    Settings,
    Stage,
    Tender,
    events,
)
from omniorder.errors import NotAllowed, NotExtended, NotFound, NotReady
from omniorder.ports.notifications import Occasion
from omniorder.testing.clock import FakeClock
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.invariants import check_all, nothing_is_overdue
from omniorder.testing.inventory import FakeInventory
from omniorder.testing.shop import Shop
from tests.domain.test_waiting import CASES
from tests.services.conftest import OpenShop
from tests.services.steps import (
    INSTANT,
    VISA,
    charged,
    handed_over,
    level,
    names,
    part,
    picked,
    placed,
    ready,
    refused,
)
from tests.services.test_notices import Postman

SOFIA = ZoneInfo("Europe/Sofia")
BOTH = {Shop.MILK: 2, Shop.BREAD: 1}
EUR = "EUR"


def go_to(shop: Shop, day: int, hour: int, minute: int = 0) -> list[str]:
    """What a sweep does on this day of November, at this time in Sofia, and a little later."""
    shop.clock.set(datetime(2026, 11, day, hour, minute, tzinfo=SOFIA))
    shop.clock.advance(seconds=10)
    return sorted(shop.hub.sweep().happened)


def shown(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(SOFIA):%a %d %b %H:%M}"


def with_policy(open_shop: OpenShop, *, notifier: Postman | None = None, **policy: Any) -> Shop:
    """A shop with this policy, in which bread is perishable."""
    more = {} if notifier is None else {"notifier": notifier, "migrate": True}
    shop = open_shop(settings=Settings(no_show=NoShowPolicy(**policy)), **more)
    shop.office.articles.put(Article(Shop.BREAD, "Rye bread", perishable=True))
    return shop


@pytest.fixture
def postman() -> Postman:
    return Postman()


# --- by the store's own clocks ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("spring in Sofia", "autumn in Stockholm", "an evening past midnight", "around the clock"),
        *("over Christmas", "over New Year"),
    ],
)
def test_nothing_happens_a_minute_too_early_over_clock_changes_holidays_and_midnight(
    open_shop: OpenShop, name: str
) -> None:
    """The clock stands still, jumps to a minute before each instant that was announced, and then to it."""
    case = CASES[name]
    zone, clock = ZoneInfo(case.zone), FakeClock()
    shop = open_shop(clock=clock, settings=Settings(no_show=NoShowPolicy(reminders=case.rules)))
    sofia = shop.office.stores.get(Shop.SOFIA)
    at = datetime(*case.ready, tzinfo=zone)
    usual = evolve(sofia, hours="24/7", zone=case.zone, country=case.country, pickup_days=1, lead=timedelta(0))
    shop.office.stores.put(usual)
    clock.set(at - timedelta(hours=3))
    order = picked(shop, placed(shop))
    shop.office.stores.put(evolve(usual, hours=case.hours))
    clock.set(at)
    order = shop.store.pickups.ready(order.id)

    def happens_at(moment: datetime | None, event: str) -> None:
        assert moment is not None
        clock.set(moment - timedelta(minutes=1))
        assert event not in shop.hub.sweep().happened
        clock.set(moment + timedelta(seconds=10))
        assert event in shop.hub.sweep().happened

    local = [f"{moment.astimezone(zone):%a %d %b %H:%M}" for moment in order.pickup.reminders]
    assert local == case.reminders
    for moment in order.pickup.reminders:
        happens_at(moment, "Reminded")
    assert order.pickup.until is not None
    assert f"{order.pickup.until.astimezone(zone):%a %d %b %H:%M}" == case.until
    happens_at(order.pickup.until, "NoShow")
    check_all(shop.hub)


# --- reminders --------------------------------------------------------------------------------------------


def test_the_customer_is_reminded_at_each_planned_time_once(open_shop: OpenShop, postman: Postman) -> None:
    shop = with_policy(open_shop, notifier=postman, reminders=[RemindAfter(1), RemindBefore(timedelta(hours=2))])
    order = ready(shop)  # on Monday at ten, until Thursday evening
    assert [shown(at) for at in order.pickup.reminders] == ["Tue 24 Nov 10:00", "Thu 26 Nov 19:00"]
    assert [go_to(shop, 24, hour) for hour in (9, 10, 11)] == [[], ["Reminded"], []]
    assert [go_to(shop, 26, hour) for hour in (18, 19, 20)] == [[], ["Reminded"], []]
    assert "NoShow" in go_to(shop, 26, 21)
    told = [Occasion.CONFIRMED, Occasion.READY, Occasion.REMINDER, Occasion.REMINDER, Occasion.EXPIRED]
    shop.hub.sweep()
    assert postman.occasions(order.id) == told
    check_all(shop.hub)


def test_after_an_outage_one_reminder_is_sent_for_all_that_were_missed(open_shop: OpenShop, postman: Postman) -> None:
    shop = with_policy(open_shop, notifier=postman)
    order = ready(shop)
    assert go_to(shop, 26, 20) == ["Reminded"]
    shop.hub.sweep()
    assert postman.occasions(order.id).count(Occasion.REMINDER) == 1
    nothing_is_overdue(shop.hub)


def test_whoever_has_collected_is_not_reminded_even_if_the_message_was_on_its_way(
    open_shop: OpenShop, postman: Postman
) -> None:
    shop = with_policy(open_shop, notifier=postman)
    collected, late = ready(shop), ready(shop)
    handed_over(shop, collected)
    postman.refuses = {late.id}
    assert go_to(shop, 24, 10) == ["Reminded"]
    handed_over(shop, late)
    postman.refuses = set()
    go_to(shop, 24, 12)
    assert [postman.occasions(order.id).count(Occasion.REMINDER) for order in (collected, late)] == [0, 0]


def test_whoever_collected_a_part_is_reminded_of_the_rest(shop: Shop) -> None:
    order = ready(shop)
    handed_over(shop, order, lines=part(order, 1))
    assert go_to(shop, 24, 10) == ["Reminded"]


# --- longer -----------------------------------------------------------------------------------------------


def test_the_customer_has_the_goods_kept_longer_once_and_on_any_channel(open_shop: OpenShop, postman: Postman) -> None:
    shop = with_policy(open_shop, notifier=postman)
    order = ready(shop)
    assert go_to(shop, 26, 19) == ["Reminded"]
    order = shop.phone.orders.extend(order.id, key="k-1")
    assert shop.phone.orders.extend(order.id, key="k-1") == order
    assert (shown(order.pickup.until), order.pickup.extended) == ("Fri 27 Nov 21:00", True)
    again = refused(NotExtended, shop.app.orders.extend, order.id)
    assert (again.code, again.facts["reason"]) == ("pickup.not_extended", "used")
    assert go_to(shop, 26, 22) == []
    assert go_to(shop, 27, 19) == ["Reminded"]
    go_to(shop, 27, 21)
    shop.hub.sweep()
    assert postman.occasions(order.id)[-4:] == [
        Occasion.REMINDER, Occasion.EXTENDED, Occasion.REMINDER, Occasion.EXPIRED,
    ]  # fmt: skip
    assert names(shop, order).count("DeadlineExtended") == 1
    check_all(shop.hub)


def test_only_what_is_ready_is_extended_and_only_by_its_customer(shop: Shop) -> None:
    order = placed(shop)
    assert refused(NotReady, shop.app.orders.extend, order.id).facts["state"] == "to_pick"
    picked(shop, order)
    shop.store.pickups.ready(order.id)
    refused(NotFound, shop.stranger.orders.extend, order.id)
    shop.stranger.handoffs.accept(shop.app.handoffs.offer(order.cart_id, Scope.EDIT).token)
    refused(NotAllowed, shop.stranger.orders.extend, order.id)
    shop.advance(days=9)
    assert refused(NotReady, shop.app.orders.extend, order.id).facts["state"] == "lapsed"


def test_the_store_keeps_the_goods_until_a_day_that_it_names(shop: Shop) -> None:
    order = ready(shop)
    order = shop.store.pickups.extend(order.id, until=date(2026, 11, 28))
    assert (shown(order.pickup.until), order.pickup.extended) == ("Sat 28 Nov 21:00", False)
    refused(NotFound, shop.elsewhere.pickups.extend, order.id, until=date(2026, 11, 30))
    sunday = refused(NotExtended, shop.store.pickups.extend, order.id, until=date(2026, 11, 29))
    assert sunday.facts["reason"] == "closed"
    order = shop.app.orders.extend(order.id)
    assert shown(order.pickup.until) == "Mon 30 Nov 21:00"


def test_an_authorisation_that_would_end_before_the_new_deadline_is_captured_early(open_shop: OpenShop) -> None:
    clock = FakeClock()
    gateway = FakeGateway(clock=clock, lifetimes={"": timedelta(days=4)})
    shop = open_shop(clock=clock, gateway=gateway)
    order = ready(shop)
    go_to(shop, 26, 20)
    assert (shown(order.payments[0].until), charged(shop)) == ("Fri 27 Nov 10:00", 0)
    order = shop.app.orders.extend(order.id)  # until Friday evening
    shop.hub.sweep()
    assert (charged(shop), shop.app.orders.get(order.id).stage) == (498, Stage.READY)
    go_to(shop, 27, 21)
    shop.advance(minutes=1)
    assert (charged(shop), shop.app.orders.get(order.id).stage) == (0, Stage.NOT_COLLECTED)
    check_all(shop.hub)


# --- a store that closes after all ------------------------------------------------------------------------


def test_a_deadline_on_a_day_on_which_the_store_closes_after_all_is_moved_and_told(
    open_shop: OpenShop, postman: Postman
) -> None:
    shop = with_policy(open_shop, notifier=postman, reminders=[RemindBefore(timedelta(hours=2))])
    order = ready(shop)
    begins = datetime(2026, 11, 26, tzinfo=SOFIA)
    day_off = Closure(begins, begins + timedelta(days=1))
    shop.office.stores.put(evolve(shop.office.stores.get(Shop.SOFIA), closed=[day_off]))
    assert go_to(shop, 26, 19) == ["DeadlineExtended"]
    order = shop.app.orders.get(order.id)
    waits = [shown(at) for at in (order.pickup.until, *order.pickup.reminders)]
    assert waits == ["Fri 27 Nov 21:00", "Fri 27 Nov 19:00"]
    assert go_to(shop, 27, 19) == ["Reminded"]
    go_to(shop, 27, 21)
    shop.hub.sweep()
    assert postman.occasions(order.id)[-3:] == [Occasion.EXTENDED, Occasion.REMINDER, Occasion.EXPIRED]
    check_all(shop.hub)


def test_goods_that_spoil_on_a_day_on_which_the_store_closes_after_all_cost_no_fee(open_shop: OpenShop) -> None:
    shop = with_policy(open_shop, fee=Money(100, EUR))
    order = ready(shop, {Shop.BREAD: 1})
    begins = datetime(2026, 11, 24, tzinfo=SOFIA)
    day_off = Closure(begins, begins + timedelta(days=1))
    shop.office.stores.put(evolve(shop.office.stores.get(Shop.SOFIA), closed=[day_off]))
    assert "NoShow" in go_to(shop, 24, 21)
    assert shop.office.orders.get(order.id).fees.amount == 0


# --- the fee ----------------------------------------------------------------------------------------------

FEE = Money(100, EUR)


@pytest.mark.parametrize(("pay", "kept"), [(VISA, 150), (INSTANT, 150), (PayInStore(), 0)])
def test_of_what_nobody_collects_the_fee_is_kept_where_there_is_money_and_the_rest_goes_back(
    open_shop: OpenShop, pay: Tender, kept: int
) -> None:
    shop = with_policy(open_shop, fee=FEE, fee_share="0.10")
    order = ready(shop, pay=pay)
    shop.advance(days=9)
    shop.advance(minutes=5)
    order = shop.office.orders.get(order.id)
    assert (order.stage, order.fees.amount, charged(shop)) == (Stage.NOT_COLLECTED, kept, kept)
    happened = names(shop, order)
    assert happened.count("FeeCharged") == (1 if kept else 0)
    assert not kept or happened.index("FeeCharged") < happened.index("NoShowStarted")
    assert level(shop) == (40, 0)
    check_all(shop.hub)


def test_a_fee_that_no_tender_gives_after_all_is_forgone(open_shop: OpenShop) -> None:
    shop = with_policy(open_shop, fee=FEE)
    order = ready(shop)
    shop.gateway.expire(order.payments[0])
    shop.advance(days=9)
    shop.advance(minutes=5)
    order = shop.office.orders.get(order.id)
    assert (order.state, order.fees, order.credited, charged(shop)) == (OrderState.EXPIRED, FEE, FEE, 0)
    check_all(shop.hub)


def test_where_a_provider_can_neither_take_nor_give_back_a_part_no_fee_is_kept(open_shop: OpenShop) -> None:
    clock = FakeClock()
    gateway = FakeGateway(clock=clock, partial_capture=False, partial_refund=False)
    shop = open_shop(clock=clock, gateway=gateway, settings=Settings(no_show=NoShowPolicy(fee=FEE)))
    order = ready(shop)
    shop.advance(days=9)
    shop.advance(minutes=5)
    order = shop.office.orders.get(order.id)
    assert (order.state, order.fees.amount, charged(shop)) == (OrderState.EXPIRED, 0, 0)
    check_all(shop.hub)


def test_whoever_collected_a_part_pays_no_fee_for_the_rest(open_shop: OpenShop) -> None:
    shop = with_policy(open_shop, fee=FEE)
    order = ready(shop)
    handed_over(shop, order, lines=part(order, 1))
    shop.advance(days=9)
    shop.advance(minutes=5)
    order = shop.office.orders.get(order.id)
    assert (order.stage, order.fees.amount, charged(shop)) == (Stage.COLLECTED, 0, 249)


# --- what is perishable -----------------------------------------------------------------------------------

STOCK_OF_BREAD = 5


@pytest.mark.parametrize(
    ("left", "on_hand", "quarantined", "kinds"),
    [
        (Leftovers.WRITE_OFF, 4, 0, [MovementKind.WRITE_OFF]),
        (Leftovers.QUARANTINE, 4, 1, [MovementKind.QUARANTINE]),
        (Leftovers.RESTOCK, 5, 0, []),
    ],
)
def test_perishable_goods_lapse_before_the_others_and_are_put_away(
    open_shop: OpenShop, postman: Postman, left: Leftovers, on_hand: int, quarantined: int, kinds: list[MovementKind]
) -> None:
    shop = with_policy(open_shop, notifier=postman, perishables=left, reminders=[])
    order = ready(shop, BOTH)
    assert [shown(order.pickup.spoils_at), shown(order.pickup.until)] == ["Tue 24 Nov 21:00", "Thu 26 Nov 21:00"]
    assert go_to(shop, 24, 21) == ["UnitsSpoiled"]
    found = shop.office.stock.level(Shop.SOFIA, Shop.BREAD)
    assert (found.on_hand, found.reserved, found.quarantined) == (on_hand, 0, quarantined)
    moved = shop.office.stock.movements(Shop.SOFIA, Shop.BREAD).items[1:]
    assert [one.kind for one in moved] == kinds
    assert all((one.reason, one.reference) == ("not_collected", order.id) for one in moved)
    shop.hub.sweep()
    assert postman.occasions(order.id)[-1] is Occasion.LESS
    receipt = handed_over(shop, shop.app.orders.get(order.id))
    assert (receipt.total.amount, charged(shop), level(shop)) == (498, 498, (38, 0))
    check_all(shop.hub)


@pytest.mark.parametrize("sold_meanwhile", [0, STOCK_OF_BREAD])
def test_an_order_of_perishable_goods_alone_is_a_no_show_when_they_spoil(
    open_shop: OpenShop, sold_meanwhile: int
) -> None:
    """However wrong the books are: no more is written off than they have."""
    shop = with_policy(open_shop, fee=FEE)
    order = ready(shop, {Shop.BREAD: 2})
    if sold_meanwhile:
        shop.office.stock.adjust(Shop.SOFIA, Shop.BREAD, -sold_meanwhile, reason="stolen")
    assert order.pickup.until == order.pickup.spoils_at
    assert refused(NotExtended, shop.app.orders.extend, order.id).facts["reason"] == "perishable"
    go_to(shop, 24, 21)
    order = shop.office.orders.get(order.id)
    assert (order.stage, order.fees, charged(shop)) == (Stage.NOT_COLLECTED, FEE, 100)
    assert level(shop, Shop.BREAD) == ((0, 0) if sold_meanwhile else (3, 0))
    check_all(shop.hub)


def test_what_is_perishable_in_the_rest_is_put_away_too(open_shop: OpenShop) -> None:
    shop = with_policy(open_shop)
    order = ready(shop, BOTH)
    handed_over(shop, order, lines=part(order, 2))
    go_to(shop, 24, 21)
    order = shop.office.orders.get(order.id)
    assert (order.stage, level(shop, Shop.BREAD), level(shop)) == (Stage.COLLECTED, (4, 0), (38, 0))
    check_all(shop.hub)


def test_an_extension_does_not_keep_perishable_goods_and_the_others_wait(open_shop: OpenShop) -> None:
    shop = with_policy(open_shop)
    order = shop.app.orders.extend(ready(shop, BOTH).id)
    assert [shown(order.pickup.spoils_at), shown(order.pickup.until)] == ["Tue 24 Nov 21:00", "Fri 27 Nov 21:00"]
    assert "UnitsSpoiled" in go_to(shop, 24, 21)
    assert handed_over(shop, shop.app.orders.get(order.id)).total.amount == 498


def test_a_stock_system_outside_hears_that_what_spoiled_is_free(database_url: str, open_shop: OpenShop) -> None:
    if database_url != "memory://":
        pytest.skip("the shop of this test fills its own shelves")
    clock = FakeClock()
    outside = FakeInventory(clock=clock)
    shop = open_shop(clock=clock, outside=outside, settings=Settings(no_show=NoShowPolicy(reminders=[])))
    shop.office.articles.put(Article(Shop.BREAD, "Rye bread", perishable=True))
    ready(shop, BOTH)
    assert "UnitsSpoiled" in go_to(shop, 24, 21)
    shop.advance(minutes=1)
    assert outside.available([Shop.SOFIA], [Shop.BREAD]) == {(Shop.SOFIA, Shop.BREAD): 5}


# --- made ready again -------------------------------------------------------------------------------------


def test_what_is_made_ready_again_is_reminded_of_anew(shop: Shop) -> None:
    order = ready(shop)
    assert go_to(shop, 24, 10) == ["Reminded"]
    shop.store.pickups.unready(order.id, reason="wrong bag")
    assert go_to(shop, 24, 12) == []
    order = shop.store.pickups.ready(order.id)
    assert (order.pickup.reminded, shown(order.pickup.reminders[0])) == (0, "Wed 25 Nov 12:00")
    assert go_to(shop, 25, 12, 1) == ["Reminded"]
    check_all(shop.hub)


def test_a_reminder_that_is_objected_to_is_told_by_a_later_sweep_once(shop: Shop) -> None:
    order = ready(shop)
    broken = [True]

    def object_to(*_: object) -> None:
        if broken:
            raise OSError("not now")

    shop.hub.on(events.Reminded, object_to)
    assert go_to(shop, 24, 10) == []
    broken.clear()
    assert go_to(shop, 24, 10, 5) == ["Reminded"]
    assert names(shop, order).count("Reminded") == 1
