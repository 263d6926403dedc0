"""Shapes: which columns each kind of file has, what a row of them makes, and what columns a value fills.

To give a kind one more column, add it to its shape, to what makes the value and to what takes it apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from functools import cached_property
from typing import Any, Final, TypeVar

from attrs import field, frozen

from omniorder.domain.articles import Article, Price
from omniorder.domain.bins import Bin
from omniorder.domain.channels import Channel
from omniorder.domain.handling import Temperature
from omniorder.domain.imports import CountedLevel, ImportKind, Refusal
from omniorder.domain.money import Money
from omniorder.domain.quantities import EXACT, Unit
from omniorder.domain.stock import Level
from omniorder.domain.store_services import Service
from omniorder.domain.stores import Point, Store
from omniorder.errors import InvalidFile, InvalidInput, InvalidRow, InvalidStore
from omniorder.exchange.cells import Cell, lines_of, words_of
from omniorder.services.imports import Value

E = TypeVar("E", bound=Enum)
Values = Mapping[str, Any]
Cells = dict[str, Any]

LABEL: Final = "meta."
"""How the columns begin that hold an article's own labels."""

_LABEL: Final = re.compile(r"meta\.[a-z][a-z0-9_.-]{0,39}")


@frozen
class Column:
    """One column. `names` is what the value's class calls it in its errors, where that is another name."""

    name: str
    kind: Cell
    says: str
    required: bool = field(default=False, kw_only=True)
    names: str = field(default="", kw_only=True)


@frozen
class Shape:
    """One kind of file. `key` is what no two rows of a file may share; `apart` gives the cells of a stored value."""

    kind: ImportKind
    columns: tuple[Column, ...]
    make: Callable[[Values], Value]
    apart: Callable[[Any], Cells]
    key: Callable[[Any], tuple[str, ...]]
    labelled: bool = False

    @cached_property
    def _by_name(self) -> Mapping[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def _required(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.required)

    @cached_property
    def _needed(self) -> frozenset[str]:
        return frozenset(self._required)

    @cached_property
    def _by_field(self) -> Mapping[str, str]:
        return {column.names or column.name: column.name for column in self.columns}

    def column(self, name: str) -> Column | None:
        """The column of this name, a label's too."""
        found = self._by_name.get(name)
        if found is None and self.labelled and _LABEL.fullmatch(name):
            return Column(name, Cell.TEXT, "a label")
        return found

    def columns_named(self, names: Sequence[str]) -> tuple[Column, ...]:
        """The columns of these names, in their order. Raises InvalidFile, which names those that are wrong."""
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InvalidFile("columns", ", ".join(twice), "must be named once each")
        if missing := [name for name in self._required if name not in names]:
            raise InvalidFile("columns", ", ".join(names), f"must have {', '.join(missing)}")
        found = {name: self.column(name) for name in names}
        if unknown := [name for name, column in found.items() if column is None]:
            more = f" and {LABEL}..." if self.labelled else ""
            raise InvalidFile("columns", ", ".join(unknown), f"must be among {', '.join(self._by_name)}{more}")
        return tuple(column for column in found.values() if column is not None)

    def value(self, line: int, values: Values) -> Value | Refusal:
        """What the row on this line makes, or why it makes nothing."""
        if not self._needed <= values.keys():
            name = next(name for name in self._required if name not in values)
            return Refusal(line, name, InvalidRow(name, "", "must be given"))
        try:
            return self.make(values)
        except InvalidInput as error:
            return Refusal(line, self._column_of(str(error.facts["field"])), error)

    def _column_of(self, named: str) -> str:
        first, _, rest = named.partition(".")
        if first == "metadata" and rest:
            return LABEL + rest
        return self._by_field.get(named, named if named in self._by_name else "")


def _is_yes(text: str, name: str) -> bool:
    if text not in ("yes", "no"):
        raise InvalidInput(name, text, "must be yes or no")
    return text == "yes"


def _one_of(kind: type[E], text: str, name: str) -> E:
    try:
        return kind(text)
    except ValueError:
        raise InvalidInput(name, text, f"must be one of {', '.join(str(one.value) for one in kind)}") from None


def _unless(value: Any, default: Any) -> Any:
    """The value, or None where it is what an empty cell means."""
    return None if value == default else value


# --- stores -----------------------------------------------------------------------------------------------

_MOST_MINUTES: Final = 1_000_000
_MINUTE: Final = timedelta(minutes=1)
_AS_THEY_ARE: Final = (
    "zone", "hours", "name", "country", "slot_capacity", "slot_lines", "pickup_days", "services", "cutoff", "closed",
)  # fmt: skip
_BIN: Final = re.compile(r"(.+)/(ambient|chilled|frozen)/([0-9]{1,6})(/locker)?")
_LENGTHS: Final = {"lead_minutes": "lead", "slot_minutes": "slot_length", "transit_minutes": "transit"}


def _store(values: Values) -> Store:
    given = {name: values[name] for name in _AS_THEY_ARE if name in values}
    given |= {field: _minutes(values[name], name) for name, field in _LENGTHS.items() if name in values}
    if "walk" in values:
        given["walk"] = [aisle.strip() for aisle in values["walk"].split(",")]
    if "bins" in values:
        given["bins"] = [_bin(one) for one in values["bins"].split(",")]
    if "lat" in values or "lon" in values:
        for name, other in (("lat", "lon"), ("lon", "lat")):
            if name not in values:
                raise InvalidStore(name, "", f"must be given, since {other} is")
        given["place"] = Point(lat=values["lat"], lon=values["lon"])
    return Store(values["id"], **given)


def _bin(text: str) -> Bin:
    found = _BIN.fullmatch(text.strip())
    if found is None:
        raise InvalidStore("bins", text, "must be code/temperature/orders, and /locker where it is one")
    code, temperature, holds, locker = found.groups()
    try:
        return Bin(code, Temperature(temperature), int(holds), locker is not None)
    except InvalidInput as error:
        raise InvalidStore("bins", text, str(error.facts["rule"])) from None


def _bin_apart(one: Bin) -> str:
    return f"{one.code}/{one.temperature.value}/{one.holds}" + ("/locker" if one.locker else "")


def _minutes(count: int, name: str) -> timedelta:
    if not 0 <= count <= _MOST_MINUTES:
        raise InvalidStore(name, count, "must be minutes, and not so many")
    return count * _MINUTE


def _store_apart(store: Store) -> Cells:
    return {
        "id": store.id,
        "zone": store.zone,
        "hours": store.hours,
        "name": _unless(store.name, ""),
        "lat": None if store.place is None else store.place.lat,
        "lon": None if store.place is None else store.place.lon,
        "country": store.country,
        "lead_minutes": store.lead // _MINUTE,
        "slot_minutes": store.slot_length // _MINUTE,
        "slot_capacity": store.slot_capacity,
        "slot_lines": store.slot_lines,
        "pickup_days": store.pickup_days,
        "cutoff": None if store.cutoff is None else f"{store.cutoff:%H:%M}",
        "services": words_of(store.services),
        "transit_minutes": store.transit // _MINUTE,
        "closed": _unless(lines_of(store.closed), ""),
        "walk": ", ".join(store.walk) or None,
        "bins": ", ".join(map(_bin_apart, store.bins)) or None,
    }


_STORES: Final = Shape(
    ImportKind.STORES,
    (
        Column("id", Cell.TEXT, "its code: 2 to 8 capitals and digits", required=True, names="store"),
        Column("zone", Cell.TEXT, "time zone of the IANA database", required=True),
        Column("hours", Cell.TEXT, "opening hours in OpenStreetMap's syntax", required=True),
        Column("name", Cell.TEXT, "what customers call it"),
        Column("lat", Cell.DEGREES, "where it is, north of the equator"),
        Column("lon", Cell.DEGREES, "where it is, east of Greenwich"),
        Column("country", Cell.TEXT, "two letters of ISO 3166-1; needed where hours speak of PH"),
        Column("lead_minutes", Cell.WHOLE, "from order to pick-up at the earliest; 60", names="lead"),
        Column("slot_minutes", Cell.WHOLE, "how long a slot lasts; 60", names="slot_length"),
        Column("slot_capacity", Cell.WHOLE, "orders per slot; 20"),
        Column("slot_lines", Cell.WHOLE, "order lines per slot; as many as come"),
        Column("pickup_days", Cell.WHOLE, "opening days that goods wait; 3"),
        Column("cutoff", Cell.TIME, "on its own clocks: what is ordered from then on counts as of its next day; none"),
        Column("services", Cell.SERVICES, f"among {', '.join(f'`{one.value}`' for one in Service)}; `pickup`"),
        Column("transit_minutes", Cell.WHOLE, "until what it sends arrives elsewhere; 1440", names="transit"),
        Column("closed", Cell.CLOSURES, "when it is closed as an exception: see below; never"),
        Column("walk", Cell.TEXT, "its aisles as pickers come by them, with commas between; by their names"),
        Column(
            "bins", Cell.TEXT, "where ready goods wait, with commas between: `C4/ambient/2, L1/ambient/1/locker`; none"
        ),
    ),
    _store,
    _store_apart,
    lambda store: (store.id,),
)

# --- articles ---------------------------------------------------------------------------------------------


def _article(values: Values) -> Article:
    labels = {name.removeprefix(LABEL): text for name, text in values.items() if name.startswith(LABEL)}
    unit = _one_of(Unit, values["unit"], "unit") if "unit" in values else Unit.PIECE
    more = {name: values[name] for name in ("tolerance", "needs", "brand", "aisle", "scale_item") if name in values}
    if "temperature" in values:
        more["temperature"] = _one_of(Temperature, values["temperature"], "temperature")
    if "gtins" in values:
        more["gtins"] = values["gtins"].split()
    if "allergens" in values:
        more["allergens"] = values["allergens"].split()
    if "perishable" in values:
        more["perishable"] = _is_yes(values["perishable"], "perishable")
    return Article(values["sku"], values["name"], unit, labels, **more)


def _article_apart(article: Article) -> Cells:
    labels = {f"{LABEL}{key}": text for key, text in article.metadata.items()}
    return {
        "sku": article.sku,
        "name": article.name,
        "unit": article.unit.value,
        "tolerance": None if article.tolerance == EXACT else f"{article.tolerance:f}",
        "needs": _unless(words_of(article.needs), ""),
        "temperature": _unless(article.temperature.value, Temperature.AMBIENT.value),
        "perishable": "yes" if article.perishable else None,
        "brand": article.brand or None,
        "allergens": " ".join(article.allergens) or None,
        "aisle": article.aisle or None,
        "gtins": " ".join(article.gtins) or None,
        "scale_item": article.scale_item or None,
        **labels,
    }


_ARTICLES: Final = Shape(
    ImportKind.ARTICLES,
    (
        Column("sku", Cell.TEXT, "up to 64 of A-Z a-z 0-9 . _ / -", required=True),
        Column("name", Cell.TEXT, "what customers read", required=True),
        Column("unit", Cell.TEXT, "`piece` or `gram`; `piece`"),
        Column("tolerance", Cell.TEXT, "how far the weight of a `gram` article may be off, such as `0.10`; `0`"),
        Column("needs", Cell.SERVICES, "what a store must have to promise it; nothing"),
        Column("temperature", Cell.TEXT, "`ambient`, `chilled` or `frozen`; `ambient`"),
        Column("perishable", Cell.TEXT, "`yes`: it does not wait as long as others, and is not sold again; `no`"),
        Column("brand", Cell.TEXT, "what customers may exclude from substitutes; none"),
        Column("allergens", Cell.TEXT, "words such as `milk tree-nuts`; none"),
        Column("aisle", Cell.TEXT, "where it stands, by a name that all stores know; nowhere"),
        Column("gtins", Cell.TEXT, "its barcodes of 8, 12, 13 or 14 digits, with spaces between; none"),
        Column("scale_item", Cell.TEXT, "its number on the labels of the scales; none"),
    ),
    _article,
    _article_apart,
    lambda article: (article.sku,),
    labelled=True,
)

# --- prices -----------------------------------------------------------------------------------------------


def _price(values: Values) -> Price:
    given = {name: values[name] for name in ("per", "store", "valid_from", "valid_to") if name in values}
    if "channel" in values:
        given["channel"] = _one_of(Channel, values["channel"], "channel")
    return Price(values["sku"], Money.of(values["amount"], values["currency"]), tax=values["tax"], **given)


def _price_apart(price: Price) -> Cells:
    return {
        "sku": price.sku,
        "amount": f"{price.amount.decimal:f}",
        "currency": price.amount.currency,
        "tax": f"{price.tax:f}",
        "per": price.per,
        "store": price.store,
        "channel": None if price.channel is None else price.channel.value,
        "valid_from": price.valid_from,
        "valid_to": price.valid_to,
    }


def _price_key(price: Price) -> tuple[str, ...]:
    channel = "" if price.channel is None else price.channel.value
    begins = "" if price.valid_from is None else price.valid_from.isoformat()
    return (price.sku, price.store or "", channel, begins)


_PRICES: Final = Shape(
    ImportKind.PRICES,
    (
        Column("sku", Cell.TEXT, "the article, which must be there", required=True),
        Column("amount", Cell.TEXT, "a decimal number such as `2.49`, tax included", required=True),
        Column("currency", Cell.TEXT, "three letters of ISO 4217", required=True),
        Column("tax", Cell.TEXT, "a share of the net price, such as `0.20`", required=True),
        Column("per", Cell.WHOLE, "for how many units; 1"),
        Column("store", Cell.TEXT, "only there, and it must be there; everywhere"),
        Column("channel", Cell.TEXT, f"only in {', '.join(f'`{one.value}`' for one in Channel)}; in all"),
        Column("valid_from", Cell.INSTANT, "included; since always"),
        Column("valid_to", Cell.INSTANT, "excluded; until always"),
    ),
    _price,
    _price_apart,
    _price_key,
)

# --- levels -----------------------------------------------------------------------------------------------


def _level(values: Values) -> CountedLevel:
    return CountedLevel(**values)


def _level_apart(level: Level) -> Cells:
    return {"store": level.store, "sku": level.sku, "on_hand": level.on_hand, "safety": level.safety}


_LEVELS: Final = Shape(
    ImportKind.LEVELS,
    (
        Column("store", Cell.TEXT, "which must be there", required=True),
        Column("sku", Cell.TEXT, "the article, which must be there", required=True),
        Column("on_hand", Cell.WHOLE, "how much was counted, in the article's unit", required=True),
        Column("safety", Cell.WHOLE, "how much to keep back for walk-in customers; as before"),
    ),
    _level,
    _level_apart,
    lambda level: (level.store, level.sku),
)

SHAPES: Final[Mapping[ImportKind, Shape]] = {one.kind: one for one in (_STORES, _ARTICLES, _PRICES, _LEVELS)}


def table(shape: Shape) -> str:
    """The shape's columns as Markdown, for the documentation."""
    brief = {Cell.INSTANT: "instant", Cell.CLOSURES: "closures"}
    rows = [f"| `{one.name}` | {brief.get(one.kind, one.kind.value)} | {one.says} |" for one in shape.columns]
    named = ["| column | | |", "|---|---|---|"]
    for n, one in enumerate(shape.columns):
        if one.required:
            rows[n] = rows[n].replace(f"| `{one.name}` |", f"| **`{one.name}`** |", 1)
    if shape.labelled:
        rows.append(f"| `{LABEL}KEY` | text | one of the article's own labels |")
    return "\n".join([*named, *rows])
