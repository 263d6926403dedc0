"""Two ways to pay: 3-D Secure begun in the app and finished on the web; and a gift card, with a card at the counter.

    python examples/two_ways_to_pay.py                    # in memory
    python examples/two_ways_to_pay.py --database URL     # on an empty sqlite:///... or postgresql://...

The card provider is a fake that behaves like a real one; everything else is the real thing. After each step the
order's payments are shown as they stand, and at the end the provider's own books.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from omniorder import (
    Card,
    GiftCard,
    IsActionRequired,
    Money,
    Order,
    PayInStore,
    Terminal,
)
from omniorder.errors import StillRunning
from omniorder.testing import FakeClock, FakeGateway, Shop
from omniorder.testing.invariants import check_all

READER = "tmr_1"


def main(argv: Sequence[str] | None = None) -> None:
    """Tell both stories in one shop."""
    parser = argparse.ArgumentParser(description="Two orders, and how they are paid.")
    parser.add_argument("--database", metavar="URL", default="memory://", help="an empty one; kept afterwards")
    arguments = parser.parse_args(argv)
    clock = FakeClock()
    provider = FakeGateway(clock=clock, in_person=True)
    gateways = {"card": provider, "terminal": provider}
    with Shop.example(arguments.database, clock=clock, gateway=provider, gateways=gateways) as shop:
        begun_in_the_app(shop)
        at_the_counter(shop)
        check_all(shop.hub, gateways=gateways)
        provider_says(provider)


def begun_in_the_app(shop: Shop) -> None:
    """The bank wants to know that it is Anna: she started in the app, and proves it on the web."""
    chapter("3-D Secure, begun in the app and finished on the web")
    promise = shop.promise(2)
    say("app", f"Anna wants two cartons of oat milk, {promise.quote.total}, and pays by card.")
    order = shop.app.checkout.place(promise.id, pay=Card("pm_card_3ds"))
    assert isinstance(order.outcome, IsActionRequired)
    say("app", f"Order {order.id}: her bank asks for more ({order.outcome.redirect_url}). The app is closed.")
    money(order)

    again = shop.web.checkout.resume(order.id)
    assert isinstance(again.outcome, IsActionRequired)
    say("web", "At her desk the same order shows the same question. She confirms it.")
    shop.gateway.complete_action(order.payments[0])
    order = shop.web.checkout.resume(order.id)
    say("web", f"The order is confirmed ({order.stage.value}).")
    money(order)

    code = prepared(shop, order)
    receipt = shop.store.pickups.hand_over(order.id, code=code)
    say("store", f"She collects, and {receipt.total} is captured as the goods leave.")
    money(receipt.order)


def at_the_counter(shop: Shop) -> None:
    """A gift card gives what is on it, and a card reader takes the rest when the goods are collected."""
    chapter("A gift card, and a card at the counter")
    issued = shop.office.gift_cards.issue(Money(300, "EUR"))
    say("office", f"A gift card of {issued.account.balance} was sold; its code is shown once.")
    promise = shop.promise(3)
    say("app", f"Anna wants three cartons, {promise.quote.total}: first the gift card, the rest in the store.")
    order = shop.app.checkout.place(promise.id, pay=[GiftCard(issued.code), PayInStore()])
    money(order)

    code = prepared(shop, order)
    say("store", f"{order.due_in_store} is due. The reader at the counter asks for a card.")
    try:
        shop.store.pickups.hand_over(order.id, code=code, taken=Terminal(READER))
    except StillRunning:
        say("store", "(waiting: the goods stay on the counter)")
    shop.gateway.present_card(READER)
    receipt = shop.store.pickups.hand_over(order.id, code=code, taken=Terminal(READER))
    say("store", f"The card was accepted. The same call again gives the receipt over {receipt.total}.")
    money(receipt.order)
    left = shop.office.gift_cards.find(issued.code)
    say("office", f"On the gift card is left: {left.balance}.")


def prepared(shop: Shop, order: Order) -> str:
    """Picked and ready; the code that Anna shows."""
    for line in order.lines:
        shop.store.pickups.pick(order.id, line.id, line.quantity)
    shop.store.pickups.ready(order.id, staged_at="C4")
    return shop.app.orders.pickup_pass(order.id).code


def chapter(what: str) -> None:
    print(f"\n== {what}\n")


def say(where: str, what: str) -> None:
    print(f"  {where:<8}{what}")


def money(order: Order) -> None:
    """How each payment stands."""
    for p in order.payments:
        parts = {"set aside": p.authorised - p.captured, "captured": p.captured, "refunded": p.refunded}
        told = ", ".join(f"{amount} {name}" for name, amount in parts.items() if amount.amount)
        print(f"          [{p.kind}: {p.state.value}{', ' + told if told else ''}]")


def provider_says(provider: FakeGateway) -> None:
    """The provider's books, which must say the same."""
    chapter("The card provider's own books")
    for one in provider.payments:
        print(f"  {one.payment:<24}{one.state.value:<12}{one.captured!s:>10} captured")


if __name__ == "__main__":
    main()
