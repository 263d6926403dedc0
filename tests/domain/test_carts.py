"""Editing a cart: what joins, what conflicts, and what two devices get when both edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import count, permutations
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from omniorder.domain import carts
from omniorder.domain import events as e
from omniorder.domain.carts import Add, Cart, Change, Edit, Note, Remove, edit
from omniorder.domain.lifecycle import CartState
from omniorder.domain.quantities import MAX_QUANTITY
from omniorder.domain.text import metadata
from omniorder.errors import (
    CardNumberRefused,
    IllegalTransition,
    InvalidId,
    InvalidQuantity,
    InvalidText,
    NotFound,
    TooMany,
    VersionConflict,
)
from omniorder.testing import strategies
from omniorder.testing.samples import NOW, cart, changed, empty_cart

LATER = NOW + timedelta(minutes=5)
SKUS = ("MILK", "BREAD", "APPLES")


def fresh(name: str = "new") -> Iterator[str]:
    return (f"ln_{name}_{number}" for number in count(1))


def edited(before: Cart, *edits: Edit, by: str = "new", **limits: Any) -> Cart:
    """The cart after these edits in one command."""
    for event in edit(before, edits, new_lines=fresh(by), **{"most": 500, **limits}):
        before = carts.apply(before, event, LATER)
    return before


def content(of: Cart) -> list[tuple[str, int, str, object]]:
    """What is in it, whatever the lines are called and however they lie."""
    return sorted(((line.sku, line.quantity, line.note, line.metadata) for line in of.lines), key=repr)


def three_lines() -> Cart:
    return edited(empty_cart(), *(Add(sku, 2) for sku in SKUS), by="old")


# --- adding -----------------------------------------------------------------------------------------------


def test_what_is_added_is_in_the_cart() -> None:
    added = edited(empty_cart(), Add("MILK", 2, "cold", {"size": "L"}))
    assert content(added) == [("MILK", 2, "cold", metadata({"size": "L"}))]


def test_the_same_again_joins_its_line() -> None:
    twice = edited(empty_cart(), Add("MILK", 2), Add("MILK", 3))
    assert [line.quantity for line in twice.lines] == [5]


@pytest.mark.parametrize("other", [Add("BREAD"), Add("MILK", note="cold"), Add("MILK", metadata={"size": "L"})])
def test_what_differs_in_sku_note_or_metadata_is_a_line_of_its_own(other: Add) -> None:
    assert len(edited(empty_cart(), Add("MILK"), other).lines) == 2


wishes = st.lists(st.builds(Add, st.sampled_from(SKUS), st.integers(1, 9), st.sampled_from(["", "cold"])), max_size=8)


@given(wishes=wishes)
def test_lines_are_the_sums_of_what_was_added(wishes: list[Add]) -> None:
    sums: dict[tuple[str, str], int] = {}
    for one in wishes:
        sums[one.sku, one.note] = sums.get((one.sku, one.note), 0) + one.quantity
    found = edited(empty_cart(), *wishes)
    assert {(line.sku, line.note): line.quantity for line in found.lines} == sums
    assert len(found.lines) == len(sums)


@given(wishes=wishes)
def test_in_which_order_things_are_added_makes_no_difference(wishes: list[Add]) -> None:
    assert content(edited(empty_cart(), *reversed(wishes))) == content(edited(empty_cart(), *wishes))


@given(wishes=wishes)
def test_one_command_or_one_each_gives_the_same_cart(wishes: list[Add]) -> None:
    names, one_by_one = fresh(), empty_cart()
    for wish in wishes:
        for event in edit(one_by_one, [wish], new_lines=[next(names)], most=500):
            one_by_one = carts.apply(one_by_one, event, LATER)
    assert content(one_by_one) == content(edited(empty_cart(), *wishes))


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Add("no spaces please", 1), InvalidId),
        (lambda: Add("MILK", 0), InvalidQuantity),
        (lambda: Add("MILK", MAX_QUANTITY + 1), InvalidQuantity),
        (lambda: Add("MILK", True), InvalidQuantity),
        (lambda: Add("MILK", 1, "\x00"), InvalidText),
        (lambda: Add("MILK", 1, "4242 4242 4242 4242"), CardNumberRefused),
        (lambda: Change("ln_1", 0), InvalidQuantity),
        (lambda: Note("ln_1", "x" * 100_000), InvalidText),
    ],
)
def test_an_impossible_edit_can_not_be_made(make: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        make()


# --- limits -----------------------------------------------------------------------------------------------


def test_a_line_takes_no_more_than_the_limit_of_a_line() -> None:
    full = edited(empty_cart(), Add("MILK", MAX_QUANTITY))
    with pytest.raises(InvalidQuantity):
        edited(full, Add("MILK", 1))


def test_lines_of_one_sku_take_no_more_together_than_the_limit() -> None:
    some = edited(empty_cart(), Add("MILK", 6, "cold"), most_units=10)
    edited(some, Add("MILK", 4), most_units=10)
    with pytest.raises(InvalidQuantity):
        edited(some, Add("MILK", 5), most_units=10)


@given(wishes=wishes, most=st.integers(1, 20))
def test_an_edit_passes_exactly_when_every_sku_is_within_the_limit(wishes: list[Add], most: int) -> None:
    sums = {sku: sum(one.quantity for one in wishes if one.sku == sku) for sku in SKUS}
    if max(sums.values()) <= most:
        assert edited(empty_cart(), *wishes, most_units=most).demand() == {s: n for s, n in sums.items() if n}
    else:
        with pytest.raises(InvalidQuantity):
            edited(empty_cart(), *wishes, most_units=most)


def test_a_cart_has_no_more_lines_than_the_limit() -> None:
    assert len(edited(empty_cart(), Add("MILK"), Add("BREAD"), most=2).lines) == 2
    with pytest.raises(TooMany):
        edited(empty_cart(), Add("MILK"), Add("BREAD"), Add("APPLES"), most=2)


def test_only_the_outcome_of_a_command_is_held_to_the_limits() -> None:
    """A full cart may swap: the order of the edits within one command is nobody's concern."""
    full = edited(empty_cart(), Add("MILK"), Add("BREAD"), most=2)
    swapped = edited(full, Add("APPLES"), Remove(full.lines[0].id), by="other", most=2)
    assert [line.sku for line in swapped.lines] == ["BREAD", "APPLES"]


# --- changing ---------------------------------------------------------------------------------------------


def test_a_line_is_changed_noted_and_removed_by_its_id() -> None:
    before = three_lines()
    milk, bread, apples = (line.id for line in before.lines)
    after = edited(before, Change(milk, 7), Note(bread, "sliced"), Remove(apples))
    assert [(line.id, line.quantity, line.note) for line in after.lines] == [(milk, 7, ""), (bread, 2, "sliced")]


def test_an_edit_that_changes_nothing_makes_no_event() -> None:
    before = edited(empty_cart(), Add("MILK", 2, "cold"))
    line = before.lines[0].id
    assert edit(before, [Change(line, 2), Note(line, "cold")], new_lines=fresh(), most=500) == ()


@pytest.mark.parametrize("one", [Change("ln_x", 1), Note("ln_x", "?"), Remove("ln_x")])
def test_a_line_that_is_not_there_is_not_found(one: Edit) -> None:
    with pytest.raises(NotFound):
        edited(three_lines(), one)


@pytest.mark.parametrize("ended", [e.CartOrdered("SOF01-7K3F9Q"), e.CartMerged("crt_2"), e.CartAbandoned()])
def test_a_cart_that_is_not_open_is_not_edited(ended: e.Event) -> None:
    closed = changed(three_lines(), ended)
    with pytest.raises(IllegalTransition):
        edited(closed, Add("MILK"))


# --- two devices ------------------------------------------------------------------------------------------


def edits_of(line: str) -> st.SearchStrategy[Edit]:
    return st.one_of(
        st.builds(Change, st.just(line), st.integers(1, 9)),
        st.builds(Note, st.just(line), st.sampled_from(["cold", "ripe"])),
        st.just(Remove(line)),
    )


LINES = [line.id for line in three_lines().lines]


@given(per_line=st.tuples(*(edits_of(line) for line in LINES)), new=st.builds(Add, st.just("EGGS"), st.integers(1, 9)))
def test_edits_of_different_lines_are_independent(per_line: Sequence[Edit], new: Add) -> None:
    """Whoever comes first, everybody gets what they asked for."""
    edits = [*per_line, new]
    expected = content(edited(three_lines(), *edits))
    for turn in permutations(edits):
        now = three_lines()
        for number, one in enumerate(turn):
            now = edited(now, one, by=f"device{number}")
        assert content(now) == expected


@given(first=st.sampled_from(LINES).flatmap(edits_of), second=st.sampled_from(LINES).flatmap(edits_of))
def test_the_later_of_two_devices_conflicts_only_on_the_same_line(first: Any, second: Any) -> None:
    """Both read the same version; the second to come is refused exactly when the first changed its line."""
    seen = three_lines()
    now = edited(seen, first)
    assume(now != seen)
    if first.line == second.line:
        with pytest.raises(VersionConflict):
            edited(now, second, if_version=seen.version)
    else:
        alone = {line.id: line for line in edited(seen, second).lines}
        both = {line.id: line for line in edited(now, second, if_version=seen.version).lines}
        found, wanted = both.get(second.line), alone.get(second.line)
        assert (found and (found.quantity, found.note)) == (wanted and (wanted.quantity, wanted.note))


def test_a_conflict_shows_the_cart_as_it_is() -> None:
    seen = three_lines()
    now = edited(seen, Change(LINES[0], 5))
    with pytest.raises(VersionConflict) as refused:
        edited(now, Change(LINES[0], 3), if_version=seen.version)
    assert refused.value.snapshot == now
    assert dict(refused.value.facts) == {
        "kind": "cart", "id": now.id, "expected": seen.version, "current": now.version,
    }  # fmt: skip


def test_a_line_that_somebody_removed_is_a_conflict() -> None:
    """Not merely missing: it was there when this device looked."""
    seen = three_lines()
    now = edited(seen, Remove(LINES[0]))
    with pytest.raises(VersionConflict):
        edited(now, Change(LINES[0], 3), if_version=seen.version)


def test_adding_never_conflicts() -> None:
    seen = three_lines()
    now = edited(seen, Change(LINES[0], 5))
    assert edited(now, Add("MILK", 1), if_version=seen.version).line(LINES[0]).quantity == 6


def test_whoever_names_the_current_version_never_conflicts() -> None:
    now = edited(three_lines(), Change(LINES[0], 5))
    assert edited(now, Change(LINES[0], 3), if_version=now.version).line(LINES[0]).quantity == 3


def test_one_command_may_touch_a_line_twice() -> None:
    seen = three_lines()
    after = edited(seen, Change(LINES[0], 5), Change(LINES[0], 6), if_version=seen.version)
    assert after.line(LINES[0]).quantity == 6


def test_a_command_that_conflicts_changes_nothing() -> None:
    """Not even with the edits before the one that conflicts."""
    seen = three_lines()
    now = edited(seen, Change(LINES[1], 5))
    with pytest.raises(VersionConflict):
        edit(now, [Change(LINES[0], 9), Change(LINES[1], 9)], new_lines=fresh(), most=500, if_version=seen.version)
    assert now.line(LINES[0]).quantity == 2


# --- versions ---------------------------------------------------------------------------------------------


@given(made=strategies.carts())
def test_no_line_is_newer_than_the_cart(made: Cart) -> None:
    assert all(line.version <= made.lines_version <= made.version for line in made.lines)


@given(made=strategies.carts(filled=True), data=st.data())
def test_every_event_is_one_version(made: Cart, data: st.DataObject) -> None:
    line = data.draw(st.sampled_from(made.lines))
    told = edit(made, [Add("MILK", 3, "cold"), Note(line.id, "other")], new_lines=fresh(), most=500)
    after = made
    for event in told:
        after = carts.apply(after, event, LATER)
    assert after.version == made.version + len(told)
    assert after.changed_at == LATER


@pytest.mark.parametrize("one", [Add("EGGS"), Change(LINES[0], 9), Note(LINES[0], "?"), Remove(LINES[0])])
def test_whatever_touches_a_line_makes_a_promise_out_of_date(one: Edit) -> None:
    before = three_lines()
    assert edited(before, one).lines_version > before.lines_version


def test_what_does_not_touch_a_line_leaves_a_promise_as_it_is() -> None:
    before = three_lines()
    after = changed(before, e.PromiseWithdrawn("prm_1"), e.CartOrdered("SOF01-7K3F9Q"), e.CartReopened("SOF01-7K3F9Q"))
    assert (after.lines, after.lines_version) == (before.lines, before.lines_version)
    assert (after.state, after.order_id, after.promise_id) == (CartState.OPEN, None, None)


def test_demand_sums_the_lines_of_a_sku() -> None:
    assert edited(empty_cart(), Add("MILK", 2), Add("MILK", 3, "cold"), Add("BREAD")).demand() == {
        "MILK": 5,
        "BREAD": 1,
    }


def test_a_note_is_not_shown_in_a_log() -> None:
    """Notes may hold personal data."""
    noted = cart(note="ring twice, code 4711")
    assert "4711" not in repr(noted)
    assert "4711" not in repr(edit(empty_cart(), [Add("MILK", 1, "code 4711")], new_lines=fresh(), most=9))
