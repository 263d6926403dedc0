"""A flash sale: everybody wants the same article in the same store.

The script by hand is the guarded UPDATE of one row, by as many processes, since Python runs one thread at a time. Its
clients wait for each other at the row until the commit before theirs is on disk; so it is measured on this disk, and
with commits that take some milliseconds, as over a network to a disk or to a standby.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, closing
from typing import Any, Final

from bench.databases import Database
from bench.reserving import Arrangement, Goods, clients, delayed, fill, quartiles

HOT: Final = Goods(stores=1, skus=1, lines=1)
YARDSTICK: Final = "by hand, pipelined"
SLOW: Final = 4_000
"""Microseconds that a commit waits more, on a slow disk."""


def arrangements(count: int) -> Mapping[str, Arrangement]:
    """Ways of having `count` clients, by name."""
    half = max(1, count // 2)
    return {
        YARDSTICK: Arrangement(count, 1, "pipelined"),
        "by hand, statement by statement": Arrangement(count, 1, "statement by statement"),
        f"by hand, pipelined, 1 process of {count} threads": Arrangement(1, count, "pipelined"),
        f"omniorder, 1 process of {count} threads": Arrangement(1, count),
        f"omniorder, 2 processes of {half} threads": Arrangement(2, half),
        f"omniorder, 1 process of {count} threads, group_commit=1": Arrangement(1, count, group_commit=1),
        f"omniorder, {count} processes": Arrangement(count, 1),
    }


def measure(database: Database, *, clients: int, seconds: float, rounds: int) -> dict[str, Any]:
    """Reservations per second by way and disk, and how many times those of the script."""
    fill(database, HOT)
    disks = {"this disk": 0}
    if _may_delay(database):
        disks[f"commits that take {SLOW / 1000:.0f} ms more"] = SLOW
    return {
        "clients": clients,
        "disks": {name: _measured(database, delay, clients, seconds, rounds) for name, delay in disks.items()},
    }


def _measured(database: Database, delay: int, count: int, seconds: float, rounds: int) -> dict[str, Any]:
    speeds: dict[str, list[float]] = {}
    with ExitStack() as stack:
        url = delayed(database.url, delay)
        ways = {name: stack.enter_context(clients(one, url)) for name, one in arrangements(count).items()}
        names = list(ways)
        for turn in range(rounds + 1):
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                speed = ways[name].run(HOT, seconds)
                if turn:  # the first turn warms up
                    speeds.setdefault(name, []).append(speed)
                _tidy(database)
    return {name: _told(all_, speeds[YARDSTICK]) for name, all_ in speeds.items()}


def _told(speeds: list[float], yardstick: list[float]) -> dict[str, Any]:
    low, middle, high = quartiles([ours / theirs for ours, theirs in zip(speeds, yardstick, strict=True)])
    return {
        "per_second": round(quartiles(speeds)[1]),
        "times_by_hand": round(middle, 2),
        "quartiles": [round(low, 2), round(high, 2)],
    }


def _tidy(database: Database) -> None:
    """Let nobody pay for the versions of the row that the one before has left."""
    with closing(database.connect()) as connection:
        connection.execute("VACUUM omniorder_stock")


def _may_delay(database: Database) -> bool:
    """Whether we may set what only a superuser may."""
    with closing(database.connect()) as connection:
        return bool(connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()[0])
