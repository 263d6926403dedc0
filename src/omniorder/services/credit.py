"""The store credit desk: what a customer has to spend, and the back office that grants it."""

from __future__ import annotations

from attrs import evolve, frozen

from omniorder.domain.accounts import Account, AccountKind, AccountState, Posting, credit_account
from omniorder.domain.actors import Customer
from omniorder.domain.money import Money
from omniorder.errors import NotAllowed
from omniorder.services.booking import entry, post, posted
from omniorder.services.logs import command
from omniorder.services.paging import Page
from omniorder.services.parts import Parts, Touch
from omniorder.services.units import reading


@frozen
class OwnCredit:
    """The store credit of the customer who asks, or for whom an agent does."""

    parts: Parts
    touch: Touch

    def balance(self, currency: str) -> Money:
        """What can be spent at this moment, in this currency.

        Raises `InvalidMoney`, `NotAllowed` for an actor who acts for nobody.
        """
        return _available(self.parts, self._owner(), currency)

    def postings(self, currency: str, *, after: str | None = None, limit: int = 50) -> Page[Posting]:
        """What changed it, oldest first. Raises as `balance` does, and `InvalidQuantity`, `InvalidId`."""
        account = _account(self._owner(), currency)
        return posted(self.parts, account, after, limit)

    def _owner(self) -> str:
        owner = self.touch.actor.owner
        if owner is None:
            raise NotAllowed(actor=self.touch.actor.name, action="have store credit")
        return owner


@frozen
class StoreCredits:
    """Everybody's store credit, as the back office keeps it. There is one account per customer and currency."""

    parts: Parts
    touch: Touch

    @command("credit.grant")
    def grant(
        self,
        customer: str,
        amount: Money,
        reason: str,
        *,
        against: str = "goodwill",
        reference: str = "",
        key: str | None = None,
    ) -> Account:
        """Give a customer (by your own id) something to spend: for a complaint, or for goods that came back.

        `against` names what is debited in your own books. Raises `InvalidId` (customer), `InvalidMoney`, `InvalidText`
        (reason, against, reference), `KeyReused`.
        """
        owner = Customer(customer).owner
        return self._post("credit.grant", owner, amount, True, against, reason, reference, key)

    @command("credit.take")
    def take(
        self,
        customer: str,
        amount: Money,
        reason: str,
        *,
        against: str = "goodwill",
        reference: str = "",
        key: str | None = None,
    ) -> Account:
        """Take store credit back, or pay it out. Raises as `grant` does, and `BalanceTooLow`."""
        owner = Customer(customer).owner
        return self._post("credit.take", owner, amount, False, against, reason, reference, key)

    def balance(self, customer: str, currency: str) -> Money:
        """What this customer can spend at this moment. Raises `InvalidId`, `InvalidMoney`."""
        return _available(self.parts, Customer(customer).owner, currency)

    def postings(self, customer: str, currency: str, *, after: str | None = None, limit: int = 50) -> Page[Posting]:
        """What changed it, oldest first. Raises as `balance` does, and `InvalidQuantity`."""
        account = _account(Customer(customer).owner, currency)
        return posted(self.parts, account, after, limit)

    def _post(
        self,
        name: str,
        owner: str,
        amount: Money,
        credit: bool,
        against: str,
        reason: str,
        reference: str,
        key: str | None,
    ) -> Account:
        asked = entry("", amount, credit=credit, against=against, reason=reason, reference=reference)
        none, at = Money(0, asked.amount.currency), self.parts.clock.now()
        id = credit_account(owner, none.currency)
        blank = Account(id, AccountKind.STORE_CREDIT, AccountState.OPEN, none, none, at, owner)
        return post(self.parts, self.touch, name, evolve(asked, account=id), key=key, blank=blank)


def _account(owner: str, currency: str) -> str:
    return credit_account(owner, Money(0, currency).currency)


def _available(parts: Parts, owner: str, currency: str) -> Money:
    account = _account(owner, currency)
    found = reading(parts, lambda tx: tx.account(account))
    return Money(0, currency) if found is None else found.available
