"""The gateway to Adyen: what it sends, what it makes of the answers, and what it knows when none came."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import Adyen
import pytest
from Adyen.httpclient import HTTPClient

from omniorder.adapters.adyen import Entry, MemoryBook
from omniorder.adapters.adyen.gateway import AdyenGateway
from omniorder.domain.money import Money
from omniorder.errors import GatewayFault, GatewayTimeout, InvalidInput
from omniorder.ports.payments import (
    Absent,
    Approved,
    Denied,
    Extend,
    Increase,
    NeedsAction,
    NoAnswer,
    Operation,
)
from omniorder.testing.adyen import FakeAdyen, FakeCard
from omniorder.testing.clock import FakeClock
from tests.adapters.adyen import PAYMENT, asked_for, authorise, capture, eur, gateway_to, key, refund, void


@pytest.fixture
def adyen() -> FakeAdyen:
    """Adyen, whose notifications wait to be delivered."""
    return FakeAdyen(prompt=False)


# --- what is sent -----------------------------------------------------------------------------------------


def test_every_object_at_adyen_is_tied_to_our_payment_and_key(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    gateway.capture(capture())
    asked, captured = adyen.requests
    assert (asked.key, captured.key) == (key(1), key(2))
    assert asked.body["reference"] == PAYMENT
    assert asked.body["metadata"] == {"payment": PAYMENT, "key": key(1), "order": "SOF01-7K3F9Q"}
    assert captured.body["reference"] == f"{PAYMENT}.{key(2)}"


def test_money_is_set_aside_and_not_taken_whatever_the_account_does_by_default(adyen: FakeAdyen) -> None:
    answer = gateway_to(adyen).authorise(authorise())
    assert isinstance(answer, Approved)
    assert not answer.captured
    assert adyen.requests[0].body["additionalData"] == {"manualCapture": "true"}


def test_a_deposit_is_taken_at_once(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen, refunds="on_request")
    answer = gateway.authorise(authorise(now=True))
    assert isinstance(answer, Approved)
    assert (answer.captured, answer.until) == (True, None)
    assert adyen.requests[0].body["captureDelayHours"] == 0
    assert isinstance(gateway.refund(refund(1000)), Approved)


def test_what_the_front_end_collected_is_sent_but_never_instead_of_ours(adyen: FakeAdyen) -> None:
    """Nobody pays into another account, or another amount, by what a browser sends."""

    def details(token: str, method: str) -> dict[str, Any]:
        collected = {"type": "scheme", "encryptedCardNumber": "test_5555444433331111", "holderName": token}
        return {"paymentMethod": collected, "merchantAccount": "Mine", "amount": {"value": 1, "currency": "EUR"}}

    assert isinstance(gateway_to(adyen, details=details).authorise(authorise("J. Doe")), Approved)
    sent = adyen.requests[0].body
    assert (sent["merchantAccount"], sent["amount"]["value"]) == (adyen.merchant_account, 1000)
    assert adyen.payments[0].brand == "mc"


@pytest.mark.parametrize(
    ("money", "value"),
    [
        (Money(1050, "EUR"), 1050),
        (Money(500, "ISK"), 50_000),
        (Money(500, "CLP"), 50_000),
        (Money(150_000, "IDR"), 1_500),
        (Money(700, "CVE"), 7),
        (Money(500, "JPY"), 500),
        (Money(1250, "KWD"), 1250),
    ],
)
def test_amounts_are_sent_in_adyen_s_minor_units_and_answered_in_ours(
    adyen: FakeAdyen, money: Money, value: int
) -> None:
    answer = gateway_to(adyen).authorise(authorise(amount=money))
    assert isinstance(answer, Approved)
    assert answer.amount == money
    assert adyen.requests[0].body["amount"] == {"value": value, "currency": money.currency}


@pytest.mark.parametrize("money", [Money(150_050, "IDR"), Money(1, "CVE"), Money(0, "EUR"), Money(-5, "EUR")])
def test_an_amount_that_adyen_can_t_express_is_denied_without_a_call(adyen: FakeAdyen, money: Money) -> None:
    assert gateway_to(adyen).authorise(authorise(amount=money)) == Denied("invalid_amount")
    assert adyen.requests == []


@pytest.mark.parametrize(("card", "days"), [("VISA", 10), ("MASTERCARD", 7)])
def test_an_authorisation_lapses_as_its_scheme_says(adyen: FakeAdyen, card: str, days: int) -> None:
    clock = FakeClock()
    answer = gateway_to(adyen, clock=clock).authorise(authorise(f"anna:{card}"))
    assert isinstance(answer, Approved)
    assert answer.until == clock.now() + timedelta(days=days)


# --- what is answered -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("card", "reason"),
    [("DECLINED", "refused"), ("EXPIRED", "expired_card"), ("NOBALANCE", "insufficient_funds"), ("FRAUD", "fraud")],
)
def test_a_refusal_is_told_by_adyen_s_code(adyen: FakeAdyen, card: str, reason: str) -> None:
    assert gateway_to(adyen).authorise(authorise(f"anna:{card}")) == Denied(reason)


@pytest.mark.parametrize(
    ("status", "code", "kind", "error"),
    [
        (400, "702", "validation", GatewayFault),
        (401, "000", "security", GatewayFault),
        (403, "901", "security", GatewayFault),
        (404, "0", "validation", GatewayFault),
        (409, "704", "validation", GatewayTimeout),
        (422, "704", "validation", GatewayTimeout),
        (422, "905", "configuration", GatewayFault),
        (429, "", "validation", GatewayFault),
        (500, "905", "internal", GatewayTimeout),
        (502, "", "", GatewayTimeout),
        (504, "", "", GatewayTimeout),
    ],
)
def test_an_error_says_whether_anything_can_have_happened(
    adyen: FakeAdyen, status: int, code: str, kind: str, error: type[GatewayFault]
) -> None:
    gateway = gateway_to(adyen)
    adyen.fail_next(status, code, kind=kind)
    with pytest.raises(GatewayFault) as raised:
        gateway.authorise(authorise())
    assert type(raised.value) is error
    assert "fake-key" not in str(raised.value)
    assert gateway.look_up(asked_for(Operation.AUTHORISE, 1)) == NoAnswer(repeat=True)


def test_an_error_that_adyen_calls_transient_had_no_effect(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    adyen.fail_next(500, transient=True)
    with pytest.raises(GatewayFault) as raised:
        gateway.authorise(authorise())
    assert not isinstance(raised.value, GatewayTimeout)


def test_a_card_that_adyen_finds_invalid_is_denied(adyen: FakeAdyen) -> None:
    assert gateway_to(adyen).authorise(authorise("anna:NOBODY_STORED_THIS")) == Denied("adyen_14_0415")


@pytest.mark.parametrize("page", ["<html>gateway</html>", "[]", '"ok"', "null", "{}", '{"resultCode": "Whatever"}'])
def test_a_page_that_is_no_answer_is_none(page: str) -> None:
    gateway = AdyenGateway(
        answering(lambda: page),
        book=MemoryBook(),
        merchant_account="Shop",
        hmac_keys=["0" * 32],
        return_url="https://a.example",
    )
    with pytest.raises(GatewayTimeout):
        gateway.authorise(authorise())


def answering(page: Callable[[], str]) -> Adyen.Adyen:
    """A client whose every call is answered with a page."""

    class Pages(HTTPClient):
        def __init__(self) -> None:
            super().__init__("pages/", "1")
            self.request = self.answer

        def answer(self, *_: object, **__: object) -> tuple[str, object, int, dict[str, str]]:
            return page(), None, 200, {}

    client = FakeAdyen().client()
    client.client.http_client = Pages()
    return client


def test_what_was_sent_is_in_no_error(adyen: FakeAdyen) -> None:
    """The library's own errors hold the whole request, with the customer's payment details."""
    gateway = gateway_to(adyen)
    adyen.fail_next(500)
    with pytest.raises(GatewayTimeout) as raised:
        gateway.authorise(authorise())
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_money_for_another_amount_is_told_as_it_is(adyen: FakeAdyen) -> None:
    adyen.authorise_next_for(999)
    answer = gateway_to(adyen).authorise(authorise())
    assert isinstance(answer, Approved)
    assert answer.amount == eur(999)


# --- no answer --------------------------------------------------------------------------------------------


def test_a_lost_reply_of_which_nothing_was_told_can_only_be_had_again(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    adyen.lose_next_reply(told=False)
    with pytest.raises(GatewayTimeout):
        gateway.authorise(authorise())
    assert gateway.look_up(asked_for(Operation.AUTHORISE, 1)) == NoAnswer(repeat=True)
    assert isinstance(gateway.authorise(authorise()), Approved)
    assert len(adyen.payments) == 1


def test_a_lost_reply_is_known_by_its_notification(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    adyen.lose_next_reply()
    with pytest.raises(GatewayTimeout):
        gateway.authorise(authorise())
    assert isinstance(gateway.look_up(asked_for(Operation.AUTHORISE, 1)), Approved)
    assert len(adyen.requests) == 1


def test_what_adyen_may_have_forgotten_is_never_sent_again() -> None:
    clock = FakeClock()
    adyen = FakeAdyen(prompt=False, clock=clock)
    gateway = gateway_to(adyen, clock=clock)
    adyen.lose_next_reply(told=False)
    with pytest.raises(GatewayTimeout):
        gateway.authorise(authorise())
    clock.advance(days=7)
    with pytest.raises(GatewayTimeout, match="too old"):
        gateway.authorise(authorise())
    assert len(adyen.payments) == 1


def test_sent_again_after_it_was_forgotten_it_would_act_twice() -> None:
    """The control of the test above: the fake forgets as Adyen does."""
    clock = FakeClock()
    adyen = FakeAdyen(prompt=False, clock=clock)
    gateway_to(adyen, clock=clock).authorise(authorise())
    clock.advance(days=7)
    gateway_to(adyen, clock=clock).authorise(authorise())
    assert len(adyen.payments) == 2


def test_a_key_for_another_request_is_refused_although_adyen_would_replay_the_first(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    with pytest.raises(GatewayFault, match="another request"):
        gateway.authorise(authorise(amount=eur(1001)))
    with pytest.raises(GatewayFault, match="another request"):
        gateway.capture(capture(n=1))
    assert len(adyen.requests) == 1


def test_an_authorisation_that_adyen_takes_its_time_for_comes_by_notification(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    with pytest.raises(GatewayTimeout):
        gateway.authorise(authorise("anna:LATER"))
    assert gateway.look_up(asked_for(Operation.AUTHORISE, 1)) == NoAnswer()
    adyen.decide(PAYMENT)
    adyen.deliver()
    assert isinstance(gateway.look_up(asked_for(Operation.AUTHORISE, 1)), Approved)


# --- captures and refunds ---------------------------------------------------------------------------------


def test_a_capture_that_is_not_believed_yet_is_no_answer_until_its_notification(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen, captures="on_notice")
    gateway.authorise(authorise())
    with pytest.raises(GatewayTimeout):
        gateway.capture(capture())
    assert gateway.look_up(asked_for(Operation.CAPTURE, 2)) == NoAnswer()
    with pytest.raises(GatewayTimeout):
        gateway.capture(capture())
    assert [request.path.rpartition("/")[2] for request in adyen.requests] == ["payments", "captures"]
    adyen.deliver()
    assert isinstance(gateway.capture(capture()), Approved)


def test_a_capture_that_fails_later_is_denied_whatever_was_answered(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    assert isinstance(gateway.capture(capture()), Approved)
    adyen.deliver()
    adyen.tell(PAYMENT, "CAPTURE_FAILED", psp="M1", reference=f"{PAYMENT}.{key(2)}")
    adyen.deliver()
    assert gateway.look_up(asked_for(Operation.CAPTURE, 2)) == Denied("capture_failed")
    adyen.tell(PAYMENT, "CAPTURE", psp="M1", reference=f"{PAYMENT}.{key(2)}", reason="Transaction Recaptured")
    adyen.deliver()
    assert isinstance(gateway.look_up(asked_for(Operation.CAPTURE, 2)), Approved)


def test_what_was_captured_is_not_captured_again_although_adyen_accepts_every_request(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    gateway.capture(capture(400))
    assert gateway.capture(capture(600, n=5)) == Denied("already_captured")
    assert gateway.look_up(asked_for(Operation.CAPTURE, 5)) == Denied("already_captured")
    assert len(adyen.requests) == 2


def test_an_expired_authorisation_is_told_as_such(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen, preauthorises=True)
    gateway.authorise(authorise())
    adyen.expire(PAYMENT)
    adyen.deliver()
    assert gateway.capture(capture()) == Denied("authorisation_expired")
    assert gateway.extend(Extend(PAYMENT, key(6), "", eur(1000))) == Denied("authorisation_expired")
    assert isinstance(gateway.void(void()), Approved)


def test_an_authorisation_that_expired_unheard_is_found_by_the_capture_s_notification(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen, captures="on_notice")
    gateway.authorise(authorise())
    adyen.payment(PAYMENT).expired = True
    with pytest.raises(GatewayTimeout):
        gateway.capture(capture())
    adyen.deliver()
    assert gateway.look_up(asked_for(Operation.CAPTURE, 2)) == Denied("authorisation_expired")


def test_the_final_one_of_several_captures_gives_the_rest_back() -> None:
    adyen = FakeAdyen(several_captures=True)
    gateway = gateway_to(adyen, several_captures=True)
    gateway.authorise(authorise())
    gateway.capture(capture(300, n=2, final=False))
    assert adyen.payment(PAYMENT).open == 700
    gateway.capture(capture(300, n=3, final=True))
    assert (adyen.payment(PAYMENT).captured, adyen.payment(PAYMENT).open) == (600, 0)


class Overtaken(MemoryBook):
    """Somebody else writes between the reading of a page and the next entry, once."""

    def __init__(self) -> None:
        super().__init__()
        self.by: Callable[[], object] | None = None

    def append(self, entry: Entry, after: int) -> bool:
        if self.by is not None and entry.operation in (Operation.CAPTURE, Operation.REFUND):
            overtakes, self.by = self.by, None
            overtakes()
        return super().append(entry, after)


def test_a_capture_that_was_overtaken_is_planned_anew() -> None:
    """Two captures of 600 that both saw 1000 set aside, in two processes: one of them is denied, and never sent."""
    adyen, book = FakeAdyen(several_captures=True, prompt=False), Overtaken()
    gateway = gateway_to(adyen, book=book, several_captures=True)
    gateway.authorise(authorise())
    book.by = lambda: gateway.capture(capture(600, n=2, final=False))
    assert gateway.capture(capture(600, n=3, final=False)) == Denied("amount_exceeds_authorisation")
    assert adyen.payment(PAYMENT).captured == 600
    assert len(adyen.requests) == 2


def test_a_refund_that_was_overtaken_is_planned_anew() -> None:
    adyen, book = FakeAdyen(prompt=False), Overtaken()
    gateway = gateway_to(adyen, book=book, refunds="on_request")
    gateway.authorise(authorise())
    gateway.capture(capture())
    book.by = lambda: gateway.refund(refund(600, n=4))
    assert gateway.refund(refund(600, n=5)) == Denied("amount_exceeds_captured")
    assert len(adyen.requests) == 3


def test_a_refund_is_told_when_adyen_has_made_it_and_again_when_it_comes_back(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    gateway.capture(capture())
    with pytest.raises(GatewayTimeout):
        gateway.refund(refund(300))
    adyen.deliver()
    found = gateway.look_up(asked_for(Operation.REFUND, 4))
    assert isinstance(found, Approved)
    assert found.amount == eur(300)
    adyen.tell(PAYMENT, "REFUND_FAILED", psp=found.provider_id, amount=300)
    adyen.deliver()
    assert gateway.look_up(asked_for(Operation.REFUND, 4)) == Denied("refund_failed")


# --- voids ------------------------------------------------------------------------------------------------


def test_a_payment_whose_answer_was_lost_is_called_off_by_our_reference(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    adyen.lose_next_reply(told=False)
    with pytest.raises(GatewayTimeout):
        gateway.authorise(authorise())
    with pytest.raises(GatewayTimeout):
        gateway.void(void())
    assert adyen.requests[-1].body["paymentReference"] == PAYMENT
    assert adyen.payment(PAYMENT).open == 0
    adyen.deliver(backwards=True)
    assert isinstance(gateway.void(void()), Approved)


def test_a_payment_that_adyen_doesn_t_have_is_absent_by_adyen_s_own_word(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    adyen.drop_next_request()
    with pytest.raises(GatewayTimeout):
        gateway.authorise(authorise())
    with pytest.raises(GatewayTimeout):
        gateway.void(void())
    adyen.deliver()
    assert gateway.void(void()) == Absent()
    assert gateway.look_up(asked_for(Operation.AUTHORISE, 1)) == Absent()


@pytest.mark.parametrize("told", [True, False])
def test_an_authorisation_that_arrives_after_its_void_is_voided_anew(adyen: FakeAdyen, told: bool) -> None:
    """Whether or not Adyen has told yet that the void found nothing."""
    gateway = gateway_to(adyen)
    adyen.drop_next_request()
    with pytest.raises(GatewayTimeout):
        gateway.authorise(authorise())
    with pytest.raises(GatewayTimeout):
        gateway.void(void())
    if not told:
        adyen.drop_notifications()
    gateway_to(adyen).authorise(authorise())  # the request that was on its way all the time
    adyen.deliver()
    assert isinstance(gateway.look_up(asked_for(Operation.AUTHORISE, 1)), Approved)
    assert isinstance(gateway.void(void(5)), Approved)
    assert adyen.payment(PAYMENT).open == 0


def test_what_may_have_been_captured_is_not_voided(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    adyen.lose_next_reply(told=False)
    with pytest.raises(GatewayTimeout):
        gateway.capture(capture())
    with pytest.raises(GatewayTimeout, match="under way"):
        gateway.void(void())
    adyen.deliver()
    assert gateway.void(void()) == Denied("already_captured", captured=eur(1000))


@pytest.mark.parametrize("backwards", [True, False])
def test_what_may_have_been_voided_is_not_captured(adyen: FakeAdyen, backwards: bool) -> None:
    """Also where the void was told before the authorisation that it called off."""
    gateway = gateway_to(adyen)
    adyen.lose_next_reply(told=False)
    with pytest.raises(GatewayTimeout):
        gateway.authorise(authorise())
    adyen.lose_next_reply(told=False)
    with pytest.raises(GatewayTimeout):
        gateway.void(void())
    adyen.deliver(backwards=backwards)
    assert gateway.capture(capture()) == Denied("cancelled")
    assert adyen.payment(PAYMENT).captured == 0


def test_a_second_void_doesn_t_take_the_first_one_for_done(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    adyen.lose_next_reply(told=False)
    with pytest.raises(GatewayTimeout):
        gateway.authorise(authorise())
    for n in (3, 5):
        with pytest.raises(GatewayTimeout):
            gateway.void(void(n))
    assert gateway.look_up(asked_for(Operation.AUTHORISE, 1)) == NoAnswer(repeat=True)


def test_what_was_voided_can_neither_be_captured_nor_raised(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen, preauthorises=True)
    gateway.authorise(authorise())
    gateway.void(void())
    assert gateway.capture(capture(n=5)) == Denied("cancelled")
    assert gateway.increase(Increase(PAYMENT, key(6), "", eur(1200))) == Denied("cancelled")


def test_a_void_that_adyen_refuses_since_the_authorisation_has_expired_gives_nothing_back(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    adyen.expire(PAYMENT)
    adyen.drop_notifications()
    gateway.void(void())
    adyen.tell(PAYMENT, "EXPIRE")
    adyen.deliver()
    assert isinstance(gateway.look_up(asked_for(Operation.VOID, 3)), Approved)


@pytest.mark.parametrize("card", ["REDIRECT", "CHALLENGE"])
def test_what_was_called_off_is_not_completed(adyen: FakeAdyen, card: str) -> None:
    """The customer comes back from the bank after the shop has given up: no money is set aside any more."""
    gateway = gateway_to(adyen)
    assert isinstance(gateway.authorise(authorise(f"anna:{card}")), NeedsAction)
    details = adyen.act(PAYMENT)
    gateway.void(void())
    gateway.complete(PAYMENT, details)
    assert adyen.payment(PAYMENT).authorised == 0
    assert not any(request.path.endswith("/details") for request in adyen.requests)


# --- the customer acts ------------------------------------------------------------------------------------


def test_what_the_customer_s_device_needs_is_shown_again(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    first = gateway.authorise(authorise("anna:CHALLENGE"))
    assert isinstance(first, NeedsAction)
    assert json.loads(first.action.client_secret)["type"] == "threeDS2"
    assert gateway.look_up(asked_for(Operation.AUTHORISE, 1)) == first


def test_details_are_submitted_once_however_often_the_page_is_opened(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise("anna:REDIRECT"))
    for _ in range(2):
        gateway.complete(PAYMENT, adyen.act(PAYMENT))
    assert isinstance(gateway.look_up(asked_for(Operation.AUTHORISE, 1)), Approved)
    assert sum(request.path.endswith("/details") for request in adyen.requests) == 1


def test_details_whose_reply_was_lost_are_submitted_again_under_the_same_key(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise("anna:REDIRECT"))
    details = adyen.act(PAYMENT)
    adyen.lose_next_reply(told=False)
    with pytest.raises(GatewayTimeout):
        gateway.complete(PAYMENT, details)
    gateway.complete(PAYMENT, details)
    assert isinstance(gateway.look_up(asked_for(Operation.AUTHORISE, 1)), Approved)


def test_details_of_another_payment_are_refused(adyen: FakeAdyen) -> None:
    """Whoever changes the payment in the address gets nothing for it."""
    gateway = gateway_to(adyen)
    gateway.authorise(authorise("anna:REDIRECT"))
    other = "pay_SOF01_7K3F9Q_2"
    gateway_to(adyen).authorise(
        type(authorise())(other, "att_SOF01_7K3F9Q_2_1", "SOF01-7K3F9Q", "anna:REDIRECT", eur(5))
    )
    with pytest.raises(GatewayFault, match="another payment"):
        gateway.complete(PAYMENT, adyen.act(other))
    assert isinstance(gateway.look_up(asked_for(Operation.AUTHORISE, 1)), NeedsAction)


@pytest.mark.parametrize("payment", ["", "pay_SOF01_7K3F9Q_9", "../payments", "é"])
def test_details_of_a_payment_that_nobody_knows_are_ignored(adyen: FakeAdyen, payment: str) -> None:
    gateway_to(adyen).complete(payment, {"redirectResult": "x"})
    assert adyen.requests == []


# --- more money, more time --------------------------------------------------------------------------------


def test_what_is_set_aside_is_raised_when_adyen_says_so(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen, preauthorises=True)
    gateway.authorise(authorise())
    raised = Increase(PAYMENT, key(6), "", eur(1200))
    with pytest.raises(GatewayTimeout):
        gateway.increase(raised)
    assert gateway.capture(capture(1200)) == Denied("amount_exceeds_authorisation")
    adyen.deliver()
    answer = gateway.increase(raised)
    assert isinstance(answer, Approved)
    assert answer.amount == eur(1200)
    assert isinstance(gateway.capture(capture(1200, n=7)), Approved)


def test_a_raise_that_the_bank_refuses_leaves_what_is_set_aside() -> None:
    adyen = FakeAdyen()
    gateway = gateway_to(adyen, preauthorises=True)
    gateway.authorise(authorise())
    adyen.payment(PAYMENT).preauthorised = False
    assert gateway.increase(Increase(PAYMENT, key(6), "", eur(1200))) == Denied("refused")
    assert isinstance(gateway.capture(capture(1000)), Approved)


def test_an_extension_begins_the_lifetime_anew() -> None:
    clock = FakeClock()
    adyen = FakeAdyen(clock=clock)
    gateway = gateway_to(adyen, preauthorises=True, clock=clock)
    gateway.authorise(authorise())
    clock.advance(days=6)
    answer = gateway.extend(Extend(PAYMENT, key(6), "", eur(1000)))
    assert isinstance(answer, Approved)
    assert answer.until == clock.now() + timedelta(days=10)


def test_a_final_authorisation_is_neither_raised_nor_extended(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    assert not gateway.capabilities.incremental
    assert not gateway.capabilities.extension
    assert gateway.increase(Increase(PAYMENT, key(6), "", eur(1200))) == Denied("not_preauthorised")


# --- pay by link ------------------------------------------------------------------------------------------


def test_without_a_token_the_customer_is_sent_a_link_and_may_try_several_cards(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    answer = gateway.authorise(authorise(""))
    assert isinstance(answer, NeedsAction)
    url = answer.action.redirect_url
    adyen.pay_link(url, FakeCard(holder="DECLINED"))
    adyen.deliver()
    assert gateway.look_up(asked_for(Operation.AUTHORISE, 1)) == answer
    adyen.pay_link(url)
    adyen.deliver()
    assert isinstance(gateway.look_up(asked_for(Operation.AUTHORISE, 1)), Approved)
    assert isinstance(gateway.capture(capture()), Approved)
    assert adyen.payment(PAYMENT).captured == 1000


def test_a_link_that_was_not_paid_in_time_is_denied(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    answer = gateway.authorise(authorise(""))
    assert isinstance(answer, NeedsAction)
    adyen.expire_link(answer.action.redirect_url)
    assert gateway.look_up(asked_for(Operation.AUTHORISE, 1)) == Denied("link_expired")


def test_a_link_is_closed_with_its_payment(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    answer = gateway.authorise(authorise(""))
    assert isinstance(answer, NeedsAction)
    assert isinstance(gateway.void(void()), Approved)
    assert adyen.requests[1].body == {"status": "expired"}
    assert gateway.look_up(asked_for(Operation.AUTHORISE, 1)) == Denied("cancelled")


# --- settings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("merchant_account", ""),
        ("hmac_keys", []),
        ("hmac_keys", "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"),
        ("hmac_keys", ["not hexadecimal, and long enough for a key"]),
        ("hmac_keys", ["00"]),
        ("return_url", "shop.example"),
    ],
)
def test_settings_that_can_t_work_are_refused(adyen: FakeAdyen, field: str, value: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        gateway_to(adyen, **{field: value})
    assert refused.value.facts["field"] == field
    assert "44782DEF" not in str(refused.value)


def test_without_adyen_s_library_the_extra_is_named() -> None:
    program = """
import sys
sys.modules["Adyen"] = None
from omniorder.errors import MissingExtra
for name in ("adapters", "testing"):
    try:
        __import__(f"omniorder.{name}.adyen")
    except MissingExtra as missing:
        print(missing)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.count("omniorder[adyen]") == 2


def test_a_client_that_waits_too_long_is_refused(adyen: FakeAdyen) -> None:
    """After thirty seconds somebody else may make the same call."""
    with pytest.raises(InvalidInput, match="http_timeout"):
        AdyenGateway(
            adyen.client(http_timeout=30),
            book=MemoryBook(),
            merchant_account="Shop",
            hmac_keys=[adyen.hmac_key],
            return_url="https://a.example",
        )
