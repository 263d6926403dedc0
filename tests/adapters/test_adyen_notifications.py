"""Adyen's notifications: only what is signed counts, each tells its news once, and any order ends the same."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from omniorder.adapters.adyen import MemoryBook
from omniorder.domain.money import Money
from omniorder.errors import BadWebhook, GatewayTimeout
from omniorder.ports.payments import Approved, Denied, Operation
from omniorder.testing.adyen import FakeAdyen
from tests.adapters.adyen import LOGIN, PAYMENT, asked_for, authorise, capture, eur, gateway_to, key, refund

OTHER_KEY = "00" * 32


@pytest.fixture
def adyen() -> FakeAdyen:
    """Adyen, with a payment that is authorised, and whose notifications wait to be delivered."""
    return FakeAdyen(prompt=False)


def changed(body: bytes, **fields: Any) -> bytes:
    """The notification with other fields in its first item, signed as before."""
    told = json.loads(body)
    told["notificationItems"][0]["NotificationRequestItem"].update(fields)
    return json.dumps(told).encode()


# --- who may send them ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pspReference", "P999999999999999"),
        ("originalReference", "P999999999999999"),
        ("merchantAccountCode", "AnotherShop"),
        ("merchantReference", "pay_SOF01_7K3F9Q_2"),
        ("amount", {"value": 1, "currency": "EUR"}),
        ("amount", {"value": 1000, "currency": "USD"}),
        ("eventCode", "CAPTURE"),
        ("success", "false"),
    ],
)
def test_no_signed_field_can_be_changed(adyen: FakeAdyen, field: str, value: object) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    headers, body = adyen.signed_webhook(PAYMENT, "AUTHORISATION")
    assert gateway.read_webhook(headers, body).payment == PAYMENT
    with pytest.raises(BadWebhook):
        gateway.read_webhook(headers, changed(body, **{field: value}))


@pytest.mark.parametrize("signature", ["", "é" * 44, "x" * 100_000, None, 7, ["a"]])
def test_a_garbled_signature_is_refused(adyen: FakeAdyen, signature: object) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    headers, body = adyen.signed_webhook(PAYMENT, "AUTHORISATION")
    with pytest.raises(BadWebhook):
        gateway.read_webhook(headers, changed(body, additionalData={"hmacSignature": signature}))


def test_two_keys_are_accepted_while_one_takes_over_from_the_other(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen, hmac_keys=[OTHER_KEY, adyen.hmac_key])
    gateway.authorise(authorise())
    assert gateway.read_webhook(*adyen.signed_webhook(PAYMENT, "AUTHORISATION")).payment == PAYMENT
    after = gateway_to(adyen, hmac_keys=[OTHER_KEY])
    with pytest.raises(BadWebhook, match="bad_signature"):
        after.read_webhook(*adyen.signed_webhook(PAYMENT, "AUTHORISATION"))


def test_another_account_s_notification_is_refused_although_it_is_signed(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    item = adyen.item(PAYMENT, "AUTHORISATION") | {"merchantAccountCode": "AnotherShop"}
    with pytest.raises(BadWebhook, match="wrong_account"):
        gateway.read_webhook(*adyen.sign(item))


def test_a_notification_of_the_live_platform_is_refused_on_the_test_platform(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    with pytest.raises(BadWebhook, match="wrong_mode"):
        gateway.read_webhook(*adyen.sign(adyen.item(PAYMENT, "AUTHORISATION"), live=True))


@pytest.mark.parametrize("given", [{}, {"Authorization": "Basic bm9ib2R5OnBhc3N3b3Jk"}, {"authorization": "é"}])
def test_without_its_login_a_notification_is_refused(given: dict[str, str]) -> None:
    adyen = FakeAdyen(login=LOGIN)
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    headers, body = adyen.signed_webhook(PAYMENT, "AUTHORISATION")
    assert gateway.read_webhook({"AUTHORIZATION": headers["Authorization"]}, body).payment == PAYMENT
    with pytest.raises(BadWebhook, match="bad_login"):
        gateway.read_webhook(given, body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"live": "false", "notificationItems": []}',
        b'{"live": "false", "live": "true", "notificationItems": [{}]}',
        b'{"live": "false", "notificationItems": [7]}',
        b'{"live": "false", "notificationItems": [{"NotificationRequestItem": null}]}',
        b'{"live": "false", "notificationItems": [{"NotificationRequestItem": {"amount": NaN}}]}',
        b'{"live": "false", "notificationItems": ' + b"[" * 100_000,
        b" " * 300_000,
        b"\xff",
    ],
)
def test_what_is_no_notification_is_refused(adyen: FakeAdyen, body: bytes) -> None:
    with pytest.raises(BadWebhook):
        gateway_to(adyen).read_webhook({}, body)


@pytest.mark.parametrize(
    "told",
    [
        {"success": True},
        {"success": "True"},
        {"amount": {"value": "1000", "currency": "EUR"}},
        {"amount": {"value": 10**30, "currency": "EUR"}},
        {"amount": {"value": 1000, "currency": "XXX"}},
        {"pspReference": "P\n1"},
        {"merchantReference": "x" * 81},
        {"eventCode": None},
    ],
)
def test_a_signed_notification_that_can_t_be_is_refused(adyen: FakeAdyen, told: dict[str, Any]) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    with pytest.raises(BadWebhook):
        gateway.read_webhook(*adyen.sign(adyen.item(PAYMENT, "AUTHORISATION") | told))


def test_a_genuine_notification_that_says_a_thing_twice_is_refused(adyen: FakeAdyen) -> None:
    """Two readers of it may see different values."""
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    headers, body = adyen.signed_webhook(PAYMENT, "AUTHORISATION")
    with pytest.raises(BadWebhook, match="not_json"):
        gateway.read_webhook(headers, body.replace(b'"live"', b'"live": "true", "live"', 1))


def test_a_genuine_notification_that_is_far_too_long_is_refused(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    with pytest.raises(BadWebhook, match="too_large"):
        gateway.read_webhook(*adyen.sign(adyen.item(PAYMENT, "AUTHORISATION") | {"operations": "x" * 300_000}))


# --- what they tell ---------------------------------------------------------------------------------------


def test_a_notification_has_an_id_that_is_the_same_however_often_it_comes(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    notice = gateway.read_webhook(*adyen.signed_webhook(PAYMENT, "AUTHORISATION"))
    again = gateway.read_webhook(*adyen.signed_webhook(PAYMENT, "AUTHORISATION"))
    other = gateway.read_webhook(*adyen.signed_webhook(PAYMENT, "CHARGEBACK"))
    assert notice.id == again.id != other.id
    assert notice.id


def test_a_capture_that_was_made_good_is_news_of_its_own(adyen: FakeAdyen) -> None:
    """Adyen tells it with the code and the reference of the capture that failed in between."""
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    first = adyen.item(PAYMENT, "CAPTURE", psp="M1", reference=f"{PAYMENT}.{key(2)}")
    again = first | {"reason": "Transaction Recaptured"}
    assert gateway.read_webhook(*adyen.sign(first)).id != gateway.read_webhook(*adyen.sign(again)).id


@pytest.mark.parametrize("event", ["REPORT_AVAILABLE", "SOMETHING_NEW", "OFFER_CLOSED"])
def test_a_code_that_says_nothing_about_payments_of_ours_is_read(adyen: FakeAdyen, event: str) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    item = adyen.item(PAYMENT, event) | {"merchantReference": "somebody else's", "pspReference": "P0"}
    assert gateway.read_webhook(*adyen.sign(item)).payment == ""


def test_several_items_in_one_notification_are_all_put_down(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen, captures="on_notice")
    gateway.authorise(authorise())
    with pytest.raises(GatewayTimeout):
        gateway.capture(capture(300))
    items = [
        adyen.item(PAYMENT, "SOMETHING_NEW"),
        adyen.item(PAYMENT, "CAPTURE", amount=300, psp="M1", reference=f"{PAYMENT}.{key(2)}"),
    ]
    assert gateway.read_webhook(*adyen.sign(*items)).payment == PAYMENT
    assert isinstance(gateway.look_up(asked_for(Operation.CAPTURE, 2)), Approved)


def test_one_bad_item_among_several_puts_nothing_down(adyen: FakeAdyen) -> None:
    gateway = gateway_to(adyen, captures="on_notice")
    gateway.authorise(authorise())
    with pytest.raises(GatewayTimeout):
        gateway.capture(capture())
    good = adyen.item(PAYMENT, "CAPTURE", psp="M1", reference=f"{PAYMENT}.{key(2)}")
    headers, body = adyen.sign(good, good | {"merchantAccountCode": "AnotherShop"})
    with pytest.raises(BadWebhook):
        gateway.read_webhook(headers, body)
    assert not isinstance(gateway.look_up(asked_for(Operation.CAPTURE, 2)), Approved)


@pytest.mark.parametrize(
    ("events", "disputed"),
    [
        (["NOTIFICATION_OF_CHARGEBACK"], 1000),
        (["NOTIFICATION_OF_CHARGEBACK", "CHARGEBACK"], 1000),
        (["CHARGEBACK", "CHARGEBACK_REVERSED"], 0),
        (["CHARGEBACK_REVERSED", "CHARGEBACK"], 0),
    ],
)
def test_a_dispute_tells_what_the_bank_takes_back_all_in_all(
    adyen: FakeAdyen, events: list[str], disputed: int
) -> None:
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    last = [gateway.read_webhook(*adyen.signed_webhook(PAYMENT, event)) for event in events][-1]
    assert last.disputed == eur(disputed)


def test_a_notification_is_known_although_the_page_is_lost(adyen: FakeAdyen) -> None:
    """A new book after a disaster: what is told from then on is known."""
    gateway_to(adyen).authorise(authorise())
    after = gateway_to(adyen, book=MemoryBook())
    adyen.deliver()
    found = after.look_up(asked_for(Operation.AUTHORISE, 1))
    assert isinstance(found, Approved)
    assert found.amount == eur(1000)


def test_a_modification_is_known_by_adyen_s_reference_where_ours_is_not_told() -> None:
    adyen = FakeAdyen(prompt=False, names_modifications=False)
    gateway = gateway_to(adyen, captures="on_notice")
    gateway.authorise(authorise())
    adyen.lose_next_reply()
    with pytest.raises(GatewayTimeout):
        gateway.capture(capture(400))
    found = gateway.look_up(asked_for(Operation.CAPTURE, 2))
    assert isinstance(found, Approved)
    assert found.amount == eur(400)


def test_of_two_that_it_could_be_a_nameless_notification_decides_neither() -> None:
    adyen = FakeAdyen(prompt=False, names_modifications=False)
    gateway = gateway_to(adyen)
    gateway.authorise(authorise())
    gateway.capture(capture(1000))
    for n in (4, 5):
        adyen.lose_next_reply(told=False)
        with pytest.raises(GatewayTimeout):
            gateway.refund(refund(300, n=n))
    adyen.deliver()
    found = [gateway.look_up(asked_for(Operation.REFUND, n)) for n in (4, 5)]
    assert not any(isinstance(answer, (Approved, Denied)) for answer in found)


def test_any_order_of_arrival_ends_the_same() -> None:
    """The first capture fails at the card scheme, and Adyen makes it good; every notification comes twice."""
    adyen = FakeAdyen(prompt=False)
    events = [("CAPTURE", ""), ("CAPTURE_FAILED", ""), ("CAPTURE", "Transaction Recaptured")]
    ends: set[object] = set()
    for order in permutations(events):
        gateway = gateway_to(adyen, book=MemoryBook(), captures="on_notice")
        gateway.authorise(authorise())
        with pytest.raises(GatewayTimeout):
            gateway.capture(capture())
        for event, reason in order * 2:
            item = adyen.item(PAYMENT, event, psp="M1", reference=f"{PAYMENT}.{key(2)}", reason=reason)
            gateway.read_webhook(*adyen.sign(item))
        ends.add(gateway.look_up(asked_for(Operation.CAPTURE, 2)))
    assert ends == {Approved(Money(1000, "EUR"), "M1")}
