"""What the way to the provider costs beside the bare call: the same orders, paid by card and left for the counter.

An order that is paid in the store is placed without any provider. One that is paid by card commits the intent with the
order, calls, and commits the answer. So what one takes longer than the other is the payment path: the bare call, which
is the same fake provider in memory on both sides, and what we do around it. All are measured in turns, in one run.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any, Final

from bench.blocks import in_turns
from bench.counting import counts
from bench.databases import Database
from bench.orders import Library
from bench.scene import Scene, opened
from omniorder import Channel, Customer, Money, PayInStore
from omniorder.domain.promises import Promise
from omniorder.ports.payments import Authorise
from omniorder.testing import FakeGateway

CARD: Final = "by card"
STORE: Final = "in the store"
BARE: Final = "the bare call"


class InStore(Library):
    """The library, for customers who pay at the counter."""

    def place(self, promised: tuple[str, Promise]) -> object:
        """See `Side`."""
        customer, promise = promised
        return self.hub.at(Channel.WEB, Customer(customer)).checkout.place(promise.id, pay=PayInStore())


def measure(database: Database, *, existing: int, orders: int, block: int) -> dict[str, Any]:
    """Microseconds and statements of placing an order in both ways, of the bare call, and of what is around it."""
    with opened(database) as scene:
        scene.grow(existing)
        ways = {CARD: Library, STORE: InStore}
        with _side(scene, Library) as card, _side(scene, InStore) as store:
            times = in_turns({CARD: card, STORE: store}, lambda _, n: scene.baskets(n), orders=orders, block=block)
        counted = counts(scene, {name: partial(_side, scene, kind) for name, kind in ways.items()})
        microseconds = {name: statistics.median(times[name].place) * 1e6 for name in ways} | {BARE: _bare(orders)}
    statements = {name: counted[name]["place"]["statements"] for name in ways}
    path = microseconds[CARD] - microseconds[STORE]
    return {
        "orders": len(times[CARD].place),
        "microseconds": {name: round(one) for name, one in microseconds.items()},
        "statements": statements,
        "path": {
            "microseconds": round(path),
            "around_the_call": round(path - microseconds[BARE]),
            "statements": statements[CARD] - statements[STORE],
        },
    }


@contextmanager
def _side(scene: Scene, kind: type[Library], url: str | None = None) -> Generator[Library]:
    with scene.database.open(scene.gateway, url) as hub:
        yield kind(hub)


def _bare(calls: int) -> float:
    """Microseconds of one authorisation at a fake provider, without us."""
    gateway, amount = FakeGateway(), Money(750, "EUR")
    numbers = count(1)
    taken: list[float] = []
    for n in (next(numbers) for _ in range(calls)):
        request = Authorise(f"pay_{n}", f"att_{n}", f"order_{n}", "pm_card_visa", amount)
        begun = time.perf_counter()
        gateway.authorise(request)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1e6
