"""The tables, declared with SQLModel on a metadata of their own, never on `SQLModel.metadata`.

Only the declarations are used: every statement is SQLAlchemy Core on the tables below, and domain objects are
written and read by hand. Every table of a store's side has a primary key that begins with the store, and its
foreign keys stay within that store, so that a database can be divided by store. Constraints are the second line
of defence behind the guards in the statements; states and kinds are text without a list of members, so that a
new member needs no migration. All amounts are minor units of the currency that stands beside them.
"""

from __future__ import annotations

from typing import Final

from omniorder.adapters.sql.schema.accounts import ACCOUNT, HOLD, POSTING
from omniorder.adapters.sql.schema.base import METADATA
from omniorder.adapters.sql.schema.carts import CART, CART_LINE, NOTE, PROMISE
from omniorder.adapters.sql.schema.handoffs import CUSTOMER, HANDOFF
from omniorder.adapters.sql.schema.imports import IMPORT
from omniorder.adapters.sql.schema.journal import ANSWER, CONSUMER, DELIVERY, EVENT, TIMER
from omniorder.adapters.sql.schema.orders import (
    ATTEMPT,
    CODE_TRIES,
    CUSTOMER_ORDER,
    ORDER,
    ORDER_LINE,
    PAYMENT,
    PICKUP,
    PICKUP_LINE,
)
from omniorder.adapters.sql.schema.shop import ARTICLE, PRICE, STORE
from omniorder.adapters.sql.schema.stock import BIN, EXPECTED, MOVEMENT, RESERVATION, RESERVATION_LINE, SLOT, STOCK
from omniorder.adapters.sql.schema.transfers import TRANSFER, TRANSFER_LINE
from omniorder.adapters.sql.schema.webhooks import WEBHOOK

NEEDED: Final = "0021"
"""The revision of the schema that this version of the code reads and writes."""

__all__ = [
    "ACCOUNT",
    "ANSWER",
    "ARTICLE",
    "ATTEMPT",
    "BIN",
    "CART",
    "CART_LINE",
    "CODE_TRIES",
    "CONSUMER",
    "CUSTOMER",
    "CUSTOMER_ORDER",
    "DELIVERY",
    "EVENT",
    "EXPECTED",
    "HANDOFF",
    "HOLD",
    "IMPORT",
    "METADATA",
    "MOVEMENT",
    "NEEDED",
    "NOTE",
    "ORDER",
    "ORDER_LINE",
    "PAYMENT",
    "PICKUP",
    "PICKUP_LINE",
    "POSTING",
    "PRICE",
    "PROMISE",
    "RESERVATION",
    "RESERVATION_LINE",
    "SLOT",
    "STOCK",
    "STORE",
    "TIMER",
    "TRANSFER",
    "TRANSFER_LINE",
    "WEBHOOK",
]
