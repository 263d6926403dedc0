"""The line to a PostgreSQL server, with a meter in it and, if wanted, a distance.

What goes over it is counted as the protocol has it, whatever the driver calls it: a statement is an Execute or a
Query message, and a synchronisation is the server's ReadyForQuery, after each Query or Sync. How often the client
*waited* can't be read off the messages. So the line is made long: answers arrive a fixed delay late, and the time
that a command takes more, in delays, is the number of its round trips.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Final
from urllib.parse import urlsplit

Taken = Callable[[bytes], None]


class Line:
    """A port of this machine that leads to the server; see `opened`."""

    delay: float = 0.0
    """Seconds that an answer is under way, from the next one on."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server: Final = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self._listener: Final = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = [self._listener]
        self._asked: Counter[str] = Counter()
        self._told: Counter[str] = Counter()
        login, _, _ = parts.netloc.rpartition("@")
        here = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url: Final = parts._replace(
            netloc=f"{login}@{here}" if login else here, query="sslmode=disable&gssencmode=disable"
        ).geturl()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def statements(self) -> int:
        """Statements that were sent so far, BEGIN and COMMIT among them."""
        return self._asked["E"] + self._asked["Q"]

    @property
    def synchronisations(self) -> int:
        """How often the server said so far that it is ready for more."""
        return self._told["Z"]

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._sockets.append(one)
                # a client's first message has no letter before its length
                self._pump(client, server, _messages(self._asked, letters=False), lambda: 0.0)
                self._pump(server, client, _messages(self._told, letters=True), lambda: self.delay)

    def _pump(self, source: socket.socket, target: socket.socket, taken: Taken, delay: Callable[[], float]) -> None:
        under_way: SimpleQueue[tuple[float, bytes]] = SimpleQueue()

        def take() -> None:
            with suppress(OSError):
                while data := source.recv(65536):
                    taken(data)
                    under_way.put((time.monotonic() + delay(), data))
            under_way.put((0.0, b""))

        def deliver() -> None:
            with suppress(OSError):
                while True:
                    due, data = under_way.get()
                    if not data:
                        target.shutdown(socket.SHUT_WR)
                        return
                    time.sleep(max(0.0, due - time.monotonic()))
                    target.sendall(data)

        for work in (take, deliver):
            threading.Thread(target=work, daemon=True).start()

    def close(self) -> None:
        """Hang up."""
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # wakes whoever waits on it
            one.close()


@contextmanager
def opened(url: str) -> Generator[Line]:
    """A line to the server of this URL."""
    line = Line(url)
    try:
        yield line
    finally:
        line.close()


def _messages(count: Counter[str], *, letters: bool) -> Taken:
    """Something to hand the bytes of one direction to, which counts the messages in them by their letter."""
    waiting = bytearray()
    has_letter = letters

    def taken(data: bytes) -> None:
        nonlocal has_letter
        waiting.extend(data)
        while len(waiting) >= 4 + has_letter:
            length = int.from_bytes(waiting[has_letter : 4 + has_letter]) + has_letter
            if len(waiting) < length:
                return
            if has_letter:
                count[chr(waiting[0])] += 1
            has_letter = True
            del waiting[:length]

    return taken
