"""A database that fails or leaves a commit in doubt: repeated where that can help, and never done twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from omniorder import MergeRule, OrderState, Recorded, Settings, Stage, events
from omniorder.adapters.memory import MemoryStorage
from omniorder.errors import StillRunning, StorageFault, StorageFull, StorageUnavailable
from omniorder.ports.storage import Transaction
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.steps import (
    GUEST,
    VISA,
    code,
    effects,
    filled,
    free_slot,
    level,
    only_order,
    placed,
    promised,
    ready,
    refused,
)


@pytest.fixture
def storage() -> tuple[Shop, MemoryStorage]:
    """The shop in memory, whose commits can be made to fail."""
    shop = Shop.example(settings=Settings(retry_for=timedelta(seconds=1), wait_for_other=timedelta(0)))
    storage = shop.hub._parts.storage
    assert isinstance(storage, MemoryStorage)
    return shop, storage


def test_a_conflict_is_repeated_and_nobody_hears_of_it(storage: tuple[Shop, MemoryStorage]) -> None:
    shop, database = storage
    cart = filled(shop)
    for _ in range(3):
        database.fail_next_commit()
    after = shop.app.carts.add(cart.id, Shop.BREAD)
    assert [line.sku for line in after.lines] == [Shop.MILK, Shop.BREAD]


def test_the_repetition_uses_the_ids_that_were_drawn_before(storage: tuple[Shop, MemoryStorage]) -> None:
    shop, database = storage
    promise = promised(shop)
    database.fail_next_commit()
    order = shop.app.checkout.place(promise.id, pay=VISA)
    assert (only_order(shop), effects(shop)) == (order, [1])


def test_what_stays_broken_is_told_as_such_and_may_be_tried_again(
    storage: tuple[Shop, MemoryStorage],
) -> None:
    shop, database = storage
    cart = filled(shop)
    for _ in range(500):
        database.fail_next_commit()
    error = refused(StorageUnavailable, shop.app.carts.add, cart.id, Shop.BREAD)
    assert (error.retry, error.status) == (True, 503)


def test_a_full_disk_is_not_tried_again_and_no_provider_is_called(storage: tuple[Shop, MemoryStorage]) -> None:
    shop, database = storage
    promise = promised(shop)
    database.fail_next_commit(StorageFull(reason="disk full"))
    error = refused(StorageFull, shop.app.checkout.place, promise.id, pay=VISA)
    assert (error.retry, error.status) == (False, 507)
    assert shop.gateway.requests == []
    assert shop.app.checkout.place(promise.id, pay=VISA).state is OrderState.CONFIRMED


def test_what_would_fail_again_is_told_at_once(storage: tuple[Shop, MemoryStorage]) -> None:
    shop, database = storage
    cart = filled(shop)
    database.fail_next_commit(StorageFault(reason="permission denied"))
    error = refused(StorageFault, shop.app.carts.add, cart.id, Shop.BREAD)
    assert (error.retry, error.status) == (False, 500)


def test_an_order_whose_commit_is_in_doubt_is_looked_up_and_placed_once(
    storage: tuple[Shop, MemoryStorage],
) -> None:
    shop, database = storage
    promise = promised(shop)
    database.fail_next_commit(written=True)
    order = shop.app.checkout.place(promise.id, pay=VISA)
    assert (order.state, only_order(shop).id, effects(shop)) == (OrderState.CONFIRMED, order.id, [1])


def test_an_edit_under_a_key_whose_commit_is_in_doubt_counts_once(storage: tuple[Shop, MemoryStorage]) -> None:
    shop, database = storage
    cart = filled(shop)
    database.fail_next_commit(written=True)
    assert shop.app.carts.add(cart.id, Shop.MILK, 1, key="k").lines[0].quantity == 3


def test_an_edit_without_a_key_whose_commit_is_in_doubt_counts_once(storage: tuple[Shop, MemoryStorage]) -> None:
    """The journal says whether it was committed."""
    shop, database = storage
    cart = filled(shop)
    database.fail_next_commit(written=True)
    assert shop.app.carts.add(cart.id, Shop.MILK, 1).lines[0].quantity == 3


def test_a_cart_and_a_promise_whose_commit_is_in_doubt_are_made_once(storage: tuple[Shop, MemoryStorage]) -> None:
    shop, database = storage
    database.fail_next_commit(written=True)
    cart = shop.app.carts.start()
    shop.app.carts.add(cart.id, Shop.MILK, 2)
    slot = free_slot(shop, cart)
    database.fail_next_commit(written=True)
    promise = shop.app.checkout.promise(cart.id, slot=slot)
    assert shop.app.carts.get(cart.id).promise_id == promise.id


def test_a_cart_under_a_key_whose_commit_is_in_doubt_is_started_once(storage: tuple[Shop, MemoryStorage]) -> None:
    shop, database = storage
    database.fail_next_commit(written=True)
    cart = shop.app.carts.start(key="k")
    assert shop.app.carts.start(key="k") == cart


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("receive", {"reference": "DN-7"}),
        ("adjust", {"reason": "found one"}),
        ("count", {}),
        ("write_off", {"reason": "broken"}),
        ("quarantine", {"reason": "dented"}),
        ("clear", {"reason": "fine"}),
        ("take_back", {"reference": "SOF01-7K3F9Q"}),
    ],
)
def test_what_is_done_at_a_shelf_and_whose_commit_is_in_doubt_is_done_once(
    storage: tuple[Shop, MemoryStorage], name: str, more: dict[str, str]
) -> None:
    """No event tells of it, but its movement does."""
    shop, database = storage
    desk = shop.store.stock
    desk.quarantine(Shop.SOFIA, Shop.MILK, 5, reason="dented")
    before = len(desk.movements(Shop.SOFIA, Shop.MILK).items)
    database.fail_next_commit(written=True)
    getattr(desk, name)(Shop.SOFIA, Shop.MILK, 1, **more)
    assert len(desk.movements(Shop.SOFIA, Shop.MILK).items) == before + 1
    check_all(shop.hub)


def test_what_is_done_at_a_shelf_and_was_not_committed_is_done_again(storage: tuple[Shop, MemoryStorage]) -> None:
    shop, database = storage
    database.fail_next_commit()
    assert shop.store.stock.receive(Shop.SOFIA, Shop.MILK, 1).on_hand == 41
    assert [
        move.quantity for move in shop.store.stock.movements(Shop.SOFIA, Shop.MILK).items if move.quantity == 1
    ] == [1]


def test_an_answer_whose_commit_is_in_doubt_is_recorded_once(storage: tuple[Shop, MemoryStorage]) -> None:
    shop, database = storage
    promise = promised(shop)
    commits = [None, True]

    def second_commit_in_doubt(recorded: Recorded, tx: Transaction) -> None:
        if commits:
            commits.clear()
            database.fail_next_commit(written=True)

    shop.hub.on(events.Authorised, second_commit_in_doubt)
    order = shop.app.checkout.place(promise.id, pay=VISA)
    assert (order.state, effects(shop)) == (OrderState.CONFIRMED, [1])
    assert [entry.name for entry in shop.app.orders.timeline(order.id).items].count("Authorised") == 1


def test_a_hand_over_whose_commit_is_in_doubt_gives_the_goods_once(storage: tuple[Shop, MemoryStorage]) -> None:
    shop, database = storage
    order = ready(shop)
    said = code(shop, order)

    def in_doubt(recorded: Recorded, tx: Transaction) -> None:
        database.fail_next_commit(written=True)

    shop.hub.on(events.HandOverStarted, in_doubt)
    try:
        shop.store.pickups.hand_over(order.id, code=said, key="k")
    except StorageFault as fault:
        raise AssertionError("the first step was committed and must be gone on with") from fault
    except StillRunning:
        shop.advance(minutes=3)
    receipt = shop.store.pickups.hand_over(order.id, code=said, key="k")
    assert (receipt.order.stage, level(shop), effects(shop)) == (Stage.COLLECTED, (38, 0), [1, 1])


def test_a_calling_off_whose_commit_is_in_doubt_goes_on(storage: tuple[Shop, MemoryStorage]) -> None:
    shop, database = storage
    order = placed(shop)
    database.fail_next_commit(written=True)
    assert shop.app.orders.cancel(order.id).stage is Stage.CANCELLED


def test_a_claim_whose_commit_is_in_doubt_is_answered_with_what_it_moved(
    storage: tuple[Shop, MemoryStorage],
) -> None:
    """Repeating it would find that there is nothing left to claim."""
    shop, database = storage
    order, cart = placed(shop, touch=shop.guest), filled(shop, touch=shop.guest)
    database.fail_next_commit(written=True)
    claimed = shop.app.carts.claim(GUEST)
    assert (claimed.orders, claimed.cart) == ((order.id,), shop.app.carts.get(cart.id))


def test_a_merge_whose_commit_is_in_doubt_is_answered_with_what_it_did(storage: tuple[Shop, MemoryStorage]) -> None:
    shop, database = storage
    mine, other = filled(shop), filled(shop, {Shop.BREAD: 1})
    database.fail_next_commit(written=True)
    assert [one.rule for one in shop.app.carts.merge(mine.id, other.id).lines] == [MergeRule.KEPT, MergeRule.ADDED]
