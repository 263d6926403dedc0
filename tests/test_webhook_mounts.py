"""The mounts on the page "Webhooks", each driven by its framework's own test client: the same answers from all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import RequestFactory
from fastapi.testclient import TestClient
from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser

from omniorder import Card, OrderHub, OrderState
from omniorder.testing import Shop
from omniorder.testing.webhooks import HEADER

ROOT = Path(__file__).parent.parent
MOUNTS = ["starlette", "fastapi", "django", "flask"]

Post = Callable[[Mapping[str, str], bytes], tuple[int, str]]


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """The names that the page's code makes."""
    document = Sybil(parsers=[PythonCodeBlockParser()], path=str(ROOT)).parse(ROOT / "docs" / "webhooks.md")
    for block in document.examples():
        block.evaluate()
    return document.namespace


@pytest.fixture
def shop(page: dict[str, Any]) -> Iterator[Shop]:
    """A shop whose hub is the page's."""
    with Shop.example() as example:
        page["hub"] = example.hub
        yield example


@pytest.fixture(params=MOUNTS)
def post(request: pytest.FixtureRequest, page: dict[str, Any], shop: Shop) -> Post:
    """Sends a webhook to one of the mounts; its status and text."""
    match request.param:
        case "starlette" | "fastapi":
            client = TestClient(page["app" if request.param == "starlette" else "api"])

            def over_http(headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
                response = client.post("/webhooks/card", content=body, headers=dict(headers))
                return response.status_code, response.text

            return over_http
        case "flask":

            def to_flask(headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
                response = page["flask_app"].test_client().post("/webhooks/card", data=body, headers=dict(headers))
                return response.status_code, response.text

            return to_flask
        case _:
            if not settings.configured:
                settings.configure(ALLOWED_HOSTS=["testserver"])

            def to_django(headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
                request = RequestFactory().post("/", body, content_type="application/json", headers=dict(headers))
                response = page["card_view"](request)
                return response.status_code, response.content.decode()

            return to_django


def waiting(shop: Shop) -> tuple[str, Mapping[str, str], bytes]:
    """An order whose customer has done what the bank wanted, and the webhook about that."""
    order = shop.app.checkout.place(shop.promise().id, pay=Card("pm_card_3ds"))
    shop.gateway.complete_action(order.payments[0])
    return order.id, *shop.gateway.signed_webhook(order.payments[0], "payment.updated")


def test_a_webhook_confirms_the_order_and_is_answered_twice(shop: Shop, post: Post) -> None:
    order, headers, body = waiting(shop)
    assert [post(headers, body), post(headers, body)] == [(200, "ok"), (200, "ok")]
    assert shop.app.orders.get(order).state is OrderState.CONFIRMED


def test_a_forged_webhook_is_answered_with_400(shop: Shop, post: Post) -> None:
    order, headers, body = waiting(shop)
    assert post({**headers, HEADER: "t=1,v1=00"}, body) == (400, "webhook.bad")
    assert shop.app.orders.get(order).state is OrderState.PLACED


def test_a_body_that_is_not_as_it_was_signed_is_answered_with_400(shop: Shop, post: Post) -> None:
    """Not even by a space: nothing in between may have parsed it."""
    _, headers, body = waiting(shop)
    assert post(headers, body + b" ") == (400, "webhook.bad")


@pytest.mark.parametrize("post", ["starlette", "fastapi", "flask"], indirect=True)
def test_a_body_that_is_too_large_does_not_get_through(shop: Shop, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OrderHub, "webhook", lambda *_, **__: pytest.fail("it got through"))
    assert post({}, b"x" * (1024 * 1024 + 1))[0] == 413
