"""A payment provider in memory: it keeps what a real one keeps, refuses what a real one refuses, and fails on
command.

What it does with a card is chosen by the card's token, as in a provider's test mode: see `provider`.

Beside the tokens there are levers (`lose_next_reply`, `drop_next_request`, `fail_next`, `forget_keys`,
`expire`), and `payments` and `effects` show the provider's own books, to be compared with ours.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import count
from threading import RLock
from typing import TypeVar, cast

from attrs import evolve, frozen

from omniorder.domain.money import Money
from omniorder.domain.payments import Operation, Payment
from omniorder.errors import GatewayFault, GatewayTimeout, NotFound
from omniorder.ports.clock import Clock, SystemClock
from omniorder.ports.payments import (
    Absent,
    Answer,
    Approved,
    Authorise,
    Capabilities,
    Capture,
    Denied,
    LookUp,
    NeedsAction,
    NoAnswer,
    Notice,
    Refund,
    Void,
)
from omniorder.testing import webhooks
from omniorder.testing.provider import (
    VOIDABLE,
    Luck,
    ProviderOperation,
    ProviderPayment,
    ProviderState,
    approved,
    luck_of,
    not_capturable,
    not_refundable,
    standing,
)

__all__ = ["FakeGateway", "ProviderOperation", "ProviderPayment", "ProviderState"]


Request = Authorise | Capture | Void | Refund
A = TypeVar("A", bound=Answer)


@frozen
class _Kept:
    """What is remembered of an idempotency key: the answer, or the reason of a fault."""

    request: Request
    answer: Answer | str
    at: datetime


class FakeGateway:
    """A `PaymentGateway` for tests and demonstrations. Thread-safe; every call sees the effect of the last.

    Its capabilities are arguments; `remembers` is how long it knows a key, by `clock`; `secret` signs
    webhooks, and `account` is whom they are meant for.
    """

    def __init__(
        self,
        *,
        partial_capture: bool = True,
        several_captures: bool = False,
        partial_refund: bool = True,
        remembers: timedelta = timedelta(hours=24),
        clock: Clock | None = None,
        secret: bytes = b"fake-webhook-secret",
        account: str = "acct_fake",
    ) -> None:
        self._capabilities = Capabilities(partial_capture, several_captures, partial_refund, remembers)
        self._clock = clock or SystemClock()
        self._secret = secret
        self._account = account
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

    # --- the port ---

    @property
    def capabilities(self) -> Capabilities:
        """What this provider can do."""
        return self._capabilities

    def authorise(self, request: Authorise) -> Approved | NeedsAction | Denied:
        """Set money aside, as the token says."""
        answer = self._once(request, Operation.AUTHORISE, lambda denied: self._authorise(request, denied))
        if isinstance(answer, NoAnswer):
            raise _no_reply()
        return answer

    def capture(self, request: Capture) -> Approved | Denied:
        """Take what is set aside: never more than that, and only once where the capabilities say so."""
        return self._once(request, Operation.CAPTURE, lambda denied: self._capture(request, denied))

    def void(self, request: Void) -> Approved | Denied | Absent:
        """Give back what is set aside."""
        return self._once(request, Operation.VOID, lambda denied: self._void(request, denied))

    def refund(self, request: Refund) -> Approved | Denied:
        """Send captured money back: never more than was captured."""
        return self._once(request, Operation.REFUND, lambda denied: self._refund(request, denied))

    def look_up(self, request: LookUp) -> Approved | NeedsAction | Denied | NoAnswer | Absent:
        """The outcome of the operation on file under this key; the file outlives the memory for keys."""
        with self._lock:
            self.requests.append(request)
            luck = self._next_luck(None)
            answer = self._on_file(request.payment, request.key, request.operation)
        if luck.lost:
            raise _no_reply()
        return answer

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Verify and read a webhook; raises `BadWebhook`."""
        return webhooks.read(self._secret, headers, body, self._clock.now(), account=self._account)

    # --- the customer, time and bad luck ---

    def complete_action(self, payment: str | Payment) -> None:
        """The customer did what was asked (or the provider is done at last): approved."""
        with self._lock:
            found = approved(self._waiting(payment))
            self._file(found)
            self._count(found.operations[0].key)

    def fail_action(self, payment: str | Payment, reason: str = "authentication_failed") -> None:
        """The customer did not do what was asked: declined."""
        with self._lock:
            found = self._waiting(payment)
            self._file(evolve(found, state=ProviderState.DECLINED, reason=reason))

    def expire(self, payment: str | Payment) -> None:
        """The authorisation grew too old: what is not captured is the customer's again."""
        with self._lock:
            found = self._find(_id(payment), "")
            if found is None or found.state is not ProviderState.AUTHORISED:
                raise NotFound("authorised payment", _id(payment))
            self._file(evolve(found, state=ProviderState.EXPIRED))

    def bounce_refund(self, payment: str | Payment, reason: str = "account_closed") -> None:
        """The bank sends the last refund back, which had succeeded: the shop holds that money again."""
        with self._lock:
            found = self._find(_id(payment), "")
            done = [one for one in found.operations if _refunded(one)] if found else []
            if found is None or not done:
                raise NotFound("refunded payment", _id(payment))
            bounced = evolve(done[-1], answer=Denied(reason))
            operations = tuple(bounced if one is done[-1] else one for one in found.operations)
            back = cast(Approved, done[-1].answer).amount
            self._file(evolve(found, operations=operations, refunded=found.refunded - back))

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

    def signed_webhook(
        self, payment: str | Payment, kind: str, *, age: timedelta = timedelta(0), disputed: Money | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of a webhook that tells about this payment, sent `age` ago.

        `disputed` is what the customer's bank wants back.
        """
        told: dict[str, object] = {"payment": _id(payment)}
        if disputed is not None:
            told["disputed"] = [disputed.amount, disputed.currency]
        with self._lock:
            event = {"id": f"evt_fake_{next(self._numbers)}", "account": self._account, "type": kind, "data": told}
        return self.sign(json.dumps(event).encode(), age=age)

    def sign(self, body: bytes, *, age: timedelta = timedelta(0)) -> tuple[dict[str, str], bytes]:
        """Headers and body of a webhook with any body at all, as only the provider can sign it."""
        signature = webhooks.sign(self._secret, body, self._clock.now() - age)
        return {"Content-Type": "application/json", webhooks.HEADER: signature}, body

    # --- the provider's books ---

    @property
    def payments(self) -> tuple[ProviderPayment, ...]:
        """Everything on file, the oldest first; declined payments too."""
        with self._lock:
            return tuple(self._payments.values())

    @property
    def effects(self) -> Mapping[str, int]:
        """How often each idempotency key moved or set aside money; more than once is somebody's mistake."""
        with self._lock:
            return dict(self._effects)

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
                scripted = luck_of(self._token(request), operation)
                if scripted.unheard:
                    raise _no_reply()
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
            raise _no_reply()
        return cast(A, answer)

    def _next_luck(self, request: Request | None) -> Luck:
        """What a lever holds for this call; raises when the call fails or never arrives."""
        luck = self._luck.popleft() if self._luck else Luck()
        if luck.unheard:
            raise _no_reply()
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
                return standing(found) if operation is Operation.AUTHORISE else done.answer
        return Absent()

    def _token(self, request: Request) -> str:
        if isinstance(request, Authorise):
            return request.token
        found = self._find(request.payment, request.provider_id)
        return "pm_card_visa" if found is None else found.token

    def _keep(self, request: Request, answer: Answer | str) -> None:
        self._kept[request.key] = _Kept(_essence(request), answer, self._clock.now())

    def _count(self, key: str) -> None:
        self._effects[key] = self._effects.get(key, 0) + 1

    # --- what an operation does ---

    def _authorise(
        self, request: Authorise, denied: str
    ) -> tuple[ProviderPayment, Approved | NeedsAction | Denied | NoAnswer]:
        none = Money(0, request.amount.currency)
        number = f"pi_fake_{next(self._numbers)}"
        asked = ProviderPayment(
            number, request.payment, request.order, request.token, request.amount, ProviderState.PENDING,
            authorised=none, captured=none, refunded=none, instant=request.token == "pm_card_instant",
        )  # fmt: skip
        if request.amount.amount <= 0:
            denied = "amount_invalid"
        if denied:
            asked = evolve(asked, state=ProviderState.DECLINED, reason=denied)
        elif request.token == "pm_card_3ds":
            asked = evolve(asked, state=ProviderState.REQUIRES_ACTION)
        elif request.token != "pm_card_pending":
            asked = approved(asked)
        return asked, standing(asked)

    def _capture(self, request: Capture, denied: str) -> tuple[ProviderPayment | None, Approved | Denied]:
        found = self._find(request.payment, request.provider_id)
        if found is None:
            return None, Denied("no_such_payment")
        if why := not_capturable(found, request.amount, self._capabilities) or denied:
            return found, Denied(why)
        taken = found.captured + request.amount
        final = request.final or taken == found.authorised or not self._capabilities.several_captures
        state = ProviderState.CAPTURED if final else ProviderState.AUTHORISED
        return evolve(found, captured=taken, state=state), Approved(request.amount, found.id, open=not final)

    def _void(self, request: Void, denied: str) -> tuple[ProviderPayment | None, Approved | Denied | Absent]:
        found = self._find(request.payment, request.provider_id)
        if found is None:
            return None, Absent()
        if denied:
            return found, Denied(denied)
        if found.state is ProviderState.CAPTURED:
            return found, Denied("already_captured", found.captured)
        released = found.open
        if found.state in VOIDABLE:
            found = evolve(found, state=ProviderState.VOIDED)
        return found, Approved(released, found.id)

    def _refund(self, request: Refund, denied: str) -> tuple[ProviderPayment | None, Approved | Denied]:
        found = self._find(request.payment, request.provider_id)
        if found is None:
            return None, Denied("no_such_payment")
        if why := not_refundable(found, request.amount, self._capabilities) or denied:
            return found, Denied(why)
        number = f"re_fake_{next(self._numbers)}"
        return evolve(found, refunded=found.refunded + request.amount), Approved(request.amount, number)

    # --- the file ---

    def _file(self, payment: ProviderPayment) -> None:
        self._payments[payment.id] = payment
        self._by_payment[payment.payment] = payment.id

    def _find(self, payment: str, provider_id: str) -> ProviderPayment | None:
        """By the provider's own id; by ours, the latest, when the answer that told the other was lost."""
        found = self._payments.get(provider_id or self._by_payment.get(payment, ""))
        return found if found is not None and found.payment == payment else None

    def _waiting(self, payment: str | Payment) -> ProviderPayment:
        found = self._find(_id(payment), "")
        if found is None or found.state not in (ProviderState.PENDING, ProviderState.REQUIRES_ACTION):
            raise NotFound("waiting payment", _id(payment))
        return found


def _refunded(done: ProviderOperation) -> bool:
    return done.operation is Operation.REFUND and isinstance(done.answer, Approved)


def _id(payment: str | Payment) -> str:
    return payment if isinstance(payment, str) else payment.id


def _essence(request: Request) -> Request:
    """What makes two requests the same: the provider's own id may have become known in between."""
    return request if isinstance(request, Authorise) else evolve(request, provider_id="")


def _no_reply() -> GatewayTimeout:
    return GatewayTimeout(gateway="fake", reason="no reply")
