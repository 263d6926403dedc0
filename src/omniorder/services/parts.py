"""What every desk works with: the ports of one hub, and who is asking."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import field, frozen

from omniorder.domain import ids
from omniorder.domain.actors import Actor, Associate, System
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.channels import Channel
from omniorder.domain.events import Event, Recorded, Stamp
from omniorder.domain.orders import Order
from omniorder.domain.passes import KeyRing
from omniorder.domain.payments import SERVED_BY, Tender
from omniorder.domain.ranking import SourcingPolicy
from omniorder.domain.terms import Terms
from omniorder.errors import Misconfigured, TenderUnsupported
from omniorder.ports.catalogue import Catalogue
from omniorder.ports.clock import Clock, Entropy
from omniorder.ports.inventory import Inventory, TransactionalInventory
from omniorder.ports.notifications import Notifier
from omniorder.ports.payments import PaymentGateway
from omniorder.ports.pricing import PriceBook
from omniorder.ports.storage import Storage, Transaction
from omniorder.ports.stores import StoreDirectory
from omniorder.services.settings import Settings
from omniorder.signing import SigningKeys

Handler = Callable[[Recorded, Transaction], None]
"""Runs inside the transaction that records the event: for database work only. What it raises undoes the command."""


@frozen
class Parts:
    """The ports that a hub was opened with."""

    storage: Storage
    catalogue: Catalogue
    prices: PriceBook
    stores: StoreDirectory
    inventory: TransactionalInventory
    gateways: Mapping[str, PaymentGateway]
    clock: Clock
    entropy: Entropy
    settings: Settings
    keys: KeyRing | None = field(default=None, repr=False)
    pass_keys: SigningKeys | None = field(default=None, repr=False)
    notifier: Notifier | None = None
    outside: Inventory | None = None
    """Where the stock is, when it is not ours: `inventory` is then a mirror of it."""
    sourcing: SourcingPolicy = field(factory=SourcingPolicy)
    handlers: dict[type[Event], list[Handler]] = field(factory=dict[type[Event], list[Handler]])

    @property
    def terms(self) -> Terms:
        """What may be counted on where money is concerned: what the gateways can do, and the settings."""
        settings = self.settings
        return Terms(
            self.capabilities,
            settings.authorisation_margin,
            settings.falls_back_to_counter,
            settings.refund_rule,
            no_show=settings.no_show,
        )

    def gateway(self, kind: str) -> PaymentGateway:
        """The gateway of this tender kind; raises `TenderUnsupported`."""
        gateway = self.gateways.get(kind) or self.gateways.get(SERVED_BY.get(kind, ""))
        if gateway is None:
            raise TenderUnsupported(tender=kind, reason="no gateway was given for it")
        return gateway

    def gateway_for(self, tender: Tender) -> PaymentGateway:
        """The gateway of this tender, which can take it; raises `TenderUnsupported`."""
        gateway = self.gateway(tender.kind)
        if why := tender.unsupported(gateway.capabilities):
            raise TenderUnsupported(tender=tender.kind, reason=why)
        return gateway

    @property
    def capabilities(self) -> Mapping[str, Capabilities]:
        """What can be done with a payment, by its kind."""
        own = {kind: gateway.capabilities for kind, gateway in self.gateways.items()}
        return {kind: own[other] for kind, other in SERVED_BY.items() if other in own} | own

    def key_ring(self) -> KeyRing:
        """The secrets of pick-up passes; raises `Misconfigured` when the hub was opened without any."""
        if self.keys is None:
            raise Misconfigured(needs="a secret: OrderHub.open(..., secret=...)")
        return self.keys

    def signing_keys(self) -> SigningKeys:
        """The keys of signed passes; raises `Misconfigured` when the hub was opened without any."""
        if self.pass_keys is None:
            raise Misconfigured(needs="signing keys: OrderHub.open(..., pass_keys=SigningKeys(...))")
        return self.pass_keys

    def time_ordered(self) -> bytes:
        """16 bytes for a new id, ordered by time."""
        return self.time_ordered_for(1)[0]

    def time_ordered_for(self, count: int) -> list[bytes]:
        """The same for so many ids of one instant."""
        milliseconds = int(self.clock.now().timestamp() * 1000)
        drawn = self.entropy.bytes(10 * count)
        return [ids.uuid7(milliseconds, drawn[start : start + 10]) for start in range(0, 10 * count, 10)]


@frozen
class Touch:
    """Who is asking, and through which channel."""

    channel: Channel
    actor: Actor
    via: str = ""

    def stamp(self, clock: Clock) -> Stamp:
        """The stamp of one command: the clock is read once."""
        return Stamp(clock.now(), self.channel, self.actor.name, self.via)

    def owns(self, owner: str) -> bool:
        """Whether the actor may act for this owner of carts and orders."""
        return self.actor.owner == owner

    def works_at(self, *stores: str) -> bool:
        """Whether goods at one of these stores are the actor's to work with: an associate's are those of their own."""
        match self.actor:
            case Associate(store=store):
                return store in stores
            case _:
                return True

    def may_see(self, order: Order) -> bool:
        """Customers see their own orders, associates those of their store, the system all."""
        match self.actor:
            case System():
                return True
            case Associate(store=store):
                return store in (order.store, order.pickup.store)
            case _:
                return self.owns(order.owner)

    def may_change(self, order: Order) -> bool:
        """The same, but the store at which it was placed only sees an order that went to another one."""
        match self.actor:
            case Associate(store=store):
                return store == order.pickup.store
            case _:
                return self.may_see(order)
