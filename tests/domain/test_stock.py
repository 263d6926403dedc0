"""Units at a store: what may be promised, and where every reserved unit went."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain import events as e
from omniorder.domain import stock
from omniorder.domain.availability import available_to_promise
from omniorder.domain.lifecycle import ENDED, ReservationState
from omniorder.domain.stock import Level, Reservation
from omniorder.errors import IllegalTransition, ReservationGone
from omniorder.testing import samples, strategies
from omniorder.testing.samples import APPLES, BREAD, MILK, NOW

some = st.integers(0, 20)


# --- levels -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on_hand", "reserved", "safety", "available"),
    [
        (10, 0, 0, 10),
        (10, 4, 0, 6),
        (10, 4, 2, 4),
        (10, 10, 0, 0),
        (10, 9, 5, 0),
        (3, 5, 0, 0),
        (0, 0, 0, 0),
    ],
)
def test_what_may_be_promised(on_hand: int, reserved: int, safety: int, available: int) -> None:
    assert available_to_promise(on_hand, reserved, safety) == available
    assert Level("SOF01", MILK, on_hand, reserved, safety).available == available


@given(on_hand=some, reserved=some, safety=some)
def test_what_was_promised_and_what_may_be_never_exceed_what_is_there(on_hand: int, reserved: int, safety: int) -> None:
    """S3: and where more was promised than is there, the shortage says by how much."""
    level = Level("SOF01", MILK, on_hand, reserved, safety)
    assert level.reserved + level.available <= level.on_hand + level.shortage
    assert level.shortage == 0 or level.available == 0


# --- reservations -----------------------------------------------------------------------------------------


def firm() -> Reservation:
    return stock.apply(samples.reservation(), e.Firmed())


def test_everything_is_live_in_the_beginning() -> None:
    assert samples.reservation().live() == {MILK: 2, BREAD: 1, APPLES: 750}


def test_lines_are_in_one_order_whoever_asks() -> None:
    one = stock.reserve("rsv_1", "SOF01", {"B": 1, "A": 2}, NOW)
    assert one == stock.reserve("rsv_1", "SOF01", {"A": 2, "B": 1}, NOW)


def test_a_firm_reservation_has_no_time_limit() -> None:
    assert samples.reservation().until is not None
    assert firm().until is None


def test_a_held_one_can_be_extended() -> None:
    until = NOW + timedelta(hours=3)
    assert stock.apply(samples.reservation(), e.ReservationExtended(until)).until == until


@pytest.mark.parametrize(
    ("event", "column"), [(e.ReservationReleased(), "released"), (e.ReservationExpired(), "expired")]
)
def test_a_held_one_ends_as_a_whole(event: e.Event, column: str) -> None:
    ended = stock.apply(samples.reservation(), event)
    assert ended.live() == {}
    assert ended.until is None
    assert all(getattr(line, column) == line.quantity for line in ended.lines)


def test_units_leave_a_firm_one_bit_by_bit() -> None:
    some_gone = stock.resolve(firm(), e.UnitsConsumed(((MILK, 1), (APPLES, 250))))
    assert some_gone.live() == {MILK: 1, BREAD: 1, APPLES: 500}
    assert some_gone.state is ReservationState.FIRM


def test_it_is_settled_by_its_last_unit() -> None:
    rest = stock.resolve(firm(), e.UnitsConsumed(((MILK, 2), (APPLES, 750))))
    assert rest.state is ReservationState.FIRM
    assert stock.resolve(rest, e.UnitsReleased(((BREAD, 1),))).state is ReservationState.SETTLED


@pytest.mark.parametrize("kind", [e.UnitsConsumed, e.UnitsReleased])
@pytest.mark.parametrize(
    "units",
    [((MILK, 3),), (("UNKNOWN", 1),), ((MILK, 1), (BREAD, 2)), ((MILK, -1),)],
    ids=["too many", "unknown", "one of two too many", "negative"],
)
def test_units_that_are_not_live_can_not_go(
    kind: type[e.UnitsConsumed | e.UnitsReleased], units: tuple[tuple[str, int], ...]
) -> None:
    with pytest.raises(ReservationGone):
        stock.resolve(firm(), kind(units))


def test_no_unit_leaves_before_the_order_is_paid_for() -> None:
    with pytest.raises(IllegalTransition):
        stock.resolve(samples.reservation(), e.UnitsConsumed(((MILK, 1),)))


def test_the_last_unit_leaves_once() -> None:
    gone = stock.resolve(firm(), e.UnitsConsumed(((BREAD, 1),)))
    with pytest.raises(ReservationGone):
        stock.resolve(gone, e.UnitsConsumed(((BREAD, 1),)))


@given(reservation=strategies.reservations())
def test_every_unit_is_in_one_place(reservation: Reservation) -> None:
    """S5: live, consumed, released or expired, and together what was reserved."""
    for line in reservation.lines:
        parts = (line.live, line.consumed, line.released, line.expired)
        assert min(parts) >= 0
        assert sum(parts) == line.quantity


@given(reservation=strategies.reservations())
def test_an_ended_one_has_no_live_units_and_a_live_one_has(reservation: Reservation) -> None:
    assert (reservation.state in ENDED) == (reservation.live() == {})


@given(reservation=strategies.reservations())
def test_only_a_held_one_has_a_time_limit(reservation: Reservation) -> None:
    """And one that was used up by its last unit has none either."""
    assert (reservation.until is not None) == (reservation.state is ReservationState.HELD)


@given(data=st.data())
def test_units_only_move_forward(data: st.DataObject) -> None:
    """In any order of taking and giving back, what went stays gone, and the sums are those of what was done."""
    now, done = firm(), Counter[tuple[str, str]]()
    while now.live():
        sku = data.draw(st.sampled_from(sorted(now.live())))
        count = data.draw(st.integers(1, now.live()[sku]))
        consumed = data.draw(st.booleans())
        before = now
        now = stock.resolve(now, (e.UnitsConsumed if consumed else e.UnitsReleased)(((sku, count),)))
        done["consumed" if consumed else "released", sku] += count
        for old, new in zip(before.lines, now.lines, strict=True):
            assert (old.consumed, old.released) <= (new.consumed, new.released)
    assert now.state is ReservationState.SETTLED
    for line in now.lines:
        assert (line.consumed, line.released) == (done["consumed", line.sku], done["released", line.sku])
