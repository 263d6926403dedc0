"""Random customers, staff and failures over a stock system outside: afterwards both sides hold the same."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from omniorder import Card, Order, OrderState, PayInStore, Pick, PickupState, Promise, PromiseState, Settings
from omniorder.domain.events import Stamp
from omniorder.domain.stock import Reservation
from omniorder.errors import InventoryFault, InventoryUnavailable, NotPaid, Refused, ReservationGone, StillRunning
from omniorder.ports.inventory import Inventory
from omniorder.ports.writes import Timer, TimerWrite, Writes
from omniorder.services import outside
from omniorder.services.parts import Parts
from omniorder.services.units import in_transaction
from omniorder.testing import FakeClock, FakeInventory
from omniorder.testing.invariants import check_all, viewing
from omniorder.testing.shop import Shop
from tests.services.outside import expected
from tests.services.steps import picked

QUICK = Settings(wait_for_other=timedelta(0), retry_for=timedelta(seconds=1))
_index = st.integers(0, 5)
_few = st.integers(1, 3)


class Walk(RuleBasedStateMachine):
    """One shop in memory. With `lossy`, that system also gives up what it holds for us, and somebody else takes it."""

    @initialize(lossy=st.booleans(), milk=st.integers(2, 6))
    def open(self, lossy: bool, milk: int) -> None:
        self.clock = FakeClock()
        self.inventory = FakeInventory(clock=self.clock)
        self.shop = Shop.example(clock=self.clock, outside=self.inventory, settings=QUICK)
        self.lossy = lossy
        self.came = dict.fromkeys([Shop.SOFIA, Shop.VARNA], milk)
        for store in self.came:
            self.inventory.sell(store, Shop.MILK, 100)
            self.inventory.stock(store, Shop.MILK, milk)
        self.promises: list[str] = []

    def teardown(self) -> None:
        """Everything is well again, and time goes by: what was promised is held, and what was not is free."""
        if not hasattr(self, "shop"):
            return
        self.inventory.down = False
        while self.inventory._luck:
            self.inventory._luck.pop()
        for store in self.came:
            self.stock(store, 50)
        for waits in ((2, 6, 6), (20, 60, 6)):  # before what was left over has run out, and after
            reports = [self.shop.advance(minutes=minutes) for minutes in waits]
            assert reports[-1].failed == {}
            wanted = expected(self.shop)
            if self.lossy:  # what a promise lost is noticed when it is paid, or it lapses
                live = self._live()
                wanted = {name: units for name, units in wanted.items() if name not in live}
                assert {name: units for name, units in self.inventory.held.items() if name not in live} == wanted
            else:
                assert self.inventory.held == wanted
        for store, came in self.came.items():
            assert self.inventory.on_hand(store, Shop.MILK) == came - self._collected(store)
        self.shop.close()

    def _live(self) -> set[str]:
        with viewing(self.shop.hub) as view:
            return {one.reservation_id for one in view.rows.promises() if one.state is PromiseState.HELD}

    def _collected(self, store: str) -> int:
        with viewing(self.shop.hub) as view:
            mine = [order for order in view.rows.orders() if order.store == store]
            return sum(line.collected for order in mine for line in order.pickup.lines)

    # --- customers ---

    @rule(store=st.sampled_from([Shop.SOFIA, Shop.VARNA]), units=_few, slot=_index, of=_index, new=st.booleans())
    def promise(self, store: str, units: int, slot: int, of: int, new: bool) -> None:
        """Of a new basket; or of one that has a promise, with other contents, elsewhere, or at another time."""
        self.do(lambda: self._promise(store, units, slot, of, new))

    def _promise(self, store: str, units: int, slot: int, of: int, new: bool) -> None:
        desk = self.shop.app
        if new or not self.promises:  # else of one that may be ordered by now
            cart = desk.carts.start()
        else:
            cart = desk.carts.get(self._read_promise(self.promises[of % len(self.promises)]).cart_id)
        if not cart.lines:
            cart = desk.carts.add(cart.id, Shop.MILK, units)
        elif cart.order_id is None:
            cart = desk.carts.change(cart.id, cart.lines[0].id, units)
        offers = {offer.store.id: offer for offer in desk.checkout.offers(cart.id)}
        self.promises.append(desk.checkout.promise(cart.id, slot=offers[store].slots[slot].id).id)

    def _read_promise(self, promise_id: str) -> Promise:
        with self.shop.hub._parts.storage.reading() as tx:
            found = tx.promise(promise_id)
        assert found is not None
        return found

    @precondition(lambda self: self.promises)
    @rule(index=_index)
    def withdraw(self, index: int) -> None:
        self.do(lambda: self.shop.app.checkout.withdraw(self.promises[-1 - index % len(self.promises)]))

    @precondition(lambda self: self.promises)
    @rule(
        index=_index, card=st.sampled_from(["pm_card_visa", "pm_card_visa", "pm_card_declined", "pm_card_timeout", ""])
    )
    def place_one(self, index: int, card: str) -> None:
        self.place(index, card)

    def place(self, index: int, card: str) -> None:
        pay = Card(card) if card else PayInStore()
        if self.promises:
            self.do(lambda: self.shop.app.checkout.place(self.promises[-1 - index % len(self.promises)], pay=pay))

    @rule(index=_index, really=st.sampled_from([False, False, True]))
    def cancel(self, index: int, really: bool) -> None:
        order = self._some_order(index)
        if order and really:
            self.do(lambda: self.shop.app.orders.cancel(order.id))

    @rule(store=st.sampled_from([Shop.SOFIA, Shop.SOFIA, Shop.VARNA]), units=_few, slot=_index)
    def buy(self, store: str, units: int, slot: int) -> None:
        """From an empty basket to an order, without a break."""
        self.do(lambda: self._promise(store, units, slot, 0, True))
        self.place(0, "pm_card_visa")

    # --- the store ---

    @rule(index=_index, units=_few)
    def hand_over(self, index: int, units: int) -> None:
        """Some of it or all, as far as it goes."""
        order = self._some_order(index, here=True)
        if order:
            self.do(lambda: self._handed_over(order, units))

    def _handed_over(self, order: Order, units: int) -> None:
        desk = self.shop.store.pickups
        if order.pickup.state is PickupState.TO_PICK:
            order = desk.ready(picked(self.shop, order).id)
        if order.pickup.state is PickupState.READY and order.payments[-1].kind == "card":
            rest = min(units, sum(part.quantity for part in order.pickup.rest()))
            code = self.shop.app.orders.pickup_pass(order.id).code
            desk.hand_over(order.id, code=code, lines=[Pick(order.lines[0].id, rest)])

    def _some_order(self, index: int, *, here: bool = False) -> Order | None:
        found = self.shop.app.orders.page(limit=20).items
        if here:
            found = tuple(one for one in found if one.state is OrderState.CONFIRMED and one.store == Shop.SOFIA)
        return found[index % len(found)] if found else None

    # --- time, and the system outside ---

    @rule(minutes=st.sampled_from([0, 1, 4, 16, 50]))
    def sweep(self, minutes: int) -> None:
        report = self.shop.advance(minutes=minutes)
        assert set(report.failed) <= {"inventory.unavailable"}

    @rule(luck=st.sampled_from(["lose_next_reply", "drop_next_request"]))
    def bad_luck(self, luck: str) -> None:
        getattr(self.inventory, luck)()

    @rule(down=st.sampled_from([False, False, False, True]))
    def outage(self, down: bool) -> None:
        self.inventory.down = down

    @rule(store=st.sampled_from([Shop.SOFIA, Shop.VARNA]), units=_few)
    def stock(self, store: str, units: int) -> None:
        self.inventory.stock(store, Shop.MILK, units)
        self.came[store] += units

    @precondition(lambda self: self.lossy)
    @rule(index=_index)
    def lose(self, index: int) -> None:
        """Its time ran out, say, while our sweeps stood still; what has no limit does not run out."""
        limited = [name for name in sorted(self.inventory.held) if self.inventory.limit(name) is not None]
        if limited:
            self.inventory.lose(limited[index % len(limited)])

    # --- what always holds ---

    @invariant()
    def books_are_right(self) -> None:
        if not hasattr(self, "shop"):
            return
        check_all(self.shop.hub)
        if not self.lossy:  # what is lost may be somebody else's before its goods leave
            now = self.inventory._now()
            for store in self.came:
                most: dict[str, int] = {}
                for one in self.inventory._file.values():
                    if one.store == store and one.stands(now):
                        most[one.party] = max(most.get(one.party, 0), one.rest(Shop.MILK))
                assert sum(most.values()) <= self.inventory.on_hand(store, Shop.MILK)

    def do(self, call: Callable[[], object]) -> None:
        """Whatever is refused, is refused for a reason of the shop's, or because that system said nothing."""
        try:
            call()
        except (Refused, StillRunning, NotPaid, InventoryUnavailable):
            pass
        except InventoryFault as fault:
            raise AssertionError(str(fault)) from fault


TestWalk = Walk.TestCase
TestWalk.settings = settings(stateful_step_count=30)


def nothing(*args: Any, **named: Any) -> tuple[()]:
    return ()


def confirms_once(inventory: Inventory, row: Reservation, until: datetime | None, **named: Any) -> tuple[()]:
    """Without holding anew what has ended."""
    with suppress(ReservationGone):
        outside._set_limit(inventory, row.id, until)
    return ()


def forgets(parts: Parts, timer: Timer, stamp: Stamp, fault: InventoryFault) -> None:
    """Clear the timer, though nothing was told."""
    write = Writes(timers=(TimerWrite(timer.store, timer.subject, None),))
    in_transaction(parts, stamp, lambda unit: unit.tx.write(write))


@pytest.mark.parametrize(
    ("part", "broken"),
    [
        ("_set", nothing),
        ("_count_out", nothing),
        ("_hold", confirms_once),
        ("put_off", forgets),
    ],
    ids=["no intent is noted", "what left is not told", "what ran out is left",
         "what was not heard is forgotten"],
)  # fmt: skip
def test_a_walk_notices(part: str, broken: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with one part of it missing, the two sides come apart."""
    monkeypatch.setattr(outside, part, broken)

    class Careless(Walk):
        pass

    Careless.TestCase.settings = settings(
        max_examples=300, stateful_step_count=30, phases=[Phase.generate], database=None, derandomize=True,
        report_multiple_bugs=False,
    )  # fmt: skip
    with pytest.raises((AssertionError, ReservationGone, InventoryFault)):
        Careless.TestCase().runTest()
