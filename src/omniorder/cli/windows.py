"""From when until when a command looks: `--since` and `--until`."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from omniorder.domain.instants import instant
from omniorder.errors import InvalidInstant


def add_window(parser: argparse.ArgumentParser, *, of: str, required: bool) -> None:
    """Let a command be given a window; `of` says which instants count."""
    written = "such as 2026-11-22 (midnight in UTC) or 2026-11-22T08:00:00+02:00"
    parser.add_argument("--since", metavar="WHEN", type=_when, required=required, help=f"{of} since then, {written}")
    parser.add_argument("--until", metavar="WHEN", type=_when, help="and before then (default now)")


def _when(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        return instant(found.replace(tzinfo=UTC) if len(text) == len("2026-11-22") else found, "when")
    except (ValueError, InvalidInstant):
        raise argparse.ArgumentTypeError(f"{text!r} must be a date, or an instant with its offset") from None
