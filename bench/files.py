"""How fast level rows come in from a file, beside a bare COPY of the same file, and what memory it takes.

Each import runs in a process of its own, so that its peak memory is its own. COPY goes into a table like ours, with the
same keys, indexes and checks; *with movements* it fills a copy of the movements too, since an import records them.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from bench.databases import Database, Databases
from omniorder import Article, Channel, OrderHub, Store, System
from omniorder.exchange import import_file
from omniorder.testing import FakeGateway

SKUS: Final = 1_000
"""Articles in each store: as many stores as it takes."""

OURS: Final = "omniorder, new levels"
AGAIN: Final = "omniorder, unchanged levels"
BARE: Final = "COPY"
WITH_MOVEMENTS: Final = "COPY with movements"

_TABLES: Final = """
    DROP TABLE IF EXISTS bare_stock, bare_movement;
    CREATE TABLE bare_stock (LIKE omniorder_stock INCLUDING ALL);
    ALTER TABLE bare_stock ALTER reserved SET DEFAULT 0;
    CREATE TABLE bare_movement (LIKE omniorder_movement INCLUDING ALL);
"""
_LEVELS: Final = "COPY bare_stock (store_id, sku, on_hand, safety) FROM STDIN (FORMAT csv, HEADER)"
_MOVEMENTS: Final = "COPY bare_movement FROM STDIN (FORMAT csv)"
_REST: Final = '2026-11-22 08:00Z,system,system:import,"",import,bench,0\n'
_CHUNK: Final = 1 << 18


def measure(databases: Databases, *, sizes: Sequence[int]) -> dict[str, Any]:
    """Rows per second and peak memory for files of these sizes, smallest first; the ratio is time, COPY = 1."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="omniorder-bench-") as folder:
        for size in sizes:
            database = databases.empty("postgresql")
            path = Path(folder) / f"{size}.csv"
            _prepare(database, path, size)
            told: dict[str, dict[str, float]] = {
                BARE: _copied(database, path, movements=False),
                WITH_MOVEMENTS: _copied(database, path, movements=True),
                OURS: _imported(database, path),
                AGAIN: _imported(database, path),
            }
            bare = told[BARE]["seconds"]
            found[str(size)] = {
                side: {
                    "rows_per_second": round(size / one["seconds"]),
                    "ratio": round(one["seconds"] / bare, 2),
                    "peak_megabytes": round(one.get("megabytes", 0)),
                }
                for side, one in told.items()
            }
    least, most = str(sizes[0]), str(sizes[-1])
    flat = found[most][OURS]["peak_megabytes"] / found[least][OURS]["peak_megabytes"]
    return {"sizes": found, "memory_ratio": round(flat, 2)}


def _prepare(database: Database, path: Path, size: int) -> None:
    """A shop with its stores and articles, and the file of its levels, by store and article."""
    skus = [f"SKU-{n:05}" for n in range(min(size, SKUS))]
    stores = [f"S{n:04}" for n in range(size // len(skus))]
    with database.open(FakeGateway(), migrate=True) as hub:
        office = hub.at(Channel.SYSTEM, System("bench"))
        office.stores.put(*(Store(id, zone="Europe/Sofia", hours="Mo-Sa 08:00-21:00") for id in stores))
        office.articles.put(*(Article(sku, sku) for sku in skus))
    with path.open("w", encoding="ascii") as file:
        file.write("store,sku,on_hand,safety\n")
        for store in stores:
            file.writelines(f"{store},{sku},{5 + n % 90},{n % 4}\n" for n, sku in enumerate(skus))
    database.settle()


def _copied(database: Database, path: Path, *, movements: bool) -> dict[str, float]:
    with closing(database.connect()) as connection:
        connection.execute(_TABLES)
        begun = time.perf_counter()
        with connection.transaction(), connection.cursor() as cursor:
            with cursor.copy(_LEVELS) as copy, path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    copy.write(chunk)
            if movements:
                with cursor.copy(_MOVEMENTS) as copy, path.open(encoding="ascii") as rows:
                    for text in _movements(rows):
                        copy.write(text)
        seconds = time.perf_counter() - begun
        connection.execute("DROP TABLE bare_stock, bare_movement")
    database.settle()
    return {"seconds": seconds}


def _movements(rows: Iterator[str]) -> Iterator[str]:
    """The file's rows as movements, with ids that sort as they are made."""
    next(rows)
    for n, row in enumerate(rows):
        store, sku, on_hand, _ = row.split(",")
        yield f"{store},mov_{store}_{n:026},{sku},count,{on_hand},{_REST}"


def _imported(database: Database, path: Path) -> dict[str, float]:
    child = [sys.executable, "-m", "bench.files", database.url, str(path)]
    done = subprocess.run(child, check=True, stdout=subprocess.PIPE)
    database.settle()
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _import(url: str, path: str) -> dict[str, float]:
    with OrderHub.open(url) as hub:
        office = hub.at(Channel.SYSTEM, System("import"))
        begun = time.perf_counter()
        report = import_file(office, "levels", path)
        seconds = time.perf_counter() - begun
    if report.refused or not report.finished:
        raise RuntimeError(f"{report.refused} rows were refused: {report.first}")
    return {"seconds": seconds, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


if __name__ == "__main__":
    print(json.dumps(_import(*sys.argv[1:])))
