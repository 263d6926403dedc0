"""The inbox of webhooks: what came is kept, has its effect once, and is followed until it could be."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from attrs import evolve

from omniorder import Order, OrderState, PaymentState, Settings
from omniorder.domain import ids
from omniorder.domain import webhooks as news
from omniorder.domain.webhooks import Webhook, WebhookState
from omniorder.errors import AlreadyThere, StorageUnavailable
from omniorder.ports.payments import Approved, Authorise, Denied, LookUp, NeedsAction, Notice
from omniorder.services import payments, units, webhooks
from omniorder.services.parts import Parts
from omniorder.testing.clock import FakeClock
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.shop import Shop
from tests.concurrency.threads import at_once
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import NEEDS_3DS, names, placed
from tests.services.unruly import Killed, UnrulyGateway, unruly_shop

Sent = tuple[Mapping[str, str], bytes]
UNKNOWN = "SOF01-7K3F9Q"


def waiting(shop: Shop) -> tuple[Order, Sent]:
    """An order whose customer has just done what the bank wanted, and the webhook about it."""
    order = placed(shop, pay=NEEDS_3DS)
    shop.gateway.complete_action(order.payments[0])
    return order, shop.gateway.signed_webhook(order.payments[0], "payment.updated")


def bring(shop: Shop, sent: Sent) -> tuple[int, str]:
    headers, body = sent
    reply = shop.hub.webhook("card", headers=headers, body=body)
    return reply.status, reply.body


def kept(shop: Shop, sent: Sent) -> Webhook | None:
    """What the storage holds of this webhook."""
    told = json.loads(sent[1])
    same = news.received("card", told["id"], "", told["data"]["payment"], b"", shop.clock.now())
    with shop.hub._parts.storage.reading() as tx:
        return tx.webhook(same.id)


def state(shop: Shop, sent: Sent) -> WebhookState | None:
    found = kept(shop, sent)
    return None if found is None else found.state


def look_ups(shop: Shop) -> int:
    return sum(isinstance(request, LookUp) for request in shop.gateway.requests)


def rows(stored: Callable[[], Rows]) -> int:
    """How many webhooks are stored."""
    return sum(len(found) for name, found in stored().items() if "webhook" in name)


def keep_whatever_comes(patch: pytest.MonkeyPatch) -> None:
    """Take no notice of what came before."""
    keep = webhooks._keep

    def unguarded(*args: Any) -> bool:
        keep(*args)
        return True

    patch.setattr(webhooks, "_keep", unguarded)


# --- once -------------------------------------------------------------------------------------------------


def test_the_same_webhook_twice_is_one_row_and_asked_about_once(shop: Shop, stored: Callable[[], Rows]) -> None:
    order, sent = waiting(shop)
    assert [bring(shop, sent), bring(shop, sent)] == [(200, "ok"), (200, "ok")]
    assert (rows(stored), look_ups(shop)) == (1, 1)
    assert shop.app.orders.get(order.id).state is OrderState.CONFIRMED
    assert state(shop, sent) is WebhookState.FOLLOWED


def test_a_repetition_that_is_followed_would_be_found(
    shop: Shop, stored: Callable[[], Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control."""
    keep_whatever_comes(monkeypatch)
    with pytest.raises(AssertionError):
        test_the_same_webhook_twice_is_one_row_and_asked_about_once(shop, stored)


def brought_at_once(shop: Shop, stored: Callable[[], Rows]) -> None:
    order = placed(shop)
    sent = shop.gateway.signed_webhook(order.payments[0], "payment.updated")
    assert at_once([partial(bring, shop, sent)] * 4) == [(200, "ok")] * 4
    assert (rows(stored), look_ups(shop)) == (1, 1)
    assert state(shop, sent) is WebhookState.FOLLOWED


def test_the_same_webhook_four_times_at_once_has_one_effect_and_is_answered_each_time(
    shop: Shop, stored: Callable[[], Rows]
) -> None:
    brought_at_once(shop, stored)


def test_webhooks_at_once_without_the_guard_would_be_found(
    shop: Shop, stored: Callable[[], Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control."""
    keep_whatever_comes(monkeypatch)
    with pytest.raises(AssertionError):
        brought_at_once(shop, stored)


def test_other_news_of_the_same_payment_is_another_webhook(shop: Shop, stored: Callable[[], Rows]) -> None:
    order, sent = waiting(shop)
    bring(shop, sent)
    bring(shop, shop.gateway.signed_webhook(order.payments[0], "payment.updated"))
    assert rows(stored) == 2


def test_without_an_id_of_the_providers_the_same_body_is_the_same_webhook(
    shop: Shop, stored: Callable[[], Rows]
) -> None:
    order = placed(shop)
    for kind in ("a", "b", "a"):
        assert bring(shop, without_an_id(shop, order, kind)) == (200, "ok")
    assert rows(stored) == 2


def without_an_id(shop: Shop, order: Order, kind: str) -> Sent:
    body = json.dumps({"type": kind, "data": {"payment": order.payments[0].id}}).encode()
    return shop.gateway.sign(body)


def test_without_an_id_the_same_body_may_be_other_news_and_is_followed_again(
    shop: Shop, stored: Callable[[], Rows]
) -> None:
    order = placed(shop)
    bring(shop, without_an_id(shop, order, "updated"))
    shop.gateway.expire(order.payments[0])
    bring(shop, without_an_id(shop, order, "updated"))
    assert shop.app.orders.get(order.id).payments[0].state is PaymentState.LAPSED
    assert rows(stored) == 1


def test_nothing_else_of_what_was_sent_is_stored(shop: Shop, stored: Callable[[], Rows]) -> None:
    """No payload, and nobody's personal data."""
    order = placed(shop)
    told = {"id": "evt_1", "type": "x", "data": {"payment": order.payments[0].id, "email": "anna@example.com"}}
    bring(shop, shop.gateway.sign(json.dumps(told).encode()))
    assert "anna@example.com" not in repr(stored())


# --- not yet ----------------------------------------------------------------------------------------------


def before_the_order(shop: Shop, patch: pytest.MonkeyPatch) -> tuple[Order, Sent]:
    """A webhook that overtook the commit of the order that it is about; its authorisation has ended meanwhile."""
    patch.setattr(ids, "order_id", lambda *_: UNKNOWN)
    sent = shop.gateway.signed_webhook(ids.payment_id(UNKNOWN, 1), "payment.updated")
    assert bring(shop, sent) == (200, "ok")
    order = placed(shop)
    assert order.id == UNKNOWN
    shop.gateway.expire(order.payments[0])
    return order, sent


def test_a_webhook_before_our_own_commit_is_parked_and_followed_by_the_sweep(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, sent = before_the_order(shop, monkeypatch)
    assert state(shop, sent) is WebhookState.PARKED
    report = shop.advance(seconds=40)
    assert shop.app.orders.get(order.id).payments[0].state is PaymentState.LAPSED
    assert state(shop, sent) is WebhookState.FOLLOWED
    assert report.happened == {"AuthorisationLapsed": 1, "FundingLost": 1, "TenderAdded": 1, "LeftForStore": 1}


def test_a_webhook_that_is_dropped_because_it_came_early_would_be_found(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control."""
    monkeypatch.setattr(news, "parked", news.ignored)
    with pytest.raises(AssertionError):
        test_a_webhook_before_our_own_commit_is_parked_and_followed_by_the_sweep(shop, monkeypatch)


class TellsBeforeItAnswers(FakeGateway):
    """Its webhook is here before the answer to the call itself is."""

    shop: Shop
    replies: tuple[tuple[int, str], ...] = ()

    def authorise(self, request: Authorise) -> Approved | NeedsAction | Denied:
        answer = super().authorise(request)
        self.replies += (bring(self.shop, self.signed_webhook(request.payment, "payment.authorised")),)
        return answer


def test_a_webhook_before_the_answer_to_the_call_itself_changes_nothing(open_shop: OpenShop) -> None:
    clock = FakeClock()
    gateway = TellsBeforeItAnswers(clock=clock)
    gateway.shop = shop = open_shop(clock=clock, gateway=gateway)
    order = placed(shop)
    assert gateway.replies == ((200, "ok"),)
    assert order.state is OrderState.CONFIRMED
    assert names(shop, order).count("Authorised") == 1
    assert list(gateway.effects.values()) == [1]


def test_a_webhook_that_can_not_be_followed_is_tried_again_with_growing_pauses(shop: Shop) -> None:
    sent = shop.gateway.signed_webhook(ids.payment_id(UNKNOWN, 1), "payment.updated")
    bring(shop, sent)
    tries: list[int] = []
    for _ in range(4):
        shop.advance(minutes=30)
        found = kept(shop, sent)
        assert found is not None
        tries.append(found.tries)
    assert tries[0] > 1
    assert tries == sorted(tries)
    for _ in range(2 * 60):
        shop.advance(minutes=1)
    found = kept(shop, sent)
    assert found is not None
    assert found.tries <= 10, "eight doublings of half a minute are two hours"
    assert found.state is WebhookState.PARKED


def test_a_payment_that_never_comes_to_be_is_given_up_with_an_alarm_and_forgotten(
    open_shop: OpenShop, caplog: pytest.LogCaptureFixture
) -> None:
    shop = open_shop(settings=Settings(webhook_retention=timedelta(days=3)))
    sent = shop.gateway.signed_webhook(ids.payment_id(UNKNOWN, 1), "payment.updated")
    bring(shop, sent)
    for _ in range(11):
        shop.advance(hours=7)
        if kept(shop, sent) is None:
            break
        assert state(shop, sent) is WebhookState.PARKED
    assert kept(shop, sent) is None
    assert [record.levelname for record in caplog.records if "never came to be" in record.getMessage()] == ["ERROR"]


def test_a_process_that_dies_before_it_has_followed_a_webhook_leaves_it_to_the_sweep(open_shop: OpenShop) -> None:
    shop, gateway = unruly_shop(open_shop)
    order, sent = waiting(shop)
    died(shop, gateway, sent)
    shop.advance(seconds=40)
    assert state(shop, sent) is WebhookState.FOLLOWED
    assert shop.app.orders.get(order.id).state is OrderState.CONFIRMED


def died(shop: Shop, gateway: UnrulyGateway, sent: Sent) -> None:
    gateway.kill_before = "look_up"
    with pytest.raises(Killed):
        bring(shop, sent)
    assert state(shop, sent) is WebhookState.PARKED
    assert bring(shop, sent) == (200, "ok")


def test_a_webhook_without_a_timer_would_be_found(open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control."""
    timer = webhooks._timer
    monkeypatch.setattr(webhooks, "_timer", lambda *args: evolve(timer(*args), due_at=None))
    with pytest.raises(AssertionError):
        test_a_process_that_dies_before_it_has_followed_a_webhook_leaves_it_to_the_sweep(open_shop)


def test_a_fault_of_our_own_parks_the_webhook(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    order, sent = waiting(shop)
    with monkeypatch.context() as broken:
        broken.setattr(payments, "record", lambda *_: 1 / 0)
        assert bring(shop, sent) == (200, "ok")
    assert state(shop, sent) is WebhookState.PARKED
    shop.advance(seconds=40)
    assert state(shop, sent) is WebhookState.FOLLOWED
    assert shop.app.orders.get(order.id).state is OrderState.CONFIRMED


def test_a_webhook_that_can_not_be_kept_is_to_be_brought_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    _, sent = waiting(shop)

    def lost(*_: object) -> None:
        raise StorageUnavailable(reason="gone")

    with monkeypatch.context() as broken:
        broken.setattr(webhooks, "in_transaction", lost)
        assert bring(shop, sent) == (503, "storage.unavailable")
    assert kept(shop, sent) is None
    assert bring(shop, sent) == (200, "ok")


def test_when_the_news_of_the_commit_is_lost_the_sweep_follows_the_webhook(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is on record, so it looks like one that came before; its timer is on record too."""
    order, sent = waiting(shop)

    def kept_already(parts: Parts, stamp: Any, work: Callable[[units.Unit], Any]) -> None:
        units.in_transaction(parts, stamp, work)
        raise AlreadyThere(kind="webhook", id="whk")

    with monkeypatch.context() as broken:
        broken.setattr(webhooks, "in_transaction", kept_already)
        assert bring(shop, sent) == (200, "ok")
    assert state(shop, sent) is WebhookState.PARKED
    shop.advance(seconds=40)
    assert state(shop, sent) is WebhookState.FOLLOWED
    assert shop.app.orders.get(order.id).state is OrderState.CONFIRMED


# --- no webhook at all ------------------------------------------------------------------------------------


def silent_for_days(open_shop: OpenShop) -> None:
    shop, gateway = unruly_shop(open_shop)
    order = placed(shop)
    gateway.down = True
    shop.app.orders.cancel(order.id)
    for _ in range(6):
        shop.advance(hours=12)
    assert shop.app.orders.get(order.id).payments[0].state is PaymentState.VOIDING
    gateway.down = False
    shop.advance(minutes=1)
    assert shop.app.orders.get(order.id).payments[0].state is PaymentState.VOIDED
    assert [p.open.amount for p in gateway.payments] == [0]


def test_a_provider_that_was_silent_for_days_is_asked_by_the_sweep_without_any_webhook(open_shop: OpenShop) -> None:
    silent_for_days(open_shop)


def test_a_sweep_that_waits_for_webhooks_would_be_found(open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control."""
    drive = payments.drive
    monkeypatch.setattr(payments, "drive", lambda parts, order, stamp, **_: drive(parts, order, stamp))
    with pytest.raises(AssertionError):
        silent_for_days(open_shop)


# --- kept, and forgotten ----------------------------------------------------------------------------------


def test_a_followed_webhook_is_known_again_until_the_retention_is_over(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(settings=Settings(webhook_retention=timedelta(days=2)))
    _, sent = waiting(shop)
    bring(shop, sent)
    shop.advance(days=2, seconds=-1)
    assert state(shop, sent) is WebhookState.FOLLOWED
    shop.advance(seconds=2)
    assert kept(shop, sent) is None


# --- several in one request -------------------------------------------------------------------------------


class Batches:
    """A provider that sends a list, and wants a certain answer; otherwise the usual one."""

    webhook_reply = "[accepted]"

    def __init__(self, usual: FakeGateway) -> None:
        self._usual = usual

    def __getattr__(self, name: str) -> Any:
        return getattr(self._usual, name)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[Notice, ...]:
        told = json.loads(body)["items"]
        return tuple(Notice(one["payment"], "updated", one["id"]) for one in told)


def test_each_notice_of_a_batch_is_kept_and_followed_and_the_provider_hears_what_it_wants(
    open_shop: OpenShop,
) -> None:
    clock = FakeClock()
    usual = FakeGateway(clock=clock)
    shop = open_shop(clock=clock, gateway=usual, gateways={"card": Batches(usual)})
    orders = [placed(shop, pay=NEEDS_3DS) for _ in range(3)]
    items = [{"id": str(number), "payment": order.payments[0].id} for number, order in enumerate(orders)]
    for order in orders:
        shop.gateway.complete_action(order.payments[0])
    assert bring(shop, ({}, json.dumps({"items": items[:1]}).encode())) == (200, "[accepted]")
    assert bring(shop, ({}, json.dumps({"items": items}).encode())) == (200, "[accepted]")
    assert {shop.app.orders.get(order.id).state for order in orders} == {OrderState.CONFIRMED}
    assert look_ups(shop) == 3
    assert bring(shop, ({}, b'{"items": []}')) == (200, "[accepted]")
