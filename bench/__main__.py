"""How fast omniorder is: JSON on standard output, progress and tables on standard error."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from attrs import evolve, frozen

from bench import (
    files,
    growth,
    hot,
    imports,
    memory,
    offers,
    orders,
    profile,
    tables,
    transitions,
    webhooks,
    wide,
    workers,
)
from bench.databases import NAMES, Databases, Name, databases

PARTS: Final = (
    "orders", "offers", "growth", "workers", "hot", "wide", "profile", "imports", "transitions", "memory", "files",
    "webhooks",
)  # fmt: skip


@frozen
class Sizes:
    """How much is measured."""

    orders: int
    block: int
    existing: tuple[int, ...]
    workers: int
    rounds: int
    clients: int
    seconds: float
    levels: tuple[int, int]
    """Stores, and articles at each of them."""
    files: tuple[int, ...]
    stores: int = 500
    lines: int = 50


FULL: Final = Sizes(
    orders=1_000, block=25, existing=(1_000, 10_000, 100_000), workers=8, rounds=12, clients=16, seconds=1.0,
    levels=(50, 10_000), files=(100_000, 1_000_000),
)  # fmt: skip
QUICK: Final = Sizes(
    orders=4, block=2, existing=(10, 20), workers=2, rounds=1, clients=2, seconds=0.05, levels=(2, 10),
    files=(100, 1_000), stores=30, lines=5,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for, or bring the page's tables up to date; see `--help`."""
    args = _parser().parse_args(arguments)
    if args.part == "table":
        return _table(check=args.check)
    sizes = QUICK if args.quick else FULL
    if args.orders:
        sizes = evolve(sizes, orders=args.orders, block=min(sizes.block, args.orders))
    found: dict[str, Any] = {"machine": {}}
    with databases(args.postgres) as made:
        for part in PARTS if args.part == "all" else (args.part,):
            found[part] = _measured(part, sizes, made, args.database)
        found["machine"] = {"computer": _computer(), **made.facts}
    text = json.dumps(found, indent=2) + "\n"
    sys.stdout.write(text)
    sys.stderr.write(tables.markdown(found))
    if args.page:
        tables.DATA.write_text(text)
        return _table()
    return 0


def _measured(part: str, sizes: Sizes, made: Databases, names: Sequence[Name] | None) -> Mapping[str, Any]:
    some, few, block, existing = sizes.orders, max(sizes.orders // 2, sizes.block), sizes.block, sizes.existing[0]
    once: dict[str, Callable[[], Mapping[str, Any]]] = {
        "workers": lambda: workers.measure(
            made.empty("postgresql"), existing=existing, workers=sizes.workers, orders=block * sizes.workers,
            rounds=max(1, sizes.rounds // 3),
        ),
        "offers": lambda: offers.measure(
            made.empty("postgresql"), stores=sizes.stores, lines=sizes.lines, rounds=sizes.rounds
        ),
        "hot": lambda: hot.measure(
            made.empty("postgresql"), clients=sizes.clients, seconds=sizes.seconds, rounds=sizes.rounds
        ),
        "wide": lambda: wide.measure(
            made.empty("postgresql"), stores=sizes.levels[0], skus=sizes.levels[1], reservations=some, block=block,
        ),
        "webhooks": lambda: webhooks.measure(made.empty("postgresql"), webhooks=some, block=block),
        "imports": lambda: imports.measure(rounds=sizes.rounds),
        "transitions": lambda: transitions.measure(lives=some * 10),
        "memory": lambda: memory.measure(orders=some * 10),
        "files": lambda: files.measure(made, sizes=sizes.files),
    }  # fmt: skip
    each: dict[str, tuple[Sequence[Name], Callable[[Name], Mapping[str, Any]]]] = {
        "orders": (
            NAMES,
            lambda name: orders.measure(made.empty(name), existing=existing, orders=some, block=block),
        ),
        "growth": (
            ("postgresql", "sqlite"),
            lambda name: growth.measure(made, name, sizes=sizes.existing, orders=few, block=block),
        ),
        "profile": (
            ("postgresql", "sqlite"),
            lambda name: profile.measure(made.empty(name), existing=existing, orders=some, block=block),
        ),
    }
    if part in once:
        return _timed(part, once[part])
    usual, measure = each[part]
    return {name: _timed(f"{part} on {name}", partial(measure, name)) for name in names or usual}


def _computer() -> Mapping[str, Any]:
    return {
        "processors": os.cpu_count(),
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "measured": datetime.now(UTC).date().isoformat(),
    }


def _timed(what: str, measure: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    sys.stderr.write(f"{what} ... ")
    sys.stderr.flush()
    begun = time.perf_counter()
    found = measure()
    sys.stderr.write(f"{time.perf_counter() - begun:.0f} s\n")
    return found


def _table(*, check: bool = False) -> int:
    """Put the tables of docs/speed.json into docs/speed.md, or say (1) that they differ."""
    before = tables.PAGE.read_text()
    after = tables.page(before, json.loads(tables.DATA.read_text()))
    if not check:
        tables.PAGE.write_text(after)
    elif after != before:
        sys.stderr.write(f"{tables.PAGE.name} differs from {tables.DATA.name}: run python -m bench table\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "part",
        nargs="?",
        default="all",
        choices=["all", *PARTS, "table"],
        help="what to measure, everything by default; or `table`, which writes docs/speed.md from docs/speed.json",
    )
    parser.add_argument("--database", action="append", choices=NAMES, help="only on this one; may be repeated")
    parser.add_argument("--orders", type=int, metavar="N", help="orders per side (1,000)")
    parser.add_argument("--quick", action="store_true", help="a minute rather than many, only to see that it runs")
    parser.add_argument("--postgres", metavar="URL", help="a server on which to make databases; else one of our own")
    parser.add_argument("--page", action="store_true", help="keep the result in docs/speed.json and docs/speed.md")
    parser.add_argument("--check", action="store_true", help="with `table`: write nothing, exit with 1 if it differs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
