"""Gift cards and store credit at the payment port: a provider that lives in the hub's own database.

It is asked like any other: outside of the order's transactions, under the attempt's key. Each operation is one
transaction on one account, and is remembered for ever under its key, so whatever was lost can be asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, TypeVar

from omniorder.domain import accounts, ids
from omniorder.domain.accounts import REDEEMED, Account, AccountKind, Done, Hold, HoldState, Posting
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.channels import Channel
from omniorder.domain.events import Stamp
from omniorder.domain.money import Money
from omniorder.domain.payments import Operation
from omniorder.errors import BadWebhook, GatewayFault, GatewayTimeout, StorageFault
from omniorder.ports.payments import (
    Absent,
    Approved,
    Authorise,
    Capture,
    Denied,
    Increase,
    Listed,
    LookUp,
    Notice,
    Refund,
    Void,
)
from omniorder.ports.storage import Transaction
from omniorder.ports.writes import BalanceChange, HoldWrite, Writes
from omniorder.services.booking import book
from omniorder.services.parts import Parts
from omniorder.services.units import Unit, in_transaction, reading

ACTOR: Final = "system:payments"
"""Who posts what orders are paid with."""
PAGE: Final = 200
"""Holds that are listed at a time."""
FOR_EVER: Final = timedelta(days=365 * 200)
CAPABILITIES: Final = Capabilities(
    several_captures=True, remembers=FOR_EVER, incremental=True, reuse=True, lists=True
)  # fmt: skip

_PREFIX: Final[Mapping[AccountKind, str]] = {AccountKind.GIFT_CARD: "gft_", AccountKind.STORE_CREDIT: "crd_"}

A = TypeVar("A", bound=Approved | Denied | Absent)
R = TypeVar("R")


class AccountGateway:
    """Implements `ListingGateway` and `IncrementalGateway` over accounts of one kind.

    A tender's token is the account's id. What is held has no lifetime; there are no webhooks.
    """

    def __init__(self, kind: AccountKind, parts: Callable[[], Parts]) -> None:
        self._kind: Final = kind
        self._parts: Final = parts

    @property
    def capabilities(self) -> Capabilities:
        """Everything but what needs a provider: keys are remembered for ever."""
        return CAPABILITIES

    def authorise(self, request: Authorise) -> Approved | Denied:
        """Hold the amount on the account. Denied for an account that isn't there, is closed, or has too little."""
        if request.method:
            return Denied("wallet_unsupported")

        def work(unit: Unit, drawn: str) -> Approved | Denied:
            account = self._account(unit.tx, request.token)
            if account is None:
                return Denied("no_such_account")
            hold = unit.tx.hold(account.id, request.payment)
            if hold is None:
                at, once = unit.stamp.at, (request.payment, request.order, request.key, request.amount)
                return _write(unit, None, accounts.place(account, *once, now=request.now, at=at), drawn)
            if (known := self._known(hold, request.key, Operation.AUTHORISE, request.amount, request.now)) is not None:
                return known
            return Denied("already_authorised")

        return self._carry_out(work)

    def capture(self, request: Capture) -> Approved | Denied:
        """Take the amount: the account is debited."""
        return self._step(request, Operation.CAPTURE, request.amount, Denied("no_such_payment"), final=request.final)

    def void(self, request: Void) -> Approved | Denied | Absent:
        """Let go of what is held and not taken."""
        return self._step(request, Operation.VOID, None, Absent())

    def refund(self, request: Refund) -> Approved | Denied:
        """Credit the account with what was taken, also one that was closed or has expired since."""
        return self._step(request, Operation.REFUND, request.amount, Denied("no_such_payment"))

    def increase(self, request: Increase) -> Approved | Denied:
        """Hold more, up to the amount."""
        return self._step(request, Operation.INCREASE, request.amount, Denied("no_such_payment"))

    def look_up(self, request: LookUp) -> Approved | Denied | Absent:
        """What was answered under this key. Of an authorisation that came to nothing: that it did."""
        hold = self._reading(lambda tx: self._find(tx, request.payment, request.provider_id))
        step = hold.step(request.key) if hold is not None else None
        if hold is None or step is None or step.operation is not request.operation:
            return Absent()
        voided = hold.state is HoldState.VOIDED and not hold.captured.amount
        if step.operation is Operation.AUTHORISE and voided:
            return Denied("voided")
        return hold.answer(step)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Nobody sends any: raises `BadWebhook`."""
        raise BadWebhook(gateway=self._kind.value, reason="accounts of our own send no webhooks")

    def listed(self, since: datetime, until: datetime) -> Iterator[Listed]:
        """Every hold of this kind that was placed then; denied ones with nothing authorised."""
        after: tuple[datetime, str, str] | None = None
        while page := self._page(since, until, after):
            for hold in page:
                if hold.account.startswith(_PREFIX[self._kind]):
                    yield Listed(
                        hold.id, hold.payment, hold.placed_at, hold.amount, hold.captured, hold.refunded, hold.open
                    )
            last = page[-1]
            after = (last.placed_at, last.account, last.payment)

    def _page(self, since: datetime, until: datetime, after: tuple[datetime, str, str] | None) -> tuple[Hold, ...]:
        return self._reading(lambda tx: tx.holds(since, until, after=after, limit=PAGE))

    # --- one operation ---

    def _step(
        self,
        request: Capture | Void | Refund | Increase,
        operation: Operation,
        amount: Money | None,
        missing: A,
        *,
        final: bool = False,
    ) -> Approved | Denied | A:
        def work(unit: Unit, drawn: str) -> Approved | Denied | A:
            hold = self._find(unit.tx, request.payment, request.provider_id)
            account = unit.tx.account(hold.account) if hold is not None else None
            if hold is None or account is None:
                return missing
            wanted = hold.amount - hold.amount if amount is None else amount
            if (known := self._known(hold, request.key, operation, wanted, final)) is not None:
                return known
            at = unit.stamp.at
            done = accounts.step(hold, account, operation, request.key, wanted, final=final, at=at)
            return _write(unit, hold, done, drawn)

        return self._carry_out(work)

    def _known(
        self, hold: Hold, key: str, operation: Operation, amount: Money, final: bool
    ) -> Approved | Denied | None:
        """What was answered under this key before; raises `GatewayFault` for another request."""
        step = hold.step(key)
        if step is None:
            return None
        if (step.operation, step.amount, step.final) != (operation, amount, final):
            raise GatewayFault(gateway=self._kind.value, reason="key_reused")
        return hold.answer(step)

    def _account(self, tx: Transaction, account_id: str) -> Account | None:
        found = tx.account(account_id)
        return found if found is not None and found.kind is self._kind else None

    def _find(self, tx: Transaction, payment: str, provider_id: str) -> Hold | None:
        """By account and payment; by the payment alone when the answer that told the account was lost."""
        account, _, of = provider_id.partition(":")
        if account:
            return tx.hold(account, payment) if of == payment else None
        found = (hold for hold in tx.holds_of(payment) if hold.account.startswith(_PREFIX[self._kind]))
        return next(found, None)

    def _carry_out(self, work: Callable[[Unit, str], A]) -> A:
        parts = self._parts()
        stamp, drawn = Stamp(parts.clock.now(), Channel.SYSTEM, ACTOR), ids.posting_id(parts.time_ordered())
        try:
            return in_transaction(parts, stamp, lambda unit: work(unit, drawn))
        except StorageFault as fault:
            raise GatewayTimeout(gateway=self._kind.value, reason=fault.code) from fault

    def _reading(self, look: Callable[[Transaction], R]) -> R:
        try:
            return reading(self._parts(), look)
        except StorageFault as fault:
            raise GatewayTimeout(gateway=self._kind.value, reason=fault.code) from fault


def _write(unit: Unit, before: Hold | None, done: Done, drawn: str) -> Approved | Denied:
    """Write a step with what it does to the account. What is newly held or spent needs an open account."""
    hold = done.hold
    unit.tx.write(Writes(holds=(HoldWrite(before, hold),)))
    spends = before is None or done.held > 0
    if done.balance:
        debit, credit = (hold.account, REDEEMED) if done.balance < 0 else (REDEEMED, hold.account)
        amount = Money(abs(done.balance), hold.amount.currency)
        posting = Posting(drawn, hold.account, debit, credit, amount, unit.stamp, reference=hold.payment)
        book(unit, posting, held=done.held, spends=spends)
    elif done.held:
        unit.tx.write(Writes(balances=(BalanceChange(hold.account, held=done.held, spends=spends),)))
    return done.answer
