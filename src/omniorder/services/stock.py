"""Stock of the built-in ledger: what comes and goes, what is counted, what is expected, and looking at all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from attrs import frozen

from omniorder.domain import ids
from omniorder.domain.deliveries import Availability, ExpectedDelivery, availability
from omniorder.domain.instants import instant
from omniorder.domain.quantities import MAX_QUANTITY
from omniorder.domain.quantities import quantity as valid_quantity
from omniorder.domain.stock import Endangered, Level, Movement, Shortage
from omniorder.domain.text import line as valid_line
from omniorder.domain.text import reason as valid_reason
from omniorder.errors import InvalidInput, InvalidQuantity, NotFound
from omniorder.ports.storage import Transaction
from omniorder.services.ledger import Ledger, ledger_of
from omniorder.services.logs import command
from omniorder.services.paging import Page, cursor, limited, page, position
from omniorder.services.parts import Parts, Touch
from omniorder.services.surface import given, several
from omniorder.services.units import Unit, in_transaction, reading

MOST_SKUS = 10_000
"""Levels that one call may ask for."""


@frozen
class Stock:
    """The built-in ledger. An associate sees and touches only their own store's.

    Everything here raises `Misconfigured` for a hub whose stock is elsewhere: it knows no levels then.
    """

    parts: Parts
    touch: Touch

    @command("stock.receive")
    def receive(
        self, store: str, sku: str, quantity: int, *, reason: str = "", reference: str = "", final: bool = False,
        key: str | None = None,
    ) -> Level:  # fmt: skip
        """`quantity` units came in. What was expected under `reference` is expected no more, down to none.

        `final`: nothing more will come under this reference, however many were expected. Raises `InvalidQuantity`,
        `InvalidInput` (`final` without a reference), `NotFound` (store or article).
        """
        count = valid_quantity(quantity)
        ledger, why, what = self._ledger(), valid_reason(reason, least=0), _reference(reference)
        if _flag(final, "final") and not what:
            raise InvalidInput("final", final, "needs the reference of the delivery that it ends")

        def move(unit: Unit) -> Movement:
            return ledger.receive(unit.tx, store, sku, count, unit.stamp, why, what, final=final)

        request = [count, why, what, *(["final"] if final else [])]
        return self._change("stock.receive", store, sku, key, request, move)

    @command("stock.adjust")
    def adjust(
        self, store: str, sku: str, by: int, *, reason: str, reference: str = "", key: str | None = None
    ) -> Level:
        """The books are wrong by `by` units (not 0). May go below what is reserved, which opens a shortage.

        Raises `InvalidQuantity`, `InvalidText` (no reason), `OutOfStock` (below zero), `NotFound`.
        """
        if valid_quantity(by, "by", least=-MAX_QUANTITY) == 0:
            raise InvalidQuantity("by", by, "must not be 0")
        ledger, why, what = self._ledger(), valid_reason(reason), _reference(reference)

        def move(unit: Unit) -> Movement:
            return ledger.adjust(unit.tx, store, sku, by, unit.stamp, why, what)

        return self._change("stock.adjust", store, sku, key, [by, why, what], move)

    @command("stock.count")
    def count(
        self, store: str, sku: str, counted: int, *, reason: str = "", reference: str = "", key: str | None = None
    ) -> Level:
        """A stock take: `counted` units (0 or more) are on the shelf and can be sold; the books say so from now on.

        It is the count of a moment: what is received or collected meanwhile comes either before it or on top of it, and
        is never lost. Below what is reserved it is recorded too, and opens a shortage. A count that finds the books
        right leaves a movement of 0. Raises `InvalidQuantity`, `NotFound`.
        """
        count = valid_quantity(counted, "counted", least=0)
        ledger, why, what = self._ledger(), valid_reason(reason, least=0), _reference(reference)

        def move(unit: Unit) -> Movement:
            return ledger.count(unit.tx, store, sku, count, unit.stamp, why, what)

        return self._change("stock.count", store, sku, key, [count, why, *_said(what)], move)

    @command("stock.write_off")
    def write_off(
        self, store: str, sku: str, quantity: int, *, reason: str, reference: str = "", from_quarantine: bool = False,
        key: str | None = None,
    ) -> Level:  # fmt: skip
        """`quantity` units are lost for good: from the shelf, which may open a shortage, or out of quarantine.

        Raises `InvalidQuantity`, `InvalidText` (no reason), `OutOfStock` (fewer are there), `NotFound`.
        """
        count, lying = valid_quantity(quantity), _flag(from_quarantine, "from_quarantine")
        ledger, why, what = self._ledger(), valid_reason(reason), _reference(reference)

        def move(unit: Unit) -> Movement:
            return ledger.write_off(unit.tx, store, sku, count, unit.stamp, why, what, from_quarantine=lying)

        return self._change("stock.write_off", store, sku, key, [count, why, lying, *_said(what)], move)

    @command("stock.quarantine")
    def quarantine(
        self, store: str, sku: str, quantity: int, *, reason: str, reference: str = "", key: str | None = None
    ) -> Level:
        """`quantity` units on the shelf can't be sold, or not yet. May take what is reserved, which opens a shortage.

        Raises `InvalidQuantity`, `InvalidText` (no reason), `OutOfStock` (fewer are on hand), `NotFound`.
        """
        count = valid_quantity(quantity)
        ledger, why, what = self._ledger(), valid_reason(reason), _reference(reference)

        def move(unit: Unit) -> Movement:
            return ledger.quarantine(unit.tx, store, sku, count, unit.stamp, why, what)

        return self._change("stock.quarantine", store, sku, key, [count, why, *_said(what)], move)

    @command("stock.clear")
    def clear(
        self, store: str, sku: str, quantity: int, *, reason: str, reference: str = "", key: str | None = None
    ) -> Level:
        """`quantity` units in quarantine are back on the shelf: they can be sold after all.

        Raises `InvalidQuantity`, `InvalidText` (no reason), `OutOfStock` (fewer are in quarantine), `NotFound`.
        """
        count = valid_quantity(quantity)
        ledger, why, what = self._ledger(), valid_reason(reason), _reference(reference)

        def move(unit: Unit) -> Movement:
            return ledger.clear(unit.tx, store, sku, count, unit.stamp, why, what)

        return self._change("stock.clear", store, sku, key, [count, why, *_said(what)], move)

    @command("stock.take_back")
    def take_back(
        self, store: str, sku: str, quantity: int, *, reference: str, reason: str = "", resellable: bool = True,
        key: str | None = None,
    ) -> Level:  # fmt: skip
        """`quantity` units came back from the customer of the order `reference`: to the shelf, or else to quarantine.

        Only the goods are taken back; the money is the order's business. Raises `InvalidQuantity`, `InvalidText` (no
        reference), `NotFound`.
        """
        count, whole = valid_quantity(quantity), _flag(resellable, "resellable")
        ledger, why, what = self._ledger(), valid_reason(reason, least=0), _named(reference)

        def move(unit: Unit) -> Movement:
            return ledger.take_back(unit.tx, store, sku, count, unit.stamp, why, what, resellable=whole)

        return self._change("stock.take_back", store, sku, key, [count, why, what, whole], move)

    @command("stock.expect")
    def expect(
        self, store: str, sku: str, quantity: int, *, at: datetime, reference: str, key: str | None = None
    ) -> ExpectedDelivery:
        """`quantity` units are on their way and expected at the instant `at`; nothing of it is promised now.

        `reference` names the purchase order, delivery note or transfer. Said again for the same SKU, it replaces what
        was said before: another date, other units, or 0 to call it off. `at` may be past: a delivery may be late before
        anybody tells of it. Receiving under the reference takes off what
        came. Raises `InvalidQuantity`, `InvalidInstant`, `InvalidText` (no reference), `NotFound`.
        """
        count, when = valid_quantity(quantity, least=0), instant(at, "at")
        ledger, what = self._ledger(), _named(reference)

        def move(unit: Unit) -> None:
            ledger.expect(unit.tx, ExpectedDelivery(store, sku, what, count, when))

        self._carry_out("stock.expect", store, sku, key, [count, when, what], move)
        left = {one.reference: one for one in reading(self.parts, lambda tx: tx.expected([sku], [store]))}
        return left.get(what, ExpectedDelivery(store, sku, what, 0, when))

    @command("stock.keep_back")
    def keep_back(self, store: str, sku: str, quantity: int, *, key: str | None = None) -> Level:
        """Keep `quantity` units (0 or more) for walk-in customers: they are never promised."""
        count = valid_quantity(quantity, least=0)
        ledger = self._ledger()

        def move(unit: Unit) -> None:
            ledger.keep_back(unit.tx, store, sku, count)

        return self._change("stock.keep_back", store, sku, key, [count], move)

    def level(self, store: str, sku: str) -> Level:
        """On hand, reserved, safety, quarantined and what may be promised; zeros where nothing was ever received.

        So of a SKU that is no article's, too. Raises `NotFound` (store), `InvalidId` (what can't be a SKU).
        """
        return self.levels(store, [sku])[0]

    def levels(self, store: str, skus: Sequence[str]) -> tuple[Level, ...]:
        """The levels of these SKUs, in the same order. Raises `NotFound`, `TooMany`."""
        wanted = _skus(skus)
        self._check_store(store)
        self._ledger()
        found = reading(self.parts, lambda tx: tx.levels(sorted(set(wanted)), [store]))
        levels = {level.sku: level for level in found}
        return tuple(levels.get(sku, Level(store, sku)) for sku in wanted)

    def availability(self, store: str, skus: Sequence[str], *, by: datetime) -> tuple[Availability, ...]:
        """What may be promised of these SKUs now, and to somebody who comes at `by`, in the same order.

        Raises `InvalidInstant`, `NotFound`, `TooMany`.
        """
        wanted, when = _skus(skus), instant(by, "by")
        self._check_store(store)
        self._ledger()
        asked = sorted(set(wanted))
        # levels first: what arrives in between is missing for a moment, and is never counted twice
        levels, coming = reading(self.parts, lambda tx: (tx.levels(asked, [store]), tx.expected(asked, [store])))
        by_sku: dict[str, list[ExpectedDelivery]] = {sku: [] for sku in asked}
        for one in coming:
            by_sku[one.sku].append(one)
        there = {level.sku: level for level in levels}
        return tuple(availability(there.get(sku, Level(store, sku)), by_sku[sku], when) for sku in wanted)

    def expected(self, store: str, sku: str) -> tuple[ExpectedDelivery, ...]:
        """What is on its way to the store, the earliest first; what is overdue is among it. Raises `NotFound`."""
        checked = ids.sku(sku)
        self._check_store(store)
        self._ledger()
        return reading(self.parts, lambda tx: tx.expected([checked], [store]))

    def shortages(self, store: str, *, after: str | None = None, limit: int = 50) -> Page[Shortage]:
        """SKUs of which more is reserved than is on hand, with the orders that hold them: the latest pick-up first.

        A shortage ends when its units turn up (a count, a delivery, a transfer), or when no order holds them any more.
        Carts that are promised but not placed hold units too; they are not named. Raises `NotFound`, `InvalidId`.
        """
        most = limited(limit, self.parts.settings.page_limit)
        self._check_store(store)
        self._ledger()
        start = position(after, str)
        last = start[0] if start else None

        def look(tx: Transaction) -> list[Shortage]:
            short = tx.shortages(store, after=last, limit=most + 1)
            orders: Mapping[str, tuple[Endangered, ...]] = {}
            if short:
                orders = tx.endangered(store, [level.sku for level in short])
            return [Shortage(level, orders.get(level.sku, ())) for level in short]

        found = reading(self.parts, look)
        return page(found, most, cursor(found[:most][-1].level.sku) if found else None)

    def movements(self, store: str, sku: str, *, after: str | None = None, limit: int = 50) -> Page[Movement]:
        """How the level came about, oldest first; nothing where nothing was ever received, so of an unknown SKU, too.

        Raises `NotFound` (store), `InvalidId` (what can't be a SKU, or a cursor).
        """
        most = limited(limit, self.parts.settings.page_limit)
        checked = ids.sku(sku)
        self._check_store(store)
        self._ledger()
        start = position(after, str)
        last = start[0] if start else None
        found = reading(self.parts, lambda tx: tx.movements(store, checked, after=last, limit=most + 1))
        return page(found, most, cursor(found[:most][-1].id) if found else None)

    def _change(
        self, name: str, store: str, sku: str, key: str | None, request: object, move: Callable[[Unit], Movement | None]
    ) -> Level:
        self._carry_out(name, store, sku, key, request, move)
        return self.level(store, sku)

    def _carry_out(
        self, name: str, store: str, sku: str, key: str | None, request: object, move: Callable[[Unit], Movement | None]
    ) -> None:
        checked = ids.sku(sku)
        self._check_store(store)
        if checked not in self.parts.catalogue.articles([checked]):
            raise NotFound("article", sku)

        def work(unit: Unit) -> None:
            if not unit.earlier(key, name, home=store, subject=checked, request=request, result=checked):
                unit.moved = move(unit)

        in_transaction(self.parts, self.touch.stamp(self.parts.clock), work)

    def _check_store(self, store: str) -> None:
        if not self.touch.works_at(store) or self.parts.stores.store(ids.store_id(store)) is None:
            raise NotFound("store", store)

    def _ledger(self) -> Ledger:
        return ledger_of(self.parts)


def _reference(text: str) -> str:
    return valid_line(text, "reference", most=100, least=0)


def _said(reference: str) -> list[str]:
    """For a request: without a reference it is the same as it was before there were any."""
    return [reference] if reference else []


def _named(reference: str) -> str:
    return valid_line(reference, "reference", most=100)


def _flag(value: bool, field: str) -> bool:
    return given(value, bool, field, "must be True or False")


def _skus(skus: Sequence[str]) -> list[str]:
    return [ids.sku(sku) for sku in several(skus, object, "skus", "must be a list of SKUs", most=MOST_SKUS)]
