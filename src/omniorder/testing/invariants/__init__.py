"""What must always hold, whatever was done and whoever failed meanwhile, as functions to call with a hub.

Each takes a hub and returns nothing, or raises `InvariantBroken` with the rows that break it; `check_all` asks
them all about one state of the database. They read everything, so they belong into tests, simulators and the
operator's own check (`python -m omniorder verify`), not into a request. What they read may be larger than memory.

Their docstrings name the family that they belong to:

- **S** stock: levels, movements and reservations add up, per store and SKU, and hold what was promised
- **M** money: per tender and order, and against the provider's own books
- **O** orders, carts, promises, slots and codes
- **E** the journal and its consumers
- **T** timers
- **P** privacy
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from omniorder.services.hub import OrderHub
from omniorder.testing.invariants import accounts, journal, money, orders, owners, privacy, stock, substitutes, timers
from omniorder.testing.invariants.checking import (
    Broken,
    Invariant,
    InvariantBroken,
    ProviderBooks,
    View,
    examine,
    inspecting,
    invariant,
    viewing,
    whole,
)
from omniorder.testing.invariants.money import nothing_stays_unknown
from omniorder.testing.invariants.rows import Rows, Stream
from omniorder.testing.invariants.timers import nothing_is_held_past_its_grace, nothing_is_overdue

__all__ = [
    "INVARIANTS",
    "Broken",
    "Invariant",
    "InvariantBroken",
    "ProviderBooks",
    "Rows",
    "Stream",
    "View",
    "check_all",
    "examine",
    "inspecting",
    "invariant",
    "nothing_is_held_past_its_grace",
    "nothing_is_overdue",
    "nothing_stays_unknown",
    "viewing",
    "whole",
]

INVARIANTS: Final[tuple[Invariant, ...]] = tuple(
    found
    for module in (stock, money, substitutes, accounts, orders, owners, journal, timers, privacy)
    for found in vars(module).values()
    if isinstance(found, Invariant)
    and found not in (nothing_is_held_past_its_grace, nothing_is_overdue, nothing_stays_unknown)
)
"""All that hold at any moment; two others, `nothing_is_overdue` and `nothing_is_held_past_its_grace`, hold right after
a sweep, and `nothing_stays_unknown` while sweeps come and the provider answers."""


def check_all(hub: OrderHub, *, gateways: Mapping[str, object] | None = None, secrets: Iterable[str] = ()) -> None:
    """Raise `InvariantBroken`, telling of everything that does not hold in the hub's database.

    `gateways` are those whose books are compared with ours, by tender kind; by default those of the hub that show
    theirs, as `FakeGateway` does. `secrets` are texts that may be stored nowhere, such as guests' tokens. Raises
    `Misconfigured` for a storage that can't be inspected.
    """
    with viewing(hub, gateways, secrets) as view:
        broken = examine(view, INVARIANTS)
    if broken:
        raise InvariantBroken(broken)
