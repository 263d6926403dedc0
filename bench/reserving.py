"""Reserving units of stock, one commit each: the library's ledger and the script by hand, as clients of one server.

Clients are the threads of so many processes, as those of a web server are.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Final, Protocol
from urllib.parse import quote

from attrs import frozen

from bench.by_hand.papers import LASTS
from bench.by_hand.reserving import Manner, Reserving
from bench.databases import Database
from omniorder.adapters.sql import SqlStorage, connect
from omniorder.domain import ids
from omniorder.services.ledger import Ledger

PLENTY: Final = 1_000_000_000
"""Units of everything."""
_FILL: Final = """
    INSERT INTO omniorder_stock (store_id, sku, on_hand, reserved, safety)
    SELECT 'S' || lpad(store::text, 4, '0'), 'GOODS-' || lpad(sku::text, 5, '0'), {plenty}, 0, 0
    FROM generate_series(1, {stores}) AS store, generate_series(1, {skus}) AS sku"""


@frozen
class Goods:
    """So many articles at so many stores, and how many of them a reservation wants."""

    stores: int
    skus: int
    lines: int

    def drawn(self, chance: random.Random) -> tuple[str, list[str]]:
        """A store, and different articles."""
        numbers = chance.sample(range(1, self.skus + 1), self.lines)
        return f"S{chance.randint(1, self.stores):04}", [f"GOODS-{number:05}" for number in numbers]


@frozen
class Arrangement:
    """One way of having clients: so many processes with so many threads each; `manner` None is the library.

    `group_commit` is the library's option: how many commands may share a transaction.
    """

    processes: int
    threads: int
    manner: Manner | None = None
    group_commit: int = 64


class Reserves(Protocol):
    """One client's way of reserving."""

    def reserve(self, store: str, skus: Sequence[str]) -> None:
        """A unit of each of these articles."""
        ...


class Library:
    """The library's ledger in a transaction of its own, as a promise begins it."""

    def __init__(self, storage: SqlStorage) -> None:
        self._storage: Final = storage
        self._ledger: Final = Ledger(lambda: os.urandom(16))

    def reserve(self, store: str, skus: Sequence[str]) -> None:
        """See `Reserves`."""
        reservation = ids.reservation_id(store, os.urandom(16))
        with self._storage.transaction() as tx:
            self._ledger.reserve(tx, reservation, store, dict.fromkeys(skus, 1), datetime.now(UTC) + LASTS)


def fill(database: Database, goods: Goods) -> None:
    """Make the tables, with a level of every article at every store."""
    storage = connect(database.url)
    storage.migrate()
    storage.close()
    with closing(database.connect()) as connection:
        connection.execute(_FILL.format(plenty=PLENTY, stores=goods.stores, skus=goods.skus))
    database.settle()


def delayed(url: str, commit_delay: int) -> str:
    """The URL of the same database where a commit waits for so many more microseconds, as on a slower disk."""
    if not commit_delay:
        return url
    options = quote(f"-c commit_delay={commit_delay} -c commit_siblings=0")
    return f"{url}{'&' if '?' in url else '?'}options={options}"


class Clients:
    """The processes of one arrangement, which wait until they are told to run."""

    def __init__(self, ends: Sequence[Connection]) -> None:
        self._ends: Final = ends

    def run(self, goods: Goods, seconds: float) -> float:
        """Let all of them reserve for so long; how many reservations a second that made."""
        for end in self._ends:
            end.send((goods, seconds))
        for end in self._ends:
            end.recv()  # everybody is ready
        for end in self._ends:
            end.send("go")
        spans: list[tuple[int, float, float]] = [end.recv() for end in self._ends]
        begun, ended = min(span[1] for span in spans), max(span[2] for span in spans)
        return sum(span[0] for span in spans) / (ended - begun)


@contextmanager
def clients(arrangement: Arrangement, url: str) -> Generator[Clients]:
    """The clients, connected to the database at this URL."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", __name__])  # else each of many processes would import all of it
    with ExitStack() as stack:
        ends: list[Connection] = []
        for _ in range(arrangement.processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, arrangement, url), daemon=True)
            process.start()
            theirs.close()
            stack.callback(process.join)
            stack.callback(ours.close)
            stack.callback(ours.send, None)
            ends.append(ours)
        yield Clients(ends)


def _work(orders: Connection, arrangement: Arrangement, url: str) -> None:
    """What a process does until it is told nothing any more."""
    with ExitStack() as stack:
        sides = [stack.enter_context(closing(one)) for one in _scripts(arrangement, url)]
        reserving: list[Reserves] = [*sides]
        if arrangement.manner is None:
            storage = connect(url, pool_size=arrangement.threads, max_overflow=0, group_commit=arrangement.group_commit)
            stack.callback(storage.close)
            reserving += [Library(storage)] * arrangement.threads
        while task := orders.recv():
            goods, seconds = task
            orders.send("ready")
            orders.recv()
            orders.send(_reserve(reserving, goods, seconds))


def _scripts(arrangement: Arrangement, url: str) -> list[Reserving]:
    if arrangement.manner is None:
        return []
    dsn = url.replace("+psycopg", "", 1)
    return [Reserving(dsn, arrangement.manner) for _ in range(arrangement.threads)]


def _reserve(sides: Sequence[Reserves], goods: Goods, seconds: float) -> tuple[int, float, float]:
    """Let each side reserve in a thread of its own: how many reservations, and from when to when."""
    counts = [0] * len(sides)
    begun = time.monotonic()

    def client(place: int) -> Callable[[], None]:
        def reserve() -> None:
            chance = random.Random()
            while time.monotonic() < begun + seconds:
                sides[place].reserve(*goods.drawn(chance))
                counts[place] += 1

        return reserve

    threads = [threading.Thread(target=client(place)) for place in range(len(sides))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts), begun, time.monotonic()


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Of these values."""
    ordered = sorted(values)
    return (
        ordered[len(ordered) // 4],
        ordered[len(ordered) // 2],
        ordered[min(len(ordered) - 1, len(ordered) * 3 // 4)],
    )
