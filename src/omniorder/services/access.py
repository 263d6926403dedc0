"""Who may see and touch a cart or an order. A stranger's answers exactly as a missing one.

The owner may do everything with what is theirs. Somebody to whom a cart was handed over may do what the handoff's
scopes say, with this cart and the order that comes of it, until the grant ends; what they may see but not do is
refused as such (`NotAllowed`). Passing a cart on is the owner's alone.
"""

from __future__ import annotations

from datetime import datetime

from attrs import evolve

from omniorder.domain import ids
from omniorder.domain.carts import Cart
from omniorder.domain.handoffs import Handoff, Scope
from omniorder.domain.orders import Order
from omniorder.domain.pickups import nameless
from omniorder.domain.promises import Promise
from omniorder.errors import NotAllowed, NotFound, StaleWrite
from omniorder.ports.storage import Transaction
from omniorder.services.parts import Parts, Touch
from omniorder.services.units import reading


def cart_for(touch: Touch, tx: Transaction, cart_id: str, scope: Scope, at: datetime) -> Cart:
    """The cart, if this actor may do what `scope` is for; raises `NotFound`, `NotAllowed`."""
    cart = tx.cart(ids.check("cart", cart_id))
    if cart is None:
        raise NotFound("cart", cart_id)
    if not touch.owns(cart.owner):
        seen = _let_in(touch, tx, cart, at)
        _allowed(touch, seen, "cart", cart_id, any(one.allows(scope) for one in seen), scope.value)
    return cart


def own_cart(touch: Touch, tx: Transaction, cart_id: str, at: datetime, action: str) -> Cart:
    """The actor's own cart; raises `NotFound`, and `NotAllowed` for somebody to whom it was handed over."""
    cart = tx.cart(ids.check("cart", cart_id))
    if cart is None:
        raise NotFound("cart", cart_id)
    if not touch.owns(cart.owner):
        _allowed(touch, _let_in(touch, tx, cart, at), "cart", cart_id, False, action)
    return cart


def promise_for(touch: Touch, tx: Transaction, promise_id: str, scope: Scope, at: datetime) -> Promise:
    """The promise, if this actor may do with it what `scope` is for; raises `NotFound`, `NotAllowed`.

    Whoever goes on to write looks again once the cart was read: its version, which a withdrawn handoff counts on, is
    what guards their write.
    """
    promise = tx.promise(promise_id)
    if promise is None:
        raise NotFound("promise", promise_id)
    if not touch.owns(promise.owner):
        seen = _granted(touch, tx, promise.cart_id, at)
        if scope is Scope.PAY:
            may = any(one.pays(promise.id) for one in seen)
        else:
            may = any(one.allows(scope) for one in seen)
        _allowed(touch, seen, "promise", promise_id, may, scope.value)
    return promise


def still_allowed(touch: Touch, tx: Transaction, promise: Promise, cart: Cart, scope: Scope, at: datetime) -> None:
    """Look again, once the promise's cart was read. Raises `StaleWrite`, `NotFound`, `NotAllowed`."""
    if cart.owner != promise.owner:
        raise StaleWrite(kind="promise", id=promise.id)
    if not touch.owns(cart.owner):
        promise_for(touch, tx, promise.id, scope, at)


def order_for(touch: Touch, tx: Transaction, order_id: str) -> Order:
    """The order, if it is this actor's, or their store's, to work on; raises `NotFound`."""
    order = tx.order(ids.check("order", order_id))
    if order is None or not touch.may_see(order):
        raise NotFound("order", order_id)
    return order


def work_for(touch: Touch, tx: Transaction, order_id: str) -> Order:
    """The order, if its pick-up is this associate's store's to work on; raises `NotFound`.

    The store at which it was placed still sees an order that went to another one, and no more.
    """
    order = order_for(touch, tx, order_id)
    if not touch.may_change(order):
        raise NotFound("order", order_id)
    return order


def look(parts: Parts, touch: Touch, order_id: str) -> Order:
    """The order, in a reading transaction of its own, also for somebody whom its owner let edit or pay the cart."""
    at = parts.clock.now()

    def find(tx: Transaction) -> Order:
        order = tx.order(ids.check("order", order_id))
        if order is None or not (touch.may_see(order) or _may_follow(touch, tx, order, at)):
            raise NotFound("order", order_id)
        return order

    return reading(parts, find)


def shown_to(touch: Touch, order: Order) -> Order:
    """The order as this actor sees it: whoever only follows it does not learn by what card or account it is paid, nor
    who collects it in what vehicle."""
    if touch.may_see(order):
        return order
    payments = tuple(evolve(payment, token="") for payment in order.payments)
    return evolve(order, payments=payments, pickup=nameless(order.pickup))


def _may_follow(touch: Touch, tx: Transaction, order: Order, at: datetime) -> bool:
    seen = _granted(touch, tx, order.cart_id, at)
    cart = tx.cart(order.cart_id) if seen else None
    standing = cart is not None and cart.order_id == order.id
    return any(one.shows(order, standing=standing) for one in seen)


def _granted(touch: Touch, tx: Transaction, cart_id: str, at: datetime) -> tuple[Handoff, ...]:
    """What was granted this actor for the cart, and neither ended nor was taken back."""
    return tuple(one for one in tx.handoffs(cart_id) if one.granted(touch.actor.name, at))


def _let_in(touch: Touch, tx: Transaction, cart: Cart, at: datetime) -> tuple[Handoff, ...]:
    """The same for the cart itself: what was granted for one that was merged into another has ended with it."""
    return () if cart.merged_into is not None else _granted(touch, tx, cart.id, at)


def _allowed(touch: Touch, seen: tuple[Handoff, ...], kind: str, id: str, may: bool, action: str) -> None:
    if not seen:
        raise NotFound(kind, id)
    if not may:
        raise NotAllowed(actor=touch.actor.name, action=f"{action} {kind} {id}")
