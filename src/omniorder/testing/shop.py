"""A small grocery chain to play with: three stores, stock, prices, a customer on every channel, and a clock to turn.

    with Shop.example() as shop:
        cart = shop.app.carts.start()
        shop.app.carts.add(cart.id, shop.MILK, 2)
        shop.advance(minutes=16)          # a promise made before has lapsed now

It runs in memory unless it is given the URL of an empty database, and everything in it is the real thing but the
clock, the randomness and the card: `shop.hub` is a hub like any other.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, ClassVar

from attrs import frozen

from omniorder.domain.actors import Agent, Associate, Customer, Guest, System
from omniorder.domain.articles import Article, Price
from omniorder.domain.channels import Channel
from omniorder.domain.money import Money
from omniorder.domain.promises import Promise
from omniorder.domain.quantities import Unit
from omniorder.domain.stores import Point, Store
from omniorder.services.hub import OrderHub
from omniorder.services.sweeps import SweepReport
from omniorder.services.touchpoints import (
    AgentTouchpoint,
    CustomerTouchpoint,
    StoreTouchpoint,
    SystemTouchpoint,
)
from omniorder.testing.clock import FakeClock, SeededEntropy
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.inventory import FakeInventory

__all__ = ["Shop"]


@frozen(eq=False)
class Shop:
    """A stocked shop. It is Monday, ten in the morning in Sofia, unless the clock says otherwise.

    `app`, `web` and `phone` are one customer, Anna, on three channels (`phone` through an agent who acts for her);
    `stranger` is another customer, `guest` somebody without an account. `store` is an associate of Sofia's first
    store, `elsewhere` one of the store in Varna, and `office` is the back office.
    """

    hub: OrderHub
    clock: FakeClock
    gateway: FakeGateway
    app: CustomerTouchpoint
    web: CustomerTouchpoint
    phone: AgentTouchpoint
    guest: CustomerTouchpoint
    stranger: CustomerTouchpoint
    store: StoreTouchpoint
    elsewhere: StoreTouchpoint
    office: SystemTouchpoint

    SOFIA: ClassVar[str] = "SOF01"
    """Open Mo-Sa 08:00-21:00, with plenty of everything; the store of `store`."""
    MARKET: ClassVar[str] = "SOF02"
    """A kiosk a kilometre away that takes one order per slot and has a single carton of milk."""
    VARNA: ClassVar[str] = "VAR01"
    """By the sea, 380 km away, open around the clock; the store of `elsewhere`."""

    MILK: ClassVar[str] = "OAT-MILK-1L"
    """2.49 EUR: 40 cartons in Sofia, 1 at the market, 10 in Varna."""
    BREAD: ClassVar[str] = "RYE-BREAD"
    """3.10 EUR: 5 in Sofia, 2 in Varna."""
    APPLES: ClassVar[str] = "APPLES"
    """3.99 EUR a kilogram, sold by the gram: 20 kg in Sofia."""
    CHEESE: ClassVar[str] = "GOUDA"
    """12.90 EUR a kilogram, cut by hand: 10 % more or less than ordered. 5 kg in Sofia."""

    HERE: ClassVar[Point] = Point(lat=42.70, lon=23.33)
    """Where Anna is: in Sofia."""

    @classmethod
    def example(
        cls,
        url: str = "memory://",
        *,
        clock: FakeClock | None = None,
        gateway: FakeGateway | None = None,
        seed: int = 0,
        stocked: bool = True,
        **options: Any,
    ) -> Shop:
        """A shop on an empty database (brought up to date first); `options` go to `OrderHub.open`.

        A `gateway` of yours should be given the same `clock`, and so should `outside=FakeInventory(clock=...)`.
        With the same `seed` the same ids are drawn. Without
        `stocked` nothing is written: for a database that holds a shop already.
        """
        time = clock or FakeClock()
        cards = gateway or FakeGateway(clock=time)
        with_defaults: dict[str, Any] = {
            "gateways": {"card": cards},
            "secret": "only-for-the-example-shop",
            "entropy": SeededEntropy(seed),
            "migrate": True,
            **options,
        }
        hub = OrderHub.open(url, clock=time, **with_defaults)
        shop = cls(
            hub=hub,
            clock=time,
            gateway=cards,
            app=hub.at(Channel.APP, Customer("anna"), via="ios/5.2"),
            web=hub.at(Channel.WEB, Customer("anna")),
            phone=hub.at(Channel.PHONE, Agent("petya", customer="anna")),
            guest=hub.at(Channel.WEB, Guest("a-token-of-22-characters-or-more")),
            stranger=hub.at(Channel.WEB, Customer("boris")),
            store=hub.at(Channel.STORE, Associate("ivan", store=cls.SOFIA)),
            elsewhere=hub.at(Channel.STORE, Associate("vera", store=cls.VARNA)),
            office=hub.at(Channel.SYSTEM, System("office")),
        )
        if stocked:
            shop.stock_up()
        return shop

    def stock_up(self) -> None:
        """Write stores, articles and prices, and receive the goods; `example` does so.

        The shelves of a stock system outside are its own to fill, unless it is a `FakeInventory`.
        """
        day = "Mo-Sa 08:00-21:00; PH off"
        self.office.stores.put(
            Store(self.SOFIA, zone="Europe/Sofia", hours=day, country="BG", place=Point(lat=42.69, lon=23.32)),
            Store(
                self.MARKET, zone="Europe/Sofia", hours=day, country="BG", place=Point(lat=42.71, lon=23.33),
                slot_capacity=1, pickup_days=1,
            ),
            Store(self.VARNA, zone="Europe/Sofia", hours="24/7", place=Point(lat=43.21, lon=27.91)),
        )  # fmt: skip
        self.office.articles.put(
            Article(self.MILK, "Oat milk 1 l"),
            Article(self.BREAD, "Rye bread"),
            Article(self.APPLES, "Apples", Unit.GRAM),
            Article(self.CHEESE, "Gouda", Unit.GRAM, tolerance="0.10"),
        )
        self.office.prices.put(
            Price(self.MILK, Money(249, "EUR"), tax="0.20"),
            Price(self.BREAD, Money(310, "EUR"), tax="0.09"),
            Price(self.APPLES, Money(399, "EUR"), tax="0.20", per=1000),
            Price(self.CHEESE, Money(1290, "EUR"), tax="0.20", per=1000),
        )
        outside = self.hub.journal.parts.outside
        if outside is not None and not isinstance(outside, FakeInventory):
            return
        receive = self.office.stock.receive if outside is None else outside.stock
        receive(self.SOFIA, self.MILK, 40)
        receive(self.SOFIA, self.BREAD, 5)
        receive(self.SOFIA, self.APPLES, 20_000)
        receive(self.SOFIA, self.CHEESE, 5_000)
        receive(self.MARKET, self.MILK, 1)
        receive(self.VARNA, self.MILK, 10)
        receive(self.VARNA, self.BREAD, 2)

    def promise(self, quantity: int = 2, *, sku: str = MILK) -> Promise:
        """A new basket of Anna's with so many units, promised by Sofia's first store in its first free slot."""
        cart = self.app.carts.start()
        self.app.carts.add(cart.id, sku, quantity)
        offer = next(offer for offer in self.app.checkout.offers(cart.id) if offer.store.id == self.SOFIA)
        return self.app.checkout.promise(cart.id, slot=offer.slots[0].id)

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> SweepReport:
        """Let time go by, and do what time asks for then (`hub.sweep`): lapsed promises, no-shows, open questions."""
        self.clock.advance(days=days, hours=hours, minutes=minutes, seconds=seconds)
        return self.hub.sweep()

    def close(self) -> None:
        """Give the hub's connections back."""
        self.hub.close()

    def __enter__(self) -> Shop:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
