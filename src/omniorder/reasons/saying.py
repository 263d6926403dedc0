"""Saying a tree of reasons in words: the reason, what is below it, and what would change the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from types import MappingProxyType
from typing import Final

from omniorder.reasons.sentences import bg, en, sv
from omniorder.reasons.tongues import Tongue
from omniorder.reasons.tree import Reason, Remedy

__all__ = ["LANGUAGES", "say"]

LANGUAGES: Final[Mapping[str, Tongue]] = MappingProxyType({"en": en.TONGUE, "sv": sv.TONGUE, "bg": bg.TONGUE})
"""The languages that can be spoken, by their ISO 639 code."""


def say(reason: Reason, language: str = "en", *, zone: tzinfo | None = None) -> str:
    """The whole tree in one line of text: what `domain.telling.say` says, of what is known to be a Reason."""
    tongue = LANGUAGES.get(language.replace("_", "-").partition("-")[0].lower(), LANGUAGES["en"])
    return " ".join(_told(reason, tongue, zone, set()))


def _told(reason: Reason, tongue: Tongue, zone: tzinfo | None, offered: set[Remedy]) -> Iterator[str]:
    """Sentence by sentence; `offered` are the remedies that were told already."""
    wordings = tongue.sentences.get(reason.code, ())
    yield _ended(tongue.worded(wordings, reason.facts, zone) or tongue.sentences["refused"][0])
    for cause in reason.because:
        yield from _told(cause, tongue, zone, offered)
    begin = tongue.also if offered else tongue.can
    phrases: list[str] = []
    for remedy in reason.remedies:
        phrase = tongue.worded(tongue.phrases.get(remedy.code, ()), remedy.facts, zone)
        if phrase and remedy not in offered:
            offered.add(remedy)
            phrases.append(phrase)
    if phrases:
        yield _ended(begin.replace("{}", tongue.listed(phrases, tongue.either)))


def _ended(sentence: str) -> str:
    """With one full stop, also where the last word is an abbreviation and has its own."""
    return sentence[:-1] if sentence.endswith("..") and not sentence.endswith("...") else sentence
