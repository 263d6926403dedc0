"""Webhooks that were received."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index

from omniorder.adapters.sql.schema.base import (
    STRICT,
    At,
    Id,
    MaybeId,
    MaybeNumber,
    Number,
    PrimaryId,
    Row,
    check,
    table,
)


class WebhookRow(Row, table=True):
    """One piece of a provider's news; `store_id` and `payment_id` are empty where it is about none of our payments.

    `id` is made of what tells it apart, so its key lets the same one in once. Nothing else of what was sent is here.
    """

    __table_args__ = (
        Index("omniorder_webhook_by_age", "received_at"),
        check("tries", "tries >= 0"),
        STRICT,
    )

    store_id: PrimaryId
    id: PrimaryId
    gateway: Id
    event: Id
    kind: Id
    payment_id: Id
    received_at: At
    state: Id
    tries: Number
    disputed: MaybeNumber
    currency: MaybeId


WEBHOOK: Final = table(WebhookRow)
