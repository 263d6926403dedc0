"""The counter of a simulated day while the store has no network: passes are verified on the spot, and told later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from customers_of_a_day import Customers
from simulated_day import Day

from omniorder import Associate, Channel, OfflineHandOver, SyncOutcome, offline
from omniorder.errors import PassRefused


class OfflineDesk:
    """What the store's devices have without a network: the public `keys`, and a list of what they gave away."""

    def __init__(self, day: Day, customers: Customers, keys: Mapping[str, Any]) -> None:
        self.day = day
        self.customers = customers
        self.keys = keys
        self.given: dict[str, OfflineHandOver] = {}

    def fails(self) -> None:
        """The network is gone."""
        self.day.offline = True
        self.day.tell("outage", "The store has no network any more; it gives goods for signed passes.")

    def serve(self, associate: str) -> float:
        """Whoever shows a pass that is good gets their goods; minutes that it took, 0 when there was nobody.

        Who pays in the store, or buys what only adults may, waits until the network is back.
        """
        for visitor in self.customers.present.values():
            if visitor.order in self.given or visitor.needs_network:
                continue
            try:
                said = offline.verify(
                    visitor.shows, keys=self.keys, store=self.customers.store, now=self.day.now, seen=self.given
                )
            except PassRefused as refused:
                # before the goods are ready there is no pass to be verified
                why = refused.facts["reason"]
                self.day.tell("no pass", f"What the customer of {visitor.order} shows is no pass that is good: {why}.")
                continue
            self.given[said.order] = OfflineHandOver(visitor.shows, at=self.day.now, by=associate)
            self.day.tell("offline", f"{associate} verifies a pass without a network, and gives {said.order} away.")
            return 2
        return 0

    def returns(self) -> None:
        """The network is back: what was given away is told, paid and off the books."""
        self.day.offline = False
        desk = self.day.hub.at(Channel.STORE, Associate("mila", store=self.customers.store))
        told = desk.pickups.sync(list(self.given.values()))
        for order_id in self.given:
            del self.customers.present[order_id]
        done = sum(one.outcome is SyncOutcome.DONE for one in told)
        self.day.tell("synced", f"The network is back: {done} of {len(told)} hand-overs are told, and paid.")
