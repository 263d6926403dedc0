"""Imports: how far each has come."""

from __future__ import annotations

from typing import Final

from omniorder.adapters.sql.schema.base import STRICT, At, Id, Number, PrimaryId, Row, check, table


class ImportRow(Row, table=True):
    """Written with what was taken of the file up to `position`, in bytes. `finished` is 0 or 1."""

    __table_args__ = (
        check("version", "version > 0"),
        check("rows", "position >= 0 AND line >= 0 AND taken >= 0 AND refused >= 0"),
        STRICT,
    )

    id: PrimaryId
    kind: Id
    version: Number
    position: Number
    line: Number
    digest: Id
    taken: Number
    refused: Number
    finished: Number
    began_at: At
    changed_at: At


IMPORT: Final = table(ImportRow)
