"""`verify`: everything that must always hold, asked of a live database. Reads only, and little at a time.

With a database alone four questions can't be asked: they need the hub's settings, its secret, or what its payment
provider has on file. It says so.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final

from omniorder.cli.opening import add_shop, opened
from omniorder.ports.inspection import Inspection
from omniorder.services.hub import OrderHub
from omniorder.testing.invariants import INVARIANTS, Broken, Invariant, examine, nothing_stays_unknown, viewing

HOLDS: Final = 0
BROKEN: Final = 1
UNABLE: Final = 2

_ALL: Final = (*INVARIANTS, nothing_stays_unknown)
_ASK_THE_HUB: Final = (
    "codes_are_stored_nowhere", "nothing_stays_unknown", "the_provider_agrees", "wrong_codes_are_limited",
)  # fmt: skip
"""What a database alone can't answer."""

OnProgress = Callable[[str, int], None]


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "verify",
        help="check that everything adds up: stock, money, orders, journal",
        description="Check all invariants in one state of a live database, reading only.",
        epilog="Exit code: 0 everything holds, 1 something does not, 2 it could not be checked.",
    )
    add_shop(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object per invariant and line")
    parser.set_defaults(run=run, unable=UNABLE)


def run(chosen: argparse.Namespace) -> int:
    """0 when everything holds, 1 when something does not."""
    asked = [one for one in _ALL if chosen.hub is not None or one.name not in _ASK_THE_HUB]
    with opened(chosen) as hub:
        broken = {one.name: one for one in _examined(hub, asked)}
    for one in _ALL:
        answer = _as_json if chosen.json else _as_text
        print(answer(one, broken.get(one.name), asked=one in asked))
    if not chosen.json:
        left = len(_ALL) - len(asked)
        skipped = f", {left} not asked (they need --hub)" if left else ""
        print(f"\n{len(asked) - len(broken)} hold, {len(broken)} broken{skipped}")
    return BROKEN if broken else HOLDS


def _examined(hub: OrderHub, asked: list[Invariant]) -> tuple[Broken, ...]:
    with viewing(hub) as view, _progress(view.everything) as on_progress:
        return examine(view, asked, on_progress=on_progress)


def _as_text(one: Invariant, broken: Broken | None, *, asked: bool) -> str:
    if not asked:
        return f"-       {one.name}"
    return f"BROKEN  {broken}" if broken else f"ok      {one.name}"


def _as_json(one: Invariant, broken: Broken | None, *, asked: bool) -> str:
    rows, count = (broken.rows, broken.count) if broken else ((), 0)
    told = {"invariant": one.name, "claim": one.claim, "holds": broken is None if asked else None}
    return json.dumps(told | {"count": count, "rows": rows}, ensure_ascii=False)


@contextmanager
def _progress(everything: Inspection) -> Generator[OnProgress]:
    """A bar on a terminal, and a line per table elsewhere; on standard error, beside the answer."""
    if not sys.stderr.isatty():
        yield _line
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        yield _line
        return
    columns = (TextColumn("{task.description:<40}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=sum(everything.sizes().values()))

        def move(table: str, rows: int) -> None:
            bar.update(task, description=table, advance=rows)

        yield move


def _line(table: str, rows: int) -> None:
    if not rows:
        print(f"reading {table}", file=sys.stderr)
