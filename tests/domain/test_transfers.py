"""Transfers: what they carry is counted at each step, and lines share it without losing a unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain import events as e
from omniorder.domain import ids, transfers
from omniorder.domain.lifecycle import TransferState
from omniorder.domain.transfers import PromisedLeg, Transfer, arrived, assigned, shared_out
from omniorder.errors import IllegalTransition, InvalidQuantity, OmniorderError

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
SKUS = ("BREAD", "MILK", "TEA")
COUNTS = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 5), min_size=1)


def requested(units: dict[str, int]) -> Transfer:
    made, _ = transfers.request(
        ids.transfer_id("SOFDC", bytes(16)), "SOFDC", "SOF01", units,
        order=None, at=NOW, expected_at=NOW + timedelta(hours=20),
    )  # fmt: skip
    return made


def under_way(units: dict[str, int]) -> Transfer:
    picked = transfers.apply(requested(units), e.TransferPicked(tuple(units.items())), NOW)
    return transfers.apply(picked, e.TransferShipped(NOW + timedelta(hours=20), "VAN 3"), NOW)


def by_sku(parts: Sequence[e.Units], skus: dict[str, str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for part in parts:
        found[skus[part.line]] += part.quantity
    return found


@given(COUNTS, st.data())
def test_it_is_received_when_everything_came_and_short_when_not(units: dict[str, int], data: st.DataObject) -> None:
    sent = under_way(units)
    came = {sku: data.draw(st.integers(0, count)) for sku, count in units.items()}
    after = transfers.apply(sent, arrived(sent, came, "broken"), NOW)
    assert after.received == {sku: count for sku, count in came.items() if count}
    assert (after.state is TransferState.RECEIVED) == (came == units)


@pytest.mark.parametrize(
    ("refusal", "make"),
    [
        (InvalidQuantity, lambda: transfers.apply(requested({"MILK": 2}), e.TransferPicked((("MILK", 3),)), NOW)),
        (InvalidQuantity, lambda: transfers.apply(under_way({"MILK": 2}), e.TransferReceived((("MILK", 3),)), NOW)),
        (IllegalTransition, lambda: transfers.apply(requested({"MILK": 2}), e.TransferReceived((("MILK", 2),)), NOW)),
        (IllegalTransition, lambda: transfers.apply(under_way({"MILK": 2}), e.TransferCancelled("no van"), NOW)),
    ],
    ids=["more picked than asked for", "more received than sent", "received before it left", "called off on its way"],
)  # fmt: skip
def test_what_cannot_be_is_refused(refusal: type[OmniorderError], make: Callable[[], object]) -> None:
    with pytest.raises(refusal):
        make()


@given(st.lists(st.tuples(st.sampled_from(SKUS), st.integers(1, 6)), min_size=1, max_size=6), st.data())
def test_legs_and_the_store_make_up_exactly_what_the_lines_want(
    lines: list[tuple[str, int]], data: st.DataObject
) -> None:
    """Whatever two other stores send, and however many lines are of one article."""
    skus = {f"ln_{number}": sku for number, (sku, _) in enumerate(lines)}
    wanted = [e.Units(f"ln_{number}", count) for number, (_, count) in enumerate(lines)]
    left = by_sku(wanted, skus)
    legs: list[PromisedLeg] = []
    for number, store in enumerate(("SOFDC", "VAR01")):
        sent = {sku: data.draw(st.integers(0, count)) for sku, count in left.items()}
        left -= Counter(sent)
        units = tuple(sorted((sku, count) for sku, count in sent.items() if count))
        if units:
            legs.append(PromisedLeg(ids.transfer_id(store, bytes([number] * 16)), store, units, NOW))
    awaited, here = assigned(wanted, skus, legs)
    assert [by_sku(leg.units, skus) for leg in awaited] == [Counter(dict(leg.units)) for leg in legs]
    assert by_sku(here, skus) == left
    per_line: Counter[str] = Counter()
    for part in (*here, *(part for leg in awaited for part in leg.units)):
        per_line[part.line] += part.quantity
    assert per_line == {part.line: part.quantity for part in wanted}


@given(st.lists(st.tuples(st.sampled_from(SKUS), st.integers(1, 6)), min_size=1, max_size=6), st.data())
def test_what_came_and_what_did_not_are_the_leg_again(lines: list[tuple[str, int]], data: st.DataObject) -> None:
    skus = {f"ln_{number}": sku for number, (sku, _) in enumerate(lines)}
    units = tuple(e.Units(f"ln_{number}", count) for number, (_, count) in enumerate(lines))
    leg = transfers.Awaited(ids.transfer_id("SOFDC", bytes(16)), "SOFDC", units, NOW)
    sent = by_sku(units, skus)
    came = {sku: data.draw(st.integers(0, count)) for sku, count in sent.items()}
    here, missing = shared_out(leg, skus, came)
    assert by_sku(here, skus) == +Counter(came)
    assert by_sku((*here, *missing), skus) == sent
