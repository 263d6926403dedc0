"""What an order's events do to its neighbours - stock, slot, bins, cart, transfers - in the same transaction.

The only place where that is decided: an order that changes by whatever way (a command, a provider's answer, a
timer) has the same consequences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from attrs import evolve, frozen

from omniorder.domain import carts, coupling, waiting
from omniorder.domain import events as e
from omniorder.domain.counter import SPOILT
from omniorder.domain.lifecycle import OrderState, PickupState
from omniorder.domain.no_show_policy import Leftovers
from omniorder.domain.order_lines import OrderLine
from omniorder.domain.orders import Order, told
from omniorder.domain.pickups import Pickup, call_off, called_off_elsewhere, freed, replaced, spared
from omniorder.domain.quantities import weight_bounds
from omniorder.domain.transfers import Awaited
from omniorder.errors import StaleWrite
from omniorder.ports.writes import BinChange, Writes
from omniorder.services import holding
from omniorder.services.ledger import Ledger, ledger_of
from omniorder.services.parts import Parts
from omniorder.services.places import given_back
from omniorder.services.units import Unit, reading


def carry_on(unit: Unit, before: Order, events: Sequence[e.Event], *, refund_to: str = "") -> Order:
    """Apply `events` and all that follows from them to a stored order, save it, and tell its neighbours.

    `refund_to` names the payment by which money goes back first.
    """
    at = unit.stamp.at
    terms = evolve(unit.parts.terms, to=refund_to) if refund_to else unit.parts.terms
    after, more = coupling.follow(told(before, events, at), at, terms)
    happened = (*events, *more)
    if happened:
        unit.save_order(before, after, happened)
        spread(unit, before, after, happened)
    return after


def happened_since(parts: Parts, order: Order, version: int) -> list[str]:
    """The names of the events that brought the order from this version to where it is."""
    steps = order.version - version
    entries = reading(parts, lambda tx: tx.journal(order.store, order.id, after=version, limit=steps)) if steps else ()
    return [entry.name for entry in entries]


def spread(unit: Unit, before: Order, order: Order, events: Sequence[e.Event]) -> None:
    """The consequences of these events of `order` (as it is after them) for stock, slot, cart and transfers."""
    stock, tx = unit.parts.inventory, unit.tx
    dropped: Counter[str] = Counter()
    unsold: list[_Unsold] = []
    ends = any(isinstance(event, e.PickupCancelled) for event in events)
    for was, event in holding.step_by_step(before, events, unit):
        match event:
            case e.PaymentDeadlineExtended(pay_by) if order.state is OrderState.PLACED:
                for held in (order.reservation_id, *(leg.reservation for leg in order.pickup.awaited)):
                    stock.extend(tx, held, pay_by)
            case e.OrderConfirmed():
                _confirm(unit, was)
            case e.Collected(units) | e.PartCollected(units):
                _consume(unit, order, order.units_by_sku(units))
                dropped.update(order.units_by_sku(spared(was.pickup, units)))
            case e.RestCancelled(units):
                dropped.update(order.units_by_sku(freed(was.pickup, units)))
            case e.RestLapsed(units) | e.UnitsSpoiled(units):
                dropped.update(order.units_by_sku(freed(was.pickup, units)))
                _put_away(unit, was, units)
            case e.UnitsRefused(units, reason):
                if not ends:  # else all that is held is let go below
                    dropped.update(order.units_by_sku(freed(was.pickup, units)))
                unsold += _unsold(order, units, reason)
            case e.SubstituteProposed(proposal):
                _reserve_lines(unit, was, [proposal.coming], proposal.hold)
            case e.SubstituteDeclined(answered) | e.SubstituteWithdrawn(answered):
                stock.release(tx, was.pickup.proposal(answered).hold)
            case e.UnitsSubstituted():
                dropped.update(order.units_by_sku(replaced(was.pickup, event, unit.stamp.at)))
            case e.LinesAppended(lines, hold) if hold not in was.pickup.holds:
                _reserve_lines(unit, was, lines, hold)
            case e.LinesCancelled(units, reason):
                elsewhere = called_off_elsewhere(was.pickup, units)
                dropped.update(order.units_by_sku(freed(was.pickup, units)))
                dropped.subtract(order.units_by_sku(elsewhere))
                still = {leg.transfer for leg in call_off(was.pickup, units).awaited}
                gone = [leg for leg in was.pickup.awaited if leg.transfer not in still]
                holding.call_off_transfers(unit, gone, reason)
            case e.UnitsSent(transfer, store, units, expected_at):
                leg = Awaited(transfer, store, units, expected_at)
                dropped.update(order.units_by_sku(units))
                stock.reserve(tx, leg.reservation, store, order.units_by_sku(units), None)
                holding.request(unit, order, leg)
            case e.PartReturned() | e.AllReturned():
                _take_back(unit, order, event)
            case e.GoodsExchanged(lines, store, hold):
                goods = Counter[str]()
                for line in lines:
                    goods[line.sku] += line.quantity
                stock.reserve(tx, hold, store, dict(goods), None)
                tx.flush()  # held, and gone at once
                stock.consume(tx, hold, dict(goods), order.id, unit.stamp)
            case e.PickupCancelled():
                _let_go(unit, was, order)
            case e.NoShow():
                _let_go(unit, was, order)
                _put_away(unit, was, was.pickup.rest())
            case e.OrderRerouted(store=store, reservation=reservation):
                there = told(was, [event], unit.stamp.at)
                stock.reserve(tx, reservation, store, there.units_by_sku(there.pickup.held()), None)
            case e.PickRerouted():
                _let_go(unit, was, order)
                dropped.clear()  # with everything else that was held here
            case e.SlotMoved():
                _free_slot(unit, was.pickup)
            case e.OrderCancelled() | e.OrderExpired() if order.confirmed_at is None:
                _reopen_cart(unit, order)
            case _:
                pass
    _lay_down(unit, before.pickup, order.pickup)
    if back := {sku: count for sku, count in dropped.items() if count}:
        if unit.goods_left:
            tx.flush()  # the reservation is changed once more
        for held, count in holding.shares(tx, before, back).items():
            stock.release(tx, held, count)
    if unsold and isinstance(stock, Ledger):
        tx.flush()  # what left the shelf with the customer left it first
        for one in unsold:
            stock.put_away(tx, order.pickup.store, one.units, unit.stamp, one.reason, order.id, keep=not one.lost)


@frozen
class _Unsold:
    """Units per SKU that are not on sale again although nobody wants them: `lost` for good, or to be looked at."""

    units: dict[str, int]
    reason: str
    lost: bool


def _unsold(order: Order, units: tuple[e.Units, ...], reason: str) -> list[_Unsold]:
    if reason in SPOILT:
        return [_Unsold(order.units_by_sku(units), reason, lost=True)]
    perishable = [part for part in units if order.line(part.line).handling.perishable]
    return [_Unsold(order.units_by_sku(perishable), reason, lost=False)] if perishable else []


def _reserve_lines(unit: Unit, was: Order, lines: Sequence[OrderLine], hold: str) -> None:
    """Keep what these lines need in the pick-up's store, of what is weighed as many as it may weigh."""
    wanted = Counter[str]()
    for line in lines:
        wanted[line.sku] += weight_bounds(line.quantity, line.tolerance)[1]
    unit.parts.inventory.reserve(unit.tx, hold, was.pickup.store, dict(wanted), None)


def _confirm(unit: Unit, order: Order) -> None:
    unit.parts.inventory.confirm(unit.tx, order.reservation_id)
    for leg in order.pickup.awaited:
        unit.parts.inventory.confirm(unit.tx, leg.reservation)
        holding.request(unit, order, leg)


def _consume(unit: Unit, order: Order, gone: dict[str, int]) -> None:
    unit.goods_left = True
    shares = holding.shares(unit.tx, order, gone)
    if len(shares) == 1:
        for reservation, units in shares.items():
            unit.parts.inventory.consume(unit.tx, reservation, units, order.id, unit.stamp)
    else:
        ledger_of(unit.parts).consume_all(unit.tx, shares, order.id, unit.stamp)


def _take_back(unit: Unit, order: Order, event: e.PartReturned | e.AllReturned) -> None:
    """To the shelf of the store that took them back, to quarantine, or off its books; a stock system outside hears of
    it from the journal."""
    if not isinstance(unit.parts.inventory, Ledger):
        return
    ledger, damaged, lost = unit.parts.inventory, Counter[str](), Counter[str]()
    damaged.update(order.units_by_sku(event.damaged))
    lost.update(order.units_by_sku(event.unsellable))
    for sku, count in sorted(order.units_by_sku(event.units).items()):
        aside = damaged[sku] + lost[sku]
        for units, resellable in ((count - aside, True), (aside, False)):
            if units:
                ledger.take_back(
                    unit.tx, event.store, sku, units, unit.stamp, "returned", order.id, resellable=resellable
                )
        if lost[sku]:
            unit.tx.flush()  # what is written off was in quarantine, if only for a moment
            ledger.write_off(
                unit.tx, event.store, sku, lost[sku], unit.stamp, "unsellable", order.id, from_quarantine=True
            )


def _let_go(unit: Unit, was: Order, order: Order) -> None:
    """Everything that was held or asked for is free again, the place in the slot too."""
    stock, tx = unit.parts.inventory, unit.tx
    expired = order.state in (OrderState.EXPIRING, OrderState.EXPIRED)
    for reservation in (*holding.here(tx, was), *(proposal.hold for proposal in was.pickup.proposals)):
        stock.release(tx, reservation, expired=expired)
    if was.pickup.state is PickupState.PLANNED:
        for leg in was.pickup.awaited:
            stock.release(tx, leg.reservation, expired=expired)
    else:
        holding.call_off_transfers(unit, was.pickup.awaited, "order_ended")
    _free_slot(unit, was.pickup)


def _put_away(unit: Unit, was: Order, units: Sequence[e.Units]) -> None:
    """What of these units is perishable is not sold again. A stock system outside only hears that they are free: the
    retailer puts them away there."""
    left, ledger = unit.parts.settings.no_show.perishables, unit.parts.inventory
    spoiled = was.units_by_sku(waiting.perishables(was, units))
    if spoiled and left is not Leftovers.RESTOCK and isinstance(ledger, Ledger):
        keep = left is Leftovers.QUARANTINE
        ledger.put_away(unit.tx, was.pickup.store, spoiled, unit.stamp, waiting.NOT_COLLECTED, was.id, keep=keep)
        unit.goods_left = True


def _free_slot(unit: Unit, pickup: Pickup) -> None:
    unit.tx.write(Writes(slots=(given_back(pickup),)))


def _lay_down(unit: Unit, was: Pickup, now: Pickup) -> None:
    """Bins are free again when its goods don't lie there any more, and are taken when they do now."""
    changes = [BinChange(was.store, code, -1) for code in was.bins if code not in now.bins]
    changes += [BinChange(now.store, code, 1, unit.room.get(code, 0)) for code in now.bins if code not in was.bins]
    if changes:
        unit.tx.write(Writes(bins=tuple(changes)))


def _reopen_cart(unit: Unit, order: Order) -> None:
    """An order that ends before it was confirmed destroys no basket."""
    before = unit.tx.cart(order.cart_id)
    if before is None:
        raise StaleWrite(kind="cart", id=order.cart_id)
    event = e.CartReopened(order.id)
    unit.save_cart(before, carts.apply(before, event, unit.stamp.at), [event])
