"""A shop's life as Hypothesis makes it up: whatever customers, staff, the provider and time do, in any order.

Each rule is one call of the public API (or a lever of the clock and the provider), done in every world of the
machine. A call may be refused; then the error is one of those that are the caller's own doing. After each step the
worlds have answered alike and every invariant holds in each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from omniorder import (
    Add,
    Capabilities,
    Card,
    Change,
    Edit,
    Money,
    Note,
    Order,
    PayInStore,
    Pick,
    Price,
    Promise,
    Remove,
    Taken,
    Tender,
)
from omniorder.errors import GatewayFault, Misconfigured, NotFound, OmniorderError, StorageFault
from omniorder.testing.invariants import check_all, nothing_is_overdue
from tests.model.world import MILK, SECRETS, SKUS, STORES, World, visible

T = TypeVar("T")

NEVER = (StorageFault, GatewayFault, Misconfigured)
"""Errors that nobody who is alone with a working database may see."""

small = st.integers(0, 5)
owners = st.integers(0, 3)
channels = st.integers(0, 2)
skus = st.sampled_from(SKUS)
stores = st.sampled_from(STORES)
units = st.sampled_from([1, 1, 1, 2, 3, 250, 500])
tokens = st.sampled_from(
    [
        "pm_card_instant", "pm_card_3ds", "pm_card_pending", "pm_card_declined", "pm_card_declined_insufficient_funds", "pm_card_timeout", "pm_card_timeout_after",
        "pm_card_capture_timeout", "pm_card_capture_timeout_after", "pm_card_capture_declined",
        "pm_card_void_timeout", "pm_card_void_timeout_after", "pm_card_refund_declined",
        "pm_card_refund_timeout_after", "pm_card_unheard_of",
    ]
)  # fmt: skip
tenders: st.SearchStrategy[Tender] = st.one_of(
    st.just(Card("pm_card_visa")), st.just(Card("pm_card_visa")), st.just(PayInStore()), tokens.map(Card)
)
notes = st.sampled_from(["", "", "ripe ones, please", "no nuts"])
waits = st.sampled_from([1, 1, 4, 4, 11, 16, 31, 65, 400, 24 * 60])
luck = st.one_of(st.just(""), st.just(""), st.just(""), st.sampled_from(["lose", "drop", "fail", "fail for good"]))


class Shop(RuleBasedStateMachine):
    """The rules. A subclass says in which worlds they happen."""

    def __init__(self) -> None:
        super().__init__()
        self.worlds: Sequence[World] = ()
        self.carts: list[tuple[int, str]] = []
        self.promises: list[tuple[int, str]] = []
        self.orders: list[tuple[int, str]] = []
        self.codes: dict[str, str] = {}

    def open_worlds(self, capabilities: Capabilities) -> Sequence[World]:
        raise NotImplementedError

    def teardown(self) -> None:
        for world in self.worlds:
            world.close()

    # --- one step in all worlds ---

    def do(self, call: Callable[[World], T]) -> T | None:
        """The first world's result, the same as in all others; None when it was refused."""
        results = [_outcome(call, world) for world in self.worlds]
        seen = [visible(result) for result in results]
        for world, one in zip(self.worlds[1:], seen[1:], strict=True):
            assert one == seen[0], f"{world.url} answered otherwise than {self.worlds[0].url}"
        first = results[0]
        return None if isinstance(first, OmniorderError) else first

    def nth(self, things: list[tuple[int, str]], index: int) -> tuple[int, str]:
        """One of the latest of these."""
        return things[-1 - index % len(things)]

    def order(self, index: int) -> tuple[int, Order]:
        owner, order_id = self.nth(self.orders, index)
        found = self.do(lambda w: w.customer(owner).orders.get(order_id))
        assert found is not None
        return owner, found

    def keep_order(self, owner: int, order: Order | None) -> None:
        if order is not None and (owner, order.id) not in self.orders:
            self.orders.append((owner, order.id))

    def bad_luck(self, what: str) -> None:
        """What happens to the next call of the provider."""
        for world in self.worlds:
            match what:
                case "lose":
                    world.gateway.lose_next_reply()
                case "drop":
                    world.gateway.drop_next_request()
                case "fail":
                    world.gateway.fail_next()
                case "fail for good":
                    world.gateway.fail_next(remembered=True)
                case _:
                    pass

    # --- carts ---

    @initialize(
        purchases=st.lists(st.tuples(owners, stores, small, skus, tenders), min_size=1, max_size=4),
        capabilities=st.sampled_from(
            [Capabilities(), Capabilities(several_captures=True), Capabilities(partial_capture=False)]
        ),
    )
    def some_have_bought(self, purchases: list[tuple[int, str, int, str, Tender]], capabilities: Capabilities) -> None:
        self.worlds = self.open_worlds(capabilities)
        self.do(lambda w: w.hub.journal.subscribe("shop"))
        for owner, store, slot, sku, pay in purchases:
            self.buy(owner, store, slot, sku, 1, pay, "")

    @precondition(lambda self: len(self.carts) < 6)
    @rule(owner=owners, channel=channels)
    def start(self, owner: int, channel: int) -> None:
        cart = self.do(lambda w: w.customer(owner, channel).carts.start(language="bg", metadata={"tier": "gold"}))
        assert cart is not None
        self.carts.append((owner, cart.id))

    @precondition(lambda self: self.carts)
    @rule(index=small, channel=channels, sku=skus, count=units, note=notes, key=st.sampled_from([None, None, "k1"]))
    def add(self, index: int, channel: int, sku: str, count: int, note: str, key: str | None) -> None:
        owner, cart_id = self.nth(self.carts, index)
        self.do(lambda w: w.customer(owner, channel).carts.add(cart_id, sku, count, note=note, key=key))

    @precondition(lambda self: self.carts)
    @rule(index=small, line=small, count=units, note=notes, what=st.sampled_from(["change", "note", "remove"]))
    def edit(self, index: int, line: int, count: int, note: str, what: str) -> None:
        owner, cart_id = self.nth(self.carts, index)
        cart = self.do(lambda w: w.customer(owner).carts.get(cart_id))
        assert cart is not None
        if cart.lines:
            chosen = cart.lines[line % len(cart.lines)].id
            edits: dict[str, Edit] = {
                "change": Change(chosen, count), "note": Note(chosen, note), "remove": Remove(chosen)
            }  # fmt: skip
            edit = edits[what]
            self.do(lambda w: w.customer(owner).carts.edit(cart_id, [edit]))

    @precondition(lambda self: self.carts)
    @rule(index=small, first=small, second=small, counts=st.tuples(units, units))
    def two_devices_edit(self, index: int, first: int, second: int, counts: tuple[int, int]) -> None:
        """Both saw the same version; what the second one wants of another line is kept too."""
        owner, cart_id = self.nth(self.carts, index)
        seen = self.do(lambda w: w.customer(owner).carts.get(cart_id))
        assert seen is not None
        if not seen.lines:
            return
        lines = [seen.lines[n % len(seen.lines)].id for n in (first, second)]
        for channel, (line, count) in enumerate(zip(lines, counts, strict=True)):
            self._change(owner, channel, cart_id, line, count, seen.version)

    def _change(self, owner: int, channel: int, cart_id: str, line: str, count: int, seen: int) -> None:
        self.do(lambda w: w.customer(owner, channel).carts.change(cart_id, line, count, if_version=seen))

    # --- checkout ---

    @precondition(lambda self: self.carts)
    @rule(index=small, store=stores, slot=small, lasts=st.sampled_from([None, None, 5, 120]), expect=st.booleans())
    def promise(self, index: int, store: str, slot: int, lasts: int | None, expect: bool) -> None:
        owner, cart_id = self.nth(self.carts, index)
        self._promised(owner, cart_id, store, slot, lasts, expect)

    def _promised(
        self, owner: int, cart_id: str, store: str, slot: int, lasts: int | None, expect: bool
    ) -> Promise | None:
        offers = self.do(lambda w: w.customer(owner).checkout.offers(cart_id))
        offer = next((offer for offer in offers or () if offer.store.id == store and offer.slots), None)
        if offer is None:
            return None
        chosen = offer.slots[slot % len(offer.slots)].id
        total = offer.quote.total if expect and offer.quote else None
        limit = timedelta(minutes=lasts) if lasts else None
        made = self.do(lambda w: w.customer(owner).checkout.promise(cart_id, slot=chosen, expect=total, lasts=limit))
        if made is not None and (owner, made.id) not in self.promises:
            self.promises.append((owner, made.id))
        return made

    @precondition(lambda self: self.promises)
    @rule(index=small)
    def withdraw(self, index: int) -> None:
        owner, promise_id = self.nth(self.promises, index)
        self.do(lambda w: w.customer(owner).checkout.withdraw(promise_id))

    @precondition(lambda self: self.promises)
    @rule(index=small, pay=tenders, times=st.sampled_from([1, 1, 2]), luck=luck)
    def place(self, index: int, pay: Tender, times: int, luck: str) -> None:
        owner, promise_id = self.nth(self.promises, index)
        self.bad_luck(luck)
        for _ in range(times):
            self._placed(owner, promise_id, pay)

    def _placed(self, owner: int, promise_id: str, pay: Tender) -> None:
        def place(w: World) -> Order:
            try:
                return w.customer(owner, 1).checkout.place(promise_id, pay=pay)
            except OmniorderError as error:
                carried = vars(error).get("order")
                if isinstance(carried, Order):
                    return carried
                raise

        self.keep_order(owner, self.do(place))

    @precondition(lambda self: len(self.orders) < 8)
    @rule(owner=owners, store=stores, slot=small, sku=skus, count=st.sampled_from([1, 2]), pay=tenders, luck=luck)
    def buy(self, owner: int, store: str, slot: int, sku: str, count: int, pay: Tender, luck: str) -> None:
        """From an empty cart to an order, without a break."""
        self.start(owner, 0)
        self.bad_luck(luck)
        wanted = [Add(sku, count), Add(MILK, 1, "cold, please")]
        cart_id = self.carts[-1][1]
        self.do(lambda w: w.customer(owner).carts.edit(cart_id, wanted))
        made = self._promised(owner, cart_id, store, slot, None, True)
        if made is not None:
            self._placed(owner, made.id, pay)

    @precondition(lambda self: self.orders)
    @rule(index=small, channel=channels)
    def resume(self, index: int, channel: int) -> None:
        owner, order_id = self.nth(self.orders, index)
        self.do(lambda w: w.customer(owner, channel).checkout.resume(order_id))

    # --- the provider ---

    @precondition(lambda self: self.orders)
    @rule(index=small, approve=st.booleans())
    def customer_acts(self, index: int, approve: bool) -> None:
        """3-D Secure, or whatever else the provider waits for; refused when it waits for nothing."""
        _, order = self.order(index)
        if order.payments:
            payment = order.payments[-1].id
            self.do(lambda w: (w.gateway.complete_action if approve else w.gateway.fail_action)(payment))

    @precondition(lambda self: self.orders)
    @rule(index=small)
    def authorisation_grows_old(self, index: int) -> None:
        _, order = self.order(index)
        if order.payments:
            payment = order.payments[-1].id
            self.do(lambda w: w.gateway.expire(payment))

    @precondition(lambda self: self.orders)
    @rule(index=small, which=small)
    def webhook(self, index: int, which: int) -> None:
        _, order = self.order(index)
        if not order.payments:
            return
        payment = order.payments[which % len(order.payments)].id

        def send(w: World) -> Any:
            headers, body = w.gateway.signed_webhook(payment, "payment.updated")
            return w.hub.webhook("card", headers=headers, body=body)

        self.do(send)

    # --- the store ---

    @precondition(lambda self: self.orders)
    @rule(index=small, fraction=st.sampled_from(["all", "all", "one"]))
    def pick(self, index: int, fraction: str) -> None:
        _, order = self.order(index)
        open_lines = [line for line in order.pickup.lines if line.picked < line.quantity - line.dropped]
        if open_lines:
            picks = [Pick(line.line, line.quantity - line.dropped - line.picked) for line in open_lines]
            some = picks if fraction == "all" else [Pick(picks[0].line, 1)]
            self.do(lambda w: w.staff(order.pickup.store).pickups.pick(order.id, some))

    @precondition(lambda self: self.orders)
    @rule(index=small, what=st.sampled_from(["ready", "ready", "ready", "reset", "unready", "reissue"]))
    def work(self, index: int, what: str) -> None:
        _, order = self.order(index)

        def act(w: World) -> Order:
            desk = w.staff(order.pickup.store).pickups
            match what:
                case "ready":
                    return desk.ready(order.id, staged_at="C4")
                case "reset":
                    return desk.reset(order.id)
                case "unready":
                    return desk.unready(order.id, reason="leaking")
                case _:
                    return desk.reissue(order.id)

        self.do(act)

    @precondition(lambda self: self.orders)
    @rule(index=small)
    def prepare(self, index: int) -> None:
        """Everything is picked and ready in one go."""
        self.pick(index, "all")
        self.work(index, "ready")

    @precondition(lambda self: self.orders)
    @rule(index=small, ready=st.booleans(), right=st.sampled_from([True, True, True, False]), part=st.booleans(),
          money=st.sampled_from(["due", "due", "due", "none", "wrong"]), luck=luck)  # fmt: skip
    def hand_over(self, index: int, ready: bool, right: bool, part: bool, money: str, luck: str) -> None:
        if ready:
            self.prepare(index)
        self.bad_luck(luck)
        owner, order = self.order(index)
        ticket = self.do(lambda w: w.customer(owner).orders.pickup_pass(order.id))
        if ticket is not None:
            self.codes[order.id] = ticket.code
        code = self.codes.get(order.id, "1234567") if right else "0000000"
        rest = order.pickup.rest()
        lines = [Pick(rest[0].line, 1)] if part and rest else None
        taken = self._taken(order, lines, money)
        self.do(lambda w: w.staff(order.pickup.store).pickups.hand_over(order.id, code=code, lines=lines, taken=taken))

    @precondition(lambda self: self.orders)
    @rule(index=small, part=st.booleans(), luck=luck)
    def collect(self, index: int, part: bool, luck: str) -> None:
        """All as it should be: the goods are ready, the code is right, the money is there."""
        self.hand_over(index, True, True, part, "due", luck)

    def _taken(self, order: Order, lines: list[Pick] | None, money: str) -> Taken | None:
        if money == "wrong":
            return Taken(Money(1, "EUR"))
        if money == "none" or not order.due_in_store.amount:
            return None
        leaving = [(part.line, part.quantity) for part in order.pickup.rest()]
        if lines:
            leaving = [(pick.line, pick.quantity) for pick in lines]
        before = {line.line: line.collected for line in order.pickup.lines}
        bought = {line.id: line for line in order.lines}
        worth = sum(
            bought[line].value(before[line] + count).amount - bought[line].value(before[line]).amount
            for line, count in leaving
        )
        return Taken(Money(worth, "EUR"), "cash", "till-1") if worth else None

    # --- calling off, time ---

    @precondition(lambda self: self.orders)
    @rule(index=small, who=st.sampled_from(["customer", "agent", "store", "office"]), luck=luck)
    def cancel(self, index: int, who: str, luck: str) -> None:
        owner, order = self.order(index)
        self.bad_luck(luck)

        def act(w: World) -> Order:
            match who:
                case "customer":
                    return w.customer(owner).orders.cancel(order.id)
                case "agent":
                    return w.agent(owner).orders.cancel(order.id, reason="by phone")
                case "store":
                    return w.staff(order.pickup.store).orders.cancel(order.id, reason="broken")
                case _:
                    return w.office.orders.cancel(order.id)

        self.do(act)

    @rule(minutes=waits)
    def wait(self, minutes: int) -> None:
        for world in self.worlds:
            world.clock.advance(minutes=minutes)

    @rule(minutes=st.sampled_from([0, 1, 1, 16, 31, 400, 60 * 60]), luck=luck)
    def sweep(self, minutes: int, luck: str) -> None:
        self.wait(minutes)
        self.bad_luck(luck)
        report = self.do(lambda w: w.hub.sweep())
        assert report is not None
        assert not report.failed, report
        assert not report.more, "a sweep turns in circles"
        for world in self.worlds:
            nothing_is_overdue(world.hub)

    # --- the office ---

    @rule(store=stores, sku=skus, count=units)
    def receive(self, store: str, sku: str, count: int) -> None:
        self.do(lambda w: w.office.stock.receive(store, sku, count, reference="delivery"))

    @rule(store=stores, sku=skus, by=st.sampled_from([-300, -2, -1, 1]))
    def adjust(self, store: str, sku: str, by: int) -> None:
        self.do(lambda w: w.staff(store).stock.adjust(store, sku, by, reason="counted"))

    @rule(store=stores, sku=skus, count=st.sampled_from([0, 1, 100]))
    def keep_back(self, store: str, sku: str, count: int) -> None:
        self.do(lambda w: w.office.stock.keep_back(store, sku, count))

    @rule(sku=skus, amount=st.sampled_from([0, 1, 199, 249, 333]))
    def reprice(self, sku: str, amount: int) -> None:
        self.do(lambda w: w.office.prices.put(Price(sku, Money(amount, "EUR"), tax="0.20")))

    # --- looking, and looking where one may not ---

    @precondition(lambda self: self.orders)
    @rule(index=small, store=stores)
    def look(self, index: int, store: str) -> None:
        owner, order_id = self.nth(self.orders, index)
        self.do(lambda w: w.customer(owner).orders.page(limit=2))
        self.do(lambda w: w.customer(owner).orders.timeline(order_id, limit=5))
        self.do(lambda w: w.staff(store).pickups.due(limit=3))
        self.do(lambda w: w.customer(owner).carts.current())
        self.do(lambda w: w.office.stock.levels(store, SKUS))
        self.do(lambda w: w.office.stock.movements(store, MILK, limit=3))

    @rule(count=st.sampled_from([1, 7, 100]), done=st.booleans())
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

    @precondition(lambda self: self.orders)
    @rule(index=small)
    def pry(self, index: int) -> None:
        """A stranger's order is a missing one."""
        owner, order_id = self.nth(self.orders, index)
        for world in self.worlds:
            found = _outcome(lambda w: w.customer(owner + 1).orders.get(order_id), world)
            assert isinstance(found, NotFound)

    # --- what always holds ---

    @invariant()
    def everything_holds(self) -> None:
        for world in self.worlds:
            check_all(world.hub, secrets=SECRETS)


def _outcome(call: Callable[[World], T], world: World) -> T | OmniorderError:
    try:
        return call(world)
    except NEVER:
        raise
    except OmniorderError as error:
        return error
