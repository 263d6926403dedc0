"""The counter: what is to be paid, the hand-over, and the receipts of every one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from attrs import frozen

from omniorder.domain.bills import Bill, bill
from omniorder.domain.capturing import Taken, Terminal
from omniorder.domain.counter import Rest, Unwanted, Wish
from omniorder.domain.lifecycle import PickupState
from omniorder.domain.offline_hand_overs import Synced
from omniorder.domain.orders import Order
from omniorder.domain.proofs import Check
from omniorder.domain.proofs import signature as valid_signature
from omniorder.domain.receipts import Receipt
from omniorder.errors import InvalidInput, NotFound, NotReady
from omniorder.services import handing_over, offline_hand_overs
from omniorder.services.access import look
from omniorder.services.checks import checks_made
from omniorder.services.handing_over import Visitor, history
from omniorder.services.logs import command
from omniorder.services.offline_hand_overs import OfflineHandOver
from omniorder.services.parts import Parts, Touch
from omniorder.services.picks import MOST_LINES, Pick, units_of
from omniorder.services.surface import given, several
from omniorder.services.units import reading


@frozen
class Counter:
    """Orders of one store whose customers stand at its counter."""

    parts: Parts
    touch: Touch

    def bill(
        self,
        order_id: str,
        *,
        lines: Sequence[Pick] | None = None,
        refused: Sequence[Unwanted] | None = None,
        rest: Rest = Rest.LATER,
    ) -> Bill:
        """What `hand_over` would take for this, and from whom, before the customer pays. Nothing changes.

        Raises `NotFound`, `NotReady`, `InvalidQuantity`, `StillRunning`.
        """
        wish = _wish(lines, refused, rest, None)
        order = look(self.parts, self.touch, order_id)
        if order.pickup.state is not PickupState.READY:
            state = order.pickup.state.value
            raise NotReady(order=order.id, reason=f"its pick-up is {state}", state=state)
        wish = handing_over.repeated(wish, order, lambda: reading(self.parts, lambda tx: history(tx, order)))
        return bill(order, wish, self.parts.capabilities, self.parts.clock.now())

    @command("pickups.hand_over")
    def hand_over(
        self,
        order_id: str,
        *,
        code: str | None = None,
        lines: Sequence[Pick] | None = None,
        refused: Sequence[Unwanted] | None = None,
        rest: Rest = Rest.LATER,
        checks: Sequence[Check] = (),
        by_proxy: bool = False,
        signature: str = "",
        taken: Taken | Terminal | None = None,
        key: str | None = None,
    ) -> Receipt:
        """Give the goods to whoever shows the order's code (said, or scanned as token); all, or only `lines`.

        What is `refused` leaves the order before anything is captured, and who refuses everything pays nothing: the
        receipt has no lines then, and the order is cancelled. What is neither taken nor refused waits, or is called off
        too (`rest`). `checks` tell how a look at the person went; `signature` names the picture of one.

        The money is captured first. What is due in the store (see `bill`) is `taken` by the till (`Taken`), or to be
        taken now by the provider's card reader (`Terminal`), through the gateway given as "terminal". When the outcome
        is unknown, or the reader waits for the customer's card, the goods stay, `StillRunning` is raised, and the same
        call again (or the sweep, or a webhook) finds out; `stop_payment` ends the waiting. After `NotPaid` the code is
        still good for another try: with a `key` the same call again says so, without one it is that try. What was
        refused then stays refused, and is not counted twice.

        Without a `code` a signature and an identity check that passed will do, if `Settings.accept_signature` says so.

        Raises `NotFound`, `NotReady`, `WrongCode`, `CodeLocked`, `AgeCheckNeeded`, `IdentityCheckNeeded`, `NotPaid`,
        `InvalidQuantity`, `StillRunning`, `TenderUnsupported` (no card readers), `NeedsOwnTransaction`.
        """
        if taken is not None and not isinstance(cast("object", taken), (Taken, Terminal)):
            raise InvalidInput("taken", taken, "a Taken or a Terminal")
        proxy = given(by_proxy, bool, "by_proxy", "must be True or False")
        visitor = Visitor(code, valid_signature(signature), proxy)
        wish = _wish(lines, refused, rest, checks)
        return handing_over.hand_over(self.parts, self.touch, order_id, visitor, wish, taken, key)

    @command("pickups.sync")
    def sync(self, hand_overs: Sequence[OfflineHandOver]) -> list[Synced]:
        """Tell of what was handed over here without a network, at most 1000 at once; what became of each, in order.

        Each is settled by itself, as `hand_over` does it, and stands in the journal with the instant and the associate
        at the store; money is taken now, and once, however often and by how many devices the same is told. What was not
        to be given stands in the order's journal as `PassUsedTwice` and moves neither goods nor money. What isn't paid
        stays on the order (`order.pickup.left`): tell it again, with what the till has `taken` since, or hand it over
        at the counter as usual.

        Raises `InvalidInput`, `TooMany`, `Misconfigured` (no signing keys), `NeedsOwnTransaction`, and faults of the
        storage: what was settled until then stays so.
        """
        return offline_hand_overs.sync(self.parts, self.touch, hand_overs)

    @command("pickups.stop_payment")
    def stop_payment(self, order_id: str, *, key: str | None = None) -> Order:
        """Stop the card reader that waits for this order's customer: what is due is then due at the counter again.

        A card may have been quicker: then the money was taken, and the order comes back as collected. Where no reader
        waits nothing changes. Raises `NotFound`, `StillRunning` (the reader is being asked just now, or does not say
        whether it stopped: the same call again, or the sweep, finds out), `NeedsOwnTransaction`.
        """
        return handing_over.stop_payment(self.parts, self.touch, order_id, key)

    def receipt(self, order_id: str, number: str) -> Receipt:
        """An earlier receipt of the order by its number, told again by the journal. Raises `NotFound`."""
        order = look(self.parts, self.touch, order_id)
        found = handing_over.receipts(self.parts, order)
        for one in found:
            if one.number == number:
                return one
        raise NotFound("receipt", number)


def _wish(
    lines: Sequence[Pick] | None, refused: Sequence[Unwanted] | None, rest: Rest, checks: Sequence[Check] | None
) -> Wish:
    given(rest, Rest, "rest", "must be a Rest")
    unwanted = several(refused or (), Unwanted, "refused", "a list of Unwanted", most=MOST_LINES)
    return Wish(None if lines is None else units_of(lines), unwanted, rest, checks_made(checks or ()))
