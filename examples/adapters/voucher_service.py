"""A service for meal vouchers, as small as one can be: what the example's gateway talks to when it is tried.

It plays the part of your provider's test system: JSON over HTTP, a record for each request under the key that came
with it, signed webhooks. Four things can be asked for, each with our `reference` for the payment:

    POST /holds       set `amount` aside on a `voucher`          402 when there is too little on it
    POST /takes       take `amount` of what is held, once        402 when that is too much, or too late
    POST /releases    give back what is held and not taken       402 when it was taken
    POST /returns     put everything that was taken back         402 unless it is exactly that
    GET  /holds/KEY   (and so on) what became of the request with this key; 404 when it never came

A voucher's name says what is on it: MEAL-5000 holds 50.00, for each payment anew.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any

WEBHOOK_SECRET = b"webhooks-of-the-voucher-service"


class Refused(Exception):
    """The service's no: an HTTP status and a code."""

    def __init__(self, status: int, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.status = status
        self.reply = {"error": code, **facts}


class VoucherService:
    """Runs on a free port of this machine from `with` until its end; `url` says where."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._acts = {"/holds": self._hold, "/takes": self._take, "/releases": self._release, "/returns": self._return}
        self._holds: dict[str, dict[str, Any]] = {}
        self._records: dict[tuple[str, str], tuple[dict[str, Any], int, dict[str, Any]]] = {}
        self._levers: list[tuple[int, bytes]] = []
        service = self

        class Desk(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(*service.look_up(self.path))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._answer(*service.carry_out(self.path, self.headers["Idempotency-Key"], body))

            def _answer(self, status: int, reply: Mapping[str, Any]) -> None:
                if service._levers:
                    status, page = service._levers.pop()
                else:
                    page = json.dumps(reply).encode()
                if page:
                    self.send_response(status)
                    self.end_headers()
                    self.wfile.write(page)

            def log_message(self, format: str, *args: Any) -> None:
                """Be silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> VoucherService:
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # --- what can be asked ---

    def carry_out(self, path: str, key: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The reply to a POST; the same reply as before when the key was seen before."""
        if path not in self._acts:
            return 404, {"error": "no_such_address"}
        with self._lock:
            if known := self._records.get((path, key)):
                asked, status, reply = known
                return (status, reply) if asked == body else (409, {"error": "key_reused"})
            if path != "/holds" and body["reference"] not in self._holds:
                return 404, {"error": "unknown"}
            try:
                amount = self._acts[path](body)
                status, reply = 200, {"id": f"{path[1:-1]}_{len(self._records) + 1}", "amount": amount}
                reply["currency"] = self._holds[body["reference"]]["currency"]
            except Refused as refused:
                status, reply = refused.status, refused.reply
            self._records[path, key] = body, status, reply
            return status, reply

    def look_up(self, path: str) -> tuple[int, dict[str, Any]]:
        """The reply to a GET: what was answered to the request with this key."""
        collection, _, key = path.rpartition("/")
        with self._lock:
            if known := self._records.get((collection, key)):
                return known[1:]
        return 404, {"error": "unknown" if collection in self._acts else "no_such_address"}

    def _hold(self, body: dict[str, Any]) -> int:
        left = int(body["voucher"].removeprefix("MEAL-"))
        if body["amount"] > left:
            raise Refused(402, "balance_too_low")
        self._holds[body["reference"]] = {"held": body["amount"], "taken": 0, "currency": body["currency"]}
        return int(body["amount"])

    def _take(self, body: dict[str, Any]) -> int:
        hold, amount = self._holds[body["reference"]], int(body["amount"])
        if hold.get("expired"):
            raise Refused(402, "hold_expired")
        if amount > hold["held"]:
            raise Refused(402, "more_than_is_held")
        hold["held"], hold["taken"] = 0, amount
        return amount

    def _release(self, body: dict[str, Any]) -> int:
        hold = self._holds[body["reference"]]
        if hold["taken"]:
            raise Refused(402, "taken_already", taken=hold["taken"], currency=hold["currency"])
        hold["held"], released = 0, hold["held"]
        return int(released)

    def _return(self, body: dict[str, Any]) -> int:
        hold, amount = self._holds[body["reference"]], int(body["amount"])
        if not amount or amount != hold["taken"]:
            raise Refused(402, "only_what_was_taken")
        hold["taken"] = 0
        return amount

    # --- what goes wrong, and what it says by itself ---

    def lose_next_reply(self) -> None:
        """The next request takes effect, and the connection breaks before the reply."""
        self._levers.append((0, b""))

    def crash_at_next_reply(self, page: bytes) -> None:
        """The next request takes effect, and its reply is a 500 with this page."""
        self._levers.append((500, page))

    def expire(self, reference: str) -> None:
        """The hold of this payment is too old."""
        with self._lock:
            self._holds[reference].update(held=0, expired=True)

    def signed_webhook(
        self, reference: str, kind: str, *, age: timedelta = timedelta(0)
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of what it posts when something happened to a payment, `age` ago."""
        body = json.dumps({"type": kind, "reference": reference}).encode()
        sent = str(int((datetime.now(UTC) - age).timestamp()))
        signature = hmac.new(WEBHOOK_SECRET, f"{sent}.".encode() + body, hashlib.sha256).hexdigest()
        return {"Voucher-Signature": f"{sent}.{signature}"}, body
