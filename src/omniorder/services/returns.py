"""The returns desk: goods that customers bring back, in whichever store, and what they are given instead.

The goods are booked at the store to which they are brought, the money at the order's home store: both, and the event
that tells of it, in one transaction. So it needs the order's or a receipt's number and nothing else: a store that takes
goods back need not know whose they were, and is not told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final, cast

from attrs import evolve, field, frozen

from omniorder.domain import capturing, crediting, ids, returns
from omniorder.domain import events as e
from omniorder.domain.actors import Associate
from omniorder.domain.capturing import Taken
from omniorder.domain.carts import CartLine
from omniorder.domain.ids import sku as valid_sku
from omniorder.domain.money import Money
from omniorder.domain.order_lines import OrderLine
from omniorder.domain.orders import Order, told
from omniorder.domain.promises import priced
from omniorder.domain.quantities import quantity as valid_quantity
from omniorder.domain.returns import Returnable, Returned, ReturnSlip
from omniorder.domain.text import line as valid_line
from omniorder.domain.text import reason as valid_reason
from omniorder.errors import InvalidInput, InvalidMoney, NoPrice, NotFound, ReturnRefused
from omniorder.ports.storage import Transaction
from omniorder.services import payments
from omniorder.services.logs import command
from omniorder.services.parts import Parts, Touch
from omniorder.services.ripples import carry_on
from omniorder.services.surface import several
from omniorder.services.units import Unit, in_transaction, reading

MOST_LINES: Final = 1000
"""Lines brought back, or given instead, in one call."""

_RECEIPT: Final = re.compile(r"(?P<order>[A-Z0-9]{2,8}-[0-9A-Z]+)(-R?[0-9]{1,6})?")


@frozen
class New:
    """`quantity` units of an article that the customer is given instead, at today's price in the store."""

    sku: str = field(converter=valid_sku)
    quantity: int = field(converter=valid_quantity)


@frozen
class Returns:
    """What customers bring back to one store; orders of other stores too."""

    parts: Parts
    touch: Touch

    def find(self, reference: str) -> Returnable:
        """What may be brought back here, by the number of the order or of a receipt. Raises `NotFound`."""
        now = self.parts.clock.now()
        return returns.returnable(self._order(reference), self.parts.settings.returns, now, self._store)

    def slips(self, reference: str) -> tuple[ReturnSlip, ...]:
        """All returns of this order, the oldest first: to be printed again. Raises `NotFound`."""
        return reading(self.parts, lambda tx: _slips(tx, _existing(tx, reference)))

    @command("returns.accept")
    def accept(
        self,
        reference: str,
        goods: Sequence[Returned],
        *,
        reason: str,
        fee: Money | None = None,
        to: str | None = None,
        late: bool = False,
        key: str | None = None,
    ) -> ReturnSlip:
        """Take these goods back, and send back what they cost, less a `fee`; the `reason` is a stable code.

        They are on this store's shelf at once, or in quarantine, or written off: as their condition says. The money
        goes back by the order's own tenders (`Settings.refund_rule`), or by the payment `to` first. Units that were
        refunded before bring no money. `late` takes back what `Settings.returns` would not any more.

        Without a `key` the same call again is another return. Raises `NotFound`, `ReturnRefused`, `CorrectionRefused`
        (no tender can give the money back), `IllegalTransition`, `InvalidMoney`, `CurrencyMismatch`, `InvalidText`,
        `NeedsOwnTransaction`.
        """
        return self._take("returns.accept", reference, goods, (), None, reason, fee, to, late, key)

    @command("returns.exchange")
    def exchange(
        self,
        reference: str,
        goods: Sequence[Returned],
        instead: Sequence[New],
        *,
        reason: str,
        taken: Taken | None = None,
        late: bool = False,
        key: str | None = None,
    ) -> ReturnSlip:
        """Take these goods back and give others `instead`, off this store's shelf, at today's price.

        What the new ones cost less goes back by the order's tenders; what they cost more the counter has `taken`. They
        become lines of the order, and may be brought back like any other. Exchanged is where the goods were collected,
        and once the order is complete: elsewhere bring them back and buy anew.

        Raises as `accept`, and `NoPrice`, `OutOfStock`, `NotPaid` (facts say what is due), `Misconfigured` where the
        stock is in a system of your own.
        """
        if taken is not None and not isinstance(cast("object", taken), Taken):
            raise InvalidInput("taken", taken, "a Taken")
        new = several(instead, New, "instead", "a list of New", most=MOST_LINES)
        if not new:
            raise InvalidInput("instead", instead, "at least one article")
        return self._take("returns.exchange", reference, goods, new, taken, reason, None, None, late, key)

    def _take(
        self, name: str, reference: str, goods: Sequence[Returned], new: tuple[New, ...], taken: Taken | None,
        reason: str, fee: Money | None, to: str | None, late: bool, key: str | None,
    ) -> ReturnSlip:  # fmt: skip
        back = several(goods, Returned, "goods", "a list of Returned", most=MOST_LINES)
        if not back:
            raise InvalidInput("goods", goods, "at least one line")
        if fee is not None and not isinstance(cast("object", fee), Money):
            raise InvalidMoney("fee", fee, "must be Money")
        if not isinstance(cast("object", late), bool):
            raise InvalidInput("late", late, "must be True or False")
        why = valid_reason(reason)
        named = "" if to is None else valid_line(to, "to", most=100)
        payments.own_transaction(self.parts, name)
        order, store = self._order(reference), self._store
        for kind in {p.gateway for p in order.payments} - {""}:
            self.parts.gateway(kind)
        stamp = self.touch.stamp(self.parts.clock)
        lines = self._priced(order, new)
        hold = ids.reservation_id(order.pickup.store, self.parts.time_ordered())

        def work(unit: Unit) -> tuple[Order, str]:
            request = [back, new, taken, why, fee, named, late]
            number = f"{order.id}-R{len(_slips(unit.tx, _existing(unit.tx, order.id))) + 1}"
            seen = unit.earlier(key, name, home=order.store, subject=order.id, request=request, result=number)
            before = _existing(unit.tx, order.id)
            if seen:
                return before, seen
            terms = evolve(unit.parts.terms, to=named)
            events = returns.accept(
                before, back, unit.parts.settings.returns, terms,
                store=store, at=stamp.at, reason=why, fee=fee, late=late, exchanged=bool(new),
            )  # fmt: skip
            if new:
                events = (*events, *_given(before, events, back[0].line, lines, store, hold, stamp.at, taken))
                events = crediting.returnable(before, events, stamp.at, terms, before.owed)
            return carry_on(unit, before, events, refund_to=named), number

        after, number = in_transaction(self.parts, stamp, work)
        payments.drive(self.parts, after, stamp)
        return next(slip for slip in self.slips(order.id) if slip.number == number)

    def _priced(self, order: Order, new: Sequence[New]) -> tuple[OrderLine, ...]:
        """The lines of what is given instead, at today's price in the store, none twice."""
        sums: dict[str, int] = {}
        for one in new:
            sums[one.sku] = valid_quantity(sums.get(one.sku, 0) + one.quantity)
        if not sums:
            return ()
        skus, store = sorted(sums), order.pickup.store
        articles = self.parts.catalogue.articles(skus)
        at = self.parts.clock.now()
        found = self.parts.prices.prices(skus, stores=[store], channel=self.touch.channel, at=at)
        missing = [sku for sku in skus if sku not in articles or (store, sku) not in found]
        if missing:
            raise NoPrice(store=store, skus=missing)
        entropy = self.parts.entropy.bytes(8 * len(skus))
        lines: list[OrderLine] = []
        for place, sku in enumerate(skus):
            wish = CartLine(ids.line_id(entropy[8 * place : 8 * place + 8]), sku, sums[sku])
            q = priced(wish, articles[sku], found[store, sku])
            line = OrderLine(q.line, q.sku, q.name, q.unit, q.quantity, q.price, q.per, q.tax, q.total,
                             handling=q.handling)  # fmt: skip
            lines.append(line)
        return tuple(lines)

    def _order(self, reference: str) -> Order:
        return reading(self.parts, lambda tx: _existing(tx, reference))

    @property
    def _store(self) -> str:
        name = self.touch.actor.store if isinstance(self.touch.actor, Associate) else ""
        if self.parts.stores.store(name) is None:
            raise NotFound("store", name)
        return name


def _existing(tx: Transaction, reference: object) -> Order:
    """The order of this number, or of this receipt's; raises `NotFound`."""
    found = _RECEIPT.fullmatch(reference.strip()) if isinstance(reference, str) else None
    order = tx.order(ids.check("order", found["order"])) if found else None
    if order is None:
        raise NotFound("order", reference)
    return order


def _slips(tx: Transaction, order: Order) -> tuple[ReturnSlip, ...]:
    return returns.slips(order, tx.journal(order.store, order.id, after=0, limit=order.version))


def _given(
    order: Order, events: tuple[e.Event, ...], back: str, lines: tuple[OrderLine, ...], store: str, hold: str,
    at: datetime, taken: Taken | None,
) -> tuple[e.Event, ...]:  # fmt: skip
    """The events of giving these lines out, and of taking at the counter what they cost more."""
    if store != order.pickup.store:
        raise ReturnRefused(order=order.id, line=back, reason="other_store", units=0)
    given = e.GoodsExchanged(lines, store, hold, back)
    after = told(order, (*events, given), at)
    return (given, *capturing.at_the_counter(after, after.owed - after.held, taken))
