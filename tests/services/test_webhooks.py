"""Webhooks: what a provider says is looked up, never believed, and has its effect once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from omniorder import Order, OrderState, PaymentState, Stage
from omniorder.errors import GatewayTimeout, PaymentDeclined, TenderUnsupported
from omniorder.ports.payments import Authorise, Notice
from omniorder.testing import webhooks as signing
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import NEEDS_3DS, REPLY_LOST, VISA, level, names, placed, refused
from tests.services.unruly import unruly_shop


def told(shop: Shop, order: Order, kind: str = "payment.updated") -> tuple[int, str]:
    """The provider's webhook about the order's payment, delivered."""
    headers, body = shop.gateway.signed_webhook(order.payments[0], kind)
    reply = shop.hub.webhook("card", headers=headers, body=body)
    return reply.status, reply.body


def test_a_finished_3d_secure_confirms_the_order(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    shop.gateway.complete_action(order.payments[0])
    assert told(shop, order) == (200, "ok")
    after = shop.app.orders.get(order.id)
    assert after.state is OrderState.CONFIRMED
    last = shop.office.orders.timeline(order.id).items[-1]
    assert (last.stamp.channel.value, last.stamp.actor) == ("system", "system:webhook")


def test_a_webhook_twice_has_one_effect_and_is_answered_both_times(shop: Shop, stored: Callable[[], Rows]) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    shop.gateway.complete_action(order.payments[0])
    headers, body = shop.gateway.signed_webhook(order.payments[0], "payment.updated")
    assert shop.hub.webhook("card", headers=headers, body=body).status == 200
    before = stored()
    assert shop.hub.webhook("card", headers=headers, body=body).status == 200
    assert stored() == before


def test_what_a_webhook_claims_is_not_believed(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    assert told(shop, order, "payment.succeeded")[0] == 200
    assert shop.app.orders.get(order.id).state is OrderState.PLACED


def test_webhooks_in_any_order_never_take_a_state_back(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    early = shop.gateway.signed_webhook(order.payments[0], "payment.requires_action")
    shop.gateway.complete_action(order.payments[0])
    late = shop.gateway.signed_webhook(order.payments[0], "payment.authorised")
    for headers, body in (late, early):
        assert shop.hub.webhook("card", headers=headers, body=body).status == 200
    assert shop.app.orders.get(order.id).state is OrderState.CONFIRMED


def test_a_failed_3d_secure_leaves_the_order_for_another_tender(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    shop.gateway.fail_action(order.payments[0])
    assert told(shop, order)[0] == 200
    refused(PaymentDeclined, shop.app.checkout.resume, order.id)
    assert shop.app.checkout.place(order.promise_id, pay=VISA).state is OrderState.CONFIRMED


def test_news_of_a_lost_reply_confirms_the_order_before_any_sweep(shop: Shop) -> None:
    order = placed(shop, pay=REPLY_LOST)
    assert told(shop, order)[0] == 200
    assert shop.app.orders.get(order.id).state is OrderState.CONFIRMED


def test_money_that_arrives_for_an_ended_order_is_sent_back_at_once(shop: Shop) -> None:
    shop.gateway.drop_next_request()
    order = placed(shop)
    shop.advance(minutes=16)
    assert shop.app.orders.get(order.id).stage is Stage.EXPIRED
    attempt = order.payments[0].attempts[0]
    shop.gateway.authorise(Authorise(order.payments[0].id, attempt.id, order.id, "pm_card_visa", order.total))

    told(shop, order)
    after = shop.app.orders.get(order.id)
    assert (after.stage, after.payments[0].state) == (Stage.EXPIRED, PaymentState.VOIDED)
    assert [p.open.amount for p in shop.gateway.payments] == [0]
    story = names(shop, order)
    assert story.index("LateAuthorised") == story.index("FoundLate") + 1
    assert level(shop) == (40, 0)
    shop.advance(minutes=1)
    assert told(shop, order) == (200, "ok")


def test_a_webhook_that_the_provider_can_not_explain_yet_is_kept_and_followed_later(open_shop: OpenShop) -> None:
    shop, gateway = unruly_shop(open_shop)
    order = placed(shop, pay=NEEDS_3DS)
    gateway.complete_action(order.payments[0])
    gateway.down = True
    assert told(shop, order) == (200, "ok")
    gateway.down = False
    shop.advance(seconds=40)
    assert shop.app.orders.get(order.id).state is OrderState.CONFIRMED


def only_webhook(before: Rows, after: Rows) -> str:
    """The one row that is new, which must be a webhook's."""
    new = {name: [row for row in rows if row not in before[name]] for name, rows in after.items()}
    ((name, rows),) = [(name, rows) for name, rows in new.items() if rows]
    assert name in ("webhooks", "omniorder_webhook")
    assert len(rows) == 1
    return repr(rows[0])


# --- not to be trusted ------------------------------------------------------------------------------------


Spoil = Callable[[dict[str, str]], dict[str, str]]


def _forged(headers: dict[str, str]) -> dict[str, str]:
    moment = headers["Fake-Signature"].partition(",")[0]
    return {**headers, "Fake-Signature": f"{moment},v1={'0' * 64}"}


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(_forged, id="forged"),
        pytest.param(lambda headers: {}, id="without a signature"),
        pytest.param(lambda headers: {"Fake-Signature": "nonsense"}, id="malformed"),
        pytest.param(lambda headers: {"Fake-Signature": "t=1,v1=é"}, id="not ASCII"),
    ],
)
def test_what_is_not_signed_is_refused_and_nothing_is_asked_or_written(
    shop: Shop, stored: Callable[[], Rows], spoil: Spoil
) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    shop.gateway.complete_action(order.payments[0])
    headers, body = shop.gateway.signed_webhook(order.payments[0], "payment.updated")
    before, asked = stored(), len(shop.gateway.requests)
    assert shop.hub.webhook("card", headers=spoil(headers), body=body).status == 400
    assert (stored(), len(shop.gateway.requests)) == (before, asked)


@pytest.mark.parametrize("spoil", [_forged, lambda headers: {**headers, "Fake-Signature": "t=1,v1=é"}])
def test_a_signature_that_nobody_looks_at_would_be_found(
    shop: Shop, stored: Callable[[], Rows], spoil: Spoil, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control: without it a forged webhook is followed."""
    monkeypatch.setattr(signing, "_verify", lambda *_: None)
    with pytest.raises(AssertionError):
        test_what_is_not_signed_is_refused_and_nothing_is_asked_or_written(shop, stored, spoil)


def test_a_webhook_for_another_account_is_refused_although_it_is_signed(shop: Shop, stored: Callable[[], Rows]) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    shop.gateway.complete_action(order.payments[0])
    told = {"id": "evt_1", "account": "acct_other", "type": "x", "data": {"payment": order.payments[0].id}}
    headers, body = shop.gateway.sign(json.dumps(told).encode())
    before, asked = stored(), len(shop.gateway.requests)
    assert shop.hub.webhook("card", headers=headers, body=body).status == 400
    assert (stored(), len(shop.gateway.requests)) == (before, asked)


def test_an_account_that_nobody_compares_would_be_found(
    shop: Shop, stored: Callable[[], Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control."""
    monkeypatch.setattr(shop.gateway, "_account", "acct_other")
    with pytest.raises(AssertionError):
        test_a_webhook_for_another_account_is_refused_although_it_is_signed(shop, stored)


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(days=-365)], ids=["too old", "from the future"])
def test_a_timestamp_that_is_too_far_off_is_refused(shop: Shop, stored: Callable[[], Rows], age: timedelta) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    shop.gateway.complete_action(order.payments[0])
    headers, body = shop.gateway.signed_webhook(order.payments[0], "payment.updated", age=age)
    before = stored()
    assert shop.hub.webhook("card", headers=headers, body=body).status == 400
    assert stored() == before


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(days=-365)], ids=["too old", "from the future"])
def test_a_timestamp_that_nobody_compares_would_be_found(
    shop: Shop, stored: Callable[[], Rows], age: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control."""
    monkeypatch.setattr(signing, "TOLERANCE", 10**9)
    with pytest.raises(AssertionError):
        test_a_timestamp_that_is_too_far_off_is_refused(shop, stored, age)


def test_of_two_signatures_one_that_is_right_is_enough(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    shop.gateway.complete_action(order.payments[0])
    headers, body = shop.gateway.signed_webhook(order.payments[0], "payment.updated")
    moment, right = headers["Fake-Signature"].split(",")
    headers["Fake-Signature"] = f"{moment},v1={'0' * 64},{right}"
    assert shop.hub.webhook("card", headers=headers, body=body).status == 200


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"type":"a","type":"b","data":{"payment":"x"}}', id="duplicate keys"),
        pytest.param(b"[" * 10_000 + b"]" * 10_000, id="depth 10,000"),
        pytest.param(b'{"type":"' + b"x" * 10_000_000 + b'"}', id="10 MB"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_a_body_that_no_provider_sends_is_refused_although_it_is_signed(
    shop: Shop, stored: Callable[[], Rows], body: bytes
) -> None:
    headers, signed = shop.gateway.sign(body)
    before = stored()
    assert shop.hub.webhook("card", headers=headers, body=signed).status == 400
    assert stored() == before


@pytest.mark.parametrize(
    ("guard", "body"),
    [
        pytest.param("_without_repeats", b'{"type":"a","type":"b","data":{"payment":"x"}}', id="duplicate keys"),
        pytest.param("_depth", b'{"type":"a","data":' + b"[" * 900 + b"]" * 900 + b"}", id="depth 900"),
        pytest.param("MOST_BYTES", b'{"type":"' + b"x" * 10_000_000 + b'"}', id="10 MB"),
    ],
)
def test_a_body_that_nobody_measures_would_be_found(
    shop: Shop, stored: Callable[[], Rows], guard: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control. (Somewhere beyond this depth Python's own parser gives up, in its own way.)"""
    without: dict[str, object] = {"_without_repeats": dict, "_depth": lambda _: 0, "MOST_BYTES": 10**9}
    monkeypatch.setattr(signing, guard, without[guard])
    with pytest.raises(AssertionError):
        test_a_body_that_no_provider_sends_is_refused_although_it_is_signed(shop, stored, body)


# --- not ours, or not yet ---------------------------------------------------------------------------------


def test_an_event_of_another_kind_is_accepted_and_recorded(shop: Shop, stored: Callable[[], Rows]) -> None:
    before = stored()
    headers, body = shop.gateway.sign(json.dumps({"id": "evt_1", "type": "payout.paid"}).encode())
    assert shop.hub.webhook("card", headers=headers, body=body).status == 200
    row = only_webhook(before, stored())
    assert all(word in row for word in ("evt_1", "payout.paid", "ignored"))


@pytest.mark.parametrize(
    "payment",
    ["pi_somebody_elses", "", "pay_", "pay_a_b_c", "pay_SOF01_7K3F9Q", "pay_SOF01_\x00_1", "pay_SOF01_'--_1", "📦"],
)
def test_a_payment_that_is_not_ours_is_accepted_recorded_and_left_alone(
    shop: Shop, stored: Callable[[], Rows], payment: str
) -> None:
    """Recorded without what is called a payment there, which may be anything at all."""
    before, asked = stored(), len(shop.gateway.requests)
    headers, body = shop.gateway.signed_webhook(payment, "payment.updated")
    assert shop.hub.webhook("card", headers=headers, body=body).status == 200
    row = only_webhook(before, stored())
    assert "ignored" in row
    assert payment not in row or payment in ("", "pay_")
    assert len(shop.gateway.requests) == asked


def test_a_tender_that_nobody_serves_has_no_webhooks(shop: Shop) -> None:
    assert refused(TenderUnsupported, shop.hub.webhook, "voucher", headers={}, body=b"").facts["tender"] == "voucher"


def test_a_webhook_about_which_the_provider_has_to_be_asked_in_vain_is_to_be_brought_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers, body = shop.gateway.signed_webhook(placed(shop).payments[0].id, "dispute.created")

    def silent(headers: Mapping[str, str], body: bytes) -> Notice:
        raise GatewayTimeout(gateway="fake", reason="no reply")

    monkeypatch.setattr(shop.gateway, "read_webhook", silent)
    reply = shop.hub.webhook("card", headers=headers, body=body)
    assert (reply.status, reply.body) == (503, "gateway.timeout")
    monkeypatch.undo()
    assert shop.hub.webhook("card", headers=headers, body=body).status == 200
