"""Webhooks from Stripe: whose they must be, when they must come, and what is read of them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import stripe

from omniorder.adapters.stripe import Enabled, StripeGateway
from omniorder.adapters.stripe.webhooks import MOST_BYTES, signature
from omniorder.errors import BadWebhook, GatewayTimeout
from omniorder.ports.payments import Notice
from tests.adapters.stripe_bench import PAYMENT, READER, Bench, euros, opened

EVENT: dict[str, Any] = {"id": "evt_1", "type": "some.thing", "livemode": False, "data": {"object": {}}}


def read(bench: Bench, event: object, **signing: Any) -> Notice:
    return bench.gateway.read_webhook(*bench.stripe.sign(json.dumps(event).encode(), **signing))


def told(bench: Bench) -> dict[str, Notice]:
    """What all webhooks that were not sent yet tell, by kind."""
    notices = [bench.gateway.read_webhook(*sent) for sent in bench.stripe.webhooks()]
    return {notice.kind: notice for notice in notices}


def paid(**options: Any) -> Bench:
    bench = opened(**options)
    bench.authorise(now=True)
    return bench


class TestTheSignature:
    def test_it_is_the_one_that_stripe_computes(self) -> None:
        theirs = stripe.WebhookSignature.generate_signature_header("{}", "whsec_x", 1_700_000_000)
        assert theirs == f"t=1700000000,v1={signature('whsec_x', '1700000000', b'{}')}"

    def test_of_two_signatures_one_is_enough(self) -> None:
        """While the secret of an endpoint is being rolled, Stripe signs with both."""
        bench = opened()
        headers, body = bench.stripe.sign(json.dumps(EVENT).encode())
        moment, _, good = headers["Stripe-Signature"].partition(",")
        for both in (f"{moment},v1={'0' * 64},{good}", f"{moment},{good},v1={'0' * 64},v0=abc"):
            assert bench.gateway.read_webhook({"Stripe-Signature": both}, body).id == "evt_1"

    def test_one_with_another_secret_is_refused(self) -> None:
        with pytest.raises(BadWebhook, match="bad_signature"):
            read(opened(), EVENT, secret="whsec_other")

    def test_an_old_scheme_is_none(self) -> None:
        bench = opened()
        headers, body = bench.stripe.sign(json.dumps(EVENT).encode())
        with pytest.raises(BadWebhook, match="bad_signature"):
            bench.gateway.read_webhook({"Stripe-Signature": headers["Stripe-Signature"].replace("v1=", "v0=")}, body)

    def test_two_headers_are_refused(self) -> None:
        bench = opened()
        headers, body = bench.stripe.sign(json.dumps(EVENT).encode())
        with pytest.raises(BadWebhook, match="no_signature"):
            bench.gateway.read_webhook({**headers, "stripe-signature": "t=1,v1=0"}, body)

    def test_two_times_are_refused(self) -> None:
        bench = opened()
        headers, body = bench.stripe.sign(json.dumps(EVENT).encode())
        with pytest.raises(BadWebhook, match="no_timestamp"):
            bench.gateway.read_webhook({"Stripe-Signature": f"t=1,{headers['Stripe-Signature']}"}, body)


class TestTheTime:
    @pytest.mark.parametrize("age", [timedelta(minutes=5), timedelta(0), timedelta(minutes=-5)])
    def test_five_minutes_either_way_are_allowed(self, age: timedelta) -> None:
        assert read(opened(), EVENT, age=age).id == "evt_1"

    @pytest.mark.parametrize(
        ("age", "reason"),
        [
            (timedelta(minutes=5, seconds=1), "too_old"),
            (timedelta(minutes=-5, seconds=-1), "from_the_future"),
            (timedelta(days=-365), "from_the_future"),
        ],
    )
    def test_more_is_refused_on_both_sides(self, age: timedelta, reason: str) -> None:
        with pytest.raises(BadWebhook, match=reason):
            read(opened(), EVENT, age=age)

    def test_stripe_s_own_library_would_take_one_from_next_year(self) -> None:
        """Why its check is not used: the day when this fails, it could be."""
        bench = opened()
        headers, body = bench.stripe.sign(json.dumps(EVENT).encode(), age=timedelta(days=-3650))
        stripe.WebhookSignature.verify_header(body, headers["Stripe-Signature"], bench.stripe.webhook_secret, 300)


class TestTheAddress:
    def test_another_account_is_refused(self) -> None:
        for bench, event in (
            (opened(), {**EVENT, "account": "acct_other"}),
            (opened(account="acct_shop"), {**EVENT, "account": "acct_other"}),
            (opened(account="acct_shop"), EVENT),
        ):
            with pytest.raises(BadWebhook, match="wrong_account"):
                read(bench, event)

    def test_its_own_connected_account_is_read(self) -> None:
        assert read(opened(account="acct_shop"), {**EVENT, "account": "acct_shop"}).id == "evt_1"

    @pytest.mark.parametrize("livemode", [True, False])
    def test_the_other_mode_is_refused(self, livemode: bool) -> None:
        bench = opened()
        gateway = StripeGateway(
            bench.stripe.client, webhook_secret=bench.stripe.webhook_secret, livemode=livemode, clock=bench.clock
        )
        same, other = ({**EVENT, "livemode": mode} for mode in (livemode, not livemode))
        assert gateway.read_webhook(*bench.stripe.sign(json.dumps(same).encode())).id == "evt_1"
        for wrong in (other, {"id": "evt_2", "type": "x"}):
            with pytest.raises(BadWebhook, match="wrong_mode"):
                gateway.read_webhook(*bench.stripe.sign(json.dumps(wrong).encode()))


class TestTheBody:
    def test_too_many_bytes_are_refused_before_anything_else(self) -> None:
        with pytest.raises(BadWebhook, match="too_large"):
            opened().gateway.read_webhook({}, b" " * (MOST_BYTES + 1))

    @pytest.mark.parametrize(
        ("body", "reason"),
        [(b"[" * 100_000, "not_json"), (b"\xff", "not_json"), (b"[]", "not_an_event"), (b"1", "not_an_event")],
        ids=["deep", "no text", "list", "number"],
    )
    def test_what_is_no_event_is_refused_though_it_is_signed(self, body: bytes, reason: str) -> None:
        bench = opened()
        with pytest.raises(BadWebhook, match=reason):
            bench.gateway.read_webhook(*bench.stripe.sign(body))

    @pytest.mark.parametrize(
        "event",
        [
            {"id": "evt_1", "type": "nobody.knows"},
            {"id": "evt_1", "type": "nobody.knows", "data": None},
            {"id": "evt_1", "type": "nobody.knows", "data": {"object": {"object": "moon", "metadata": [1]}}},
            {"id": "evt_1", "type": "nobody.knows", "data": {"object": {"object": "moon", "payment_intent": None}}},
        ],
    )
    def test_unknown_kinds_and_shapes_are_read_all_the_same(self, event: object) -> None:
        assert read(opened(), event) == Notice("", "nobody.knows", "evt_1")


class TestWhatItIsAbout:
    def test_an_event_keeps_its_id_however_often_it_comes(self) -> None:
        bench = paid()
        sent = list(bench.stripe.webhooks())
        once, again = ([bench.gateway.read_webhook(*one) for one in sent] for _ in range(2))
        assert once == again
        assert len({notice.id for notice in once}) == len(sent)

    def test_payments_charges_and_refunds_name_our_payment(self) -> None:
        bench = paid()
        bench.refund(100)
        notices = told(bench)
        assert {"payment_intent.succeeded", "charge.succeeded", "refund.created"} <= notices.keys()
        assert {notice.payment for notice in notices.values()} == {PAYMENT}

    def test_a_lapse_names_our_payment(self) -> None:
        bench = opened()
        bench.authorise()
        bench.clock.advance(days=8)
        assert told(bench)["payment_intent.canceled"].payment == PAYMENT

    def test_a_reader_names_the_payment_that_it_took(self) -> None:
        bench = opened(Enabled(readers=True))
        bench.collect()
        bench.stripe.present_card(READER)
        assert told(bench)["terminal.reader.action_succeeded"].payment == PAYMENT

    def test_a_refund_by_hand_names_the_payment_that_it_is_of(self) -> None:
        bench = paid()
        bench.stripe.client.v1.refunds.create({"payment_intent": bench.stripe.payments[0].id, "amount": 100})
        assert told(bench)["refund.created"].payment == PAYMENT

    def test_a_payment_that_is_not_ours_names_none(self) -> None:
        bench = opened()
        bench.stripe.client.v1.payment_intents.create({"amount": 700, "currency": "eur"})
        assert told(bench)["payment_intent.created"].payment == ""

    def test_a_foreign_charge_costs_no_question(self) -> None:
        """Much else may happen on the same account."""
        bench = opened()
        charge = {"object": "charge", "id": "ch_1", "payment_intent": "pi_1", "metadata": {}}
        assert read(bench, {**EVENT, "data": {"object": charge}}).payment == ""
        assert bench.stripe.requests == ()

    def test_what_can_t_be_asked_now_is_no_notice(self) -> None:
        """Stripe sends it again."""
        bench = paid()
        bench.stripe.dispute(PAYMENT)
        *_, last = bench.stripe.webhooks()
        bench.stripe.drop_next_request(reading=True)
        with pytest.raises(GatewayTimeout):
            bench.gateway.read_webhook(*last)


class TestDisputes:
    def test_what_the_bank_takes_is_told(self) -> None:
        bench = paid()
        bench.stripe.dispute(PAYMENT, 400)
        notice = told(bench)["charge.dispute.created"]
        assert (notice.payment, notice.disputed) == (PAYMENT, euros(400))

    def test_several_are_told_all_in_all(self) -> None:
        bench = paid()
        bench.stripe.dispute(PAYMENT, 400)
        bench.stripe.dispute(PAYMENT, 100)
        assert told(bench)["charge.dispute.created"].disputed == euros(500)

    @pytest.mark.parametrize(("status", "left"), [("won", 0), ("lost", 1000), ("warning_closed", 0)])
    def test_what_is_left_of_it_when_it_is_settled(self, status: str, left: int) -> None:
        bench = paid()
        bench.stripe.dispute(PAYMENT)
        bench.stripe.close_dispute(PAYMENT, status)
        assert told(bench)["charge.dispute.closed"].disputed == euros(left)

    def test_an_old_webhook_tells_what_is_so_now(self) -> None:
        """What is in dispute is fetched, so that the order of arrival makes no difference."""
        bench = paid()
        bench.stripe.dispute(PAYMENT)
        *_, opening = bench.stripe.webhooks()
        bench.stripe.close_dispute(PAYMENT)
        assert bench.gateway.read_webhook(*opening).disputed == euros(0)

    def test_the_card_that_is_disputed_is_disputed(self) -> None:
        bench = opened()
        bench.authorise("pm_card_createDispute", now=True)
        assert told(bench)["charge.dispute.created"].disputed == euros(1000)

    def test_other_news_of_a_disputed_payment_moves_nothing(self) -> None:
        bench = paid()
        bench.stripe.dispute(PAYMENT)
        assert told(bench)["payment_intent.succeeded"].disputed is None
