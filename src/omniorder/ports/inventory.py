"""Inventory: whose stock it is that is promised.

`TransactionalInventory` shares the order's database: the built-in ledger is one, and with it stock, slot, price and
order are held in one transaction. `Inventory` is a retailer's own system behind a network: it is called outside of
transactions under an id that we made, so that a lost answer can be asked again, and what is left over heals by expiry.
There a promise is reserve, commit, compensate.

Both count units per SKU at one store. `reserve` is all or nothing and raises `OutOfStock`; the others raise
`ReservationGone` when the reservation has ended or holds fewer units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from omniorder.domain.events import Stamp
from omniorder.ports.storage import Transaction


class Inventory(Protocol):
    """Stock outside of our database. Every call may be repeated with the same arguments and has one effect."""

    def available(self, store: str, skus: Sequence[str]) -> Mapping[str, int]:
        """Units that may be promised now, per SKU; unknown SKUs are 0."""
        ...

    def reserve(self, reservation: str, store: str, units: Mapping[str, int], until: datetime) -> None: ...

    def extend(self, reservation: str, until: datetime) -> None: ...

    def confirm(self, reservation: str) -> None:
        """Drop the time limit."""
        ...

    def consume(self, reservation: str, units: Mapping[str, int], reference: str) -> None:
        """These units left the store with the customer."""
        ...

    def release(self, reservation: str, units: Mapping[str, int] | None = None) -> None:
        """Give these units (or all that are live) back to other customers."""
        ...


class TransactionalInventory(Protocol):
    """Stock in our database: the same promises, inside the caller's transaction."""

    def available(
        self, tx: Transaction, skus: Sequence[str], stores: Sequence[str] | None = None
    ) -> Mapping[tuple[str, str], int]:
        """Units that may be promised now, per (store, SKU); levels that don't exist are left out."""
        ...

    def reserve(
        self,
        tx: Transaction,
        reservation: str,
        store: str,
        units: Mapping[str, int],
        until: datetime,
        instead_of: str | None = None,
    ) -> None:
        """Hold the units; `instead_of` names a reservation that is given up for it, netted where they overlap."""
        ...  # fmt: skip

    def extend(self, tx: Transaction, reservation: str, until: datetime) -> None: ...

    def confirm(self, tx: Transaction, reservation: str) -> None: ...

    def consume(
        self, tx: Transaction, reservation: str, units: Mapping[str, int], reference: str, stamp: Stamp
    ) -> None: ...

    def release(
        self, tx: Transaction, reservation: str, units: Mapping[str, int] | None = None, *, expired: bool = False
    ) -> None: ...
