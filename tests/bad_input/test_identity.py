"""Things that aren't there, aren't yours, or aren't what they are given as."""

from __future__ import annotations

import base64
import json
from typing import Any, Final
from unittest.mock import ANY

import pytest

from omniorder import Add, OrderHub, Pick, Remove
from omniorder.errors import (
    IllegalTransition,
    InvalidId,
    InvalidInput,
    Misconfigured,
    NotFound,
    NotReady,
    PaymentInFlight,
    PromiseGone,
    TenderUnsupported,
)
from omniorder.testing.shop import Shop
from tests.bad_input.cases import Case, each, given, judge, parametrised
from tests.bad_input.conftest import World
from tests.services.steps import VISA

NO_ID: Final[dict[str, Any]] = {
    "empty": "",
    "guessed": "SOF01-ZZZZZZ",
    "small letters": "sof01-zzzzzz",
    "another kind": "crt_00000000000000000000000000",
    "NUL": "SOF01-ZZZ\x00ZZ",
    "a lone surrogate": "SOF01-ZZZ\ud800ZZ",
    "a line break at the end": "SOF01-ZZZZZZ\n",
    "homoglyphs": "SОF01-ZZZZZZ",
    "Arabic digits": "SOF0١-ZZZZZZ",
    "SQL": "' OR 1=1 --",
    "a wildcard": "SOF01-%",
    "1 MB": "x" * 1_000_000,
    "nothing": None,
    "a number": 5,
    "bytes": b"SOF01-ZZZZZZ",
    "an object": object,
}


def _missing(what: str, call: Any, kind: str, **more: Any) -> list[Case]:
    values = {**NO_ID, **more}
    return [Case(f"{what}: {name}", given(call, value), NotFound, {"kind": kind}) for name, value in values.items()]


CARTS: Final = {"another kind": "SOF01-ZZZZZZ", "guessed": "crt_" + "z" * 26}
PROMISES: Final = {"guessed": "prm_SOF01_" + "z" * 26, "of a store that is not there": "prm_GONE_" + "z" * 26}
LINES: Final = {"guessed": "ln_" + "z" * 13}

MISSING = parametrised(
    _missing("carts.get", lambda w, v: w.shop.app.carts.get(v), "cart", **CARTS),
    _missing("carts.edit", lambda w, v: w.shop.app.carts.edit(v, []), "cart", **CARTS),
    _missing("offers", lambda w, v: w.shop.app.checkout.offers(v), "cart", **CARTS),
    _missing("promise", lambda w, v: w.shop.app.checkout.promise(v, slot=w.promise.slot), "cart", **CARTS),
    _missing("withdraw", lambda w, v: w.shop.app.checkout.withdraw(v), "promise", **PROMISES),
    _missing("place", lambda w, v: w.shop.app.checkout.place(v, pay=VISA), "promise", **PROMISES),
    _missing("resume", lambda w, v: w.shop.app.checkout.resume(v), "order"),
    _missing("orders.get", lambda w, v: w.shop.app.orders.get(v), "order"),
    _missing("timeline", lambda w, v: w.shop.app.orders.timeline(v), "order"),
    _missing("cancel", lambda w, v: w.shop.app.orders.cancel(v), "order"),
    _missing("pass", lambda w, v: w.shop.app.orders.pickup_pass(v), "order"),
    _missing("pickups.get", lambda w, v: w.shop.store.pickups.get(v), "order"),
    _missing("pick", lambda w, v: w.shop.store.pickups.pick(v, "ln_", 1), "order"),
    _missing("ready", lambda w, v: w.shop.store.pickups.ready(v), "order"),
    _missing("unready", lambda w, v: w.shop.store.pickups.unready(v, reason="?"), "order"),
    _missing("reset", lambda w, v: w.shop.store.pickups.reset(v), "order"),
    _missing("reissue", lambda w, v: w.shop.store.pickups.reissue(v), "order"),
    _missing("hand over", lambda w, v: w.shop.store.pickups.hand_over(v, code="0000000"), "order"),
    _missing("change", lambda w, v: w.shop.app.carts.change(w.cart.id, v, 1), "line", **LINES),
    _missing("note", lambda w, v: w.shop.app.carts.note(w.cart.id, v, ""), "line", **LINES),
    _missing("remove", lambda w, v: w.shop.app.carts.remove(w.cart.id, v), "line", **LINES),
    _missing("pick a line", lambda w, v: w.shop.store.pickups.pick(w.placed.id, [Pick(v, 1)]), "line", **LINES),
    _missing(
        "hand over a line",
        lambda w, v: w.shop.store.pickups.hand_over(w.ready.id, code=w.ticket.code, lines=[Pick(v, 1)]),
        "line",
        **LINES,
    ),
    _missing("stores.get", lambda w, v: w.shop.office.stores.get(v), "store", unknown="GONE"),
)

NOT_YOURS = parametrised(
    [
        Case("a stranger's order", lambda w: w.shop.stranger.orders.get(w.placed.id), NotFound, {"kind": "order"}),
        Case("a stranger's cart", lambda w: w.shop.stranger.carts.get(w.cart.id), NotFound, {"kind": "cart"}),
        Case("a stranger's promise", lambda w: w.shop.stranger.checkout.place(w.promise.id, pay=VISA), NotFound),
        Case("a stranger's pass", lambda w: w.shop.stranger.orders.pickup_pass(w.ready.id), NotFound),
        Case("a stranger's 3-D Secure", lambda w: w.shop.stranger.checkout.resume(w.unpaid.id), NotFound),
        Case(
            "the right code at the wrong store",
            lambda w: w.shop.elsewhere.pickups.hand_over(w.ready.id, code=w.ticket.code),
            NotFound,
            {"kind": "order"},
        ),
        Case("another store's order", lambda w: w.shop.elsewhere.pickups.get(w.ready.id), NotFound),
        Case("another store's stock", lambda w: w.shop.elsewhere.stock.receive("SOF01", Shop.MILK, 1), NotFound),
    ]
)

NOT_NOW = parametrised(
    [
        Case(
            "collect before it is ready",
            lambda w: w.shop.store.pickups.hand_over(w.placed.id, code="0000000"),
            NotReady,
            {},
        ),
        Case("a pass before it is ready", lambda w: w.shop.app.orders.pickup_pass(w.placed.id), NotReady),
        Case("a pass after it is collected", lambda w: w.shop.app.orders.pickup_pass(w.collected.id), NotReady),
        Case(
            "pick what is ready",
            lambda w: w.shop.store.pickups.pick(w.ready.id, w.ready.lines[0].id, 1),
            IllegalTransition,
        ),
        Case(
            "pick what is unpaid",
            lambda w: w.shop.store.pickups.pick(w.unpaid.id, w.unpaid.lines[0].id, 1),
            IllegalTransition,
        ),
        Case("ready what is unpaid", lambda w: w.shop.store.pickups.ready(w.unpaid.id), IllegalTransition),
        Case("ready what nobody picked", lambda w: w.shop.store.pickups.ready(w.placed.id), IllegalTransition),
        Case(
            "unready what is not ready",
            lambda w: w.shop.store.pickups.unready(w.placed.id, reason="?"),
            IllegalTransition,
        ),
        Case("reissue what is not ready", lambda w: w.shop.store.pickups.reissue(w.placed.id), IllegalTransition),
        Case("reset what nobody picked", lambda w: w.shop.store.pickups.reset(w.placed.id), IllegalTransition),
        Case("call off what is collected", lambda w: w.shop.app.orders.cancel(w.collected.id), IllegalTransition),
        Case(
            "pay a cancelled order", lambda w: w.shop.app.checkout.place(w.cancelled.promise_id, pay=VISA), PromiseGone
        ),
        Case("pay an order twice", lambda w: w.shop.app.checkout.place(w.unpaid.promise_id, pay=VISA), PaymentInFlight),
        Case("edit an ordered cart", lambda w: w.shop.app.carts.add(w.placed.cart_id, Shop.MILK), IllegalTransition),
        Case(
            "promise an ordered cart",
            lambda w: w.shop.app.checkout.promise(w.placed.cart_id, slot=w.promise.slot),
            PaymentInFlight,
        ),
        Case("withdraw a placed promise", lambda w: w.shop.app.checkout.withdraw(w.placed.promise_id), PaymentInFlight),
    ]
)

CODES: Final[dict[str, Any]] = {
    "empty": "",
    "nothing": None,
    "a number": 1234567,
    "bytes": b"1234567",
    "101 characters": "1" * 101,
    "1 MB": "1" * 1_000_000,
}

SHAPES = parametrised(
    each(
        "edits",
        lambda w, v: w.shop.app.carts.edit(w.cart.id, v),
        {"nothing": None, "text": "add", "a number": 5, "one edit": Add(Shop.MILK), "a dict": {"sku": Shop.MILK}},
        InvalidInput,
        field="edits",
    ),
    each(
        "an edit",
        lambda w, v: w.shop.app.carts.edit(w.cart.id, [Remove(w.cart.lines[0].id), v]),
        {"nothing": None, "text": "add", "a pick": Pick("ln_", 1)},
        InvalidInput,
        field="edits",
    ),
    each(
        "picks",
        lambda w, v: w.shop.store.pickups.pick(w.placed.id, v),
        {"nothing": None, "a number": 5, "texts": ["ln_"], "an edit": [Add(Shop.MILK)]},
        InvalidInput,
        field="lines",
        value=ANY,
    ),
    each(
        "a list and a quantity",
        lambda w, v: w.shop.store.pickups.pick(w.placed.id, v, 1),
        {"both": [Pick("ln_", 1)]},
        InvalidInput,
    ),
    each(
        "lines",
        lambda w, v: w.shop.store.pickups.hand_over(w.ready.id, code=w.ticket.code, lines=v),
        {"none": [], "text": "ln_", "texts": ["ln_"], "a number": 5, "one": Pick("ln_", 1)},
        InvalidInput,
        field="lines",
        value=ANY,
    ),
    each(
        "near",
        lambda w, v: w.shop.app.checkout.offers(w.cart.id, near=v),
        {"text": "Sofia", "a pair": (42.7, 23.3)},
        InvalidInput,
        field="near",
    ),
    each(
        "code",
        lambda w, v: w.shop.store.pickups.hand_over(w.ready.id, code=v),
        CODES,
        InvalidInput,
        field="code",
        value="'(hidden)'",
    ),
    each(
        "event class",
        lambda w, v: w.shop.hub.on(v, lambda recorded, tx: None),
        ["OrderPlaced", None, str],
        InvalidInput,
        field="kind",
    ),
    [
        Case(
            "a tender that nobody serves",
            lambda w: w.shop.hub.webhook("voucher", headers={}, body=b""),
            TenderUnsupported,
        )
    ],
)


def _cursor(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


CURSORS: Final[dict[str, Any]] = {
    "empty": "",
    "nonsense": "nonsense!",
    "not base 64": "äöü",
    "a lone surrogate": "\ud800",
    "no JSON": base64.urlsafe_b64encode(b"{").decode(),
    "no list": base64.urlsafe_b64encode(b"{}").decode(),
    "too many parts": _cursor("a", "b", "c"),
    "another type": _cursor(None),
    "true": _cursor(True),
    "2**63": _cursor(2**63),
    "-1": _cursor(-1),
    "2**200": _cursor(2**200),
    "5,000 digits": base64.urlsafe_b64encode(b"[" + b"9" * 5000 + b"]").decode(),
    "depth 100,000": base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    "NUL": _cursor("a\x00"),
    "NULs": _cursor("2026-11-23T08:00:00.000000Z", "SOF01-\x00"),
    "a surrogate inside": _cursor("\ud800"),
    "no instant": _cursor("yesterday", "SOF01-ZZZZZZ"),
    "year 9999": _cursor("9999-12-31T23:59:59.000000Z", "SOF01-ZZZZZZ"),
    "a number": 5,
}

PAGES = parametrised(
    each("orders", lambda w, v: w.shop.app.orders.page(after=v), CURSORS, InvalidId, field="after"),
    each("timeline", lambda w, v: w.shop.app.orders.timeline(w.placed.id, after=v), CURSORS, InvalidId, field="after"),
    each("due", lambda w, v: w.shop.store.pickups.due(after=v), CURSORS, InvalidId, field="after"),
    each(
        "movements",
        lambda w, v: w.shop.store.stock.movements("SOF01", Shop.MILK, after=v),
        CURSORS,
        InvalidId,
        field="after",
    ),
)

OPENED = parametrised(
    each("url", lambda w, v: OrderHub.open(v), ["", "mysql://x", "sof01", None, 5], Misconfigured, value=None),
    each(
        "secret",
        lambda w, v: OrderHub.open("memory://", secret=v),
        ["", "short", b"short", {}, {"1": "short"}],
        Misconfigured,
        value=None,
    ),
)


@MISSING
def test_what_is_not_there_is_not_found(world: World, case: Case) -> None:
    judge(world, case)


@pytest.mark.parametrize("id", ["x" * 100_000, "\u043e" * 100_000, b"x" * 100_000, ["x"] * 100_000], ids=type)
def test_no_answer_grows_with_what_was_asked(world: World, id: Any) -> None:
    with pytest.raises(NotFound) as missing:
        world.shop.app.orders.get(id)
    assert len(missing.value.facts["id"]) == 80
    assert len(str(missing.value)) == len("no order ") + 80


def test_an_id_of_eighty_characters_is_told_in_full() -> None:
    assert NotFound("order", "x" * 80).facts["id"] == "x" * 80


@NOT_YOURS
def test_what_is_somebody_elses_is_not_found(world: World, case: Case) -> None:
    judge(world, case)


@NOT_NOW
def test_what_can_not_be_done_now_is_refused(world: World, case: Case) -> None:
    judge(world, case)


@SHAPES
def test_what_is_something_else_than_was_asked_for_is_refused(world: World, case: Case) -> None:
    judge(world, case)


@PAGES
def test_only_the_end_of_an_earlier_page_continues_a_list(world: World, case: Case) -> None:
    judge(world, case)


@OPENED
def test_a_hub_is_not_opened_on_nonsense(world: World, case: Case) -> None:
    with pytest.raises(Misconfigured):
        case.call(world)
