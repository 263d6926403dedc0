"""The gift card desk: the back office issues cards, tops them up, pays them out and closes them.

Whoever has a code may ask what is left. Postings are the journal of a card: what changes its balance is posted, with
who did it, why, and its reference.
"""

from __future__ import annotations

from datetime import datetime

from attrs import evolve, frozen

from omniorder.domain import accounts, ids
from omniorder.domain.accounts import Account, AccountKind, AccountState, IssuedCard, Posting
from omniorder.domain.instants import instant
from omniorder.domain.money import Money
from omniorder.errors import InvalidInstant, NotFound
from omniorder.ports.writes import AccountWrite, Writes
from omniorder.services.accounts import proven
from omniorder.services.booking import Entry, book, booked, entry, post, posted
from omniorder.services.logs import command
from omniorder.services.paging import Page
from omniorder.services.parts import Parts, Touch
from omniorder.services.payments import own_transaction
from omniorder.services.units import Unit, in_transaction, reading


@frozen
class GiftCardBalances:
    """What is left on gift cards, for whoever has their codes."""

    parts: Parts
    touch: Touch

    @command("gift_cards.balance", secret=True)
    def balance(self, code: str) -> Money:
        """What can be spent from the card with this code at this moment: nothing of one that is closed or expired.

        Raises `GiftCardInvalid` for what is no code, also when this actor showed too many wrong ones today
        (`Settings.code_tries`); `NeedsOwnTransaction` inside `joined`, since tries are counted.
        """
        own_transaction(self.parts, "gift_cards.balance")
        card = proven(self.parts, self.touch, code)
        return Money(0, card.balance.currency) if card.gone(self.parts.clock.now()) else card.available


@frozen
class GiftCards(GiftCardBalances):
    """Gift cards, as the back office keeps them."""

    @command("gift_cards.issue", secret=True)
    def issue(
        self,
        amount: Money,
        *,
        against: str = "cash",
        expires_at: datetime | None = None,
        reason: str = "issued",
        reference: str = "",
        key: str | None = None,
    ) -> IssuedCard:
        """A new card with this amount on it, and its code.

        `against` names what is debited in your own books: "cash" for a card that was bought, "promotion" for one that
        was given away. Under the same `key` the same card comes back, with its code.

        Raises `InvalidMoney` (amount), `InvalidText` (against, reason, reference), `InvalidInstant` (expires_at, also
        one that is past), `KeyReused`, `Misconfigured` for a hub without a secret.
        """
        stamp = self.touch.stamp(self.parts.clock)
        ends = None if expires_at is None else instant(expires_at, "expires_at")
        if ends is not None and ends <= stamp.at:
            raise InvalidInstant("expires_at", expires_at, "must be ahead")
        ring = self.parts.key_ring()
        secret, seed = ring.secret(ring.current), ids.posting_id(self.parts.time_ordered())
        code = accounts.code_of(seed, secret)
        id = accounts.card_account(accounts.read_code(code), secret)
        asked = entry(id, amount, credit=True, against=against, reason=reason, reference=reference)
        none = Money(0, asked.amount.currency)
        blank = Account(
            id, AccountKind.GIFT_CARD, AccountState.OPEN, none, none, stamp.at, expires_at=ends, ending=code[-4:],
            seed=seed, key_id=ring.current,
        )  # fmt: skip

        def work(unit: Unit) -> Account:
            home, request = stamp.actor, [evolve(asked, account=""), str(ends)]
            earlier = unit.earlier(key, "gift_cards.issue", home=home, subject=home, request=request, result=id)
            if earlier is not None:
                return _found(unit.tx.account(earlier), earlier)
            posting = asked.posting(seed, unit)
            unit.tx.write(Writes(accounts=(AccountWrite(None, blank),)))
            book(unit, posting)
            return booked(blank, posting)

        card = in_transaction(self.parts, stamp, work)
        return IssuedCard(card.id, accounts.code_of(card.seed, ring.secret(card.key_id)), card)

    @command("gift_cards.find", secret=True)
    def find(self, code: str) -> Account:
        """The card with this code, in whatever state. Raises as `balance` does."""
        own_transaction(self.parts, "gift_cards.find")
        return proven(self.parts, self.touch, code)

    def get(self, id: str) -> Account:
        """The card, by its account's id. Raises `NotFound`."""
        checked = _card(id)
        return _found(reading(self.parts, lambda tx: tx.account(checked)), id)

    @command("gift_cards.credit")
    def credit(
        self, id: str, amount: Money, reason: str, *, against: str = "cash", reference: str = "", key: str | None = None
    ) -> Account:
        """Put more on a card: it is topped up, or a mistake is put right.

        Raises `NotFound`, `InvalidMoney`, `CurrencyMismatch`, `InvalidText` (reason, against, reference), `KeyReused`.
        """
        asked = entry(_card(id), amount, credit=True, against=against, reason=reason, reference=reference)
        return self._post("gift_cards.credit", asked, key)

    @command("gift_cards.debit")
    def debit(
        self, id: str, amount: Money, reason: str, *, against: str = "cash", reference: str = "", key: str | None = None
    ) -> Account:
        """Take something off a card, in whatever state it is: it is paid out, or written off.

        Raises as `credit` does, and `BalanceTooLow`: what orders hold can't be taken.
        """
        asked = entry(_card(id), amount, credit=False, against=against, reason=reason, reference=reference)
        return self._post("gift_cards.debit", asked, key)

    @command("gift_cards.close")
    def close(self, id: str) -> Account:
        """Let nothing more be spent from a card: it was lost, or its code is known. Doing it again changes nothing.

        What is on it stays on the books until it is debited. What orders hold can still be taken, and what they give
        back still comes to it. Raises `NotFound`.
        """
        checked = _card(id)

        def work(unit: Unit) -> Account:
            before = _found(unit.tx.account(checked), id)
            if before.state is AccountState.CLOSED:
                return before
            after = evolve(before, state=AccountState.CLOSED)
            unit.tx.write(Writes(accounts=(AccountWrite(before, after),)))
            return after

        return in_transaction(self.parts, self.touch.stamp(self.parts.clock), work)

    def postings(self, id: str, *, after: str | None = None, limit: int = 50) -> Page[Posting]:
        """What changed the balance of a card, oldest first. Raises `NotFound`, `InvalidQuantity`, `InvalidId`."""
        return posted(self.parts, self.get(id).id, after, limit)

    def _post(self, name: str, asked: Entry, key: str | None) -> Account:
        return post(self.parts, self.touch, name, asked, key=key)


def _card(id: object) -> str:
    """The id of a gift card's account; raises `NotFound` for anything else."""
    checked = ids.check("account", id)
    if not checked.startswith("gft_"):
        raise NotFound("account", id)
    return checked


def _found(account: Account | None, id: str) -> Account:
    if account is None:
        raise NotFound("account", id)
    return account
