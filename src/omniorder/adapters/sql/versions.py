"""Whether the tables are of the version that this code needs."""

from __future__ import annotations

from typing import Final, final

from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import Column, MetaData, Table
from sqlalchemy.types import String

from omniorder.adapters.sql.faults import fault
from omniorder.adapters.sql.link import Link
from omniorder.adapters.sql.schema import NEEDED
from omniorder.errors import SchemaOutdated

VERSION_TABLE: Final = "omniorder_version"
"""Alembic's table: it makes it, we only read it, so it is not part of our metadata."""

_VERSION: Final = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True))


@final
class VersionCheck:
    """Looks once, on first use; raises `SchemaOutdated` until the tables fit."""

    def __init__(self, schema: str | None) -> None:
        self._schema: Final = schema
        self._fits = False

    def __call__(self, link: Link) -> None:
        if self._fits:
            return
        found = found_version(link, self._schema)
        if found != NEEDED:
            raise SchemaOutdated(found=found, needed=NEEDED)
        self._fits = True

    def forget(self) -> None:
        """Look again next time."""
        self._fits = False


def found_version(link: Link, schema: str | None) -> str:
    """The revision that the tables are at, or "no version"."""
    # asked for first, since a failed SELECT would spoil a transaction that may be the caller's
    try:
        there = inspect(link.connection).has_table(VERSION_TABLE, schema=schema)
    except SQLAlchemyError as error:
        raise fault(error) from error
    rows = link.rows(_VERSION.select()) if there else ()
    return ", ".join(sorted(row.version_num for row in rows)) or "no version"
