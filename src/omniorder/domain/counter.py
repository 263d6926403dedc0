"""What is decided at the counter: which units leave, which stay, which are refused, and who may have them.

All of it is settled before any money is taken. What the customer doesn't want leaves the order first, so that exactly
what is left of it is captured; who wants nothing at all has called the order off, and pays nothing for that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Final

from attrs import evolve, field, frozen

from omniorder.domain import capturing, coupling, orders
from omniorder.domain import events as e
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.capturing import Taken, Terminal
from omniorder.domain.order_lines import OrderLine
from omniorder.domain.orders import Order
from omniorder.domain.pickups import Pickup
from omniorder.domain.proofs import Check, CheckKind, Shown
from omniorder.domain.quantities import Units
from omniorder.domain.quantities import quantity as valid_quantity
from omniorder.domain.text import reason as valid_reason
from omniorder.errors import AgeCheckNeeded, IdentityCheckNeeded, InvalidQuantity

UNWANTED: Final = "unwanted"
"""Why units were refused, where nothing more is said."""
CALLED_OFF: Final = "rest_called_off"
"""Why units were called off that were not taken along."""
ALL_REFUSED: Final = "refused_at_counter"
"""Why an order was cancelled of which the customer wanted nothing any more."""
SPOILT: Final = frozenset({"damaged", "spoiled", "expired"})
"""Reasons of a refusal for which the units are written off. Others go back on sale; perishable ones to quarantine,
where somebody looks at them first."""


class Rest(Enum):
    """What becomes of units that are neither taken along nor refused."""

    LATER = "later"
    """They wait for the customer, as long as the order does."""
    CANCELLED = "cancelled"
    """They are called off: on sale again, and not paid."""


@frozen
class Unwanted:
    """`quantity` units of a line (grams, where it is weighed) that the customer doesn't want, for this `reason`.

    The reason is a stable code: after those of `SPOILT` the units are written off. Raises `InvalidQuantity`,
    `InvalidText`.
    """

    line: str
    quantity: int = field(converter=valid_quantity)
    reason: str = field(default=UNWANTED, converter=valid_reason)


@frozen
class Wish:
    """What the counter asks for: these `units` (None: all that are not refused), and what becomes of the others."""

    units: tuple[Units, ...] | None = None
    refused: tuple[Unwanted, ...] = ()
    rest: Rest = Rest.LATER
    checks: tuple[Check, ...] = ()


@frozen
class Split:
    """An order `after` units left it, by the events `dropped`, and the units that are `leaving` the store with them."""

    after: Order
    dropped: tuple[e.Event, ...]
    leaving: tuple[Units, ...]


def split(order: Order, wish: Wish, at: datetime) -> Split:
    """What leaves the store, and what leaves the order.

    Raises `NotFound` for a line, `InvalidQuantity` for more units than are open, `IllegalTransition`.
    """
    dropped: list[e.Event] = [e.UnitsRefused(units, reason) for reason, units in _by_reason(wish.refused).items()]
    after = orders.told(order, dropped, at)
    leaving = after.pickup.rest() if wish.units is None else wish.units
    _all_open(after.pickup, leaving)
    if wish.rest is Rest.CANCELLED and (others := _without(after.pickup, leaving)):
        event = e.UnitsRefused(others, CALLED_OFF)
        after = orders.apply(after, event, at)
        dropped.append(event)
    return Split(after, tuple(dropped), leaving)


def _by_reason(refused: Iterable[Unwanted]) -> Mapping[str, tuple[Units, ...]]:
    sums: dict[str, dict[str, int]] = {}
    for one in refused:
        lines = sums.setdefault(one.reason, {})
        lines[one.line] = lines.get(one.line, 0) + one.quantity
    return {reason: tuple(Units(line, count) for line, count in lines.items()) for reason, lines in sums.items()}


def _all_open(pickup: Pickup, units: Iterable[Units]) -> None:
    for part in units:
        still = pickup.line(part.line).open
        if part.quantity > still:
            raise InvalidQuantity("quantity", part.quantity, f"{still} are still open")


def _without(pickup: Pickup, units: Iterable[Units]) -> tuple[Units, ...]:
    taken = {part.line: part.quantity for part in units}
    left = ((part.line, part.quantity - taken.get(part.line, 0)) for part in pickup.rest())
    return tuple(Units(line, count) for line, count in left if count)


def hand_over(
    order: Order,
    wish: Wish,
    shown: Shown,
    *,
    capabilities: Mapping[str, Capabilities],
    taken: Taken | Terminal | None,
    at: datetime,
    look_at: datetime,
    hold_until: datetime,
    identify_proxy: bool = False,
) -> tuple[tuple[e.Event, ...], tuple[Units, ...]]:
    """The events of handing over what is wished for, and the units that leave: none, when everything is refused.

    `look_at` is when somebody else may finish it, `hold_until` how long an order that ends waits for money in flight.
    Raises as `split` and `capturing.hand_over`, and `AgeCheckNeeded`, `IdentityCheckNeeded`.
    """
    seen = tuple(e.PersonChecked(check.kind, check.passed) for check in wish.checks)
    parts = split(order, wish, at)
    if not parts.leaving:
        return (*seen, *parts.dropped, *coupling.cancel(parts.after, ALL_REFUSED, hold_until)), ()
    needed = checks_needed(parts.after, parts.leaving, identify=identify_proxy and shown.by_proxy)
    missing = not_passed(needed, wish.checks)
    if CheckKind.AGE in missing:
        skus = sorted({line.sku for line in _restricted(parts.after, parts.leaving)})
        raise AgeCheckNeeded(order=order.id, skus=skus, failed=_failed(wish.checks, CheckKind.AGE))
    if CheckKind.IDENTITY in missing:
        raise IdentityCheckNeeded(order=order.id, failed=_failed(wish.checks, CheckKind.IDENTITY))
    plan = capturing.hand_over(
        parts.after, parts.leaving, shown=shown, capabilities=capabilities, taken=taken, look_at=look_at
    )
    return (*seen, *parts.dropped, *plan), parts.leaving


def checks_needed(order: Order, units: Iterable[Units], *, identify: bool) -> tuple[CheckKind, ...]:
    """What about whoever collects these units is to be looked at; `identify`: also who they are."""
    identity = (CheckKind.IDENTITY,) if identify else ()
    return (*identity, CheckKind.AGE) if _restricted(order, units) else identity


def not_passed(needed: Iterable[CheckKind], checks: Iterable[Check]) -> tuple[CheckKind, ...]:
    """Those of the needed checks that were not made, or went wrong."""
    passed = {check.kind for check in checks if check.passed}
    return tuple(kind for kind in needed if kind not in passed)


def _restricted(order: Order, units: Iterable[Units]) -> list[OrderLine]:
    return [line for line in (order.line(part.line) for part in units) if line.handling.age_restricted]


def _failed(checks: tuple[Check, ...], kind: CheckKind) -> bool:
    return any(check.kind is kind and not check.passed for check in checks)


def age_restricted(order: Order) -> tuple[Units, ...]:
    """The open units of the order that leave only with an age check that passed."""
    return tuple(part for part in order.pickup.rest() if order.line(part.line).handling.age_restricted)


def refused_so_far(journal: Iterable[e.Recorded]) -> Counter[str]:
    """Per line, what the customer has refused since goods last left the store or were made ready.

    `journal` is the order's, the newest entry first.
    """
    found = Counter[str]()
    for entry in journal:
        match entry.event:
            case e.UnitsRefused(units, reason) if reason != CALLED_OFF:
                for part in units:
                    found[part.line] += part.quantity
            case e.Collected() | e.PartCollected() | e.MadeReady():
                break
            case _:
                pass
    return found


def still_refused(refused: Iterable[Unwanted], already: Mapping[str, int]) -> tuple[Unwanted, ...]:
    """What of these refusals is new: after a hand-over that failed, whoever repeats it means the same units."""
    rest = Counter(already)
    found: list[Unwanted] = []
    for one in refused:
        known = min(one.quantity, rest[one.line])
        rest[one.line] -= known
        if one.quantity > known:
            found.append(evolve(one, quantity=one.quantity - known))
    return tuple(found)
