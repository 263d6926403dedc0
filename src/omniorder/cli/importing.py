"""`import`: bring stores, articles, prices or levels from a file into the database.

The summary goes to standard output; progress and the first refusals to standard error; every refusal into a file.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from omniorder.cli.opening import add_shop, opened
from omniorder.cli.stopping import Stop, stopped_by_signals
from omniorder.domain.actors import System
from omniorder.domain.channels import Channel
from omniorder.domain.imports import Import, ImportKind, Refusal
from omniorder.exchange.files import Format
from omniorder.exchange.importing import BATCH, MOST_BATCH, ImportReport, import_file
from omniorder.exchange.reports import lines_of

ALL_TAKEN: Final = 0
SOME_REFUSED: Final = 1
UNABLE: Final = 2

EVERY: Final = 10.0
"""Seconds between two lines of progress where there is no terminal."""

OnProgress = Callable[[Import], object]


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "import",
        help="bring in stores, articles, prices or levels from CSV or JSON Lines",
        description="Import a file. Rows that can't be taken are refused one by one and reported.",
        epilog="Exit code: 0 every row was taken, 1 some were refused, 2 it could not run or was stopped.",
    )
    parser.add_argument("kind", choices=[one.value for one in ImportKind], help="what the rows are")
    parser.add_argument("file", metavar="FILE", help="a .csv or .jsonl file, also with .gz; - is standard input")
    add_shop(parser)
    parser.add_argument("--format", choices=[one.value for one in Format], help="where the name doesn't say it")
    parser.add_argument("--delimiter", metavar="CHARACTER", default=",", help="between the cells of CSV (default ,)")
    parser.add_argument(
        "--errors", metavar="FILE", help="where refused rows are reported (default FILE.errors.csv, or standard error)"
    )
    parser.add_argument("--dry-run", action="store_true", help="judge every row and write nothing")
    parser.add_argument("--strict", action="store_true", help="take nothing when a row is refused")
    parser.add_argument("--resume", action="store_true", help="go on where an earlier run of the same file stopped")
    parser.add_argument("--id", help="what the import is remembered as (default: the kind and what is in the file)")
    parser.add_argument(
        "--batch", metavar="N", type=_count, default=BATCH, help=f"rows in one transaction (default {BATCH})"
    )
    parser.add_argument("--json", action="store_true", help="the summary as a JSON object")
    parser.set_defaults(run=run, unable=UNABLE)


def _count(text: str) -> int:
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    if not 0 < count <= MOST_BATCH:
        raise argparse.ArgumentTypeError(f"must be from 1 to {MOST_BATCH}")
    return count


def run(chosen: argparse.Namespace) -> int:
    """0 when every row was taken, 1 when some were refused, 2 when it was stopped."""
    path = None if chosen.file == "-" else Path(chosen.file)
    errors = chosen.errors or (f"{chosen.file}.errors.csv" if path else _OnStderr())
    stop = Stop()
    with stopped_by_signals(stop), opened(chosen, to_write=True) as hub, _progress(chosen.kind, path) as on_progress:
        report = import_file(
            hub.at(Channel.SYSTEM, System("import")),
            chosen.kind,
            sys.stdin.buffer if path is None else path,
            id=chosen.id,
            format=chosen.format,
            delimiter=chosen.delimiter,
            errors=errors,
            batch=chosen.batch,
            resume=chosen.resume,
            dry_run=chosen.dry_run,
            strict=chosen.strict,
            stop=stop,
            on_progress=on_progress,
        )
    if path is not None or chosen.errors:
        _show(report.first, report.refused)
    print(_as_json(report) if chosen.json else _as_text(report, errors if isinstance(errors, str) else None))
    if not report.finished:
        return UNABLE
    return SOME_REFUSED if report.refused else ALL_TAKEN


class _OnStderr:
    """The report of a stream that has no place of its own."""

    def tell(self, refusals: Iterable[Refusal]) -> None:
        sys.stderr.write(lines_of(refusals))


def _show(first: tuple[Refusal, ...], refused: int) -> None:
    for one in first:
        place = f"line {one.line}" + (f", {one.column}" if one.column else "")
        got = f" (got {one.value})" if one.value else ""
        print(f"{place}: {one.code}: {one.message}{got}", file=sys.stderr)
    if first and refused > len(first):
        print(f"... and {refused - len(first):,} more", file=sys.stderr)


def _as_text(report: ImportReport, errors: str | None) -> str:
    told = f"{report.id}: {report.taken:,} rows {'would be ' if report.dry else ''}taken, {report.refused:,} refused"
    if report.refused and errors:
        told += f" (see {errors})"
    if report.already:
        return f"{told}; it had finished before, and nothing was done"
    return told if report.finished else f"{told}; stopped before the end, and --resume goes on from there"


def _as_json(report: ImportReport) -> str:
    names = ("id", "taken", "refused", "finished", "already", "dry")
    return json.dumps({"kind": report.kind.value} | {name: getattr(report, name) for name in names})


@contextmanager
def _progress(kind: str, path: Path | None) -> Generator[OnProgress]:
    """A bar on a terminal, and a line every few seconds elsewhere; on standard error, beside the summary."""
    if not sys.stderr.isatty():
        yield _Lines(kind).told
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        yield _Lines(kind).told
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[taken]:,} taken, {task.fields[refused]:,} refused"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(kind, total=_bytes(path), taken=0, refused=0)

        def move(state: Import) -> None:
            bar.update(task, completed=state.offset, taken=state.taken, refused=state.refused)

        yield move


def _bytes(path: Path | None) -> int | None:
    """How long the file is, where that says how far reading has come."""
    return path.stat().st_size if path is not None and path.suffix != ".gz" and path.is_file() else None


class _Lines:
    """Says how far it has come, not too often."""

    def __init__(self, kind: str) -> None:
        self._kind: Final = kind
        self._due = time.monotonic() + EVERY

    def told(self, state: Import) -> None:
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + EVERY
            counts = f"{state.taken:,} taken, {state.refused:,} refused"
            print(f"{self._kind}: line {state.line:,}, {counts}", file=sys.stderr)
