"""A gateway to the fake Adyen, as the tests of both set it up."""

from __future__ import annotations

from typing import Any, Final

from omniorder.adapters.adyen import AdyenGateway, MemoryBook
from omniorder.domain.money import Money
from omniorder.ports.payments import Authorise, Capture, LookUp, Operation, Refund, Void
from omniorder.testing.adyen import FakeAdyen

LOGIN: Final = ("adyen", "correct horse battery staple")
PAYMENT: Final = "pay_SOF01_7K3F9Q_1"


def gateway_to(adyen: FakeAdyen, **options: Any) -> AdyenGateway:
    """A gateway that hears the fake's notifications."""
    settings: dict[str, Any] = {
        "book": MemoryBook(),
        "merchant_account": adyen.merchant_account,
        "hmac_keys": [adyen.hmac_key],
        "return_url": "https://shop.example/paid",
        "login": adyen.login,
    }
    gateway = AdyenGateway(adyen.client(), **{**settings, **options})
    adyen.listen(gateway.read_webhook)
    return gateway


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def key(number: int) -> str:
    return f"att_SOF01_7K3F9Q_1_{number}"


def authorise(token: str = "anna:VISA", *, amount: Money | None = None, n: int = 1, **more: Any) -> Authorise:
    return Authorise(PAYMENT, key(n), "SOF01-7K3F9Q", token, amount or eur(1000), **more)


def capture(amount: int = 1000, *, n: int = 2, final: bool = True) -> Capture:
    return Capture(PAYMENT, key(n), "", eur(amount), final)


def void(n: int = 3) -> Void:
    return Void(PAYMENT, key(n), "")


def refund(amount: int = 1000, *, n: int = 4) -> Refund:
    return Refund(PAYMENT, key(n), "", eur(amount))


def asked_for(operation: Operation, n: int) -> LookUp:
    return LookUp(PAYMENT, key(n), operation, "")
