"""The fake Stripe: it takes only what stripe-python can send, remembers what Stripe does, and is unlucky on command."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import stripe
from stripe import params as shapes

from omniorder.adapters.stripe import Enabled
from omniorder.domain.payments import Operation
from omniorder.errors import GatewayTimeout, NotFound
from omniorder.ports.payments import Approved, Denied
from omniorder.testing.provider import ProviderState
from omniorder.testing.stripe import FakeStripe
from omniorder.testing.stripe.forms import decoded, fitting
from omniorder.testing.stripe.refusals import Refusal
from tests.adapters.stripe_bench import PAYMENT, euros, key, opened

CREATE = {"amount": 1000, "currency": "eur"}


def create(fake: FakeStripe, key: str = "k", **params: Any) -> stripe.PaymentIntent:
    asked: Any = {**CREATE, **params}
    return fake.client.v1.payment_intents.create(asked, {"idempotency_key": key})


class TestForms:
    @pytest.mark.parametrize(
        ("form", "read"),
        [
            ("amount=5&currency=eur", {"amount": 5, "currency": "eur"}),
            ("amount=5&currency=eur&confirm=true", {"amount": 5, "currency": "eur", "confirm": True}),
            ("amount=5&currency=eur&expand[0]=a&expand[1]=b", {"amount": 5, "currency": "eur", "expand": ["a", "b"]}),
            ("amount=5&currency=eur&metadata[a]=1", {"amount": 5, "currency": "eur", "metadata": {"a": "1"}}),
            (
                "amount=5&currency=eur&payment_method_options[card][request_multicapture]=if_available",
                {
                    "amount": 5,
                    "currency": "eur",
                    "payment_method_options": {"card": {"request_multicapture": "if_available"}},
                },
            ),
        ],
    )
    def test_a_form_is_read_as_the_library_s_types_say(self, form: str, read: object) -> None:
        assert fitting(decoded(form), shapes.PaymentIntentCreateParams) == read

    @pytest.mark.parametrize(
        ("form", "code", "param"),
        [
            ("amount=5", "parameter_missing", "currency"),
            ("amount=5&currency=eur&payment_method_types[0]=card", "parameter_unknown", "payment_method_types"),
            ("amount=5&currency=eur&idempotency_key=k", "parameter_unknown", "idempotency_key"),
            ("amount=1.5&currency=eur", "parameter_invalid_integer", "amount"),
            ("amount=5&currency=eur&confirm=1", "parameter_invalid_string", "confirm"),
            ("amount=5&currency=eur&capture_method=never", "parameter_invalid_string", "capture_method"),
            ("amount=5&currency=eur&metadata=1", "parameter_invalid_string", "metadata"),
            ("amount=5&currency=eur&expand[1]=a", "parameter_invalid_array", "expand"),
            (
                "amount=5&currency=eur&payment_method_options[card][request_magic]=yes",
                "parameter_unknown",
                "payment_method_options[card][request_magic]",
            ),
        ],
    )
    def test_what_the_types_do_not_have_is_refused_by_its_name(self, form: str, code: str, param: str) -> None:
        with pytest.raises(Refusal) as caught:
            fitting(decoded(form), shapes.PaymentIntentCreateParams)
        assert (caught.value.status, caught.value.error["code"], caught.value.error["param"]) == (400, code, param)

    def test_a_parameter_that_was_taken_away_is_refused_over_the_wire(self) -> None:
        with pytest.raises(stripe.InvalidRequestError, match="parameter_unknown"):
            create(FakeStripe(), payment_method_types=["card"])

    def test_an_address_that_nobody_answers_is_refused(self) -> None:
        with pytest.raises(stripe.InvalidRequestError, match="Unrecognized"):
            FakeStripe().client.v1.customers.create({})


class TestKeys:
    def test_a_key_answers_for_one_request(self) -> None:
        fake = FakeStripe()
        once, again = create(fake), create(fake)
        assert once.id == again.id
        with pytest.raises(stripe.IdempotencyError):
            create(fake, amount=1001)

    def test_an_error_of_the_server_is_remembered_too(self) -> None:
        fake = FakeStripe()
        fake.fail_next()
        for _ in range(2):
            with pytest.raises(stripe.APIError):
                create(fake)

    def test_what_was_refused_at_the_door_is_not(self) -> None:
        fake = FakeStripe()
        fake.throttle_next()
        with pytest.raises(stripe.RateLimitError):
            create(fake)
        fake.lock_next()
        with pytest.raises(stripe.APIError):
            create(fake)
        with pytest.raises(stripe.InvalidRequestError):
            create(fake, amount=0)
        assert create(fake).amount == 1000

    def test_a_key_is_forgotten_after_its_time(self) -> None:
        bench = opened(remembers=timedelta(days=30))
        first = create(bench.stripe).id
        bench.clock.advance(days=30)
        assert create(bench.stripe).id == first
        bench.clock.advance(seconds=1)
        assert create(bench.stripe).id != first

    def test_a_request_that_is_repeated_after_that_acts_again(self) -> None:
        """Which is why the library never sends one again then: the books would show two effects."""
        bench = opened()
        bench.authorise()
        bench.stripe.forget_keys()
        bench.authorise()
        assert bench.stripe.effects == {key(1): 2}


class TestLuck:
    def test_a_lost_reply_took_effect(self) -> None:
        bench = opened()
        bench.stripe.lose_next_reply()
        with pytest.raises(GatewayTimeout):
            bench.authorise()
        assert bench.stripe.effects == {key(1): 1}

    def test_a_request_that_never_arrived_did_not(self) -> None:
        bench = opened()
        bench.stripe.drop_next_request()
        with pytest.raises(GatewayTimeout):
            bench.authorise()
        assert bench.stripe.payments == ()

    def test_levers_that_ask_for_what_is_not_there_say_so(self) -> None:
        bench = opened()
        bench.authorise()
        for lever in (bench.stripe.complete_action, bench.stripe.fail_refund, bench.stripe.close_dispute):
            with pytest.raises(NotFound):
                lever(PAYMENT)


class TestBooks:
    def test_they_show_what_happened_and_what_was_refused(self) -> None:
        bench = opened(Enabled(multicapture=True, incremental=True), multicapture=True, incremental=True)
        bench.authorise()
        bench.increase(1200)
        bench.capture(1300, n=7)
        bench.capture(400, final=False)
        bench.refund(100)
        bench.void()
        (found,) = bench.stripe.payments
        assert [(one.operation, type(one.answer)) for one in found.operations] == [
            (Operation.AUTHORISE, Approved),
            (Operation.INCREASE, Approved),
            (Operation.CAPTURE, Denied),
            (Operation.CAPTURE, Approved),
            (Operation.REFUND, Approved),
            (Operation.VOID, Approved),
        ]
        sums = (found.amount, found.authorised, found.captured, found.refunded, found.open)
        assert sums == tuple(map(euros, (1000, 1200, 400, 100, 0)))
        assert set(bench.stripe.effects.values()) == {1}

    @pytest.mark.parametrize(
        ("token", "state"),
        [
            ("pm_card_visa", ProviderState.AUTHORISED),
            ("pm_card_chargeDeclined", ProviderState.DECLINED),
            ("pm_card_authenticationRequired", ProviderState.REQUIRES_ACTION),
            ("", ProviderState.REQUIRES_ACTION),
        ],
    )
    def test_the_state_is_told_in_the_words_of_the_port(self, token: str, state: ProviderState) -> None:
        bench = opened()
        bench.authorise(token)
        assert bench.stripe.payments[0].state is state

    def test_time_ends_what_nobody_captured(self) -> None:
        bench = opened(lasts=timedelta(days=7))
        bench.authorise()
        bench.clock.advance(days=7)
        assert bench.stripe.payments[0].state is ProviderState.EXPIRED


def test_each_webhook_is_handed_out_once_and_in_order() -> None:
    bench = opened()
    bench.authorise()
    kinds = [bench.gateway.read_webhook(*sent).kind for sent in bench.stripe.webhooks()]
    assert kinds == ["payment_intent.created", "charge.succeeded", "payment_intent.amount_capturable_updated"]
    assert list(bench.stripe.webhooks()) == []
    bench.capture(1000)
    assert [bench.gateway.read_webhook(*sent).kind for sent in bench.stripe.webhooks()][
        -1
    ] == "payment_intent.succeeded"
