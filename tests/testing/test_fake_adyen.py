"""The fake Adyen: it refuses what Adyen would, accepts what Adyen accepts, and its levers do what they say."""

from __future__ import annotations

from typing import Any

import pytest
from Adyen.exceptions import AdyenAPIResponseError, AdyenAPIUnprocessableEntity

from omniorder.errors import NotFound
from omniorder.testing.adyen import FakeAdyen

BODY: dict[str, Any] = {
    "merchantAccount": "ExampleShopECOM",
    "amount": {"value": 1000, "currency": "EUR"},
    "reference": "pay_1",
    "paymentMethod": {"type": "scheme", "encryptedCardNumber": "test_4111111111111111"},
    "returnUrl": "https://shop.example",
    "additionalData": {"manualCapture": "true"},
}


@pytest.mark.parametrize(
    "change",
    [
        {"captureMethod": "manual"},
        {"amount": {"value": "1000", "currency": "EUR"}},
        {"amount": {"value": 1000, "currency": "euro"}},
        {"amount": {"value": 1000, "currency": "EUR", "unit": "cent"}},
        {"reference": ""},
        {"reference": "x" * 81},
        {"metadata": {"a key that is longer than 20 characters": "x"}},
        {"metadata": {f"k{n}": "x" for n in range(21)}},
        {"metadata": {"key": "x" * 81}},
        {"additionalData": {"manualCapture": True}},
        {"paymentMethod": {"type": "scheme", "encryptedCardNumber": "4111111111111111"}},
    ],
)
def test_a_body_that_adyen_would_refuse_is_refused(change: dict[str, Any]) -> None:
    adyen = FakeAdyen()
    assert adyen.client().checkout.payments_api.payments(BODY, "key").status_code == 200
    with pytest.raises(AdyenAPIUnprocessableEntity):
        adyen.client().checkout.payments_api.payments({**BODY, **change}, "other")
    assert len(adyen.payments) == 1


def test_another_account_is_not_let_in() -> None:
    with pytest.raises(AdyenAPIResponseError) as refused:
        FakeAdyen().client().checkout.payments_api.payments({**BODY, "merchantAccount": "Another"})
    assert refused.value.status_code == 403


def test_an_idempotency_key_of_more_than_64_characters_is_refused() -> None:
    with pytest.raises(AdyenAPIUnprocessableEntity):
        FakeAdyen().client().checkout.payments_api.payments(BODY, "k" * 65)


def test_the_same_key_is_answered_as_before_whatever_is_asked() -> None:
    adyen = FakeAdyen()
    first = adyen.client().checkout.payments_api.payments(BODY, "key").message
    assert adyen.client().checkout.payments_api.payments({**BODY, "reference": "pay_2"}, "key").message == first
    adyen.forget_keys()
    assert adyen.client().checkout.payments_api.payments(BODY, "key").message != first


def test_every_capture_is_accepted_and_decided_by_its_notification() -> None:
    adyen = FakeAdyen()
    told: list[bytes] = []
    adyen.listen(lambda _, body: told.append(body))
    adyen.client().checkout.payments_api.payments(BODY, "key")
    body = {"merchantAccount": adyen.merchant_account, "amount": {"value": 1001, "currency": "EUR"}}
    reply = adyen.client().checkout.modifications_api.capture_authorised_payment(body, adyen.payments[0].psp, "two")
    assert (reply.status_code, adyen.payments[0].captured) == (201, 0)
    assert b"Insufficient balance on payment" in told[-1]


def test_levers_that_find_nothing_say_so() -> None:
    adyen = FakeAdyen()
    for pull in (adyen.expire, adyen.act, adyen.pay_link, adyen.present_card, adyen.leave_reader):
        with pytest.raises(NotFound):
            pull("nothing")
