"""Adyen as a payment provider, by Adyen's own library. Needs the extra `adyen`.

The page "Adyen" says how to set it up. `AdyenGateway` is the gateway; what it must not forget goes into a `Book`.
"""

from __future__ import annotations

from omniorder.errors import MissingExtra

try:
    from omniorder.adapters.adyen.book import Book, MemoryBook
    from omniorder.adapters.adyen.entries import Entry, Step
    from omniorder.adapters.adyen.gateway import AdyenGateway
    from omniorder.adapters.adyen.sql_book import SqlBook
except ModuleNotFoundError as missing:
    if missing.name != "Adyen":
        raise
    raise MissingExtra(needs="Adyen", extra="adyen") from None

__all__ = ["AdyenGateway", "Book", "Entry", "MemoryBook", "SqlBook", "Step"]
