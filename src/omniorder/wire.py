"""JSON: how facts and snapshots are written for the database, the journal and HTTP, and read again.

There are two audiences, and they may not see the same:

- **storage** (`pack` and `unpack` for events, `dump` and `load` for everything else): without the fields
  that are marked private, which live in the process only;
- **callers** (`to_json` and `from_json`): a snapshot with `v` and `kind` on top and with what a client would
  otherwise have to compute, such as an order's stage. What a caller must see now and nobody may keep, the
  secret of a payment action, is in here. The private fields of events are in neither.

Both write instants as UTC text of fixed width (a slot's times, and a pick-up's `window`, have the store's
offset instead), times of day as HH:MM, decimals as text, durations in seconds, enums by value, money in minor
units, as in `{"amount": 249, "currency": "EUR"}`.
Since `kind` is the kind of snapshot, a snapshot's own field of that name is shown to callers as
`payment_kind` or `movement_kind`.

Reading is strict: nothing is converted, `"5"` and `true` are no numbers. Keys that nobody knows are ignored,
so that an older reader understands a newer writer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from attrs import NOTHING, Attribute, fields, frozen, has
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from omniorder.domain.accounts import Account, IssuedCard, Posting
from omniorder.domain.articles import Article, Price
from omniorder.domain.bills import Bill
from omniorder.domain.carts import Cart
from omniorder.domain.changing import OrderChange
from omniorder.domain.consents import Consent
from omniorder.domain.deliveries import Availability, ExpectedDelivery
from omniorder.domain.events import EVENTS, PRIVATE, Event, Recorded
from omniorder.domain.handoffs import Handoff, HandoffTicket
from omniorder.domain.instants import from_iso, iso
from omniorder.domain.merging import Claimed, Merged
from omniorder.domain.offers import Offer
from omniorder.domain.orders import Order
from omniorder.domain.passes import PickupPass
from omniorder.domain.payments import Payment
from omniorder.domain.pickups import Pickup
from omniorder.domain.promises import Promise, Quote
from omniorder.domain.proposals import Proposal
from omniorder.domain.questions import Question
from omniorder.domain.receipts import Receipt
from omniorder.domain.slots import Slot
from omniorder.domain.stock import Level, Movement, Reservation, Shortage
from omniorder.domain.store_services import Service
from omniorder.domain.stores import Store
from omniorder.domain.text import Metadata
from omniorder.domain.transfers import Transfer
from omniorder.domain.unreturned import OpenRefund
from omniorder.errors import InvalidInput, OmniorderError
from omniorder.reasons.tree import Reason, Remedy

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

__all__ = ["VERSION", "Wire", "dump", "from_json", "load", "pack", "register", "to_json", "unpack"]

VERSION: Final = 1
"""The version of what `to_json` writes: raised when a key goes or changes its meaning, not when one comes."""

T = TypeVar("T")

_CLOCK = re.compile(r"[0-2][0-9]:[0-5][0-9]")
_DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,10})?")
_KINDS: Final[dict[str, type[Any]]] = {}
_DERIVED: Final[dict[type[Any], tuple[str, ...]]] = {}


# --- storage ----------------------------------------------------------------------------------------------


def pack(event: Event) -> dict[str, Any]:
    """The event's fields as JSON data, without the private ones; its class name is stored beside them."""
    packed: dict[str, Any] = _STORED.unstructure(event)
    return packed


def unpack(name: str, payload: Mapping[str, Any]) -> Event:
    """The event of class `name` with these fields; private ones take their defaults.

    Raises `InvalidInput` for a name that this version does not know, and for fields that don't fit.
    """
    kind = EVENTS.get(name)
    if kind is None:
        raise InvalidInput("event", name, "must be the name of an event")
    return load(kind, payload)


def dump(value: object) -> Any:
    """`value` (a domain object, or a container of them) as JSON data, private fields left out.

    Raises `TypeError` for a pick-up pass and a handoff's ticket, which are recomputed and never stored.
    """
    return _STORED.unstructure(value)


def load(cls: type[T], data: Any) -> T:
    """What `dump` wrote. Raises `InvalidInput`, or what `cls` raises when it is made."""
    with _refusing(cls.__name__):
        return _STORED.structure(data, cls)


# --- callers ----------------------------------------------------------------------------------------------


def register(kind: type[T], *derived: str) -> type[T]:
    """Let `from_json` know an attrs class by its name, and `to_json` show these of its properties too.

    A property that is a datetime is taken to be in the store's own zone.
    """
    _KINDS[kind.__name__] = kind
    _DERIVED[kind] = derived
    return kind


def to_json(snapshot: object) -> dict[str, Any]:
    """A snapshot for a caller, as JSON data: `{"v": 1, "kind": "Order", ...}`.

    Takes any attrs class but a bare event, which is shown as part of a `Recorded`; `from_json` reads the
    registered ones. Raises `TypeError` for anything else.
    """
    if not has(type(snapshot)) or isinstance(snapshot, Event):
        raise TypeError(f"{type(snapshot).__name__} is no snapshot")
    return {"v": VERSION, "kind": type(snapshot).__name__, **_SHOWN.unstructure(snapshot)}


def from_json(data: Mapping[str, Any]) -> Any:
    """The snapshot that `to_json` wrote; what is derived is ignored and derived anew.

    Raises `InvalidInput` for another version, an unknown kind and fields that don't fit.
    """
    given = cast("object", data)
    if not isinstance(given, Mapping):
        raise InvalidInput("json", type(given).__name__, "must be an object")
    if data.get("v") != VERSION or isinstance(data.get("v"), bool):
        raise InvalidInput("v", data.get("v"), f"must be {VERSION}")
    name = data.get("kind")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise InvalidInput("kind", name, "must be the name of a snapshot")
    with _refusing(kind.__name__):
        return _SHOWN.structure(data, kind)


@contextmanager
def _refusing(name: str) -> Generator[None]:
    """Tell the many ways in which data can fail to fit as one error, without showing the data."""
    try:
        yield
    except OmniorderError:
        raise
    except KeyError as error:
        raise InvalidInput("json", name, f"lacks {error}") from None
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InvalidInput("json", name, f"does not fit ({type(error).__name__})") from error


# --- the converters ---------------------------------------------------------------------------------------


def _made_of(data: object, kind: type[T]) -> T:
    """`data`, when it is exactly of this JSON type."""
    if type(data) is not kind:
        raise TypeError(f"{type(data).__name__} instead of {kind.__name__}")
    return data


def _primitive(data: object, kind: type[T]) -> T:
    return _made_of(data, kind)


def _degrees(data: object, _: object) -> float:
    if type(data) is int:
        return float(data)
    return _made_of(data, float)


def _instant(data: object, _: object) -> datetime:
    return from_iso(_made_of(data, str))


def _store_time(value: datetime) -> str:
    return value.isoformat()


def _from_store_time(data: object, _: object) -> datetime:
    moment = datetime.fromisoformat(_made_of(data, str))
    if moment.tzinfo is None:
        raise ValueError("no offset")
    return moment


def _plain(value: Decimal) -> str:
    return f"{value:f}"


def _decimal(data: object, _: object) -> Decimal:
    text = _made_of(data, str)
    if not _DECIMAL.fullmatch(text):
        raise ValueError("no plain decimal")
    return Decimal(text)


def _seconds(value: timedelta) -> int | float:
    seconds = value.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


def _duration(data: object, _: object) -> timedelta:
    return timedelta(seconds=_degrees(data, _))


def _services(value: Iterable[Service]) -> list[str]:
    return sorted(service.value for service in value)


def _set_of_services(data: object, _: object) -> frozenset[Service]:
    return frozenset(map(Service, cast("list[object]", _made_of(data, list))))


def _clock(value: time) -> str:
    return f"{value:%H:%M}"


def _time_of_day(data: object, _: object) -> time:
    text = _made_of(data, str)
    if not _CLOCK.fullmatch(text):
        raise ValueError("no time of day")
    return time.fromisoformat(text)


def _labels(value: Metadata) -> dict[str, str]:
    return dict(value.items())


def _metadata(data: object, _: object) -> Metadata:
    labels = cast("dict[object, object]", _made_of(data, dict))
    return Metadata(tuple(sorted((_made_of(name, str), _made_of(text, str)) for name, text in labels.items())))


def _named(event: Event) -> dict[str, Any]:
    return {"name": type(event).__name__, "data": pack(event)}


def _by_name(data: Any, _: object) -> Event:
    return unpack(_made_of(data["name"], str), data["data"])


def _never_stored(secret: PickupPass | HandoffTicket) -> None:
    raise TypeError(f"a {type(secret).__name__} is never stored")


_STORE_TIME: Final = override(unstruct_hook=_store_time, struct_hook=_from_store_time)


def _overrides(kind: type[Any], private: bool) -> dict[str, Any]:
    """How fields depart from the rule: private ones stay away, a slot's times are local, `kind` is taken."""
    found: dict[str, Any] = {}
    if kind is Slot:
        found = {"starts": _STORE_TIME, "ends": _STORE_TIME}
    for attribute in fields(kind):
        if _is_hidden(attribute, kind, private):
            found[attribute.name] = override(omit=True)
        elif private and attribute.name == "kind":
            found["kind"] = override(rename=_shown_name("kind", kind))
    return found


def _is_hidden(attribute: Attribute[Any], kind: type[Any], private: bool) -> bool:
    return attribute.metadata == PRIVATE and (not private or issubclass(kind, Event))


def _shown_name(name: str, kind: type[Any]) -> str:
    return f"{kind.__name__.lower()}_kind" if name == "kind" else name


def _converter(*, private: bool) -> Converter:
    """A converter that writes one function per class when the class is first met, and keeps it."""
    converter = Converter(unstruct_collection_overrides={tuple: list}, detailed_validation=False)

    def writer(kind: type[Any]) -> Callable[[Any], dict[str, Any]]:
        own = get_origin(kind) or kind
        plain = make_dict_unstructure_fn(kind, converter, **_overrides(own, private))
        derived = _DERIVED.get(own, ()) if private else ()
        if not derived:
            return plain

        def with_derived(value: Any) -> dict[str, Any]:
            return {**plain(value), **{name: shown(getattr(value, name)) for name in derived}}

        return with_derived

    def shown(value: Any) -> Any:
        match value:
            case datetime():
                return _store_time(value)
            case (*parts,):
                return [shown(part) for part in parts]
            case _:
                return converter.unstructure(value)

    def reader(kind: type[Any]) -> Callable[[Any, Any], Any]:
        own = get_origin(kind) or kind
        return make_dict_structure_fn(kind, converter, **_overrides(own, private))

    converter.register_unstructure_hook_factory(has, writer)
    converter.register_structure_hook_factory(has, reader)
    for primitive in (int, str, bool):
        converter.register_structure_hook(primitive, _primitive)
    converter.register_structure_hook(float, _degrees)
    converter.register_unstructure_hook(datetime, iso)
    converter.register_structure_hook(datetime, _instant)
    converter.register_unstructure_hook(Decimal, _plain)
    converter.register_structure_hook(Decimal, _decimal)
    converter.register_unstructure_hook(timedelta, _seconds)
    converter.register_structure_hook(timedelta, _duration)
    converter.register_unstructure_hook_func(lambda kind: kind == frozenset[Service], _services)
    converter.register_structure_hook_func(lambda kind: kind == frozenset[Service], _set_of_services)
    converter.register_unstructure_hook(time, _clock)
    converter.register_structure_hook(time, _time_of_day)
    converter.register_unstructure_hook(Metadata, _labels)
    converter.register_structure_hook(Metadata, _metadata)
    # what a generic class holds, such as the items of a page, is known by what it is when it is met
    converter.register_unstructure_hook_func(lambda kind: isinstance(kind, TypeVar), converter.unstructure)
    converter.register_unstructure_hook_func(lambda kind: kind is Event, _named)
    converter.register_structure_hook_func(lambda kind: kind is Event, _by_name)
    if not private:
        converter.register_unstructure_hook(PickupPass, _never_stored)
        converter.register_unstructure_hook(HandoffTicket, _never_stored)
        converter.register_unstructure_hook(IssuedCard, _never_stored)
    return converter


_STORED: Final = _converter(private=False)
_SHOWN: Final = _converter(private=True)

register(Order, "store", "stage", "funding", "taxes", "due_in_store", "fees", "credited", "owed")
register(Slot, "free", "free_lines")
register(Level, "available", "shortage")
register(Account, "available")
register(PickupPass, "qr")
register(HandoffTicket, "qr")
register(Offer, "full", "coverage")
register(Promise, "window")
register(Receipt, "balance")
register(Pickup, "window")
register(Reason, "remedies")
register(Question, "why")
register(OrderChange, "window")
register(Proposal, "id")
_PLAIN: Final[tuple[type[Any], ...]] = (
    *(Cart, Consent, Merged, Claimed, Handoff, Quote, Payment, Bill),
    *(Store, Article, Price, Movement, Reservation, Transfer, Recorded, Remedy),
    *(ExpectedDelivery, Availability, Shortage, Posting, IssuedCard, OpenRefund),
)
for _kind in _PLAIN:
    register(_kind)


# --- pydantic ---------------------------------------------------------------------------------------------


@frozen
class Wire:
    """Lets pydantic and FastAPI use a snapshot as they use their own models: `Annotated[Order, Wire()]`.

    It is written by `to_json` and read by `from_json`; a union such as `Annotated[Cart | Order, Wire()]` goes
    by `kind`. In Python mode (`model_dump()`) the snapshot stays what it is. As the body of a FastAPI request say
    so, `Annotated[Cart, Wire(), Body()]`, or it is looked for in the query.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
        from pydantic_core import PydanticCustomError

        members = get_args(source) if get_origin(source) in (Union, UnionType) else (source,)
        kinds = tuple(get_origin(member) or member for member in members)
        names = " or ".join(kind.__name__ for kind in kinds)

        def read(value: Any) -> Any:
            try:
                snapshot = from_json(cast(Any, value)) if isinstance(value, Mapping) else value
            except OmniorderError as error:
                raise PydanticCustomError("omniorder", "{problem}", {"problem": str(error)}) from error
            if not isinstance(snapshot, kinds):
                raise PydanticCustomError("omniorder", "must be: {names}", {"names": names})
            return snapshot

        as_snapshot = Annotated[
            object,
            PlainValidator(read),
            PlainSerializer(to_json, when_used="json"),
            WithJsonSchema(_any_of([_top_schema(member, written=False) for member in members]), "validation"),
            WithJsonSchema(_any_of([_top_schema(member, written=True) for member in members]), "serialization"),
        ]
        return handler.generate_schema(as_snapshot)


_JSON_TYPES: Final[Mapping[Any, Mapping[str, Any]]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
    timedelta: {"type": "number", "description": "seconds"},
    time: {"type": "string", "pattern": f"^{_CLOCK.pattern}$"},
    Decimal: {"type": "string", "pattern": f"^{_DECIMAL.pattern}$"},
    Metadata: {"type": "object", "additionalProperties": {"type": "string"}},
    Event: {
        "type": "object",
        "properties": {"name": {"enum": sorted(EVENTS)}, "data": {"type": "object"}},
        "required": ["name", "data"],
    },
}


def _any_of(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _top_schema(kind: Any, *, written: bool) -> dict[str, Any]:
    """The JSON schema of what `to_json` makes (`written`), or of what `from_json` needs at the least."""
    inner = _schema(kind, {}, written)
    name = inner["title"]
    head = {"v": {"const": VERSION}, "kind": {"const": name}}
    return {**inner, "properties": head | inner["properties"], "required": ["v", "kind", *inner["required"]]}


def _schema(kind: Any, bound: Mapping[Any, Any], written: bool) -> dict[str, Any]:
    """The JSON schema of a field's type; `bound` are the arguments of the generic class around it."""
    kind = bound.get(kind, kind)
    origin: Any = get_origin(kind)
    parts: tuple[Any, ...] = get_args(kind)
    if kind in _JSON_TYPES:
        return dict(_JSON_TYPES[kind])
    if origin in (Union, UnionType):
        return _any_of([_schema(part, bound, written) for part in parts])
    if origin is tuple and Ellipsis not in parts:
        items = [_schema(part, bound, written) for part in parts]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if origin in (tuple, list, Sequence, frozenset):
        return {"type": "array", "items": _schema(parts[0], bound, written)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _schema(parts[1], bound, written)}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [member.value for member in kind]}
    bare = cast(Any, origin or kind)
    if has(bare):
        arguments = zip(getattr(origin, "__parameters__", ()), parts, strict=True)
        return _attrs_schema(bare, dict(arguments), written)
    return {}  # anything: a type that only the caller knows


def _attrs_schema(kind: type[Any], bound: Mapping[Any, Any], written: bool) -> dict[str, Any]:
    types = get_type_hints(kind)
    bound = {**bound, kind: dict[str, Any]}  # inside of itself, as in a tree, a class is just some object
    shown = [one for one in fields(kind) if not _is_hidden(one, kind, private=True)]
    properties = {_shown_name(one.name, kind): _schema(types[one.name], bound, written) for one in shown}
    required = [_shown_name(one.name, kind) for one in shown if written or one.default is NOTHING]
    if written:
        for name in _DERIVED.get(kind, ()):
            answer = get_type_hints(getattr(kind, name).fget)["return"]
            properties[name] = {**_schema(answer, bound, written), "readOnly": True}
            required.append(name)
    return {"type": "object", "title": kind.__name__, "properties": properties, "required": required}
