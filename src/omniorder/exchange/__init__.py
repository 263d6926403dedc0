"""Files in and out: stores, articles, prices and levels as CSV or JSON Lines, and for accountants ledgers and the
differences of a reconciliation; of any size, in bounded memory."""

from __future__ import annotations

from omniorder.domain.imports import Import, ImportKind, Refusal
from omniorder.exchange.bookkeeping import export_ledger, write_differences, write_ledger
from omniorder.exchange.exporting import export_file
from omniorder.exchange.files import Format
from omniorder.exchange.importing import ImportReport, import_file

__all__ = [
    "Format",
    "Import",
    "ImportKind",
    "ImportReport",
    "Refusal",
    "export_file",
    "export_ledger",
    "import_file",
    "write_differences",
    "write_ledger",
]
