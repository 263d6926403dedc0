"""The life of carts, handoffs, promises, reservations, attempts, payments, orders, pick-ups and transfers, as tables.

Each machine is a table: a row per state, and in it the event *classes* that may happen there with the state
that each leads to. What a row does not list is illegal, and an ended state has an empty row (but that whose it was
may still come to light). `advance` looks a step up; a refused event raises `IllegalTransition` and changes
nothing.

Nine machines rather than one, because they move at different speeds: money may be in flight while the goods
lie ready, and a shelf may be empty while the card is already charged. What keeps them honest is the *coupling*
below: which joint states are legal at all (`COUPLINGS`), and which events are forbidden while another machine
is in the middle of something (`forbidden`). Guards forbid, they never redirect: an event leads to one state or
to an error, never to a second outcome, so the diagrams drawn from these tables are complete.

*Funding* is no machine and is stored nowhere. It is a fold over an order's payments that answers the one
question that the rest needs: may the goods be prepared, may they leave, is everything settled?

The commonest ways through, read across:

    order      PLACED ──OrderConfirmed──▶ CONFIRMED ───────────────────────────▶ COMPLETED
    payment    AUTHORISING ──▶ AUTHORISED ────────────────────▶ CAPTURING ─────▶ CAPTURED
    pick-up    PLANNED ──PickReleased──▶ TO_PICK ─▶ PICKING ─▶ READY ─▶ HANDING_OVER ─▶ COLLECTED
    units      HELD ──Firmed──▶ FIRM ──────────────────────────────────────────▶ SETTLED

An order that must be undone goes through CANCELLING or EXPIRING first and stays there until its money has been
given back: "cancelled" then means cancelled everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final, Protocol, TypeVar, cast

from attrs import frozen

from omniorder.domain import events as e
from omniorder.domain.money import Money
from omniorder.errors import IllegalTransition


class CartState(Enum):
    """Who may change a cart, and whether an order stands on it."""

    OPEN = "open"
    """A list of wishes that its owner may edit on any channel; it holds nothing but what its live promise holds."""
    ORDERED = "ordered"
    """An order stands on it: no edit can make the order differ from what was promised."""
    MERGED = "merged"
    """Its lines went into another cart. Ended."""
    ABANDONED = "abandoned"
    """Put away after a long silence; its owner may take it up again."""


class HandoffState(Enum):
    """Whether a token still opens the cart that it was made for. Its time limits are compared when it is used."""

    OFFERED = "offered"
    """Whoever brings the token first, and in time, is let in."""
    ACCEPTED = "accepted"
    """One actor was let in, for a while; nobody else can be."""
    WITHDRAWN = "withdrawn"
    """The owner took it back, used or not. Ended."""


class PromiseState(Enum):
    """How a promise stands. It ends in one way only, so at most one order comes of it."""

    HELD = "held"
    """Units, slot and price are kept until its time limit, and nobody else can have them."""
    ACCEPTED = "accepted"
    """An order took over all that was held; a second order can't stand on it. Ended."""
    REPLACED = "replaced"
    """Another promise was made for the cart. Ended."""
    WITHDRAWN = "withdrawn"
    """Its owner gave it back. Ended."""
    LAPSED = "lapsed"
    """Its time limit passed. Ended."""


class ReservationState(Enum):
    """For how long units are kept from other customers."""

    HELD = "held"
    """Kept until a time limit, so that what is never paid does not block the shelf."""
    FIRM = "firm"
    """Kept without a time limit: what was paid for can't be sold to somebody else."""
    SETTLED = "settled"
    """Every unit was consumed or given back. Ended."""
    RELEASED = "released"
    """All units were given back before they became firm. Ended."""
    EXPIRED = "expired"
    """The time limit passed, and all units were given back. Ended."""


class AttemptState(Enum):
    """What is known of one operation at a provider."""

    PLANNED = "planned"
    """Committed before the provider is called, so that a crash in between can't lose or double the call."""
    UNKNOWN = "unknown"
    """No outcome yet: it may or may not have happened, so it is asked after and never guessed."""
    ABSENT = "absent"
    """It had no effect, or was never sent. Not quite the end: it may still turn up."""
    SUCCEEDED = "succeeded"
    """The provider did it. Ended, so it takes effect once however often it is told."""
    REFUSED = "refused"
    """The provider refused for good. Ended."""


class PaymentState(Enum):
    """Where the money of one tender stands."""

    CREATED = "created"
    """Nothing was asked for yet."""
    AUTHORISING = "authorising"
    """The provider was asked to set money aside and has not decided: nobody may take another tender for it."""
    ACTION_REQUIRED = "action_required"
    """The customer must act before the provider decides."""
    AUTHORISED = "authorised"
    """Money is set aside and, but for parts already captured, not taken."""
    CAPTURING = "capturing"
    """Money is being taken for goods that are claimed: the order may not be called off meanwhile."""
    VOIDING = "voiding"
    """What is set aside is being given back; whatever is still authorised meanwhile is given back too."""
    DUE_IN_STORE = "due_in_store"
    """To be paid at the counter; counts as cover, not as paid."""
    COLLECTING = "collecting"
    """The counter is taking the money: the order may not be called off meanwhile."""
    CAPTURED = "captured"
    """Money was taken. Refunds and disputes happen here."""
    DECLINED = "declined"
    """The tender came to nothing. Late news of an authorisation or a capture is still heard."""
    VOIDED = "voided"
    """Nothing is set aside or due any more. Late news is still heard."""
    LAPSED = "lapsed"
    """The authorisation grew too old; a part may have been taken before, and go back. Late news is still heard."""


class OrderState(Enum):
    """Where an order stands as a whole, whatever its money and goods are doing just now."""

    PLACED = "placed"
    """Not funded yet: goods are held under a time limit and nobody picks them."""
    CONFIRMED = "confirmed"
    """Funded: goods are firm, prepared and handed over."""
    CANCELLING = "cancelling"
    """Called off, and its money is being given back; money that still arrives is sent back too."""
    EXPIRING = "expiring"
    """Its time ran out, and its money is being given back; money that still arrives is sent back too."""
    COMPLETED = "completed"
    """The customer has what they will get; money beyond that goes back."""
    CANCELLED = "cancelled"
    """Called off everywhere; only late money is still sent back. Ended."""
    EXPIRED = "expired"
    """Ended by time, unpaid or not collected; only late money is still sent back. Ended."""
    RETURNED = "returned"
    """The customer brought everything back. Ended."""


class PickupState(Enum):
    """Where the goods are, between the shelf and the customer's hands."""

    PLANNED = "planned"
    """The order is not funded: no work is done for it."""
    AWAITING_STOCK = "awaiting_stock"
    """Funded, but goods are not in this store yet."""
    TO_PICK = "to_pick"
    """The store may begin; everything is still on the shelf."""
    PICKING = "picking"
    """An associate takes goods off the shelf; not all units are staged."""
    AWAITING_CUSTOMER = "awaiting_customer"
    """A question to the customer is open: nothing is decided over their head."""
    READY = "ready"
    """All units wait for the customer until a deadline, against a code."""
    HANDING_OVER = "handing_over"
    """Units are claimed while they are paid: nobody else hands them over, and nothing may be called off."""
    COLLECTED = "collected"
    """No unit is open any more, and at least one has left with the customer. Ended."""
    REROUTED = "rerouted"
    """Another pick-up took over. Ended."""
    LAPSED = "lapsed"
    """Nobody came in time, and everything went back on sale. Ended."""
    CANCELLED = "cancelled"
    """Called off before anything left the store. Ended."""


class TransferState(Enum):
    """Where goods are that one store sends to another."""

    REQUESTED = "requested"
    """The source keeps the units for it, and nobody else can have them."""
    PICKED = "picked"
    """They are off the source's shelf, and wait to be sent."""
    SHIPPED = "shipped"
    """They are under way: on no store's books."""
    RECEIVED = "received"
    """Everything that was asked for is in the other store. Ended."""
    SHORT = "short"
    """Less than was asked for has come, and nothing more will. Ended."""
    CANCELLED = "cancelled"
    """Nothing was sent. Ended."""


class Funding(Enum):
    """Where an order's money stands, all tenders together: the first that fits, from the top."""

    BUSY = "busy"
    """Money is moving or its outcome is unknown: no decision may count on it."""
    CLEAR = "clear"
    """Of an order that ends or has ended: nothing is open, and the shop keeps exactly its due."""
    PAID = "paid"
    """What has left the store and what is about to leave is paid."""
    COVERED = "covered"
    """With what is set aside and what is due at the counter, everything still wanted can be paid."""
    SHORT = "short"
    """Not even that: the order is not confirmed, and nothing leaves."""


S = TypeVar("S", bound=Enum)
Table = Mapping[S, Mapping[type[e.Event], S]]

CART: Final[Table[CartState]] = {
    CartState.OPEN: {
        e.CartStarted: CartState.OPEN,
        e.LineAdded: CartState.OPEN,
        e.LineChanged: CartState.OPEN,
        e.LineNoted: CartState.OPEN,
        e.LineConsented: CartState.OPEN,
        e.LineRemoved: CartState.OPEN,
        e.PromiseMade: CartState.OPEN,
        e.PromiseReplaced: CartState.OPEN,
        e.PromiseWithdrawn: CartState.OPEN,
        e.PromiseLapsed: CartState.OPEN,
        e.PromiseAccepted: CartState.OPEN,
        e.CartOrdered: CartState.ORDERED,
        e.CartAbsorbed: CartState.OPEN,
        e.CartMerged: CartState.MERGED,
        e.CartClaimed: CartState.OPEN,
        e.HandoffOffered: CartState.OPEN,
        e.HandoffAccepted: CartState.OPEN,
        e.HandoffWithdrawn: CartState.OPEN,
        e.CartAbandoned: CartState.ABANDONED,
    },
    CartState.ORDERED: {
        e.CartReopened: CartState.OPEN,
        e.CartClaimed: CartState.ORDERED,
        e.HandoffOffered: CartState.ORDERED,
        e.HandoffAccepted: CartState.ORDERED,
        e.HandoffWithdrawn: CartState.ORDERED,
    },
    CartState.ABANDONED: {
        e.CartResumed: CartState.OPEN,
        e.CartClaimed: CartState.ABANDONED,
        e.HandoffWithdrawn: CartState.ABANDONED,
    },
    CartState.MERGED: {e.CartClaimed: CartState.MERGED},
}

HANDOFF: Final[Table[HandoffState]] = {
    HandoffState.OFFERED: {
        e.HandoffAccepted: HandoffState.ACCEPTED,
        e.HandoffWithdrawn: HandoffState.WITHDRAWN,
    },
    HandoffState.ACCEPTED: {e.HandoffWithdrawn: HandoffState.WITHDRAWN},
    HandoffState.WITHDRAWN: {},
}

PROMISE: Final[Table[PromiseState]] = {
    PromiseState.HELD: {
        e.PromiseAccepted: PromiseState.ACCEPTED,
        e.PromiseReplaced: PromiseState.REPLACED,
        e.PromiseWithdrawn: PromiseState.WITHDRAWN,
        e.PromiseLapsed: PromiseState.LAPSED,
    },
    PromiseState.ACCEPTED: {},
    PromiseState.REPLACED: {},
    PromiseState.WITHDRAWN: {},
    PromiseState.LAPSED: {},
}

RESERVATION: Final[Table[ReservationState]] = {
    ReservationState.HELD: {
        e.ReservationExtended: ReservationState.HELD,
        e.Firmed: ReservationState.FIRM,
        e.ReservationReleased: ReservationState.RELEASED,
        e.ReservationExpired: ReservationState.EXPIRED,
    },
    ReservationState.FIRM: {
        e.UnitsConsumed: ReservationState.FIRM,
        e.UnitsReleased: ReservationState.FIRM,
        e.LastUnitsResolved: ReservationState.SETTLED,
    },
    ReservationState.SETTLED: {},
    ReservationState.RELEASED: {},
    ReservationState.EXPIRED: {},
}

ATTEMPT: Final[Table[AttemptState]] = {
    AttemptState.PLANNED: {
        e.AttemptSucceeded: AttemptState.SUCCEEDED,
        e.AttemptRefused: AttemptState.REFUSED,
        e.AttemptUnanswered: AttemptState.UNKNOWN,
        e.AttemptWithdrawn: AttemptState.ABSENT,
    },
    AttemptState.UNKNOWN: {
        e.AttemptUnanswered: AttemptState.UNKNOWN,
        e.AttemptSucceeded: AttemptState.SUCCEEDED,
        e.AttemptRefused: AttemptState.REFUSED,
        e.ProvedAbsent: AttemptState.ABSENT,
    },
    AttemptState.ABSENT: {e.FoundLate: AttemptState.SUCCEEDED},
    AttemptState.SUCCEEDED: {},
    AttemptState.REFUSED: {},
}

_LATE: Final[Mapping[type[e.Event], PaymentState]] = {
    e.LateAuthorised: PaymentState.VOIDING,
    e.LateCaptured: PaymentState.CAPTURED,
}

PAYMENT: Final[Table[PaymentState]] = {
    PaymentState.CREATED: {
        e.AuthoriseRequested: PaymentState.AUTHORISING,
        e.LeftForStore: PaymentState.DUE_IN_STORE,
        e.PaymentWithdrawn: PaymentState.VOIDED,
    },
    PaymentState.AUTHORISING: {
        e.ActionRequired: PaymentState.ACTION_REQUIRED,
        e.Authorised: PaymentState.AUTHORISED,
        e.Paid: PaymentState.CAPTURED,
        e.Declined: PaymentState.DECLINED,
        e.VoidRequested: PaymentState.VOIDING,
    },
    PaymentState.ACTION_REQUIRED: {
        e.Authorised: PaymentState.AUTHORISED,
        e.Paid: PaymentState.CAPTURED,
        e.Declined: PaymentState.DECLINED,
        e.VoidRequested: PaymentState.VOIDING,
    },
    PaymentState.AUTHORISED: {
        e.IncreaseRequested: PaymentState.AUTHORISED,
        e.Increased: PaymentState.AUTHORISED,
        e.IncreaseRefused: PaymentState.AUTHORISED,
        e.ExtensionRequested: PaymentState.AUTHORISED,
        e.AuthorisationExtended: PaymentState.AUTHORISED,
        e.ExtensionRefused: PaymentState.AUTHORISED,
        e.CaptureRequested: PaymentState.CAPTURING,
        e.VoidRequested: PaymentState.VOIDING,
        e.AuthorisationLapsed: PaymentState.LAPSED,
    },
    PaymentState.CAPTURING: {
        e.Captured: PaymentState.CAPTURED,
        e.PartCaptured: PaymentState.AUTHORISED,
        e.CaptureRefused: PaymentState.AUTHORISED,
        e.AuthorisationLapsed: PaymentState.LAPSED,
    },
    PaymentState.VOIDING: {
        e.Authorised: PaymentState.VOIDING,
        e.Voided: PaymentState.VOIDED,
        e.Declined: PaymentState.DECLINED,
        e.AuthorisationLapsed: PaymentState.LAPSED,
        e.FoundCaptured: PaymentState.CAPTURED,
    },
    PaymentState.DUE_IN_STORE: {
        e.CounterStarted: PaymentState.COLLECTING,
        e.Waived: PaymentState.VOIDED,
    },
    PaymentState.COLLECTING: {
        e.Paid: PaymentState.CAPTURED,
        e.CounterFailed: PaymentState.DUE_IN_STORE,
        e.VoidRequested: PaymentState.VOIDING,
    },
    PaymentState.CAPTURED: {
        e.RefundRequested: PaymentState.CAPTURED,
        e.Refunded: PaymentState.CAPTURED,
        e.RefundFailed: PaymentState.CAPTURED,
        e.RefundBounced: PaymentState.CAPTURED,
        e.Disputed: PaymentState.CAPTURED,
    },
    PaymentState.DECLINED: _LATE,
    PaymentState.VOIDED: _LATE,
    PaymentState.LAPSED: {
        **_LATE,
        e.RefundRequested: PaymentState.LAPSED,
        e.Refunded: PaymentState.LAPSED,
        e.RefundFailed: PaymentState.LAPSED,
        e.RefundBounced: PaymentState.LAPSED,
    },
}

ORDER: Final[Table[OrderState]] = {
    OrderState.PLACED: {
        e.OrderClaimed: OrderState.PLACED,
        e.PassUsedTwice: OrderState.PLACED,
        e.OrderPlaced: OrderState.PLACED,
        e.TenderFailed: OrderState.PLACED,
        e.TenderAdded: OrderState.PLACED,
        e.PaymentDeadlineExtended: OrderState.PLACED,
        e.OrderConfirmed: OrderState.CONFIRMED,
        e.CancelStarted: OrderState.CANCELLING,
        e.ExpiryStarted: OrderState.EXPIRING,
    },
    OrderState.CONFIRMED: {
        e.OrderClaimed: OrderState.CONFIRMED,
        e.OrderChanged: OrderState.CONFIRMED,
        e.PassUsedTwice: OrderState.CONFIRMED,
        e.LinesAppended: OrderState.CONFIRMED,
        e.LinesCancelled: OrderState.CONFIRMED,
        e.OrderRerouted: OrderState.CONFIRMED,
        e.FundingLost: OrderState.CONFIRMED,
        e.HoldLost: OrderState.CONFIRMED,
        e.HoldRestored: OrderState.CONFIRMED,
        e.TenderAdded: OrderState.CONFIRMED,
        e.CreditGranted: OrderState.CONFIRMED,
        e.FeeCharged: OrderState.CONFIRMED,
        e.PartCollected: OrderState.CONFIRMED,
        e.PartReturned: OrderState.CONFIRMED,
        e.OrderCompleted: OrderState.COMPLETED,
        e.CancelStarted: OrderState.CANCELLING,
        e.NoShowStarted: OrderState.EXPIRING,
    },
    OrderState.CANCELLING: {
        e.OrderClaimed: OrderState.CANCELLING,
        e.PassUsedTwice: OrderState.CANCELLING,
        e.CreditGranted: OrderState.CANCELLING,
        e.OrderCancelled: OrderState.CANCELLED,
    },
    OrderState.EXPIRING: {
        e.OrderClaimed: OrderState.EXPIRING,
        e.PassUsedTwice: OrderState.EXPIRING,
        e.CreditGranted: OrderState.EXPIRING,
        e.OrderExpired: OrderState.EXPIRED,
    },
    OrderState.COMPLETED: {
        e.OrderClaimed: OrderState.COMPLETED,
        e.PassUsedTwice: OrderState.COMPLETED,
        e.CreditGranted: OrderState.COMPLETED,
        e.FeeCharged: OrderState.COMPLETED,
        e.TenderAdded: OrderState.COMPLETED,
        e.PartReturned: OrderState.COMPLETED,
        e.GoodsExchanged: OrderState.COMPLETED,
        e.AllReturned: OrderState.RETURNED,
    },
    OrderState.CANCELLED: {e.OrderClaimed: OrderState.CANCELLED, e.PassUsedTwice: OrderState.CANCELLED},
    OrderState.EXPIRED: {e.OrderClaimed: OrderState.EXPIRED, e.PassUsedTwice: OrderState.EXPIRED},
    OrderState.RETURNED: {e.OrderClaimed: OrderState.RETURNED, e.PassUsedTwice: OrderState.RETURNED},
}


def _answers_to_proposals(state: PickupState) -> Mapping[type[e.Event], PickupState]:
    """A substitute that was proposed may be decided while anything else is done, until the goods are ready."""
    return {
        e.UnitsSubstituted: state,
        e.SubstituteDeclined: state,
        e.SubstituteWithdrawn: state,
    }


_ARRIVALS: Final = (e.CustomerOnTheWay, e.CustomerArrived, e.CustomerAttended, e.ArrivalWithdrawn)
_PROXIES: Final = (e.ProxyNamed, e.ProxyWithdrawn)


def _staying(state: PickupState, *kinds: type[e.Event]) -> dict[type[e.Event], PickupState]:
    """Events by which goods don't move."""
    return dict.fromkeys(kinds, state)


PICKUP: Final[Table[PickupState]] = {
    PickupState.PLANNED: {
        **_staying(PickupState.PLANNED, *_PROXIES),
        e.PickReleased: PickupState.TO_PICK,
        e.StockAwaited: PickupState.AWAITING_STOCK,
        e.PickupCancelled: PickupState.CANCELLED,
    },
    PickupState.AWAITING_STOCK: {
        e.OrderChanged: PickupState.AWAITING_STOCK,
        **_answers_to_proposals(PickupState.AWAITING_STOCK),
        **_staying(PickupState.AWAITING_STOCK, *_ARRIVALS, *_PROXIES),
        e.LinesAppended: PickupState.AWAITING_STOCK,
        e.SlotMoved: PickupState.AWAITING_STOCK,
        e.UnitsSent: PickupState.AWAITING_STOCK,
        e.UnitsArrived: PickupState.AWAITING_STOCK,
        e.ArrivalMoved: PickupState.AWAITING_STOCK,
        e.StockArrived: PickupState.TO_PICK,
        e.CustomerAsked: PickupState.AWAITING_CUSTOMER,
        e.PickRerouted: PickupState.REROUTED,
        e.PickupCancelled: PickupState.CANCELLED,
    },
    PickupState.TO_PICK: {
        e.OrderChanged: PickupState.TO_PICK,
        **_answers_to_proposals(PickupState.TO_PICK),
        **_staying(PickupState.TO_PICK, *_ARRIVALS, *_PROXIES),
        e.LinesAppended: PickupState.TO_PICK,
        e.SlotMoved: PickupState.TO_PICK,
        e.PickClaimed: PickupState.TO_PICK,
        e.PickJoined: PickupState.TO_PICK,
        e.PickLeft: PickupState.TO_PICK,
        e.PickStarted: PickupState.PICKING,
        e.ShortPicked: PickupState.TO_PICK,
        e.UnitsSent: PickupState.TO_PICK,
        e.StockAwaited: PickupState.AWAITING_STOCK,
        e.CustomerAsked: PickupState.AWAITING_CUSTOMER,
        e.PickRerouted: PickupState.REROUTED,
        e.PickupCancelled: PickupState.CANCELLED,
    },
    PickupState.PICKING: {
        **_answers_to_proposals(PickupState.PICKING),
        e.SubstituteProposed: PickupState.PICKING,
        **_staying(PickupState.PICKING, *_ARRIVALS, *_PROXIES),
        e.LinesAppended: PickupState.PICKING,
        e.SlotMoved: PickupState.PICKING,
        e.PickClaimed: PickupState.PICKING,
        e.PickJoined: PickupState.PICKING,
        e.PickLeft: PickupState.PICKING,
        e.LinePicked: PickupState.PICKING,
        e.LinePutBack: PickupState.PICKING,
        e.LineWeighed: PickupState.PICKING,
        e.ShortPicked: PickupState.PICKING,
        e.PickReset: PickupState.TO_PICK,
        e.CustomerAsked: PickupState.AWAITING_CUSTOMER,
        e.MadeReady: PickupState.READY,
        e.PickRerouted: PickupState.REROUTED,
        e.PickupCancelled: PickupState.CANCELLED,
    },
    PickupState.AWAITING_CUSTOMER: {
        **_answers_to_proposals(PickupState.AWAITING_CUSTOMER),
        e.LinesAppended: PickupState.AWAITING_CUSTOMER,
        **_staying(PickupState.AWAITING_CUSTOMER, *_ARRIVALS, *_PROXIES),
        e.CustomerAsked: PickupState.AWAITING_CUSTOMER,
        e.QuestionAnswered: PickupState.AWAITING_CUSTOMER,
        e.QuestionLapsed: PickupState.AWAITING_CUSTOMER,
        e.QuestionWithdrawn: PickupState.AWAITING_CUSTOMER,
        e.UnitsSent: PickupState.AWAITING_CUSTOMER,
        e.UnitsArrived: PickupState.AWAITING_CUSTOMER,
        e.ArrivalMoved: PickupState.AWAITING_CUSTOMER,
        e.PickResumed: PickupState.PICKING,
        e.Requeued: PickupState.TO_PICK,
        e.StockAwaited: PickupState.AWAITING_STOCK,
        e.PickRerouted: PickupState.REROUTED,
        e.PickupCancelled: PickupState.CANCELLED,
    },
    PickupState.READY: {
        **_staying(PickupState.READY, *_ARRIVALS, *_PROXIES),
        e.DeadlineExtended: PickupState.READY,
        e.Reminded: PickupState.READY,
        e.UnitsSpoiled: PickupState.READY,
        e.CodeReissued: PickupState.READY,
        e.Restaged: PickupState.READY,
        e.PersonChecked: PickupState.READY,
        e.UnitsRefused: PickupState.READY,
        e.LeftOffline: PickupState.READY,
        e.Unreadied: PickupState.PICKING,
        e.HandOverStarted: PickupState.HANDING_OVER,
        e.NoShow: PickupState.LAPSED,
        e.RestLapsed: PickupState.COLLECTED,
        e.RestCancelled: PickupState.COLLECTED,
        e.PickupCancelled: PickupState.CANCELLED,
    },
    PickupState.HANDING_OVER: {
        e.PartCollected: PickupState.READY,
        e.Collected: PickupState.COLLECTED,
        e.HandOverFailed: PickupState.READY,
    },
    PickupState.COLLECTED: {},
    PickupState.REROUTED: {},
    PickupState.LAPSED: {},
    PickupState.CANCELLED: {},
}

TRANSFER: Final[Table[TransferState]] = {
    TransferState.REQUESTED: {
        e.TransferRequested: TransferState.REQUESTED,
        e.TransferPicked: TransferState.PICKED,
        e.TransferDelayed: TransferState.REQUESTED,
        e.TransferCancelled: TransferState.CANCELLED,
    },
    TransferState.PICKED: {
        e.TransferShipped: TransferState.SHIPPED,
        e.TransferDelayed: TransferState.PICKED,
        e.TransferShort: TransferState.SHORT,
        e.TransferCancelled: TransferState.CANCELLED,
    },
    TransferState.SHIPPED: {
        e.TransferDelayed: TransferState.SHIPPED,
        e.TransferReceived: TransferState.RECEIVED,
        e.TransferShort: TransferState.SHORT,
    },
    TransferState.RECEIVED: {},
    TransferState.SHORT: {},
    TransferState.CANCELLED: {},
}

MACHINES: Final[Mapping[str, Table[Any]]] = {
    "cart": CART,
    "handoff": HANDOFF,
    "promise": PROMISE,
    "reservation": RESERVATION,
    "attempt": ATTEMPT,
    "payment": PAYMENT,
    "order": ORDER,
    "pickup": PICKUP,
    "transfer": TRANSFER,
}


def _by_state(machines: Mapping[str, Table[Any]]) -> dict[type[Enum], tuple[str, Table[Any]]]:
    return {type(next(iter(table))): (name, table) for name, table in machines.items()}


_TABLE_OF: Final = _by_state(MACHINES)

ENDED: Final[frozenset[Enum]] = frozenset(
    state
    for table in MACHINES.values()
    for state, row in table.items()
    if not row.keys() - {e.CartClaimed, e.OrderClaimed, e.PassUsedTwice}
)
"""States that nothing leaves; only whose cart or order it was, or what a store did offline, may still come to light.

DECLINED, VOIDED and LAPSED payments are not among them: late news may come.
"""


def advance(state: S, event: e.Event) -> S:
    """The state after `event`; raises `IllegalTransition` naming state, event and the legal events."""
    machine, table = _TABLE_OF[type(state)]
    after = table[state].get(type(event))
    if after is None:
        legal = sorted(kind.__name__ for kind in table[state])
        why = f"possible: {', '.join(legal)}" if legal else "it has ended"
        raise IllegalTransition(machine=machine, state=state.value, event=type(event).__name__, legal=legal, why=why)
    return cast(S, after)


# --- funding ----------------------------------------------------------------------------------------------


class Purse(Protocol):
    """What the funding fold reads of a payment. Amounts in minor units of the order's one currency."""

    @property
    def state(self) -> PaymentState:
        """Where it stands."""
        ...

    @property
    def amount(self) -> Money:
        """What it was asked for."""
        ...

    @property
    def authorised(self) -> Money:
        """What the provider set aside, all in all, captured or not."""
        ...

    @property
    def captured(self) -> Money:
        """What was taken, all in all."""
        ...

    @property
    def refunded(self) -> Money:
        """What went back, all in all."""
        ...

    @property
    def refund_pending(self) -> Money:
        """What is on its way back."""
        ...


BUSY_PAYMENTS: Final = frozenset(
    {
        PaymentState.AUTHORISING,
        PaymentState.ACTION_REQUIRED,
        PaymentState.CAPTURING,
        PaymentState.COLLECTING,
        PaymentState.VOIDING,
    }
)
"""Payments whose money is moving, or of which nobody knows yet whether it moved."""
_OPEN_PAYMENTS: Final = frozenset({PaymentState.CREATED, PaymentState.AUTHORISED, PaymentState.DUE_IN_STORE})


def funding(payments: Iterable[Purse], *, closing: bool, keep: int, leaving: int, wanted: int) -> Funding:
    """Fold an order's payments into one answer; the first that fits, in the order of `Funding`.

    `closing`: the order is on its way out or ended; only then can it be CLEAR. `keep`: what the shop may keep
    at the end. `leaving`: the value of what has left the store and is about to. `wanted`: the value of all
    units that are still wanted. All in minor units.
    """
    purses = tuple(payments)
    kept = sum(p.captured.amount - p.refunded.amount for p in purses)
    if any(p.state in BUSY_PAYMENTS or p.refund_pending.amount for p in purses):
        return Funding.BUSY
    if closing and kept == keep and not any(p.state in _OPEN_PAYMENTS for p in purses):
        return Funding.CLEAR
    if kept >= leaving:
        return Funding.PAID
    if kept + sum(_expected(p) for p in purses) >= wanted:
        return Funding.COVERED
    return Funding.SHORT


def _expected(purse: Purse) -> int:
    """What this payment can still bring in: the open authorisation, or what is due at the counter."""
    if purse.state is PaymentState.AUTHORISED:
        return purse.authorised.amount - purse.captured.amount
    if purse.state is PaymentState.DUE_IN_STORE:
        return purse.amount.amount
    return 0


# --- coupling ---------------------------------------------------------------------------------------------


@frozen
class Joint:
    """The joint state of one order: what the couplings and guards look at.

    `paid`: what has left and is about to leave is paid, whatever else of the money is still moving. `collected`: a
    part has left the store. `left`: goods have left it without a network, and are not settled yet.
    """

    order: OrderState
    funding: Funding
    pickup: PickupState
    payments: tuple[PaymentState, ...]
    paid: bool
    collected: bool
    left: bool = False


@frozen
class Coupling:
    """One row of legal joint states: any combination of one member from each column."""

    orders: frozenset[OrderState]
    fundings: frozenset[Funding]
    pickups: frozenset[PickupState]
    reservations: frozenset[ReservationState]


def _row(orders: Iterable[OrderState], fundings: Iterable[Funding], pickups: Iterable[PickupState],
         reservations: Iterable[ReservationState]) -> Coupling:  # fmt: skip
    return Coupling(frozenset(orders), frozenset(fundings), frozenset(pickups), frozenset(reservations))


ENDED_PICKUPS: Final = frozenset(
    {PickupState.COLLECTED, PickupState.REROUTED, PickupState.LAPSED, PickupState.CANCELLED}
)
"""Pick-ups for which nothing more is done and no unit is open."""
_WORKED_PICKUPS: Final = frozenset(PickupState) - ENDED_PICKUPS - {PickupState.PLANNED, PickupState.HANDING_OVER}
_ENDED_RESERVATIONS: Final = frozenset({ReservationState.SETTLED, ReservationState.RELEASED, ReservationState.EXPIRED})

COUPLINGS: Final[tuple[Coupling, ...]] = (
    # not yet funded: everything waits, held under a time limit
    _row([OrderState.PLACED], [Funding.BUSY, Funding.SHORT, Funding.PAID, Funding.COVERED],
         [PickupState.PLANNED], [ReservationState.HELD]),
    # funded: the goods are prepared; SHORT only after FundingLost
    _row([OrderState.CONFIRMED], [Funding.COVERED, Funding.PAID, Funding.BUSY, Funding.SHORT],
         _WORKED_PICKUPS, [ReservationState.FIRM]),
    _row([OrderState.CONFIRMED], [Funding.BUSY, Funding.PAID], [PickupState.HANDING_OVER], [ReservationState.FIRM]),
    # being undone: goods of an unconfirmed order stay held while money may still arrive
    _row([OrderState.CANCELLING, OrderState.EXPIRING], Funding, [PickupState.PLANNED], [ReservationState.HELD]),
    _row([OrderState.CANCELLING, OrderState.EXPIRING], Funding, [PickupState.CANCELLED, PickupState.LAPSED],
         _ENDED_RESERVATIONS),
    # undone; BUSY only by late news, or after the hold for unknown money ran out, and PAID then while a refused
    # refund waits for its next try
    _row([OrderState.CANCELLED, OrderState.EXPIRED], [Funding.CLEAR, Funding.BUSY, Funding.PAID],
         [PickupState.CANCELLED, PickupState.LAPSED], _ENDED_RESERVATIONS),
    # done; BUSY while the rest is being given back, PAID while a failed refund waits for its next try
    _row([OrderState.COMPLETED, OrderState.RETURNED], [Funding.BUSY, Funding.CLEAR, Funding.PAID],
         [PickupState.COLLECTED],
         [ReservationState.SETTLED]),
)  # fmt: skip
"""The legal joint states of order, funding, current pick-up and reservation."""


def is_legal(joint: Joint, reservation: ReservationState) -> bool:
    """Whether some row of `COUPLINGS` admits this joint state."""
    return any(
        joint.order in row.orders
        and joint.funding in row.fundings
        and joint.pickup in row.pickups
        and reservation in row.reservations
        for row in COUPLINGS
    )


_CLAIMED: Final = frozenset({PaymentState.CAPTURING, PaymentState.COLLECTING})

GUARDED: Final[frozenset[type[e.Event]]] = frozenset(
    {
        e.CancelStarted, e.NoShow, e.NoShowStarted, e.PickupCancelled, e.Unreadied, e.RestLapsed, e.RestCancelled,
        e.OrderConfirmed, e.Collected, e.PartCollected, e.OrderCancelled, e.OrderExpired,
    }
)  # fmt: skip
"""The events for which `forbidden` looks at the joint state: for no other need anybody work it out."""


def forbidden(event: e.Event, joint: Joint) -> str | None:
    """Why `event` may not happen in this joint state although its own table allows it; None when it may."""
    match event:
        case e.CancelStarted() | e.NoShow() | e.NoShowStarted() if (
            joint.pickup is PickupState.HANDING_OVER or _CLAIMED.intersection(joint.payments)
        ):
            return "the goods are being handed over"
        case e.CancelStarted() | e.NoShow() | e.NoShowStarted() | e.PickupCancelled() | e.Unreadied() if joint.left:
            return "the goods have left the store"
        case e.RestLapsed() | e.RestCancelled() if joint.left:
            return "the goods have left the store"
        case e.NoShow() | e.PickupCancelled() | e.Unreadied() if joint.collected:
            return "a part was collected already"
        case e.CancelStarted() | e.NoShowStarted() if joint.collected:
            return "a part was collected already"
        case e.RestLapsed() | e.RestCancelled() if not joint.collected:
            return "nothing was collected yet"
        case e.OrderConfirmed() if joint.funding not in (Funding.COVERED, Funding.PAID):
            return "the order is not funded"
        case e.Collected() | e.PartCollected() if not joint.paid:
            return "what leaves is not paid"
        case e.OrderCancelled() | e.OrderExpired() if joint.funding in (Funding.COVERED, Funding.SHORT):
            return "its money is not settled"
        case _:
            return None
