"""A stock take while customers order the same goods: whoever is first, the books add up and nothing is lost."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import Any

import pytest
from attrs import evolve
from sqlalchemy import select

from omniorder import Add, Card, Channel, Customer, Pick
from omniorder.adapters.sql import counting
from omniorder.adapters.sql import postgres as postgresql
from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.schema import MOVEMENT, STOCK
from omniorder.domain.stock import MovementKind
from omniorder.errors import OmniorderError
from omniorder.exchange import import_file
from omniorder.ports.writes import CountWrite, StockChange, Writes
from omniorder.testing import samples
from omniorder.testing.invariants import InvariantBroken, check_all
from omniorder.testing.shop import Shop
from tests.concurrency.threads import at_once

SKUS = (Shop.APPLES, Shop.BREAD, Shop.MILK)
TAKES = 6


def count_again_and_again(shop: Shop, n: int) -> int:
    """Stock takes of the same levels, each with other numbers, in the order of the file or the other way round."""
    rows = [f"{Shop.VARNA},{sku},{200 + 10 * n + k}" for k, sku in enumerate(SKUS)]
    for _ in range(TAKES):
        rows.reverse()
        file = io.BytesIO(("store,sku,on_hand\n" + "\n".join(rows) + "\n").encode())
        assert import_file(shop.office, "levels", file, format="csv", batch=1 + n % 3).finished
    return TAKES


def order_and_collect(shop: Shop, n: int) -> int:
    """A basket of all three, placed, picked and handed over."""
    web = shop.hub.at(Channel.WEB, Customer(f"customer-{n}"))
    cart = web.carts.start()
    web.carts.edit(cart.id, [Add(sku, 1) for sku in SKUS])
    slot = next(one.slots[0].id for one in web.checkout.offers(cart.id) if one.store.id == Shop.VARNA)
    order = web.checkout.place(web.checkout.promise(cart.id, slot=slot).id, pay=Card("pm_card_visa"))
    shop.elsewhere.pickups.pick(order.id, [Pick(line.id, line.quantity) for line in order.lines])
    shop.elsewhere.pickups.ready(order.id, staged_at="A1")
    shop.elsewhere.pickups.hand_over(order.id, code=web.orders.pickup_pass(order.id).code)
    return 1


def counted_while_sold(shop: Shop, customers: int = 6, takers: int = 3) -> list[int | OmniorderError]:
    for sku in SKUS:
        shop.office.stock.receive(Shop.VARNA, sku, 200)
    works: Sequence[Callable[[], int]] = [
        *(partial(order_and_collect, shop, n) for n in range(customers)),
        *(partial(count_again_and_again, shop, n) for n in range(takers)),
    ]
    return at_once(works)


def test_what_is_ordered_and_collected_during_a_stock_take_adds_up(shop: Shop) -> None:
    results = counted_while_sold(shop)
    assert [one for one in results if isinstance(one, OmniorderError)] == []
    check_all(shop.hub)
    collected = [
        move.quantity
        for sku in SKUS
        for move in shop.office.stock.movements(Shop.VARNA, sku, limit=100).items
        if move.kind is MovementKind.COLLECT
    ]
    assert collected == [-1] * 6 * len(SKUS)


def test_a_stock_take_waits_for_a_sale_and_counts_it(shop_on_postgres: Shop) -> None:
    """The sale has written, but not committed, when the stock take comes to the level."""
    shop, done = shop_on_postgres, Event()
    sale = evolve(samples.movement(7, store=Shop.VARNA, sku=Shop.MILK, quantity=-1), kind=MovementKind.COLLECT)

    def take() -> int:
        file = io.BytesIO(b"store,sku,on_hand\nVAR01,OAT-MILK-1L,77\n")
        taken = import_file(shop.office, "levels", file, format="csv").taken
        done.set()
        return taken

    with ThreadPoolExecutor(1) as pool:
        with shop.hub._parts.storage.transaction() as tx:
            tx.write(Writes(stock=(StockChange(Shop.VARNA, Shop.MILK, on_hand=-1),), movements=(sale,)))
            tx.flush()
            taking = pool.submit(take)
            assert not done.wait(0.5)
        assert taking.result(30) == 1
    moved = [move.quantity for move in shop.office.stock.movements(Shop.VARNA, Shop.MILK).items]
    assert sorted(moved) == [-1, 10, 68]
    check_all(shop.hub)


def differences_to_what_was_read(patch: pytest.MonkeyPatch, wait: Callable[[], object]) -> None:
    """Read the levels, look up in peace, and then set them and record the difference to what was read."""
    original = postgresql.PostgresPlan.count_stock

    def count_stock(plan: postgresql.PostgresPlan, batch: Batch, write: CountWrite) -> None:
        link = batch._link
        read = {(row.store_id, row.sku): row.on_hand for row in link.rows(select(STOCK))}
        wait()
        for one in write.counts:
            at = (STOCK.c.store_id == one.store) & (STOCK.c.sku == one.sku)
            batch.change(STOCK.update().where(at).values(on_hand=one.on_hand), {})
            shared = counting.common(write)
            row: dict[str, Any] = {name.removeprefix("of_"): value for name, value in shared.items()}
            row |= {"store_id": one.store, "id": one.movement, "sku": one.sku, "kind": "count"}
            row["quantity"] = one.on_hand - read[one.store, one.sku]
            batch.change(MOVEMENT.insert(), row)

    assert original is not count_stock
    patch.setattr(postgresql.PostgresPlan, "count_stock", count_stock)


def sold_in_between(shop: Shop, patch: pytest.MonkeyPatch | None) -> None:
    """A unit leaves after the stock take has begun and before it writes."""
    begun, sold = Event(), Event()

    def wait() -> None:
        begun.set()
        assert sold.wait(30)

    def take() -> int:
        file = io.BytesIO(b"store,sku,on_hand\nVAR01,OAT-MILK-1L,77\n")
        return import_file(shop.office, "levels", file, format="csv").taken

    def sell() -> int:
        begun.wait(30)
        shop.office.stock.adjust(Shop.VARNA, Shop.MILK, -1, reason="sold at the till")
        sold.set()
        return 1

    if patch is not None:
        differences_to_what_was_read(patch, wait)
    else:
        begun.set()
    assert at_once([take, sell]) == [1, 1]


def test_what_is_sold_at_the_till_meanwhile_is_part_of_the_difference(shop_on_postgres: Shop) -> None:
    sold_in_between(shop_on_postgres, None)
    check_all(shop_on_postgres.hub)


def test_without_the_lock_the_difference_is_to_what_was_there_before(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold_in_between(shop_on_postgres, monkeypatch)
    with pytest.raises(InvariantBroken, match="its movements give"):
        check_all(shop_on_postgres.hub)
