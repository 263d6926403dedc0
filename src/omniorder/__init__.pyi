"""Click and collect across every channel: the names that applications use."""

from . import errors
from .domain import events, ranking, sourcing, steps
from .domain.accounts import Account, AccountKind, AccountState, IssuedCard, Posting
from .domain.actors import Actor, Agent, Associate, Customer, Guest, System
from .domain.arrivals import Arrival, Proxy
from .domain.articles import Article, Price
from .domain.barcodes import Label
from .domain.bills import Bill
from .domain.bins import Bin
from .domain.bookkeeping import Entry
from .domain.capabilities import Capabilities
from .domain.capturing import Taken, Terminal
from .domain.carts import Add, Allow, Cart, CartLine, Change, Edit, Note, Remove
from .domain.changing import OrderChange, OrderEdit, PaidBy
from .domain.channels import Channel
from .domain.consents import Consent, ConsentMode
from .domain.corrections import Correction, CorrectionKind
from .domain.counter import Rest, Unwanted
from .domain.deliveries import Availability, ExpectedDelivery
from .domain.events import Recorded, Stamp, Units
from .domain.handling import Handling, Temperature
from .domain.handoffs import Handoff, HandoffTicket, Scope
from .domain.lifecycle import (
    CartState,
    Funding,
    HandoffState,
    OrderState,
    PaymentState,
    PickupState,
    PromiseState,
    TransferState,
)
from .domain.measures import Measures
from .domain.merging import Claimed, Merged, MergedLine, MergeRule
from .domain.money import Money
from .domain.no_show_policy import Leftovers, NoShowPolicy, RemindAfter, RemindBefore
from .domain.offers import Available, Offer, WithTransfer
from .domain.offline_hand_overs import Synced, SyncOutcome
from .domain.order_lines import OrderLine
from .domain.orders import Order, Stage
from .domain.passes import PickupPass
from .domain.payments import (
    BankTransfer,
    Card,
    GiftCard,
    IsActionRequired,
    IsAuthorised,
    IsDueInStore,
    IsSettled,
    IsUnanswered,
    PayInStore,
    PayLink,
    Payment,
    StoreCredit,
    Tender,
    Wallet,
)
from .domain.picking import Pace, Risk, Step, Task, Walk
from .domain.pickup_lines import PickupLine
from .domain.pickups import Pickup
from .domain.planning import Plan
from .domain.promises import Promise, Quote, QuoteLine, TaxPart
from .domain.proofs import Check, CheckKind, Proof
from .domain.proposals import Proposal
from .domain.quantities import Unit
from .domain.questions import Alternative, MissingUnits, Option, Question
from .domain.ranking import Ranking, SourcingPolicy
from .domain.receipts import NotTaken, Receipt, ReceiptLine, Tendered
from .domain.reconciling import Advice, Difference, DifferenceKind
from .domain.rerouting import Rerouting
from .domain.returns import Condition, Returnable, ReturnableLine, Returned, ReturnPolicy, ReturnSlip
from .domain.signed_passes import Holder
from .domain.slots import Slot
from .domain.sourcing import Leg, Sourcing, Strategy
from .domain.staging import BinUse
from .domain.stock import Endangered, Level, Movement, MovementKind, Shortage
from .domain.store_services import Service
from .domain.stores import Closure, Point, Store
from .domain.telling import say
from .domain.terms import RefundRule
from .domain.transfers import Transfer, TransferLine
from .domain.unreturned import OpenRefund, RefundState
from .errors import OmniorderError
from .ports.notifications import Message, Notifier, Occasion
from .reasons.tree import Reason, Remedy
from .services.arrivals import Waiting
from .services.hub import OrderHub
from .services.offline_hand_overs import OfflineHandOver
from .services.paging import Page
from .services.picking import Picked
from .services.picks import Pick
from .services.reconciling import Reconciliation
from .services.returns import New
from .services.settings import Settings
from .services.sweeps import SweepReport
from .services.touchpoints import AgentTouchpoint, CustomerTouchpoint, StoreTouchpoint, SystemTouchpoint
from .services.webhooks import WebhookReply
from .signing import SigningKeys
from .wire import Wire, from_json, to_json

__all__ = [
    "Account",
    "AccountKind",
    "AccountState",
    "Actor",
    "Add",
    "Advice",
    "Agent",
    "AgentTouchpoint",
    "Allow",
    "Alternative",
    "Arrival",
    "Article",
    "Associate",
    "Availability",
    "Available",
    "BankTransfer",
    "Bill",
    "Bin",
    "BinUse",
    "Capabilities",
    "Card",
    "Cart",
    "CartLine",
    "CartState",
    "Change",
    "Channel",
    "Check",
    "CheckKind",
    "Claimed",
    "Closure",
    "Condition",
    "Consent",
    "ConsentMode",
    "Correction",
    "CorrectionKind",
    "Customer",
    "CustomerTouchpoint",
    "Difference",
    "DifferenceKind",
    "Edit",
    "Endangered",
    "Entry",
    "ExpectedDelivery",
    "Funding",
    "GiftCard",
    "Guest",
    "Handling",
    "Handoff",
    "HandoffState",
    "HandoffTicket",
    "Holder",
    "IsActionRequired",
    "IsAuthorised",
    "IsDueInStore",
    "IsSettled",
    "IsUnanswered",
    "IssuedCard",
    "Label",
    "Leftovers",
    "Leg",
    "Level",
    "Measures",
    "MergeRule",
    "Merged",
    "MergedLine",
    "Message",
    "MissingUnits",
    "Money",
    "Movement",
    "MovementKind",
    "New",
    "NoShowPolicy",
    "NotTaken",
    "Note",
    "Notifier",
    "Occasion",
    "Offer",
    "OfflineHandOver",
    "OmniorderError",
    "OpenRefund",
    "Option",
    "Order",
    "OrderChange",
    "OrderEdit",
    "OrderHub",
    "OrderLine",
    "OrderState",
    "Pace",
    "Page",
    "PaidBy",
    "PayInStore",
    "PayLink",
    "Payment",
    "PaymentState",
    "Pick",
    "Picked",
    "Pickup",
    "PickupLine",
    "PickupPass",
    "PickupState",
    "Plan",
    "Point",
    "Posting",
    "Price",
    "Promise",
    "PromiseState",
    "Proof",
    "Proposal",
    "Proxy",
    "Question",
    "Quote",
    "QuoteLine",
    "Ranking",
    "Reason",
    "Receipt",
    "ReceiptLine",
    "Reconciliation",
    "Recorded",
    "RefundRule",
    "RefundState",
    "Remedy",
    "RemindAfter",
    "RemindBefore",
    "Remove",
    "Rerouting",
    "Rest",
    "ReturnPolicy",
    "ReturnSlip",
    "Returnable",
    "ReturnableLine",
    "Returned",
    "Risk",
    "Scope",
    "Service",
    "Settings",
    "Shortage",
    "SigningKeys",
    "Slot",
    "Sourcing",
    "SourcingPolicy",
    "Stage",
    "Stamp",
    "Step",
    "Store",
    "StoreCredit",
    "StoreTouchpoint",
    "Strategy",
    "SweepReport",
    "SyncOutcome",
    "Synced",
    "System",
    "SystemTouchpoint",
    "Taken",
    "Task",
    "TaxPart",
    "Temperature",
    "Tender",
    "Tendered",
    "Terminal",
    "Transfer",
    "TransferLine",
    "TransferState",
    "Unit",
    "Units",
    "Unwanted",
    "Waiting",
    "Walk",
    "Wallet",
    "WebhookReply",
    "Wire",
    "WithTransfer",
    "errors",
    "events",
    "from_json",
    "ranking",
    "say",
    "sourcing",
    "steps",
    "to_json",
]
