"""What comes next of the articles that stores are short of: asked once for all of them, and only when one is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from omniorder.domain.deliveries import Coming, next_deliveries
from omniorder.domain.stores import Store
from omniorder.services.ledger import Ledger
from omniorder.services.parts import Parts
from omniorder.services.units import reading


def coming(parts: Parts, short: Mapping[str, Collection[str]]) -> Mapping[tuple[str, str], Coming]:
    """The next delivery by (store, SKU), for the SKUs that these stores are `short` of.

    Nothing where the stock is not in our own books: what others expect is not known here.
    """
    stores = sorted(store for store, skus in short.items() if skus)
    if not stores or not isinstance(parts.inventory, Ledger):
        return {}
    skus = sorted({sku for store in stores for sku in short[store]})
    return next_deliveries(reading(parts, lambda tx: tx.expected(skus, stores)), parts.clock.now())


def told(found: Coming | None, store: Store | None) -> dict[str, Any]:
    """The facts of it, on the store's own clock; none when nothing comes."""
    if found is None:
        return {}
    at = found.at if store is None else found.at.astimezone(store.tz)
    return {"next_at": at.isoformat(timespec="minutes"), "next_units": found.units}
