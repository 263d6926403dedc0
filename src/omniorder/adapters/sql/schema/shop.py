"""The shop: stores, articles and prices."""

from __future__ import annotations

from typing import Annotated, Any, Final

from sqlalchemy import Text

from omniorder.adapters.sql.columns import Json, Key, Whole
from omniorder.adapters.sql.schema.base import (
    STRICT,
    Flag,
    Id,
    Labels,
    MaybeAt,
    MaybeDegrees,
    MaybeNumber,
    MaybeWords,
    Number,
    PrimaryBeginning,
    PrimaryId,
    Row,
    Words,
    check,
    table,
    with_default,
)


class StoreRow(Row, table=True):
    """A store. Durations are in seconds, the place in degrees.

    `services` are words, in order; `cutoff` is HH:MM; `closed`, `walk` and `bins` are JSON in text.
    """

    __table_args__ = (STRICT,)

    store_id: PrimaryId
    zone: Words
    hours: Words
    name: Words
    lat: MaybeDegrees
    lon: MaybeDegrees
    country: MaybeWords
    lead: Number
    slot_length: Number
    slot_capacity: Number
    pickup_days: Number
    services: Annotated[str, with_default(Text, "pickup")]
    transit: Annotated[int, with_default(Whole, "86400")]
    cutoff: MaybeWords
    slot_lines: MaybeNumber
    closed: Annotated[str, with_default(Text, "[]")]
    walk: Annotated[str, with_default(Text, "[]")]
    bins: Annotated[str, with_default(Text, "[]")]


class ArticleRow(Row, table=True):
    """Something that is sold; no `tolerance` is none."""

    __table_args__ = (STRICT,)

    sku: PrimaryId
    name: Words
    unit: Id
    labels: Labels
    needs: Annotated[str, with_default(Text, "")]
    tolerance: MaybeWords
    temperature: Annotated[str, with_default(Key, "ambient")]
    perishable: Flag
    brand: Annotated[str, with_default(Text, "")]
    allergens: Annotated[Any, with_default(Json, "[]")]
    aisle: Annotated[str, with_default(Text, "")]
    gtins: Annotated[Any, with_default(Json, "[]")]
    scale_item: Annotated[str, with_default(Key, "")]


class PriceRow(Row, table=True):
    """A price: an empty store or channel is any, and `valid_from` is 1970 where it has no beginning."""

    __table_args__ = (check("amount", "amount >= 0"), check("per", "per > 0"), STRICT)

    sku: PrimaryId
    store_id: PrimaryId
    channel: PrimaryId
    valid_from: PrimaryBeginning
    valid_to: MaybeAt
    amount: Number
    currency: Id
    tax: Words
    per: Number


STORE: Final = table(StoreRow)
ARTICLE: Final = table(ArticleRow)
PRICE: Final = table(PriceRow)
