"""SQLite: its connections, and its way of doing what databases do differently.

Transactions that write begin with `BEGIN IMMEDIATE`: the write lock is taken before the first read, so that
nothing that was read can be out of date, and waiting for it is the only contention there is. The driver's own
idea of transactions is switched off; it begins too late.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from time import monotonic, sleep
from typing import Any, Final, Literal

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    create_engine,
    event,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from omniorder.adapters.sql import counting, stock
from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import Instant, Json, Key, Whole
from omniorder.adapters.sql.compiled import Compiler
from omniorder.adapters.sql.direct import TONGUE, DirectLink
from omniorder.adapters.sql.link import Link, Outcome, Params, Source, Statement
from omniorder.adapters.sql.schema import CONSUMER, DELIVERY, EVENT, STOCK
from omniorder.adapters.sql.stock import Demand
from omniorder.errors import Misconfigured
from omniorder.ports.writes import CountWrite

OLDEST: Final = (3, 37)
"""The first version with STRICT tables."""

# --- connections ------------------------------------------------------------------------------------------


def opened(url: URL, *, lock_timeout: float, synchronous: Literal["FULL", "NORMAL"] = "FULL", **options: Any) -> Source:
    """An engine that opens the file when it is first used; `lock_timeout` in seconds.

    A database in memory is one connection, which transactions take in turns. Raises `Misconfigured` where
    Python was built with an SQLite that has no STRICT tables.
    """
    if sqlite3.sqlite_version_info < OLDEST:
        raise Misconfigured(needs=f"SQLite {'.'.join(map(str, OLDEST))} or newer")
    settings: dict[str, Any] = {
        "hide_parameters": True,
        "pool_reset_on_return": None,
        "connect_args": {"check_same_thread": False, "cached_statements": 512},
    }
    if url.database in (None, "", ":memory:"):
        settings |= {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0, "pool_timeout": lock_timeout}
    made = create_engine(url, **settings | options)

    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {round(lock_timeout * 1000)}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        _write_ahead(connection, lock_timeout)

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(made, "connect", prepare)
    event.listen(made, "begin", begin)
    compiler = Compiler(TONGUE, None)

    def link(pooled: PoolProxiedConnection, lend: Callable[[], Connection]) -> DirectLink:
        driver: Any = pooled.driver_connection
        return DirectLink(driver, compiler, lend)

    return Source(made, made.raw_connection, link)


def _write_ahead(connection: Any, patience: float) -> None:
    """Let readers and a writer work side by side. The file remembers it, so it is done once.

    Who does it must be alone with the file for a moment, which SQLite doesn't wait for. Who may only read leaves the
    file as it is.
    """
    ends = monotonic() + patience
    while connection.execute("PRAGMA journal_mode").fetchone() not in (("wal",), ("memory",)):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY:
                return
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > ends:
                raise
            sleep(0.01)


# --- statements -------------------------------------------------------------------------------------------

_FOUND_LEVEL: Final = (
    sqlite.insert(STOCK)
    .values(store_id=bindparam("at_store"), sku=bindparam("at_sku"), on_hand=0, reserved=0, safety=0, quarantined=0)
    .on_conflict_do_nothing()
)
_ON_HAND: Final = STOCK.c.on_hand + bindparam("more_on_hand", type_=Whole())
_RESERVED: Final = STOCK.c.reserved + bindparam("more_reserved", type_=Whole())
_SAFETY: Final = func.coalesce(bindparam("new_safety", type_=Whole()), STOCK.c.safety)
_QUARANTINED: Final = STOCK.c.quarantined + bindparam("more_quarantined", type_=Whole())
_IF_ON_HAND: Final = func.coalesce(bindparam("if_on_hand", type_=Whole()), STOCK.c.on_hand)
_CHANGE_LEVEL: Final = (
    update(STOCK)
    .where(
        and_(STOCK.c.store_id == bindparam("at_store"), STOCK.c.sku == bindparam("at_sku")),
        _ON_HAND >= 0,
        _RESERVED >= 0,
        _QUARANTINED >= 0,
        STOCK.c.on_hand == _IF_ON_HAND,
        or_(bindparam("promised", type_=Whole()) == 0, _ON_HAND - _RESERVED >= _SAFETY),
    )
    .values(on_hand=_ON_HAND, reserved=_RESERVED, safety=_SAFETY, quarantined=_QUARANTINED)
)

_BEFORE: Final = EVENT.alias("before")
_APPEND: Final = insert(EVENT).from_select(
    ["home", "stream", "seq", "name", "at", "channel", "actor", "via", "payload"],
    select(
        bindparam("new_home", type_=Key()),
        bindparam("new_stream", type_=Key()),
        bindparam("new_seq", type_=Whole()),
        bindparam("new_name", type_=Key()),
        bindparam("new_at", type_=Instant()),
        bindparam("new_channel", type_=Key()),
        bindparam("new_actor", type_=Key()),
        bindparam("new_via", type_=Key()),
        bindparam("new_payload", type_=Json()),
    ).where(
        or_(
            bindparam("new_seq", type_=Whole()) == 1,
            exists().where(
                _BEFORE.c.home == bindparam("new_home"),
                _BEFORE.c.stream == bindparam("new_stream"),
                _BEFORE.c.seq == bindparam("new_seq", type_=Whole()) - 1,
            ),
        )
    ),
)
_WAITING: Final = DELIVERY.alias("waiting")
_LAST: Final = (
    select(func.coalesce(func.max(_WAITING.c.position), 0))
    .where(_WAITING.c.consumer == CONSUMER.c.name)
    .correlate(CONSUMER)
    .scalar_subquery()
)
_TOLD: Final = func.json_each(bindparam("told", type_=Json())).table_valued("key", "value", name="told")
_DELIVER: Final = insert(DELIVERY).from_select(
    ["consumer", "home", "stream", "seq", "position"],
    select(
        CONSUMER.c.name,
        func.json_extract(_TOLD.c.value, "$[0]"),
        func.json_extract(_TOLD.c.value, "$[1]"),
        func.json_extract(_TOLD.c.value, "$[2]"),
        _LAST + _TOLD.c.key + 1,
    ).select_from(CONSUMER.join(_TOLD, true())),
)


class SqlitePlan:
    """Implements `plans.Plan`: one row at a time, under the one write lock."""

    def change_stock(self, batch: Batch, store: str, demands: Sequence[Demand]) -> None:
        refused: list[Demand] = []
        for demand in demands:
            self._change_level(batch, store, demand, refused, last=demand is demands[-1])

    def _change_level(self, batch: Batch, store: str, demand: Demand, refused: list[Demand], *, last: bool) -> None:
        at = {"at_store": store, "at_sku": demand.sku}
        if demand.founds:
            batch.change(_FOUND_LEVEL, at)
        params = {
            "more_on_hand": demand.on_hand,
            "more_reserved": demand.reserved,
            "promised": int(demand.promised),
            "new_safety": demand.safety,
            "more_quarantined": demand.quarantined,
            "if_on_hand": demand.if_on_hand,
        }

        def judge(outcome: Outcome, link: Link) -> None:
            if not outcome.changed:
                refused.append(demand)
            if last and refused:
                raise stock.refusal(store, refused, stock.levels(link, [one.sku for one in refused], [store]))

        batch.judged(_CHANGE_LEVEL, at | params, judge)

    def count_stock(self, batch: Batch, write: CountWrite) -> None:
        params = counting.common(write) | counting.rows(write.counts)
        batch.insert(counting.MOVED_ON_SQLITE, params, "movement", write.reference)
        batch.change(counting.COUNTED_ON_SQLITE, params)

    def append(self, events: Sequence[Mapping[str, Any]]) -> tuple[Statement, Params | Sequence[Params]]:
        return _APPEND, [_new(row) for row in events]

    def deliver(self, batch: Batch, events: Sequence[Mapping[str, Any]]) -> None:
        batch.change(_DELIVER, {"told": [(row["home"], row["stream"], row["seq"]) for row in events]})

    def hold_journal(self, link: Link) -> None:
        """Nothing to do: whoever writes is alone."""


def _new(row: Mapping[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in row.items() if name != "first"}
