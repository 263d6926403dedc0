"""Measures: what a store's work came to, told by the journal; counted once, however time is divided."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from omniorder.domain import events as e
from omniorder.domain import measures
from omniorder.domain.events import Recorded
from omniorder.domain.hours import day_of
from omniorder.domain.measures import Fact, Measures
from omniorder.domain.stores import Store
from omniorder.testing import samples, strategies
from omniorder.testing.samples import MINUTE, NOW, SOFIA, VARNA, stamp
from omniorder.testing.walks import Turn

ORDER = samples.order()
MILK, BREAD, APPLES = ORDER.lines  # 2 and 1 pieces, and grams
SKOPJE = Store("SOF01", zone="Europe/Skopje", hours="24/7")


def told(*events: e.Event, every: timedelta = MINUTE) -> list[Recorded]:
    """One after the other, the first of them now."""
    return [Recorded(SOFIA, ORDER.id, n + 1, stamp(NOW + n * every), event) for n, event in enumerate(events)]


def measured(*events: e.Event, store: str = SOFIA) -> Measures:
    """What the order adds to this store's measures."""
    return measures.total(fact.measures for fact in measures.facts(told(*events), ORDER.lines) if fact.store == store)


def ready(promised: datetime | None = None) -> e.MadeReady:
    return e.MadeReady("C4", NOW + timedelta(days=3), "2026", promised=promised)


# --- what is counted --------------------------------------------------------------------------------------


def test_an_order_is_picked_ready_and_collected_once() -> None:
    some, rest = e.PartCollected((e.Units(MILK.id, 1),)), e.Collected((e.Units(MILK.id, 1),))
    found = measured(
        e.PickReleased(), e.PickStarted(), e.PickReset(), e.PickStarted(), ready(), e.Unreadied("dented"), ready(),
        some, rest,
    )  # fmt: skip
    assert (found.picked, found.ready, found.collected) == (1, 1, 1)
    assert found.to_ready == (4 * MINUTE,)


@pytest.mark.parametrize(("window", "rate"), [(1, 0.0), (2, 1.0), (3, 1.0)])
def test_what_is_ready_when_the_window_begins_is_on_time(window: int, rate: float) -> None:
    assert measured(e.PickReleased(), e.PickStarted(), ready(NOW + window * MINUTE)).on_time_rate == rate


def test_goods_from_another_store_start_the_time_to_ready_when_they_are_there() -> None:
    assert measured(e.StockAwaited(), e.StockArrived(), e.PickStarted(), ready()).to_ready == (2 * MINUTE,)


def test_short_units_are_those_of_what_was_ordered_and_what_is_weighed_is_one() -> None:
    short = (e.ShortPicked(MILK.id, 1, "not_found"), e.ShortPicked(APPLES.id, 250, "not_found"))
    found = measured(e.PickStarted(), *short, ready())
    assert (found.short, found.ordered) == (2, MILK.quantity + BREAD.quantity + 1)


def test_a_unit_that_is_looked_for_twice_is_short_once() -> None:
    short = e.ShortPicked(MILK.id, MILK.quantity, "not_found")
    assert measured(short, e.SlotMoved("s", NOW, NOW + MINUTE), short, ready()).short == MILK.quantity


def test_what_the_customer_calls_off_was_not_ordered_and_what_is_short_was() -> None:
    off = e.LinesCancelled((e.Units(BREAD.id, BREAD.quantity),), "changed my mind")
    given_up = e.LinesCancelled((e.Units(MILK.id, 1),), "not_found")
    found = measured(off, e.ShortPicked(MILK.id, 1, "not_found"), given_up, ready())
    assert (found.short, found.ordered) == (1, MILK.quantity + 1)


def test_a_substitute_is_not_ordered_and_what_came_later_is() -> None:
    other = evolve(MILK, id="ln_9", instead_of=MILK.id)
    more = e.LinesAppended((other,), "rsv")
    usual = sum(line.quantity for line in (MILK, BREAD)) + 1
    assert measured(more, ready()).ordered == usual
    wanted = e.LinesAppended((evolve(other, instead_of=""),), "rsv")
    assert measured(wanted, ready()).ordered == usual + other.quantity


def test_an_order_given_up_for_what_is_missing_counts_and_one_called_off_does_not() -> None:
    assert measured(e.ShortPicked(MILK.id, 2, "not_found"), e.PickupCancelled("not_found")).short == 2
    assert measured(e.PickStarted(), e.PickupCancelled("customer")).ordered == 0


def test_customers_wait_until_they_have_goods_in_their_hands() -> None:
    some, rest = e.PartCollected((e.Units(MILK.id, 1),)), e.Collected((e.Units(MILK.id, 1),))
    found = measured(
        e.CustomerOnTheWay(NOW), e.CustomerArrived("P3"), e.CustomerArrived("P4"), some,
        e.CustomerArrived(), e.ArrivalWithdrawn(), e.CustomerArrived(), rest,
    )  # fmt: skip
    assert found.waits == (MINUTE, 2 * MINUTE)


def test_nobody_waited_who_left_or_never_said_that_they_were_there() -> None:
    gone = e.Collected((e.Units(MILK.id, 2),))
    assert measured(gone).waits == measured(e.CustomerArrived(), e.ArrivalWithdrawn(), gone).waits == ()


def test_a_clock_that_is_behind_makes_no_negative_time() -> None:
    back = told(e.CustomerArrived(), e.Collected((e.Units(MILK.id, 2),)), every=-MINUTE)
    assert measures.total(fact.measures for fact in measures.facts(back, ORDER.lines)).waits == (timedelta(),)


@pytest.mark.parametrize(("late", "counts"), [(2, 2), (7, 7), (8, 0)])
def test_what_left_without_a_network_left_when_it_did_and_not_when_it_was_told(late: int, counts: int) -> None:
    """Unless it is told more than a week later: then it counts when it is told."""
    units, told_at = (e.Units(MILK.id, 2),), NOW + 2 * MINUTE
    left = e.LeftOffline(units, "pup_1_1", SOFIA, told_at - timedelta(days=late), "associate:mila@SOF01")
    journal = told(ready(), e.HandOverFailed(""), left, e.Collected(units))
    found = [fact for fact in measures.facts(journal, ORDER.lines) if fact.measures.collected]
    assert [fact.at for fact in found] == [told_at - timedelta(days=counts)]


def test_no_shows_lapsed_rests_and_returns_are_counted() -> None:
    found = measured(e.NoShow()) + measured(e.RestLapsed(())) + measured(e.PartReturned(())) + measured(e.AllReturned())
    assert (found.no_shows, found.rests_lapsed, found.returned, found.no_show_rate) == (1, 1, 2, 1.0)


def test_work_counts_for_the_store_that_does_it() -> None:
    routed = e.OrderRerouted("p2", VARNA, "s", NOW, NOW + MINUTE, "UTC", "rsv")
    story = (e.PickStarted(), e.ShortPicked(MILK.id, 2, "not_found"), e.PickRerouted(), routed, e.PickReleased(),
             e.PickStarted(), ready(), e.Collected((e.Units(MILK.id, 2),)))  # fmt: skip
    here, there = measured(*story), measured(*story, store=VARNA)
    assert (here.picked, here.short, here.ready, here.collected) == (1, 2, 0, 0)
    assert (there.picked, there.short, there.ready, there.collected) == (1, 0, 1, 1)


def test_answers_to_substitutes_are_counted_by_the_names_of_their_events() -> None:
    names = ["SubstituteProposed"] * 4 + ["SubstituteDeclined"]
    assert {*names, "UnitsSubstituted"} <= measures.TELLING
    answered = [
        measured(e.UnitsSubstituted(ORDER.lines[0].id, 1, "ln_other", proposal=one)) for one in ("ln_other", "")
    ]
    assert [(one.proposed, one.accepted) for one in answered] == [(0, 1), (1, 1)]
    parts = [*(measures._COUNTED[name] for name in names), *answered]
    assert measures.total(parts).substitution_acceptance == pytest.approx(2 / 3)


# --- rates and times --------------------------------------------------------------------------------------


def test_of_nothing_there_is_no_rate_and_no_time() -> None:
    nothing = measures.total([])
    assert nothing == Measures()
    assert {nothing.on_time_rate, nothing.short_rate, nothing.substitution_acceptance, nothing.no_show_rate} == {None}
    assert {nothing.time_to_ready, nothing.slow_to_ready, nothing.waiting_time, nothing.long_wait} == {None}


def test_percentiles_are_times_that_were_measured() -> None:
    ten = Measures(to_ready=tuple(n * MINUTE for n in range(1, 11)), waits=(MINUTE,))
    assert (ten.time_to_ready, ten.slow_to_ready) == (5 * MINUTE, 9 * MINUTE)
    assert ten.waiting_time == ten.long_wait == MINUTE


# --- day by day -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 11, 23), 24)])
def test_a_stores_day_lasts_as_long_as_its_clocks_say(day: tuple[int, int, int], hours: int) -> None:
    begins, ends = day_of(SKOPJE, date(*day))
    assert ends - begins == timedelta(hours=hours)
    assert day_of(SKOPJE, date(*day) + timedelta(1))[0] == ends


def stream(turns: Iterable[Turn], first: datetime, step: timedelta) -> list[Recorded]:
    """What the journal tells of this life, one event after the other."""
    events = [event for turn in turns for event in turn.events]
    return [Recorded(SOFIA, ORDER.id, n, stamp(first + n * step), event) for n, event in enumerate(events, 1)]


@settings(max_examples=40)
@given(strategies.lives(), st.integers(0, 23), st.sampled_from([timedelta(minutes=37), timedelta(hours=5)]))
def test_day_by_day_it_is_the_whole_and_nothing_is_counted_twice(
    life: tuple[Turn, ...], hour: int, step: timedelta
) -> None:
    """Also over the days on which the clocks are changed."""
    first = day_of(SKOPJE, date(2026, 10, 24))[0] + timedelta(hours=hour)
    journal = stream(life, first, step)
    found = list(measures.facts(journal, life[0].after.lines))
    whole = measures.total(fact.measures for fact in found)
    days = (len(journal) * step).days + 3
    parts = [_of_day(found, date(2026, 10, 24) + timedelta(n)) for n in range(days)]
    assert measures.total(parts) == whole
    assert max(whole.picked, whole.no_shows, whole.collected, whole.rests_lapsed) <= 1 + _reroutings(journal)
    assert whole.on_time <= whole.timed <= whole.ready
    assert whole.short <= whole.ordered
    assert len(whole.to_ready) <= whole.ready


def _of_day(found: Iterable[Fact], day: date) -> Measures:
    begins, ends = day_of(SKOPJE, day)
    return measures.total(fact.measures for fact in found if begins <= fact.at < ends)


def _reroutings(journal: Iterable[Recorded]) -> int:
    return sum(isinstance(one.event, e.OrderRerouted) for one in journal)
