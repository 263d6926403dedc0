"""Movements: which way each kind goes, and the levels that they add up to."""

from __future__ import annotations

from itertools import chain

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain.movements import fits, rebuilt
from omniorder.domain.stock import Level, Movement, MovementKind
from omniorder.testing import samples, strategies
from omniorder.testing.samples import BREAD, MILK, SOFIA, VARNA

WAYS = """
               |  5 0 | -5 0 |  0 0 | 0 5 | 0 -5 | -5 5 | 5 -5 | 5 5 | -5 4
receive        |  yes |  no  |  no  | no  |  no  |  no  |  no  | no  |  no
adjust         |  yes |  yes |  no  | no  |  no  |  no  |  no  | no  |  no
count          |  yes |  yes |  yes | no  |  no  |  no  |  no  | no  |  no
transfer_out   |  no  |  yes |  no  | no  |  no  |  no  |  no  | no  |  no
transfer_in    |  yes |  no  |  no  | no  |  no  |  no  |  no  | no  |  no
collect        |  no  |  yes |  no  | no  |  no  |  no  |  no  | no  |  no
found          |  yes |  no  |  no  | no  |  no  |  no  |  no  | no  |  no
return         |  yes |  no  |  no  | yes |  no  |  no  |  no  | no  |  no
write_off      |  no  |  yes |  no  | no  |  yes |  no  |  no  | no  |  no
quarantine     |  no  |  no  |  no  | no  |  no  |  yes |  no  | no  |  no
clear          |  no  |  no  |  no  | no  |  no  |  no  |  yes | no  |  no
"""
"""By kind: whether units may go so at the shelf (first number) and in quarantine (second)."""


def ways() -> dict[tuple[MovementKind, int, int], bool]:
    head, *rows = ([cell.strip() for cell in row.split("|")] for row in WAYS.strip("\n").split("\n"))
    numbers = [tuple(map(int, cell.split())) for cell in head[1:]]
    return {
        (MovementKind(kind), shelf, quarantine): answer == "yes"
        for kind, *answers in rows
        for (shelf, quarantine), answer in zip(numbers, answers, strict=True)
    }


@pytest.mark.parametrize(("way", "fine"), ways().items(), ids=lambda one: str(one))
def test_each_kind_goes_its_own_way(way: tuple[MovementKind, int, int], fine: bool) -> None:
    kind, shelf, quarantine = way
    assert fits(evolve(samples.movement(), kind=kind, quantity=shelf, quarantined=quarantine)) is fine


def test_every_kind_is_in_the_table() -> None:
    assert {kind for kind, _, _ in ways()} == set(MovementKind)


@given(strategies.movements())
def test_the_strategy_draws_what_fits(movement: Movement) -> None:
    assert fits(movement)


# --- the fold ---------------------------------------------------------------------------------------------

LEVELS = ((SOFIA, BREAD), (SOFIA, MILK), (VARNA, MILK))
ledgers = st.tuples(*(st.lists(strategies.movements(store=store, sku=sku), max_size=6) for store, sku in LEVELS))


def test_no_movements_make_no_level() -> None:
    assert list(rebuilt([])) == []


def test_a_day_adds_up_to_the_level_at_its_end() -> None:
    """40 came, 3 were broken, 1 of which could be sold after all; a stock take found 1 less, and 2 were collected."""
    day = [
        (MovementKind.RECEIVE, 40, 0),
        (MovementKind.QUARANTINE, -3, 3),
        (MovementKind.CLEAR, 1, -1),
        (MovementKind.WRITE_OFF, 0, -2),
        (MovementKind.COUNT, -1, 0),
        (MovementKind.COLLECT, -2, 0),
        (MovementKind.RETURN, 0, 1),
    ]
    moves = [
        evolve(samples.movement(number), kind=kind, quantity=shelf, quarantined=quarantine)
        for number, (kind, shelf, quarantine) in enumerate(day, 1)
    ]
    assert list(rebuilt(moves)) == [Level(SOFIA, MILK, on_hand=35, quarantined=1)]


@given(ledgers)
def test_each_level_is_the_sum_of_its_own_movements(ledger: tuple[list[Movement], ...]) -> None:
    found = {(level.store, level.sku): level for level in rebuilt(chain(*ledger))}
    assert list(found) == [place for place, moves in zip(LEVELS, ledger, strict=True) if moves]
    for place, moves in zip(LEVELS, ledger, strict=True):
        if moves:
            level = found[place]
            assert level.on_hand == sum(move.quantity for move in moves)
            assert level.quarantined == sum(move.quarantined for move in moves)


@given(st.lists(strategies.movements(store=SOFIA, sku=MILK), min_size=1), st.randoms())
def test_the_order_of_movements_does_not_matter(moves: list[Movement], chance: st.DataObject) -> None:
    """They are ordered by their ids, which is the order of commands and may not be that of commits."""
    assert list(rebuilt(moves)) == list(rebuilt(sorted(moves, key=lambda move: move.id)))
