"""What is sold, and for how much: articles, prices, and which of several prices holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import cast

from attrs import field, frozen

from omniorder.domain import barcodes, ids, text
from omniorder.domain.channels import Channel
from omniorder.domain.handling import Handling, Temperature
from omniorder.domain.instants import instant
from omniorder.domain.money import Money, rate
from omniorder.domain.quantities import EXACT, Unit, quantity, tolerance
from omniorder.domain.store_services import Service, services
from omniorder.errors import InvalidInput, InvalidInstant, InvalidMoney

__all__ = ["Article", "Price", "pick_price", "pick_prices"]

_DAWN = datetime(2000, 1, 1, tzinfo=UTC)
_DUSK = datetime(2200, 1, 1, tzinfo=UTC)


def _sku(value: str) -> str:
    return ids.sku(value)


def _name(value: str) -> str:
    return text.line(value, "name")


def _unit(value: Unit) -> Unit:
    given = cast("object", value)
    if not isinstance(given, Unit):
        raise InvalidInput("unit", given, "must be a Unit")
    return given


def _needs(value: Iterable[Service]) -> frozenset[Service]:
    found = services(value)
    if found is None:
        raise InvalidInput("needs", value, "must be a set of Service")
    return found


def _temperature(value: Temperature) -> Temperature:
    given = cast("object", value)
    if not isinstance(given, Temperature):
        raise InvalidInput("temperature", given, "must be a Temperature")
    return given


def _flag(value: bool) -> bool:
    given = cast("object", value)
    if not isinstance(given, bool):
        raise InvalidInput("perishable", given, "must be True or False")
    return given


def _brand(value: str) -> str:
    return text.line(value, "brand", most=80, least=0)


def _aisle(value: str) -> str:
    return text.line(value, "aisle", most=40, least=0)


def _gtins(value: Iterable[str]) -> tuple[str, ...]:
    given = cast("object", value)
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidInput("gtins", given, "must be a list of GTINs")
    return tuple(sorted({barcodes.gtin(one) for one in cast("Iterable[str]", given)}))


def _scale_item(value: str) -> str:
    return barcodes.scale_item(value)


def _allergens(value: Iterable[str]) -> tuple[str, ...]:
    return text.words(value, "allergens")


def _metadata(value: Mapping[str, str]) -> text.Metadata:
    return text.metadata(value)


def _amount(value: Money) -> Money:
    given = cast("object", value)
    if not isinstance(given, Money):
        raise InvalidMoney("amount", given, "must be Money")
    if given.amount < 0:
        raise InvalidMoney("amount", given.amount, "a price must not be negative")
    return given


def _per(value: int) -> int:
    return quantity(value, "per")


def _store(value: str | None) -> str | None:
    return None if value is None else ids.store_id(value)


def _channel(value: Channel | None) -> Channel | None:
    given = cast("object", value)
    if given is not None and not isinstance(given, Channel):
        raise InvalidInput("channel", given, "must be a Channel")
    return given


def _valid_from(value: datetime | None) -> datetime | None:
    return None if value is None else instant(value, "valid_from")


def _valid_to(value: datetime | None) -> datetime | None:
    return None if value is None else instant(value, "valid_to")


@frozen
class Article:
    """Something that is sold, counted in `unit`. Its metadata is the retailer's own.

    Only a store that has all services of `needs` can promise it: AGE_RESTRICTED for wine, FITTING for a suit.
    `tolerance` is by how much the weight of what is handed over may differ from what was ordered, as a share: "0.10"
    is 10 % more or less, "0" to the gram. Only what is sold by the gram may have one, of at most "0.5".

    `temperature` is the zone in which it is kept, and what is `perishable` is not sold again once it has waited for its
    customer. `brand` and `allergens` (words such as "tree-nuts") are what customers may exclude from substitutes.

    `aisle` is where it stands, by a name that all stores know; `gtins` are its barcodes (kept as GTIN-14), and
    `scale_item` is its number on the labels of the shop's scales, where it is weighed.

    Raises InvalidId, InvalidText, TooMany, InvalidQuantity or InvalidInput.
    """

    sku: str = field(converter=_sku)
    name: str = field(converter=_name)
    unit: Unit = field(default=Unit.PIECE, converter=_unit)
    metadata: text.Metadata = field(factory=text.Metadata, converter=_metadata)
    needs: frozenset[Service] = field(default=frozenset[Service](), converter=_needs, kw_only=True)
    tolerance: Decimal = field(default=EXACT, converter=tolerance, kw_only=True)
    temperature: Temperature = field(default=Temperature.AMBIENT, converter=_temperature, kw_only=True)
    perishable: bool = field(default=False, converter=_flag, kw_only=True)
    brand: str = field(default="", converter=_brand, kw_only=True)
    allergens: tuple[str, ...] = field(default=(), converter=_allergens, kw_only=True)
    aisle: str = field(default="", converter=_aisle, kw_only=True)
    gtins: tuple[str, ...] = field(default=(), converter=_gtins, kw_only=True)
    scale_item: str = field(default="", converter=_scale_item, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.tolerance and self.unit is not Unit.GRAM:
            raise InvalidInput("tolerance", str(self.tolerance), "only what is sold by the gram is weighed")

    @property
    def handling(self) -> Handling:
        """What staff must know of it, as an order line keeps it."""
        return Handling(self.temperature, self.perishable, Service.AGE_RESTRICTED in self.needs)


@frozen
class Price:
    """`amount` for every `per` units of an article, tax included; `tax` is the rate as a share of the net.

    It holds everywhere, or only at `store`, only in `channel`, or only there in it; and from `valid_from`
    (included) to `valid_to` (excluded), where None is open. `pick_price` says which of several applies.

    Raises InvalidId, InvalidMoney, InvalidQuantity, InvalidInstant or InvalidInput.
    """

    sku: str = field(converter=_sku)
    amount: Money = field(converter=_amount)
    tax: Decimal = field(converter=rate, kw_only=True)
    per: int = field(default=1, converter=_per, kw_only=True)
    store: str | None = field(default=None, converter=_store, kw_only=True)
    channel: Channel | None = field(default=None, converter=_channel, kw_only=True)
    valid_from: datetime | None = field(default=None, converter=_valid_from, kw_only=True)
    valid_to: datetime | None = field(default=None, converter=_valid_to, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.valid_from is not None and self.valid_to is not None and self.valid_to <= self.valid_from:
            raise InvalidInstant("valid_to", self.valid_to, "must be after valid_from")

    def holds(self, *, store: str, channel: Channel, at: datetime) -> bool:
        """Whether this price may be used at `store`, in `channel`, at the instant `at`."""
        return (
            self.store in (None, store)
            and self.channel in (None, channel)
            and (self.valid_from is None or self.valid_from <= at)
            and (self.valid_to is None or at < self.valid_to)
        )


def pick_price(prices: Iterable[Price], *, store: str, channel: Channel, at: datetime) -> Price | None:
    """The price of an article that applies at `store`, in `channel`, at the instant `at`, or None.

    The most specific one: for this store and channel, then for the store, then for the channel, then for all.
    Among equals the one that began last, then the one that ends first, then the cheapest; the order in which
    they are given never matters.
    """
    moment = instant(at, "at")
    holding = (price for price in prices if price.holds(store=store, channel=channel, at=moment))
    return min(holding, key=_precedence, default=None)


def pick_prices(prices: Iterable[Price], *, stores: Iterable[str], channel: Channel, at: datetime) -> dict[str, Price]:
    """What `pick_price` says for each of these stores; those without a price are left out.

    Stores without prices of their own share one, so it is looked for once.
    """
    by_store: dict[str | None, list[Price]] = {}
    for one in prices:
        by_store.setdefault(one.store, []).append(one)
    everywhere = by_store.pop(None, [])
    common = pick_price(everywhere, store="", channel=channel, at=at)
    found: dict[str, Price] = {}
    for store in stores:
        own = by_store.get(store)
        price = common if own is None else pick_price([*own, *everywhere], store=store, channel=channel, at=at)
        if price is not None:
            found[store] = price
    return found


def _precedence(price: Price) -> tuple[bool, bool, timedelta, datetime, int, int, str, Decimal, str]:
    return (
        price.store is None,
        price.channel is None,
        _DUSK - (price.valid_from or _DAWN),
        price.valid_to or _DUSK,
        price.amount.amount,
        -price.per,
        price.amount.currency,
        price.tax,
        price.sku,
    )
