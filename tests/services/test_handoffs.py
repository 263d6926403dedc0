"""Handing a cart over: offered by its owner, taken once, by whoever brings it first and in time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from attrs import evolve

from omniorder import Agent, Channel, Customer, HandoffState, OrderHub, Scope, Settings, events
from omniorder.errors import (
    HandoffInvalid,
    IllegalTransition,
    InvalidInput,
    KeyReused,
    Misconfigured,
    NotAllowed,
    NotFound,
    PromiseGone,
    StillRunning,
    TooMany,
)
from omniorder.services import handoffs as desk
from omniorder.services.handoffs import MOST_DRAWS, MOST_OPEN
from omniorder.testing.clock import SeededEntropy
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.passing import TERMINAL, eva, gone, handed, kiosk, ticket_for, with_keys, wrong
from tests.services.steps import filled, placed, promised, refused

# --- from one to the other --------------------------------------------------------------------------------


def test_a_cart_begun_in_the_app_goes_on_in_a_browser_that_knows_nobody(shop: Shop) -> None:
    cart = filled(shop)
    link = ticket_for(cart.id, by=shop.app).link("https://shop.example/join")
    taken = shop.guest.handoffs.accept(link)
    shop.guest.carts.add(taken.cart_id, Shop.BREAD, 1)
    assert [line.sku for line in shop.app.carts.get(cart.id).lines] == [Shop.MILK, Shop.BREAD]


def test_an_agent_on_the_phone_takes_a_cart_by_the_code_that_the_customer_says(shop: Shop) -> None:
    cart = filled(shop)
    said = ticket_for(cart.id, by=shop.app).code
    taken = eva(shop).handoffs.accept(said.lower().replace(" ", " - "))
    assert eva(shop).carts.add(taken.cart_id, Shop.BREAD, 1).version == shop.app.carts.get(cart.id).version


def test_who_took_which_cart_for_what_until_when_and_how_is_recorded(shop: Shop) -> None:
    cart = filled(shop)
    ticket = shop.app.handoffs.offer(cart.id, Scope.PAY, Scope.EDIT, lasts=timedelta(minutes=3))
    offered_at = shop.clock.now()
    shop.clock.advance(minutes=2)
    taken = eva(shop).handoffs.accept(ticket.token)
    assert (taken.cart_id, taken.scopes) == (cart.id, (Scope.EDIT, Scope.PAY))
    assert (taken.offered_by, taken.offered_on, taken.offered_at) == ("customer:anna", Channel.APP, offered_at)
    assert (taken.accepted_by, taken.accepted_on, taken.accepted_at) == ("agent:eva", Channel.PHONE, shop.clock.now())
    assert taken.until == ticket.until == offered_at + timedelta(minutes=3)
    assert taken.granted_until == shop.clock.now() + shop.hub.settings.grant_lasts
    assert shop.app.handoffs.of(cart.id) == (taken,)


def test_the_carts_journal_tells_of_it(shop: Shop) -> None:
    shop.hub.journal.subscribe("audit")
    cart = filled(shop)
    taken = handed(cart.id, by=shop.app, to=eva(shop))
    shop.app.handoffs.withdraw(taken.id)
    told = [entry for entry in shop.hub.journal.pull("audit") if entry.stream == cart.id][-3:]
    assert [entry.event for entry in told] == [
        events.HandoffOffered(taken.id, ("edit",), taken.until),
        events.HandoffAccepted(taken.id, "agent:eva", taken.granted_until or taken.until),
        events.HandoffWithdrawn(taken.id),
    ]
    assert [(entry.stamp.actor, entry.stamp.channel) for entry in told] == [
        ("customer:anna", Channel.APP),
        ("agent:eva", Channel.PHONE),
        ("customer:anna", Channel.APP),
    ]


def test_an_agent_who_acts_for_the_customer_may_pass_a_cart_on(shop: Shop) -> None:
    cart = filled(shop)
    taken = handed(cart.id, by=shop.phone, to=shop.guest)
    assert taken.offered_by == "agent:petya"


def test_an_agent_who_acts_for_the_customer_may_take_it_so_that_it_is_recorded(shop: Shop) -> None:
    assert handed(filled(shop).id, by=shop.app, to=shop.phone).accepted_by == "agent:petya"


def test_passing_a_cart_on_is_no_edit_of_it(shop: Shop) -> None:
    """What was promised for it stands, and another device that saw it before may go on."""
    promise = promised(shop)
    before = shop.app.carts.get(promise.cart_id)
    handed(before.id, by=shop.app, to=eva(shop))
    after = shop.app.carts.get(before.id)
    assert (after.lines_version, after.promise_id) == (before.lines_version, promise.id)
    shop.web.carts.change(before.id, before.lines[0].id, 3, if_version=before.version)


def test_everything_adds_up_afterwards(shop: Shop) -> None:
    order = placed(shop)
    handed(order.cart_id, Scope.OWN, by=shop.app, to=shop.stranger)
    handed(filled(shop).id, by=shop.app, to=eva(shop))
    refused(HandoffInvalid, eva(shop).handoffs.accept, wrong(ticket_for(filled(shop).id, by=shop.app).code))
    check_all(shop.hub)
    shop.advance(days=9)
    check_all(shop.hub)


# --- it opens the cart once, and in time ------------------------------------------------------------------


def test_a_token_lets_one_in_and_tells_the_next_that_it_was_used(shop: Shop) -> None:
    ticket = ticket_for(filled(shop).id, by=shop.app)
    shop.guest.handoffs.accept(ticket.token)
    assert gone(shop.stranger, ticket.token) == "used"
    assert gone(shop.stranger, ticket.code) == "used"


def test_whoever_took_it_gets_the_same_answer_again(shop: Shop, stored: Callable[[], Rows]) -> None:
    ticket = ticket_for(filled(shop).id, by=shop.app)
    first = shop.guest.handoffs.accept(ticket.token)
    before = stored()
    shop.clock.advance(minutes=30)
    assert shop.guest.handoffs.accept(ticket.token) == first
    assert shop.guest.handoffs.accept(ticket.code) == first
    assert stored() == before


def test_when_what_it_gave_has_ended_it_is_used_for_them_too(shop: Shop) -> None:
    ticket = ticket_for(filled(shop).id, by=shop.app)
    shop.guest.handoffs.accept(ticket.token)
    shop.clock.advance(hours=1)
    assert gone(shop.guest, ticket.token) == "used"


def test_a_token_expires(shop: Shop) -> None:
    ticket = ticket_for(filled(shop).id, by=shop.app, lasts=timedelta(hours=4))
    late = ticket_for(filled(shop).id, by=shop.app, lasts=timedelta(hours=4))
    shop.clock.set(ticket.until - timedelta(microseconds=1))
    shop.guest.handoffs.accept(ticket.token)
    shop.clock.set(late.until)
    assert gone(shop.guest, late.token) == "expired"
    assert gone(eva(shop), late.code) == "expired"


def test_a_token_that_is_not_told_otherwise_lasts_as_the_settings_say(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(handoff_lasts=timedelta(minutes=3), grant_lasts=timedelta(minutes=7)))
    ticket = ticket_for(filled(shop).id, by=shop.app)
    assert ticket.until == shop.clock.now() + timedelta(minutes=3)
    assert shop.guest.handoffs.accept(ticket.token).granted_until == shop.clock.now() + timedelta(minutes=7)


def test_a_token_can_not_be_made_to_last_longer_than_any_may() -> None:
    longer = Settings().handoff_longest + timedelta(seconds=1)
    assert refused(InvalidInput, Settings, handoff_lasts=longer).facts["field"] == "handoff_lasts"


def test_what_was_withdrawn_opens_nothing(shop: Shop) -> None:
    ticket = ticket_for(filled(shop).id, by=shop.app)
    assert shop.web.handoffs.withdraw(ticket.id).state is HandoffState.WITHDRAWN
    assert gone(shop.guest, ticket.token) == "withdrawn"


def test_what_was_withdrawn_after_it_was_used_is_gone_for_whoever_used_it(shop: Shop) -> None:
    ticket = ticket_for(filled(shop).id, by=shop.app)
    shop.guest.handoffs.accept(ticket.token)
    shop.app.handoffs.withdraw(ticket.id)
    assert gone(shop.guest, ticket.token) == "withdrawn"


def test_withdrawing_twice_changes_nothing(shop: Shop, stored: Callable[[], Rows]) -> None:
    ticket = ticket_for(filled(shop).id, by=shop.app)
    first = shop.app.handoffs.withdraw(ticket.id)
    before = stored()
    assert shop.app.handoffs.withdraw(ticket.id) == first
    assert stored() == before


def test_a_cart_that_was_merged_takes_its_handoffs_along(shop: Shop) -> None:
    """Into which other one was not the offer."""
    cart, other = filled(shop), filled(shop)
    ticket = ticket_for(cart.id, by=shop.app)
    shop.app.carts.merge(other.id, cart.id)
    assert gone(shop.guest, ticket.token) == "withdrawn"
    refused(IllegalTransition, shop.app.handoffs.offer, cart.id, Scope.VIEW)


# --- not by anybody, and nothing is spent -----------------------------------------------------------------


def test_nobody_hands_over_to_themselves(shop: Shop, stored: Callable[[], Rows]) -> None:
    ticket = ticket_for(filled(shop).id, by=shop.app)
    before = stored()
    assert refused(NotAllowed, shop.web.handoffs.accept, ticket.token).facts["actor"] == "customer:anna"
    assert stored() == before
    assert shop.guest.handoffs.accept(ticket.token).accepted_by


def test_an_agent_does_not_take_what_they_passed_on_themselves(shop: Shop) -> None:
    ticket = ticket_for(filled(shop).id, by=shop.phone)
    refused(NotAllowed, shop.phone.handoffs.accept, ticket.token)
    shop.guest.handoffs.accept(ticket.token)


def test_an_owner_does_not_take_what_was_passed_on_for_them(shop: Shop) -> None:
    """By an agent, or by themselves before they logged in."""
    agents = ticket_for(filled(shop).id, by=shop.phone)
    before = ticket_for(filled(shop, touch=kiosk(shop)).id, by=kiosk(shop))
    shop.stranger.carts.claim(TERMINAL)
    refused(NotAllowed, shop.app.handoffs.accept, agents.token)
    refused(NotAllowed, shop.stranger.handoffs.accept, before.token)
    refused(NotAllowed, kiosk(shop).handoffs.accept, before.token)


def test_no_cart_belongs_to_an_agent(shop: Shop, stored: Callable[[], Rows]) -> None:
    ticket = ticket_for(filled(shop).id, Scope.OWN, by=shop.app)
    before = stored()
    refused(NotAllowed, eva(shop).handoffs.accept, ticket.token)
    assert stored() == before
    shop.guest.handoffs.accept(ticket.token)


def test_an_agent_does_not_give_a_customers_cart_away(shop: Shop, stored: Callable[[], Rows]) -> None:
    """Whoever owns it sees the pass, which no agent may: not by way of a guest of their own either."""
    cart = filled(shop)
    before = stored()
    refused(NotAllowed, shop.phone.handoffs.offer, cart.id, Scope.OWN)
    assert stored() == before


def test_whoever_was_let_in_lets_nobody_else_in(shop: Shop, stored: Callable[[], Rows]) -> None:
    taken = handed(filled(shop).id, Scope.EDIT, Scope.PAY, by=shop.app, to=eva(shop))
    before = stored()
    refused(NotAllowed, eva(shop).handoffs.offer, taken.cart_id, Scope.VIEW)
    refused(NotAllowed, eva(shop).handoffs.of, taken.cart_id)
    refused(NotFound, eva(shop).handoffs.withdraw, taken.id)
    assert stored() == before


def test_somebody_elses_cart_and_handoff_answer_as_missing_ones(shop: Shop) -> None:
    cart = filled(shop)
    ticket = ticket_for(cart.id, by=shop.app)
    refused(NotFound, shop.stranger.handoffs.offer, cart.id, Scope.VIEW)
    refused(NotFound, shop.stranger.handoffs.of, cart.id)
    refused(NotFound, shop.stranger.handoffs.withdraw, ticket.id)


def test_a_forged_token_opens_nothing_and_counts_nothing(shop: Shop, stored: Callable[[], Rows]) -> None:
    """Nobody gets nearer to a hundred and twenty-eight bits by trying."""
    token = ticket_for(filled(shop).id, by=shop.app).token
    before = stored()
    forged = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    assert not refused(HandoffInvalid, shop.guest.handoffs.accept, forged).facts
    assert stored() == before


def test_a_number_that_names_no_handoff_is_no_handoff(shop: Shop, stored: Callable[[], Rows]) -> None:
    before = stored()
    assert not refused(HandoffInvalid, shop.guest.handoffs.accept, "000 000 123 456").facts
    refused(HandoffInvalid, shop.guest.handoffs.accept, "hnd_000000_" + "A" * 26)
    assert stored() == before


def test_a_handoff_by_another_hub_with_another_secret_opens_nothing(shop: Shop) -> None:
    ticket = ticket_for(filled(shop).id, by=shop.app)
    other = with_keys(shop, **{"1": "some other shop's secret"}).at(Channel.WEB, Customer("boris"))
    refused(HandoffInvalid, other.handoffs.accept, ticket.token)


# --- what may be offered ----------------------------------------------------------------------------------


def test_paying_can_be_handed_over_only_with_something_to_pay(shop: Shop) -> None:
    cart = filled(shop)
    assert refused(PromiseGone, shop.app.handoffs.offer, cart.id, Scope.PAY).facts["state"] == "not made yet"
    shop.app.handoffs.offer(cart.id, Scope.EDIT, Scope.PAY)


def test_paying_a_promise_that_has_lapsed_is_not_offered(shop: Shop) -> None:
    promise = promised(shop)
    shop.clock.set(promise.expires_at)
    gone = refused(PromiseGone, shop.app.handoffs.offer, promise.cart_id, Scope.PAY)
    assert gone.facts == {"promise": promise.id, "state": "lapsed"}


def test_what_is_offered_is_told_in_one_order_and_once(shop: Shop) -> None:
    ticket = shop.app.handoffs.offer(filled(shop).id, Scope.PAY, Scope.EDIT, Scope.EDIT)
    assert ticket.scopes == (Scope.EDIT, Scope.PAY)


def test_a_cart_is_open_to_twenty_at_a_time(shop: Shop) -> None:
    cart = filled(shop)
    tickets = [ticket_for(cart.id, by=shop.app) for _ in range(MOST_OPEN)]
    refused(TooMany, shop.app.handoffs.offer, cart.id, Scope.VIEW)
    shop.app.handoffs.withdraw(tickets[0].id)
    shop.app.handoffs.offer(cart.id, Scope.VIEW)
    shop.clock.advance(minutes=10)
    shop.app.handoffs.offer(cart.id, Scope.VIEW)


def test_a_cart_keeps_no_more_than_the_sweep_can_forget(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "MOST_KEPT", 2)
    cart = filled(shop)
    for _ in range(2):
        shop.app.handoffs.withdraw(ticket_for(cart.id, by=shop.app).id)
    refused(TooMany, shop.app.handoffs.offer, cart.id, Scope.VIEW)
    shop.advance(days=8)
    shop.app.handoffs.offer(cart.id, Scope.VIEW)


def test_what_was_offered_is_listed_oldest_first(shop: Shop) -> None:
    cart = filled(shop)
    made = []
    for _ in range(4):
        made.append(ticket_for(cart.id, by=shop.app).id)
        shop.clock.advance(seconds=1)
    assert [one.id for one in shop.web.handoffs.of(cart.id)] == made


def test_a_key_gives_the_same_ticket_again(shop: Shop) -> None:
    cart = filled(shop)
    first = shop.app.handoffs.offer(cart.id, Scope.EDIT, key="tap-1")
    again = shop.app.handoffs.offer(cart.id, Scope.EDIT, key="tap-1")
    assert (again, again.token, again.code) == (first, first.token, first.code)
    assert len(shop.app.handoffs.of(cart.id)) == 1
    refused(KeyReused, shop.app.handoffs.offer, cart.id, Scope.VIEW, key="tap-1")


class Repeating(SeededEntropy):
    """Draws every handoff's number `times` times in a row."""

    def __init__(self, times: int) -> None:
        super().__init__(1)
        self._times = times
        self._drawn: list[bytes] = []

    def bytes(self, count: int) -> bytes:
        if count != 4:
            return super().bytes(count)
        if not self._drawn:
            self._drawn = [super().bytes(4)] * self._times
        return self._drawn.pop()


def test_a_number_that_is_taken_is_drawn_anew(open_shop: OpenShop) -> None:
    shop = open_shop(entropy=Repeating(2))
    tickets = [ticket_for(filled(shop).id, by=shop.app) for _ in range(3)]
    assert len({ticket.id for ticket in tickets}) == 3
    for ticket in tickets:
        assert shop.guest.handoffs.accept(ticket.token).cart_id == ticket.cart_id


def test_who_draws_only_numbers_that_are_taken_gives_up(open_shop: OpenShop, stored: Callable[[], Rows]) -> None:
    shop = open_shop(entropy=Repeating(MOST_DRAWS + 1))
    ticket_for(filled(shop).id, by=shop.app)
    cart = filled(shop)
    before = stored()
    refused(StillRunning, shop.app.handoffs.offer, cart.id, Scope.EDIT)
    assert stored() == before


# --- secrets ----------------------------------------------------------------------------------------------


def test_token_and_code_are_stored_nowhere(shop: Shop, stored: Callable[[], Rows]) -> None:
    ticket = ticket_for(filled(shop).id, by=shop.app)
    eva(shop).handoffs.accept(ticket.code)
    refused(HandoffInvalid, shop.guest.handoffs.accept, wrong(ticket.code))
    everything = repr(stored())
    assert ticket.id in everything
    for secret in (ticket.token[-26:], ticket.code, ticket.code.replace(" ", "")):
        assert secret not in everything


@pytest.mark.parametrize("typed", ["{} {}", "{}-{}", "{}{}"])
def test_token_and_code_are_never_logged(shop: Shop, caplog: pytest.LogCaptureFixture, typed: str) -> None:
    """However they are typed: a code with a dash in it looks like the number of an order."""
    caplog.set_level(logging.INFO, logger="omniorder")
    ticket = ticket_for(filled(shop).id, by=shop.app)
    said = ticket.code.replace(" ", "")
    code = typed.format(said[:6], said[6:])
    refused(HandoffInvalid, eva(shop).handoffs.accept, wrong(code))
    eva(shop).handoffs.accept(code)
    eva(shop).handoffs.accept(ticket.token)
    told = repr([vars(record) for record in caplog.records])
    assert "handoffs.accept" in told
    assert ticket.id in told
    for secret in (ticket.token[-26:], code, wrong(code), said[6:]):
        assert secret not in told


def test_a_refusal_shows_nothing_of_what_was_brought(shop: Shop) -> None:
    token = ticket_for(filled(shop).id, by=shop.app).token
    shop.guest.handoffs.accept(token)
    shown = [refused(HandoffInvalid, shop.stranger.handoffs.accept, token[:-1])]
    assert token[-20:-1] not in repr([(error.args, error.problem()) for error in shown])
    assert token[-26:] not in repr(gone(shop.stranger, token))


def test_tokens_survive_a_change_of_keys_as_long_as_the_old_one_is_kept(shop: Shop) -> None:
    old = with_keys(shop, a="the first of two secrets").at(Channel.APP, Customer("anna"))
    both = with_keys(shop, a="the first of two secrets", b="the second of two secrets")
    ticket = ticket_for(filled(shop).id, by=old)
    assert both.at(Channel.PHONE, Agent("eva")).handoffs.accept(ticket.code).cart_id == ticket.cart_id
    assert ticket_for(filled(shop).id, by=both.at(Channel.APP, Customer("anna"))).token != ticket.token


def test_what_a_retired_key_signed_opens_nothing(shop: Shop, stored: Callable[[], Rows]) -> None:
    """It may have been retired because somebody got hold of it."""
    old = with_keys(shop, a="the first of two secrets").at(Channel.APP, Customer("anna"))
    ticket = ticket_for(filled(shop).id, by=old)
    before = stored()
    agent = with_keys(shop, b="the second of two secrets").at(Channel.PHONE, Agent("eva"))
    for shown in (ticket.token, ticket.code):
        assert not refused(HandoffInvalid, agent.handoffs.accept, shown).facts
    assert stored() == before


def test_a_hub_without_a_secret_hands_nothing_over(shop: Shop, stored: Callable[[], Rows]) -> None:
    ticket = ticket_for(filled(shop).id, by=shop.app)
    before = stored()
    bare = OrderHub(evolve(shop.hub._parts, keys=None))
    refused(Misconfigured, bare.at(Channel.APP, Customer("anna")).handoffs.offer, ticket.cart_id, Scope.EDIT)
    refused(Misconfigured, bare.at(Channel.WEB, Customer("boris")).handoffs.accept, ticket.token)
    assert stored() == before


# --- and then it is forgotten -----------------------------------------------------------------------------


def test_a_handoff_that_ended_long_ago_is_forgotten_and_opens_nothing(shop: Shop) -> None:
    """Until then its token says why it opens nothing; afterwards it is one like any that never was."""
    ticket = ticket_for(filled(shop).id, by=shop.app)
    shop.advance(days=7)
    assert gone(shop.guest, ticket.token) == "expired"
    shop.advance(hours=1)
    refused(HandoffInvalid, shop.guest.handoffs.accept, ticket.token)
    assert shop.app.handoffs.of(ticket.cart_id) == ()


def test_a_handoff_whose_grant_still_holds_is_not_forgotten(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(grant_lasts=timedelta(days=9)))
    taken = handed(filled(shop).id, by=shop.app, to=kiosk(shop))
    shop.advance(days=8)
    assert kiosk(shop).carts.get(taken.cart_id)
