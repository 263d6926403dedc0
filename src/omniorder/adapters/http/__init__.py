"""A retailer's own stock system over HTTP. Needs the extra `http`.

The page "Stock in a system of your own" has the protocol, and `examples/inventory_server.py` the other side of it.
"""

from __future__ import annotations

from omniorder.errors import MissingExtra

try:
    from omniorder.adapters.http.inventory import HttpInventory
except ModuleNotFoundError as missing:
    if missing.name != "httpx":
        raise
    raise MissingExtra(needs="httpx", extra="http") from None

__all__ = ["HttpInventory"]
