"""The adapter for a retailer's own system, and the server that a retailer may copy, keep the inventory's contract."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import httpx
import inventory_server
import pytest
from hypothesis import settings

from omniorder.adapters.http import HttpInventory
from omniorder.testing import FakeClock
from omniorder.testing.contracts.inventory import OutsideBench, OutsideInventoryContract, OutsideInventoryMachine


class Moody(inventory_server.Handler):
    """A server that now and then does what it was asked, and is not heard."""

    silences: ClassVar[list[None]]

    def send(self, status: int, content: bytes) -> None:
        if self.silences:
            self.silences.pop()
            self.close_connection = True
            return
        super().send(status, content)


def benched(stack: ExitStack, path: Path) -> OutsideBench:
    """The server on a file of its own and the clock of the test, and our adapter before it."""
    clock = FakeClock()
    stock = inventory_server.Stock(path.as_posix(), clock.now)
    silences: list[None] = []
    handler = type("Desk", (Moody,), {"silences": silences})
    url = stack.enter_context(inventory_server.serving(stock, handler=handler))
    client = stack.enter_context(httpx.Client(base_url=url))

    def pass_time(lasts: timedelta) -> None:
        clock.advance(seconds=lasts.total_seconds())

    def lose_next_reply() -> None:
        silences.append(None)

    inventory = HttpInventory(client, time_limit=timedelta(seconds=20))
    return OutsideBench(inventory, stock.put, clock.now, pass_time, lose_next_reply)


class TestHttpInventory(OutsideInventoryContract):
    @pytest.fixture(autouse=True)
    def _stack(self, tmp_path: Path) -> Generator[None]:
        with ExitStack() as self.stack:
            self.path = tmp_path / "stock.db"
            yield

    def open(self) -> OutsideBench:
        return benched(self.stack, self.path)


def test_nothing_that_can_be_asked_of_it_makes_its_books_wrong() -> None:
    """All runs on one server: what one of them needs has names of its own."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        bench = benched(stack, Path(folder) / "stock.db")

        class Machine(OutsideInventoryMachine):
            def open(self) -> OutsideBench:
                return bench

        Machine.TestCase.settings = settings(max_examples=settings().max_examples // 6, stateful_step_count=25)
        Machine.TestCase().runTest()
