"""`export`: write stores, articles, prices or levels into a file that `import` reads."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

from omniorder.cli.opening import add_shop, opened
from omniorder.domain.actors import System
from omniorder.domain.channels import Channel
from omniorder.domain.imports import ImportKind
from omniorder.exchange.exporting import export_file
from omniorder.exchange.files import Format

UNABLE: Final = 2


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "export",
        help="write stores, articles, prices or levels as CSV or JSON Lines",
        description="Export a table, from one state of a live database, reading only.",
        epilog="Exit code: 0 the file is whole, 2 it could not be written.",
    )
    parser.add_argument("kind", choices=[one.value for one in ImportKind], help="what the rows are")
    parser.add_argument("file", metavar="FILE", help="a .csv or .jsonl file, also with .gz; - is standard output")
    add_shop(parser)
    parser.add_argument("--format", choices=[one.value for one in Format], help="where the name doesn't say it")
    parser.add_argument("--delimiter", metavar="CHARACTER", default=",", help="between the cells of CSV (default ,)")
    parser.set_defaults(run=run, unable=UNABLE)


def run(chosen: argparse.Namespace) -> int:
    """0 when the file is whole."""
    to_stdout = chosen.file == "-"
    target = sys.stdout.buffer if to_stdout else Path(chosen.file)
    with opened(chosen) as hub:
        office = hub.at(Channel.SYSTEM, System("export"))
        count = export_file(office, chosen.kind, target, format=chosen.format, delimiter=chosen.delimiter)
    if not to_stdout:
        print(f"{count:,} rows")
    return 0
