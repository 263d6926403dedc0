"""Offers: which stores can promise the basket, best first, and why the others can't."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from omniorder import (
    Article,
    Channel,
    Money,
    Offer,
    Point,
    Price,
    Service,
    SourcingPolicy,
    Store,
    Unit,
    ranking,
    sourcing,
)
from omniorder.errors import CartEmpty, InvalidInput, NotFound, OutOfStock, PaymentInFlight
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.steps import filled, placed, promised, refused


def test_stores_that_have_everything_come_first_and_the_nearest_of_them_leads(shop: Shop) -> None:
    offers = shop.web.checkout.offers(filled(shop).id, near=Shop.HERE)
    assert [(offer.store.id, offer.full) for offer in offers] == [("SOF01", True), ("VAR01", True), ("SOF02", False)]


def test_seen_from_the_sea_the_order_turns_round(shop: Shop) -> None:
    offers = shop.web.checkout.offers(filled(shop).id, near=Point(lat=43.2, lon=27.9))
    assert [offer.store.id for offer in offers][:2] == ["VAR01", "SOF01"]


def test_distances_are_in_kilometres_and_unknown_without_a_place(shop: Shop) -> None:
    cart = filled(shop)
    sofia = shop.web.checkout.offers(cart.id, near=Shop.HERE)[0]
    assert sofia.distance_km is not None
    assert 1.3 < sofia.distance_km < 1.5
    assert shop.web.checkout.offers(cart.id)[0].distance_km is None


def test_a_store_that_is_short_says_of_what_and_how_much_it_has(shop: Shop) -> None:
    offers = {offer.store.id: offer for offer in shop.web.checkout.offers(filled(shop).id)}
    (reason,) = offers["SOF02"].reasons
    assert reason.code == "stock.short"
    assert reason.facts == {"sku": Shop.MILK, "wanted": 2, "available": 1}


def test_units_on_several_lines_are_counted_together(shop: Shop) -> None:
    cart = shop.app.carts.add(filled(shop, {Shop.BREAD: 3}).id, Shop.BREAD, 3, note="sliced")
    sofia = next(offer for offer in shop.web.checkout.offers(cart.id) if offer.store.id == "SOF01")
    assert [reason.facts["wanted"] for reason in sofia.reasons] == [6]


def test_what_others_were_promised_and_what_is_kept_back_is_not_offered(shop: Shop) -> None:
    promised(shop, {Shop.BREAD: 2})
    shop.store.stock.keep_back(Shop.SOFIA, Shop.BREAD, 2)
    cart = filled(shop, {Shop.BREAD: 2}, touch=shop.stranger)
    sofia = next(offer for offer in shop.stranger.checkout.offers(cart.id) if offer.store.id == "SOF01")
    assert sofia.reasons[0].facts["available"] == 1


def test_a_store_without_a_price_says_so_and_has_no_quote(shop: Shop) -> None:
    shop.office.articles.put(Article("TEA", "Mountain tea"))
    shop.office.prices.put(Price("TEA", Money(500, "EUR"), tax="0.20", store="SOF01"))
    shop.office.stock.receive("SOF01", "TEA", 1)
    shop.office.stock.receive("VAR01", "TEA", 1)
    offers = {offer.store.id: offer for offer in shop.web.checkout.offers(filled(shop, {"TEA": 1}).id)}
    assert offers["SOF01"].full
    assert offers["VAR01"].quote is None
    assert [reason.code for reason in offers["VAR01"].reasons] == ["price.missing"]


def test_a_store_that_never_opens_has_no_slots_and_says_so(shop: Shop) -> None:
    shop.office.stores.put(Store("SHUT", zone="Europe/Sofia", hours="off"))
    shop.office.stock.receive("SHUT", Shop.MILK, 5)
    offers = {offer.store.id: offer for offer in shop.web.checkout.offers(filled(shop).id)}
    assert offers["SHUT"].slots == ()
    assert [reason.code for reason in offers["SHUT"].reasons] == ["slot.unavailable"]


def test_slots_begin_after_the_stores_lead_and_are_shown_in_its_own_zone(shop: Shop) -> None:
    first = shop.web.checkout.offers(filled(shop).id)[0].slots[0]
    assert first.starts.isoformat() == "2026-11-23T11:00:00+02:00"
    assert first.ends - first.starts == timedelta(hours=1)


def test_a_full_slot_is_not_offered(shop: Shop) -> None:
    taken = promised(shop, {Shop.MILK: 1}, store="SOF02").slot
    cart = filled(shop, {Shop.MILK: 1}, touch=shop.stranger)
    market = next(offer for offer in shop.stranger.checkout.offers(cart.id) if offer.store.id == "SOF02")
    assert taken not in [slot.id for slot in market.slots]
    assert market.slots


def test_the_price_is_that_of_the_channel_that_asks(shop: Shop) -> None:
    shop.office.prices.put(Price(Shop.MILK, Money(199, "EUR"), tax="0.20", channel=Channel.APP))
    cart = filled(shop)
    totals = [touch.checkout.offers(cart.id)[0].quote for touch in (shop.app, shop.web)]
    assert [quote.total if quote else None for quote in totals] == [Money(398, "EUR"), Money(498, "EUR")]


def test_a_quote_sums_lines_and_tells_the_tax_in_it_per_rate(shop: Shop) -> None:
    cart = filled(shop, {Shop.MILK: 2, Shop.BREAD: 1, Shop.APPLES: 333})
    quote = shop.web.checkout.offers(cart.id)[0].quote
    assert quote is not None
    assert [line.total.amount for line in quote.lines] == [498, 310, 133]
    assert quote.total == Money(941, "EUR")
    assert [(str(part.rate), part.gross.amount, part.tax.amount) for part in quote.taxes] == [
        ("0.09", 310, 26),
        ("0.20", 631, 105),
    ]


def test_offers_hold_nothing(shop: Shop) -> None:
    shop.web.checkout.offers(filled(shop).id)
    assert shop.office.stock.level("SOF01", Shop.MILK).reserved == 0


def test_an_empty_cart_gets_no_offers(shop: Shop) -> None:
    cart = shop.app.carts.start()
    assert refused(CartEmpty, shop.app.checkout.offers, cart.id).facts["cart"] == cart.id


def test_an_ordered_cart_gets_no_offers_but_the_name_of_its_order(shop: Shop) -> None:
    order = placed(shop)
    assert refused(PaymentInFlight, shop.app.checkout.offers, order.cart_id).facts["order"] == order.id


def test_nobody_gets_offers_for_somebody_elses_cart(shop: Shop) -> None:
    refused(NotFound, shop.stranger.checkout.offers, filled(shop).id)


# --- until when -------------------------------------------------------------------------------------------


def at(hour: int, *, day: int = 23) -> datetime:
    """This hour in Sofia; Monday the 23rd is today, and it is ten."""
    return datetime(2026, 11, day, hour, tzinfo=ZoneInfo("Europe/Sofia"))


def offered(shop: Shop, store: str, wishes: dict[str, int], **how: Any) -> Offer:
    cart = filled(shop, wishes)
    return next(offer for offer in shop.web.checkout.offers(cart.id, **how) if offer.store.id == store)


def test_only_slots_that_start_before_the_time_count(shop: Shop) -> None:
    every = offered(shop, "SOF01", {Shop.MILK: 1}).slots
    some = offered(shop, "SOF01", {Shop.MILK: 1}, by=at(13) + timedelta(minutes=1)).slots
    assert some == every[:3]
    assert [slot.starts.hour for slot in some] == [11, 12, 13]


def test_a_store_that_could_only_later_says_so_and_from_when(shop: Shop) -> None:
    shop.office.stores.put(Store("SLOW", zone="Europe/Sofia", hours="24/7", lead=timedelta(hours=9)))
    shop.office.stock.receive("SLOW", Shop.MILK, 5)
    slow = offered(shop, "SLOW", {Shop.MILK: 1}, by=at(14))
    (reason,) = slow.reasons
    assert (slow.full, slow.slots) == (False, ())
    assert reason.code == "slot.too_late"
    assert reason.facts == {
        "store": "SLOW", "by": "2026-11-23T14:00:00+02:00", "earliest": "2026-11-23T19:00:00+02:00",
    }  # fmt: skip
    assert offered(shop, "SLOW", {Shop.MILK: 1}, by=at(20)).full


def test_a_time_beyond_the_horizon_excludes_nothing(shop: Shop) -> None:
    cart = filled(shop)
    offers = shop.web.checkout.offers(cart.id)
    assert shop.web.checkout.offers(cart.id, by=at(10) + timedelta(days=365)) == offers


# --- what comes from other stores -------------------------------------------------------------------------


def centre(shop: Shop, **more: Any) -> None:
    """A distribution centre with 50 loaves, four hours away; nobody collects there."""
    given: dict[str, Any] = {"transit": timedelta(hours=4), "services": {Service.SHIP_TO_STORE}, **more}
    shop.office.stores.put(Store("DC", zone="Europe/Sofia", hours="24/7", **given))
    shop.office.stock.receive("DC", Shop.BREAD, 50)


def test_a_store_where_nobody_collects_is_not_offered(shop: Shop) -> None:
    centre(shop)
    assert "DC" not in [offer.store.id for offer in shop.web.checkout.offers(filled(shop, {Shop.BREAD: 1}).id)]


def test_what_another_store_sends_completes_the_basket_after_its_way_and_the_lead(shop: Shop) -> None:
    """Ten now, four hours on the road, one to prepare it."""
    centre(shop)
    sofia = offered(shop, "SOF01", {Shop.BREAD: 7})
    assert sofia.with_transfer is not None
    assert [(leg.store, leg.units) for leg in sofia.with_transfer.sourcing.legs] == [
        ("SOF01", ((Shop.BREAD, 5),)),
        ("DC", ((Shop.BREAD, 2),)),
    ]
    assert [slot.starts.hour for slot in sofia.with_transfer.slots][:2] == [15, 16]
    assert [slot.starts.hour for slot in sofia.slots][:2] == [11, 12]


def test_a_transfer_makes_no_offer_full_and_is_promised_when_others_may_send(shop: Shop) -> None:
    centre(shop)
    cart = filled(shop, {Shop.BREAD: 7})
    sofia = next(offer for offer in shop.web.checkout.offers(cart.id) if offer.store.id == "SOF01")
    assert not sofia.full
    assert [reason.code for reason in sofia.reasons] == ["stock.short"]
    assert sofia.with_transfer is not None
    slot = sofia.with_transfer.slots[0].id
    refused(OutOfStock, shop.web.checkout.promise, cart.id, slot=slot)
    promise = shop.web.checkout.promise(cart.id, slot=slot, ship=True)
    assert [(leg.store, leg.units) for leg in promise.legs] == [("DC", ((Shop.BREAD, 2),))]


def test_what_a_promise_will_have_sent_is_not_in_the_way_of_its_own_cart(shop: Shop) -> None:
    centre(shop)
    cart = filled(shop, {Shop.BREAD: 55})
    before = next(offer for offer in shop.web.checkout.offers(cart.id) if offer.store.id == "SOF01").with_transfer
    assert before is not None
    promise = shop.web.checkout.promise(cart.id, slot=before.slots[0].id, ship=True)
    after = next(offer for offer in shop.web.checkout.offers(cart.id) if offer.store.id == "SOF01").with_transfer
    assert after is not None
    assert (after.sourcing, after.slots[0].id) == (before.sourcing, promise.slot)


def test_what_is_weighed_when_it_is_picked_is_not_sent(shop: Shop) -> None:
    """Sofia has five kilograms of cheese, and six are wanted."""
    centre(shop)
    shop.office.stock.receive("DC", Shop.CHEESE, 50_000)
    assert offered(shop, "SOF01", {Shop.CHEESE: 6000}).with_transfer is None
    shop.office.articles.put(Article(Shop.CHEESE, "Gouda", Unit.GRAM))
    assert offered(shop, "SOF01", {Shop.CHEESE: 6000}).with_transfer is not None


def test_what_is_all_there_is_not_fetched_whatever_the_strategy(open_shop: OpenShop) -> None:
    shop = open_shop(sourcing=SourcingPolicy(strategy=sourcing.by(sourcing.highest_stock)))
    centre(shop)
    cart = filled(shop, {Shop.BREAD: 2})
    sofia = next(offer for offer in shop.web.checkout.offers(cart.id) if offer.store.id == "SOF01")
    assert shop.web.checkout.promise(cart.id, slot=sofia.slots[0].id, ship=True).legs == ()


def test_what_was_promised_is_offered_at_the_weight_that_was_promised(shop: Shop) -> None:
    """Sofia has 5,000 g; with half of it as tolerance a new promise would need more."""
    promise = promised(shop, {Shop.CHEESE: 4000})
    shop.office.articles.put(Article(Shop.CHEESE, "Gouda", Unit.GRAM, tolerance=Decimal("0.5")))
    offers = shop.app.checkout.offers(promise.cart_id)
    assert [(offer.store.id, offer.available[0].wanted) for offer in offers if offer.full] == [("SOF01", 4400)]


class OwnBooks:
    """A stock system of a retailer's own, of which offers only ask what there is."""

    def available(
        self, tx: object, skus: Sequence[str], stores: Sequence[str] | None = None
    ) -> Mapping[tuple[str, str], int]:
        return {(store, sku): 50 if store == "DC" else 1 for store in stores or () for sku in skus}

    def __getattr__(self, name: str) -> Callable[..., object]:
        def unheard_of(*_: object, **__: object) -> object:
            raise AssertionError(f"an offer needs no {name}")

        return unheard_of


def test_nothing_is_sent_where_the_books_are_kept_elsewhere(open_shop: OpenShop) -> None:
    """No promise could hold it."""
    shop = open_shop(inventory=cast("Any", OwnBooks()), stocked=False)
    for name, service in (("SOF01", Service.PICKUP), ("DC", Service.SHIP_TO_STORE)):
        shop.office.stores.put(Store(name, zone="Europe/Sofia", hours="24/7", services={service}))
    shop.office.articles.put(Article(Shop.BREAD, "Bread"))
    shop.office.prices.put(Price(Shop.BREAD, Money(310, "EUR"), tax="0.09"))
    sofia = offered(shop, "SOF01", {Shop.BREAD: 2})
    assert [reason.code for reason in sofia.reasons] == ["stock.short"]
    assert sofia.with_transfer is None


def test_what_is_weighed_may_weigh_more_than_a_cart_can_want(shop: Shop) -> None:
    cart = filled(shop, {Shop.CHEESE: 1_000_000})
    assert [offer.available[0].wanted for offer in shop.web.checkout.offers(cart.id)] == [1_100_000] * 3


def test_a_transfer_that_comes_too_late_is_none(shop: Shop) -> None:
    centre(shop)
    assert offered(shop, "SOF01", {Shop.BREAD: 7}, by=at(16)).with_transfer is not None
    assert offered(shop, "SOF01", {Shop.BREAD: 7}, by=at(15)).with_transfer is None
    centre(shop, transit=timedelta(days=7))
    assert offered(shop, "SOF01", {Shop.BREAD: 7}).with_transfer is None


@pytest.mark.parametrize(
    ("wishes", "store"),
    [
        ({Shop.BREAD: 99}, "SOF01"),  # not even all of them have so many
        ({Shop.BREAD: 5}, "SOF01"),  # it has them itself
        ({Shop.BREAD: 1, Shop.MILK: 11}, "VAR01"),  # nobody sends milk
    ],
)
def test_there_is_no_transfer_where_it_can_not_or_need_not_complete_the_basket(
    shop: Shop, wishes: dict[str, int], store: str
) -> None:
    centre(shop)
    assert offered(shop, store, wishes).with_transfer is None


def test_stores_that_only_serve_customers_send_nothing(shop: Shop) -> None:
    centre(shop, services={Service.PICKUP})
    assert offered(shop, "SOF01", {Shop.BREAD: 7}).with_transfer is None


def test_what_is_promised_elsewhere_is_not_sent(shop: Shop) -> None:
    centre(shop)
    shop.office.stock.keep_back("DC", Shop.BREAD, 49)
    assert offered(shop, "SOF01", {Shop.BREAD: 6}).with_transfer is not None
    assert offered(shop, "SOF01", {Shop.BREAD: 7}).with_transfer is None


def test_full_stores_come_before_transfers_and_these_before_parts(shop: Shop) -> None:
    """Though the market is nearer than the sea, and has more of the basket than Sofia."""
    centre(shop)
    shop.office.stock.receive("VAR01", Shop.BREAD, 5)
    offers = shop.web.checkout.offers(filled(shop, {Shop.BREAD: 6, Shop.MILK: 2}).id, near=Shop.HERE)
    assert [(offer.store.id, offer.full, offer.with_transfer is not None) for offer in offers] == [
        ("VAR01", True, False),
        ("SOF01", False, True),
        ("SOF02", False, False),
    ]


def test_each_offer_says_what_of_the_basket_is_there(shop: Shop) -> None:
    market = offered(shop, "SOF02", {Shop.BREAD: 1, Shop.MILK: 2})
    assert [(one.sku, one.wanted, one.available) for one in market.available] == [
        (Shop.MILK, 2, 1),
        (Shop.BREAD, 1, 0),
    ]
    assert market.coverage == 0.25
    assert offered(shop, "SOF01", {Shop.MILK: 2}).coverage == 1


# --- how a chain has it -----------------------------------------------------------------------------------


def test_a_policy_decides_who_sends_and_in_which_order_stores_are_offered(open_shop: OpenShop) -> None:
    """The nearer centre is dearer; and the sea is cheaper than Sofia."""
    policy = SourcingPolicy(
        strategy=sourcing.by(sourcing.here_first, sourcing.cheapest_transfer),
        ranking=ranking.ranked_by(ranking.full_first, ranking.cheapest),
        cost=lambda sender, store: 900 if sender.id == "DC" else 100,
    )
    shop = open_shop(sourcing=policy)
    centre(shop, place=Shop.HERE)
    shop.office.stores.put(
        Store("FAR", zone="Europe/Sofia", hours="24/7", services={Service.SHIP_TO_STORE}, place=Point(43.2, 27.9))
    )
    shop.office.stock.receive("FAR", Shop.BREAD, 50)
    shop.office.prices.put(Price(Shop.MILK, Money(200, "EUR"), tax="0.20", store="VAR01"))
    sofia = offered(shop, "SOF01", {Shop.BREAD: 7})
    assert sofia.with_transfer is not None
    assert [leg.store for leg in sofia.with_transfer.sourcing.transfers] == ["FAR"]
    offers = shop.web.checkout.offers(filled(shop).id, near=Shop.HERE)
    assert [offer.store.id for offer in offers] == ["VAR01", "SOF01", "SOF02"]


class MadeWhenAsked(Mapping[tuple[str, str], Price]):
    """Prices that exist only while somebody looks at them: a cent more for every store."""

    def __init__(self, stores: Sequence[str], skus: Sequence[str]) -> None:
        self.keys_there = [(store, sku) for store in stores for sku in skus]

    def __getitem__(self, key: tuple[str, str]) -> Price:
        return Price(key[1], Money(100 + self.keys_there.index(key), "EUR"), tax="0.20", store=key[0])

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.keys_there)

    def __len__(self) -> int:
        return len(self.keys_there)


class OwnPrices:
    """A price book of a retailer's own."""

    def prices(
        self, skus: Sequence[str], *, stores: Sequence[str], channel: Channel, at: datetime
    ) -> Mapping[tuple[str, str], Price]:
        return MadeWhenAsked(stores, skus)


def test_every_store_is_quoted_its_own_prices_however_a_price_book_makes_them(open_shop: OpenShop) -> None:
    """None is taken for another that was in the same place before."""
    shop = open_shop(prices=OwnPrices())
    shop.office.stores.put(*(Store(f"ST{n:02}", zone="Europe/Sofia", hours="24/7") for n in range(20)))
    offers = shop.web.checkout.offers(filled(shop, {Shop.MILK: 1}).id)
    totals = {offer.store.id: offer.quote.total.amount for offer in offers if offer.quote}
    assert [totals[store] for store in sorted(totals)] == [100 + n for n in range(23)]


def test_a_hub_takes_a_policy_and_nothing_else_for_one() -> None:
    error = refused(InvalidInput, Shop.example, sourcing=sourcing.DEFAULT)
    assert error.facts["field"] == "sourcing"
