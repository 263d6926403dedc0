"""Click and collect across every channel: the names that applications use."""

from . import errors
from .domain import events, ranking, sourcing, steps
from .domain.accounts import Account, AccountKind, AccountState, IssuedCard, Posting
from .domain.actors import Actor, Agent, Associate, Customer, Guest, System
from .domain.articles import Article, Price
from .domain.barcodes import Label
from .domain.bins import Bin
from .domain.bookkeeping import Entry
from .domain.capabilities import Capabilities
from .domain.capturing import Taken, Terminal
from .domain.carts import Add, Cart, CartLine, Change, Edit, Note, Remove
from .domain.channels import Channel
from .domain.corrections import Correction, CorrectionKind
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
from .domain.merging import Claimed, Merged, MergedLine, MergeRule
from .domain.money import Money
from .domain.offers import Available, Offer, WithTransfer
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
from .domain.pickups import Pickup, PickupLine
from .domain.planning import Plan
from .domain.promises import Promise, Quote, QuoteLine, TaxPart
from .domain.quantities import Unit
from .domain.questions import Alternative, MissingUnits, Option, Question
from .domain.ranking import Ranking, SourcingPolicy
from .domain.receipts import Receipt, ReceiptLine
from .domain.reconciling import Advice, Difference, DifferenceKind
from .domain.rerouting import Rerouting
from .domain.returns import Condition, Returnable, ReturnableLine, Returned, ReturnPolicy, ReturnSlip
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
from .services.hub import OrderHub
from .services.paging import Page
from .services.picking import Picked
from .services.pickups import Pick
from .services.reconciling import Reconciliation
from .services.returns import New
from .services.settings import Settings
from .services.sweeps import SweepReport
from .services.touchpoints import AgentTouchpoint, CustomerTouchpoint, StoreTouchpoint, SystemTouchpoint
from .services.webhooks import WebhookReply
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
    "Alternative",
    "Article",
    "Associate",
    "Availability",
    "Available",
    "BankTransfer",
    "Bin",
    "BinUse",
    "Capabilities",
    "Card",
    "Cart",
    "CartLine",
    "CartState",
    "Change",
    "Channel",
    "Claimed",
    "Closure",
    "Condition",
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
    "IsActionRequired",
    "IsAuthorised",
    "IsDueInStore",
    "IsSettled",
    "IsUnanswered",
    "IssuedCard",
    "Label",
    "Leg",
    "Level",
    "MergeRule",
    "Merged",
    "MergedLine",
    "Message",
    "MissingUnits",
    "Money",
    "Movement",
    "MovementKind",
    "New",
    "Note",
    "Notifier",
    "Occasion",
    "Offer",
    "OmniorderError",
    "OpenRefund",
    "Option",
    "Order",
    "OrderHub",
    "OrderLine",
    "OrderState",
    "Pace",
    "Page",
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
    "Remove",
    "Rerouting",
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
    "System",
    "SystemTouchpoint",
    "Taken",
    "Task",
    "TaxPart",
    "Temperature",
    "Tender",
    "Terminal",
    "Transfer",
    "TransferLine",
    "TransferState",
    "Unit",
    "Units",
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
