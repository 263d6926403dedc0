"""Orders of three lines: promised, placed, paid, and all of it committed."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from attrs import frozen

from bench.blocks import Side, in_turns, ratio
from bench.by_hand import postgres, sqlite
from bench.counting import counts
from bench.databases import Database
from bench.scene import Scene, opened
from bench.shop import Basket
from omniorder import Card, Channel, Customer, Money, OrderHub
from omniorder.domain.promises import Promise

OURS: Final = "omniorder"
YARDSTICK: Final = "by hand"


@frozen
class Library:
    """The library, as an application calls it."""

    hub: OrderHub

    def promise(self, basket: Basket) -> tuple[str, Promise]:
        """See `Side`."""
        checkout = self.hub.at(Channel.WEB, Customer(basket.customer)).checkout
        total = Money(basket.total, "EUR")
        return basket.customer, checkout.promise(basket.cart, slot=basket.window.slot, expect=total)

    def place(self, promised: tuple[str, Promise]) -> object:
        """See `Side`."""
        customer, promise = promised
        return self.hub.at(Channel.WEB, Customer(customer)).checkout.place(promise.id, pay=Card("pm_card_visa"))


def measure(database: Database, *, existing: int, orders: int, block: int) -> dict[str, Any]:
    """The library beside the script by hand, on one database in the same minutes.

    On PostgreSQL also beside slower ways of writing the script.
    """
    with ExitStack() as stack:
        scene = stack.enter_context(opened(database))
        scene.grow(existing)
        sides = stack.enter_context(both(scene))
        if database.name == "postgresql":
            for manner in ("reading first", "statement by statement"):
                sides[f"{YARDSTICK}, {manner}"] = stack.enter_context(by_hand(scene, manner))
        times = in_turns(sides, lambda _, count: scene.baskets(count), orders=orders, block=block)
        ours = times[OURS]
        return {
            "orders": len(ours.promise),
            "block": block,
            "sides": {name: one.told() for name, one in times.items()},
            "ratio": ratio(ours, times[YARDSTICK]),
            "ratios": {name: ratio(ours, one)["median"] for name, one in times.items() if name != OURS},
            "counts": counted(scene),
        }


def counted(scene: Scene) -> dict[str, dict[str, dict[str, int]]]:
    """Statements and round trips per command of both sides."""
    return counts(
        scene,
        {OURS: lambda url: by_library(scene, url), YARDSTICK: lambda url: by_hand(scene, url=url)},
    )


@contextmanager
def both(scene: Scene) -> Generator[dict[str, Side]]:
    """The library and the script, each with a connection of its own."""
    with by_library(scene) as ours, by_hand(scene) as theirs:
        yield {OURS: ours, YARDSTICK: theirs}


@contextmanager
def by_library(scene: Scene, url: str | None = None) -> Generator[Library]:
    """The library in a hub of its own on the scene's database, or on the same one behind another `url`."""
    with scene.database.open(scene.gateway, url) as hub:
        yield Library(hub)


@contextmanager
def by_hand(
    scene: Scene, manner: postgres.Manner = "pipelined", url: str | None = None
) -> Generator[postgres.ByHand | sqlite.ByHand]:
    """The script on the scene's database, or on the same one behind another `url`."""
    database = scene.database
    side: postgres.ByHand | sqlite.ByHand
    if database.name == "postgresql":
        side = postgres.ByHand(url or database.dsn, scene.gateway, manner)
    else:
        side = sqlite.ByHand(database.file, scene.gateway, database.synchronous)
    try:
        yield side
    finally:
        side.close()
