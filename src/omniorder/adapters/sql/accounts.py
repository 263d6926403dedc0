"""Accounts with what is held on them and posted to them.

A balance is changed by one guarded statement: it adds, and never writes what was read. Who finds that the account can't
give what they decided on reads again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, insert, or_, select, tuple_, update

from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import Instant, Whole, moment
from omniorder.adapters.sql.link import Link
from omniorder.adapters.sql.schema import ACCOUNT, HOLD, POSTING
from omniorder.domain.accounts import Account, AccountKind, AccountState, Hold, HoldState, HoldStep, Posting
from omniorder.domain.channels import Channel
from omniorder.domain.events import Stamp
from omniorder.domain.instants import iso
from omniorder.domain.money import Money
from omniorder.domain.payments import Operation
from omniorder.ports.writes import AccountWrite, BalanceChange, HoldWrite

_LOAD: Final = select(ACCOUNT).where(ACCOUNT.c.id == bindparam("at_id"))
_INSERT: Final = insert(ACCOUNT)
_SET_STATE: Final = (
    update(ACCOUNT)
    .where(ACCOUNT.c.id == bindparam("at_id"), ACCOUNT.c.state == bindparam("at_state"))
    .values(state=bindparam("new_state"))
)
_BALANCE: Final = ACCOUNT.c.balance + bindparam("more_balance", type_=Whole())
_HELD: Final = ACCOUNT.c.held + bindparam("more_held", type_=Whole())
_CHANGE: Final = (
    update(ACCOUNT)
    .where(
        ACCOUNT.c.id == bindparam("at_id"),
        _HELD >= 0,
        _BALANCE >= _HELD,
        or_(bindparam("spends", type_=Whole()) == 0, ACCOUNT.c.state == AccountState.OPEN.value),
    )
    .values(balance=_BALANCE, held=_HELD)
)

_HOLD: Final = select(HOLD).where(
    HOLD.c.account_id == bindparam("at_account"), HOLD.c.payment_id == bindparam("at_payment")
)
_HOLDS_OF: Final = select(HOLD).where(HOLD.c.payment_id == bindparam("at_payment")).order_by(HOLD.c.account_id)
_PLACE: Final = (HOLD.c.placed_at, HOLD.c.account_id, HOLD.c.payment_id)
_HOLDS: Final = (
    select(HOLD)
    .where(
        HOLD.c.placed_at >= bindparam("start", type_=Instant()),
        HOLD.c.placed_at < bindparam("end", type_=Instant()),
    )
    .order_by(*_PLACE)
    .limit(bindparam("most"))
)
_HOLDS_AFTER: Final = _HOLDS.where(
    tuple_(*_PLACE)
    > tuple_(bindparam("after_at", type_=Instant()), bindparam("after_account"), bindparam("after_payment"))
)
_INSERT_HOLD: Final = insert(HOLD)
_UPDATE_HOLD: Final = update(HOLD).where(
    and_(
        HOLD.c.account_id == bindparam("at_account"),
        HOLD.c.payment_id == bindparam("at_payment"),
        HOLD.c.version == bindparam("at_version"),
    )
)

_POST: Final = insert(POSTING)
_POSTINGS: Final = (
    select(POSTING)
    .where(POSTING.c.account_id == bindparam("at_account"), POSTING.c.id > bindparam("after"))
    .order_by(POSTING.c.id)
    .limit(bindparam("most"))
)


# --- accounts ---------------------------------------------------------------------------------------------


def load(link: Link, account_id: str) -> Account | None:
    """The account with its balance."""
    rows = link.rows(_LOAD, {"at_id": account_id})
    return account_from(rows[0]) if rows else None


def write(batch: Batch, writes: Iterable[AccountWrite]) -> None:
    """Open accounts, raises `AlreadyThere`; or replace their state, raises `StaleWrite`."""
    for one in writes:
        id = one.after.id
        if one.before is None:
            batch.insert(_INSERT, _account(one.after), "account", id)
        else:
            at = {"at_id": id, "at_state": one.before.state.value}
            batch.guarded(_SET_STATE, at | {"new_state": one.after.state.value}, "account", id)


def change(batch: Batch, changes: Sequence[BalanceChange]) -> None:
    """Change balances, account by account in the order of their ids; raises `StaleWrite`."""
    for one in sorted(changes, key=lambda change: change.account):
        more = {"more_balance": one.balance, "more_held": one.held, "spends": int(one.spends)}
        batch.guarded(_CHANGE, {"at_id": one.account} | more, "account", one.account)


def _account(one: Account) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind.value,
        "state": one.state.value,
        "currency": one.balance.currency,
        "balance": one.balance.amount,
        "held": one.held.amount,
        "opened_at": one.opened_at,
        "owner": one.owner,
        "expires_at": one.expires_at,
        "ending": one.ending,
        "seed": one.seed,
        "key_id": one.key_id,
    }


def account_from(row: Any) -> Account:
    """The account of a row."""
    return Account(
        id=row.id,
        kind=AccountKind(row.kind),
        state=AccountState(row.state),
        balance=Money(row.balance, row.currency),
        held=Money(row.held, row.currency),
        opened_at=row.opened_at,
        owner=row.owner,
        expires_at=row.expires_at,
        ending=row.ending,
        seed=row.seed,
        key_id=row.key_id,
    )


# --- holds ------------------------------------------------------------------------------------------------


def hold(link: Link, account_id: str, payment: str) -> Hold | None:
    """What this payment holds on this account."""
    rows = link.rows(_HOLD, {"at_account": account_id, "at_payment": payment})
    return hold_from(rows[0]) if rows else None


def holds_of(link: Link, payment: str) -> tuple[Hold, ...]:
    """The same on every account."""
    return tuple(map(hold_from, link.rows(_HOLDS_OF, {"at_payment": payment})))


def holds(
    link: Link, start: datetime, end: datetime, after: tuple[datetime, str, str] | None, limit: int
) -> tuple[Hold, ...]:
    """Holds by when they were placed."""
    params: dict[str, Any] = {"start": start, "end": end, "most": limit}
    if after is None:
        return tuple(map(hold_from, link.rows(_HOLDS, params)))
    at, account, payment = after
    params |= {"after_at": at, "after_account": account, "after_payment": payment}
    return tuple(map(hold_from, link.rows(_HOLDS_AFTER, params)))


def write_hold(batch: Batch, change: HoldWrite) -> None:
    """Insert or replace; raises `AlreadyThere`, `StaleWrite`."""
    row, id = _hold(change.after), change.after.id
    if change.before is None:
        batch.insert(_INSERT_HOLD, row, "hold", id)
    else:
        at = {"at_account": change.before.account, "at_payment": change.before.payment}
        batch.guarded(_UPDATE_HOLD, row | at | {"at_version": change.before.version}, "hold", id)


def _hold(one: Hold) -> dict[str, Any]:
    return {
        "account_id": one.account,
        "payment_id": one.payment,
        "order_id": one.order,
        "state": one.state.value,
        "version": one.version,
        "currency": one.amount.currency,
        "amount": one.amount.amount,
        "captured": one.captured.amount,
        "refunded": one.refunded.amount,
        "placed_at": one.placed_at,
        "steps": [_step(step) for step in one.steps],
    }


def _step(one: HoldStep) -> dict[str, Any]:
    return {
        "key": one.key,
        "operation": one.operation.value,
        "amount": [one.amount.amount, one.amount.currency],
        "given": one.given.amount,
        "at": iso(one.at),
        "reason": one.reason,
        "final": one.final,
        "open": one.open,
    }


def hold_from(row: Any) -> Hold:
    """The hold of a row."""
    currency = row.currency
    return Hold(
        account=row.account_id,
        payment=row.payment_id,
        order=row.order_id,
        state=HoldState(row.state),
        amount=Money(row.amount, currency),
        captured=Money(row.captured, currency),
        refunded=Money(row.refunded, currency),
        placed_at=row.placed_at,
        steps=tuple(_step_from(step, currency) for step in row.steps),
    )


def _step_from(step: Mapping[str, Any], currency: str) -> HoldStep:
    return HoldStep(
        key=step["key"],
        operation=Operation(step["operation"]),
        amount=Money(*step["amount"]),
        given=Money(step["given"], currency),
        at=moment(step["at"]),
        reason=step["reason"],
        final=step["final"],
        open=step["open"],
    )


# --- postings ---------------------------------------------------------------------------------------------


def post(batch: Batch, postings: Sequence[Posting]) -> None:
    """Append postings; raises `AlreadyThere`."""
    if postings:
        ids = ", ".join(one.id for one in postings)
        batch.insert(_POST, [_posting(one) for one in postings], "posting", ids)


def postings(link: Link, account_id: str, after: str | None, limit: int) -> tuple[Posting, ...]:
    """The postings to one account, oldest first."""
    params = {"at_account": account_id, "after": after or "", "most": limit}
    return tuple(posting_from(row) for row in link.rows(_POSTINGS, params))


def _posting(one: Posting) -> dict[str, Any]:
    return {
        "account_id": one.account,
        "id": one.id,
        "debit": one.debit,
        "credit": one.credit,
        "currency": one.amount.currency,
        "amount": one.amount.amount,
        "at": one.stamp.at,
        "channel": one.stamp.channel.value,
        "actor": one.stamp.actor,
        "via": one.stamp.via,
        "reason": one.reason,
        "reference": one.reference,
    }


def posting_from(row: Any) -> Posting:
    """The posting of a row."""
    return Posting(
        id=row.id,
        account=row.account_id,
        debit=row.debit,
        credit=row.credit,
        amount=Money(row.amount, row.currency),
        stamp=Stamp(row.at, Channel(row.channel), row.actor, row.via),
        reason=row.reason,
        reference=row.reference,
    )
