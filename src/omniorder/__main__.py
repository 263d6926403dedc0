"""The operator's command line: `python -m omniorder migrate --database URL [--schema NAME] [--sql]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from omniorder.errors import OmniorderError
from omniorder.services.opening import connect, migration_sql


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 when it succeeded, 1 for an `OmniorderError`, told in a line."""
    parser = argparse.ArgumentParser(prog="python -m omniorder", description="Click and collect: operations.")
    commands = parser.add_subparsers(dest="command", required=True)
    migrate = commands.add_parser("migrate", help="bring omniorder's tables to this version")
    migrate.add_argument("--database", metavar="URL", required=True)
    migrate.add_argument("--schema", metavar="NAME", help="a PostgreSQL schema other than the default one")
    migrate.add_argument("--sql", action="store_true", help="print the statements instead of running them")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.sql:
            print(migration_sql(chosen.database, schema=chosen.schema))
            return 0
        storage = connect(chosen.database, schema=chosen.schema)
        storage.migrate()
        storage.close()
    except OmniorderError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 1
    print("the tables are up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
