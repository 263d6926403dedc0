"""The words of a receipt, in English, Swedish and Bulgarian; what speaks another language gets the English ones."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from attrs import frozen

__all__ = ["LANGUAGES", "Words", "words"]


@frozen
class Words:
    """One language. `{}` is the place for what a phrase is about; `tenders` are by kind or means."""

    title: str
    order: str
    number: str
    date: str
    goods: str
    total: str
    taxes: str
    tax: str
    payment: str
    before: str
    fees: str
    ahead: str
    back: str
    refused: str
    called_off: str
    later: str
    nothing: str
    instead_of: str
    tenders: Mapping[str, str]


_EN: Final = Words(
    title="Receipt",
    order="Order",
    number="Receipt no.",
    date="Date",
    goods="Goods",
    total="Total",
    taxes="Tax included",
    tax="VAT {} in {}",
    payment="Payment",
    before="Paid before",
    fees="Open from before",
    ahead="Paid ahead",
    back="Goes back to you",
    refused="Not wanted",
    called_off="Called off",
    later="Still waiting for you",
    nothing="Nothing was handed over.",
    instead_of="instead of {}",
    tenders=MappingProxyType(
        {
            "card": "Card",
            "gift_card": "Gift card",
            "store_credit": "Store credit",
            "pay_link": "Payment link",
            "bank_transfer": "Bank transfer",
            "cash": "Cash",
            "terminal": "Card terminal",
            "in_store": "Paid in the store",
        }
    ),
)

_SV: Final = Words(
    title="Kvitto",
    order="Beställning",
    number="Kvittonr",
    date="Datum",
    goods="Varor",
    total="Summa",
    taxes="Varav moms",
    tax="Moms {} av {}",
    payment="Betalning",
    before="Betalt tidigare",
    fees="Obetalt sedan tidigare",
    ahead="Betalt i förskott",
    back="Betalas tillbaka",
    refused="Avböjt",
    called_off="Avbeställt",
    later="Finns kvar att hämta",
    nothing="Inget lämnades ut.",
    instead_of="i stället för {}",
    tenders=MappingProxyType(
        {
            "card": "Kort",
            "gift_card": "Presentkort",
            "store_credit": "Tillgodohavande",
            "pay_link": "Betallänk",
            "bank_transfer": "Banköverföring",
            "cash": "Kontant",
            "terminal": "Kortterminal",
            "in_store": "Betalt i butiken",
        }
    ),
)

_BG: Final = Words(
    title="Разписка",
    order="Поръчка",
    number="Разписка №",
    date="Дата",
    goods="Стоки",
    total="Общо",
    taxes="Включен данък",
    tax="ДДС {} от {}",
    payment="Плащане",
    before="Платено по-рано",
    fees="Дължимо от по-рано",
    ahead="Платено предварително",
    back="Връща Ви се",
    refused="Отказано",
    called_off="Анулирано",
    later="Още Ви очаква",
    nothing="Нищо не беше предадено.",
    instead_of="вместо {}",
    tenders=MappingProxyType(
        {
            "card": "Карта",
            "gift_card": "Подаръчна карта",
            "store_credit": "Кредит в магазина",
            "pay_link": "Връзка за плащане",
            "bank_transfer": "Банков превод",
            "cash": "В брой",
            "terminal": "Картов терминал",
            "in_store": "Платено в магазина",
        }
    ),
)

LANGUAGES: Final[Mapping[str, Words]] = MappingProxyType({"en": _EN, "sv": _SV, "bg": _BG})
"""The languages that there are words in, by their ISO 639 code."""


def words(language: str) -> Words:
    """The words of this language, or English ones."""
    return LANGUAGES.get(language, _EN)
