"""Stock levels and movements.

A level is changed by one guarded statement, with all of a command's changes to it summed first: whoever reads,
decides and writes oversells, also under a CHECK constraint. How many statements that takes is the dialect's
business; see `plans`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import evolve, frozen
from sqlalchemy import bindparam, select

from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.documents import among, mapping
from omniorder.adapters.sql.link import Link
from omniorder.adapters.sql.schema import MOVEMENT, STOCK
from omniorder.domain.channels import Channel
from omniorder.domain.events import Stamp
from omniorder.domain.stock import Level, Movement, MovementKind
from omniorder.errors import OutOfStock, StaleWrite
from omniorder.ports.writes import StockChange

_EVERYWHERE: Final = select(STOCK).where(among(STOCK.c.sku, "skus"))
_AT_STORES: Final = _EVERYWHERE.where(among(STOCK.c.store_id, "stores"))
_AT_STORE: Final = _EVERYWHERE.where(STOCK.c.store_id == bindparam("store_id"))
_AVAILABLE: Final = (
    select(STOCK.c.store_id, mapping(STOCK.c.sku, STOCK.c.on_hand - STOCK.c.reserved - STOCK.c.safety).label("units"))
    .where(among(STOCK.c.sku, "skus"))
    .group_by(STOCK.c.store_id)
)
_AVAILABLE_AT: Final = _AVAILABLE.where(among(STOCK.c.store_id, "stores"))
_MOVED: Final = MOVEMENT.insert()
_MOVEMENTS: Final = (
    select(MOVEMENT)
    .where(
        MOVEMENT.c.store_id == bindparam("store_id"),
        MOVEMENT.c.sku == bindparam("sku"),
        MOVEMENT.c.id > bindparam("after"),
    )
    .order_by(MOVEMENT.c.id)
    .limit(bindparam("most"))
)


@frozen
class Demand:
    """Everything that one command changes on one level.

    `promised`: units are promised to somebody, so they must be free to promise.
    """

    sku: str
    on_hand: int = 0
    reserved: int = 0
    promise: bool = False
    safety: int | None = None
    quarantined: int = 0
    if_on_hand: int | None = None

    @classmethod
    def of(cls, change: StockChange) -> Demand:
        """One change."""
        return cls(
            sku=change.sku,
            on_hand=change.on_hand,
            reserved=change.reserved,
            promise=change.promise,
            safety=change.safety,
            quarantined=change.quarantined,
            if_on_hand=change.if_on_hand,
        )

    @property
    def promised(self) -> bool:
        return self.promise and self.reserved > 0

    @property
    def only_takes(self) -> bool:
        """Whether units are promised, and nothing else about the level changes."""
        return self.promised and self == Demand(self.sku, reserved=self.reserved, promise=True)

    @property
    def founds(self) -> bool:
        """Whether the level comes into being when it isn't there yet."""
        added = self.on_hand > 0 or self.quarantined > 0 or (self.reserved > 0 and not self.promised)
        return added or self.safety is not None or self.if_on_hand is not None

    @property
    def empty(self) -> bool:
        """Whether nothing changes after all, and nothing is to be looked at either."""
        changes = self.on_hand or self.reserved or self.quarantined
        return not changes and self.safety is None and self.if_on_hand is None

    def plus(self, change: StockChange) -> Demand:
        """This and another change of the same level."""
        return evolve(
            self,
            on_hand=self.on_hand + change.on_hand,
            reserved=self.reserved + change.reserved,
            promise=self.promise or change.promise,
            safety=self.safety if change.safety is None else change.safety,
            quarantined=self.quarantined + change.quarantined,
            if_on_hand=self.if_on_hand if change.if_on_hand is None else change.if_on_hand,
        )

    def stale(self, level: Level) -> bool:
        """Whether this was decided when another number was on hand."""
        return self.if_on_hand is not None and self.if_on_hand != level.on_hand

    def lack(self, level: Level) -> tuple[int, int] | None:
        """How many units are wanted and how many there are, when this level can't give them."""
        after = evolve(
            level,
            on_hand=level.on_hand + self.on_hand,
            reserved=level.reserved + self.reserved,
            safety=level.safety if self.safety is None else self.safety,
            quarantined=level.quarantined + self.quarantined,
        )
        if self.promised and after.on_hand - after.reserved < after.safety:
            return self.reserved, evolve(after, reserved=level.reserved).available
        if after.on_hand < 0:
            return -self.on_hand, level.on_hand
        if after.reserved < 0:
            return -self.reserved, level.reserved
        if after.quarantined < 0:
            return -self.quarantined, level.quarantined
        return None


def levels(link: Link, skus: Sequence[str], stores: Sequence[str] | None) -> tuple[Level, ...]:
    """The levels of these SKUs at these stores, or at all; by store and SKU."""
    if stores is None:
        rows = link.rows(_EVERYWHERE, {"skus": skus})
    elif len(stores) == 1:
        rows = link.rows(_AT_STORE, {"skus": skus, "store_id": stores[0]})
    else:
        rows = link.rows(_AT_STORES, {"skus": skus, "stores": stores})
    return tuple(sorted(map(level_from, rows), key=lambda level: (level.store, level.sku)))


def level_from(row: Any) -> Level:
    """The level of a row."""
    return Level(row.store_id, row.sku, row.on_hand, row.reserved, row.safety, row.quarantined)


def available(link: Link, skus: Sequence[str], stores: Sequence[str] | None) -> Mapping[tuple[str, str], int]:
    """What of these levels may be promised, by (store, SKU): one row per store rather than one per level."""
    if stores is None:
        rows = link.rows(_AVAILABLE, {"skus": skus})
    else:
        rows = link.rows(_AVAILABLE_AT, {"skus": skus, "stores": stores})
    return {(row.store_id, sku): max(0, units) for row in rows for sku, units in row.units.items()}


def demands(changes: Iterable[StockChange]) -> dict[str, list[Demand]]:
    """The changes summed per level: by store, then by SKU, which is the order in which levels are locked."""
    sums: dict[tuple[str, str], Demand] = {}
    for change in changes:
        key = (change.store, change.sku)
        sums[key] = sums[key].plus(change) if key in sums else Demand.of(change)
    by_store: dict[str, list[Demand]] = defaultdict(list)
    for (store, _), demand in sorted(sums.items(), key=lambda item: item[0]):
        if not demand.empty:
            by_store[store].append(demand)
    return by_store


def refusal(store: str, wanted: Sequence[Demand], there: Iterable[Level]) -> OutOfStock | StaleWrite:
    """Why these changes were refused, SKU by SKU: this is how the levels stand, which are locked by now."""
    found = {level.sku: level for level in there}
    short: list[dict[str, Any]] = []
    for demand in wanted:
        level = found.get(demand.sku) or Level(store, demand.sku)
        if demand.stale(level):
            return StaleWrite(kind="level", id=f"{store} {demand.sku}")
        lack = demand.lack(level)
        if lack is not None:
            short.append({"sku": demand.sku, "wanted": lack[0], "available": lack[1]})
    return OutOfStock(store=store, short=short)


def record(batch: Batch, movements: Sequence[Movement]) -> None:
    """Append movements; raises `AlreadyThere`."""
    if not movements:
        return
    ids = ", ".join(movement.id for movement in movements)
    batch.insert(_MOVED, [_values(movement) for movement in movements], "movement", ids)


def movements(link: Link, store: str, sku: str, after: str | None, limit: int) -> tuple[Movement, ...]:
    """The movements of one level, oldest first."""
    params = {"store_id": store, "sku": sku, "after": after or "", "most": limit}
    return tuple(movement_from(row) for row in link.rows(_MOVEMENTS, params))


def _values(movement: Movement) -> dict[str, Any]:
    return {
        "store_id": movement.store,
        "id": movement.id,
        "sku": movement.sku,
        "kind": movement.kind.value,
        "quantity": movement.quantity,
        "at": movement.stamp.at,
        "channel": movement.stamp.channel.value,
        "actor": movement.stamp.actor,
        "via": movement.stamp.via,
        "reason": movement.reason,
        "reference": movement.reference,
        "quarantined": movement.quarantined,
    }


def movement_from(row: Any) -> Movement:
    """The movement of a row."""
    return Movement(
        id=row.id,
        store=row.store_id,
        sku=row.sku,
        kind=MovementKind(row.kind),
        quantity=row.quantity,
        stamp=Stamp(row.at, Channel(row.channel), row.actor, row.via),
        reason=row.reason,
        reference=row.reference,
        quarantined=row.quarantined,
    )
