"""What the fake Adyen has on file: payments in its own minor units, links, and what card readers are asked."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field, frozen

__all__ = ["CARDS", "AtAdyen", "AtReader", "FakeCard", "FakeLink"]


@frozen
class FakeCard:
    """A stored card, and what Adyen's test environment makes of it.

    `holder` is the holder's name, by which that environment chooses a refusal; `asks` is "redirect" or "challenge"
    where the customer must act first, and "later" where the outcome comes by notification only.
    """

    brand: str = "visa"
    holder: str = "S. Hopper"
    asks: str = ""


CARDS: Mapping[str, FakeCard] = {
    "VISA": FakeCard(),
    "MASTERCARD": FakeCard("mc"),
    "DECLINED": FakeCard(holder="DECLINED"),
    "EXPIRED": FakeCard(holder="CARD_EXPIRED"),
    "NOBALANCE": FakeCard(holder="NOT_ENOUGH_BALANCE"),
    "FRAUD": FakeCard(holder="FRAUD"),
    "REDIRECT": FakeCard("mc", asks="redirect"),
    "CHALLENGE": FakeCard(asks="challenge"),
    "LATER": FakeCard(asks="later"),
}
"""The stored payment methods that the fake knows, by their ids: the token of a tender is `shopper:id`."""

REFUSALS: Mapping[str, tuple[str, str]] = {
    "DECLINED": ("2", "Refused"),
    "CARD_EXPIRED": ("6", "Expired Card"),
    "NOT_ENOUGH_BALANCE": ("12", "Not enough balance"),
    "FRAUD": ("20", "FRAUD"),
}


@define
class AtAdyen:
    """A payment as Adyen has it. Amounts are Adyen's minor units."""

    psp: str
    reference: str
    currency: str
    asked: int
    brand: str
    manual: bool = True
    preauthorised: bool = False
    authorised: int = 0
    captured: int = 0
    refunded: int = 0
    captures: int = 0
    cancelled: bool = False
    expired: bool = False
    refused: str = ""
    card: FakeCard = FakeCard()
    metadata: dict[str, str] = field(factory=dict[str, str])

    @property
    def open(self) -> int:
        """What is still set aside."""
        return 0 if self.cancelled or self.expired else self.authorised - self.captured


@define
class FakeLink:
    """A payment link."""

    id: str
    payment: AtAdyen
    status: str = "active"


@define
class AtReader:
    """What a card reader was asked for; `said` is its PaymentResponse, once there is one."""

    reader: str
    service_id: str
    payment: AtAdyen
    major: float
    said: dict[str, object] | None = None
