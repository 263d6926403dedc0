"""The bench that a payment gateway is tried on: its levers, and one payment at a time."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Final, Protocol, TypeVar, cast

import pytest
from attrs import frozen

from omniorder.domain.money import Money
from omniorder.domain.payments import Operation
from omniorder.ports.payments import (
    Absent,
    Answer,
    Approved,
    Authorise,
    Capabilities,
    Capture,
    Collect,
    Denied,
    Extend,
    ExtendingGateway,
    Increase,
    IncrementalGateway,
    InPersonGateway,
    LookUp,
    NeedsAction,
    PaymentGateway,
    Refund,
    Void,
)

THREADS: Final = 4
L = TypeVar("L")
T = TypeVar("T")


class SignsWebhooks(Protocol):
    """A lever: headers and body of a genuine webhook about our `payment`, sent `age` ago."""

    def __call__(self, payment: str, kind: str, /, *, age: timedelta) -> tuple[Mapping[str, str], bytes]: ...


@frozen
class GatewayTokens:
    """Tokens of the provider's test mode, by what happens when they are authorised.

    `wallet` is what stands for a card in one of the wallets, where that differs; `reader` is a card reader that waits
    for a card.
    """

    approves: str
    declines: str
    requires_action: str | None = None
    wallet: str | None = None
    reader: str | None = None


def _now() -> datetime:
    return datetime.now(UTC)


@frozen
class GatewayBench:
    """A gateway on the bench, and the levers that there are.

    Attributes:
        lose_next_reply: the next call takes effect, but the gateway sees no reply and raises `GatewayTimeout`.
        complete_action: the customer does what they were asked for this payment, and it is approved.
        present_card: a good card is held to this reader.
        decline_card: a card is held to this reader, and declined.
        now: the provider's clock.
    """

    gateway: PaymentGateway
    tokens: GatewayTokens
    lose_next_reply: Callable[[], None] | None = None
    signed_webhook: SignsWebhooks | None = None
    complete_action: Callable[[str], None] | None = None
    present_card: Callable[[str], None] | None = None
    decline_card: Callable[[str], None] | None = None
    now: Callable[[], datetime] = _now


class Case:
    """One payment at a gateway. Keys are short names here, and unique beyond this case at the provider."""

    def __init__(self, bench: GatewayBench, currency: str) -> None:
        self.bench = bench
        self.gateway = bench.gateway
        self.currency = currency
        self.payment = f"pay_TEST_{secrets.token_hex(8)}_1"
        self.provider_id = ""

    @property
    def can(self) -> Capabilities:
        return self.gateway.capabilities

    def money(self, amount: int) -> Money:
        return Money(amount, self.currency)

    def key(self, name: str) -> str:
        return f"{self.payment}_{name}"

    def authorise(
        self,
        amount: int = 1000,
        *,
        key: str = "authorise",
        token: str | None = None,
        now: bool = False,
        method: str = "",
    ) -> Approved | NeedsAction | Denied:
        given = self.bench.tokens.approves if token is None else token
        request = Authorise(
            self.payment, self.key(key), "TEST-7K3F9Q", given, self.money(amount), now=now, method=method
        )
        return self._known(self.gateway.authorise(request))

    def capture(self, amount: int, *, key: str = "capture", final: bool = True) -> Approved | Denied:
        request = Capture(self.payment, self.key(key), self.provider_id, self.money(amount), final)
        return self.gateway.capture(request)

    def void(self, *, key: str = "void") -> Approved | Denied | Absent:
        return self.gateway.void(Void(self.payment, self.key(key), self.provider_id))

    def refund(self, amount: int, *, key: str = "refund") -> Approved | Denied:
        return self.gateway.refund(Refund(self.payment, self.key(key), self.provider_id, self.money(amount)))

    def increase(self, amount: int, *, key: str = "increase") -> Approved | Denied:
        gateway = cast(IncrementalGateway, self.gateway)
        return gateway.increase(Increase(self.payment, self.key(key), self.provider_id, self.money(amount)))

    def extend(self, amount: int = 1000, *, key: str = "extend") -> Approved | Denied:
        gateway = cast(ExtendingGateway, self.gateway)
        return gateway.extend(Extend(self.payment, self.key(key), self.provider_id, self.money(amount)))

    def collect(self, amount: int = 1000, *, key: str = "collect", reader: str = "") -> Approved | NeedsAction | Denied:
        gateway = cast(InPersonGateway, self.gateway)
        request = Collect(self.payment, self.key(key), "TEST-7K3F9Q", reader or self.reader, self.money(amount))
        return self._known(gateway.collect(request))

    def _known(self, answer: Approved | NeedsAction | Denied) -> Approved | NeedsAction | Denied:
        if isinstance(answer, (Approved, NeedsAction)):
            self.provider_id = answer.provider_id
        return answer

    def look_up(self, operation: Operation, *, key: str = "", provider_id: str | None = None) -> Answer:
        known = self.provider_id if provider_id is None else provider_id
        return self.gateway.look_up(LookUp(self.payment, self.key(key or operation.value), operation, known))

    def webhook(self, kind: str, *, age: timedelta = timedelta(0)) -> tuple[Mapping[str, str], bytes]:
        return self.lever("signed_webhook", self.bench.signed_webhook)(self.payment, kind, age=age)

    def lose_next_reply(self) -> None:
        self.lever("lose_next_reply", self.bench.lose_next_reply)()

    def complete_action(self) -> None:
        self.lever("complete_action", self.bench.complete_action)(self.payment)

    def present_card(self) -> None:
        self.lever("present_card", self.bench.present_card)(self.reader)

    def decline_card(self) -> None:
        self.lever("decline_card", self.bench.decline_card)(self.reader)

    @property
    def reader(self) -> str:
        return self.token("reader", self.bench.tokens.reader)

    @staticmethod
    def lever(name: str, there: L | None) -> L:
        """The lever of this name, without which the promise is skipped."""
        if there is None:
            pytest.skip(f"the bench has no lever {name}")
        return there

    @staticmethod
    def token(name: str, there: str | None) -> str:
        """The token of this name, without which the promise is skipped."""
        if there is None:
            pytest.skip(f"the bench has no token {name}")
        return there


class Promises:
    """How each promise finds its gateway."""

    currency = "EUR"
    """A currency that the gateway takes."""

    def open(self) -> GatewayBench:
        """A gateway on a bench; called for each promise."""
        raise NotImplementedError(f"{type(self).__name__} must say how to open its gateway")

    def case(self) -> Case:
        """A payment that nobody has heard of yet."""
        return Case(self.open(), self.currency)

    def able(self, capability: str) -> Case:
        """The same, where the gateway has this capability; else the promise is skipped."""
        case = self.case()
        if not getattr(case.can, capability):
            pytest.skip(f"the gateway's capabilities say {capability}={getattr(case.can, capability)!r}")
        return case

    def authorised(self) -> Case:
        """A payment for which 1000 minor units are set aside."""
        case = self.case()
        approved(case.authorise(), case.money(1000))
        return case

    def captured(self) -> Case:
        """A payment of which 1000 minor units, all of it, are taken."""
        case = self.authorised()
        approved(case.capture(1000), case.money(1000))
        return case


def approved(answer: Answer, amount: Money) -> Approved:
    """The answer, which must be an approval of exactly this amount."""
    assert isinstance(answer, Approved), f"{answer} instead of an approval of {amount}"
    assert answer.amount == amount
    return answer


def at_once(call: Callable[[int], T]) -> list[T]:
    """What `call` returns to each of several threads that start together."""
    start = Barrier(THREADS)

    def run(number: int) -> T:
        start.wait(timeout=10)
        return call(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def approvals(answers: list[Approved | Denied]) -> int:
    """How many of the answers are approvals."""
    return sum(isinstance(answer, Approved) for answer in answers)
