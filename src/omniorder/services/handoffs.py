"""The handoff desk: pass a cart on to another device or person, and take one over."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from attrs import frozen

from omniorder.domain import carts, handoffs, ids
from omniorder.domain import events as e
from omniorder.domain.actors import Customer, Guest
from omniorder.domain.handoffs import Handoff, HandoffTicket, Scope, Shown
from omniorder.domain.lifecycle import HandoffState
from omniorder.errors import (
    AlreadyThere,
    HandoffGone,
    HandoffInvalid,
    InvalidInput,
    NotAllowed,
    NotFound,
    PromiseGone,
    StillRunning,
    TooMany,
)
from omniorder.ports.storage import Transaction
from omniorder.services.access import own_cart
from omniorder.services.claims import take_over
from omniorder.services.logs import command
from omniorder.services.parts import Parts, Touch
from omniorder.services.payments import own_transaction
from omniorder.services.surface import given, several
from omniorder.services.units import Unit, in_transaction, reading

MOST_DRAWS = 10
"""Numbers drawn before giving up: a collision is one in a thousand million per handoff that is kept."""
MOST_OPEN = 20
"""Handoffs of one cart that can be taken or used at a time."""
MOST_KEPT = 200
"""Handoffs of one cart altogether, until the sweep forgets those that ended: each command of a guest reads them."""


@frozen
class Handoffs:
    """Carts that are passed on: from the app to the web, to an agent on the phone, from a kiosk to one's own phone."""

    parts: Parts
    touch: Touch

    @command("handoffs.offer")
    def offer(
        self, cart_id: str, *scopes: Scope, lasts: timedelta | None = None, key: str | None = None
    ) -> HandoffTicket:
        """A token, single use, that opens the owner's cart to whoever brings it first, within `scopes`.

        `lasts` is how long the token can be used; what it gives lasts `Settings.grant_lasts`. PAY without EDIT covers
        the promise that the cart has now, and no other. OWN gives the cart away for good.

        Raises `NotFound`, `NotAllowed` (a cart that was only handed over to this actor; an agent who gives a customer's
        cart away), `InvalidInput` (scopes, lasts), `PromiseGone` (PAY without a live promise), `TooMany` (open ones of
        this cart), `IllegalTransition` (the cart was merged), `Misconfigured` for a hub without a secret.
        """
        checked = ids.check("cart", cart_id)
        wanted = _scopes(scopes)
        ring = self.parts.key_ring()
        lasting = self._lasting(lasts)
        stamp = self.touch.stamp(self.parts.clock)

        def work(unit: Unit, draw: bytes) -> Handoff:
            new = ids.handoff_id(draw)
            request = [[scope.value for scope in wanted], lasting.total_seconds()]
            seen = unit.earlier(key, "handoffs.offer", home=checked, subject=checked, request=request, result=new)
            before = own_cart(self.touch, unit.tx, checked, stamp.at, "pass on")
            if Scope.OWN in wanted and stamp.actor != before.owner:
                raise NotAllowed(actor=stamp.actor, action=f"give away cart {checked}")
            if seen is not None:
                return _found(unit.tx.handoff(seen), seen)
            promise = _payable(unit, before) if Scope.PAY in wanted and Scope.EDIT not in wanted else None
            kept = unit.tx.handoffs(checked)
            live = sum(one.open(stamp.at) for one in kept)
            if live >= MOST_OPEN or len(kept) >= MOST_KEPT:
                rule = f"at most {MOST_OPEN} of one cart at a time, and {MOST_KEPT} until the oldest are forgotten"
                raise TooMany("handoffs", live, rule)
            made, event = handoffs.offer(
                checked, wanted, draw=draw, by=stamp.actor, on=stamp.channel, at=stamp.at,
                until=stamp.at + lasting, key_id=ring.current, promise_id=promise,
            )  # fmt: skip
            unit.save_cart(before, carts.apply(before, event, stamp.at), [event])
            unit.save_handoff(None, made)
            return made

        for _ in range(MOST_DRAWS):
            draw = self.parts.entropy.bytes(4)
            try:
                made = in_transaction(self.parts, stamp, partial(work, draw=draw))
                return handoffs.ticket(made, ring.secret(made.key_id))
            except AlreadyThere as taken:
                if taken.facts["kind"] != "handoff":
                    raise
        raise StillRunning(command="handoffs.offer", id=cart_id)

    @command("handoffs.accept", secret=True)
    def accept(self, shown: str) -> Handoff:
        """Take a cart over, by what its owner showed or said: the token, the link with it, or the spoken code.

        From then on this actor may do with `cart_id` what `scopes` say, until `granted_until`; with OWN it is theirs,
        and nothing that its former owner offered or granted holds any longer. Doing it again is the same answer as long
        as the grant lasts. A wrong spoken code is counted, and too many lock that form of this handoff
        (`Settings.code_tries`); its token, which nobody guesses, still opens it.

        Raises `HandoffInvalid`, `HandoffGone` (used by somebody else, expired, withdrawn, locked), `NotAllowed` (a
        cart of their own; an agent, to whom no cart can belong) and, for a spoken code, `NeedsOwnTransaction`.
        """
        brought = handoffs.read(shown)
        stamp = self.touch.stamp(self.parts.clock)
        self._prove(brought)
        lasts = self.parts.settings.grant_lasts

        def work(unit: Unit) -> Handoff:
            before = _found(unit.tx.handoff(brought.handoff), brought.handoff)
            if before.granted(stamp.actor, stamp.at):
                return before
            if before.state is not HandoffState.OFFERED:
                reason = "withdrawn" if before.state is HandoffState.WITHDRAWN else "used"
                raise HandoffGone(handoff=before.id, reason=reason)
            if stamp.at >= before.until:
                raise HandoffGone(handoff=before.id, reason="expired")
            cart = unit.tx.cart(before.cart_id)
            if cart is None or cart.merged_into is not None:
                raise HandoffGone(handoff=before.id, reason="withdrawn")
            if stamp.actor in (cart.owner, before.offered_by):
                raise NotAllowed(actor=stamp.actor, action="take a handoff of their own")
            event = e.HandoffAccepted(before.id, stamp.actor, stamp.at + lasts)
            after = handoffs.apply(before, event, on=stamp.channel, at=stamp.at)
            if Scope.OWN in before.scopes:
                take_over(unit, cart, self._new_owner(), event, *_end_all(unit, cart, but=before))
            else:
                unit.save_cart(cart, carts.apply(cart, event, stamp.at), [event])
            unit.save_handoff(before, after)
            return after

        return in_transaction(self.parts, stamp, work)

    @command("handoffs.withdraw")
    def withdraw(self, handoff_id: str) -> Handoff:
        """Take a handoff of one's own cart back, used or not; withdrawing twice changes nothing.

        Raises `NotFound`, `IllegalTransition` (the cart was merged, and its handoffs ended with it).
        """
        checked = ids.check("handoff", handoff_id)
        stamp = self.touch.stamp(self.parts.clock)

        def work(unit: Unit) -> Handoff:
            before = unit.tx.handoff(checked)
            cart = unit.tx.cart(before.cart_id) if before else None
            if before is None or cart is None or not self.touch.owns(cart.owner):
                raise NotFound("handoff", handoff_id)
            if before.state is HandoffState.WITHDRAWN:
                return before
            event = e.HandoffWithdrawn(before.id)
            after = handoffs.apply(before, event, on=stamp.channel, at=stamp.at)
            unit.save_cart(cart, carts.apply(cart, event, stamp.at), [event])
            unit.save_handoff(before, after)
            return after

        return in_transaction(self.parts, stamp, work)

    def of(self, cart_id: str) -> tuple[Handoff, ...]:
        """To whom one's own cart was offered, and who took it; oldest first. Raises `NotFound`, `NotAllowed`."""
        at = self.parts.clock.now()

        def find(tx: Transaction) -> tuple[Handoff, ...]:
            cart = own_cart(self.touch, tx, cart_id, at, "list handoffs of")
            return tuple(sorted(tx.handoffs(cart.id), key=lambda one: (one.offered_at, one.id)))

        return reading(self.parts, find)

    def _lasting(self, lasts: timedelta | None) -> timedelta:
        limits = self.parts.settings
        if lasts is None:
            return limits.handoff_lasts
        rule = f"a timedelta up to {limits.handoff_longest}"
        if not timedelta(0) < given(lasts, timedelta, "lasts", rule) <= limits.handoff_longest:
            raise InvalidInput("lasts", lasts, rule)
        return lasts

    def _prove(self, brought: Shown) -> None:
        """Compare what was brought; a spoken code is counted first, in a transaction of its own."""
        parts = self.parts
        if brought.spoken:
            own_transaction(parts, "handoffs.accept")
        found = reading(parts, lambda tx: tx.handoff(brought.handoff))
        ring = parts.key_ring()
        if found is None or found.key_id not in ring.keys:  # what a retired key signed is worth nothing any more
            raise HandoffInvalid
        right = brought.proves(found, ring.secret(found.key_id))
        if not brought.spoken:
            if not right:
                raise HandoffInvalid
            return
        stamp = self.touch.stamp(parts.clock)
        most = parts.settings.code_tries
        counted = in_transaction(parts, stamp, lambda unit: unit.tx.count_try(found.id, 0, most))
        if counted is None:
            raise HandoffGone(handoff=found.id, reason="locked")
        if not right:
            raise HandoffInvalid(tries_left=most - counted)
        in_transaction(parts, stamp, lambda unit: unit.tx.forget_tries(found.id, 0))

    def _new_owner(self) -> str:
        match self.touch.actor:
            case Customer() | Guest():
                return self.touch.actor.owner
            case _:
                raise NotAllowed(actor=self.touch.actor.name, action="own a cart")


def _scopes(scopes: tuple[Scope, ...]) -> tuple[Scope, ...]:
    wanted = several(scopes, Scope, "scopes", "one or more of Scope.VIEW, EDIT, PAY and OWN", most=len(Scope))
    if not wanted or (Scope.OWN in wanted and len(set(wanted)) > 1):
        raise InvalidInput("scopes", scopes, "one or more of VIEW, EDIT and PAY, or OWN alone")
    return tuple(scope for scope in Scope if scope in wanted)


def _end_all(unit: Unit, cart: carts.Cart, *, but: Handoff) -> list[e.HandoffWithdrawn]:
    """Withdraw whatever else was offered or granted for the cart; the events are still to be told."""
    told: list[e.HandoffWithdrawn] = []
    for one in unit.tx.handoffs(cart.id):
        if one.id != but.id and one.open(unit.stamp.at):
            event = e.HandoffWithdrawn(one.id)
            unit.save_handoff(one, handoffs.apply(one, event, on=unit.stamp.channel, at=unit.stamp.at))
            told.append(event)
    return told


def _payable(unit: Unit, cart: carts.Cart) -> str:
    promise = unit.tx.promise(cart.promise_id) if cart.promise_id else None
    if promise is None:
        raise PromiseGone(promise="none", state="not made yet")
    if promise.order_id is None and unit.stamp.at >= promise.expires_at:
        raise PromiseGone(promise=promise.id, state="lapsed")
    return promise.id


def _found(handoff: Handoff | None, handoff_id: str) -> Handoff:
    if handoff is None:
        raise HandoffGone(handoff=handoff_id, reason="expired")
    return handoff
