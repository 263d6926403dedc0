"""Facts, in the past tense, frozen: the only way in which a cart, promise, order, payment or pick-up changes.

A command decides which events happen; `apply` (beside each aggregate) says what they do to it; the journal
keeps them. So the journal can't forget a change, and a change can't happen without its entry.

Events hold identifiers, amounts and instants, never personal data. A field marked `PRIVATE` travels inside
the process only and is left out of the journal: the text of a note lives in a row of its own that can be
erased without breaking history.

Amounts are `Money`, in minor units of the order's one currency; quantities are whole numbers of the article's own
unit; instants are aware and in UTC; and what is named without more (`line`, `order`, `payment`) is its id. `Units`
count per order line, reservations per SKU.

The tables know more than the commands of this release do: carts that are put away, returns and disputes have their
events here, because nothing is harder to add to a journal later.
"""

from __future__ import annotations

from typing import Final

from omniorder.domain.events.arrivals import (
    ArrivalWithdrawn as ArrivalWithdrawn,
    CustomerArrived as CustomerArrived,
    CustomerAttended as CustomerAttended,
    CustomerOnTheWay as CustomerOnTheWay,
    ProxyNamed as ProxyNamed,
    ProxyWithdrawn as ProxyWithdrawn,
)
from omniorder.domain.events.carts import (
    CartAbandoned as CartAbandoned,
    CartAbsorbed as CartAbsorbed,
    CartClaimed as CartClaimed,
    CartMerged as CartMerged,
    CartOrdered as CartOrdered,
    CartReopened as CartReopened,
    CartResumed as CartResumed,
    CartStarted as CartStarted,
    GuestClaimed as GuestClaimed,
    HandoffAccepted as HandoffAccepted,
    HandoffOffered as HandoffOffered,
    HandoffWithdrawn as HandoffWithdrawn,
    LineAdded as LineAdded,
    LineChanged as LineChanged,
    LineConsented as LineConsented,
    LineNoted as LineNoted,
    LineRemoved as LineRemoved,
    PromiseAccepted as PromiseAccepted,
    PromiseLapsed as PromiseLapsed,
    PromiseMade as PromiseMade,
    PromiseReplaced as PromiseReplaced,
    PromiseWithdrawn as PromiseWithdrawn,
)
from omniorder.domain.events.orders import (
    AllReturned as AllReturned,
    CancelStarted as CancelStarted,
    CreditGranted as CreditGranted,
    ExpiryStarted as ExpiryStarted,
    FeeCharged as FeeCharged,
    FundingLost as FundingLost,
    GoodsExchanged as GoodsExchanged,
    HoldLost as HoldLost,
    HoldRestored as HoldRestored,
    LinesAppended as LinesAppended,
    LinesCancelled as LinesCancelled,
    NoShowStarted as NoShowStarted,
    OrderCancelled as OrderCancelled,
    OrderChanged as OrderChanged,
    OrderClaimed as OrderClaimed,
    OrderCompleted as OrderCompleted,
    OrderConfirmed as OrderConfirmed,
    OrderExpired as OrderExpired,
    OrderPlaced as OrderPlaced,
    OrderRerouted as OrderRerouted,
    PartReturned as PartReturned,
    PassUsedTwice as PassUsedTwice,
    PaymentDeadlineExtended as PaymentDeadlineExtended,
    TenderAdded as TenderAdded,
    TenderFailed as TenderFailed,
)
from omniorder.domain.events.payments import (
    ActionRequired as ActionRequired,
    AttemptEvent as AttemptEvent,
    AttemptRefused as AttemptRefused,
    AttemptSucceeded as AttemptSucceeded,
    AttemptUnanswered as AttemptUnanswered,
    AttemptWithdrawn as AttemptWithdrawn,
    AuthorisationExtended as AuthorisationExtended,
    AuthorisationLapsed as AuthorisationLapsed,
    Authorised as Authorised,
    AuthoriseRequested as AuthoriseRequested,
    Captured as Captured,
    CaptureRefused as CaptureRefused,
    CaptureRequested as CaptureRequested,
    CounterFailed as CounterFailed,
    CounterStarted as CounterStarted,
    Declined as Declined,
    Disputed as Disputed,
    ExtensionRefused as ExtensionRefused,
    ExtensionRequested as ExtensionRequested,
    FoundCaptured as FoundCaptured,
    FoundLate as FoundLate,
    Increased as Increased,
    IncreaseRefused as IncreaseRefused,
    IncreaseRequested as IncreaseRequested,
    LateAuthorised as LateAuthorised,
    LateCaptured as LateCaptured,
    LeftForStore as LeftForStore,
    Paid as Paid,
    PartCaptured as PartCaptured,
    PaymentEvent as PaymentEvent,
    PaymentWithdrawn as PaymentWithdrawn,
    ProvedAbsent as ProvedAbsent,
    RefundBounced as RefundBounced,
    Refunded as Refunded,
    RefundFailed as RefundFailed,
    RefundRequested as RefundRequested,
    Voided as Voided,
    VoidRequested as VoidRequested,
    Waived as Waived,
)
from omniorder.domain.events.pickups import (
    ArrivalMoved as ArrivalMoved,
    CodeReissued as CodeReissued,
    Collected as Collected,
    CustomerAsked as CustomerAsked,
    DeadlineExtended as DeadlineExtended,
    HandOverFailed as HandOverFailed,
    HandOverStarted as HandOverStarted,
    LeftOffline as LeftOffline,
    LinePicked as LinePicked,
    LinePutBack as LinePutBack,
    LineWeighed as LineWeighed,
    MadeReady as MadeReady,
    NoShow as NoShow,
    PartCollected as PartCollected,
    PersonChecked as PersonChecked,
    PickClaimed as PickClaimed,
    PickJoined as PickJoined,
    PickLeft as PickLeft,
    PickReleased as PickReleased,
    PickRerouted as PickRerouted,
    PickReset as PickReset,
    PickResumed as PickResumed,
    PickStarted as PickStarted,
    PickupCancelled as PickupCancelled,
    QuestionAnswered as QuestionAnswered,
    QuestionLapsed as QuestionLapsed,
    QuestionWithdrawn as QuestionWithdrawn,
    Reminded as Reminded,
    Requeued as Requeued,
    Restaged as Restaged,
    RestCancelled as RestCancelled,
    RestLapsed as RestLapsed,
    ShortPicked as ShortPicked,
    SlotMoved as SlotMoved,
    StockArrived as StockArrived,
    StockAwaited as StockAwaited,
    SubstituteDeclined as SubstituteDeclined,
    SubstituteProposed as SubstituteProposed,
    SubstituteWithdrawn as SubstituteWithdrawn,
    UnitsArrived as UnitsArrived,
    UnitsRefused as UnitsRefused,
    UnitsSent as UnitsSent,
    UnitsSpoiled as UnitsSpoiled,
    UnitsSubstituted as UnitsSubstituted,
    Unreadied as Unreadied,
)
from omniorder.domain.events.reservations import (
    Firmed as Firmed,
    LastUnitsResolved as LastUnitsResolved,
    ReservationExpired as ReservationExpired,
    ReservationExtended as ReservationExtended,
    ReservationReleased as ReservationReleased,
    UnitsConsumed as UnitsConsumed,
    UnitsReleased as UnitsReleased,
)
from omniorder.domain.events.root import (
    PRIVATE as PRIVATE,
    Event as Event,
    Recorded as Recorded,
    Stamp as Stamp,
)
from omniorder.domain.events.transfers import (
    TransferCancelled as TransferCancelled,
    TransferDelayed as TransferDelayed,
    TransferPicked as TransferPicked,
    TransferReceived as TransferReceived,
    TransferRequested as TransferRequested,
    TransferShipped as TransferShipped,
    TransferShort as TransferShort,
)
from omniorder.domain.quantities import Units as Units  # what events say of lines; counted as quantities are

_ROOTS: Final = (Event, PaymentEvent, AttemptEvent)
EVENTS: Final[dict[str, type[Event]]] = {
    name: kind
    for name, kind in list(globals().items())
    if isinstance(kind, type) and issubclass(kind, Event) and kind not in _ROOTS
}
"""Every event that can happen, by the name under which the journal stores it."""
