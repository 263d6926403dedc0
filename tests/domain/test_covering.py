"""The smallest covers: all of their members, and nobody else, as trying every set finds them."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain.covering import Units, in_smallest_covers

STOCKS = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.tuples(*[st.integers(0, 3)] * width), min_size=1, max_size=6)
)


def total(stocks: list[Units]) -> Units:
    return tuple(map(sum, zip(*stocks, strict=True)))


def every_set(wanted: Units, stocks: list[Units]) -> frozenset[int]:
    """The members of all smallest covers, by trying every set."""
    for size in range(1, len(stocks) + 1):
        covers = [
            chosen
            for chosen in combinations(range(len(stocks)), size)
            if all(has >= want for has, want in zip(total([stocks[one] for one in chosen]), wanted, strict=True))
        ]
        if covers:
            return frozenset().union(*covers)
    raise AssertionError("even all of them don't have it")


@given(STOCKS, st.data())
def test_the_members_of_the_smallest_covers_are_those_that_trying_every_set_finds(
    stocks: list[Units], data: st.DataObject
) -> None:
    wanted = data.draw(st.tuples(*[st.integers(0, most) for most in total(stocks)]))
    if any(wanted):
        assert in_smallest_covers(wanted, stocks) == every_set(wanted, stocks)
    else:
        assert in_smallest_covers(wanted, stocks) == frozenset()


def test_the_store_with_most_of_it_is_no_member_where_two_others_have_it_all() -> None:
    """A greedy choice would ask three."""
    stocks = [(1, 1, 1, 1, 0, 0), (1, 0, 1, 0, 1, 0), (0, 1, 0, 1, 0, 1)]
    assert in_smallest_covers((1,) * 6, stocks) == {1, 2}


def test_out_of_steps_those_with_the_largest_share_are_taken() -> None:
    stocks = [(1, 1, 1, 1, 0, 0), (1, 0, 1, 0, 1, 0), (0, 1, 0, 1, 0, 1)]
    assert in_smallest_covers((1,) * 6, stocks, steps=1) == {0}


def test_five_hundred_stores_that_have_half_of_it_each_are_searched_within_the_steps() -> None:
    """The answer is the same every time, and comes at once."""
    stocks = [tuple(int((store * 7 + article * 3) % 11 < 4) for article in range(50)) for store in range(500)]
    found = in_smallest_covers((1,) * 50, stocks)
    assert found
    assert found == in_smallest_covers((1,) * 50, stocks)
