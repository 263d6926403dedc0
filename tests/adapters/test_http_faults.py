"""Whatever comes back over the network is an answer, a refusal, a fault, or not known: never anything else."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread
from typing import Any

import httpx
import pytest

from omniorder.adapters.http import HttpInventory
from omniorder.errors import InvalidInput, InventoryFault, InventoryUnavailable, OutOfStock, ReservationGone
from omniorder.testing.samples import BREAD, MILK, NOW, SOFIA, VARNA

RSV = "rsv_SOF01_0000000000000000000000000a"
SHORT = {"error": "stock.short", "short": [{"sku": MILK, "wanted": 2, "available": 1}]}


class Answers:
    """A server that gives these answers, one after the other, and the last one again and again."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def sent(self) -> dict[str, Any]:
        sent: dict[str, Any] = json.loads(self.asked[-1].content)
        return sent


def inventory(answers: Callable[[httpx.Request], httpx.Response], **limits: Any) -> HttpInventory:
    client = httpx.Client(base_url="https://stock.example/v1/", transport=httpx.MockTransport(answers))
    return HttpInventory(client, **limits)


def ok(**more: Any) -> httpx.Response:
    return httpx.Response(200, json={"reservation": RSV, **more})


# --- what is sent -----------------------------------------------------------------------------------------


def test_a_reservation_is_put_under_its_id() -> None:
    answers = Answers(ok())
    inventory(answers).reserve(RSV, SOFIA, {MILK: 2}, NOW, "rsv_old")
    (request,) = answers.asked
    assert (request.method, str(request.url)) == ("PUT", f"https://stock.example/v1/reservations/{RSV}")
    until = NOW.isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert answers.sent == {"store": SOFIA, "units": {MILK: 2}, "until": until, "instead_of": "rsv_old"}


@pytest.mark.parametrize(
    ("call", "what", "body"),
    [
        (lambda one: one.confirm(RSV), "confirm", {}),
        (lambda one: one.release(RSV), "release", {}),
        (lambda one: one.release(RSV, {MILK: 1}), "release", {"units": {MILK: 1}}),
        (lambda one: one.consume(RSV, {MILK: 1}, "SOF01-1"), "consume", {"units": {MILK: 1}, "reference": "SOF01-1"}),
    ],
)
def test_a_change_is_posted_below_it(call: Callable[[HttpInventory], None], what: str, body: dict[str, Any]) -> None:
    answers = Answers(ok())
    call(inventory(answers))
    assert answers.asked[0].url.path == f"/v1/reservations/{RSV}/{what}"
    assert answers.sent == body


def test_an_id_can_not_lead_to_another_path() -> None:
    answers = Answers(httpx.Response(200, json={"reservation": "../../x?y"}))
    inventory(answers).confirm("../../x?y")
    assert answers.asked[0].url.raw_path == b"/v1/reservations/..%2F..%2Fx%3Fy/confirm"


# --- refusals ---------------------------------------------------------------------------------------------


def test_short_is_told_with_what_we_wanted() -> None:
    silent = {"error": "stock.short", "short": [{"sku": MILK, "available": 1}]}
    for answer in (SHORT, silent):
        answers = Answers(httpx.Response(409, json=answer))
        with pytest.raises(OutOfStock) as refused:
            inventory(answers).reserve(RSV, SOFIA, {MILK: 2, BREAD: 1}, NOW)
        assert refused.value.facts["short"] == [{"sku": MILK, "wanted": 2, "available": 1}]
        assert len(answers.asked) == 1


def test_gone_is_told_with_its_state() -> None:
    for told, state in (("expired", "expired"), ("<b>1</b>", "gone"), (7, "gone")):
        answers = Answers(httpx.Response(410, json={"error": "reservation.gone", "state": told}))
        with pytest.raises(ReservationGone) as refused:
            inventory(answers).confirm(RSV)
        assert refused.value.facts == {"reservation": RSV, "state": state}


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 411, 413, 422])
def test_what_repeating_can_not_cure_is_a_fault_at_once(status: int) -> None:
    answers = Answers(httpx.Response(status, text="<html>"))
    with pytest.raises(InventoryFault) as refused:
        inventory(answers).confirm(RSV)
    assert type(refused.value) is InventoryFault
    assert (refused.value.retry, len(answers.asked)) == (False, 1)
    assert str(status) in refused.value.facts["reason"]


def test_an_id_that_holds_something_else_is_a_fault() -> None:
    answers = Answers(httpx.Response(409, json={"error": "reservation.other"}))
    with pytest.raises(InventoryFault) as refused:
        inventory(answers).reserve(RSV, SOFIA, {MILK: 2}, NOW)
    assert type(refused.value) is InventoryFault


def test_no_error_tells_credentials() -> None:
    for answer in (httpx.Response(403), httpx.Response(500)):
        client = httpx.Client(
            base_url="https://hub:s3cret@stock.example", transport=httpx.MockTransport(Answers(answer))
        )
        with pytest.raises(InventoryFault) as refused:
            HttpInventory(client, tries=1).confirm(RSV)
        assert refused.value.facts["inventory"] == "stock.example"
        assert "s3cret" not in str(refused.value.problem())


def test_an_address_that_is_none_is_a_fault() -> None:
    with httpx.Client() as client, pytest.raises(InventoryFault) as refused:
        HttpInventory(client).confirm(RSV)
    assert not refused.value.retry


# --- no answer --------------------------------------------------------------------------------------------


def right_but_for(more: str) -> httpx.Response:
    return httpx.Response(200, text=f'{{"reservation": "{RSV}", {more}}}')


NO_ANSWERS: list[httpx.Response | Exception] = [
    *(httpx.Response(status) for status in (408, 425, 429, 500, 502, 503, 504)),
    httpx.ConnectError("refused"),
    httpx.ReadTimeout("slow"),
    httpx.RemoteProtocolError("reset"),
    httpx.StreamError("consumed"),
    OSError("no route"),
    ValueError("no header"),
    RuntimeError("no more"),
    httpx.Response(200, text="<html>please log in</html>"),
    httpx.Response(200, content=b""),
    httpx.Response(200, content=b"\xff\xfe"),
    httpx.Response(200, text="[]"),
    httpx.Response(200, json={}),
    httpx.Response(200, json={"reservation": "rsv_SOF01_other"}),
    right_but_for(f'"reservation": "{RSV}"'),
    right_but_for('"more": NaN'),
    right_but_for('"more": 1.5'),
    right_but_for(f'"more": {"9" * 5000}'),
    right_but_for(f'"more": "{"x" * 2000}"'),
    httpx.Response(200, text="[" * 100_000),
    httpx.DecodingError("no gzip"),
    httpx.Response(409, text="<html>conflict</html>"),
    httpx.Response(409, json={"error": "edit.conflict"}),
    httpx.Response(410, text="<html>gone</html>"),
    httpx.Response(410, json={"error": "page.gone"}),
]


@pytest.mark.parametrize("answer", NO_ANSWERS, ids=lambda answer: repr(answer)[:40])
def test_what_can_not_be_believed_is_asked_again_and_then_not_known(answer: httpx.Response | Exception) -> None:
    """A page of a proxy's, say, is neither a yes nor a no: it may have taken effect."""
    answers = Answers(answer)
    with pytest.raises(InventoryUnavailable) as silence:
        inventory(answers, tries=3, most_bytes=1000).confirm(RSV)
    assert (silence.value.retry, silence.value.status) == (True, 503)
    assert len(answers.asked) == 3
    once_more = Answers(answer, ok())
    inventory(once_more, most_bytes=1000).confirm(RSV)
    assert len(once_more.asked) == 2


@pytest.mark.parametrize(
    "short",
    [
        None, [], {}, ["x"], [{}], [{"sku": "OTHER", "available": 0}], [{"sku": 5, "available": 0}],
        [{"sku": MILK, "available": True}], [{"sku": MILK, "available": -1}], [{"sku": MILK, "available": "1"}],
        [{"sku": MILK}],
        [{"sku": MILK, "wanted": 2, "available": 5}], [{"sku": MILK, "available": 2}],
        [{"sku": MILK, "wanted": 9, "available": 7}], [{"sku": MILK, "wanted": 9, "available": 1}],
        [{"sku": MILK, "wanted": "2", "available": 1}],
        [{"sku": MILK, "available": 1}, {"sku": MILK, "available": 0}],
    ],
)  # fmt: skip
def test_a_refusal_that_makes_no_sense_is_none(short: object) -> None:
    """Nor is one that contradicts itself: no number is made up for it."""
    answers = Answers(httpx.Response(409, json={"error": "stock.short", "short": short}))
    with pytest.raises(InventoryUnavailable):
        inventory(answers, tries=1).reserve(RSV, SOFIA, {MILK: 2}, NOW)


def test_nobody_is_short_of_stock_when_confirming() -> None:
    with pytest.raises(InventoryUnavailable):
        inventory(Answers(httpx.Response(409, json=SHORT)), tries=1).confirm(RSV)


@pytest.mark.parametrize(
    "levels",
    [
        None, [], {"SOF01": []}, {"SOF01": {MILK: True}}, {"SOF01": {MILK: -1}}, {"SOF01": {MILK: "4"}},
        {"SOF01": {MILK: None}}, {"SOF01": {MILK: 2**53 + 1}}, {"SOF01": {BREAD: 4}}, {"VAR01": {MILK: 4}},
    ],
)  # fmt: skip
def test_levels_that_make_no_sense_are_none(levels: object) -> None:
    answers = Answers(httpx.Response(200, json={"available": levels}))
    with pytest.raises(InventoryUnavailable):
        inventory(answers, tries=1).available([SOFIA], [MILK])


def test_levels_may_be_left_out() -> None:
    answers = Answers(httpx.Response(200, json={"available": {SOFIA: {MILK: 4, BREAD: 0}}}))
    found = inventory(answers).available([SOFIA, VARNA], [MILK, BREAD])
    assert dict(found) == {(SOFIA, MILK): 4, (SOFIA, BREAD): 0}


# --- time -------------------------------------------------------------------------------------------------


@contextmanager
def server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does nothing but this with each connection; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                Thread(target=_talk, args=(talk, connection), daemon=True).start()

        Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)


def _talk(talk: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with connection:
        try:
            connection.recv(65536)
            talk(connection)
        except OSError:
            pass


def silence(connection: socket.socket) -> None:
    time.sleep(5)


def drops(connection: socket.socket) -> None:
    """A byte now and then, so that no single read is ever too long."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(50):
        connection.sendall(b" ")
        time.sleep(0.1)


def hang_up(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # a reset


def half(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")


@pytest.mark.parametrize("talk", [silence, drops, hang_up, half])
def test_a_call_ends_in_time_whatever_the_other_side_does(talk: Callable[[socket.socket], None]) -> None:
    with server(talk) as url, httpx.Client(base_url=url) as client:
        began = time.monotonic()
        with pytest.raises(InventoryUnavailable):
            HttpInventory(client, time_limit=timedelta(seconds=0.5)).confirm(RSV)
        assert time.monotonic() - began < 3


def test_nobody_at_the_address_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client, pytest.raises(InventoryUnavailable):
        HttpInventory(client, tries=2).confirm(RSV)


@pytest.mark.parametrize("limits", [{"time_limit": timedelta(0)}, {"time_limit": 3}, {"tries": 0}, {"most_bytes": 0}])
def test_limits_that_can_not_be_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput), httpx.Client() as client:
        HttpInventory(client, **limits)


def test_without_httpx_the_extra_is_named() -> None:
    program = """
import sys
sys.modules["httpx"] = None
from omniorder.errors import MissingExtra
try:
    import omniorder.adapters.http
except MissingExtra as missing:
    print(missing)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "omniorder[http]" in told


@pytest.mark.parametrize("client", [None, "https://hub:s3cret@stock.example", httpx.AsyncClient(), httpx.Client])
def test_a_client_is_one_that_can_be_called(client: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        HttpInventory(client)
    assert refused.value.facts["field"] == "client"
    assert "s3cret" not in str(refused.value.problem())


def test_a_client_that_was_closed_gives_no_answer() -> None:
    """It may have been closed between two tries, the first of which took effect."""
    client = httpx.Client(base_url="https://stock.example", transport=httpx.MockTransport(Answers(ok())))
    client.close()
    with pytest.raises(InventoryUnavailable, match="its client is closed"):
        HttpInventory(client, tries=2).available([SOFIA], [MILK])
