"""Offers: which stores can promise the basket, best first, and why the others can't."""

from __future__ import annotations

from datetime import timedelta

from omniorder import Article, Channel, Money, Point, Price, Store
from omniorder.errors import CartEmpty, NotFound, PaymentInFlight
from omniorder.testing.shop import Shop
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
