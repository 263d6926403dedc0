"""Card readers at the counter, by the cloud of Adyen's Terminal API."""

from __future__ import annotations

import pytest

from omniorder.adapters.adyen.gateway import AdyenGateway
from omniorder.domain.money import Money
from omniorder.errors import GatewayFault, GatewayTimeout
from omniorder.ports.payments import Absent, Approved, Collect, Denied, NeedsAction, Operation
from omniorder.testing.adyen import FakeAdyen, FakeCard
from omniorder.testing.clock import FakeClock
from tests.adapters.adyen import PAYMENT, asked_for, eur, gateway_to, key, refund, void

READER = "V400m-324688179"


@pytest.fixture
def clock() -> FakeClock:
    """Time at the counter."""
    return FakeClock()


@pytest.fixture
def adyen(clock: FakeClock) -> FakeAdyen:
    """Adyen, whose notifications wait to be delivered."""
    return FakeAdyen(prompt=False, clock=clock)


@pytest.fixture
def gateway(adyen: FakeAdyen, clock: FakeClock) -> AdyenGateway:
    """A gateway with card readers."""
    return gateway_to(adyen, sale_id="POS1", clock=clock, refunds="on_request")


def collect(n: int = 1, amount: Money | None = None) -> Collect:
    return Collect(PAYMENT, key(n), "SOF01-7K3F9Q", READER, amount or eur(1099))


def look(gateway: AdyenGateway, n: int = 1) -> object:
    return gateway.look_up(asked_for(Operation.COLLECT, n))


def test_a_card_is_waited_for_and_what_it_paid_is_taken(adyen: FakeAdyen, gateway: AdyenGateway) -> None:
    assert isinstance(gateway.collect(collect()), NeedsAction)
    assert isinstance(look(gateway), NeedsAction)
    adyen.present_card(READER)
    found = look(gateway)
    assert isinstance(found, Approved)
    assert (found.amount, found.captured) == (eur(1099), True)
    assert adyen.payment(PAYMENT).captured == 1099
    assert found.provider_id == adyen.payment(PAYMENT).psp


@pytest.mark.parametrize("amount", [Money(1, "EUR"), Money(100_000_01, "EUR"), Money(500, "JPY"), Money(1005, "KWD")])
def test_amounts_at_a_reader_are_exact(adyen: FakeAdyen, gateway: AdyenGateway, amount: Money) -> None:
    gateway.collect(collect(amount=amount))
    adyen.present_card(READER)
    found = look(gateway)
    assert isinstance(found, Approved)
    assert found.amount == amount


def test_what_a_reader_took_can_be_refunded(adyen: FakeAdyen, gateway: AdyenGateway) -> None:
    gateway.collect(collect())
    adyen.present_card(READER)
    look(gateway)
    assert isinstance(gateway.refund(refund(99)), Approved)
    assert gateway.refund(refund(1001, n=5)) == Denied("amount_exceeds_captured")


def test_asking_again_under_the_same_key_asks_the_reader_once(adyen: FakeAdyen, gateway: AdyenGateway) -> None:
    first = gateway.collect(collect())
    assert gateway.collect(collect()) == first
    assert len(adyen.requests) == 1


def test_a_refused_card_leaves_the_reader_to_another(adyen: FakeAdyen, gateway: AdyenGateway) -> None:
    gateway.collect(collect())
    adyen.present_card(READER, FakeCard(holder="NOT_ENOUGH_BALANCE"))
    assert look(gateway) == Denied("not_enough_balance")
    assert isinstance(gateway.collect(collect(2)), NeedsAction)
    adyen.present_card(READER)
    assert isinstance(look(gateway, 2), Approved)
    assert look(gateway) == Denied("not_enough_balance")


def test_a_customer_who_presses_the_red_key_has_not_paid(adyen: FakeAdyen, gateway: AdyenGateway) -> None:
    gateway.collect(collect())
    adyen.leave_reader(READER)
    assert look(gateway) == Denied("cancel")


def test_while_a_reader_waits_no_other_key_may_ask_it_for_the_same_payment(
    adyen: FakeAdyen, gateway: AdyenGateway
) -> None:
    gateway.collect(collect())
    with pytest.raises(GatewayFault, match="another key"):
        gateway.collect(collect(2))


def test_a_void_stops_the_reader(adyen: FakeAdyen, gateway: AdyenGateway) -> None:
    gateway.collect(collect())
    assert isinstance(gateway.void(void()), Approved)
    assert look(gateway) == Denied("aborted")
    assert adyen.payments == ()


def test_a_void_that_comes_too_late_tells_what_was_taken(adyen: FakeAdyen, gateway: AdyenGateway) -> None:
    gateway.collect(collect())
    adyen.present_card(READER)
    assert gateway.void(void()) == Denied("already_captured", captured=eur(1099))


def test_a_second_void_after_a_refused_card_stops_the_reader_that_waits_now(
    adyen: FakeAdyen, gateway: AdyenGateway
) -> None:
    gateway.collect(collect())
    adyen.leave_reader(READER)
    look(gateway)
    gateway.collect(collect(2))
    assert isinstance(gateway.void(void()), Approved)
    assert look(gateway, 2) == Denied("aborted")


def test_a_reader_that_is_off_gives_no_answer(adyen: FakeAdyen, gateway: AdyenGateway) -> None:
    gateway.collect(collect())
    adyen.switch_reader(READER, on=False)
    with pytest.raises(GatewayTimeout):
        look(gateway)
    adyen.switch_reader(READER, on=True)
    assert isinstance(look(gateway), NeedsAction)


def test_a_lost_reply_is_found_at_the_reader(adyen: FakeAdyen, gateway: AdyenGateway) -> None:
    adyen.lose_next_reply()
    with pytest.raises(GatewayTimeout):
        gateway.collect(collect())
    adyen.present_card(READER)
    assert isinstance(look(gateway), Approved)


def test_what_never_reached_the_reader_is_absent_once_it_can_t_any_more(
    adyen: FakeAdyen, gateway: AdyenGateway, clock: FakeClock
) -> None:
    gateway.collect(collect())
    adyen.lose_at_reader(READER)
    assert isinstance(look(gateway), NeedsAction)
    clock.advance(seconds=150)
    assert look(gateway) == Absent()
    assert isinstance(gateway.collect(collect(2)), NeedsAction)


def test_what_a_reader_took_is_known_by_its_notification(adyen: FakeAdyen, gateway: AdyenGateway) -> None:
    gateway.collect(collect())
    adyen.present_card(READER)
    adyen.switch_reader(READER, on=False)
    adyen.deliver()
    found = look(gateway)
    assert isinstance(found, Approved)
    assert found.captured


def test_without_a_name_for_readers_there_are_none(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    assert not gateway.capabilities.in_person
    assert gateway.collect(collect()) == Denied("no_card_readers")
