"""Stripe keeps the gateways' contract, in every shape that a merchant may have it."""

from __future__ import annotations

from omniorder.adapters.stripe import Enabled, StripeGateway
from omniorder.testing.contracts.payments import GatewayBench, GatewayTokens, PaymentGatewayContract
from omniorder.testing.stripe import FakeStripe

TOKENS = GatewayTokens(
    approves="pm_card_visa",
    declines="pm_card_chargeDeclinedInsufficientFunds",
    requires_action="pm_card_authenticationRequired",
    reader="tmr_counter",
)


def bench(fake: FakeStripe, enabled: Enabled | None = None, account: str = "") -> GatewayBench:
    gateway = StripeGateway(fake.client, webhook_secret=fake.webhook_secret, enabled=enabled, account=account)
    return GatewayBench(
        gateway,
        TOKENS,
        lose_next_reply=fake.lose_next_reply,
        signed_webhook=fake.signed_webhook,
        complete_action=fake.complete_action,
        present_card=fake.present_card,
        decline_card=fake.decline_card,
    )


class TestCapturingOnce(PaymentGatewayContract):
    def open(self) -> GatewayBench:
        return bench(FakeStripe())


class TestCapturingSeveralTimes(PaymentGatewayContract):
    def open(self) -> GatewayBench:
        fake = FakeStripe(multicapture=True, incremental=True)
        return bench(fake, Enabled(multicapture=True, incremental=True, readers=True))


class TestForAConnectedAccount(PaymentGatewayContract):
    currency = "JPY"

    def open(self) -> GatewayBench:
        return bench(FakeStripe(account="acct_shop"), account="acct_shop")


class TestWhatIsSentWithTwoDecimalsThoughItHasNone(PaymentGatewayContract):
    currency = "ISK"

    def open(self) -> GatewayBench:
        return bench(FakeStripe())
