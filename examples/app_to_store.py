"""From the app to the counter: a basket started in the app is paid on the web and collected in a store.

    python examples/app_to_store.py                       # on an SQLite file of its own, deleted afterwards
    python examples/app_to_store.py --database URL        # on sqlite:///... or postgresql://...
    python examples/app_to_store.py --what-if [STORY]     # what happens when things go wrong: see `what_if.py`

The shop is a small grocery chain in two cities, read from the CSV files in `grocery/`.
"""

from __future__ import annotations

import argparse
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from chain import stock_the_shelves
from what_if import MEMORY, STORIES, tell_stories, title

import omniorder
from omniorder import (
    Article,
    Associate,
    Card,
    Cart,
    Channel,
    Customer,
    Level,
    Message,
    Occasion,
    Offer,
    Order,
    OrderHub,
    Point,
    Receipt,
    Recorded,
    System,
    Unit,
)
from omniorder.domain.money import total
from omniorder.qr import terminal
from omniorder.testing import FakeGateway

HOME = Point(lat=42.6977, lon=23.3219)  # Anna lives in the middle of Sofia
EVERY = "all"
BASKET = {"OAT-MILK-1L": 2, "BREAD-RYE-500G": 1, "BANANA": 850}


def main(argv: Sequence[str] | None = None) -> None:
    """Open a hub and tell the story, or those of what goes wrong."""
    arguments = options().parse_args(argv)
    if arguments.what_if:
        tell_stories(STORIES if arguments.what_if == EVERY else [arguments.what_if], arguments.database or MEMORY)
        return
    with tempfile.TemporaryDirectory() as folder:
        where = arguments.database or f"sqlite:///{Path(folder) / 'shop.db'}"
        gateways = {"card": FakeGateway()}
        with OrderHub.open(
            where, migrate=True, gateways=gateways, notifier=Phone(), secret="only-for-this-demo"
        ) as hub:
            print("Stocking five stores in two cities ...")
            stock_the_shelves(hub)
            tell(hub)


def options() -> argparse.ArgumentParser:
    """What may be said on the command line."""
    parser = argparse.ArgumentParser(
        description="From the app to the counter, told as it happens.",
        epilog="what may go wrong:\n" + "\n".join(f"  {name:<16}{title(name)}" for name in STORIES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--database", metavar="URL", help="sqlite:///file.db or postgresql://user@host/name; kept afterwards"
    )
    parser.add_argument(
        "--what-if", nargs="?", const=EVERY, choices=[EVERY, *STORIES], metavar="STORY",
        help="tell what happens when things go wrong, in memory unless --database is given; all, or one of these",
    )  # fmt: skip
    return parser


class Phone:
    """A notifier. The library names the customer and the occasion; a real one knows the address and the words."""

    def notify(self, message: Message) -> None:
        if message.occasion is Occasion.READY:
            say(f"(a message to {message.owner}: {message.order} is ready)")


def tell(hub: OrderHub) -> None:
    """The story, channel by channel."""
    office = hub.at(Channel.SYSTEM, System("import"))
    app = hub.at(Channel.APP, Customer("anna"), via="ios/5.2")
    web = hub.at(Channel.WEB, Customer("anna"), via="firefox")

    chapter("The app", "Anna fills a basket on her way to work")
    cart = app.carts.start(language="en")
    for sku, quantity in BASKET.items():
        cart = app.carts.add(cart.id, sku, quantity, note="not too ripe, please" if sku == "BANANA" else "")
    for line in cart.lines:
        article = office.articles.get(line.sku)
        note = f'   "{line.note}"' if line.note else ""
        say(f"{amount(line.quantity, article):>8}  {article.name}{note}")
    state(cart=cart)

    chapter("The web", "at her desk she opens the same basket, and asks who can have it ready")
    basket = web.carts.current()
    assert basket is not None
    offers = web.checkout.offers(basket.id, near=HOME)
    for offer in offers:
        tell_offer(offer)
    best = offers[0]
    assert best.quote is not None
    slot, store_id = best.slots[0], best.store.id
    soon = slot.starts + timedelta(minutes=1)
    say("")
    say(f"And who by {soon - timedelta(minutes=1):%H:%M}?")
    say("")
    for offer in web.checkout.offers(basket.id, near=HOME, by=soon):
        tell_offer(offer)
    before = levels(hub, store_id)

    say("")
    say(f"She takes {best.store.name}, {slot.starts:%A %d %B, %H:%M} to {slot.ends:%H:%M}.")
    promise = web.checkout.promise(basket.id, slot=slot.id, expect=best.quote.total)
    held = promise.expires_at - promise.made_at
    say(f"Units, place and price are hers for {held.seconds // 60} minutes:")
    say("")
    show_stock("before the promise", before)
    show_stock("promised", levels(hub, store_id))
    state(cart=web.carts.get(basket.id), promise=promise.state.value)

    say("")
    for priced in promise.quote.lines:
        say(f"{priced.name:<28} {priced.total!s:>10}")
    say(f"{'total':<28} {promise.quote.total!s:>10}")
    for part in promise.quote.taxes:
        say(f"{f'  of that {part.rate:.0%} tax':<28} {part.tax!s:>10}")

    chapter("The web", "she pays by card: authorised now, captured when the goods leave the store")
    order = web.checkout.place(promise.id, pay=Card("pm_card_visa"))
    say(f"Order {order.id}")
    state(cart=web.carts.get(basket.id), order=order)

    chapter("The store", f"Ivan, an associate of {store_id}, picks")
    store = hub.at(Channel.STORE, Associate("ivan", store=store_id), via="handheld 3")
    for todo in store.pickups.due().items:
        starts, ends = todo.pickup.window
        say(f"to do: {todo.id}, {starts:%H:%M} to {ends:%H:%M}, {len(todo.lines)} lines")
    for wanted in order.lines:
        order = store.pickups.pick(order.id, wanted.id, wanted.quantity)
        picked = f"{amount(wanted.quantity, office.articles.get(wanted.sku))} {wanted.name}"
        say(f"picked {picked}" + (f' ("{wanted.note}")' if wanted.note else ""))
    state(order=order)
    order = store.pickups.ready(order.id, staged_at="C4")
    say("Everything lies in C4. The handheld never shows the customer's code.")
    hub.sweep()  # a worker does this every few seconds: messages, lapsed promises, no-shows
    state(order=order)

    chapter("The app", "Anna opens her pass")
    ticket = app.orders.pickup_pass(order.id)
    say(f"Say {ticket.code[:3]} {ticket.code[3:]}, or let this be scanned:")
    say("")
    for row in terminal(ticket).splitlines():
        say(row)

    chapter("The store", "at the counter")
    receipt = store.pickups.hand_over(order.id, code=ticket.code)
    tell_receipt(receipt)
    state(order=receipt.order)
    say("")
    show_stock("before the promise", before)
    show_stock("after the hand-over", levels(hub, store_id))

    chapter("Everywhere", f"the timeline of {order.id}, the same on every channel")
    names = {line.id: line.name for line in order.lines}
    for entry in app.orders.timeline(order.id).items:
        stamp = entry.stamp
        who = f"{stamp.channel.value:<7}{stamp.actor}"
        say(f"{entry.seq:>3}  {stamp.at:%H:%M:%S} UTC  {who:<29} {entry.name:<20} {details(entry, names)}")
    say("")
    say("What the app did to the basket before is told in the basket's own stream.")


def chapter(where: str, what: str) -> None:
    print(f"\n== {where}: {what}\n")


def say(line: str) -> None:
    print(f"  {line}".rstrip())


def state(*, cart: Cart | None = None, promise: str = "", order: Order | None = None) -> None:
    """Where everything stands, in one line."""
    parts = [f"cart {cart.state.value}"] if cart else []
    parts += [f"promise {promise}"] if promise else []
    if order:
        money = total((p.authorised for p in order.payments), order.total.currency)
        parts += [f"order {order.state.value}", f"payment {', '.join(p.state.value for p in order.payments)}"]
        parts += [f"authorised {money}", f"captured {order.kept}", f"pick-up {order.pickup.state.value}"]
    say(f"[{' | '.join(parts)}]")


def tell_offer(offer: Offer) -> None:
    """In one line; below it, for a store that can't promise it all as it is, why not, and what would help."""
    where = f"{offer.store.id} {offer.store.name}"
    far = f"{offer.distance_km:.1f} km" if offer.distance_km is not None else ""
    if offer.why is None:
        can = f"{offer.quote.total if offer.quote else ''!s:>9}, from {offer.slots[0].starts:%a %H:%M}"
    else:
        can = "not as it is:"
    say(f"{where:<40} {far:>9}  {can}")
    if offer.why is not None:
        for row in textwrap.wrap(omniorder.say(offer.why), width=92, break_on_hyphens=False):
            say(f"      {row}")


def details(entry: Recorded, names: Mapping[str, str]) -> str:
    """What an event says besides its name, in a few words; `names` are those of the order's lines."""
    event = entry.event
    told = [names.get(getattr(event, "line", ""), "")]
    told += [str(getattr(event, name, "")) for name in ("quantity", "amount", "total", "staged_at", "reason")]
    return ", ".join(fact for fact in told if fact)


def tell_receipt(receipt: Receipt) -> None:
    for line in receipt.lines:
        say(f"{line.name:<28} {line.total!s:>10}")
    say(f"{'paid':<28} {receipt.total!s:>10}")
    for part in receipt.taxes:
        say(f"{f'  of that {part.rate:.0%} tax':<28} {part.tax!s:>10}")
    say(f"handed over by {receipt.by}")


def amount(quantity: int, article: Article) -> str:
    return f"{quantity} g" if article.unit is Unit.GRAM else f"{quantity} x"


def levels(hub: OrderHub, store: str) -> Sequence[Level]:
    office = hub.at(Channel.SYSTEM, System("import"))
    return office.stock.levels(store, list(BASKET))


def show_stock(when: str, rows: Sequence[Level]) -> None:
    """In pieces, or grams. `kept back` is for customers who walk in, and is never promised."""
    say(f"{when:<22}{'on hand':>9}{'reserved':>10}{'kept back':>11}{'to promise':>12}")
    for level in rows:
        say(f"  {level.sku:<20}{level.on_hand:>9}{level.reserved:>10}{level.safety:>11}{level.available:>12}")


if __name__ == "__main__":
    main()
