"""What is Stripe's own in the gateway: its errors, its memory for keys, its search, its kinds of payment."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from omniorder.adapters.stripe import Enabled, StripeGateway
from omniorder.adapters.stripe.reading import authorisation, capture_refused
from omniorder.adapters.stripe.references import ORDER
from omniorder.domain.money import Money
from omniorder.domain.payments import Operation
from omniorder.errors import GatewayFault, GatewayTimeout, InvalidInput
from omniorder.ports.payments import (
    Absent,
    Approved,
    Authorise,
    Capture,
    Denied,
    IncrementalGateway,
    InPersonGateway,
    ListingGateway,
    NeedsAction,
    NoAnswer,
    Refund,
    Void,
)
from omniorder.testing.stripe import FakeStripe
from tests.adapters.stripe_bench import PAYMENT, euros, key, opened


def test_it_is_a_gateway_of_every_kind_but_one() -> None:
    """Its type says so: Stripe lengthens no authorisation on request."""
    gateway = opened(Enabled(incremental=True, readers=True)).gateway
    raising: IncrementalGateway = gateway
    in_person: InPersonGateway = gateway
    listing: ListingGateway = gateway
    assert raising.capabilities.incremental
    assert in_person.capabilities.in_person
    assert listing.capabilities.lists
    assert not gateway.capabilities.extension


class TestBeingOpened:
    @pytest.mark.parametrize("client", [None, "sk_test_secret", stripe.StripeClient])
    def test_a_client_is_one_of_stripe_s(self, client: Any) -> None:
        with pytest.raises(InvalidInput) as refused:
            StripeGateway(client, webhook_secret="whsec")
        assert refused.value.facts["field"] == "client"
        assert "sk_test" not in str(refused.value)

    @pytest.mark.parametrize("secret", ["", " "])
    def test_a_secret_that_everybody_knows_is_none(self, secret: str) -> None:
        """An empty one verifies whatever anybody signs with nothing."""
        with pytest.raises(InvalidInput):
            StripeGateway(FakeStripe().client, webhook_secret=secret)

    def test_search_can_not_be_ahead(self) -> None:
        with pytest.raises(InvalidInput):
            StripeGateway(FakeStripe().client, webhook_secret="whsec", search_lag=timedelta(seconds=-1))

    def test_lifetimes_that_are_none_are_refused(self) -> None:
        with pytest.raises(InvalidInput):
            StripeGateway(
                FakeStripe().client, webhook_secret="whsec", enabled=Enabled(lifetimes={"visa": timedelta(0)})
            )


class TestCapabilities:
    def test_they_are_what_the_merchant_has_switched_on(self) -> None:
        plain, all_of_it = (
            Enabled().capabilities,
            Enabled(multicapture=True, incremental=True, readers=True).capabilities,
        )
        assert (plain.several_captures, plain.incremental, plain.in_person) == (False, False, False)
        assert (all_of_it.several_captures, all_of_it.incremental, all_of_it.in_person) == (True, True, True)

    def test_lifetimes_and_memory_can_be_told(self) -> None:
        enabled = Enabled(lifetimes={"": timedelta(days=5)}, remembers=timedelta(days=29))
        assert enabled.capabilities.shortest == timedelta(days=5)
        assert enabled.capabilities.remembers == timedelta(days=29)

    def test_it_remembers_a_key_no_longer_than_stripe_does(self) -> None:
        assert Enabled().capabilities.remembers < timedelta(hours=24)


class TestAuthorising:
    def test_our_references_stand_on_the_payment(self) -> None:
        bench = opened()
        bench.authorise()
        (found,) = bench.stripe.payments
        assert (found.payment, found.order, found.operations[0].key) == (PAYMENT, "SOF01-7K3F9Q", key(1))
        assert bench.stripe.requests[0].form["metadata"][ORDER] == "SOF01-7K3F9Q"

    def test_it_says_when_what_is_set_aside_lapses(self) -> None:
        bench = opened(lasts=timedelta(days=5))
        answer = bench.authorise()
        assert isinstance(answer, Approved)
        assert answer.until == bench.clock.now() + timedelta(days=5)

    def test_longer_authorisations_are_asked_for_and_told(self) -> None:
        bench = opened(Enabled(extended=True), extended=True)
        answer = bench.authorise()
        assert isinstance(answer, Approved)
        assert answer.until == bench.clock.now() + timedelta(days=30)

    def test_a_deposit_is_taken_at_once(self) -> None:
        bench = opened()
        answer = bench.authorise(now=True)
        assert isinstance(answer, Approved)
        assert (answer.captured, answer.amount, answer.until) == (True, euros(1000), None)
        assert bench.look_up(Operation.AUTHORISE, 1) == answer

    @pytest.mark.parametrize(
        ("token", "reason"),
        [
            ("pm_card_chargeDeclined", "generic_decline"),
            ("pm_card_visa_chargeDeclinedLostCard", "lost_card"),
            ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
            ("pm_nobody_knows", "resource_missing"),
        ],
    )
    def test_the_reason_of_a_decline_is_the_bank_s_word_or_stripe_s(self, token: str, reason: str) -> None:
        assert opened().authorise(token) == Denied(reason)

    def test_without_a_return_address_the_customer_acts_where_they_are(self) -> None:
        answer = opened().authorise("pm_card_authenticationRequired")
        assert isinstance(answer, NeedsAction)
        assert answer.action.client_secret
        assert not answer.action.redirect_url

    def test_with_one_they_are_sent_to_their_bank(self) -> None:
        bench = opened(Enabled(return_url="https://shop.example/paid"))
        answer = bench.authorise("pm_card_authenticationRequired")
        assert isinstance(answer, NeedsAction)
        assert answer.action.redirect_url.startswith("https://")

    def test_what_the_customer_did_is_found(self) -> None:
        bench = opened()
        bench.authorise("pm_card_authenticationRequired")
        bench.stripe.complete_action(PAYMENT)
        answer = bench.look_up(Operation.AUTHORISE, 1)
        assert isinstance(answer, Approved)
        assert answer.amount == euros(1000)

    def test_what_the_customer_did_not_do_is_a_denial(self) -> None:
        bench = opened()
        bench.authorise("pm_card_authenticationRequired")
        bench.stripe.fail_action(PAYMENT)
        assert bench.look_up(Operation.AUTHORISE, 1) == Denied("payment_intent_authentication_failure")

    def test_the_amount_is_what_stripe_says_that_it_is(self) -> None:
        bench = opened()
        bench.stripe.misprice_next(999)
        answer = bench.authorise()
        assert isinstance(answer, Approved)
        assert answer.amount == euros(999)

    def test_an_amount_that_stripe_has_no_number_for_is_denied_before_it_is_sent(self) -> None:
        bench = opened()
        answer = bench.gateway.authorise(Authorise(PAYMENT, key(1), "A", "pm_card_visa", Money(1001, "BHD")))
        assert answer == Denied("amount_unrepresentable")
        assert bench.stripe.requests == ()

    def test_more_than_stripe_takes_is_denied(self) -> None:
        assert opened().authorise(cents=10**9) == Denied("amount_too_large")


class TestWalletsAndLinks:
    def test_without_a_token_the_customer_is_to_choose(self) -> None:
        bench = opened()
        answer = bench.authorise("", method="apple_pay")
        assert isinstance(answer, NeedsAction)
        assert answer.action.client_secret
        assert bench.look_up(Operation.AUTHORISE, 1) == answer

    def test_what_they_chose_is_found(self) -> None:
        bench = opened()
        bench.authorise("", method="google_pay")
        bench.stripe.pay_by_link(PAYMENT, wallet="google_pay")
        assert isinstance(bench.look_up(Operation.AUTHORISE, 1), Approved)

    def test_a_declined_card_is_not_the_end_of_a_link(self) -> None:
        bench = opened()
        bench.authorise("")
        bench.stripe.pay_by_link(PAYMENT, "pm_card_chargeDeclined")
        assert isinstance(bench.look_up(Operation.AUTHORISE, 1), NeedsAction)
        bench.stripe.pay_by_link(PAYMENT)
        assert isinstance(bench.look_up(Operation.AUTHORISE, 1), Approved)

    def test_a_link_can_be_called_off(self) -> None:
        bench = opened()
        bench.authorise("")
        assert isinstance(bench.void(), Approved)
        assert bench.look_up(Operation.AUTHORISE, 1) == Denied("voided")

    def test_a_confirmation_token_is_sent_as_one(self) -> None:
        bench = opened()
        assert isinstance(bench.authorise("ctoken_1", method="apple_pay"), Approved)
        assert bench.stripe.requests[0].form["confirmation_token"] == "ctoken_1"


class TestCapturing:
    def test_a_capture_after_the_authorisation_lapsed_says_so(self) -> None:
        bench = opened(lasts=timedelta(days=7))
        bench.authorise()
        bench.clock.advance(days=8)
        assert bench.capture(1000) == Denied("authorisation_expired")

    @pytest.mark.parametrize("code", ["charge_expired_for_capture", "capture_charge_authorization_expired"])
    def test_so_does_one_that_only_the_code_tells(self, code: str) -> None:
        assert capture_refused(None, code) == Denied("authorisation_expired")

    def test_several_captures_need_a_card_that_has_them(self) -> None:
        """Switched on in the gateway, but not granted to the card: the first capture is the last."""
        bench = opened(Enabled(multicapture=True))
        bench.authorise()
        assert bench.capture(400, final=False) == Approved(euros(400), bench.stripe.payments[0].id, open=False)

    def test_each_of_several_captures_is_found_as_it_was_answered(self) -> None:
        bench = opened(Enabled(multicapture=True), multicapture=True)
        bench.authorise()
        first, second = bench.capture(400, final=False), bench.capture(600, n=3)
        assert isinstance(first, Approved)
        assert first.open
        assert bench.look_up(Operation.CAPTURE, 2) == first
        assert bench.look_up(Operation.CAPTURE, 3) == second

    def test_what_lapses_after_a_part_was_captured_leaves_that_part(self) -> None:
        bench = opened(Enabled(multicapture=True), multicapture=True)
        bench.authorise()
        bench.capture(400, final=False)
        bench.stripe.expire(PAYMENT)
        assert bench.void() == Denied("already_captured", euros(400))

    def test_a_capture_that_is_repeated_after_its_key_is_forgotten_is_the_same_capture(self) -> None:
        bench = opened()
        bench.authorise()
        once = bench.capture(1000)
        bench.stripe.forget_keys()
        assert bench.capture(1000) == once
        assert bench.stripe.effects[key(2)] == 1

    def test_nothing_of_a_payment_that_nobody_knows_can_be_captured_or_refunded(self) -> None:
        gateway = opened().gateway
        assert gateway.capture(Capture(PAYMENT, key(2), "", euros(1), True)) == Denied("no_such_payment")
        assert gateway.capture(Capture(PAYMENT, key(2), "pi_no", euros(1), True)) == Denied("no_such_payment")
        assert gateway.refund(Refund(PAYMENT, key(4), "", euros(1))) == Denied("no_such_payment")
        assert gateway.refund(Refund(PAYMENT, key(4), "pi_no", euros(1))) == Denied("no_such_payment")


class TestReleasing:
    """Of what was captured in part, the rest is released by a capture of nothing."""

    def test_twice_is_once_whatever_the_key(self) -> None:
        bench = opened(Enabled(multicapture=True), multicapture=True)
        bench.authorise()
        bench.capture(400, final=False)
        once = bench.void()
        assert once == Approved(euros(600), bench.stripe.payments[0].id)
        assert bench.void() == bench.void(n=4) == bench.look_up(Operation.VOID, 3) == once
        assert bench.look_up(Operation.VOID, 9) == Absent()

    def test_a_lost_reply_is_found(self) -> None:
        bench = opened(Enabled(multicapture=True), multicapture=True)
        bench.authorise()
        bench.capture(400, final=False)
        bench.stripe.lose_next_reply()
        with pytest.raises(GatewayTimeout):
            bench.void()
        assert isinstance(bench.look_up(Operation.VOID, 3), Approved)
        assert bench.stripe.payments[0].open == euros(0)


class TestIncreasing:
    def test_more_is_set_aside_and_can_be_captured(self) -> None:
        bench = opened(Enabled(incremental=True), incremental=True)
        bench.authorise()
        answer = bench.increase(1200)
        assert isinstance(answer, Approved)
        assert answer.amount == euros(1200)
        assert bench.look_up(Operation.INCREASE, 5) == answer
        assert isinstance(bench.capture(1200), Approved)

    def test_a_card_that_does_not_allow_it_denies_and_leaves_what_was(self) -> None:
        bench = opened(Enabled(incremental=True))
        bench.authorise()
        assert isinstance(bench.increase(1200), Denied)
        assert isinstance(bench.look_up(Operation.INCREASE, 5), Absent)
        assert isinstance(bench.capture(1000), Approved)

    def test_a_lost_reply_is_repeated_without_a_second_effect(self) -> None:
        bench = opened(Enabled(incremental=True), incremental=True)
        bench.authorise()
        bench.stripe.lose_next_reply()
        with pytest.raises(GatewayTimeout):
            bench.increase(1200)
        assert isinstance(bench.increase(1200), Approved)
        assert bench.stripe.effects[key(5)] == 1


class TestRefunding:
    def test_a_refund_that_fails_later_is_a_denial_then(self) -> None:
        bench = opened()
        bench.authorise(now=True)
        assert isinstance(bench.refund(300), Approved)
        bench.stripe.fail_refund(PAYMENT)
        assert bench.look_up(Operation.REFUND, 4) == Denied("expired_or_canceled_card")
        assert isinstance(bench.refund(1000, n=5), Approved)

    def test_the_card_whose_refunds_fail_does_so_at_once(self) -> None:
        bench = opened()
        bench.authorise("pm_card_refundFail", now=True)
        bench.refund(300)
        assert isinstance(bench.look_up(Operation.REFUND, 4), Denied)

    def test_a_refund_is_found_among_more_than_a_page_of_them(self) -> None:
        bench = opened()
        bench.authorise(now=True)
        for n in range(10, 115):
            bench.refund(1, n=n)
        assert isinstance(bench.look_up(Operation.REFUND, 10), Approved)


class TestErrors:
    """Which of Stripe's errors leave the outcome open, and which surely had no effect."""

    def test_a_500_is_read_by_our_reference_instead_of_being_repeated(self) -> None:
        """It took effect: the same key returns the same 500, and the truth is on the payment."""
        bench = opened()
        bench.stripe.fail_next(after=True)
        for _ in range(2):
            with pytest.raises(GatewayTimeout):
                bench.authorise()
        assert isinstance(bench.look_up(Operation.AUTHORISE, 1), Approved)
        assert bench.stripe.effects == {key(1): 1}

    def test_a_500_without_effect_is_absent(self) -> None:
        bench = opened()
        bench.stripe.fail_next()
        with pytest.raises(GatewayTimeout):
            bench.authorise()
        assert bench.look_up(Operation.AUTHORISE, 1) == Absent()

    def test_a_request_under_a_key_that_is_busy_may_take_effect(self) -> None:
        bench = opened()
        bench.stripe.lock_next()
        with pytest.raises(GatewayTimeout):
            bench.authorise()
        assert isinstance(bench.authorise(), Approved)

    def test_too_many_requests_is_surely_no_effect(self) -> None:
        bench = opened()
        bench.stripe.throttle_next()
        with pytest.raises(GatewayFault) as caught:
            bench.authorise()
        assert not isinstance(caught.value, GatewayTimeout)
        assert isinstance(bench.authorise(), Approved)

    def test_a_wrong_key_and_a_wrong_account_are_faults(self) -> None:
        fake = FakeStripe()
        for client in (fake.connect("sk_test_wrong"), fake.connect(account="acct_other")):
            gateway = StripeGateway(client, webhook_secret="whsec")
            with pytest.raises(GatewayFault) as caught:
                gateway.authorise(Authorise(PAYMENT, key(1), "A", "pm_card_visa", euros(1000)))
            assert not isinstance(caught.value, GatewayTimeout)

    def test_a_request_that_is_wrong_in_itself_is_a_fault(self) -> None:
        with pytest.raises(GatewayFault, match="parameter_invalid_integer"):
            opened().authorise(cents=0)

    @pytest.mark.parametrize("operation", [Operation.AUTHORISE, Operation.REFUND])
    def test_a_look_up_without_answer_is_no_absence(self, operation: Operation) -> None:
        bench = opened()
        bench.authorise(now=True)
        bench.stripe.drop_next_request(reading=True)
        with pytest.raises(GatewayTimeout):
            bench.look_up(operation, 1)

    def test_a_status_that_nobody_knows_is_no_answer(self) -> None:
        assert authorisation({"id": "pi_1", "status": "requires_patience"}) == NoAnswer()

    def test_an_amount_that_cant_be_read_is_no_answer(self) -> None:
        for wrong in ({"amount": "10"}, {"amount": 10, "currency": "zzz"}, {"amount": 10, "currency": "isk"}, {}):
            with pytest.raises(GatewayTimeout):
                authorisation({"id": "pi_1", "status": "requires_capture", **wrong})

    @pytest.mark.parametrize(("status", "body"), [(404, "<html>not found</html>"), (200, "[]"), (404, '{"error": {}}')])
    def test_a_page_of_something_else_is_no_absence(self, status: int, body: str) -> None:
        class Proxy(stripe.HTTPClient):
            name = "proxy"

            def request(self, *args: object, **more: object) -> tuple[str, int, dict[str, str]]:
                return body, status, {}

        client = stripe.StripeClient("sk_test_fake", http_client=Proxy(), max_network_retries=0)
        bench = opened()
        gateway = StripeGateway(client, webhook_secret="whsec", clock=bench.clock)
        with pytest.raises(GatewayFault):
            gateway.capture(Capture(PAYMENT, key(2), "pi_1", euros(1), True))


class TestFindingAgain:
    """By our reference: search may be behind, the list is not."""

    def test_a_payment_that_search_does_not_know_yet_is_found(self) -> None:
        bench = opened(search_lag=timedelta(minutes=4))
        bench.stripe.lose_next_reply()
        with pytest.raises(GatewayTimeout):
            bench.authorise()
        bench.clock.advance(minutes=3)
        assert isinstance(bench.look_up(Operation.AUTHORISE, 1), Approved)

    def test_it_would_not_be_if_search_were_trusted(self) -> None:
        """The control: an index further behind than the gateway was told hides the payment."""
        bench = opened(search_lag=timedelta(hours=2), lag=timedelta(minutes=5))
        bench.authorise()
        bench.clock.advance(minutes=30)
        assert bench.look_up(Operation.AUTHORISE, 1) == Absent()

    def test_an_old_payment_is_found_by_search(self) -> None:
        bench = opened(search_lag=timedelta(minutes=4))
        bench.authorise()
        bench.clock.advance(days=2)
        assert isinstance(bench.look_up(Operation.AUTHORISE, 1), Approved)
        assert isinstance(bench.void(number=""), Approved)

    def test_it_is_found_behind_more_than_a_page_of_others(self) -> None:
        bench = opened(search_lag=timedelta(minutes=4))
        bench.authorise()
        for n in range(105):
            bench.gateway.authorise(Authorise(f"pay_{n}", f"att_{n}", "B", "pm_card_visa", euros(100)))
        assert isinstance(bench.look_up(Operation.AUTHORISE, 1), Approved)

    def test_another_shop_s_payment_of_that_number_is_not_ours(self) -> None:
        bench = opened()
        bench.gateway.authorise(Authorise("pay_B", "att_B", "B", "pm_card_visa", euros(100)))
        number = bench.stripe.payments[0].id
        assert bench.look_up(Operation.AUTHORISE, 1, number) == Absent()
        assert bench.look_up(Operation.CAPTURE, 2, number) == Absent()

    def test_another_shop_s_payment_is_not_voided(self) -> None:
        bench = opened(Enabled(multicapture=True), multicapture=True)
        bench.gateway.authorise(Authorise("pay_B", "att_B", "B", "pm_card_visa", euros(100)))
        assert bench.void() == Absent()
        assert bench.stripe.payments[0].open == euros(100)

    def test_a_void_that_lapsing_came_before_is_absent_until_it_is_sent(self) -> None:
        bench = opened()
        bench.authorise()
        bench.stripe.expire(PAYMENT)
        assert bench.look_up(Operation.VOID, 3) == Absent()
        assert isinstance(bench.void(), Approved)

    def test_a_reference_with_quotes_breaks_out_of_no_query(self) -> None:
        bench = opened()
        bench.authorise()
        assert bench.gateway.void(Void("x' OR metadata['a']:'b", key(3), "")) == Absent()


class TestListing:
    def test_every_payment_is_listed_once_with_its_totals(self) -> None:
        bench = opened(Enabled(multicapture=True), multicapture=True)
        start = bench.clock.now()
        bench.authorise()
        bench.capture(400, final=False)
        bench.refund(150)
        for n in range(150):
            bench.gateway.authorise(Authorise(f"pay_{n}", f"att_{n}", "B", "pm_card_chargeDeclined", euros(100)))
        found = list(bench.gateway.listed(start, bench.clock.now() + timedelta(seconds=1)))
        assert len(found) == len({one.provider_id for one in found}) == 151
        (mine,) = (one for one in found if one.payment == PAYMENT)
        assert (mine.authorised, mine.captured, mine.refunded, mine.open) == tuple(map(euros, (1000, 400, 150, 600)))
        assert all(one.authorised == euros(0) for one in found if one.payment != PAYMENT)

    def test_what_is_released_is_not_refunded(self) -> None:
        """Stripe shows the rest of a partial capture as a refund, though no money moved."""
        bench = opened()
        bench.authorise()
        bench.capture(600)
        bench.refund(400)
        (mine,) = bench.gateway.listed(bench.clock.now(), bench.clock.now() + timedelta(seconds=1))
        assert (mine.captured, mine.refunded, mine.open) == tuple(map(euros, (600, 400, 0)))

    def test_more_refunds_than_are_sent_along_are_counted_all(self) -> None:
        bench = opened()
        bench.authorise(now=True)
        for n in range(10, 25):
            bench.refund(10, n=n)
        (mine,) = bench.gateway.listed(bench.clock.now(), bench.clock.now() + timedelta(seconds=1))
        assert mine.refunded == euros(150)

    def test_the_end_of_the_time_is_left_out(self) -> None:
        bench = opened()
        now = bench.clock.now()
        bench.authorise()
        assert list(bench.gateway.listed(now - timedelta(days=1), now)) == []
        assert len(list(bench.gateway.listed(now, now + timedelta(microseconds=1)))) == 1
        assert list(bench.gateway.listed(now + timedelta(microseconds=1), now + timedelta(days=1))) == []

    def test_a_payment_that_somebody_else_made_is_listed_without_a_reference(self) -> None:
        bench = opened()
        bench.stripe.client.v1.payment_intents.create({"amount": 700, "currency": "usd"})
        (found,) = bench.gateway.listed(bench.clock.now(), bench.clock.now() + timedelta(seconds=1))
        assert (found.payment, found.captured) == ("", Money(0, "USD"))


def test_nothing_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither key nor secret nor address: the client that is given has them."""
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_wrong")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_wrong")
    bench = opened()
    assert isinstance(bench.authorise(), Approved)
    event = {"id": "evt_1", "type": "x", "livemode": False}
    assert bench.gateway.read_webhook(*bench.stripe.sign(json.dumps(event).encode())).id == "evt_1"
    assert bench.clock.now() == datetime(2026, 11, 23, 8, tzinfo=UTC)
