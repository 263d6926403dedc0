"""localstripe as a process of its own, reached over HTTP on the loopback interface by a client that speaks its dialect.

localstripe imitates an older Stripe: it has fewer parameters, and its payments tell less. The client in between renames
and leaves out what it lacks, and adds up what it doesn't tell; all else (encoding, connections, statuses, signatures)
is as it comes. It is never imported here: its licence is the GPL's, ours isn't.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from queue import Queue
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import stripe

START: Final = "import sys; from aiohttp import web; from localstripe.server import app; " + (
    "web.run_app(app, host='127.0.0.1', port=int(sys.argv[1]), print=None)"
)
"""What its own command does, which would listen on every interface."""

LACKS: Final = ("description", "statement_descriptor", "return_url")
PATIENCE: Final = 20.0


def installed() -> bool:
    """Whether it is there to be started."""
    return find_spec("localstripe") is not None


@contextmanager
def running() -> Iterator[str]:
    """The address of a fresh one, for as long as the block runs."""
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", START, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(timeout=PATIENCE)


@contextmanager
def listening() -> Iterator[tuple[str, Queue[tuple[dict[str, str], bytes]]]]:
    """An address for webhooks, and those that came."""
    came: Queue[tuple[dict[str, str], bytes]] = Queue()

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.put((dict(self.headers.items()), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quietly."""

    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/webhooks", came
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)


def tell(address: str, url: str, secret: str) -> None:
    """Have it send its webhooks to `url`."""
    body = json.dumps({"url": url, "secret": secret}).encode()
    asked = urllib.request.Request(f"{address}/_config/webhooks/here", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=PATIENCE):
        pass


def client(address: str) -> stripe.StripeClient:
    """A client of it; its requests take a few seconds at most."""
    dialect = Dialect()
    dialect.wire = stripe.UrllibClient()
    return stripe.StripeClient(
        "sk_test_12345", base_addresses={"api": address}, http_client=dialect, max_network_retries=0
    )


class Dialect(stripe.HTTPClient):
    """Speaks to localstripe as to an older Stripe."""

    name = "localstripe"
    wire: stripe.HTTPClient

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        form = urlencode(list(_older(url, parse_qsl(str(post_data))))) if post_data else post_data
        answer, status, told = self.wire.request(method, url, headers, form)
        return json.dumps(_newer(json.loads(answer))), status, told

    def close(self) -> None:
        """Each connection was closed already."""


def _older(url: str, form: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, value in form:
        if name.startswith(LACKS) or (url.endswith("/capture") and name.startswith("metadata")):
            continue
        if name.startswith("expand["):
            yield "expand[]", value
        else:
            yield name.replace("allowed_payment_method_types", "payment_method_types"), value


def _newer(thing: Any) -> Any:
    """A payment with its sums, which localstripe tells only by its charge."""
    charge = thing.get("latest_charge") if isinstance(thing, dict) else None
    if not isinstance(charge, dict):
        return {**thing, "amount_received": 0, "amount_capturable": 0} if isinstance(thing, dict) else thing
    taken = charge["amount"] - charge["amount_refunded"] if charge["captured"] else 0
    return {**thing, "amount_received": taken, "amount_capturable": 0 if charge["captured"] else thing["amount"]}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    ends = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"localstripe did not start: {process.poll()}")
