"""Accounts as a way to pay: from what a customer shows to the account that it opens, and what can be spent from it.

A code is read and proven here, before anything is stored: a payment names the account, never the code. A wrong code
names no card, so it is counted against whoever showed it, by its own committed statement, and so many a day are read.
"""

from __future__ import annotations

from attrs import fields, frozen

from omniorder.domain import accounts
from omniorder.domain.accounts import Account
from omniorder.domain.money import Money
from omniorder.domain.payments import GiftCard, StoreCredit, Tender
from omniorder.errors import CurrencyMismatch, GiftCardGone, GiftCardInvalid
from omniorder.ports.storage import Transaction
from omniorder.services.account_gateway import AccountGateway
from omniorder.services.parts import Parts, Touch
from omniorder.services.units import Unit, in_transaction, reading


@frozen
class OnGiftCard(Tender):
    """A gift card that was proven: `token` is its account."""

    kind = GiftCard.kind


@frozen
class OnStoreCredit(Tender):
    """The store credit of whoever pays: `token` is the account, empty where there can't be one."""

    kind = StoreCredit.kind


def is_ours(parts: Parts, kind: str) -> bool:
    """Whether tenders of this kind are accounts of ours."""
    return isinstance(parts.gateways.get(kind), AccountGateway)


def presented(parts: Parts, touch: Touch, tender: Tender, currency: str) -> Tender:
    """The tender as it may be stored: for one on an account of ours, its token is the account's id.

    Every other tender comes back as it is. To be called outside of any transaction, and for every tender that a caller
    brings: it goes by the kind, so no class of theirs gets past it.

    Raises `GiftCardInvalid`, `GiftCardGone` (closed, expired), `CurrencyMismatch` (the card's is not `currency`).
    """
    if not is_ours(parts, tender.kind):
        return tender
    if tender.kind == StoreCredit.kind:
        owner = touch.actor.owner
        return _on(OnStoreCredit, tender, "" if owner is None else accounts.credit_account(owner, currency))
    card = proven(parts, touch, tender.token)
    if gone := card.gone(parts.clock.now()):
        raise GiftCardGone(card=card.ending, reason=gone)
    if card.balance.currency != currency:
        raise CurrencyMismatch("currency", card.balance.currency, f"must be {currency}")
    return _on(OnGiftCard, tender, card.id)


def available(parts: Parts, tender: Tender, currency: str) -> Money | None:
    """What a presented tender can give at this moment; None for one that is no account of ours.

    It may be less a moment later: only the authorisation holds it, and says so by being declined.
    """
    if not is_ours(parts, tender.kind):
        return None
    none, now = Money(0, currency), parts.clock.now()
    found = reading(parts, lambda tx: tx.account(tender.token))
    if found is None or found.balance.currency != currency or found.gone(now):
        return none
    return found.available


def _on(kind: type[Tender], tender: Tender, account: str) -> Tender:
    given = {field.name: getattr(tender, field.name) for field in fields(Tender)}
    return kind(**given | {"token": account})


# --- codes ------------------------------------------------------------------------------------------------


def proven(parts: Parts, touch: Touch, code: str) -> Account:
    """The account of the gift card with this code, in whatever state.

    The try is counted before it is known whether it is right: as many as are wrong may be shown by one actor on a day
    (`Settings.code_tries`), and the right one begins the count anew. Raises `GiftCardInvalid` for all that is none.
    """
    read = accounts.read_code(code)
    ring = parts.key_ring()
    candidates = [accounts.card_account(read, secret) for secret in reversed(list(ring.keys.values()))]
    stamp = touch.stamp(parts.clock)
    subject, day, most = accounts.tries_of(stamp.actor), stamp.at.toordinal(), parts.settings.code_tries

    def work(unit: Unit) -> Account | None:
        if unit.tx.count_try(subject, day, most) is None:
            return None
        found = _first(unit.tx, candidates)
        if found is not None:
            unit.tx.forget_tries(subject, day)
        return found

    found = in_transaction(parts, stamp, work)
    if found is None:
        raise GiftCardInvalid
    return found


def _first(tx: Transaction, candidates: list[str]) -> Account | None:
    return next((found for id in candidates if (found := tx.account(id)) is not None), None)
