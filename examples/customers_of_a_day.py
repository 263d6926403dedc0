"""The customers of a simulated day: what they order and where, what they change their mind about, when they come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from attrs import frozen
from simulated_day import Day

from omniorder import (
    Add,
    Agent,
    AgentTouchpoint,
    Article,
    Card,
    Channel,
    Consent,
    Customer,
    CustomerTouchpoint,
    IsActionRequired,
    IsDueInStore,
    Order,
    PayInStore,
    Service,
    Slot,
    Stage,
    Unit,
)
from omniorder.errors import IllegalTransition, OutOfStock, SlotUnavailable
from omniorder.testing import FakeGateway

CHANNELS: Final = {Channel.APP: 50, Channel.WEB: 30, Channel.PHONE: 12, Channel.KIOSK: 8}
"""Of a hundred customers, how many order where."""

TENDERS: Final = {"pm_card_visa": 60, "pm_card_instant": 10, "pm_card_3ds": 10, "": 20}
"""Of a hundred, how many pay by which card; without one at the counter."""

CONSENTS: Final = (Consent.refuse(), Consent.similar(), Consent.similar(), Consent.ask(), Consent.ask())
"""Whether something else may be given for what is missing; equally often."""

_WAITING: Final = (Stage.PREPARING, Stage.QUESTION, Stage.READY)

NAMES: Final = ("Nikolay Ganev", "Rada Ilieva", "Stoyan Petkov", "Yana Marinova")
"""Whom customers send to collect for them."""


@frozen
class Visitor:
    """Whoever stands in the store: what they say there, and show. The store knows none of it before they do."""

    order: str
    code: str
    shows: str
    by_proxy: bool
    mumbles: bool
    needs_network: bool


class Customers:
    """All of them, `orders` by number with the customer's own touchpoint; `lost` are those who found nothing for today.

    `present` are those who are in the store now, in the order in which they came.
    """

    def __init__(self, day: Day, store: str, articles: Sequence[Article], cards: FakeGateway) -> None:
        self.day = day
        self.store = store
        self.articles = articles
        self.cards = cards
        self.present: dict[str, Visitor] = {}
        self.orders: dict[str, CustomerTouchpoint] = {}
        self.channels: Counter[Channel] = Counter()
        self.lost = 0

    def order(self, number: int) -> None:
        """A customer orders, today's goods for today, and goes on with their day."""
        day, chance = self.day, self.day.chance
        channel = chance.choices(list(CHANNELS), list(CHANNELS.values()))[0]
        # whoever calls or stands at a screen has the app, too: that is where they see their code later
        own = day.hub.at(Channel.APP if channel is Channel.PHONE else channel, Customer(f"customer-{number:03}"))
        asks = self._asks(channel, number, own)
        # what the store can't promise is left out; somebody who finds nothing for today goes elsewhere
        placed = next(filter(None, (self._place(own, asks) for _ in range(3))), None)
        if placed is None:
            self.lost += 1
            return
        self.orders[placed.id] = own
        self.channels[channel] += 1
        self._second_thoughts(own, placed)
        self._visit(own, placed)

    def answer(self, order_id: str) -> None:
        """Asked about goods that are missing, a customer does without; asked about a substitute, most take it."""
        mine = self.orders[order_id]
        order = mine.orders.get(order_id)
        if order.pickup.question is not None:
            without = [option.id for option in order.pickup.question.options if option.id == "less"]
            mine.orders.answer(order_id, (without or [order.pickup.question.options[-1].id])[0])
            self.day.tell("answered", f"A customer answers what is to become of {order_id}.")
        for proposal in order.pickup.proposals:
            takes = self.day.happens(0.75)
            (mine.orders.accept if takes else mine.orders.decline)(order_id, proposal.id)
            says = "takes it" if takes else "would rather not"
            self.day.tell(f"proposal {takes}", f"Asked about {proposal.coming.name}, the customer {says}.")

    # --- ordering -----------------------------------------------------------------------------------------

    def _asks(self, channel: Channel, number: int, own: CustomerTouchpoint) -> CustomerTouchpoint | AgentTouchpoint:
        if channel is not Channel.PHONE:
            return own
        return self.day.hub.at(Channel.PHONE, Agent("petya", customer=f"customer-{number:03}"))

    def _place(self, own: CustomerTouchpoint, asks: CustomerTouchpoint | AgentTouchpoint) -> Order | None:
        day, chance = self.day, self.day.chance
        cart = asks.carts.start(language="en")
        edits = [Add(sku, count, substitutes=chance.choice(CONSENTS)) for sku, count in self._wishes().items()]
        cart = asks.carts.edit(cart.id, edits)
        offer = next(offer for offer in asks.checkout.offers(cart.id) if offer.store.id == self.store)
        slots = self._today(offer.slots)
        if offer.quote is None or not offer.full or not slots:
            return None
        slot = chance.choice(slots[:5])
        collect = Service.CURBSIDE if day.happens(0.25) else Service.PICKUP
        token = chance.choices(list(TENDERS), list(TENDERS.values()))[0]
        try:
            promise = asks.checkout.promise(cart.id, slot=slot.id, expect=offer.quote.total, collect=collect)
        except (OutOfStock, SlotUnavailable):
            return None
        order = asks.checkout.place(promise.id, pay=Card(token) if token else PayInStore())
        if isinstance(order.payments[-1].outcome, IsActionRequired):
            self.cards.complete_action(order.payments[-1])  # on their bank's page
            order = own.checkout.resume(order.id)
        return order

    def _wishes(self) -> Mapping[str, int]:
        chance = self.day.chance
        found = chance.sample(self.articles, chance.randint(2, 8))
        return {
            article.sku: chance.randrange(300, 1500, 50)
            if article.unit is Unit.GRAM
            else chance.choice((1, 1, 1, 2, 3))
            for article in found
        }

    def _today(self, slots: Sequence[Slot]) -> list[Slot]:
        today = self.day.now.astimezone(self.day.zone).date()
        return [slot for slot in slots if slot.starts.date() == today]

    # --- second thoughts ----------------------------------------------------------------------------------

    def _second_thoughts(self, own: CustomerTouchpoint, order: Order) -> None:
        minutes = self.day.chance.uniform(5, 90)
        drawn = self.day.chance.random()
        if drawn < 0.05:
            self.day.after(minutes, lambda: self._later(own, order.id))
        elif drawn < 0.10:
            self.day.after(minutes, lambda: self._more(own, order.id))
        elif drawn < 0.14:
            self.day.after(minutes, lambda: self._cancel(own, order.id))

    def _later(self, own: CustomerTouchpoint, order_id: str) -> None:
        """Work takes longer: another window of today."""
        try:
            free = self._today(own.orders.slots(order_id))
            if free:
                own.orders.change(order_id, slot=self.day.chance.choice(free).id, key=f"later-{order_id}")
                self.day.tell("moved", f"{order_id} moves to another window.")
        except IllegalTransition:
            self.day.tell("too late", f"{order_id} can't be changed any more: it is being picked.")

    def _more(self, own: CustomerTouchpoint, order_id: str) -> None:
        """Something was forgotten."""
        article = self.day.chance.choice([one for one in self.articles if one.unit is Unit.PIECE and not one.needs])
        try:
            own.orders.change(order_id, edits=[Add(article.sku, 1)], key=f"more-{order_id}")
            self.day.tell("more", f"{order_id} gets 1 {article.name} more.")
        except IllegalTransition:
            self.day.tell("too late", f"{order_id} can't be changed any more: it is being picked.")
        except OutOfStock:
            self.day.tell("none left", f"There is no {article.name} left to add.")

    def _cancel(self, own: CustomerTouchpoint, order_id: str) -> None:
        try:
            own.orders.cancel(order_id, reason="changed_mind")
            self.day.tell("cancelled", f"{order_id} is called off, and its money goes back.")
        except IllegalTransition:
            pass  # they have it already

    # --- coming -------------------------------------------------------------------------------------------

    def _visit(self, own: CustomerTouchpoint, order: Order) -> None:
        """In their window, early, late, or never; a few send somebody else."""
        chance, drawn = self.day.chance, self.day.chance.random()
        if drawn < 0.05:
            return
        early, late = drawn < 0.15, 0.15 <= drawn < 0.25
        minutes = chance.uniform(-25, 0) if early else chance.uniform(60, 110) if late else chance.uniform(0, 55)
        self._expect(own, order, minutes)

    def _expect(self, own: CustomerTouchpoint, order: Order, minutes: float) -> None:
        at = order.pickup.starts + timedelta(minutes=minutes)
        self.day.at(at - timedelta(minutes=15), lambda: self._leave_home(own, order, minutes))

    def _leave_home(self, own: CustomerTouchpoint, order: Order, minutes: float) -> None:
        """Who comes by car says when, for the goods are brought out to them."""
        now = own.orders.get(order.id)
        if now.stage not in _WAITING:
            return  # called off meanwhile
        if now.pickup.slot != order.pickup.slot:
            self._expect(own, now, minutes)  # they moved it
            return
        if self.day.happens(0.08):
            own.orders.name_proxy(order.id, self.day.chance.choice(NAMES))
            self.day.tell("proxy", f"Somebody else is to collect {order.id}; the code that its customer had is dead.")
        if now.pickup.collect is Service.CURBSIDE:
            own.orders.on_my_way(order.id, within=timedelta(minutes=15))
        self.day.after(15, lambda: self._arrive(own, order.id))

    def _arrive(self, own: CustomerTouchpoint, order_id: str) -> None:
        order = own.orders.get(order_id)
        if order.stage not in _WAITING:
            return
        bay = f"P{self.day.chance.randint(1, 4)}" if order.pickup.collect is Service.CURBSIDE else ""
        order = own.orders.arrived(order_id, bay=bay, vehicle="blue Skoda" if bay else "")
        if bay:
            self.day.tell("curbside", f"The customer of {order_id} is in bay {bay}: the goods are brought out.")
        if order.stage is not Stage.READY:
            self.day.tell("not ready", f"The customer of {order_id} is there before their goods are ready, and waits.")
        shown = own.orders.pickup_pass(order_id)
        by_proxy, mumbles = order.pickup.proxy is not None, self.day.happens(0.03)
        in_store = any(isinstance(payment.outcome, IsDueInStore) for payment in order.payments)
        restricted = any(line.handling.age_restricted for line in order.every_line)
        self.present[order_id] = Visitor(
            order_id, shown.code, shown.qr, by_proxy, mumbles, needs_network=in_store or restricted
        )
