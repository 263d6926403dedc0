"""Ranking: the order of offers, criterion by criterion, and a policy that is what it says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from attrs import evolve

from omniorder.domain.money import Money
from omniorder.domain.offers import Available, Offer, WithTransfer
from omniorder.domain.ranking import (
    DEFAULT_RANKING,
    Ranking,
    SourcingPolicy,
    cheapest,
    closest,
    earliest,
    full_first,
    most_complete,
    ranked_by,
)
from omniorder.domain.slots import Slot
from omniorder.domain.sourcing import Leg, Sourcing
from omniorder.domain.stores import Store
from omniorder.errors import InvalidInput
from omniorder.reasons.tree import Reason
from omniorder.testing import samples

MORNING = datetime(2026, 11, 23, 8, tzinfo=UTC)
SHORT = (Reason("stock.short"),)
CLOSED = (Reason("slot.unavailable"),)


def slot(hour: int = 0) -> Slot:
    starts = MORNING + timedelta(hours=hour)
    return Slot(f"slt_{hour}", "SOF01", starts, starts + timedelta(hours=1), 20)


def offer(store: str, *, far: float | None = 5.0, hour: int | None = 0, **more: Any) -> Offer:
    slots = () if hour is None else (slot(hour),)
    given: dict[str, Any] = {"quote": None, "reasons": (), "available": (Available("milk", 4, 4),), **more}
    return Offer(Store(store, zone="UTC", hours="24/7"), far, given["quote"], slots, given["reasons"],
                 given["available"], given.get("with_transfer"))  # fmt: skip


def part(store: str, units: int, **more: Any) -> Offer:
    return offer(store, reasons=SHORT, available=(Available("milk", 4, units),), **more)


def sent(store: str, units: int = 1, *, later: int = 9, **more: Any) -> Offer:
    plan = Sourcing(store, (Leg("DC", (("milk", 4 - units),), timedelta(hours=4)),), ())
    return part(store, units, with_transfer=WithTransfer(plan, (slot(later),)), **more)


BEST_FIRST = [
    offer("Z1", far=1.0, hour=3),
    offer("Z0", far=2.0, hour=1),
    offer("Y9", far=2.0, hour=2),
    offer("Y8", far=None, hour=0),
    offer("Y9A", far=None, hour=0),
    sent("X1", far=1.0),
    sent("X0", far=2.0, later=7),
    sent("W9", far=2.0, later=8),
    part("V2", 3, far=9.0),
    part("V1", 2, far=1.0),
    part("V0", 2, far=1.5),
    offer("U2", far=1.0, hour=None, reasons=CLOSED),
    part("U1", 3, far=1.0, hour=None),
    part("U0", 0, far=0.5),
]
"""In the default order, and against the alphabet where anything but the id decides."""


@pytest.mark.parametrize("seed", range(20))
def test_by_default_full_stores_lead_then_transfers_then_what_has_more_then_the_nearest_then_the_earliest(
    seed: int,
) -> None:
    given = list(BEST_FIRST)
    Random(seed).shuffle(given)
    assert [one.store.id for one in DEFAULT_RANKING.order(given)] == [one.store.id for one in BEST_FIRST]


@pytest.mark.parametrize(
    ("criterion", "better", "worse"),
    [
        (full_first, offer("BB"), sent("AA")),
        (full_first, sent("BB"), part("AA", 3)),
        (full_first, part("BB", 1), part("AA", 0)),
        (full_first, part("BB", 1), part("AA", 3, hour=None)),
        (most_complete, part("BB", 3), part("AA", 2)),
        (most_complete, sent("BB", 1), part("AA", 3)),
        (closest, offer("BB", far=1.0), offer("AA", far=1.1)),
        (closest, offer("BB", far=900.0), offer("AA", far=None)),
        (earliest, offer("BB", hour=1), offer("AA", hour=2)),
        (earliest, offer("BB", hour=9), part("AA", 1, hour=None)),
        (earliest, sent("BB", later=2), sent("AA", later=3)),
        (cheapest, offer("BB", quote=samples.promise().quote), offer("AA")),
        (
            cheapest,
            offer("BB", quote=evolve(samples.promise().quote, total=Money(1, "EUR"))),
            offer("AA", quote=samples.promise().quote),
        ),
    ],
)
def test_each_criterion_brings_forward_what_it_says(
    criterion: Callable[[Offer], Any], better: Offer, worse: Offer
) -> None:
    """Against the alphabet, which decides without it."""
    better, worse = (evolve(one, store=evolve(one.store, id=id)) for one, id in ((better, "BB"), (worse, "AA")))
    assert ranked_by(criterion).order([worse, better]) == (better, worse)
    assert ranked_by().order([worse, better]) == (worse, better)


def test_coverage_counts_every_article_alike() -> None:
    """A gram is no piece."""
    has = (Available("milk", 4, 1), Available("flour", 1000, 1000))
    assert offer("SOF01", available=has).coverage == (0.25 + 1) / 2
    assert offer("SOF01", available=()).coverage == 0


@pytest.mark.parametrize(
    "wrong", [{"strategy": "nearest"}, {"ranking": closest}, {"cost": 5}, {"strategy": None}, {"ranking": None}]
)
def test_a_policy_is_made_of_a_strategy_a_ranking_and_a_function(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        SourcingPolicy(**wrong)
    assert refusal.value.facts["field"] == next(iter(wrong))


def test_a_ranking_is_made_of_functions() -> None:
    words: Any = ("closest",)
    with pytest.raises(InvalidInput):
        Ranking(words)
