"""The transfer desk: what one store sends to another, picked and shipped there, received here.

A step of a transfer and what it means to the order that waits for it are one transaction. What is to be asked of the
customer, when goods come late or not all of them, is decided right after it (`rerouting.settle`); if whoever did the
step dies in between, the sweep decides it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import cast

from attrs import frozen

from omniorder.domain import events as e
from omniorder.domain import ids, transfers
from omniorder.domain.instants import instant, iso
from omniorder.domain.lifecycle import TransferState, advance
from omniorder.domain.orders import Order
from omniorder.domain.quantities import quantity as valid_quantity
from omniorder.domain.text import line as valid_line
from omniorder.domain.text import reason as valid_reason
from omniorder.domain.transfers import OPEN, Transfer
from omniorder.errors import InvalidId, InvalidInput, InvalidInstant, NotFound
from omniorder.ports.storage import Transaction
from omniorder.ports.writes import Timer, TimerWrite, Writes
from omniorder.services import holding, payments, rerouting
from omniorder.services.ledger import ledger_of
from omniorder.services.logs import command
from omniorder.services.paging import Page, cursor, limited, page, position
from omniorder.services.parts import Parts, Touch
from omniorder.services.ripples import carry_on
from omniorder.services.surface import given, several
from omniorder.services.units import Unit, in_transaction, reading

MOST_SKUS = 1000
"""SKUs in one transfer."""

MOST_STATES = 100
"""States in one question."""

NOT_FOUND = "not_found"
"""Why units were not sent that were looked for."""

NOT_SENT = "not sent in time"
"""Why the sweep calls off goods for a shelf."""

Counted = Mapping[str, int]
"""Units per SKU."""


@frozen
class Transfers:
    """Transfers from and to one store, for its associates; all, for the system."""

    parts: Parts
    touch: Touch

    def get(self, transfer_id: str) -> Transfer:
        """The transfer as it is now; raises `NotFound`, also for one of two other stores."""
        return reading(self.parts, lambda tx: self._load(tx, transfer_id))

    def outgoing(
        self,
        store: str,
        *,
        states: Sequence[TransferState] = (TransferState.REQUESTED, TransferState.PICKED),
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Transfer]:
        """What this store is to send, by when it is expected; by default all that it has not sent yet.

        Raises `InvalidInput` (states), `NotFound` (store), `Misconfigured` (the stock is not in the built-in ledger).
        """
        return self._page(store, states, after, limit, incoming=False)

    def incoming(
        self, store: str, *, states: Sequence[TransferState] = tuple(OPEN), after: str | None = None, limit: int = 50
    ) -> Page[Transfer]:
        """What comes to this store, by when it is expected; by default all that is still to come.

        Raises as `outgoing`.
        """
        return self._page(store, states, after, limit, incoming=True)

    @command("transfers.request")
    def request(
        self,
        source: str,
        destination: str,
        units: Counted,
        *,
        expected_at: datetime | None = None,
        key: str | None = None,
    ) -> Transfer:
        """Have units per SKU sent from one store's shelf to another's: they are held at the source from now on.

        Who asks decides what is sent: that a store offers `Service.SHIP_TO_STORE`, and that what is weighed stays where
        it is, are rules for promises to customers.

        Without `expected_at` they are expected after the source's transit time. What is still not sent
        `Settings.transfer_waits` after that is called off by the sweep, and free again. Raises `InvalidQuantity`,
        `InvalidInput` (from a store to itself), `NotFound` (store or article), `OutOfStock`.
        """
        wanted = _counted(units, least=1)
        if not wanted:
            raise InvalidInput("units", units, "at least one SKU")
        if ids.store_id(source, "source") == ids.store_id(destination, "destination"):
            raise InvalidInput("destination", destination, "must be another store than the source")
        self._mine(source, destination)
        from_, to = self.parts.stores.store(source), self.parts.stores.store(destination)
        if from_ is None or to is None:
            raise NotFound("store", source if from_ is None else destination)
        known = self.parts.catalogue.articles(sorted(wanted))
        if unknown := sorted(wanted.keys() - known.keys()):
            raise NotFound("article", unknown[0])
        stamp = self.touch.stamp(self.parts.clock)
        arrives = stamp.at + from_.transit if expected_at is None else _future(expected_at, stamp.at)
        new = ids.transfer_id(source, self.parts.time_ordered())
        ledger = ledger_of(self.parts)

        def work(unit: Unit) -> Transfer:
            request = [destination, sorted(wanted.items()), expected_at]
            seen = unit.earlier(key, "transfers.request", home=source, subject=source, request=request, result=new)
            if seen:
                return self._load(unit.tx, seen)
            transfer, event = transfers.request(
                new, source, destination, wanted, order=None, at=stamp.at, expected_at=arrives
            )
            ledger.reserve(unit.tx, transfer.reservation, source, wanted, None)
            unit.save_transfer(None, transfer, [event])
            holding.announce(unit, transfer)
            return transfer

        return in_transaction(self.parts, stamp, work)

    @command("transfers.pick")
    def pick(self, transfer_id: str, units: Counted | None = None, *, key: str | None = None) -> Transfer:
        """These units per SKU (or all) were taken off the source's shelf; nothing more will be.

        What is missing was looked for: it goes off the books, and the customer who waits for it is asked. Raises
        `NotFound`, `InvalidQuantity` (more than were asked for), `IllegalTransition`.
        """
        counted = None if units is None else _counted(units)
        draw = self.parts.time_ordered()

        def step(unit: Unit, before: Transfer) -> tuple[list[e.Event], Order | None]:
            picked = before.requested if counted is None else counted
            events: list[e.Event] = [e.TransferPicked(tuple(sorted(picked.items())))]
            after = transfers.apply(before, events[0], unit.stamp.at)
            lacking = {sku: n - after.picked.get(sku, 0) for sku, n in before.requested.items()}
            lacking = {sku: n for sku, n in lacking.items() if n}
            if not lacking:
                return events, None
            ledger = ledger_of(self.parts)
            ledger.miss(unit.tx, before.source, lacking, unit.stamp, NOT_FOUND, before.id)
            ledger.release(unit.tx, before.reservation, lacking)
            if not after.picked:
                events.append(e.TransferShort((), NOT_FOUND))
            return events, self._lacks(unit, before, lacking, draw)

        return self._step("transfers.pick", transfer_id, "source", step, key, counted)

    @command("transfers.ship")
    def ship(
        self, transfer_id: str, *, expected_at: datetime | None = None, reference: str = "", key: str | None = None
    ) -> Transfer:
        """What was picked (or, if nobody counted, everything) has left; `reference` is the carrier's.

        Raises `NotFound`, `IllegalTransition`, `InvalidInstant`.
        """
        what = valid_line(reference, "reference", most=100, least=0)

        def step(unit: Unit, before: Transfer) -> tuple[list[e.Event], Order | None]:
            events: list[e.Event] = []
            now = before
            if before.state is TransferState.REQUESTED:
                events.append(e.TransferPicked(tuple(sorted(before.requested.items()))))
                now = transfers.apply(before, events[0], unit.stamp.at)
            arrives = before.expected_at if expected_at is None else _future(expected_at, unit.stamp.at)
            events.append(e.TransferShipped(arrives, what))
            transfers.apply(now, events[-1], unit.stamp.at)  # refuses what can't be, before anything is booked
            ledger_of(self.parts).ship_out(unit.tx, before.reservation, now.picked, before.id, unit.stamp)
            unit.goods_left = True
            return events, self._expects(unit, before, arrives)

        return self._step("transfers.ship", transfer_id, "source", step, key, expected_at, what)

    @command("transfers.delay")
    def delay(self, transfer_id: str, expected_at: datetime, *, reason: str, key: str | None = None) -> Transfer:
        """It will come at another time; a customer whose window that misses is asked what they want.

        Raises `NotFound`, `IllegalTransition` (it has arrived), `InvalidInstant`, `InvalidText` (reason).
        """
        why = valid_reason(reason)

        def step(unit: Unit, before: Transfer) -> tuple[list[e.Event], Order | None]:
            arrives = _future(expected_at, unit.stamp.at)
            return [e.TransferDelayed(arrives, why)], self._expects(unit, before, arrives)

        return self._step("transfers.delay", transfer_id, "either", step, key, expected_at, why)

    @command("transfers.receive")
    def receive(
        self, transfer_id: str, units: Counted | None = None, *, reason: str = "", key: str | None = None
    ) -> Transfer:
        """These units per SKU (or all that were sent) are in the destination; nothing more will come.

        The transfer ends with it: what comes after all is booked with `stock.receive`, under the transfer's id as
        reference. What an order waits for is held for it; when less came, its customer is asked. Raises `NotFound`,
        `InvalidQuantity` (more than were sent), `IllegalTransition` (not sent yet, or received before).
        """
        counted = None if units is None else _counted(units)
        why = valid_reason(reason, least=0)
        draw = self.parts.time_ordered()

        def step(unit: Unit, before: Transfer) -> tuple[list[e.Event], Order | None]:
            advance(before.state, e.TransferReceived(()))  # only what was sent can come
            came = before.picked if counted is None else {sku: n for sku, n in counted.items() if n}
            event = transfers.arrived(before, came, why)
            transfers.apply(before, event, unit.stamp.at)  # refuses what can't be, before anything is booked
            ledger = ledger_of(self.parts)
            order = self._waiting(unit, before)
            leg = None if order is None else order.pickup.leg(before.id)
            if order is None or leg is None:
                ledger.bring_in(unit.tx, before.destination, came, before.id, unit.stamp)
                return [event], None
            skus = {line.id: line.sku for line in order.lines}
            here, missing = transfers.shared_out(leg, skus, came)
            hold = ids.reservation_id(before.destination, draw)
            ledger.bring_in(unit.tx, before.destination, came, before.id, unit.stamp)
            ledger.hold(unit.tx, hold, before.destination, order.units_by_sku(leg.units))
            return [event], carry_on(unit, order, [e.UnitsArrived(before.id, here, missing, hold)])

        return self._step("transfers.receive", transfer_id, "destination", step, key, counted, why)

    @command("transfers.cancel")
    def cancel(self, transfer_id: str, *, reason: str, key: str | None = None) -> Transfer:
        """Send nothing after all: the units are free again at the source, and a customer who waits for them is asked.

        Raises `NotFound`, `IllegalTransition` (it is under way), `InvalidText` (reason).
        """
        why = valid_reason(reason)
        draw = self.parts.time_ordered()

        def step(unit: Unit, before: Transfer) -> tuple[list[e.Event], Order | None]:
            event = _called_off(unit, before, why)
            return [event], self._lacks(unit, before, before.requested, draw)

        return self._step("transfers.cancel", transfer_id, "source", step, key, why)

    # --- what all steps share ---

    def _step(
        self,
        name: str,
        transfer_id: str,
        side: str,
        step: Callable[[Unit, Transfer], tuple[list[e.Event], Order | None]],
        key: str | None,
        *request: object,
    ) -> Transfer:
        this = ids.check("transfer", transfer_id)
        stamp = self.touch.stamp(self.parts.clock)

        def work(unit: Unit) -> tuple[Transfer, Order | None]:
            home = ids.store_of(this)
            seen = unit.earlier(key, name, home=home, subject=this, request=request, result=this)
            before = self._load(unit.tx, this, side)
            if seen:
                return before, self._waiting(unit, before)
            events, order = step(unit, before)
            after = before
            for event in events:
                after = transfers.apply(after, event, stamp.at)
            unit.save_transfer(before, after, events)
            if after.order is None or (order is None and self._waiting(unit, before) is None):
                holding.announce(unit, after)  # what comes for an order is not the shelf's
            return after, order

        transfer, order = in_transaction(self.parts, stamp, work)
        if order is not None and not self.parts.storage.is_joined:
            rerouting.heard(self.parts, payments.load(self.parts, order.id), stamp)
        return transfer

    def _waiting(self, unit: Unit, transfer: Transfer) -> Order | None:
        """The order that waits for this transfer, if it still does."""
        order = unit.tx.order(transfer.order) if transfer.order else None
        return order if order is not None and order.pickup.leg(transfer.id) is not None else None

    def _expects(self, unit: Unit, transfer: Transfer, arrives: datetime) -> Order | None:
        order = self._waiting(unit, transfer)
        if order is None or arrives == transfer.expected_at:
            return order
        return carry_on(unit, order, [e.ArrivalMoved(transfer.id, arrives)])

    def _lacks(self, unit: Unit, transfer: Transfer, lacking: Counted, draw: bytes) -> Order | None:
        """Tell the order that these units won't come; they stay its own, as a shortage of its pick-up's store."""
        order = self._waiting(unit, transfer)
        leg = None if order is None else order.pickup.leg(transfer.id)
        if order is None or leg is None:
            return None
        skus = {line.id: line.sku for line in order.lines}
        missing, _ = transfers.shared_out(leg, skus, lacking)
        hold = ids.reservation_id(transfer.destination, draw)
        ledger_of(self.parts).hold(unit.tx, hold, transfer.destination, order.units_by_sku(missing))
        return carry_on(unit, order, [e.UnitsArrived(transfer.id, (), missing, hold)])

    def _load(self, tx: Transaction, transfer_id: str, side: str = "either") -> Transfer:
        found = tx.transfer(ids.check("transfer", transfer_id))
        if found is None or not self._may(found, side):
            raise NotFound("transfer", transfer_id)
        return found

    def _may(self, transfer: Transfer, side: str) -> bool:
        sides = {"source": (transfer.source,), "destination": (transfer.destination,)}
        return self.touch.works_at(*sides.get(side, (transfer.source, transfer.destination)))

    def _mine(self, *stores: str) -> None:
        if not self.touch.works_at(*stores):
            raise NotFound("store", stores[0])

    def _page(
        self, store: str, states: Sequence[TransferState], after: str | None, limit: int, *, incoming: bool
    ) -> Page[Transfer]:
        most = limited(limit, self.parts.settings.page_limit)
        wanted = several(states, TransferState, "states", "must be a list of TransferState", most=MOST_STATES)
        names = [state.value for state in wanted]
        place = position(after, datetime, str)
        ledger_of(self.parts)
        try:
            self._mine(ids.store_id(store))
        except InvalidId:
            raise NotFound("store", store) from None
        if self.parts.stores.store(store) is None:
            raise NotFound("store", store)
        found = reading(
            self.parts,
            lambda tx: tx.transfers(store, incoming=incoming, states=names, after=place, limit=most + 1),
        )
        last = found[:most][-1] if found else None
        return page(found, most, cursor(iso(last.expected_at), last.id) if last else None)


def give_up(unit: Unit, timer: Timer, at: datetime) -> list[str]:
    """Call off, for the sweep, goods for a shelf that nobody has sent in time: their units are free again."""
    before = unit.tx.transfer(timer.subject)
    due = transfers.due(before, unit.parts.settings.transfer_waits) if before else None
    if before is None or due is None or due > at:
        unit.tx.write(Writes(timers=(TimerWrite(timer.store, timer.subject, due, if_due_at=timer.due_at),)))
        return []
    event = _called_off(unit, before, NOT_SENT)
    after = transfers.apply(before, event, unit.stamp.at)
    unit.save_transfer(before, after, [event])
    holding.announce(unit, after)
    return [type(event).__name__]


def _called_off(unit: Unit, transfer: Transfer, reason: str) -> e.TransferCancelled:
    event = e.TransferCancelled(reason)
    transfers.apply(transfer, event, unit.stamp.at)  # refuses what has left, before anything is booked
    unit.parts.inventory.release(unit.tx, transfer.reservation)  # also when the stock has gone outside since
    return event


def _counted(units: object, *, least: int = 0) -> dict[str, int]:
    known = cast("Mapping[object, object]", given(units, Mapping, "units", "must be units per SKU"))
    if len(known) > MOST_SKUS:
        raise InvalidInput("units", len(known), f"at most {MOST_SKUS} SKUs in one transfer")
    return {ids.sku(sku): valid_quantity(count, f"units of {sku}", least=least) for sku, count in known.items()}


def _future(value: datetime, at: datetime) -> datetime:
    moment = instant(value, "expected_at")
    if moment <= at:
        raise InvalidInstant("expected_at", value, "must be in the future")
    return moment
