"""What the fake has on file: objects as Stripe's JSON shows them, and who asked for what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any, TypeAlias, cast

from attrs import field, frozen, mutable

from omniorder.ports.clock import Clock
from omniorder.testing.stripe.refusals import missing

__all__ = ["Done", "Object", "Settings", "Shelf"]

Object: TypeAlias = dict[str, Any]


@frozen
class Settings:
    """What the merchant has switched on, and how this Stripe is. See `FakeStripe`."""

    clock: Clock
    account: str
    livemode: bool
    multicapture: bool
    incremental: bool
    extended: bool
    lasts: timedelta
    search_lag: timedelta


@frozen
class Done:
    """One request that was carried out on a payment: its key, what was asked, and the error, if any."""

    key: str
    asked: str
    units: int = 0
    reason: str = ""
    number: str = ""


def _numbers() -> Iterator[int]:
    return count(1)


@mutable
class Shelf:
    """Objects by id, in the order in which they were created; what is replaced is a new object."""

    settings: Settings
    objects: dict[str, Object] = field(factory=dict[str, Object])
    events: list[Object] = field(factory=list[Object])
    done: dict[str, list[Done]] = field(factory=dict[str, list[Done]])
    effects: dict[str, int] = field(factory=dict[str, int])
    _numbers: Iterator[int] = field(factory=_numbers)

    def number(self, prefix: str) -> str:
        """A new id."""
        return f"{prefix}_fake{next(self._numbers):06d}"

    def now(self) -> int:
        """Seconds since 1970, by the clock of this Stripe."""
        return int(self.settings.clock.now().timestamp())

    def at(self, after: timedelta) -> int:
        """Seconds since 1970 when so much time has gone by."""
        return int((self.settings.clock.now() + after).timestamp())

    def get(self, number: str, param: str) -> Object:
        """The object of this number; raises `Refusal`."""
        found = self.objects.get(number)
        if found is None:
            raise missing(param, number)
        return found

    def put(self, thing: Mapping[str, Any], event: str = "") -> Object:
        """File an object as it is now, and record the event that tells of it."""
        filed = dict(thing)
        self.objects[str(filed["id"])] = filed
        if event:
            self.record(event, filed)
        return filed

    def record(self, kind: str, thing: Mapping[str, Any]) -> Object:
        """An event about an object as it is now."""
        event: Object = {
            "id": self.number("evt"),
            "object": "event",
            "type": kind,
            "created": self.now(),
            "livemode": self.settings.livemode,
            "data": {"object": dict(thing)},
        }
        if self.settings.account:
            event["account"] = self.settings.account
        self.events.append(event)
        return event

    def note(self, intent: str, done: Done, *, effect: bool) -> None:
        """Book a request on a payment; `effect`: it moved or set aside money."""
        self.done.setdefault(intent, []).append(done)
        if effect:
            self.effects[done.key] = self.effects.get(done.key, 0) + 1

    def all(self, kind: str, of: Callable[[Object], bool] = lambda thing: True) -> list[Object]:
        """The objects of a kind, the latest first, as Stripe lists them."""
        return [one for one in reversed(self.objects.values()) if one["object"] == kind and of(one)]

    def charge_of(self, intent: Mapping[str, Any]) -> Object | None:
        """The latest charge of a payment."""
        number = intent.get("latest_charge")
        return self.objects.get(cast("str", number)) if number else None

    def moment(self) -> datetime:
        """Now, by the clock of this Stripe."""
        return self.settings.clock.now()
