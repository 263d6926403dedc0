"""A customer who comes for an order: on their way, there, attended to; and whoever comes in their place."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, field, frozen

from omniorder.domain import events as e
from omniorder.domain.actors import plain
from omniorder.domain.instants import instant
from omniorder.domain.text import hidden_line
from omniorder.errors import AlreadyAttended, InvalidInput, InvalidInstant

__all__ = ["Arrival", "Proxy"]

MOST_AHEAD: Final = timedelta(days=1)
"""How long before they come a customer can say when."""
SAME_TIME: Final = timedelta(minutes=1)
"""An app that reckons anew every few seconds has something to tell when the estimate moved by so much."""


@frozen
class Proxy:
    """Another person who collects for the customer. The name is personal data: it is kept as notes are, and empty
    once it was erased."""

    id: str
    name: str = field(default="", repr=False)


@frozen
class Arrival:
    """A customer who said that they come, at `expected_at`, or (`arrived_at`) that they are there. Times are UTC.

    `bay` is where they wait, `vehicle` what in: personal data, kept as notes are. `attended_by` is the associate (as
    the journal names them) who takes care of them. It is over when they leave, with goods or without.
    """

    expected_at: datetime | None = None
    arrived_at: datetime | None = None
    bay: str = ""
    vehicle: str = field(default="", repr=False)
    attended_by: str = ""


def apply(arrival: Arrival | None, event: e.Event, at: datetime) -> Arrival | None:
    """The arrival after `event`. Who is there already keeps their place, whatever else they say."""
    before = arrival or Arrival()
    match event:
        case e.CustomerOnTheWay(expected_at):
            return evolve(before, expected_at=expected_at)
        case e.CustomerArrived(bay, vehicle):
            return evolve(before, arrived_at=before.arrived_at or at, bay=bay, vehicle=vehicle)
        case e.CustomerAttended(by):
            return evolve(before, attended_by=by)
        case _:
            return None


# --- what a customer and the store say, checked -----------------------------------------------------------


def expected(now: datetime, arrives: object, within: object) -> datetime:
    """When a customer comes who says so at `now`: at the instant `arrives`, or `within` a span of time.

    Raises InvalidInput unless exactly one of the two is given, InvalidInstant for what is past, more than a day ahead
    or no such thing.
    """
    if (arrives is None) is (within is None):
        raise InvalidInput("arrives", arrives, "either arrives= or within=")
    if within is not None:
        if not isinstance(within, timedelta):
            raise InvalidInstant("within", within, "must be a timedelta")
        if not timedelta() <= within <= MOST_AHEAD:
            raise InvalidInstant("within", str(within), "must be from nothing to a day")
        return now + within
    at = instant(arrives, "arrives")
    if not now <= at <= now + MOST_AHEAD:
        raise InvalidInstant("arrives", at, "must be from now on, and within a day")
    return at


def bay(value: object) -> str:
    """A parking bay as customers read it on a sign; empty for none. Raises InvalidText, CardNumberRefused."""
    return hidden_line(value, "bay", most=20, least=0)


def vehicle(value: object) -> str:
    """A vehicle, in the customer's words; empty for none. Raises InvalidText, CardNumberRefused."""
    return hidden_line(value, "vehicle", most=60, least=0)


def name(value: object) -> str:
    """The name of somebody who collects for the customer. Raises InvalidText, CardNumberRefused."""
    return hidden_line(value, "name", most=100)


# --- what follows from it ---------------------------------------------------------------------------------


def on_the_way(arrival: Arrival | None, expected_at: datetime) -> tuple[e.Event, ...]:
    """Nothing new from who is there already, or comes at about the time that they said before."""
    if arrival is not None and arrival.arrived_at is not None:
        return ()
    before = arrival.expected_at if arrival is not None else None
    if before is not None and abs(expected_at - before) < SAME_TIME:
        return ()
    return (e.CustomerOnTheWay(expected_at),)


def here(arrival: Arrival | None, bay: str, vehicle: str) -> tuple[e.Event, ...]:
    """Said again it changes nothing but the bay or the vehicle; what is left out is as it was."""
    before = arrival or Arrival()
    told = e.CustomerArrived(bay or before.bay, vehicle or before.vehicle)
    same = before.arrived_at is not None and (told.bay, told.vehicle) == (before.bay, before.vehicle)
    return () if same else (told,)


def away(arrival: Arrival | None) -> tuple[e.Event, ...]:
    """They don't come, or left without their goods."""
    return () if arrival is None else (e.ArrivalWithdrawn(),)


def attended(arrival: Arrival | None, order_id: str, by: str, *, take_over: bool) -> tuple[e.Event, ...]:
    """An associate takes care of them; who is attended to is there, whether they said so or not.

    Raises AlreadyAttended when somebody else does, unless that is to be taken over.
    """
    if arrival is not None and arrival.attended_by:
        if arrival.attended_by == by:
            return ()
        if not take_over:
            raise AlreadyAttended(order=order_id, by=arrival.attended_by, who=plain(arrival.attended_by))
    there = () if arrival is not None and arrival.arrived_at is not None else here(arrival, "", "")
    return (*there, e.CustomerAttended(by))


def proxy_named(proxy: Proxy | None, id: str, name: str) -> tuple[e.Event, ...]:
    """The same person again is nothing new."""
    return () if proxy is not None and proxy.name == name else (e.ProxyNamed(id, name),)


def proxy_withdrawn(proxy: Proxy | None) -> tuple[e.Event, ...]:
    """The customer comes in person again."""
    return () if proxy is None else (e.ProxyWithdrawn(),)
