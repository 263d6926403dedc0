"""`ledger`: the money of orders as balanced entries, in a CSV file for accountants."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

from omniorder.cli.opening import add_shop, opened
from omniorder.cli.windows import add_window
from omniorder.domain.actors import System
from omniorder.domain.channels import Channel
from omniorder.exchange.bookkeeping import export_ledger, write_ledger

UNABLE: Final = 2


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "ledger",
        help="write the money of orders as balanced entries",
        description="Export the ledger of all orders, or of one, as CSV: a line per posting, reading only.",
        epilog="Exit code: 0 the file is whole, 2 it could not be written.",
    )
    parser.add_argument("file", metavar="FILE", help="a .csv file, also with .gz; - is standard output")
    add_shop(parser)
    parser.add_argument("--order", metavar="ORDER", help="only this order, such as SOF01-7K3F9Q, from its beginning")
    add_window(parser, of="entries that were made", required=False)
    parser.set_defaults(run=run, unable=UNABLE)


def run(chosen: argparse.Namespace) -> int:
    """0 when the file is whole."""
    to_stdout = chosen.file == "-"
    target = sys.stdout.buffer if to_stdout else Path(chosen.file)
    with opened(chosen) as hub:
        office = hub.at(Channel.SYSTEM, System("ledger"))
        if chosen.order is None:
            count = export_ledger(office, target, since=chosen.since, until=chosen.until)
        else:
            count = write_ledger(office.orders.ledger(chosen.order), target)
    if not to_stdout:
        print(f"{count:,} lines")
    return 0
