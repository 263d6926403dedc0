"""The store's work on one order: what is picked, claimed, collected and given up."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain import events as e
from omniorder.domain import ids, pickups
from omniorder.domain.lifecycle import ENDED_PICKUPS, PickupState
from omniorder.domain.pickups import Pickup, PickupLine
from omniorder.domain.quantities import weight_bounds
from omniorder.errors import IllegalTransition, InvalidQuantity, NotFound, OmniorderError, WeightOutOfTolerance
from omniorder.testing import samples, strategies
from omniorder.testing.samples import NOW

PLANNED = samples.order().pickup
MILK, BREAD, APPLES = (line.line for line in PLANNED.lines)
LATER = NOW + timedelta(days=3)


def after(pickup: Pickup, *events: e.Event) -> Pickup:
    for event in events:
        pickup = pickups.apply(pickup, event, NOW)
    return pickup


def picking() -> Pickup:
    return after(PLANNED, e.PickReleased(), e.PickStarted())


def ready() -> Pickup:
    all_picked = (e.LinePicked(line.line, line.quantity) for line in PLANNED.lines)
    return after(picking(), *all_picked, e.MadeReady("C4", LATER, "2026"))


def claimed(*units: e.Units) -> Pickup:
    return after(ready(), e.HandOverStarted(units, LATER))


def counts(pickup: Pickup, line: str) -> tuple[int, int, int]:
    found = pickup.line(line)
    return found.picked, found.collected, found.dropped


# --- picking ----------------------------------------------------------------------------------------------


def test_picks_of_a_line_add_up() -> None:
    assert after(picking(), e.LinePicked(APPLES, 500), e.LinePicked(APPLES, 250)).line(APPLES).picked == 750


def test_no_more_is_picked_than_is_wanted() -> None:
    some = after(picking(), e.LinePicked(MILK, 1))
    with pytest.raises(InvalidQuantity, match="1 are still"):
        after(some, e.LinePicked(MILK, 2))


def test_it_is_fully_picked_with_the_last_unit() -> None:
    some = after(picking(), e.LinePicked(MILK, 2), e.LinePicked(APPLES, 750))
    assert not some.fully_picked
    assert after(some, e.LinePicked(BREAD, 1)).fully_picked


def test_a_reset_puts_everything_back() -> None:
    reset = after(picking(), e.LinePicked(MILK, 2), e.PickReset())
    assert reset.state is PickupState.TO_PICK
    assert all(line.picked == 0 for line in reset.lines)


def test_a_reset_does_not_take_back_what_was_collected() -> None:
    some = after(claimed(e.Units(MILK, 1)), e.PartCollected((e.Units(MILK, 1),)), e.Unreadied("broken"), e.PickReset())
    assert counts(some, MILK) == (1, 1, 0)
    with pytest.raises(InvalidQuantity):
        after(some, e.PickStarted(), e.LinePicked(MILK, 2))


def test_an_unknown_line_is_not_found() -> None:
    with pytest.raises(NotFound):
        after(picking(), e.LinePicked("ln_x", 1))


# --- weighing ---------------------------------------------------------------------------------------------


def cheese(*grams: int, ready: bool = False) -> Pickup:
    """500 g of cheese, of which 450 g to 550 g will do, with so much on the scales."""
    line = PickupLine("ln_1", 500, tolerance=Decimal("0.10"))
    started = after(evolve(PLANNED, lines=(line,)), e.PickReleased(), e.PickStarted())
    picked = after(started, *(e.LinePicked("ln_1", one) for one in grams))
    return after(picked, *picked.weighed(), e.MadeReady("C4", LATER, "2026")) if ready else picked


@pytest.mark.parametrize(("grams", "enough"), [(449, False), (450, True), (500, True), (550, True)])
def test_what_is_weighed_is_picked_when_it_weighs_at_least_what_was_agreed_on(grams: int, enough: bool) -> None:
    assert cheese(200, grams - 200).fully_picked is enough


def test_it_may_not_weigh_more_than_was_agreed_on() -> None:
    with pytest.raises(WeightOutOfTolerance) as raised:
        cheese(300, 251)
    facts = {"line": "ln_1", "ordered": 500, "weighed": 551, "least": 450, "most": 550}
    assert dict(raised.value.facts) == facts


def test_until_it_is_ready_the_most_that_it_may_weigh_is_held() -> None:
    line = cheese(200).line("ln_1")
    assert (line.open, line.held) == (500, 550)


def test_made_ready_it_is_what_it_weighs() -> None:
    line = cheese(300, 217, ready=True).line("ln_1")
    assert (line.quantity, line.ordered, line.open, line.held) == (517, 500, 517, 550)


@pytest.mark.parametrize("grams", [449, 551])
def test_no_weight_is_settled_that_was_not_agreed_on(grams: int) -> None:
    with pytest.raises(WeightOutOfTolerance):
        after(cheese(500), e.LineWeighed("ln_1", grams))


def test_what_is_weighed_anew_may_weigh_anything_that_was_agreed_on() -> None:
    unready = after(cheese(517, ready=True), e.Unreadied("too dry"))
    assert (unready.line("ln_1").quantity, unready.line("ln_1").picked) == (500, 517)
    reset = after(unready, e.PickReset())
    assert (reset.line("ln_1").quantity, reset.line("ln_1").picked) == (500, 0)


def test_a_part_of_it_leaves_by_the_gram_and_the_rest_is_still_held() -> None:
    some = after(cheese(517, ready=True), e.HandOverStarted((e.Units("ln_1", 17),), LATER))
    line = after(some, e.PartCollected((e.Units("ln_1", 17),))).line("ln_1")
    assert (line.open, line.held) == (500, 533)


def test_nothing_is_held_of_what_was_collected_to_the_last_gram() -> None:
    units = (e.Units("ln_1", 517),)
    claimed = after(cheese(517, ready=True), e.HandOverStarted(units, LATER))
    line = after(claimed, e.Collected(units)).line("ln_1")
    assert (line.open, line.held) == (0, 0)
    assert pickups.spared(claimed, units) == (e.Units("ln_1", 33),)
    assert pickups.spared(claimed, (e.Units("ln_1", 516),)) == ()


# --- a part of what is weighed is not there ---------------------------------------------------------------


def less_cheese(gone: int, *before: int) -> Pickup:
    """500 g of cheese, with so much on the scales when the rest was missed and called off."""
    units = (e.Units("ln_1", gone),)
    asked = after(cheese(*before), e.ShortPicked("ln_1", gone, "not_found"))
    return evolve(pickups.call_off(asked, units), state=PickupState.PICKING)


def test_of_what_is_left_as_much_will_do_as_if_only_that_had_been_ordered() -> None:
    line = less_cheese(200).line("ln_1")
    assert (line.bounds, line.to_pick, line.open, line.held) == ((270, 330), (270, 330), 300, 330)
    assert pickups.freed(cheese(), (e.Units("ln_1", 200),)) == (e.Units("ln_1", 220),)


def test_what_was_picked_before_counts() -> None:
    assert less_cheese(200, 260).line("ln_1").to_pick == (10, 70)
    assert less_cheese(200, 300).fully_picked


def test_more_than_is_left_is_refused_and_says_what_was_agreed_on_of_it() -> None:
    with pytest.raises(WeightOutOfTolerance) as raised:
        after(less_cheese(200, 100), e.LinePicked("ln_1", 231))
    facts = {"line": "ln_1", "ordered": 300, "weighed": 331, "least": 270, "most": 330}
    assert dict(raised.value.facts) == facts


def test_while_it_is_undecided_no_more_is_picked_than_is_left_and_it_is_not_ready() -> None:
    undecided = after(cheese(460), e.ShortPicked("ln_1", 40, "not_found"))
    assert undecided.line("ln_1").to_pick == (0, 46)
    assert not undecided.fully_picked


def test_nothing_is_picked_of_what_is_called_off_altogether() -> None:
    gone = less_cheese(500)
    assert gone.fully_picked
    assert gone.weighed() == ()
    with pytest.raises(InvalidQuantity, match="0 are still"):
        after(gone, e.LinePicked("ln_1", 1))


def test_weighed_anew_it_is_what_is_left() -> None:
    heavy = after(less_cheese(200), e.LinePicked("ln_1", 330))
    made = after(heavy, *heavy.weighed(), e.MadeReady("C4", LATER, "2026"))
    assert (made.line("ln_1").open, made.line("ln_1").held) == (330, 330)
    unready = after(made, e.Unreadied("too dry"))
    assert (unready.line("ln_1").open, unready.line("ln_1").bounds) == (300, (270, 330))
    light = after(unready, e.PickReset(), e.PickStarted(), e.LinePicked("ln_1", 270))
    again = after(light, *light.weighed(), e.MadeReady("C4", LATER, "2026"))
    assert (again.line("ln_1").open, again.line("ln_1").held) == (270, 330)


@given(data=st.data(), ordered=st.integers(1, 3000), share=st.integers(0, 5000))
def test_whatever_is_missing_what_may_be_picked_can_be_made_ready_and_leaves_as_it_was_weighed(
    data: st.DataObject, ordered: int, share: int
) -> None:
    """Of any amount, tolerance and missing part, found out before, between or after the picks."""
    line = PickupLine("ln_1", ordered, tolerance=Decimal(share) / 10_000)
    started = after(evolve(PLANNED, lines=(line,)), e.PickReleased(), e.PickStarted())
    held = line.held
    first = data.draw(st.integers(0, line.to_pick[1]), "picked first")
    now = after(started, e.LinePicked("ln_1", first)) if first else started
    if missed := data.draw(st.integers(0, max(0, min(ordered - 1, ordered - first))), "missed"):
        units = (e.Units("ln_1", missed),)
        now = after(now, e.ShortPicked("ln_1", missed, "not_found"))
        held -= sum(part.quantity for part in pickups.freed(now, units))
        now = pickups.call_off(now, units)
    least, most = now.line("ln_1").to_pick
    assert least <= most
    if more := data.draw(st.integers(least, most), "picked then"):
        now = after(now, e.LinePicked("ln_1", more))
    grams = first + more
    assert now.fully_picked
    ready = after(now, *now.weighed(), e.MadeReady("C4", LATER, "2026"))
    rest = ready.rest()
    assert rest == (e.Units("ln_1", grams),)
    assert ready.line("ln_1").quantity - ready.line("ln_1").dropped == grams
    claimed = after(ready, e.HandOverStarted(rest, LATER))
    assert held == ready.line("ln_1").held == grams + sum(part.quantity for part in pickups.spared(claimed, rest))
    assert after(claimed, e.Collected(rest)).line("ln_1").held == 0


# --- ready ------------------------------------------------------------------------------------------------


def test_ready_says_where_until_when_and_by_which_key_the_code_is_made() -> None:
    made = ready()
    assert (made.staged_at, made.until, made.key_id, made.ready_at) == ("C4", LATER, "2026", NOW)


def test_a_deadline_can_be_extended() -> None:
    later = LATER + timedelta(days=1)
    assert after(ready(), e.DeadlineExtended(later)).until == later


def test_a_new_code_is_a_new_generation() -> None:
    again = after(ready(), e.CodeReissued(2, "2027"))
    assert (again.generation, again.key_id) == (2, "2027")


# --- the hand-over ----------------------------------------------------------------------------------------


def test_a_claim_takes_nothing_yet() -> None:
    units = (e.Units(MILK, 1),)
    under_way = claimed(*units)
    assert (under_way.claim, under_way.look_at) == (units, LATER)
    assert counts(under_way, MILK) == (2, 0, 0)


def test_a_hand_over_that_fails_leaves_everything_as_it_was() -> None:
    assert after(claimed(e.Units(MILK, 1)), e.HandOverFailed("declined")) == ready()


def test_a_part_leaves_and_the_rest_stays_ready() -> None:
    units = (e.Units(MILK, 1), e.Units(BREAD, 1))
    some = after(claimed(*units), e.PartCollected(units))
    assert some.state is PickupState.READY
    assert some.collected
    assert some.rest() == (e.Units(MILK, 1), e.Units(APPLES, 750))
    assert (some.claim, some.look_at) == ((), None)


@pytest.mark.parametrize(
    "units",
    [
        (e.Units(MILK, 3),),
        (e.Units(MILK, 0),),
        (e.Units(BREAD, 1), e.Units(BREAD, 1)),
    ],
    ids=["too many", "none", "the same twice"],
)
def test_what_is_not_there_is_not_claimed(units: tuple[e.Units, ...]) -> None:
    with pytest.raises(InvalidQuantity):
        claimed(*units)


def test_nobody_claims_what_is_being_handed_over() -> None:
    with pytest.raises(IllegalTransition):
        after(claimed(e.Units(MILK, 1)), e.HandOverStarted((e.Units(BREAD, 1),), LATER))


# --- the end ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [e.NoShow(), e.PickupCancelled("closed")])
def test_what_nobody_collects_is_given_up(event: e.Event) -> None:
    over = after(ready(), event)
    assert over.rest() == ()
    assert [line.dropped for line in over.lines] == [2, 1, 750]


@pytest.mark.parametrize("kind", [e.RestLapsed, e.RestCancelled])
def test_the_rest_is_given_up_and_what_left_stays_collected(kind: type[e.RestLapsed | e.RestCancelled]) -> None:
    units = (e.Units(MILK, 1), e.Units(BREAD, 1))
    some = after(claimed(*units), e.PartCollected(units))
    over = after(some, kind(some.rest()))
    assert over.state is PickupState.COLLECTED
    assert counts(over, MILK) == (2, 1, 1)
    assert over.rest() == ()


# --- always -----------------------------------------------------------------------------------------------


@given(pickup=strategies.pickups())
def test_every_unit_is_open_collected_or_dropped(pickup: Pickup) -> None:
    for line in pickup.lines:
        assert min(line.open, line.collected, line.dropped) >= 0
        assert line.open + line.collected + line.dropped == line.quantity


@given(pickup=strategies.pickups())
def test_nothing_is_collected_that_was_not_picked(pickup: Pickup) -> None:
    """Of what is weighed, as much as was agreed on at most: that may be more than was ordered."""
    for line in pickup.lines:
        most = weight_bounds(line.ordered, line.tolerance)[1]
        assert line.collected <= line.picked <= max(line.quantity, most)


@given(pickup=strategies.pickups())
def test_an_ended_pick_up_expects_nobody(pickup: Pickup) -> None:
    assert (pickup.rest() == ()) == (pickup.state in ENDED_PICKUPS)


@given(pickup=strategies.pickups())
def test_units_are_claimed_only_during_a_hand_over(pickup: Pickup) -> None:
    assert bool(pickup.claim) == (pickup.state is PickupState.HANDING_OVER) == (pickup.look_at is not None)


@given(pickup=strategies.pickups())
def test_the_window_is_the_same_instants_in_the_stores_zone(pickup: Pickup) -> None:
    assert pickup.window == (pickup.starts, pickup.ends)
    assert {str(instant.tzinfo) for instant in pickup.window} == {pickup.zone}


steps = st.one_of(
    st.builds(e.LinePicked, st.sampled_from([MILK, BREAD, APPLES]), st.integers(1, 800)),
    st.builds(
        lambda line, n: e.HandOverStarted((e.Units(line, n),), LATER), st.sampled_from([MILK, BREAD]), st.integers(0, 3)
    ),
    st.sampled_from([e.PickStarted(), e.PickReset(), e.Unreadied("x"), e.MadeReady("C4", LATER, "1"), e.NoShow()]),
)


@given(told=st.lists(steps, max_size=12))
def test_what_is_refused_changes_nothing_and_what_is_taken_keeps_the_count(told: list[e.Event]) -> None:
    now = after(PLANNED, e.PickReleased())
    for event in told:
        before = repr(now)
        try:
            then = pickups.apply(now, event, NOW)
        except OmniorderError:
            assert repr(now) == before
            continue
        now = then
        assert all(0 <= line.picked - line.collected <= line.quantity for line in now.lines)


def test_the_id_names_the_order_and_counts() -> None:
    assert ids.pickup_id("SOF01-7K3F9Q") == "pup_SOF01_7K3F9Q_1"
    assert ids.pickup_id("SOF01-7K3F9Q", 2) == "pup_SOF01_7K3F9Q_2"


def test_open_is_what_is_neither_collected_nor_dropped() -> None:
    assert PickupLine("ln_1", 10, picked=8, collected=3, dropped=2).open == 5
