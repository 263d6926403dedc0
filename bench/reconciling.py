"""How fast payments are compared with a provider's list, beside one statement by hand, and what memory that takes.

The list is a file of the payments that are there. By hand it is copied into a table and joined with ours, which says
how many differ in their sums, and nothing else. The library also reads each order with its attempts, to say what
differs and what to do. It runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bench.databases import Database, Databases
from bench.scene import opened
from omniorder import Money, OrderHub
from omniorder.ports.payments import Listed
from omniorder.testing import FakeClock, FakeGateway

OURS: Final = "omniorder"
YARDSTICK: Final = "COPY and join by hand"

_LIST: Final = """
COPY (
    SELECT 'pi_' || row_number() OVER (ORDER BY id), id, created_at, currency, authorised, captured, refunded,
        authorised - captured
    FROM omniorder_payment
) TO STDOUT (FORMAT csv)
"""
_TABLE: Final = """
CREATE TEMPORARY TABLE listed (
    provider_id text PRIMARY KEY, payment text, created_at timestamptz, currency text, authorised bigint,
    captured bigint, refunded bigint, open bigint
)
"""
_JOINED: Final = """
SELECT count(*) FROM listed l FULL JOIN omniorder_payment p ON p.id = l.payment
WHERE p.id IS NULL OR l.payment IS NULL OR p.captured <> l.captured OR p.refunded <> l.refunded
    OR p.authorised - p.captured <> l.open
"""
_CHUNK: Final = 1 << 18


def measure(databases: Databases, *, sizes: Sequence[int]) -> dict[str, Any]:
    """Payments per second and peak memory for so many payments, fewest first; the ratio is time, by hand = 1."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="omniorder-bench-") as folder:
        for size in sizes:
            database = databases.empty("postgresql")
            path = Path(folder) / f"{size}.csv"
            with opened(database) as scene:
                scene.grow(size)
            _write_list(database, path)
            told = {
                YARDSTICK: _by_hand(database, path),
                OURS: _in_a_process(database, path),
            }
            found[str(size)] = {
                side: {
                    "payments_per_second": round(size / one["seconds"]),
                    "ratio": round(one["seconds"] / told[YARDSTICK]["seconds"], 2),
                    "peak_megabytes": round(one.get("megabytes", 0)),
                }
                for side, one in told.items()
            }
    least, most = str(sizes[0]), str(sizes[-1])
    flat = found[most][OURS]["peak_megabytes"] / found[least][OURS]["peak_megabytes"]
    return {"sizes": found, "memory_ratio": round(flat, 2)}


def _write_list(database: Database, path: Path) -> None:
    with (
        closing(database.connect()) as connection,
        connection.cursor() as cursor,
        path.open("wb") as file,
        cursor.copy(_LIST) as rows,
    ):
        file.writelines(rows)


def _by_hand(database: Database, path: Path) -> dict[str, float]:
    with closing(database.connect()) as connection, connection.cursor() as cursor:
        begun = time.perf_counter()
        cursor.execute(_TABLE)
        with cursor.copy("COPY listed FROM STDIN (FORMAT csv)") as copy, path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                copy.write(chunk)
        cursor.execute("ANALYZE listed")
        differ = cursor.execute(_JOINED).fetchone()
        seconds = time.perf_counter() - begun
    if differ is None or differ[0]:
        raise RuntimeError(f"{differ} payments differ")
    return {"seconds": seconds}


def _in_a_process(database: Database, path: Path) -> dict[str, float]:
    child = [sys.executable, "-m", "bench.reconciling", database.url, str(path)]
    done = subprocess.run(child, check=True, stdout=subprocess.PIPE)
    told: dict[str, float] = json.loads(done.stdout)
    return told


# --- in a process of its own ------------------------------------------------------------------------------


class FromFile(FakeGateway):
    """A provider that lists what stands in a file."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path: Final = path

    def listed(self, since: datetime, until: datetime) -> Iterator[Listed]:
        """See `ListingGateway`."""
        with Path(self._path).open(newline="", encoding="ascii") as file:
            for provider_id, payment, created_at, currency, *amounts in csv.reader(file):
                money = (Money(int(amount), currency) for amount in amounts)
                yield Listed(provider_id, payment, datetime.fromisoformat(created_at).astimezone(UTC), *money)


def _reconcile(url: str, path: str) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)  # when nothing is in motion any more
    with OrderHub.open(url, gateways={"card": FromFile(path)}, clock=FakeClock(tomorrow)) as hub:
        report = hub.reconcile("card", since=tomorrow - timedelta(days=2))
        if found := list(report):
            raise RuntimeError(f"{len(found)} payments differ: {found[0]}")
        if report.totals.agreed != report.totals.listed:
            raise RuntimeError(f"not all were compared: {report.totals}")


def _peak_megabytes() -> float:
    """Of this process alone: what `getrusage` says begins with its parent's."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024


def _child(url: str, path: str) -> dict[str, float]:
    begun = time.perf_counter()
    _reconcile(url, path)
    return {"seconds": time.perf_counter() - begun, "megabytes": _peak_megabytes()}


if __name__ == "__main__":
    print(json.dumps(_child(*sys.argv[1:])))
