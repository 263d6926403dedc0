"""Any history of one cart that is offered, taken, taken back and given away: a few lines know who may do what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from itertools import count

import pytest
from attrs import Factory, define, frozen
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from omniorder import Agent, Channel, Customer, Guest, HandoffTicket, Scope
from omniorder.errors import HandoffGone, NotAllowed, NotFound, OmniorderError
from omniorder.services.touchpoints import ShoppingTouchpoint
from omniorder.testing.shop import Shop

GRANT = timedelta(hours=1)


class Who(Enum):
    ANNA = "anna"
    BORIS = "boris"
    GUEST = "guest"
    EVA = "eva"


@frozen
class Offer:
    who: Who
    scopes: tuple[Scope, ...]
    minutes: int


@frozen
class Take:
    who: Who
    back: int
    """How many handoffs ago it was offered, as far as there are so many."""
    spoken: bool


@frozen
class Withdraw:
    who: Who
    back: int


@frozen
class Wait:
    minutes: int


Step = Offer | Take | Withdraw | Wait

people = st.sampled_from(Who)
a_few = st.integers(0, 2)
scopes = st.sampled_from([(Scope.VIEW,), (Scope.EDIT,), (Scope.EDIT, Scope.PAY), (Scope.OWN,)])
steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(Offer, st.just(Who.ANNA), scopes, st.integers(1, 90)),
    st.builds(Offer, people, scopes, st.integers(1, 90)),
    st.builds(Take, people, a_few, st.booleans()),
    st.builds(Take, people, a_few, st.booleans()),
    st.builds(Withdraw, people, a_few),
    st.builds(Wait, st.integers(1, 70)),
)


def which(many: int, back: int) -> int:
    return max(0, many - 1 - back)


# --- what should happen -----------------------------------------------------------------------------------


@define
class Handed:
    """A handoff as far as it matters who may do what."""

    by: Who
    scopes: tuple[Scope, ...]
    until: datetime
    withdrawn: bool = False
    taker: Who | None = None
    ends: datetime | None = None

    def lets(self, who: Who, now: datetime) -> bool:
        return self.taker is who and not self.withdrawn and self.ends is not None and now < self.ends


@define
class Expected:
    """Who owns the cart, and what became of each handoff; every method answers what the shop must answer."""

    owner: Who = Who.ANNA
    handed: list[Handed] = Factory(list[Handed])

    def offer(self, step: Offer, now: datetime) -> str:
        if step.who is not self.owner:
            return NotAllowed.code if self.sees(step.who, now) else NotFound.code
        self.handed.append(Handed(step.who, step.scopes, now + timedelta(minutes=step.minutes)))
        return "done"

    def take(self, step: Take, now: datetime) -> str:
        one = self.handed[which(len(self.handed), step.back)]
        if one.lets(step.who, now):
            return "done"
        if one.withdrawn or one.taker is not None or now >= one.until:
            return HandoffGone.code
        if step.who in (self.owner, one.by) or (Scope.OWN in one.scopes and step.who is Who.EVA):
            return NotAllowed.code
        one.taker, one.ends = step.who, now + GRANT
        if Scope.OWN in one.scopes:
            self.owner = step.who
            for other in self.handed:
                other.withdrawn |= other is not one and now < (other.ends or other.until)
        return "done"

    def withdraw(self, step: Withdraw) -> str:
        if step.who is not self.owner:
            return NotFound.code
        self.handed[which(len(self.handed), step.back)].withdrawn = True
        return "done"

    def sees(self, who: Who, now: datetime) -> bool:
        return who is self.owner or any(one.lets(who, now) for one in self.handed)

    def edits(self, who: Who, now: datetime) -> str:
        granted = any(one.lets(who, now) and Scope.EDIT in one.scopes for one in self.handed)
        if who is self.owner or granted:
            return "done"
        return NotAllowed.code if self.sees(who, now) else NotFound.code


# --- and what does ----------------------------------------------------------------------------------------


class History:
    """A cart of its own, with people of its own around it."""

    def __init__(self, shop: Shop, number: int) -> None:
        self.shop = shop
        self.expected = Expected()
        self.tickets: list[HandoffTicket] = []
        self.desks: dict[Who, ShoppingTouchpoint] = {
            Who.ANNA: shop.hub.at(Channel.APP, Customer(f"anna-{number}")),
            Who.BORIS: shop.hub.at(Channel.WEB, Customer(f"boris-{number}")),
            Who.GUEST: shop.hub.at(Channel.KIOSK, Guest(f"guest-{number:020}")),
            Who.EVA: shop.hub.at(Channel.PHONE, Agent(f"eva-{number}")),
        }
        self.cart = self.desks[Who.ANNA].carts.start().id

    def live(self, step: Step) -> None:
        now = self.shop.clock.now()
        match step:
            case Wait(minutes):
                self.shop.clock.advance(minutes=minutes)
            case Offer():
                assert self.offer(step) == self.expected.offer(step, now)
            case Take() | Withdraw() if not self.tickets:
                pass
            case Take():
                assert self.take(step) == self.expected.take(step, now)
            case Withdraw():
                assert self.withdraw(step) == self.expected.withdraw(step)

    def offer(self, step: Offer) -> str:
        try:
            lasts = timedelta(minutes=step.minutes)
            self.tickets.append(self.desks[step.who].handoffs.offer(self.cart, *step.scopes, lasts=lasts))
        except OmniorderError as error:
            return error.code
        return "done"

    def take(self, step: Take) -> str:
        ticket = self.tickets[which(len(self.tickets), step.back)]
        try:
            self.desks[step.who].handoffs.accept(ticket.code if step.spoken else ticket.token)
        except OmniorderError as error:
            return error.code
        return "done"

    def withdraw(self, step: Withdraw) -> str:
        try:
            self.desks[step.who].handoffs.withdraw(self.tickets[which(len(self.tickets), step.back)].id)
        except OmniorderError as error:
            return error.code
        return "done"

    def check(self) -> None:
        now = self.shop.clock.now()
        for who, desk in self.desks.items():
            assert self.edits(desk) == self.expected.edits(who, now), who
            assert self.sees(desk) == self.expected.sees(who, now), who

    def edits(self, desk: ShoppingTouchpoint) -> str:
        """An edit of nothing is allowed or not like any other."""
        try:
            desk.carts.edit(self.cart, [])
        except OmniorderError as error:
            return error.code
        return "done"

    def sees(self, desk: ShoppingTouchpoint) -> bool:
        try:
            desk.carts.get(self.cart)
        except NotFound:
            return False
        return True


def lived_through(shop: Shop, how: settings) -> None:
    """Live through histories until one goes another way than expected."""
    numbers = count(1)

    @how
    @given(history=st.lists(steps, min_size=3, max_size=14))
    def live(history: Sequence[Step]) -> None:
        here = History(shop, next(numbers))
        for step in history:
            here.live(step)
            here.check()

    live()


def test_everybody_may_do_what_they_were_let_do_and_nothing_else(shop: Shop) -> None:
    lived_through(shop, settings(max_examples=settings().max_examples // 3))


def test_a_shop_that_let_former_grants_live_on_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr("omniorder.services.handoffs._end_all", lambda *_, **__: [])
    with Shop.example() as shop, pytest.raises(AssertionError):
        lived_through(shop, settings(max_examples=500, phases=[Phase.generate], derandomize=True, database=None))
