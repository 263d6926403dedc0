"""Hypothesis strategies for what omniorder is made of: only valid objects, and as odd as valid objects get.

Values are drawn from what their classes accept. Carts, promises, reservations and orders are not put together
field by field: they are led to where they are by legal events (see `walks` for orders), so that their fields agree
with each other as they would in a shop.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, get_type_hints

from attrs import evolve, fields
from hypothesis import assume
from hypothesis import strategies as st

from omniorder.domain import carts as carting
from omniorder.domain import events as e
from omniorder.domain import ids, text
from omniorder.domain import orders as ordering
from omniorder.domain import promises as promising
from omniorder.domain import slots as storing
from omniorder.domain import stock as ledger
from omniorder.domain.articles import Article, Price
from omniorder.domain.bins import Bin
from omniorder.domain.carts import Add, Allow, Cart, Change, Edit, Note, Remove
from omniorder.domain.channels import Channel
from omniorder.domain.consents import Consent
from omniorder.domain.deliveries import ExpectedDelivery
from omniorder.domain.events import EVENTS, Event, Recorded, Stamp, Units
from omniorder.domain.handling import Handling, Temperature
from omniorder.domain.lifecycle import CartState, PromiseState
from omniorder.domain.money import EXPONENTS, Money
from omniorder.domain.order_lines import OrderLine
from omniorder.domain.orders import Order
from omniorder.domain.payments import Card, PayInStore, Payment, Tender
from omniorder.domain.pickups import Pickup
from omniorder.domain.promises import Promise, Quote
from omniorder.domain.proofs import CheckKind, Proof
from omniorder.domain.proposals import Proposal
from omniorder.domain.quantities import MAX_QUANTITY, Unit
from omniorder.domain.questions import Alternative, MissingUnits, Option, Question
from omniorder.domain.slots import Slot
from omniorder.domain.stock import Level, Movement, MovementKind, Reservation
from omniorder.domain.store_services import Service
from omniorder.domain.stores import Closure, Point, Store
from omniorder.domain.text import Metadata
from omniorder.testing.walks import Turn, below, card_asked, one_of, walk

__all__ = [
    "articles", "bins", "carts", "channels", "closures", "events", "expected_deliveries", "instants", "levels", "lives",
    "metadata", "money", "movements", "notes", "orders", "owners", "payments", "pickups", "points", "prices",
    "promises", "quantities", "quotes", "recorded", "reservations", "skus", "slots", "stamps", "store_ids",
    "stores", "tenders",
]  # fmt: skip

_ZONES: Final = ("Europe/Sofia", "America/New_York", "Asia/Kolkata", "Pacific/Chatham", "UTC")
_HOURS: Final = ("Mo-Sa 08:00-21:00", "24/7", "Mo-Su 10:00-14:00,15:30-19:00", "Mo-Su 18:00-02:00")
_BIDI: Final = "".join(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
_SHARES: Final = st.sampled_from(["0", "0", "0.10", "0.25", "0.5", "0.0333"]).map(Decimal)
_RATES: Final = ("0", "0.05", "0.09", "0.20", "0.2575")
_FIRST: Final = datetime(2020, 1, 1, tzinfo=UTC)
_SPAN: Final = 80 * 365 * 24 * 3600 * 10**6


# --- values -----------------------------------------------------------------------------------------------
#
# Strategies without arguments are made once: making and checking one takes longer than drawing from it.


def _words(most: int, *, breaks: str = "") -> st.SearchStrategy[str]:
    """Text that anybody may write: every script, but nothing that fools its reader, and no card number."""
    characters = st.characters(
        exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters=_BIDI, include_characters=breaks
    )
    written = st.text(characters, max_size=most)
    return written.filter(lambda one: not text.looks_like_card_number(one))


_CODES: Final = st.text("ABCXYZ0189", min_size=2, max_size=8)
_STORE_IDS: Final = st.one_of(st.just("SOF01"), _CODES)
_SKUS: Final = st.one_of(
    st.sampled_from(["OAT-MILK-1L", "BREAD/RYE.500", "apples_1", "0", "z" * 64]),
    st.text("Aaz09", min_size=1, max_size=4),
)
_NAMES: Final = _words(15)
_TITLES: Final = _NAMES.map(lambda name: f"a {name}".strip())
_UNITS: Final = st.sampled_from(Unit)
_WAYS: Final = tuple(service for service in Service if service.collects)
_NEEDS: Final = st.sets(st.sampled_from(Service), max_size=1)
_NOTES: Final = st.one_of(st.just(""), _words(30, breaks="\n\t").map(text.note))
_LABELS: Final = st.tuples(st.sampled_from(["colour", "loyalty.tier", "a", "gift-wrap_2"]), _words(15))
_METADATA: Final = st.lists(_LABELS, max_size=2).map(lambda labels: text.metadata(dict(labels)))
_OWNERS: Final = st.sampled_from(["customer:anna", "customer:Анна Петрова", f"guest:{'0f' * 16}"])
_INSTANTS: Final = st.integers(0, _SPAN).map(lambda n: _FIRST + timedelta(microseconds=n))
_CHANNELS: Final = st.sampled_from(Channel)
_CURRENCIES: Final = st.one_of(st.sampled_from(["EUR", "JPY", "KWD"]), st.sampled_from(sorted(EXPONENTS)))
_STAMPS: Final = st.builds(Stamp, _INSTANTS, _CHANNELS, _OWNERS, st.sampled_from(["", "ios/5.2"]))
_SIXTEEN: Final = st.binary(min_size=16, max_size=16)
_EIGHT: Final = st.binary(min_size=8, max_size=8)
_SECONDS: Final = st.integers(0, 600)
_SOME: Final = st.one_of(st.integers(1, 5), st.integers(1, 10_000))


def currencies() -> st.SearchStrategy[str]:
    """Currencies, the common ones and those with no or three decimals first of all."""
    return _CURRENCIES


@st.composite
def money(draw: st.DrawFn, *, least: int = -(10**12), most: int = 10**12, currency: str | None = None) -> Money:
    """Amounts of any currency, or of the one that is given."""
    return Money(draw(st.integers(least, most)), currency or draw(_CURRENCIES))


def quantities(most: int = MAX_QUANTITY) -> st.SearchStrategy[int]:
    """Quantities of a line, from 1 on."""
    return st.one_of(st.integers(1, min(5, most)), st.integers(1, most))


def instants() -> st.SearchStrategy[datetime]:
    """Instants in UTC, to the microsecond, from 2020 to 2099."""
    return _INSTANTS


def skus() -> st.SearchStrategy[str]:
    """Article numbers."""
    return _SKUS


def store_ids() -> st.SearchStrategy[str]:
    """Stores' codes."""
    return _STORE_IDS


def owners() -> st.SearchStrategy[str]:
    """Whose a cart or order is."""
    return _OWNERS


def notes() -> st.SearchStrategy[str]:
    """Notes for the picker, empty ones too."""
    return _NOTES


def metadata() -> st.SearchStrategy[Metadata]:
    """A caller's labels, none at all too."""
    return _METADATA


def channels() -> st.SearchStrategy[Channel]:
    """Channels."""
    return _CHANNELS


def stamps() -> st.SearchStrategy[Stamp]:
    """Who did something, when and how."""
    return _STAMPS


def tenders() -> st.SearchStrategy[Tender]:
    """Ways to pay."""
    return st.one_of(st.builds(Card, st.sampled_from(["pm_card_visa", "tok_x"])), st.builds(PayInStore))


# --- the shop ---------------------------------------------------------------------------------------------


def points() -> st.SearchStrategy[Point]:
    """Places on the globe."""
    return st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))


def closures() -> st.SearchStrategy[tuple[Closure, ...]]:
    """Closures of one store, in order: up to three, some of which meet."""
    hours, words = st.integers(1, 72), st.sampled_from(["", "stocktake"])
    some = st.lists(st.tuples(st.integers(0, 2) | hours, hours, words), max_size=3)
    return st.tuples(_INSTANTS, some).map(_one_after_the_other)


def _one_after_the_other(drawn: tuple[datetime, list[tuple[int, int, str]]]) -> tuple[Closure, ...]:
    at, found = drawn[0], list[Closure]()
    for wait, length, reason in drawn[1]:
        starts = at + timedelta(hours=wait)
        at = starts + timedelta(hours=length)
        found.append(Closure(starts, at, reason))
    return tuple(found)


def bins() -> st.SearchStrategy[Bin]:
    """Places for ready goods, lockers too."""
    codes = st.sampled_from(["C4", "Fridge 2", "L/1", "Полица 7", "5/ambient/1"])
    shelves = st.builds(Bin, codes, _TEMPERATURES, st.integers(1, 30))
    return shelves | st.builds(Bin, codes, _TEMPERATURES, locker=st.just(True))


def stores() -> st.SearchStrategy[Store]:
    """Stores that are open at some time of most days."""
    return st.builds(
        Store,
        _STORE_IDS,
        zone=st.sampled_from(_ZONES),
        hours=st.sampled_from(_HOURS),
        name=_NAMES.map(str.strip),
        place=st.none() | points(),
        country=st.sampled_from([None, "BG"]),
        lead=st.integers(0, 600).map(lambda n: timedelta(minutes=n)),
        slot_length=st.sampled_from([5, 30, 60]).map(lambda n: timedelta(minutes=n)),
        slot_capacity=st.integers(0, 50),
        pickup_days=st.integers(1, 14),
        services=st.sets(st.sampled_from(Service)).map(lambda some: {*some, Service.PICKUP}),
        transit=st.integers(0, 72).map(lambda n: timedelta(hours=n)),
        cutoff=st.none() | st.integers(0, 24 * 60 - 1).map(lambda n: time(n // 60, n % 60)),
        slot_lines=st.none() | st.integers(0, 500),
        closed=closures(),
        walk=st.sampled_from([(), ("A1", "A2", "Bread & cakes")]),
        bins=st.lists(bins(), max_size=3, unique_by=lambda one: one.code),
    )


@st.composite
def slots(draw: st.DrawFn) -> Slot:
    """Slots of some store, in its own zone."""
    store, now = draw(stores()), draw(_INSTANTS)
    found = list(storing.slots(store, now=now, until=now + timedelta(days=4), limit=20))
    assume(found)
    booked, lines = draw(st.integers(0, 60)), draw(st.integers(0, 600))
    return evolve(draw(st.sampled_from(found)), booked=booked, lines_booked=lines)


def articles(sku: str | None = None) -> st.SearchStrategy[Article]:
    """Articles, or such of one article number."""
    number = _SKUS if sku is None else st.just(sku)
    weighed = st.builds(
        Article, number, _TITLES, st.just(Unit.GRAM), _METADATA, needs=_NEEDS, tolerance=_SHARES, **_CARE
    )
    return st.one_of(st.builds(Article, number, _TITLES, _UNITS, _METADATA, needs=_NEEDS, **_CARE), weighed)


_TEMPERATURES: Final = st.sampled_from(Temperature)
_HANDLINGS: Final = st.builds(Handling, _TEMPERATURES, st.booleans(), st.booleans())
_CARE: Final[Mapping[str, st.SearchStrategy[Any]]] = MappingProxyType(
    {
        "temperature": _TEMPERATURES,
        "perishable": st.booleans(),
        "brand": st.sampled_from(["", "Oatly", "Вита"]),
        "aisle": st.sampled_from(["", "A2", "Bread & cakes"]),
        "gtins": st.sampled_from([(), ("09506000134352",)]),
        "scale_item": st.sampled_from(["", "42"]),
        "allergens": st.frozensets(st.sampled_from(["milk", "nuts", "gluten"]), max_size=2),
    }
)
"""How an article is to be handled, and what customers may want to exclude."""


@st.composite
def prices(draw: st.DrawFn, *, sku: str | None = None, currency: str | None = None) -> Price:
    """Prices, or such of one article number in one currency."""
    begins = draw(st.none() | _INSTANTS)
    ends = draw(st.none() | _INSTANTS)
    if begins is not None and ends is not None:
        assume(begins != ends)
        begins, ends = min(begins, ends), max(begins, ends)
    return Price(
        sku or draw(_SKUS),
        draw(money(least=0, most=10**6, currency=currency)),
        tax=Decimal(one_of(draw, _RATES)),
        per=one_of(draw, (1, 1, 100, 1000)),
        store=draw(st.none() | store_ids()),
        channel=draw(st.none() | channels()),
        valid_from=begins,
        valid_to=ends,
    )


def levels() -> st.SearchStrategy[Level]:
    """Stock levels, short ones too."""
    counts = st.integers(0, 10**6)
    return st.builds(Level, store_ids(), skus(), counts, counts, counts, counts)


_BOOKED: Final[Mapping[MovementKind, tuple[tuple[int, int], ...]]] = MappingProxyType(
    {
        MovementKind.RECEIVE: ((1, 0),),
        MovementKind.ADJUST: ((1, 0), (-1, 0)),
        MovementKind.COUNT: ((1, 0), (-1, 0), (0, 0)),
        MovementKind.TRANSFER_OUT: ((-1, 0),),
        MovementKind.TRANSFER_IN: ((1, 0),),
        MovementKind.COLLECT: ((-1, 0),),
        MovementKind.FOUND: ((1, 0),),
        MovementKind.RETURN: ((1, 0), (0, 1)),
        MovementKind.WRITE_OFF: ((-1, 0), (0, -1)),
        MovementKind.QUARANTINE: ((-1, 1),),
        MovementKind.CLEAR: ((1, -1),),
    }
)
"""Which way units may go, at the shelf and in quarantine."""


@st.composite
def movements(draw: st.DrawFn, *, store: str | None = None, sku: str | None = None) -> Movement:
    """Movements of every kind, each the way that its kind goes."""
    where = store or draw(_STORE_IDS)
    made = ids.movement_id(where, draw(_SIXTEEN))
    kind, words = one_of(draw, tuple(MovementKind)), ("", "stocktake", "SOF01-7K3F9Q")
    shelf, quarantine = one_of(draw, _BOOKED[kind])
    units, stamp, reason = draw(quantities()), draw(_STAMPS), one_of(draw, words)
    reference = one_of(draw, words)
    return Movement(made, where, sku or draw(_SKUS), kind, shelf * units, stamp, reason, reference, quarantine * units)


def expected_deliveries() -> st.SearchStrategy[ExpectedDelivery]:
    """Deliveries on their way, and such of which nothing is left."""
    references = st.sampled_from(["DN-7", "ПО-2026/11", "trf_SOF01_7"])
    return st.builds(ExpectedDelivery, store_ids(), skus(), references, st.integers(0, 10**6), instants())


# --- carts ------------------------------------------------------------------------------------------------

_EXCLUDED: Final = st.sampled_from([(), ("milk",), ("gluten", "nuts")])
_CONSENTS: Final = st.one_of(
    st.just(Consent.refuse()),
    st.builds(Consent.similar, without_allergens=_EXCLUDED, without_brands=st.sampled_from([(), ("Oatly",)])),
    st.builds(Consent.named, _SKUS),
    st.builds(Consent.ask, silence_takes=st.booleans(), without_allergens=_EXCLUDED),
)
"""Without caps, which are of the currency in which the cart will be priced."""
_ADDS: Final = st.builds(Add, _SKUS, _SOME, _NOTES, _METADATA, _CONSENTS)


def carts(*, filled: bool = False) -> st.SearchStrategy[Cart]:
    """Carts wherever they may be in their lives; `filled`: open, with at least one line and without a promise."""
    return _filled_carts() if filled else _any_carts()


@st.composite
def _filled_carts(draw: st.DrawFn) -> Cart:
    at, owner = draw(_INSTANTS), draw(_OWNERS)
    language = one_of(draw, ("", "bg", "en-GB"))
    empty = Cart(ids.cart_id(draw(_SIXTEEN)), owner, CartState.OPEN, 0, (), at, at, language, draw(_METADATA))
    cart = _edited(draw, carting.apply(empty, e.CartStarted(owner, language), at), draw(_ADDS))
    for _ in range(draw(below(4))):
        after = _edited(draw, cart, _edit(draw, cart))
        cart = after if after.lines else cart
    return cart


def _edit(draw: st.DrawFn, cart: Cart) -> Edit:
    line = one_of(draw, cart.lines).id
    match draw(below(5)):
        case 0:
            return draw(_ADDS)
        case 1:
            return Change(line, draw(_SOME))
        case 3:
            return Allow(line, draw(_CONSENTS))
        case 2:
            return Note(line, draw(_NOTES))
        case _:
            return Remove(line)


def _edited(draw: st.DrawFn, cart: Cart, edit: Edit) -> Cart:
    at = cart.changed_at + timedelta(seconds=draw(_SECONDS))
    fresh = ids.line_id(cart.version.to_bytes(4) + draw(_EIGHT)[:4])
    for event in carting.edit(cart, [edit], new_lines=[fresh], most=100):
        cart = carting.apply(cart, event, at)
    return cart


@st.composite
def _any_carts(draw: st.DrawFn) -> Cart:
    cart = draw(_filled_carts())
    for _ in range(draw(below(6))):
        at = cart.changed_at + timedelta(seconds=draw(_SECONDS))
        for event in one_of(draw, _next_of(cart, draw)):
            cart = carting.apply(cart, event, at)
    return cart


def _next_of(cart: Cart, draw: st.DrawFn) -> list[tuple[Event, ...]]:
    """What may happen to a cart next, all of one transaction together."""
    order = f"{draw(_STORE_IDS)}-7K3F9Q"
    claimed = (e.CartClaimed(draw(_OWNERS), cart.owner),)
    match cart.state:
        case CartState.OPEN if cart.promise_id is None:
            store, other = draw(_STORE_IDS), ids.cart_id(draw(_SIXTEEN))
            promise, until = ids.promise_id(store, draw(_SIXTEEN)), cart.changed_at + timedelta(minutes=15)
            total = draw(money(least=0))
            slot = ids.slot_id(store, until.replace(second=0, microsecond=0))
            promised = (e.PromiseMade(promise, store, slot, total, total, until),)
            return [
                *(promised, promised, promised),  # what most carts are for
                (e.CartAbsorbed(other), e.LineAdded(ids.line_id(draw(_EIGHT)), draw(_SKUS), draw(_SOME))),
                (e.CartMerged(other),),
                (e.CartAbandoned(),),
                claimed,
                tuple(e.LineRemoved(line.id) for line in cart.lines),
            ]
        case CartState.OPEN:
            held = cart.promise_id or ""
            ordered = (e.PromiseAccepted(held, order), e.CartOrdered(order))
            return [
                (e.PromiseWithdrawn(held),),
                (e.PromiseLapsed(held),),
                *(ordered, ordered),
                claimed,
            ]
        case CartState.ORDERED:
            return [(e.CartReopened(cart.order_id or ""),), claimed]
        case CartState.ABANDONED:
            return [(e.CartResumed(),), claimed]
        case CartState.MERGED:
            return [claimed]


# --- promises ---------------------------------------------------------------------------------------------


@st.composite
def quotes(draw: st.DrawFn, *, cart: Cart | None = None) -> Quote:
    """What a cart costs; some cart, or the one that is given, which must have a line."""
    priced = cart or draw(carts(filled=True))
    currency = draw(_CURRENCIES)
    wanted = sorted(priced.demand())
    found = {sku: draw(articles(sku)) for sku in wanted}
    costs = {sku: Price(sku, Money(draw(_SOME), currency), tax=Decimal(one_of(draw, _RATES))) for sku in wanted}
    return promising.quote(priced, found, costs)


@st.composite
def _held_promises(draw: st.DrawFn, cart: Cart, store: str) -> Promise:
    made_at = cart.changed_at + timedelta(seconds=draw(_SECONDS))
    starts = (made_at + timedelta(hours=1 + draw(below(100)))).replace(second=0, microsecond=0)
    draws = draw(_SIXTEEN)
    return Promise(
        id=ids.promise_id(store, draws),
        store=store,
        cart_id=cart.id,
        owner=cart.owner,
        lines_version=cart.lines_version,
        state=PromiseState.HELD,
        slot=ids.slot_id(store, starts),
        starts=starts,
        ends=starts + timedelta(hours=1),
        quote=draw(quotes(cart=cart)),
        reservation_id=ids.reservation_id(store, draws),
        made_at=made_at,
        expires_at=made_at + timedelta(minutes=1 + draw(below(240))),
        zone=one_of(draw, _ZONES),
        collect=one_of(draw, _WAYS),
    )


@st.composite
def promises(draw: st.DrawFn) -> Promise:
    """Promises, live ones and ended ones."""
    cart, store = draw(carts(filled=True)), draw(_STORE_IDS)
    held = draw(_held_promises(cart, store))
    ends: list[Event | None] = [
        None,
        e.PromiseAccepted(held.id, f"{store}-7K3F9Q"),
        e.PromiseReplaced(held.id, ids.promise_id(store, draw(_SIXTEEN))),
        e.PromiseWithdrawn(held.id),
        e.PromiseLapsed(held.id),
    ]
    event = one_of(draw, ends)
    return held if event is None else promising.apply(held, event)


@st.composite
def reservations(draw: st.DrawFn) -> Reservation:
    """Reservations: held, firm, used up in part or as a whole, released, expired."""
    store, until = draw(_STORE_IDS), draw(_INSTANTS)
    demand = draw(st.dictionaries(skus(), quantities(10**4), min_size=1, max_size=4))
    outside = draw(st.booleans())
    kept = ledger.reserve(ids.reservation_id(store, draw(_SIXTEEN)), store, demand, until, outside=outside)
    if draw(st.booleans()):
        kept = ledger.apply(kept, e.ReservationExtended(until + timedelta(minutes=5)))
    ending = one_of(draw, (None, e.Firmed(), e.Firmed(), e.ReservationReleased(), e.ReservationExpired()))
    kept = kept if ending is None else ledger.apply(kept, ending)
    for _ in range(draw(st.integers(0, 4)) if isinstance(ending, e.Firmed) else 0):
        live = kept.live()
        if not live:
            break
        sku = one_of(draw, sorted(live))
        units = ((sku, draw(st.integers(1, live[sku]))),)
        used = draw(st.booleans())
        kept = ledger.resolve(kept, e.UnitsConsumed(units) if used else e.UnitsReleased(units))
    return kept


# --- orders -----------------------------------------------------------------------------------------------


@st.composite
def lives(draw: st.DrawFn, *, by_card: bool = False) -> tuple[Turn, ...]:
    """Lives of orders, from placing on: at least one step. `by_card`: a card was asked for everything at once."""
    cart, store = draw(carts(filled=True)), draw(_STORE_IDS)
    promise = draw(_held_promises(cart, store))
    at = promise.made_at + timedelta(seconds=draw(below(60)))
    blank = ordering.place(
        ids.order_id(store, draw(_SIXTEEN)), cart, promise, at=at, channel=draw(_CHANNELS),
        pay_by=promise.expires_at,
    )  # fmt: skip
    quote = promise.quote
    placed = e.OrderPlaced(cart.id, promise.id, promise.owner, quote.total, quote.ceiling, promise.expires_at)
    events = (placed, *card_asked(blank, quote.ceiling)) if by_card else (placed,)
    first = Turn(blank, events, ordering.told(blank, events, at), at)
    return (first, *walk(draw, first.after, at))


def orders() -> st.SearchStrategy[Order]:
    """Orders wherever they may be in their lives."""
    return lives().map(lambda steps: steps[-1].after)


def payments() -> st.SearchStrategy[Payment]:
    """Payments of such orders."""
    paid = lives(by_card=True).map(lambda steps: steps[-1].after)
    return paid.flatmap(lambda order: st.sampled_from(order.payments))


def pickups() -> st.SearchStrategy[Pickup]:
    """Pick-ups of such orders."""
    return orders().map(lambda order: order.pickup)


# --- events -----------------------------------------------------------------------------------------------


_KINDS: Final = [kind for _, kind in sorted(EVENTS.items()) if not kind.__subclasses__()]
"""Without the roots, which stand for families of events and never happen themselves."""


def _by_type() -> Mapping[Any, st.SearchStrategy[Any]]:
    words = st.one_of(st.just(""), st.text(st.characters(codec="utf-8"), max_size=10))
    units = st.builds(Units, st.sampled_from(["ln_0000000000000", "ln_0123456789abc"]), quantities())
    return {
        str: words,
        str | None: st.none() | words,
        tuple[str, ...]: st.lists(words, max_size=3).map(tuple),
        int: quantities(),
        bool: st.booleans(),
        CheckKind: st.sampled_from(CheckKind),
        tuple[CheckKind, ...]: st.lists(st.sampled_from(CheckKind), unique=True).map(tuple),
        Proof: st.sampled_from(Proof),
        datetime: instants(),
        datetime | None: st.none() | instants(),
        tuple[datetime, ...]: st.lists(instants(), max_size=3).map(tuple),
        Money: money(),
        Money | None: st.none() | money(),
        tuple[OrderLine, ...]: st.lists(_order_lines(), max_size=2).map(tuple),
        Consent: st.builds(Consent.similar, cap=st.none() | money(least=0), without_brands=st.just(("Oatly",))),
        Proposal: st.builds(
            Proposal,
            st.just("ln_0"),
            quantities(),
            _order_lines(),
            words,
            instants(),
            st.just("not_found"),
            st.booleans(),
        ),
        Metadata: metadata(),
        Question: _questions(units),
        tuple[Units, ...]: st.lists(units, max_size=3).map(tuple),
        tuple[tuple[str, int], ...]: st.lists(st.tuples(skus(), quantities()), max_size=3).map(tuple),
        tuple[tuple[str, str], ...]: st.lists(st.tuples(words, words), max_size=2).map(tuple),
        tuple[tuple[str, tuple[str, ...]], ...]: st.just((("ln_0", ("milk", "nuts")),)),
    }


def _order_lines() -> st.SearchStrategy[OrderLine]:
    return st.builds(
        OrderLine, st.sampled_from(["ln_0000000000001", "ln_0123456789abd"]), skus(), _TITLES, _UNITS, quantities(),
        money(), quantities(), st.just(Decimal("0.20")), money(), handling=_HANDLINGS, instead_of=st.just("ln_0"),
    )  # fmt: skip


def _questions(units: st.SearchStrategy[Units]) -> st.SearchStrategy[Question]:
    always = st.sampled_from([Option("less", Alternative.LESS), Option("nothing", Alternative.NOTHING)])
    when = st.none() | instants()
    elsewhere = st.builds(Option, st.just("later"), st.sampled_from(Alternative), _STORE_IDS, st.none(), when, when)
    options = st.lists(st.one_of(always, elsewhere), min_size=1, max_size=3).map(tuple)
    about = st.lists(units, min_size=1, max_size=2).map(tuple)
    missing = st.lists(st.builds(MissingUnits, skus(), quantities(), st.sampled_from(Unit), when), max_size=2).map(
        tuple
    )
    return st.builds(Question, about, st.just("not_found"), options, st.just("less"), instants(), missing)


def _of_kind(kind: type[Event]) -> st.SearchStrategy[Event]:
    types, drawn = get_type_hints(kind), _by_type()
    return st.builds(kind, **{one.name: drawn[types[one.name]] for one in fields(kind)})


def events() -> st.SearchStrategy[Event]:
    """Every kind of event, with anything in it that its fields can hold; which may not be anything that happens."""
    return st.sampled_from(_KINDS).flatmap(_of_kind)


def recorded() -> st.SearchStrategy[Recorded]:
    """Events as the journal keeps them."""
    return st.builds(Recorded, _STORE_IDS, st.just("SOF01-7K3F9Q"), st.integers(1, 10**6), _STAMPS, events())
