"""Many spend one gift card at once, and it is never overspent; many grant, pay out and guess, and all is counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from attrs import evolve

from omniorder import Channel, Customer, GiftCard, Money, Order, Settings
from omniorder.adapters.memory import writing
from omniorder.adapters.memory.database import Database
from omniorder.domain.accounts import AccountState
from omniorder.errors import NotCovered, OmniorderError, PaymentDeclined
from omniorder.ports.payments import Approved, Authorise, Denied
from omniorder.testing.invariants import check_all, inspecting
from omniorder.testing.invariants.accounts import balances_are_what_was_posted, what_is_held_is_held_by_payments
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import at_once, refused, won

SPENDERS = 8
EUR = "EUR"
IMPATIENT = Settings(retry_for=timedelta(seconds=2))


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def anywhere(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """The example shop on each kind of storage."""
    if request.param == "memory":
        with Shop.example(settings=IMPATIENT) as example:
            yield example
        return
    fresh: Callable[[], str] = request.getfixturevalue(f"fresh_{request.param}")
    with Shop.example(fresh(), migrate=False, settings=IMPATIENT) as example:
        yield example


def twenty_euros(shop: Shop) -> str:
    """The account of a new gift card."""
    return shop.office.gift_cards.issue(Money(2000, EUR)).id


def everybody_holds(shop: Shop, card: str, amount: int = 600) -> int:
    """Each wants so much of a card with 20 euros on it; how much they were told that they have together."""
    gateway = shop.hub.journal.parts.gateway("gift_card")
    wanted = [Authorise(f"pay_X_{n}_1", f"att_X_{n}_1_1", "X-1", card, Money(amount, EUR)) for n in range(SPENDERS)]
    answers = won(at_once([partial(gateway.authorise, one) for one in wanted]))
    return sum(one.amount.amount for one in answers if isinstance(one, Approved))


def held(shop: Shop, card: str) -> int:
    return shop.office.gift_cards.get(card).held.amount


def test_a_card_is_never_overspent(anywhere: Shop) -> None:
    card = twenty_euros(anywhere)
    assert everybody_holds(anywhere, card) == held(anywhere, card) == 1800
    what_is_held_is_held_by_payments(anywhere.hub)


def test_without_the_guard_in_the_statement_it_is(shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: everybody looks first and is content, and then writes."""
    card = twenty_euros(shop_on_postgres)
    unguarded.spend_what_was_read(monkeypatch, SPENDERS)
    assert everybody_holds(shop_on_postgres, card) > 2000


def test_the_guard_alone_holds_when_nobody_looks(anywhere: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    unguarded.hold_unasked(monkeypatch)
    card = twenty_euros(anywhere)
    assert everybody_holds(anywhere, card) == held(anywhere, card) == 1800


def test_without_looking_and_without_the_guard_it_is_overspent_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the one above, where transactions wait in one line."""

    def unasked(db: Database, writes: Any) -> None:
        for write in writes:
            now = db.accounts.get(write.account)
            assert now is not None
            more, held = Money(write.balance, EUR), Money(write.held, EUR)
            db.accounts.put(write.account, evolve(now, balance=now.balance + more, held=now.held + held))

    unguarded.hold_unasked(monkeypatch)
    monkeypatch.setitem(writing.STEPS, "balances", unasked)
    with Shop.example() as shop:
        assert everybody_holds(shop, twenty_euros(shop)) == SPENDERS * 600


def test_of_orders_paid_with_one_card_at_once_as_many_are_confirmed_as_it_pays(anywhere: Shop) -> None:
    shop = anywhere
    shop.office.stores.put(evolve(shop.office.stores.get(Shop.SOFIA), slot_capacity=100))
    card = shop.office.gift_cards.issue(Money(3 * 249 + 100, EUR))
    touches = [shop.hub.at(Channel.WEB, Customer(f"customer-{n}")) for n in range(SPENDERS)]

    def promised(touch: Any) -> str:
        cart = touch.carts.add(touch.carts.start().id, Shop.MILK, 1)
        offers = {offer.store.id: offer for offer in touch.checkout.offers(cart.id)}
        promise: str = touch.checkout.promise(cart.id, slot=offers[Shop.SOFIA].slots[0].id).id
        return promise

    promises = [promised(touch) for touch in touches]
    works = [partial(touch.checkout.place, id, pay=GiftCard(card.code))
             for touch, id in zip(touches, promises, strict=True)]  # fmt: skip
    results: list[Order | OmniorderError] = at_once(works)
    assert len(won(results)) == 3
    lost = [one for one in results if isinstance(one, OmniorderError)]
    assert {type(one) for one in lost} <= {PaymentDeclined, NotCovered}  # it was too little before, or only then
    assert {one.facts["reason"] for one in lost if isinstance(one, PaymentDeclined)} <= {"insufficient_funds"}
    assert held(shop, card.id) == 3 * 249
    check_all(shop.hub)


def test_what_is_paid_out_at_once_is_never_more_than_there_is(anywhere: Shop) -> None:
    desk = anywhere.office.gift_cards
    card = desk.issue(Money(2000, EUR)).id
    results = at_once([partial(desk.debit, card, Money(600, EUR), "paid out")] * SPENDERS)
    assert refused(results) == ["balance.too_low"] * (SPENDERS - 3)
    assert desk.get(card).balance == Money(200, EUR)
    balances_are_what_was_posted(anywhere.hub)


def test_what_is_granted_at_once_opens_one_account_and_is_all_there(anywhere: Shop) -> None:
    desk = anywhere.office.credit
    assert refused(at_once([partial(desk.grant, "anna", Money(5, EUR), "late")] * SPENDERS)) == []
    assert desk.balance("anna", EUR) == Money(5 * SPENDERS, EUR)
    balances_are_what_was_posted(anywhere.hub)


def test_under_one_key_at_once_one_card_is_issued(anywhere: Shop) -> None:
    issue = partial(anywhere.office.gift_cards.issue, Money(2000, EUR), key="receipt-1")
    results = at_once([issue] * SPENDERS)
    assert refused(results) == []
    assert len({card.code for card in won(results)}) == 1
    with inspecting(anywhere.hub.journal.parts.storage) as rows:
        assert len(list(rows.accounts())) == 1


def test_a_card_that_is_closed_while_it_is_spent_keeps_only_what_was_held_before(anywhere: Shop) -> None:
    card = twenty_euros(anywhere)
    gateway = anywhere.hub.journal.parts.gateway("gift_card")

    def spend(number: int) -> object:
        money = Money(10, EUR)
        return gateway.authorise(Authorise(f"pay_X_{number}_1", f"att_X_{number}_1_1", "X-1", card, money))

    def close() -> object:
        return anywhere.office.gift_cards.close(card)

    works: list[Callable[[], object]] = [close]
    works += [partial(spend, number) for number in range(SPENDERS)]
    results: list[object | OmniorderError] = at_once(works)
    answers = won(results)[1:]
    assert all(isinstance(one, Approved) or one == Denied("account_closed") for one in answers)
    assert held(anywhere, card) == 10 * sum(isinstance(one, Approved) for one in answers)
    assert anywhere.office.gift_cards.get(card).state is AccountState.CLOSED


def test_no_more_wrong_codes_are_read_at_once_than_may_be_wrong(anywhere: Shop) -> None:
    guess = partial(anywhere.stranger.gift_cards.balance, "0000-0000-0000-0000")
    assert set(refused(at_once([guess] * SPENDERS))) == {"gift_card.invalid"}
    with inspecting(anywhere.hub.journal.parts.storage) as rows:
        (counted,) = rows.tries()
    assert counted.tries == anywhere.hub.settings.code_tries
    check_all(anywhere.hub)
