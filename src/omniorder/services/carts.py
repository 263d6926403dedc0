"""The cart desk: start, look, edit; from any channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from omniorder.domain import carts, ids
from omniorder.domain.actors import Guest
from omniorder.domain.articles import Article
from omniorder.domain.carts import Add, Allow, Cart, Change, Edit, Note, Remove
from omniorder.domain.consents import REFUSED, Consent, ConsentMode
from omniorder.domain.events import CartStarted
from omniorder.domain.handoffs import Scope
from omniorder.domain.lifecycle import CartState
from omniorder.domain.merging import Claimed, Merged
from omniorder.domain.quantities import quantity as valid_quantity
from omniorder.domain.text import line as valid_line
from omniorder.domain.text import metadata as valid_metadata
from omniorder.errors import NotAllowed, NotFound
from omniorder.services import claims
from omniorder.services.access import cart_for
from omniorder.services.logs import command
from omniorder.services.parts import Parts, Touch
from omniorder.services.surface import several
from omniorder.services.units import Unit, in_transaction, reading

MOST_EDITS = 1000
EDITS = (Add, Change, Note, Remove, Allow)


@frozen
class Carts:
    """Carts of the customer, guest or (through an agent) of the customer who is being helped."""

    parts: Parts
    touch: Touch

    @command("carts.start")
    def start(self, *, language: str = "", metadata: Mapping[str, str] | None = None, key: str | None = None) -> Cart:
        """A new empty cart. `language` is a BCP 47 tag for messages; `metadata` is copied to the order.

        Raises `InvalidText`, `TooMany` (metadata) and `NotAllowed` for an actor who acts for nobody.
        """
        owner = self.touch.actor.owner
        if owner is None:
            raise NotAllowed(actor=self.touch.actor.name, action="own a cart")
        stamp = self.touch.stamp(self.parts.clock)
        tongue = valid_line(language, "language", most=35, least=0)
        empty = Cart(
            id=ids.cart_id(self.parts.time_ordered()),
            owner=owner,
            state=CartState.OPEN,
            version=0,
            lines=(),
            started_at=stamp.at,
            changed_at=stamp.at,
            language=tongue,
            metadata=valid_metadata(metadata or {}),
        )

        def work(unit: Unit) -> Cart:
            request = [tongue, dict(empty.metadata)]
            earlier = unit.earlier(key, "carts.start", home=owner, subject=owner, request=request, result=empty.id)
            if earlier is not None:
                return self._load(unit, earlier)
            event = CartStarted(owner, tongue)
            cart = carts.apply(empty, event, stamp.at)
            unit.save_cart(None, cart, [event])
            return cart

        return in_transaction(self.parts, stamp, work)

    def get(self, cart_id: str) -> Cart:
        """The cart; raises `NotFound`, also for somebody else's. One that was merged says into which."""
        at = self.parts.clock.now()
        return reading(self.parts, lambda tx: cart_for(self.touch, tx, cart_id, Scope.VIEW, at))

    def current(self) -> Cart | None:
        """The open cart that was changed last, on whatever channel; None when there is none."""
        owner = self.touch.actor.owner
        return reading(self.parts, lambda tx: tx.open_cart(owner)) if owner else None

    def add(
        self, cart_id: str, sku: str, quantity: int = 1, *, note: str = "",
        metadata: Mapping[str, str] | None = None, substitutes: Consent = REFUSED, key: str | None = None,
    ) -> Cart:  # fmt: skip
        """Want `quantity` (more) units; joins a line of equal SKU, note, metadata and consent.

        `substitutes` is what the store may give instead of what it hasn't got: nothing, unless the customer says so.

        Raises `InvalidQuantity`, `InvalidId`, `InvalidText`, `InvalidInput`, `NotFound` for an unknown article (also a
        named substitute) or cart, `TooMany`.
        """
        return self.edit(cart_id, [Add(sku, quantity, note, metadata or {}, substitutes)], key=key)

    def change(
        self, cart_id: str, line_id: str, quantity: int, *, if_version: int | None = None, key: str | None = None
    ) -> Cart:
        """Want `quantity` units of this line; raises `InvalidQuantity`, `NotFound`, `VersionConflict`."""
        return self.edit(cart_id, [Change(line_id, quantity)], if_version=if_version, key=key)

    def note(
        self, cart_id: str, line_id: str, note: str, *, if_version: int | None = None, key: str | None = None
    ) -> Cart:
        """Leave a note for the picker on this line; raises `InvalidText`, `CardNumberRefused`, `NotFound`."""
        return self.edit(cart_id, [Note(line_id, note)], if_version=if_version, key=key)

    def allow(
        self, cart_id: str, line_id: str, substitutes: Consent, *, if_version: int | None = None, key: str | None = None
    ) -> Cart:
        """Say what may be given instead of this line's units, where the store hasn't got them.

        Raises `InvalidInput`, `NotFound` (also for a named article that there isn't), `VersionConflict`.
        """
        return self.edit(cart_id, [Allow(line_id, substitutes)], if_version=if_version, key=key)

    def remove(self, cart_id: str, line_id: str, *, if_version: int | None = None, key: str | None = None) -> Cart:
        """Take the line out; raises `NotFound`, `VersionConflict`."""
        return self.edit(cart_id, [Remove(line_id)], if_version=if_version, key=key)

    @command("carts.edit")
    def edit(
        self, cart_id: str, edits: Sequence[Edit], *, if_version: int | None = None, key: str | None = None
    ) -> Cart:
        """Several edits in one transaction: all of them, or none.

        Edits by two devices to different lines both take effect. `if_version` is the version that the caller saw:
        an edit of a line that was touched since raises `VersionConflict`, which carries the current cart.
        Raises `IllegalTransition` when the cart was ordered or merged.
        """
        checked = ids.check("cart", cart_id)
        edits = several(edits, EDITS, "edits", "a list of Add, Change, Note, Remove and Allow", most=MOST_EDITS)
        if if_version is not None:
            valid_quantity(if_version, "if_version", least=0)
        added = sorted({sku for edit in edits for sku in _named(edit)})
        known: Mapping[str, Article] = self.parts.catalogue.articles(added) if added else {}
        for sku in added:
            if sku not in known:
                raise NotFound("article", sku)
        fresh = [ids.line_id(self.parts.entropy.bytes(8)) for edit in edits if isinstance(edit, Add)]
        stamp = self.touch.stamp(self.parts.clock)
        limits = self.parts.settings

        def work(unit: Unit) -> Cart:
            seen = unit.earlier(key, "carts.edit", home=checked, subject=checked, request=list(edits), result=checked)
            before = self._load(unit, checked)
            if seen:
                return before
            events = carts.edit(
                before, edits, new_lines=fresh, most=limits.max_lines, if_version=if_version,
                most_units=limits.max_quantity,
            )  # fmt: skip
            after = before
            for event in events:
                after = carts.apply(after, event, stamp.at)
            if events:
                unit.save_cart(before, after, events)
            return after

        return in_transaction(self.parts, stamp, work)

    @command("carts.merge")
    def merge(self, cart_id: str, other_id: str) -> Merged:
        """Bring the lines of another open cart of the same owner into this one, and end the other.

        A wish (SKU, note and metadata) that only one of them has is kept; of one that both have, the larger quantity
        is wanted, and the stricter consent to substitutes holds (`domain.merging`). The answer says of each line where
        it came from and what the rule did. A promise that the other cart had is given back. Merging again changes
        nothing.

        Raises `NotFound`, `NotAllowed` (a cart that was handed over), `InvalidInput` (a cart with itself),
        `IllegalTransition` (either was ordered or merged elsewhere), `TooMany`, `InvalidQuantity` (more than a cart
        may hold).
        """
        return claims.merge(self.parts, self.touch, cart_id, other_id)

    def _load(self, unit: Unit, cart_id: str) -> Cart:
        return cart_for(self.touch, unit.tx, cart_id, Scope.EDIT, unit.stamp.at)


def _named(edit: Edit) -> Iterator[str]:
    """The articles that this edit brings into the cart, as a wish or as what may be given instead."""
    if isinstance(edit, Add):
        yield edit.sku
    if isinstance(edit, (Add, Allow)) and edit.substitutes.mode is ConsentMode.NAMED:
        yield edit.substitutes.sku


@frozen
class OwnCarts(Carts):
    """What only the one whose carts they are may do."""

    @command("carts.claim")
    def claim(self, guest: Guest) -> Claimed:
        """On login: everything that `guest` filled and ordered on this device is this customer's from now on.

        The guest's open cart is merged into the customer's (see `merge`); where the customer has none, or an empty
        one, it becomes theirs as it is, with the promise that it may have. Carts that would be too large as one are
        kept apart. The guest's orders move along. Claiming again changes nothing, and finishes what was interrupted:
        ask with the same token until it is answered.

        Raises `NotAllowed` for anybody but a known customer, `InvalidInput`.
        """
        return claims.claim(self.parts, self.touch, guest)
