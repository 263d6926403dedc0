"""What the shop itself does with money that an order brought: refunds, goodwill, fees, and what came of them.

A refund is never asked of a payment. What is recorded is a correction, which changes what the shop may keep; the
surplus goes back in the same transaction, by the tenders that the rule names, and is asked for again until it arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from attrs import evolve, frozen

from omniorder.domain import crediting
from omniorder.domain import events as e
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.terms import Terms
from omniorder.domain.text import line as valid_line
from omniorder.domain.text import reason as valid_reason
from omniorder.errors import InvalidInput, InvalidMoney, NotAllowed
from omniorder.services import payments
from omniorder.services.access import order_for
from omniorder.services.logs import command
from omniorder.services.orders import CustomerOrders, Orders
from omniorder.services.picks import Pick, units_of
from omniorder.services.ripples import carry_on
from omniorder.services.units import Unit, in_transaction

_Decide = Callable[[Order, Terms], Sequence[e.Event]]


@frozen
class CorrectedOrders(Orders):
    """Orders of which the actor may say what they cost in the end."""

    @command("orders.cancel")
    def cancel(self, order_id: str, *, reason: str = "", fee: Money | None = None, key: str | None = None) -> Order:
        """As a customer may, and keep a `fee` of what was taken or set aside: at most what would have been paid.

        What is only set aside is captured for it, in part where the provider can; where it can't, all is captured and
        the rest refunded. A fee that no tender gives in the end is forgone. Raises `NotFound`, `IllegalTransition` (not
        confirmed, being handed over, or ended), `InvalidMoney`, `CurrencyMismatch`, `CorrectionRefused`,
        `NeedsOwnTransaction`.
        """
        _is_money(fee, "fee")
        return self._call_off(order_id, reason, key, fee)

    @command("orders.refund")
    def refund(
        self,
        order_id: str,
        *,
        amount: Money | None = None,
        units: Sequence[Pick] | None = None,
        fee: Money | None = None,
        reason: str,
        to: str | None = None,
        key: str | None = None,
    ) -> Order:
        """Give money back for goods that were collected: an `amount`, what these `units` cost, or (neither) all of it.

        A `fee` is kept of that. The money goes back by the tenders that `Settings.refund_rule` names, or by the payment
        `to` first; what a provider refuses goes by another tender, or is tried again every hour (`refunds`). While
        goods are still to be collected, what is refunded lowers what they will cost before it goes back.

        Units are refunded once. Without a `key`, the same call again is another refund. Raises `NotFound`,
        `NotAllowed`, `IllegalTransition` (nothing was collected, or the order is called off), `InvalidMoney`,
        `CurrencyMismatch`, `InvalidText`, `CorrectionRefused`, `NeedsOwnTransaction`.
        """
        if amount is not None and units is not None:
            raise InvalidInput("amount", amount, "an amount or units, not both")
        _is_money(amount, "amount")
        _is_money(fee, "fee")
        why = valid_reason(reason)
        parts = () if units is None else units_of(units)
        at = self.parts.clock.now()

        def decide(order: Order, terms: Terms) -> Sequence[e.Event]:
            return crediting.refund(order, at=at, terms=terms, reason=why, amount=amount, units=parts, fee=fee)

        return self._correct("orders.refund", order_id, to, key, [amount, parts, fee, why], decide)

    @command("orders.goodwill")
    def goodwill(
        self, order_id: str, amount: Money, *, reason: str, to: str | None = None, key: str | None = None
    ) -> Order:
        """Give money back beyond any goods: at most all that the shop may keep of this order. Raises as `refund`."""
        _is_money(cast("object", amount), "amount", optional=False)
        why = valid_reason(reason)
        at = self.parts.clock.now()

        def decide(order: Order, terms: Terms) -> Sequence[e.Event]:
            return crediting.goodwill(order, amount, at=at, terms=terms, reason=why)

        return self._correct("orders.goodwill", order_id, to, key, [amount, why], decide)

    def _correct(
        self, name: str, order_id: str, to: str | None, key: str | None, request: list[object], decide: _Decide
    ) -> Order:
        named = "" if to is None else valid_line(to, "to", most=100)
        order = self.get(order_id)
        if not self.touch.may_see(order):
            raise NotAllowed(actor=self.touch.actor.name, action=f"refund order {order.id}")
        self._ready_to_pay(order, name)
        stamp = self.touch.stamp(self.parts.clock)

        def work(unit: Unit) -> Order:
            home, this = order.store, order.id
            seen = unit.earlier(key, name, home=home, subject=this, request=[*request, named], result=this)
            before = order_for(self.touch, unit.tx, this)
            if seen:
                return before
            events = decide(before, evolve(self.parts.terms, to=named))
            return carry_on(unit, before, events, refund_to=named)

        return payments.drive(self.parts, in_transaction(self.parts, stamp, work), stamp)


@frozen
class AgentOrders(CorrectedOrders, CustomerOrders):
    """A customer's orders, for an agent who acts for them."""


def _is_money(value: object, field: str, *, optional: bool = True) -> None:
    if not (isinstance(value, Money) or (optional and value is None)):
        raise InvalidMoney(field, value, "must be Money")
