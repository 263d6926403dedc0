"""The pass in the wallet of a phone: the fields that both formats need, and nothing that isn't meant to be seen."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from omniorder.domain.passes import PickupPass
from omniorder.domain.stores import Point

AT = datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)
PASS = PickupPass(
    "SOF01-7K3F9Q", "1234567", "TOKEN", AT + timedelta(days=3), signed="a.b.c",
    starts=AT, store="Витоша 1", place=Point(42.69, 23.32), language="bg-BG",
)  # fmt: skip


def test_the_barcode_is_the_qr_code_with_the_spoken_code_below_it() -> None:
    apple, google = PASS.wallet["apple"], PASS.wallet["google"]
    (barcode,) = apple["barcodes"]
    assert (barcode["format"], barcode["message"], barcode["altText"]) == ("PKBarcodeFormatQR", PASS.qr, "1234567")
    assert google["barcode"] == {"type": "QR_CODE", "value": PASS.qr, "alternateText": "1234567"}


def test_apple_is_told_when_and_where_to_show_it_and_when_it_ends() -> None:
    apple = PASS.wallet["apple"]
    assert (apple["relevantDate"], apple["expirationDate"]) == ("2026-11-23T10:00:00Z", "2026-11-26T10:00:00Z")
    assert apple["locations"] == [{"latitude": 42.69, "longitude": 23.32}]


def test_a_pass_that_is_sent_anew_takes_the_place_of_the_one_before() -> None:
    assert evolve(PASS, code="7654321").wallet["apple"]["serialNumber"] == PASS.wallet["apple"]["serialNumber"]


def test_so_is_google() -> None:
    google = PASS.wallet["google"]
    assert google["validTimeInterval"] == {"end": {"date": "2026-11-26T10:00:00Z"}}
    assert google["merchantLocations"] == [{"latitude": 42.69, "longitude": 23.32}]


@pytest.mark.parametrize(
    ("language", "label"),
    [
        ("bg-BG", "Поръчка"),
        ("bg", "Поръчка"),
        ("sv-SE", "Beställning"),
        ("en", "Order"),
        ("fr", "Order"),
        ("", "Order"),
    ],
)
def test_labels_are_in_the_customers_language_or_else_in_english(language: str, label: str) -> None:
    wallet = evolve(PASS, language=language).wallet
    assert wallet["apple"]["generic"]["primaryFields"][0]["label"] == label


def test_it_is_json_and_names_no_issuer() -> None:
    """Who issues a pass signs it, and adds who they are."""
    wallet = json.loads(json.dumps(PASS.wallet, ensure_ascii=False))
    assert wallet == PASS.wallet
    issuers = {"passTypeIdentifier", "teamIdentifier", "organizationName", "id", "classId"}
    assert not issuers & (wallet["apple"].keys() | wallet["google"].keys())


def test_what_is_not_known_is_left_out() -> None:
    bare = PickupPass("SOF01-7K3F9Q", "1234567", "TOKEN", None).wallet
    assert not {"relevantDate", "expirationDate", "locations"} & bare["apple"].keys()
    assert bare["google"].keys().isdisjoint({"validTimeInterval", "merchantLocations"})


def test_nothing_secret_is_in_it_but_the_codes() -> None:
    """Of a hub with signing keys not even the token."""
    assert "TOKEN" not in json.dumps(PASS.wallet)
