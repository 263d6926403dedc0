"""Statements and round trips per command, counted where they pass and not where they are written."""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from sqlite3 import dbapi2
from typing import Any, Final
from unittest.mock import patch

from bench import line
from bench.blocks import Side
from bench.scene import Scene

DELAY: Final = 0.02
"""Seconds that an answer takes on the long line on which round trips are counted."""

COMMANDS: Final = ("promise", "place")

Opened = Callable[[str | None], AbstractContextManager[Side]]
"""Opens a side on the scene's own database, or on the same one behind another URL."""


def counts(scene: Scene, sides: dict[str, Opened]) -> dict[str, dict[str, dict[str, int]]]:
    """By side and command: `statements`, BEGIN and COMMIT among them; on PostgreSQL also the waits for its answers."""
    count = _on_postgres if scene.database.name == "postgresql" else _on_sqlite
    return {name: count(scene, opened) for name, opened in sides.items()}


def _on_postgres(scene: Scene, opened: Opened) -> dict[str, dict[str, int]]:
    with line.opened(scene.database.dsn) as meter, opened(meter.url) as side:

        def read() -> Sequence[float]:
            return meter.statements, meter.synchronisations, time.perf_counter()

        _by_command(side, scene, read, 8)  # until everything is prepared
        near = _by_command(side, scene, read, 9)
        meter.delay = DELAY
        far = _by_command(side, scene, read, 3)
    return {
        command: {
            "statements": round(near[command][0]),
            "synchronisations": round(near[command][1]),
            "round_trips": round((far[command][2] - near[command][2]) / DELAY),
        }
        for command in COMMANDS
    }


def _on_sqlite(scene: Scene, opened: Opened) -> dict[str, dict[str, int]]:
    with _traced() as seen, opened(None) as side:
        _by_command(side, scene, lambda: (len(seen),), 1)  # what comes once, when a connection is opened
        found = _by_command(side, scene, lambda: (len(seen),), 3)
    return {command: {"statements": round(found[command][0])} for command in COMMANDS}


@contextmanager
def _traced() -> Generator[list[str]]:
    """Every statement that is run on an SQLite connection that is opened from now on."""
    seen: list[str] = []
    connect = dbapi2.connect

    def traced(*args: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)
        connection.set_trace_callback(seen.append)
        return connection

    with patch("sqlite3.dbapi2.connect", traced), patch("sqlite3.connect", traced):
        yield seen


def _by_command(side: Side, scene: Scene, meter: Callable[[], Sequence[float]], count: int) -> dict[str, list[float]]:
    """How far each command moves the meter: the median of some orders."""
    moves: dict[str, list[Sequence[float]]] = {command: [] for command in COMMANDS}
    for basket in scene.baskets(count):
        readings = [meter()]
        promised = side.promise(basket)
        readings.append(meter())
        side.place(promised)
        readings.append(meter())
        for command, before, after in zip(COMMANDS, readings, readings[1:], strict=False):
            moves[command].append([b - a for a, b in zip(before, after, strict=True)])
    return {command: [statistics.median(one) for one in zip(*all, strict=True)] for command, all in moves.items()}
