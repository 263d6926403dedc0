"""Webhooks that were received."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, delete, select, tuple_, update

from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import Instant
from omniorder.adapters.sql.link import Link
from omniorder.adapters.sql.rows import Values
from omniorder.adapters.sql.schema import WEBHOOK
from omniorder.adapters.sql.sharding import home_of
from omniorder.domain.money import Money
from omniorder.domain.webhooks import Webhook, WebhookState
from omniorder.ports.writes import WebhookWrite

_BY_ID: Final = select(WEBHOOK).where(
    WEBHOOK.c.store_id == bindparam("at_store_id"), WEBHOOK.c.id == bindparam("at_id")
)
_INSERT: Final = WEBHOOK.insert()
_UPDATE: Final = update(WEBHOOK).where(
    and_(
        WEBHOOK.c.store_id == bindparam("at_store_id"),
        WEBHOOK.c.id == bindparam("at_id"),
        WEBHOOK.c.state == bindparam("at_state"),
        WEBHOOK.c.tries == bindparam("at_tries"),
    )
)
_OLD: Final = (
    select(WEBHOOK.c.store_id, WEBHOOK.c.id)
    .where(
        WEBHOOK.c.received_at < bindparam("before", type_=Instant()),
        WEBHOOK.c.state != WebhookState.PARKED.value,
    )
    .order_by(WEBHOOK.c.received_at)
    .limit(bindparam("most"))
)
_FORGET: Final = delete(WEBHOOK).where(tuple_(WEBHOOK.c.store_id, WEBHOOK.c.id).in_(_OLD))


def load(link: Link, webhook_id: str) -> Webhook | None:
    """The webhook with this id."""
    rows = link.rows(_BY_ID, {"at_store_id": home_of(webhook_id), "at_id": webhook_id})
    return webhook_from(rows[0]) if rows else None


def write(batch: Batch, change: WebhookWrite) -> None:
    """Insert or replace a webhook; raises `AlreadyThere` or `StaleWrite`."""
    webhook, before = change.after, change.before
    if before is None:
        batch.insert(_INSERT, {"store_id": webhook.store, "id": webhook.id} | _values(webhook), "webhook", webhook.id)
        return
    at = {"at_store_id": webhook.store, "at_id": webhook.id, "at_state": before.state.value, "at_tries": before.tries}
    batch.guarded(_UPDATE, _values(webhook) | at, "webhook", webhook.id)


def forget(link: Link, before: datetime, limit: int) -> int:
    """Delete those that were received longest ago, but none that is parked; how many."""
    return link.change(_FORGET, {"before": before, "most": limit})


def _values(webhook: Webhook) -> Values:
    disputed = webhook.disputed
    return {
        "gateway": webhook.gateway,
        "event": webhook.event,
        "kind": webhook.kind,
        "payment_id": webhook.payment,
        "received_at": webhook.received_at,
        "state": webhook.state.value,
        "tries": webhook.tries,
        "disputed": None if disputed is None else disputed.amount,
        "currency": None if disputed is None else disputed.currency,
    }


def webhook_from(row: Any) -> Webhook:
    """The webhook of a row."""
    return Webhook(
        id=row.id,
        store=row.store_id,
        gateway=row.gateway,
        event=row.event,
        kind=row.kind,
        payment=row.payment_id,
        received_at=row.received_at,
        state=WebhookState(row.state),
        tries=row.tries,
        disputed=None if row.disputed is None else Money(row.disputed, row.currency),
    )
