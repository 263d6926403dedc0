"""The wire to the fake: an HTTP client of stripe-python that carries requests to it, and the luck that each may have.

Encoding, headers, errors and retries are stripe-python's own. What Stripe does with idempotency keys is done here: a
key answers for one request, with what that was answered first (an error of the server too), until it is forgotten.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import RLock
from typing import Any, Final, cast
from urllib.parse import urlsplit

import stripe
from attrs import frozen

from omniorder.testing.stripe.forms import decoded
from omniorder.testing.stripe.refusals import Refusal
from omniorder.testing.stripe.routes import Asked, answered
from omniorder.testing.stripe.shelf import Object, Shelf

__all__ = ["API_KEY", "Luck", "Switchboard", "connected"]

API_KEY: Final = "sk_test_fake"


@frozen
class Luck:
    """How one request goes. `unheard`: it never arrives; `lost`: its reply doesn't.

    `status` is answered instead, with `code`; `after`: although it took effect. `mispriced` is the amount that a
    payment is made for instead of the one that was asked for.
    """

    unheard: bool = False
    lost: bool = False
    status: int = 0
    code: str = ""
    after: bool = False
    mispriced: int | None = None


@frozen
class _Kept:
    request: tuple[str, str, str]
    status: int
    body: str
    at: datetime


class Switchboard:
    """Answers one request at a time. `before` is done ahead of each, `afterwards` once its answer is written."""

    def __init__(
        self,
        shelf: Shelf,
        remembers: timedelta,
        before: Callable[[], None],
        afterwards: Callable[[Asked, Object], None],
    ) -> None:
        self.lock = RLock()
        self.luck: deque[Luck] = deque()
        self.reading_luck: deque[Luck] = deque()
        self.requests: list[Asked] = []
        self._shelf = shelf
        self._remembers = remembers
        self._before = before
        self._afterwards = afterwards
        self._kept: dict[str, _Kept] = {}

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: str) -> tuple[str, int, dict[str, str]]:
        """One request's answer; raises `APIConnectionError` where none arrives."""
        given = {name.lower(): value for name, value in headers.items()}
        parts = urlsplit(url)
        with self.lock:
            waiting = self.luck if method == "post" else self.reading_luck
            luck = waiting.popleft() if waiting else Luck()
            if luck.unheard:
                raise _silence()
            self._before()
            form = body if method == "post" else parts.query
            status, answer = self._answer(method, parts.path, form, given, luck)
        if luck.lost:
            raise _silence()
        return answer, status, {"request-id": f"req_fake{len(self.requests):06d}", "stripe-should-retry": "false"}

    def forget_keys(self) -> None:
        """Forget all idempotency keys."""
        with self.lock:
            self._kept.clear()

    def _answer(self, method: str, path: str, form: str, given: Mapping[str, str], luck: Luck) -> tuple[int, str]:
        if given.get("authorization") != f"Bearer {API_KEY}":
            return 401, _error(Refusal(401, {"type": "invalid_request_error", "message": "Invalid API Key"}))
        if given.get("stripe-account", "") != self._shelf.settings.account:
            return 403, _error(Refusal(403, {"type": "invalid_request_error", "code": "account_invalid"}))
        key = given.get("idempotency-key", "") if method == "post" else ""
        request, kept = (method, path, form), self._kept.get(key)
        if kept is not None and self._shelf.moment() - kept.at <= self._remembers:
            if kept.request != request:
                return 400, _error(Refusal(400, {"type": "idempotency_error", "message": "another request"}))
            return kept.status, kept.body
        if luck.status and not luck.after:
            # what is refused at the door was never begun, so its key stays free
            return self._failed(luck, key, request, kept=luck.status >= 500)
        status, body, keep = self._carried_out(method, path, form, key, luck.mispriced)
        if luck.status:
            return self._failed(luck, key, request, kept=True)
        if keep:
            self._keep(key, request, status, body)
        return status, body

    def _carried_out(self, method: str, path: str, form: str, key: str, mispriced: int | None) -> tuple[int, str, bool]:
        try:
            asked = Asked(method, path, decoded(form), key, mispriced)
            self.requests.append(asked)
            thing = answered(self._shelf, asked)
        except Refusal as why:
            return why.status, _error(why), why.kept
        body = json.dumps(thing)
        self._afterwards(asked, thing)
        return 200, body, True

    def _failed(self, luck: Luck, key: str, request: tuple[str, str, str], *, kept: bool) -> tuple[int, str]:
        error = {"type": "api_error", "message": "An error occurred.", **({"code": luck.code} if luck.code else {})}
        body = _error(Refusal(luck.status, error))
        if kept:
            self._keep(key, request, luck.status, body)
        return luck.status, body

    def _keep(self, key: str, request: tuple[str, str, str], status: int, body: str) -> None:
        if key:
            self._kept[key] = _Kept(request, status, body, self._shelf.moment())


class Wire(stripe.HTTPClient):
    """The HTTP client that stripe-python is given: it carries everything to the switchboard."""

    name = "fake"
    switchboard: Switchboard

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """One request and its answer; raises `APIConnectionError` where none arrives."""
        return self.switchboard.answer(method, url, headers or {}, str(post_data or ""))

    def close(self) -> None:
        """Nothing is held open."""


def connected(switchboard: Switchboard, api_key: str, account: str) -> stripe.StripeClient:
    """A client whose requests go there; it repeats none by itself."""
    wire = Wire()
    wire.switchboard = switchboard
    return stripe.StripeClient(api_key, stripe_account=account or None, http_client=wire, max_network_retries=0)


def _error(why: Refusal) -> str:
    return json.dumps({"error": dict(why.error)})


def _silence() -> stripe.APIConnectionError:
    raising = cast("Callable[..., stripe.APIConnectionError]", stripe.APIConnectionError)  # it is not typed
    return raising("no reply", should_retry=True)
