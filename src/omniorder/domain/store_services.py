"""What a store can do: for those who collect from it, and for other stores."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import cast

__all__ = ["Service", "services"]


class Service(Enum):
    """Something that some stores do and others don't."""

    PICKUP = "pickup"
    """Hands orders over inside, at a desk or a till."""
    CURBSIDE = "curbside"
    """Brings orders out to the car."""
    LOCKERS = "lockers"
    """Has lockers that customers open themselves."""
    FITTING = "fitting"
    """Has somewhere to try on, and somebody who fits and alters."""
    AGE_RESTRICTED = "age_restricted"
    """May sell what has an age limit, and checks ages."""
    SHIP_TO_STORE = "ship_to_store"
    """Sends goods to other stores. A store that does nothing else is a distribution centre."""

    @property
    def collects(self) -> bool:
        """Whether it is a way in which customers get what they ordered."""
        return self in _WAYS


_WAYS = (Service.PICKUP, Service.CURBSIDE, Service.LOCKERS)


def services(value: object) -> frozenset[Service] | None:
    """`value` as a set of services; None when it is anything but a collection of them."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return None
    found = list(cast("Iterable[object]", value))
    members = [one for one in found if isinstance(one, Service)]
    return frozenset(members) if len(members) == len(found) else None
