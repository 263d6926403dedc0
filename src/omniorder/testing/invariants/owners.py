"""Whose things are: what belongs together changes hands together, and a merged cart leads to where its lines are."""

from __future__ import annotations

from collections.abc import Iterator

from omniorder.domain.lifecycle import CartState
from omniorder.testing.invariants.checking import View, invariant


@invariant
def what_hangs_on_a_cart_is_its_owners(view: View) -> Iterator[str]:
    """O2: a cart, its live promise and the order that stands on it have one owner; and an order has its promise's."""
    for cart in view.rows.carts():
        promise = view.rows.promise(cart.promise_id) if cart.promise_id else None
        order = view.rows.order(cart.order_id) if cart.order_id else None
        for found in (promise, order):
            if found is not None and found.owner != cart.owner:
                yield f"{cart.id} is of {cart.owner}, {found.id} of {found.owner}"
    for order in view.rows.orders():
        stands_on = view.rows.promise(order.promise_id)
        if stands_on is not None and stands_on.owner != order.owner:
            yield f"{order.id} is of {order.owner}, its promise {stands_on.id} of {stands_on.owner}"


@invariant
def merged_carts_lead_to_their_lines(view: View) -> Iterator[str]:
    """O2: a merged cart, and no other, names the cart that took its lines in, and has neither promise nor order."""
    for cart in view.rows.carts():
        if (cart.state is CartState.MERGED) != (cart.merged_into is not None):
            yield f"{cart.id} is {cart.state.value} and merged into {cart.merged_into}"
        if cart.merged_into is None:
            continue
        into = view.rows.cart(cart.merged_into)
        if into is None or into.id == cart.id:
            yield f"{cart.id} was merged into {cart.merged_into}, which is {'itself' if into else 'missing'}"
        if cart.promise_id is not None or cart.order_id is not None:
            yield f"{cart.id} was merged, and has promise {cart.promise_id} and order {cart.order_id}"
