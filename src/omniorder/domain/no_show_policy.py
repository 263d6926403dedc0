"""How long ready goods wait, and what it costs that nobody comes: the retailer's policy.

A store says how many opening days its goods wait (`Store.pickup_days`). This says when customers are reminded of it,
how much more time they may ask for, what the shop keeps when they don't come, and what becomes of goods that spoil.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Final, cast

from attrs import field, frozen

from omniorder.domain.money import Money, rate
from omniorder.domain.quantities import quantity
from omniorder.errors import InvalidInput, InvalidMoney

_MOST_REMINDERS: Final = 10
_PARTS: Final = 10_000


class Leftovers(Enum):
    """What becomes of perishable goods that nobody collected in time."""

    WRITE_OFF = "write_off"
    """They are thrown away, and go off the books."""
    QUARANTINE = "quarantine"
    """They lie beside the shelf until somebody has looked at them: back to it, or written off."""
    RESTOCK = "restock"
    """They are sold again, like everything else."""


def _lasts(value: timedelta) -> timedelta:
    given = cast("object", value)
    if not isinstance(given, timedelta) or not timedelta(0) < given <= timedelta(days=30):
        raise InvalidInput("lasts", given, "must be a timedelta above 0 and of at most 30 days")
    return given


def _by_clock(value: bool) -> bool:
    if not isinstance(cast("object", value), bool):
        raise InvalidInput("by_clock", value, "must be True or False")
    return value


def _open_days(value: int) -> int:
    return quantity(value, "open_days", most=365)


@frozen
class RemindAfter:
    """A reminder so many opening days after the goods were ready, at the time of day at which they were.

    Where the store opens later or has closed by then, as near to it as it is open. Raises `InvalidQuantity`.
    """

    open_days: int = field(converter=_open_days)


@frozen
class RemindBefore:
    """A reminder this long before the goods are given up, counted in the store's opening hours, or `by_clock`.

    Raises `InvalidInput`.
    """

    lasts: timedelta = field(converter=_lasts)
    by_clock: bool = field(default=False, converter=_by_clock, kw_only=True)


Reminder = RemindAfter | RemindBefore


def _reminders(value: Iterable[Reminder]) -> tuple[Reminder, ...]:
    given = cast("object", value)
    if not isinstance(given, Iterable):
        raise InvalidInput("reminders", value, "must be RemindAfter and RemindBefore")
    found: list[Reminder] = []
    for one in cast("Iterable[object]", given):
        if not isinstance(one, RemindAfter | RemindBefore):
            raise InvalidInput("reminders", value, "must be RemindAfter and RemindBefore")
        found.append(one)
    if len(found) > _MOST_REMINDERS:
        raise InvalidInput("reminders", len(found), f"must be at most {_MOST_REMINDERS}")
    return tuple(found)


def _extension_days(value: int) -> int:
    return quantity(value, "extension_days", least=0, most=365)


def _perishable_days(value: int) -> int:
    return quantity(value, "perishable_days", least=0, most=365)


def _staff_days(value: int) -> int:
    return quantity(value, "staff_days", least=0, most=365)


def _fee(value: Money | None) -> Money | None:
    given = cast("object", value)
    if given is not None and not isinstance(given, Money):
        raise InvalidMoney("fee", given, "must be a Money")
    if given is not None and given.amount <= 0:
        raise InvalidMoney("fee", given, "must be more than nothing")
    return given


def _share(value: str | Decimal) -> Decimal:
    try:
        return rate(value)
    except InvalidMoney:
        raise InvalidMoney("fee_share", value, 'must be text from "0" to "1" with at most 4 decimals') from None


def _perishables(value: Leftovers) -> Leftovers:
    if not isinstance(cast("object", value), Leftovers):
        raise InvalidInput("perishables", value, "must be a Leftovers")
    return value


@frozen(kw_only=True)
class NoShowPolicy:
    """The policy. Raises `InvalidInput`, `InvalidQuantity` or `InvalidMoney`, naming the field, for what can't be.

    Attributes:
        reminders: when a customer is reminded of goods that wait.
        extension_days: for how many more opening days they may have goods kept, once per order; 0: not at all.
        fee: what the shop keeps of an order of which nothing was collected; of orders in another currency nothing.
        fee_share: the same as a share of what the goods cost, beside `fee`: "0.10" is a tenth.
        perishable_days: how many opening days perishable goods wait; 0: until the store closes after the window.
        perishables: what becomes of them then.
        staff_days: how many days ahead a deadline may be that the store sets itself.
    """

    reminders: tuple[Reminder, ...] = field(
        default=(RemindAfter(1), RemindBefore(timedelta(hours=2))), converter=_reminders
    )
    extension_days: int = field(default=1, converter=_extension_days)
    fee: Money | None = field(default=None, converter=_fee)
    fee_share: Decimal = field(default=Decimal(0), converter=_share)
    perishable_days: int = field(default=1, converter=_perishable_days)
    perishables: Leftovers = field(default=Leftovers.WRITE_OFF, converter=_perishables)
    staff_days: int = field(default=30, converter=_staff_days)

    def charge(self, price: Money) -> Money:
        """What is kept of goods that cost `price`: the flat part and the share of it, a half of a cent rounded up."""
        flat = self.fee.amount if self.fee is not None and self.fee.currency == price.currency else 0
        parts = int(self.fee_share * _PARTS)
        return Money(flat + (2 * price.amount * parts + _PARTS) // (2 * _PARTS), price.currency)
