"""Sixteen processes at one article: every unit is sold, and once; nobody hears more than that there are none left."""

from __future__ import annotations

import multiprocessing
import os
import random
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Final

import pytest

from omniorder.adapters.sql import SqlStorage, connect
from omniorder.domain import ids
from omniorder.errors import OmniorderError, OutOfStock
from omniorder.ports.writes import StockChange, Writes
from omniorder.services.ledger import Ledger
from tests.concurrency import unguarded
from tests.concurrency.threads import MANY, PATIENCE, at_once
from tests.emptied import Fresh

STORE: Final = "SOF01"
HOT: Final = "FLASH-SALE"
STOCK: Final = 401
THREADS: Final = 3
"""Customers that each process serves at once, so that some of them share a transaction."""


@pytest.fixture
def url(fresh_postgres: Fresh) -> str:
    """A database with the hot article in it."""
    found = fresh_postgres()
    with closing(connect(found)) as storage, storage.transaction() as tx:
        tx.write(Writes(stock=(StockChange(STORE, HOT, on_hand=STOCK + 7, safety=7),)))
    return found


def sell(url: str, gate: Barrier, told: Connection, *, guarded: bool) -> None:
    """What a process does: serve its customers till nothing is left, and tell how many units each got, or the error."""
    with closing(connect(url)) as storage, pytest.MonkeyPatch.context() as patch:
        if not guarded:
            unguarded.take_stock_unasked(patch)
        seeds = [os.getpid() * THREADS + number for number in range(THREADS)]
        customers = [partial(buy, storage, random.Random(seed), looks=not guarded) for seed in seeds]
        gate.wait(PATIENCE)
        results = at_once(customers)
    told.send([one.code if isinstance(one, OmniorderError) else one for one in results])


def buy(storage: SqlStorage, chance: random.Random, *, looks: bool) -> int:
    """Reserve one to three units, again and again, until not even one is left; how many that were.

    Who `looks` decides by what can be read, as a shop does that has no guard.
    """
    ledger, sold, most = Ledger(lambda: os.urandom(16)), 0, 3
    while most:
        units = chance.randint(1, most)
        try:
            with storage.transaction() as tx:
                if looks and ledger.available(tx, [HOT], [STORE])[STORE, HOT] < units:
                    raise OutOfStock(store=STORE, short=[])
                until = datetime.now(UTC) + timedelta(minutes=15)
                ledger.reserve(tx, ids.reservation_id(STORE, os.urandom(16)), STORE, {HOT: units}, until)
            sold += units
        except OutOfStock:
            most = units - 1
    return sold


def all_sell(url: str, *, guarded: bool) -> Sequence[int | str]:
    """What every customer of every process got."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    gate = context.Barrier(MANY)
    ends: list[Connection] = []
    for _ in range(MANY):
        ours, theirs = context.Pipe(duplex=False)
        context.Process(target=sell, args=(url, gate, theirs), kwargs={"guarded": guarded}, daemon=True).start()
        theirs.close()
        ends.append(ours)
    results: list[int | str] = []
    for end in ends:
        assert end.poll(PATIENCE), "a process is silent"
        results += end.recv()
    return results


def books(url: str) -> tuple[int, int]:
    """How many units are reserved, by the level and by the reservations."""
    with closing(connect(url)) as storage, storage.inspecting() as rows:
        (level,) = rows.levels()
        return level.reserved, sum(held.live for held in rows.held())


def test_sixteen_processes_sell_exactly_what_there_is(url: str) -> None:
    results = all_sell(url, guarded=True)
    sold = [one for one in results if isinstance(one, int)]
    assert [one for one in results if isinstance(one, str)] == []
    assert len(sold) == MANY * THREADS
    assert (sum(sold), books(url)) == (STOCK, (STOCK, STOCK))


def test_without_the_guard_they_sell_what_there_is_not(url: str) -> None:
    """The control: each looked, and there was enough."""
    sold = [one for one in all_sell(url, guarded=False) if isinstance(one, int)]
    assert sum(sold) > STOCK
