"""Several devices tell of the same hand-over at once, while the counter has the network back: it counts once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest
from attrs import evolve

from omniorder import Card, OfflineHandOver, Order, Pick, Receipt, SigningKeys, SyncOutcome
from omniorder.errors import OmniorderError
from omniorder.signing import new_key
from omniorder.testing.invariants import InvariantBroken, check_all
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import at_once
from tests.emptied import Fresh

KEYS = SigningKeys({"2026": new_key()})
ROUNDS = 3
VISA, PAID_AT_ONCE = Card("pm_card_visa"), Card("pm_card_instant")


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """The example shop with signing keys, on each of the two databases that many use at once."""
    fresh: Fresh = request.getfixturevalue(f"fresh_{request.param}")
    with Shop.example(fresh(), migrate=False, pass_keys=KEYS) as example:
        yield example


def given_away(shop: Shop, pay: Card = VISA) -> tuple[Order, OfflineHandOver]:
    """An order of Anna's that left while the store had no network."""
    order = shop.app.checkout.place(shop.promise().id, pay=pay)
    shop.store.pickups.pick(order.id, [Pick(line.id, line.quantity) for line in order.lines])
    order = shop.store.pickups.ready(order.id)
    signed = shop.app.orders.pickup_pass(order.id).signed
    return order, OfflineHandOver(signed, at=shop.clock.now(), by="mila")


def telling(shop: Shop, *entries: OfflineHandOver) -> list[Callable[[], SyncOutcome]]:
    """Each told by a device of its own."""
    return [partial(_told, shop, one) for one in entries]


def _told(shop: Shop, entry: OfflineHandOver) -> SyncOutcome:
    return shop.store.pickups.sync([entry])[0].outcome


def charged(shop: Shop, order: Order) -> int:
    return sum(one.captured.amount for one in shop.gateway.payments if one.order == order.id)


def test_one_hand_over_that_is_told_by_several_is_paid_once(shop: Shop) -> None:
    for _ in range(ROUNDS):
        order, entry = given_away(shop)
        outcomes = at_once(telling(shop, *[entry] * 4))
        assert outcomes.count(SyncOutcome.DONE) == 1
        assert set(outcomes) <= {SyncOutcome.DONE, SyncOutcome.RUNNING, SyncOutcome.REPEATED}
        assert charged(shop, order) == order.total.amount
        check_all(shop.hub)


def test_of_two_hand_overs_of_one_order_one_counts_and_the_other_is_flagged(shop: Shop) -> None:
    for _ in range(ROUNDS):
        order, entry = given_away(shop)
        other = evolve(entry, at=entry.at - timedelta(minutes=9))
        at_once(telling(shop, entry, other))
        ends = {told.outcome for told in shop.store.pickups.sync([entry, other])}
        assert ends == {SyncOutcome.REPEATED, SyncOutcome.TWICE}
        assert charged(shop, order) == order.total.amount
        check_all(shop.hub)


def test_a_hand_over_at_the_counter_and_one_that_is_told_are_never_both_good(shop: Shop) -> None:
    for _ in range(ROUNDS):
        order, entry = given_away(shop)
        code = shop.app.orders.pickup_pass(order.id).code
        both: list[Callable[[], object]] = [partial(shop.store.pickups.hand_over, order.id, code=code)]
        counter, _ = at_once([*both, *telling(shop, entry)])
        (told,) = shop.store.pickups.sync([entry])
        won = isinstance(counter, Receipt), told.outcome is SyncOutcome.REPEATED
        assert sorted(won) == [False, True], (counter, told)
        assert isinstance(counter, (Receipt, OmniorderError))
        assert charged(shop, order) == order.total.amount
        check_all(shop.hub)


def test_without_the_guard_the_goods_leave_the_books_twice(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.app.checkout.place(shop.promise(10).id, pay=VISA)  # units that could be taken wrongly
    _, entry = given_away(shop, PAID_AT_ONCE)
    unguarded.decide_on_old_news(monkeypatch)
    outcomes = at_once(telling(shop, entry, entry))
    assert outcomes == [SyncOutcome.DONE, SyncOutcome.DONE]
    with pytest.raises(InvariantBroken):
        check_all(shop.hub)
