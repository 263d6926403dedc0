"""Substitutes at the desks: the store gives or proposes something else, and the customer answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar, cast

from omniorder.domain import events as e
from omniorder.domain import ids, substitutes
from omniorder.domain.articles import Article, Price
from omniorder.domain.consents import ConsentMode
from omniorder.domain.events import Stamp, Units
from omniorder.domain.lifecycle import PickupState, advance
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.proposals import Proposal
from omniorder.domain.store_services import Service
from omniorder.domain.substitutes import Offered
from omniorder.errors import InvalidMoney, NoPrice, NotAllowed, NotFound, OutOfStock
from omniorder.services import payments, rerouting
from omniorder.services.access import look, order_for, work_for
from omniorder.services.ledger import ledger_of
from omniorder.services.parts import Parts, Touch
from omniorder.services.ripples import carry_on
from omniorder.services.units import Unit, in_transaction, reading

MOST_COUNTS_MEANWHILE: Final = 20

T = TypeVar("T")


def substitute(
    parts: Parts, touch: Touch, order_id: str, units: Units, sku: str, price: Money | None, reason: str,
    on_shelf: bool, key: str | None,
) -> Order:  # fmt: skip
    """See `Pickups.substitute`."""
    if price is not None and not isinstance(cast("object", price), Money):
        raise InvalidMoney("price", price, "must be Money")
    ledger = ledger_of(parts)
    this, home = ids.check("order", order_id), ids.store_of(order_id)
    seen = reading(parts, lambda tx: work_for(touch, tx, this))
    replaced = seen.line(units.line).sku
    offered = _offered(parts, seen, units.line, ids.sku(sku), price)
    hold = ids.reservation_id(seen.pickup.store, parts.time_ordered())
    stamp = touch.stamp(parts.clock)

    def work(unit: Unit) -> Order:
        request = [units, sku, price, reason, on_shelf]
        earlier = unit.earlier(key, "pickups.substitute", home=home, subject=this, request=request, result=this)
        before = work_for(touch, unit.tx, this)
        if earlier:
            return before
        events = _given(before, units, offered, hold, stamp, reason, parts)
        if not on_shelf:
            ledger.miss(unit.tx, before.pickup.store, {replaced: units.quantity}, stamp, reason, this)
        return carry_on(unit, before, events)

    return _driven(parts, _unless_counted(replaced, lambda: in_transaction(parts, stamp, work)), stamp)


def _given(
    order: Order, units: Units, offered: Offered, hold: str, stamp: Stamp, reason: str, parts: Parts
) -> list[e.Event]:
    """What comes at once, or is proposed."""
    started: list[e.Event] = [e.PickStarted()] if order.pickup.state is PickupState.TO_PICK else []
    advance(order.pickup.state, e.ShortPicked(units.line, units.quantity, reason))  # nor is it given at another time
    coming = substitutes.coming(order, units.line, units.quantity, offered)
    consent = substitutes.ordered_line(order, units.line).consent
    until = stamp.at + parts.settings.substitute_patience
    if consent.mode is ConsentMode.ASK:
        proposal = Proposal(units.line, units.quantity, coming, hold, until, reason, consent.silence_takes)
        return [*started, e.SubstituteProposed(proposal)]
    came = e.LinesAppended((coming,), hold)
    return [*started, came, e.UnitsSubstituted(units.line, units.quantity, coming.id)]


def _offered(parts: Parts, order: Order, line_id: str, sku: str, less: Money | None) -> Offered:
    """What the store would give. Raises `NotFound`, `NoPrice`."""
    line, store = order.line(line_id), order.pickup.store
    articles = parts.catalogue.articles([sku, line.sku])
    article = articles.get(sku)
    if article is None:
        raise NotFound("article", sku)
    price = _price(parts, order, sku)
    if price is None:
        raise NoPrice(store=store, skus=[sku])
    beyond = article.needs - _needed(articles.get(line.sku), age_restricted=line.handling.age_restricted)
    return Offered(ids.line_id(parts.entropy.bytes(8)), article, price, less, beyond)


def _price(parts: Parts, order: Order, sku: str) -> Price | None:
    store = order.pickup.store
    return parts.prices.prices([sku], stores=[store], channel=order.channel, at=parts.clock.now()).get((store, sku))


def _needed(article: Article | None, *, age_restricted: bool) -> frozenset[Service]:
    """What the line needs of a store: as the catalogue says now, and as it was ordered."""
    known = frozenset[Service]() if article is None else article.needs
    return known | {Service.AGE_RESTRICTED} if age_restricted else known


def _unless_counted(sku: str, attempt: Callable[[], T]) -> T:
    """Missing units go off the books as far as they are on them, which a count of the shelf may just have changed."""
    for _ in range(MOST_COUNTS_MEANWHILE):
        try:
            return attempt()
        except OutOfStock as short:
            if sku not in {item["sku"] for item in short.facts["short"]}:
                raise
    return attempt()


def answer(parts: Parts, touch: Touch, order_id: str, proposal_id: str, accepted: bool, key: str | None) -> Order:
    """See `CustomerOrders.accept` and `CustomerOrders.decline`."""
    order = look(parts, touch, order_id)
    if not touch.may_see(order):
        raise NotAllowed(actor=touch.actor.name, action=f"answer for order {order.id}")
    name = "orders.accept" if accepted else "orders.decline"
    stamp = touch.stamp(parts.clock)

    def work(unit: Unit) -> Order:
        this = order.id
        earlier = unit.earlier(key, name, home=order.store, subject=this, request=proposal_id, result=this)
        before = order_for(touch, unit.tx, this)
        if earlier or (accepted and any(line.id == proposal_id for line in before.added)):
            return before
        proposal = before.pickup.proposal(proposal_id)
        return carry_on(unit, before, substitutes.answered(before, proposal, accepted=accepted))

    after = in_transaction(parts, stamp, work)
    if accepted or parts.storage.is_joined:
        return _driven(parts, after, stamp)
    return rerouting.settle(parts, after, stamp)


def _driven(parts: Parts, order: Order, stamp: Stamp) -> Order:
    """The order once its money followed; from inside of a caller's transaction the sweep does that."""
    return order if parts.storage.is_joined else payments.drive(parts, order, stamp)
