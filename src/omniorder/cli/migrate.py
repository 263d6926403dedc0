"""`migrate`: bring the tables to this version, or print how."""

from __future__ import annotations

import argparse
from typing import Any

from omniorder.services.opening import connect, migration_sql


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "migrate", help="bring omniorder's tables to this version", description="Bring the tables to this version."
    )
    parser.add_argument("--database", metavar="URL", required=True)
    parser.add_argument("--schema", metavar="NAME", help="a PostgreSQL schema other than the default one")
    parser.add_argument("--sql", action="store_true", help="print the statements instead of running them")
    parser.set_defaults(run=run, unable=1)


def run(chosen: argparse.Namespace) -> int:
    """0 when the tables are of this version."""
    if chosen.sql:
        print(migration_sql(chosen.database, schema=chosen.schema))
        return 0
    storage = connect(chosen.database, schema=chosen.schema)
    try:
        storage.migrate()
    finally:
        storage.close()
    print("the tables are up to date")
    return 0
