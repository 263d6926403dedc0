"""How long ready goods wait: reminders, deadlines and extensions come at the intended local times."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from omniorder import Leftovers, Money, NoShowPolicy, RemindAfter, RemindBefore
from omniorder.domain import events as e
from omniorder.domain import hours, waiting
from omniorder.domain.handling import Handling
from omniorder.domain.lifecycle import OrderState
from omniorder.domain.no_show_policy import Reminder
from omniorder.domain.orders import Order, told
from omniorder.domain.stores import Closure, Store
from omniorder.domain.terms import PLAIN, Terms
from omniorder.errors import IllegalTransition, NotExtended, NotReady
from omniorder.testing import samples
from tests.domain.calendar_days import HOUR, local, moments, shop, shops

PERISHABLE, LASTING = Handling(perishable=True), Handling()
USUAL = NoShowPolicy()
TWO_HOURS = timedelta(hours=2)
SECOND = timedelta(seconds=1)


def picked(ends: datetime, *handlings: Handling, zone: str = "Europe/Sofia") -> Order:
    """An order that is picked and paid, whose window ends then, with lines to be handled like this."""
    order = samples.authorised(samples.order(wishes={samples.MILK: 2, samples.BREAD: 1}))
    handled = handlings or (LASTING, LASTING)
    lines = tuple(evolve(line, handling=one) for line, one in zip(order.lines, handled, strict=True))
    at = ends.astimezone(UTC)
    order = evolve(order, lines=lines, pickup=evolve(order.pickup, starts=at - HOUR, ends=at, zone=zone))
    return told(order, [e.PickStarted(), *(e.LinePicked(line.id, line.quantity) for line in lines)], at)


def waits(order: Order, store: Store, now: datetime | None = None, policy: NoShowPolicy = USUAL) -> Order:
    """The same order, ready."""
    at = order.pickup.ends if now is None else now
    return told(order, [waiting.made_ready(order, store, policy, at, staged_at="C4", key_id="1")], at)


def longer(order: Order, store: Store, now: datetime, policy: NoShowPolicy = USUAL) -> Order:
    return told(order, [waiting.extended(order, store, policy, now)], now)


def shown(at: datetime | None, zone: str = "Europe/Sofia") -> str:
    return "" if at is None else f"{at.astimezone(ZoneInfo(zone)):%a %d %b %H:%M}"


# --- on the store's own clocks ----------------------------------------------------------------------------


@frozen
class Case:
    """Goods that were ready at `ready`, in a store that keeps them for one opening day; and what is to come of it."""

    hours: str
    ready: tuple[int, int, int, int, int]
    rules: tuple[RemindAfter | RemindBefore, ...]
    reminders: list[str]
    until: str
    extended: str
    zone: str = "Europe/Sofia"
    country: str | None = None


DAILY = "Mo-Su 08:00-21:00"
NIGHTLY = "Mo-Su 22:00-06:00"
WEEKEND = "Fr,Sa 18:00-02:00"
BULGARIAN = "Mo-Sa 08:00-21:00; PH off"
CLOCK_DAY = RemindBefore(timedelta(hours=24), by_clock=True)
CASES = {
    "spring in Sofia": Case(
        DAILY, (2026, 3, 28, 12, 0), (RemindAfter(1), RemindBefore(TWO_HOURS), RemindBefore(15 * HOUR), CLOCK_DAY),
        ["Sat 28 Mar 19:00", "Sat 28 Mar 20:00", "Sun 29 Mar 12:00", "Sun 29 Mar 19:00"],
        "Sun 29 Mar 21:00", "Mon 30 Mar 21:00",
    ),
    "autumn in Stockholm": Case(
        DAILY, (2026, 10, 24, 12, 0), (RemindAfter(1), RemindBefore(TWO_HOURS), RemindBefore(15 * HOUR), CLOCK_DAY),
        ["Sat 24 Oct 19:00", "Sat 24 Oct 22:00", "Sun 25 Oct 12:00", "Sun 25 Oct 19:00"],
        "Sun 25 Oct 21:00", "Mon 26 Oct 21:00", "Europe/Stockholm",
    ),
    "autumn in Sydney": Case(
        DAILY, (2026, 4, 4, 12, 0), (RemindAfter(1), CLOCK_DAY),
        ["Sat 04 Apr 22:00", "Sun 05 Apr 12:00"], "Sun 05 Apr 21:00", "Mon 06 Apr 21:00", "Australia/Sydney",
    ),
    "spring in Sydney": Case(
        DAILY, (2026, 10, 3, 12, 0), (RemindAfter(1), CLOCK_DAY),
        ["Sat 03 Oct 20:00", "Sun 04 Oct 12:00"], "Sun 04 Oct 21:00", "Mon 05 Oct 21:00", "Australia/Sydney",
    ),
    "a night that lacks an hour": Case(
        NIGHTLY, (2026, 3, 27, 23, 0), (RemindBefore(7 * HOUR),),
        ["Sat 28 Mar 22:00"], "Sun 29 Mar 06:00", "Mon 30 Mar 06:00",
    ),
    "a night with an hour twice": Case(
        NIGHTLY, (2026, 10, 23, 23, 0), (RemindBefore(9 * HOUR),),
        ["Sat 24 Oct 22:00"], "Sun 25 Oct 06:00", "Mon 26 Oct 06:00",
    ),
    "an evening past midnight": Case(
        WEEKEND, (2026, 11, 27, 19, 0), (RemindAfter(1), RemindBefore(TWO_HOURS), RemindBefore(9 * HOUR)),
        ["Sat 28 Nov 01:00", "Sat 28 Nov 19:00", "Sun 29 Nov 00:00"], "Sun 29 Nov 02:00", "Sat 05 Dec 02:00",
    ),
    "extended within the weekend": Case(
        WEEKEND, (2026, 11, 26, 12, 0), (RemindBefore(TWO_HOURS),),
        ["Sat 28 Nov 00:00"], "Sat 28 Nov 02:00", "Sun 29 Nov 02:00",
    ),
    "around the clock": Case(
        "24/7", (2026, 11, 23, 10, 0), (RemindAfter(1), RemindBefore(TWO_HOURS)),
        ["Tue 24 Nov 10:00", "Tue 24 Nov 22:00"], "Wed 25 Nov 00:00", "Thu 26 Nov 00:00",
    ),
    "open until midnight": Case(
        "Mo-Su 08:00-24:00", (2026, 11, 23, 23, 59), (RemindAfter(1), RemindBefore(17 * HOUR)),
        ["Tue 24 Nov 23:59"], "Wed 25 Nov 00:00", "Thu 26 Nov 00:00",
    ),
    "over Christmas": Case(
        BULGARIAN, (2026, 12, 23, 12, 0), (RemindAfter(1), RemindBefore(TWO_HOURS), RemindBefore(14 * HOUR)),
        ["Wed 23 Dec 20:00", "Mon 28 Dec 12:00", "Mon 28 Dec 19:00"],
        "Mon 28 Dec 21:00", "Tue 29 Dec 21:00", country="BG",
    ),
    "over New Year": Case(
        BULGARIAN, (2026, 12, 31, 12, 0), (RemindAfter(1), RemindBefore(TWO_HOURS)),
        ["Sat 02 Jan 12:00", "Sat 02 Jan 19:00"], "Sat 02 Jan 21:00", "Mon 04 Jan 21:00", country="BG",
    ),
    "a lunch break": Case(
        "Mo-Sa 08:00-12:00,14:00-18:00", (2026, 11, 23, 13, 0), (RemindBefore(5 * HOUR), RemindAfter(1)),
        ["Tue 24 Nov 11:00", "Tue 24 Nov 13:00"], "Tue 24 Nov 18:00", "Wed 25 Nov 18:00",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_everything_happens_at_the_intended_time_of_the_store(case: Case) -> None:
    zone = ZoneInfo(case.zone)
    store = shop(case.hours, case.zone, country=case.country, pickup_days=1)
    policy = NoShowPolicy(reminders=case.rules)
    order = waits(picked(local(*case.ready, zone=zone), zone=case.zone), store, policy=policy)
    assert shown(order.pickup.until, case.zone) == case.until
    assert [shown(at, case.zone) for at in order.pickup.reminders] == case.reminders
    order = longer(order, store, order.pickup.ends, policy)
    assert shown(order.pickup.until, case.zone) == case.extended


def test_a_reminder_at_a_time_at_which_the_store_is_closed_comes_as_near_to_it_as_it_is_open() -> None:
    store, rules = shop("Mo-Su 10:00-18:00"), [RemindAfter(1)]
    early, late = local(2026, 11, 23, 7, 0), local(2026, 11, 23, 22, 0)
    until = local(2026, 11, 30, 18, 0)
    assert [shown(at) for at in waiting.reminders(store, rules, early, until)] == ["Tue 24 Nov 10:00"]
    assert [shown(at) for at in waiting.reminders(store, rules, late, until)] == ["Tue 24 Nov 18:00"]


def test_a_reminder_that_would_come_before_the_goods_were_ready_is_left_out() -> None:
    store = shop(pickup_days=1)
    policy = NoShowPolicy(reminders=[RemindBefore(timedelta(days=9))])
    assert waits(picked(local(2026, 11, 23, 12, 0)), store, policy=policy).pickup.reminders == ()


@settings(max_examples=60)
@given(shops, moments, st.integers(0, 5), st.integers(1, 4), st.booleans())
def test_reminders_come_before_a_deadline_that_is_a_closing_time_and_is_never_moved_nearer(
    store: Store, ends: datetime, perishable_days: int, extension_days: int, perishable: bool
) -> None:
    rules: list[Reminder] = [RemindAfter(1), RemindBefore(TWO_HOURS), RemindBefore(30 * HOUR, by_clock=True)]
    policy = NoShowPolicy(reminders=rules, perishable_days=perishable_days, extension_days=extension_days)
    order = picked(ends, PERISHABLE if perishable else LASTING, LASTING, zone=store.zone)
    pickup = waits(order, store, policy=policy).pickup
    assert pickup.until is not None
    assert pickup.spoils_at is None or ends < pickup.spoils_at <= pickup.until
    assert [*pickup.reminders] == sorted(set(pickup.reminders))
    assert all(ends < at < pickup.until for at in pickup.reminders)
    opens = hours.keep_longer(store, ends, 1) is not None
    assert not opens or closes_at(store, pickup.until)
    ready = waits(order, store, policy=policy)
    try:
        later = longer(ready, store, ends, policy).pickup
    except NotExtended:
        assert hours.keep_longer(store, pickup.until, 1) is None
        return
    assert later.until is not None
    assert later.until > pickup.until
    assert closes_at(store, later.until)
    assert later.spoils_at == pickup.spoils_at


def closes_at(store: Store, at: datetime) -> bool:
    """Whether the store is open just before, and the day's last opening ends then, past midnight or not."""
    day = at.astimezone(store.tz).date()
    around = [hours.closing_on(store, one) for one in (day - timedelta(days=1), day)]
    return hours.is_open(store, at - SECOND) and at in around


# --- longer -----------------------------------------------------------------------------------------------


MONDAY = local(2026, 11, 23, 12, 0)
SHOP = shop(pickup_days=1)


def ready(*handlings: Handling, policy: NoShowPolicy = USUAL) -> Order:
    """Ready on Monday at noon, until Tuesday at nine in the evening."""
    return waits(picked(MONDAY, *handlings), SHOP, policy=policy)


def test_an_extension_is_asked_for_once_and_starts_the_reminders_anew() -> None:
    order = told(ready(), [e.Reminded(2)], MONDAY)
    order = longer(order, SHOP, MONDAY + HOUR)
    assert (order.pickup.reminded, [shown(at) for at in order.pickup.reminders]) == (
        0,
        ["Tue 24 Nov 13:00", "Wed 25 Nov 19:00"],
    )
    with pytest.raises(NotExtended) as refused:
        longer(order, SHOP, MONDAY + HOUR)
    assert (refused.value.facts["reason"], refused.value.facts["until"]) == ("used", "2026-11-25T21:00:00+02:00")


def test_an_extension_after_an_outage_counts_from_now() -> None:
    order = longer(ready(), SHOP, local(2026, 11, 27, 9, 0))
    assert shown(order.pickup.until) == "Sat 28 Nov 21:00"


def test_where_the_policy_gives_no_days_nothing_is_extended() -> None:
    with pytest.raises(NotExtended) as refused:
        longer(ready(), SHOP, MONDAY, NoShowPolicy(extension_days=0))
    assert refused.value.facts["reason"] == "never"


def test_a_store_that_never_opens_again_extends_nothing() -> None:
    with pytest.raises(NotExtended) as refused:
        longer(ready(), shop("off"), MONDAY)
    assert refused.value.facts["reason"] == "closed"


def test_perishable_goods_do_not_wait_longer_and_alone_they_are_not_extended() -> None:
    mixed = longer(ready(PERISHABLE, LASTING), SHOP, MONDAY)
    assert (shown(mixed.pickup.until), shown(mixed.pickup.spoils_at)) == ("Wed 25 Nov 21:00", "Tue 24 Nov 21:00")
    with pytest.raises(NotExtended) as refused:
        longer(ready(PERISHABLE, PERISHABLE), SHOP, MONDAY)
    assert refused.value.facts["reason"] == "perishable"


LEAVING = samples.handing_over(samples.ready(samples.authorised(samples.order())))


@pytest.mark.parametrize("order", [picked(MONDAY), LEAVING], ids=["picking", "handing over"])
def test_what_is_not_ready_or_just_leaving_is_not_extended(order: Order) -> None:
    with pytest.raises(NotReady) as refused:
        longer(order, SHOP, MONDAY)
    assert refused.value.facts["state"] == order.pickup.state.value


def test_the_store_keeps_goods_until_it_closes_on_a_day_that_it_names() -> None:
    order = ready()
    order = told(order, [waiting.kept(order, SHOP, USUAL, MONDAY, date(2026, 11, 28))], MONDAY)
    assert (shown(order.pickup.until), order.pickup.extended) == ("Sat 28 Nov 21:00", False)


@pytest.mark.parametrize(
    ("day", "reason"),
    [(date(2026, 11, 29), "closed"), (date(2026, 11, 24), "not_later"), (date(2026, 12, 24), "too_long")],
)
def test_the_store_keeps_goods_on_no_day_that_makes_no_sense(day: date, reason: str) -> None:
    with pytest.raises(NotExtended) as refused:
        waiting.kept(ready(), SHOP, USUAL, MONDAY, day)
    assert refused.value.facts["reason"] == reason


def test_what_is_made_ready_again_waits_as_long_as_was_told_before_and_is_not_extended_twice() -> None:
    order = longer(ready(), SHOP, MONDAY)
    again = waits(told(order, [e.Unreadied("wrong bag")], MONDAY), SHOP, MONDAY + HOUR)
    assert again.pickup.until == order.pickup.until
    with pytest.raises(NotExtended):
        longer(again, SHOP, MONDAY + HOUR)


# --- a store that closes after all ------------------------------------------------------------------------

TUESDAY = local(2026, 11, 24, 0, 0)
DAY_OFF = [Closure(TUESDAY, TUESDAY + 24 * HOUR)]
CLOSES_EARLY = [Closure(local(2026, 11, 24, 18, 0), TUESDAY + 24 * HOUR)]


@pytest.mark.parametrize("closed", [DAY_OFF, CLOSES_EARLY], ids=["all day", "in the evening"])
def test_a_deadline_at_which_the_store_is_closed_is_moved_to_the_next_closing_time(closed: list[Closure]) -> None:
    order = ready(policy=NoShowPolicy(reminders=[RemindBefore(TWO_HOURS)]))
    store = shop(closed=closed)
    policy = NoShowPolicy()
    assert waiting.moved(order, store, policy, MONDAY) == ()  # nothing of it has come yet
    reminded = local(2026, 11, 24, 19, 0)
    (event,) = waiting.moved(order, store, policy, reminded)
    after = told(order, [event], reminded)
    assert (shown(after.pickup.until), after.pickup.extended) == ("Wed 25 Nov 21:00", False)
    assert waiting.moved(after, store, policy, local(2026, 11, 25, 21, 0)) == ()


def test_a_deadline_at_which_the_store_is_open_stays_whatever_else_is_closed() -> None:
    order, late = ready(), local(2026, 11, 24, 21, 1)
    assert waiting.moved(order, SHOP, NoShowPolicy(), late) == ()
    morning = shop(closed=[Closure(TUESDAY, local(2026, 11, 24, 14, 0))])
    assert waiting.moved(order, morning, NoShowPolicy(), late) == ()


def test_a_deadline_is_not_moved_for_what_spoils_nor_in_a_store_that_never_opens_again() -> None:
    late = local(2026, 11, 24, 21, 1)
    assert waiting.moved(ready(PERISHABLE, PERISHABLE), shop(closed=DAY_OFF), NoShowPolicy(), late) == ()
    assert waiting.moved(ready(), shop("off"), NoShowPolicy(), late) == ()


def test_whoever_found_the_store_closed_at_the_deadline_pays_no_fee() -> None:
    terms = Terms(no_show=NoShowPolicy(fee=Money(100, "EUR"), fee_share="0.10"))
    alone, closed = ready(PERISHABLE, PERISHABLE), shop(closed=DAY_OFF)
    assert waiting.fair(alone, closed, terms).no_show.charge(alone.wanted_value).amount == 0
    assert waiting.fair(ready(), shop("off"), terms).no_show.charge(alone.wanted_value).amount == 0
    assert waiting.fair(alone, SHOP, terms) == terms


# --- what is perishable -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours_", "ends", "days", "expected"),
    [
        ("Mo-Sa 08:00-21:00", (2026, 11, 23, 12, 0), 0, "Mon 23 Nov 21:00"),
        ("Mo-Sa 08:00-21:00", (2026, 11, 23, 21, 0), 0, "Mon 23 Nov 21:00"),
        ("Mo-Sa 08:00-21:00", (2026, 11, 28, 12, 0), 1, "Mon 30 Nov 21:00"),
        ("Fr,Sa 18:00-02:00", (2026, 11, 28, 1, 0), 0, "Sat 28 Nov 02:00"),
        ("24/7", (2026, 11, 23, 12, 0), 0, "Tue 24 Nov 00:00"),
        ("Mo-Sa 08:00-21:00", (2026, 11, 22, 12, 0), 0, "Mon 23 Nov 21:00"),  # a Sunday: the store is closed
    ],
)
def test_perishable_goods_wait_for_their_own_opening_days(
    hours_: str, ends: tuple[int, int, int, int, int], days: int, expected: str
) -> None:
    store, policy = shop(hours_), NoShowPolicy(perishable_days=days)
    now = local(*ends) - 2 * HOUR
    order = waits(picked(local(*ends), PERISHABLE, LASTING), store, now, policy)
    assert shown(order.pickup.spoils_at) == expected
    alone = waits(picked(local(*ends), PERISHABLE, PERISHABLE), store, now, policy)
    assert alone.pickup.until == alone.pickup.spoils_at == order.pickup.spoils_at


def test_what_is_ready_after_closing_time_does_not_spoil_at_once() -> None:
    policy = NoShowPolicy(perishable_days=0)
    order = waits(picked(local(2026, 11, 23, 20, 0), PERISHABLE, LASTING), shop(), local(2026, 11, 23, 21, 0), policy)
    assert shown(order.pickup.spoils_at) == "Tue 24 Nov 21:00"


def test_the_customer_is_reminded_before_the_end_of_what_is_perishable_too() -> None:
    policy = NoShowPolicy(reminders=[RemindBefore(TWO_HOURS)], perishable_days=0)
    order = waits(picked(MONDAY, PERISHABLE, LASTING), SHOP, policy=policy)
    assert [shown(at) for at in order.pickup.reminders] == ["Mon 23 Nov 19:00", "Tue 24 Nov 19:00"]


# --- what time makes of them ------------------------------------------------------------------------------


def names(order: Order, at: datetime, terms: Terms = PLAIN) -> list[str]:
    return [type(event).__name__ for event in waiting.passed(order, at, terms)]


def test_of_several_reminders_that_were_missed_one_is_told_and_none_once_it_is_too_late() -> None:
    order = ready()
    first, last = order.pickup.reminders
    assert waiting.passed(order, first - SECOND, PLAIN) == ()
    assert waiting.passed(order, first, PLAIN) == (e.Reminded(1),)
    assert waiting.passed(order, last, PLAIN) == (e.Reminded(2),)
    after = told(order, [e.Reminded(2)], last)
    assert waiting.passed(after, last, PLAIN) == ()
    assert after.pickup.until is not None
    assert names(order, after.pickup.until) == ["NoShowStarted", "NoShow"]
    assert waiting.due(after) == [after.pickup.until]


def test_perishable_goods_lapse_alone_before_the_others_and_only_once() -> None:
    order = ready(PERISHABLE, LASTING, policy=NoShowPolicy(perishable_days=0, reminders=[]))
    at = order.pickup.spoils_at
    assert at is not None
    spoiled = e.Units(order.lines[0].id, order.lines[0].quantity)
    assert waiting.passed(order, at - SECOND, PLAIN) == ()
    assert waiting.passed(order, at, PLAIN) == (e.UnitsSpoiled((spoiled,)),)
    after = told(order, [e.UnitsSpoiled((spoiled,))], at)
    assert after.wanted_value == order.lines[1].total
    assert waiting.passed(after, at, PLAIN) == ()
    assert waiting.due(after) == [after.pickup.until]


def test_an_order_of_perishable_goods_alone_is_a_no_show_and_its_rest_is_given_up_once_a_part_was_collected() -> None:
    order = ready(PERISHABLE, PERISHABLE, policy=NoShowPolicy(perishable_days=0))
    at = order.pickup.spoils_at
    assert at is not None
    assert names(order, at) == ["NoShowStarted", "NoShow"]
    lasting = ready(LASTING, PERISHABLE, policy=NoShowPolicy(perishable_days=0))
    milk, bread = lasting.pickup.lines
    lines = (evolve(milk, collected=milk.quantity), bread)
    part = evolve(lasting, pickup=evolve(lasting.pickup, lines=lines))
    assert names(part, at) == ["RestLapsed", "OrderCompleted"]


def test_nothing_lapses_or_spoils_while_it_is_handed_over_or_paid() -> None:
    order = samples.handing_over(ready(PERISHABLE, LASTING))
    assert names(order, MONDAY + timedelta(days=9)) == []
    assert waiting.due(order) == []
    with pytest.raises(IllegalTransition):
        told(order, [e.UnitsSpoiled(order.pickup.rest())], MONDAY)


def test_the_fee_is_what_the_policy_says_and_no_more_than_the_tenders_can_give() -> None:
    order = ready()
    late = MONDAY + timedelta(days=9)

    def fee(policy: NoShowPolicy, order: Order = order) -> int:
        events = waiting.passed(order, late, Terms(no_show=policy))
        return sum(event.amount.amount for event in events if isinstance(event, e.FeeCharged))

    price = order.wanted_value.amount
    assert fee(NoShowPolicy()) == 0
    assert fee(NoShowPolicy(fee=Money(100, "EUR"))) == 100
    assert fee(NoShowPolicy(fee=Money(100, "EUR"), fee_share="0.10")) == 100 + (price + 5) // 10
    assert fee(NoShowPolicy(fee=Money(10**6, "EUR"))) == price
    assert fee(NoShowPolicy(fee=Money(100, "USD"))) == 0
    counter = samples.pay_in_store(samples.order())
    told_ready = told(counter, [e.PickStarted(), *(e.LinePicked(x.id, x.quantity) for x in counter.lines)], MONDAY)
    assert told_ready.state is OrderState.CONFIRMED
    assert fee(NoShowPolicy(fee=Money(100, "EUR")), waits(told_ready, SHOP, MONDAY)) == 0


def test_a_share_is_rounded_once_and_half_up() -> None:
    policy = NoShowPolicy(fee_share="0.05")
    assert [policy.charge(Money(amount, "EUR")).amount for amount in (9, 10, 29, 30)] == [0, 1, 1, 2]


def test_the_policy_is_what_it_was_given() -> None:
    policy = NoShowPolicy(perishables=Leftovers.QUARANTINE, reminders=[RemindAfter(2)])
    assert (policy.perishables, policy.reminders) == (Leftovers.QUARANTINE, (RemindAfter(2),))
