"""Meal vouchers as a way to pay: a tender of its own, and the gateway to the service that keeps the vouchers."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from attrs import frozen

from omniorder import Capabilities, Money, Tender
from omniorder.errors import BadWebhook, GatewayFault, GatewayTimeout
from omniorder.ports.clock import Clock, SystemClock
from omniorder.ports.payments import (
    Absent,
    Approved,
    Authorise,
    Capture,
    Denied,
    LookUp,
    Notice,
    Operation,
    Refund,
    Void,
)

COLLECTIONS = {
    Operation.AUTHORISE: "holds",
    Operation.CAPTURE: "takes",
    Operation.VOID: "releases",
    Operation.REFUND: "returns",
}
REASONS = {"hold_expired": "authorisation_expired"}  # the one reason on which the library acts
TOLERANCE = 300  # seconds by which the service's clock may differ from ours
MOST_BYTES = 64 * 1024


@frozen
class Voucher(Tender):
    """A meal voucher; its token is the voucher's number."""

    kind: ClassVar[str] = "voucher"


class VoucherGateway:
    """The gateway for `Voucher`. `patience` is in seconds, and well below the 30 after which a call is made again."""

    capabilities = Capabilities(
        partial_capture=True,
        several_captures=False,
        partial_refund=False,
        immediate=False,
        remembers=timedelta(days=7),
    )

    def __init__(
        self, url: str, *, api_key: str, webhook_secret: bytes, patience: float = 10, clock: Clock | None = None
    ) -> None:
        self._address = urlsplit(url)
        self._api_key = api_key
        self._secret = webhook_secret
        self._patience = patience
        self._clock = clock or SystemClock()

    def authorise(self, request: Authorise) -> Approved | Denied:
        """Hold the amount on the voucher. There are no wallets here, no pages to choose on, and no taking at once."""
        if request.now or request.method or not request.token:
            return Denied("unsupported")
        asked = {"order": request.order, "voucher": request.token, **_minor(request.amount)}
        return self._act(Operation.AUTHORISE, request, asked)

    def capture(self, request: Capture) -> Approved | Denied:
        """Take the amount; the service gives the rest of the hold back by itself."""
        return self._act(Operation.CAPTURE, request, _minor(request.amount))

    def void(self, request: Void) -> Approved | Denied | Absent:
        """Release the hold, found by our own reference: so it makes no difference that its answer was lost."""
        return _read(*self._send("POST", "/releases", request.key, {"reference": request.payment}))

    def refund(self, request: Refund) -> Approved | Denied:
        """Put what was taken back on the voucher."""
        return self._act(Operation.REFUND, request, _minor(request.amount))

    def look_up(self, request: LookUp) -> Approved | Denied | Absent:
        """What the service has on file under our key."""
        return _read(*self._send("GET", f"/{COLLECTIONS[request.operation]}/{quote(request.key, safe='')}"))

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Which payment to look at. The header is `<seconds since 1970>.<HMAC-SHA256 of "seconds.body", in hex>`."""
        given = {name.lower(): value for name, value in headers.items()}.get("voucher-signature", "")
        if not given.isascii() or len(body) > MOST_BYTES:
            raise BadWebhook(gateway="voucher", reason="malformed")
        sent, _, signature = given.partition(".")
        expected = hmac.new(self._secret, f"{sent}.".encode() + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signature, expected):
            raise BadWebhook(gateway="voucher", reason="bad_signature")
        # from here on it is the service's own word
        if abs(self._clock.now().timestamp() - int(sent)) > TOLERANCE:
            raise BadWebhook(gateway="voucher", reason="too_old_or_from_the_future")
        told = json.loads(body)
        return Notice(payment=told.get("reference", ""), kind=told["type"])

    def _act(
        self, operation: Operation, request: Authorise | Capture | Refund, asked: Mapping[str, Any]
    ) -> Approved | Denied:
        body = {"reference": request.payment, **asked}
        answer = _read(*self._send("POST", f"/{COLLECTIONS[operation]}", request.key, body))
        return Denied("no_such_payment") if isinstance(answer, Absent) else answer

    def _send(
        self, method: str, path: str, key: str = "", body: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON of a reply that came from the service itself; raises when there is none."""
        connect = HTTPSConnection if self._address.scheme == "https" else HTTPConnection
        link = connect(self._address.netloc, timeout=self._patience)
        headers = {"Authorization": f"Bearer {self._api_key}", "Idempotency-Key": key}
        try:
            link.request(method, self._address.path + path, json.dumps(body) if body else None, headers)
            reply = link.getresponse()
            status, told = reply.status, json.loads(reply.read())
        except (OSError, HTTPException, ValueError) as problem:
            # it may have arrived or not, and a page of HTML says no more than silence
            raise GatewayTimeout(gateway="voucher", reason=type(problem).__name__) from problem
        finally:
            link.close()
        if not isinstance(told, dict) or status >= 500:
            raise GatewayTimeout(gateway="voucher", reason=f"HTTP {status}")
        return status, told


def _read(status: int, told: dict[str, Any]) -> Approved | Denied | Absent:
    """What a reply means; raises `GatewayFault` for one that only a mistake of ours explains."""
    match status, told:
        case 200, {"id": str(number), "amount": int(amount), "currency": str(currency)}:
            return Approved(Money(amount, currency), number)
        case 402, {"error": str(code), "taken": int(taken), "currency": str(currency)}:
            return Denied(REASONS.get(code, code), captured=Money(taken, currency))
        case 402, {"error": str(code)}:
            return Denied(REASONS.get(code, code))
        case 404, {"error": "unknown"}:
            return Absent()
        case _:
            raise GatewayFault(gateway="voucher", reason=str(told.get("error", f"HTTP {status}")))


def _minor(money: Money) -> dict[str, Any]:
    return {"amount": money.amount, "currency": money.currency}
