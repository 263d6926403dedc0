"""Whatever a customer changes, and whatever else happens in between: everything holds after each step, and in the end
exactly what left is paid."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from omniorder import (
    Add,
    Card,
    Change,
    Order,
    OrderEdit,
    OrderState,
    PaidBy,
    PayInStore,
    Pick,
    PickupState,
    Remove,
    Settings,
    Taken,
    Tender,
)
from omniorder.errors import NotCovered, OmniorderError, PaymentDeclined
from omniorder.testing.clock import FakeClock
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests import emptied
from tests.emptied import Fresh
from tests.services.steps import filled

Draw = Callable[..., Any]
"""Draws a value of a strategy."""

CARDS = ("visa", "mastercard", "instant", "3ds", "declined", "timeout", "timeout_after", "increase_declined")
GOOD = ("visa", "visa", "instant", "timeout_after", "increase_declined", "increase_timeout_after")
SKUS = (Shop.MILK, Shop.BREAD, Shop.APPLES, Shop.CHEESE)
WISHES = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 4), min_size=1, max_size=3)
STEPS = (*["change"] * 10, "cancel", "wait", "pick", "ready", "reject")


@pytest.fixture
def memory() -> Fresh:
    return lambda: "memory://"


@pytest.fixture
def sqlite(tmp_path: Path) -> Fresh:
    return emptied.sqlite_file(tmp_path)


@pytest.fixture(scope="module")
def postgres(postgres_server: str) -> Iterator[Fresh]:
    with emptied.postgres_database(postgres_server) as fresh:
        yield fresh


def tenders(draw: Draw, tokens: Sequence[str] = CARDS) -> Tender:
    token = draw(st.sampled_from((*tokens, "")))
    return Card(f"pm_card_{token}") if token else PayInStore()


def edits(draw: Draw, order: Order) -> list[OrderEdit]:
    """Some of the order's lines changed or removed, and others added."""
    found: list[OrderEdit] = []
    for line in order.every_line:
        match draw(st.sampled_from(("keep", "keep", "keep", "change", "remove"))):
            case "change":
                found.append(Change(line.id, draw(st.integers(1, 5))))
            case "remove":
                found.append(Remove(line.id))
            case _:
                pass
    return found + [Add(sku, units) for sku, units in draw(st.dictionaries(st.sampled_from(SKUS), st.integers(1, 6),
                                                                           max_size=2)).items()]  # fmt: skip


def change(draw: Draw, shop: Shop, order: Order) -> None:
    store = draw(st.sampled_from((None, None, Shop.SOFIA, Shop.SOFIA, Shop.VARNA)))
    slots = shop.app.orders.slots(order.id, store=store) if store else ()
    slot = draw(st.sampled_from(slots)).id if slots else None
    pay = tenders(draw) if draw(st.booleans()) else None
    wanted = edits(draw, order)
    seen = shop.app.orders.quote_change(order.id, slot=slot, edits=wanted)
    try:
        after = shop.app.orders.change(order.id, slot=slot, edits=wanted, expect=seen.quote.total, pay=pay)
    except PaymentDeclined as declined:
        after = declined.order
    except NotCovered:
        assert (seen.paid_by, pay) == (PaidBy.TENDER, None)
        return
    except OmniorderError as refused:
        raise AssertionError("a change that was quoted was refused") from refused
    assert after.wanted_value == seen.quote.total
    event("changed")


def step(draw: Draw, shop: Shop, order: Order) -> None:
    """One thing that happens to an order; what is refused must have changed nothing, which the invariants say."""
    desk = {Shop.SOFIA: shop.store, Shop.VARNA: shop.elsewhere}.get(order.pickup.store)
    match draw(st.sampled_from(STEPS)):
        case "change":
            change(draw, shop, order)
        case "cancel":
            shop.app.orders.cancel(order.id)
        case "wait":
            shop.advance(minutes=draw(st.sampled_from((1, 11, 45, 600))))
        case "pick" if desk and order.pickup.rest():
            desk.pickups.pick(order.id, [Pick(order.pickup.rest()[0].line, 1)])
        case "ready" if desk:
            make_ready(desk, order)
        case "reject" if desk and order.pickup.rest():
            desk.pickups.reject(order.id, [Pick(order.pickup.rest()[0].line, 1)], reason="not_found")
        case _:
            pass


def make_ready(desk: Any, order: Order) -> None:
    to_pick = [Pick(line.line, line.to_pick[0]) for line in order.pickup.lines if line.to_pick[0]]
    if to_pick:
        desk.pickups.pick(order.id, to_pick)
    desk.pickups.ready(order.id)


def collect(shop: Shop, order_id: str) -> None:
    """Whatever it has become, it is picked and collected, and paid."""
    order = shop.app.orders.get(order_id)
    if order.pickup.question is not None:
        order = shop.app.orders.answer(order_id, order.pickup.question.options[0].id)
    desk = {Shop.SOFIA: shop.store, Shop.VARNA: shop.elsewhere}.get(order.pickup.store)
    if desk is None or order.state is not OrderState.CONFIRMED:
        return
    if order.pickup.state is not PickupState.READY:
        make_ready(desk, order)
    order = shop.app.orders.get(order_id)
    due = order.due_in_store
    code = shop.app.orders.pickup_pass(order_id).code
    desk.pickups.hand_over(order_id, code=code, taken=Taken(due) if due.amount else None)


def check(shop: Shop) -> None:
    check_all(shop.hub, gateways={"card": shop.gateway})


def walk(draw: Draw, url: str) -> None:
    clock = FakeClock()
    raises, counter = draw(st.booleans()), draw(st.booleans())
    card = FakeGateway(clock=clock, incremental=raises, several_captures=draw(st.booleans()))
    chosen = Settings(falls_back_to_counter=counter)
    with Shop.example(url, clock=clock, gateway=card, settings=chosen, migrate=url == "memory://") as shop:
        order_id = ""
        with suppress(OmniorderError):
            cart = filled(shop, draw(WISHES))
            slot = next(one for one in shop.app.checkout.offers(cart.id) if one.store.id == Shop.SOFIA).slots[2]
            promise = shop.app.checkout.promise(cart.id, slot=slot.id)
            order_id = shop.app.checkout.place(promise.id, pay=tenders(draw, GOOD)).id
        for _ in range(draw(st.integers(1, 8)) if order_id else 0):
            with suppress(OmniorderError):
                step(draw, shop, shop.app.orders.get(order_id))
            check(shop)
        if order_id:
            with suppress(OmniorderError):
                collect(shop, order_id)
            check(shop)
            order = shop.app.orders.get(order_id)
            if order.state is OrderState.COMPLETED:
                shop.advance(minutes=5)
                order = shop.app.orders.get(order_id)
                assert order.kept == order.collected_value
                event("collected")


def walks(fresh: Fresh) -> Callable[[], None]:
    @given(st.data())
    def live(data: st.DataObject) -> None:
        walk(data.draw, fresh())

    return live


def test_everything_holds_in_memory(memory: Fresh) -> None:
    settings(max_examples=40)(walks(memory))()


@pytest.mark.parametrize("storage", ["sqlite", "postgres"])
def test_everything_holds_on_databases(storage: str, request: pytest.FixtureRequest) -> None:
    settings(max_examples=5)(walks(request.getfixturevalue(storage)))()
