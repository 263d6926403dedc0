"""The hub, on the database that Django uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from django.conf import settings
from django.db import connection
from sqlalchemy import URL, text

from omniorder import OrderHub, Recorded, events
from omniorder.ports.storage import Transaction
from omniorder.testing import FakeGateway

CARDS = FakeGateway()

# --- the hub ----------------------------------------------------------------------------------------------


def own_hub() -> OrderHub:
    """The process's one hub. It has connections of its own."""
    its = connection.settings_dict
    if connection.vendor == "sqlite":
        return _opened(f"sqlite:///{its['NAME']}")
    url = URL.create(
        "postgresql",
        username=its["USER"] or None,
        password=its["PASSWORD"] or None,
        host=its["HOST"] or None,
        port=int(its["PORT"]) if its["PORT"] else None,
        database=its["NAME"],
    )
    return _opened(url.render_as_string(hide_password=False))


@cache
def _opened(url: str) -> OrderHub:
    hub = OrderHub.open(url, gateways={"card": CARDS}, secret=settings.PICKUP_SECRET)
    hub.on(events.OrderPlaced, keep_placed_order)
    return hub


@contextmanager
def hub() -> Iterator[OrderHub]:
    """Inside `atomic()` the hub is part of that transaction; outside, each command is a transaction of its own."""
    if not connection.in_atomic_block:
        yield own_hub()
        return
    with own_hub().joined(connection.connection) as joined:
        yield joined


# --- a row of ours in a transaction of the hub's ----------------------------------------------------------

KEEP = text("INSERT INTO shop_placedorder (reference, customer, total) VALUES (:reference, :customer, :total)")


def keep_placed_order(recorded: Recorded, tx: Transaction) -> None:
    """For the shop's own reports: in there exactly if there is such an order.

    In SQL, since the transaction may be on a connection that the ORM does not know.
    """
    assert isinstance(recorded.event, events.OrderPlaced)
    placed = {"reference": recorded.stream, "customer": recorded.event.owner, "total": recorded.event.total.amount}
    tx.connection.execute(KEEP, placed)
