"""Substitutes: what may come instead of units that the shelf lacks, and at what price.

The customer's consent decides, and it is that of the line which was ordered: of a substitute that turns out missing
too, something else may be given within the same bounds. However many substitutes come, and whatever they weigh, the
line and all that came instead of it never cost more than its customer agreed to.
"""

from __future__ import annotations

from typing import NoReturn

from attrs import evolve, frozen

from omniorder.domain import events as e
from omniorder.domain.articles import Article, Price
from omniorder.domain.consents import Consent, ConsentMode
from omniorder.domain.money import Money, extend
from omniorder.domain.order_lines import OrderLine
from omniorder.domain.orders import Order
from omniorder.domain.proposals import Proposal
from omniorder.domain.quantities import weight_bounds
from omniorder.domain.store_services import Service
from omniorder.errors import CurrencyMismatch, InvalidInput, InvalidMoney, InvalidQuantity, SubstituteRefused

__all__ = ["Offered", "answered", "coming", "ordered_line"]


@frozen
class Offered:
    """What the store would give: this article at its price in the store, or for `less`; its line will be called `line`.

    `beyond` is what it needs that the article which was ordered did not.
    """

    line: str
    article: Article
    price: Price
    less: Money | None = None
    beyond: frozenset[Service] = frozenset()

    @property
    def amount(self) -> Money:
        """What is asked for it. Raises `CurrencyMismatch`, `InvalidMoney` for more than the price."""
        if self.less is None:
            return self.price.amount
        if self.less.currency != self.price.amount.currency:
            raise CurrencyMismatch("price", self.less.currency, f"must be {self.price.amount.currency}")
        if not 0 <= self.less.amount <= self.price.amount.amount:
            raise InvalidMoney("price", str(self.less), f"must be from nothing to {self.price.amount}")
        return self.less


def ordered_line(order: Order, line_id: str) -> OrderLine:
    """The line that was ordered, where this one may have come instead of it. Raises `NotFound`."""
    line = order.line(line_id)
    while line.instead_of:
        line = order.line(line.instead_of)
    return line


def coming(order: Order, line_id: str, quantity: int, offered: Offered) -> OrderLine:
    """The line that comes instead of so many units of this one, as its customer's consent allows it.

    Raises `NotFound`, `SubstituteRefused`, `InvalidQuantity` (more than are still to be picked), `InvalidMoney` (more
    than the price), `InvalidInput` (the same article), `CurrencyMismatch`.
    """
    replaced, ordered = order.line(line_id), ordered_line(order, line_id)
    missing = order.pickup.line(line_id).missing
    if not 0 < quantity <= missing:
        raise InvalidQuantity("quantity", quantity, f"{missing} are still to be picked")
    article = offered.article
    if article.sku == replaced.sku:
        raise InvalidInput("sku", article.sku, "must be another article")
    if why := _unwanted(ordered.consent, article):
        _refuse(order, line_id, article, why)
    if article.unit is not replaced.unit:
        _refuse(order, line_id, article, "other_unit")
    if offered.beyond:
        _refuse(order, line_id, article, "needs_more")
    tolerance = min(article.tolerance, replaced.tolerance)
    price, per = _within_cap(order, line_id, offered), offered.price.per
    came = OrderLine(
        offered.line, article.sku, article.name, article.unit, quantity, price, per, offered.price.tax,
        extend(price, quantity, per), tolerance=tolerance, handling=article.handling, instead_of=line_id,
    )  # fmt: skip
    return _to_the_cent(order, came)


def answered(order: Order, proposal: Proposal, *, accepted: bool, silent: bool = False) -> tuple[e.Event, ...]:
    """The events of the customer's answer, or of their silence."""
    if not accepted:
        return (e.SubstituteDeclined(proposal.id, silent),)
    came = e.LinesAppended((_to_the_cent(order, proposal.coming),), proposal.hold)
    return (came, e.UnitsSubstituted(proposal.line, proposal.quantity, proposal.id, proposal.id, silent))


def _unwanted(consent: Consent, article: Article) -> str:
    """Why the customer does not want this article; nothing where they may."""
    if consent.mode is ConsentMode.REFUSE:
        return "no_consent"
    if consent.mode is ConsentMode.NAMED and article.sku != consent.sku:
        return "other_article"
    if set(article.allergens).intersection(consent.without_allergens):
        return "allergen"
    brands = {brand.casefold() for brand in consent.without_brands}
    return "brand" if article.brand.casefold() in brands else ""


def _within_cap(order: Order, line_id: str, offered: Offered) -> Money:
    """What is asked for it, which may be at most the cap."""
    ordered, per, amount = ordered_line(order, line_id), offered.price.per, offered.amount
    if amount.currency != ordered.price.currency:
        raise CurrencyMismatch("price", amount.currency, f"must be {ordered.price.currency}")
    cap = ordered.cap.amount
    if amount.amount * ordered.per > cap * per:
        limit = Money(cap * per // ordered.per, amount.currency)
        _refuse(order, line_id, offered.article, "above_cap", most=str(limit), price=str(amount))
    return amount


def _to_the_cent(order: Order, came: OrderLine) -> OrderLine:
    """The line at a price with which not even a rounded cent goes beyond what was agreed to: parts are rounded one by
    one, and may together be dearer than the whole."""
    ordered = ordered_line(order, came.instead_of)
    _, most = weight_bounds(came.quantity, came.tolerance)
    room = _agreed_to(order, ordered) - _taken(order, ordered, came)
    if came.value(most).amount <= room:
        return came
    price = Money(room * came.per // most, came.price.currency)
    return evolve(came, price=price, total=extend(price, came.quantity, came.per))


def _agreed_to(order: Order, ordered: OrderLine) -> int:
    """The most that the line may cost with all that comes instead of it, without what was called off."""
    line = order.pickup.line(ordered.id)
    _, most = weight_bounds(line.ordered - line.dropped + line.replaced, line.tolerance)
    return ordered.at_most(most).amount


def _taken(order: Order, ordered: OrderLine, came: OrderLine) -> int:
    """The most that it all costs without the units that this one replaces."""
    sums = 0
    for line in order.every_line:
        if ordered_line(order, line.id).id == ordered.id:
            went = order.pickup.line(line.id)
            gone = came.quantity if line.id == came.instead_of else 0
            sums += line.value(evolve(went, dropped=went.dropped + gone).bounds[1]).amount
    return sums


def _refuse(order: Order, line: str, article: Article, reason: str, **facts: str) -> NoReturn:
    raise SubstituteRefused(order=order.id, line=line, sku=article.sku, reason=reason, **facts)
