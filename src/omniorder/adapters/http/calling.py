"""One call over HTTP: repeated until there is an answer that can be believed, and never for longer than its limit."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, TypeVar

import httpx
import tenacity
from attrs import frozen

from omniorder.adapters.http.reading import Unbelievable, document
from omniorder.errors import InventoryFault, InventoryUnavailable, shown

T = TypeVar("T")
Heard: TypeAlias = Callable[[int, Mapping[str, Any]], T]
"""What a status and a document mean: returns or raises, and raises `Unbelievable` where they mean nothing."""

_COME_AGAIN: Final = frozenset({408, 425, 429})
"""Refusals of this attempt, rather than of what was asked."""

_MEANT: Final = frozenset({200, 409, 410})
"""Statuses of the protocol; what they mean is in the document that comes with them."""


class _NoAnswer(Exception):
    """Nothing came that can be believed: the request may have taken effect, or not."""


@frozen
class Calls:
    """Limits of every call: seconds in all, tries, bytes of a reply. `name` is for errors."""

    client: httpx.Client
    time_limit: float
    tries: int
    most_bytes: int
    name: str

    def ask(self, method: str, path: str, body: Mapping[str, Any], heard: Heard[T]) -> T:
        """What was heard, once there is an answer.

        Raises `InventoryUnavailable` when there is none after all tries, `InventoryFault` for what can't be asked or
        is refused as such, and what `heard` raises.
        """
        ends = time.monotonic() + self.time_limit
        again = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_NoAnswer),
            wait=tenacity.wait_random_exponential(multiplier=0.05, max=0.5),
            stop=tenacity.stop_any(
                tenacity.stop_after_attempt(self.tries), tenacity.stop_before_delay(self.time_limit)
            ),
            reraise=True,
        )
        try:
            answer: T = again(self._once, method, path, body, heard, ends)
        except _NoAnswer as silence:
            raise InventoryUnavailable(inventory=self.name, reason=str(silence)) from silence
        return answer

    def _once(self, method: str, path: str, body: Mapping[str, Any], heard: Heard[T], ends: float) -> T:
        left = ends - time.monotonic()
        if left <= 0:
            raise _NoAnswer("out of time")
        accept = {"Accept": "application/json"}
        try:
            with self.client.stream(method, path, json=body, timeout=left, headers=accept) as reply:
                content = self._content(reply, ends)
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL) as wrong:
            raise InventoryFault(inventory=self.name, reason=f"it can't be asked: {shown(wrong)}") from wrong
        except (
            httpx.HTTPError,
            OSError,
            ValueError,
            RuntimeError,
        ) as broken:  # what a transport of one's own may raise
            raise _NoAnswer("its client is closed" if self.client.is_closed else type(broken).__name__) from broken
        status = reply.status_code
        if status >= 500 or status in _COME_AGAIN:
            raise _NoAnswer(f"it answered {status}")
        if status not in _MEANT:
            raise InventoryFault(inventory=self.name, reason=f"it answered {status}: {shown(content[:60])}")
        try:
            return heard(status, document(content))
        except Unbelievable as why:
            raise _NoAnswer(f"it answered {status} with {why}") from why

    def _content(self, reply: httpx.Response, ends: float) -> bytes:
        """All of the body, unless it is too large or comes too slowly."""
        parts: list[bytes] = []
        room = self.most_bytes
        for part in reply.iter_bytes():
            room -= len(part)
            if room < 0:
                raise _NoAnswer(f"more than {self.most_bytes} bytes")
            if time.monotonic() > ends:
                raise _NoAnswer("out of time")
            parts.append(part)
        return b"".join(parts)
