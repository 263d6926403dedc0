"""A gateway that takes silence for a no: broken on purpose, to see the contract find it."""

from __future__ import annotations

import pytest
from voucher_service import WEBHOOK_SECRET, VoucherService
from vouchers import VoucherGateway

from omniorder.errors import GatewayTimeout
from omniorder.ports.payments import Approved, Authorise, Denied
from omniorder.testing.contracts.payments import GatewayBench, GatewayTokens, PaymentGatewayContract


class HastyGateway(VoucherGateway):
    def authorise(self, request: Authorise) -> Approved | Denied:
        try:
            return super().authorise(request)
        except GatewayTimeout:
            return Denied("service_unavailable")  # but the money may be held


class TestHastyGateway(PaymentGatewayContract):
    @pytest.fixture(autouse=True)
    def _with(self, service: VoucherService) -> None:
        self.service = service

    def open(self) -> GatewayBench:
        gateway = HastyGateway(self.service.url, api_key="test", webhook_secret=WEBHOOK_SECRET)
        tokens = GatewayTokens(approves="MEAL-5000", declines="MEAL-0")
        return GatewayBench(gateway, tokens, lose_next_reply=self.service.lose_next_reply)
