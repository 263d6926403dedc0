"""Goods that come from elsewhere or can't be had: rules for transfers, rejected lines and customers' answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from omniorder import Tender
from omniorder.domain.lifecycle import TransferState
from tests.model import chances
from tests.model.machine import Shop
from tests.model.world import SKUS, STORES, World

SENDERS = STORES[1:]
"""The stores that send goods to others, so that an order may await some from two."""


class Elsewhere(Shop):
    """The shop's life, and what comes between a promise and its goods."""

    @precondition(lambda self: self.carts)
    @rule(index=chances.some, store=st.sampled_from(STORES[:2]), slot=chances.some, pay=chances.tenders,
          buys=chances.usually)  # fmt: skip
    def promise_from_afar(self, index: int, store: str, slot: int, pay: Sequence[Tender], buys: bool) -> None:
        owner, cart_id = self.pick_from(self.carts, index)
        offers = self.do(lambda w: w.customer(owner).checkout.offers(cart_id)) or ()
        offer = next((offer for offer in offers if offer.store.id == store and offer.slots), None)
        if offer is None:
            return
        chosen = offer.slots[-1 - slot % len(offer.slots)].id
        made = self.do(lambda w: w.customer(owner).checkout.promise(cart_id, slot=chosen, ship=True))
        if made is None:
            return
        if (owner, made.id) not in self.promises:
            self.promises.append((owner, made.id))
        if buys:
            self._placed(owner, made.id, pay)

    @rule(index=chances.some, sender=st.sampled_from(SENDERS),
          what=st.sampled_from(["pick", "pick", "ship", "ship", "receive", "delay", "cancel"]),
          less=st.booleans(), hours=st.sampled_from([1, 6, 30]))  # fmt: skip
    def transfer(self, index: int, sender: str, what: str, less: bool, hours: int) -> None:
        states = tuple(TransferState)[:3]
        open_ones = self.must(lambda w: w.office.transfers.outgoing(sender, states=states)).items
        if not open_ones:
            return
        one = open_ones[index % len(open_ones)]
        known = one.requested if one.state is TransferState.REQUESTED else one.picked
        counted = {sku: count // 2 for sku, count in known.items()} if less else None

        def act(w: World) -> object:
            desk = w.office.transfers
            match what:
                case "pick":
                    return desk.pick(one.id, counted)
                case "ship":
                    return desk.ship(one.id)
                case "receive":
                    return desk.receive(one.id, counted, reason="broken")
                case "delay":
                    return desk.delay(one.id, w.clock.now() + timedelta(hours=hours), reason="snow")
                case _:
                    return desk.cancel(one.id, reason="no van")

        self.do(act)

    @rule(store=st.sampled_from(STORES[:2]), sku=st.sampled_from(SKUS), count=chances.counts)
    def stock_up(self, store: str, sku: str, count: int) -> None:
        self.do(lambda w: w.office.transfers.request(SENDERS[-1], store, {sku: count}))
