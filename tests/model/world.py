"""A small shop that runs short of everything: three stores, little stock, slots for few orders and lines.

A `World` is such a shop on one database, with a clock, chance and a payment provider of its own. The same steps
in two worlds give the same results, down to the last id, whatever their databases are.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from attrs import asdict, has

from omniorder import (
    Agent,
    Article,
    Associate,
    Capabilities,
    Channel,
    Customer,
    Guest,
    Money,
    NoShowPolicy,
    OrderHub,
    Page,
    Point,
    Price,
    Service,
    Settings,
    SigningKeys,
    Store,
    SweepReport,
    Synced,
    System,
    Temperature,
    Unit,
    WebhookReply,
    to_json,
)
from omniorder.errors import OmniorderError
from omniorder.services.touchpoints import AgentTouchpoint, CustomerTouchpoint, StoreTouchpoint, SystemTouchpoint
from omniorder.testing.clock import FakeClock, SeededEntropy
from omniorder.testing.gateway import FakeGateway

SECRET: Final = "a secret for tests only"
GUEST_TOKENS: Final = ("guest-on-a-tablet-0123456789", "guest-on-a-phone-9876543210")
SECRETS: Final = (SECRET, *GUEST_TOKENS)
"""What may stand nowhere in the database."""

OWNERS: Final = (Customer("anna"), Customer("bert"), Guest(GUEST_TOKENS[0]), Guest(GUEST_TOKENS[1]))
ASSOCIATES: Final = ("ivan", "petar", "mila")
CHANNELS: Final = (Channel.APP, Channel.WEB, Channel.KIOSK)
STORES: Final = ("SOF01", "PLV02", "VAR03")
MILK, BREAD, NUTS = "OAT-MILK-1L", "RYE-BREAD", "WALNUTS"
SKUS: Final = (MILK, BREAD, NUTS)
SOY, ORGANIC, WINE = "SOY-MILK", "OAT-MILK-BIO", "RIOJA"
"""What else is on the shelves: something cheaper and something dearer than the milk, and something for adults."""
BARCODES: Final = {MILK: "9506000134352", BREAD: "4006381333931", SOY: "96385074", ORGANIC: "5901234123457",
                   WINE: "036000291452"}  # fmt: skip
PASS_KEYS: Final = SigningKeys({"2026": "an-Ed25519-key-of-this-shop-and-no-other-00"})

SETTINGS: Final = Settings(
    wait_for_other=timedelta(0),  # nothing happens meanwhile, so waiting would be for nothing
    retry_for=timedelta(seconds=1),
    slots_offered=4,
    slot_horizon=timedelta(days=2),
    pay_within_by_kind={"card": timedelta(minutes=25)},
    substitute_patience=timedelta(minutes=10),
    identify_proxy=True,
    no_show=NoShowPolicy(fee=Money(50, "EUR"), fee_share="0.10", perishable_days=0),
)


class World:
    """One shop on one database."""

    def __init__(self, url: str, capabilities: Capabilities) -> None:
        self.url: Final = url
        self.clock: Final = FakeClock()
        self.gateway: Final = FakeGateway(
            clock=self.clock,
            several_captures=capabilities.several_captures,
            partial_capture=capabilities.partial_capture,
        )
        self.consumed: dict[str, int] = {}
        self.hub: Final = OrderHub.open(
            url,
            gateways={"card": self.gateway, "terminal": self.gateway},
            clock=self.clock,
            entropy=SeededEntropy(1),
            settings=SETTINGS,
            secret=SECRET,
            pass_keys=PASS_KEYS,
        )
        self._stock()

    def _stock(self) -> None:
        office = self.office
        hours, zone = "Mo-Su 08:00-20:00", "Europe/Sofia"
        length = timedelta(hours=3)
        office.stores.put(
            Store("SOF01", zone=zone, hours=hours, place=Point(lat=42.69, lon=23.32), slot_capacity=1,
                  slot_length=length, pickup_days=1,
                  services={Service.PICKUP, Service.CURBSIDE, Service.AGE_RESTRICTED}),
            Store("PLV02", zone=zone, hours=hours, place=Point(lat=42.14, lon=24.75), slot_capacity=2, slot_lines=2,
                  services={Service.PICKUP, Service.CURBSIDE, Service.SHIP_TO_STORE, Service.AGE_RESTRICTED},
                  transit=timedelta(hours=5), slot_length=length, pickup_days=1),
            Store("VAR03", zone=zone, hours="Mo-Fr 09:00-17:00", slot_capacity=5, slot_lines=1, slot_length=length,
                  pickup_days=2, services={Service.PICKUP, Service.SHIP_TO_STORE}, transit=timedelta(hours=9)),
        )  # fmt: skip
        office.articles.put(
            Article(MILK, "Oat milk 1 l", gtins=[BARCODES[MILK]], aisle="A2", temperature=Temperature.CHILLED),
            Article(BREAD, "Rye bread", gtins=[BARCODES[BREAD]], aisle="A1", perishable=True),
            Article(NUTS, "Walnuts", unit=Unit.GRAM, tolerance="0.10", scale_item="00417", allergens=["nuts"]),
            Article(SOY, "Soy milk 1 l", gtins=[BARCODES[SOY]], allergens=["soy"], aisle="A2"),
            Article(ORGANIC, "Organic oat milk 1 l", gtins=[BARCODES[ORGANIC]], brand="Vita", aisle="A10"),
            Article(WINE, "Rioja", gtins=[BARCODES[WINE]], needs={Service.AGE_RESTRICTED}),
        )
        office.prices.put(
            Price(MILK, Money(249, "EUR"), tax="0.20"),
            Price(MILK, Money(229, "EUR"), tax="0.20", store="PLV02"),
            Price(BREAD, Money(333, "EUR"), tax="0.09"),
            Price(NUTS, Money(1899, "EUR"), per=1000, tax="0.20"),
            Price(SOY, Money(199, "EUR"), tax="0.20"),
            Price(ORGANIC, Money(299, "EUR"), tax="0.20"),
            Price(WINE, Money(990, "EUR"), tax="0.20"),
        )
        for store, milk, bread, nuts in (("SOF01", 3, 2, 700), ("PLV02", 2, 4, 500), ("VAR03", 3, 2, 0)):
            for sku, units in ((MILK, milk), (BREAD, bread), (NUTS, nuts)):
                if units:
                    office.stock.receive(store, sku, units)
        for store, sku, units in (("SOF01", SOY, 2), ("SOF01", ORGANIC, 2), ("PLV02", SOY, 1), ("SOF01", WINE, 3)):
            office.stock.receive(store, sku, units)

    @property
    def office(self) -> SystemTouchpoint:
        return self.hub.at(Channel.SYSTEM, System("office"))

    def customer(self, owner: int, channel: int = 0) -> CustomerTouchpoint:
        """A device of one of the customers and guests."""
        return self.hub.at(CHANNELS[channel % len(CHANNELS)], OWNERS[owner % len(OWNERS)])

    def agent(self, owner: int) -> AgentTouchpoint:
        """The contact centre, for one of the known customers."""
        return self.hub.at(Channel.PHONE, Agent("mira", customer=("anna", "bert")[owner % 2]))

    def staff(self, store: str, who: int = 0) -> StoreTouchpoint:
        """One of the store's associates."""
        return self.hub.at(Channel.STORE, Associate(ASSOCIATES[who % len(ASSOCIATES)], store=store))

    def close(self) -> None:
        self.hub.close()


def visible(result: object) -> Any:
    """All that a caller can see of a result or an error, as JSON data."""
    match result:
        case OmniorderError():
            carried = {name: visible(value) for name, value in vars(result).items() if has(type(value))}
            return {"code": result.code, "facts": dict(result.facts), "carried": carried}
        case Page(items, after):
            return {"items": visible(items), "next": after}
        case Synced():
            return {"order": result.order, "receipt": visible(result.receipt), "error": visible(result.error)}
        case SweepReport() | WebhookReply():
            return asdict(result)
        case tuple() | list():
            return [visible(one) for one in result]
        case Mapping():
            return {str(name): visible(one) for name, one in result.items()}
        case None | str() | int():
            return result
        case _:
            return to_json(result)
