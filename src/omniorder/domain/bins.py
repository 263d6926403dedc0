"""Bins and lockers: the places of a store where ready goods wait, and how many orders each may hold."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import field, frozen

from omniorder.domain import text
from omniorder.domain.handling import Temperature
from omniorder.errors import InvalidInput

__all__ = ["Bin", "declared", "named"]

_MOST_ORDERS = 100_000


def _code(value: str) -> str:
    code = text.line(value, "code", most=40)
    if "," in code:
        raise InvalidInput("code", code, "no comma: it stands between the names of several places")
    return code


def _temperature(value: object) -> Temperature:
    if not isinstance(value, Temperature):
        raise InvalidInput("temperature", value, "a Temperature")
    return value


def _holds(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST_ORDERS:
        raise InvalidInput("holds", value, f"a whole number from 1 to {_MOST_ORDERS}")
    return value


def _locker(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput("locker", value, "True or False")
    return value


@frozen
class Bin:
    """A place for ready goods: a shelf, a compartment of a fridge, a locker.

    `code` is what stands on it, up to 40 characters without a comma. It never holds more than `holds` orders, and a
    locker, which its customer opens, never more than one. `temperature` is that of the goods which belong there.

    Raises InvalidText and InvalidInput.
    """

    code: str = field(converter=_code)
    temperature: Temperature = field(default=Temperature.AMBIENT, converter=_temperature)
    holds: int = field(default=1, converter=_holds)
    locker: bool = field(default=False, converter=_locker)

    def __attrs_post_init__(self) -> None:
        if self.locker and self.holds > 1:
            raise InvalidInput("holds", self.holds, "1: a locker is one customer's")


def named(staged_at: str) -> tuple[str, ...]:
    """The names of places in a text such as "C4, F2", each once."""
    return tuple(dict.fromkeys(name for part in staged_at.split(",") if (name := part.strip())))


def declared(staged_at: str, bins: Iterable[Bin]) -> tuple[str, ...]:
    """Which of the places in this text are among these bins."""
    codes = {one.code for one in bins}
    return tuple(name for name in named(staged_at) if name in codes)
