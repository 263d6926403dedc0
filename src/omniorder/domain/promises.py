"""Promises: these units, at this store, in this window, at this price, until this instant.

All four are held in one transaction under one time limit, or none is. A live promise's price is honoured whatever
the store reprices, and a promise covers exactly the cart content (`lines_version`) that it was made for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from attrs import evolve, frozen

from omniorder.domain import events as e
from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import Cart, CartLine
from omniorder.domain.consents import at_most
from omniorder.domain.handling import USUAL, Handling
from omniorder.domain.lifecycle import PromiseState, advance
from omniorder.domain.money import Money, extend, tax_contained
from omniorder.domain.quantities import EXACT, Unit, weight_bounds
from omniorder.domain.store_services import Service
from omniorder.domain.transfers import PromisedLeg
from omniorder.errors import CurrencyMismatch


@frozen
class QuoteLine:
    """One cart line, priced: `price` is for `per` units, `total` is rounded once (see `money.extend`).

    `tolerance` is by how much the weight may differ from `quantity`, as a share. `cap` is what a substitute may cost
    for `per` units, where the customer agreed to more than `price`.
    """

    line: str
    sku: str
    name: str
    unit: Unit
    quantity: int
    price: Money
    per: int
    tax: Decimal
    total: Money
    tolerance: Decimal = EXACT
    handling: Handling = USUAL
    cap: Money | None = None

    @property
    def most(self) -> int:
        """The most units that may be handed over for this line: what is held for it."""
        return weight_bounds(self.quantity, self.tolerance)[1]

    @property
    def ceiling(self) -> Money:
        """What the line costs at that weight, or its substitutes where that is more."""
        if not self.tolerance and self.cap is None:
            return self.total
        return at_most(self.price, self.cap, self.most, self.per)


@frozen
class TaxPart:
    """Tax of one rate that a total contains: prices include tax."""

    rate: Decimal
    gross: Money
    tax: Money


@frozen
class Quote:
    """What the basket costs as it was ordered. `ceiling` is the most that the customer accepts to be charged.

    The two are equal unless something is weighed, or the customer agreed to dearer substitutes: it may weigh, and cost,
    more than was ordered, and then the order costs more than the total but never more than the ceiling.
    """

    lines: tuple[QuoteLine, ...]
    total: Money
    ceiling: Money
    taxes: tuple[TaxPart, ...]


def quote(cart: Cart, articles: Mapping[str, Article], prices: Mapping[str, Price]) -> Quote:
    """Price every line of the cart. The mappings must hold each of its SKUs; all prices share one currency."""
    return summed([priced(line, articles[line.sku], prices[line.sku]) for line in cart.lines])


def priced(line: CartLine, article: Article, price: Price) -> QuoteLine:
    """One line at this price."""
    total = extend(price.amount, line.quantity, price.per)
    return QuoteLine(line.id, line.sku, article.name, article.unit, line.quantity, price.amount, price.per, price.tax,
                     total, article.tolerance, article.handling, line.consent.raised(price.amount))  # fmt: skip


def summed(lines: Sequence[QuoteLine]) -> Quote:
    """The quote of these lines; raises `CurrencyMismatch`, and `InvalidMoney` for a sum that leaves 63 bits."""
    currencies = {line.total.currency for line in lines}
    if len(currencies) > 1:
        raise CurrencyMismatch("prices", sorted(currencies), "one cart is priced in one currency")
    currency = currencies.pop()
    total = Money(sum(line.total.amount for line in lines), currency)
    ceiling = Money(sum(line.ceiling.amount for line in lines), currency)
    return Quote(tuple(lines), total, ceiling, tax_parts((line.tax, line.total) for line in lines))


def holds(quote: Quote) -> dict[str, int]:
    """The units that a promise of this quote holds, per SKU: of what is weighed the most that it may weigh, so that
    the actual weight is always on the shelf."""
    units: dict[str, int] = {}
    for line in quote.lines:
        units[line.sku] = units.get(line.sku, 0) + line.most
    return units


def to_hold(cart: Cart, articles: Mapping[str, Article]) -> dict[str, int]:
    """What a promise of this cart would hold: `holds` before there are prices. Unknown articles count as ordered."""
    units: dict[str, int] = {}
    for line in cart.lines:
        share = articles[line.sku].tolerance if line.sku in articles else EXACT
        units[line.sku] = units.get(line.sku, 0) + weight_bounds(line.quantity, share)[1]
    return units


def tax_parts(values: Iterable[tuple[Decimal, Money]]) -> tuple[TaxPart, ...]:
    """The tax contained per rate, computed once on the sum of each rate's values, lowest rate first."""
    sums: dict[Decimal, Money] = {}
    for rate, gross in values:
        sums[rate] = sums[rate] + gross if rate in sums else gross
    return tuple(TaxPart(rate, sums[rate], tax_contained(sums[rate], rate)) for rate in sorted(sums))


@frozen
class Promise:
    """A promise made to a cart's owner.

    `slot` is the slot's id and [`starts`, `ends`) its window; times are UTC, and `window` is the same in the
    store's `zone`. `collect` is the way in which the customer will get the goods. `legs` is what other stores will
    send; the rest is held at `store` itself.
    """

    id: str
    store: str
    cart_id: str
    owner: str
    lines_version: int
    state: PromiseState
    slot: str
    starts: datetime
    ends: datetime
    quote: Quote
    reservation_id: str
    made_at: datetime
    expires_at: datetime
    zone: str = "UTC"
    order_id: str | None = None
    collect: Service = Service.PICKUP
    legs: tuple[PromisedLeg, ...] = ()

    @property
    def reservations(self) -> tuple[str, ...]:
        """Everything that holds its units: at its own store, then leg by leg."""
        return (self.reservation_id, *(leg.reservation for leg in self.legs))

    @property
    def window(self) -> tuple[datetime, datetime]:
        """The pick-up window in the store's own zone."""
        zone = ZoneInfo(self.zone)
        return self.starts.astimezone(zone), self.ends.astimezone(zone)


def apply(promise: Promise, event: e.Event) -> Promise:
    """The promise after `event`; raises `IllegalTransition` when its table has no such step."""
    after = evolve(promise, state=advance(promise.state, event))
    return evolve(after, order_id=event.order) if isinstance(event, e.PromiseAccepted) else after
