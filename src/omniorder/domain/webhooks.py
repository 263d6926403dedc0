"""Webhooks as they are kept: each piece of a provider's news once, until what it is about was fetched.

Kept is what tells it apart and where to look. Nothing else of what was sent is stored: no payload, and nobody's
personal data.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from attrs import evolve, frozen

from omniorder.domain import ids
from omniorder.domain.money import Money
from omniorder.errors import NotFound

LONGEST_PAUSE: Final = timedelta(hours=6)
"""Between two tries to follow a webhook, at the most."""

_MOST: Final = 255
"""Characters kept of the provider's own names."""


class WebhookState(Enum):
    """What became of a webhook."""

    PARKED = "parked"
    """It is being followed, or will be: a timer says when next."""
    FOLLOWED = "followed"
    """What it was about was fetched and recorded. Ended."""
    IGNORED = "ignored"
    """It is about no payment of ours. Ended."""


@frozen
class Webhook:
    """One piece of news. `gateway` is the kind of tender whose gateway read it, `event` the provider's id of it, `kind`
    what the provider calls it, `payment` our payment or empty; `tries` counts how often it was followed in vain.

    `disputed` is what the customer's bank takes back: the one thing that can't be fetched later.
    """

    id: str
    store: str
    gateway: str
    event: str
    kind: str
    payment: str
    received_at: datetime
    state: WebhookState
    tries: int = 0
    disputed: Money | None = None

    def pause(self, first: timedelta) -> timedelta:
        """How long it stays parked before the next try: `first`, then twice as long each time, up to a limit."""
        doublings = min(max(self.tries - 1, 0), 20)
        return min(first * (1 << doublings), LONGEST_PAUSE)


def received(
    gateway: str, event: str, kind: str, payment: str, body: bytes, at: datetime, disputed: Money | None = None
) -> Webhook:
    """A webhook that has just come. Without an id of the provider's it is told apart by the `body` it came in."""
    store = _store_of(payment)
    own = [event] if event else [hashlib.sha256(body).hexdigest(), kind, payment]
    digest = hashlib.sha256("\0".join([gateway, *own]).encode("utf-8", "backslashreplace")).digest()[:16]
    return Webhook(
        id=ids.webhook_id(store, digest),
        store=store,
        gateway=gateway,
        event=_plain(event),
        kind=_plain(kind),
        payment=payment if store else "",
        received_at=at,
        state=WebhookState.PARKED if store else WebhookState.IGNORED,
        disputed=disputed if store else None,
    )


def followed(webhook: Webhook) -> Webhook:
    """What it was about is recorded."""
    return evolve(webhook, state=WebhookState.FOLLOWED)


def parked(webhook: Webhook) -> Webhook:
    """It was followed in vain once more."""
    return evolve(webhook, tries=webhook.tries + 1)


def ignored(webhook: Webhook) -> Webhook:
    """The payment that it names never came to be."""
    return evolve(webhook, state=WebhookState.IGNORED)


def _store_of(payment: str) -> str:
    """The home store of a payment of ours, or empty for anything else."""
    try:
        return ids.store_of(ids.check("payment", payment))
    except NotFound:
        return ""


def _plain(name: str) -> str:
    """A provider's name for something, fit to be stored and shown anywhere."""
    return "".join(character for character in name if "!" <= character <= "~")[:_MOST]
