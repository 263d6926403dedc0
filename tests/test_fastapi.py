"""The program of the page "Use it from FastAPI", driven as a browser and a handheld would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fastapi_shop
import pytest
from fastapi import Request
from fastapi.testclient import TestClient
from httpx2 import Response

from omniorder import Channel, Guest
from omniorder.errors import StillRunning, WrongCode

MILK = "OAT-MILK-1L"
SOFIA = "SOF01"
IVAN = {"X-Demo-Associate": "ivan", "X-Demo-Store": SOFIA}
BORIS = {"X-Demo-Customer": "boris"}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Anna's browser."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fastapi_shop, "DATABASE", f"sqlite:///{tmp_path_factory.mktemp('fastapi').as_posix()}/shop.db")
        with TestClient(fastapi_shop.app, headers={"X-Demo-Customer": "anna"}) as client:
            yield client


def answered(response: Response, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


def refused(response: Response, status: int, code: str) -> Any:
    """The body of an RFC 9457 problem with this code."""
    assert response.headers["content-type"] == "application/problem+json"
    problem = answered(response, status)
    assert (problem["status"], problem["code"]) == (status, code)
    return problem


def filled(web: TestClient, quantity: int = 2) -> str:
    """The id of a new basket with so much milk."""
    cart: str = answered(web.post("/carts"), 201)["id"]
    answered(web.post(f"/carts/{cart}/lines", json={"sku": MILK, "quantity": quantity}))
    return cart


def offer(web: TestClient, cart: str) -> Any:
    """What the store in Sofia can do."""
    offers = answered(web.get(f"/carts/{cart}/offers", params={"lat": 42.70, "lon": 23.33}))
    return next(one for one in offers if one["store"]["id"] == SOFIA)


def promised(web: TestClient) -> str:
    """The id of a promise of two cartons of milk."""
    cart = filled(web)
    best = offer(web, cart)
    choice = {"slot": best["slots"][-1]["id"], "total": best["quote"]["total"]}
    promise: str = answered(web.post(f"/carts/{cart}/promise", json=choice))["id"]
    return promise


def placed(web: TestClient, card: str | None = "pm_card_visa") -> Any:
    return answered(web.post("/orders", json={"promise": promised(web), "card": card}))


def ready(web: TestClient, order: Any) -> str:
    """The code of the order, which the store has ready now."""
    at = f"/store/orders/{order['id']}"
    picks = [{"line": line["id"], "quantity": line["quantity"]} for line in order["lines"]]
    answered(web.post(f"{at}/picks", json=picks, headers=IVAN))
    answered(web.post(f"{at}/ready", json={"staged_at": "C4"}, headers=IVAN))
    shown = web.get(f"/orders/{order['id']}/pass")
    assert shown.headers["cache-control"] == "no-store"
    code: str = answered(shown)["code"]
    return code


# --- the way from the basket to the counter ---------------------------------------------------------------


def test_a_basket_is_paid_by_card_and_collected(web: TestClient) -> None:
    """Every step of the README's story, over HTTP."""
    paid = placed(web)
    order = paid["order"]
    assert (paid["then"], order["stage"], order["total"]) == ("show", "preparing", {"amount": 498, "currency": "EUR"})
    due = answered(web.get("/store/orders", headers=IVAN))
    assert order["id"] in [one["id"] for one in due["items"]]
    code = ready(web, order)
    receipt = answered(web.post(f"/store/orders/{order['id']}/hand-over", json={"code": code}, headers=IVAN))
    assert receipt["total"] == order["total"]
    assert answered(web.get(f"/orders/{order['id']}"))["stage"] == "collected"


def test_an_order_without_a_card_is_paid_at_the_counter(web: TestClient) -> None:
    """Goods leave against the cash that is due, and not without it."""
    order = placed(web, card=None)["order"]
    code, at = ready(web, order), f"/store/orders/{order['id']}/hand-over"
    refused(web.post(at, json={"code": code}, headers=IVAN), 402, "payment.missing")
    receipt = answered(web.post(at, json={"code": code, "cash": order["total"]}, headers=IVAN))
    assert receipt["order"]["stage"] == "collected"


def test_a_declined_card_brings_the_order_that_waits_for_another(web: TestClient) -> None:
    """402 with the order in it; the next card pays the same order."""
    promise = promised(web)
    declined = web.post("/orders", json={"promise": promise, "card": "pm_card_declined"})
    waits = refused(declined, 402, "payment.declined")["order"]
    paid = answered(web.post("/orders", json={"promise": promise, "card": "pm_card_visa"}))
    assert (paid["order"]["id"], paid["order"]["stage"]) == (waits["id"], "preparing")


def test_a_bank_that_wants_to_see_the_customer_is_told_to_the_browser(web: TestClient) -> None:
    """The secret and the address to go to; coming back, `resume` finds that it is paid."""
    asked = placed(web, "pm_card_3ds")
    assert asked["then"] == "act"
    assert asked["client_secret"]
    assert asked["redirect_url"].startswith("https://")
    fastapi_shop.CARDS.complete_action(asked["order"]["payments"][-1]["id"])
    paid = answered(web.post(f"/orders/{asked['order']['id']}/resume"))
    assert (paid["then"], paid["order"]["stage"]) == ("show", "preparing")


def test_a_webhook_pays_the_order_of_a_customer_who_never_came_back(web: TestClient) -> None:
    """The provider signs the raw body, so that is what the hub is given."""
    order = placed(web, "pm_card_3ds")["order"]
    payment = order["payments"][-1]["id"]
    fastapi_shop.CARDS.complete_action(payment)
    headers, body = fastapi_shop.CARDS.signed_webhook(payment, "payment.authorised")
    assert web.post("/webhooks/card", content=body + b" ", headers=headers).status_code == 400
    assert web.post("/webhooks/card", content=body, headers=headers).status_code == 200
    assert answered(web.get(f"/orders/{order['id']}"))["stage"] == "preparing"


# --- several devices, and strangers -----------------------------------------------------------------------


def test_an_edit_of_what_another_device_changed_brings_the_basket_as_it_is(web: TestClient) -> None:
    """`If-Match` is the version that the device saw; a problem carries the one that there is."""
    cart = filled(web)
    seen = web.get("/carts/current")
    at = f"/carts/{cart}/lines/{answered(seen)['lines'][0]['id']}"
    etag = {"If-Match": seen.headers["etag"]}
    answered(web.patch(at, json={"quantity": 3}, headers=etag))
    problem = refused(web.patch(at, json={"quantity": 4}, headers=etag), 409, "version.conflict")
    assert problem["current"]["lines"][0]["quantity"] == 3


def test_a_request_that_is_sent_twice_counts_once(web: TestClient) -> None:
    """`Idempotency-Key` is the library's `key=`: the same answer again, and never another request under it."""
    cart = answered(web.post("/carts"), 201)["id"]
    at, key = f"/carts/{cart}/lines", {"Idempotency-Key": "tap-1"}
    for _ in range(2):
        basket = answered(web.post(at, json={"sku": MILK, "quantity": 2}, headers=key))
        assert [line["quantity"] for line in basket["lines"]] == [2]
    refused(web.post(at, json={"sku": MILK, "quantity": 5}, headers=key), 422, "key.reused")


def test_somebody_elses_order_is_not_found(web: TestClient) -> None:
    """The same answer as for an order that does not exist."""
    order = placed(web)["order"]["id"]
    refused(web.get(f"/orders/{order}", headers=BORIS), 404, "not_found")
    refused(web.get(f"/orders/{order}/pass", headers=BORIS), 404, "not_found")
    refused(web.get("/orders/SOF01-2222222", headers=BORIS), 404, "not_found")


def test_a_price_that_the_customer_did_not_see_is_refused_with_the_new_quote(web: TestClient) -> None:
    """The total comes back with the choice of a slot, as it was shown."""
    cart = filled(web)
    best = offer(web, cart)
    choice = {"slot": best["slots"][-1]["id"], "total": {"amount": 1, "currency": "EUR"}}
    problem = refused(web.post(f"/carts/{cart}/promise", json=choice), 409, "quote.changed")
    assert problem["quote"]["total"] == best["quote"]["total"]


@pytest.mark.parametrize("quantity", [0, -1, 1_000_000_000, "5", 1.5])
def test_a_quantity_that_is_none_changes_nothing(web: TestClient, quantity: object) -> None:
    """Of the wrong type (FastAPI says so) or out of bounds (the library does): 422."""
    cart = filled(web)
    wrong = web.post(f"/carts/{cart}/lines", json={"sku": MILK, "quantity": quantity})
    assert wrong.status_code == 422
    assert answered(web.get("/carts/current"))["version"] == 2


# --- the retailer's own tables ----------------------------------------------------------------------------


def test_wishes_move_into_the_basket(web: TestClient) -> None:
    """Deleted there and added here in one commit."""
    cart = answered(web.post("/carts"), 201)["id"]
    web.put("/wishes", json={MILK: 2, "BREAD-RYE-500G": 1})
    basket = answered(web.post(f"/carts/{cart}/wishes"))
    assert {line["sku"]: line["quantity"] for line in basket["lines"]} == {MILK: 2, "BREAD-RYE-500G": 1}
    assert answered(web.post(f"/carts/{cart}/wishes"))["lines"] == basket["lines"]


def test_wishes_stay_when_the_basket_refuses_them(web: TestClient) -> None:
    """An article that is not sold any more undoes the deletion, too."""
    cart = answered(web.post("/carts"), 201)["id"]
    web.put("/wishes", json={MILK: 2, "FAX-PAPER": 1})
    for _ in range(2):
        refused(web.post(f"/carts/{cart}/wishes"), 404, "not_found")
    web.put("/wishes", json={MILK: 2})
    assert len(answered(web.post(f"/carts/{cart}/wishes"))["lines"]) == 1


# --- what other programs read -----------------------------------------------------------------------------


def test_who_signs_in_has_what_their_device_had(web: TestClient) -> None:
    token = "a-laptop-that-knew-nobody-yet"
    with fastapi_shop.open_hub() as hub:
        laptop = hub.at(Channel.WEB, Guest(token))
        laptop.carts.add(laptop.carts.start().id, MILK, 3)
    claimed = answered(web.post("/login/claim", json={"token": token}))
    assert claimed["cart"]["owner"] == "customer:anna"
    assert 3 in [line[wanted] for line in claimed["lines"] for wanted in ("here", "there")]


def test_a_basket_is_passed_on_by_what_is_shown_or_said(web: TestClient) -> None:
    cart = filled(web)
    offered = web.post(f"/carts/{cart}/handoffs", json=["edit"])
    assert offered.headers["cache-control"] == "no-store"
    ticket = answered(offered, 201)
    taken = answered(web.post("/join", json={"shown": ticket["code"]}, headers=BORIS))
    assert taken["cart_id"] == cart
    answered(web.post(f"/carts/{cart}/lines", json={"sku": MILK}, headers=BORIS))
    refused(
        web.post("/join", json={"shown": ticket["token"]}, headers={"X-Demo-Customer": "petya"}), 410, "handoff.gone"
    )


def test_the_openapi_document_describes_the_snapshots(web: TestClient) -> None:
    """With what `to_json` adds, so that generated clients know an order's stage."""
    document = answered(web.get("/openapi.json"))
    answer = document["paths"]["/orders/{order}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert "stage" in answer["properties"]


def test_a_refusal_that_may_pass_says_when_to_try_again(web: TestClient) -> None:
    """`Retry-After` is there exactly when the very same call may succeed later."""
    told = [fastapi_shop.problem(Request({"type": "http"}), error) for error in (StillRunning(), WrongCode())]
    assert ["retry-after" in response.headers for response in told] == [True, False]
