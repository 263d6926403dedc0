"""What may be credited to a customer, and what may be kept as a fee: the decisions, as events.

Nothing here moves money. A correction changes what the shop may keep, and what it holds beyond that goes back by
itself (`coupling.follow`). So money that is to go back is refused here when no tender could give it back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from omniorder.domain import coupling, fees
from omniorder.domain import events as e
from omniorder.domain.corrections import CorrectionKind, summed, units_credited
from omniorder.domain.lifecycle import OrderState, advance
from omniorder.domain.money import Money
from omniorder.domain.orders import Order, told
from omniorder.domain.refunding import shares
from omniorder.domain.terms import Terms
from omniorder.errors import CorrectionRefused, CurrencyMismatch, IllegalTransition, InvalidMoney

_TAKES_CREDITS = (OrderState.CONFIRMED, OrderState.COMPLETED)


def refund(
    order: Order,
    *,
    at: datetime,
    terms: Terms,
    reason: str,
    amount: Money | None = None,
    units: Sequence[e.Units] = (),
    fee: Money | None = None,
) -> tuple[e.Event, ...]:
    """Charge less for goods that the customer has: `amount`, or what these `units` cost, or (neither) all that is left.

    `fee` is kept of it. Raises `IllegalTransition`, `InvalidMoney`, `CurrencyMismatch`, `NotFound` for a line, and
    `CorrectionRefused` for more than there is to refund, for units that weren't collected or were refunded before, and
    where no tender can give the money back.
    """
    _takes_credits(order)
    _positive(order, amount, "amount")
    _positive(order, fee, "fee")
    refunded = summed(order.corrections, CorrectionKind.REFUND)
    most = min(order.owed, order.collected_value - _money(order, refunded))
    credited = units_credited(order.corrections)
    if units:
        amount = _value(order, units, credited, most)
    elif amount is None:
        amount = most
        left = {line.line: line.collected - credited[line.line] for line in order.pickup.lines}
        units = tuple(e.Units(line, count) for line, count in left.items() if count > 0)
    if amount > most or most.amount <= 0:
        _refuse(order, "above_rest" if most.amount > 0 else "nothing_left", most)
    if amount.amount == 0:
        _refuse(order, "nothing_left", most)
    if fee is not None and fee > amount:
        raise InvalidMoney("fee", str(fee), f"must be at most what goes back, {amount}")
    granted = e.CreditGranted(amount, reason, tuple(units))
    events = (granted,) if fee is None else (granted, e.FeeCharged(fee, reason))
    return returnable(order, events, at, terms, amount)


def brought_back(
    order: Order, units: Sequence[e.Units], *, at: datetime, terms: Terms, reason: str, fee: Money | None = None,
    exchanged: bool = False,
) -> tuple[e.Event, ...]:  # fmt: skip
    """Charge nothing for units that the customer brings back; a `fee` is kept of that. No unit is credited twice.

    Units that were refunded before are taken to be those that come back last. `exchanged`: what goes back is known
    only with what is given for them. Raises as `refund` does.
    """
    _takes_credits(order)
    _positive(order, fee, "fee")
    credited = units_credited(order.corrections)
    anew: list[e.Units] = []
    for part in units:
        line = order.pickup.line(part.line)
        if count := min(part.quantity, line.collected - credited[part.line]):
            anew.append(e.Units(part.line, count))
    most = min(order.owed, order.collected_value - _money(order, summed(order.corrections, CorrectionKind.REFUND)))
    amount = min(_value(order, anew, credited, most), most)
    if fee is not None and fee > amount:
        raise InvalidMoney("fee", str(fee), f"must be at most what goes back, {amount}")
    if amount.amount <= 0:
        return ()
    granted = e.CreditGranted(amount, reason, tuple(anew))
    events = (granted,) if fee is None else (granted, e.FeeCharged(fee, reason))
    return events if exchanged else returnable(order, events, at, terms, amount)


def goodwill(order: Order, amount: Money, *, at: datetime, terms: Terms, reason: str) -> tuple[e.Event, ...]:
    """Forgo `amount`, at most all that the shop may keep. Raises as `refund` does."""
    _takes_credits(order)
    _positive(order, amount, "amount")
    if amount > order.owed:
        _refuse(order, "above_rest" if order.owed.amount else "nothing_left", order.owed)
    return returnable(order, (e.CreditGranted(amount, reason, goodwill=True),), at, terms, amount)


def cancel(
    order: Order, *, at: datetime, terms: Terms, reason: str, hold_until: datetime, fee: Money
) -> tuple[e.Event, ...]:
    """Call the order off, or its rest, and keep `fee` of what was taken or set aside for it. Raises as `refund` does.

    At most what is called off would have cost, and no more than the tenders can give: what is only due at the counter
    gives nothing.
    """
    _positive(order, fee, "fee")
    events = coupling.cancel(order, reason, hold_until, fee)
    after = told(order, events, at)
    most = fees.most(order, terms)
    if fee > most:
        _refuse(order, "fee_too_high", most)
    if fees.stranded(after, terms):
        _refuse(order, "all_or_nothing", _money(order, 0))
    return events


def _takes_credits(order: Order) -> None:
    """Raises `IllegalTransition`. (What is being undone takes a credit too, but nobody is to ask for one: everything
    goes back.)"""
    advance(order.state, e.CreditGranted(order.total, ""))
    if order.state not in _TAKES_CREDITS:
        raise IllegalTransition(
            machine="order", state=order.state.value, event="CreditGranted", legal=[], why="all of its money goes back"
        )


def _positive(order: Order, amount: Money | None, field: str) -> None:
    if amount is None:
        return
    if amount.currency != order.total.currency:
        raise CurrencyMismatch(field, amount.currency, f"must be {order.total.currency}")
    if amount.amount <= 0:
        raise InvalidMoney(field, str(amount), "must be more than nothing")


def _value(order: Order, units: Sequence[e.Units], credited: Counter[str], most: Money) -> Money:
    """What these units cost, so that all parts of a line sum up to it exactly."""
    value = Money.zero(order.total.currency)
    before = credited.copy()
    for part in units:
        bought, collected = order.line(part.line), order.pickup.line(part.line).collected
        start = before[part.line]
        if part.quantity > collected - start:
            raise CorrectionRefused(order=order.id, reason="units", most=str(most), line=part.line)
        value += bought.value(start + part.quantity) - bought.value(start)
        before[part.line] += part.quantity
    return value


def returnable(
    order: Order, events: tuple[e.Event, ...], at: datetime, terms: Terms, amount: Money
) -> tuple[e.Event, ...]:
    """The events, if what they set free can go back: by the payment that was named, or by any.

    Raises `CorrectionRefused` otherwise, with what would do of this `amount`.
    """
    after = told(order, events, at)
    more = max(0, coupling.surplus(after)) - max(0, coupling.surplus(order))
    if terms.to:
        named = order.payment(terms.to)
        payments = coupling.refundable(after, terms)
        parts = dict(zip((p.id for p in payments), shares(coupling.surplus(after), payments, terms), strict=True))
        if more and parts.get(named.id, 0) < more:
            _refuse(order, "named_tender", _money(order, parts.get(named.id, 0)))
    if lost := fees.stranded(after, terms) - fees.stranded(order, terms):
        _refuse(order, "all_or_nothing", _money(order, max(0, amount.amount - lost)))
    return events


def _refuse(order: Order, reason: str, most: Money) -> NoReturn:
    raise CorrectionRefused(order=order.id, reason=reason, most=str(most))


def _money(order: Order, amount: int) -> Money:
    return Money(amount, order.total.currency)
