"""3-D Secure: begun on one channel, finished on any, or never."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from omniorder import (
    IsActionRequired,
    OrderState,
    PayInStore,
    Stage,
    Tender,
)
from omniorder.errors import (
    NotFound,
    PaymentDeclined,
)
from omniorder.testing.shop import Shop
from tests.services.contents import Rows
from tests.services.steps import (
    NEEDS_3DS,
    VISA,
    placed,
    refused,
)

# --- the customer must act --------------------------------------------------------------------------------


def test_3d_secure_tells_the_channel_what_the_customer_must_do(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    outcome = order.payments[-1].outcome
    assert isinstance(outcome, IsActionRequired)
    assert outcome.client_secret
    assert outcome.redirect_url.startswith("https://")
    assert order.stage is Stage.AWAITING_PAYMENT


def test_what_the_customer_must_do_is_stored_nowhere(shop: Shop, stored: Callable[[], Rows]) -> None:
    outcome = placed(shop, pay=NEEDS_3DS).payments[-1].outcome
    assert isinstance(outcome, IsActionRequired)
    assert outcome.client_secret not in repr(stored())


def test_3d_secure_begun_in_the_app_is_shown_again_on_the_web(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    resumed = shop.web.checkout.resume(order.id)
    assert resumed.payments[-1].outcome == order.payments[-1].outcome


def test_placing_again_shows_it_again_too(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    again = shop.web.checkout.place(order.promise_id, pay=NEEDS_3DS)
    assert again.payments[-1].outcome == order.payments[-1].outcome
    assert len(shop.gateway.payments) == 1


def test_3d_secure_begun_in_the_app_is_finished_on_the_web(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    shop.gateway.complete_action(order.payments[-1])
    done = shop.web.checkout.resume(order.id)
    assert done.state is OrderState.CONFIRMED
    entries = shop.office.orders.timeline(order.id).items
    assert {entry.stamp.channel.value for entry in entries} == {"app", "web"}


def test_3d_secure_that_nobody_comes_back_from_is_found_by_the_sweep(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    shop.gateway.complete_action(order.payments[-1])
    shop.advance(minutes=1)
    assert shop.app.orders.get(order.id).state is OrderState.CONFIRMED


def test_a_failed_3d_secure_is_a_decline_after_which_another_tender_works(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    shop.gateway.fail_action(order.payments[-1])
    error = refused(PaymentDeclined, shop.web.checkout.resume, order.id)
    assert error.facts["reason"] == "authentication_failed"
    assert shop.web.checkout.place(order.promise_id, pay=VISA).state is OrderState.CONFIRMED


def test_3d_secure_that_is_never_done_ends_with_the_deadline(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    shop.advance(minutes=16)
    assert shop.app.orders.get(order.id).stage is Stage.EXPIRED
    assert [p.state.value for p in shop.gateway.payments] == ["voided"]


def test_nobody_resumes_somebody_elses_payment(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    refused(NotFound, shop.stranger.checkout.resume, order.id)


@pytest.mark.parametrize("pay", [VISA, PayInStore()], ids=["card", "in store"])
def test_resuming_what_is_finished_changes_nothing(shop: Shop, stored: Callable[[], Rows], pay: Tender) -> None:
    order = placed(shop, pay=pay)
    before = stored()
    assert shop.web.checkout.resume(order.id) == order
    assert stored() == before
