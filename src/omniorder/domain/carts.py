"""Carts: wishes, not promises. Nothing in a cart holds stock or a price.

A cart belongs to a customer or a guest and is open to every channel. Edits name lines, not SKUs, so two devices
that touch different lines both get what they asked for; `CartLine.version` says when a line was last touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import assert_never, cast

from attrs import evolve, field, frozen

from omniorder.domain import events as e
from omniorder.domain.consents import REFUSED, Consent, without_allergens
from omniorder.domain.ids import sku as valid_sku
from omniorder.domain.lifecycle import CartState, advance
from omniorder.domain.quantities import MAX_QUANTITY
from omniorder.domain.quantities import quantity as valid_quantity
from omniorder.domain.text import Metadata
from omniorder.domain.text import metadata as valid_metadata
from omniorder.domain.text import note as valid_note
from omniorder.errors import InvalidInput, NotFound, TooMany, VersionConflict


@frozen
class CartLine:
    """One wish. `quantity` in the article's unit; `version` is the cart's version when it was last touched;
    `consent` is what may be given instead.
    """

    id: str
    sku: str
    quantity: int
    note: str = field(default="", repr=False)
    metadata: Metadata = field(factory=Metadata)
    version: int = 0
    consent: Consent = REFUSED


@frozen
class Cart:
    """A basket. `version` counts its events; `promise_id` is its live promise, `order_id` what became of it, and
    `merged_into` the cart that has its lines now.

    `lines_version` is the version at which its lines last changed: a promise covers exactly that content.
    """

    id: str
    owner: str
    state: CartState
    version: int
    lines: tuple[CartLine, ...]
    started_at: datetime
    changed_at: datetime
    language: str = ""
    metadata: Metadata = field(factory=Metadata)
    lines_version: int = 0
    promise_id: str | None = None
    order_id: str | None = None
    merged_into: str | None = None

    def line(self, line_id: str) -> CartLine:
        """The line with this id; raises `NotFound`."""
        for line in self.lines:
            if line.id == line_id:
                return line
        raise NotFound("line", line_id)

    def demand(self) -> dict[str, int]:
        """Units wanted per SKU, all lines summed."""
        wanted: dict[str, int] = {}
        for line in self.lines:
            wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
        return wanted


def _consent(value: Consent) -> Consent:
    given = cast("object", value)
    if not isinstance(given, Consent):
        raise InvalidInput("substitutes", given, "must be a Consent")
    return given


@frozen
class Add:
    """Put `quantity` units in the cart; joins a line of equal SKU, note, metadata and consent to `substitutes`.

    Raises `InvalidId`, `InvalidQuantity`, `InvalidText`, `CardNumberRefused` or `InvalidInput` when made.
    """

    sku: str = field(converter=valid_sku)
    quantity: int = field(default=1, converter=valid_quantity)
    note: str = field(default="", converter=valid_note, repr=False)
    metadata: Metadata = field(factory=Metadata, converter=valid_metadata)
    substitutes: Consent = field(default=REFUSED, converter=_consent)


@frozen
class Change:
    """Want `quantity` units of this line instead."""

    line: str
    quantity: int = field(converter=valid_quantity)


@frozen
class Note:
    """Tell the picker something about this line ("ripe ones, please"); an empty text takes the note away."""

    line: str
    note: str = field(converter=valid_note, repr=False)


@frozen
class Remove:
    """Take the line out."""

    line: str


@frozen
class Allow:
    """Say what may be given instead of this line's units, where the store hasn't got them."""

    line: str
    substitutes: Consent = field(converter=_consent)


Edit = Add | Change | Note | Remove | Allow


def edit(
    cart: Cart,
    edits: Sequence[Edit],
    *,
    new_lines: Iterable[str],
    most: int,
    most_units: int = MAX_QUANTITY,
    if_version: int | None = None,
) -> tuple[e.Event, ...]:
    """The events of these edits, one after the other on the same cart.

    `new_lines` are fresh line ids, `most` the number of lines that a cart may have, `most_units` the units of one
    SKU, all lines summed. With `if_version`, an edit of a line that was touched after that version raises
    `VersionConflict`; edits of other lines pass.
    """
    fresh = iter(new_lines)
    told: list[e.Event] = []
    now = cart
    for one in edits:
        _unchanged_since(cart, one, if_version)
        for event in _decide(now, one, fresh):
            told.append(event)
            now = apply(now, event, cart.changed_at)
    if len(now.lines) > most:
        raise TooMany("lines", len(now.lines), f"a cart has at most {most} lines")
    for sku, units in now.demand().items():
        valid_quantity(units, f"units of {sku}", most=most_units)
    return tuple(told)


def _unchanged_since(cart: Cart, one: Edit, if_version: int | None) -> None:
    if if_version is None or isinstance(one, Add):
        return
    touched = next((line.version for line in cart.lines if line.id == one.line), cart.lines_version)
    if touched > if_version:
        raise VersionConflict(cart, kind="cart", id=cart.id, expected=if_version, current=cart.version)


def _decide(cart: Cart, one: Edit, fresh: Iterator[str]) -> list[e.Event]:
    match one:
        case Add(sku, quantity, note, metadata, consent):
            for line in cart.lines:
                if (line.sku, line.note, line.metadata, line.consent) == (sku, note, metadata, consent):
                    return [e.LineChanged(line.id, valid_quantity(line.quantity + quantity))]
            return [added(CartLine(next(fresh), sku, quantity, note, metadata, consent=consent))]
        case Change(line_id, quantity):
            return [] if cart.line(line_id).quantity == quantity else [e.LineChanged(line_id, quantity)]
        case Note(line_id, note):
            return [] if cart.line(line_id).note == note else [e.LineNoted(line_id, note)]
        case Remove(line_id):
            return [e.LineRemoved(cart.line(line_id).id)]
        case Allow(line_id, consent):
            return [] if cart.line(line_id).consent == consent else [consented(line_id, consent)]
        case _:
            assert_never(one)


def added(line: CartLine) -> e.LineAdded:
    """This line as it comes into a cart."""
    public, excluded = without_allergens(line.consent), line.consent.without_allergens
    return e.LineAdded(line.id, line.sku, line.quantity, line.metadata, line.note, public, excluded)


def consented(line_id: str, consent: Consent) -> e.LineConsented:
    """What its customer says of this line."""
    return e.LineConsented(line_id, without_allergens(consent), consent.without_allergens)


def apply(cart: Cart, event: e.Event, at: datetime) -> Cart:
    """The cart after `event`, one version on; raises `IllegalTransition` when its table has no such step."""
    version = cart.version + 1
    after = evolve(cart, state=advance(cart.state, event), version=version, changed_at=at)
    match event:
        case e.LineAdded(line_id, sku, quantity, metadata, note, consent, excluded):
            allowed = evolve(consent, without_allergens=excluded)
            line = CartLine(line_id, sku, quantity, note, metadata, version, allowed)
            return evolve(after, lines=(*cart.lines, line), lines_version=version)
        case e.LineChanged(line_id, quantity):
            return _touched(after, line_id, lambda line: evolve(line, quantity=quantity, version=version))
        case e.LineNoted(line_id, note):
            return _touched(after, line_id, lambda line: evolve(line, note=note, version=version))
        case e.LineConsented(line_id, consent, excluded):
            allowed = evolve(consent, without_allergens=excluded)
            return _touched(after, line_id, lambda line: evolve(line, consent=allowed, version=version))
        case e.LineRemoved(line_id):
            rest = tuple(line for line in cart.lines if line.id != line_id)
            return evolve(after, lines=rest, lines_version=version)
        case e.PromiseMade(promise=promise):
            return evolve(after, promise_id=promise)
        case e.PromiseReplaced() | e.PromiseWithdrawn() | e.PromiseLapsed():
            return evolve(after, promise_id=None)
        case e.CartOrdered(order=order):
            return evolve(after, order_id=order)
        case e.CartReopened():
            return evolve(after, order_id=None, promise_id=None)
        case e.CartMerged(into=into):
            return evolve(after, merged_into=into)
        case e.CartClaimed(owner=owner):
            return evolve(after, owner=owner)
        case _:
            return after


def _touched(cart: Cart, line_id: str, change: Callable[[CartLine], CartLine]) -> Cart:
    lines = tuple(change(line) if line.id == line_id else line for line in cart.lines)
    return evolve(cart, lines=lines, lines_version=cart.version)
