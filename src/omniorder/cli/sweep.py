"""`sweep`: the worker that does what time asks for, until it is told to stop.

It runs the retailer's own hub, since finishing a payment takes their gateways. Stopped in the middle of a batch it
finishes the timer in hand, gives the rest back to other workers, closes the hub and exits with 0.
"""

from __future__ import annotations

import argparse
import logging
import math
import random
from collections.abc import Mapping
from typing import Any, Final

from omniorder.cli.opening import find_hub
from omniorder.cli.stopping import Stop, stopped_by_signals
from omniorder.errors import SchemaOutdated, StorageFault
from omniorder.services.hub import OrderHub
from omniorder.services.sweeps import SweepReport

LONGEST_PAUSE: Final = 60.0
"""Seconds between two tries while the database is away."""

_LOGGER = logging.getLogger("omniorder.worker")


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "sweep",
        help="do what time asks for: lapsed promises, no-shows, unfinished payments, messages",
        description="Sweep every few seconds until SIGTERM or SIGINT. Any number of workers may run.",
    )
    parser.add_argument("--hub", metavar="MODULE:HUB", required=True, help="such as shop.orders:hub")
    parser.add_argument("--every", metavar="SECONDS", type=_seconds, default=2.0, help="pause when idle (default 2)")
    parser.add_argument("--limit", metavar="N", type=_count, default=100, help="timers per sweep (default 100)")
    parser.add_argument("--once", action="store_true", help="do what is due now and exit; 1 when some of it failed")
    parser.set_defaults(run=run, unable=1)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError("must be more than 0 and at most 3600 seconds")
    return seconds


def _count(text: str) -> int:
    count = int(text) if text.isascii() and text.isdigit() else 0
    if not 0 < count <= 10_000:
        raise argparse.ArgumentTypeError("must be from 1 to 10000")
    return count


def run(chosen: argparse.Namespace) -> int:
    """0 when it was stopped or (once) all went well, 1 when (once) something failed."""
    stop = Stop()
    with stopped_by_signals(stop):
        hub = find_hub(chosen.hub)
        _log_to_stderr()
        with hub:
            if chosen.once:
                return _all_that_is_due(hub, chosen.limit, stop)
            until_stopped(hub, chosen.limit, chosen.every, stop)
    return 0


def _all_that_is_due(hub: OrderHub, limit: int, stop: Stop) -> int:
    failed = False
    while not stop():
        report = hub.sweep(limit, stop=stop)
        _tell(report)
        failed = failed or bool(report.failed)
        if not report.more:
            break
    return 1 if failed else 0


def until_stopped(hub: OrderHub, limit: int, every: float, stop: Stop) -> None:
    """Sweep, rest, and sweep again; while the database is away, rest longer each time."""
    misses = 0
    while not stop():
        try:
            report = hub.sweep(limit, stop=stop)
        except SchemaOutdated:
            raise
        except StorageFault as fault:
            misses += 1
            pause = min(every * 2**misses, LONGEST_PAUSE) * random.uniform(0.5, 1)
            _LOGGER.warning("%s: %s; next try in %.1f s", fault.code, fault, pause)
            stop.rest(pause)
            continue
        misses = 0
        _tell(report)
        if not report.more:
            stop.rest(every)


def _tell(report: SweepReport) -> None:
    parts = [_counted(report.happened)] if report.happened else []
    if report.notified:
        parts.append(f"{report.notified} messages")
    if report.failed:
        parts.append(f"failed: {_counted(report.failed)}")
    if parts:
        _LOGGER.info("swept %s: %s", report.looked, "; ".join(parts))


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _log_to_stderr() -> None:
    """Unless the application has said where its logs go. Of the library itself, only what went wrong."""
    handler = logging.StreamHandler()
    handler.setFormatter(_WithFacts("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    if not _LOGGER.isEnabledFor(logging.INFO):
        _LOGGER.setLevel(logging.INFO)


_OF_EVERY_RECORD: Final = vars(logging.makeLogRecord({})).keys() | {"message", "asctime", "exc_text"}


class _WithFacts(logging.Formatter):
    """Shows what the library puts on a record beside its message: which order, which error."""

    def format(self, record: logging.LogRecord) -> str:
        line, newline, trace = super().format(record).partition("\n")
        facts = (f" {name}={value}" for name, value in vars(record).items() if name not in _OF_EVERY_RECORD)
        return "".join((line, *facts, newline, trace))
