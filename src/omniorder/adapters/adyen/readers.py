"""Card readers at the counter, by the cloud of Adyen's Terminal API, which Adyen's library has the credentials for."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from Adyen.client import AdyenClient
from attrs import evolve, frozen

from omniorder.adapters.adyen import terminal
from omniorder.adapters.adyen.calling import call
from omniorder.adapters.adyen.entries import Entry, Step
from omniorder.domain.instants import iso
from omniorder.ports.clock import Clock

_ON_ITS_WAY: Final = timedelta(seconds=150)
"""Until then the cloud may still bring a request to a reader that doesn't know of it yet."""

NOT_FOUND: Final = "not_found"
"""The reason with which a reader denies a payment that never reached it."""


@frozen
class Readers:
    """The readers of one account; `sale_id` is what they know this system by, `address` where the cloud is."""

    client: AdyenClient
    sale_id: str
    address: str
    clock: Clock

    def ask(self, asked: Entry) -> Entry:
        """Ask for a card, and wait for nothing."""
        body = terminal.payment(self.sale_id, asked)
        call(lambda: self.client.call_adyen_api(body, "terminal", "POST", f"{self.address}/async"))
        return evolve(asked, step=Step.WAITING)

    def look(self, asked: Entry) -> Entry:
        """What became of it: refused as `NOT_FOUND` when the reader has never heard of it, and won't any more.

        Raises `GatewayTimeout`.
        """
        now = self.clock.now()
        body = terminal.status(self.sale_id, asked, iso(now))
        reply = call(lambda: self.client.call_adyen_api(body, "terminal", "POST", f"{self.address}/sync"))
        heard = terminal.outcome(asked, reply)
        if heard is not None:
            return heard
        late = now >= asked.at + _ON_ITS_WAY
        return evolve(asked, step=Step.REFUSED, reason=NOT_FOUND) if late else evolve(asked, step=Step.WAITING)

    def stop(self, asked: Entry, key: str) -> None:
        """Stop asking for a card. What it has come to is asked for afterwards."""
        body = terminal.abort(self.sale_id, asked, key)
        call(lambda: self.client.call_adyen_api(body, "terminal", "POST", f"{self.address}/sync"))
