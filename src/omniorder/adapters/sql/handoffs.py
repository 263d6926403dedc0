"""Handoffs of carts."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, delete, select, update

from omniorder.adapters.sql import codes
from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import Instant, maybe_moment, moment
from omniorder.adapters.sql.documents import document
from omniorder.adapters.sql.link import Link
from omniorder.adapters.sql.rows import Values
from omniorder.adapters.sql.schema import HANDOFF
from omniorder.domain.channels import Channel
from omniorder.domain.handoffs import Handoff, Scope
from omniorder.domain.lifecycle import HandoffState
from omniorder.ports.writes import HandoffWrite

_DOCUMENT: Final = document(HANDOFF)
WHOLE: Final = select(_DOCUMENT)
"""Every handoff, as one document each."""
_BY_ID: Final = WHOLE.where(HANDOFF.c.id == bindparam("id"))
_OF_CART: Final = WHOLE.where(HANDOFF.c.cart_id == bindparam("cart_id")).order_by(HANDOFF.c.id)
_INSERT: Final = HANDOFF.insert()
_UPDATE: Final = update(HANDOFF).where(
    and_(HANDOFF.c.id == bindparam("at_id"), HANDOFF.c.state == bindparam("at_state"))
)
_ENDED: Final = (
    select(HANDOFF.c.id)
    .where(HANDOFF.c.ends_at < bindparam("before", type_=Instant()))
    .order_by(HANDOFF.c.ends_at)
    .limit(bindparam("most"))
)
_FORGET: Final = delete(HANDOFF).where(HANDOFF.c.id.in_(_ENDED)).returning(HANDOFF.c.id)


def load(link: Link, handoff_id: str) -> Handoff | None:
    """The handoff with this id."""
    found = link.document(_BY_ID, {"id": handoff_id})
    return None if found is None else handoff_from(found)


def of_cart(link: Link, cart_id: str) -> tuple[Handoff, ...]:
    """All handoffs of a cart, by their ids."""
    return tuple(map(handoff_from, link.documents(_OF_CART, {"cart_id": cart_id})))


def write(batch: Batch, change: HandoffWrite) -> None:
    """Insert or replace a handoff; raises `AlreadyThere` or `StaleWrite`."""
    handoff = change.after
    if change.before is None:
        batch.insert(_INSERT, {"id": handoff.id} | _values(handoff), "handoff", handoff.id)
        return
    at = {"at_id": handoff.id, "at_state": change.before.state.value}
    batch.guarded(_UPDATE, _values(handoff) | at, "handoff", handoff.id)


def forget(link: Link, before: datetime, limit: int) -> int:
    """Delete the handoffs that ended longest ago, with the tries of their codes; how many."""
    ended = [row.id for row in link.rows(_FORGET, {"before": before, "most": limit})]
    codes.forget_all(link, ended)
    return len(ended)


def _values(handoff: Handoff) -> Values:
    return {
        "cart_id": handoff.cart_id,
        "scopes": [scope.value for scope in handoff.scopes],
        "state": handoff.state.value,
        "offered_by": handoff.offered_by,
        "offered_on": handoff.offered_on.value,
        "offered_at": handoff.offered_at,
        "until": handoff.until,
        "key_id": handoff.key_id,
        "promise_id": handoff.promise_id,
        "accepted_by": handoff.accepted_by,
        "accepted_on": None if handoff.accepted_on is None else handoff.accepted_on.value,
        "accepted_at": handoff.accepted_at,
        "granted_until": handoff.granted_until,
        "ends_at": handoff.ends,
    }


def handoff_from(found: dict[str, Any]) -> Handoff:
    """The handoff of a document."""
    accepted_on = found["accepted_on"]
    return Handoff(
        id=found["id"],
        cart_id=found["cart_id"],
        scopes=tuple(map(Scope, found["scopes"])),
        state=HandoffState(found["state"]),
        offered_by=found["offered_by"],
        offered_on=Channel(found["offered_on"]),
        offered_at=moment(found["offered_at"]),
        until=moment(found["until"]),
        key_id=found["key_id"],
        promise_id=found["promise_id"],
        accepted_by=found["accepted_by"],
        accepted_on=None if accepted_on is None else Channel(accepted_on),
        accepted_at=maybe_moment(found["accepted_at"]),
        granted_until=maybe_moment(found["granted_until"]),
    )
