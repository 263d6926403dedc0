"""Gift cards and store credit keep the gateways' contract on every storage, and remember every key for ever."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from omniorder.domain.accounts import Account, AccountKind
from omniorder.domain.money import Money
from omniorder.domain.payments import Operation
from omniorder.errors import BadWebhook, GatewayTimeout
from omniorder.ports.payments import (
    Absent,
    Approved,
    Authorise,
    Capture,
    Denied,
    Increase,
    Listed,
    LookUp,
    Refund,
    Void,
)
from omniorder.services.account_gateway import AccountGateway
from omniorder.testing.contracts.payments import GatewayBench, GatewayTokens, PaymentGatewayContract
from omniorder.testing.contracts.payments.bench import Case
from omniorder.testing.shop import Shop

EUR = "EUR"
R = TypeVar("R")


class Forgetful(AccountGateway):
    """Its reply is lost on the way whenever a test asks for that: after the transaction, before the answer."""

    lost = False

    def _carry_out(self, work: Any) -> Any:
        answer = super()._carry_out(work)
        if self.lost:
            self.lost = False
            raise GatewayTimeout(gateway="accounts", reason="no reply")
        return answer

    def lose_next_reply(self) -> None:
        self.lost = True


@pytest.fixture(scope="class", params=["memory", "sqlite", "postgres"])
def anywhere(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop on each storage for all promises: each has references of its own."""
    if request.param == "postgres":
        from tests import postgres

        with postgres.databases(request.getfixturevalue("postgres_server")) as create, Shop.example(create()) as shop:
            yield shop
        return
    folder = tmp_path_factory.mktemp("accounts")
    url = "memory://" if request.param == "memory" else f"sqlite:///{(folder / 'shop.db').as_posix()}"
    with Shop.example(url) as shop:
        yield shop


class TestGiftCards(PaymentGatewayContract):
    @pytest.fixture(autouse=True)
    def _on(self, anywhere: Shop) -> None:
        self.shop = anywhere

    def open(self) -> GatewayBench:
        gateway = Forgetful(AccountKind.GIFT_CARD, lambda: self.shop.hub.journal.parts)
        cards = self.shop.office.gift_cards
        tokens = GatewayTokens(
            approves=cards.issue(Money(100_000, self.currency)).id, declines=cards.issue(Money(999, self.currency)).id
        )
        return GatewayBench(gateway, tokens, lose_next_reply=gateway.lose_next_reply, now=self.shop.clock.now)


class TestStoreCredit(TestGiftCards):
    currency = "JPY"

    def open(self) -> GatewayBench:
        gateway = Forgetful(AccountKind.STORE_CREDIT, lambda: self.shop.hub.journal.parts)
        credit = self.shop.office.credit
        anna = credit.grant("anna", Money(100_000, self.currency), "a complaint")
        poor = credit.grant("poor", Money(1, self.currency), "a complaint")
        tokens = GatewayTokens(anna.id, poor.id)
        return GatewayBench(gateway, tokens, lose_next_reply=gateway.lose_next_reply, now=self.shop.clock.now)


# --- beyond the contract ----------------------------------------------------------------------------------


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    with Shop.example(database_url) as example:
        yield example


class Card:
    """A gift card with 20 euros on it, and a payment that nobody has heard of yet."""

    def __init__(self, shop: Shop, **options: Any) -> None:
        self.shop = shop
        self.id = shop.office.gift_cards.issue(Money(2000, EUR), **options).id
        gateway = shop.hub.journal.parts.gateway("gift_card")
        assert isinstance(gateway, AccountGateway)
        self.gateway = gateway
        self.case = Case(GatewayBench(gateway, GatewayTokens(self.id, self.id)), EUR)

    @property
    def now(self) -> tuple[int, int]:
        """Balance and held."""
        found = self.shop.office.gift_cards.get(self.id)
        return found.balance.amount, found.held.amount

    def postings(self) -> list[tuple[str, str, int]]:
        found = self.shop.office.gift_cards.postings(self.id).items
        return [(one.debit, one.credit, one.amount.amount) for one in found if "redeemed" in (one.debit, one.credit)]


def denied(answer: object) -> str:
    assert isinstance(answer, Denied)
    return answer.reason


def test_an_authorisation_holds_a_capture_debits_and_a_refund_credits(shop: Shop) -> None:
    card = Card(shop)
    card.case.authorise(1500)
    assert card.now == (2000, 1500)
    card.case.capture(400, final=False)
    assert card.now == (1600, 1100)
    card.case.capture(600, key="second")
    assert card.now == (1000, 0), "the final one lets go of the rest"
    card.case.refund(250)
    assert card.now == (1250, 0)
    sides = [(card.id, "redeemed", 400), (card.id, "redeemed", 600), ("redeemed", card.id, 250)]
    assert sorted(card.postings()) == sorted(sides)


def test_a_void_lets_go_of_what_is_held(shop: Shop) -> None:
    card = Card(shop)
    card.case.authorise(1500)
    card.case.void()
    assert card.now == (2000, 0)
    assert card.postings() == []


def test_money_is_taken_at_once_for_a_deposit(shop: Shop) -> None:
    card = Card(shop)
    request = Authorise(card.case.payment, card.case.key("a"), "T", card.id, Money(500, EUR), now=True)
    answer = card.gateway.authorise(request)
    assert isinstance(answer, Approved)
    assert answer.captured
    assert card.gateway.authorise(request) == answer
    assert card.now == (1500, 0)


def test_more_can_be_held_and_never_more_than_there_is(shop: Shop) -> None:
    card = Card(shop)
    card.case.authorise(1500)

    def increase(amount: int, key: str) -> Approved | Denied:
        request = Increase(card.case.payment, card.case.key(key), card.case.provider_id, Money(amount, EUR))
        return card.gateway.increase(request)

    assert denied(increase(2001, "too much")) == "insufficient_funds"
    assert denied(increase(1499, "less")) == "amount_invalid"
    assert isinstance(increase(2000, "all"), Approved)
    assert isinstance(increase(2000, "all"), Approved)
    assert card.now == (2000, 2000)
    card.case.void()
    assert denied(increase(2000, "late")) == "not_authorised"
    assert card.now == (2000, 0)


def test_a_key_is_remembered_for_ever(shop: Shop) -> None:
    card = Card(shop)
    first = card.case.authorise(500)
    card.case.capture(500)
    shop.clock.advance(days=3650)
    assert card.case.authorise(500) == first
    assert card.case.capture(500) == card.case.look_up(Operation.CAPTURE)
    assert card.now == (1500, 0)
    assert shop.clock.now() < shop.clock.now() + card.gateway.capabilities.remembers


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_or_less_is_neither_held_nor_taken_nor_given_back(shop: Shop, amount: int) -> None:
    card = Card(shop)
    assert denied(card.case.authorise(amount)) == "amount_invalid"
    card = Card(shop)
    card.case.authorise(500)
    assert denied(card.case.capture(amount)) == "amount_invalid"
    assert denied(card.case.refund(amount)) == "amount_invalid"
    assert card.now == (2000, 500)


def test_another_currency_is_denied(shop: Shop) -> None:
    card = Card(shop)
    case = Case(card.case.bench, "JPY")
    assert denied(case.authorise(5)) == "currency_mismatch"
    card.case.authorise(500)
    request = Capture(card.case.payment, "k", card.case.provider_id, Money(5, "JPY"), False)
    assert denied(card.gateway.capture(request)) == "amount_invalid"


def test_a_closed_card_gives_only_what_was_held_before(shop: Shop) -> None:
    card = Card(shop)
    card.case.authorise(500)
    shop.office.gift_cards.close(card.id)
    assert denied(Case(card.case.bench, EUR).authorise(1)) == "account_closed"
    assert isinstance(card.case.capture(500), Approved)
    assert isinstance(card.case.refund(200), Approved)
    assert card.now == (1700, 0)


def test_an_expired_card_gives_only_what_was_held_before(shop: Shop) -> None:
    card = Card(shop, expires_at=shop.clock.now() + timedelta(hours=1))
    card.case.authorise(500)
    shop.clock.advance(hours=1)
    assert denied(Case(card.case.bench, EUR).authorise(1)) == "account_expired"
    assert isinstance(card.case.capture(500), Approved)


def test_an_account_of_the_other_kind_or_none_is_denied(shop: Shop) -> None:
    card = Card(shop)
    other: Account = shop.office.credit.grant("anna", Money(500, EUR), "late")
    for token in (other.id, "gft_" + "0" * 26, "", "'; DROP"):
        assert denied(card.case.authorise(1, token=token or " ")) == "no_such_account"


def test_a_second_authorisation_of_one_payment_holds_nothing(shop: Shop) -> None:
    card = Card(shop)
    card.case.authorise(500)
    assert denied(card.case.authorise(500, key="again")) == "already_authorised"
    assert card.now == (2000, 500)


def test_a_payment_is_found_without_the_account_and_not_under_another_ones(shop: Shop) -> None:
    card = Card(shop)
    card.case.authorise(500)
    assert isinstance(card.gateway.void(Void("pay_TEST_other_1", "k", card.case.provider_id)), Absent)
    assert isinstance(card.gateway.look_up(LookUp(card.case.payment, "never", Operation.VOID, "")), Absent)
    refund = Refund(card.case.payment, "r", "", Money(1, EUR))
    assert denied(card.gateway.refund(refund)) == "amount_too_large"


def test_what_is_on_file_is_listed_by_when_it_began(shop: Shop) -> None:
    card = Card(shop)
    began = shop.clock.now()
    card.case.authorise(500)
    card.case.capture(300)
    shop.clock.advance(minutes=1)
    later = Case(card.case.bench, EUR)
    later.authorise(9999)
    credit = shop.office.credit.grant("anna", Money(500, EUR), "late")
    other = shop.hub.journal.parts.gateway("store_credit")
    assert isinstance(other, AccountGateway)
    other.authorise(Authorise("pay_X_1_1", "att_1", "X-1", credit.id, Money(5, EUR)))

    found = list(card.gateway.listed(began, began + timedelta(hours=1)))
    paid, none = Money(300, EUR), Money(0, EUR)
    assert found == [
        Listed(f"{card.id}:{card.case.payment}", card.case.payment, began, Money(500, EUR), paid, none, none),
        Listed(f"{card.id}:{later.payment}", later.payment, began + timedelta(minutes=1), none, none, none, none),
    ]
    assert list(card.gateway.listed(began, began + timedelta(minutes=1))) == found[:1]


def test_nobody_sends_webhooks(shop: Shop) -> None:
    with pytest.raises(BadWebhook):
        Card(shop).gateway.read_webhook({}, b"{}")
    assert shop.hub.webhook("gift_card", headers={}, body=b"{}").status == 400
