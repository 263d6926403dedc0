"""What one command writes, noted statement by statement and sent at once, in this order.

On PostgreSQL that is one round trip for all of it. So nothing that is noted here can go by what the statements before
it did: what a guard refuses is found afterwards, and the first refusal in the order of the notes is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, final

from omniorder.adapters.sql.link import Link, Outcome, Params, Statement, Step
from omniorder.errors import AlreadyThere, StaleWrite


@final
class Batch:
    """Notes statements; `send` runs them."""

    def __init__(self, link: Link) -> None:
        self._link: Final = link
        self._steps: list[Step] = []

    def take(self) -> list[Step]:
        """What was noted, to be run by somebody else."""
        steps, self._steps = self._steps, []
        return steps

    def send(self) -> None:
        """Run what was noted, and raise the first refusal."""
        if steps := self.take():
            self._link.carry_out(steps)

    def change(self, statement: Statement, params: Params | Sequence[Params]) -> None:
        """Run it, once for each of `params`, however many rows it changes."""
        if params:
            self._steps.append(Step(statement, params))

    def insert(self, statement: Statement, params: Params | Sequence[Params], kind: str, id: str) -> None:
        """The same, for rows that must be new: raises `AlreadyThere` for this kind and id."""
        if params:
            self._steps.append(Step(statement, params, kind, id))

    def guarded(self, statement: Statement, params: Params, kind: str, id: str) -> None:
        """The same, for one row in a state that was read before: raises `StaleWrite` when it is in another."""

        def judge(outcome: Outcome, _: Link) -> None:
            if outcome.changed != 1:
                raise StaleWrite(kind=kind, id=id)

        self._steps.append(Step(statement, params, kind, id, AlreadyThere, judge))

    def judged(
        self,
        statement: Statement,
        params: Params | Sequence[Params],
        judge: Callable[[Outcome, Link], None],
        kind: str = "row",
        id: str = "",
        clash: type[AlreadyThere | StaleWrite] = AlreadyThere,
        due: int = 1,
    ) -> None:
        """The same, where `judge` raises what it thinks when other than `due` rows were changed."""
        self._steps.append(Step(statement, params, kind, id, clash, judge, due))
