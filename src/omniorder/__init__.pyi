"""Click and collect across every channel: the names that applications use."""

from . import errors
from .domain import events
from .domain.actors import Actor, Agent, Associate, Customer, Guest, System
from .domain.articles import Article, Price
from .domain.capturing import Capabilities, Taken
from .domain.carts import Add, Cart, CartLine, Change, Edit, Note, Remove
from .domain.channels import Channel
from .domain.deliveries import Availability, ExpectedDelivery
from .domain.events import Recorded, Stamp, Units
from .domain.handoffs import Handoff, HandoffTicket, Scope
from .domain.lifecycle import (
    CartState,
    Funding,
    HandoffState,
    OrderState,
    PaymentState,
    PickupState,
    PromiseState,
)
from .domain.merging import Claimed, Merged, MergedLine, MergeRule
from .domain.money import Money
from .domain.offers import Offer, Reason
from .domain.orders import Order, OrderLine, Stage
from .domain.passes import PickupPass
from .domain.payments import (
    Card,
    IsActionRequired,
    IsAuthorised,
    IsDueInStore,
    IsSettled,
    IsUnanswered,
    PayInStore,
    Payment,
    Tender,
)
from .domain.pickups import Pickup, PickupLine
from .domain.promises import Promise, Quote, QuoteLine, TaxPart
from .domain.quantities import Unit
from .domain.receipts import Receipt, ReceiptLine
from .domain.stock import Endangered, Level, Movement, MovementKind, Shortage
from .domain.stores import Point, Slot, Store
from .errors import OmniorderError
from .ports.notifications import Message, Notifier, Occasion
from .services.hub import OrderHub
from .services.paging import Page
from .services.pickups import Pick
from .services.settings import Settings
from .services.sweeps import SweepReport
from .services.touchpoints import AgentTouchpoint, CustomerTouchpoint, StoreTouchpoint, SystemTouchpoint
from .services.webhooks import WebhookReply
from .wire import Wire, from_json, to_json

__all__ = [
    "Actor",
    "Add",
    "Agent",
    "AgentTouchpoint",
    "Article",
    "Associate",
    "Availability",
    "Capabilities",
    "Card",
    "Cart",
    "CartLine",
    "CartState",
    "Change",
    "Channel",
    "Claimed",
    "Customer",
    "CustomerTouchpoint",
    "Edit",
    "Endangered",
    "ExpectedDelivery",
    "Funding",
    "Guest",
    "Handoff",
    "HandoffState",
    "HandoffTicket",
    "IsActionRequired",
    "IsAuthorised",
    "IsDueInStore",
    "IsSettled",
    "IsUnanswered",
    "Level",
    "MergeRule",
    "Merged",
    "MergedLine",
    "Message",
    "Money",
    "Movement",
    "MovementKind",
    "Note",
    "Notifier",
    "Occasion",
    "Offer",
    "OmniorderError",
    "Order",
    "OrderHub",
    "OrderLine",
    "OrderState",
    "Page",
    "PayInStore",
    "Payment",
    "PaymentState",
    "Pick",
    "Pickup",
    "PickupLine",
    "PickupPass",
    "PickupState",
    "Point",
    "Price",
    "Promise",
    "PromiseState",
    "Quote",
    "QuoteLine",
    "Reason",
    "Receipt",
    "ReceiptLine",
    "Recorded",
    "Remove",
    "Scope",
    "Settings",
    "Shortage",
    "Slot",
    "Stage",
    "Stamp",
    "Store",
    "StoreTouchpoint",
    "SweepReport",
    "System",
    "SystemTouchpoint",
    "Taken",
    "TaxPart",
    "Tender",
    "Unit",
    "Units",
    "WebhookReply",
    "Wire",
    "errors",
    "events",
    "from_json",
    "to_json",
]
