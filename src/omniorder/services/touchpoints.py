"""Touchpoints: a channel and who acts through it. All that callers hold.

What a touchpoint can't do it doesn't have, so a type checker refuses `app.pickups.hand_over` before anybody runs it.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property

from omniorder.domain.actors import Associate
from omniorder.domain.measures import Measures
from omniorder.services.arrivals import Arrivals
from omniorder.services.carts import Carts, OwnCarts
from omniorder.services.checkout import Checkout
from omniorder.services.credit import OwnCredit, StoreCredits
from omniorder.services.exports import Exports
from omniorder.services.gift_cards import GiftCardBalances, GiftCards
from omniorder.services.handoffs import Handoffs
from omniorder.services.imports import Imports
from omniorder.services.measuring import measure
from omniorder.services.orders import CustomerOrders, OwnOrders
from omniorder.services.parts import Parts, Touch
from omniorder.services.payment_desk import PaymentDesk
from omniorder.services.picking import Picking
from omniorder.services.pickups import Pickups
from omniorder.services.refunds import AgentOrders
from omniorder.services.returns import Returns
from omniorder.services.shop import Articles, Prices, Stores
from omniorder.services.staff_orders import StaffOrders
from omniorder.services.stock import Stock
from omniorder.services.transfers import Transfers


class Touchpoint:
    """The root: immutable, does no I/O, made anew for each request."""

    def __init__(self, parts: Parts, touch: Touch) -> None:
        self._parts = parts
        self._touch = touch

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._touch.channel.value} {self._touch.actor.name}>"


class ShoppingTouchpoint(Touchpoint):
    """Whoever shops, for themselves or for somebody else."""

    @cached_property
    def carts(self) -> Carts:
        """Start, look at, edit and merge carts."""
        return Carts(self._parts, self._touch)

    @cached_property
    def handoffs(self) -> Handoffs:
        """Pass carts on, and take them over."""
        return Handoffs(self._parts, self._touch)

    @cached_property
    def checkout(self) -> Checkout:
        """Offers, promises, placing."""
        return Checkout(self._parts, self._touch)

    @cached_property
    def orders(self) -> CustomerOrders:
        """The customer's orders."""
        return CustomerOrders(self._parts, self._touch)

    @cached_property
    def gift_cards(self) -> GiftCardBalances:
        """What is left on a gift card."""
        return GiftCardBalances(self._parts, self._touch)

    @cached_property
    def credit(self) -> OwnCredit:
        """The customer's store credit."""
        return OwnCredit(self._parts, self._touch)


class AgentTouchpoint(ShoppingTouchpoint):
    """An agent of the contact centre: all but the pick-up pass, and only with carts that were handed to them.

    One who has made sure who is calling (`Agent("eva", customer="anna")`) may act for all of that customer's.
    """

    @cached_property
    def orders(self) -> AgentOrders:
        """The customer's orders, and refunds of them."""
        return AgentOrders(self._parts, self._touch)


class CustomerTouchpoint(ShoppingTouchpoint):
    """A customer or guest."""

    @cached_property
    def carts(self) -> OwnCarts:
        """Start, look at, edit, merge and claim carts."""
        return OwnCarts(self._parts, self._touch)

    @cached_property
    def orders(self) -> OwnOrders:
        """The customer's orders and their passes."""
        return OwnOrders(self._parts, self._touch)


class StoreTouchpoint(Touchpoint):
    """An associate in their store."""

    @cached_property
    def payments(self) -> PaymentDesk:
        """Money at the counter that no provider tells of."""
        return PaymentDesk(self._parts, self._touch)

    @cached_property
    def pickups(self) -> Pickups:
        """Picking, ready, hand-over."""
        return Pickups(self._parts, self._touch)

    @cached_property
    def arrivals(self) -> Arrivals:
        """Who comes, in what order, and who takes care of them."""
        return Arrivals(self._parts, self._touch)

    def measures(self, day: date, last: date | None = None) -> Measures:
        """What this store's work came to on a day of its own calendar, or on all days from `day` to `last`.

        Raises `InvalidInstant` (no such days), `TooMany` (more than 92), `NotFound` (the store).
        """
        store = self._touch.actor.store if isinstance(self._touch.actor, Associate) else ""
        return measure(self._parts, self._touch, store, day, last)

    @cached_property
    def orders(self) -> StaffOrders:
        """Orders that this store works on, and refunds of them."""
        return StaffOrders(self._parts, self._touch)

    @cached_property
    def picking(self) -> Picking:
        """What to pick, on which walk, and by which barcodes."""
        return Picking(self._parts, self._touch)

    @cached_property
    def returns(self) -> Returns:
        """What customers bring back, and what they are given instead."""
        return Returns(self._parts, self._touch)

    @cached_property
    def stock(self) -> Stock:
        """This store's stock."""
        return Stock(self._parts, self._touch)

    @cached_property
    def transfers(self) -> Transfers:
        """What this store sends and gets."""
        return Transfers(self._parts, self._touch)


class SystemTouchpoint(Touchpoint):
    """The back office: imports, set-up, other systems."""

    @cached_property
    def stores(self) -> Stores:
        """The store directory."""
        return Stores(self._parts, self._touch)

    def measures(self, store: str, day: date, last: date | None = None) -> Measures:
        """What a store's work came to on a day of its own calendar, or on all days from `day` to `last`.

        Raises `NotFound`, `InvalidInstant` (no such days), `TooMany` (more than 92).
        """
        return measure(self._parts, self._touch, store, day, last)

    @cached_property
    def articles(self) -> Articles:
        """The catalogue."""
        return Articles(self._parts, self._touch)

    @cached_property
    def prices(self) -> Prices:
        """The price book."""
        return Prices(self._parts, self._touch)

    @cached_property
    def stock(self) -> Stock:
        """Every store's stock."""
        return Stock(self._parts, self._touch)

    @cached_property
    def transfers(self) -> Transfers:
        """What stores send each other."""
        return Transfers(self._parts, self._touch)

    @cached_property
    def orders(self) -> StaffOrders:
        """Every order, and refunds of them."""
        return StaffOrders(self._parts, self._touch)

    @cached_property
    def payments(self) -> PaymentDesk:
        """Money that people see come and go."""
        return PaymentDesk(self._parts, self._touch)

    @cached_property
    def gift_cards(self) -> GiftCards:
        """Gift cards."""
        return GiftCards(self._parts, self._touch)

    @cached_property
    def credit(self) -> StoreCredits:
        """Every customer's store credit."""
        return StoreCredits(self._parts, self._touch)

    @cached_property
    def imports(self) -> Imports:
        """How far imports have come; `omniorder.exchange` reads the files."""
        return Imports(self._parts, self._touch)

    @cached_property
    def exports(self) -> Exports:
        """Everything there is, in one state; `omniorder.exchange` writes the files."""
        return Exports(self._parts, self._touch)
