"""The shop's views: a basket, a wish list, the checkout, and the provider's webhook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from omniorder import Add, Card, Channel, Customer, CustomerTouchpoint, Money, PayInStore, to_json
from omniorder.errors import InvalidInput

from .models import Wish
from .ordering import hub, own_hub

# --- who asks, and what for -------------------------------------------------------------------------------


def stand_in_for_your_login(request: HttpRequest) -> Customer:
    """Believes everybody. Yours is `request.user`."""
    return Customer(request.headers.get("X-Demo-Customer", ""))


@contextmanager
def shopping(request: HttpRequest) -> Iterator[CustomerTouchpoint]:
    with hub() as opened:
        yield opened.at(Channel.WEB, stand_in_for_your_login(request))


def sent(request: HttpRequest) -> dict[str, Any]:
    """The JSON object in the body; the library checks what is in it."""
    try:
        body = json.loads(request.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise InvalidInput("body", "(hidden)", "must be a JSON object")
    return body


def answer(snapshot: object, status: int = 200) -> HttpResponse:
    return JsonResponse(to_json(snapshot), status=status)


# --- the basket -------------------------------------------------------------------------------------------


@require_POST
def start(request: HttpRequest) -> HttpResponse:
    with shopping(request) as shop:
        return answer(shop.carts.start(key=request.headers.get("Idempotency-Key")), 201)


@require_POST
def add(request: HttpRequest, cart: str) -> HttpResponse:
    wanted, key = sent(request), request.headers.get("Idempotency-Key")
    with shopping(request) as shop:
        return answer(shop.carts.add(cart, wanted.get("sku", ""), wanted.get("quantity", 1), key=key))


# --- our tables in the same commit ------------------------------------------------------------------------


@require_POST
def wish(request: HttpRequest) -> HttpResponse:
    customer = stand_in_for_your_login(request).id
    for sku, quantity in sent(request).items():
        Wish.objects.update_or_create(customer=customer, sku=sku, defaults={"quantity": quantity})
    return HttpResponse(status=204)


@require_POST
def take_over(request: HttpRequest, cart: str) -> HttpResponse:
    """All wishes into the basket: whatever fails, each of them is in exactly one of the two."""
    mine = Wish.objects.filter(customer=stand_in_for_your_login(request).id)
    with transaction.atomic(), shopping(request) as shop:
        edits = [Add(wish.sku, wish.quantity) for wish in mine.select_for_update()]
        mine.delete()
        return answer(shop.carts.edit(cart, edits))


# --- the checkout -----------------------------------------------------------------------------------------


@require_GET
def offers(request: HttpRequest, cart: str) -> HttpResponse:
    with shopping(request) as shop:
        return JsonResponse({"items": [to_json(offer) for offer in shop.checkout.offers(cart)]})


@require_POST
def promise(request: HttpRequest, cart: str) -> HttpResponse:
    choice = sent(request)
    seen = Money(choice.get("amount", 0), choice.get("currency", ""))
    with shopping(request) as shop:
        return answer(shop.checkout.promise(cart, slot=choice.get("slot", ""), expect=seen))


@transaction.non_atomic_requests
@require_POST
def place(request: HttpRequest) -> HttpResponse:
    """Never inside `atomic()`: a provider is called, and what it did can't be rolled back."""
    choice = sent(request)
    tender = Card(choice["card"]) if "card" in choice else PayInStore()
    with shopping(request) as shop:
        return answer(shop.checkout.place(choice.get("promise", ""), pay=tender))


@require_GET
def order(request: HttpRequest, order: str) -> HttpResponse:
    with shopping(request) as shop:
        return answer(shop.orders.get(order))


# --- the provider -----------------------------------------------------------------------------------------


@csrf_exempt
@transaction.non_atomic_requests
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """Its signature takes the place of the token against forged requests."""
    reply = own_hub().webhook("card", headers=request.headers, body=request.body)
    return HttpResponse(reply.body, status=reply.status, content_type="text/plain")
