"""A retailer's own stock system over HTTP. Needs the extra `http`.

The page "Stock in a system of your own" has the protocol, and `examples/inventory_server.py` the other side of it.
"""

from __future__ import annotations

from omniorder.errors import MissingExtra

try:
    import httpx as _httpx  # noqa: F401 - what is missing is told by name
except ImportError:
    raise MissingExtra(needs="httpx", extra="http") from None

from omniorder.adapters.http.inventory import HttpInventory

__all__ = ["HttpInventory"]
