"""What happens to carts, to the handoffs and promises of them (told in the same stream), and to their customers."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from omniorder.domain.consents import REFUSED, Consent
from omniorder.domain.events.root import PRIVATE, Event
from omniorder.domain.money import Money
from omniorder.domain.text import Metadata

# --- carts -----------------------------------------------------------------------------------------------


@frozen
class CartStarted(Event):
    """An empty cart came into being for `owner` (an actor's journal name); `language` is its BCP 47 tag, if any."""

    owner: str
    language: str = ""


@frozen
class LineAdded(Event):
    """`quantity` units of `sku` were put into the cart as a line of their own; `note` is for the picker, and `consent`
    says what may be given instead: without what is private of it, the allergens.
    """

    line: str
    sku: str
    quantity: int
    metadata: Metadata = field(factory=Metadata)
    note: str = field(default="", repr=False, metadata=PRIVATE)
    consent: Consent = REFUSED
    without_allergens: tuple[str, ...] = field(default=(), repr=False, metadata=PRIVATE)


@frozen
class LineChanged(Event):
    """This many units of the line are wanted now, in place of what was wanted before."""

    line: str
    quantity: int


@frozen
class LineNoted(Event):
    """The picker's note on this line was replaced, or taken away by an empty one."""

    line: str
    note: str = field(default="", repr=False, metadata=PRIVATE)


@frozen
class LineConsented(Event):
    """The customer said what may be given instead of this line's units, where the store hasn't got them.

    What somebody can't eat is theirs to tell: it is kept with the line, and not in `consent` here.
    """

    line: str
    consent: Consent
    without_allergens: tuple[str, ...] = field(default=(), repr=False, metadata=PRIVATE)


@frozen
class LineRemoved(Event):
    """The line was taken out of the cart."""

    line: str


@frozen
class CartOrdered(Event):
    """The cart became this order, and can't be edited while the order stands."""

    order: str


@frozen
class CartReopened(Event):
    """This order ended before it was confirmed: the cart is open again, with all of its lines."""

    order: str


@frozen
class CartMerged(Event):
    """The lines went `into` another cart, and this one has ended."""

    into: str


@frozen
class CartAbsorbed(Event):
    """The lines of this other `cart` came into this one; the line events beside it say what the rule made of each."""

    cart: str


@frozen
class CartClaimed(Event):
    """The cart is `owner`'s from now on, who can prove that `former` were they, or was given it by them."""

    owner: str
    former: str


@frozen
class CartAbandoned(Event):
    """Nobody touched the cart for so long that it was put away."""


@frozen
class CartResumed(Event):
    """The owner came back to an abandoned cart."""


# --- handoffs --------------------------------------------------------------------------------------------


@frozen
class HandoffOffered(Event):
    """A token that opens the cart to whoever brings it before `until`, within these scopes (their values).

    `promise` is the one that it lets them pay, where it lets them do nothing else.
    """

    handoff: str
    scopes: tuple[str, ...]
    until: datetime
    promise: str | None = None


@frozen
class HandoffAccepted(Event):
    """The token was used, by `actor` (their journal name), who may act within its scopes `until` then."""

    handoff: str
    actor: str
    until: datetime


@frozen
class HandoffWithdrawn(Event):
    """The owner took it back: the token opens nothing any more, and whoever used it may do nothing more."""

    handoff: str


# --- customers -------------------------------------------------------------------------------------------


@frozen
class GuestClaimed(Event):
    """`guest` (a journal name) turned out to be this customer: their carts and orders are the customer's now."""

    guest: str


# --- promises --------------------------------------------------------------------------------------------


@frozen
class PromiseMade(Event):
    """Units, place and price were held for the cart as a whole, until `expires_at`.

    `slot` is the slot's id; `total` is what the lines cost, `ceiling` the most that may ever be charged for them.
    """

    promise: str
    store: str
    slot: str
    total: Money
    ceiling: Money
    expires_at: datetime


@frozen
class PromiseAccepted(Event):
    """The promise was placed as this order, which now keeps what was held."""

    promise: str
    order: str


@frozen
class PromiseReplaced(Event):
    """The promise `by` was made for the cart instead; what it does not need of this one is free again."""

    promise: str
    by: str


@frozen
class PromiseWithdrawn(Event):
    """The customer gave the promise back before its time was up."""

    promise: str


@frozen
class PromiseLapsed(Event):
    """The promise's time was up: units and slot are free for others again."""

    promise: str
