"""Carts that change hands: two of one customer's become one, and a guest's become a customer's.

A claim is decided about all of a customer's carts at once. Two devices that log in at the same moment would each find
no cart of the other's, so a claim counts the customer's own stream on (`Unit.save_customer`): the second one starts
anew, and finds what the first one left. Everything that a guest has moves in one transaction (only somebody with more
than `BATCH` carts or orders is moved in several), so of two customers who claim one guest, one gets everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from attrs import Factory, define, evolve, field, frozen

from omniorder.domain import carts, ids, orders
from omniorder.domain import events as e
from omniorder.domain.actors import Customer, Guest
from omniorder.domain.carts import Cart
from omniorder.domain.lifecycle import CartState, PickupState
from omniorder.domain.merging import Claimed, Merged, explain
from omniorder.domain.merging import merge as merged
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise
from omniorder.errors import InvalidInput, InvalidQuantity, NotAllowed, StaleWrite, TooMany
from omniorder.services.access import own_cart
from omniorder.services.parts import Parts, Touch
from omniorder.services.promising import let_go
from omniorder.services.surface import given
from omniorder.services.units import Unit, in_transaction

BATCH = 100
"""Carts, or orders, of a guest that are moved in one transaction: more than anybody has on one device."""


def merge(parts: Parts, touch: Touch, cart_id: str, other_id: str) -> Merged:
    """See `Carts.merge`."""
    into_id, from_id = ids.check("cart", cart_id), ids.check("cart", other_id)
    if into_id == from_id:
        raise InvalidInput("other", from_id, "must be another cart")

    def work(unit: Unit) -> Merged:
        into = own_cart(touch, unit.tx, into_id, unit.stamp.at, "merge")
        other = own_cart(touch, unit.tx, from_id, unit.stamp.at, "merge")
        if other.merged_into == into.id:
            return Merged(into, explain(into, [other], into))
        return _join(unit, _Hand(into), [_Hand(other)])

    return in_transaction(parts, touch.stamp(parts.clock), work)


def claim(parts: Parts, touch: Touch, guest: Guest) -> Claimed:
    """See `OwnCarts.claim`."""
    given(guest, Guest, "guest", "a Guest: the one who filled the cart")
    customer = touch.actor
    if not isinstance(customer, Customer):
        raise NotAllowed(actor=customer.name, action="claim a guest's carts: only a known customer can")
    stamp = touch.stamp(parts.clock)
    take = partial(_take, guest=guest.owner, owner=customer.owner)
    rounds = [in_transaction(parts, stamp, take)]
    while rounds[-1].more:
        rounds.append(in_transaction(parts, stamp, take))
    orders = tuple(id for one in rounds for id in one.orders)
    cart = rounds[-1].cart
    if cart is None:
        return Claimed(None, orders=orders)
    before = next(one.before for one in rounds if one.before is not None and one.before.id == cart.id)
    others = [other for one in rounds for other in one.others]
    apart = tuple(id for one in rounds for id in one.apart)
    return Claimed(cart, explain(before, others, cart), orders, apart)


@define(eq=False)
class _Hand:
    """A cart in this transaction's hands: as it was read, as it is by now, and what happened in between."""

    before: Cart
    now: Cart = field(default=Factory(lambda hand: hand.before, takes_self=True), init=False)
    events: list[e.Event] = field(factory=list[e.Event], init=False)

    def tell(self, unit: Unit, *events: e.Event) -> None:
        for event in events:
            self.now = carts.apply(self.now, event, unit.stamp.at)
            self.events.append(event)

    def save(self, unit: Unit, *, new_code: bool = False) -> None:
        """Write it; a cart that changed hands takes its promise and the order that stands on it along."""
        if self.events:
            unit.save_cart(self.before, self.now, self.events)
        if self.now.owner == self.before.owner:
            return
        if self.now.promise_id is not None:
            _move_promise(unit, self.now.promise_id, self.now.owner)
        if self.now.order_id is not None:
            order = unit.tx.order(self.now.order_id)
            if order is None:
                raise StaleWrite(kind="order", id=self.now.order_id)
            _move_order(unit, order, self.now.owner, new_code=new_code)


@frozen
class _Taken:
    """What one transaction moved: `others` came into `before`, which is `cart` now. `more`: there may be more left."""

    before: Cart | None
    cart: Cart | None
    others: tuple[Cart, ...] = ()
    orders: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    more: bool = False


def _take(unit: Unit, guest: str, owner: str) -> _Taken:
    """All that the guest has, or a batch of it; the open carts become one with the customer's."""
    version = unit.tx.customer(owner)  # before their cart: what is decided about it stands only if nobody counted since
    current = unit.tx.open_cart(owner)
    listed = unit.tx.orders_of(guest, after=None, limit=BATCH)  # before the carts: an order's cart is among them then
    found = unit.tx.carts_of(guest, limit=BATCH)
    if not found and not listed:
        current = unit.tx.open_cart(owner)  # looked at again: it may be another login that has just taken everything
        return _Taken(current, current)
    unit.save_customer(owner, version, [e.GuestClaimed(guest)])
    theirs = [_Hand(cart) for cart in found]
    for hand in theirs:
        hand.tell(unit, e.CartClaimed(owner, guest))
        if hand.now.state is not CartState.OPEN:
            hand.save(unit)
    standing = [cart.order_id for cart in found if cart.order_id is not None]
    past = [order for order in listed if order.id not in standing] if len(found) < BATCH else []
    for order in past:  # as it was listed, so that its version tells when another customer was faster
        _move_order(unit, order, owner)
        _move_promise(unit, order.promise_id, owner)
    mine = None if current is None else _Hand(current)
    into, others, apart = _gather(unit, [hand for hand in theirs if hand.now.state is CartState.OPEN], mine)
    return _Taken(
        before=into.before if into else None,
        cart=into.now if into else None,
        others=tuple(hand.before for hand in others),
        orders=(*standing, *(order.id for order in past)),
        apart=tuple(hand.now.id for hand in apart),
        more=BATCH in (len(found), len(listed)),
    )


def _gather(
    unit: Unit, theirs: Sequence[_Hand], mine: _Hand | None
) -> tuple[_Hand | None, Sequence[_Hand], Sequence[_Hand]]:
    """Make one of these open carts: the one that goes on, those that came into it, and those that are kept apart."""
    every = [*theirs, mine] if mine else theirs
    if not every:
        return None, (), ()
    into = _survivor(theirs, mine)
    others = [hand for hand in every if hand is not into]
    try:
        _join(unit, into, others)
    except (TooMany, InvalidQuantity):
        for hand in every:
            hand.save(unit)
        into = max(every, key=lambda hand: (hand.now.changed_at, hand.now.id))  # the one that will be current
        return into, (), [hand for hand in every if hand is not into]
    return into, others, ()


def _survivor(theirs: Sequence[_Hand], mine: _Hand | None) -> _Hand:
    """The customer's own cart takes the others in; but an empty one gives way, so that a promise made before the
    customer logged in stands."""
    filled = [hand for hand in theirs if hand.now.lines]
    if mine is not None and (mine.now.lines or not filled):
        return mine
    return max(filled or theirs, key=lambda hand: (hand.before.changed_at, hand.before.id))


def _join(unit: Unit, into: _Hand, others: Sequence[_Hand]) -> Merged:
    """Merge, and end the others with what was promised for them. Raises before anything is written."""
    limits = unit.parts.settings
    whole, told = merged(
        into.now, [other.now for other in others], at=unit.stamp.at, most=limits.max_lines,
        most_units=limits.max_quantity,
    )  # fmt: skip
    into.tell(unit, *told)
    for other in others:
        promise_id = other.now.promise_id
        if promise_id is not None:
            other.tell(unit, e.PromiseWithdrawn(promise_id))
            _drop_promise(unit, promise_id, other.now.owner)
        other.tell(unit, e.CartMerged(into.now.id))
        other.save(unit)
    into.save(unit)
    return whole


def _drop_promise(unit: Unit, promise_id: str, owner: str) -> None:
    held = _move_promise(unit, promise_id, owner)
    if held.order_id is not None:
        raise StaleWrite(kind="promise", id=promise_id)
    let_go(unit, held, e.PromiseWithdrawn(promise_id))


def _move_promise(unit: Unit, promise_id: str, owner: str) -> Promise:
    before = unit.tx.promise(promise_id)
    if before is None:
        raise StaleWrite(kind="promise", id=promise_id)
    if before.owner == owner:
        return before
    after = evolve(before, owner=owner)
    unit.save_promise(before, after)
    return after


def _move_order(unit: Unit, order: Order, owner: str, *, new_code: bool = False) -> None:
    events: list[e.Event] = [e.OrderClaimed(owner, order.owner)]
    if new_code and order.pickup.state is PickupState.READY:
        events.append(e.CodeReissued(order.pickup.generation + 1, unit.parts.key_ring().current))
    unit.save_order(order, orders.told(order, events, unit.stamp.at), events)


def take_over(unit: Unit, cart: Cart, owner: str, *events: e.Event) -> None:
    """Make the cart somebody else's, with its promise and the order that stands on it; `events` are told with it.

    An order that is ready gets another code: its former owner may have seen the old one.
    """
    hand = _Hand(cart)
    hand.tell(unit, *events, e.CartClaimed(owner, cart.owner))
    hand.save(unit, new_code=True)
