"""A database with a shop in it, and baskets that wait to be ordered.

Baskets and old orders are copies of one that the library made: its rows with other ids, customers and articles,
inserted by the database itself. So both sides find their baskets ready, and a hundred thousand orders take a minute.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, Final

from psycopg.types.json import Jsonb

from bench.databases import Database
from bench.shop import GOODS, MODELS, PLENTY, QUANTITY, SKUS, Basket, Line, Window, build, chosen, windows
from omniorder import Add, Card, Channel, Customer
from omniorder.adapters.sql.schema import METADATA
from omniorder.domain.carts import Cart
from omniorder.testing import FakeGateway

_SHOP: Final = {f"omniorder_{name}" for name in ("store", "article", "price", "stock", "movement", "slot", "timer")}
_COPIED: Final = tuple(table.name for table in METADATA.sorted_tables if table.name not in _SHOP)

Rows = Sequence[tuple[str, Mapping[str, Any]]]
"""Tables, parents first, with the columns of a row."""


class Scene:
    """A shop on an empty database, open as a hub."""

    def __init__(self, database: Database, stores: int = 1) -> None:
        self.database: Final = database
        self.gateway: Final = FakeGateway()
        self.hub: Final = database.open(self.gateway, migrate=True)
        self.stores: Final = tuple(f"SOF{n:02}" for n in range(1, stores + 1))
        build(self.hub, self.stores)
        self._windows: Final = {store: windows(self.hub, store) for store in self.stores}
        self._fill_shelves()
        self._copies = 0
        self._cart, self._cart_rows, self._order_rows, self._ids = self._model()
        database.settle()

    def baskets(self, count: int, *, stores: Sequence[str] = (), assortment: int = len(GOODS)) -> list[Basket]:
        """New baskets of three of the first articles, going round these stores (none: all) and their slots."""
        made: list[Basket] = []
        drawn: list[tuple[str, ...]] = []
        for n in self._numbers(count):
            skus, window = chosen(n, assortment), self._window(n, stores or self.stores)
            ids = self._drawn(n, skus, window)
            lines = tuple(Line(line.id, sku) for line, sku in zip(self._cart.lines, skus, strict=True))
            made.append(Basket(f"crt_{ids[0]}", self._cart.version, self._cart.lines_version, ids[3], lines, window))
            drawn.append(ids)
        self._insert(self._cart_rows, drawn)
        return made

    def grow(self, count: int) -> None:
        """Add so many confirmed orders, from basket to journal; their units are not counted in the stock.

        It begins with few, since foreign keys are checked by a bad plan while all tables look empty.
        """
        while count:
            step = min(count, max(500, self._copies * 10))
            drawn = [self._drawn(n, chosen(n), self._window(n, self.stores)) for n in self._numbers(step)]
            self._insert(self._order_rows, drawn)
            self.database.settle()
            count -= step

    def _fill_shelves(self) -> None:
        mark = self.database.mark
        columns = "store_id, sku, on_hand, reserved, safety"
        put = f"INSERT INTO omniorder_stock ({columns}) VALUES ({mark}, {mark}, {PLENTY}, 0, 0)"
        with closing(self.database.connect()) as connection:
            connection.execute("BEGIN")
            connection.cursor().executemany(put, [(store, sku) for store in self.stores for sku in SKUS])
            connection.execute("COMMIT")

    # --- copies -------------------------------------------------------------------------------------------

    def _model(self) -> tuple[Cart, Rows, Rows, tuple[str, ...]]:
        """A cart, its rows, those of its order, and all in them that a copy has of its own; see `_drawn`."""
        customer = self.hub.at(Channel.WEB, Customer("model-customer"))
        cart = customer.carts.start()
        cart = customer.carts.edit(cart.id, [Add(sku, QUANTITY) for sku in MODELS])
        cart_rows = self._read()
        window = self._window(0, self.stores)
        promise = customer.checkout.promise(cart.id, slot=window.slot)
        order = customer.checkout.place(promise.id, pay=Card("pm_card_visa"))
        draws = cart.id[-26:], promise.id[-26:], order.id[-6:]
        ids = (*draws, "model-customer", *MODELS, window.slot, window.store)
        return cart, cart_rows, self._read(), ids

    def _drawn(self, n: int, skus: Sequence[str], window: Window) -> tuple[str, ...]:
        """What copy `n` has in place of the model's ids."""
        return f"{n:026}", f"{n:026}", _number(n), f"customer-{n:07}", *skus, window.slot, window.store

    def _window(self, n: int, stores: Sequence[str]) -> Window:
        of_store = self._windows[stores[n % len(stores)]]
        return of_store[n // len(stores) % len(of_store)]

    def _numbers(self, count: int) -> range:
        first = self._copies
        self._copies += count
        return range(first, self._copies)

    def _read(self) -> Rows:
        found: list[tuple[str, Mapping[str, Any]]] = []
        with closing(self.database.connect()) as connection:
            for table in _COPIED:
                cursor = connection.execute(f"SELECT * FROM {table}")
                names = [column[0] for column in cursor.description]
                found += [(table, dict(zip(names, row, strict=True))) for row in cursor.fetchall()]
        return found

    def _insert(self, rows: Rows, drawn: Sequence[tuple[str, ...]]) -> None:
        """Insert a copy of these rows for each tuple of ids."""
        columns = [f"id{place}" for place in range(len(self._ids))]
        with closing(self.database.connect()) as connection:
            connection.execute(f"CREATE TEMPORARY TABLE copy ({', '.join(f'{name} text' for name in columns)})")
            connection.execute("BEGIN")
            if self.database.name == "postgresql":
                with connection.cursor().copy("COPY copy FROM STDIN") as into:
                    for ids in drawn:
                        into.write_row(ids)
            else:
                connection.executemany(f"INSERT INTO copy VALUES ({', '.join('?' for _ in columns)})", drawn)
            for table, row in rows:
                made = [self._copied(value) for value in row.values()]
                select = f"SELECT {', '.join(expression for expression, _ in made)} FROM copy"
                connection.execute(f"INSERT INTO {table} ({', '.join(row)}) {select}", [value for _, value in made])
            connection.execute("COMMIT")
            if self.database.name != "postgresql":  # else whoever commits next does it, under the clock
                connection.execute("PRAGMA wal_checkpoint")

    def _copied(self, value: Any) -> tuple[str, Any]:
        """The expression that puts a copy's ids into a value of the model, and its parameter."""
        is_document = isinstance(value, (dict, list))
        text = json.dumps(value) if is_document else value
        expression = self.database.mark
        if isinstance(text, str):
            for place, id in enumerate(self._ids):
                if id in text:
                    expression = f"replace({expression}, '{id}', id{place})"
        if expression != self.database.mark:
            return (f"{expression}::jsonb" if is_document else expression), text
        return expression, Jsonb(value) if is_document else value


@contextmanager
def opened(database: Database, stores: int = 1) -> Generator[Scene]:
    """A scene on this database, closed in the end."""
    scene = Scene(database, stores)
    try:
        yield scene
    finally:
        scene.hub.close()


def _number(n: int) -> str:
    """An order number of six characters: different for each `n`, and scattered as drawn ones are."""
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    scattered = n * 387_420_489 % 2**30
    return "".join(alphabet[scattered >> 5 * place & 31] for place in range(6))
