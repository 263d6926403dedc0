"""What a store gave away without a network, told afterwards: settled once, or shown to people, and never lost."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from omniorder import (
    Article,
    Card,
    Check,
    CheckKind,
    Money,
    OfflineHandOver,
    Order,
    PayInStore,
    Price,
    Service,
    SigningKeys,
    Stage,
    Synced,
    SyncOutcome,
    Taken,
    offline,
)
from omniorder import events as e
from omniorder.errors import IllegalTransition, InvalidInput, InvalidInstant, NotPaid, NotReady, PassRefused
from omniorder.signing import new_key
from omniorder.testing import invariants
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.steps import charged, effects, handed_over, level, names, part, ready, refused
from tests.services.unruly import Killed

KEY = new_key()
KEYS = SigningKeys({"2026": KEY})
CAPTURE_DECLINED, CAPTURE_SILENT = Card("pm_card_capture_declined"), Card("pm_card_capture_timeout_after")


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    """A shop whose passes are signed."""
    return open_shop(pass_keys=KEYS)


@pytest.fixture(autouse=True)
def everything_adds_up(shop: Shop) -> Any:
    """After each test every invariant holds, and no pass and no key is stored."""
    yield
    invariants.check_all(shop.hub, secrets=[KEY])


def given(shop: Shop, order: Order, *, ago: timedelta = timedelta(hours=1), **what: Any) -> OfflineHandOver:
    """Mila gave the order to Anna while the store had no network, some time ago."""
    signed = shop.app.orders.pickup_pass(order.id).signed
    return OfflineHandOver(signed, at=shop.clock.now() - ago, by="mila", **what)


def told(shop: Shop, entry: OfflineHandOver) -> Synced:
    (synced,) = shop.store.pickups.sync([entry])
    return synced


def flagged(shop: Shop, order: Order) -> list[tuple[str, str, datetime]]:
    """Why, by whom and when the order was given away against its pass although it wasn't to be."""
    found = [entry.event for entry in shop.office.orders.timeline(order.id).items]
    return [(one.reason, one.by, one.at) for one in found if isinstance(one, e.PassUsedTwice)]


# --- settled ----------------------------------------------------------------------------------------------


def test_what_was_given_away_is_paid_and_off_the_books(shop: Shop) -> None:
    order = ready(shop)
    entry = given(shop, order)
    synced = told(shop, entry)
    assert (synced.outcome, synced.order, charged(shop)) == (SyncOutcome.DONE, order.id, order.total.amount)
    assert shop.app.orders.get(order.id).stage is Stage.COLLECTED
    assert level(shop) == (38, 0)


def test_the_record_has_the_instant_and_the_associate_at_the_store(shop: Shop) -> None:
    order = ready(shop)
    entry = given(shop, order)
    receipt = told(shop, entry).receipt
    assert receipt is not None
    assert (receipt.at, receipt.by, receipt.total) == (entry.at, "associate:mila@SOF01", order.total)
    (left,) = [one for one in shop.office.orders.timeline(order.id).items if isinstance(one.event, e.LeftOffline)]
    assert left.stamp.actor == "associate:ivan@SOF01"  # who brought the news
    assert left.event == e.LeftOffline(order.pickup.rest(), f"{order.pickup.id}_1", "SOF01", entry.at, receipt.by)


def test_telling_it_again_changes_nothing_whoever_tells_it(shop: Shop) -> None:
    order = ready(shop)
    entry = given(shop, order)
    first = told(shop, entry)
    before = names(shop, order)
    again = shop.store.pickups.sync([entry, entry])
    assert [one.outcome for one in again] == [SyncOutcome.REPEATED] * 2
    assert again[0].receipt == first.receipt
    assert names(shop, order) == before
    assert max(effects(shop)) == 1


def test_a_part_is_given_and_the_rest_waits(shop: Shop) -> None:
    order = ready(shop, {Shop.MILK: 3})
    synced = told(shop, given(shop, order, lines=part(order, 1)))
    assert (synced.outcome, charged(shop)) == (SyncOutcome.DONE, 3 * 249)  # this provider captures once
    assert shop.app.orders.get(order.id).pickup.rest() == (e.Units(order.lines[0].id, 2),)
    assert handed_over(shop, order).order.stage is Stage.COLLECTED


def test_a_deadline_that_passed_meanwhile_is_no_matter_while_the_goods_have_not_lapsed(shop: Shop) -> None:
    order = ready(shop)
    entry = given(shop, order, ago=timedelta(0))
    shop.clock.advance(days=10)
    assert told(shop, entry).outcome is SyncOutcome.DONE


def test_several_are_told_at_once_each_by_itself(shop: Shop) -> None:
    orders = [ready(shop), ready(shop, pay=CAPTURE_DECLINED), ready(shop)]
    entries = [given(shop, order) for order in orders]
    forged = evolve(entries[0], signed=SigningKeys({"2026": new_key()}).sign(_said(entries[0])))
    outcomes = [one.outcome for one in shop.store.pickups.sync([*entries, forged])]
    done = SyncOutcome.DONE
    assert outcomes == [done, SyncOutcome.UNPAID, done, SyncOutcome.REFUSED]


def _said(entry: OfflineHandOver) -> Any:
    return offline.read(entry.signed, keys=KEYS.public(), now=entry.at)


def test_it_counts_as_collected_when_it_left_and_not_when_that_was_told(shop: Shop) -> None:
    """On the day on which it happened, also if nothing else did."""
    order = ready(shop)
    shop.clock.advance(days=1)
    shop.app.orders.arrived(order.id)
    shop.clock.advance(minutes=6)
    entry = given(shop, order, ago=timedelta(0))
    shop.clock.advance(days=1)
    assert told(shop, entry).outcome is SyncOutcome.DONE
    day = entry.at.date()
    days = [shop.store.measures(day + timedelta(days=n)) for n in (-1, 0, 1)]
    assert [one.collected for one in days] == [0, 1, 0]
    assert days[1].waits == (timedelta(minutes=6),)
    assert {line.collected_at for line in shop.app.orders.get(order.id).pickup.lines} == {entry.at}


def test_the_rest_that_leaves_later_leaves_later(shop: Shop) -> None:
    order = ready(shop, {Shop.MILK: 3}, pay=PayInStore())
    entry = given(shop, order, lines=part(order, 1))
    assert told(shop, entry).outcome is SyncOutcome.UNPAID
    handed_over(shop, order, taken=Taken(order.total))
    (line,) = shop.app.orders.get(order.id).pickup.lines
    assert (line.collected, line.collected_at) == (3, shop.clock.now())


# --- what is to be checked ---------------------------------------------------------------------------------

WINE = "RIOJA-75"
AGE, IDENTITY = CheckKind.AGE, CheckKind.IDENTITY


def with_wine(shop: Shop, **how: Any) -> Order:
    """Three bottles of milk, and two of wine, which leaves with an age check."""
    sofia = shop.office.stores.get(Shop.SOFIA)
    shop.office.stores.put(evolve(sofia, services={*sofia.services, Service.AGE_RESTRICTED}))
    shop.office.articles.put(Article(WINE, "Rioja", needs=[Service.AGE_RESTRICTED]))
    shop.office.prices.put(Price(WINE, Money(990, "EUR"), tax="0.20"))
    shop.office.stock.receive(Shop.SOFIA, WINE, 6)
    return ready(shop, {Shop.MILK: 3, WINE: 2}, **how)


def unchecked(shop: Shop, order: Order) -> list[tuple[CheckKind, ...]]:
    """What the journal says was not looked at."""
    found = [entry.event for entry in shop.office.orders.timeline(order.id).items]
    return [one.unchecked for one in found if isinstance(one, e.LeftOffline)]


def test_the_pass_says_that_their_age_is_to_be_checked_and_not_for_what(shop: Shop) -> None:
    entry = given(shop, with_wine(shop))
    assert _said(entry).checks == (AGE,)
    assert WINE not in repr(_said(entry).claims)
    assert _said(given(shop, ready(shop))).checks == ()


def test_a_check_that_passed_is_in_the_journal(shop: Shop) -> None:
    order = with_wine(shop)
    synced = told(shop, given(shop, order, checks=[Check(AGE, passed=True)]))
    assert (synced.outcome, synced.unchecked, unchecked(shop, order)) == (SyncOutcome.DONE, (), [()])
    seen = [entry.event for entry in shop.office.orders.timeline(order.id).items if entry.name == "PersonChecked"]
    assert seen == [e.PersonChecked(AGE, True)]


@pytest.mark.parametrize("checks", [[], [Check(AGE, passed=False)], [Check(IDENTITY, passed=True)]])
def test_without_one_that_passed_it_is_settled_and_told(shop: Shop, checks: list[Check]) -> None:
    """The goods are gone: that is for people to look into."""
    order = with_wine(shop)
    entry = given(shop, order, checks=checks)
    synced, again = shop.store.pickups.sync([entry, entry])
    assert (synced.outcome, again.outcome) == (SyncOutcome.DONE, SyncOutcome.REPEATED)
    assert synced.unchecked == again.unchecked == (AGE,)
    assert unchecked(shop, order) == [(AGE,)]
    assert names(shop, order).count("PersonChecked") == len(checks)


def test_so_it_is_when_it_is_not_paid(shop: Shop) -> None:
    order = with_wine(shop, pay=CAPTURE_DECLINED)
    synced = told(shop, given(shop, order))
    assert (synced.outcome, synced.unchecked) == (SyncOutcome.UNPAID, (AGE,))
    assert unchecked(shop, order) == [(AGE,)]


def test_what_anybody_may_have_needs_no_check(shop: Shop) -> None:
    order = with_wine(shop)
    assert told(shop, given(shop, order, lines=part(order, 3))).unchecked == ()


def test_a_pass_whose_wine_is_gone_opens_the_rest(shop: Shop) -> None:
    """What is to be checked has become less: it is the same pass still."""
    order = with_wine(shop)
    shown = shop.app.orders.pickup_pass(order.id).signed
    wine = part(order, 3, 2)[1:]
    handed_over(shop, order, lines=wine, checks=[Check(AGE, passed=True)])
    assert shop.store.pickups.hand_over(order.id, code=shown).order.stage is Stage.COLLECTED


# --- not paid ---------------------------------------------------------------------------------------------


def test_what_left_and_is_not_paid_stays_on_the_order(shop: Shop) -> None:
    order = ready(shop, pay=CAPTURE_DECLINED)
    synced = told(shop, given(shop, order))
    assert (synced.outcome, type(synced.error)) == (SyncOutcome.UNPAID, NotPaid)
    now = shop.app.orders.get(order.id)
    assert (now.pickup.left, now.stage) == (order.pickup.rest(), Stage.READY)
    assert level(shop) == (40, 2)


def test_it_neither_lapses_nor_is_called_off(shop: Shop) -> None:
    order = ready(shop, pay=CAPTURE_DECLINED)
    told(shop, given(shop, order))
    shop.advance(days=30)
    why = refused(IllegalTransition, shop.app.orders.cancel, order.id)
    refused(IllegalTransition, shop.store.pickups.unready, order.id, reason="empty_bin")
    assert why.why.because[0].code == "guard.goods_left"
    assert shop.app.orders.get(order.id).stage is Stage.READY


def test_the_till_settles_it_by_telling_it_again(shop: Shop) -> None:
    order = ready(shop, pay=CAPTURE_DECLINED)
    entry = given(shop, order)
    told(shop, entry)
    synced = told(shop, evolve(entry, taken=Taken(order.total)))
    now = shop.app.orders.get(order.id)
    assert (synced.outcome, now.stage, now.pickup.left) == (SyncOutcome.DONE, Stage.COLLECTED, ())
    assert now.held == order.total


def test_or_as_any_hand_over_at_the_counter(shop: Shop) -> None:
    order = ready(shop, pay=CAPTURE_DECLINED)
    entry = given(shop, order)
    told(shop, entry)
    handed_over(shop, order, taken=Taken(order.total))
    assert told(shop, entry).outcome is SyncOutcome.REPEATED
    assert shop.app.orders.get(order.id).held == order.total


def test_what_was_due_in_the_store_was_taken_by_the_till_or_is_missing(shop: Shop) -> None:
    paid, owing = ready(shop, pay=PayInStore()), ready(shop, pay=PayInStore())
    entries = [given(shop, paid, taken=Taken(paid.total)), given(shop, owing)]
    assert [one.outcome for one in shop.store.pickups.sync(entries)] == [SyncOutcome.DONE, SyncOutcome.UNPAID]
    assert shop.app.orders.get(owing.id).pickup.left


def test_while_the_provider_is_silent_nobody_is_charged_twice(shop: Shop) -> None:
    """The capture took effect, and the reply was lost: the sweep finds out."""
    order = ready(shop, pay=CAPTURE_SILENT)
    entry = given(shop, order)
    outcomes = {told(shop, entry).outcome for _ in range(2)}
    assert outcomes == {SyncOutcome.RUNNING}
    shop.advance(minutes=5)
    assert told(shop, entry).outcome is SyncOutcome.REPEATED
    assert (charged(shop), max(effects(shop))) == (order.total.amount, 1)


def test_whoever_told_of_it_is_not_taken_for_the_one_who_holds_the_goods(shop: Shop) -> None:
    """Else their own counter would be given a receipt for goods that have long left."""
    order = ready(shop)
    said = shop.app.orders.pickup_pass(order.id).code
    told(shop, given(shop, order))
    assert refused(NotReady, shop.store.pickups.hand_over, order.id, code=said).facts["state"] == "collected"


@pytest.mark.parametrize("dying", [e.LeftOffline, e.Captured])
def test_a_process_that_dies_while_it_is_told_is_succeeded_by_whoever_tells_it_again(
    shop: Shop, dying: type[e.Event]
) -> None:
    """Before anything was written, and after the provider took the money."""
    order = ready(shop)
    entry = given(shop, order)
    lives = [1]

    def die_once(*_: object) -> None:
        if lives:
            lives.clear()
            raise Killed

    shop.hub.on(dying, die_once)
    with pytest.raises(Killed):
        told(shop, entry)
    shop.clock.advance(minutes=5)
    assert told(shop, entry).outcome in (SyncOutcome.DONE, SyncOutcome.REPEATED)
    assert (charged(shop), max(effects(shop)), level(shop)) == (order.total.amount, 1, (38, 0))


# --- given twice, or too late -----------------------------------------------------------------------------


def test_an_order_that_was_collected_with_its_code_meanwhile_is_flagged(shop: Shop) -> None:
    order = ready(shop)
    entry = given(shop, order)
    handed_over(shop, order)
    synced = told(shop, entry)
    assert (synced.outcome, type(synced.error)) == (SyncOutcome.TWICE, PassRefused)
    assert flagged(shop, order) == [("used", "associate:mila@SOF01", entry.at)]
    assert (charged(shop), level(shop)) == (order.total.amount, (38, 0))


def test_a_pass_that_was_used_at_two_devices_is_flagged_once_however_often_it_is_told(shop: Shop) -> None:
    order = ready(shop)
    first = given(shop, order)
    second = evolve(first, at=first.at + timedelta(minutes=20), by="petar")
    assert [one.outcome for one in shop.store.pickups.sync([first, second, second, first])] == [
        SyncOutcome.DONE, SyncOutcome.TWICE, SyncOutcome.TWICE, SyncOutcome.REPEATED,
    ]  # fmt: skip
    assert flagged(shop, order) == [("used", "associate:petar@SOF01", second.at)]
    assert charged(shop) == order.total.amount


def test_so_is_one_that_was_used_twice_before_it_is_paid(shop: Shop) -> None:
    order = ready(shop, pay=CAPTURE_DECLINED)
    first = given(shop, order)
    second = evolve(first, at=first.at + timedelta(minutes=20))
    assert [one.outcome for one in shop.store.pickups.sync([first, second])] == [SyncOutcome.UNPAID, SyncOutcome.TWICE]
    assert shop.app.orders.get(order.id).pickup.left == order.pickup.rest()


@pytest.mark.parametrize("ends", ["lapsed", "cancelled"])
def test_an_order_that_ended_meanwhile_is_flagged_and_stays_as_it_is(shop: Shop, ends: str) -> None:
    order = ready(shop)
    entry = given(shop, order, ago=timedelta(0))
    if ends == "lapsed":
        shop.advance(days=10)
    else:
        shop.app.orders.cancel(order.id)
    before = shop.app.orders.get(order.id)
    assert told(shop, entry).outcome is SyncOutcome.TWICE
    after = shop.app.orders.get(order.id)
    assert flagged(shop, order) == [(ends, "associate:mila@SOF01", entry.at)]
    assert evolve(after, version=before.version) == before
    assert (charged(shop), level(shop)) == (0, (40, 0))


def test_a_pass_that_was_replaced_is_flagged_and_the_goods_still_wait_for_their_customer(shop: Shop) -> None:
    """Somebody had a copy of it: who was given the goods is for people to find out."""
    order = ready(shop)
    stolen = given(shop, order)
    shop.store.pickups.reissue(order.id)
    assert told(shop, stolen).outcome is SyncOutcome.TWICE
    assert flagged(shop, order)[0][0] == "replaced"
    assert (charged(shop), shop.app.orders.get(order.id).stage) == (0, Stage.READY)


def test_more_than_was_open_is_flagged(shop: Shop) -> None:
    order = ready(shop)
    entry = given(shop, order, lines=part(order, 2))
    handed_over(shop, order, lines=part(order, 1))
    assert told(shop, entry).outcome is SyncOutcome.TWICE
    assert shop.app.orders.get(order.id).pickup.rest() == (e.Units(order.lines[0].id, 1),)


def test_a_line_that_is_none_of_the_orders_is_refused(shop: Shop) -> None:
    order, other = ready(shop), ready(shop)
    assert told(shop, given(shop, order, lines=part(other, 1))).outcome is SyncOutcome.REFUSED
    assert shop.app.orders.get(order.id).version == order.version


# --- what is no pass of this store's ----------------------------------------------------------------------


def test_a_pass_of_another_store_or_of_nobody_writes_nothing(shop: Shop) -> None:
    order = ready(shop)
    entry = given(shop, order)
    altered = evolve(entry, signed=entry.signed[:-2] + ("AA" if entry.signed[-2:] != "AA" else "BA"))
    unknown = evolve(entry, signed=SigningKeys({"2019": new_key()}).sign(evolve(_said(entry), key_id="2019")))
    ahead = evolve(entry, at=shop.clock.now() + timedelta(minutes=6))
    elsewhere = shop.elsewhere.pickups.sync([entry])
    results = [*elsewhere, *shop.store.pickups.sync([altered, unknown, ahead, evolve(entry, signed="")])]
    assert [one.outcome for one in results] == [SyncOutcome.REFUSED] * 5
    assert [one.error.facts.get("reason", type(one.error).__name__) for one in results if one.error] == [
        "other_store", "forged", "unknown_key", "InvalidInstant", "malformed",
    ]  # fmt: skip
    assert shop.app.orders.get(order.id).version == order.version


def test_what_cannot_be_an_entry_is_refused_as_a_whole(shop: Shop) -> None:
    order = ready(shop)
    entry = given(shop, order)
    refused(InvalidInput, shop.store.pickups.sync, [entry, "entry"])
    refused(InvalidInput, evolve, entry, taken=5)
    refused(InvalidInput, evolve, entry, checks=["age"])
    refused(InvalidInput, evolve, entry, checks=[Check(AGE, passed=True), Check(AGE, passed=False)])
    refused(InvalidInput, evolve, entry, signed=b"bytes")
    refused(InvalidInstant, evolve, entry, at=entry.at.replace(tzinfo=None))
    assert shop.app.orders.get(order.id).version == order.version
