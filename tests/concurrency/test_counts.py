"""A stock take while the shop is open: what is received, promised and collected meanwhile is never lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from omniorder import MovementKind, Order
from omniorder.errors import OmniorderError
from omniorder.services.shelves import Shelves
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import at_once, refused, won
from tests.services.steps import VISA, filled, free_slot, ready

COUNTED, DELIVERED, CRATES = 7, 5, 6
"""Every count says 7. A delivery is of 5, so whatever is on hand afterwards is 7 and some 5s."""


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def any_shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """The example shop, on each kind of storage."""
    url = "memory://" if request.param == "memory" else request.getfixturevalue(f"fresh_{request.param}")()
    with Shop.example(url, migrate=request.param == "memory") as example:
        yield example


def count(shop: Shop, counted: int = COUNTED) -> object:
    return shop.store.stock.count(Shop.SOFIA, Shop.MILK, counted, reason="stock take")


def receive(shop: Shop) -> object:
    return shop.office.stock.receive(Shop.SOFIA, Shop.MILK, DELIVERED, reference="DN-7")


def on_hand(shop: Shop) -> int:
    return shop.office.stock.level(Shop.SOFIA, Shop.MILK).on_hand


def counts(shop: Shop) -> list[int]:
    """By how much the counts found the books wrong."""
    moves = shop.office.stock.movements(Shop.SOFIA, Shop.MILK).items
    return [move.quantity for move in moves if move.kind is MovementKind.COUNT]


def test_each_count_counts_and_no_delivery_is_lost(any_shop: Shop) -> None:
    shop = any_shop
    for _ in range(3):
        works: list[Callable[[], object]] = [*[partial(count, shop)] * CRATES, *[partial(receive, shop)] * CRATES]
        assert refused(at_once(works)) == []
        after_the_last_count, rest = divmod(on_hand(shop) - COUNTED, DELIVERED)
        assert (rest, after_the_last_count in range(CRATES + 1)) == (0, True)
        check_all(shop.hub)


def test_customers_and_counts_do_not_disturb_each_other(any_shop: Shop) -> None:
    """Whoever is promised the last units just before a count that finds none of them is endangered, and not cheated."""
    shop = any_shop
    carts = [filled(shop, {Shop.MILK: 2}) for _ in range(CRATES)]
    slots = [free_slot(shop, cart, nth=n % 3) for n, cart in enumerate(carts)]
    promises: list[Callable[[], object]] = [
        partial(shop.app.checkout.promise, cart.id, slot=slot) for cart, slot in zip(carts, slots, strict=True)
    ]
    counting: list[Callable[[], object]] = [partial(count, shop)] * CRATES
    results = at_once(promises + counting)
    assert set(refused(results)) <= {"stock.short"}
    made = len(won(results)) - CRATES
    level = shop.office.stock.level(Shop.SOFIA, Shop.MILK)
    assert (level.on_hand, level.reserved) == (COUNTED, 2 * made)
    assert level.shortage == max(0, 2 * made - COUNTED)
    check_all(shop.hub)


# --- at the worst moment: between a count's look at the level and its end ---------------------------------
#
# On PostgreSQL, since SQLite has one writer at a time and memory one command.


def collect(shop: Shop, order: Order, code: str) -> object:
    return shop.store.pickups.hand_over(order.id, code=code)


def meanwhile(shop: Shop) -> dict[str, tuple[Callable[[], object], int]]:
    """What somebody else does while 7 are counted where the books say 40, and what that adds to the books."""
    order = ready(shop, {Shop.MILK: 2}, pay=VISA)
    code = shop.app.orders.pickup_pass(order.id).code
    return {
        "a delivery": (partial(receive, shop), DELIVERED),
        "a hand-over": (partial(collect, shop, order, code), -2),
        "a loss": (partial(shop.office.stock.write_off, Shop.SOFIA, Shop.MILK, 3, reason="broken"), -3),
        "another count": (partial(count, shop, 20), -20),
    }


def counted_at_the_worst_moment(shop: Shop, patch: pytest.MonkeyPatch, what: str) -> tuple[object, int, list[object]]:
    """What the count came to, what somebody else added to the books meanwhile, and what that came to."""
    other, added = meanwhile(shop)[what]
    done = unguarded.between_reading_levels_and_writing(patch, other)
    (result,) = at_once([partial(count, shop)])
    return result, added, done


WHAT = ("a delivery", "a hand-over", "a loss", "another count")


@pytest.mark.parametrize("what", WHAT)
def test_a_count_is_of_the_moment_at_which_it_is_written(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    shop = shop_on_postgres
    result, added, done = counted_at_the_worst_moment(shop, monkeypatch, what)
    assert not isinstance(result, OmniorderError)
    assert not any(isinstance(one, OmniorderError) for one in done)
    assert on_hand(shop) == COUNTED
    assert COUNTED - 40 - added in counts(shop)
    check_all(shop.hub)


@pytest.mark.parametrize("what", WHAT)
def test_without_the_guard_a_count_is_of_nothing(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The books say what was counted and what somebody else did, or less than nothing, and not what is there."""
    shop = shop_on_postgres
    unguarded.count_unasked(monkeypatch)
    result, _, done = counted_at_the_worst_moment(shop, monkeypatch, what)
    assert done
    assert on_hand(shop) != COUNTED or isinstance(result, OmniorderError)


def test_a_promise_does_not_make_a_count_begin_anew(shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is reserved is not what is counted: a stock take on a busy day must come to an end."""
    shop, begun = shop_on_postgres, list[str]()
    write_down = Shelves.count

    def counting(ledger: Shelves, *args: Any) -> None:
        begun.append("count")
        write_down(ledger, *args)

    monkeypatch.setattr(Shelves, "count", counting)
    cart = filled(shop, {Shop.MILK: 2})
    promise = partial(shop.app.checkout.promise, cart.id, slot=free_slot(shop, cart))
    done = unguarded.between_reading_levels_and_writing(monkeypatch, promise)
    count(shop)
    assert len(won(done)) == len(begun) == 1
    level = shop.office.stock.level(Shop.SOFIA, Shop.MILK)
    assert (level.on_hand, level.reserved) == (COUNTED, 2)
    check_all(shop.hub)
