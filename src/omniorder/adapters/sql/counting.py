"""Stock takes: thousands of levels set to what was counted, and the differences recorded, in two statements.

On PostgreSQL levels that aren't there come into being first, as counted. Then those that differ are locked in the order
of their keys, and changed by how they stand once they are locked: what somebody sold while we waited is part of the
difference. Levels that are as counted are neither locked nor written. SQLite has one writer, so it needs no locks: it
records the differences first, and then sets the levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Text,
    and_,
    bindparam,
    cast,
    collate,
    column,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from omniorder.adapters.sql.columns import Instant, Json, Key, Keys
from omniorder.adapters.sql.schema import MOVEMENT, STOCK
from omniorder.domain.stock import MovementKind
from omniorder.ports.writes import CountWrite, StockCount


def common(write: CountWrite) -> dict[str, Any]:
    """What all movements of a stock take share."""
    return {
        "of_at": write.stamp.at,
        "of_channel": write.stamp.channel.value,
        "of_actor": write.stamp.actor,
        "of_via": write.stamp.via,
        "of_reason": write.reason,
        "of_reference": write.reference,
    }


def columns(counts: Sequence[StockCount]) -> dict[str, Any]:
    """What was counted, a list for each column: what PostgreSQL reads fastest. A safety that isn't named is empty."""
    return {
        "stores": [one.store for one in counts],
        "skus": [one.sku for one in counts],
        "counted": [str(one.on_hand) for one in counts],
        "safeties": ["" if one.safety is None else str(one.safety) for one in counts],
        "ids": [one.movement for one in counts],
    }


def rows(counts: Sequence[StockCount]) -> dict[str, Any]:
    """What was counted, a list for each row."""
    return {"rows": [(one.store, one.sku, one.on_hand, one.safety, one.movement) for one in counts]}


_LEVEL: Final = ["store_id", "sku", "on_hand", "reserved", "safety"]
_MOVED: Final = ["store_id", "id", "sku", "kind", "quantity", "at", "channel", "actor", "via", "reason", "reference"]
_SHARED: Final = (
    bindparam("of_at", type_=Instant()),
    bindparam("of_channel", type_=Key()),
    bindparam("of_actor", type_=Key()),
    bindparam("of_via", type_=Text()),
    bindparam("of_reason", type_=Text()),
    bindparam("of_reference", type_=Text()),
)
_COUNT: Final = literal(MovementKind.COUNT.value, Text())
_KEYS: Final = ["store_id", "sku"]

# --- PostgreSQL -------------------------------------------------------------------------------------------

_GIVEN: Final = (
    func.unnest(*(bindparam(name, type_=Keys()) for name in ("stores", "skus", "counted", "safeties", "ids")))
    .table_valued(*(column(name, Text()) for name in ("store_id", "sku", "counted", "safety", "movement")))
    .render_derived(name="given")
)
_NEW: Final = select(
    _GIVEN.c.store_id,
    _GIVEN.c.sku,
    cast(_GIVEN.c.counted, BigInteger()).label("counted"),
    cast(func.nullif(_GIVEN.c.safety, ""), BigInteger()).label("new_safety"),
    _GIVEN.c.movement,
).cte("counts")
_NONE: Final = literal(0, BigInteger())

_FOUNDED: Final = (
    postgresql.insert(STOCK)
    .from_select(
        _LEVEL,
        select(_NEW.c.store_id, _NEW.c.sku, _NEW.c.counted, _NONE, func.coalesce(_NEW.c.new_safety, _NONE))
        .where(or_(_NEW.c.counted > 0, _NEW.c.new_safety > 0))
        .order_by(collate(_NEW.c.store_id, "C"), collate(_NEW.c.sku, "C")),
    )
    .on_conflict_do_nothing()
    .returning(STOCK.c.store_id, STOCK.c.sku, STOCK.c.on_hand)
    .cte("founded")
)
FOUNDED_ON_POSTGRES: Final = (
    insert(MOVEMENT)
    .from_select(
        _MOVED,
        select(_FOUNDED.c.store_id, _NEW.c.movement, _FOUNDED.c.sku, _COUNT, _FOUNDED.c.on_hand, *_SHARED)
        .join_from(_FOUNDED, _NEW, and_(_FOUNDED.c.store_id == _NEW.c.store_id, _FOUNDED.c.sku == _NEW.c.sku))
        .where(_FOUNDED.c.on_hand > 0),
    )
    .add_cte(_FOUNDED)
)

_SAFETY: Final = func.coalesce(_NEW.c.new_safety, STOCK.c.safety)
_LOCKED: Final = (
    select(STOCK.c.store_id, STOCK.c.sku, STOCK.c.on_hand, _NEW.c.counted, _SAFETY.label("kept"), _NEW.c.movement)
    .join_from(STOCK, _NEW, and_(STOCK.c.store_id == _NEW.c.store_id, STOCK.c.sku == _NEW.c.sku))
    .where(or_(STOCK.c.on_hand != _NEW.c.counted, STOCK.c.safety != _SAFETY))
    .order_by(STOCK.c.store_id, STOCK.c.sku)
    .with_for_update(key_share=True, of=STOCK)
    .cte("locked")
)
_CHANGED: Final = (
    update(STOCK)
    .where(STOCK.c.store_id == _LOCKED.c.store_id, STOCK.c.sku == _LOCKED.c.sku)
    .values(on_hand=_LOCKED.c.counted, safety=_LOCKED.c.kept)
    .returning(STOCK.c.sku)
    .cte("changed")
)
COUNTED_ON_POSTGRES: Final = (
    insert(MOVEMENT)
    .from_select(
        _MOVED,
        select(
            _LOCKED.c.store_id, _LOCKED.c.movement, _LOCKED.c.sku, _COUNT, _LOCKED.c.counted - _LOCKED.c.on_hand,
            *_SHARED,
        ).where(_LOCKED.c.counted != _LOCKED.c.on_hand),
    )
    .add_cte(_CHANGED)
)  # fmt: skip

# --- SQLite -----------------------------------------------------------------------------------------------

_ROWS: Final = func.json_each(bindparam("rows", type_=Json())).table_valued("value", name="counts")


def _of(name: str) -> Any:
    place = ("store_id", "sku", "counted", "new_safety", "movement").index(name)
    return func.json_extract(_ROWS.c.value, f"$[{place}]")


_COUNTED: Final = _of("counted")
_THERE: Final = _ROWS.outerjoin(STOCK, and_(STOCK.c.store_id == _of("store_id"), STOCK.c.sku == _of("sku")))
_BEFORE: Final = func.coalesce(STOCK.c.on_hand, 0)
_KEPT_BEFORE: Final = func.coalesce(STOCK.c.safety, 0)
_KEPT: Final = func.coalesce(_of("new_safety"), _KEPT_BEFORE)

MOVED_ON_SQLITE: Final = insert(MOVEMENT).from_select(
    _MOVED,
    select(_of("store_id"), _of("movement"), _of("sku"), _COUNT, _COUNTED - _BEFORE, *_SHARED)
    .select_from(_THERE)
    .where(_COUNTED != _BEFORE),
)
_SET: Final = sqlite.insert(STOCK).from_select(
    _LEVEL,
    select(_of("store_id"), _of("sku"), _COUNTED, func.coalesce(STOCK.c.reserved, 0), _KEPT)
    .select_from(_THERE)
    .where(or_(_COUNTED != _BEFORE, _KEPT != _KEPT_BEFORE)),
)
COUNTED_ON_SQLITE: Final = _SET.on_conflict_do_update(
    index_elements=_KEYS, set_={"on_hand": _SET.excluded.on_hand, "safety": _SET.excluded.safety}
)
