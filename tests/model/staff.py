"""What staff do with an order until it is ready, and what its customer answers when something of it is missing."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from omniorder import Pick, PickupLine
from tests.model import chances
from tests.model.steps import Steps
from tests.model.world import World


class Staff(Steps):
    """The rules without which no order would ever be ready."""

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, what=st.sampled_from(["pick", "ready", "reset", "unready", "reissue"]))
    def work(self, index: int, what: str) -> None:
        _, order = self.some_order(index)
        missing = [line for line in order.pickup.lines if line.picked < line.bounds[1]]

        def act(w: World) -> object:
            desk = w.staff(order.pickup.store).pickups
            match what:
                case "pick":
                    return [desk.pick(order.id, line.line, 1) for line in missing[:1]]
                case "ready":
                    return desk.ready(order.id, staged_at="C4")
                case "reset":
                    return desk.reset(order.id)
                case "unready":
                    return desk.unready(order.id, reason="leaking")
                case _:
                    return desk.reissue(order.id)

        self.do(act)

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, weight=chances.weights)
    def prepare(self, index: int, weight: str) -> None:
        """All that is missing is picked, and the order made ready; not if the scales show what nobody agreed on."""
        _, order = self.some_order(index)
        picks = [
            Pick(line.line, missing)
            for line in order.pickup.lines
            if (missing := self._weighed(line, weight) - line.picked) > 0
        ]
        if picks:
            self.do(lambda w: w.staff(order.pickup.store).pickups.pick(order.id, picks))
        self.work(index, "ready")

    def _weighed(self, line: PickupLine, weight: str) -> int:
        """What is put on the scales for this line, all in all."""
        least, most = line.bounds
        shown = {"least": least, "most": most, "too little": least - 1, "too much": most + 1}
        return shown.get(weight, line.ordered - line.dropped) if line.tolerance else most

    @precondition(lambda self: self.orders)
    @rule(
        index=chances.some, which=chances.some, much=st.sampled_from(["order", "line", "part"]), on_shelf=st.booleans()
    )
    def reject(self, index: int, which: int, much: str, on_shelf: bool) -> None:
        _, order = self.some_order(index)
        lines = order.pickup.rest()
        if not lines:
            return
        one = lines[which % len(lines)]
        missing = -(-one.quantity // 3) if much == "part" else one.quantity
        picks = None if much == "order" else [Pick(one.line, missing)]
        self.do(
            lambda w: w.staff(order.pickup.store).pickups.reject(order.id, picks, reason="not_found", on_shelf=on_shelf)
        )

    @precondition(lambda self: self.orders)
    @rule(index=chances.some, which=chances.some, first=chances.some)
    def answer(self, index: int, which: int, first: int) -> None:
        """Whoever was asked answers."""
        asked = [one for one in self.orders if self.worlds[0].office.orders.get(one[1]).pickup.question]
        if not asked:
            return
        owner, order_id = asked[index % len(asked)]
        question = self.must(lambda w: w.office.orders.get(order_id)).pickup.question
        assert question is not None
        option = question.options[which % len(question.options)].id
        self.do(lambda w: w.customer(owner).orders.answer(order_id, option))
