"""An ordinary day: reservations of three articles out of ten thousand, at one of fifty stores."""

from __future__ import annotations

import random
import statistics
import time
from contextlib import closing
from typing import Any, Final

from bench.by_hand.reserving import Reserving
from bench.databases import Database
from bench.reserving import Goods, Library, Reserves, fill, quartiles
from omniorder.adapters.sql import connect

LINES: Final = 3
OURS: Final = "omniorder"
YARDSTICK: Final = "by hand, pipelined"
PLAIN: Final = "by hand, statement by statement"


def measure(database: Database, *, stores: int, skus: int, reservations: int, block: int) -> dict[str, Any]:
    """Milliseconds per reservation of either side, in turns, and the ratio to the script."""
    goods = Goods(stores, skus, LINES)
    fill(database, goods)
    storage = connect(database.url)
    with (
        closing(storage),
        closing(Reserving(database.dsn)) as pipelined,
        closing(Reserving(database.dsn, "statement by statement")) as plain,
    ):
        sides: dict[str, Reserves] = {OURS: Library(storage), YARDSTICK: pipelined, PLAIN: plain}
        chance = random.Random(1)
        for side in sides.values():
            _block(side, goods, chance, block)
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        names = list(sides)
        for turn in range(max(1, reservations // block)):
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                times[name].append(_block(sides[name], goods, chance, block))
    return {
        "stores": stores,
        "skus": skus,
        "lines": LINES,
        "sides": {name: _told(blocks, times[YARDSTICK]) for name, blocks in times.items()},
    }


def _block(side: Reserves, goods: Goods, chance: random.Random, count: int) -> tuple[float, float]:
    """Reserve so often; how long each took, and how much of our processor's time, in seconds."""
    wanted = [goods.drawn(chance) for _ in range(count)]
    begun, busy = time.perf_counter(), time.thread_time()
    for store, skus in wanted:
        side.reserve(store, skus)
    return (time.perf_counter() - begun) / count, (time.thread_time() - busy) / count


def _told(blocks: list[tuple[float, float]], yardstick: list[tuple[float, float]]) -> dict[str, Any]:
    ratios = [ours[0] / theirs[0] for ours, theirs in zip(blocks, yardstick, strict=True)]
    low, middle, high = quartiles(ratios)
    return {
        "ms": round(statistics.median(block[0] for block in blocks) * 1000, 3),
        "ms_of_our_cpu": round(statistics.median(block[1] for block in blocks) * 1000, 3),
        "ratio": round(middle, 2),
        "quartiles": [round(low, 2), round(high, 2)],
    }
