"""What a command costs the database, counted and pinned, so that a change of it is a decision.

Times say more about a machine than about the code. On PostgreSQL round trips are the cost, and both are counted on the
wire; on SQLite it is the statements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import event
from sqlalchemy.pool import Pool

from bench.line import Line, opened
from omniorder import Add, Article, Card, Cart, Change, Money, Pick, Price, Service, Store
from omniorder.ports.writes import StockChange, Writes
from omniorder.testing import Shop

PINNED = {
    # command      PostgreSQL  SQLite
    "start": (1, 5, 3),
    "add": (3, 8, 6),
    "offers": (7, 7, 7),
    "offers, none short": (6, 6, 6),
    "promise": (5, 15, 17),
    "replace": (8, 24, 25),
    "place": (5, 28, 35),
    "webhook": (3, 9, 5),
    "get": (1, 1, 1),
    "pick": (2, 10, 11),
    "ready": (3, 9, 7),
    "hand over": (14, 39, 39),
    "timeline": (2, 2, 2),
    "idle sweep": (6, 6, 4),
    "stock take": (6, 10, 8),
    "shortages": (3, 3, 3),
    "expect": (4, 6, 4),
    "availability": (3, 3, 3),
    "receive": (5, 11, 9),
}
"""Round trips and statements on PostgreSQL, BEGIN and COMMIT among them, and statements on SQLite.

The basket has three lines; on SQLite a row is a statement. Offers ask what is expected where a store is short.
"""

Meter = Callable[[], tuple[int, ...]]
"""What has been counted so far."""


def on_the_line(line: Line) -> Meter:
    """Round trips and statements on this line to a server."""
    return lambda: (line.synchronisations, line.statements)


@contextmanager
def in_the_driver() -> Iterator[Meter]:
    """Statements that SQLite runs meanwhile, without those that only begin and end a transaction."""
    seen: list[str] = []

    def note(statement: str) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            seen.append(statement)

    def listen(connection: Any, *_: object) -> None:
        connection.set_trace_callback(note)

    event.listen(Pool, "checkout", listen)
    try:
        yield lambda: (len(seen),)
    finally:
        event.remove(Pool, "checkout", listen)


def one_order(shop: Shop, meter: Meter) -> dict[str, tuple[int, ...]]:
    """What each command on an order's way takes."""
    found: dict[str, tuple[int, ...]] = {}

    def count(name: str, command: Callable[[], Any]) -> Any:
        before = meter()
        result = command()
        found[name] = tuple(after - start for start, after in zip(before, meter(), strict=True))
        return result

    small = shop.web.carts.add(shop.web.carts.start().id, shop.MILK, 1)
    count("offers, none short", lambda: shop.web.checkout.offers(small.id))
    cart = count("start", shop.app.carts.start)
    cart = count("add", lambda: shop.app.carts.add(cart.id, shop.MILK, 2))
    cart = shop.app.carts.add(cart.id, shop.BREAD, 1)
    cart = shop.app.carts.add(cart.id, shop.APPLES, 500)
    offers = count("offers", lambda: shop.app.checkout.offers(cart.id))
    first, second, *_ = next(offer for offer in offers if offer.full).slots
    count("promise", lambda: shop.app.checkout.promise(cart.id, slot=first.id))
    promise = count("replace", lambda: shop.app.checkout.promise(cart.id, slot=second.id))
    order = count("place", lambda: shop.app.checkout.place(promise.id, pay=Card("pm_card_visa")))
    headers, body = shop.gateway.signed_webhook(order.payments[0], "payment.authorised")
    count("webhook", lambda: shop.hub.webhook("card", headers=headers, body=body))
    count("get", lambda: shop.app.orders.get(order.id))
    picks = [Pick(line.id, line.quantity) for line in order.lines]
    count("pick", lambda: shop.store.pickups.pick(order.id, picks))
    count("ready", lambda: shop.store.pickups.ready(order.id))
    code = shop.app.orders.pickup_pass(order.id).code
    count("hand over", lambda: shop.store.pickups.hand_over(order.id, code=code))
    count("timeline", lambda: shop.app.orders.timeline(order.id))
    count("idle sweep", shop.hub.sweep)
    shop.web.checkout.place(shop.promise(1, sku=shop.BREAD).id, pay=Card("pm_card_visa"))
    shelf, tomorrow = (shop.SOFIA, shop.BREAD), shop.clock.now() + timedelta(days=1)
    count("stock take", lambda: shop.store.stock.count(*shelf, 0))
    count("shortages", lambda: shop.store.stock.shortages(shop.SOFIA))
    count("expect", lambda: shop.store.stock.expect(*shelf, 50, at=tomorrow, reference="DN-7"))
    count("availability", lambda: shop.store.stock.availability(shop.SOFIA, [shop.BREAD, shop.MILK], by=tomorrow))
    count("receive", lambda: shop.store.stock.receive(*shelf, 100, reference="DN-7"))
    return found


def test_a_command_takes_as_many_round_trips_and_statements_as_are_pinned_on_postgres(postgres_url: str) -> None:
    with opened(postgres_url) as line, Shop.example(line.url) as shop:
        shop.hub.sweep()
        assert one_order(shop, on_the_line(line)) == {name: counts[:2] for name, counts in PINNED.items()}


def test_a_command_takes_as_many_statements_as_are_pinned_on_sqlite(sqlite_url: str) -> None:
    with Shop.example(sqlite_url) as shop, in_the_driver() as meter:
        shop.hub.sweep()
        assert one_order(shop, meter) == {name: counts[2:] for name, counts in PINNED.items()}


CHANGE = {"quote_change": (6, 6, 6), "change": (7, 23, 27)}
"""The same of changing an order: another window, one unit less, another line, and the difference due in the store."""


def one_change(shop: Shop, meter: Meter) -> dict[str, tuple[int, ...]]:
    """What a change takes, looked at first and then made."""
    order = shop.app.checkout.place(shop.promise(3).id, pay=Card("pm_card_visa"))
    slot = shop.app.orders.slots(order.id)[3].id
    edits = [Change(order.lines[0].id, 2), Add(shop.BREAD, 1)]
    found: dict[str, tuple[int, ...]] = {}
    for name in ("quote_change", "change"):
        before = meter()
        getattr(shop.app.orders, name)(order.id, slot=slot, edits=edits)
        found[name] = tuple(after - start for start, after in zip(before, meter(), strict=True))
    return found


def test_a_change_takes_as_many_round_trips_and_statements_as_are_pinned(postgres_url: str, sqlite_url: str) -> None:
    with opened(postgres_url) as line, Shop.example(line.url) as shop:
        on_postgres = one_change(shop, on_the_line(line))
    with Shop.example(sqlite_url) as shop, in_the_driver() as meter:
        on_sqlite = one_change(shop, meter)
    assert {name: (*on_postgres[name], *on_sqlite[name]) for name in on_postgres} == CHANGE


def chain(shop: Shop, stores: int, lines: int) -> Cart:
    """So many stores that have all of a basket of so many lines but the last, which a distribution centre sends."""
    names, skus = [f"C{n:03}" for n in range(stores)], [f"SKU-{n:02}" for n in range(lines)]
    shop.office.stores.put(*(Store(name, zone="Europe/Sofia", hours="24/7") for name in names))
    shop.office.stores.put(Store("DC", zone="Europe/Sofia", hours="24/7", services={Service.SHIP_TO_STORE}))
    shop.office.articles.put(*(Article(sku, sku) for sku in skus))
    shop.office.prices.put(*(Price(sku, Money(100, "EUR"), tax="0.20") for sku in skus))
    levels = [("DC", skus[-1]), *((name, sku) for name in names for sku in skus[:-1])]
    changes = tuple(StockChange(store, sku, on_hand=5) for store, sku in levels)
    with shop.hub._parts.storage.transaction() as tx:
        tx.write(Writes(stock=changes))
    return shop.app.carts.edit(shop.app.carts.start().id, [Add(sku, 2) for sku in skus])


def test_offers_of_two_hundred_stores_take_as_many_statements_as_those_of_three(postgres_url: str) -> None:
    """With fifty lines, live promises or none, transfers and all."""
    with opened(postgres_url) as line, Shop.example(line.url) as shop:
        cart = chain(shop, stores=200, lines=50)
        meter = on_the_line(line)
        before = meter()
        offers = shop.app.checkout.offers(cart.id, near=shop.HERE)
        assert tuple(after - start for start, after in zip(before, meter(), strict=True)) == PINNED["offers"][:2]
    assert sum(offer.with_transfer is not None for offer in offers) == 200


def test_a_command_takes_no_more_statements_when_there_are_many_orders(sqlite_url: str) -> None:
    with Shop.example(sqlite_url) as shop, in_the_driver() as meter:
        shop.hub.sweep()
        shop.office.stock.receive(shop.SOFIA, shop.BREAD, 100)
        before = one_order(shop, meter)
        for _ in range(20):
            shop.web.checkout.place(shop.promise(1).id, pay=Card("pm_card_visa"))
        assert one_order(shop, meter) == before
