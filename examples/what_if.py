"""What if ...? Eight things that go wrong between the app and the counter, and what becomes of goods and money.

    python examples/app_to_store.py --what-if             # all of them
    python examples/app_to_store.py --what-if last-unit   # one of them

Each story is a function that reads from top to bottom and makes the calls that an application would make. The shop is
`omniorder.testing.Shop`: a hub like any other, whose clock can be turned and whose payment provider misbehaves on
command. When a story has been told, all invariants are asked whether they still hold, as your own tests can do.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Barrier
from typing import Final, TypeVar

from telling import ZONE, Telling, clock, weekday

from omniorder import (
    Add,
    Card,
    Cart,
    CustomerTouchpoint,
    IsActionRequired,
    Offer,
    OmniorderError,
    Order,
    Pick,
    Promise,
    Receipt,
    say,
)
from omniorder.errors import (
    CartChanged,
    CodeLocked,
    NotReady,
    OutOfStock,
    PaymentDeclined,
    PromiseGone,
    VersionConflict,
    WrongCode,
)
from omniorder.testing import Shop
from omniorder.testing.invariants import INVARIANTS, check_all

T = TypeVar("T")

MEMORY: Final = "memory://"
VISA: Final = Card("pm_card_visa")


# --- the stories ------------------------------------------------------------------------------------------


def last_unit(shop: Shop, tell: Telling) -> None:
    """The last unit is wanted by two customers."""
    left = shop.office.stock.level(shop.SOFIA, shop.BREAD).available
    shop.office.stock.adjust(shop.SOFIA, shop.BREAD, 1 - left, reason="counted")
    tell.books("before")

    anna, boris = shop.app, shop.stranger
    hers, his = basket(anna, {shop.BREAD: 1}), basket(boris, {shop.BREAD: 1})
    first, second, *_ = in_sofia(anna, hers).slots
    tell("store", "One loaf of rye bread is left.")
    tell("app", f"Anna wants it at {first.starts:%H:%M}.")
    tell("web", f"Boris wants it at {second.starts:%H:%M}. Both press the button at once.")
    answers = at_the_same_moment(
        partial(anna.checkout.promise, hers.id, slot=first.id),
        partial(boris.checkout.promise, his.id, slot=second.id),
    )
    tell.books("both have pressed")

    paid: list[tuple[str, CustomerTouchpoint, Order]] = []
    for where, name, customer, cart, answer in (
        ("app", "Anna", anna, hers, answers[0]),
        ("web", "Boris", boris, his, answers[1]),
    ):
        match answer:
            case Promise():
                paid.append((name, customer, customer.checkout.place(answer.id, pay=VISA)))
                tell(where, f"{name} has the promise, and pays {answer.quote.total}.")
            case OutOfStock():
                (short,) = answer.facts["short"]
                tell(where, f"{name} is refused: {answer.code}, wanted {short['wanted']}, left {short['available']}.")
                best, *_ = customer.checkout.offers(cart.id, near=shop.HERE)
                tell(where, f"The nearest store that has one: {best.store.id}, {best.distance_km:.0f} km away.")
            case OmniorderError():
                raise answer

    ((name, customer, order),) = paid
    collected(shop, customer, order)
    tell("store", f"{name} collects {order.id}.")
    tell.books("after")


def promise_lapses(shop: Shop, tell: Telling) -> None:
    """The promise lapses while its customer is paying."""
    tell.books("before")
    promise = promised(shop.app, {shop.BREAD: 2})
    tell("app", f"Anna is promised two loaves, {promise.quote.total}, until {clock(promise.expires_at)}.")

    shop.gateway.lose_next_reply()
    order = shop.app.checkout.place(promise.id, pay=VISA)
    tell("app", f"She pays, but her bank's reply is lost: {outcome(order)}.")
    tell.books("paid, no reply")

    shop.gateway.drop_next_request()
    shop.advance(minutes=1)
    tell("sweep", "A worker asks the bank. The line is dead, and stays dead.")

    shop.advance(minutes=15)
    order = shop.web.orders.get(order.id)
    tell("sweep", "The line is back, and the bank says yes. Too late:")
    tell("sweep", f"the order is {order.stage.value}, its payment {order.payments[-1].state.value}.")

    cart = shop.web.carts.get(order.cart_id)
    tell("web", f"Anna's basket is {cart.state.value} again, with {cart.lines[0].quantity} loaves in it.")
    try:
        shop.web.checkout.place(promise.id, pay=VISA)
    except PromiseGone as gone:
        tell("web", f"The old promise can't be paid any more: {gone.code}.")
    tell.books("after")


def card_declined(shop: Shop, tell: Telling) -> None:
    """A card is declined, and another one pays."""
    tell.books("before")
    promise = promised(shop.app, {shop.BREAD: 2})
    try:
        shop.app.checkout.place(promise.id, pay=Card("pm_card_declined_insufficient_funds"))
    except PaymentDeclined as declined:
        tell("app", f"{declined.code}: Anna's bank says {declined.facts['reason']}.")
        tell("app", f"{declined.order.id} waits for another card until {clock(declined.order.pay_by)}.")
    tell.books("declined")

    order = shop.web.checkout.place(promise.id, pay=VISA)
    tell("web", f"At her desk she pays {order.id} by another: {order.stage.value}.")
    again = shop.web.checkout.place(promise.id, pay=VISA)
    tell("web", f"A second click finds the same {again.id}, {again.stage.value}.")
    tell.books("paid")

    receipt = collected(shop, shop.app, order)
    tell("store", f"She collects two loaves. Only now {receipt.total} is captured.")
    tell.books("after")


def three_d_secure(shop: Shop, tell: Telling) -> None:
    """3-D Secure is begun in the app and finished on the web."""
    tell.books("before")
    promise = promised(shop.app, {shop.BREAD: 2})
    order = shop.app.checkout.place(promise.id, pay=Card("pm_card_3ds"))
    tell("app", f"Anna pays, but her bank wants a word: {outcome(order)}.")
    tell("app", "Then her phone's battery dies.")
    tell.books("begun")

    waiting = shop.web.checkout.resume(order.id)
    match waiting.payments[-1].outcome:
        case IsActionRequired(redirect_url=url):
            tell("web", f"At her desk {waiting.id} is {waiting.stage.value}, and leads to")
            tell("web", f"the same page: {url}")
    shop.gateway.complete_action(order.payments[-1])  # what she does on that page
    order = shop.web.checkout.resume(order.id)
    tell("web", f"She says yes there, and comes back: {outcome(order)}, {order.stage.value}.")
    tell.books("finished")

    receipt = collected(shop, shop.web, order)
    tell("store", f"She collects two loaves, and {receipt.total} is captured.")
    tell.books("after")


def wrong_code(shop: Shop, tell: Telling) -> None:
    """A wrong code is said three times."""
    tell.books("before")
    order = made_ready(shop, shop.app.checkout.place(promised(shop.app, {shop.BREAD: 1}).id, pay=VISA))
    ticket = shop.app.orders.pickup_pass(order.id)
    tell("store", "It is loud. Ivan types what he hears of Anna's code:")
    for wrong in misheard(ticket.code, 3):
        try:
            shop.store.pickups.hand_over(order.id, code=wrong)
        except WrongCode as refused:
            tell("store", f"{wrong} is refused: {refused.code}, {refused.facts['tries_left']} tries left.")
    tell.books("three wrong codes")
    shop.store.pickups.hand_over(order.id, code=ticket.code)
    tell("store", f"{ticket.code} is right: the bread is Anna's.")

    order = made_ready(shop, shop.stranger.checkout.place(promised(shop.stranger, {shop.BREAD: 1}).id, pay=VISA))
    ticket = shop.stranger.orders.pickup_pass(order.id)
    tries = shop.hub.settings.code_tries
    for wrong in misheard(ticket.code, tries):
        with suppress(WrongCode):
            shop.store.pickups.hand_over(order.id, code=wrong)
    try:
        shop.store.pickups.hand_over(order.id, code=ticket.code)
    except CodeLocked as locked:
        tell("store", f"After {tries} wrong codes for Boris's order, even the right one is refused: {locked.code}.")
    shop.store.pickups.reissue(order.id)
    ticket = shop.stranger.orders.pickup_pass(order.id)
    shop.store.pickups.hand_over(order.id, code=ticket.code)
    tell("store", "Ivan has a new one issued. Only Boris sees it, and has his bread.")
    tell.books("after")


def two_devices(shop: Shop, tell: Telling) -> None:
    """Two devices edit one basket."""
    tell.books("before")
    phone, tablet = shop.app, shop.web
    seen = basket(phone, {shop.BREAD: 1, shop.APPLES: 500})
    bread, apples = seen.lines
    tell("app", "Anna's phone and tablet show 1 loaf and 500 g of apples.")

    phone.carts.change(seen.id, bread.id, 2, if_version=seen.version)
    tablet.carts.change(seen.id, apples.id, 800, if_version=seen.version)
    cart = phone.carts.get(seen.id)
    loaves, grams = (line.quantity for line in cart.lines)
    tell("app", "She makes it 2 loaves on the phone,")
    tell("web", f"800 g on the tablet. Now both show {loaves} loaves and {grams} g.")
    try:
        tablet.carts.change(seen.id, bread.id, 4, if_version=seen.version)
    except VersionConflict as conflict:
        found = conflict.snapshot.line(bread.id).quantity
        tell("web", f"Still seeing 1 loaf, she says 4: {conflict.code}, it is {found}.")

    promise = tablet.checkout.promise(cart.id, slot=in_sofia(tablet, cart).slots[0].id)
    phone.carts.add(cart.id, shop.BREAD, 1)
    try:
        tablet.checkout.place(promise.id, pay=VISA)
    except CartChanged as changed:
        tell("web", f"She pays {promise.quote.total}; the phone has added a loaf: {changed.code}.")
    tell.books("not paid yet")

    promise = tablet.checkout.promise(cart.id, slot=promise.slot)
    order = tablet.checkout.place(promise.id, pay=VISA)
    tell("web", f"Promised anew, in the old one's place, and paid: {order.total}.")
    tell.books("paid")
    collected(shop, phone, order)
    tell("store", "She collects it all.")
    tell.books("after")


def not_found(shop: Shop, tell: Telling) -> None:
    """The store can't find what it sold."""
    tell.books("before")
    order = shop.app.checkout.place(promised(shop.app, {shop.BREAD: 2}).id, pay=VISA)
    line = order.lines[0].id
    shop.store.pickups.pick(order.id, line, 1)
    order = shop.store.pickups.reject(order.id, [Pick(line, 1)], reason="not_found")
    assert order.pickup.question is not None
    tell("store", "Ivan finds one loaf of two. The other is off the books.")
    tell("app", say(order.pickup.question.why, zone=ZONE))
    tell.books("asked")

    shop.app.orders.answer(order.id, "less")
    tell("app", "Anna does without it.")
    shop.store.pickups.ready(order.id, staged_at="C4")
    shop.clock.set(order.pickup.starts)
    ticket = shop.app.orders.pickup_pass(order.id)
    receipt = shop.store.pickups.hand_over(order.id, code=ticket.code)
    tell("store", f"She collects one loaf, and {receipt.total} is captured.")
    tell.books("after")


def never_comes(shop: Shop, tell: Telling) -> None:
    """The customer never comes."""
    tell.books("before")
    promise = promised(shop.app, {shop.BREAD: 2})
    order = shop.app.checkout.place(promise.id, pay=Card("pm_card_instant"))
    tell("app", f"Anna pays {order.kept} with a card that is charged at once.")

    made_ready(shop, order)
    ticket = shop.app.orders.pickup_pass(order.id)
    assert ticket.until is not None
    tell("store", f"Two loaves wait until closing time on {weekday(ticket.until)}.")
    tell.books("ready")

    shop.clock.set(ticket.until)
    shop.advance(minutes=1)
    order = shop.app.orders.get(order.id)
    tell("sweep", f"Nobody came. The order is {order.stage.value}, the bread back in stock,")
    tell("sweep", f"and the money has gone back: the shop keeps {order.kept}.")

    shop.advance(hours=12)
    try:
        shop.store.pickups.hand_over(order.id, code=ticket.code)
    except NotReady as late:
        tell("store", f"Anna comes after all. Her code opens nothing: {late.code}.")
    tell.books("after")


STORIES: Final[Mapping[str, Callable[[Shop, Telling], None]]] = {
    story.__name__.replace("_", "-"): story
    for story in (
        last_unit,
        promise_lapses,
        card_declined,
        three_d_secure,
        wrong_code,
        two_devices,
        not_found,
        never_comes,
    )
}


# --- what they have in common -----------------------------------------------------------------------------


def basket(customer: CustomerTouchpoint, wishes: Mapping[str, int]) -> Cart:
    """A new basket of theirs."""
    cart = customer.carts.start()
    return customer.carts.edit(cart.id, [Add(sku, quantity) for sku, quantity in wishes.items()])


def in_sofia(customer: CustomerTouchpoint, cart: Cart) -> Offer:
    """What the first store in Sofia offers for it."""
    return next(offer for offer in customer.checkout.offers(cart.id) if offer.store.id == Shop.SOFIA)


def promised(customer: CustomerTouchpoint, wishes: Mapping[str, int]) -> Promise:
    """A new basket of theirs, promised in Sofia as soon as can be."""
    cart = basket(customer, wishes)
    return customer.checkout.promise(cart.id, slot=in_sofia(customer, cart).slots[0].id)


def made_ready(shop: Shop, order: Order) -> Order:
    """The store picks everything and puts it where it waits, until the customer's window begins."""
    shop.store.pickups.pick(order.id, [Pick(line.id, line.quantity) for line in order.lines])
    order = shop.store.pickups.ready(order.id, staged_at="C4")
    shop.clock.set(order.pickup.starts)
    return order


def collected(shop: Shop, customer: CustomerTouchpoint, order: Order) -> Receipt:
    """The rest of an order's day, when nothing goes wrong."""
    made_ready(shop, order)
    ticket = customer.orders.pickup_pass(order.id)
    return shop.store.pickups.hand_over(order.id, code=ticket.code)


def outcome(order: Order) -> str:
    """How the last payment stands: one of the types that a channel matches on."""
    return type(order.payments[-1].outcome).__name__


def misheard(code: str, times: int) -> Iterable[str]:
    """So many codes that differ from this one in the last digit."""
    return (code[:-1] + str((int(code[-1]) + by) % 10) for by in range(1, times + 1))


def at_the_same_moment(*commands: Callable[[], T]) -> list[T | OmniorderError]:
    """Each in a thread of its own, let go together: what each got, or how it was refused."""
    gate = Barrier(len(commands))

    def run(command: Callable[[], T]) -> T | OmniorderError:
        gate.wait()
        try:
            return command()
        except OmniorderError as refused:
            return refused

    with ThreadPoolExecutor(len(commands)) as pool:
        return list(pool.map(run, commands))


# --- telling them -----------------------------------------------------------------------------------------


def tell_stories(names: Iterable[str], url: str = MEMORY) -> None:
    """Tell each in a shop of its own, or one after the other in one database."""
    for name in names:
        with Shop.example(url, seed=secrets.randbits(64)) as shop:  # a seed twice would draw the same ids twice
            tell_story(name, shop)
            # a database may know what earlier runs have paid, but their providers are gone
            check_all(shop.hub, gateways=None if url == MEMORY else {})
            print(f"\n  All {len(INVARIANTS)} invariants of stock, money, orders and history hold.")


def tell_story(name: str, shop: Shop) -> None:
    """One story, in a shop that is stocked."""
    print(f"\n== {name}: {title(name)}\n")
    telling = Telling(shop)
    STORIES[name](shop, telling)
    telling.show_books()


def title(name: str) -> str:
    """What the story is about, in a sentence."""
    return str(STORIES[name].__doc__)
