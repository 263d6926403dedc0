"""The returns desk of a simulated day: some customers are back an hour later, with something of what they collected."""

from __future__ import annotations

from simulated_day import Day

from omniorder import Associate, Channel, Condition, Receipt, Returned, Unit
from omniorder.errors import ReturnRefused


class ReturnsDesk:
    """Takes back what may come back."""

    def __init__(self, day: Day, store: str) -> None:
        self.day = day
        self._desk = day.hub.at(Channel.STORE, Associate("elena", store=store), via="till 1")

    def goes_home(self, receipt: Receipt) -> None:
        """A customer has left with their goods; one in twelve will be back."""
        if receipt.lines and self.day.happens(0.08):
            self.day.after(self.day.chance.uniform(40, 180), lambda: self._back(receipt.number))

    def _back(self, number: str) -> None:
        """By the number on the receipt: one line of it, which leaks or isn't what they thought."""
        found = [line for line in self._desk.returns.find(number).lines if line.units]
        if not found:
            return
        line = self.day.chance.choice(found)
        condition = Condition.DAMAGED if self.day.happens(0.4) else Condition.RESELLABLE
        reason = "leaks" if condition is Condition.DAMAGED else "taste"
        goods = [Returned(line.line, line.units if line.unit is Unit.GRAM else 1, condition)]
        try:
            slip = self._desk.returns.accept(number, goods, reason=reason, key=f"return-{number}")
        except ReturnRefused as refused:
            why = refused.facts["reason"]
            self.day.tell("not taken back", f"{line.name} is not taken back at the returns desk: {why}.")
        else:
            where = "quarantine" if condition is Condition.DAMAGED else "the shelf"
            self.day.tell("returned", f"{line.name} comes back to {where}, and {slip.total} to where they came from.")
