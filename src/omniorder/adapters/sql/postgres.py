"""PostgreSQL: its connections, and its way of doing what databases do differently.

Rows are locked in the order of their keys *before* they are changed, in the same statement: `UPDATE ... FROM`
alone takes them in any order, and two commands that share two SKUs would deadlock. The guard looks at the locked
row and not at the statement's own snapshot, which is older when the lock had to be waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Engine,
    Text,
    bindparam,
    create_engine,
    event,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

from omniorder.adapters.sql import counting, stock
from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import Keys
from omniorder.adapters.sql.compiled import Compiler
from omniorder.adapters.sql.documents import among
from omniorder.adapters.sql.folding import rows_of, table_of
from omniorder.adapters.sql.link import Link, Outcome, Params, Source, Statement
from omniorder.adapters.sql.literals import TONGUE
from omniorder.adapters.sql.schema import CONSUMER, DELIVERY, EVENT, STOCK
from omniorder.adapters.sql.stock import Demand
from omniorder.errors import Misconfigured, MissingExtra
from omniorder.ports.writes import CountWrite

# --- connections ------------------------------------------------------------------------------------------


ISOLATION: Final = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")


def opened(
    url: URL,
    schema: str | None,
    *,
    lock_timeout: float,
    statement_timeout: float,
    isolation_level: str = "READ COMMITTED",
    **options: Any,
) -> Source:
    """An engine that connects when it is first used. Time limits are in seconds, 0 is none.

    Its connections commit by themselves but for the transactions that links begin. Raises `MissingExtra` without
    psycopg, `Misconfigured`.
    """
    if isolation_level not in ISOLATION:
        raise Misconfigured(needs=f"an isolation_level of {', '.join(ISOLATION)}")
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.query.get("prepare_threshold") == "none":  # as psycopg's own option, which takes None and no text
        url = url.difference_update_query(["prepare_threshold"])
        options["connect_args"] = {**options.get("connect_args", {}), "prepare_threshold": None}
    settings = {"isolation_level": "AUTOCOMMIT", "hide_parameters": True, "pool_reset_on_return": None} | options
    try:
        made = create_engine(url, **settings)
    except ModuleNotFoundError as error:
        raise MissingExtra(needs=error.name or "psycopg", extra="postgres") from error
    from omniorder.adapters.sql.pipeline import PipelineLink, Session

    limits = {
        "lock_timeout": lock_timeout,
        "statement_timeout": statement_timeout,
        "idle_in_transaction_session_timeout": 2 * statement_timeout,
    }
    changes = "; ".join(f"SET {name} = {round(limit * 1000)}" for name, limit in limits.items())

    def prepare(connection: Any, record: ConnectionPoolEntry) -> None:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise Misconfigured(needs=f"a database in UTF8, which can store what people write: this one is {encoding}")
        with connection.cursor() as cursor:
            cursor.execute(f"{changes}; SET client_encoding = UTF8; SET datestyle = ISO")
        record.info["session"] = Session(prepares=connection.prepare_threshold is not None)
        connection.prepare_threshold = None  # when psycopg deallocates what it has prepared, ours goes too

    event.listen(made, "connect", prepare)
    compiler = Compiler(TONGUE, schema)

    def link(pooled: PoolProxiedConnection, lend: Callable[[], Connection]) -> PipelineLink:
        driver: Any = pooled.driver_connection
        return PipelineLink(driver, pooled.info["session"], isolation_level, compiler, lend)

    return Source(made, _without_the_broken(made), link)


def _without_the_broken(engine: Engine) -> Callable[[], PoolProxiedConnection]:
    """Takes connections from the pool, but none as old as one that was found to be broken: it is replaced.

    A server that restarts breaks all of them: that is to cost one error, and not one for each connection.
    """
    broke = 0.0

    def connected(_: Any, record: ConnectionPoolEntry) -> None:
        record.info["made"] = monotonic()

    def invalidated(_: Any, record: ConnectionPoolEntry, error: BaseException | None) -> None:
        nonlocal broke
        if not isinstance(error, DisconnectionError):
            broke = monotonic()

    def connect() -> PoolProxiedConnection:
        while True:
            pooled = engine.raw_connection()
            if pooled.info["made"] >= broke:
                return pooled
            pooled.invalidate(DisconnectionError())

    event.listen(engine, "connect", connected)
    event.listen(engine, "invalidate", invalidated)
    return connect


# --- statements -------------------------------------------------------------------------------------------


_CHANGE: Final = table_of(
    "change",
    sku=Text(),
    more_on_hand=BigInteger(),
    more_reserved=BigInteger(),
    promised=BigInteger(),
    new_safety=BigInteger(),
    more_quarantined=BigInteger(),
    if_on_hand=BigInteger(),
)
_LOCKED: Final = (
    select(STOCK.c.store_id, STOCK.c.sku, STOCK.c.on_hand, STOCK.c.reserved, STOCK.c.safety, STOCK.c.quarantined)
    .where(STOCK.c.store_id == bindparam("at_store"), among(STOCK.c.sku, "skus"))
    .order_by(STOCK.c.sku)
    .with_for_update(key_share=True)
    .cte("locked")
)
_ON_HAND: Final = _LOCKED.c.on_hand + _CHANGE.c.more_on_hand
_RESERVED: Final = _LOCKED.c.reserved + _CHANGE.c.more_reserved
_SAFETY: Final = func.coalesce(_CHANGE.c.new_safety, _LOCKED.c.safety)
_QUARANTINED: Final = _LOCKED.c.quarantined + _CHANGE.c.more_quarantined
_CHANGED: Final = (
    update(STOCK)
    .where(
        STOCK.c.store_id == bindparam("at_store"),
        STOCK.c.sku == _LOCKED.c.sku,
        _LOCKED.c.sku == _CHANGE.c.sku,
        _ON_HAND >= 0,
        _RESERVED >= 0,
        _QUARANTINED >= 0,
        _LOCKED.c.on_hand == func.coalesce(_CHANGE.c.if_on_hand, _LOCKED.c.on_hand),
        or_(_CHANGE.c.promised == 0, _ON_HAND - _RESERVED >= _SAFETY),
    )
    .values(on_hand=_ON_HAND, reserved=_RESERVED, safety=_SAFETY, quarantined=_QUARANTINED)
    .returning(STOCK.c.sku)
    .cte("changed")
)
_CHANGE_STOCK: Final = select(_LOCKED, _CHANGED.c.sku.label("changed")).join_from(
    _LOCKED, _CHANGED, _LOCKED.c.sku == _CHANGED.c.sku, isouter=True
)
_FOUNDED: Final = func.unnest(bindparam("skus", type_=Keys())).table_valued("sku").render_derived(name="founded")
_NONE: Final = literal_column("0", BigInteger())
_FOUND_LEVELS: Final = (
    postgresql.insert(STOCK)
    .from_select(
        ["store_id", "sku", "on_hand", "reserved", "safety", "quarantined"],
        select(bindparam("at_store", type_=Text()), _FOUNDED.c.sku, _NONE, _NONE, _NONE, _NONE).order_by(
            _FOUNDED.c.sku
        ),
    )
    .on_conflict_do_nothing()
)

_NEW: Final = table_of(
    "new",
    home=Text(),
    stream=Text(),
    seq=BigInteger(),
    first=BigInteger(),
    name=Text(),
    at=DateTime(timezone=True),
    channel=Text(),
    actor=Text(),
    via=Text(),
    payload=JSONB(),
)
_BEFORE: Final = EVENT.alias("before")
# Looked up row by row: of an EXISTS the planner may make a hash of the whole journal.
_PREDECESSOR: Final = (
    select(_BEFORE.c.seq)
    .where(_BEFORE.c.home == _NEW.c.home, _BEFORE.c.stream == _NEW.c.stream, _BEFORE.c.seq == _NEW.c.first - 1)
    .scalar_subquery()
)
_APPEND: Final = insert(EVENT).from_select(
    ["home", "stream", "seq", "name", "at", "channel", "actor", "via", "payload"],
    select(
        _NEW.c.home, _NEW.c.stream, _NEW.c.seq, _NEW.c.name, _NEW.c.at, _NEW.c.channel, _NEW.c.actor, _NEW.c.via,
        _NEW.c.payload,
    ).where(or_(_NEW.c.first == 1, _PREDECESSOR.is_not(None))),
)  # fmt: skip
_NUMBERED: Final = table_of("new", home=Text(), stream=Text(), seq=BigInteger())
_DELIVER: Final = insert(DELIVERY).from_select(
    ["consumer", "home", "stream", "seq"],
    select(CONSUMER.c.name, _NUMBERED.c.home, _NUMBERED.c.stream, _NUMBERED.c.seq)
    .select_from(CONSUMER.join(_NUMBERED, true()))
    .order_by(CONSUMER.c.name, _NUMBERED.c.home, _NUMBERED.c.stream, _NUMBERED.c.seq),
)


class _HoldJournal(Executable, ClauseElement):
    """`LOCK TABLE`, in a mode that lets everybody read and nobody write."""

    inherit_cache = True


@compiles(_HoldJournal, "postgresql")
def _hold_journal(element: _HoldJournal, compiler: SQLCompiler, **kw: Any) -> str:
    return f"LOCK TABLE {compiler.preparer.format_table(EVENT)} IN SHARE ROW EXCLUSIVE MODE"


class PostgresPlan:
    """Implements `plans.Plan`: one statement for any number of rows."""

    def change_stock(self, batch: Batch, store: str, demands: Sequence[Demand]) -> None:
        founded = [demand.sku for demand in demands if demand.founds]
        if founded:
            batch.change(_FOUND_LEVELS, {"at_store": store, "skus": founded})
        params = {
            "at_store": store,
            "skus": [demand.sku for demand in demands],
            **rows_of([_change(demand) for demand in demands]),
        }

        def judge(outcome: Outcome, _: Link) -> None:
            changed = {row.changed for row in outcome.rows}
            if refused := [demand for demand in demands if demand.sku not in changed]:
                raise stock.refusal(store, refused, map(stock.level_from, outcome.rows))

        batch.judged(_CHANGE_STOCK, params, judge, due=len(demands))

    def count_stock(self, batch: Batch, write: CountWrite) -> None:
        params = counting.common(write) | counting.columns(write.counts)
        batch.insert(counting.FOUNDED_ON_POSTGRES, params, "movement", write.reference)
        batch.insert(counting.COUNTED_ON_POSTGRES, params, "movement", write.reference)

    def append(self, events: Sequence[Mapping[str, Any]]) -> tuple[Statement, Params | Sequence[Params]]:
        return _APPEND, rows_of(events)

    def deliver(self, batch: Batch, events: Sequence[Mapping[str, Any]]) -> None:
        numbers = [{name: event[name] for name in ("home", "stream", "seq")} for event in events]
        batch.change(_DELIVER, rows_of(numbers))

    def hold_journal(self, link: Link) -> None:
        link.change(_HoldJournal())


def _change(demand: Demand) -> dict[str, Any]:
    return {
        "sku": demand.sku,
        "more_on_hand": demand.on_hand,
        "more_reserved": demand.reserved,
        "promised": int(demand.promised),
        "new_safety": demand.safety,
        "more_quarantined": demand.quarantined,
        "if_on_hand": demand.if_on_hand,
    }
