"""Telling the customer. The library hands over ids and the retailer resolves addresses, so none are stored here."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from attrs import frozen


class Occasion(Enum):
    """Why the customer is told something."""

    CONFIRMED = "confirmed"
    """The order is funded, and the store prepares it."""
    READY = "ready"
    """The goods wait in the store; the pass may be shown."""
    REMINDER = "reminder"
    """The goods still wait, until `order.pickup.until`; what is perishable until `order.pickup.spoils_at`."""
    EXTENDED = "extended"
    """The goods wait longer than was told before: until `order.pickup.until`."""
    QUESTION = "question"
    """The store can't do it as promised: the customer is asked what they want (`order.pickup.question`)."""
    SUBSTITUTE_PROPOSED = "substitute_proposed"
    """Something can't be had, and the store proposes something else: the customer says yes or no
    (`order.pickup.proposals`)."""
    SUBSTITUTED = "substituted"
    """Something else comes instead of what can't be had, as the customer agreed to."""
    MOVED = "moved"
    """The goods are collected in another window, or at another store."""
    CHANGED = "changed"
    """The order is another one, as the customer wanted it: other goods, another window, another store."""
    LESS = "less"
    """Units were called off, or waited as long as perishable goods may: less is collected, and less is paid."""
    PAY_AT_COUNTER = "pay_at_counter"
    """What was set aside can't be had (any more), or is not enough: the rest is paid when the goods are collected
    (`order.due_in_store`)."""
    COLLECTED = "collected"
    """The customer has what they will get."""
    CANCELLED = "cancelled"
    """The order was called off, and its money given back."""
    EXPIRED = "expired"
    """The order was not paid or not collected in time; the shop keeps `order.fees` less `order.credited`."""
    RETURNED = "returned"
    """Goods were brought back to a store."""
    REFUNDED = "refunded"
    """Money went back to the customer after the order was completed."""


@frozen
class Message:
    """One thing to tell one customer.

    `id` is the event's id: the same occasion is never told under two ids. `owner` is whose order it is, as an actor's
    journal name (`customer:anna`); `order` is its reference; `language` the cart's BCP 47 tag, or empty.
    """

    id: str
    occasion: Occasion
    owner: str
    order: str
    language: str


class Notifier(Protocol):
    """Sends messages, at least once, outside of any transaction."""

    def notify(self, message: Message) -> None:
        """Send one message, or hand it to whoever does. It may come again: `message.id` says that it is the same.

        Whatever this raises is logged, and the next sweep sends the message again; until then no later message about
        the same order is sent.
        """
        ...
