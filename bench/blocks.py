"""Measuring in turns: a block of one, a block of the other, and again, so that the machine's moods reach all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from bench.shop import Basket


class Side(Protocol):
    """One way of turning baskets into confirmed orders."""

    def promise(self, basket: Basket) -> Any:
        """Hold it; what is handed back is what `place` needs."""
        ...

    def place(self, promised: Any) -> object:
        """Order it, pay, and record how that went."""
        ...


class Times:
    """How long each order of one side took, in seconds: promise and place, block by block."""

    def __init__(self) -> None:
        self.promise: Final[list[float]] = []
        self.place: Final[list[float]] = []
        self.blocks: Final[list[float]] = []
        self.busy: Final[list[float]] = []

    def run(self, side: Side, baskets: Sequence[Basket]) -> None:
        """Order these baskets as one block."""
        clock = time.perf_counter
        begun, busy = clock(), time.thread_time()
        for basket in baskets:
            start = clock()
            promised = side.promise(basket)
            between = clock()
            side.place(promised)
            end = clock()
            self.promise.append(between - start)
            self.place.append(end - between)
        self.blocks.append((clock() - begun) / len(baskets))
        self.busy.append((time.thread_time() - busy) / len(baskets))

    def told(self) -> dict[str, Any]:
        """Orders per second from the median block; milliseconds per command.

        What is not this thread's own CPU time is waiting: for the database, or for a processor that is free.
        """
        per_order = statistics.median(self.blocks)
        return {
            "orders_per_second": round(1 / per_order, 1),
            "ms_per_order": round(per_order * 1000, 3),
            "ms_of_our_cpu": round(statistics.median(self.busy) * 1000, 3),
            "promise_ms": _quantiles(self.promise),
            "place_ms": _quantiles(self.place),
        }


def in_turns(
    sides: Mapping[str, Side], baskets: Callable[[str, int], Sequence[Basket]], *, orders: int, block: int
) -> dict[str, Times]:
    """Let each side place so many orders, in blocks by turns; each round begins with another one.

    `baskets` makes so many for the side of this name, outside the clock.
    """
    for name, side in sides.items():
        Times().run(side, baskets(name, block))
    times = {name: Times() for name in sides}
    names = list(sides)
    for turn in range(max(1, orders // block)):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            times[name].run(sides[name], baskets(name, block))
    return times


def ratio(ours: Times, theirs: Times) -> dict[str, Any]:
    """How many times as long ours took: the median of the blocks' ratios, and their quartiles."""
    ratios = [a / b for a, b in zip(ours.blocks, theirs.blocks, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return {"median": round(middle, 2), "quartiles": [round(low, 2), round(high, 2)]}


def _quantiles(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        f"p{percent}": round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1000, 3)
        for percent in (50, 99)
    }
