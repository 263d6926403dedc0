"""Bookkeeping: an order's money as balanced entries, for accountants.

Nothing is stored for this: the entries are a fold over what the journal tells of the order, so they can't say anything
else than what happened. A posting takes an amount from one account (credit) to another (debit), so each balances by
itself, and whatever was taken, given back, handed over or corrected is on the accounts exactly once.

What a retailer books, and when:

    money is taken before goods leave    debit clearing (or cash, or gift cards), credit prepayments
    goods leave                          debit prepayments, credit sales (net) and tax, per rate
    a refund is asked for                debit prepayments, credit refunds payable
    it arrives                           debit refunds payable, credit clearing
    it fails or comes back               the same the other way round
    a bank takes money back              debit disputed, credit clearing, until that is decided
    a fee is charged                     debit prepayments, credit fees
    goods cost less after all            debit sales and tax, at the rates of these goods, credit prepayments
    goodwill is granted                  debit goodwill, credit prepayments: the sale and its tax stand

What is set aside (authorised) is nobody's money yet and stands on no account. Goods that leave before they are paid
are on the customer's account as a receivable, and money that comes later settles that first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Final

from attrs import frozen

from omniorder.domain import events as e
from omniorder.domain import payments as pay
from omniorder.domain.corrections import CorrectionKind, summed
from omniorder.domain.events import Recorded
from omniorder.domain.money import Money, tax_contained
from omniorder.domain.orders import Order
from omniorder.domain.payments import PayInStore, Payment
from omniorder.domain.promises import tax_parts
from omniorder.errors import NotFound

__all__ = ["Chart", "Entry", "LedgerAccount", "LedgerPosting", "balances", "entries", "unlike"]

CASH: Final = "cash"
"""What the counter calls money that lies in the till (`Taken.means`)."""
VALUE_OF_OURS: Final = frozenset({"gift_card", "store_credit"})
"""Kinds of tender whose money the shop got earlier, and owes: taking it makes that debt smaller."""


class Chart(Enum):
    """The chart of accounts: what an account says, and on which side it grows."""

    CLEARING = "clearing"
    """Asset, per kind of tender: what a provider (or the counter's terminal) took and has not paid out yet."""
    CASH = "cash"
    """Asset: in the till."""
    RECEIVABLE = "receivable"
    """Asset: goods that the customer has and has not paid."""
    DISPUTED = "disputed"
    """Asset: what customers' banks took back, or threaten to, until that is decided."""
    PREPAYMENTS = "prepayments"
    """Liability: what the customer paid for goods that are still here."""
    GIFT_CARDS = "gift_cards"
    """Liability, per kind of tender: what gift cards and store credit are worth to those who have them."""
    REFUNDS_PAYABLE = "refunds_payable"
    """Liability: what is on its way back to the customer."""
    TAX = "tax"
    """Liability, per rate: the tax in what was sold."""
    SALES = "sales"
    """Income, per rate of tax: what was sold, without the tax."""
    FEES = "fees"
    """Income: what the shop keeps for its trouble."""
    GOODWILL = "goodwill"
    """Expense: what the shop forgoes beyond any goods."""


@frozen(order=True)
class LedgerAccount:
    """An account: `chart` is the value of a `Chart`, `part` the tender's kind or the rate of tax where there are
    several of it."""

    chart: str
    part: str = ""

    @property
    def name(self) -> str:
        """Both, as in `clearing:card`."""
        return f"{self.chart}:{self.part}" if self.part else self.chart


@frozen
class LedgerPosting:
    """An `amount`, never negative, on the `debit` side of one account and the `credit` side of another."""

    debit: LedgerAccount
    credit: LedgerAccount
    amount: Money


@frozen
class Entry:
    """What one event of an order's journal did to its money: at least one posting.

    `seq` is the event's number in the order's stream, `what` its name. `reference` is the payment, or the order for
    goods that left; `provider_id` what the provider calls the payment.
    """

    order: str
    seq: int
    at: datetime
    what: str
    reference: str
    provider_id: str
    postings: tuple[LedgerPosting, ...]

    @property
    def id(self) -> str:
        """Unique, and that of its event in the journal."""
        return f"{self.order}/{self.seq}"


def entries(order: Order, journal: Iterable[Recorded]) -> tuple[Entry, ...]:
    """The entries of an order, by all events of its stream; of the order only what was bought is looked at.

    Raises `IllegalTransition` and `NotFound` for a journal that is not this order's.
    """
    books = _Books(order)
    return tuple(entry for recorded in journal if (entry := books.entry(recorded)) is not None)


def balances(found: Iterable[Entry]) -> Mapping[LedgerAccount, Money]:
    """What is on each account, by its name: debits less credits, so that what the shop owes is negative."""
    sums: dict[LedgerAccount, Money] = {}
    for entry in found:
        for posting in entry.postings:
            for account, amount in ((posting.debit, posting.amount), (posting.credit, -posting.amount)):
                sums[account] = sums[account] + amount if account in sums else amount
    return dict(sorted(sums.items()))


def unlike(order: Order, found: Iterable[Entry]) -> Iterator[str]:
    """In what these entries differ from the sums that the order keeps itself; nothing if all is well."""
    told = {account: amount.amount for account, amount in balances(found).items() if amount.amount}
    kept = _expected(order)
    rates = {line.tax for line in order.every_line}
    gross = {rate: told.get(_sales(rate), 0) + told.get(_tax(rate), 0) for rate in rates}
    for rate in sorted(rates):
        tax = tax_contained(Money(gross[rate], order.total.currency), rate)
        if told.get(_tax(rate), 0) != tax.amount:
            yield f"{_tax(rate).name} is {told.get(_tax(rate), 0)}, in {gross[rate]} of sales are {tax.amount}"
    credited = summed(order.corrections, CorrectionKind.REFUND)
    if not credited:
        kept |= _sold(order)
    elif sum(gross.values()) + told.get(_FEES, 0) != credited - (order.collected_value + order.fees).amount:
        yield f"sales with tax are {gross} by the journal, for {order.collected_value} less {credited}"
    for account in sorted(told.keys() | kept.keys()):
        one, other = told.get(account, 0), kept.get(account, 0)
        if one != other and not (credited and account.chart in _SOLD):
            yield f"{account.name} is {one} by the journal, {other} by the order"


def _expected(order: Order) -> dict[LedgerAccount, int]:
    """What each account but those of sales must hold, by the order and its payments as they are stored."""
    sums: Counter[LedgerAccount] = Counter()
    for p in order.payments:
        sums[_place(p)] += p.captured.amount - p.refunded.amount - p.disputed.amount
        sums[_DISPUTED] += p.disputed.amount
        sums[_REFUNDS] -= p.refund_pending.amount
    sums[_GOODWILL] += summed(order.corrections, CorrectionKind.GOODWILL)
    paid = (order.held - order.owed).amount
    sums[_PREPAYMENTS if paid > 0 else _RECEIVABLE] -= paid
    return {account: amount for account, amount in sums.items() if amount}


def _sold(order: Order) -> dict[LedgerAccount, int]:
    """What the accounts of sales must hold where nothing became cheaper since: there, only all of them together are
    known, since what was sold by then decides how a credit is spread."""
    sums: Counter[LedgerAccount] = Counter()
    collected = {line.line: line.collected for line in order.pickup.lines}
    for part in tax_parts((line.tax, line.value(collected[line.id])) for line in order.every_line):
        sums[_tax(part.rate)] -= part.tax.amount
        sums[_sales(part.rate)] -= part.gross.amount - part.tax.amount
    sums[_FEES] -= order.fees.amount
    return {account: amount for account, amount in sums.items() if amount}


_SOLD: Final = frozenset({Chart.SALES.value, Chart.TAX.value, Chart.FEES.value})
_RECEIVABLE: Final = LedgerAccount(Chart.RECEIVABLE.value)
_DISPUTED: Final = LedgerAccount(Chart.DISPUTED.value)
_FEES: Final = LedgerAccount(Chart.FEES.value)
_GOODWILL: Final = LedgerAccount(Chart.GOODWILL.value)
_PREPAYMENTS: Final = LedgerAccount(Chart.PREPAYMENTS.value)
_REFUNDS: Final = LedgerAccount(Chart.REFUNDS_PAYABLE.value)


def _place(payment: Payment) -> LedgerAccount:
    """Where this payment's money is."""
    if payment.kind in VALUE_OF_OURS:
        return LedgerAccount(Chart.GIFT_CARDS.value, payment.kind)
    if payment.means == CASH:
        return LedgerAccount(Chart.CASH.value)
    counter = payment.kind == PayInStore.kind and payment.means
    return LedgerAccount(Chart.CLEARING.value, payment.means if counter else payment.kind)


def _tax(rate: Decimal) -> LedgerAccount:
    return LedgerAccount(Chart.TAX.value, str(rate))


def _sales(rate: Decimal) -> LedgerAccount:
    return LedgerAccount(Chart.SALES.value, str(rate))


def _apportioned(amount: int, weights: Mapping[Decimal, int]) -> Mapping[Decimal, int]:
    """`amount` in shares by weight, exact: what rounding leaves goes to the highest rate."""
    whole, shares, left = sum(weights.values()), dict[Decimal, int](), amount
    for rate in sorted(weights):
        shares[rate] = amount * weights[rate] // whole if whole else 0
        left -= shares[rate]
    return {rate: share + (left if rate == max(shares) else 0) for rate, share in shares.items()}


class _Books:
    """The fold: payments as the journal leads them, what was sold so far, and what the customer has on account."""

    def __init__(self, order: Order) -> None:
        self._order: Final = order
        self._nothing: Final = Money(0, order.total.currency)
        self._payments: Final[dict[str, Payment]] = {}
        self._collected: Final[Counter[str]] = Counter()
        self._sold: Final[dict[Decimal, Money]] = {}
        self._paid = self._nothing
        """What the customer paid and has not got; below nothing, what they got and have not paid."""
        self._postings: list[LedgerPosting] = []

    def entry(self, recorded: Recorded) -> Entry | None:
        """What this event did, or None when it moved no money; each is to be told once, in the order of the stream."""
        reference, provider_id = self._order.id, ""
        match recorded.event:
            case e.TenderAdded() as added:
                self._payments[added.payment] = pay.create(added, recorded.stamp.at)
            case e.PaymentEvent() | e.AttemptEvent() as event:
                before = self._payment(event.payment)
                after = pay.apply(before, event, recorded.stamp.at)
                self._payments[after.id] = after
                self._money(before, after)
                reference, provider_id = after.id, after.provider_id
            case e.PartCollected(units) | e.Collected(units):
                self._goods(units)
            case e.GoodsExchanged(lines):
                self._goods(e.Units(line.id, line.quantity) for line in lines)
            case e.FeeCharged(amount):
                self._pays(-amount, _FEES)
            case e.CreditGranted(amount, goodwill=True):
                self._pays(amount, _GOODWILL)
            case e.CreditGranted(amount, units=units):
                self._reduces(amount, units)
            case _:
                return None
        posted, self._postings = tuple(self._postings), []
        if not posted:
            return None
        at, seq = recorded.stamp.at, recorded.seq
        return Entry(self._order.id, seq, at, recorded.name, reference, provider_id, posted)

    def _payment(self, payment_id: str) -> Payment:
        if payment_id not in self._payments:
            raise NotFound("payment", payment_id)
        return self._payments[payment_id]

    def _money(self, before: Payment, after: Payment) -> None:
        """What became of a payment: taken, sent back, on its way back, taken by the bank."""
        place = _place(after)
        self._pays(after.captured - before.captured, place)
        back = after.refunded - before.refunded
        self._pays(-(after.refund_pending - before.refund_pending + back), _REFUNDS)
        self._post(_REFUNDS, place, back)
        self._post(_DISPUTED, place, after.disputed - before.disputed)

    def _goods(self, units: Iterable[e.Units]) -> None:
        """The customer got these units: what they cost is sold now, and the tax in it is due."""
        gross: dict[Decimal, Money] = {}
        for part in units:
            line = self._order.line(part.line)
            before = self._collected[line.id]
            self._collected[line.id] += part.quantity
            value = line.value(self._collected[line.id]) - line.value(before)
            gross[line.tax] = gross.get(line.tax, self._nothing) + value
        for rate in sorted(gross):
            self._sells(rate, gross[rate])

    def _reduces(self, amount: Money, units: Iterable[e.Units]) -> None:
        """Goods cost so much less: these units, or else all that was sold, at each rate by its share; then fees."""
        sold = sum(gross.amount for gross in self._sold.values())
        weights: Counter[Decimal] = Counter()
        for part in units:
            line = self._order.line(part.line)
            weights[line.tax] += line.value(part.quantity).amount
        for rate, share in _apportioned(min(amount.amount, sold), weights or self._sold_by_rate()).items():
            self._sells(rate, Money(-share, amount.currency))
        self._pays(Money(max(0, amount.amount - sold), amount.currency), _FEES)

    def _sold_by_rate(self) -> Mapping[Decimal, int]:
        return {rate: gross.amount for rate, gross in self._sold.items()}

    def _sells(self, rate: Decimal, gross: Money) -> None:
        """More was sold at this rate. The tax is that in all that was sold at it, as it is on the receipt of an order
        that is collected at once, however many times the customer comes."""
        before = self._sold.get(rate, self._nothing)
        self._sold[rate] = before + gross
        tax = tax_contained(self._sold[rate], rate) - tax_contained(before, rate)
        self._pays(-(gross - tax), _sales(rate))
        self._pays(-tax, _tax(rate))

    def _pays(self, amount: Money, other: LedgerAccount) -> None:
        """The customer's account grows by so much (or shrinks, below nothing), out of the `other` account.

        What they owe for goods is settled first, and what they paid for goods is used first.
        """
        owed = max(-self._paid, self._nothing)
        ahead = max(self._paid, self._nothing)
        self._paid += amount
        if amount > self._nothing:
            settled = min(amount, owed)
            self._post(other, _RECEIVABLE, settled)
            self._post(other, _PREPAYMENTS, amount - settled)
        else:
            used = min(-amount, ahead)
            self._post(_PREPAYMENTS, other, used)
            self._post(_RECEIVABLE, other, -amount - used)

    def _post(self, debit: LedgerAccount, credit: LedgerAccount, amount: Money) -> None:
        if amount > self._nothing:
            self._postings.append(LedgerPosting(debit, credit, amount))
        elif amount < self._nothing:
            self._postings.append(LedgerPosting(credit, debit, -amount))
