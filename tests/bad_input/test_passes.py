"""Signed passes that open nothing: at the counter, and told afterwards by a store that had no network."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from attrs import evolve

from omniorder import OfflineHandOver, SigningKeys, SyncOutcome, offline
from omniorder.domain.signed_passes import SignedPass
from omniorder.errors import InvalidId, InvalidInput, InvalidInstant, NotFound, NotReady, PassRefused, TooMany
from omniorder.signing import new_key
from tests.bad_input.cases import Case, judge, parametrised
from tests.bad_input.conftest import PASS_KEY, PASS_KEYS, World

STRANGER = new_key()


def said(world: World) -> SignedPass:
    """What the pass of the order that is ready says."""
    return offline.read(world.ticket.signed, keys=PASS_KEYS.public(), now=world.shop.clock.now())


def signed(world: World, key: str = PASS_KEY, **changed: Any) -> str:
    """The same, changed and signed anew, as only somebody with a key of ours could."""
    changed.setdefault("key_id", "2026")
    return SigningKeys({changed["key_id"]: key}).sign(evolve(said(world), **changed))


def altered(world: World) -> str:
    """A bit of its signature is another."""
    text = world.ticket.signed
    return text[:-5] + ("A" if text[-5] != "A" else "B") + text[-4:]


SHOWN: Final[dict[str, tuple[str, Callable[[World], str]]]] = {
    "half a pass": ("malformed", lambda w: w.ticket.signed[:-1]),
    "not base64": ("malformed", lambda w: w.ticket.signed[:30] + "!" + w.ticket.signed[31:]),
    "an altered signature": ("forged", altered),
    "somebody else's signature": ("forged", lambda w: signed(w, STRANGER)),
    "an unknown key": ("unknown_key", lambda w: signed(w, STRANGER, key_id="2019")),
    "another store": ("other_store", lambda w: signed(w, store="VAR01")),
    "another order": ("other_order", lambda w: signed(w, order=w.placed.id)),
    "a clock behind by more than minutes": (
        "not_yet_valid", lambda w: signed(w, starts=w.shop.clock.now() + timedelta(minutes=6)),
    ),
    "an end that is past": ("expired", lambda w: signed(w, until=w.shop.clock.now() - timedelta(minutes=6))),
    "an older generation": ("replaced", lambda w: signed(w, id=f"{w.ready.pickup.id}_9")),
    "another pick-up": ("replaced", lambda w: signed(w, id="pup_SOF01_000000_2_1")),
    "another deadline": ("replaced", lambda w: signed(w, until=said(w).until + timedelta(hours=1))),
}  # fmt: skip


def shown(name: str) -> Case:
    """This text, shown at the counter for the order that is ready."""
    reason, show = SHOWN[name]
    return Case(
        name, lambda w: w.shop.store.pickups.hand_over(w.ready.id, code=show(w)), PassRefused, {"reason": reason}
    )


@parametrised(map(shown, SHOWN))
def test_a_pass_that_is_none_opens_nothing_and_counts_as_no_try(world: World, case: Case) -> None:
    judge(world, case)


@parametrised(
    [
        Case("too early", lambda w: w.shop.store.pickups.hand_over(w.placed.id, code=w.ticket.signed), NotReady),
        Case("called off", lambda w: w.shop.store.pickups.hand_over(w.cancelled.id, code=w.ticket.signed), NotReady),
        Case("collected", lambda w: w.shop.store.pickups.hand_over(w.collected.id, code=w.ticket.signed), PassRefused),
        Case(
            "by another store's associate",
            lambda w: w.shop.elsewhere.pickups.hand_over(w.ready.id, code=w.ticket.signed),
            NotFound,
        ),
        Case("too long", lambda w: w.shop.store.pickups.hand_over(w.ready.id, code="a" * 801), InvalidInput),
        Case("no holder", lambda w: w.shop.app.orders.pickup_pass(w.ready.id, holder=_any("owner")), InvalidInput),
    ]
)
def test_a_good_pass_at_a_bad_moment_opens_nothing(world: World, case: Case) -> None:
    judge(world, case)


def told(world: World, shown: str) -> OfflineHandOver:
    return OfflineHandOver(shown, at=world.shop.clock.now(), by="mila")


@pytest.mark.parametrize("name", [name for name, (reason, _) in SHOWN.items()
                                  if reason in ("malformed", "forged", "unknown_key", "other_store")])  # fmt: skip
def test_a_hand_over_against_no_pass_of_this_store_is_answered_and_not_written(world: World, name: str) -> None:
    reason, show = SHOWN[name]
    before = world.state()
    (synced,) = world.shop.store.pickups.sync([told(world, show(world))])
    assert synced.outcome is SyncOutcome.REFUSED
    assert synced.error is not None
    assert synced.error.facts["reason"] == reason
    assert world.state() == before


@parametrised(
    [
        Case("a naive instant", lambda w: OfflineHandOver("x", w.shop.clock.now().replace(tzinfo=None), "m"),
             InvalidInstant),
        Case("no instant", lambda w: OfflineHandOver("x", _any("today"), "m"), InvalidInstant),
        Case("nobody", lambda w: OfflineHandOver("x", w.shop.clock.now(), ""), InvalidId),
        Case("no text", lambda w: OfflineHandOver(_any(5), w.shop.clock.now(), "m"), InvalidInput),
        Case("no money", lambda w: evolve(told(w, "x"), taken=_any(5)), InvalidInput),
        Case("no list", lambda w: w.shop.store.pickups.sync(_any("x")), InvalidInput),
        Case("no lines", lambda w: w.shop.store.pickups.sync([evolve(told(w, "x"), lines=[])]), InvalidInput),
        Case("too many", lambda w: w.shop.store.pickups.sync([told(w, "x")] * 1001), TooMany),
    ]
)  # fmt: skip
def test_what_is_no_hand_over_is_refused_with_all_that_came_with_it(world: World, case: Case) -> None:
    judge(world, case)


def _any(value: object) -> Any:
    return value


def test_a_device_whose_clock_is_ahead_by_more_than_minutes_is_told(world: World) -> None:
    before = world.state()
    ahead: datetime = world.shop.clock.now() + timedelta(minutes=6)
    (synced,) = world.shop.store.pickups.sync([evolve(told(world, world.ticket.signed), at=ahead)])
    assert type(synced.error) is InvalidInstant
    assert world.state() == before
