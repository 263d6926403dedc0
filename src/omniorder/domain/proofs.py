"""How whoever collects showed that they may: the proof that a hand-over was made on, and what was looked at besides.

Only outcomes are kept. There is no field for a document's number, a birth date or a picture, so none can be stored.
"""

from __future__ import annotations

from enum import Enum
from typing import cast

from attrs import field, frozen

from omniorder.domain.text import line as valid_line
from omniorder.errors import InvalidInput


class Proof(Enum):
    """What the goods were handed over against."""

    CODE = "code"
    """The code was said."""
    TOKEN = "token"
    """The token was scanned."""
    PASS = "pass"
    """A signed pass was shown, which a store verifies without asking anybody."""
    SIGNATURE = "signature"
    """There was no code: they signed, after an identity check that passed (`Settings.accept_signature`)."""


class CheckKind(Enum):
    """What about a person was looked at."""

    IDENTITY = "identity"
    """Whether they are who may collect."""
    AGE = "age"
    """Whether they are old enough for what they collect."""


def _kind(value: object) -> CheckKind:
    if not isinstance(value, CheckKind):
        raise InvalidInput("kind", value, "must be a CheckKind")
    return value


def _outcome(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput("passed", value, "must be True or False: only the outcome of a check is kept")
    return value


@frozen
class Check:
    """A look at the person at the counter, and whether it went well. Raises `InvalidInput`."""

    kind: CheckKind = field(converter=_kind)
    passed: bool = field(converter=_outcome, kw_only=True)


@frozen
class Shown:
    """How whoever collects proved that they may.

    `signature` names the picture of their signature in the retailer's own store of such pictures. `by_proxy`: they are
    not the customer, but somebody whom the customer named.
    """

    proof: Proof
    signature: str = ""
    by_proxy: bool = False


def signature(value: object) -> str:
    """The id of a stored signature, or empty. Raises `InvalidText`, also for what is long enough to be the picture."""
    return valid_line(cast("str", value), "signature", most=100, least=0)
