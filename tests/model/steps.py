"""One step of a machine is one step in each of its worlds; and time, which passes in all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from omniorder import Capabilities, Order
from omniorder.errors import GatewayFault, Misconfigured, OmniorderError, StorageFault
from omniorder.testing.invariants import check_all, nothing_is_held_past_its_grace, nothing_is_overdue
from tests.model import chances
from tests.model.world import SECRETS, World, visible

T = TypeVar("T")

NEVER = (StorageFault, GatewayFault, Misconfigured)
"""Errors that nobody who is alone with a working database may see."""


def outcome(call: Callable[[World], T], world: World) -> T | OmniorderError:
    """What the call returned, or the error with which it was refused."""
    try:
        return call(world)
    except NEVER:
        raise
    except OmniorderError as error:
        return error


class Steps(RuleBasedStateMachine):
    """Does in every world whatever is done, and looks afterwards. A subclass says which worlds there are."""

    looks_after_each: int = 1
    """So many steps; 1, but where the machine is only to show how far it comes."""

    def __init__(self) -> None:
        super().__init__()
        self.worlds: Sequence[World] = ()
        self.steps = 0
        self.orders: list[tuple[int, str]] = []

    def open_worlds(self, capabilities: Capabilities) -> Sequence[World]:
        raise NotImplementedError

    def teardown(self) -> None:
        for world in self.worlds:
            world.close()

    @invariant()
    def everything_holds(self) -> None:
        """Worlds that answer like the first one are looked at less often."""
        self.steps += 1
        if self.steps % self.looks_after_each:
            return
        for world in self.worlds if self.steps % 10 == 0 else self.worlds[:1]:
            check_all(world.hub, secrets=SECRETS)

    # --- one step in all worlds ---

    def do(self, call: Callable[[World], T]) -> T | None:
        """The first world's result, the same as in all others; None when it was refused."""
        results = [outcome(call, world) for world in self.worlds]
        seen = [visible(result) for result in results]
        for world, one in zip(self.worlds[1:], seen[1:], strict=True):
            assert one == seen[0], f"{world.url} answered otherwise than {self.worlds[0].url}"
        first = results[0]
        return None if isinstance(first, OmniorderError) else first

    def must(self, call: Callable[[World], T]) -> T:
        """The same for a call that nothing can refuse."""
        done = self.do(call)
        assert done is not None
        return done

    def pick_from(self, things: list[tuple[int, str]], index: int) -> tuple[int, str]:
        """One of the latest of these, and whose it is."""
        return things[-1 - index % len(things)]

    def some_order(self, index: int) -> tuple[int, Order]:
        owner, order_id = self.pick_from(self.orders, index)
        return owner, self.must(lambda w: w.customer(owner).orders.get(order_id))

    def have(self, luck: str) -> None:
        """Good or bad luck for the next call of the provider."""
        for world in self.worlds:
            match luck:
                case "reply lost":
                    world.gateway.lose_next_reply()
                case "never arrived":
                    world.gateway.drop_next_request()
                case "failed":
                    world.gateway.fail_next()
                case "failed for good":
                    world.gateway.fail_next(remembered=True)
                case _:
                    pass

    @rule(minutes=chances.minutes, swept=chances.usually, luck=chances.luck)
    def time_passes(self, minutes: int, swept: bool, luck: str) -> None:
        self.have(luck)
        self.let_pass(timedelta(minutes=minutes), swept=swept)

    def let_pass(self, lasts: timedelta, *, swept: bool = True) -> None:
        """And do what is due then, unless no sweep comes."""
        for world in self.worlds:
            world.clock.advance(seconds=lasts.total_seconds())
        if not swept:
            return
        report = self.must(lambda w: w.hub.sweep())
        assert not report.failed, report
        assert not report.more, "the sweep turns in circles"
        for world in self.worlds:
            nothing_is_overdue(world.hub)
            nothing_is_held_past_its_grace(world.hub)
