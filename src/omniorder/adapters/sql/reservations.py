"""Reservations: which units are held, and how they went."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import and_, bindparam, select, update

from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import maybe_moment
from omniorder.adapters.sql.documents import by_position, children, document
from omniorder.adapters.sql.link import Link
from omniorder.adapters.sql.rows import Rows, Values
from omniorder.adapters.sql.schema import RESERVATION, RESERVATION_LINE
from omniorder.adapters.sql.sharding import home_of
from omniorder.domain.lifecycle import ReservationState
from omniorder.domain.stock import Reservation, ReservedLine
from omniorder.ports.writes import ReservationWrite

WHOLE: Final = select(
    document(
        RESERVATION,
        lines=children(
            RESERVATION_LINE,
            RESERVATION_LINE.c.store_id == RESERVATION.c.store_id,
            RESERVATION_LINE.c.reservation_id == RESERVATION.c.id,
        ),
    )
)
"""Every reservation, as one document each."""
_BY_ID: Final = WHOLE.where(RESERVATION.c.store_id == bindparam("store_id"), RESERVATION.c.id == bindparam("id"))
_INSERT: Final = RESERVATION.insert()
_UPDATE: Final = update(RESERVATION).where(
    and_(
        RESERVATION.c.store_id == bindparam("at_store_id"),
        RESERVATION.c.id == bindparam("at_id"),
        RESERVATION.c.state == bindparam("at_state"),
        RESERVATION.c.moved == bindparam("at_moved"),
    )
)
_LINES: Final = Rows(RESERVATION_LINE, fixed=("position",))


def load(link: Link, reservation_id: str) -> Reservation | None:
    """The reservation with this id."""
    found = link.document(_BY_ID, {"store_id": home_of(reservation_id), "id": reservation_id})
    return None if found is None else reservation_from(found)


def write(batch: Batch, change: ReservationWrite) -> None:
    """Insert or replace a reservation; raises `AlreadyThere` or `StaleWrite`.

    Units never become live again, so the number of those that aren't any more stands for all the columns of
    all lines: it is the same only while every line is.
    """
    before, after = change.before, change.after
    if before is None:
        key = {"store_id": after.store, "id": after.id, "outside": int(after.outside)}
        batch.insert(_INSERT, key | _values(after), "reservation", after.id)
        _LINES.add(batch, _line_rows(after), "reservation", after.id)
        return
    at = {
        "at_store_id": after.store,
        "at_id": after.id,
        "at_state": before.state.value,
        "at_moved": _moved(before),
    }
    batch.guarded(_UPDATE, _values(after) | at, "reservation", after.id)
    if before.lines != after.lines:
        _LINES.sync(batch, _line_rows(before), _line_rows(after), "reservation", after.id)


def _moved(reservation: Reservation) -> int:
    return sum(line.quantity - line.live for line in reservation.lines)


def _values(reservation: Reservation) -> Values:
    return {"state": reservation.state.value, "until": reservation.until, "moved": _moved(reservation)}


def _line_rows(reservation: Reservation) -> list[Values]:
    return [
        {
            "store_id": reservation.store,
            "reservation_id": reservation.id,
            "sku": line.sku,
            "position": place,
            "quantity": line.quantity,
            "consumed": line.consumed,
            "released": line.released,
            "expired": line.expired,
        }
        for place, line in enumerate(reservation.lines)
    ]


def reservation_from(found: dict[str, Any]) -> Reservation:
    """The reservation of a document."""
    return Reservation(
        id=found["id"],
        store=found["store_id"],
        state=ReservationState(found["state"]),
        lines=tuple(
            ReservedLine(line["sku"], line["quantity"], line["consumed"], line["released"], line["expired"])
            for line in by_position(found["lines"])
        ),
        until=maybe_moment(found["until"]),
        outside=bool(found["outside"]),
    )
