"""A shop's life as Hypothesis makes it up: whatever customers, staff, the provider and time do, in any order.

Each rule is a call of the public API, or a few that usually follow one another, done in every world of the machine.
A call may be refused; then the error is one that is the caller's own doing. After each rule every invariant holds in
each world, and all have answered alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from omniorder import (
    Add,
    Capabilities,
    Change,
    Edit,
    Guest,
    Money,
    Note,
    Order,
    Pick,
    Price,
    Promise,
    Remove,
    Taken,
    Tender,
    Terminal,
)
from omniorder.errors import NotFound
from tests.model import chances
from tests.model.shelves import Shelves
from tests.model.staff import Staff
from tests.model.steps import outcome
from tests.model.world import MILK, OWNERS, SKUS, World

MOST_CARTS = 10


class Shop(Shelves, Staff):
    """The rules. A subclass says in which worlds they happen."""

    def __init__(self) -> None:
        super().__init__()
        self.carts: list[tuple[int, str]] = []
        self.promises: list[tuple[int, str]] = []
        self.codes: dict[str, str] = {}

    # --- carts ---

    def start(self, owner: int, channel: int) -> tuple[int, str]:
        cart = self.must(lambda w: w.customer(owner, channel).carts.start(language="bg", metadata={"tier": "gold"}))
        self.carts.append((owner, cart.id))
        return owner, cart.id

    @rule(owner=chances.owners, new=st.booleans(), index=chances.some, channel=chances.channels, sku=chances.skus,
          count=chances.counts, note=chances.notes, key=st.sampled_from([None, None, "k1"]))  # fmt: skip
    def add(
        self, owner: int, new: bool, index: int, channel: int, sku: str, count: int, note: str, key: str | None
    ) -> None:
        if not self.carts or (new and len(self.carts) < MOST_CARTS):
            self.start(owner, channel)
        owner, cart_id = self.pick_from(self.carts, index)
        self.do(lambda w: w.customer(owner, channel).carts.add(cart_id, sku, count, note=note, key=key))

    @precondition(lambda self: self.carts)
    @rule(index=chances.some, edits=st.lists(st.tuples(st.sampled_from(["change", "note", "remove"]), chances.some,
          chances.counts, chances.notes), min_size=1, max_size=2), versioned=st.booleans())  # fmt: skip
    def edit(self, index: int, edits: list[tuple[str, int, int, str]], versioned: bool) -> None:
        """Devices edit what they saw; the second may come too late for its line."""
        owner, cart_id = self.pick_from(self.carts, index)
        seen = self.must(lambda w: w.customer(owner).carts.get(cart_id))
        for channel, (what, line, count, note) in enumerate(edits if seen.lines else ()):
            chosen = seen.lines[line % len(seen.lines)].id
            kinds: dict[str, Edit] = {
                "change": Change(chosen, count),
                "note": Note(chosen, note),
                "remove": Remove(chosen),
            }
            self._edit(owner, channel, cart_id, kinds[what], seen.version if versioned else None)

    def _edit(self, owner: int, channel: int, cart_id: str, edit: Edit, seen: int | None) -> None:
        self.do(lambda w: w.customer(owner, channel).carts.edit(cart_id, [edit], if_version=seen))

    @precondition(lambda self: self.carts)
    @rule(index=chances.some, other=chances.some)
    def merge(self, index: int, other: int) -> None:
        """Two carts of one owner, if they have two."""
        owner, cart_id = self.pick_from(self.carts, index)
        _, other_id = self.pick_from([one for one in self.carts if one[0] == owner], other)
        self.do(lambda w: w.customer(owner).carts.merge(cart_id, other_id))

    @rule(customer=chances.customers, guest=chances.guests)
    def claim(self, customer: int, guest: int) -> None:
        """A guest says who they are: all that was theirs is the customer's."""
        was = OWNERS[guest]
        assert isinstance(was, Guest)
        self.must(lambda w: w.customer(customer).carts.claim(was))
        for things in (self.carts, self.promises, self.orders):
            things[:] = [(customer if owner == guest else owner, id) for owner, id in things]
        for world in self.worlds:
            assert world.customer(guest).carts.current() is None
            assert world.customer(guest).orders.page().items == ()

    # --- checkout ---

    @precondition(lambda self: self.carts)
    @rule(index=chances.some, store=chances.stores, slot=chances.some, lasts=st.sampled_from([None, None, 5, 120]),
          expect=chances.usually)  # fmt: skip
    def promise(self, index: int, store: str, slot: int, lasts: int | None, expect: bool) -> None:
        owner, cart_id = self.pick_from(self.carts, index)
        self._promised(owner, cart_id, store, slot, timedelta(minutes=lasts) if lasts else None, expect)

    def _promised(
        self, owner: int, cart_id: str, store: str, slot: int, lasts: timedelta | None, expect: bool
    ) -> Promise | None:
        offers = self.do(lambda w: w.customer(owner).checkout.offers(cart_id)) or ()
        offer = next((offer for offer in offers if offer.store.id == store and offer.slots), None)
        if offer is None:
            return None
        chosen = offer.slots[slot % len(offer.slots)].id
        seen = offer.quote.total if expect and offer.quote else Money(1, "EUR")
        way = offer.store.ways[slot % len(offer.store.ways)]
        terms: dict[str, Any] = {"slot": chosen, "expect": seen, "lasts": lasts, "collect": way}
        made = self.do(lambda w: w.customer(owner).checkout.promise(cart_id, **terms))
        if made is not None and (owner, made.id) not in self.promises:
            self.promises.append((owner, made.id))
        return made

    @precondition(lambda self: self.promises)
    @rule(index=chances.some)
    def withdraw(self, index: int) -> None:
        owner, promise_id = self.pick_from(self.promises, index)
        self.do(lambda w: w.customer(owner).checkout.withdraw(promise_id))

    @precondition(lambda self: self.promises)
    @rule(index=chances.some, pay=chances.tenders, times=st.sampled_from([1, 1, 2]), luck=chances.luck)
    def place(self, index: int, pay: Sequence[Tender], times: int, luck: str) -> None:
        owner, promise_id = self.pick_from(self.promises, index)
        self.have(luck)
        for _ in range(times):
            self._placed(owner, promise_id, pay)

    def _placed(self, owner: int, promise_id: str, pay: Sequence[Tender]) -> None:
        self.do(lambda w: w.customer(owner, 1).checkout.place(promise_id, pay=pay))
        for order in self.must(lambda w: w.customer(owner).orders.page(limit=1)).items:
            if (owner, order.id) not in self.orders:
                self.orders.append((owner, order.id))

    @precondition(lambda self: len(self.carts) < MOST_CARTS)
    @rule(owner=chances.owners, store=chances.stores, slot=chances.some, sku=chances.skus,
          count=st.sampled_from([1, 2]), pay=chances.tenders, luck=chances.luck)  # fmt: skip
    def buy(self, owner: int, store: str, slot: int, sku: str, count: int, pay: Sequence[Tender], luck: str) -> None:
        """From an empty cart to an order, without a break."""
        owner, cart_id = self.start(owner, 0)
        wanted = [Add(sku, count), Add(MILK, 1, "cold, please")]
        self.do(lambda w: w.customer(owner).carts.edit(cart_id, wanted))
        made = self._promised(owner, cart_id, store, slot, None, True)
        if made is not None:
            self.have(luck)
            self._placed(owner, made.id, pay)

    @initialize(capabilities=chances.capabilities, purchases=st.lists(st.tuples(chances.owners, chances.stores,
                chances.some, chances.skus, chances.tenders, st.booleans()), min_size=1, max_size=4))  # fmt: skip
    def open(
        self, capabilities: Capabilities, purchases: list[tuple[int, str, int, str, Sequence[Tender], bool]]
    ) -> None:
        """The shop opens, and some have bought already."""
        self.worlds = self.open_worlds(capabilities)
        self.do(lambda w: w.hub.journal.subscribe("shop"))
        for owner, store, slot, sku, pay, ready in purchases:
            self.buy(owner, store, slot, sku, 1, pay, "")
            if ready and self.orders:
                self.prepare(0, "most")

    # --- the provider ---

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, what=st.sampled_from(["agrees", "refuses", "grows old"]), then=chances.some,
          which=chances.some)  # fmt: skip
    def at_the_provider(self, index: int, what: str, then: int, which: int) -> None:
        """3-D Secure is completed or fails, an authorisation ends; somebody or nobody comes and looks."""
        owner, order = self.some_order(index)
        if not order.payments:
            return
        payment = order.payments[-1 - which % len(order.payments)].id
        acts = {"agrees": "complete_action", "refuses": "fail_action", "grows old": "expire"}
        self.do(lambda w: getattr(w.gateway, acts[what])(payment))
        match then:
            case 0:
                self.do(lambda w: w.customer(owner, 2).checkout.resume(order.id))
            case 1:
                self.webhook(index, 0)
            case _:
                pass

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, which=chances.some)
    def webhook(self, index: int, which: int) -> None:
        _, order = self.some_order(index)
        if not order.payments:
            return
        payment = order.payments[-1 - which % len(order.payments)].id

        def send(w: World) -> object:
            headers, body = w.gateway.signed_webhook(payment, "payment.updated")
            return w.hub.webhook("card", headers=headers, body=body)

        self.do(send)

    # --- the store ---

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, ready=chances.usually, weight=chances.weights, right=chances.usually, part=st.booleans(),
          money=st.sampled_from(["due", "due", "reader", "card there", "none", "wrong"]),
          luck=chances.luck)  # fmt: skip
    def hand_over(self, index: int, ready: bool, weight: str, right: bool, part: bool, money: str, luck: str) -> None:
        if ready:
            self.prepare(index, weight)
        owner, order = self.some_order(index)
        ticket = self.do(lambda w: w.customer(owner).orders.pickup_pass(order.id))
        if ticket is not None:
            self.codes[order.id] = ticket.code
        code = self.codes.get(order.id, "1234567") if right else "0000000"
        rest = order.pickup.rest()
        lines = [Pick(rest[0].line, 1)] if part and rest else None
        taken = self._taken(order, lines, money)
        self.have(luck)
        self.do(lambda w: w.staff(order.pickup.store).pickups.hand_over(order.id, code=code, lines=lines, taken=taken))

    @rule(what=st.sampled_from(["present_card", "present_card", "decline_card", "walk_away"]))
    def at_the_reader(self, what: str) -> None:
        """What the customer does whom a card reader waits for, if there is one."""
        self.do(lambda w: getattr(w.gateway, what)("tmr_1"))

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, luck=chances.luck)
    def stop_payment(self, index: int, luck: str) -> None:
        _, order = self.some_order(index)
        self.have(luck)
        self.do(lambda w: w.staff(order.pickup.store).pickups.stop_payment(order.id))

    def _taken(self, order: Order, lines: list[Pick] | None, money: str) -> Taken | Terminal | None:
        """What the counter takes: what the goods that leave cost, if they are paid there."""
        if money in ("reader", "card there"):
            return Terminal("tmr_1" if money == "reader" else "tmr_visa") if order.due_in_store.amount else None
        if money == "wrong":
            return Taken(Money(1, "EUR"))
        if money == "none" or not order.due_in_store.amount:
            return None
        leaving = {part.line: part.quantity for part in lines or order.pickup.rest()}
        worth = sum(
            order.line(line.line).value(line.collected + leaving.get(line.line, 0)).amount
            for line in order.pickup.lines
        )
        due = worth - order.kept.amount
        return Taken(Money(due, "EUR"), "cash", "till-1") if due > 0 else None

    # --- corrections ---

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, what=st.sampled_from(["part", "all", "unit", "goodwill", "fee"]), luck=chances.luck)
    def correct(self, index: int, what: str, luck: str) -> None:
        """The shop gives money back, or calls off and keeps a fee."""
        _, order = self.some_order(index)
        self.have(luck)
        cent, euro = Money(1, "EUR"), Money(100, "EUR")

        def act(w: World) -> Order:
            desk = w.staff(order.pickup.store).orders
            match what:
                case "part":
                    return desk.refund(order.id, amount=euro, reason="dented")
                case "all":
                    return desk.refund(order.id, fee=cent, reason="brought back")
                case "unit":
                    return desk.refund(order.id, units=[Pick(order.lines[0].id, 1)], reason="sour")
                case "goodwill":
                    return desk.goodwill(order.id, euro, reason="late")
                case _:
                    return desk.cancel(order.id, fee=cent, reason="by phone")

        self.do(act)

    # --- calling off ---

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, who=st.sampled_from(["customer", "agent", "store", "office"]), luck=chances.luck)
    def cancel(self, index: int, who: str, luck: str) -> None:
        owner, order = self.some_order(index)
        self.have(luck)

        def act(w: World) -> Order:
            match who:
                case "customer":
                    return w.customer(owner).orders.cancel(order.id)
                case "agent":
                    return w.agent(owner).orders.cancel(order.id, reason="by phone")
                case "store":
                    return w.staff(order.pickup.store).orders.cancel(order.id, reason="broken")
                case _:
                    return w.office.orders.cancel(order.id, key="once")

        self.do(act)

    # --- the office, and whoever looks ---

    @rule(store=chances.stores, sku=chances.skus, number=st.sampled_from([0, 1, 2, 3, 250, 500]),
          what=st.sampled_from(["receive", "receive", "adjust", "keep back", "reprice"]))  # fmt: skip
    def office(self, store: str, sku: str, number: int, what: str) -> None:
        def act(w: World) -> Any:
            match what:
                case "receive":
                    return w.office.stock.receive(store, sku, number, reference="delivery")
                case "adjust":
                    return w.staff(store).stock.adjust(store, sku, -number, reason="counted")
                case "keep back":
                    return w.office.stock.keep_back(store, sku, number)
                case _:
                    return w.office.prices.put(Price(sku, Money(number, "EUR"), tax="0.20"))

        self.do(act)

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, store=chances.stores)
    def look(self, index: int, store: str) -> None:
        """Lists and levels are the same everywhere; a stranger's order is a missing one."""
        owner, order_id = self.pick_from(self.orders, index)
        self.do(lambda w: w.customer(owner).orders.page(limit=2))
        self.do(lambda w: w.customer(owner).orders.timeline(order_id, limit=5))
        self.do(lambda w: w.customer(owner).carts.current())
        self.do(lambda w: w.staff(store).pickups.due(limit=3))
        self.do(lambda w: w.office.stock.levels(store, SKUS))
        self.do(lambda w: w.office.stock.movements(store, MILK, limit=3))
        for world in self.worlds:
            assert isinstance(outcome(lambda w: w.customer(owner + 1).orders.get(order_id), world), NotFound)

    @rule(count=st.sampled_from([3, 100]), done=st.booleans())
    def consume(self, count: int, done: bool) -> None:
        """A consumer sees every event of a stream, in order, and again until it says that it is done with it."""
        for world in self.worlds:
            seen, expected = world.hub.journal.pull("shop", limit=count), dict(world.consumed)
            for entry in seen:
                expected[entry.stream] = expected.get(entry.stream, 0) + 1
                assert entry.seq == expected[entry.stream]
            if done:
                world.hub.journal.acknowledge("shop", seen)
                world.consumed = expected
