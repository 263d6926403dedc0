"""The fake provider: it keeps the gateways' contract in every shape, and its tokens and levers do what they say."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import ClassVar

import pytest

from omniorder.domain.money import Money
from omniorder.domain.payments import Operation
from omniorder.errors import BadWebhook, GatewayFault, GatewayTimeout, NotFound
from omniorder.ports.payments import (
    Absent,
    Approved,
    Authorise,
    Capture,
    Collect,
    Denied,
    Extend,
    Increase,
    LookUp,
    NeedsAction,
    NoAnswer,
    PaymentGateway,
    Refund,
    Void,
)
from omniorder.testing import webhooks
from omniorder.testing.clock import FakeClock
from omniorder.testing.contracts.payments import GatewayBench, GatewayTokens, PaymentGatewayContract
from omniorder.testing.gateway import FakeGateway, ProviderState

TOKENS = GatewayTokens(
    approves="pm_card_visa", declines="pm_card_declined_insufficient_funds", requires_action="pm_card_3ds",
    reader="tmr_1",
)  # fmt: skip


def bench(gateway: FakeGateway) -> GatewayBench:
    return GatewayBench(
        gateway,
        TOKENS,
        lose_next_reply=gateway.lose_next_reply,
        signed_webhook=gateway.signed_webhook,
        complete_action=gateway.complete_action,
        present_card=gateway.present_card,
        decline_card=gateway.decline_card,
    )


class TestCapturingOnce(PaymentGatewayContract):
    def open(self) -> GatewayBench:
        return bench(FakeGateway())


class TestCapturingSeveralTimes(PaymentGatewayContract):
    def open(self) -> GatewayBench:
        return bench(FakeGateway(several_captures=True))


class TestNoParts(PaymentGatewayContract):
    currency = "JPY"

    def open(self) -> GatewayBench:
        return bench(FakeGateway(partial_capture=False, partial_refund=False))


class TestMoreAndForLonger(PaymentGatewayContract):
    def open(self) -> GatewayBench:
        return bench(FakeGateway(incremental=True, extension=True, lifetimes={"": timedelta(days=7)}))


class TestNothingBesides(PaymentGatewayContract):
    def open(self) -> GatewayBench:
        return bench(FakeGateway(immediate=False, links=False, wallets=(), in_person=False, lists=False))


class Leverless(PaymentGatewayContract):
    def open(self) -> GatewayBench:
        return GatewayBench(FakeGateway(), GatewayTokens(approves="pm_card_visa", declines="pm_card_declined"))


@pytest.mark.parametrize(
    ("promise", "lever"),
    [
        ("test_a_void_whose_reply_was_lost_is_repeated", "lose_next_reply"),
        ("test_a_genuine_webhook_names_our_payment", "signed_webhook"),
        ("test_what_waits_for_the_customer_can_be_called_off", "requires_action"),
        ("test_a_customer_who_chose_has_paid_under_the_same_key", "complete_action"),
        ("test_a_reader_that_waits_for_a_card_can_be_found", "reader"),
        ("test_an_extension_can_be_looked_up", "extension"),
    ],
)
def test_a_promise_that_lacks_its_lever_is_skipped_by_the_lever_s_name(promise: str, lever: str) -> None:
    with pytest.raises(pytest.skip.Exception, match=lever):
        getattr(Leverless(), promise)()


# --- tokens and levers ------------------------------------------------------------------------------------

TEN = Money(1000, "EUR")


def asked(token: str, key: str = "k1", payment: str = "pay_A_1_1") -> Authorise:
    return Authorise(payment, key, "A-1", token, TEN)


def found(gateway: PaymentGateway, key: str = "k1", operation: Operation = Operation.AUTHORISE) -> object:
    return gateway.look_up(LookUp("pay_A_1_1", key, operation, ""))


def with_token(token: str) -> FakeGateway:
    gateway = FakeGateway(several_captures=True)
    gateway.authorise(asked(token))
    return gateway


class TestTokens:
    @pytest.mark.parametrize(
        ("token", "reason"),
        [
            ("pm_card_declined", "card_declined"),
            ("pm_card_declined_expired_card", "expired_card"),
            ("pm_card_visaa", "unknown_token"),
            ("pm_card_capture_instant", "unknown_token"),
        ],
    )
    def test_a_declining_card_says_why(self, token: str, reason: str) -> None:
        assert FakeGateway().authorise(asked(token)) == Denied(reason)

    def test_an_instant_card_is_captured_at_once(self) -> None:
        gateway = FakeGateway()
        answer = gateway.authorise(asked("pm_card_instant"))
        assert isinstance(answer, Approved)
        assert answer.captured
        assert gateway.void(Void("pay_A_1_1", "k2", "")) == Denied("already_captured", TEN)

    def test_a_customer_who_acts_is_approved_and_the_old_answer_stays_the_old_answer(self) -> None:
        gateway = with_token("pm_card_3ds")
        assert gateway.effects == {}
        gateway.complete_action("pay_A_1_1")
        assert isinstance(found(gateway), Approved)
        assert isinstance(gateway.authorise(asked("pm_card_3ds")), NeedsAction)
        assert gateway.effects == {"k1": 1}

    def test_a_customer_who_fails_is_declined(self) -> None:
        gateway = with_token("pm_card_3ds")
        gateway.fail_action("pay_A_1_1")
        assert found(gateway) == Denied("authentication_failed")

    def test_only_what_waits_can_be_completed(self) -> None:
        with pytest.raises(NotFound):
            with_token("pm_card_visa").complete_action("pay_A_1_1")

    def test_a_pending_card_has_no_answer_until_it_has_one(self) -> None:
        gateway = FakeGateway()
        with pytest.raises(GatewayTimeout):
            gateway.authorise(asked("pm_card_pending"))
        assert found(gateway) == NoAnswer()
        gateway.complete_action("pay_A_1_1")
        assert isinstance(gateway.authorise(asked("pm_card_pending")), Approved)

    def test_a_card_that_times_out_has_no_effect(self) -> None:
        gateway = FakeGateway()
        for _ in range(2):
            with pytest.raises(GatewayTimeout):
                gateway.authorise(asked("pm_card_timeout"))
        assert found(gateway) == Absent()
        assert gateway.payments == ()

    def test_a_card_that_times_out_afterwards_has_its_effect_once(self) -> None:
        gateway = FakeGateway()
        with pytest.raises(GatewayTimeout):
            gateway.authorise(asked("pm_card_timeout_after"))
        assert isinstance(gateway.authorise(asked("pm_card_timeout_after")), Approved)
        assert gateway.effects == {"k1": 1}

    def test_a_token_can_spoil_a_later_operation_only(self) -> None:
        gateway = with_token("pm_card_capture_declined_authorisation_expired")
        answer = gateway.capture(Capture("pay_A_1_1", "k2", "", TEN, final=True))
        assert answer == Denied("authorisation_expired")

    def test_a_capture_can_lose_its_reply(self) -> None:
        gateway = with_token("pm_card_capture_timeout_after")
        with pytest.raises(GatewayTimeout):
            gateway.capture(Capture("pay_A_1_1", "k2", "", TEN, final=True))
        assert isinstance(found(gateway, "k2", Operation.CAPTURE), Approved)

    def test_a_void_can_never_arrive(self) -> None:
        gateway = with_token("pm_card_void_timeout")
        with pytest.raises(GatewayTimeout):
            gateway.void(Void("pay_A_1_1", "k2", ""))
        assert gateway.payments[0].state is ProviderState.AUTHORISED

    def test_a_refund_can_be_refused(self) -> None:
        gateway = with_token("pm_card_refund_declined")
        gateway.capture(Capture("pay_A_1_1", "k2", "", TEN, final=True))
        assert gateway.refund(Refund("pay_A_1_1", "k3", "", TEN)) == Denied("card_declined")
        assert gateway.payments[0].refunded == Money(0, "EUR")


class TestLevers:
    def test_a_failure_has_no_effect_and_passes(self) -> None:
        gateway = FakeGateway()
        gateway.fail_next("server_on_fire")
        with pytest.raises(GatewayFault) as fault:
            gateway.authorise(asked("pm_card_visa"))
        assert fault.value.facts["reason"] == "server_on_fire"
        assert not isinstance(fault.value, GatewayTimeout)
        assert gateway.payments == ()
        assert isinstance(gateway.authorise(asked("pm_card_visa")), Approved)

    def test_a_remembered_failure_is_given_again_under_its_key_only(self) -> None:
        gateway = FakeGateway()
        gateway.fail_next(remembered=True)
        for _ in range(2):
            with pytest.raises(GatewayFault):
                gateway.authorise(asked("pm_card_visa"))
        assert isinstance(gateway.authorise(asked("pm_card_visa", "k2")), Approved)

    def test_a_dropped_request_has_no_effect(self) -> None:
        gateway = FakeGateway()
        gateway.drop_next_request()
        with pytest.raises(GatewayTimeout):
            gateway.authorise(asked("pm_card_visa"))
        assert gateway.payments == ()

    def test_a_lost_reply_may_be_that_of_a_question(self) -> None:
        gateway = with_token("pm_card_visa")
        gateway.lose_next_reply()
        with pytest.raises(GatewayTimeout):
            found(gateway)

    def test_a_key_that_was_forgotten_acts_again_but_is_still_on_file(self) -> None:
        gateway = with_token("pm_card_visa")
        gateway.forget_keys()
        assert isinstance(found(gateway), Approved)
        gateway.authorise(asked("pm_card_visa"))
        assert gateway.effects == {"k1": 2}
        assert len(gateway.payments) == 2

    def test_keys_are_forgotten_in_time(self) -> None:
        clock = FakeClock()
        gateway = FakeGateway(clock=clock, remembers=timedelta(hours=1))
        gateway.authorise(asked("pm_card_visa"))
        clock.advance(minutes=59)
        gateway.authorise(asked("pm_card_visa"))
        assert gateway.effects == {"k1": 1}
        clock.advance(minutes=2)
        gateway.authorise(asked("pm_card_visa"))
        assert gateway.effects == {"k1": 2}

    def test_an_expired_authorisation_can_t_be_captured(self) -> None:
        gateway = with_token("pm_card_visa")
        gateway.expire("pay_A_1_1")
        answer = gateway.capture(Capture("pay_A_1_1", "k2", "", TEN, final=True))
        assert answer == Denied("authorisation_expired")

    def test_a_repeated_request_may_name_the_provider_s_id_that_became_known_meanwhile(self) -> None:
        gateway = with_token("pm_card_visa")
        first = gateway.void(Void("pay_A_1_1", "k2", ""))
        assert gateway.void(Void("pay_A_1_1", "k2", gateway.payments[0].id)) == first

    def test_the_id_of_somebody_else_s_payment_opens_nothing(self) -> None:
        gateway = with_token("pm_card_visa")
        theirs = gateway.payments[0].id
        assert gateway.capture(Capture("pay_A_2_1", "k2", theirs, TEN, final=True)) == Denied("no_such_payment")
        assert gateway.void(Void("pay_A_2_1", "k3", theirs)) == Absent()
        assert gateway.refund(Refund("pay_A_2_1", "k4", theirs, TEN)) == Denied("no_such_payment")

    def test_the_books_tell_every_operation_with_its_answer(self) -> None:
        gateway = with_token("pm_card_visa")
        gateway.capture(Capture("pay_A_1_1", "k2", "", Money(400, "EUR"), final=False))
        gateway.capture(Capture("pay_A_1_1", "k3", "", Money(700, "EUR"), final=False))
        [on_file] = gateway.payments
        assert [(one.key, isinstance(one.answer, Approved)) for one in on_file.operations] == [
            ("k1", True),
            ("k2", True),
            ("k3", False),
        ]
        assert (on_file.authorised, on_file.captured, on_file.open) == (TEN, Money(400, "EUR"), Money(600, "EUR"))

    def test_no_token_is_shown_in_the_books(self) -> None:
        assert "pm_card" not in repr(with_token("pm_card_visa").payments)

    @pytest.mark.parametrize("amount", [0, -1])
    def test_nothing_is_authorised_for_nothing(self, amount: int) -> None:
        request = Authorise("pay_A_1_1", "k1", "A-1", "pm_card_visa", Money(amount, "EUR"))
        assert FakeGateway().authorise(request) == Denied("amount_invalid")

    def test_another_currency_is_neither_captured_nor_refunded(self) -> None:
        gateway = with_token("pm_card_visa")
        dollars = Money(1000, "USD")
        assert isinstance(gateway.capture(Capture("pay_A_1_1", "k2", "", dollars, final=True)), Denied)
        gateway.capture(Capture("pay_A_1_1", "k3", "", TEN, final=True))
        assert isinstance(gateway.refund(Refund("pay_A_1_1", "k4", "", dollars)), Denied)


# --- webhooks ---------------------------------------------------------------------------------------------


class TestWebhooks:
    """What only the provider itself could send, and is refused nevertheless."""

    def refusal(self, body: bytes, *, clock: FakeClock | None = None) -> str:
        gateway = FakeGateway(clock=clock or FakeClock())
        with pytest.raises(BadWebhook) as refusal:
            gateway.read_webhook(*gateway.sign(body))
        reason: str = refusal.value.facts["reason"]
        return reason

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b'{"type": "a", "type": "b", "data": {"payment": "p"}}', "duplicate_key"),
            (b'{"type": "a", "data": {"payment": "p", "payment": "q"}}', "duplicate_key"),
            (b'{"type": "a", "n": ' + b"[" * 33 + b"]" * 33 + b"}", "too_deep"),
            (b'{"type": "a"', "not_json"),
            (b'{"type": "\xff"}', "not_json"),
            (b'{"type": NaN}', "not_json"),
            ('{"type": "a"}'.encode("utf-16"), "not_json"),
            (b'{"type": 1}', "not_a_notice"),
            (b"[]", "not_a_notice"),
        ],
    )
    def test_a_genuine_but_impossible_body_is_refused(self, body: bytes, reason: str) -> None:
        assert self.refusal(body) == reason

    def test_a_body_is_measured_before_anything_else(self) -> None:
        assert self.refusal(b" " * (webhooks.MOST_BYTES + 1)) == "too_large"

    def test_brackets_inside_of_text_are_not_depth(self) -> None:
        gateway = FakeGateway(clock=FakeClock())
        body = json.dumps({"type": "a", "note": '"[' * 100 + "\\", "data": {"payment": "p"}}).encode()
        assert gateway.read_webhook(*gateway.sign(body)).payment == "p"

    def test_many_lists_beside_each_other_are_not_deep(self) -> None:
        gateway = FakeGateway(clock=FakeClock())
        body = json.dumps({"type": "a", "n": [[]] * 100, "data": {"payment": "p"}}).encode()
        assert gateway.read_webhook(*gateway.sign(body)).payment == "p"

    def test_a_webhook_about_something_else_names_no_payment(self) -> None:
        gateway = FakeGateway(clock=FakeClock())
        notice = gateway.read_webhook(*gateway.sign(b'{"type": "balance.available", "data": {}}'))
        assert (notice.payment, notice.kind) == ("", "balance.available")

    @pytest.mark.parametrize(("age", "reason"), [(301, "too_old"), (-301, "from_the_future")])
    def test_more_than_five_minutes_are_too_many_either_way(self, age: int, reason: str) -> None:
        gateway = FakeGateway(clock=FakeClock())
        with pytest.raises(BadWebhook) as refusal:
            gateway.read_webhook(*gateway.signed_webhook("p", "a", age=timedelta(seconds=age)))
        assert refusal.value.facts["reason"] == reason

    @pytest.mark.parametrize("age", [300, 0, -300])
    def test_five_minutes_are_tolerated_either_way(self, age: int) -> None:
        gateway = FakeGateway(clock=FakeClock())
        assert gateway.read_webhook(*gateway.signed_webhook("p", "a", age=timedelta(seconds=age)))

    def test_of_two_signatures_one_must_be_valid(self) -> None:
        gateway = FakeGateway(clock=FakeClock())
        headers, body = gateway.signed_webhook("p", "a")
        moment, signature = headers[webhooks.HEADER].split(",")
        both = {webhooks.HEADER: f"{moment},v1={'0' * 64},{signature}"}
        assert gateway.read_webhook(both, body).payment == "p"

    @pytest.mark.parametrize("which", ["t=1,{0},{1}", "{1}", "{0},t=x,{1}"])
    def test_there_is_one_timestamp(self, which: str) -> None:
        gateway = FakeGateway(clock=FakeClock())
        headers, body = gateway.signed_webhook("p", "a")
        with pytest.raises(BadWebhook):
            gateway.read_webhook({webhooks.HEADER: which.format(*headers[webhooks.HEADER].split(","))}, body)

    def test_another_secret_signs_nothing(self) -> None:
        clock = FakeClock()
        sent = FakeGateway(clock=clock, secret=b"theirs").signed_webhook("p", "a")
        with pytest.raises(BadWebhook):
            FakeGateway(clock=clock).read_webhook(*sent)


class TestLifetimes:
    LASTS: ClassVar = {"visa": timedelta(days=5), "": timedelta(days=7)}

    def test_what_is_set_aside_lapses_after_the_lifetime_of_its_kind_of_card(self) -> None:
        clock = FakeClock()
        gateway = FakeGateway(lifetimes=self.LASTS, clock=clock)
        for payment, token in (("pay_A_1_1", "pm_card_visa"), ("pay_A_2_1", "pm_card_mastercard")):
            gateway.authorise(asked(token, key=payment, payment=payment))
        clock.advance(days=6)
        assert [one.state for one in gateway.payments] == [ProviderState.EXPIRED, ProviderState.AUTHORISED]
        assert gateway.capture(Capture("pay_A_1_1", "k2", "", TEN, final=True)) == Denied("authorisation_expired")
        assert isinstance(gateway.capture(Capture("pay_A_2_1", "k3", "", TEN, final=True)), Approved)

    def test_an_extension_begins_the_lifetime_anew(self) -> None:
        clock = FakeClock()
        gateway = FakeGateway(lifetimes=self.LASTS, extension=True, clock=clock)
        gateway.authorise(asked("pm_card_visa"))
        clock.advance(days=4)
        answer = gateway.extend(Extend("pay_A_1_1", "k2", "", TEN))
        assert isinstance(answer, Approved)
        assert answer.until == clock.now() + timedelta(days=5)
        clock.advance(days=4)
        assert isinstance(gateway.capture(Capture("pay_A_1_1", "k3", "", TEN, final=True)), Approved)

    def test_without_lifetimes_it_stays_set_aside(self) -> None:
        clock = FakeClock()
        gateway = FakeGateway(clock=clock)
        gateway.authorise(asked("pm_card_visa"))
        clock.advance(days=1000)
        assert isinstance(gateway.capture(Capture("pay_A_1_1", "k2", "", TEN, final=True)), Approved)


class TestMore:
    FIFTEEN = Money(1500, "EUR")

    @pytest.mark.parametrize(
        ("able", "token", "amount", "reason"),
        [
            (False, "pm_card_visa", FIFTEEN, "increase_unsupported"),
            (True, "pm_card_visa", TEN, "amount_invalid"),
            (True, "pm_card_visa", Money(1500, "USD"), "amount_invalid"),
            (True, "pm_card_increase_declined_insufficient_funds", FIFTEEN, "insufficient_funds"),
            (True, "pm_card_3ds", FIFTEEN, "not_authorised"),
        ],
    )
    def test_an_increase_that_can_t_be_says_why_and_leaves_what_is_set_aside(
        self, able: bool, token: str, amount: Money, reason: str
    ) -> None:
        gateway = FakeGateway(incremental=able)
        gateway.authorise(asked(token))
        [before] = gateway.payments
        assert gateway.increase(Increase("pay_A_1_1", "k2", "", amount)) == Denied(reason)
        assert gateway.payments[0].authorised == before.authorised

    def test_an_extension_that_the_provider_lacks_is_refused(self) -> None:
        assert with_token("pm_card_visa").extend(Extend("pay_A_1_1", "k2", "", TEN)) == Denied("extension_unsupported")


class TestWhatNotEveryProviderCan:
    @pytest.mark.parametrize(
        ("gateway", "request_", "reason"),
        [
            (FakeGateway(immediate=False), Authorise("p", "k", "A", "pm_card_visa", TEN, now=True), "immediate"),
            (FakeGateway(wallets=()), Authorise("p", "k", "A", "pm_card_visa", TEN, method="apple_pay"), "wallet"),
            (FakeGateway(links=False), Authorise("p", "k", "A", "", TEN), "links"),
        ],
    )
    def test_what_the_capabilities_exclude_is_refused(
        self, gateway: FakeGateway, request_: Authorise, reason: str
    ) -> None:
        assert gateway.authorise(request_) == Denied(f"{reason}_unsupported")

    def test_a_provider_without_readers_refuses_them(self) -> None:
        gateway = FakeGateway(in_person=False)
        assert gateway.collect(Collect("p", "k", "A", "tmr_1", TEN)) == Denied("in_person_unsupported")


class TestReaders:
    @staticmethod
    def at(reader: str, key: str = "k1", payment: str = "pay_A_1_1") -> Collect:
        return Collect(payment, key, "A-1", reader, TEN)

    def test_a_reader_serves_one_customer_at_a_time(self) -> None:
        gateway = FakeGateway()
        gateway.collect(self.at("tmr_1"))
        assert gateway.collect(self.at("tmr_1", "k2", "pay_A_2_1")) == Denied("reader_busy")
        assert isinstance(gateway.collect(self.at("tmr_2", "k3", "pay_A_3_1")), NeedsAction)

    @pytest.mark.parametrize(
        ("reader", "reason"), [("tmr_declined", "card_declined"), ("tmr_x", "no_such_reader"), ("", "no_such_reader")]
    )
    def test_a_reader_that_takes_nothing_says_why(self, reader: str, reason: str) -> None:
        assert FakeGateway().collect(self.at(reader)) == Denied(reason)

    def test_a_card_that_is_there_already_is_taken_at_once(self) -> None:
        gateway = FakeGateway()
        answer = gateway.collect(self.at("tmr_visa"))
        assert isinstance(answer, Approved)
        assert answer.captured
        assert gateway.effects == {"k1": 1}

    def test_a_customer_who_walks_away_is_told_from_one_whose_card_is_declined(self) -> None:
        gateway = FakeGateway()
        gateway.collect(self.at("tmr_1"))
        gateway.walk_away("tmr_1")
        gateway.collect(self.at("tmr_1", "k2"))
        gateway.decline_card("tmr_1")
        assert found(gateway, "k1", Operation.COLLECT) == Denied("cancelled_by_customer")
        assert found(gateway, "k2", Operation.COLLECT) == Denied("card_declined")

    def test_a_card_is_held_to_a_reader_that_waits(self) -> None:
        with pytest.raises(NotFound):
            FakeGateway().present_card("tmr_1")

    @pytest.mark.parametrize(("reader", "answer"), [("tmr_timeout", Absent), ("tmr_timeout_after", NeedsAction)])
    def test_a_reader_may_not_answer(self, reader: str, answer: type) -> None:
        gateway = FakeGateway()
        with pytest.raises(GatewayTimeout):
            gateway.collect(self.at(reader))
        assert isinstance(found(gateway, operation=Operation.COLLECT), answer)
