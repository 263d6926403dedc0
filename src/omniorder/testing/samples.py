"""Sample data for contract suites: a shop, and carts, promises and orders that got there by events.

Everything is made by the domain's own functions, so a sample is as consistent as what a real shop stores.
Nothing here is random or reads a clock: the same arguments give an equal sample, and samples of one kind are
told apart by a `number`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, TypeVar, get_type_hints

from attrs import evolve, fields

from omniorder.domain import answers, capturing, carts, coupling, ids, orders, promises, substitutes
from omniorder.domain import events as e
from omniorder.domain import stock as ledger
from omniorder.domain.articles import Article, Price
from omniorder.domain.bins import Bin
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.carts import Cart
from omniorder.domain.channels import Channel
from omniorder.domain.consents import REFUSED, Consent
from omniorder.domain.deliveries import ExpectedDelivery
from omniorder.domain.handling import Handling, Temperature
from omniorder.domain.lifecycle import CartState, PromiseState, ReservationState
from omniorder.domain.money import Money
from omniorder.domain.order_lines import OrderLine
from omniorder.domain.orders import Order
from omniorder.domain.payments import Action
from omniorder.domain.promises import Promise
from omniorder.domain.proofs import CheckKind, Proof
from omniorder.domain.proposals import Proposal
from omniorder.domain.quantities import Unit
from omniorder.domain.questions import Alternative, MissingUnits, Option, Question
from omniorder.domain.stock import Movement, MovementKind, Reservation
from omniorder.domain.store_services import Service
from omniorder.domain.stores import Closure, Point, Store
from omniorder.domain.substitutes import Offered
from omniorder.domain.text import Metadata, metadata

NOW: Final = datetime(2026, 11, 22, 8, 41, 34, 123456, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)

SOFIA: Final = "SOF01"
VARNA: Final = "VAR01"
ANNA: Final = "customer:anna"
BORIS: Final = "customer:boris"

MILK: Final = "OAT-MILK-1L"
BREAD: Final = "BREAD/RYE.500"
APPLES: Final = "apples_1"
CHEESE: Final = "CHEESE"

ACTION: Final = Action("cs_secret", "https://pay.example/3ds")
"""What a provider asks of the customer; never stored."""

WISHES: Final[Mapping[str, int]] = MappingProxyType({MILK: 2, BREAD: 1, APPLES: 750})
"""What a sample cart holds: 750 is grams."""

A_PIECE_OF_CHEESE: Final[Mapping[str, int]] = MappingProxyType({MILK: 2, CHEESE: 500})
"""What a sample cart with something in it that is weighed holds: from 450 g to 550 g of it will do."""


ASK_FIRST: Final = Consent.ask(
    cap=Money(499, "EUR"), silence_takes=True, without_allergens=["nuts", "milk"], without_brands=["Oatly"]
)
"""What somebody says in a basket who wants to be asked, with everything that they can say."""


def stamp(at: datetime = NOW, *, actor: str = ANNA) -> e.Stamp:
    """The stamp of a command that came from the app."""
    return e.Stamp(at, Channel.APP, actor, "ios/5.2")


def _bytes(number: int, size: int = 16) -> bytes:
    return number.to_bytes(size)


T = TypeVar("T")


def one_of_each(every: Callable[[int], Mapping[str, T]]) -> dict[str, T]:
    """All samples of a kind, such as `every_order`, each with a number (and so an id) of its own."""
    return {name: every(number)[name] for number, name in enumerate(every(1), 1)}


# --- the shop ---------------------------------------------------------------------------------------------


_TWO_SERVICES: Final = (Service.FITTING, Service.AGE_RESTRICTED)


def stores() -> tuple[Store, ...]:
    """Two stores, by id: one with every field set, one with what must be."""
    sofia = Store(
        SOFIA, zone="Europe/Sofia", hours="Mo-Sa 08:00-21:00; PH off", name="Витоша 1", country="BG",
        place=Point(42.6934567, 23.3212345), lead=timedelta(minutes=90), slot_length=timedelta(minutes=30),
        slot_capacity=7, pickup_days=5, services=Service, transit=timedelta(hours=36), cutoff=time(18, 30),
        slot_lines=60, closed=[Closure(NOW + 30 * HOUR, NOW + 32 * HOUR, "инвентаризация"),
                               Closure(NOW, NOW + HOUR)],
        bins=[Bin("C4", holds=2), Bin("F 2", Temperature.CHILLED, 10), Bin("L1", locker=True)],
    )  # fmt: skip
    return (sofia, Store(VARNA, zone="Europe/Sofia", hours="24/7"))


def articles() -> tuple[Article, ...]:
    """What the shop sells: two things by the piece, one by weight to the gram, and one with a tolerance."""
    return (
        Article(MILK, "Oat milk 1 l", metadata={"aisle": "7"}),
        Article(BREAD, "Ръжен хляб", metadata={"gtin": "3800001", "allergens": "gluten"}, needs=_TWO_SERVICES),
        Article(APPLES, "Apples", Unit.GRAM),
        Article(CHEESE, "Gouda", Unit.GRAM, tolerance="0.10"),
    )


def price(
    sku: str = MILK, amount: int = 249, *, tax: str = "0.20", per: int = 1, store: str | None = None,
    channel: Channel | None = None, valid_from: datetime | None = None, valid_to: datetime | None = None,
) -> Price:  # fmt: skip
    """A price in euro cents."""
    return Price(sku, Money(amount, "EUR"), tax=Decimal(tax), per=per, store=store, channel=channel,
                 valid_from=valid_from, valid_to=valid_to)  # fmt: skip


def prices() -> tuple[Price, ...]:
    """Prices of all articles, and dearer ones by store, channel and time; as the port orders them."""
    return (
        price(BREAD, 310, tax="0.09"),
        price(CHEESE, 1290, per=1000),
        price(MILK, 249),
        price(MILK, 259, valid_from=NOW, valid_to=NOW + HOUR),
        price(MILK, 269, valid_from=NOW + HOUR),
        price(MILK, 279, channel=Channel.APP),
        price(MILK, 289, store=SOFIA),
        price(MILK, 299, store=SOFIA, channel=Channel.WEB, valid_from=NOW),
        price(APPLES, 399, per=1000),
    )


# --- carts ------------------------------------------------------------------------------------------------


def cart(
    number: int = 1, *, owner: str = ANNA, wishes: Mapping[str, int] = WISHES, note: str = "ripe, please",
    at: datetime = NOW,
) -> Cart:  # fmt: skip
    """An open cart with a line per wish; the first has a note and labels."""
    empty = Cart(
        ids.cart_id(_bytes(number)),
        owner,
        CartState.OPEN,
        0,
        (),
        at,
        at,
        "bg",
        metadata({"campaign": "autumn"}),
    )
    told: list[e.Event] = [e.CartStarted(owner, "bg")]
    for position, (sku, quantity) in enumerate(wishes.items()):
        line = ids.line_id(_bytes(number * 1000 + position, 8))
        labels = metadata({} if position else {"colour": "green", "size": ""})
        told.append(e.LineAdded(line, sku, quantity, labels, "" if position else note))
    return changed(empty, *told, at=at)


def empty_cart(number: int = 1, *, owner: str = ANNA, at: datetime = NOW) -> Cart:
    """An open cart without lines, notes and labels."""
    nothing = Cart(ids.cart_id(_bytes(number)), owner, CartState.OPEN, 0, (), at, at)
    return changed(nothing, e.CartStarted(owner), at=at)


def changed(cart: Cart, *events: e.Event, at: datetime = NOW + MINUTE) -> Cart:
    """The cart after these events."""
    for event in events:
        cart = carts.apply(cart, event, at)
    return cart


def new_line(cart: Cart, sku: str = MILK, quantity: int = 1, note: str = "") -> e.LineAdded:
    """One more line for this cart."""
    line = ids.line_id(_bytes(10**6 + cart.version, 8))
    return e.LineAdded(line, sku, quantity, note=note)


def every_cart(number: int = 1) -> Mapping[str, Cart]:
    """A cart in each state, by what happened to it last."""
    full, order_id = cart(number), ids.order_id(SOFIA, _bytes(number))
    held = promised(full, promise(number, basket=full))
    return {
        "started": empty_cart(number),
        "filled": full,
        "consented": changed(
            full,
            carts.consented(full.lines[0].id, Consent.named(BREAD, cap=Money(310, "EUR"))),
            carts.consented(full.lines[1].id, ASK_FIRST),
        ),
        "noted": changed(full, e.LineNoted(full.lines[1].id, "скоро?\n\u20ac 5")),
        "emptied": changed(full, *(e.LineRemoved(line.id) for line in full.lines)),
        "promised": held,
        "ordered": changed(held, e.CartOrdered(order_id)),
        "reopened": changed(held, e.CartOrdered(order_id), e.CartReopened(order_id)),
        "claimed": changed(full, e.CartClaimed(BORIS, ANNA)),
        "absorbed": changed(full, e.CartAbsorbed(ids.cart_id(_bytes(number + 1))), new_line(full)),
        "merged": changed(full, e.CartMerged(ids.cart_id(_bytes(number + 1)))),
        "abandoned": changed(full, e.CartAbandoned()),
    }


def promised(basket: Cart, made: Promise) -> Cart:
    """The cart once this promise was made for it."""
    total, ceiling = made.quote.total, made.quote.ceiling
    return changed(basket, e.PromiseMade(made.id, made.store, made.slot, total, ceiling, made.expires_at))


# --- promises and reservations ----------------------------------------------------------------------------


def slot_starts(days: int = 1) -> datetime:
    """When a sample slot starts: at 10:00 UTC, so many days after `NOW`."""
    return datetime.combine(NOW.date() + timedelta(days=days), time(10), UTC)


def promise(
    number: int = 1, *, basket: Cart | None = None, store: str = SOFIA, starts: datetime | None = None,
    at: datetime = NOW,
) -> Promise:  # fmt: skip
    """A live promise for the basket (by default the sample cart of the same number)."""
    wanted = cart(number) if basket is None else basket
    begins = starts or slot_starts()
    by_sku = {article.sku: article for article in articles()}
    chosen = {one.sku: one for one in reversed(prices()) if one.channel is None and one.store is None}
    return Promise(
        id=ids.promise_id(store, _bytes(number)),
        store=store,
        cart_id=wanted.id,
        owner=wanted.owner,
        lines_version=wanted.lines_version,
        state=PromiseState.HELD,
        slot=ids.slot_id(store, begins),
        starts=begins,
        ends=begins + HOUR,
        quote=promises.quote(wanted, by_sku, chosen),
        reservation_id=ids.reservation_id(store, _bytes(number)),
        made_at=at,
        expires_at=at + 15 * MINUTE,
        collect=Service.CURBSIDE,
    )


def every_promise(number: int = 1) -> Mapping[str, Promise]:
    """A promise in each state."""
    held = promise(number)
    return {
        "held": held,
        "accepted": promises.apply(held, e.PromiseAccepted(held.id, ids.order_id(SOFIA, _bytes(number)))),
        "replaced": promises.apply(held, e.PromiseReplaced(held.id, promise(number + 1).id)),
        "withdrawn": promises.apply(held, e.PromiseWithdrawn(held.id)),
        "lapsed": promises.apply(held, e.PromiseLapsed(held.id)),
    }


def reservation(
    number: int = 1, *, store: str = SOFIA, units: Mapping[str, int] = WISHES, at: datetime = NOW
) -> Reservation:
    """Units held for a quarter of an hour."""
    return ledger.reserve(ids.reservation_id(store, _bytes(number)), store, units, at + 15 * MINUTE)


def every_reservation(number: int = 1) -> Mapping[str, Reservation]:
    """A reservation in each state, one in the middle of being used up, and two of stock that is outside."""
    held = reservation(number)
    firm = ledger.apply(held, e.Firmed())
    some = ledger.resolve(firm, e.UnitsConsumed(((MILK, 1), (APPLES, 250))))
    rest = ledger.resolve(some, e.UnitsReleased(((BREAD, 1),)))
    return {
        "held": held,
        "extended": ledger.apply(held, e.ReservationExtended(NOW + HOUR)),
        "firm": firm,
        "partly consumed": some,
        "partly released": rest,
        "settled": ledger.resolve(rest, e.UnitsConsumed(tuple(sorted(rest.live().items())))),
        "released": ledger.apply(held, e.ReservationReleased()),
        "expired": ledger.apply(held, e.ReservationExpired()),
        "outside": evolve(firm, outside=True),
        "given up": Reservation(held.id, held.store, ReservationState.RELEASED, (), None, outside=True),
    }


def movement(
    number: int = 1, *, store: str = SOFIA, sku: str = MILK, quantity: int = 12, at: datetime = NOW
) -> Movement:
    """A delivery; ids rise with the number, as they do with time."""
    made = ids.movement_id(store, _bytes(number))
    return Movement(made, store, sku, MovementKind.RECEIVE, quantity, stamp(at, actor="system:erp"), "late", "DN-7")


def expected(
    number: int = 1, *, store: str = SOFIA, sku: str = MILK, reference: str = "DN-7", quantity: int = 12
) -> ExpectedDelivery:
    """A delivery that is expected so many hours from now."""
    return ExpectedDelivery(store, sku, reference, quantity, NOW + number * HOUR)


# --- orders -----------------------------------------------------------------------------------------------


def order(
    number: int = 1,
    *,
    owner: str = ANNA,
    store: str = SOFIA,
    starts: datetime | None = None,
    at: datetime = NOW,
    wishes: Mapping[str, int] = WISHES,
    consent: Consent = REFUSED,
) -> Order:
    """An order that was just placed and has no tender yet; of its first line, `consent` says what may come instead."""
    filled = cart(number, owner=owner, wishes=wishes)
    basket = changed(filled, carts.consented(filled.lines[0].id, consent)) if consent != REFUSED else filled
    made = promise(number, basket=basket, store=store, starts=starts)
    reference = ids.order_id(store, _bytes(number))
    new = orders.place(reference, basket, made, at=at, channel=Channel.WEB, pay_by=at + 15 * MINUTE)
    told = e.OrderPlaced(basket.id, made.id, owner, made.quote.total, made.quote.ceiling, new.pay_by)
    return orders.apply(new, told, at)


def after(order: Order, *events: e.Event, at: datetime = NOW + MINUTE) -> Order:
    """The order after these events and all that follows from them."""
    return coupling.follow(orders.told(order, events, at), at)[0]


def heard(order: Order, answer: answers.Answer, *, at: datetime = NOW + MINUTE) -> Order:
    """The order after the provider answered its last attempt."""
    last = order.payments[-1].attempts[-1]
    return after(order, *answers.heard(order, last.id, answer, look_at=at + HOUR), at=at)


def paying(order: Order, amount: Money | None = None) -> Order:
    """With a card whose authorisation was asked for."""
    wanted = order.ceiling if amount is None else amount
    new = order.next_payment_id()
    asked = ids.attempt_id(new, 1)
    return after(order, e.TenderAdded(new, "card", wanted, "pm_card_visa"), e.AuthoriseRequested(new, asked, wanted))


def authorised(order: Order) -> Order:
    """With a card that was authorised for everything: confirmed, to be picked."""
    asked = paying(order)
    return heard(asked, answers.Approved(order.ceiling, "pi_1"))


def pay_in_store(order: Order) -> Order:
    """To be paid at the counter: confirmed, to be picked."""
    new = ids.payment_id(order.id, 1)
    return after(order, e.TenderAdded(new, "in_store", order.ceiling), e.LeftForStore(new, order.ceiling))


def picked(order: Order) -> Order:
    """Every line taken off the shelf."""
    return after(order, e.PickStarted(), *(e.LinePicked(line.id, line.quantity) for line in order.lines))


def ready(order: Order) -> Order:
    """Staged, and waiting for the customer."""
    return staged(picked(order))


def staged(order: Order) -> Order:
    """An order that was picked, made ready."""
    return after(order, *order.pickup.weighed(), e.MadeReady("C4", NOW + timedelta(days=3), "2026"))


def weighed(order: Order, grams: int) -> Order:
    """Made ready with so many grams of its second line, and of the others what was ordered."""
    first, second = order.lines
    return staged(after(order, e.PickStarted(), e.LinePicked(first.id, first.quantity), e.LinePicked(second.id, grams)))


def handing_over(order: Order, units: Iterable[e.Units] | None = None) -> Order:
    """Claimed for these units (default: all that are open), and the money for them asked for."""
    wanted = order.pickup.rest() if units is None else tuple(units)
    several = {"card": Capabilities(several_captures=True)}
    plan = capturing.hand_over(order, wanted, capabilities=several, taken=None, look_at=NOW + HOUR)
    return after(order, *plan)


def every_order(number: int = 1) -> Mapping[str, Order]:
    """Orders at the points of their lives that differ in what is stored, by what happened last."""
    placed = order(number)
    asked, half = paying(placed), Money(placed.total.amount // 2, placed.total.currency)
    open_answer = answers.NeedsAction(ACTION, "pi_1")
    hold = NOW + 30 * MINUTE
    confirmed = authorised(placed)
    waiting = ready(confirmed)
    first = (e.Units(placed.lines[0].id, 1),)
    price = waiting.value_after(first)
    some = heard(handing_over(waiting, first), answers.Approved(price, "ch_1", open=True))
    paid = after(paying(placed), *_paid_at_once(paying(placed)))
    cancelling = after(confirmed, *coupling.cancel(confirmed, "changed my mind", hold))
    all_gone = heard(handing_over(waiting), answers.Approved(placed.total, "ch_1"))
    heavy = weighed(authorised(order(number, wishes=A_PIECE_OF_CHEESE)), 541)
    slice_ = (e.Units(heavy.lines[1].id, 141),)
    return {
        "placed": placed,
        "asked": asked,
        "unanswered": heard(asked, answers.NoAnswer()),
        "action required": heard(asked, open_answer),
        "declined": heard(asked, answers.Denied("insufficient_funds")),
        "second tender": paying(heard(asked, answers.Denied("lost_card"))),
        "half covered": paying(heard(paying(placed, half), answers.Approved(half, "pi_1")), placed.total - half),
        "confirmed": confirmed,
        "due in store": pay_in_store(placed),
        "picking": after(confirmed, e.PickStarted(), e.LinePicked(placed.lines[0].id, 1)),
        "ready": waiting,
        "reminded": after(waiting, e.Reminded(1)),
        "extended": after(waiting, e.DeadlineExtended(NOW + timedelta(days=5), (NOW + timedelta(days=4),), asked=True)),
        "reissued": after(waiting, e.CodeReissued(2, "2027")),
        "left offline": after(waiting, e.LeftOffline(first, "pup_1_1", placed.store, NOW, "associate:ivan@SOF01")),
        "proxy": after(waiting, e.ProxyNamed("prx_1", "Ivan Petrov")),
        "on the way": after(confirmed, e.CustomerOnTheWay(NOW + HOUR)),
        "arrived": after(waiting, e.CustomerOnTheWay(NOW + HOUR), e.CustomerArrived("P3", "blue Skoda, CB 1234")),
        "attended": after(waiting, e.CustomerArrived(), e.CustomerAttended("associate:ivan@SOF01")),
        "handing over": handing_over(waiting),
        "partly collected": some,
        "rest lapsed": after(some, *coupling.overdue(some, NOW + timedelta(days=4), hold)),
        "completed": all_gone,
        "credited": after(all_gone, e.CreditGranted(price, "dented", first), e.FeeCharged(Money(50, "EUR"), "dented")),
        "called off for a fee": after(confirmed, *coupling.cancel(confirmed, "too late", hold, Money(50, "EUR"))),
        "cancelling": cancelling,
        "cancelled": heard(cancelling, answers.Approved(placed.total)),
        "refunding": after(paid, *coupling.cancel(paid, "changed my mind", hold)),
        "expiring": after(asked, e.ExpiryStarted(hold)),
        "claimed": after(waiting, e.OrderClaimed(BORIS, ANNA)),
        "weighed": heavy,
        "weighed anew": after(heavy, e.Unreadied("too dry")),
        "partly collected by weight": heard(
            handing_over(heavy, slice_), answers.Approved(heavy.value_after(slice_), "ch_1", open=True)
        ),
        "proposed": proposed(number),
        "substituted": after(proposed(number), *substitutes.answered(*_asked(proposed(number)), accepted=True)),
        "not collected": after(waiting, *coupling.overdue(waiting, NOW + timedelta(days=4), hold)),
    }


def proposed(number: int = 1) -> Order:
    """Being picked, with something else proposed for the last unit of its first line."""
    order_ = authorised(order(number, consent=ASK_FIRST))
    line = order_.lines[0]
    other = Article("OAT-MILK-BIO", "Organic oat milk 1 l", temperature=Temperature.CHILLED)
    offered = Offered(ids.line_id(_bytes(number, 8)), other, price("OAT-MILK-BIO", 299))
    coming = substitutes.coming(order_, line.id, 1, offered)
    hold = ids.reservation_id(SOFIA, _bytes(10**6 + number))
    proposal = Proposal(line.id, 1, coming, hold, NOW + HOUR, "not_found", silence_takes=True)
    return after(order_, e.PickStarted(), e.LinePicked(line.id, 1), e.SubstituteProposed(proposal))


def _asked(order: Order) -> tuple[Order, Proposal]:
    return order, order.pickup.proposals[0]


def _paid_at_once(order: Order) -> tuple[e.Event, ...]:
    last = order.payments[-1].attempts[-1]
    return answers.heard(order, last.id, answers.Approved(order.total, "pi_1", captured=True), look_at=NOW + HOUR)


def a_life(number: int = 1) -> tuple[Order, ...]:
    """One order from placing to the last unit collected, step by step: what is stored after each command."""
    placed = order(number)
    asked = paying(placed)
    confirmed = heard(asked, answers.Approved(placed.total, "pi_1"))
    waiting = ready(confirmed)
    first = (e.Units(placed.lines[0].id, 1),)
    claimed = handing_over(waiting, first)
    some = heard(claimed, answers.Approved(waiting.value_after(first), "ch_1", open=True))
    rest = handing_over(some)
    taken = rest.payments[0].attempts[-1].amount
    return (placed, asked, confirmed, picked(confirmed), waiting, claimed, some, rest,
            heard(rest, answers.Approved(taken, "ch_2")))  # fmt: skip


# --- events -----------------------------------------------------------------------------------------------

_VALUES: Final[Mapping[Any, Any]] = MappingProxyType(
    {
        str: "ten \u20ac, привет",
        str | None: "prm_SOF01_1",
        tuple[str, ...]: ("edit", "pay"),
        int: 3,
        bool: True,
        CheckKind: CheckKind.AGE,
        tuple[CheckKind, ...]: (CheckKind.AGE,),
        Proof: Proof.TOKEN,
        datetime: NOW + HOUR,
        datetime | None: NOW + HOUR,
        tuple[datetime, ...]: (NOW + HOUR, NOW + 2 * HOUR),
        Money: Money(1234, "EUR"),
        Money | None: Money(1235, "EUR"),
        Consent: Consent.similar(cap=Money(299, "EUR"), without_brands=["Oatly"]),
        Proposal: Proposal(
            "ln_1",
            2,
            OrderLine(
                *("ln_4", MILK, "Oat milk 1 l", Unit.PIECE, 2, Money(249, "EUR"), 1, Decimal("0.20")),
                *(Money(498, "EUR"),),
                instead_of="ln_1",
            ),
            "rsv_SOF01_4",
            NOW + HOUR,
            "not_found",
            silence_takes=True,
        ),
        tuple[OrderLine, ...]: (
            OrderLine(
                "ln_3",
                MILK,
                "Oat milk 1 l",
                Unit.PIECE,
                2,
                Money(249, "EUR"),
                1,
                Decimal("0.20"),
                Money(498, "EUR"),
                handling=Handling(Temperature.CHILLED),
                instead_of="ln_1",
            ),
        ),
        Metadata: metadata({"size": "L"}),
        Question: Question(
            (e.Units("ln_1", 2),),
            "not_found",
            (
                Option("later", Alternative.LATER, "SOF01", "slt_SOF01_20261122T0800Z", NOW, NOW + HOUR),
                Option("less", Alternative.LESS),
            ),
            "less",
            NOW + HOUR,
            (MissingUnits(MILK, 2, arrives=NOW + HOUR),),
        ),
        tuple[e.Units, ...]: (e.Units("ln_1", 2), e.Units("ln_2", 1)),
        tuple[tuple[str, int], ...]: ((BREAD, 1), (MILK, 2)),
        tuple[tuple[str, str], ...]: (("ln_3", "cold, please"),),
        tuple[tuple[str, tuple[str, ...]], ...]: (("ln_3", ("nuts",)),),
    }
)


def every_event() -> tuple[e.Event, ...]:
    """An event of every kind, with something in every field, private ones included."""
    kinds = [kind for kind in e.EVENTS.values() if not kind.__subclasses__()]
    return tuple(kind(**{name: _VALUES[hint] for name, hint in get_type_hints(kind).items()}) for kind in kinds)


def without_private(event: e.Event) -> e.Event:
    """The event as a journal must give it back: private fields are their defaults."""
    kind = type(event)
    kept = [field.name for field in fields(kind) if not field.metadata.get("private")]
    return kind(**{name: getattr(event, name) for name in kept})
