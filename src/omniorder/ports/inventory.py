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
    """Stock outside of our database, in a retailer's own system. All threads share one.

    Each call says how a reservation is to stand, and `consume` and `release` count **in all**, since it was made. So a
    call may be repeated, or come late once more, and has one effect. Units are whole numbers of the article's own
    unit; instants are aware and in UTC.

    Every method raises `InventoryUnavailable` when it is not known whether the call took effect, and `InventoryFault`
    for what repeating can't cure.
    """

    def available(self, stores: Sequence[str], skus: Sequence[str]) -> Mapping[tuple[str, str], int]:
        """Units that may be promised now, per (store, SKU); what is left out is 0."""
        ...

    def reserve(
        self, reservation: str, store: str, units: Mapping[str, int], until: datetime, instead_of: str | None = None
    ) -> None:
        """Hold these units per SKU, all or none, until then, when they are free again by themselves.

        Of what is held already only the time limit moves, and never back. What ran out is held anew, if it is still
        there. `instead_of` names a reservation of the same customer that is about to be released for this one: while
        both are held, their units may overlap. A system that can't tell holds both.

        Raises `OutOfStock`, whose facts name every SKU that is short; `ReservationGone` for an id that was released,
        or a limit that has passed; `InventoryFault` for an id that holds something else.
        """
        ...

    def extend(self, reservation: str, until: datetime) -> None:
        """Hold the units at least until this instant. Raises `ReservationGone`."""
        ...

    def confirm(self, reservation: str) -> None:
        """Drop the time limit. Raises `ReservationGone`."""
        ...

    def consume(self, reservation: str, units: Mapping[str, int], reference: str) -> None:
        """So many units per SKU have left the store with the customer by now, in all; `reference` is the order.

        A fact: it drops the time limit, and a reservation that ran out can't keep the goods in the store. Raises
        `ReservationGone` when it was released, is not known, or is of fewer units.
        """
        ...

    def release(self, reservation: str, units: Mapping[str, int] | None = None) -> None:
        """So many units per SKU were given back to other customers by now, in all; or (None) all that are still held.

        Without `units` nothing can be reserved under this id any more, even if it was never heard of: a request to
        reserve that comes late finds it released. With `units`, raises `ReservationGone` when it is not known or is
        of fewer.
        """
        ...


class TransactionalInventory(Protocol):
    """Stock in our database: the same promises, inside the caller's transaction.

    A refusal may come at once or when the transaction ends; either way nothing of it stays.
    """

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
        until: datetime | None,
        instead_of: str | None = None,
    ) -> None:
        """Hold these units per SKU under a new id, all or none, until then; without a time limit when it is None.

        `instead_of` names a reservation that is given up for it, netted where they overlap. Raises `OutOfStock`, whose
        facts name every SKU that is short, `AlreadyThere` for an id that was used, `ReservationGone` for `instead_of`.
        """
        ...

    def extend(self, tx: Transaction, reservation: str, until: datetime) -> None:
        """Set the time limit of a held reservation anew.

        Raises `ReservationGone` when it has ended, `IllegalTransition` when it has no limit any more.
        """
        ...

    def confirm(self, tx: Transaction, reservation: str) -> None:
        """Drop the time limit: the order is funded. Raises as `extend` does."""
        ...

    def consume(
        self, tx: Transaction, reservation: str, units: Mapping[str, int], reference: str, stamp: Stamp
    ) -> None:
        """These units per SKU left the store with the customer: they are neither held nor on hand any more.

        `reference` is the order; `stamp` says who handed them over. Raises `ReservationGone` when the reservation has
        ended or holds fewer, `IllegalTransition` before it was confirmed.
        """
        ...

    def release(
        self, tx: Transaction, reservation: str, units: Mapping[str, int] | None = None, *, expired: bool = False
    ) -> None:
        """Give these units per SKU, or all that are live, back to other customers.

        `expired` notes that time ran out, rather than that somebody gave them up. Raises `ReservationGone` when the
        reservation has ended or holds fewer, `IllegalTransition` when units are named before it was confirmed.
        """
        ...
