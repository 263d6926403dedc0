"""Shortages: levels at which more is reserved than is there, and the orders that hold their units.

Neither has an index of its own. A store's levels stand together in the primary key, and its open pick-ups in the index
that lists them, from which order, reservation and line are found by their keys: so this costs something when it is
asked, and nothing when a unit is reserved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import and_, bindparam, select

from omniorder.adapters.sql import stock
from omniorder.adapters.sql.documents import among
from omniorder.adapters.sql.link import Link
from omniorder.adapters.sql.schema import ORDER, PICKUP, RESERVATION_LINE, STOCK
from omniorder.domain.lifecycle import ENDED_PICKUPS, PickupState
from omniorder.domain.stock import Endangered, Level

_OPEN: Final = sorted(state.value for state in PickupState if state not in ENDED_PICKUPS)
_SHORT: Final = (
    select(STOCK)
    .where(
        STOCK.c.store_id == bindparam("store_id"),
        STOCK.c.sku > bindparam("after"),
        STOCK.c.reserved > STOCK.c.on_hand,
    )
    .order_by(STOCK.c.sku)
    .limit(bindparam("most"))
)
_LINE: Final = RESERVATION_LINE.c
_LIVE: Final = _LINE.quantity - _LINE.consumed - _LINE.released - _LINE.expired
_ENDANGERED: Final = (
    select(_LINE.sku, PICKUP.c.order_id, PICKUP.c.starts_at, _LIVE.label("live"))
    .select_from(PICKUP)
    .join(
        ORDER,
        and_(ORDER.c.store_id == PICKUP.c.home, ORDER.c.id == PICKUP.c.order_id, ORDER.c.pickup_id == PICKUP.c.id),
    )
    .join(
        RESERVATION_LINE,
        and_(_LINE.store_id == PICKUP.c.store_id, _LINE.reservation_id == ORDER.c.reservation_id),
    )
    .where(
        PICKUP.c.store_id == bindparam("store_id"),
        among(PICKUP.c.state, "states"),
        among(_LINE.sku, "skus"),
        _LIVE > 0,
    )
    .order_by(_LINE.sku, PICKUP.c.starts_at.desc(), PICKUP.c.order_id)
)


def shortages(link: Link, store: str, after: str | None, limit: int) -> tuple[Level, ...]:
    """The store's levels that are short, by SKU."""
    params = {"store_id": store, "after": after or "", "most": limit}
    return tuple(map(stock.level_from, link.rows(_SHORT, params)))


def endangered(link: Link, store: str, skus: Sequence[str]) -> Mapping[str, tuple[Endangered, ...]]:
    """Orders that hold units of these SKUs at this store, by SKU: the latest pick-up first."""
    found: defaultdict[str, list[Endangered]] = defaultdict(list)
    for row in link.rows(_ENDANGERED, {"store_id": store, "states": _OPEN, "skus": skus}):
        found[row.sku].append(Endangered(row.order_id, row.live, row.starts_at))
    return {sku: tuple(orders) for sku, orders in found.items()}
