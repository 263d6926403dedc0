"""Accounts: what a shop owes on gift cards and as store credit, kept by double entry.

A balance is changed by postings only. Each debits one account and credits another: one of the two is a customer's, the
other a name in the retailer's own books ("cash", "goodwill", "redeemed"), of which nothing is kept but what postings
say. So the sum over all accounts is nothing at any time, and a balance is what was credited less what was debited.

A payment of an order *holds* an amount on an account, takes it in one or several parts, and gives the rest back: the
same steps as at any payment provider, each under its own key and at most once for ever. The functions here decide
them; that a balance is there to be held is guarded once more by the storage.

The code of a gift card is made of a secret of the hub's and a number that is stored; the account's id is made of a
secret and the code. Who has the database has neither: the code leads to the account, and never back.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from enum import Enum
from itertools import count
from typing import Final, assert_never

from attrs import evolve, field, frozen

from omniorder.domain import ids
from omniorder.domain.answers import Approved, Denied
from omniorder.domain.events import Stamp
from omniorder.domain.money import Money
from omniorder.domain.payments import Operation
from omniorder.domain.text import looks_like_card_number
from omniorder.errors import GiftCardInvalid

CODE_LENGTH: Final = 16
"""Characters of a gift card's code: 80 bits, written in fours."""
LONGEST_CODE: Final = 40
"""Characters of anything that could be a code, with all its pauses."""
REDEEMED: Final = "redeemed"
"""What orders are paid with goes to this name, and comes back from it."""


class AccountKind(Enum):
    """What an account is; the kind of the tender that spends it."""

    GIFT_CARD = "gift_card"
    STORE_CREDIT = "store_credit"


class AccountState(Enum):
    """Whether anything new can be held on an account. What is held already is taken or given back in any state."""

    OPEN = "open"
    CLOSED = "closed"


@frozen
class Account:
    """A gift card, or what one customer has as store credit in one currency.

    `held` is the part of `balance` that is set aside for orders. `owner` is the customer's journal name, of store
    credit only. `ending` is all that is ever shown of a gift card's code: its last four characters. `seed` and `key_id`
    are what the code is made of, together with the secret of that id.
    """

    id: str
    kind: AccountKind
    state: AccountState
    balance: Money
    held: Money
    opened_at: datetime
    owner: str | None = None
    expires_at: datetime | None = None
    ending: str = ""
    seed: str = field(default="", repr=False)
    key_id: str = ""

    @property
    def available(self) -> Money:
        """What of it is not set aside."""
        return self.balance - self.held

    def gone(self, at: datetime) -> str:
        """Why nothing can be spent from it at this instant: `closed` or `expired`; empty when it can."""
        if self.state is AccountState.CLOSED:
            return "closed"
        return "expired" if self.expires_at is not None and at >= self.expires_at else ""


@frozen
class IssuedCard:
    """A gift card that was just issued. The code is shown here and nowhere else: print it, or send it."""

    id: str
    code: str = field(repr=False)
    account: Account


@frozen
class Posting:
    """`amount`, which is above zero, is debited to one account and credited to another; `account` is which is ours.

    A customer's account is a debt of the shop's: a credit makes it larger. `reference` is the payment that was made
    with it, or whatever the back office wants to find it by.
    """

    id: str
    account: str
    debit: str
    credit: str
    amount: Money
    stamp: Stamp
    reason: str = ""
    reference: str = ""

    @property
    def change(self) -> int:
        """What it adds to the balance of `account`, in minor units."""
        return self.amount.amount if self.credit == self.account else -self.amount.amount


# --- codes ------------------------------------------------------------------------------------------------


def code_of(seed: str, secret: bytes) -> str:
    """The code that this seed stands for, in fours: `7K3F-9QXB-...`; never one that looks like a card number."""
    for draw in count():
        spelt = ids.spelt(_mac(secret, "code", f"{seed}:{draw}")[:10], CODE_LENGTH)
        code = "-".join(spelt[start : start + 4] for start in range(0, CODE_LENGTH, 4))
        if not looks_like_card_number(code):
            return code
    raise AssertionError  # there is no end to `count`


def read_code(shown: object) -> str:
    """The sixteen characters of a code, however they are grouped, in any case; O is read as 0, I and L as 1.

    Raises `GiftCardInvalid` for what can't be one, without showing it.
    """
    if not isinstance(shown, str) or len(shown) > LONGEST_CODE or not shown.isascii():
        raise GiftCardInvalid  # a homoglyph might become a letter when it is capitalised
    text = shown.strip().upper().translate(_PAUSES).translate(_MISREAD)
    if len(text) != CODE_LENGTH or not set(text) <= set(ids.HANDOFF_DIGITS):
        raise GiftCardInvalid
    return text


_MISREAD: Final = str.maketrans("OIL", "011")
_PAUSES: Final = str.maketrans("", "", " -.")


def card_account(code: str, secret: bytes) -> str:
    """The account that this code, as `read_code` gives it, opens under this secret."""
    return ids.gift_card_id(_mac(secret, "account", code)[:16])


def credit_account(owner: str, currency: str) -> str:
    """The account of this customer's (by journal name) store credit: one for each currency."""
    return ids.store_credit_id(hashlib.sha256(f"{currency}:{owner}".encode()).digest()[:16])


def _mac(secret: bytes, purpose: str, text: str) -> bytes:
    return hmac.new(secret, f"omniorder:gift-card:{purpose}:{text}".encode(), hashlib.sha256).digest()


def tries_of(actor: str) -> str:
    """Under what wrong codes are counted: a wrong code names no card, so whoever shows it is counted."""
    return f"gift_card:{actor}"


# --- holds ------------------------------------------------------------------------------------------------


class HoldState(Enum):
    """Where a payment's money on an account stands."""

    OPEN = "open"
    CAPTURED = "captured"
    VOIDED = "voided"
    DENIED = "denied"


@frozen
class HoldStep:
    """What was asked under a key, and what was answered for ever: `given`, or a `reason` for nothing.

    `final`: it was to be the last capture, or to be taken at once; `open`: more could be captured after it. Of a void
    that came too late `given` is what was taken.
    """

    key: str
    operation: Operation
    amount: Money
    given: Money
    at: datetime
    reason: str = ""
    final: bool = False
    open: bool = False


@frozen
class Hold:
    """What one payment has set aside on an account, `amount`, and what became of it.

    `captured` and `refunded` are totals. All are in the account's currency; of a denied one they are nothing.
    """

    account: str
    payment: str
    order: str
    state: HoldState
    amount: Money
    captured: Money
    refunded: Money
    placed_at: datetime
    steps: tuple[HoldStep, ...]

    @property
    def id(self) -> str:
        """Account and payment: unique, and enough to find it."""
        return f"{self.account}:{self.payment}"

    @property
    def version(self) -> int:
        """How many steps it has."""
        return len(self.steps)

    @property
    def open(self) -> Money:
        """What is set aside now."""
        return self.amount - self.captured if self.state is HoldState.OPEN else self.amount - self.amount

    def step(self, key: str) -> HoldStep | None:
        """What was done under this key."""
        return next((one for one in self.steps if one.key == key), None)

    def answer(self, step: HoldStep) -> Approved | Denied:
        """What was answered to this step of it."""
        void = step.operation is Operation.VOID
        if step.reason:
            return Denied(step.reason, step.given if void and step.given.amount else None)
        at_once = step.operation is Operation.AUTHORISE and step.final
        return Approved(step.given, self.id, captured=at_once, open=step.open)


@frozen
class Done:
    """A step that was decided: the hold with it, and what it adds to balance and held, in minor units."""

    hold: Hold
    balance: int = 0
    held: int = 0

    @property
    def answer(self) -> Approved | Denied:
        """What is answered."""
        return self.hold.answer(self.hold.steps[-1])


def place(
    account: Account, payment: str, order: str, key: str, amount: Money, *, now: bool, at: datetime
) -> Done:  # fmt: skip
    """Set `amount` aside for a payment, or (`now`) take it at once."""
    none = Money(0, account.balance.currency)
    reason = _not_holdable(account, amount, at)
    state = HoldState.DENIED if reason else HoldState.CAPTURED if now else HoldState.OPEN
    given = none if reason else amount
    step = HoldStep(key, Operation.AUTHORISE, amount, given, at, reason, final=now)
    taken = given if now else none
    hold = Hold(account.id, payment, order, state, given, taken, none, at, (step,))
    return Done(hold, balance=-taken.amount, held=(given - taken).amount)


def _not_holdable(account: Account, amount: Money, at: datetime) -> str:
    if amount.currency != account.balance.currency:
        return "currency_mismatch"
    if amount.amount <= 0:
        return "amount_invalid"
    if gone := account.gone(at):
        return f"account_{gone}"
    return "insufficient_funds" if amount > account.available else ""


def step(
    hold: Hold, account: Account, operation: Operation, key: str, amount: Money, *, final: bool, at: datetime
) -> Done:
    """Do this with what is held, or say why not; the step is noted in both cases."""
    asked = HoldStep(key, operation, amount, amount, at, final=final)
    match operation:
        case Operation.CAPTURE:
            return _capture(hold, asked)
        case Operation.VOID:
            return _void(hold, asked)
        case Operation.REFUND:
            return _refund(hold, asked)
        case Operation.INCREASE:
            return _increase(hold, account, asked)
        case Operation.AUTHORISE | Operation.COLLECT | Operation.EXTEND:
            return _denied(hold, asked, "not_possible")
        case _:
            assert_never(operation)


def _noted(hold: Hold, step: HoldStep) -> Hold:
    return evolve(hold, steps=(*hold.steps, step))


def _denied(hold: Hold, asked: HoldStep, reason: str, given: Money | None = None) -> Done:
    none = hold.amount - hold.amount
    return Done(_noted(hold, evolve(asked, reason=reason, given=none if given is None else given)))


def _capture(hold: Hold, asked: HoldStep) -> Done:
    match hold.state:
        case HoldState.OPEN if not _some(hold, asked.amount):
            return _denied(hold, asked, "amount_invalid")
        case HoldState.OPEN if asked.amount > hold.open:
            return _denied(hold, asked, "amount_too_large")
        case HoldState.CAPTURED:
            return _denied(hold, asked, "already_captured")
        case HoldState.VOIDED | HoldState.DENIED:
            return _denied(hold, asked, "not_authorised")
        case HoldState.OPEN:
            goes_on = not asked.final and asked.amount < hold.open
            free = asked.amount if goes_on else hold.open
            state = HoldState.OPEN if goes_on else HoldState.CAPTURED
            after = evolve(hold, state=state, captured=hold.captured + asked.amount)
            return Done(_noted(after, evolve(asked, open=goes_on)), -asked.amount.amount, -free.amount)
        case _:
            assert_never(hold.state)


def _void(hold: Hold, asked: HoldStep) -> Done:
    if hold.state is HoldState.CAPTURED:
        return _denied(hold, asked, "already_captured", hold.captured)
    state = HoldState.VOIDED if hold.state is HoldState.OPEN else hold.state
    return Done(_noted(evolve(hold, state=state), evolve(asked, given=hold.open)), held=-hold.open.amount)


def _refund(hold: Hold, asked: HoldStep) -> Done:
    if not _some(hold, asked.amount):
        return _denied(hold, asked, "amount_invalid")
    if asked.amount > hold.captured - hold.refunded:
        return _denied(hold, asked, "amount_too_large")
    after = evolve(hold, refunded=hold.refunded + asked.amount)
    return Done(_noted(after, asked), balance=asked.amount.amount)


def _increase(hold: Hold, account: Account, asked: HoldStep) -> Done:
    if hold.state is not HoldState.OPEN:
        return _denied(hold, asked, "not_authorised")
    if not _some(hold, asked.amount) or asked.amount < hold.amount:
        return _denied(hold, asked, "amount_invalid")
    more = asked.amount - hold.amount
    if more.amount and (reason := _not_holdable(account, more, asked.at)):
        return _denied(hold, asked, reason)
    return Done(_noted(evolve(hold, amount=asked.amount), asked), held=more.amount)


def _some(hold: Hold, amount: Money) -> bool:
    return amount.currency == hold.amount.currency and amount.amount > 0
