"""How many orders lie in each bin of a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from attrs import evolve
from sqlalchemy import and_, bindparam, case, select, update
from sqlalchemy.dialects import postgresql, sqlite

from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import Key, Whole
from omniorder.adapters.sql.link import Link, Outcome, PerDialect
from omniorder.adapters.sql.schema import BIN
from omniorder.errors import BinFull
from omniorder.ports.writes import BinChange

_IN_BINS: Final = select(BIN.c.code, BIN.c.orders).where(BIN.c.store_id == bindparam("store_id"))
_ORDERS: Final = bindparam("orders", type_=Whole())
_HOLDS: Final = bindparam("holds", type_=Whole())
_KEYS: Final = [BIN.c.store_id, BIN.c.code]


def _laying(insert: Any) -> Any:
    """Lay orders into a bin, one that was never used too: two at once may both be the first."""
    first = select(bindparam("store_id", type_=Key()), bindparam("code", type_=Key()), _ORDERS).where(_ORDERS <= _HOLDS)
    orders = BIN.c.orders + _ORDERS
    return (
        insert(BIN)
        .from_select([*_KEYS, BIN.c.orders], first)
        .on_conflict_do_update(index_elements=_KEYS, set_={"orders": orders}, where=orders <= _HOLDS)
    )


_LAY: Final = PerDialect(_laying(postgresql.insert), _laying(sqlite.insert))
_TAKE_OUT: Final = (
    update(BIN)
    .where(and_(BIN.c.store_id == bindparam("at_store_id"), BIN.c.code == bindparam("at_code")))
    .values(orders=case((BIN.c.orders > _ORDERS, BIN.c.orders - _ORDERS), else_=0))
)


def in_bins(link: Link, store: str) -> Mapping[str, int]:
    """How many orders lie in each bin of this store that was ever used."""
    return {row.code: row.orders for row in link.rows(_IN_BINS, {"store_id": store})}


def change(batch: Batch, changes: Iterable[BinChange]) -> None:
    """Lay orders into bins and take them out, bin by bin in the order of their keys; raises `BinFull`."""
    for wanted in summed(changes):
        if wanted.orders > 0:
            params = {"store_id": wanted.store, "code": wanted.bin, "orders": wanted.orders, "holds": wanted.holds}
            batch.judged(_LAY, params, partial(_found_room, wanted))
        elif wanted.orders < 0:
            batch.change(_TAKE_OUT, {"at_store_id": wanted.store, "at_code": wanted.bin, "orders": -wanted.orders})


def _found_room(wanted: BinChange, outcome: Outcome, _: Link) -> None:
    if not outcome.changed:
        raise BinFull(store=wanted.store, bin=wanted.bin, holds=wanted.holds)


def summed(changes: Iterable[BinChange]) -> list[BinChange]:
    """One change per bin: an order that is taken out and laid back stays."""
    sums: dict[tuple[str, str], BinChange] = {}
    for change in changes:
        key = (change.store, change.bin)
        before = sums.get(key)
        sums[key] = evolve(change, orders=change.orders + (before.orders if before else 0))
    return [sums[key] for key in sorted(sums)]
