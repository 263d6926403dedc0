"""Transfers: rows of the store that sends, listed for both stores."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, select, tuple_, update

from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import Instant, Key, maybe_moment, moment
from omniorder.adapters.sql.documents import among, by_position, children, document
from omniorder.adapters.sql.link import Link
from omniorder.adapters.sql.rows import Rows, Values, changes
from omniorder.adapters.sql.schema import TRANSFER, TRANSFER_LINE
from omniorder.adapters.sql.sharding import home_of
from omniorder.domain.lifecycle import TransferState
from omniorder.domain.transfers import Transfer, TransferLine
from omniorder.ports.writes import TransferWrite

WHOLE: Final = select(
    document(
        TRANSFER,
        lines=children(
            TRANSFER_LINE,
            TRANSFER_LINE.c.store_id == TRANSFER.c.store_id,
            TRANSFER_LINE.c.transfer_id == TRANSFER.c.id,
        ),
    )
)
"""Every transfer, as one document each."""
_BY_ID: Final = WHOLE.where(TRANSFER.c.store_id == bindparam("store_id"), TRANSFER.c.id == bindparam("id"))
_LISTED: Final = (
    WHOLE.where(
        among(TRANSFER.c.state, "states"),
        tuple_(TRANSFER.c.expected_at, TRANSFER.c.id)
        > tuple_(bindparam("after_at", type_=Instant()), bindparam("after_id", type_=Key())),
    )
    .order_by(TRANSFER.c.expected_at, TRANSFER.c.id)
    .limit(bindparam("most"))
)
_OUTGOING: Final = _LISTED.where(TRANSFER.c.store_id == bindparam("store_id"))
_INCOMING: Final = _LISTED.where(TRANSFER.c.destination == bindparam("store_id"))
_INSERT: Final = TRANSFER.insert()
_UPDATE: Final = update(TRANSFER).where(
    and_(
        TRANSFER.c.store_id == bindparam("at_store_id"),
        TRANSFER.c.id == bindparam("at_id"),
        TRANSFER.c.version == bindparam("at_version"),
    )
)
_LINES: Final = Rows(TRANSFER_LINE, fixed=("position",))


def load(link: Link, transfer_id: str) -> Transfer | None:
    """The transfer with this id."""
    found = link.document(_BY_ID, {"store_id": home_of(transfer_id), "id": transfer_id})
    return None if found is None else transfer_from(found)


def listed(
    link: Link, store: str, states: Sequence[str], after: tuple[datetime, str], limit: int, *, incoming: bool
) -> tuple[Transfer, ...]:
    """Transfers from a store, or to it, in one of these states, by when they are expected."""
    at, id = after
    params = {"store_id": store, "states": states, "after_at": at, "after_id": id, "most": limit}
    return tuple(map(transfer_from, link.documents(_INCOMING if incoming else _OUTGOING, params)))


def write(batch: Batch, change: TransferWrite) -> None:
    """Insert or replace a transfer; raises `AlreadyThere` or `StaleWrite`."""
    before, after = change.before, change.after
    if before is None:
        key = {"store_id": after.source, "id": after.id}
        batch.insert(_INSERT, key | _values(after), "transfer", after.id)
        _LINES.add(batch, _line_rows(after), "transfer", after.id)
        return
    at = {"at_store_id": after.source, "at_id": after.id, "at_version": before.version}
    new = {"version": after.version} | changes(_values(before), _values(after))
    batch.guarded(_UPDATE, new | at, "transfer", after.id)
    if before.lines != after.lines:
        _LINES.sync(batch, _line_rows(before), _line_rows(after), "transfer", after.id)


def _values(transfer: Transfer) -> Values:
    return {
        "version": transfer.version,
        "state": transfer.state.value,
        "destination": transfer.destination,
        "order_id": transfer.order,
        "requested_at": transfer.requested_at,
        "expected_at": transfer.expected_at,
        "shipped_at": transfer.shipped_at,
        "reference": transfer.reference,
    }


def _line_rows(transfer: Transfer) -> list[Values]:
    return [
        {
            "store_id": transfer.source,
            "transfer_id": transfer.id,
            "sku": line.sku,
            "position": place,
            "quantity": line.quantity,
            "picked": line.picked,
            "received": line.received,
        }
        for place, line in enumerate(transfer.lines)
    ]


def transfer_from(found: dict[str, Any]) -> Transfer:
    """The transfer of a document."""
    return Transfer(
        id=found["id"],
        version=found["version"],
        state=TransferState(found["state"]),
        source=found["store_id"],
        destination=found["destination"],
        order=found["order_id"],
        lines=tuple(
            TransferLine(line["sku"], line["quantity"], line["picked"], line["received"])
            for line in by_position(found["lines"])
        ),
        requested_at=moment(found["requested_at"]),
        expected_at=moment(found["expected_at"]),
        shipped_at=maybe_moment(found["shipped_at"]),
        reference=found["reference"],
    )
