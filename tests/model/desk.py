"""The store's desk: who picks what, what is given instead, who comes, what leaves, what comes back and what it tells.

Several associates work on the orders of a few stores, with customers who answer, come, refuse, change their mind and
bring back, or don't.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import reduce
from operator import add
from typing import Any

from attrs import asdict
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from omniorder import (
    Add,
    Bill,
    Card,
    Change,
    Check,
    CheckKind,
    Condition,
    Money,
    New,
    OfflineHandOver,
    Order,
    OrderEdit,
    Pick,
    Remove,
    Rest,
    Returned,
    ReturnSlip,
    Taken,
    Unit,
    Unwanted,
    offline,
)
from omniorder.domain.consents import ConsentMode
from omniorder.domain.counter import age_restricted
from omniorder.domain.lifecycle import ENDED_PICKUPS, PickupState
from omniorder.domain.pickups import Pickup
from omniorder.errors import NotPaid
from tests.model import chances
from tests.model.staff import Staff
from tests.model.world import ASSOCIATES, BARCODES, BREAD, MILK, ORGANIC, PASS_KEYS, STORES, WINE, World

_UNPREPARED = (PickupState.TO_PICK, PickupState.PICKING)
NOT_ON_ANY_SHELF = "7351353000011"
MISREAD = "9506000134353"


def scale_label(grams: int) -> str:
    """What the scales print for so many grams of walnuts: an EAN-13 with their number and weight."""
    body = f"2200417{grams:05}"
    odd, even = sum(map(int, body[::2])), sum(map(int, body[1::2]))
    return f"{body}{-(odd + 3 * even) % 10}"


class Desk(Staff):
    """The rules of the desk."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, OfflineHandOver]] = []
        """What was given while the store had no network, and where."""

    def likely(self, index: int, fits: Callable[[Pickup], object]) -> tuple[int, Order]:
        """An order with which this usually works, if there is one."""
        pickups = [(one, self.worlds[0].office.orders.get(one[1]).pickup) for one in self.orders]
        found = [one for one, pickup in pickups if fits(pickup)] or self.orders
        owner, order_id = self.pick_from(found, index)
        return owner, self.must(lambda w: w.customer(owner).orders.get(order_id))

    # --- picking ---

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, who=chances.some, what=st.sampled_from(["claim", "next", "wave", "these", "join",
          "leave"]))  # fmt: skip
    def divide_work(self, index: int, who: int, what: str) -> None:
        """Associates take orders, several at once, help each other, and leave."""
        _, order = self.some_order(index)
        both = sorted({order.id, self.some_order(index + 1)[1].id})

        def act(w: World) -> object:
            desk = w.staff(order.pickup.store, who).picking
            match what:
                case "claim":
                    return desk.claim(order.id)
                case "next":
                    return desk.claim_next()
                case "wave":
                    return desk.wave(most=2)
                case "these":
                    return desk.wave(both)
                case "join":
                    return desk.join(order.id)
                case _:
                    return desk.leave(order.id)

        self.do(act)
        self.must(lambda w: w.staff(order.pickup.store, who).picking.work(limit=3))

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, who=chances.some, how=st.sampled_from(["whole", "whole", "one", "one", "twice", "misread",
          "unknown", "too much"]))  # fmt: skip
    def scan(self, index: int, who: int, how: str) -> None:
        """The walk is scanned from its first step, or something else is; the same scan sent twice counts once."""
        self.walk(self.some_order(index)[1].pickup.store, who, how)

    def walk(self, store: str, who: int, how: str) -> None:
        """What the associate has to pick, or the first of it, is scanned."""
        steps = self.must(lambda w: w.staff(store, who).picking.walk()).steps
        if not steps or how in ("misread", "unknown"):
            wrong = MISREAD if how == "misread" else NOT_ON_ANY_SHELF
            assert self.do(lambda w: w.staff(store, who).picking.scan(wrong)) is None
            return
        for step in steps if how == "whole" else steps[:1]:
            weighed = step.unit is Unit.GRAM
            barcode = scale_label(step.most) if weighed else BARCODES[step.sku]
            more = step.most + 1 if how == "too much" else step.least if how == "whole" else None
            count = None if weighed else more
            key = f"{step.line}-{self.steps}"
            picked = self._scanned(store, who, barcode, step.order, count, key)
            if how == "twice" and picked is not None:
                again = self._scanned(store, who, barcode, step.order, count, key)
                assert again == picked, "a scan that was sent twice counted twice"

    def _scanned(self, store: str, who: int, code: str, order: str, count: int | None, key: str) -> int | None:
        """How much is picked of the line now; None when it was refused."""
        found = self.do(
            lambda w: w.staff(store, who).picking.scan(code, order_id=order, quantity=count, key=key)
        )  # fmt: skip
        return None if found is None else found.order.pickup.line(found.line).picked

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, who=chances.some, which=chances.some, what=st.sampled_from(["put back", "restage",
          "extend"]))  # fmt: skip
    def rearrange(self, index: int, who: int, which: int, what: str) -> None:
        wanted = (PickupState.PICKING,) if what == "put back" else (PickupState.READY,)
        _, order = self.likely(index, lambda pickup: pickup.state in wanted)
        lines = [line for line in order.pickup.lines if line.picked] or order.pickup.lines
        line = lines[which % len(lines)].line
        day = (self.worlds[0].clock.now() + timedelta(days=which)).date()

        def act(w: World) -> Order:
            staff = w.staff(order.pickup.store, who)
            match what:
                case "put back":
                    staff.picking.join(order.id)
                    return staff.picking.put_back(order.id, line, 1)
                case "restage":
                    return staff.pickups.restage(order.id, f"Fridge {which}")
                case _:
                    return staff.pickups.extend(order.id, until=day)

        self.do(act)

    # --- substitutes ---

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, which=chances.some, sku=chances.substitutes, whole=st.booleans(), cheap=chances.usually,
          on_shelf=st.booleans(), allowed=chances.usually)  # fmt: skip
    def substitute(
        self, index: int, which: int, sku: str, whole: bool, cheap: bool, on_shelf: bool, allowed: bool
    ) -> None:
        """Something is missing, and there is something else; mostly for somebody who wants to be asked."""
        _, order = self.likely(index, lambda pickup: pickup.state in _UNPREPARED)
        lines = [line for line in order.pickup.lines if line.missing]
        if allowed:
            lines.sort(key=lambda line: order.line(line.line).consent.mode is ConsentMode.REFUSE)
            lines = lines[:1]
        if not lines:
            return
        line = lines[which % len(lines)]
        self.propose(order, which, sku, line.missing if whole else 1, line.line, cheap=cheap, on_shelf=on_shelf)

    def propose(
        self, order: Order, who: int, sku: str, count: int, line: str = "", *, cheap: bool = True, on_shelf: bool = True
    ) -> None:
        """This instead of units of the line, or of the first one; what was named, where something was."""
        bought = order.line(line or order.lines[0].id)
        wanted, price = bought.consent.sku or sku, Money(100, "EUR") if cheap else None
        self.do(
            lambda w: w.staff(order.pickup.store, who).pickups.substitute(
                order.id, bought.id, count, wanted, price=price, on_shelf=on_shelf
            )
        )

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, who=chances.speakers, takes=st.booleans())
    def answer_proposal(self, index: int, who: str, takes: bool) -> None:
        """Whoever was asked says yes or no, an agent does for them, or the store takes its proposal back."""
        asked = [one for one in self.orders if self.worlds[0].office.orders.get(one[1]).pickup.proposals]
        if not asked:
            return
        owner, order_id = asked[index % len(asked)]
        pickup = self.must(lambda w: w.office.orders.get(order_id)).pickup
        proposal = pickup.proposals[0].id

        def act(w: World) -> Order:
            if who == "store":
                return w.staff(pickup.store).pickups.withdraw_substitute(order_id, proposal)
            orders = w.agent(owner).orders if who == "agent" else w.customer(owner, 1).orders
            return orders.accept(order_id, proposal) if takes else orders.decline(order_id, proposal)

        self.do(act)

    # --- who comes ---

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, who=chances.some, what=st.sampled_from(["on my way", "arrived", "walked in", "left",
          "attend", "take over", "proxy", "no proxy", "more time"]))  # fmt: skip
    def come(self, index: int, who: int, what: str) -> None:
        """The customer comes or doesn't, sends somebody, wants more time; an associate takes care of them."""
        owner, order = self.some_order(index)
        store = order.pickup.store

        def act(w: World) -> Order:
            theirs, desk = w.customer(owner, who).orders, w.staff(store, who).arrivals
            match what:
                case "on my way":
                    return theirs.on_my_way(order.id, within=timedelta(minutes=10 * who))
                case "arrived":
                    return theirs.arrived(order.id, bay=f"P{who}", vehicle="blue Skoda")
                case "walked in":
                    return desk.arrived(order.id)
                case "left":
                    return theirs.left(order.id)
                case "attend" | "take over":
                    return desk.attend(order.id, take_over=what == "take over")
                case "proxy":
                    return w.agent(owner).orders.name_proxy(order.id, "Ivan Petrov")
                case "no proxy":
                    return theirs.withdraw_proxy(order.id)
                case _:
                    return theirs.extend(order.id)

        self.do(act)
        queue = self.must(lambda w: w.staff(store).arrivals.page()).items
        arrived = [one.order.pickup.arrival for one in queue if one.order.pickup.arrival]
        since = [one.arrived_at for one in arrived if one.arrived_at]
        assert since == sorted(since), "who came later was served first"

    # --- what leaves ---

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, ready=chances.usually, takes=st.sampled_from(["all", "part", "part", "less", "nothing",
          "no more"]), reason=chances.refusals, age=st.sampled_from(["fine", "fine", "too young", "unseen"]),
          right=chances.usually, proxy=st.booleans(), pays=chances.usually, luck=chances.luck)  # fmt: skip
    def serve(
        self, index: int, ready: bool, takes: str, reason: str, age: str, right: bool, proxy: bool, pays: bool,
        luck: str,
    ) -> None:  # fmt: skip
        """The customer takes all, a part, or refuses some of it; the bill says beforehand what that costs."""
        owner, order = self.likely(index, lambda pickup: pickup.state not in ENDED_PICKUPS)
        if ready:
            order = self.make_ready(owner, order)
        rest = order.pickup.rest()
        if not rest:
            return
        lines = [Pick(rest[0].line, 1)] if takes in ("part", "no more") else None
        refused = [Unwanted(part.line, part.quantity, reason) for part in rest] if takes == "nothing" else []
        if takes == "less":
            refused = [Unwanted(rest[-1].line, 1, reason)]
        if age == "too young" and takes == "all":
            refused = [Unwanted(part.line, part.quantity, "age_check_failed") for part in age_restricted(order)]
        others = Rest.CANCELLED if takes == "no more" else Rest.LATER
        checks = [] if age == "unseen" else [Check(CheckKind.AGE, passed=age == "fine")]
        if proxy:
            checks.append(Check(CheckKind.IDENTITY, passed=age != "unseen"))
        self.have(luck)
        wish: dict[str, Any] = {"lines": lines, "refused": refused, "rest": others}
        self.leave(owner, order, checks, pays=pays, by_proxy=proxy, right=right, **wish)

    def leave(
        self, owner: int, order: Order, checks: list[Check], *, pays: bool = True, by_proxy: bool = False,
        right: bool = True, **wish: Any,
    ) -> None:  # fmt: skip
        """With what is wished for, by whoever shows the code; the receipt says what the bill said."""
        ticket = self.do(lambda w: w.customer(owner).orders.pickup_pass(order.id))
        if ticket is None:
            return
        store, code = order.pickup.store, ticket.code if right else "0000000"
        bill = self.do(lambda w: w.staff(store).pickups.bill(order.id, **wish))
        taken = self._paid(bill) if pays else None
        receipt = self.do(
            lambda w: w.staff(store).pickups.hand_over(
                order.id, code=code, checks=checks, by_proxy=by_proxy, taken=taken, **wish
            )
        )
        if receipt is not None and receipt.lines:
            assert bill is not None
            assert receipt.total == bill.total, "the receipt says otherwise than the bill"
            assert self.must(lambda w: w.staff(store).pickups.receipt(order.id, receipt.number)) == receipt

    def make_ready(self, owner: int, order: Order) -> Order:
        """By an associate who helps whoever picks it."""
        self.do(lambda w: w.staff(order.pickup.store).picking.join(order.id))
        self.prepare(-1 - self.orders.index((owner, order.id)), "most")
        return self.must(lambda w: w.customer(owner).orders.get(order.id))

    def _paid(self, bill: Bill | None) -> Taken | None:
        return Taken(bill.due, "cash") if bill is not None and bill.due.amount > 0 else None

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, who=st.sampled_from(ASSOCIATES), part=st.booleans(), pays=chances.usually,
          devices=st.sampled_from([1, 1, 2]))  # fmt: skip
    def give_without_network(self, index: int, who: str, part: bool, pays: bool, devices: int) -> None:
        """The store's device verifies the pass that the customer shows, and remembers what was given.

        Two devices that know nothing of each other are fooled by the same pass.
        """
        owner, order = self.likely(index, lambda pickup: pickup.state not in ENDED_PICKUPS)
        order = self.make_ready(owner, order)
        ticket = self.do(lambda w: w.customer(owner).orders.pickup_pass(order.id))
        rest = order.pickup.rest()
        if ticket is None or not rest:
            return
        store, now, public = order.pickup.store, self.worlds[0].clock.now(), PASS_KEYS.public()
        if self.do(lambda _: offline.verify(ticket.qr, keys=public, store=store, now=now)) is None:
            return
        lines = [Pick(rest[0].line, 1)] if part else None
        bill = self.do(lambda w: w.staff(store).pickups.bill(order.id, lines=lines))
        taken = self._paid(bill) if pays else None
        for minutes in range(devices):
            at = now + timedelta(minutes=minutes)
            self.told.append((store, OfflineHandOver(ticket.qr, at=at, by=who, lines=lines, taken=taken)))

    @precondition(lambda self: self.told)
    @rule(index=chances.some, times=st.sampled_from([1, 1, 2]), elsewhere=st.sampled_from([False, False, False, True]),
          luck=chances.luck)  # fmt: skip
    def sync(self, index: int, times: int, elsewhere: bool, luck: str) -> None:
        """The network is back: what was given is told, by one device or by two, once in a while by another store."""
        store, given = self.told[-1 - index % len(self.told)]
        here = next(one for one in STORES if one != store) if elsewhere else store
        self.have(luck)
        for _ in range(times):
            self.must(lambda w: w.staff(here).pickups.sync([given]))

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, which=chances.some)
    def wait_for_something(self, index: int, which: int) -> None:
        """Time passes until a customer is reminded, goods are given up, or a proposal is answered by silence."""
        now = self.worlds[0].clock.now()

        def ahead(pickup: Pickup) -> list[datetime]:
            times = (pickup.until, pickup.spoils_at, *pickup.reminders, *(one.until for one in pickup.proposals))
            return sorted({time for time in times if time is not None and time > now})

        _, order = self.likely(index, ahead)
        if times := ahead(order.pickup):
            self.let_pass(times[which % len(times)] - now + timedelta(seconds=10))

    # --- another mind ---

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, who=chances.speakers, which=chances.some, sku=st.sampled_from([MILK, BREAD, WINE]),
          what=st.sampled_from(["other slot", "other slot", "other store", "less", "more", "nothing of it", "else"]),
          pays=st.booleans(), luck=chances.luck)  # fmt: skip
    def change_mind(self, index: int, who: str, which: int, sku: str, what: str, pays: bool, luck: str) -> None:
        """The order is changed before it is picked, to what the quote said that it would be."""
        owner, order = self.likely(index, lambda pickup: pickup.state is PickupState.TO_PICK)
        other = next(store for store in STORES if store != order.pickup.store) if what == "other store" else None
        lines = [order.line(part.line) for part in order.pickup.rest()] or list(order.lines)
        line = lines[which % len(lines)]
        edits: list[OrderEdit] = []
        slot = None
        match what:
            case "less":
                edits = [Change(line.id, max(1, line.quantity // 2))]
            case "more":
                edits = [Change(line.id, line.quantity + 1)]
            case "nothing of it":
                edits = [Remove(line.id)]
            case "else":
                edits = [Add(sku, 1, substitutes=order.lines[0].consent)]
            case _:
                free = self.do(lambda w: w.customer(owner).orders.slots(order.id, store=other))
                if not free:
                    return
                slot = free[which % len(free)].id
        seen = self.do(lambda w: w.customer(owner).orders.quote_change(order.id, slot=slot, edits=edits))
        if seen is None:
            return
        pay = Card("pm_card_visa") if pays else None
        self.have(luck)

        def act(w: World) -> Order:
            desks = {"agent": w.agent(owner).orders, "store": w.staff(order.pickup.store).orders}
            desk = desks.get(who, w.customer(owner).orders)
            return desk.change(order.id, slot=slot, edits=edits, expect=seen.quote.total, pay=pay)

        changed = self.do(act)
        if changed is not None:
            assert changed.wanted_value == seen.quote.total, "another price than was quoted"

    # --- what comes back ---

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, which=chances.some, whole=st.booleans(), condition=st.sampled_from(Condition),
          store=chances.stores, away=st.booleans(), new=st.sampled_from(["", "", MILK, ORGANIC]), late=st.booleans(),
          luck=chances.luck)  # fmt: skip
    def bring_back(
        self, index: int, which: int, whole: bool, condition: Condition, store: str, away: bool, new: str, late: bool,
        luck: str,
    ) -> None:  # fmt: skip
        """Goods come back to their store or another one; others are given instead, or the money."""
        _, order = self.likely(index, lambda pickup: any(line.collected > line.returned for line in pickup.lines))
        here = store if away else order.pickup.store
        found = self.must(lambda w: w.staff(here).returns.find(order.id))
        left = [line for line in found.lines if line.units]
        if not left:
            return
        line = left[which % len(left)]
        goods = [Returned(line.line, line.units if whole else 1, condition)]
        self.have(luck)

        def act(w: World) -> ReturnSlip:
            desk = w.staff(here).returns
            if not new:
                return desk.accept(order.id, goods, reason="sour", late=late)
            try:
                return desk.exchange(order.id, goods, [New(new, 1)], reason="other_size", late=late)
            except NotPaid as unpaid:
                taken = Taken(Money(int(str(unpaid.facts["due"]).split()[0].replace(".", "")), "EUR"))
                return desk.exchange(order.id, goods, [New(new, 1)], reason="other_size", late=late, taken=taken)

        slip = self.do(act)
        if slip is not None:
            assert self.must(lambda w: w.staff(here).returns.slips(order.id))[-1].number == slip.number

    # --- what it tells ---

    @rule(store=chances.stores)
    def measure(self, store: str) -> None:
        """Days add up to their week, nothing is less than nothing, and whoever reads changes nothing."""
        last = self.worlds[0].clock.now().date()
        days = [last - timedelta(days=n) for n in range(3)]
        before = self._versions()
        week = self.must(lambda w: w.office.measures(store, days[-1], last))
        assert reduce(add, self.must(lambda w: [w.staff(store).measures(day) for day in days])) == week
        assert all(count >= 0 for count in asdict(week).values() if isinstance(count, int))
        assert all(time >= timedelta(0) for time in (*week.to_ready, *week.waits))
        assert week.short <= week.ordered
        assert self._versions() == before

    def _versions(self) -> list[int]:
        return [w.office.orders.get(id).version for w in self.worlds for _, id in self.orders]
