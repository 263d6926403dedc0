"""What can be asked of the fake: each request with the parameter type of stripe-python that its form must fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, TypeAlias

from attrs import frozen
from stripe import params as shapes
from stripe.params import terminal
from stripe.params.test_helpers import terminal as simulated

from omniorder.testing.stripe import intents, readers, refunds
from omniorder.testing.stripe.forms import fitting
from omniorder.testing.stripe.refusals import Refusal, invalid
from omniorder.testing.stripe.shelf import Object, Shelf

__all__ = ["Asked", "answered", "shown"]


@frozen
class Asked:
    """One request, as it arrived."""

    method: str
    path: str
    form: Mapping[str, Any]
    key: str
    mispriced: int | None = None


Act: TypeAlias = Callable[[Shelf, str, Mapping[str, Any], Asked], Object]

_QUERY: Final = re.compile(r"metadata\['([^'\\]+)'\]:'((?:[^'\\]|\\.)*)'")


def answered(shelf: Shelf, asked: Asked) -> Object:
    """Carry a request out. Raises `Refusal`."""
    for method, path, shape, act in _ROUTES:
        found = re.fullmatch(path, asked.path)
        if method == asked.method and found is not None:
            params = fitting(asked.form, shape)
            thing = act(shelf, found[1] if found.groups() else "", params, asked)
            return shown(shelf, thing, params.get("expand", []))
    told = {"type": "invalid_request_error", "message": f"Unrecognized request URL ({asked.method}: {asked.path})"}
    raise Refusal(404, told, kept=False)


def shown(shelf: Shelf, thing: Object, expand: list[str]) -> Object:
    """An object as the answer shows it: what it refers to is told in full where that was asked for."""
    for path in sorted(expand):
        thing = _expanded(shelf, thing, path.split("."))
    return thing


def _expanded(shelf: Shelf, thing: Object, path: list[str]) -> Object:
    match path, thing:
        case ["data", *rest], {"object": "list" | "search_result"}:
            return {**thing, "data": [_expanded(shelf, one, rest) for one in thing["data"]]}
        case ["refunds"], {"object": "charge"}:
            of = shelf.all("refund", lambda one: bool(one["payment_intent"] == thing["payment_intent"]))
            return {**thing, "refunds": _page(of[:10], more=len(of) > 10)}
        case [name, *rest], {"object": "payment_intent"} if name == "latest_charge":
            inner = thing[name] if isinstance(thing[name], dict) else shelf.charge_of(thing)
            return {**thing, name: _expanded(shelf, inner, rest) if inner and rest else inner}
        case _:
            return thing


def _page(things: list[Object], *, more: bool = False) -> Object:
    return {"object": "list", "data": things, "has_more": more, "url": "/v1"}


def _created(shelf: Shelf, number: str, params: Mapping[str, Any], asked: Asked) -> Object:
    return intents.create(shelf, params, asked.key, asked.mispriced)


def _retrieved(param: str) -> Act:
    return lambda shelf, number, params, asked: shelf.get(number, param)


def _keyed(act: Callable[[Shelf, str, Mapping[str, Any], str], Object]) -> Act:
    return lambda shelf, number, params, asked: act(shelf, number, params, asked.key)


def _refunded(shelf: Shelf, number: str, params: Mapping[str, Any], asked: Asked) -> Object:
    return refunds.create(shelf, params, asked.key)


def _searched(shelf: Shelf, number: str, params: Mapping[str, Any], asked: Asked) -> Object:
    """Payments by metadata, as far as the index has got: the youngest are not in it yet."""
    query = _QUERY.fullmatch(params["query"])
    if query is None:
        raise invalid("parameter_invalid_string", "query")
    name, value = query[1], re.sub(r"\\(.)", r"\1", query[2])
    latest = shelf.at(-shelf.settings.search_lag) if shelf.settings.search_lag > timedelta(0) else shelf.now()

    def matches(one: Object) -> bool:
        return bool(one["metadata"].get(name) == value and one["created"] <= latest)

    found = shelf.all("payment_intent", matches)
    limit = params.get("limit", 10)
    return {"object": "search_result", "data": found[:limit], "has_more": len(found) > limit, "url": asked.path}


def _list(kind: str) -> Act:
    def act(shelf: Shelf, number: str, params: Mapping[str, Any], asked: Asked) -> Object:
        span, of, limit = params.get("created", {}), params.get("payment_intent"), params.get("limit", 10)

        def matches(one: Object) -> bool:
            young = one["created"] >= span.get("gte", 0) and one["created"] < span.get("lt", 10**12)
            return bool(young and (of is None or one["payment_intent"] == of))

        found = shelf.all(kind, matches)
        if after := params.get("starting_after"):
            numbers = [str(one["id"]) for one in found]
            if after not in numbers:
                raise invalid("resource_missing", "starting_after")
            found = found[numbers.index(after) + 1 :]
        return _page(found[:limit], more=len(found) > limit)

    return act


_ROUTES: Final[tuple[tuple[str, str, type, Act], ...]] = (
    ("post", "/v1/payment_intents", shapes.PaymentIntentCreateParams, _created),
    ("get", "/v1/payment_intents", shapes.PaymentIntentListParams, _list("payment_intent")),
    ("get", "/v1/payment_intents/search", shapes.PaymentIntentSearchParams, _searched),
    ("get", r"/v1/payment_intents/(\w+)", shapes.PaymentIntentRetrieveParams, _retrieved("intent")),
    ("post", r"/v1/payment_intents/(\w+)/capture", shapes.PaymentIntentCaptureParams, _keyed(intents.capture)),
    ("post", r"/v1/payment_intents/(\w+)/cancel", shapes.PaymentIntentCancelParams, _keyed(intents.cancel)),
    (
        "post",
        r"/v1/payment_intents/(\w+)/increment_authorization",
        shapes.PaymentIntentIncrementAuthorizationParams,
        _keyed(intents.increment),
    ),
    ("post", "/v1/refunds", shapes.RefundCreateParams, _refunded),
    ("get", "/v1/refunds", shapes.RefundListParams, _list("refund")),
    ("get", "/v1/disputes", shapes.DisputeListParams, _list("dispute")),
    ("get", r"/v1/terminal/readers/(\w+)", terminal.ReaderRetrieveParams, _retrieved("reader")),
    (
        "post",
        r"/v1/terminal/readers/(\w+)/process_payment_intent",
        terminal.ReaderProcessPaymentIntentParams,
        _keyed(readers.process),
    ),
    (
        "post",
        r"/v1/terminal/readers/(\w+)/cancel_action",
        terminal.ReaderCancelActionParams,
        _keyed(readers.cancel_action),
    ),
    (
        "post",
        r"/v1/test_helpers/terminal/readers/(\w+)/present_payment_method",
        simulated.ReaderPresentPaymentMethodParams,
        _keyed(readers.present),
    ),
)
