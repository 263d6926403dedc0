"""What an order costs when there are many already.

A database per size, filled with copies of a real order (see `scene`) and analysed; then all sizes take turns, so
that they can be compared with one another. Stock levels and slots are the same everywhere.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from bench.blocks import Side, in_turns, ratio
from bench.databases import Databases, Name
from bench.orders import OURS, YARDSTICK, both
from bench.scene import Scene, opened


def measure(databases: Databases, name: Name, *, sizes: Sequence[int], orders: int, block: int) -> dict[str, Any]:
    """Milliseconds per order among so many existing ones, for both sides, and the ratio to the fewest."""
    with ExitStack() as stack:
        scenes: dict[str, Scene] = {}
        sides: dict[str, Side] = {}
        filled: dict[str, float] = {}
        for size in sizes:
            scene = stack.enter_context(opened(databases.empty(name)))
            begun = time.perf_counter()
            scene.grow(size)
            filled[str(size)] = round(time.perf_counter() - begun, 1)
            for side, who in stack.enter_context(both(scene)).items():
                sides[f"{size} {side}"] = who
                scenes[f"{size} {side}"] = scene
        times = in_turns(sides, lambda name, count: scenes[name].baskets(count), orders=orders, block=block)
    fewest = sizes[0]
    return {
        "orders": len(times[f"{fewest} {OURS}"].promise),
        "seconds_to_fill": filled,
        "sizes": {
            str(size): {
                side: {
                    "ms_per_order": times[f"{size} {side}"].told()["ms_per_order"],
                    "ratio": ratio(times[f"{size} {side}"], times[f"{fewest} {side}"])["median"],
                }
                for side in (OURS, YARDSTICK)
            }
            for size in sizes
        },
    }
