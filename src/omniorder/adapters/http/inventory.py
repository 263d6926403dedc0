"""The port `Inventory` as requests and replies: what is asked, and what each reply means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import quote

import httpx

from omniorder.adapters.http import reading
from omniorder.adapters.http.calling import Calls
from omniorder.domain.instants import iso
from omniorder.domain.quantities import quantity
from omniorder.errors import InvalidInput, InventoryFault, OutOfStock, ReservationGone


class HttpInventory:
    """An `Inventory` that speaks the JSON protocol of the page "Stock in a system of your own".

    `client` has the base URL, and whatever the other side wants of credentials and certificates; it stays the
    caller's to close. One call takes `time_limit` at most, repetitions and all: `tries` of them, while no answer comes
    that can be believed. A reply of more than `most_bytes` can't.

    Raises `InvalidInput` for limits that can't be, and for another client, such as an asynchronous one.
    """

    def __init__(
        self,
        client: httpx.Client,
        *,
        time_limit: timedelta = timedelta(seconds=3),
        tries: int = 3,
        most_bytes: int = 8_000_000,
    ) -> None:
        if not isinstance(cast("object", client), httpx.Client):  # of what it is instead: a URL may have a password
            raise InvalidInput("client", type(client).__name__, "must be an httpx.Client with the base URL")
        limits = (
            _seconds(time_limit),
            quantity(tries, "tries", most=100),
            quantity(most_bytes, "most_bytes", most=10**9),
        )
        self._calls = Calls(client, *limits, name=client.base_url.host or "inventory")

    def available(self, stores: Sequence[str], skus: Sequence[str]) -> Mapping[tuple[str, str], int]:
        """One request for all stores and SKUs."""
        wanted = {(store, sku) for store in stores for sku in skus}

        def heard(status: int, found: Mapping[str, Any]) -> Mapping[tuple[str, str], int]:
            if status != 200:
                raise reading.Unbelievable("a refusal of something else")
            return reading.levels(found, wanted)

        return self._calls.ask("POST", "available", {"stores": list(stores), "skus": list(skus)}, heard)

    def reserve(
        self, reservation: str, store: str, units: Mapping[str, int], until: datetime, instead_of: str | None = None
    ) -> None:
        """`PUT /reservations/ID`."""
        body: dict[str, Any] = {"store": store, "units": dict(units), "until": iso(until)}
        if instead_of is not None:
            body["instead_of"] = instead_of
        self._ask(reservation, "PUT", "", body)

    def extend(self, reservation: str, until: datetime) -> None:
        """`POST /reservations/ID/extend`."""
        self._ask(reservation, "POST", "/extend", {"until": iso(until)})

    def confirm(self, reservation: str) -> None:
        """`POST /reservations/ID/confirm`."""
        self._ask(reservation, "POST", "/confirm", {})

    def consume(self, reservation: str, units: Mapping[str, int], reference: str) -> None:
        """`POST /reservations/ID/consume`."""
        self._ask(reservation, "POST", "/consume", {"units": dict(units), "reference": reference})

    def release(self, reservation: str, units: Mapping[str, int] | None = None) -> None:
        """`POST /reservations/ID/release`."""
        self._ask(reservation, "POST", "/release", {} if units is None else {"units": dict(units)})

    def _ask(self, reservation: str, method: str, what: str, body: Mapping[str, Any]) -> None:
        """Returns for a yes, and raises for a no."""

        def heard(status: int, found: Mapping[str, Any]) -> None:
            match status, found.get("error"):
                case 200, _:
                    reading.about(found, reservation)
                case 409, "stock.short" if method == "PUT":
                    raise OutOfStock(store=body["store"], short=reading.short(found, body["units"]))
                case 409, "reservation.other":
                    raise InventoryFault(inventory=self._calls.name, reason=f"{reservation} holds something else there")
                case 410, "reservation.gone":
                    raise ReservationGone(reservation=reservation, state=reading.state(found))
                case _:
                    raise reading.Unbelievable("a refusal of something else")

        self._calls.ask(method, f"reservations/{quote(reservation, safe='')}{what}", body, heard)


def _seconds(limit: object) -> float:
    if not isinstance(limit, timedelta) or limit <= timedelta(0):
        raise InvalidInput("time_limit", limit, "a positive timedelta")
    return limit.total_seconds()
