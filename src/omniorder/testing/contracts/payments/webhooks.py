"""What a gateway keeps when it reads a webhook: nothing is believed that is not signed, in time and well formed."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest

from omniorder.errors import BadWebhook
from omniorder.ports.payments import Notice
from omniorder.testing.contracts.payments.bench import Promises

GARBAGE: Final = [
    *("", "é", "t=,v1=", "t=1,v1=é", "t=٣,v1=0", ",=,="),
    pytest.param("☃" * 64, id="snowmen"),
    pytest.param("\udcff", id="lone surrogate"),
    pytest.param("x" * 100_000, id="long"),
]
IMPOSSIBLE: Final = [
    pytest.param(b"", id="empty"),
    pytest.param(b"\xff\xfe", id="no text"),
    pytest.param(b"null", id="null"),
    pytest.param(b"[" * 10_000, id="deep list"),
    pytest.param(b'{"a":' * 10_000, id="deep object"),
    pytest.param(b" " * 10_000_000, id="10 MB"),
]


class Webhooks(Promises):
    """Promises about webhooks."""

    def test_a_genuine_webhook_names_our_payment(self) -> None:
        case = self.authorised()
        notice = case.gateway.read_webhook(*case.webhook("payment.authorised"))
        assert notice.payment == case.payment

    def test_a_webhook_of_an_unknown_kind_is_read_all_the_same(self) -> None:
        case = self.authorised()
        assert isinstance(case.gateway.read_webhook(*case.webhook("nobody.knows.this")), Notice)

    def test_a_webhook_that_comes_twice_reads_the_same_twice(self) -> None:
        case = self.authorised()
        sent = case.webhook("payment.authorised")
        assert case.gateway.read_webhook(*sent) == case.gateway.read_webhook(*sent)

    def test_the_names_of_headers_may_come_in_any_case(self) -> None:
        case = self.authorised()
        headers, body = case.webhook("payment.authorised")
        for spelt in (str.lower, str.upper):
            notice = case.gateway.read_webhook({spelt(name): headers[name] for name in headers}, body)
            assert notice.payment == case.payment

    def test_a_webhook_whose_body_was_changed_is_refused(self) -> None:
        case = self.authorised()
        headers, body = case.webhook("payment.authorised")
        with pytest.raises(BadWebhook):
            case.gateway.read_webhook(headers, body.replace(case.payment.encode(), b"pay_TEST_OTHER_1"))

    def test_a_webhook_without_a_signature_is_refused(self) -> None:
        case = self.authorised()
        _, body = case.webhook("payment.authorised")
        with pytest.raises(BadWebhook):
            case.gateway.read_webhook({}, body)

    @pytest.mark.parametrize("garbage", GARBAGE)
    def test_a_garbled_signature_is_refused(self, garbage: str) -> None:
        case = self.authorised()
        headers, body = case.webhook("payment.authorised")
        with pytest.raises(BadWebhook):
            case.gateway.read_webhook(dict.fromkeys(headers, garbage), body)

    def test_a_signature_with_a_letter_outside_ascii_is_refused(self) -> None:
        case = self.authorised()
        headers, body = case.webhook("payment.authorised")
        with pytest.raises(BadWebhook):
            case.gateway.read_webhook({name: value[:-1] + "é" for name, value in headers.items()}, body)

    def test_a_webhook_that_is_an_hour_old_is_refused(self) -> None:
        case = self.authorised()
        with pytest.raises(BadWebhook):
            case.gateway.read_webhook(*case.webhook("payment.authorised", age=timedelta(hours=1)))

    def test_a_webhook_from_the_future_is_refused(self) -> None:
        case = self.authorised()
        with pytest.raises(BadWebhook):
            case.gateway.read_webhook(*case.webhook("payment.authorised", age=timedelta(days=-365)))

    @pytest.mark.parametrize("body", IMPOSSIBLE)
    def test_a_body_that_is_none_is_refused(self, body: bytes) -> None:
        case = self.authorised()
        headers, _ = case.webhook("payment.authorised")
        with pytest.raises(BadWebhook):
            case.gateway.read_webhook(headers, body)
