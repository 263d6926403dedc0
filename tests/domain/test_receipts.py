"""Receipts in print: everything is on them, adds up in every locale, and nobody's name breaks out of them."""

from __future__ import annotations

import builtins
import unicodedata
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from attrs import evolve
from babel import Locale
from babel.localedata import locale_identifiers
from babel.numbers import get_decimal_symbol
from hypothesis import given
from hypothesis import strategies as st

from omniorder import Money, NotTaken, Proof, Receipt, ReceiptLine, Tendered, Unit
from omniorder.domain.money import EXPONENTS, extend
from omniorder.domain.promises import tax_parts
from omniorder.errors import InvalidInput, InvalidText, MissingExtra
from omniorder.printing.words import LANGUAGES
from omniorder.testing import samples

ORDER = samples.every_order()["completed"]
AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def line(
    name: str, quantity: int, price: int, *, unit: Unit = Unit.PIECE, per: int = 1, tax: str = "0.20",
    instead_of: str = "", currency: str = "EUR",
) -> ReceiptLine:  # fmt: skip
    each = Money(price, currency)
    total = extend(each, quantity, per)
    return ReceiptLine("ln_1", "SKU", name, quantity, total, unit, each, per, Decimal(tax), instead_of)


def receipt(*lines: ReceiptLine, **rest: Any) -> Receipt:
    currency = lines[0].total.currency if lines else "EUR"
    total = Money(sum(one.total.amount for one in lines), currency)
    usual: dict[str, Any] = {
        "tendered": (Tendered("card", total),) if lines else (),
        "before": Money(0, currency),
        "refused": (),
        "later": (),
        "zone": "Europe/Sofia",
        "proof": Proof.CODE,
    }
    taxes = tax_parts((one.tax, one.total) for one in lines)
    return Receipt(
        evolve(ORDER, id="SOF01-7K3F9Q", language=""), lines, total, taxes, AT,
        "associate:ivan@SOF01", "SOF01-7K3F9Q-1", "SOF01", "Витоша 1", **{**usual, **rest},
    )  # fmt: skip


SPLIT = receipt(
    line("Oat milk 1 l", 2, 249),
    line("Gouda", 541, 1290, unit=Unit.GRAM, per=1000),
    line("Wholemeal bread", 1, 310, tax="0.09", instead_of="Rye bread"),
    tendered=(Tendered("gift_card", Money(500, "EUR")), Tendered("in_store", Money(806, "EUR"), "cash")),
    before=Money(310, "EUR"),
    refused=(NotTaken("ln_2", "S", "Apples", 1250, Unit.GRAM, "unwanted"),),
    later=(NotTaken("ln_3", "S", "Soap", 1, Unit.PIECE),),
)


# --- as text ----------------------------------------------------------------------------------------------


def test_a_receipt_as_text() -> None:
    assert (
        SPLIT.text("en-GB", head=["1000 Sofia"]).replace("\u202f", " ").replace("\xa0", " ")
        == """\
                Витоша 1
               1000 Sofia
                Receipt
Order                       SOF01-7K3F9Q
Receipt no.               SOF01-7K3F9Q-1
Date               23 Nov 2026, 10:00:00
----------------------------------------
Oat milk 1 l                       €4.98
  2 × €2.49
Gouda                              €6.98
  541 g × €12.90/1 kg
Wholemeal bread                    €3.10
  1 × €3.10
  instead of Rye bread
----------------------------------------
Total                             €15.06
----------------------------------------
Tax included
VAT 9% in €3.10                    €0.26
VAT 20% in €11.96                  €1.99
----------------------------------------
Payment
Paid before                        €3.10
Gift card                          €5.00
Cash                               €8.06
Paid ahead                        -€1.10
----------------------------------------
Not wanted
Apples                           1.25 kg
----------------------------------------
Still waiting for you
Soap                                   1
"""
    )


def test_it_is_said_in_the_words_and_written_in_the_way_of_its_locale() -> None:
    said = [SPLIT.text(locale) for locale in ("bg-BG", "sv-SE")]
    for words in (
        "Общо",
        "15,06\xa0€",
        "ДДС 20% от 11,96\xa0€",
        "В брой",
        "вместо Rye bread",
        "23.11.2026\u202fг., 10:00",
    ):
        assert words in said[0]
    for words in (
        "Summa",
        "15,06\xa0€",
        "Moms 20\xa0% av 11,96\xa0€",
        "Kontant",
        "i stället för Rye bread",
        "23 nov. 2026",
    ):
        assert words in said[1]


def test_without_a_locale_it_is_in_the_language_of_the_order() -> None:
    assert "Общо" in evolve(SPLIT, order=evolve(SPLIT.order, language="bg")).text()
    assert "Total" in SPLIT.text()


def test_who_speaks_another_language_gets_english_words_and_their_own_numbers() -> None:
    assert "11,96" in SPLIT.text("de-DE")
    assert 'lang="en"' in SPLIT.html("ar-EG")


def test_what_goes_back_is_not_called_paid_ahead() -> None:
    assert "Goes back to you" in evolve(SPLIT, later=()).text("en")


def test_where_nothing_was_handed_over_the_receipt_says_so() -> None:
    nothing = receipt(refused=SPLIT.refused, proof=None)
    text = nothing.text("en")
    assert "Nothing was handed over." in text
    assert "Total" not in text


@given(
    st.integers(24, 200), st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=200)
)
def test_no_line_is_wider_than_the_paper(width: int, name: str) -> None:
    for printed in receipt(line(name, 2, 249), line("牛乳" * 30, 1, 310)).text("bg-BG", width=width).split("\n"):
        assert sum(columns(letter) for letter in printed) <= width


def columns(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 1 + (unicodedata.east_asian_width(letter) in "WF")


# --- as HTML ----------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Which elements there are, which are still open, and what `<data>` says per table, to programs and to people."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.open: list[str] = []
        self.values: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._table = self._value = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        if tag != "br":
            self.open.append(tag)
        told = dict(attrs)
        if tag == "table":
            self._table = told["class"] or ""
        if tag == "tfoot":
            self._table = "total"
        if tag == "data":
            self._value = told["value"] or ""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "data" in self.open:
            self.values[self._table].append((self._value, data))

    def amounts(self, table: str) -> list[Decimal]:
        return [Decimal(value) for value, _ in self.values[table]]


def test_a_receipt_as_html_is_made_of_tables_that_say_what_they_are() -> None:
    page = Page(SPLIT.html("bg-BG"))
    assert page.open == []
    assert page.names.count("table") == page.names.count("caption") == 5
    assert page.names.count("tr") == page.names.count("th")
    assert '<th scope="row"><bdi>Gouda</bdi>' in SPLIT.html("bg-BG")
    assert sum(page.amounts("receipt-payment")) == sum(page.amounts("receipt-lines")) == page.amounts("total")[0]


@pytest.mark.parametrize(
    "evil", ["<script>alert(1)</script>", '"><img src=x onerror=x>', "&lt;b&gt;", "</bdi></article>"]
)
def test_nobody_s_name_is_more_than_text(evil: str) -> None:
    told = receipt(line(evil, 1, 249, instead_of=evil), later=(NotTaken("l", "s", evil, 1, Unit.PIECE),))
    shown = evolve(told, store_name=evil).html("en", head=[evil])
    page = Page(shown)
    assert page.open == []
    assert set(page.names) <= ELEMENTS
    assert evil not in shown or evil == "&lt;b&gt;"


ELEMENTS = {"article", "header", "p", "bdi", "h2", "dl", "div", "dt", "dd", "table", "caption", "tbody", "tfoot", "tr",
            "th", "td", "data", "br", "small"}  # fmt: skip

LINES = st.lists(
    st.builds(
        line, st.sampled_from(["Oat milk", "شاي أخضر", "Сирене"]), st.integers(1, 3000), st.integers(0, 99_999),
        per=st.sampled_from([1, 1000]), unit=st.sampled_from(Unit), tax=st.sampled_from(["0", "0.055", "0.09", "0.20"]),
    ),
    min_size=1, max_size=5,
)  # fmt: skip


def in_currency(one: ReceiptLine, currency: str) -> ReceiptLine:
    return evolve(one, price=Money(one.price.amount, currency), total=Money(one.total.amount, currency))


@given(st.sampled_from(sorted(locale_identifiers())), st.sampled_from(sorted(EXPONENTS)), LINES)
def test_in_every_locale_and_currency_it_adds_up_and_people_read_what_programs_do(
    locale: str, currency: str, lines: list[ReceiptLine]
) -> None:
    told = receipt(*(in_currency(one, currency) for one in lines))
    page = Page(told.html(locale))
    assert sum(page.amounts("receipt-lines")) == sum(page.amounts("receipt-payment")) == page.amounts("total")[0]
    assert page.amounts("total")[0] == told.total.decimal
    assert page.amounts("receipt-taxes") == [part.tax.decimal for part in told.taxes]
    assert sum(part.gross.amount for part in told.taxes) == told.total.amount
    decimal = get_decimal_symbol(Locale.parse(locale))
    for table in ("receipt-lines", "receipt-payment", "receipt-taxes", "total"):
        for value, shown in page.values[table]:
            assert digits(shown, decimal) == value


def digits(shown: str, decimal: str) -> str:
    """The number that people read: its digits, and the locale's decimal sign where it has decimals."""
    start = next(place for place, letter in enumerate(shown) if letter.isdigit())
    end = max(place for place, letter in enumerate(shown) if letter.isdigit())
    return "".join("." if letter == decimal else letter for letter in shown[start : end + 1]
                   if letter.isdigit() or letter == decimal)  # fmt: skip


# --- what can't be ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", ["xx-YY", "b", "bg BG", "../bg", 5, "x" * 41])
def test_a_locale_that_nobody_knows_is_refused(locale: Any) -> None:
    with pytest.raises(InvalidInput) as raised:
        SPLIT.text(locale)
    assert raised.value.facts["field"] == "locale"


@pytest.mark.parametrize("width", [0, 23, 201, "40", None, True])
def test_so_is_paper_that_is_too_narrow_or_too_wide(width: Any) -> None:
    with pytest.raises(InvalidInput):
        SPLIT.text("en", width=width)


@pytest.mark.parametrize("head", ["a text", ["one"] * 11, 5])
def test_and_a_heading_that_is_none(head: Any) -> None:
    with pytest.raises(InvalidInput):
        SPLIT.html("en", head=head)
    with pytest.raises(InvalidText):
        SPLIT.html("en", head=["two\nlines"])


def test_without_babel_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "babel":
            raise ImportError(name)
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"omniorder\[receipts\]"):
        SPLIT.text("en")


# --- words ------------------------------------------------------------------------------------------------


def test_every_language_says_everything_and_keeps_the_places() -> None:
    for words in LANGUAGES.values():
        assert all(words.tenders[kind] for kind in LANGUAGES["en"].tenders)
        assert words.tenders.keys() == LANGUAGES["en"].tenders.keys()
        assert (words.tax.count("{}"), words.instead_of.count("{}")) == (2, 1)


def test_a_tender_of_somebody_s_own_is_called_what_it_is() -> None:
    assert "voucher" in evolve(SPLIT, tendered=(Tendered("voucher", Money(5, "EUR")),)).text("bg")
