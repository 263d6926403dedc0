"""What happens to pick-ups: the work of a store for an order."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from omniorder.domain.events.root import Event
from omniorder.domain.proofs import CheckKind, Proof
from omniorder.domain.proposals import Proposal
from omniorder.domain.quantities import Units
from omniorder.domain.questions import Question


@frozen
class PickReleased(Event):
    """The store may take the goods off the shelf."""


@frozen
class StockAwaited(Event):
    """Goods are not in this store yet: picking waits for them."""


@frozen
class UnitsSent(Event):
    """Units that can't be had here are to come from another store by `transfer`, expected at this instant.

    They are no longer held here but there.
    """

    transfer: str
    store: str
    units: tuple[Units, ...]
    expected_at: datetime


@frozen
class StockArrived(Event):
    """The awaited goods are here, and picking may begin."""


@frozen
class SlotMoved(Event):
    """The customer comes in another window, [`starts`, `ends`) in UTC: `slot` is its id."""

    slot: str
    starts: datetime
    ends: datetime


@frozen
class CustomerAsked(Event):
    """Something needs the customer's decision, for which the store waits until the question's time limit."""

    question: Question


@frozen
class QuestionAnswered(Event):
    """The customer, or somebody for them, chose this option of the question."""

    option: str


@frozen
class QuestionLapsed(Event):
    """Nobody answered in time: this option is taken, as the question said."""

    option: str


@frozen
class QuestionWithdrawn(Event):
    """What the question was about has come right by itself: nothing is asked any more."""


@frozen
class UnitsArrived(Event):
    """What `transfer` brought for the order is in the store: `units` of its lines; `missing` ones did not come.

    The reservation `hold` keeps all of them there from now on, those that are missing as a shortage.
    """

    transfer: str
    units: tuple[Units, ...]
    missing: tuple[Units, ...]
    hold: str


@frozen
class ArrivalMoved(Event):
    """What `transfer` brings for the order is expected at another instant than before."""

    transfer: str
    expected_at: datetime


@frozen
class PickStarted(Event):
    """An associate has begun to pick; `by` claims the order with it, where nobody had."""

    by: str = ""


@frozen
class PickClaimed(Event):
    """`by` (an associate's journal name) picks this order, and nobody else does unless they join.

    `wave` is what orders have in common that are picked on one walk, and `tote` this one's number among them.
    """

    by: str
    wave: str = ""
    tote: int = 0


@frozen
class PickJoined(Event):
    """`by` helps to pick the order."""

    by: str


@frozen
class PickLeft(Event):
    """`by` doesn't pick the order any more; whoever wants to may."""

    by: str


@frozen
class LinePicked(Event):
    """So many more units of this line (grams, where it is weighed) were taken off the shelf."""

    line: str
    quantity: int


@frozen
class LinePutBack(Event):
    """So many units of this line that had been picked are on the shelf again."""

    line: str
    quantity: int


@frozen
class LineWeighed(Event):
    """All that was picked of this line weighs so many grams: what the customer gets and pays, in place of what was
    ordered."""

    line: str
    grams: int


@frozen
class ShortPicked(Event):
    """So many units of this line can't be had here, for this reason (a stable code).

    The order still wants them, and they stay reserved: what the shelf lacks is a shortage until it is decided what
    becomes of them.
    """

    line: str
    quantity: int
    reason: str


@frozen
class SubstituteProposed(Event):
    """The customer is asked whether they take another article for units that the shelf lacks, until the proposal ends.

    Its `hold` keeps the substitute meanwhile, and the rest is picked on.
    """

    proposal: Proposal


@frozen
class UnitsSubstituted(Event):
    """So many units of this line are replaced by the line `by`, which came to the order: they are called off.

    By consent in the basket; or as the customer accepted this `proposal`, or was `silent` about it where that is what
    they want.
    """

    line: str
    quantity: int
    by: str
    proposal: str = ""
    silent: bool = False


@frozen
class SubstituteDeclined(Event):
    """The customer does not take what was proposed, or was `silent`: the units are missing.

    What becomes of them is to be decided.
    """

    proposal: str
    silent: bool = False


@frozen
class SubstituteWithdrawn(Event):
    """The store does not propose it any more: the units are to be picked as before."""

    proposal: str


@frozen
class PickReset(Event):
    """Everything not yet collected went back on the shelf, to be picked anew."""


@frozen
class PickResumed(Event):
    """The customer decided, and picking goes on."""


@frozen
class Requeued(Event):
    """The customer decided, and the order is in the queue for picking again."""


@frozen
class PickRerouted(Event):
    """Another pick-up takes over; this one has ended."""


@frozen
class MadeReady(Event):
    """Everything is picked and lies at `staged_at`, where it waits until `until`; what is perishable until `spoils_at`.

    `key_id` names the secret from which the pick-up code is computed; the code itself is told nowhere. `reminders` are
    the instants at which the customer is to be reminded, and `promised` is the start of their window, by which it was
    to be ready. `bins` are those of the places that the store has declared.
    """

    staged_at: str
    until: datetime
    key_id: str
    reminders: tuple[datetime, ...] = ()
    spoils_at: datetime | None = None
    promised: datetime | None = None
    bins: tuple[str, ...] = ()


@frozen
class Restaged(Event):
    """The goods lie at `staged_at` now; `bins` are those of the places that the store has declared."""

    staged_at: str
    bins: tuple[str, ...] = ()


@frozen
class Unreadied(Event):
    """Something is wrong with what was ready: the store picks again."""

    reason: str


@frozen
class DeadlineExtended(Event):
    """The goods wait until this instant instead, but for those that are perishable; `reminders` are planned anew.

    `asked`: the customer wanted it so, who may once.
    """

    until: datetime
    reminders: tuple[datetime, ...] = ()
    asked: bool = False


@frozen
class Reminded(Event):
    """The customer is reminded of the goods that wait: of all the times that were planned for it, this `number` of
    them have passed."""

    number: int


@frozen
class UnitsSpoiled(Event):
    """These perishable units waited as long as they may: the customer gets the others without them, and does not pay
    for them."""

    units: tuple[Units, ...]


@frozen
class CodeReissued(Event):
    """A new generation of the pick-up code: the old one is dead and the wrong tries are forgotten."""

    generation: int
    key_id: str


@frozen
class PersonChecked(Event):
    """Somebody at the counter was looked at, and passed or not. Of their papers nothing is told."""

    kind: CheckKind
    passed: bool


@frozen
class UnitsRefused(Event):
    """The customer doesn't want these units of what is ready, for this reason (a stable code): they leave the order.

    They are on sale again, unless the reason or the goods themselves forbid it.
    """

    units: tuple[Units, ...]
    reason: str


@frozen
class HandOverStarted(Event):
    """The pick-up is claimed for these units; `look_at` is when the sweep takes over from a dead claimant.

    `proof` is what they are handed over against. `signature` names a picture that the retailer keeps, if one was given.
    `offline`: they have left already, while the store had no network, so nobody at the counter holds them.
    """

    units: tuple[Units, ...]
    look_at: datetime
    proof: Proof = Proof.CODE
    signature: str = ""
    offline: bool = False


@frozen
class HandOverFailed(Event):
    """The goods stayed and the code is still good; `reason` is the provider's, or `not_paid`."""

    reason: str


@frozen
class LeftOffline(Event):
    """These units left against a signed pass while the store had no network: `by` gave them at `at`, as the store says.

    `pass_id` is the pass's. What is to be paid for them is taken when the store tells of it, which is now. `unchecked`
    are the checks of the person that were needed, and not made or not passed.
    """

    units: tuple[Units, ...]
    pass_id: str
    store: str
    at: datetime
    by: str
    unchecked: tuple[CheckKind, ...] = ()


@frozen
class PartCollected(Event):
    """These units left with the customer, and others are still waiting."""

    units: tuple[Units, ...]


@frozen
class Collected(Event):
    """These units, the last that were open, left with the customer."""

    units: tuple[Units, ...]


@frozen
class NoShow(Event):
    """Nobody came while the goods were ready: all of them go back on sale, but for what is perishable."""


@frozen
class RestLapsed(Event):
    """These units, the rest after a part was collected, were not collected in time and go back on sale."""

    units: tuple[Units, ...]


@frozen
class RestCancelled(Event):
    """These units, the rest after a part was collected, were called off and go back on sale."""

    units: tuple[Units, ...]


@frozen
class PickupCancelled(Event):
    """The order is called off: goods and its place in the slot are free for others again."""

    reason: str
