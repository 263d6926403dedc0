"""The fake provider's books: what it has on file, what it remembers of keys, and how badly its next calls go."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import count
from threading import RLock
from typing import TypeVar, cast

from attrs import evolve, frozen

from omniorder.domain.payments import Operation, Payment
from omniorder.errors import GatewayFault, GatewayTimeout
from omniorder.ports.clock import Clock
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
    Increase,
    LookUp,
    NeedsAction,
    NoAnswer,
    Refund,
    Void,
)
from omniorder.testing.provider import (
    Luck,
    ProviderOperation,
    ProviderPayment,
    ProviderState,
    luck_at,
    luck_of,
    standing,
)

__all__ = ["ASKING", "Books", "Request", "id_of", "no_reply"]

Request = Authorise | Capture | Void | Refund | Increase | Extend | Collect
ASKING = (Operation.AUTHORISE, Operation.COLLECT)
"""Operations whose outcome may still be open when they are answered: it is read off the payment."""
A = TypeVar("A", bound=Answer)


@frozen
class _Kept:
    """What is remembered of an idempotency key: the answer, or the reason of a fault."""

    request: Request
    answer: Answer | str
    at: datetime


class Books:
    """What every call has in common: it acts at most once under its key, and may be told to fail. Thread-safe."""

    def __init__(self, capabilities: Capabilities, clock: Clock) -> None:
        self._capabilities = capabilities
        self._clock = clock
        self._lock = RLock()
        self._numbers = count(1)
        self._payments: dict[str, ProviderPayment] = {}
        self._kept: dict[str, _Kept] = {}
        self._effects: dict[str, int] = {}
        self._by_payment: dict[str, str] = {}
        self._by_key: dict[str, str] = {}
        self._luck: deque[Luck] = deque()
        self.requests: list[Request | LookUp] = []
        """Everything that was asked, the oldest first, whatever became of it."""

    @property
    def payments(self) -> tuple[ProviderPayment, ...]:
        """Everything on file, the oldest first; declined payments too."""
        with self._lock:
            return tuple(self._aged(found) for found in self._payments.values())

    @property
    def effects(self) -> Mapping[str, int]:
        """How often each idempotency key moved or set aside money; more than once is somebody's mistake."""
        with self._lock:
            return dict(self._effects)

    # --- bad luck ---

    def lose_next_reply(self) -> None:
        """The next call takes effect, but its reply never arrives: `GatewayTimeout`."""
        self._luck.append(Luck(lost=True))

    def drop_next_request(self) -> None:
        """The next call never arrives: `GatewayTimeout` without effect."""
        self._luck.append(Luck(unheard=True))

    def fail_next(self, reason: str = "internal_error", *, remembered: bool = False) -> None:
        """The next call fails without effect: `GatewayFault`.

        `remembered`: and fails the same way under the same key from then on, as some providers do.
        """
        self._luck.append(Luck(failed=reason, remembered=remembered))

    def forget_keys(self) -> None:
        """Forget all idempotency keys, as providers do in time: a request that is repeated acts again."""
        with self._lock:
            self._kept.clear()

    # --- one call ---

    def _once(
        self, request: Request, operation: Operation, act: Callable[[str], tuple[ProviderPayment | None, A]]
    ) -> A:
        """Let a call happen, at most once under its key while that is remembered."""
        with self._lock:
            self.requests.append(request)
            luck = self._next_luck(request)
            answer = self._again(request, operation)
            if answer is None:
                scripted = self._scripted(request, operation)
                if scripted.unheard:
                    raise no_reply()
                payment, answer = act(scripted.denied)
                luck = evolve(luck, lost=luck.lost or scripted.lost)
                self._keep(request, answer)
                if payment is not None:
                    done = ProviderOperation(request.key, operation, answer)
                    self._file(evolve(payment, operations=(*payment.operations, done)))
                    self._by_key[request.key] = payment.id
                if isinstance(answer, Approved):
                    self._count(request.key)
        if luck.lost:
            raise no_reply()
        return cast(A, answer)

    def _scripted(self, request: Request, operation: Operation) -> Luck:
        if isinstance(request, Collect):
            return luck_at(request.reader)
        if isinstance(request, Authorise):
            return luck_of(request.token, operation)
        found = self._find(request.payment, request.provider_id)
        return Luck() if found is None else luck_of(found.token, operation)

    def _next_luck(self, request: Request | None) -> Luck:
        """What a lever holds for this call; raises when the call fails or never arrives."""
        luck = self._luck.popleft() if self._luck else Luck()
        if luck.unheard:
            raise no_reply()
        if luck.failed:
            if luck.remembered and request is not None:
                self._keep(request, luck.failed)
            raise GatewayFault(gateway="fake", reason=luck.failed)
        return luck

    def _again(self, request: Request, operation: Operation) -> Answer | None:
        """The answer that was given under this key already; raises `GatewayFault` for another request."""
        kept = self._kept.get(request.key)
        if kept is None or self._clock.now() - kept.at > self._capabilities.remembers:
            return None
        if kept.request != _essence(request):
            raise GatewayFault(gateway="fake", reason="key_reused")
        if isinstance(kept.answer, str):
            raise GatewayFault(gateway="fake", reason=kept.answer)
        if isinstance(kept.answer, NoAnswer):
            return self._on_file(request.payment, request.key, operation)
        return kept.answer

    def _on_file(
        self, payment: str, key: str, operation: Operation
    ) -> Approved | NeedsAction | Denied | NoAnswer | Absent:
        found = self._payments.get(self._by_key.get(key, ""))
        if found is None or found.payment != payment:
            return Absent()
        for done in found.operations:
            if done.key == key and done.operation is operation:
                return standing(self._aged(found)) if operation in ASKING else done.answer
        return Absent()

    def _keep(self, request: Request, answer: Answer | str) -> None:
        self._kept[request.key] = _Kept(_essence(request), answer, self._clock.now())

    def _count(self, key: str) -> None:
        self._effects[key] = self._effects.get(key, 0) + 1

    # --- the file ---

    def _file(self, payment: ProviderPayment) -> None:
        self._payments[payment.id] = payment
        self._by_payment[payment.payment] = payment.id

    def _find(self, payment: str, provider_id: str) -> ProviderPayment | None:
        """By the provider's own id; by ours, the latest, when the answer that told the other was lost."""
        found = self._payments.get(provider_id or self._by_payment.get(payment, ""))
        return self._aged(found) if found is not None and found.payment == payment else None

    def _aged(self, found: ProviderPayment) -> ProviderPayment:
        """What time alone did to it: what is set aside lapses."""
        lapsed = found.until is not None and self._clock.now() >= found.until
        return evolve(found, state=ProviderState.EXPIRED) if lapsed and found.open.amount else found


def id_of(payment: str | Payment) -> str:
    return payment if isinstance(payment, str) else payment.id


def no_reply() -> GatewayTimeout:
    return GatewayTimeout(gateway="fake", reason="no reply")


def _essence(request: Request) -> Request:
    """What makes two requests the same: the provider's own id may have become known in between."""
    return request if isinstance(request, (Authorise, Collect)) else evolve(request, provider_id="")
