"""Tokens and codes that are nobody's, for something else or too late; and carts that can't be passed on like that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

import pytest
from attrs import field, frozen

from omniorder import HandoffTicket, Scope
from omniorder.errors import (
    HandoffGone,
    HandoffInvalid,
    IllegalTransition,
    InvalidInput,
    InvalidKey,
    InvalidText,
    NotAllowed,
    NotFound,
    OmniorderError,
    PromiseGone,
    TooMany,
)
from omniorder.testing.shop import Shop
from tests.bad_input.cases import Case, judge
from tests.bad_input.conftest import World
from tests.services.passing import eva
from tests.services.steps import VISA, filled


@frozen
class Tickets:
    """A handoff in each state; `looking`, `editing` and `paying` were taken by the guest, `open` by nobody."""

    open: HandoffTicket
    used: HandoffTicket
    expired: HandoffTicket
    withdrawn: HandoffTicket
    merged: HandoffTicket
    looking: HandoffTicket
    editing: HandoffTicket
    paying: HandoffTicket
    given: HandoffTicket


@pytest.fixture(scope="module")
def tickets(world: World) -> Tickets:
    """All of them Anna's."""
    shop, desk = world.shop, world.shop.app.handoffs
    expired = desk.offer(world.cart.id, Scope.EDIT, lasts=timedelta(seconds=1))
    shop.clock.advance(seconds=1)
    gone = filled(shop)
    made = Tickets(
        open=desk.offer(world.cart.id, Scope.EDIT),
        used=desk.offer(world.cart.id, Scope.EDIT),
        expired=expired,
        withdrawn=desk.offer(world.cart.id, Scope.EDIT),
        merged=desk.offer(gone.id, Scope.EDIT),
        looking=desk.offer(filled(shop).id, Scope.VIEW),
        editing=desk.offer(filled(shop).id, Scope.EDIT),
        paying=desk.offer(world.promise.cart_id, Scope.PAY),
        given=desk.offer(filled(shop).id, Scope.OWN),
    )
    shop.stranger.handoffs.accept(made.used.token)
    desk.withdraw(made.withdrawn.id)
    shop.app.carts.merge(filled(shop).id, gone.id)
    for taken in (made.looking, made.editing, made.paying):
        shop.guest.handoffs.accept(taken.token)
    return made


@frozen
class Try:
    """`call` must raise exactly `error`, with these facts."""

    name: str
    call: Callable[[World, Tickets], object]
    error: type[OmniorderError]
    facts: Mapping[str, Any] = field(factory=dict)


def tries(*groups: list[Try]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("one", [pytest.param(one, id=one.name) for group in groups for one in group])


def refused(world: World, tickets: Tickets, one: Try) -> None:
    judge(world, Case(one.name, lambda world: one.call(world, tickets), one.error, one.facts))


# --- what is brought --------------------------------------------------------------------------------------

NO_TOKEN: Final[dict[str, Callable[[HandoffTicket], Any]]] = {
    "nothing": lambda _: None,
    "a number": lambda _: 7,
    "bytes": lambda ticket: ticket.token.encode(),
    "a list": lambda ticket: [ticket.token],
    "the ticket itself": lambda ticket: ticket,
    "empty": lambda _: "",
    "the end of a link without anything": lambda _: "https://shop.example/join#",
    "its number alone": lambda ticket: ticket.id,
    "truncated": lambda ticket: ticket.token[:-1],
    "with one more at the end": lambda ticket: ticket.token + "A",
    "twice": lambda ticket: ticket.token * 2,
    "forged": lambda ticket: ticket.token[:11] + "A" * 26,
    "of a number that is not there": lambda ticket: "hnd_000000" + ticket.token[10:],
    "of another kind": lambda ticket: "crt" + ticket.token[3:],
    "1 MB": lambda ticket: ticket.token + " " * 1_000_000,
    "1 MB before it": lambda ticket: "x" * 1_000_000 + "#" + ticket.token,
    "NUL": lambda ticket: ticket.token + "\x00",
    "a lone surrogate": lambda ticket: ticket.token + "\ud800",
    "a bidi override": lambda ticket: "\u202e" + ticket.token,
    "a zero-width space": lambda ticket: ticket.token[:12] + "\u200b" + ticket.token[12:],
    "a Cyrillic letter": lambda ticket: ticket.token.replace("_", "_\u0410", 1),
    "a dotless i for a 1": lambda _: "\u0131BC234 123456",
    "in full width": lambda ticket: "".join(chr(ord(one) + 0xFEE0) for one in ticket.token),
    "a code in Arabic digits": lambda ticket: ticket.code[:8] + "١٢٣ ٤٥٦",
    "a code with a letter": lambda ticket: ticket.code[:-1] + "A",
    "a code cut short": lambda ticket: ticket.code[:-1],
    "the code of an order": lambda _: "1234567",
    "SQL": lambda _: "' OR 1=1 --",
    "a wildcard": lambda _: "hnd_%",
    "ANSI": lambda ticket: "\x1b[31m" + ticket.token,
}


def brings(what: Callable[[HandoffTicket], Any]) -> Callable[[World, Tickets], object]:
    return lambda world, tickets: eva(world.shop).handoffs.accept(what(tickets.open))


BROUGHT = tries([Try(name, brings(what), HandoffInvalid) for name, what in NO_TOKEN.items()])


def shows(name: str) -> Callable[[World, Tickets], object]:
    return lambda world, tickets: eva(world.shop).handoffs.accept(getattr(tickets, name).token)


ENDED = tries(
    [
        Try("used", shows("used"), HandoffGone, {"reason": "used"}),
        Try("expired", shows("expired"), HandoffGone, {"reason": "expired"}),
        Try("withdrawn", shows("withdrawn"), HandoffGone, {"reason": "withdrawn"}),
        Try("of a cart that was merged", shows("merged"), HandoffGone, {"reason": "withdrawn"}),
        Try(
            "to oneself", lambda w, t: w.shop.web.handoffs.accept(t.open.token), NotAllowed, {"actor": "customer:anna"}
        ),
        Try("a cart to an agent", shows("given"), NotAllowed, {"actor": "agent:eva"}),
    ]
)

OTHER_SCOPES = tries(
    [
        Try("edit by looking", lambda w, t: w.shop.guest.carts.add(t.looking.cart_id, Shop.MILK), NotAllowed),
        Try("pay by editing", lambda w, t: w.shop.guest.handoffs.offer(t.editing.cart_id, Scope.PAY), NotAllowed),
        Try("edit by paying", lambda w, t: w.shop.guest.carts.add(t.paying.cart_id, Shop.MILK), NotAllowed),
        Try(
            "promise by paying",
            lambda w, t: w.shop.guest.checkout.promise(t.paying.cart_id, slot=w.promise.slot),
            NotAllowed,
        ),
        Try("withdraw by paying", lambda w, _: w.shop.guest.checkout.withdraw(w.promise.id), NotAllowed),
        Try("pay another's promise", lambda w, _: w.shop.guest.checkout.place(w.placed.promise_id, pay=VISA), NotFound),
        Try("a pass by paying", lambda w, _: w.shop.guest.orders.pickup_pass(w.ready.id), NotFound),
    ]
)

# --- what is offered --------------------------------------------------------------------------------------

NO_CART: Final[dict[str, Any]] = {
    "guessed": "crt_" + "z" * 26,
    "an order": "SOF01-ZZZZZZ",
    "a lone surrogate": "crt_\ud800",
    "nothing": None,
    "1 MB": "x" * 1_000_000,
}
NO_HANDOFF: Final[dict[str, Any]] = {
    "guessed": "hnd_000000",
    "in small letters": "hnd_abcdef",
    "a code": "7K3 F9Q 123 456",
    "NUL": "hnd_00000\x00",
    "nothing": None,
}
SCOPES: Final[dict[str, tuple[Any, ...]]] = {
    "none": (),
    "text": ("edit",),
    "nothing": (None,),
    "a list": ([Scope.EDIT],),
    "owning and editing": (Scope.OWN, Scope.EDIT),
    "owning and looking": (Scope.VIEW, Scope.OWN),
}
LASTS: Final[dict[str, Any]] = {
    "no time": timedelta(0),
    "less than none": timedelta(seconds=-1),
    "too long": timedelta(hours=48, microseconds=1),
    "for ever": timedelta.max,
    "a number": 600,
    "text": "10 minutes",
}


def offers(**given: Any) -> Callable[[World, Tickets], object]:
    def call(world: World, _: Tickets) -> object:
        cart, scopes = given.get("cart", world.cart.id), given.get("scopes", (Scope.EDIT,))
        return world.shop.app.handoffs.offer(cart, *scopes, lasts=given.get("lasts"), key=given.get("key"))

    return call


OFFERED = tries(
    [Try(f"scopes: {name}", offers(scopes=value), InvalidInput, {"field": "scopes"}) for name, value in SCOPES.items()],
    [Try("scopes: 1,000", offers(scopes=(Scope.EDIT,) * 1000), TooMany, {"field": "scopes"})],
    [Try(f"lasts: {name}", offers(lasts=value), InvalidInput, {"field": "lasts"}) for name, value in LASTS.items()],
    [
        Try(f"key: {name}", offers(key=value), InvalidKey)
        for name, value in {"empty": "", "256 characters": "k" * 256, "1 MB": "k" * 1_000_000, "a number": 5}.items()
    ],
    [Try(f"cart: {name}", offers(cart=value), NotFound, {"kind": "cart"}) for name, value in NO_CART.items()],
    [
        Try(
            "of a merged cart", lambda w, t: w.shop.app.handoffs.offer(t.merged.cart_id, Scope.VIEW), IllegalTransition
        ),
        Try("paying without a promise", offers(scopes=(Scope.PAY,)), PromiseGone),
        Try(
            "a customer's cart, by an agent, for good",
            lambda w, _: w.shop.phone.handoffs.offer(w.cart.id, Scope.OWN),
            NotAllowed,
        ),
    ],
)


def listed(cart: Any) -> Callable[[World, Tickets], object]:
    return lambda world, _: world.shop.app.handoffs.of(cart)


def withdraws(handoff: Any) -> Callable[[World, Tickets], object]:
    return lambda world, _: world.shop.app.handoffs.withdraw(handoff)


def linked(base: Any) -> Callable[[World, Tickets], object]:
    return lambda _, tickets: tickets.open.link(base)


LISTED = tries(
    [Try(f"of: {name}", listed(value), NotFound, {"kind": "cart"}) for name, value in NO_CART.items()],
    [Try(f"withdraw: {name}", withdraws(value), NotFound, {"kind": "handoff"}) for name, value in NO_HANDOFF.items()],
    [
        Try("withdraw a stranger's", lambda w, t: w.shop.stranger.handoffs.withdraw(t.open.id), NotFound),
        Try("withdraw by its token", lambda w, t: w.shop.app.handoffs.withdraw(t.open.token), NotFound),
    ],
)

LINKED = tries(
    [
        Try("no URL", linked("shop"), InvalidInput, {"field": "base"}),
        Try("nothing", linked(None), InvalidText, {"field": "base"}),
        Try("a line break", linked("https://a\n.example"), InvalidText, {"field": "base"}),
        Try("1 MB", linked("https://" + "a" * 1_000_000), InvalidText, {"field": "base"}),
    ]
)


@BROUGHT
def test_what_is_no_token_or_code_opens_nothing(world: World, tickets: Tickets, one: Try) -> None:
    refused(world, tickets, one)


@ENDED
def test_a_token_opens_once_in_time_and_for_another(world: World, tickets: Tickets, one: Try) -> None:
    refused(world, tickets, one)


@OTHER_SCOPES
def test_a_token_is_for_what_it_says(world: World, tickets: Tickets, one: Try) -> None:
    refused(world, tickets, one)


@OFFERED
def test_what_can_not_be_handed_over_is_not_offered(world: World, tickets: Tickets, one: Try) -> None:
    refused(world, tickets, one)


@LISTED
def test_handoffs_of_nobody_or_somebody_else_are_not_found(world: World, tickets: Tickets, one: Try) -> None:
    refused(world, tickets, one)


@LINKED
def test_a_link_begins_with_a_url(world: World, tickets: Tickets, one: Try) -> None:
    refused(world, tickets, one)
