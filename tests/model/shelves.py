"""What happens at the shelves while customers shop: stock takes, breakages, returns, deliveries announced and come."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from omniorder import Level
from tests.model import chances
from tests.model.steps import Steps
from tests.model.world import SKUS, World

_FEW = st.sampled_from([0, 1, 1, 2, 3, 250])
_REFERENCES = st.sampled_from(["DN-1", "DN-2"])


class Shelves(Steps):
    """The rules of the stock desk."""

    @rule(store=chances.stores, sku=chances.skus, counted=_FEW)
    def count(self, store: str, sku: str, counted: int) -> None:
        """Whatever was reserved: afterwards the books say what was counted."""
        found = self.do(lambda w: w.staff(store).stock.count(store, sku, counted))
        assert found is not None
        assert found.on_hand == counted

    @rule(store=chances.stores, sku=chances.skus, units=_FEW,
          what=st.sampled_from(["write off", "quarantine", "quarantine", "clear", "throw away", "take back",
                                "spoilt"]))  # fmt: skip
    def handle(self, store: str, sku: str, units: int, what: str) -> None:
        def act(w: World) -> Level:
            desk = w.staff(store).stock
            match what:
                case "write off":
                    return desk.write_off(store, sku, units, reason="broken")
                case "quarantine":
                    return desk.quarantine(store, sku, units, reason="dented")
                case "clear":
                    return desk.clear(store, sku, units, reason="fine")
                case "throw away":
                    return desk.write_off(store, sku, units, reason="broken", from_quarantine=True)
                case _:
                    whole = what == "take back"
                    return desk.take_back(store, sku, units, reference="SOF01-7K3F9Q", resellable=whole)

        self.do(act)

    @rule(store=chances.stores, sku=chances.skus, units=_FEW, hours=st.sampled_from([0, 5, 30]), reference=_REFERENCES)
    def expect(self, store: str, sku: str, units: int, hours: int, reference: str) -> None:
        def act(w: World) -> object:
            when = w.clock.now() + timedelta(hours=hours)
            return w.office.stock.expect(store, sku, units, at=when, reference=reference)

        self.do(act)

    @rule(store=chances.stores, sku=chances.skus, units=_FEW, reference=_REFERENCES, last=st.booleans())
    def arrive(self, store: str, sku: str, units: int, reference: str, last: bool) -> None:
        self.do(lambda w: w.staff(store).stock.receive(store, sku, units, reference=reference, final=last))

    @rule(store=chances.stores, hours=st.sampled_from([0, 5, 30]))
    def foresee(self, store: str, hours: int) -> None:
        """What is short, and what may be promised by then: never less than now."""
        self.do(lambda w: w.staff(store).stock.shortages(store, limit=2))
        self.do(lambda w: w.staff(store).stock.expected(store, SKUS[0]))
        found = self.do(lambda w: w.office.stock.availability(store, SKUS, by=w.clock.now() + timedelta(hours=hours)))
        assert found is not None
        assert all(one.then >= one.now for one in found)
