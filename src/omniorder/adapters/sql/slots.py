"""Places taken in pick-up slots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from attrs import evolve
from sqlalchemy import and_, bindparam, case, select, update
from sqlalchemy.dialects import postgresql, sqlite

from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import Instant, Key, Whole
from omniorder.adapters.sql.documents import among
from omniorder.adapters.sql.link import Link, Outcome, PerDialect
from omniorder.adapters.sql.schema import SLOT
from omniorder.errors import SlotUnavailable
from omniorder.ports.storage import SlotChange

_BOOKED: Final = select(SLOT.c.slot, SLOT.c.booked).where(
    among(SLOT.c.store_id, "stores"),
    SLOT.c.starts_at >= bindparam("start"),
    SLOT.c.starts_at < bindparam("end"),
)
_PLACES: Final = bindparam("places", type_=Whole())
_CAPACITY: Final = bindparam("capacity", type_=Whole())
_KEYS: Final = [SLOT.c.store_id, SLOT.c.slot]


def _taking(insert: Any) -> Any:
    """Take places, of a slot that nobody booked too: two at once may both be the first."""
    first = select(
        bindparam("store_id", type_=Key()),
        bindparam("slot", type_=Key()),
        bindparam("starts_at", type_=Instant()),
        _PLACES,
    ).where(_PLACES <= _CAPACITY)
    booked = SLOT.c.booked + _PLACES
    return (
        insert(SLOT)
        .from_select([*_KEYS, SLOT.c.starts_at, SLOT.c.booked], first)
        .on_conflict_do_update(index_elements=_KEYS, set_={"booked": booked}, where=booked <= _CAPACITY)
    )


_TAKE: Final = PerDialect(_taking(postgresql.insert), _taking(sqlite.insert))
_GIVE_BACK: Final = (
    update(SLOT)
    .where(and_(SLOT.c.store_id == bindparam("at_store_id"), SLOT.c.slot == bindparam("at_slot")))
    .values(booked=case((SLOT.c.booked > _PLACES, SLOT.c.booked - _PLACES), else_=0))
)


def booked(link: Link, stores: Sequence[str], start: datetime, end: datetime) -> Mapping[str, int]:
    """Places taken per slot that starts within [start, end) at one of these stores."""
    rows = link.rows(_BOOKED, {"stores": stores, "start": start, "end": end})
    return {row.slot: row.booked for row in rows}


def change(batch: Batch, changes: Iterable[SlotChange]) -> None:
    """Take places and give them back, slot by slot in the order of their keys; raises `SlotUnavailable`."""
    for wanted in summed(changes):
        if wanted.places > 0:
            params = {
                "store_id": wanted.store,
                "slot": wanted.slot,
                "starts_at": wanted.starts,
                "places": wanted.places,
                "capacity": wanted.capacity,
            }
            batch.judged(_TAKE, params, partial(_granted, wanted.slot))
        elif wanted.places < 0:
            batch.change(
                _GIVE_BACK,
                {"at_store_id": wanted.store, "at_slot": wanted.slot, "places": -wanted.places},
            )


def _granted(slot: str, outcome: Outcome, _: Link) -> None:
    if not outcome.changed:
        raise SlotUnavailable(slot=slot, reason="full")


def summed(changes: Iterable[SlotChange]) -> list[SlotChange]:
    """One change per slot: whoever gives a place back and takes it again keeps it."""
    sums: dict[tuple[str, str], SlotChange] = {}
    for change in changes:
        key = (change.store, change.slot)
        places = change.places + (sums[key].places if key in sums else 0)
        sums[key] = evolve(change, places=places)
    return [sums[key] for key in sorted(sums)]
