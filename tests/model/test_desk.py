"""The store's desk on each kind of storage: orders are bought, and then nothing happens but what the desk is for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, run_state_machine_as_test

from omniorder import Capabilities, Card, Check, CheckKind, Condition, Consent, PayInStore, Tender
from tests import emptied
from tests.emptied import Fresh
from tests.model import chances
from tests.model.desk import Desk
from tests.model.world import BREAD, MILK, NUTS, ORGANIC, SOY, STORES, WINE, World

Basket = list[tuple[str, Consent]]

GOODS = st.sampled_from([MILK, MILK, BREAD, NUTS, WINE])
BASKETS = st.lists(st.tuples(GOODS, chances.consents), min_size=1, max_size=3)
PAY: st.SearchStrategy[Tender] = st.sampled_from([Card("pm_card_visa"), Card("pm_card_mastercard"), PayInStore()])
STAGES = st.sampled_from(
    ["bought", "asked", "answered", "picking", "ready", "ready", "collected", "exchanged", "outage", "changed"]
)
PURCHASES = st.lists(st.tuples(chances.owners, st.sampled_from(STORES[:2]), chances.some, BASKETS, PAY, STAGES),
                     min_size=3, max_size=5)  # fmt: skip

REACHED = (
    "PickClaimed", "PickJoined", "ShortPicked", "MadeReady", "OrderChanged", "DeadlineExtended",
    "SubstituteProposed", "UnitsSubstituted", "CustomerArrived", "Reminded",
    "PersonChecked", "UnitsRefused", "PartCollected", "Collected", "LeftOffline", "PassUsedTwice", "UnitsSpoiled",
    "NoShow", "PartReturned", "GoodsExchanged",
)  # fmt: skip
"""What must have happened to some order, or the machine proves less than it says."""


@pytest.fixture
def memory() -> Fresh:
    return lambda: "memory://"


@pytest.fixture
def sqlite(tmp_path: Path) -> Fresh:
    return emptied.sqlite_file(tmp_path)


@pytest.fixture(scope="module")
def postgres(postgres_server: str) -> Iterator[Fresh]:
    with emptied.postgres_database(postgres_server) as fresh:
        yield fresh


def desk_on(databases: Sequence[Fresh], met: Counter[str]) -> type[Desk]:
    """The machine with a world on each of these databases; `met` counts the walks in which something happened."""

    class Here(Desk):
        @initialize(capabilities=chances.capabilities, purchases=PURCHASES)
        def open(self, capabilities: Capabilities, purchases: list[tuple[int, str, int, Basket, Tender, str]]) -> None:
            """There is room and stock enough, some have bought, and the store has begun."""
            self.worlds = [World(fresh(), capabilities) for fresh in databases]
            for store in STORES[:2]:
                self._fill(store)
            for owner, store, slot, basket, pay, stage in purchases:
                if self._buys(owner, store, slot, basket, pay):
                    self._begin(slot, stage)

        def _fill(self, store: str) -> None:
            was = self.must(lambda w: w.office.stores.get(store))
            self.do(lambda w: w.office.stores.put(evolve(was, slot_capacity=9, slot_lines=None)))
            for sku, units in ((MILK, 4), (BREAD, 4), (NUTS, 1000), (SOY, 3), (ORGANIC, 4), (WINE, 4)):
                self._receive(store, sku, units)

        def _receive(self, store: str, sku: str, units: int) -> None:
            self.must(lambda w: w.office.stock.receive(store, sku, units))

        def _buys(self, owner: int, store: str, slot: int, basket: Basket, pay: Tender) -> bool:
            cart = self.must(lambda w: w.customer(owner).carts.start()).id
            for sku, consent in basket:
                count = 250 if sku == NUTS else 2
                self._wants(owner, cart, sku, count, consent)
            offers = self.must(lambda w: w.customer(owner).checkout.offers(cart))
            offer = next((one for one in offers if one.store.id == store and one.slots), None)
            if offer is None:
                return False
            chosen = offer.slots[slot % len(offer.slots)].id
            made = self.do(lambda w: w.customer(owner).checkout.promise(cart, slot=chosen))
            order = self.do(lambda w: w.customer(owner).checkout.place(made.id, pay=pay)) if made else None
            if order is not None:
                self.orders.append((owner, order.id))
            return order is not None

        def _wants(self, owner: int, cart: str, sku: str, count: int, consent: Consent) -> None:
            self.must(lambda w: w.customer(owner).carts.add(cart, sku, count, substitutes=consent))

        def _begin(self, who: int, stage: str) -> None:
            """With the order that was bought last."""
            owner, order = self.some_order(0)
            match stage:
                case "asked" | "answered":
                    self.propose(order, who, SOY, 1)
                    if stage == "answered":
                        self.answer_proposal(0, "agent" if who % 2 else "customer", who > 2)
                case "picking":
                    self.must(lambda w: w.staff(order.pickup.store, who).picking.claim(order.id))
                    self.walk(order.pickup.store, who, "one")
                case "ready":
                    self.make_ready(owner, order)
                case "collected" | "exchanged":
                    self.leave(owner, self.make_ready(owner, order), [Check(CheckKind.AGE, passed=True)])
                    if stage == "exchanged":
                        self.bring_back(0, who, False, Condition.DAMAGED, order.pickup.store, False, MILK, False, "")
                case "outage":
                    self.give_without_network(0, "mila", False, True, 2)
                    for device in (1, 0):
                        self.sync(device, 1, False, "")
                case "changed":
                    self.change_mind(0, "customer", who, BREAD, "other slot", False, "")
                case _:
                    pass

        def teardown(self) -> None:
            for name in self._happened():
                event(name)
                met[name] += 1
            met["walks"] += 1
            super().teardown()

        def _happened(self) -> set[str]:
            names: set[str] = set()
            for _, order_id in self.orders:
                after, more = None, True
                while more:
                    page = self.worlds[0].office.orders.timeline(order_id, after=after)
                    names |= {one.name for one in page.items}
                    after, more = page.next, page.next is not None
            return names

    return Here


def live(databases: Sequence[Fresh], *, examples: int, steps: int) -> None:
    """Run the machine; `--long` looks much longer."""
    chosen = settings()
    if chosen.max_examples < 1000:
        chosen = settings(max_examples=examples, stateful_step_count=steps)
    run_state_machine_as_test(desk_on(databases, Counter()), settings=chosen)


def test_the_desk_holds_in_every_storage_and_all_answer_alike(memory: Fresh, sqlite: Fresh, postgres: Fresh) -> None:
    live([memory, sqlite, postgres], examples=4, steps=25)


def test_the_desk_holds_in_memory(memory: Fresh) -> None:
    live([memory], examples=10, steps=30)


def test_everything_that_the_desk_is_for_happens(memory: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Desk, "looks_after_each", 25)
    met = Counter[str]()
    chosen = settings(
        max_examples=100, stateful_step_count=25, phases=[Phase.generate], derandomize=True, database=None
    )
    run_state_machine_as_test(desk_on([memory], met), settings=chosen)
    assert not set(REACHED) - set(met), met
