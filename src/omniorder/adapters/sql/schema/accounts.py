"""Gift cards and store credit: accounts, what payments hold on them, and the postings that make their balances."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index

from omniorder.adapters.sql.schema.base import (
    STRICT,
    At,
    Document,
    Id,
    MaybeAt,
    MaybeId,
    Number,
    PrimaryId,
    Row,
    Words,
    check,
    table,
)


class AccountRow(Row, table=True):
    """An account. It is keyed by itself: no store holds it."""

    __table_args__ = (check("held", "held >= 0 AND held <= balance"), STRICT)

    id: PrimaryId
    kind: Id
    state: Id
    currency: Id
    balance: Number
    held: Number
    opened_at: At
    owner: MaybeId
    expires_at: MaybeAt
    ending: Id
    seed: Id
    key_id: Id


class HoldRow(Row, table=True):
    """What a payment, which is an order's and of another home, holds on an account. `version` counts its steps."""

    __table_args__ = (
        check("version", "version > 0"),
        check("captured", "captured >= 0 AND captured <= amount"),
        check("refunded", "refunded >= 0 AND refunded <= captured"),
        Index("omniorder_hold_by_payment", "payment_id"),
        Index("omniorder_hold_by_time", "placed_at", "account_id", "payment_id"),
        STRICT,
    )

    account_id: PrimaryId
    payment_id: PrimaryId
    order_id: Id
    state: Id
    version: Number
    currency: Id
    amount: Number
    captured: Number
    refunded: Number
    placed_at: At
    steps: Document


class PostingRow(Row, table=True):
    """A posting. Of its two sides one is the account, the other a name in the retailer's books."""

    __table_args__ = (
        check("amount", "amount > 0"),
        check("sides", "debit <> credit AND account_id IN (debit, credit)"),
        STRICT,
    )

    account_id: PrimaryId
    id: PrimaryId
    debit: Id
    credit: Id
    currency: Id
    amount: Number
    at: At
    channel: Id
    actor: Id
    via: Words
    reason: Words
    reference: Words


ACCOUNT: Final = table(AccountRow)
HOLD: Final = table(HoldRow)
POSTING: Final = table(PostingRow)
