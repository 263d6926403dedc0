"""Who acts. omniorder authorises actors and never authenticates them: the caller has done that.

`name` is how an actor stands in the journal; `owner` is whose carts and orders the actor may touch.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TypeAlias, cast

from attrs import field, frozen

from omniorder.domain.ids import customer_id, store_id
from omniorder.errors import InvalidId

__all__ = ["Actor", "Agent", "Associate", "Customer", "Guest", "System", "plain"]

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,128}")


def _customer(value: str) -> str:
    return customer_id(value)


def _customer_or_none(value: str | None) -> str | None:
    return None if value is None else customer_id(value)


def _associate(value: str) -> str:
    return customer_id(value, "associate")


def _agent(value: str) -> str:
    return customer_id(value, "agent")


def _system(value: str) -> str:
    return customer_id(value, "system")


def _store(value: str) -> str:
    return store_id(value)


def _token(value: str) -> str:
    given = cast("object", value)
    if not isinstance(given, str) or not _TOKEN.fullmatch(given):
        raise InvalidId("token", type(given).__name__, "must be 22 to 128 characters of A-Z a-z 0-9 _ -")
    return given


def _hidden(value: str) -> str:
    return "..."


@frozen
class Customer:
    """A known customer, by the retailer's own id. Raises InvalidId."""

    id: str = field(converter=_customer)

    @property
    def name(self) -> str:
        """As the journal tells it: `customer:<id>`."""
        return f"customer:{self.id}"

    @property
    def owner(self) -> str:
        """Their own name: a touchpoint opens their carts and orders, and nobody else's."""
        return self.name


@frozen
class Guest:
    """Somebody who is known only by a secret token on a device: at least 128 random bits, URL-safe.

    The token opens the guest's cart, so it is never shown or stored: the name is made of its SHA-256.
    Raises InvalidId.
    """

    token: str = field(converter=_token, repr=_hidden)

    @property
    def name(self) -> str:
        """As the journal tells it: `guest:` and the first half of the token's SHA-256, in hex."""
        return f"guest:{sha256(self.token.encode('ascii')).hexdigest()[:32]}"

    @property
    def owner(self) -> str:
        """Their own name: a touchpoint opens their carts and orders, and nobody else's."""
        return self.name


@frozen
class Associate:
    """A member of a store's staff, at that store. Raises InvalidId."""

    id: str = field(converter=_associate)
    store: str = field(converter=_store)

    @property
    def name(self) -> str:
        """As the journal tells it: `associate:<id>@<store>`."""
        return f"associate:{self.id}@{self.store}"

    @property
    def owner(self) -> None:
        """None: staff see the orders of their store, and own none."""
        return None


@frozen
class Agent:
    """Somebody in the contact centre, and the customer for whom they act just now. Raises InvalidId."""

    id: str = field(converter=_agent)
    customer: str | None = field(default=None, converter=_customer_or_none)

    @property
    def name(self) -> str:
        """As the journal tells it: `agent:<id>`, whoever the customer is."""
        return f"agent:{self.id}"

    @property
    def owner(self) -> str | None:
        """The customer for whom they act, by their name; None: nobody just now."""
        return None if self.customer is None else f"customer:{self.customer}"


@frozen
class System:
    """A program of the retailer's own: an import, a sweep, the back office. Raises InvalidId."""

    id: str = field(alias="name", converter=_system)

    @property
    def name(self) -> str:
        """As the journal tells it: `system:<name>`."""
        return f"system:{self.id}"

    @property
    def owner(self) -> None:
        """None: a program owns no carts and orders."""
        return None


Actor: TypeAlias = Customer | Guest | Associate | Agent | System
"""Whoever may stand at a touchpoint."""


def plain(name: str) -> str:
    """An actor's own id out of their journal name: `ivan` of `associate:ivan@SOF01`."""
    kind, _, own = name.partition(":")
    return own.rpartition("@")[0] if kind == "associate" else own or name
