"""The fake itself: Adyen's library talks to it in place of the network, and levers make it misbehave.

adyen = FakeAdyen()
gateway = AdyenGateway(adyen.client(), book=MemoryBook(), merchant_account=adyen.merchant_account, ...)
adyen.listen(gateway.read_webhook)      # or, through a hub: hub.webhook
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from threading import RLock
from typing import Any, Final, cast
from urllib.parse import urlsplit

import Adyen
from Adyen.httpclient import HTTPClient
from attrs import field, frozen

from omniorder.domain.payments import Payment
from omniorder.errors import NotFound
from omniorder.ports.clock import Clock, SystemClock
from omniorder.testing.adyen.ledger import Ledger, Reply, Told, invalid
from omniorder.testing.adyen.notifying import Notifier
from omniorder.testing.adyen.shapes import complaint
from omniorder.testing.adyen.state import CARDS, AtAdyen, FakeCard, FakeLink
from omniorder.testing.adyen.terminals import Terminals

__all__ = ["CARDS", "FakeAdyen", "FakeCard", "Request"]

Notification = tuple[dict[str, str], bytes]
HMAC_KEY: Final = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
_EVENTS: Final = {"payment.authorised": "AUTHORISATION"}


@frozen
class Request:
    """A call that arrived: what was asked of which path, under which idempotency key."""

    method: str
    path: str
    key: str
    body: Mapping[str, Any]


@frozen
class _Luck:
    """What a lever holds for one call."""

    lost: bool = False
    told: bool = False
    unheard: bool = False
    reply: Reply | None = None
    headers: Mapping[str, str] = field(factory=dict[str, str])


class FakeAdyen:
    """A merchant account at Adyen. Thread-safe.

    Notifications are sent to whoever listens: at once (`prompt`), before the reply even arrives, or when `deliver` is
    called. `names_modifications`: a modification's notification carries the modification's own reference, or else the
    payment's. `remembers` is how long an idempotency key is known, by `clock`.
    """

    def __init__(
        self,
        *,
        merchant_account: str = "ExampleShopECOM",
        hmac_key: str = HMAC_KEY,
        login: tuple[str, str] | None = None,
        several_captures: bool = False,
        prompt: bool = True,
        names_modifications: bool = True,
        remembers: timedelta = timedelta(days=7),
        clock: Clock | None = None,
    ) -> None:
        self.merchant_account = merchant_account
        self.hmac_key = hmac_key
        self.login = login
        self._clock = clock or SystemClock()
        self._lock = RLock()
        self._ledger = Ledger(several_captures=several_captures)
        self._terminals = Terminals(self._ledger)
        self._notifier = Notifier(hmac_key, merchant_account, login)
        self._prompt = prompt
        self._names_modifications = names_modifications
        self._remembers = remembers
        self._kept: dict[str, tuple[datetime, Reply]] = {}
        self._luck: deque[_Luck] = deque()
        self._waiting: list[Notification] = []
        self._listeners: list[Callable[[dict[str, str], bytes], object]] = []
        self.requests: list[Request] = []
        """Everything that arrived, the oldest first."""

    def client(self, *, http_timeout: int = 10) -> Adyen.Adyen:
        """Adyen's own client, with this in place of the network."""
        client = Adyen.Adyen(xapikey="fake-key", platform="test", http_timeout=http_timeout)
        client.client.http_client = _Wire(self._request)
        client.client.http_init = True
        return client

    # --- notifications ---

    def listen(self, receive: Callable[[dict[str, str], bytes], object]) -> None:
        """Send notifications there, as headers and body."""
        self._listeners.append(receive)

    def deliver(self, *, times: int = 1, backwards: bool = False) -> None:
        """Send what waits to be sent, each as often as is said, the newest first with `backwards`."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for headers, body in reversed(waiting) if backwards else waiting:
            for _ in range(times):
                for receive in self._listeners:
                    receive(headers, body)

    def drop_notifications(self) -> None:
        """What waits to be sent is never sent."""
        with self._lock:
            self._waiting.clear()

    def signed_webhook(self, payment: str | Payment, kind: str, *, age: timedelta = timedelta(0)) -> Notification:
        """Headers and body of a notification about this payment; `kind` is an event code."""
        with self._lock:
            found = self._find(payment)
            event = _EVENTS.get(kind, kind)
            return self.sign(self._notifier.item(found, event, self._clock.now() - age))

    def sign(self, *items: Mapping[str, Any], live: bool = False) -> Notification:
        """A notification with any items at all, as only Adyen can sign it."""
        return self._notifier.sign(*items, live=live)

    def item(self, payment: str | Payment, event: str, **told: Any) -> dict[str, Any]:
        """An item about this payment, not signed yet."""
        with self._lock:
            return self._notifier.item(self._find(payment), event, self._clock.now(), **told)

    def tell(self, payment: str | Payment, event: str, **told: Any) -> None:
        """Something happens to this payment, and is notified: "CAPTURE_FAILED" or "CHARGEBACK", for example."""
        with self._lock:
            self._waiting.append(self.sign(self.item(payment, event, **told)))
        self._if_prompt()

    # --- bad luck ---

    def lose_next_reply(self, *, told: bool = True) -> None:
        """The next call takes effect, but its reply never arrives; its notifications do, at once, if `told`."""
        self._luck.append(_Luck(lost=True, told=told))

    def drop_next_request(self) -> None:
        """The next call never arrives."""
        self._luck.append(_Luck(unheard=True))

    def fail_next(self, status: int, code: str = "905", *, kind: str = "internal", transient: bool = False) -> None:
        """The next call is answered with an error, without effect; `transient`: with Adyen's word that it had none."""
        headers = {"Transient-Error": "true"} if transient else {}
        self._luck.append(_Luck(reply=invalid("failed", code, status=status, kind=kind), headers=headers))

    def no_luck(self) -> None:
        """Let go of the levers that were pulled for calls to come."""
        self._luck.clear()

    def forget_keys(self) -> None:
        """Forget all idempotency keys: a request that is repeated acts again."""
        with self._lock:
            self._kept.clear()

    def authorise_next_for(self, amount: int) -> None:
        """The next authorisation is for another amount, in Adyen's minor units."""
        self._ledger.authorises = amount

    def expire(self, payment: str | Payment) -> None:
        """The authorisation grew too old."""
        with self._lock:
            self._find(payment).expired = True
        self.tell(payment, "EXPIRE")

    # --- the customer ---

    def store_card(self, id: str, card: FakeCard) -> None:
        """A stored payment method of that id."""
        self._ledger.cards[id] = card

    def act(self, payment: str | Payment, *, success: bool = True) -> dict[str, str]:
        """The customer does what the bank wants, or fails to: the details that come back with them."""
        with self._lock:
            found = self._find(payment)
        name = "redirectResult" if found.card.asks == "redirect" else "threeDSResult"
        return {name: f"{found.psp}!{'ok' if success else 'no'}"}

    def decide(self, payment: str | Payment) -> None:
        """What Adyen answered "received" about is decided."""
        with self._lock:
            self._tell(self._ledger.settle(self._find(payment)).told)
        self._if_prompt()

    def pay_link(self, url: str, card: FakeCard | None = None) -> None:
        """The customer pays by the link; may be tried again when the card is refused."""
        with self._lock:
            self._tell(self._ledger.pay_link(self._link(url), card or FakeCard()).told)
        self._if_prompt()

    def expire_link(self, url: str) -> None:
        """The link was not paid in time."""
        with self._lock:
            self._link(url).status = "expired"

    def present_card(self, reader: str, card: FakeCard | None = None) -> None:
        """The customer presents a card at the reader."""
        with self._lock:
            self._tell(self._terminals.present(reader, card or FakeCard()).told)
        self._if_prompt()

    def leave_reader(self, reader: str) -> None:
        """The customer presses the red key."""
        with self._lock:
            self._terminals.leave(reader)

    def lose_at_reader(self, reader: str) -> None:
        """What the cloud accepted never reaches the reader."""
        with self._lock:
            self._terminals.forget(reader)

    def switch_reader(self, reader: str, *, on: bool) -> None:
        """A reader without power or network answers nothing."""
        with self._lock:
            (self._terminals.off.discard if on else self._terminals.off.add)(reader)

    # --- Adyen's books ---

    @property
    def payments(self) -> tuple[AtAdyen, ...]:
        """Everything on file, the oldest first; amounts are Adyen's minor units."""
        with self._lock:
            return tuple(self._ledger.payments.values())

    def payment(self, payment: str | Payment) -> AtAdyen:
        """The latest on file under our reference."""
        with self._lock:
            return self._find(payment)

    # --- one call ---

    def _request(
        self, method: str, url: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> tuple[str, int, Mapping[str, str]]:
        key = headers.get("Idempotency-Key", "")
        luck = self._luck.popleft() if self._luck else _Luck()
        if luck.unheard:
            raise TimeoutError("the request never arrived")
        with self._lock:
            path = urlsplit(url).path
            self.requests.append(Request(method, path, key, body))
            reply = luck.reply or self._once(method, url, key, body)
        self._if_prompt(or_else=luck.told)
        if luck.lost:
            raise TimeoutError("the reply never arrived")
        return json.dumps(reply.body) if reply.body else "ok", reply.status, luck.headers

    def _once(self, method: str, url: str, key: str, body: Mapping[str, Any]) -> Reply:
        kept = self._kept.get(key)
        if key and kept is not None and self._clock.now() - kept[0] < self._remembers:
            return kept[1]
        reply = self._act(method, url, key, body)
        if key:
            self._kept[key] = (self._clock.now(), reply)
        self._tell(reply.told)
        return reply

    def _act(self, method: str, url: str, key: str, body: Mapping[str, Any]) -> Reply:
        address = urlsplit(url)
        steps = address.path.strip("/").split("/")
        if address.netloc.startswith("terminal-api"):
            return self._terminals.take(body, steps[-1])
        calls: Mapping[str, Callable[[], Reply]]
        match method, steps[1:]:
            case "POST", ["payments"]:
                return self._checked("payments", body, key) or self._ledger.pay(body)
            case "POST", ["payments", "details"]:
                return self._checked("details", body, key) or self._ledger.details(body)
            case "POST", ["payments", psp, kind]:
                calls = {
                    "captures": lambda: self._ledger.capture(psp, body),
                    "refunds": lambda: self._ledger.refund(psp, body),
                    "cancels": lambda: self._ledger.cancel(psp, body),
                    "amountUpdates": lambda: self._ledger.update_amount(psp, body),
                }
                return self._checked(kind, body, key) or calls[kind]()
            case "POST", ["cancels"]:
                return self._checked("cancel", body, key) or self._ledger.cancel_by_reference(body)
            case "POST", ["paymentLinks"]:
                return self._checked("paymentLinks", body, key) or self._ledger.link(body)
            case "GET", ["paymentLinks", number]:
                return self._ledger.show(self._ledger.links[number])
            case "PATCH", ["paymentLinks", number]:
                return self._checked("closeLink", body, key) or self._close(self._ledger.links[number])
            case _:
                return invalid("no such address", "0", status=404)

    def _checked(self, kind: str, body: Mapping[str, Any], key: str) -> Reply | None:
        if problem := complaint(kind, body, key):
            return invalid(problem, "702")
        if kind not in ("details", "closeLink") and body.get("merchantAccount") != self.merchant_account:
            return invalid("Invalid Merchant Account", "901", status=403, kind="security")
        return None

    def _close(self, link: FakeLink) -> Reply:
        if link.status != "active":
            return invalid("The payment link is not active", "29_001")
        link.status = "expired"
        return self._ledger.show(link)

    def _tell(self, told: Iterable[Told]) -> None:
        for event in told:
            reference = event.reference if self._names_modifications else ""
            item = self._notifier.item(
                event.payment, event.event, self._clock.now(), success=event.success, amount=event.amount,
                psp=event.psp, reference=reference, reason=event.reason,
            )  # fmt: skip
            self._waiting.append(self.sign(item))

    def _if_prompt(self, *, or_else: bool = False) -> None:
        if self._prompt or or_else:
            self.deliver()

    def _find(self, payment: str | Payment) -> AtAdyen:
        reference = payment if isinstance(payment, str) else payment.id
        found = self._ledger.find(reference)
        if found is None:
            raise NotFound("payment at Adyen", reference)
        return found

    def _link(self, url: str) -> FakeLink:
        number = url.rpartition("/")[2]
        if number not in self._ledger.links:
            raise NotFound("payment link", number)
        return self._ledger.links[number]


class _Wire(HTTPClient):
    """What Adyen's library takes for the network."""

    def __init__(
        self, request: Callable[[str, str, Mapping[str, Any], Mapping[str, str]], tuple[str, int, Mapping[str, str]]]
    ) -> None:
        super().__init__("omniorder-fake/", "1")
        self._send = request
        self.request = self._answer

    def _answer(
        self, method: str, url: str, json: object = None, xapikey: str = "", headers: Mapping[str, str] | None = None
    ) -> tuple[str, object, int, Mapping[str, str]]:
        body = cast("Mapping[str, Any]", json or {})
        text, status, told = self._send(method, url, body, headers or {})
        return text, json, status, told
