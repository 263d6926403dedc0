"""What the stories of `what_if.py` are told with: who did what, and the books at the moments that matter."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from attrs import frozen

from omniorder import Level, Money
from omniorder.domain.money import total
from omniorder.testing import Shop

ZONE: Final = ZoneInfo("Europe/Sofia")
WIDTH: Final = 79


@frozen
class Books:
    """One moment: the store's stock as the hub has it, and the customers' money as their provider has it."""

    moment: str
    levels: Sequence[Level]
    set_aside: Money
    captured: Money
    refunded: Money


def clock(instant: datetime) -> str:
    """The time in Sofia."""
    return f"{instant.astimezone(ZONE):%H:%M}"


def weekday(instant: datetime) -> str:
    """The day in Sofia."""
    return f"{instant.astimezone(ZONE):%A}"


class Telling:
    """Prints a story as it happens; keeps the books, to show them below each other when it is over."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._kept: list[Books] = []

    def __call__(self, where: str, what: str) -> None:
        """Something happened on this channel, now."""
        margin = f"  {self._shop.clock.now().astimezone(ZONE):%a %H:%M} {where:<6} "
        below = " " * len(margin)
        print(textwrap.fill(what, WIDTH, initial_indent=margin, subsequent_indent=below, break_on_hyphens=False))

    def books(self, moment: str) -> None:
        """Keep how stock and money stand at this moment."""
        shop = self._shop
        payments = shop.gateway.payments
        self._kept.append(
            Books(
                moment,
                shop.office.stock.levels(shop.SOFIA, [shop.BREAD, shop.APPLES]),
                set_aside=total((payment.open for payment in payments), "EUR"),
                captured=total((payment.captured for payment in payments), "EUR"),
                refunded=total((payment.refunded for payment in payments), "EUR"),
            )
        )

    def show_books(self) -> None:
        """Every moment that was kept, with the articles that moved between them."""
        print(f"\n  {'':<18}{'':<10}{'on hand':>7}{'reserved':>9}{'set aside':>11}{'captured':>9}{'refunded':>9}")
        for books in self._kept:
            moment = books.moment
            money = f"{books.set_aside.decimal:>11}{books.captured.decimal:>9}{books.refunded.decimal:>9} EUR"
            for level in filter(self._moved, books.levels):
                print(f"  {moment:<18}{level.sku:<10}{level.on_hand:>7}{level.reserved:>9}{money}".rstrip())
                moment = money = ""

    def _moved(self, level: Level) -> bool:
        return any(other.sku == level.sku and other != level for books in self._kept for other in books.levels)
