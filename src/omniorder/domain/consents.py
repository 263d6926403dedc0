"""Consents: what may be given instead of a line's units that the shelf lacks, as its customer says in the basket.

A consent goes with its line from the basket to the capture. How much a substitute may cost is part of it: what the
customer never agreed to pay is never charged.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final, cast

from attrs import evolve, field, frozen

from omniorder.domain import text
from omniorder.domain.ids import sku as valid_sku
from omniorder.domain.money import Money, extend
from omniorder.errors import CurrencyMismatch, InvalidInput, InvalidMoney

__all__ = ["REFUSED", "Consent", "ConsentMode", "stricter"]

MOST_BRANDS: Final = 20


class ConsentMode(Enum):
    """What the store may do about units that it hasn't got."""

    REFUSE = "refuse"
    """Nothing is given instead."""
    SIMILAR = "similar"
    """Whatever the store finds to be similar."""
    NAMED = "named"
    """This one article."""
    ASK = "ask"
    """What the customer accepts when the store proposes it."""


def _mode(value: ConsentMode) -> ConsentMode:
    given = cast("object", value)
    if not isinstance(given, ConsentMode):
        raise InvalidInput("mode", given, "must be a ConsentMode")
    return given


def _cap(value: Money | None) -> Money | None:
    given = cast("object", value)
    if given is None:
        return None
    if not isinstance(given, Money) or given.amount < 0:
        raise InvalidMoney("cap", given, "must be Money, and not negative")
    return given


def _flag(value: bool) -> bool:
    given = cast("object", value)
    if not isinstance(given, bool):
        raise InvalidInput("consent", given, "must be True or False")
    return given


def _allergens(value: Iterable[str]) -> tuple[str, ...]:
    return text.words(value, "without_allergens")


def _brands(value: Iterable[str]) -> tuple[str, ...]:
    given = cast("object", value)
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidInput("without_brands", given, "must be a set of brands")
    found = {text.line(cast("str", one), "without_brands", most=80) for one in cast("Iterable[object]", given)}
    if len(found) > MOST_BRANDS:
        raise InvalidInput("without_brands", len(found), f"at most {MOST_BRANDS} brands")
    return tuple(sorted(found))


@frozen
class Consent:
    """What may be given instead of a line's units; made by `refuse`, `similar`, `named` and `ask`.

    `sku` is the article of NAMED. A substitute costs at most `cap`, for as many units as the line's own price is for;
    without one, and unless it may be `dearer`, no more than the line itself. `silence_takes`: of what the customer is
    asked, silence means yes. `without_allergens` and `without_brands` are never given, whoever agrees to it; what
    somebody can't eat is theirs to tell, so the journal does not have it.

    Raises `InvalidInput`, `InvalidMoney`, `InvalidId` or `InvalidText`.
    """

    mode: ConsentMode = field(default=ConsentMode.REFUSE, converter=_mode)
    sku: str = ""
    cap: Money | None = field(default=None, converter=_cap)
    dearer: bool = field(default=False, converter=_flag)
    silence_takes: bool = field(default=False, converter=_flag)
    without_allergens: tuple[str, ...] = field(default=(), converter=_allergens, repr=False)
    without_brands: tuple[str, ...] = field(default=(), converter=_brands)

    def __attrs_post_init__(self) -> None:
        if self.mode is ConsentMode.NAMED:
            valid_sku(self.sku)
        elif self.sku != "":
            raise InvalidInput("sku", self.sku, "is of a named article only")
        if self.dearer and self.cap is None:
            raise InvalidInput("dearer", self.dearer, "needs a cap: how much dearer it may be")
        if self.silence_takes and self.mode is not ConsentMode.ASK:
            raise InvalidInput("silence_takes", self.silence_takes, "only who is asked can be silent")
        if self.mode is ConsentMode.REFUSE and (self.cap is not None or self.without_allergens or self.without_brands):
            raise InvalidInput("mode", self.mode.value, "who refuses every substitute has nothing to add")

    @classmethod
    def refuse(cls) -> Consent:
        """Nothing may be given instead: what is missing is called off, or comes otherwise. The default."""
        return cls()

    @classmethod
    def similar(
        cls, *, cap: Money | None = None, without_allergens: Iterable[str] = (), without_brands: Iterable[str] = ()
    ) -> Consent:
        """Whatever the store finds to be similar; with a `cap` it may cost as much, else no more than the line."""
        return cls(ConsentMode.SIMILAR, "", cap, cap is not None, False, without_allergens, without_brands)

    @classmethod
    def named(cls, sku: str, *, cap: Money | None = None) -> Consent:
        """This article, and no other."""
        return cls(ConsentMode.NAMED, sku, cap, cap is not None)

    @classmethod
    def ask(
        cls, *, cap: Money | None = None, silence_takes: bool = False, without_allergens: Iterable[str] = (),
        without_brands: Iterable[str] = (),
    ) -> Consent:  # fmt: skip
        """What the customer accepts when they are asked; silence means no, unless it `silence_takes`."""
        return cls(ConsentMode.ASK, "", cap, cap is not None, silence_takes, without_allergens, without_brands)

    def limit(self, price: Money) -> Money:
        """The most that a substitute for a line of this price may cost, for as many units.

        Raises `CurrencyMismatch` for a cap in another currency.
        """
        if self.cap is None:
            return price
        if self.cap.currency != price.currency:
            raise CurrencyMismatch("cap", self.cap.currency, f"must be {price.currency}")
        return self.cap if self.dearer else min(self.cap, price)

    def raised(self, price: Money) -> Money | None:
        """How much more than its own price a line may cost by this consent, as a price; None for no more."""
        if self.mode is ConsentMode.REFUSE or (most := self.limit(price)) <= price:
            return None
        return most


REFUSED: Final = Consent()
"""Of lines that say nothing about substitutes."""


def at_most(price: Money, cap: Money | None, units: int, per: int) -> Money:
    """The most that so many units of a line may cost, at its own price or, where that is more, at its cap."""
    return extend(price if cap is None else cap, units, per)


def stricter(one: Consent, other: Consent) -> Consent:
    """What both agree to: the order and the repetition of such questions never matter.

    Who is asked decides themselves, so asking is stricter than giving; two different named articles, or one and a
    customer who is to be asked, agree in no more than that the customer is asked and silence means no.
    """
    if one == other:
        return one
    if ConsentMode.REFUSE in (one.mode, other.mode):
        return REFUSED
    caps = [consent.cap for consent in (one, other) if consent.cap is not None]
    cap = min(caps, key=lambda cap: (cap.currency, cap.amount)) if caps else None
    mode, sku, silence = _agreed(one, other)
    return Consent(
        mode, sku, cap, cap is not None and one.dearer and other.dearer, silence,
        (*one.without_allergens, *other.without_allergens), (*one.without_brands, *other.without_brands),
    )  # fmt: skip


def _agreed(one: Consent, other: Consent) -> tuple[ConsentMode, str, bool]:
    """Mode, named article and what silence means, where neither refuses."""
    if (one.mode, one.sku) == (other.mode, other.sku):
        return one.mode, one.sku, one.silence_takes and other.silence_takes
    for loose, strict in ((one, other), (other, one)):
        if loose.mode is ConsentMode.SIMILAR:
            return strict.mode, strict.sku, strict.silence_takes
    return ConsentMode.ASK, "", False


def without_allergens(consent: Consent) -> Consent:
    """The consent as the journal has it: without what somebody can't eat."""
    return evolve(consent, without_allergens=())
