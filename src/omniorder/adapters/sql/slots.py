"""Places and order lines taken in pick-up slots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from attrs import evolve
from sqlalchemy import ColumnElement, and_, bindparam, case, select, update
from sqlalchemy.dialects import postgresql, sqlite

from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import Instant, Key, Whole
from omniorder.adapters.sql.documents import among
from omniorder.adapters.sql.link import Link, Outcome, PerDialect
from omniorder.adapters.sql.schema import SLOT
from omniorder.errors import SlotUnavailable
from omniorder.ports.writes import NOTHING_BOOKED, SlotChange, SlotUse

_BOOKED: Final = select(SLOT.c.slot, SLOT.c.booked, SLOT.c.lines).where(
    among(SLOT.c.store_id, "stores"),
    SLOT.c.starts_at >= bindparam("start"),
    SLOT.c.starts_at < bindparam("end"),
)
_PLACES: Final = bindparam("places", type_=Whole())
_LINES: Final = bindparam("lines", type_=Whole())
_CAPACITY: Final = bindparam("capacity", type_=Whole())
_LINE_CAPACITY: Final = bindparam("line_capacity", type_=Whole())
_KEYS: Final = [SLOT.c.store_id, SLOT.c.slot]
_NO_LIMIT: Final = 2**62
"""The capacity of what isn't limited, or doesn't grow and so is not asked for."""


def _never_below_zero(number: ColumnElement[int]) -> ColumnElement[int]:
    return case((number > 0, number), else_=0)


def _taking(insert: Any) -> Any:
    """Take places and lines, of a slot that nobody booked too: two at once may both be the first."""
    first = select(
        bindparam("store_id", type_=Key()),
        bindparam("slot", type_=Key()),
        bindparam("starts_at", type_=Instant()),
        _never_below_zero(_PLACES),
        _never_below_zero(_LINES),
    ).where(_PLACES <= _CAPACITY, _LINES <= _LINE_CAPACITY)
    booked, lines = SLOT.c.booked + _PLACES, SLOT.c.lines + _LINES
    return (
        insert(SLOT)
        .from_select([*_KEYS, SLOT.c.starts_at, SLOT.c.booked, SLOT.c.lines], first)
        .on_conflict_do_update(
            index_elements=_KEYS,
            set_={"booked": _never_below_zero(booked), "lines": _never_below_zero(lines)},
            where=and_(booked <= _CAPACITY, lines <= _LINE_CAPACITY),
        )
    )


_TAKE: Final = PerDialect(_taking(postgresql.insert), _taking(sqlite.insert))
_AT_SLOT: Final = and_(SLOT.c.store_id == bindparam("at_store_id"), SLOT.c.slot == bindparam("at_slot"))
_GIVE_BACK: Final = (
    update(SLOT)
    .where(_AT_SLOT)
    .values(
        booked=case((SLOT.c.booked > _PLACES, SLOT.c.booked - _PLACES), else_=0),
        lines=case((SLOT.c.lines > _LINES, SLOT.c.lines - _LINES), else_=0),
    )
)
_NOW: Final = select(SLOT.c.booked, SLOT.c.lines).where(_AT_SLOT)


def booked(link: Link, stores: Sequence[str], start: datetime, end: datetime) -> Mapping[str, SlotUse]:
    """What is taken per slot that starts within [start, end) at one of these stores."""
    rows = link.rows(_BOOKED, {"stores": stores, "start": start, "end": end})
    return {row.slot: SlotUse(row.booked, row.lines) for row in rows}


def change(batch: Batch, changes: Iterable[SlotChange]) -> None:
    """Take places and give them back, slot by slot in the order of their keys; raises `SlotUnavailable`."""
    for wanted in summed(changes):
        if wanted.places > 0 or wanted.lines > 0:
            limited = wanted.lines > 0 and wanted.line_capacity is not None
            params = {
                "store_id": wanted.store,
                "slot": wanted.slot,
                "starts_at": wanted.starts,
                "places": wanted.places,
                "lines": wanted.lines,
                "capacity": wanted.capacity if wanted.places > 0 else _NO_LIMIT,
                "line_capacity": wanted.line_capacity if limited else _NO_LIMIT,
            }
            batch.judged(_TAKE, params, partial(_granted, wanted))
        elif wanted.places < 0 or wanted.lines < 0:
            at = {"at_store_id": wanted.store, "at_slot": wanted.slot}
            batch.change(_GIVE_BACK, at | {"places": -wanted.places, "lines": -wanted.lines})


def _granted(wanted: SlotChange, outcome: Outcome, link: Link) -> None:
    if outcome.changed:
        return
    rows = link.rows(_NOW, {"at_store_id": wanted.store, "at_slot": wanted.slot})
    now = SlotUse(rows[0].booked, rows[0].lines) if rows else NOTHING_BOOKED
    of, more, free = "orders", wanted.places, max(0, wanted.capacity - now.orders)
    if wanted.line_capacity is not None and more <= free:
        of, more, free = "lines", wanted.lines, max(0, wanted.line_capacity - now.lines)
    raise SlotUnavailable(slot=wanted.slot, reason="full", of=of, wanted=more, free=free)


def summed(changes: Iterable[SlotChange]) -> list[SlotChange]:
    """One change per slot: whoever gives a place back and takes it again keeps it."""
    sums: dict[tuple[str, str], SlotChange] = {}
    for change in changes:
        key = (change.store, change.slot)
        before = sums.get(key)
        places = change.places + (before.places if before else 0)
        lines = change.lines + (before.lines if before else 0)
        sums[key] = evolve(change, places=places, lines=lines)
    return [sums[key] for key in sorted(sums)]
