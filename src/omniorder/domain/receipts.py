"""Receipts: what left the store, what it cost, the tax in it, who paid, and what did not leave.

A receipt is told by the order's journal alone (see `visits`), so it can be given again at any time. It is printed as
text or HTML in the way of any locale; it is no fiscal receipt, where a country wants those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, cast

from attrs import frozen

from omniorder.domain.counter import CALLED_OFF
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.payments import PayInStore
from omniorder.domain.promises import TaxPart
from omniorder.domain.proofs import Proof
from omniorder.domain.quantities import Unit, Units
from omniorder.domain.text import line as valid_line
from omniorder.errors import InvalidInput
from omniorder.printing.locales import Writing, writing
from omniorder.printing.slips import Figure, Row, Section, Slip, as_html, as_text
from omniorder.printing.words import LANGUAGES, Words, words

_MOST_HEAD: Final = 10


@frozen
class ReceiptLine:
    """Units of one line that were handed over, and what they cost: `price` is for `per` units.

    `instead_of` is the name of the article that they are the substitute of, if they are.
    """

    line: str
    sku: str
    name: str
    quantity: int
    total: Money
    unit: Unit
    price: Money
    per: int
    tax: Decimal
    instead_of: str = ""


def line_of(order: Order, part: Units, before: int) -> ReceiptLine:
    """These units of a line, of which so many had left `before`: parts of a line cost what the line costs."""
    bought = order.line(part.line)
    total = bought.value(before + part.quantity) - bought.value(before)
    instead_of = order.line(bought.instead_of).name if bought.instead_of else ""
    return ReceiptLine(bought.id, bought.sku, bought.name, part.quantity, total, bought.unit, bought.price, bought.per,
                       bought.tax, instead_of)  # fmt: skip


@frozen
class NotTaken:
    """Units of one line that stayed in the store: refused for this `reason` (a stable code), or still waiting."""

    line: str
    sku: str
    name: str
    quantity: int
    unit: Unit
    reason: str = ""


@frozen
class Tendered:
    """What one tender gave at this hand-over: its kind, and by which `means` the counter took it, if it did."""

    kind: str
    amount: Money
    means: str = ""


@frozen
class Receipt:
    """One hand-over, the n-th of its order by its `number`. `order` is the order as it is now.

    `total` is the value of what left, `by` who handed it over, against this `proof`: None where the customer refused
    everything, so that nothing left. `before` is what had been paid already and not used up (less than nothing: what
    had been left open), and `tendered` what was taken now. `signature` names a picture in the retailer's own store.
    """

    order: Order
    lines: tuple[ReceiptLine, ...]
    total: Money
    taxes: tuple[TaxPart, ...]
    at: datetime
    by: str
    number: str
    store: str
    store_name: str
    tendered: tuple[Tendered, ...]
    before: Money
    refused: tuple[NotTaken, ...]
    later: tuple[NotTaken, ...]
    zone: str = "UTC"
    proof: Proof | None = None
    signature: str = ""

    @property
    def balance(self) -> Money:
        """What is paid and not used up afterwards: it pays for what is still to come, or goes back to the customer."""
        return Money(self.before.amount + sum(one.amount.amount for one in self.tendered), self.total.currency) - (
            self.total
        )

    def text(self, locale: str = "", *, width: int = 40, head: Sequence[str] = ()) -> str:
        """The receipt in lines of at most `width` columns, for a printer with a fixed-width type.

        `locale` says how amounts and dates are written ("bg-BG"), without one the order's language, or else English;
        words are English, Swedish or Bulgarian. `head` are lines below the store's name: its address, say.

        Raises `InvalidInput`, `InvalidText`, `MissingExtra` (the extra `receipts`).
        """
        return as_text(self._slip(locale, head), width)

    def html(self, locale: str = "", *, head: Sequence[str] = ()) -> str:
        """The same as an HTML element, for a page, a mail or a browser's printer. Raises as `text`."""
        return as_html(self._slip(locale, head))

    def _slip(self, locale: str, head: Sequence[str]) -> Slip:
        style = writing(locale or self.order.language or "en")
        return _Printed(self, style, words(style.language)).slip(_heading(head))


def _heading(head: object) -> tuple[str, ...]:
    rule = f"must be at most {_MOST_HEAD} lines of text"
    if isinstance(head, str) or not isinstance(head, Sequence):
        raise InvalidInput("head", head, rule)
    lines = cast("Sequence[object]", head)
    if len(lines) > _MOST_HEAD:
        raise InvalidInput("head", lines, rule)
    return tuple(valid_line(line, "head", most=100) for line in lines)


@frozen
class _Printed:
    """A receipt in the words of a language, as a locale writes it."""

    receipt: Receipt
    style: Writing
    words: Words

    def slip(self, head: tuple[str, ...]) -> Slip:
        told, say = self.receipt, self.words
        facts = (
            (say.order, told.order.id),
            (say.number, told.number),
            (say.date, self.style.moment(told.at, told.zone)),
        )
        store = told.store_name or told.store
        lang = self.style.tag if self.style.language in LANGUAGES else "en"
        return Slip(lang, say.title, (store, *head), facts, tuple(self._sections()))

    def _sections(self) -> Iterator[Section]:
        told, say = self.receipt, self.words
        if told.lines:
            total = Row(say.total, self._money(told.total))
            yield Section("lines", say.goods, tuple(map(self._line, told.lines)), total, headed=False)
            yield Section("taxes", say.taxes, tuple(map(self._tax, told.taxes)))
        else:
            yield Section("lines", say.goods, (Row(say.nothing),), headed=False)
        if paid := tuple(self._paid()):
            yield Section("payment", say.payment, paid)
        called_off = tuple(one for one in told.refused if one.reason == CALLED_OFF)
        refused = tuple(one for one in told.refused if one.reason != CALLED_OFF)
        for kind, heading, stayed in (
            ("refused", say.refused, refused),
            ("called-off", say.called_off, called_off),
            ("later", say.later, told.later),
        ):
            if stayed:
                yield Section(kind, heading, tuple(map(self._stayed, stayed)))

    def _line(self, line: ReceiptLine) -> Row:
        price = self._money(line.price).shown
        each = f"{self._units(line.unit, line.quantity)} \u00d7 {price}"
        if line.unit is Unit.GRAM or line.per != 1:
            each += f"/{self._units(line.unit, line.per)}"
        instead = (self.words.instead_of.format(line.instead_of),) if line.instead_of else ()
        return Row(line.name, self._money(line.total), (each, *instead))

    def _tax(self, part: TaxPart) -> Row:
        label = self.words.tax.format(self.style.rate(part.rate), self._money(part.gross).shown)
        return Row(label, self._money(part.tax))

    def _paid(self) -> Iterator[Row]:
        told, say = self.receipt, self.words
        if told.before.amount:
            yield Row(say.before if told.before.amount > 0 else say.fees, self._money(told.before))
        for one in told.tendered:
            yield Row(self._tender(one), self._money(one.amount))
        if told.balance.amount > 0:
            yield Row(say.ahead if told.later else say.back, self._money(-told.balance))

    def _tender(self, one: Tendered) -> str:
        named = one.means if one.kind == PayInStore.kind and one.means else one.kind
        return self.words.tenders.get(named, named)

    def _stayed(self, one: NotTaken) -> Row:
        return Row(one.name, Figure(self._units(one.unit, one.quantity), str(one.quantity)))

    def _units(self, unit: Unit, count: int) -> str:
        return self.style.weight(count) if unit is Unit.GRAM else self.style.number(count)

    def _money(self, money: Money) -> Figure:
        return Figure(self.style.amount(money.decimal, money.currency), f"{money.decimal:f}")
