"""The checkout desk: offers, the promise, and placing the order on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from attrs import frozen

from omniorder.domain import carts, ids, promises
from omniorder.domain import events as e
from omniorder.domain.carts import Cart
from omniorder.domain.handoffs import Scope
from omniorder.domain.instants import instant
from omniorder.domain.lifecycle import PromiseState, advance
from omniorder.domain.money import Money
from omniorder.domain.offers import Offer
from omniorder.domain.orders import Order
from omniorder.domain.payments import Tender
from omniorder.domain.promises import Promise
from omniorder.domain.slots import Slot
from omniorder.domain.store_services import Service
from omniorder.domain.stores import Point, Store
from omniorder.domain.windows import Windows
from omniorder.errors import (
    CartChanged,
    CartEmpty,
    InvalidInput,
    OutOfStock,
    PaymentInFlight,
    PromiseGone,
    ServiceMissing,
    SlotUnavailable,
    StaleWrite,
    StillRunning,
)
from omniorder.ports.writes import Writes
from omniorder.services import coming, offering, outside, placing, quoting, sending, tendering
from omniorder.services.access import cart_for, promise_for
from omniorder.services.free_windows import slot_of, store_of
from omniorder.services.logs import command
from omniorder.services.parts import Parts, Touch
from omniorder.services.places import given_back, taken
from omniorder.services.promising import let_go
from omniorder.services.surface import given
from omniorder.services.units import Seen, Unit, in_transaction, reading

MOST_EDITS_MEANWHILE = 20
"""How often a promise starts anew because another device edits the cart between pricing and holding."""


@frozen
class Checkout:
    """From wishes to an order."""

    parts: Parts
    touch: Touch

    def offers(self, cart_id: str, *, near: Point | None = None, by: datetime | None = None) -> tuple[Offer, ...]:
        """Every store where customers collect, best first; those that can't promise the whole basket say why not.

        `near` is where the customer is, and `by` until when the basket must be there: only slots that start before it
        count. The order is the hub's (`OrderHub.open(sourcing=...)`): by default stores that have everything, then
        those that could get the rest from other stores, then those with more of the basket; of these the nearest,
        then the earliest.

        Raises `NotFound`, `CartEmpty`, `InvalidInstant` (by), `InvalidInput` (near, or `by` is over); `InventoryFault`
        and `NeedsOwnTransaction` where the stock is outside.
        """
        if near is not None:
            given(near, Point, "near", "a Point")
        until = None if by is None else instant(by, "by")
        cart = self._wishes(cart_id, Scope.VIEW)
        if until is not None and until <= self.parts.clock.now():
            raise InvalidInput("by", by, "must lie ahead")
        return offering.offers(self.parts, self.touch.channel, cart, self._live(cart), near=near, by=until)

    @command("checkout.promise")
    def promise(
        self, cart_id: str, *, slot: str, expect: Money | None = None, lasts: timedelta | None = None,
        collect: Service | None = None, ship: bool = False,
    ) -> Promise:  # fmt: skip
        """Hold the basket's units at the slot's store, a place in the slot and the price, all or nothing.

        Of what is weighed as much is held as it may weigh at most, and `quote.ceiling` is what that would cost.

        `expect` is the total that the customer saw: another one raises `QuoteChanged` with the new quote. A promise
        that this cart already has is replaced in the same transaction, or returned when it is for the same slot
        and content. `lasts` is how long to hold it, within the settings' bounds; a live promise that ends sooner is
        renewed at its own price. No promise outlives its pick-up window. `collect` is how the customer wants the goods,
        PICKUP, CURBSIDE or LOCKERS; by default as before, or the first of these that the store has. With `ship` other
        stores may send what this one hasn't got (`Service.SHIP_TO_STORE`): it is held there under the same time limit,
        and the window must leave time for it to arrive and be prepared.

        Raises `NotFound`, `CartEmpty`, `NoPrice`, `ServiceMissing`, `OutOfStock`, `SlotUnavailable`, `QuoteChanged`,
        `PaymentInFlight` (an order stands on the cart's promise), `InvalidInput` (lasts, collect); `InventoryFault` and
        `NeedsOwnTransaction` where the stock is outside.
        """
        lasting = self._lasting(lasts)
        quoting.money(expect)
        _collecting(collect)
        for _ in range(MOST_EDITS_MEANWHILE):
            try:
                return self._promise(cart_id, slot, expect, lasting, collect, renew=lasts is not None, ship=ship)
            except CartChanged:
                continue
            except SlotUnavailable as refusal:
                raise self._with_next(refusal, cart_id) from None
            except OutOfStock as refusal:
                raise self._with_more(refusal) from None
        raise StillRunning(command="carts.edit", id=cart_id)

    def _promise(
        self, cart_id: str, slot: str, expect: Money | None, lasting: timedelta, collect: Service | None, *,
        renew: bool, ship: bool,
    ) -> Promise:  # fmt: skip
        """Price the cart as it is, then hold it; raises `CartChanged` when it was edited in between."""
        stamp = self.touch.stamp(self.parts.clock)
        cart = self._wishes(cart_id, Scope.EDIT)
        live = self._live(cart)
        if live and (live.slot, live.lines_version) == (slot, cart.lines_version):
            quoting.as_seen(expect, live.quote)
            ends = max(live.expires_at, min(stamp.at + lasting, live.ends))
            same_way = collect in (None, live.collect)
            if same_way and (not renew or ends == live.expires_at):
                return live
            wanted, quote = Slot(live.slot, live.store, *live.window, capacity=1), live.quote
            way = live.collect if same_way else _way(store_of(self.parts, slot), collect)
            ship = ship or bool(live.legs)
        else:
            store = store_of(self.parts, slot)
            wanted = slot_of(self.parts, store, slot)
            quote = promises.summed(quoting.priced(self.parts, self.touch.channel, store, cart.lines))
            way = _way(store, collect)
            quoting.as_seen(expect, quote)
            ends = min(stamp.at + lasting, wanted.ends.astimezone(UTC))
        legs = sending.for_promise(self.parts, quote, wanted, live, stamp.at) if ship else ()
        draw = self.parts.time_ordered()
        new = Promise(
            id=ids.promise_id(wanted.store, draw),
            store=wanted.store,
            cart_id=cart.id,
            owner=cart.owner,
            lines_version=cart.lines_version,
            state=PromiseState.HELD,
            slot=wanted.id,
            starts=wanted.starts.astimezone(UTC),
            ends=wanted.ends.astimezone(UTC),
            zone=str(wanted.starts.tzinfo),
            quote=quote,
            reservation_id=ids.reservation_id(wanted.store, draw),
            made_at=stamp.at,
            expires_at=ends,
            collect=way,
            legs=legs,
        )
        seen = Seen(cart)
        with outside.held(self.parts, stamp, new, promises.holds(quote), cart.promise_id):
            return in_transaction(self.parts, stamp, lambda unit: self._hold(unit, new, seen, wanted))

    def _with_next(self, refusal: SlotUnavailable, cart_id: str) -> SlotUnavailable:
        """The refusal with `earliest`, the start of the store's first free slot, unless it knows better itself."""
        if refusal.facts["reason"] == "before_arrival":
            return refusal  # the first free slot is not what it's about, but the first after the goods have come
        store_id, _ = ids.parse_slot_id(refusal.facts["slot"])
        store, now = self.parts.stores.store(store_id), self.parts.clock.now()
        until = now + self.parts.settings.slot_horizon
        booked = reading(self.parts, lambda tx: tx.booked([store_id], now, until))
        lines = len(self._wishes(cart_id, Scope.EDIT).lines)
        free = Windows(booked, lines=lines, now=now, until=until, most=1).free(store) if store else ()
        earliest = {"earliest": free[0].starts.isoformat(timespec="minutes")} if free else {}
        return SlotUnavailable(**(earliest | dict(refusal.facts)))

    def _with_more(self, refusal: OutOfStock) -> OutOfStock:
        """The refusal with the unit of what is weighed, since the stock counts units, whatever they are; and with the
        next delivery."""
        short, store_id = refusal.facts["short"], refusal.facts["store"]
        skus = [item["sku"] for item in short]
        articles = self.parts.catalogue.articles(skus)
        more = coming.coming(self.parts, {store_id: skus})
        store = self.parts.stores.store(store_id) if more else None
        told = [
            {
                **item,
                **offering.measure(articles.get(item["sku"]), item["available"]),
                **coming.told(more.get((store_id, item["sku"])), store),
            }
            for item in short
        ]
        return OutOfStock(**{**refusal.facts, "short": told})

    def _hold(self, unit: Unit, new: Promise, seen: Seen[Cart], slot: Slot) -> Promise:
        before = seen.once() or cart_for(self.touch, unit.tx, new.cart_id, Scope.EDIT, unit.stamp.at)
        if (before.lines_version, before.owner) != (new.lines_version, new.owner):
            raise CartChanged(cart=before.id, promise=new.id)
        if before.order_id is not None:
            raise PaymentInFlight(order=before.order_id)
        old = unit.tx.promise(before.promise_id) if before.promise_id else None
        told: list[e.Event] = []
        places = [taken(new, slot)]
        if old is not None:
            places.insert(0, given_back(old))  # in the same slot both count as one, with the new one's capacities
            told.append(_ended(old, new))
            unit.save_promise(old, promises.apply(old, told[0]))
        told.append(e.PromiseMade(new.id, new.store, new.slot, new.quote.total, new.quote.ceiling, new.expires_at))
        after = before
        for event in told:
            after = carts.apply(after, event, unit.stamp.at)
        unit.save_cart(before, after, told)
        unit.save_promise(None, new)
        stock = self.parts.inventory
        stock.reserve(
            unit.tx, new.reservation_id, new.store, sending.rest(promises.holds(new.quote), new.legs), new.expires_at,
            instead_of=old.reservation_id if old else None,
        )  # fmt: skip
        for leg in new.legs:
            stock.reserve(unit.tx, leg.reservation, leg.store, dict(leg.units), new.expires_at)
        for leg in old.legs if old else ():
            stock.release(unit.tx, leg.reservation)
        unit.tx.write(Writes(slots=tuple(places)))
        return new

    @command("checkout.withdraw")
    def withdraw(self, promise_id: str) -> Promise:
        """Give a promise back; withdrawing twice changes nothing. Raises `NotFound`, `PaymentInFlight`."""
        checked = ids.check("promise", promise_id)
        return self._withdraw(checked, Scope.EDIT)

    def _withdraw(self, checked: str, scope: Scope) -> Promise:
        stamp = self.touch.stamp(self.parts.clock)

        def work(unit: Unit) -> Promise:
            before = promise_for(self.touch, unit.tx, checked, scope, stamp.at)
            if before.order_id is not None:
                raise PaymentInFlight(order=before.order_id)
            if before.state is not PromiseState.HELD:
                return before
            after = give_back(unit, before, e.PromiseWithdrawn(before.id))
            promise_for(self.touch, unit.tx, checked, scope, stamp.at)  # still, now that the cart was read
            return after

        return in_transaction(self.parts, stamp, work)

    @command("checkout.place")
    def place(self, promise_id: str, *, pay: Tender | Sequence[Tender]) -> Order:
        """Turn a promise into an order and pay it; unique by the promise, so a double click gives one order.

        `pay` is one tender, or several in the order in which they are to be used: each gives as much as it may and can,
        until nothing is missing. What comes next is `order.outcome`. With another tender after a decline this is a new
        payment on the same order, for what the others don't cover, until its deadline `pay_by`.

        Raises `NotFound`, `PromiseGone`, `CartChanged`, `TenderUnsupported`, `NotCovered` (the tenders are too little),
        `PaymentDeclined` (carries the order), `PaymentInFlight` (another tender is still at work), `StillRunning`,
        `NeedsOwnTransaction`, `InvalidInput` (no tender, or one twice); `InventoryFault` where the stock is outside.
        """
        checked = ids.check("promise", promise_id)
        tenders = tendering.brought(pay)
        if not outside.still_held(self.parts, self.touch, checked, self.touch.stamp(self.parts.clock)):
            self._withdraw(checked, Scope.PAY)
            raise PromiseGone(promise=checked, state="withdrawn: its units were lost")
        return placing.place(self.parts, self.touch, checked, tenders)

    @command("checkout.resume")
    def resume(self, order_id: str) -> Order:
        """Ask the provider how an unfinished payment stands: after 3-D Secure, say, begun on another channel.

        Where the customer must still act, the payment's outcome says what to do. Raises `NotFound`,
        `PaymentDeclined`, `NeedsOwnTransaction`.
        """
        return placing.resume(self.parts, self.touch, ids.check("order", order_id))

    # --- what a promise needs to know ---

    def _wishes(self, cart_id: str, scope: Scope) -> Cart:
        at = self.parts.clock.now()
        cart = reading(self.parts, lambda tx: cart_for(self.touch, tx, cart_id, scope, at))
        if cart.order_id is not None:
            raise PaymentInFlight(order=cart.order_id)
        advance(cart.state, e.PromiseMade("", "", "", _NOTHING, _NOTHING, cart.started_at))
        if not cart.lines:
            raise CartEmpty(cart=cart.id)
        return cart

    def _live(self, cart: Cart) -> Promise | None:
        if cart.promise_id is None:
            return None
        promise_id = cart.promise_id
        promise = reading(self.parts, lambda tx: tx.promise(promise_id))
        live = promise is not None and promise.state is PromiseState.HELD
        return promise if live and promise and self.parts.clock.now() < promise.expires_at else None

    def _lasting(self, lasts: timedelta | None) -> timedelta:
        limits = self.parts.settings
        if lasts is None:
            return limits.promise_lasts
        rule = f"a timedelta between {limits.promise_shortest} and {limits.promise_longest}"
        if not limits.promise_shortest <= given(lasts, timedelta, "lasts", rule) <= limits.promise_longest:
            raise InvalidInput("lasts", lasts, rule)
        return lasts


_NOTHING = Money(0, "EUR")


def give_back(unit: Unit, before: Promise, event: e.PromiseWithdrawn | e.PromiseLapsed) -> Promise:
    """End a held promise: its units, its place and the cart's pointer to it, in one transaction."""
    cart = unit.tx.cart(before.cart_id)
    if cart is None or cart.owner != before.owner:  # it changed hands since the promise was read
        raise StaleWrite(kind="cart", id=before.cart_id)
    unit.save_cart(cart, carts.apply(cart, event, unit.stamp.at), [event])
    return let_go(unit, before, event)


def _ended(old: Promise, new: Promise) -> e.Event:
    """How the cart's former promise ends: time may have ended it already, only no sweep has come by yet."""
    if old.state is not PromiseState.HELD:
        raise StaleWrite(kind="promise", id=old.id)
    return e.PromiseLapsed(old.id) if new.made_at >= old.expires_at else e.PromiseReplaced(old.id, new.id)


def _collecting(collect: object) -> None:
    if collect is not None and not (isinstance(collect, Service) and collect.collects):
        raise InvalidInput("collect", collect, "a way to collect: Service.PICKUP, CURBSIDE or LOCKERS")


def _way(store: Store, collect: Service | None) -> Service:
    """How the customer will collect, where this store does that."""
    if collect is None:
        return store.ways[0]
    if collect not in store.services:
        raise ServiceMissing(store=store.id, missing=[{"service": collect.value}])
    return collect
