"""A provider that can be switched off, and that the calling process can be killed around."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from omniorder.errors import GatewayTimeout
from omniorder.ports.payments import (
    Absent,
    Approved,
    Authorise,
    Capture,
    Collect,
    Denied,
    Extend,
    Increase,
    LookUp,
    NeedsAction,
    NoAnswer,
    Refund,
    Void,
)
from omniorder.testing.clock import FakeClock
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.shop import Shop

A = TypeVar("A")


class Killed(BaseException):
    """The process ends here: nothing of ours may catch this."""


class UnrulyGateway(FakeGateway):
    """`down`: nothing arrives. `kill_before`, `kill_after`: the operation around which the caller dies, once. `denies`:
    operations that it refuses, and why."""

    down = False
    denies: Mapping[str, str] = MappingProxyType({})
    kill_before = ""
    kill_after = ""

    def authorise(self, request: Authorise) -> Approved | NeedsAction | Denied:
        if why := self.denies.get("authorise"):
            return Denied(why)
        return self._around("authorise", lambda: super(UnrulyGateway, self).authorise(request))

    def capture(self, request: Capture) -> Approved | Denied:
        return self._around("capture", lambda: super(UnrulyGateway, self).capture(request))

    def void(self, request: Void) -> Approved | Denied | Absent:
        return self._around("void", lambda: super(UnrulyGateway, self).void(request))

    def refund(self, request: Refund) -> Approved | Denied:
        return self._around("refund", lambda: super(UnrulyGateway, self).refund(request))

    def increase(self, request: Increase) -> Approved | Denied:
        if why := self.denies.get("increase"):
            return Denied(why)
        return self._around("increase", lambda: super(UnrulyGateway, self).increase(request))

    def extend(self, request: Extend) -> Approved | Denied:
        if why := self.denies.get("extend"):
            return Denied(why)
        return self._around("extend", lambda: super(UnrulyGateway, self).extend(request))

    def collect(self, request: Collect) -> Approved | NeedsAction | Denied:
        return self._around("collect", lambda: super(UnrulyGateway, self).collect(request))

    def look_up(self, request: LookUp) -> Approved | NeedsAction | Denied | NoAnswer | Absent:
        return self._around("look_up", lambda: super(UnrulyGateway, self).look_up(request))

    def _around(self, operation: str, call: Callable[[], A]) -> A:
        if self.kill_before == operation:
            self.kill_before = ""
            raise Killed
        if self.down:
            raise GatewayTimeout(gateway="fake", reason="switched off")
        answer = call()
        if self.kill_after == operation:
            self.kill_after = ""
            raise Killed
        return answer


def unruly_shop(open_shop: Callable[..., Shop], **can: Any) -> tuple[Shop, UnrulyGateway]:
    """The shop with such a provider, which `can` do what the arguments of `FakeGateway` say."""
    clock = FakeClock()
    gateway = UnrulyGateway(clock=clock, **can)
    return open_shop(clock=clock, gateway=gateway), gateway
