"""`measures`: what a store's work came to on a day, or on several, of its own calendar."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from omniorder.cli.opening import add_shop, opened
from omniorder.domain.actors import System
from omniorder.domain.channels import Channel
from omniorder.domain.measures import Measures


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "measures",
        help="tell what a store's day came to",
        description="Tell what a store's work came to: how quick, how complete, how many came.",
    )
    add_shop(parser)
    parser.add_argument("--store", required=True, metavar="STORE", help="the store, such as SOF01")
    parser.add_argument("--day", required=True, type=_day, metavar="DAY", help="by the store's clocks: 2026-11-22")
    parser.add_argument("--last", type=_day, metavar="DAY", help="all days until this one, added up")
    parser.add_argument("--json", action="store_true", help="as one JSON object, times in seconds")
    parser.set_defaults(run=run, unable=1)


def run(chosen: argparse.Namespace) -> int:
    """0 when there is such a store."""
    with opened(chosen) as hub:
        found = hub.at(Channel.SYSTEM, System("operator")).measures(chosen.store, chosen.day, chosen.last)
    told = dict(_told(found))
    if chosen.json:
        print(json.dumps({name: _seconds(value) for name, value in told.items()}))
    else:
        width = max(map(len, told))
        print("\n".join(f"{name:<{width}}  {_shown(value)}" for name, value in told.items()))
    return 0


_COUNTS = (
    *("picked", "ready", "collected", "no_shows", "rests_lapsed", "returned"),
    *("ordered", "short", "proposed", "accepted", "declined"),
)
_TIMES = ("time_to_ready", "slow_to_ready", "waiting_time", "long_wait")
_RATES = ("on_time_rate", "short_rate", "substitution_acceptance", "no_show_rate")


def _told(found: Measures) -> Iterator[tuple[str, int | float | timedelta | None]]:
    return ((name, getattr(found, name)) for name in (*_COUNTS, *_TIMES, *_RATES))


def _seconds(value: float | timedelta | None) -> int | float | None:
    return value.total_seconds() if isinstance(value, timedelta) else value


def _shown(value: float | timedelta | None) -> str:
    match value:
        case None:
            return "-"
        case float():
            return f"{value:.1%}"
        case timedelta():
            return str(timedelta(seconds=round(value.total_seconds())))
        case _:
            return str(value)


def _day(text: str) -> date:
    return date.fromisoformat(text)
