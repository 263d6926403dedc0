"""What is on its way to a store, under the reference of a purchase order, a delivery note or a transfer.

What arrives is taken off in two statements: the first locks the row and never goes below zero, the second drops it when
nothing is left. A row that is dropped only where it *looks* used up would stay when two deliveries arrive at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import and_, bindparam, case, delete, select, update

from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import Whole
from omniorder.adapters.sql.documents import among
from omniorder.adapters.sql.link import Link
from omniorder.adapters.sql.rows import upsert
from omniorder.adapters.sql.schema import EXPECTED
from omniorder.domain.deliveries import ExpectedDelivery
from omniorder.ports.writes import Arrived, Expect

_EVERYWHERE: Final = select(EXPECTED).where(among(EXPECTED.c.sku, "skus"))
_AT_STORES: Final = _EVERYWHERE.where(among(EXPECTED.c.store_id, "stores"))
_AT_KEY: Final = and_(
    EXPECTED.c.store_id == bindparam("at_store"),
    EXPECTED.c.sku == bindparam("at_sku"),
    EXPECTED.c.reference == bindparam("at_reference"),
)
_ARRIVED: Final = bindparam("arrived", type_=Whole())
_EXPECT: Final = upsert(EXPECTED)
_TAKE_OFF: Final = (
    update(EXPECTED)
    .where(_AT_KEY)
    .values(quantity=case((EXPECTED.c.quantity > _ARRIVED, EXPECTED.c.quantity - _ARRIVED), else_=0))
)
_DROP_USED_UP: Final = delete(EXPECTED).where(_AT_KEY, EXPECTED.c.quantity == 0)
_DROP: Final = delete(EXPECTED).where(_AT_KEY)


def expected(link: Link, skus: Sequence[str], stores: Sequence[str] | None) -> tuple[ExpectedDelivery, ...]:
    """What is expected of these SKUs at these stores, or at all; by store, SKU, instant and reference."""
    if stores is None:
        rows = link.rows(_EVERYWHERE, {"skus": skus})
    else:
        rows = link.rows(_AT_STORES, {"skus": skus, "stores": stores})
    return tuple(sorted(map(expected_from, rows), key=lambda one: (one.store, one.sku, one.at, one.reference)))


def write(batch: Batch, writes: Sequence[Expect | Arrived]) -> None:
    """Expect, or expect less: by store, SKU and reference, and what is told of one delivery as it was told."""
    for write in sorted(writes, key=_key):
        store, sku, reference = _key(write)
        at = {"at_store": store, "at_sku": sku, "at_reference": reference}
        match write:
            case Expect(ExpectedDelivery(quantity=0)) | Arrived(quantity=None):
                batch.change(_DROP, at)
            case Expect(delivery):
                batch.change(_EXPECT, _row(delivery))
            case Arrived(quantity=quantity):
                batch.change(_TAKE_OFF, at | {"arrived": quantity})
                batch.change(_DROP_USED_UP, at)


def _key(write: Expect | Arrived) -> tuple[str, str, str]:
    named = write.delivery if isinstance(write, Expect) else write
    return (named.store, named.sku, named.reference)


def _row(delivery: ExpectedDelivery) -> dict[str, Any]:
    return {
        "store_id": delivery.store,
        "sku": delivery.sku,
        "reference": delivery.reference,
        "quantity": delivery.quantity,
        "expected_at": delivery.at,
    }


def expected_from(row: Any) -> ExpectedDelivery:
    """The expected delivery of a row."""
    return ExpectedDelivery(row.store_id, row.sku, row.reference, row.quantity, row.expected_at)
