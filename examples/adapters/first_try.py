"""The contract, tried for the first time: a gateway, two vouchers, and nothing else."""

from __future__ import annotations

import pytest
from voucher_service import WEBHOOK_SECRET, VoucherService
from vouchers import VoucherGateway

from omniorder.testing.contracts.payments import GatewayBench, GatewayTokens, PaymentGatewayContract


class TestVoucherGateway(PaymentGatewayContract):
    @pytest.fixture(autouse=True)
    def _with(self, service: VoucherService) -> None:
        self.service = service

    def open(self) -> GatewayBench:
        gateway = VoucherGateway(self.service.url, api_key="test", webhook_secret=WEBHOOK_SECRET)
        return GatewayBench(gateway, GatewayTokens(approves="MEAL-5000", declines="MEAL-0"))
