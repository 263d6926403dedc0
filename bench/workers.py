"""Eight worker processes on one PostgreSQL beside one: do they get in each other's way?

Processes and not threads, as a web server has them: Python runs one thread at a time.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import Any, Final

from bench.blocks import Side
from bench.by_hand import postgres
from bench.databases import Database
from bench.orders import OURS, YARDSTICK, Library
from bench.scene import opened
from bench.shop import GOODS, LINES, Basket
from omniorder.testing import FakeGateway

ALONE: Final = "1 worker"


def settings(workers: int) -> dict[str, tuple[int, int, int]]:
    """By name: how many workers, at how many stores, on how many different articles."""
    return {
        ALONE: (1, 1, len(GOODS)),
        f"{workers} workers, a store each": (workers, workers, len(GOODS)),
        f"{workers} workers, one store": (workers, 1, len(GOODS)),
        f"{workers} workers, one store, {LINES} articles": (workers, 1, LINES),
    }


def measure(database: Database, *, existing: int, workers: int, orders: int, rounds: int) -> dict[str, Any]:
    """Orders per second of all workers together, and how many times those of one."""
    found: dict[str, dict[str, list[float]]] = {OURS: {}, YARDSTICK: {}}
    with opened(database, stores=workers) as scene, _crew(workers, database) as crew:
        scene.grow(existing)
        for turn in range(rounds + 1):
            for name, (count, stores, assortment) in settings(workers).items():
                for side, speeds in found.items():
                    shares = [
                        scene.baskets(orders // count, stores=scene.stores[n % stores :][:1], assortment=assortment)
                        for n in range(count)
                    ]
                    speed = _run(crew[:count], side, shares)
                    if turn:  # the first turn warms up
                        speeds.setdefault(name, []).append(speed)
    return {
        "workers": workers,
        "orders_per_second": {
            side: {name: round(statistics.median(all), 1) for name, all in speeds.items()}
            for side, speeds in found.items()
        },
        "times_one_worker": {
            side: {
                name: round(statistics.median(a / b for a, b in zip(all, speeds[ALONE], strict=True)), 2)
                for name, all in speeds.items()
                if name != ALONE
            }
            for side, speeds in found.items()
        },
    }


def _run(crew: Sequence[Connection], side: str, shares: Sequence[Sequence[Basket]]) -> float:
    """Let each worker order its share; how many orders a second that made."""
    for worker, share in zip(crew, shares, strict=True):
        worker.send((side, share))
    for worker in crew:
        worker.recv()  # everybody is ready
    for worker in crew:
        worker.send("go")
    spans: list[tuple[float, float]] = [worker.recv() for worker in crew]
    begun, ended = min(span[0] for span in spans), max(span[1] for span in spans)
    return sum(map(len, shares)) / (ended - begun)


@contextmanager
def _crew(workers: int, database: Database) -> Generator[list[Connection]]:
    """Worker processes, each at the other end of a pipe."""
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        ends: list[Connection] = []
        for _ in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, database), daemon=True)
            process.start()
            theirs.close()
            stack.callback(process.join)
            stack.callback(ours.close)
            stack.callback(ours.send, None)
            ends.append(ours)
        yield ends


def _work(orders: Connection, database: Database) -> None:
    """What a worker does until it is told nothing any more."""
    gateway = FakeGateway()
    script = postgres.ByHand(database.dsn, gateway)
    with database.open(gateway) as hub:
        sides: dict[str, Side] = {OURS: Library(hub), YARDSTICK: script}
        while task := orders.recv():
            name, baskets = task
            side = sides[name]
            orders.send("ready")
            orders.recv()
            begun = time.monotonic()
            for basket in baskets:
                side.place(side.promise(basket))
            orders.send((begun, time.monotonic()))
    script.close()
