"""Where the time of an order goes: waiting for the database, or our own processor time, by whose code it is.

The processor time is sampled: a signal comes after every so much of it, and the innermost frame that belongs to
somebody we know is blamed. So the standard library's work counts for those who called it.
"""

from __future__ import annotations

import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import partial
from sqlite3 import dbapi2
from types import FrameType
from typing import Any, Final, Self
from unittest.mock import patch

from bench.blocks import Side
from bench.databases import Database
from bench.orders import both
from bench.scene import opened
from bench.shop import Basket

EVERY: Final = 0.002
"""Seconds of processor time between two samples; the system may make it a few milliseconds."""

DATABASE: Final = "SQLite"
OWNERS: Final[Sequence[tuple[str, str]]] = (
    (__file__, DATABASE),
    ("/psycopg/", "psycopg"),
    ("/sqlalchemy/", "SQLAlchemy"),
    ("/cattrs/", "omniorder.wire"),
    ("omniorder/wire", "omniorder.wire"),
    ("omniorder/adapters", "omniorder.adapters"),
    ("omniorder/domain", "omniorder.domain"),
    ("omniorder.domain", "omniorder.domain"),  # what attrs generates
    ("omniorder/services", "omniorder.services"),
    ("omniorder/testing", "the gateway"),
    ("/by_hand/", "the script"),
)
"""Parts of a file's name, and whose it is; the first that fits."""


def measure(database: Database, *, existing: int, orders: int, block: int) -> dict[str, Any]:
    """Milliseconds per order of either side, waiting and by owner; the sides take turns."""
    with _visible_sqlite(), opened(database) as scene, both(scene) as sides:
        scene.grow(existing)
        for side in sides.values():
            _order(side, scene.baskets(block))
        accounts = {name: Account() for name in sides}
        for _ in range(max(1, orders // block)):
            for name, side in sides.items():
                accounts[name].charge(side, scene.baskets(block))
    return {name: account.told() for name, account in accounts.items()}


class Account:
    """What one side's orders took, in seconds, and in samples by owner."""

    def __init__(self) -> None:
        self.orders = 0
        self.wall = 0.0
        self.busy = 0.0
        self.blamed: Final[Counter[str]] = Counter()

    def charge(self, side: Side, baskets: Sequence[Basket]) -> None:
        """Order these, and put it down."""
        wall, busy = time.perf_counter(), time.process_time()
        with _sampled(self.blamed):
            _order(side, baskets)
        self.wall += time.perf_counter() - wall
        self.busy += time.process_time() - busy
        self.orders += len(baskets)

    def told(self) -> dict[str, Any]:
        """Milliseconds per order."""
        each = 1000 / self.orders
        per_sample = self.busy * each / max(1, self.blamed.total())
        return {
            "ms_per_order": round(self.wall * each, 2),
            "waiting_ms": round(max(0.0, self.wall - self.busy) * each, 2),
            "cpu_ms": {owner: round(count * per_sample, 2) for owner, count in self.blamed.most_common()},
        }


def _order(side: Side, baskets: Sequence[Basket]) -> None:
    for basket in baskets:
        side.place(side.promise(basket))


@contextmanager
def _sampled(blamed: Counter[str]) -> Generator[None]:
    def sample(_: int, frame: FrameType | None) -> None:
        blamed[_owner(frame)] += 1

    before = signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _owner(frame: FrameType | None) -> str:
    while frame is not None:
        file = frame.f_code.co_filename
        for part, owner in OWNERS:
            if part in file:
                return owner
        frame = frame.f_back
    return "the rest"


# --- SQLite works inside of our own calls: these show where they begin ------------------------------------


@contextmanager
def _visible_sqlite() -> Generator[None]:
    connect = partial(dbapi2.connect, factory=_Connection)
    with patch("sqlite3.dbapi2.connect", connect), patch("sqlite3.connect", connect):
        yield


class _Cursor(sqlite3.Cursor):
    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> Self:
        return super().executemany(sql, parameters)

    def fetchone(self) -> Any:
        return super().fetchone()

    def fetchall(self) -> list[Any]:
        return super().fetchall()


class _Connection(sqlite3.Connection):
    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        return _Cursor(self).execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        return _Cursor(self).executemany(sql, parameters)

    def commit(self) -> None:
        super().commit()

    def rollback(self) -> None:
        super().rollback()
