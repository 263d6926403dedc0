"""Handoffs: a basket passed on to another device or another person, for a purpose and for a while.

The owner of a cart offers a handoff; it is a *token* (as text, in a link, as a QR code) with a short spoken form. The
first who brings it in time is let in, once: from then on that actor may do with this cart what the scopes say, until
the grant ends or the owner takes it back. Who, which cart, what for, until when and through which channel stand in the
cart's journal.

Both forms are HMACs of (secret, handoff, cart, instant), made as a pick-up pass is: shown when they are needed, stored
nowhere. The handoff's number alone would not do: it is short enough to be drawn again one day, and what was made for
the first must not open the second. The spoken form names the handoff, so that wrong tries are counted against it, and
its six digits are worth little more than the few tries that it allows.
"""

from __future__ import annotations

import hmac
import re
from datetime import datetime
from enum import Enum
from typing import Final

from attrs import evolve, field, frozen

from omniorder.domain import events as e
from omniorder.domain import passes
from omniorder.domain.channels import Channel
from omniorder.domain.ids import HANDOFF_DIGITS, handoff_id
from omniorder.domain.instants import iso
from omniorder.domain.lifecycle import HandoffState, advance
from omniorder.domain.orders import Order
from omniorder.domain.text import line as valid_line
from omniorder.errors import HandoffInvalid, InvalidInput

SPOKEN_DIGITS: Final = 6
"""Digits of the spoken form, beside the handoff's own six characters."""
LONGEST_BASE: Final = 2000
"""Characters of the URL that a link begins with."""
LONGEST: Final = LONGEST_BASE + 100
"""Characters of anything that could hold a token: a link, at most."""


class Scope(Enum):
    """What a handoff is for. Every one includes looking at the cart."""

    VIEW = "view"
    """Look at the cart and at offers."""
    EDIT = "edit"
    """Edit its lines, promise it and give a promise back."""
    PAY = "pay"
    """Place and pay the promise that the cart had when it was offered; together with EDIT, whichever it has."""
    OWN = "own"
    """The cart becomes theirs, for good: from the store's kiosk to one's own phone."""


@frozen
class Handoff:
    """A cart that was offered to somebody, and who took it.

    `offered_by` and `accepted_by` are journal names. The token can be used before `until`; what it gave ends at
    `granted_until`. `promise_id` is what PAY without EDIT lets them pay.
    """

    id: str
    cart_id: str
    scopes: tuple[Scope, ...]
    state: HandoffState
    offered_by: str
    offered_on: Channel
    offered_at: datetime
    until: datetime
    key_id: str
    promise_id: str | None = None
    accepted_by: str | None = None
    accepted_on: Channel | None = None
    accepted_at: datetime | None = None
    granted_until: datetime | None = None

    def granted(self, actor: str, at: datetime) -> bool:
        """Whether `actor` (a journal name) took it, and what it gave them has not ended at this instant."""
        live = self.state is HandoffState.ACCEPTED and self.granted_until is not None and at < self.granted_until
        return live and self.accepted_by == actor

    def open(self, at: datetime) -> bool:
        """Whether anybody can still do something with it: take it, or use what it gave."""
        return self.state is not HandoffState.WITHDRAWN and at < self.ends

    @property
    def ends(self) -> datetime:
        """When it comes to an end by itself: the token, or what it gave."""
        return self.granted_until or self.until

    def allows(self, scope: Scope) -> bool:
        """Whether it is (also) for this; each is for looking."""
        return scope is Scope.VIEW or scope in self.scopes

    def pays(self, promise_id: str) -> bool:
        """Whether it lets whoever took it pay this promise."""
        return Scope.PAY in self.scopes and (Scope.EDIT in self.scopes or self.promise_id == promise_id)

    def shows(self, order: Order, *, standing: bool) -> bool:
        """Whether it lets whoever took it follow this order of the cart; `standing`: the cart is ordered by it now.

        An order that ended before the handoff was offered is nobody's business but the owner's.
        """
        if Scope.EDIT in self.scopes:
            return standing or order.placed_at >= self.offered_at
        return self.pays(order.promise_id)


@frozen
class HandoffTicket:
    """What the owner shows or says to whoever is to take the cart over.

    `token` goes into a link or a QR code; `code` is said: the handoff's own six characters and six digits, in threes.
    """

    id: str
    cart_id: str
    scopes: tuple[Scope, ...]
    until: datetime
    token: str = field(repr=False)
    code: str = field(repr=False)

    @property
    def qr(self) -> str:
        """The content of a QR code for a scanner of the retailer's own."""
        return self.token

    def link(self, base: str) -> str:
        """A deep link: `base` with the token behind a `#`, which browsers keep to themselves and servers don't log.

        Raises `InvalidInput` for a `base` that is no https (or app) URL, or has a fragment already.
        """
        base = valid_line(base, "base", most=LONGEST_BASE)
        if not _URL.fullmatch(base) or base.lower().startswith(_UNSAFE):
            raise InvalidInput("base", base, "must be an https or app URL without a fragment")
        return f"{base}#{self.token}"


_UNSAFE = ("http:", "javascript:", "data:", "vbscript:", "file:")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s#]+")


def ticket(handoff: Handoff, secret: bytes) -> HandoffTicket:
    """Token and code of a handoff, computed anew."""
    said = handoff.id.removeprefix("hnd_") + _digits(handoff, secret)
    return HandoffTicket(
        handoff.id,
        handoff.cart_id,
        handoff.scopes,
        handoff.until,
        token=f"{handoff.id}_{_token(handoff, secret)}",
        code=" ".join(said[start : start + 3] for start in range(0, len(said), 3)),
    )


def _token(handoff: Handoff, secret: bytes) -> str:
    return passes.token(secret, _subject(handoff), 0)


def _digits(handoff: Handoff, secret: bytes) -> str:
    return passes.code(secret, _subject(handoff), 0, SPOKEN_DIGITS)


def _subject(handoff: Handoff) -> str:
    """What the HMACs are about: no order is called like this, and no other handoff ever."""
    return f"{handoff.id}:{handoff.cart_id}:{iso(handoff.offered_at)}"


@frozen
class Shown:
    """What somebody brought: which handoff it names, the secret part, and whether it was the spoken form."""

    handoff: str
    secret: str = field(repr=False)
    spoken: bool

    def proves(self, handoff: Handoff, secret: bytes) -> bool:
        """Whether it is this handoff's token or code; takes the same time either way."""
        right = _digits(handoff, secret) if self.spoken else _token(handoff, secret)
        return hmac.compare_digest(self.secret, right)


_TOKEN = re.compile(rf"HND_([{HANDOFF_DIGITS}]{{6}})_([A-Z2-7]{{26}})")
_SPOKEN = re.compile(rf"([{HANDOFF_DIGITS}]{{6}})([0-9]{{{SPOKEN_DIGITS}}})")
_MISHEARD: Final = str.maketrans("OIL", "011")
_PAUSES: Final = str.maketrans("", "", " -.")


def read(shown: object) -> Shown:
    """A token, a link that ends in one, or the spoken form with any pauses, and O for 0, I and L for 1; in any case.

    Raises `HandoffInvalid` for what can't be one, without showing it.
    """
    if not isinstance(shown, str) or len(shown) > LONGEST:
        raise HandoffInvalid
    _, link, text = shown.rpartition("#")
    if not text.isascii():  # or a homoglyph might become a letter when it is capitalised
        raise HandoffInvalid
    text = text.strip().upper()
    if found := _TOKEN.fullmatch(text):
        return Shown(f"hnd_{found[1]}", found[2], spoken=False)
    if not link and (found := _SPOKEN.fullmatch(text.translate(_PAUSES).translate(_MISHEARD))):
        return Shown(f"hnd_{found[1]}", found[2], spoken=True)
    raise HandoffInvalid


def apply(handoff: Handoff, event: e.Event, *, on: Channel, at: datetime) -> Handoff:
    """The handoff after `event`; raises `IllegalTransition` when its table has no such step."""
    after = evolve(handoff, state=advance(handoff.state, event))
    match event:
        case e.HandoffAccepted(actor=actor, until=until):
            return evolve(after, accepted_by=actor, accepted_on=on, accepted_at=at, granted_until=until)
        case _:
            return after


def offer(
    cart_id: str, scopes: tuple[Scope, ...], *, draw: bytes, by: str, on: Channel, at: datetime, until: datetime,
    key_id: str, promise_id: str | None,
) -> tuple[Handoff, e.HandoffOffered]:  # fmt: skip
    """A new handoff from 4 random bytes, and the event that tells of it."""
    made = Handoff(handoff_id(draw), cart_id, scopes, HandoffState.OFFERED, by, on, at, until, key_id, promise_id)
    return made, e.HandoffOffered(made.id, tuple(scope.value for scope in scopes), until, promise_id)
