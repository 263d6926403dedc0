"""Who passes carts on to whom, for tests of handoffs."""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve

from omniorder import Agent, Channel, Guest, Handoff, HandoffTicket, OrderHub, Scope
from omniorder.domain.passes import KeyRing
from omniorder.errors import HandoffGone
from omniorder.services.touchpoints import AgentTouchpoint, CustomerTouchpoint, ShoppingTouchpoint
from omniorder.testing.shop import Shop
from tests.services.steps import refused

EVA = Agent("eva")
TERMINAL = Guest("terminal-4-in-Sofia-today")


def eva(shop: Shop) -> AgentTouchpoint:
    """An agent on the phone, who acts for nobody until she is given a cart."""
    return shop.hub.at(Channel.PHONE, EVA)


def kiosk(shop: Shop) -> CustomerTouchpoint:
    """The terminal in the store, where nobody has said who they are."""
    return shop.hub.at(Channel.KIOSK, TERMINAL)


def ticket_for(cart_id: str, *scopes: Scope, by: ShoppingTouchpoint, lasts: timedelta | None = None) -> HandoffTicket:
    """A handoff that is offered; EDIT, unless it says otherwise."""
    return by.handoffs.offer(cart_id, *(scopes or (Scope.EDIT,)), lasts=lasts)


def handed(cart_id: str, *scopes: Scope, by: ShoppingTouchpoint, to: ShoppingTouchpoint) -> Handoff:
    """A handoff that is offered and taken."""
    return to.handoffs.accept(ticket_for(cart_id, *scopes, by=by).token)


def gone(to: ShoppingTouchpoint, shown: str) -> str:
    """Why what is shown opens nothing any more."""
    reason: str = refused(HandoffGone, to.handoffs.accept, shown).facts["reason"]
    return reason


def wrong(code: str) -> str:
    """A code that names the same handoff, and isn't its."""
    return f"{code[:-1]}{(int(code[-1]) + 1) % 10}"


def with_keys(shop: Shop, **keys: str) -> OrderHub:
    """The same hub with these secrets, oldest first."""
    return OrderHub(evolve(shop.hub._parts, keys=KeyRing.of(keys)))
