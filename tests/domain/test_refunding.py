"""By which tenders money goes back: by the declared rule, to the cent, and never more than a tender holds."""

from __future__ import annotations

from itertools import combinations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain.capabilities import Capabilities
from omniorder.domain.lifecycle import PaymentState
from omniorder.domain.money import Money
from omniorder.domain.payments import Payment
from omniorder.domain.refunding import Room, room_to_capture, shares, split
from omniorder.domain.terms import RefundRule, Terms
from omniorder.testing import samples

LAST, FIRST, SHARED = RefundRule.LAST_IN_FIRST_OUT, RefundRule.FIRST_IN_FIRST_OUT, RefundRule.PROPORTIONAL
RULES = st.sampled_from(RefundRule)
PARTIAL = st.builds(Room, st.integers(0, 10_000))
ROOMS = st.lists(st.builds(Room, st.integers(0, 10_000), st.booleans()), max_size=5)
AMOUNTS = st.integers(0, 60_000)
WHOLE = Capabilities(partial_refund=False)


def of(*amounts: int) -> list[Room]:
    return [Room(amount) for amount in amounts]


# --- the rules --------------------------------------------------------------------------------------------


def test_the_tender_that_was_used_last_gives_back_first() -> None:
    assert split(70, of(50, 30, 20), LAST) == (20, 30, 20)


def test_or_the_one_that_was_used_first() -> None:
    assert split(70, of(50, 30, 20), FIRST) == (50, 20, 0)


def test_or_each_in_proportion_to_what_is_held_of_it() -> None:
    assert split(50, of(50, 30, 20), SHARED) == (25, 15, 10)


def test_cents_that_cannot_be_shared_go_where_the_largest_part_was_cut_off() -> None:
    assert split(10, of(5, 4, 8), SHARED) == (3, 2, 5)
    assert split(100, of(100, 100, 100), SHARED) == (34, 33, 33)


@given(amount=AMOUNTS, rooms=st.lists(PARTIAL, max_size=5), rule=RULES)
def test_all_of_it_goes_back_or_as_much_as_there_is_room_for(amount: int, rooms: list[Room], rule: RefundRule) -> None:
    assert sum(split(amount, rooms, rule)) == min(amount, sum(room.amount for room in rooms))


@given(amount=AMOUNTS, rooms=ROOMS, rule=RULES)
def test_no_tender_gives_back_more_than_is_held_of_it(amount: int, rooms: list[Room], rule: RefundRule) -> None:
    given_back = split(amount, rooms, rule)
    assert len(given_back) == len(rooms)
    assert sum(given_back) <= amount
    assert all(0 <= share <= room.amount for share, room in zip(given_back, rooms, strict=True))


@given(amount=AMOUNTS, rooms=st.lists(PARTIAL, min_size=1, max_size=5))
def test_no_share_is_a_cent_away_from_its_proportion(amount: int, rooms: list[Room]) -> None:
    total = sum(room.amount for room in rooms)
    amount = min(amount, total)
    for share, room in zip(split(amount, rooms, SHARED), rooms, strict=True):
        assert abs(share * total - amount * room.amount) < max(1, total)


# --- all or nothing ---------------------------------------------------------------------------------------


@given(amount=AMOUNTS, rooms=ROOMS, rule=RULES)
def test_who_gives_back_all_or_nothing_gives_back_all_or_nothing(
    amount: int, rooms: list[Room], rule: RefundRule
) -> None:
    for share, room in zip(split(amount, rooms, rule), rooms, strict=True):
        assert not room.whole or share in (0, room.amount)


@given(amount=AMOUNTS, rooms=ROOMS, rule=RULES)
def test_it_goes_back_exactly_where_that_is_possible_at_all(amount: int, rooms: list[Room], rule: RefundRule) -> None:
    """An oracle that tries everything."""
    wholes = [room.amount for room in rooms if room.whole]
    partial = sum(room.amount for room in rooms if not room.whole)
    sums = {sum(some) for count in range(len(wholes) + 1) for some in combinations(wholes, count)}
    possible = any(0 <= amount - given_back <= partial for given_back in sums)
    assert (sum(split(amount, rooms, rule)) == amount) == possible


def test_such_a_tender_comes_in_only_where_the_others_are_too_small() -> None:
    rooms = [Room(50), Room(50, whole=True)]
    assert split(50, rooms, LAST) == (50, 0)
    assert split(60, rooms, LAST) == (10, 50)
    assert split(100, rooms, SHARED) == (50, 50)


def test_where_nothing_fits_the_others_give_what_they_have() -> None:
    assert split(30, [Room(20), Room(50, whole=True)], LAST) == (20, 0)


# --- payments ---------------------------------------------------------------------------------------------


def paid(number: int, amount: int, kind: str = "card") -> Payment:
    """A payment of which so much was captured."""
    made = samples.authorised(samples.order()).payments[0]
    euros = Money(amount, "EUR")
    return evolve(
        made, id=f"pay_SOF01_000001_{number}", kind=kind, state=PaymentState.CAPTURED, amount=euros, authorised=euros,
        captured=euros,
    )  # fmt: skip


def test_the_payment_that_was_named_gives_back_first_and_the_rest_goes_by_the_rule() -> None:
    payments = [paid(1, 50), paid(2, 30), paid(3, 20)]
    assert shares(60, payments, Terms(rule=LAST, to=payments[1].id)) == (10, 30, 20)
    assert shares(20, payments, Terms(rule=SHARED, to=payments[0].id)) == (20, 0, 0)


def test_one_that_was_named_and_cannot_give_back_a_part_gives_nothing() -> None:
    payments = [paid(1, 50), paid(2, 30, "voucher")]
    terms = Terms({"voucher": WHOLE}, rule=LAST, to=payments[1].id)
    assert shares(20, payments, terms) == (20, 0)
    assert shares(40, payments, terms) == (10, 30)


def test_what_is_on_its_way_back_is_not_given_back_again() -> None:
    payment = evolve(paid(1, 50), refunded=Money(10, "EUR"), refund_pending=Money(15, "EUR"))
    assert shares(50, [payment], Terms()) == (25,)


@pytest.mark.parametrize(
    ("can", "room"),
    [
        (Capabilities(), 50),
        (Capabilities(partial_capture=False), 50),
        (Capabilities(partial_refund=False), 50),
        (Capabilities(partial_capture=False, partial_refund=False), 0),
    ],
)
def test_a_part_is_kept_by_taking_it_or_by_giving_the_rest_back(can: Capabilities, room: int) -> None:
    payment = evolve(paid(1, 50), state=PaymentState.AUTHORISED, captured=Money(0, "EUR"))
    assert room_to_capture(payment, Terms(capabilities={"card": can})) == room
