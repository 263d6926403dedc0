"""The adapters on the retailer's own tables keep the contracts, and read the tables as the retailer means them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from notifier import Outbox
from own_tables import OwnTables

from omniorder import Card, Channel, Customer, Message, Money, Occasion, OrderHub, System
from omniorder.testing import FakeClock, FakeGateway
from omniorder.testing.contracts.catalogue import CatalogueContract
from omniorder.testing.contracts.pricing import PriceBookContract
from omniorder.testing.contracts.stores import StoreDirectoryContract

MILK, APPLES = "3800012345671", "2012340000005"
SCHEMA = Path(__file__).with_name("own_tables.sql").read_text()


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = str(tmp_path / "retailer.db")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA)
    return path


class OnThisFile:
    @pytest.fixture(autouse=True)
    def _file(self, file: str) -> None:
        self.file = file

    def open(self) -> OwnTables:
        return OwnTables(self.file)


class TestCatalogue(OnThisFile, CatalogueContract):
    sold = (MILK, APPLES)


class TestPriceBook(OnThisFile, PriceBookContract):
    priced = (MILK, APPLES)
    stores = ("SOF01", "VAR01")


class TestStoreDirectory(OnThisFile, StoreDirectoryContract):
    pass


def test_what_was_taken_off_the_list_is_not_sold(file: str) -> None:
    assert not OwnTables(file).articles(["3800012345688"])


def test_a_branch_without_a_counter_takes_no_part(file: str) -> None:
    assert [store.id for store in OwnTables(file).all()] == ["SOF01", "VAR01"]


def test_a_price_holds_from_its_instant_on(file: str) -> None:
    def cents(second: int) -> int:
        at = datetime.fromtimestamp(second, UTC)
        return OwnTables(file).prices([MILK], stores=["SOF01"], channel=Channel.WEB, at=at)["SOF01", MILK].amount.amount

    assert [cents(second) for second in (1_789_999_999, 1_790_000_000)] == [239, 249]


def test_an_order_is_placed_on_them_and_its_customer_is_told_once(file: str) -> None:
    own = OwnTables(file)
    with OrderHub.open(
        "memory://",
        catalogue=own,
        prices=own,
        stores=own,
        notifier=Outbox(file),
        gateways={"card": FakeGateway()},
        secret="only-for-this-test",
        migrate=True,
        clock=FakeClock(),
    ) as hub:
        hub.at(Channel.SYSTEM, System("setup")).stock.receive("SOF01", APPLES, 5000)
        app = hub.at(Channel.APP, Customer("anna"))
        cart = app.carts.start()
        app.carts.add(cart.id, APPLES, 1500)
        offer = next(offer for offer in app.checkout.offers(cart.id) if offer.slots)
        promise = app.checkout.promise(cart.id, slot=offer.slots[0].id)
        order = app.checkout.place(promise.id, pay=Card("pm_card_visa"))
        hub.sweep()
        hub.sweep()
    assert order.total == Money(599, "EUR")
    assert outbox(file) == [("device-of-anna", f"We are preparing your order {order.id}.")]


def test_a_message_that_comes_again_is_not_sent_again(file: str) -> None:
    ready = Message("evt-1", Occasion.READY, "customer:anna", "SOF01-7K3F9Q", "bg-BG")
    for _ in range(2):
        Outbox(file).notify(ready)
    assert outbox(file) == [("device-of-anna", "Поръчка SOF01-7K3F9Q ви очаква.")]


def outbox(file: str) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT device, text FROM outbox").fetchall()
