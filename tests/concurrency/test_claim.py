"""Devices that log in, merge and edit at the same moment: no line is lost, and nothing belongs to two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from omniorder import Cart, CartState, Channel, Claimed, Customer, Guest, Merged, Order, PayInStore
from omniorder.errors import IllegalTransition, NotFound, OmniorderError
from omniorder.services.touchpoints import CustomerTouchpoint
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import at_once, refused, won

ANNA = "customer:anna"
DEVICES = 6
GUESTS = [Guest(f"the-token-of-device-{n}-of-many") for n in range(DEVICES)]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """The example shop on each of the three: claims are new to the memory's lock too."""
    fresh = None if request.param == "memory" else request.getfixturevalue(f"fresh_{request.param}")
    with Shop.example(fresh() if fresh else "memory://", migrate=fresh is None) as example:
        yield example


def device(shop: Shop, guest: Guest) -> CustomerTouchpoint:
    return shop.hub.at(Channel.WEB, guest)


def login(shop: Shop, guest: Guest, customer: str = "anna") -> Claimed:
    """On a device of this customer's."""
    return shop.hub.at(Channel.WEB, Customer(customer), via=guest.name).carts.claim(guest)


def filled(desk: CustomerTouchpoint, note: str, quantity: int = 1) -> Cart:
    """A cart with milk, and bread with a note by which its line is known."""
    cart = desk.carts.start()
    desk.carts.add(cart.id, Shop.MILK, quantity)
    return desk.carts.add(cart.id, Shop.BREAD, 1, note=note)


def open_carts(shop: Shop, owner: str = ANNA) -> list[Cart]:
    with shop.hub._parts.storage.reading() as tx:
        return [cart for cart in tx.carts_of(owner, limit=100) if cart.state is CartState.OPEN]


def notes(cart: Cart) -> set[str]:
    return {line.note for line in cart.lines if line.note}


# --- two devices of one customer --------------------------------------------------------------------------


def everybody_logs_in(shop: Shop, devices: int = DEVICES) -> list[Claimed | OmniorderError]:
    for n, guest in enumerate(GUESTS[:devices], 1):
        filled(device(shop, guest), f"for guest {n}", n)
    return at_once([partial(login, shop, guest) for guest in GUESTS[:devices]])


def test_of_many_devices_that_log_in_at_once_no_line_is_lost(shop: Shop) -> None:
    assert refused(everybody_logs_in(shop)) == []
    (cart,) = open_carts(shop)
    assert notes(cart) == {f"for guest {n}" for n in range(1, DEVICES + 1)}
    assert cart.demand() == {Shop.MILK: DEVICES, Shop.BREAD: DEVICES}
    assert cart == shop.app.carts.current()
    check_all(shop.hub)


def test_two_that_find_no_cart_of_the_customers_become_one(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last moment to miss each other: both have looked before either writes."""
    unguarded.look_before_anybody_writes(monkeypatch, "load_open", 2)
    assert refused(everybody_logs_in(shop_on_postgres, 2)) == []
    (cart,) = open_carts(shop_on_postgres)
    assert notes(cart) == {"for guest 1", "for guest 2"}
    check_all(shop_on_postgres.hub)


def test_without_counting_the_customer_two_carts_are_left(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    unguarded.claim_uncounted(monkeypatch)
    unguarded.look_before_anybody_writes(monkeypatch, "load_open", 2)
    everybody_logs_in(shop_on_postgres, 2)
    assert [len(notes(cart)) for cart in open_carts(shop_on_postgres)] == [1, 1]


# --- one guest, claimed twice -----------------------------------------------------------------------------


def claimed_twice(shop: Shop, *customers: str) -> list[Claimed]:
    """By these customers at once: a cart, an order, and one that was called off."""
    guest = device(shop, GUESTS[0])
    for called_off in (True, False):
        cart = filled(guest, "to be ordered")
        slot = next(offer for offer in guest.checkout.offers(cart.id) if offer.slots).slots[0].id
        order = guest.checkout.place(guest.checkout.promise(cart.id, slot=slot).id, pay=PayInStore())
        if called_off:
            guest.orders.cancel(order.id)
    filled(guest, "kept")
    results = at_once([partial(login, shop, GUESTS[0], customer) for customer in customers])
    assert refused(results) == []
    return won(results)


def test_a_guest_who_is_claimed_twice_by_one_customer_is_claimed_once(shop: Shop) -> None:
    one, two = claimed_twice(shop, "anna", "anna")
    assert one.cart == two.cart
    assert sorted([len(one.orders), len(two.orders)]) == [0, 2]
    assert len(shop.app.orders.page().items) == 2
    check_all(shop.hub)


def test_of_two_customers_who_claim_one_guest_one_gets_everything(shop: Shop) -> None:
    claims = claimed_twice(shop, "anna", "boris")
    assert sorted(((one.cart is not None), len(one.orders)) for one in claims) == [(False, 0), (True, 2)]
    check_all(shop.hub)


def test_without_comparing_versions_both_believe_that_it_is_theirs(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    unguarded.complain_of_nothing(monkeypatch)
    unguarded.look_before_anybody_writes(monkeypatch, "load_all", 2)
    assert [one.cart is not None for one in claimed_twice(shop_on_postgres, "anna", "boris")] == [True, True]


def test_what_the_guest_does_during_the_claim_is_claimed_or_refused(shop: Shop) -> None:
    guest, cart = device(shop, GUESTS[0]), filled(device(shop, GUESTS[0]), "kept")

    def edit(n: int) -> str:
        guest.carts.add(cart.id, Shop.BREAD, 1, note=f"edit {n}")
        return f"edit {n}"

    def log_in() -> str:
        login(shop, GUESTS[0])
        return "kept"

    works: list[Callable[[], str]] = [log_in, *(partial(edit, n) for n in range(DEVICES))]
    results = at_once(works)
    assert set(refused(results)) <= {NotFound.code}
    (mine,) = open_carts(shop)
    assert notes(mine) == set(won(results)) >= {"kept"}
    check_all(shop.hub)


def test_an_order_that_the_guest_places_during_the_claim_is_claimed_or_refused(shop: Shop) -> None:
    guest, cart = device(shop, GUESTS[0]), filled(device(shop, GUESTS[0]), "kept")
    promise = guest.checkout.promise(cart.id, slot=guest.checkout.offers(cart.id)[0].slots[0].id)
    place = partial(guest.checkout.place, promise.id, pay=PayInStore())

    def log_in() -> None:
        login(shop, GUESTS[0])

    works: list[Callable[[], Order | None]] = [log_in, place]
    results = at_once(works)
    assert set(refused(results)) <= {NotFound.code}
    assert [order.id for order in shop.app.orders.page().items] == [order.id for order in won(results) if order]
    assert guest.orders.page().items == ()
    check_all(shop.hub)


def test_what_the_guest_orders_between_two_reads_of_a_claim_stays_whole(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cart and the order on it are claimed together, or both by the next claim."""
    shop, guest = shop_on_postgres, device(shop_on_postgres, GUESTS[0])
    filled(guest, "kept")

    def order() -> Order:
        cart = filled(guest, "ordered meanwhile")
        slot = guest.checkout.offers(cart.id)[0].slots[0].id
        return guest.checkout.place(guest.checkout.promise(cart.id, slot=slot).id, pay=PayInStore())

    (placed,) = unguarded.after_the_first_list(monkeypatch, order, lambda: login(shop, GUESTS[0]))
    check_all(shop.hub)
    assert isinstance(placed, Order)
    login(shop, GUESTS[0])
    assert [one.id for one in shop.app.orders.page().items] == [placed.id]
    check_all(shop.hub)


def ordered_and_claimed_meanwhile(shop: Shop, patch: pytest.MonkeyPatch) -> None:
    """Anna's claim has read the list of the guest's orders; before it reads on, Boris has claimed them."""
    guest = device(shop, GUESTS[0])
    cart = filled(guest, "ordered")
    slot = guest.checkout.offers(cart.id)[0].slots[0].id
    guest.checkout.place(guest.checkout.promise(cart.id, slot=slot).id, pay=PayInStore())
    boris, anna = partial(login, shop, GUESTS[0], "boris"), partial(login, shop, GUESTS[0])
    unguarded.after_the_first_list(patch, boris, anna)


def test_an_order_that_another_customer_claimed_between_two_reads_stays_theirs(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered_and_claimed_meanwhile(shop_on_postgres, monkeypatch)
    assert len(shop_on_postgres.stranger.orders.page().items) == 1
    assert shop_on_postgres.app.orders.page().items == ()
    check_all(shop_on_postgres.hub)


def test_a_login_that_finds_nothing_left_answers_with_the_cart_as_it_is_now(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another login of the same customer took everything after this one had looked for their cart."""
    shop = shop_on_postgres
    filled(device(shop, GUESTS[0]), "kept")
    claims: list[Claimed] = []
    looked = unguarded.after_looking_for_the_open_cart(
        monkeypatch, lambda: login(shop, GUESTS[0]), lambda: claims.append(login(shop, GUESTS[0]))
    )
    assert claims[0].cart == shop.app.carts.current() is not None
    assert [one.cart for one in won(looked)] == [claims[0].cart]


def test_without_comparing_versions_it_is_taken_from_them(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    unguarded.complain_of_nothing(monkeypatch)
    unguarded.write_over_orders(monkeypatch)
    ordered_and_claimed_meanwhile(shop_on_postgres, monkeypatch)
    assert len(shop_on_postgres.app.orders.page().items) == 1


# --- merging ----------------------------------------------------------------------------------------------


def merge_both_ways(shop: Shop) -> tuple[list[Merged | OmniorderError], list[Cart]]:
    """What became of it, and the carts that are open then."""
    one, two = filled(shop.app, "one"), filled(shop.app, "two")
    merges = [partial(shop.app.carts.merge, one.id, two.id), partial(shop.web.carts.merge, two.id, one.id)]
    return at_once(merges), open_carts(shop)


def test_of_two_carts_that_are_merged_into_each_other_one_has_everything(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadlocks = unguarded.deadlocks(monkeypatch)
    results, left = merge_both_ways(shop)
    assert refused(results) == [IllegalTransition.code]
    assert [notes(cart) for cart in left] == [{"one", "two"}]
    assert deadlocks == []
    check_all(shop.hub)


def test_without_comparing_versions_both_believe_that_they_have_everything(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    unguarded.decide_on_old_news(monkeypatch)
    results, _ = merge_both_ways(shop_on_postgres)
    assert [notes(merged.cart) for merged in won(results)] == [{"one", "two"}] * 2


def test_edits_of_a_cart_that_is_being_merged_are_merged_or_refused(shop: Shop) -> None:
    mine, other = filled(shop.app, "mine"), filled(shop.app, "other")

    def edit(n: int) -> str:
        shop.web.carts.add(other.id, Shop.BREAD, 1, note=f"edit {n}")
        return f"edit {n}"

    def merge() -> str:
        shop.app.carts.merge(mine.id, other.id)
        return "other"

    works: list[Callable[[], str]] = [merge, *(partial(edit, n) for n in range(DEVICES))]
    results = at_once(works)
    assert set(refused(results)) <= {IllegalTransition.code}
    assert notes(shop.app.carts.get(mine.id)) == {"mine", *won(results)} >= {"other"}
    check_all(shop.hub)


def merge_during_an_edit(shop: Shop, patch: pytest.MonkeyPatch) -> set[str]:
    """Another device edits the other cart after the merge has read it; what is wanted once it has ended."""
    mine, other = filled(shop.app, "mine"), filled(shop.app, "other")
    edit = partial(shop.web.carts.add, other.id, Shop.BREAD, 1, note="edited meanwhile")
    done = unguarded.between_reading_a_cart_and_writing(patch, other.id, edit)
    shop.app.carts.merge(mine.id, other.id)
    assert [isinstance(one, Cart) for one in done] == [True]
    assert shop.app.carts.get(other.id).state is CartState.MERGED
    return notes(shop.app.carts.get(mine.id))


def test_an_edit_between_reading_and_writing_is_in_the_merged_cart(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert merge_during_an_edit(shop_on_postgres, monkeypatch) == {"mine", "other", "edited meanwhile"}
    check_all(shop_on_postgres.hub)


def test_without_comparing_versions_such_an_edit_is_lost(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    unguarded.complain_of_nothing(monkeypatch)
    unguarded.write_over_carts(monkeypatch)
    assert merge_during_an_edit(shop_on_postgres, monkeypatch) == {"mine", "other"}
