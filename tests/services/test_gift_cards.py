"""Gift cards and store credit: issued, spent on orders, topped up, paid out and closed; no code is kept anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from omniorder import (
    Agent,
    Card,
    Channel,
    GiftCard,
    Guest,
    IsAuthorised,
    IssuedCard,
    Money,
    OrderHub,
    PaymentState,
    Stage,
    StoreCredit,
    System,
    Tender,
    errors,
)
from omniorder.adapters.memory import MemoryStorage
from omniorder.domain.accounts import AccountState
from omniorder.ports.payments import Approved, Capture
from omniorder.services import accounts
from omniorder.testing import FakeClock, FakeGateway
from omniorder.testing.invariants import check_all, inspecting
from omniorder.testing.shop import Shop
from tests.services import contents
from tests.services.steps import handed_over, part, picked, placed, ready, refused

EUR = "EUR"
WRONG = "0000-0000-0000-0000"


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    with Shop.example(database_url) as example:
        yield example
        check_all(example.hub)


def euros(cents: int) -> Money:
    return Money(cents, EUR)


def issued(shop: Shop, cents: int = 2000, **options: Any) -> IssuedCard:
    return shop.office.gift_cards.issue(euros(cents), **options)


def numbers(shop: Shop, card: IssuedCard) -> tuple[int, int]:
    """Balance and held."""
    found = shop.office.gift_cards.get(card.id)
    return found.balance.amount, found.held.amount


def sides(shop: Shop, card: IssuedCard) -> list[tuple[str, str, int, str]]:
    found = shop.office.gift_cards.postings(card.id).items
    return sorted((one.debit, one.credit, one.amount.amount, one.reason) for one in found)


# --- spending ---------------------------------------------------------------------------------------------


def test_an_order_is_paid_with_a_gift_card_from_placing_to_the_receipt(shop: Shop) -> None:
    card = issued(shop)
    order = placed(shop, pay=GiftCard(card.code))
    assert order.payments[-1].outcome == IsAuthorised(order.total)
    assert numbers(shop, card) == (2000, order.total.amount)
    handed_over(shop, picked_and_ready(shop, order.id))
    assert shop.app.orders.get(order.id).stage is Stage.COLLECTED
    assert numbers(shop, card) == (2000 - order.total.amount, 0)
    paid = (card.id, "redeemed", order.total.amount, "")
    assert sides(shop, card) == sorted([("cash", card.id, 2000, "issued"), paid])


def picked_and_ready(shop: Shop, order_id: str) -> Any:
    return shop.store.pickups.ready(picked(shop, shop.app.orders.get(order_id)).id)


def test_what_is_cancelled_comes_back_to_the_card(shop: Shop) -> None:
    card = issued(shop)
    order = placed(shop, pay=GiftCard(card.code))
    shop.app.orders.cancel(order.id)
    assert numbers(shop, card) == (2000, 0)


def test_each_part_is_taken_as_it_leaves_and_the_rest_is_let_go(shop: Shop) -> None:
    card = issued(shop)
    order = ready(shop, {Shop.MILK: 2, Shop.BREAD: 1}, pay=GiftCard(card.code))
    assert numbers(shop, card) == (2000, 808)
    handed_over(shop, order, lines=part(order, 1))
    assert numbers(shop, card) == (2000 - 249, 808 - 249)
    handed_over(shop, order, lines=part(order, 1))
    assert numbers(shop, card) == (2000 - 498, 808 - 498)
    shop.advance(days=10)
    assert shop.app.orders.get(order.id).stage is Stage.COLLECTED
    assert numbers(shop, card) == (2000 - 498, 0)


def test_what_is_weighed_is_held_at_its_most_and_taken_as_it_weighs(shop: Shop) -> None:
    card = issued(shop)
    order = placed(shop, {Shop.CHEESE: 500}, pay=GiftCard(card.code))
    assert numbers(shop, card) == (2000, 710)
    shop.store.pickups.pick(order.id, order.lines[0].id, 480)
    handed_over(shop, shop.store.pickups.ready(order.id))
    assert numbers(shop, card) == (2000 - 619, 0)


def test_what_was_taken_comes_back_when_the_order_is_refunded(shop: Shop) -> None:
    """Taken at once, the hard way: a refund and not a void."""
    card = issued(shop)
    order = placed(shop, pay=GiftCard(card.code))
    gateway, paid = shop.hub.journal.parts.gateway("gift_card"), order.payments[-1]
    key = f"{paid.id}_capture"
    assert isinstance(gateway.capture(Capture(paid.id, key, paid.provider_id, euros(498), final=True)), Approved)
    shop.app.orders.cancel(order.id)
    shop.advance(minutes=1)
    assert numbers(shop, card) == (2000, 0)
    assert (("redeemed", card.id, 498, "")) in sides(shop, card)


def test_a_payment_names_the_account_and_nothing_keeps_the_code(database_url: str) -> None:
    with Shop.example(database_url) as shop, contents.looking(database_url, shop.hub) as look:
        card = issued(shop)
        order = placed(shop, pay=GiftCard(card.code))
        shop.app.gift_cards.balance(card.code)
        assert order.payments[-1].token == card.id
        kept = repr(look()) + repr(order) + repr(card) + repr(GiftCard(card.code))
        assert card.code[-4:] in kept
        for part in (card.code, card.code.replace("-", ""), card.code[:9], card.code[5:14]):
            assert part not in kept
            assert part.lower() not in kept


def test_a_card_with_too_little_is_not_touched_and_another_tender_may_follow(shop: Shop) -> None:
    card, promise = issued(shop, 100), shop.promise()
    error = refused(errors.NotCovered, shop.app.checkout.place, promise.id, pay=GiftCard(card.code))
    assert error.facts["missing"] == "3.98 EUR"
    assert numbers(shop, card) == (100, 0)
    shop.app.checkout.place(promise.id, pay=[GiftCard(card.code), Card("pm_card_visa")])
    assert numbers(shop, card) == (100, 100)


def test_a_double_click_holds_once(shop: Shop) -> None:
    card, promise = issued(shop), shop.promise()
    first = shop.app.checkout.place(promise.id, pay=GiftCard(card.code))
    again = shop.app.checkout.place(promise.id, pay=GiftCard(card.code.lower()))
    assert again.id == first.id
    assert numbers(shop, card) == (2000, first.total.amount)


def test_a_crash_between_hold_and_record_is_finished_by_the_sweep_under_the_same_key(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = issued(shop)
    with monkeypatch.context() as dying:
        dying.setattr("omniorder.services.payments.record", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            placed(shop, pay=GiftCard(card.code))
    assert numbers(shop, card) == (2000, 498)
    shop.advance(minutes=1)
    (order,) = shop.app.orders.page().items
    assert order.payments[-1].state is PaymentState.AUTHORISED
    assert numbers(shop, card) == (2000, 498)


def test_what_an_order_held_comes_back_to_a_card_that_was_closed_meanwhile(shop: Shop) -> None:
    card = issued(shop)
    order = placed(shop, {Shop.MILK: 2, Shop.BREAD: 1}, pay=GiftCard(card.code))
    shop.office.gift_cards.close(card.id)
    shop.app.orders.cancel(order.id)
    assert numbers(shop, card) == (2000, 0)


def test_store_credit_is_spent_by_its_owner_and_by_an_agent_who_acts_for_them(shop: Shop) -> None:
    shop.office.credit.grant("anna", euros(1000), "late twice")
    placed(shop, pay=StoreCredit())
    assert shop.app.credit.balance(EUR) == euros(502)
    placed(shop, pay=StoreCredit(), touch=shop.phone)
    assert shop.web.credit.balance(EUR) == shop.office.credit.balance("anna", EUR) == euros(4)


class Mine(Tender):
    """A tender of a caller's own that calls itself store credit."""

    kind = "store_credit"


class MyCard(Tender):
    """And one that calls itself a gift card."""

    kind = "gift_card"


def test_nobody_pays_with_somebody_elses_store_credit(shop: Shop) -> None:
    account = shop.office.credit.grant("anna", euros(1000), "late twice")
    for tender in (StoreCredit(), StoreCredit(account.id), Mine(account.id), StoreCredit("anna")):
        refused(errors.NotCovered, placed, shop, pay=tender, touch=shop.stranger)
    refused(errors.NotCovered, placed, shop, pay=StoreCredit(), touch=shop.guest)
    assert shop.app.credit.balance(EUR) == euros(1000)


def test_an_account_s_id_is_no_code(shop: Shop) -> None:
    card = issued(shop)
    for tender in (GiftCard(card.id), MyCard(card.id), accounts.OnGiftCard(card.id)):
        refused(errors.GiftCardInvalid, placed, shop, pay=tender)
    assert numbers(shop, card) == (2000, 0)


def test_a_card_in_another_currency_is_refused_before_anything_is_placed(shop: Shop) -> None:
    card = shop.office.gift_cards.issue(Money(2000, "SEK"))
    assert refused(errors.CurrencyMismatch, placed, shop, pay=GiftCard(card.code)).facts["field"] == "currency"
    assert shop.app.orders.page().items == ()


def test_a_gateway_of_the_retailers_own_takes_the_place_of_ours() -> None:
    with Shop.example(gateways={"gift_card": FakeGateway(), "card": FakeGateway()}) as shop:
        order = placed(shop, pay=GiftCard("pm_card_visa"))
        assert order.payments[-1].token == "pm_card_visa"
        assert accounts.available(shop.hub.journal.parts, GiftCard("x"), EUR) is None


# --- what a tender can give -------------------------------------------------------------------------------


def presented(shop: Shop, tender: Tender, *, by: Any = None) -> Tender:
    touch = vars(by or shop.app)["_touch"]
    return accounts.presented(shop.hub.journal.parts, touch, tender, EUR)


def test_a_presented_tender_says_what_it_can_give_at_this_moment(shop: Shop) -> None:
    card, parts = issued(shop), shop.hub.journal.parts
    tender = presented(shop, GiftCard(card.code))
    assert (tender.kind, tender.token) == ("gift_card", card.id)
    assert accounts.available(parts, tender, EUR) == euros(2000)
    placed(shop, pay=GiftCard(card.code))
    assert accounts.available(parts, tender, EUR) == euros(2000 - 498)
    assert accounts.available(parts, tender, "SEK") == Money(0, "SEK")
    shop.office.gift_cards.close(card.id)
    assert accounts.available(parts, tender, EUR) == euros(0)


def test_what_is_no_account_of_ours_comes_back_as_it_is(shop: Shop) -> None:
    visa = Card("pm_card_visa")
    assert presented(shop, visa) is visa
    assert accounts.available(shop.hub.journal.parts, visa, EUR) is None


def test_who_has_no_store_credit_has_nothing_to_give(shop: Shop) -> None:
    parts = shop.hub.journal.parts
    assert accounts.available(parts, presented(shop, StoreCredit()), EUR) == euros(0)
    nobody = shop.hub.at(Channel.PHONE, Agent("eva"))
    assert accounts.available(parts, presented(shop, StoreCredit(), by=nobody), EUR) == euros(0)


# --- the desk ---------------------------------------------------------------------------------------------


def test_a_card_is_found_by_its_code_in_any_case_and_grouping(shop: Shop) -> None:
    card = issued(shop, expires_at=shop.clock.now() + timedelta(days=1))
    said = card.code.replace("-", " ").lower().replace("0", "o").replace("1", "l")
    assert shop.app.gift_cards.balance(said) == euros(2000)
    assert shop.office.gift_cards.find(said) == card.account
    assert card.account.ending == card.code[-4:]
    shop.clock.advance(days=1)
    assert shop.app.gift_cards.balance(card.code) == euros(0)
    assert shop.office.gift_cards.find(card.code) == card.account


def test_the_same_key_issues_one_card_and_shows_its_code_again(shop: Shop) -> None:
    first = issued(shop, key="receipt-1")
    assert issued(shop, key="receipt-1") == first
    assert issued(shop, key="receipt-2").id != first.id
    refused(errors.KeyReused, issued, shop, 2001, key="receipt-1")


def test_a_card_is_topped_up_and_paid_out_once_per_key(shop: Shop) -> None:
    card, desk = issued(shop), shop.office.gift_cards
    for _ in range(2):
        desk.credit(card.id, euros(500), "topped up", reference="R-8", key="a")
        desk.debit(card.id, euros(300), "paid out", key="b")
    assert numbers(shop, card) == (2200, 0)
    assert (card.id, "cash", 300, "paid out") in sides(shop, card)
    refused(errors.KeyReused, desk.credit, card.id, euros(501), "topped up", reference="R-8", key="a")


def test_what_orders_hold_is_not_paid_out(shop: Shop) -> None:
    card, desk = issued(shop), shop.office.gift_cards
    placed(shop, pay=GiftCard(card.code))
    low = refused(errors.BalanceTooLow, desk.debit, card.id, euros(1503), "paid out")
    assert dict(low.facts) == {"account": card.id, "amount": "15.03 EUR", "left": "15.02 EUR"}
    desk.debit(card.id, euros(1502), "paid out")
    assert numbers(shop, card) == (498, 498)


def test_a_closed_card_spends_nothing_and_keeps_its_balance_on_the_books(shop: Shop) -> None:
    card, desk = issued(shop), shop.office.gift_cards
    assert desk.close(card.id) == desk.close(card.id)
    assert desk.get(card.id).state is AccountState.CLOSED
    gone = refused(errors.GiftCardGone, placed, shop, pay=GiftCard(card.code))
    assert dict(gone.facts) == {"card": card.code[-4:], "reason": "closed"}
    assert shop.app.gift_cards.balance(card.code) == euros(0)
    desk.debit(card.id, euros(2000), "moved to another card", against="transfer")
    assert numbers(shop, card) == (0, 0)


def test_postings_are_paged_oldest_first(shop: Shop) -> None:
    card, desk = issued(shop), shop.office.gift_cards
    for number in range(1, 5):
        shop.clock.advance(seconds=1)
        desk.credit(card.id, euros(number), "topped up")
    first = desk.postings(card.id, limit=3)
    rest = desk.postings(card.id, after=first.next, limit=3)
    assert [one.amount.amount for one in (*first.items, *rest.items)] == [2000, 1, 2, 3, 4]
    assert rest.next is None
    assert first.items[0].stamp.actor == "system:office"


def test_store_credit_is_granted_and_taken_back_once_per_key(shop: Shop) -> None:
    desk = shop.office.credit
    for _ in range(2):
        desk.grant("anna", euros(500), "late", key="a")
        desk.grant("anna", Money(70, "SEK"), "late", key="b")
        desk.take("anna", euros(200), "a mistake", key="c")
    assert (shop.app.credit.balance(EUR), shop.app.credit.balance("SEK")) == (euros(300), Money(70, "SEK"))
    assert [one.amount.amount for one in shop.app.credit.postings("SEK").items] == [70]
    assert len(desk.postings("anna", EUR).items) == 2
    refused(errors.BalanceTooLow, desk.take, "anna", euros(301), "a mistake")
    refused(errors.BalanceTooLow, desk.take, "boris", euros(1), "he never had any")


def test_the_news_of_a_commit_that_was_lost_books_once() -> None:
    with Shop.example() as shop:
        storage = shop.hub.journal.parts.storage
        assert isinstance(storage, MemoryStorage)
        card, desk = issued(shop), shop.office.gift_cards
        storage.fail_next_commit(written=True)
        desk.credit(card.id, euros(5), "topped up")
        storage.fail_next_commit()
        desk.debit(card.id, euros(1), "paid out")
        assert numbers(shop, card) == (2004, 0)
        storage.fail_next_commit(written=True)
        shop.office.credit.grant("anna", euros(5), "late")
        storage.fail_next_commit(written=True)
        assert shop.office.gift_cards.get(issued(shop).id).balance == euros(2000)
        assert shop.app.credit.balance(EUR) == euros(5)
        check_all(shop.hub)


# --- codes ------------------------------------------------------------------------------------------------


def test_so_many_wrong_codes_a_day_and_then_the_right_one_is_refused_alike(shop: Shop) -> None:
    card = issued(shop)
    wrong = [refused(errors.GiftCardInvalid, shop.stranger.gift_cards.balance, WRONG) for _ in range(5)]
    right = refused(errors.GiftCardInvalid, shop.stranger.gift_cards.balance, card.code)
    assert {(str(one), tuple(one.facts)) for one in (*wrong, right)} == {(str(right), ())}
    refused(errors.GiftCardInvalid, placed, shop, pay=GiftCard(card.code), touch=shop.stranger)
    assert shop.app.gift_cards.balance(card.code) == euros(2000), "somebody else's tries lock nobody out"
    shop.clock.advance(days=1)
    assert shop.stranger.gift_cards.balance(card.code) == euros(2000)


def test_what_was_counted_on_former_days_is_forgotten(shop: Shop) -> None:
    for desk in (shop.app, shop.guest, shop.stranger):
        refused(errors.GiftCardInvalid, desk.gift_cards.balance, WRONG)
    shop.clock.advance(days=1)
    refused(errors.GiftCardInvalid, shop.web.gift_cards.balance, WRONG)
    with inspecting(shop.hub.journal.parts.storage) as rows:
        assert [one.subject for one in rows.tries()] == ["gift_card:customer:anna"]


def test_the_right_code_begins_the_count_anew(shop: Shop) -> None:
    card = issued(shop)
    for _ in range(3):
        for _ in range(4):
            refused(errors.GiftCardInvalid, shop.app.gift_cards.balance, WRONG)
        assert shop.app.gift_cards.balance(card.code) == euros(2000)


def test_a_new_secret_leaves_the_cards_of_the_old_one_valid_until_it_is_taken_away(sqlite_url: str) -> None:
    clock, old, new = FakeClock(), "the-old-secret-of-the-shop", "the-new-secret-of-the-shop"

    def opened(secret: Any) -> OrderHub:
        return OrderHub.open(sqlite_url, secret=secret, clock=clock, migrate=True)

    with opened({"1": old}) as hub:
        card = hub.at(Channel.SYSTEM, System("office")).gift_cards.issue(euros(500), key="k")
    with opened({"1": old, "2": new}) as hub:
        desk = hub.at(Channel.SYSTEM, System("office")).gift_cards
        assert desk.balance(card.code) == euros(500)
        assert desk.issue(euros(500), key="k") == card
        assert desk.issue(euros(500)).account.key_id == "2"
    with opened({"2": new}) as hub:
        refused(errors.GiftCardInvalid, hub.at(Channel.SYSTEM, System("office")).gift_cards.balance, card.code)
    with OrderHub.open(sqlite_url, clock=clock) as hub:
        refused(errors.Misconfigured, hub.at(Channel.SYSTEM, System("office")).gift_cards.issue, euros(500))


def test_codes_are_not_tried_inside_a_transaction_of_the_caller_s(shop: Shop) -> None:
    card = issued(shop)
    storage = shop.hub.journal.parts.storage
    with storage.transaction() as tx:
        connection = tx if isinstance(storage, MemoryStorage) else tx.connection
        with shop.hub.joined(connection) as hub:
            desk = hub.at(Channel.WEB, Guest("another-token-of-22-characters")).gift_cards
            refused(errors.NeedsOwnTransaction, desk.balance, card.code)
