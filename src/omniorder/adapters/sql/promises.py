"""Promises; the quote is kept as it was made, as JSON."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import and_, bindparam, select, update

from omniorder import wire
from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import moment
from omniorder.adapters.sql.documents import document
from omniorder.adapters.sql.link import Link
from omniorder.adapters.sql.rows import Values, changes
from omniorder.adapters.sql.schema import PROMISE
from omniorder.adapters.sql.sharding import home_of
from omniorder.domain.lifecycle import PromiseState
from omniorder.domain.promises import Promise, Quote
from omniorder.domain.store_services import Service
from omniorder.domain.transfers import PromisedLeg
from omniorder.ports.writes import PromiseWrite

WHOLE: Final = select(document(PROMISE))
"""Every promise, as one document each."""
_BY_ID: Final = WHOLE.where(PROMISE.c.store_id == bindparam("store_id"), PROMISE.c.id == bindparam("id"))
_INSERT: Final = PROMISE.insert()
_UPDATE: Final = update(PROMISE).where(
    and_(
        PROMISE.c.store_id == bindparam("at_store_id"),
        PROMISE.c.id == bindparam("at_id"),
        PROMISE.c.state == bindparam("at_state"),
    )
)


def load(link: Link, promise_id: str) -> Promise | None:
    """The promise with this id."""
    found = link.document(_BY_ID, {"store_id": home_of(promise_id), "id": promise_id})
    return None if found is None else promise_from(found)


def write(batch: Batch, change: PromiseWrite) -> None:
    """Insert or replace a promise; raises `AlreadyThere` or `StaleWrite`."""
    promise = change.after
    if change.before is None:
        key = {"store_id": promise.store, "id": promise.id}
        batch.insert(_INSERT, key | _values(promise) | _quote(promise), "promise", promise.id)
        return
    at = {"at_store_id": promise.store, "at_id": promise.id, "at_state": change.before.state.value}
    new = {"state": promise.state.value} | changes(_values(change.before), _values(promise))
    if promise.quote != change.before.quote:
        new |= _quote(promise)
    batch.guarded(_UPDATE, new | at, "promise", promise.id)


def _quote(promise: Promise) -> Values:
    return {"quote": wire.dump(promise.quote)}


def _values(promise: Promise) -> Values:
    return {
        "cart_id": promise.cart_id,
        "owner": promise.owner,
        "lines_version": promise.lines_version,
        "state": promise.state.value,
        "slot": promise.slot,
        "starts_at": promise.starts,
        "ends_at": promise.ends,
        "zone": promise.zone,
        "collect": promise.collect.value,
        "currency": promise.quote.total.currency,
        "total": promise.quote.total.amount,
        "ceiling": promise.quote.ceiling.amount,
        "reservation_id": promise.reservation_id,
        "made_at": promise.made_at,
        "expires_at": promise.expires_at,
        "order_id": promise.order_id,
        "legs": wire.dump(promise.legs),
    }


def promise_from(found: dict[str, Any]) -> Promise:
    """The promise of a document."""
    return Promise(
        id=found["id"],
        store=found["store_id"],
        cart_id=found["cart_id"],
        owner=found["owner"],
        lines_version=found["lines_version"],
        state=PromiseState(found["state"]),
        slot=found["slot"],
        starts=moment(found["starts_at"]),
        ends=moment(found["ends_at"]),
        quote=wire.load(Quote, found["quote"]),
        reservation_id=found["reservation_id"],
        made_at=moment(found["made_at"]),
        expires_at=moment(found["expires_at"]),
        zone=found["zone"],
        collect=Service(found["collect"]),
        order_id=found["order_id"],
        legs=tuple(wire.load(PromisedLeg, leg) for leg in found["legs"]),
    )
