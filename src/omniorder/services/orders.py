"""The order desk: look, list, follow, call off; and, for customers, the pass."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import frozen

from omniorder.domain import coupling, crediting, passes, planning, signed_passes, waiting
from omniorder.domain.changing import OrderChange, OrderEdit
from omniorder.domain.counter import checks_needed
from omniorder.domain.events import Recorded
from omniorder.domain.instants import iso
from omniorder.domain.lifecycle import OrderState, PickupState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.passes import PickupPass
from omniorder.domain.payments import Tender
from omniorder.domain.planning import Plan
from omniorder.domain.signed_passes import Holder
from omniorder.domain.slots import Slot
from omniorder.domain.text import reason as valid_reason
from omniorder.errors import InvalidInput, NotAllowed, NotFound, NotReady
from omniorder.services import arrivals, changing, payments, rerouting, substituting
from omniorder.services.access import look, shown_to, work_for
from omniorder.services.logs import command
from omniorder.services.paging import Page, cursor, limited, page, position
from omniorder.services.parts import Parts, Touch
from omniorder.services.ripples import carry_on
from omniorder.services.surface import given
from omniorder.services.units import Unit, in_transaction, reading

_CALLED_OFF = (OrderState.CANCELLED, OrderState.CANCELLING)


@frozen
class Orders:
    """Orders that the actor may see: a customer's own, a store's, or all (for the system)."""

    parts: Parts
    touch: Touch

    def get(self, order_id: str) -> Order:
        """The order as it is now; raises `NotFound`, also for somebody else's.

        Whoever was let edit or pay its cart (`handoffs`) sees it too, as long as their grant lasts; but not the tokens
        of its payments.
        """
        return shown_to(self.touch, look(self.parts, self.touch, order_id))

    def plan(self, order_id: str) -> Plan:
        """What will be done about the order's money if nothing else happens: when, and why. Raises `NotFound`."""
        order = self.get(order_id)
        return planning.plan(order, self.parts.terms, self.parts.clock.now())

    def timeline(self, order_id: str, *, after: str | None = None, limit: int = 100) -> Page[Recorded]:
        """What happened to the order, oldest first: who, when, through which channel. Raises `NotFound`."""
        most = limited(limit, self.parts.settings.page_limit)
        order = self.get(order_id)
        start = position(after, int)
        seq = start[0] if start else 0
        found = reading(self.parts, lambda tx: tx.journal(order.store, order.id, after=seq, limit=most + 1))
        return page(found, most, cursor(found[:most][-1].seq) if found else None)

    @command("orders.cancel")
    def cancel(self, order_id: str, *, reason: str = "", key: str | None = None) -> Order:
        """Call the order off, or the rest of one that was partly collected; cancelling twice changes nothing.

        Without a `reason` the journal says who: "customer", "associate" and so on.

        Stock and place go back at once (those of an unpaid order once its money is settled), authorisations are
        voided and captures refunded. Raises `NotFound`, `IllegalTransition` (being handed over, or ended),
        `NeedsOwnTransaction`.
        """
        return self._call_off(order_id, reason, key, None)

    def slots(self, order_id: str, *, store: str | None = None) -> tuple[Slot, ...]:
        """The free windows that the order could be moved to (`change`), soonest first: at its store, or at another.

        They leave time for goods that are still on their way. Whether another store has the goods, `quote_change` says.
        Raises `NotFound` (order or store), `IllegalTransition` (not paid yet, or picking has begun).
        """
        return changing.slots(self.parts, self.touch, order_id, store)

    def quote_change(self, order_id: str, *, slot: str | None = None, edits: Sequence[OrderEdit] = ()) -> OrderChange:
        """What the order would be after this change, what that costs, and how what is missing would be paid.

        Nothing is held. Raises what `change` would raise now (`why` tells the reasons), but for the tenders.
        """
        return changing.quote(self.parts, self.touch, order_id, slot, edits)

    @command("orders.change")
    def change(
        self,
        order_id: str,
        *,
        slot: str | None = None,
        edits: Sequence[OrderEdit] = (),
        expect: Money | None = None,
        pay: Tender | Sequence[Tender] | None = None,
        key: str | None = None,
    ) -> Order:
        """Have a confirmed order collected in another slot, at its store or another, and other goods: all, or nothing.

        Before the store begins to pick. What stays keeps its price; what comes (`Add`, or a `Change` to more units)
        is a line of its own at the price of now, with the consent to substitutes of the `Add`, or of the line of which
        there is more. `expect` is the total that the customer saw: another one raises `QuoteChanged`.

        What is set aside is kept: of less, less is captured; for more its provider is asked to raise it, or `pay` gives
        the difference, or it is due in the store. Only whoever acts for the customer may have it
        cost more. A change that is none changes nothing; `pay` alone pays what is missing.

        Raises `NotFound` (order, line, slot, named substitute), `NotAllowed`, `IllegalTransition` (not paid yet, or
        picking has begun), `InvalidInput` (edits that leave nothing: see `cancel`), `InvalidQuantity`, `TooMany`,
        `NoPrice`,
        `ServiceMissing`, `OutOfStock`, `SlotUnavailable`, `QuoteChanged`, `NotCovered`, `PlanImpossible`,
        `TenderUnsupported`, `PaymentDeclined` (the order is changed, and short of money), `PaymentInFlight` (more is
        asked for already), `Misconfigured` (goods that come, or another store, where the stock is outside),
        `StillRunning`, `NeedsOwnTransaction`.
        """
        return changing.change(self.parts, self.touch, order_id, slot, edits, expect, pay, key)

    def _call_off(self, order_id: str, reason: str, key: str | None, fee: Money | None) -> Order:
        why = self.touch.actor.name.partition(":")[0] if reason == "" else valid_reason(reason)
        order = self.get(order_id)
        if not self.touch.may_change(order):
            raise NotAllowed(actor=self.touch.actor.name, action=f"call off order {order.id}")
        self._ready_to_pay(order, "orders.cancel")
        stamp = self.touch.stamp(self.parts.clock)
        hold_until = stamp.at + self.parts.settings.hold_unknown_money

        def work(unit: Unit) -> Order:
            home, this = order.store, order.id
            request = why if fee is None else [why, fee]
            seen = unit.earlier(key, "orders.cancel", home=home, subject=this, request=request, result=this)
            before = work_for(self.touch, unit.tx, order_id)
            if seen or before.state in _CALLED_OFF:
                return before
            if fee is None:
                return carry_on(unit, before, coupling.cancel(before, why, hold_until))
            terms = self.parts.terms
            events = crediting.cancel(before, at=stamp.at, terms=terms, reason=why, hold_until=hold_until, fee=fee)
            return carry_on(unit, before, events)

        return payments.drive(self.parts, in_transaction(self.parts, stamp, work), stamp)

    def _ready_to_pay(self, order: Order, command: str) -> None:
        """Whether its providers may be called from here; raises `NeedsOwnTransaction`, `TenderUnsupported`."""
        for kind in {p.gateway for p in order.payments} - {""}:
            payments.own_transaction(self.parts, command)
            self.parts.gateway(kind)


@frozen
class CustomerOrders(Orders):
    """What only the one who ordered (or an agent for them) may do."""

    def page(self, *, after: str | None = None, limit: int = 20) -> Page[Order]:
        """The customer's orders, newest first."""
        most = limited(limit, self.parts.settings.page_limit)
        owner = self.touch.actor.owner
        place = position(after, datetime, str)
        if owner is None:
            return Page((), None)
        found = reading(self.parts, lambda tx: tx.orders_of(owner, after=place, limit=most + 1))
        last = found[:most][-1] if found else None
        return page(found, most, cursor(iso(last.placed_at), last.id) if last else None)

    @command("orders.answer")
    def answer(self, order_id: str, option: str, *, key: str | None = None) -> Order:
        """Choose an option (its id) of what the customer is asked: `order.pickup.question`.

        The store that can't give what was promised doesn't answer for the customer. What was offered may be gone by
        now: then `OutOfStock` or `SlotUnavailable` is raised, and the question is asked anew with what is left.

        Raises `NotFound` (order or option), `NotAllowed`, `IllegalTransition` (nothing is asked any more).
        """
        return shown_to(self.touch, rerouting.answer(self.parts, self.touch, order_id, option, key))

    @command("orders.extend")
    def extend(self, order_id: str, *, key: str | None = None) -> Order:
        """Have ready goods kept for some more opening days of the store (`NoShowPolicy.extension_days`), once.

        Perishable goods don't wait longer. Raises `NotFound`, `NotAllowed`, `NotReady` (not ready yet, or gone), and
        `NotExtended`: it was used, the shop doesn't offer it, all is perishable, or the store does not open again.
        """
        order = self.get(order_id)
        if not self.touch.may_change(order):
            raise NotAllowed(actor=self.touch.actor.name, action=f"extend order {order.id}")
        policy, store = self.parts.settings.no_show, self.parts.stores.store(order.pickup.store)
        if store is None:
            raise NotFound("store", order.pickup.store)

        def work(unit: Unit) -> Order:
            seen = unit.earlier(key, "orders.extend", home=order.store, subject=order.id, request="", result=order.id)
            before = work_for(self.touch, unit.tx, order.id)
            if seen:
                return before
            return carry_on(unit, before, [waiting.extended(before, store, policy, unit.stamp.at)])

        return in_transaction(self.parts, self.touch.stamp(self.parts.clock), work)

    @command("orders.accept")
    def accept(self, order_id: str, proposal_id: str, *, key: str | None = None) -> Order:
        """Take what the store proposes instead of what it hasn't got: one of `order.pickup.proposals`, by its id.

        It comes as a line of its own, and what it replaces is not paid. Accepting twice changes nothing. Raises
        `NotFound` (the order, or a proposal that is not open any more), `NotAllowed`.
        """
        return shown_to(self.touch, substituting.answer(self.parts, self.touch, order_id, proposal_id, True, key))

    @command("orders.decline")
    def decline(self, order_id: str, proposal_id: str, *, key: str | None = None) -> Order:
        """Don't take it: what becomes of the missing units is the policy's to say (`Settings.rerouting`).

        Raises `NotFound` (the order, or a proposal that is not open any more), `NotAllowed`.
        """
        return shown_to(self.touch, substituting.answer(self.parts, self.touch, order_id, proposal_id, False, key))

    @command("orders.name_proxy")
    def name_proxy(self, order_id: str, name: str, *, key: str | None = None) -> Order:
        """Let somebody else collect: `name` is shown to the store, and told nowhere else. Naming them again changes
        nothing; naming another person replaces them.

        A pick-up code that was shown before is dead, so that only the pass that the customer hands on opens the order.
        Until the hand-over. Raises `NotFound`, `NotAllowed`, `IllegalTransition` (being handed over, or ended),
        `InvalidText`, `CardNumberRefused`.
        """
        return arrivals.name_proxy(self.parts, self.touch, order_id, name, key)

    @command("orders.withdraw_proxy")
    def withdraw_proxy(self, order_id: str, *, key: str | None = None) -> Order:
        """Collect in person again: the code that the other person has is dead. Raises as `name_proxy` does."""
        return arrivals.withdraw_proxy(self.parts, self.touch, order_id, key)

    @command("orders.on_my_way")
    def on_my_way(
        self,
        order_id: str,
        *,
        arrives: datetime | None = None,
        within: timedelta | None = None,
        key: str | None = None,
    ) -> Order:
        """Tell the store when whoever collects will be there: at the instant `arrives`, or `within` a span from now.

        As often as the estimate changes: less than a minute's change tells nothing new, and neither does who is there
        already. Raises `NotFound`, `NotAllowed`, `IllegalTransition` (not paid yet, or ended), `InvalidInstant` (past,
        more than a day ahead, without a time zone), `InvalidInput`.
        """
        return arrivals.on_my_way(self.parts, self.touch, order_id, arrives, within, key)

    @command("orders.arrived")
    def arrived(self, order_id: str, *, bay: str = "", vehicle: str = "", key: str | None = None) -> Order:
        """Tell the store that whoever collects is there: in this parking `bay` and `vehicle`, where they wait outside.

        Said again it changes nothing but bay and vehicle, where given, and never their place in the queue. The order
        need not be ready. Raises `NotFound`, `NotAllowed`, `IllegalTransition` (not paid yet, being handed over, or
        ended), `InvalidText`, `CardNumberRefused`.
        """
        return arrivals.arrived(self.parts, self.touch, order_id, bay, vehicle, key)

    @command("orders.left")
    def left(self, order_id: str, *, key: str | None = None) -> Order:
        """Tell the store that whoever was to collect doesn't come now, or went away without the goods.

        Raises `NotFound`, `NotAllowed`, `IllegalTransition` (being handed over).
        """
        return arrivals.left(self.parts, self.touch, order_id, key)


@frozen
class OwnOrders(CustomerOrders):
    """What only the customer may do: neither staff nor agents ever see a code."""

    def pickup_pass(self, order_id: str, *, holder: Holder | None = None) -> PickupPass:
        """The code to say and the QR code to scan at the counter: recomputed each time, stored nowhere.

        `holder` says on the signed pass who will show it: the customer, or the person whom they named (`name_proxy`);
        without it that person, if there is one.

        Raises `NotFound`, `NotAllowed` for somebody who only pays, `NotReady` until the store has everything ready and
        after the goods are gone, `InvalidInput` for a proxy where nobody was named, `Misconfigured` for a hub without a
        secret.
        """
        order = self.get(order_id)
        if not self.touch.owns(order.owner):
            raise NotAllowed(actor=self.touch.actor.name, action=f"see the pass of order {order.id}")
        pickup, ring = order.pickup, self.parts.key_ring()
        if pickup.state not in (PickupState.READY, PickupState.HANDING_OVER):
            state = pickup.state.value
            raise NotReady(order=order.id, reason=f"its pick-up is {state}", state=state)
        secret = ring.secret(pickup.key_id)
        code = passes.code(secret, order.id, pickup.generation, self.parts.settings.code_length)
        token = passes.token(secret, order.id, pickup.generation)
        store = self.parts.stores.store(pickup.store)
        return PickupPass(
            order.id, code, token, pickup.until,
            signed=self._signed(order, holder),
            starts=pickup.starts,
            store=store.name or store.id if store else pickup.store,
            place=store.place if store else None,
            language=order.language,
        )  # fmt: skip

    def _signed(self, order: Order, holder: Holder | None) -> str:
        keys = self.parts.pass_keys
        if holder is None:
            holder = Holder.OWNER if order.pickup.proxy is None else Holder.PROXY
        if given(holder, Holder, "holder", "a member of Holder") is Holder.PROXY and order.pickup.proxy is None:
            raise InvalidInput("holder", holder, "nobody was named to collect: orders.name_proxy")
        if keys is None:
            return ""
        identify = self.parts.settings.identify_proxy and holder is Holder.PROXY
        checks = checks_needed(order, order.pickup.rest(), identify=identify)
        return keys.sign(signed_passes.pass_for(order, holder, keys.current, self.parts.clock.now(), checks))
