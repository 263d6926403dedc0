"""Many who bring one token, guess one code, or pay one promise at the same moment: one is let in, and guessing ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from threading import Thread

import pytest

from omniorder import Agent, Card, Channel, Customer, Guest, Handoff, HandoffTicket, Order, Scope
from omniorder.adapters.sql.transaction import SqlTransaction
from omniorder.domain.carts import Cart
from omniorder.errors import HandoffGone, NotFound, OmniorderError
from omniorder.services import placing
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import PATIENCE, at_once, refused, won
from tests.emptied import Fresh

BRINGERS = 8
GUESSES = 12
ROUNDS = 3
TERMINAL = Guest("terminal-4-in-Sofia-today")
VISA, MASTERCARD = Card("pm_card_visa"), Card("pm_card_mastercard")


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def shop_anywhere(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """The example shop, on each storage."""
    if request.param == "memory":
        with Shop.example() as example:
            yield example
        return
    fresh: Fresh = request.getfixturevalue(f"fresh_{request.param}")
    with Shop.example(fresh(), migrate=False) as example:
        yield example


def filled(shop: Shop, sku: str = Shop.MILK) -> Cart:
    """A new cart of Anna's."""
    return shop.app.carts.add(shop.app.carts.start().id, sku, 1)


# --- one token, many who bring it -------------------------------------------------------------------------


def everybody_brings_it(shop: Shop) -> list[Handoff | OmniorderError]:
    token = shop.app.handoffs.offer(filled(shop).id, Scope.EDIT).token
    people = [shop.hub.at(Channel.WEB, Customer(f"customer-{number}")) for number in range(BRINGERS)]
    return at_once([partial(one.handoffs.accept, token) for one in people])


def test_one_is_let_in_and_all_others_are_told_that_it_was_used(shop_anywhere: Shop) -> None:
    for _ in range(ROUNDS):
        results = everybody_brings_it(shop_anywhere)
        assert len(won(results)) == 1
        reasons = [one.facts["reason"] for one in results if isinstance(one, HandoffGone)]
        assert reasons == ["used"] * (BRINGERS - 1)
    check_all(shop_anywhere.hub)


def test_without_the_guard_a_token_lets_several_in(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    unguarded.decide_on_old_news(monkeypatch)
    assert len(won(everybody_brings_it(shop))) > 1


def test_whoever_brings_it_on_all_devices_at_once_gets_one_answer(shop_anywhere: Shop) -> None:
    shop = shop_anywhere
    token = shop.app.handoffs.offer(filled(shop).id, Scope.EDIT).token
    results = at_once([partial(shop.stranger.handoffs.accept, token)] * BRINGERS)
    assert refused(results) == []
    assert len(set(won(results))) == 1


def test_one_who_offers_under_one_key_on_all_devices_at_once_gets_one_ticket(shop_anywhere: Shop) -> None:
    shop = shop_anywhere
    cart = filled(shop)
    offer = partial(shop.app.handoffs.offer, cart.id, Scope.EDIT, key="tap-1")
    tickets: list[HandoffTicket] = won(at_once([offer] * BRINGERS))
    assert len(tickets) == BRINGERS
    assert len({ticket.token for ticket in tickets}) == 1
    assert len(shop.app.handoffs.of(cart.id)) == 1


# --- one code, many guesses -------------------------------------------------------------------------------


def everybody_guesses(shop: Shop) -> Counter[str]:
    """Each says another wrong code of the same handoff."""
    code = shop.app.handoffs.offer(filled(shop).id, Scope.EDIT).code
    right = int(code.replace(" ", "")[-6:])
    wrong = [f"{code[:7]} {(right + number) % 1_000_000:06}" for number in range(1, GUESSES + 1)]
    return Counter(refused(at_once([partial(shop.guest.handoffs.accept, one) for one in wrong])))


def test_no_more_codes_are_compared_than_may_be_wrong(shop_anywhere: Shop) -> None:
    most = shop_anywhere.hub.settings.code_tries
    assert everybody_guesses(shop_anywhere) == {"handoff.invalid": most, "handoff.gone": GUESSES - most}


def test_without_the_guard_more_codes_are_compared(shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite there is one writer at a time, who sees what the one before has counted."""
    unguarded.count_tries_by_reading_them(monkeypatch, GUESSES)
    assert everybody_guesses(shop_on_postgres)["handoff.invalid"] > shop_on_postgres.hub.settings.code_tries


# --- somebody takes it while its owner changes their mind -------------------------------------------------


def lets_in(shop: Shop, cart_id: str) -> bool:
    """Whether Boris may act by this handoff."""
    (found,) = shop.app.handoffs.of(cart_id)
    return found.granted("customer:boris", shop.clock.now())


def test_what_is_withdrawn_while_it_is_taken_lets_nobody_in(shop_anywhere: Shop) -> None:
    shop = shop_anywhere
    for _ in range(ROUNDS):
        ticket = shop.app.handoffs.offer(filled(shop).id, Scope.EDIT)
        taken, withdrawn = at_once(
            [partial(shop.stranger.handoffs.accept, ticket.token), partial(shop.app.handoffs.withdraw, ticket.id)]
        )
        assert isinstance(withdrawn, Handoff)
        assert isinstance(taken, Handoff) or taken.facts["reason"] == "withdrawn"
        assert not lets_in(shop, ticket.cart_id)
    check_all(shop.hub)


def test_without_the_guard_who_comes_too_late_is_let_in(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = shop.app.handoffs.offer(filled(shop).id, Scope.EDIT)
    unguarded.decide_on_old_news(monkeypatch)
    unguarded.write_over_handoffs(monkeypatch)
    at_once([partial(shop.app.handoffs.withdraw, ticket.id)])
    at_once([partial(shop.stranger.handoffs.accept, ticket.token)])
    assert lets_in(shop, ticket.cart_id)


# --- a cart that is given away while its guest logs in ----------------------------------------------------


def given_away_at_a_login(shop: Shop, *, one_by_one: bool = False) -> tuple[bool, bool]:
    """A guest gives a cart with bread in it to Boris, and turns out to be Anna: is it his, has she what was in it?"""
    kiosk = shop.hub.at(Channel.KIOSK, TERMINAL)
    mine = filled(shop)
    cart = kiosk.carts.add(kiosk.carts.start().id, Shop.BREAD, 1)
    token = kiosk.handoffs.offer(cart.id, Scope.OWN).token

    def login() -> object:
        return shop.app.carts.claim(TERMINAL)

    def take() -> object:
        return shop.stranger.handoffs.accept(token)

    if one_by_one:
        for work in (lambda: kiosk.carts.get(cart.id), login):
            at_once([work])
        (taken,) = at_once([take])
    else:
        _, taken = at_once([login, take])
    return isinstance(taken, Handoff), Shop.BREAD in {line.sku for line in shop.app.carts.get(mine.id).lines}


def test_a_cart_given_away_while_its_guest_logs_in_has_one_owner(shop_anywhere: Shop) -> None:
    boriss, annas = given_away_at_a_login(shop_anywhere)
    assert boriss != annas
    check_all(shop_anywhere.hub)


def test_without_the_guard_both_have_what_was_in_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    unguarded.decide_on_old_news(monkeypatch)
    assert given_away_at_a_login(shop, one_by_one=True) == (True, True)


# --- an agent edits while the guest logs in ---------------------------------------------------------------


def edited_at_a_login(shop: Shop, *, one_by_one: bool = False) -> tuple[bool, bool]:
    """An agent adds bread to a guest's cart, which is merged into Anna's: was that done, and does she have bread?"""
    kiosk, eva = shop.hub.at(Channel.KIOSK, TERMINAL), shop.hub.at(Channel.PHONE, Agent("eva"))
    mine = filled(shop)
    cart = kiosk.carts.add(kiosk.carts.start().id, Shop.APPLES, 500)
    eva.handoffs.accept(kiosk.handoffs.offer(cart.id, Scope.EDIT).token)

    def login() -> object:
        return shop.app.carts.claim(TERMINAL)

    def edit() -> object:
        return eva.carts.add(cart.id, Shop.BREAD, 1)

    if one_by_one:
        for work in (lambda: eva.carts.get(cart.id), login):
            at_once([work])
        (edited,) = at_once([edit])
    else:
        _, edited = at_once([login, edit])
    return isinstance(edited, Cart), Shop.BREAD in {line.sku for line in shop.app.carts.get(mine.id).lines}


def test_what_an_agent_adds_while_the_guest_logs_in_is_kept_or_refused(shop_anywhere: Shop) -> None:
    done, kept = edited_at_a_login(shop_anywhere)
    assert done == kept
    check_all(shop_anywhere.hub)


def test_without_the_guard_what_the_agent_added_is_lost(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    unguarded.decide_on_old_news(monkeypatch)
    assert edited_at_a_login(shop, one_by_one=True) == (True, False)


# --- two pay ----------------------------------------------------------------------------------------------


def both_pay(shop: Shop) -> tuple[list[Order | OmniorderError], int]:
    """Anna, and Boris for her; and how many payments the provider then holds."""
    promise = shop.promise()
    shop.stranger.handoffs.accept(shop.app.handoffs.offer(promise.cart_id, Scope.PAY).token)
    results = at_once(
        [
            partial(shop.app.checkout.place, promise.id, pay=VISA),
            partial(shop.stranger.checkout.place, promise.id, pay=MASTERCARD),
        ]
    )
    return results, sum(1 for one in shop.gateway.payments if one.open.amount)


def test_a_promise_that_two_pay_becomes_one_order(shop_anywhere: Shop) -> None:
    for payments in range(1, ROUNDS + 1):
        results, held = both_pay(shop_anywhere)
        assert len(won(results)) == 1
        assert refused(results) == ["payment.in_flight"]
        assert held == payments
    check_all(shop_anywhere.hub)


def test_without_the_guard_both_pay(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    unguarded.decide_on_old_news(monkeypatch)
    results, held = both_pay(shop)
    assert len({order.id for order in won(results)}) == 2
    assert held == 2


# --- between two reads of one transaction (PostgreSQL gives each statement a snapshot of its own) ---------


def between_promise_and_cart(patch: pytest.MonkeyPatch, other: Callable[[], object]) -> None:
    """Let something else be done after a command read the promise, and before it reads the cart."""
    read = SqlTransaction.cart
    works = [Thread(target=other)]

    def slowly(tx: SqlTransaction, cart_id: str) -> Cart | None:
        if works:
            work = works.pop()
            work.start()
            work.join(PATIENCE)
        return read(tx, cart_id)

    patch.setattr(SqlTransaction, "cart", slowly)


def test_nobody_pays_by_what_was_withdrawn_since_they_looked(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = shop_on_postgres
    promise = shop.promise()
    taken = shop.stranger.handoffs.accept(shop.app.handoffs.offer(promise.cart_id, Scope.PAY).token)
    between_promise_and_cart(monkeypatch, partial(shop.app.handoffs.withdraw, taken.id))
    with pytest.raises(NotFound):
        shop.stranger.checkout.place(promise.id, pay=VISA)
    assert shop.app.orders.page().items == ()


def test_without_a_second_look_they_pay(shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = shop_on_postgres
    promise = shop.promise()
    taken = shop.stranger.handoffs.accept(shop.app.handoffs.offer(promise.cart_id, Scope.PAY).token)
    monkeypatch.setattr(placing, "still_allowed", lambda *_: None)
    between_promise_and_cart(monkeypatch, partial(shop.app.handoffs.withdraw, taken.id))
    assert shop.stranger.checkout.place(promise.id, pay=VISA).owner == "customer:anna"


def test_nobody_withdraws_a_promise_by_what_was_withdrawn_since_they_looked(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = shop_on_postgres
    promise = shop.promise()
    taken = shop.stranger.handoffs.accept(shop.app.handoffs.offer(promise.cart_id, Scope.EDIT).token)
    between_promise_and_cart(monkeypatch, partial(shop.app.handoffs.withdraw, taken.id))
    with pytest.raises(NotFound):
        shop.stranger.checkout.withdraw(promise.id)
    assert shop.app.carts.get(promise.cart_id).promise_id == promise.id


def test_an_order_belongs_to_whoever_owns_its_cart_when_it_is_placed(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given away since its former owner looked: the order is not theirs to place."""
    shop = shop_on_postgres
    promise = shop.promise()
    token = shop.app.handoffs.offer(promise.cart_id, Scope.OWN).token
    between_promise_and_cart(monkeypatch, partial(shop.stranger.handoffs.accept, token))
    with pytest.raises(NotFound):
        shop.app.checkout.place(promise.id, pay=VISA)
    assert shop.stranger.checkout.place(promise.id, pay=VISA).owner == "customer:boris"
    check_all(shop.hub)


def test_without_a_second_look_an_order_belongs_to_the_former_owner(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = shop_on_postgres
    promise = shop.promise()
    token = shop.app.handoffs.offer(promise.cart_id, Scope.OWN).token
    monkeypatch.setattr(placing, "still_allowed", lambda *_: None)
    between_promise_and_cart(monkeypatch, partial(shop.stranger.handoffs.accept, token))
    assert shop.app.checkout.place(promise.id, pay=VISA).owner == "customer:anna"
