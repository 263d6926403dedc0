"""What is written can be read again, says what a client needs, and hides what nobody may keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve, fields, frozen
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from omniorder import wire
from omniorder.domain import events as e
from omniorder.domain.accounts import IssuedCard
from omniorder.domain.answers import NeedsAction
from omniorder.domain.articles import Price
from omniorder.domain.bills import bill
from omniorder.domain.carts import Cart
from omniorder.domain.channels import Channel
from omniorder.domain.counter import Wish
from omniorder.domain.deliveries import Availability, availability
from omniorder.domain.events import EVENTS, PRIVATE, Recorded
from omniorder.domain.handoffs import HandoffTicket, Scope
from omniorder.domain.merging import Claimed, Merged, merge
from omniorder.domain.money import Money
from omniorder.domain.offers import Available, Offer, WithTransfer
from omniorder.domain.orders import Order
from omniorder.domain.passes import PickupPass
from omniorder.domain.payments import Action, Payment
from omniorder.domain.slots import Slot, slots
from omniorder.domain.sourcing import Leg, Sourcing
from omniorder.domain.stock import Endangered, Level, Shortage
from omniorder.domain.stores import Point, Store
from omniorder.domain.text import Metadata, metadata
from omniorder.domain.unreturned import OpenRefund, RefundState
from omniorder.errors import InvalidInput, InvalidInstant, InvalidMoney
from omniorder.reasons.tree import Reason
from omniorder.testing import samples, strategies
from omniorder.testing.contracts.storage.accounts import account, credit, posting
from omniorder.testing.shop import Shop
from omniorder.wire import Wire
from tests.services.steps import handed_over, ready

T = TypeVar("T")


@frozen
class Pair(Generic[T]):
    """A generic class, as a page of results is."""

    both: tuple[T, T]
    label: str | None = None


AT = datetime(2026, 11, 22, 8, 41, 34, tzinfo=UTC)


@st.composite
def merges(draw: st.DrawFn) -> Merged:
    """Two carts that became one."""
    into, other = draw(strategies.carts(filled=True)), draw(strategies.carts(filled=True))
    return merge(into, [other], at=AT, most=500)[0]


def claims() -> st.SearchStrategy[Claimed]:
    """What became a customer's, with a cart of theirs or without."""
    several = st.sampled_from([(), ("SOF01-7K3F9Q", "VAR01-000000")])
    whole = st.builds(lambda merged, orders: Claimed(merged.cart, merged.lines, orders, ()), merges(), several)
    return st.one_of(whole, st.builds(Claimed, st.none(), orders=several))


def availabilities() -> st.SearchStrategy[Availability]:
    """Levels with what is on its way to them."""
    coming = st.lists(strategies.expected_deliveries(), max_size=3)
    return st.builds(availability, strategies.levels(), coming, strategies.instants())


def shortages() -> st.SearchStrategy[Shortage]:
    """Levels with orders that hold their units."""
    orders = st.builds(
        Endangered, st.sampled_from(["SOF01-7K3F9Q", "VAR01-000000"]), st.integers(1), strategies.instants()
    )
    return st.builds(Shortage, strategies.levels(), st.lists(orders, max_size=2).map(tuple))


def open_refunds() -> st.SearchStrategy[OpenRefund]:
    """Money that has not arrived."""
    at, money = strategies.instants(), strategies.money()
    return st.builds(
        OpenRefund, st.just("SOF01-7K3F9Q"), st.just("pay_SOF01_7K3F9Q_1"), st.just("card"), money,
        st.sampled_from(RefundState), at, st.integers(0, 9), at, st.sampled_from(["", "declined"]),
    )  # fmt: skip


SNAPSHOTS: dict[str, st.SearchStrategy[Any]] = {
    "accounts": st.sampled_from([account(), credit()]),
    "articles": strategies.articles(),
    "carts": strategies.carts(),
    "availabilities": availabilities(),
    "claims": claims(),
    "expected": strategies.expected_deliveries(),
    "levels": strategies.levels(),
    "merges": merges(),
    "movements": strategies.movements(),
    "open refunds": open_refunds(),
    "orders": strategies.orders(),
    "payments": strategies.payments(),
    "pickups": strategies.pickups(),
    "postings": st.sampled_from([posting(), posting(2, debit=True)]),
    "prices": strategies.prices(),
    "promises": strategies.promises(),
    "quotes": strategies.quotes(),
    "reservations": strategies.reservations(),
    "shortages": shortages(),
    "stores": strategies.stores(),
}
VALUES: dict[str, st.SearchStrategy[Any]] = SNAPSHOTS | {
    "instants": strategies.instants(),
    "metadata": strategies.metadata(),
    "money": strategies.money(),
    "points": strategies.points(),
    "stamps": strategies.stamps(),
}


def through_json(data: Any) -> Any:
    """As text and back: what a database or a client makes of it."""
    return json.loads(json.dumps(data, allow_nan=False))


def without_private(event: e.Event) -> e.Event:
    hidden = {one.name: one.default for one in fields(type(event)) if one.metadata == PRIVATE}
    return evolve(event, **hidden)


# --- storage ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VALUES)
@given(data=st.data())
def test_what_is_stored_is_read_again(name: str, data: st.DataObject) -> None:
    value = data.draw(VALUES[name])
    assert wire.load(type(value), through_json(wire.dump(value))) == value


@given(strategies.slots())
def test_a_slot_is_read_again_as_the_same_instants(slot: Slot) -> None:
    """Compared in UTC: Python finds times unequal across zones in the hour that clocks repeat."""
    again = wire.load(Slot, through_json(wire.dump(slot)))
    for found, written in ((again.starts, slot.starts), (again.ends, slot.ends)):
        assert found.astimezone(UTC) == written.astimezone(UTC)
        assert found.utcoffset() == written.utcoffset()
    assert evolve(again, starts=slot.starts, ends=slot.ends) == slot


@given(strategies.events())
def test_an_event_is_read_again_without_what_is_private(event: e.Event) -> None:
    packed = through_json(wire.pack(event))
    assert wire.unpack(type(event).__name__, packed) == without_private(event)


@given(strategies.recorded())
def test_a_journal_entry_names_its_event(entry: Recorded) -> None:
    assert wire.dump(entry)["event"]["name"] == entry.name
    assert wire.load(Recorded, through_json(wire.dump(entry))) == evolve(entry, event=without_private(entry.event))


@pytest.mark.parametrize("name", sorted(name for name, kind in EVENTS.items() if not kind.__subclasses__()))
def test_every_kind_of_event_can_be_stored(name: str) -> None:
    """None has a field of a type that the wire does not know: nonsense in each is refused as nonsense."""
    kept = [one.name for one in fields(EVENTS[name]) if one.metadata != PRIVATE]
    if kept:
        with pytest.raises(InvalidInput):
            wire.unpack(name, dict.fromkeys(kept, object()))
    else:
        assert wire.unpack(name, {}) == EVENTS[name]()


def test_private_fields_are_not_in_the_journal() -> None:
    tendered = e.TenderAdded("pay_A_1_1", "card", Money(1, "EUR"), token="pm_card_visa")
    noted = e.LineNoted("ln_1", note="for Anna's birthday")
    assert wire.pack(tendered) == {
        "payment": "pay_A_1_1",
        "kind": "card",
        "amount": {"amount": 1, "currency": "EUR"},
        "method": "",
        "now": False,
        "replaces": "",
    }
    assert wire.pack(noted) == {"line": "ln_1"}


def test_the_secret_of_an_action_is_shown_and_never_stored() -> None:
    asked = samples.heard(samples.paying(samples.order()), NeedsAction(Action("s3cret"), "pi_1"))
    shown = evolve(asked.payments[0], action=Action("s3cret", "https://bank.example"))
    order = evolve(asked, payments=(shown,))
    assert "s3cret" not in json.dumps(wire.dump(order))
    assert wire.to_json(order)["payments"][0]["action"] == {
        "client_secret": "s3cret",
        "redirect_url": "https://bank.example",
        "instructions": "",
    }
    assert wire.from_json(wire.to_json(order)).payments[0].action == shown.action


def test_the_code_of_a_gift_card_is_shown_and_never_stored() -> None:
    card = IssuedCard(account().id, "7K3F-9QXB-0000-325A", account())
    assert wire.from_json(through_json(wire.to_json(card))) == card
    with pytest.raises(TypeError):
        wire.dump(card)


def test_a_pass_is_never_stored() -> None:
    with pytest.raises(TypeError):
        wire.dump(PickupPass("SOF01-7K3F9Q", "1234567", "TOKEN", None))


def test_the_forms_are_as_written_down() -> None:
    price = Price(
        "OAT-MILK-1L", Money(249, "EUR"), tax=Decimal("0.20"), channel=Channel.APP,
        valid_from=AT.astimezone(ZoneInfo("Europe/Sofia")),
    )  # fmt: skip
    assert wire.dump(price) == {
        "sku": "OAT-MILK-1L",
        "amount": {"amount": 249, "currency": "EUR"},
        "tax": "0.20",
        "per": 1,
        "store": None,
        "channel": "app",
        "valid_from": "2026-11-22T08:41:34.000000Z",
        "valid_to": None,
    }
    assert wire.dump(timedelta(hours=1)) == 3600
    assert wire.dump(timedelta(milliseconds=1)) == 0.001
    assert wire.dump(metadata({"b": "2", "a": "1"})) == {"a": "1", "b": "2"}
    assert wire.dump(e.UnitsConsumed((("a", 1), ("b", 2)))) == {"units": [["a", 1], ["b", 2]]}


def test_containers_are_written_and_read_too() -> None:
    units = (e.Units("ln_1", 2), e.Units("ln_2", 1))
    assert wire.load(tuple[e.Units, ...], through_json(wire.dump(units))) == units
    assert wire.dump({"at": AT, "none": None}) == {"at": "2026-11-22T08:41:34.000000Z", "none": None}


# --- reading what is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "Nope", "Event", "Recorded", "__class__", "Stamp"])
def test_an_unknown_event_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        wire.unpack(name, {})


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"line": "ln_1"},
        {"line": "ln_1", "quantity": None},
        {"line": "ln_1", "quantity": "5"},
        {"line": "ln_1", "quantity": True},
        {"line": "ln_1", "quantity": 1.0},
        {"line": 5, "quantity": 1},
        [],
        None,
        "LinePicked",
    ],
)
def test_nothing_is_converted(payload: Any) -> None:
    with pytest.raises(InvalidInput):
        wire.unpack("LinePicked", payload)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (datetime, "2026-11-22T08:41:34Z"),
        (datetime, "2026-11-22T08:41:34.000000+02:00"),
        (datetime, 1795337000),
        (Decimal, 0.2),
        (Decimal, "NaN"),
        (Decimal, "1e5"),
        (Decimal, "٢"),
        (timedelta, "3600"),
        (timedelta, float("nan")),
        (timedelta, float("inf")),
        (timedelta, 10**20),
        (timedelta, True),
        (Point, {"lat": "42", "lon": 23}),
        (Metadata, {"a": 1}),
        (Metadata, [["a", "b"]]),
        (Channel, "fax"),
        (Channel, None),
        (Money, {"amount": "249", "currency": "EUR"}),
        (tuple[int, ...], 5),
        (tuple[tuple[str, int], ...], [["a"]]),
    ],
)
def test_another_form_is_refused(kind: type[Any], data: Any) -> None:
    with pytest.raises((InvalidInput, InvalidInstant)):
        wire.load(kind, data)


def test_what_its_class_refuses_is_refused_with_its_own_error() -> None:
    with pytest.raises(InvalidMoney):
        wire.load(Money, {"amount": 249, "currency": "XXX"})


def test_a_refusal_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(InvalidInput) as refusal:
        wire.load(Cart, {"owner": "customer:anna", "lines": "for Anna's birthday"})
    assert "nna" not in json.dumps(refusal.value.problem())


def test_keys_of_a_newer_version_are_ignored() -> None:
    assert wire.unpack("LinePicked", {"line": "a", "quantity": 1, "weight": 5}) == e.LinePicked("a", 1)


# --- callers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SNAPSHOTS)
@given(data=st.data())
def test_what_is_shown_is_read_again(name: str, data: st.DataObject) -> None:
    snapshot = data.draw(SNAPSHOTS[name])
    shown = through_json(wire.to_json(snapshot))
    assert (shown["v"], shown["kind"]) == (1, type(snapshot).__name__)
    assert wire.from_json(shown) == snapshot


@given(strategies.orders())
def test_an_order_says_what_a_client_would_have_to_compute(order: Order) -> None:
    shown = wire.to_json(order)
    assert shown["stage"] == order.stage.value
    assert shown["funding"] == order.funding.value
    assert shown["store"] == order.id.rpartition("-")[0]
    assert shown["due_in_store"] == wire.dump(order.due_in_store)
    assert shown["taxes"] == wire.dump(order.taxes)


def test_a_kind_of_its_own_is_shown_beside_the_kind_of_snapshot() -> None:
    payment, movement = samples.authorised(samples.order()).payments[0], samples.movement()
    assert wire.to_json(payment)["payment_kind"] == "card"
    assert wire.to_json(movement)["movement_kind"] == "receive"
    assert wire.dump(payment)["kind"] == "card"


def test_private_fields_of_events_are_not_shown_either() -> None:
    tendered = e.TenderAdded("pay_A_1_1", "card", Money(1, "EUR"), token="pm_card_visa")
    entry = Recorded("SOF01", "SOF01-7K3F9Q", 1, samples.stamp(), tendered)
    for shown in (wire.to_json(entry), wire.to_json(Pair((entry, entry))), wire.to_json(Pair((tendered, tendered)))):
        assert "pm_card_visa" not in json.dumps(shown)


def test_windows_are_shown_in_the_store_s_own_zone() -> None:
    promise = evolve(samples.promise(), zone="Europe/Sofia")
    shown = wire.to_json(promise)
    assert (shown["starts"], shown["window"][0]) == ("2026-11-23T10:00:00.000000Z", "2026-11-23T12:00:00+02:00")


def test_a_pass_is_shown_with_its_qr_code() -> None:
    shown = wire.to_json(PickupPass("SOF01-7K3F9Q", "1234567", "TOKEN", AT))
    assert (shown["code"], shown["qr"]) == ("1234567", "OMNI:SOF01-7K3F9Q:TOKEN")


def test_a_handoffs_ticket_is_shown_with_its_qr_code_and_never_stored() -> None:
    ticket = HandoffTicket("hnd_7K3F9Q", "crt_1", (Scope.EDIT, Scope.PAY), AT, "hnd_7K3F9Q_TOKEN", "7K3 F9Q 123 456")
    shown = through_json(wire.to_json(ticket))
    told = (shown["token"], shown["qr"], shown["code"], shown["scopes"])
    assert told == (ticket.token, ticket.token, ticket.code, ["edit", "pay"])
    with pytest.raises(TypeError):
        wire.dump(ticket)


def test_an_offer_is_shown_with_its_reasons_and_read_again() -> None:
    store = samples.stores()[0]
    short = Reason("stock.short", {"short": [{"sku": "A", "wanted": 2, "available": 1}]})
    offer = Offer(store, 1.5, samples.promise().quote, (), (short,))
    shown = through_json(wire.to_json(offer))
    assert shown["full"] is False
    assert wire.from_json(shown) == offer


def test_a_tree_of_reasons_has_a_schema_in_which_what_is_below_it_is_some_object() -> None:
    schema = TypeAdapter(Annotated[Offer, Wire()]).json_schema(mode="serialization")
    reason = schema["properties"]["reasons"]["items"]
    assert reason["properties"]["because"]["items"]["type"] == "object"
    assert reason["properties"]["remedies"]["readOnly"] is True


def test_an_offer_is_shown_with_what_is_there_and_what_others_would_send() -> None:
    store, quote = samples.stores()[0], samples.promise().quote
    (slot,) = slots(store, now=samples.NOW, until=samples.NOW + timedelta(days=3), limit=1)
    legs = (Leg(store.id, (("A", 1),), timedelta(0)), Leg("DC", (("A", 1),), timedelta(hours=4)))
    sent = WithTransfer(Sourcing(store.id, legs, ()), (slot,))
    offer = Offer(store, 1.5, quote, (slot,), (Reason("stock.short"),), (Available("A", 2, 1),), sent)
    shown = through_json(wire.to_json(offer))
    assert shown["coverage"] == 0.5
    assert shown["with_transfer"]["sourcing"]["legs"][1] == {"store": "DC", "units": [["A", 1]], "transit": 14400}
    assert wire.from_json(shown) == offer


def test_a_receipt_is_shown_with_the_order_s_stage() -> None:
    with Shop.example() as shop:
        receipt = handed_over(shop, ready(shop))
    shown = wire.to_json(receipt)
    assert (shown["order"]["stage"], shown["proof"]) == ("collected", "code")
    assert (shown["balance"], shown["lines"][0]["unit"]) == ({"amount": 0, "currency": "EUR"}, "piece")
    assert wire.from_json(through_json(shown)) == receipt


def test_a_bill_is_shown_as_it_is() -> None:
    order = samples.every_order()["ready"]
    found = bill(order, Wish(), {}, AT)
    assert wire.from_json(through_json(wire.to_json(found))) == found


def test_a_merge_is_shown_with_the_reason_for_each_line() -> None:
    mine, other = samples.cart(1), samples.cart(2, wishes={samples.BREAD: 3})
    merged = merge(mine, [other], at=AT, most=500)[0]
    milk, *_, bread = wire.to_json(merged)["lines"]
    assert (milk["rule"], milk["here"], milk["there"], milk["sources"]) == ("kept", 2, 0, [mine.id])
    assert (bread["rule"], bread["line"]["note"], bread["sources"]) == ("added", "ripe, please", [other.id])


@pytest.mark.parametrize("value", [None, 5, "x", {}, [], e.CartAbandoned(), Cart])
def test_what_is_no_snapshot_is_not_shown_as_one(value: Any) -> None:
    with pytest.raises(TypeError):
        wire.to_json(value)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"v": "1"},
        {"kind": "Nope"},
        {"kind": "Money"},
        {"kind": None},
        {"kind": ["Level"]},
        {"on_hand": "5"},
    ],
)
def test_another_version_kind_or_form_is_refused(change: dict[str, Any]) -> None:
    shown = wire.to_json(Level("SOF01", "A", 5)) | change
    with pytest.raises(InvalidInput):
        wire.from_json(shown)


@pytest.mark.parametrize("data", [None, [], "{}", 5])
def test_what_is_no_object_is_refused(data: Any) -> None:
    with pytest.raises(InvalidInput):
        wire.from_json(data)


def test_what_a_client_sends_as_derived_is_not_believed() -> None:
    shown = wire.to_json(samples.order()) | {"stage": "collected", "store": "VAR01"}
    assert wire.from_json(shown) == samples.order()


# --- pydantic ---------------------------------------------------------------------------------------------


class Basket(BaseModel):
    cart: Annotated[Cart, Wire()]
    slots: list[Annotated[Slot, Wire()]] = []
    subject: Annotated[Cart | Order, Wire()] | None = None


def schema_of(kind: Any, mode: Literal["validation", "serialization"]) -> dict[str, Any]:
    """As pydantic tells it, for a type that is known only here."""
    annotated: Any = Annotated
    adapter: TypeAdapter[Any] = TypeAdapter(annotated[kind, Wire()])
    return adapter.json_schema(mode=mode)


def fits(data: Any, schema: Mapping[str, Any]) -> bool:
    """Whether data fits a JSON schema, as far as ours go; an object must have exactly the keys of its schema."""
    types: dict[str, tuple[type, ...]] = {
        "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "null": (type(None),),
        "object": (dict,),
    }  # fmt: skip
    if "anyOf" in schema:
        return any(fits(data, one) for one in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return data in schema.get("enum", [schema.get("const")])
    match schema, data:
        case {"prefixItems": parts}, list():
            return all(fits(one, part) for one, part in zip(data, parts, strict=True))
        case {"items": kind}, list():
            return all(fits(one, kind) for one in data)
        case {"properties": known}, dict():
            return set(data) == set(known) and all(fits(data[name], known[name]) for name in known)
        case {"type": name}, _:
            return isinstance(data, types.get(name, ()))
        case _:
            return not schema


class TestPydantic:
    def test_a_model_is_written_and_read(self) -> None:
        basket = Basket(cart=samples.cart(), subject=samples.order())
        assert Basket.model_validate_json(basket.model_dump_json()) == basket

    def test_in_python_a_snapshot_stays_one(self) -> None:
        assert Basket(cart=samples.cart()).model_dump()["cart"] == samples.cart()

    @pytest.mark.parametrize("value", [None, 5, {}, {"v": 1, "kind": "Cart"}, samples.order(), "cart"])
    def test_anything_else_is_a_validation_error(self, value: Any) -> None:
        with pytest.raises(ValidationError):
            Basket(cart=value)

    def test_a_snapshot_of_another_kind_is_a_validation_error(self) -> None:
        with pytest.raises(ValidationError, match="Cart"):
            Basket.model_validate({"cart": wire.to_json(samples.order())})

    @pytest.mark.parametrize("kind", [Order, Payment, Store, Offer, Recorded, Price, PickupPass])
    def test_a_schema_names_every_key_that_is_written(self, kind: type[Any]) -> None:
        schema = schema_of(kind, "serialization")
        assert set(schema["required"]) == set(schema["properties"])
        assert schema["properties"]["kind"] == {"const": kind.__name__}

    @pytest.mark.parametrize("name", ["orders", "carts", "promises", "reservations", "stores", "movements", "accounts"])
    @given(data=st.data())
    def test_what_is_written_fits_its_schema(self, name: str, data: st.DataObject) -> None:
        snapshot = data.draw(SNAPSHOTS[name])
        assert fits(through_json(wire.to_json(snapshot)), schema_of(type(snapshot), "serialization"))

    def test_a_generic_class_has_the_schema_of_what_it_holds(self) -> None:
        pair = Pair((samples.cart(1), samples.cart(2)))
        adapter = TypeAdapter(Annotated[Pair[Cart], Wire()])
        shown = json.loads(adapter.dump_json(adapter.validate_python(pair)))
        assert fits(shown, adapter.json_schema(mode="serialization"))
        assert [one["id"] for one in shown["both"]] == [samples.cart(1).id, samples.cart(2).id]

    def test_what_is_read_needs_nothing_derived(self) -> None:
        schema = schema_of(Order, "validation")
        assert "stage" not in schema["properties"]
        assert "language" not in schema["required"]

    def test_a_schema_of_a_union_offers_each(self) -> None:
        schema = schema_of(Cart | Order, "serialization")
        assert [one["title"] for one in schema["anyOf"]] == ["Cart", "Order"]
