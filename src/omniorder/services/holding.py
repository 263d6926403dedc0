"""What holds an order's units: the promise's reservation, those of what arrived, and those of what is still to come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from omniorder.domain import events as e
from omniorder.domain import orders, transfers
from omniorder.domain.deliveries import ExpectedDelivery
from omniorder.domain.lifecycle import ENDED, TransferState
from omniorder.domain.orders import Order
from omniorder.domain.transfers import OPEN, Awaited, Transfer
from omniorder.ports.storage import Transaction
from omniorder.ports.writes import Expect, Writes
from omniorder.services.units import Unit

_REARRANGING = (
    e.GoodsExchanged,
    e.LinesAppended,
    e.SubstituteProposed,
    e.SubstituteDeclined,
    e.SubstituteWithdrawn,
    e.UnitsSubstituted,
    e.LinesCancelled,
    e.UnitsSent,
    e.UnitsArrived,
    e.UnitsRefused,
    e.PickRerouted,
    e.OrderRerouted,
    e.SlotMoved,
)
_NOT_SENT = (TransferState.REQUESTED, TransferState.PICKED)


def step_by_step(before: Order, events: Sequence[e.Event], unit: Unit) -> Iterator[tuple[Order, e.Event]]:
    """Each event with the order as it was just before it: only what rearranges units needs more than the first."""
    rearranged = any(isinstance(event, _REARRANGING) for event in events)
    was = before
    for event in events:
        yield was, event
        if rearranged:
            was = orders.apply(was, event, unit.stamp.at)


def here(tx: Transaction, order: Order) -> tuple[str, ...]:
    """The reservations that hold the order's units in its pick-up's store: one, but for what came from elsewhere."""
    pickup = order.pickup
    if not pickup.holds and not pickup.awaited:
        return (order.reservation_id,)
    proposed = {proposal.hold for proposal in pickup.proposals}  # not the order's own yet
    return tuple(one for one in (order.reservation_id, *pickup.holds) if one not in proposed and _is_live(tx, one))


def shares(tx: Transaction, order: Order, units: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """From which reservation how many of these units per SKU are taken: the oldest first.

    What none of them has is put on the first one, which refuses it.
    """
    held = here(tx, order)
    if len(held) <= 1:
        return {held[0] if held else order.reservation_id: dict(units)}
    found: dict[str, dict[str, int]] = {}
    rest = dict(units)
    for one in held:
        reservation = tx.reservation(one)
        for sku, live in (reservation.live() if reservation else {}).items():
            if take := min(live, rest.get(sku, 0)):
                found.setdefault(one, {})[sku] = take
                rest[sku] -= take
    for sku, count in rest.items():
        if count:
            first = found.setdefault(held[0], {})
            first[sku] = first.get(sku, 0) + count
    return found


def _is_live(tx: Transaction, reservation_id: str) -> bool:
    reservation = tx.reservation(reservation_id)
    return reservation is not None and reservation.state not in ENDED


def call_off_transfers(unit: Unit, legs: Sequence[Awaited], reason: str) -> None:
    """Nobody waits for these any more: what was not sent stays where it is, what is under way goes on to the shelf."""
    for leg in legs:
        transfer = unit.tx.transfer(leg.transfer)
        if transfer is not None and transfer.state in _NOT_SENT:
            event = e.TransferCancelled(reason)
            unit.save_transfer(transfer, transfers.apply(transfer, event, unit.stamp.at), [event])
            unit.parts.inventory.release(unit.tx, leg.reservation)
        elif transfer is not None:
            announce(unit, transfer)


def announce(unit: Unit, transfer: Transfer) -> None:
    """Let the destination know what comes to its shelf, and when."""
    for line in transfer.lines:
        coming = 0
        if transfer.state in OPEN:
            coming = line.quantity if transfer.state is TransferState.REQUESTED else line.picked
        delivery = ExpectedDelivery(transfer.destination, line.sku, transfer.id, coming, transfer.expected_at)
        unit.tx.write(Writes(expected=(Expect(delivery),)))


def request(unit: Unit, order: Order, leg: Awaited) -> None:
    """Ask the leg's store to send what it brings."""
    transfer, event = transfers.request(
        leg.transfer, leg.store, order.pickup.store, order.units_by_sku(leg.units),
        order=order.id, at=unit.stamp.at, expected_at=leg.expected_at,
    )  # fmt: skip
    unit.save_transfer(None, transfer, [event])
