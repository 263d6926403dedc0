"""Adyen keeps the gateways' contract: captured once or several times, believed at once or by notification."""

from __future__ import annotations

from typing import Any

import pytest

from omniorder.testing.adyen import FakeAdyen
from omniorder.testing.contracts.payments import GatewayBench, GatewayTokens, PaymentGatewayContract
from tests.adapters.adyen import LOGIN, gateway_to

TOKENS = GatewayTokens(approves="anna:VISA", declines="anna:NOBALANCE", requires_action="anna:REDIRECT")


def bench(adyen: FakeAdyen, **options: Any) -> GatewayBench:
    return GatewayBench(
        gateway_to(adyen, **options),
        TOKENS,
        lose_next_reply=adyen.lose_next_reply,
        signed_webhook=adyen.signed_webhook,
        dated=False,
    )


class TestByNotification(PaymentGatewayContract):
    """Adyen's own word about every capture and refund, which overtakes the reply."""

    def open(self) -> GatewayBench:
        return bench(FakeAdyen(login=LOGIN), captures="on_notice")


class TestOnRequest(PaymentGatewayContract):
    """Notifications come late: what is accepted counts as done, and no more is asked for than there is."""

    def open(self) -> GatewayBench:
        return bench(FakeAdyen(login=LOGIN, prompt=False), refunds="on_request")


class TestSeveralCaptures(PaymentGatewayContract):
    def open(self) -> GatewayBench:
        return bench(FakeAdyen(login=LOGIN, several_captures=True), several_captures=True, captures="on_notice")


class TestSeveralCapturesOnRequest(PaymentGatewayContract):
    def open(self) -> GatewayBench:
        adyen = FakeAdyen(login=LOGIN, several_captures=True, prompt=False)
        return bench(adyen, several_captures=True, refunds="on_request")


class TestReferencesOfPayments(PaymentGatewayContract):
    """A modification's notification names the payment only, in a currency that Adyen counts in its own way."""

    currency = "ISK"

    def open(self) -> GatewayBench:
        return bench(FakeAdyen(login=LOGIN, names_modifications=False), captures="on_notice", preauthorises=True)


@pytest.mark.parametrize("name", ["CHALLENGE"])
def test_native_3d_secure_waits_as_a_redirect_does(name: str) -> None:
    class Native(PaymentGatewayContract):
        def open(self) -> GatewayBench:
            opened = bench(FakeAdyen(login=LOGIN))
            tokens = GatewayTokens(TOKENS.approves, TOKENS.declines, requires_action=f"anna:{name}")
            return GatewayBench(opened.gateway, tokens)

    Native().test_what_waits_for_the_customer_can_be_found_and_not_captured()
    Native().test_what_waits_for_the_customer_can_be_called_off()
