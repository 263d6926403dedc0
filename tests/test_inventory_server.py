"""The stock system that a retailer may copy: as a process of its own, under many at once, and under bad requests."""

from __future__ import annotations

import inspect
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import inventory_server
import pytest

from omniorder import Card
from omniorder.adapters.http import HttpInventory
from omniorder.errors import InventoryFault, OutOfStock
from omniorder.testing import FakeClock
from omniorder.testing.invariants import check_all
from omniorder.testing.samples import MILK, NOW, SOFIA
from omniorder.testing.shop import Shop
from tests.concurrency.threads import at_once, refused, won

PROGRAM = Path(inventory_server.__file__)
MANY = 12
SOON = timedelta(days=3000)


@contextmanager
def started(database: Path, *more: str, token: str = "") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server as a process of its own that nobody types to; it and its URL. It ends with the block."""
    command = [sys.executable, str(PROGRAM), "--database", str(database), "--port", "0", *more]
    environment = {**os.environ, "INVENTORY_TOKEN": token}
    nothing, pipe = subprocess.DEVNULL, subprocess.PIPE
    with subprocess.Popen(command, stdin=nothing, stdout=pipe, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def running(database: Path, *put: str, token: str = "") -> Iterator[str]:
    """The server as a process of its own; its URL."""
    with started(database, "--put", *put, token=token) as (_, url):
        yield url


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_without_any_input_it_serves_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    with started(tmp_path / "stock.db", "--put", SOFIA, MILK, "5", "--host", "0.0.0.0") as (process, url):
        port = url.removeprefix("http://0.0.0.0:")
        time.sleep(0.3)
        assert process.poll() is None
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            assert HttpInventory(client).available([SOFIA], [MILK]) == {(SOFIA, MILK): 5}
        process.send_signal(number)
        assert process.wait(10) == 0


def test_a_process_of_its_own_serves_a_whole_shop(tmp_path: Path) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(running(tmp_path / "stock.db", Shop.SOFIA, Shop.MILK, "5", token="open sesame"))
        headers = {"Authorization": "Bearer open sesame"}
        inventory = HttpInventory(stack.enter_context(httpx.Client(base_url=url, headers=headers)))
        shop = stack.enter_context(Shop.example(outside=inventory, clock=FakeClock(NOW + SOON)))
        order = shop.app.checkout.place(shop.promise(2).id, pay=Card("pm_card_visa"))
        shop.hub.sweep()
        for line in order.lines:
            shop.store.pickups.pick(order.id, line.id, line.quantity)
        shop.store.pickups.ready(order.id)
        assert inventory.available([Shop.SOFIA], [Shop.MILK]) == {(Shop.SOFIA, Shop.MILK): 3}
        shop.store.pickups.hand_over(order.id, code=shop.app.orders.pickup_pass(order.id).code)
        assert shop.hub.sweep().failed == {}
        check_all(shop.hub)
        with httpx.Client(base_url=url) as stranger, pytest.raises(InventoryFault):
            HttpInventory(stranger).available([Shop.SOFIA], [Shop.MILK])
    with sqlite3.connect(tmp_path / "stock.db") as db:
        moves = db.execute("SELECT units, reference FROM movement ORDER BY id").fetchall()
    db.close()
    assert moves == [(5, "received"), (-2, order.id)]


def test_one_restarted_knows_what_it_held(tmp_path: Path) -> None:
    path = tmp_path / "stock.db"
    with running(path, SOFIA, MILK, "5") as url, httpx.Client(base_url=url) as client:
        HttpInventory(client).reserve("rsv_1", SOFIA, {MILK: 3}, NOW + SOON)
    with running(path, SOFIA, MILK, "0") as url, httpx.Client(base_url=url) as client:
        HttpInventory(client).confirm("rsv_1")
        assert HttpInventory(client).available([SOFIA], [MILK]) == {(SOFIA, MILK): 2}


# --- the last unit ----------------------------------------------------------------------------------------


def promised_at_once(inventory: HttpInventory) -> list[Any]:
    """Customers, each with a basket for the last unit, on one hub."""
    with Shop.example(outside=inventory, clock=FakeClock(NOW + SOON)) as shop:
        carts = [shop.app.carts.add(shop.app.carts.start().id, Shop.MILK, 1) for _ in range(MANY)]
        offer = next(one for one in shop.app.checkout.offers(carts[0].id) if one.store.id == Shop.SOFIA)
        slots = [slot.id for slot in offer.slots]
        wishes = [partial(shop.app.checkout.promise, cart.id, slot=slots[n % 3]) for n, cart in enumerate(carts)]
        results = at_once(wishes)
        check_all(shop.hub)
        return results


def test_the_last_unit_is_promised_to_one_of_many(tmp_path: Path) -> None:
    with running(tmp_path / "stock.db", Shop.SOFIA, Shop.MILK, "1") as url, httpx.Client(base_url=url) as client:
        results = promised_at_once(HttpInventory(client, time_limit=timedelta(seconds=30)))
    assert len(won(results)) == 1
    assert set(refused(results)) == {OutOfStock.code}


class LooksThenTakes(inventory_server.Stock):
    """The control: it looks first, and takes afterwards, without keeping others out meanwhile."""

    def _check(self, db: sqlite3.Connection, store: str, units: dict[str, int], party: str, now: str) -> None:
        db.execute("COMMIT")
        super()._check(db, store, units, party, now)
        time.sleep(0.2)
        db.execute("BEGIN IMMEDIATE")


def test_without_its_guard_it_is_promised_to_several(tmp_path: Path) -> None:
    stock = LooksThenTakes(str(tmp_path / "stock.db"))
    stock.put(Shop.SOFIA, Shop.MILK, 1)
    with inventory_server.serving(stock) as url, httpx.Client(base_url=url) as client:
        results = promised_at_once(HttpInventory(client, time_limit=timedelta(seconds=30)))
    assert len(won(results)) > 1


# --- its own rules ----------------------------------------------------------------------------------------


def test_it_forgets_what_is_old_and_holds_nothing(tmp_path: Path) -> None:
    clock = FakeClock()
    stock = inventory_server.Stock(str(tmp_path / "stock.db"), clock.now)
    stock.put(SOFIA, MILK, 10)
    later = clock.now() + timedelta(hours=1)
    for name in ("ran-out", "released", "collected", "firm"):
        stock.reserve(name, SOFIA, {MILK: 1}, later, None)
    for name in ("collected", "firm"):
        stock.confirm(name)
    stock.release("released", None)
    stock.consume("collected", {MILK: 1}, "SOF01-1")
    assert stock.tidy() == 0
    clock.advance(days=91)
    stock.reserve("new", SOFIA, {MILK: 1}, clock.now() + timedelta(hours=1), None)
    assert stock.tidy() == 3
    assert stock.available([SOFIA], [MILK]) == {SOFIA: {MILK: 7}}
    stock.confirm("firm")


BAD_UNITS: list[Any] = [
    None, {}, [], {"M": 0}, {"M": -1}, {"M": True}, {"M": 1.5}, {"M": "1"}, {"M": 10**7}, {"": 1},
]  # fmt: skip
BAD: list[tuple[str, str, Any, int]] = [
    ("PUT", "/reservations/r", {"store": "S", "units": {"M": 1}}, 422),
    ("PUT", "/reservations/r", {"store": "S", "units": {"M": 1}, "until": "2026-11-23T08:00:00"}, 422),
    ("PUT", "/reservations/r", {"store": "S", "units": {"M": 1}, "until": 5}, 422),
    ("PUT", "/reservations/r", {"store": "S", "units": {"M": 1}, "until": "9999-12-31T23:59:59-12:00"}, 422),
    ("PUT", "/reservations/r", {"store": "", "units": {"M": 1}, "until": "2126-11-23T08:00:00Z"}, 422),
    *(
        ("PUT", "/reservations/r", {"store": "S", "units": units, "until": "2126-11-23T08:00:00Z"}, 422)
        for units in BAD_UNITS
    ),
    ("POST", "/reservations/r/extend", {}, 422),
    ("POST", "/reservations/r/consume", {}, 422),
    ("POST", "/reservations/r/explode", {}, 404),
    ("POST", "/reservations/r", {}, 405),
    ("PUT", "/reservations/r/confirm", {}, 405),
    ("POST", "/reservations/a b/confirm", {}, 404),
    ("POST", "/available", {"stores": ["S"]}, 422),
    ("POST", "/available", {"stores": ["S"], "skus": [5]}, 422),
    ("POST", "/", {}, 404),
    ("POST", "/available", [], 422),
]


def test_a_bad_request_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    stock = inventory_server.Stock(str(tmp_path / "stock.db"))
    stock.put("S", "M", 3)
    with inventory_server.serving(stock) as url, httpx.Client(base_url=url) as client:
        for method, path, body, status in BAD:
            reply = client.request(method, path, json=body)
            assert (reply.status_code, body) == (status, body)
            assert set(reply.json()) <= {"error", "field"}
        for content in (b"", b"{", b"\xff", b"[" * 200_000, b'{"units": NaN'):
            assert client.post("/available", content=content).status_code in (400, 422)
        assert client.post("/available", content=b"x" * (inventory_server.MOST_BYTES + 1)).status_code == 413
        assert client.get("/available").status_code == 501
        assert client.post("/available", json={"stores": ["S"], "skus": ["M"]}).json() == {"available": {"S": {"M": 3}}}


def test_it_needs_nothing_but_python() -> None:
    source = inspect.getsource(inventory_server)
    wanted = {
        line.split()[1].partition(".")[0] for line in source.splitlines() if line.startswith(("import ", "from "))
    }
    assert wanted <= set(sys.stdlib_module_names)
