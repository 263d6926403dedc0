"""Text that one database stores and another refuses, that fools its reader, or that nobody should keep."""

from __future__ import annotations

import unicodedata
from typing import Any, Final

import pytest

from omniorder import Add, Article, Bin, Channel, Customer, Guest, Store, System
from omniorder.errors import (
    CardNumberRefused,
    InvalidId,
    InvalidInput,
    InvalidKey,
    InvalidStore,
    InvalidText,
    TooMany,
)
from omniorder.testing.shop import Shop
from tests.bad_input.cases import Case, each, given, judge, parametrised
from tests.bad_input.conftest import World

HOSTILE: Final[dict[str, Any]] = {
    "NUL": "milk\x00",
    "a lone surrogate": "milk\ud800",
    "a bidi override": "milk\u202egnp.exe",
    "a bidi isolate": "\u2066milk",
    "ANSI": "\x1b[31mmilk",
    "a backspace": "milk\x08",
    "1 MB": "x" * 1_000_000,
}
BREAKS: Final[dict[str, Any]] = {
    "CR and LF": "milk\r\nSet-Cookie: a=b",
    "LF": "a\nb",
    "a line separator": "a\u2028b",
    "a tab": "a\tb",
}
NO_TEXT: Final[dict[str, Any]] = {"nothing": None, "a number": 5, "bytes": b"milk", "a list": ["milk"]}
CARDS: Final[dict[str, Any]] = {
    "a card number": "4242424242424242",
    "in groups": "4242 4242 4242 4242",
    "with dashes": "pay with 4242-4242-4242-4242, please",
    "in Arabic digits": "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
    "with a zero-width space": "42424242\u200b42424242",
    "American Express": "378282246310005",
}
LINE: Final = {**HOSTILE, **BREAKS, **NO_TEXT}


def _line(world: World) -> str:
    return world.cart.lines[0].id


def _texts(what: str, call: Any, field: str, values: dict[str, Any] = LINE, error: Any = InvalidText) -> list[Case]:
    """Cases of which only the field is judged: what a long or secret text is shown as has tests of its own."""
    return [Case(f"{what}: {name}", given(call, value), error, {"field": field}) for name, value in values.items()]


NOTES = parametrised(
    _texts("add", lambda w, v: w.shop.app.carts.add(w.cart.id, Shop.MILK, note=v), "note", {**HOSTILE, **NO_TEXT}),
    _texts("note", lambda w, v: w.shop.app.carts.note(w.cart.id, _line(w), v), "note", {**HOSTILE, **NO_TEXT}),
    _texts("card", lambda w, v: w.shop.app.carts.note(w.cart.id, _line(w), v), "note", CARDS, CardNumberRefused),
    _texts(
        "card in a count's reason",
        lambda w, v: w.shop.store.stock.count("SOF01", Shop.MILK, 40, reason=v),
        "reason",
        {name: text for name, text in CARDS.items() if "\n" not in text},
        CardNumberRefused,
    ),
    _texts(
        "card in metadata",
        lambda w, v: w.shop.app.carts.add(w.cart.id, Shop.MILK, metadata={"memo": v}),
        "metadata.memo",
        CARDS,
        CardNumberRefused,
    ),
)

LINES = parametrised(
    _texts("metadata", lambda w, v: w.shop.app.carts.start(metadata={"memo": v}), "metadata.memo"),
    _texts(
        "metadata key",
        lambda w, v: w.shop.app.carts.start(metadata={v: "yes"}),
        "metadata",
        {"capitals": "Memo", "empty": "", "long": "x" * 41, "NUL": "a\x00", "a number": 5, "a homoglyph": "mеmo"},
    ),
    _texts(
        "metadata as such",
        lambda w, v: w.shop.app.carts.start(metadata=v),
        "metadata",
        {"text": "a=b", "a list": ["a"]},
    ),
    _texts("language", lambda w, v: w.shop.app.carts.start(language=v), "language"),
    _texts("cancel", lambda w, v: w.shop.app.orders.cancel(w.placed.id, reason=v), "reason"),
    _texts("unready", lambda w, v: w.shop.store.pickups.unready(w.ready.id, reason=v), "reason"),
    _texts(
        "staged at",
        lambda w, v: w.shop.store.pickups.ready(w.placed.id, staged_at=v),
        "staged_at",
        {**HOSTILE, **BREAKS, "nothing": None, "a number": 5, "bytes": b"milk", "numbers": [5]},
    ),
    _texts(
        "restaged",
        lambda w, v: w.shop.store.pickups.restage(w.ready.id, v),
        "staged_at",
        {"nowhere": [], "many places": ["x" * 40] * 9, "two lines": ["C4", "a\nb"], "a set": {"C4"}},
    ),
    _texts("a bin's code", lambda w, v: Bin(v), "code", LINE),
    _texts("receive", lambda w, v: w.shop.store.stock.receive("SOF01", Shop.MILK, 1, reason=v), "reason"),
    _texts("reference", lambda w, v: w.shop.store.stock.receive("SOF01", Shop.MILK, 1, reference=v), "reference"),
    _texts("adjust", lambda w, v: w.shop.store.stock.adjust("SOF01", Shop.MILK, 1, reason=v), "reason"),
    _texts("article", lambda w, v: w.shop.office.articles.put(Article("TEA", v)), "name"),
    _texts("via", lambda w, v: w.shop.hub.at(Channel.APP, Customer("anna"), via=v), "via"),
)

IDS: Final[dict[str, Any]] = {
    "empty": "",
    "a space": "OAT MILK",
    "homoglyphs": "ОАТ-MILK-1L",
    "full-width digits": "OAT-MILK-１L",
    "Arabic digits": "OAT-MILK-١L",
    "a bidi override": "OAT\u202e-MILK",
    "NUL": "OAT\x00",
    "a lone surrogate": "OAT\ud800",
    "a line break at the end": "OAT-MILK-1L\n",
    "65 characters": "X" * 65,
    "1 MB": "X" * 1_000_000,
    "SQL": "'; DROP TABLE omniorder_stock; --",
    "a wildcard": "OAT%",
    "nothing": None,
    "a number": 5,
}
STORE_IDS: Final[dict[str, Any]] = {
    **IDS,
    "small letters": "sof01",
    "one letter": "S",
    "nine letters": "SOFIAEAST",
    "a dash": "SOF-1",
}

NAMED = parametrised(
    each("SKU of a line", lambda w, v: w.shop.app.carts.add(w.cart.id, v), IDS, InvalidId, field="sku"),
    each("SKU of a delivery", lambda w, v: w.shop.store.stock.receive("SOF01", v, 1), IDS, InvalidId),
    each("SKU of a level", lambda w, v: w.shop.store.stock.level("SOF01", v), IDS, InvalidId),
    each("SKU of a movement", lambda w, v: w.shop.store.stock.movements("SOF01", v), IDS, InvalidId),
    each("SKU of an article", lambda w, v: w.shop.office.articles.put(Article(v, "Tea")), IDS, InvalidId),
    each("article", lambda w, v: w.shop.office.articles.get(v), IDS, InvalidId),
    each(
        "store",
        lambda w, v: w.shop.office.stores.put(Store(v, zone="Europe/Sofia", hours="24/7")),
        STORE_IDS,
        InvalidId,
        field="store",
    ),
    each("store of a level", lambda w, v: w.shop.office.stock.level(v, Shop.MILK), IDS, InvalidId, field="store"),
    each(
        "customer",
        lambda w, v: w.shop.hub.at(Channel.APP, Customer(v)),
        {
            "empty": "",
            "spaces around": " anna ",
            "a bidi override": "\u202eanna",
            "NUL": "anna\x00",
            "a lone surrogate": "anna\ud800",
            "a line break": "an\nna",
            "201 characters": "x" * 201,
            "nothing": None,
            "a number": 5,
        },
        InvalidId,
        field="customer",
    ),
    each("program", lambda w, v: w.shop.hub.at(Channel.SYSTEM, System(v)), ["", "a\nb", None], InvalidId),
    _texts(
        "guest",
        lambda w, v: w.shop.hub.at(Channel.WEB, Guest(v)),
        "token",
        {"short": "x" * 21, "long": "x" * 129, "spaces": "x" * 21 + " ", "Cyrillic": "х" * 30, "nothing": None},
        InvalidId,
    ),
    each(
        "key",
        lambda w, v: w.shop.app.carts.start(key=v),
        {
            "empty": "",
            "256 characters": "x" * 256,
            "a line break": "a\nb",
            "NUL": "a\x00",
            "not ASCII": "é",
            "a number": 5,
        },
        InvalidKey,
        field="key",
    ),
    each(
        "consumer",
        lambda w, v: w.shop.hub.journal.subscribe(v),
        {"empty": "", "256 characters": "x" * 256, "NUL": "a\x00", "nothing": None},
        InvalidKey,
    ),
    each(
        "zone",
        lambda w, v: w.shop.office.stores.put(Store("S1", zone=v, hours="24/7")),
        ["", "Mars/Base", "../etc", None],
        InvalidStore,
    ),
    each(
        "hours",
        lambda w, v: w.shop.office.stores.put(Store("S1", zone="Europe/Sofia", hours=v)),
        ["", "never", "Mo-So 8-20", "25:00-26:00", None],
        InvalidStore,
    ),
    each("not a store", lambda w, v: w.shop.office.stores.put(v), ["SOF01", None], InvalidInput),
    each("not an article", lambda w, v: w.shop.office.articles.put(v), ["TEA", None], InvalidInput),
)


@NOTES
def test_a_note_holds_neither_tricks_nor_card_numbers(world: World, case: Case) -> None:
    judge(world, case)


@LINES
def test_a_line_of_text_is_one_line(world: World, case: Case) -> None:
    judge(world, case)


@NAMED
def test_an_id_has_the_form_of_an_id(world: World, case: Case) -> None:
    judge(world, case)


def test_metadata_has_at_most_twenty_keys(world: World) -> None:
    many = {f"k{number}": "" for number in range(21)}
    judge(world, Case("21 keys", lambda w: w.shop.app.carts.start(metadata=many), TooMany, {"value": "21"}))


@pytest.mark.parametrize("text", CARDS.values(), ids=CARDS)
def test_a_card_number_is_not_repeated_in_the_error(world: World, text: str) -> None:
    with pytest.raises(CardNumberRefused) as raised:
        world.shop.app.carts.note(world.cart.id, _line(world), text)
    assert "4242" not in repr(raised.value.problem())
    assert "37828" not in repr(raised.value.problem())


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE omniorder_cart; --",
        '<script>alert("x")</script>',
        '=HYPERLINK("http://evil.example","click")',
        "{{7*7}} ${jndi:ldap://x}",
        "100 % \\ _ ? :name $1",
        "emoji 🥛 and Кирилица and עברית",
    ],
)
def test_text_that_means_something_elsewhere_is_stored_inert(world: World, text: str) -> None:
    shop = world.shop
    cart = shop.stranger.carts.start(metadata={"memo": text})
    cart = shop.stranger.carts.add(cart.id, Shop.MILK, note=text)
    found = shop.stranger.carts.get(cart.id)
    assert (found.lines[0].note, found.metadata["memo"]) == (text, text)


def test_two_ways_to_write_one_letter_are_one_text(world: World) -> None:
    shop = world.shop
    composed, decomposed = (unicodedata.normalize(form, "crème brûlée") for form in ("NFC", "NFD"))
    assert composed != decomposed
    cart = shop.stranger.carts.start()
    cart = shop.stranger.carts.edit(cart.id, [Add(Shop.MILK, 1, composed), Add(Shop.MILK, 1, decomposed)])
    assert [(line.quantity, line.note) for line in cart.lines] == [(2, composed)]


def test_two_ways_to_write_one_customer_are_one_customer(world: World) -> None:
    at = world.shop.hub.at
    composed, decomposed = (unicodedata.normalize(form, "zoë") for form in ("NFC", "NFD"))
    cart = at(Channel.APP, Customer(composed)).carts.start()
    assert at(Channel.WEB, Customer(decomposed)).carts.get(cart.id) == cart
