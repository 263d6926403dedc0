"""What happens to orders as a whole."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from omniorder.domain.events.root import PRIVATE, Event
from omniorder.domain.money import Money
from omniorder.domain.order_lines import OrderLine
from omniorder.domain.quantities import Units


@frozen
class OrderPlaced(Event):
    """A promise became an order, which must be funded by `pay_by`.

    `total` is what was bought, `ceiling` the most that may ever be charged.
    """

    cart: str
    promise: str
    owner: str
    total: Money
    ceiling: Money
    pay_by: datetime


@frozen
class TenderAdded(Event):
    """The customer (or the rest of a bill at the counter) brought a new payment of `amount`; `kind` is the tender's.

    `method` is the wallet that was chosen. `now`: it is taken at once rather than when goods leave. `replaces` is the
    payment whose authorisation is renewed by this one.
    """

    payment: str
    kind: str
    amount: Money
    token: str = field(default="", repr=False, metadata=PRIVATE)
    method: str = ""
    now: bool = False
    replaces: str = ""


@frozen
class TenderFailed(Event):
    """This payment was declined; the order waits for another one until its `pay_by`."""

    payment: str


@frozen
class PaymentDeadlineExtended(Event):
    """The order may be paid until `pay_by`: another kind of tender takes longer than the one before."""

    pay_by: datetime


@frozen
class OrderConfirmed(Event):
    """The money is covered: the units are firm, and the store may begin."""


@frozen
class CancelStarted(Event):
    """The order is called off.

    `hold_until` is how long the goods of an unconfirmed one wait for money in flight to be undone.
    """

    reason: str
    hold_until: datetime


@frozen
class ExpiryStarted(Event):
    """`pay_by` passed without funds; the goods wait until `hold_until` for money in flight to be undone."""

    hold_until: datetime


@frozen
class NoShowStarted(Event):
    """Nobody came for a ready order in time: its money goes back."""


@frozen
class LinesCancelled(Event):
    """These units of a confirmed order are not wanted any more."""

    units: tuple[Units, ...]
    reason: str


@frozen
class LinesAppended(Event):
    """These lines came to the order: substitutes, or what the customer wants more.

    The reservation `hold` keeps their units in the pick-up's store. `ceiling` is the most that may ever be charged from
    now on, where the customer agreed to more than before. `notes` for the picker, as pairs of line and text, are told
    beside the lines, and so is what must not be in substitutes for them, as pairs of line and allergens.
    """

    lines: tuple[OrderLine, ...]
    hold: str
    ceiling: Money | None = None
    notes: tuple[tuple[str, str], ...] = field(default=(), repr=False, metadata=PRIVATE)
    without_allergens: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False, metadata=PRIVATE)


@frozen
class OrderChanged(Event):
    """The customer is promised something else in place of what they were: right after this, so many events as `steps`
    says tell what.

    `total` is what all costs that they want then. A payment that they bring for it is to be decided by `pay_by`.
    """

    total: Money
    steps: int
    pay_by: datetime | None = None


@frozen
class OrderRerouted(Event):
    """Another `pickup`, by its id, discharges the order from now on: at `store`, in this slot and window (UTC).

    `reservation` holds the units there; `zone` is the store's time zone.
    """

    pickup: str
    store: str
    slot: str
    starts: datetime
    ends: datetime
    zone: str
    reservation: str


@frozen
class FundingLost(Event):
    """Money that a confirmed order counted on can't be had any more: nothing leaves until it is paid anew."""


@frozen
class HoldLost(Event):
    """The retailer's own system gave up what it held for this confirmed order, and hasn't got it any more.

    `units` are missing there, as pairs of SKU and quantity. They are asked for again until they are held anew.
    """

    reservation: str
    units: tuple[tuple[str, int], ...]


@frozen
class HoldRestored(Event):
    """The retailer's own system holds all units of this order again."""

    reservation: str


@frozen
class CreditGranted(Event):
    """The customer pays `amount` less than what their goods cost: for these `units`, which they have, or for whatever
    `reason` says. `goodwill`: it has nothing to do with the goods."""

    amount: Money
    reason: str
    units: tuple[Units, ...] = ()
    goodwill: bool = False


@frozen
class FeeCharged(Event):
    """The shop may keep `amount` beside what goods cost, for a cancellation for example."""

    amount: Money
    reason: str


@frozen
class OrderClaimed(Event):
    """The order is `owner`'s from now on, who can prove that `former` were they, or was given it by them."""

    owner: str
    former: str


@frozen
class PassUsedTwice(Event):
    """`by` gave goods against the order's pass in `store` at `at`, without a network, and they weren't to be given.

    `reason` is `used` (the order was collected before, or elsewhere), `replaced` (there was a newer pass, or another
    pick-up), `expired`, `not_yet_valid`, or what the pick-up was when the store told of it: `lapsed`, `cancelled`, ...
    Nothing is taken or booked by this: people decide.
    """

    pass_id: str
    store: str
    at: datetime
    by: str
    reason: str


@frozen
class OrderCompleted(Event):
    """The customer has everything that they will get; the rest of the money goes back."""


@frozen
class OrderCancelled(Event):
    """The order is undone everywhere: no goods are held for it. Money left over from late news still goes back."""


@frozen
class OrderExpired(Event):
    """The order ended by time, unpaid or not collected, and no goods are held for it any more."""


@frozen
class PartReturned(Event):
    """The customer brought these units back to `store`, and others are still with them, or still to be collected.

    `damaged` and `unsellable` are those of them that did not go back to the shelf.
    """

    units: tuple[Units, ...]
    store: str = ""
    damaged: tuple[Units, ...] = ()
    unsellable: tuple[Units, ...] = ()


@frozen
class AllReturned(Event):
    """The customer brought these units back, the last that they had. Otherwise as `PartReturned`."""

    units: tuple[Units, ...] = ()
    store: str = ""
    damaged: tuple[Units, ...] = ()
    unsellable: tuple[Units, ...] = ()


@frozen
class GoodsExchanged(Event):
    """The customer was given these lines at `store` for what they brought back, of the line `back` for one.

    The reservation `hold` there held their units for the moment in between.
    """

    lines: tuple[OrderLine, ...]
    store: str
    hold: str
    back: str
