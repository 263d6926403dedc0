"""Click and collect over HTTP, with FastAPI: a web shop, the desk in the store, and the provider's webhook.

    uvicorn --app-dir examples fastapi_shop:app           # then open http://127.0.0.1:8000/docs

The chain is read from the CSV files in `grocery/`, the card provider is a fake that forgets everything when it is
stopped, and the database is the SQLite file shop.db in the folder that you are in, unless DATABASE_URL names one.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Annotated, Any, Literal

from chain import stock_the_shelves
from fastapi import Depends, FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import CheckConstraint, Column, Engine, Integer, MetaData, String, Table, create_engine, delete, insert

from omniorder import (
    Add,
    Associate,
    Card,
    Cart,
    Channel,
    Claimed,
    Customer,
    CustomerTouchpoint,
    Guest,
    Handoff,
    HandoffTicket,
    IsActionRequired,
    IsUnanswered,
    Money,
    Offer,
    OmniorderError,
    Order,
    OrderHub,
    Page,
    PayInStore,
    Pick,
    PickupPass,
    Point,
    Promise,
    Receipt,
    Scope,
    StoreTouchpoint,
    Taken,
    Wire,
    to_json,
)
from omniorder.errors import NotFound, PaymentDeclined, QuoteChanged, VersionConflict
from omniorder.testing import FakeGateway

# --- the hub ----------------------------------------------------------------------------------------------

DATABASE = os.environ.get("DATABASE_URL", "sqlite:///shop.db")
CARDS = FakeGateway()


def open_hub() -> OrderHub:
    """The process's one hub, which all requests and threads share; the sweeper opens its own the same way."""
    return OrderHub.open(DATABASE, gateways={"card": CARDS}, secret="only-for-this-demo")


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """What is yielded here is `request.state`."""
    engine = create_engine(DATABASE)
    with open_hub() as hub:
        hub.migrate()
        OURS.create_all(engine)
        stock_the_shelves(hub)
        yield {"hub": hub, "engine": engine}
    engine.dispose()


app = FastAPI(
    title="Click and collect",
    lifespan=lifespan,
    responses={"default": {"description": "A problem (RFC 9457)", "content": {"application/problem+json": {}}}},
)


def hub_of(request: Request) -> OrderHub:
    hub: OrderHub = request.state.hub
    return hub


def engine_of(request: Request) -> Engine:
    engine: Engine = request.state.engine
    return engine


Hub = Annotated[OrderHub, Depends(hub_of)]
Database = Annotated[Engine, Depends(engine_of)]

# --- who asks ---------------------------------------------------------------------------------------------


def stand_in_for_your_login(x_demo_customer: Annotated[str, Header()]) -> Customer:
    """Believes everybody. Yours checks a session or a token, and raises 401."""
    return Customer(x_demo_customer)


def stand_in_for_your_staff_login(
    x_demo_associate: Annotated[str, Header()], x_demo_store: Annotated[str, Header()]
) -> Associate:
    """Believes everybody, too: that Ivan works in this store is for you to know."""
    return Associate(x_demo_associate, store=x_demo_store)


SignedIn = Annotated[Customer, Depends(stand_in_for_your_login)]


def customer_touchpoint(
    hub: Hub, customer: SignedIn, x_channel: Annotated[Literal["app", "web", "kiosk"], Header()] = "web"
) -> CustomerTouchpoint:
    return hub.at(Channel(x_channel), customer)


def store_touchpoint(
    hub: Hub, associate: Annotated[Associate, Depends(stand_in_for_your_staff_login)]
) -> StoreTouchpoint:
    return hub.at(Channel.STORE, associate)


Shopping = Annotated[CustomerTouchpoint, Depends(customer_touchpoint)]
AtTheCounter = Annotated[StoreTouchpoint, Depends(store_touchpoint)]

# --- problems ---------------------------------------------------------------------------------------------


@app.exception_handler(OmniorderError)
def problem(_: Request, error: OmniorderError) -> JSONResponse:
    """Every refusal, in one place; with what the client needs to go on."""
    body = error.problem()
    match error:
        case VersionConflict():
            body["current"] = to_json(error.snapshot)
        case QuoteChanged():
            body["quote"] = to_json(error.quote)
        case PaymentDeclined():
            body["order"] = to_json(error.order)
    headers = {"Retry-After": "1"} if error.retry else None
    return JSONResponse(body, error.status, headers, media_type="application/problem+json")


# --- what is sent -----------------------------------------------------------------------------------------


class Body(BaseModel, extra="forbid", strict=True):
    """The library checks what is in the fields; here only their types are."""


class Wanted(Body):
    sku: str
    quantity: int = 1
    note: str = ""


class Quantity(Body):
    quantity: int


class Amount(Body):
    amount: int = Field(description="minor units, such as cents")
    currency: str

    def money(self) -> Money:
        return Money(self.amount, self.currency)


class Choice(Body):
    slot: str
    total: Amount = Field(description="what the customer saw")


class Device(Body):
    token: str = Field(description="the secret of the device that filled a basket before anybody signed in")


class Brought(Body):
    shown: str = Field(description="a handoff's token, the link with it, or the code that was said")


class Placement(Body):
    promise: str
    card: str | None = Field(None, description="the provider's token; without one it is paid in the store")


class Picked(Body):
    line: str
    quantity: int


class Staging(Body):
    staged_at: str = ""


class HandOver(Body):
    code: str
    cash: Amount | None = None


Key = Annotated[str | None, Header(alias="Idempotency-Key")]


def version_seen(if_match: Annotated[str | None, Header(pattern='^"[0-9]{1,18}"$')] = None) -> int | None:
    """The version in the client's ETag."""
    return int(if_match.strip('"')) if if_match else None


# --- the basket -------------------------------------------------------------------------------------------


def tagged(cart: Cart, response: Response) -> Cart:
    response.headers["ETag"] = f'"{cart.version}"'
    return cart


@app.post("/carts", status_code=201)
def start(shop: Shopping, response: Response, key: Key = None) -> Annotated[Cart, Wire()]:
    return tagged(shop.carts.start(key=key), response)


@app.get("/carts/current")
def current(shop: Shopping, response: Response) -> Annotated[Cart, Wire()]:
    cart = shop.carts.current()
    if cart is None:
        raise NotFound("cart", "current")
    return tagged(cart, response)


@app.post("/carts/{cart}/lines")
def add(shop: Shopping, cart: str, wanted: Wanted, response: Response, key: Key = None) -> Annotated[Cart, Wire()]:
    return tagged(shop.carts.add(cart, wanted.sku, wanted.quantity, note=wanted.note, key=key), response)


@app.patch("/carts/{cart}/lines/{line}")
def change(
    shop: Shopping,
    cart: str,
    line: str,
    wanted: Quantity,
    response: Response,
    seen: Annotated[int | None, Depends(version_seen)],
    key: Key = None,
) -> Annotated[Cart, Wire()]:
    return tagged(shop.carts.change(cart, line, wanted.quantity, if_version=seen, key=key), response)


# --- the basket changes hands -----------------------------------------------------------------------------


@app.post("/login/claim")
def claim(shop: Shopping, device: Device) -> Annotated[Claimed, Wire()]:
    """Right after your login: what the device's guest had is the customer's."""
    return shop.carts.claim(Guest(device.token))


@app.post("/carts/{cart}/handoffs", status_code=201)
def pass_on(shop: Shopping, cart: str, scopes: list[Scope], response: Response) -> Annotated[HandoffTicket, Wire()]:
    response.headers["Cache-Control"] = "no-store"
    return shop.handoffs.offer(cart, *scopes)


@app.post("/join")
def join(shop: Shopping, brought: Brought) -> Annotated[Handoff, Wire()]:
    return shop.handoffs.accept(brought.shown)


# --- your tables in the same commit -----------------------------------------------------------------------

OURS = MetaData()
wishes = Table(
    "wishes",
    OURS,
    Column("customer", String, primary_key=True),
    Column("sku", String, primary_key=True),
    Column("quantity", Integer, CheckConstraint("quantity > 0"), nullable=False),
)


@app.put("/wishes", status_code=204)
def wish(
    customer: SignedIn, database: Database, wanted: dict[str, Annotated[int, Field(gt=0, lt=1000, strict=True)]]
) -> None:
    """The customer's wish list, as quantities by SKU."""
    rows = [{"customer": customer.id, "sku": sku, "quantity": quantity} for sku, quantity in wanted.items()]
    with database.begin() as connection:
        connection.execute(delete(wishes).where(wishes.c.customer == customer.id))
        if rows:
            connection.execute(insert(wishes), rows)


@app.post("/carts/{cart}/wishes")
def take_over(
    customer: SignedIn, hub: Hub, database: Database, cart: str, response: Response
) -> Annotated[Cart, Wire()]:
    """All wishes into the basket: whatever fails, each of them is in exactly one of the two."""
    mine = wishes.c.customer == customer.id
    with database.begin() as connection, hub.joined(connection) as joined:
        taken = connection.execute(delete(wishes).where(mine).returning(wishes.c.sku, wishes.c.quantity)).all()
        carts = joined.at(Channel.WEB, customer).carts
        filled = carts.edit(cart, [Add(sku, quantity) for sku, quantity in taken])
    return tagged(filled, response)


# --- the checkout -----------------------------------------------------------------------------------------


@app.get("/carts/{cart}/offers")
def offers(
    shop: Shopping, cart: str, lat: float | None = None, lon: float | None = None
) -> list[Annotated[Offer, Wire()]]:
    near = None if lat is None or lon is None else Point(lat=lat, lon=lon)
    return list(shop.checkout.offers(cart, near=near))


@app.post("/carts/{cart}/promise")
def promise(shop: Shopping, cart: str, choice: Choice) -> Annotated[Promise, Wire()]:
    return shop.checkout.promise(cart, slot=choice.slot, expect=choice.total.money())


class Placed(BaseModel):
    """The order, and what the browser does next: show it, let the customer act, or ask again in a while."""

    then: Literal["show", "act", "wait"] = "show"
    client_secret: str = ""
    redirect_url: str = ""
    order: Annotated[Order, Wire()]


def followed_up(order: Order) -> Placed:
    match order.payments[-1].outcome:
        case IsActionRequired(client_secret, redirect_url):
            return Placed(then="act", client_secret=client_secret, redirect_url=redirect_url, order=order)
        case IsUnanswered():
            return Placed(then="wait", order=order)
        case _:
            return Placed(order=order)


@app.post("/orders")
def place(shop: Shopping, placement: Placement) -> Placed:
    """Unique by its promise, so a double click needs no key."""
    tender = PayInStore() if placement.card is None else Card(placement.card)
    return followed_up(shop.checkout.place(placement.promise, pay=tender))


@app.post("/orders/{order}/resume")
def resume(shop: Shopping, order: str) -> Placed:
    """When the customer comes back from the bank, on whatever channel."""
    return followed_up(shop.checkout.resume(order))


@app.get("/orders/{order}")
def order(shop: Shopping, order: str) -> Annotated[Order, Wire()]:
    return shop.orders.get(order)


@app.get("/orders/{order}/pass")
def pickup_pass(shop: Shopping, order: str, response: Response) -> Annotated[PickupPass, Wire()]:
    response.headers["Cache-Control"] = "no-store"
    return shop.orders.pickup_pass(order)


# --- the store --------------------------------------------------------------------------------------------


@app.get("/store/orders")
def due(store: AtTheCounter, day: date | None = None, after: str | None = None) -> Annotated[Page[Order], Wire()]:
    return store.pickups.due(day=day, after=after)


@app.post("/store/orders/{order}/picks")
def pick(store: AtTheCounter, order: str, picked: list[Picked], key: Key = None) -> Annotated[Order, Wire()]:
    return store.pickups.pick(order, [Pick(one.line, one.quantity) for one in picked], key=key)


@app.post("/store/orders/{order}/ready")
def ready(store: AtTheCounter, order: str, staging: Staging) -> Annotated[Order, Wire()]:
    return store.pickups.ready(order, staged_at=staging.staged_at)


@app.post("/store/orders/{order}/hand-over")
def hand_over(store: AtTheCounter, order: str, shown: HandOver) -> Annotated[Receipt, Wire()]:
    taken = None if shown.cash is None else Taken(shown.cash.money(), "cash")
    return store.pickups.hand_over(order, code=shown.code, taken=taken)


# --- the provider -----------------------------------------------------------------------------------------


async def raw(request: Request) -> bytes:
    """The body as it was signed."""
    return await request.body()


@app.post("/webhooks/{kind}")
def webhook(hub: Hub, kind: Literal["card"], request: Request, body: Annotated[bytes, Depends(raw)]) -> Response:
    reply = hub.webhook(kind, headers=request.headers, body=body)
    return Response(reply.body, reply.status, media_type="text/plain")
