"""The voucher gateway keeps the contract, and does what no contract can know of."""

from __future__ import annotations

import socket

import pytest
from voucher_service import WEBHOOK_SECRET, VoucherService
from vouchers import VoucherGateway

from omniorder import Money
from omniorder.errors import GatewayFault, GatewayTimeout
from omniorder.ports.payments import Absent, Approved, Authorise, Capture, Denied, LookUp, Operation
from omniorder.testing.contracts.payments import GatewayBench, GatewayTokens, PaymentGatewayContract


def gateway_to(url: str, patience: float = 10) -> VoucherGateway:
    return VoucherGateway(url, api_key="test", webhook_secret=WEBHOOK_SECRET, patience=patience)


def hold(payment: str) -> Authorise:
    return Authorise(payment, f"{payment}_1", "SOF01-7K3F9Q", "MEAL-5000", Money(1200, "EUR"))


def was_it_held(payment: str) -> LookUp:
    return LookUp(payment, f"{payment}_1", Operation.AUTHORISE, provider_id="")


class TestVoucherGateway(PaymentGatewayContract):
    @pytest.fixture(autouse=True)
    def _with(self, service: VoucherService) -> None:
        self.service = service

    def open(self) -> GatewayBench:
        return GatewayBench(
            gateway_to(self.service.url),
            GatewayTokens(approves="MEAL-5000", declines="MEAL-0"),
            lose_next_reply=self.service.lose_next_reply,
            signed_webhook=self.service.signed_webhook,
        )


@pytest.mark.parametrize("page", [b"<h1>Sorry!</h1>", b'{"error": "internal"}'])
def test_a_crash_of_the_service_leaves_the_outcome_open(service: VoucherService, page: bytes) -> None:
    gateway, payment = gateway_to(service.url), f"pay_SOF01_crash{len(page)}"
    service.crash_at_next_reply(page)
    with pytest.raises(GatewayTimeout):
        gateway.authorise(hold(payment))
    assert isinstance(gateway.look_up(was_it_held(payment)), Approved)


def test_a_service_that_says_nothing_is_not_waited_for_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        gateway = gateway_to(f"http://127.0.0.1:{silent.getsockname()[1]}", patience=0.1)
        with pytest.raises(GatewayTimeout):
            gateway.authorise(hold("pay_SOF01_silent"))


def test_a_wrong_address_is_not_taken_for_a_payment_that_never_arrived(service: VoucherService) -> None:
    """Else the library would believe that no money moved."""
    assert gateway_to(service.url).look_up(was_it_held("pay_SOF01_wrong")) == Absent()
    with pytest.raises(GatewayFault):
        gateway_to(service.url + "/v2").look_up(was_it_held("pay_SOF01_wrong"))


def test_a_hold_that_is_too_old_is_told_in_the_library_s_own_word(service: VoucherService) -> None:
    gateway = gateway_to(service.url)
    gateway.authorise(hold("pay_SOF01_old"))
    service.expire("pay_SOF01_old")
    take = Capture("pay_SOF01_old", "pay_SOF01_old_2", "", Money(1200, "EUR"), final=True)
    assert gateway.capture(take) == Denied("authorisation_expired")
