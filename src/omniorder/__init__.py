"""Click and collect across every channel: the names that applications use."""

from omniorder import errors
from omniorder.domain import events
from omniorder.domain.actors import Actor, Agent, Associate, Customer, Guest, System
from omniorder.domain.articles import Article, Price
from omniorder.domain.capturing import Capabilities, Taken
from omniorder.domain.carts import Add, Cart, CartLine, Change, Edit, Note, Remove
from omniorder.domain.channels import Channel
from omniorder.domain.events import Recorded, Stamp, Units
from omniorder.domain.lifecycle import (
    CartState,
    Funding,
    OrderState,
    PaymentState,
    PickupState,
    PromiseState,
)
from omniorder.domain.money import Money
from omniorder.domain.offers import Offer, Reason
from omniorder.domain.orders import Order, OrderLine, Stage
from omniorder.domain.passes import PickupPass
from omniorder.domain.payments import (
    Card,
    IsActionRequired,
    IsAuthorised,
    IsDueInStore,
    IsSettled,
    IsUnanswered,
    Payment,
    PayInStore,
    Tender,
)
from omniorder.domain.pickups import Pickup, PickupLine
from omniorder.domain.promises import Promise, Quote, QuoteLine, TaxPart
from omniorder.domain.quantities import Unit
from omniorder.domain.receipts import Receipt, ReceiptLine
from omniorder.domain.stock import Level, Movement
from omniorder.domain.stores import Point, Slot, Store
from omniorder.errors import OmniorderError
from omniorder.services.hub import OrderHub
from omniorder.services.paging import Page
from omniorder.services.pickups import Pick
from omniorder.services.settings import Settings
from omniorder.services.sweeps import SweepReport
from omniorder.services.webhooks import WebhookReply
from omniorder.wire import Wire, from_json, to_json

__all__ = [
    "Actor",
    "Add",
    "Agent",
    "Article",
    "Associate",
    "Capabilities",
    "Card",
    "Cart",
    "CartLine",
    "CartState",
    "Change",
    "Channel",
    "Customer",
    "Edit",
    "Funding",
    "Guest",
    "IsActionRequired",
    "IsAuthorised",
    "IsDueInStore",
    "IsSettled",
    "IsUnanswered",
    "Level",
    "Money",
    "Movement",
    "Note",
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
    "Settings",
    "Slot",
    "Stage",
    "Stamp",
    "Store",
    "SweepReport",
    "System",
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
