"""Hypothesis strategies for what omniorder is made of: only valid objects, and as odd as valid objects get.

Values are drawn from what their classes accept. Carts, promises, reservations and orders are not put together
field by field: they are led to where they are by legal events (see `walks` for orders), so that their fields agree
with each other as they would in a shop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, get_type_hints

from attrs import evolve, fields
from hypothesis import assume
from hypothesis import strategies as st

from omniorder.domain import carts as carting
from omniorder.domain import events as e
from omniorder.domain import ids, text
from omniorder.domain import orders as ordering
from omniorder.domain import promises as promising
from omniorder.domain import stock as ledger
from omniorder.domain import stores as storing
from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import Add, Cart, Change, Edit, Note, Remove
from omniorder.domain.channels import Channel
from omniorder.domain.events import EVENTS, Event, Recorded, Stamp, Units
from omniorder.domain.lifecycle import CartState, PromiseState
from omniorder.domain.money import EXPONENTS, Money
from omniorder.domain.orders import Order
from omniorder.domain.payments import Card, PayInStore, Payment, Tender
from omniorder.domain.pickups import Pickup
from omniorder.domain.promises import Promise, Quote
from omniorder.domain.quantities import MAX_QUANTITY, Unit
from omniorder.domain.stock import Level, Movement, MovementKind, Reservation
from omniorder.domain.stores import Point, Slot, Store
from omniorder.domain.text import Metadata
from omniorder.testing.walks import Step, walk

__all__ = [
    "articles", "carts", "channels", "events", "instants", "levels", "lives", "metadata", "money", "movements",
    "notes", "orders", "owners", "payments", "pickups", "points", "prices", "promises", "quantities", "quotes",
    "recorded", "reservations", "skus", "slots", "stamps", "store_ids", "stores", "tenders",
]  # fmt: skip

_ZONES: Final = ("Europe/Sofia", "America/New_York", "Asia/Kolkata", "Pacific/Chatham", "UTC")
_HOURS: Final = ("Mo-Sa 08:00-21:00", "24/7", "Mo-Su 10:00-14:00,15:30-19:00", "Mo-Su 18:00-02:00")
_BIDI: Final = "".join(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
_RATES: Final = ("0", "0.05", "0.09", "0.20", "0.2575")
_FIRST: Final = datetime(2020, 1, 1, tzinfo=UTC)
_SPAN: Final = 80 * 365 * 24 * 3600 * 10**6


# --- values -----------------------------------------------------------------------------------------------


def currencies() -> st.SearchStrategy[str]:
    """Currencies, the common ones and those with no or three decimals first of all."""
    return st.one_of(st.sampled_from(["EUR", "JPY", "KWD"]), st.sampled_from(sorted(EXPONENTS)))


@st.composite
def money(draw: st.DrawFn, *, least: int = -(10**12), most: int = 10**12, currency: str | None = None) -> Money:
    """Amounts of any currency, or of the one that is given."""
    return Money(draw(st.integers(least, most)), currency or draw(currencies()))


def quantities(most: int = MAX_QUANTITY) -> st.SearchStrategy[int]:
    """Quantities of a line: small ones mostly."""
    return st.one_of(st.integers(1, min(5, most)), st.integers(1, most))


def instants() -> st.SearchStrategy[datetime]:
    """Instants in UTC, to the microsecond, from 2020 to 2099."""
    return st.integers(0, _SPAN).map(lambda n: _FIRST + timedelta(microseconds=n))


def skus() -> st.SearchStrategy[str]:
    """Article numbers."""
    odd = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,20}", fullmatch=True)
    return st.one_of(st.sampled_from(["OAT-MILK-1L", "BREAD/RYE.500", "apples_1"]), odd)


def store_ids() -> st.SearchStrategy[str]:
    """Stores' codes."""
    return st.one_of(st.just("SOF01"), st.from_regex(r"[A-Z0-9]{2,8}", fullmatch=True))


def owners() -> st.SearchStrategy[str]:
    """Whose a cart or order is."""
    return st.one_of(
        st.sampled_from(["customer:anna", "customer:Анна Петрова"]),
        st.binary(min_size=16, max_size=16).map(lambda token: f"guest:{token.hex()}"),
    )


def _texts(most: int, *, breaks: bool) -> st.SearchStrategy[str]:
    allowed = "\n\t" if breaks else ""
    characters = st.characters(
        exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters=_BIDI, include_characters=allowed
    )
    written = st.text(characters, max_size=most // 4)
    return written.filter(lambda one: not text.looks_like_card_number(one))


def notes() -> st.SearchStrategy[str]:
    """Notes for the picker, empty ones too."""
    return _texts(120, breaks=True).map(text.note)


def metadata() -> st.SearchStrategy[Metadata]:
    """A caller's labels, none at all too."""
    names = st.from_regex(r"[a-z][a-z0-9_.-]{0,9}", fullmatch=True)
    return st.dictionaries(names, _texts(60, breaks=False), max_size=3).map(text.metadata)


def channels() -> st.SearchStrategy[Channel]:
    """Channels."""
    return st.sampled_from(Channel)


def stamps() -> st.SearchStrategy[Stamp]:
    """Who did something, when and how."""
    return st.builds(Stamp, instants(), channels(), owners(), st.sampled_from(["", "ios/5.2"]))


def tenders() -> st.SearchStrategy[Tender]:
    """Ways to pay."""
    tokens = st.from_regex(r"(pm|tok)_[A-Za-z]{1,20}", fullmatch=True)
    return st.one_of(st.builds(Card, tokens), st.builds(PayInStore))


_SIXTEEN: Final = st.binary(min_size=16, max_size=16)


def _base32(prefix: str, length: int) -> st.SearchStrategy[str]:
    return st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=length, max_size=length).map(prefix.__add__)


# --- the shop ---------------------------------------------------------------------------------------------


def points() -> st.SearchStrategy[Point]:
    """Places on the globe."""
    return st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))


def stores() -> st.SearchStrategy[Store]:
    """Stores that are open at some time of most days."""
    return st.builds(
        Store,
        store_ids(),
        zone=st.sampled_from(_ZONES),
        hours=st.sampled_from(_HOURS),
        name=_texts(60, breaks=False).map(str.strip),
        place=st.none() | points(),
        country=st.sampled_from([None, "BG"]),
        lead=st.integers(0, 600).map(lambda n: timedelta(minutes=n)),
        slot_length=st.sampled_from([5, 30, 60]).map(lambda n: timedelta(minutes=n)),
        slot_capacity=st.integers(0, 50),
        pickup_days=st.integers(1, 14),
    )


@st.composite
def slots(draw: st.DrawFn) -> Slot:
    """Slots of some store, in its own zone."""
    store, now = draw(stores()), draw(instants())
    found = list(storing.slots(store, now=now, until=now + timedelta(days=4), limit=20))
    assume(found)
    return evolve(draw(st.sampled_from(found)), booked=draw(st.integers(0, 60)))


def articles(sku: str | None = None) -> st.SearchStrategy[Article]:
    """Articles, or such of one article number."""
    names = _texts(60, breaks=False).map(lambda name: f"a {name}".strip())
    number = skus() if sku is None else st.just(sku)
    return st.builds(Article, number, names, st.sampled_from(Unit), metadata())


@st.composite
def prices(draw: st.DrawFn, *, sku: str | None = None, currency: str | None = None) -> Price:
    """Prices, or such of one article number in one currency."""
    begins = draw(st.none() | instants())
    ends = draw(st.none() | instants())
    if begins is not None and ends is not None:
        assume(begins != ends)
        begins, ends = min(begins, ends), max(begins, ends)
    return Price(
        sku or draw(skus()),
        draw(money(least=0, most=10**6, currency=currency)),
        tax=Decimal(draw(st.sampled_from(_RATES))),
        per=draw(st.sampled_from([1, 1, 100, 1000])),
        store=draw(st.none() | store_ids()),
        channel=draw(st.none() | channels()),
        valid_from=begins,
        valid_to=ends,
    )


def levels() -> st.SearchStrategy[Level]:
    """Stock levels, short ones too."""
    counts = st.integers(0, 10**6)
    return st.builds(Level, store_ids(), skus(), counts, counts, counts)


@st.composite
def movements(draw: st.DrawFn) -> Movement:
    """Movements, in and out."""
    store = draw(store_ids())
    quantity = draw(quantities()) * draw(st.sampled_from([1, -1]))
    made = ids.movement_id(store, draw(_SIXTEEN))
    words = st.sampled_from(["", "stocktake", "SOF01-7K3F9Q"])
    kind = draw(st.sampled_from(MovementKind))
    return Movement(made, store, draw(skus()), kind, quantity, draw(stamps()), draw(words), draw(words))


# --- carts ------------------------------------------------------------------------------------------------


def carts(*, filled: bool = False) -> st.SearchStrategy[Cart]:
    """Carts wherever they may be in their lives; `filled`: open, with at least one line and without a promise."""
    return _filled_carts() if filled else _any_carts()


@st.composite
def _filled_carts(draw: st.DrawFn) -> Cart:
    at = draw(instants())
    owner, language = draw(owners()), draw(st.sampled_from(["", "bg", "en-GB"]))
    empty = Cart(
        ids.cart_id(draw(_SIXTEEN)), owner, CartState.OPEN, 0, (), at, at, language=language,
        metadata=draw(metadata()),
    )  # fmt: skip
    cart = carting.apply(empty, e.CartStarted(owner, language), at)
    first = [Add(draw(skus()), draw(quantities(10**4)), draw(notes()), draw(metadata()))]
    cart = _edited(draw, cart, first)
    for _ in range(draw(st.integers(0, 5))):
        edit = draw(_edits(cart))
        after = _edited(draw, cart, [edit])
        cart = after if after.lines else cart
    return cart


def _edits(cart: Cart) -> st.SearchStrategy[Edit]:
    lines = st.sampled_from([line.id for line in cart.lines])
    return st.one_of(
        st.builds(Add, skus(), quantities(10**4), notes(), metadata()),
        st.builds(Change, lines, quantities(10**4)),
        st.builds(Note, lines, notes()),
        st.builds(Remove, lines),
    )


def _edited(draw: st.DrawFn, cart: Cart, edits: Sequence[Edit]) -> Cart:
    at = cart.changed_at + timedelta(seconds=draw(st.integers(0, 600)))
    fresh = ids.line_id(draw(st.binary(min_size=8, max_size=8)))
    assume(all(line.id != fresh for line in cart.lines))
    for event in carting.edit(cart, edits, new_lines=[fresh], most=100):
        cart = carting.apply(cart, event, at)
    return cart


@st.composite
def _any_carts(draw: st.DrawFn) -> Cart:
    cart = draw(_filled_carts())
    for _ in range(draw(st.integers(0, 5))):
        at = cart.changed_at + timedelta(seconds=draw(st.integers(0, 600)))
        for event in draw(st.sampled_from(_next_of(cart, draw))):
            cart = carting.apply(cart, event, at)
    return cart


def _next_of(cart: Cart, draw: st.DrawFn) -> list[tuple[Event, ...]]:
    """What may happen to a cart next, all of one transaction together."""
    order = f"{draw(store_ids())}-7K3F9Q"
    match cart.state:
        case CartState.OPEN if cart.promise_id is None:
            store, other = draw(store_ids()), ids.cart_id(draw(_SIXTEEN))
            promise, until = ids.promise_id(store, draw(_SIXTEEN)), cart.changed_at + timedelta(minutes=15)
            total = draw(money(least=0))
            slot = ids.slot_id(store, until.replace(second=0, microsecond=0))
            return [
                (e.PromiseMade(promise, store, slot, total, total, until),),
                (e.CartMerged(other),),
                (e.CartAbandoned(),),
                tuple(e.LineRemoved(line.id) for line in cart.lines),
            ]
        case CartState.OPEN:
            held = cart.promise_id or ""
            return [
                (e.PromiseWithdrawn(held),),
                (e.PromiseLapsed(held),),
                (e.PromiseAccepted(held, order), e.CartOrdered(order)),
            ]
        case CartState.ORDERED:
            return [(e.CartReopened(cart.order_id or ""),)]
        case CartState.ABANDONED:
            return [(e.CartResumed(),)]
        case CartState.MERGED:
            return [()]


# --- promises ---------------------------------------------------------------------------------------------


@st.composite
def quotes(draw: st.DrawFn, *, cart: Cart | None = None) -> Quote:
    """What a cart costs; some cart, or the one that is given, which must have a line."""
    priced = cart or draw(carts(filled=True))
    currency = draw(currencies())
    wanted = sorted(priced.demand())
    found = {sku: draw(articles(sku)) for sku in wanted}
    costs = {sku: draw(prices(sku=sku, currency=currency)) for sku in wanted}
    quote = promising.quote(priced, found, costs)
    assume(quote.total.amount)  # what costs nothing needs no payment, and so has no life worth walking
    return quote


@st.composite
def _held_promises(draw: st.DrawFn, cart: Cart, store: str) -> Promise:
    made_at = cart.changed_at + timedelta(seconds=draw(st.integers(0, 600)))
    starts = (made_at + timedelta(hours=draw(st.integers(1, 100)))).replace(second=0, microsecond=0)
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
        expires_at=made_at + timedelta(minutes=draw(st.integers(1, 240))),
        zone=draw(st.sampled_from(_ZONES)),
    )


@st.composite
def promises(draw: st.DrawFn) -> Promise:
    """Promises, live ones and ended ones."""
    cart, store = draw(carts(filled=True)), draw(store_ids())
    held = draw(_held_promises(cart, store))
    ends: list[Event | None] = [
        None,
        e.PromiseAccepted(held.id, f"{store}-7K3F9Q"),
        e.PromiseReplaced(held.id, ids.promise_id(store, draw(_SIXTEEN))),
        e.PromiseWithdrawn(held.id),
        e.PromiseLapsed(held.id),
    ]
    event = draw(st.sampled_from(ends))
    return held if event is None else promising.apply(held, event)


@st.composite
def reservations(draw: st.DrawFn) -> Reservation:
    """Reservations: held, firm, used up in part or as a whole, released, expired."""
    store, until = draw(store_ids()), draw(instants())
    demand = draw(st.dictionaries(skus(), quantities(10**4), min_size=1, max_size=4))
    kept = ledger.reserve(ids.reservation_id(store, draw(_SIXTEEN)), store, demand, until)
    if draw(st.booleans()):
        kept = ledger.apply(kept, e.ReservationExtended(until + timedelta(minutes=5)))
    ending = draw(st.sampled_from([None, e.ReservationReleased(), e.ReservationExpired(), e.Firmed()]))
    kept = kept if ending is None else ledger.apply(kept, ending)
    for _ in range(draw(st.integers(0, 4)) if isinstance(ending, e.Firmed) else 0):
        live = kept.live()
        if not live:
            break
        sku = draw(st.sampled_from(sorted(live)))
        units = ((sku, draw(st.integers(1, live[sku]))),)
        used = draw(st.booleans())
        kept = ledger.resolve(kept, e.UnitsConsumed(units) if used else e.UnitsReleased(units))
    return kept


# --- orders -----------------------------------------------------------------------------------------------


@st.composite
def lives(draw: st.DrawFn) -> tuple[Step, ...]:
    """Lives of orders, from placing on: at least one step."""
    cart, store = draw(carts(filled=True)), draw(store_ids())
    promise = draw(_held_promises(cart, store))
    at = promise.made_at + timedelta(seconds=draw(st.integers(0, 59)))
    blank = ordering.place(
        ids.order_id(store, draw(_SIXTEEN)), cart, promise, at=at, channel=draw(channels()),
        pay_by=promise.expires_at,
    )  # fmt: skip
    quote = promise.quote
    placed = e.OrderPlaced(cart.id, promise.id, promise.owner, quote.total, quote.ceiling, promise.expires_at)
    first = Step(blank, (placed,), ordering.apply(blank, placed, at), at)
    return (first, *walk(draw, first.after, at))


def orders() -> st.SearchStrategy[Order]:
    """Orders wherever they may be in their lives."""
    return lives().map(lambda steps: steps[-1].after)


def payments() -> st.SearchStrategy[Payment]:
    """Payments of such orders."""
    paid = orders().filter(lambda order: bool(order.payments))
    return paid.flatmap(lambda order: st.sampled_from(order.payments))


def pickups() -> st.SearchStrategy[Pickup]:
    """Pick-ups of such orders."""
    return orders().map(lambda order: order.pickup)


# --- events -----------------------------------------------------------------------------------------------


def _by_type() -> Mapping[Any, st.SearchStrategy[Any]]:
    units = st.builds(Units, _base32("ln_", 13), quantities())
    return {
        str: st.one_of(st.just(""), st.text(st.characters(codec="utf-8"), max_size=10)),
        int: quantities(),
        datetime: instants(),
        Money: money(),
        Metadata: metadata(),
        tuple[Units, ...]: st.lists(units, max_size=3).map(tuple),
        tuple[tuple[str, int], ...]: st.lists(st.tuples(skus(), quantities()), max_size=3).map(tuple),
    }


def _of_kind(kind: type[Event]) -> st.SearchStrategy[Event]:
    types, drawn = get_type_hints(kind), _by_type()
    return st.builds(kind, **{one.name: drawn[types[one.name]] for one in fields(kind)})


def events() -> st.SearchStrategy[Event]:
    """Every kind of event, with anything in it that its fields can hold; which may not be anything that happens."""
    return st.sampled_from(sorted(EVENTS)).flatmap(lambda name: _of_kind(EVENTS[name]))


def recorded() -> st.SearchStrategy[Recorded]:
    """Events as the journal keeps them."""
    return st.builds(Recorded, store_ids(), _base32("crt_", 26), st.integers(1, 10**6), stamps(), events())
