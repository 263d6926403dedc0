"""Stripe keeps the gateways' contract, in every shape that a merchant may have it."""

from __future__ import annotations

from omniorder.adapters.stripe import Enabled, StripeGateway
from omniorder.testing.contracts.payments import GatewayBench, GatewayTokens, PaymentGatewayContract
from omniorder.testing.stripe import FakeStripe

TOKENS = GatewayTokens(
    approves="pm_card_visa",
    declines="pm_card_chargeDeclinedInsufficientFunds",
    requires_action="pm_card_authenticationRequired",
)


def bench(fake: FakeStripe, enabled: Enabled | None = None, account: str = "") -> GatewayBench:
    gateway = StripeGateway(fake.client, webhook_secret=fake.webhook_secret, enabled=enabled, account=account)
    return GatewayBench(gateway, TOKENS, lose_next_reply=fake.lose_next_reply, signed_webhook=fake.signed_webhook)


class TestCapturingOnce(PaymentGatewayContract):
    def open(self) -> GatewayBench:
        return bench(FakeStripe())


class TestCapturingSeveralTimes(PaymentGatewayContract):
    def open(self) -> GatewayBench:
        return bench(FakeStripe(multicapture=True), Enabled(multicapture=True))


class TestForAConnectedAccount(PaymentGatewayContract):
    currency = "JPY"

    def open(self) -> GatewayBench:
        return bench(FakeStripe(account="acct_shop"), account="acct_shop")


class TestWhatIsSentWithTwoDecimalsThoughItHasNone(PaymentGatewayContract):
    currency = "ISK"

    def open(self) -> GatewayBench:
        return bench(FakeStripe())
