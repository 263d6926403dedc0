"""Tenders that need the customer's own device: links for orders that an agent took, and wallets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from omniorder import (
    BankTransfer,
    IsActionRequired,
    IsAuthorised,
    Money,
    OrderState,
    PayLink,
    Scope,
    Settings,
    Tender,
    Wallet,
)
from omniorder.errors import CardNumberRefused, InvalidText, TenderUnsupported
from omniorder.ports.payments import Authorise
from omniorder.testing.clock import FakeClock
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import charged, handed_over, picked, placed, promised, refused

DUE = Money(498, "EUR")


def asked(shop: Shop) -> Authorise:
    """The authorisation that the provider was asked for."""
    [request] = [one for one in shop.gateway.requests if isinstance(one, Authorise)]
    return request


# --- a link -----------------------------------------------------------------------------------------------


def test_an_agent_takes_the_order_and_the_customer_pays_it_on_their_own_device(shop: Shop) -> None:
    order = placed(shop, pay=PayLink(), touch=shop.phone)
    assert order.state is OrderState.PLACED
    waiting = shop.web.checkout.resume(order.id).payments[-1].outcome
    assert isinstance(waiting, IsActionRequired)
    assert waiting.redirect_url
    shop.gateway.complete_action(order.payments[-1])
    paid = shop.web.checkout.resume(order.id)
    assert (paid.state, paid.payments[-1].outcome) == (OrderState.CONFIRMED, IsAuthorised(DUE))
    assert (asked(shop).token, asked(shop).amount) == ("", DUE)
    check_all(shop.hub)


def test_somebody_else_may_pay_by_a_link_that_was_handed_to_them(shop: Shop) -> None:
    promise = promised(shop)
    ticket = shop.app.handoffs.offer(promise.cart_id, Scope.PAY)
    order = shop.app.checkout.place(promise.id, pay=PayLink())
    shop.guest.handoffs.accept(ticket.token)
    waiting = shop.guest.checkout.resume(order.id).payments[-1].outcome
    assert isinstance(waiting, IsActionRequired)
    assert waiting.redirect_url


def test_what_was_paid_by_a_link_is_captured_with_the_goods(shop: Shop) -> None:
    order = placed(shop, pay=PayLink(), touch=shop.phone)
    shop.gateway.complete_action(order.payments[-1])
    order = shop.web.checkout.resume(order.id)
    shop.store.pickups.ready(picked(shop, order).id)
    handed_over(shop, order)
    assert charged(shop) == 498
    check_all(shop.hub)


def test_a_link_is_good_for_a_day_or_as_long_as_the_settings_say(open_shop: OpenShop) -> None:
    order = placed(open_shop(), pay=PayLink(), nth=11)
    assert order.pay_by == order.pickup.ends
    assert Settings().time_to_pay("pay_link").days == 1


def test_a_gateway_of_its_own_takes_the_link(open_shop: OpenShop) -> None:
    clock = FakeClock()
    links, cards = FakeGateway(clock=clock), FakeGateway(clock=clock)
    shop = open_shop(clock=clock, gateway=cards, gateways={"card": cards, "pay_link": links})
    placed(shop, pay=PayLink())
    assert (len(links.payments), cards.payments) == (1, ())
    check_all(shop.hub)


# --- a wallet ---------------------------------------------------------------------------------------------


def test_a_wallet_is_a_card_of_which_the_provider_is_told_the_wallet(shop: Shop) -> None:
    order = placed(shop, pay=Wallet("pm_card_visa", wallet="apple_pay"))
    [payment] = order.payments
    assert (order.state, payment.kind, payment.method) == (OrderState.CONFIRMED, "card", "apple_pay")
    assert asked(shop).method == "apple_pay"
    check_all(shop.hub)


def test_without_a_token_the_customer_confirms_on_their_device(shop: Shop) -> None:
    order = placed(shop, pay=Wallet(wallet="google_pay"))
    assert isinstance(order.payments[-1].outcome, IsActionRequired)
    shop.gateway.complete_action(order.payments[-1])
    assert shop.web.checkout.resume(order.id).state is OrderState.CONFIRMED


@pytest.mark.parametrize(
    ("can", "pay", "why"),
    [
        ({"links": False}, PayLink(), "no links"),
        ({"wallets": ()}, Wallet("pm_card_visa", wallet="apple_pay"), "does not take apple_pay"),
        ({}, Wallet("pm_card_visa", wallet="other_pay"), "does not take other_pay"),
        ({"links": False}, Wallet(wallet="apple_pay"), "needs a token"),
    ],
)
def test_what_the_gateway_can_t_take_is_refused_with_the_reason(
    open_shop: OpenShop, can: dict[str, Any], pay: Tender, why: str
) -> None:
    clock = FakeClock()
    shop = open_shop(clock=clock, gateway=FakeGateway(clock=clock, **can))
    promise = promised(shop)
    assert why in refused(TenderUnsupported, shop.app.checkout.place, promise.id, pay=pay).facts["reason"]
    assert shop.app.orders.page().items == ()


def test_a_tender_that_is_refused_leaves_the_promise_as_it_was(shop: Shop, stored: Callable[[], Rows]) -> None:
    promise = promised(shop)
    before = stored()
    refused(TenderUnsupported, shop.app.checkout.place, promise.id, pay=Wallet(wallet="other_pay"))
    assert stored() == before


@pytest.mark.parametrize("wallet", ["", "x" * 41, "a\x00b", 7, None])
def test_a_wallet_without_a_name_is_refused(wallet: str) -> None:
    refused(InvalidText, Wallet, wallet)


@pytest.mark.parametrize("tender", [PayLink, BankTransfer])
def test_what_has_no_token_takes_none(tender: type[Tender]) -> None:
    refused(InvalidText, tender, "pm_card_visa")


def test_a_card_number_is_no_token_of_a_wallet() -> None:
    refused(CardNumberRefused, Wallet, "4242 4242 4242 4242", wallet="apple_pay")
