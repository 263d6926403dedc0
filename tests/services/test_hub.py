"""The hub, and the example shop that comes with it."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest

from omniorder import Channel, Customer, OrderHub, Price, Settings, Store, System
from omniorder.errors import InvalidInput, Misconfigured, NotFound
from omniorder.testing import FakeGateway
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.steps import VISA, filled, free_slot, level, placed, promised, refused


def test_a_hub_closes_with_its_block_and_opens_again_when_it_is_used(shop: Shop) -> None:
    with shop.hub as hub:
        cart = shop.app.carts.start()
    assert hub.at(Channel.WEB, Customer("anna")).carts.get(cart.id) == cart


def test_two_hubs_on_one_database_are_one_shop(database_url: str) -> None:
    url = "memory://two-hubs" if database_url == "memory://" else database_url
    with OrderHub.open(url, migrate=True) as one, OrderHub.open(url) as other:
        one.at(Channel.SYSTEM, System("setup")).stores.put(Store("TWO", zone="UTC", hours="24/7"))
        cart = one.at(Channel.APP, Customer("zoe")).carts.start()
        assert other.at(Channel.WEB, Customer("zoe")).carts.get(cart.id) == cart
        assert other.at(Channel.SYSTEM, System("setup")).stores.get("TWO").id == "TWO"


def test_many_threads_may_use_one_hub(shop: Shop) -> None:
    found: list[str] = []

    def shop_alone(number: int) -> None:
        touch = shop.hub.at(Channel.APP, Customer(f"customer-{number}"))
        cart = touch.carts.start()
        found.append(touch.carts.add(cart.id, Shop.MILK, number).id)

    threads = [Thread(target=shop_alone, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(set(found)) == 8


def test_bringing_the_tables_up_to_date_twice_changes_nothing(shop: Shop) -> None:
    order = placed(shop)
    shop.hub.migrate()
    assert shop.app.orders.get(order.id) == order


def test_a_hub_says_what_it_was_opened_with(open_shop: OpenShop) -> None:
    settings = Settings(promise_lasts=timedelta(minutes=5))
    shop = open_shop(settings=settings)
    assert shop.hub.settings == settings
    promise = promised(shop)
    assert promise.expires_at - promise.made_at == timedelta(minutes=5)


def test_a_code_shorter_than_seven_digits_can_not_be_set() -> None:
    with pytest.raises(InvalidInput, match="code_length"):
        Settings(code_length=6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"code_tries": 0},
        {"code_length": "7"},
        {"max_lines": True},
        {"grace": timedelta(seconds=-1)},
        {"slot_horizon": 5},
        {"refund_rule": "last_in_first_out"},
        {"promise_lasts": timedelta(days=3)},
        {"promise_shortest": timedelta(hours=1)},
    ],
    ids=repr,
)
def test_a_setting_that_can_not_be_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=r"must (not )?be"):
        Settings(**wrong)


def test_a_port_that_is_empty_is_a_port_all_the_same(open_shop: OpenShop) -> None:
    """A price book may be a dictionary, and an empty one has no prices: the built-in table must not step in."""

    class NoPrices(dict[str, Price]):
        def prices(self, skus: object, **where: object) -> dict[tuple[str, str], Price]:
            return {}

    shop = open_shop(prices=NoPrices())
    cart = shop.app.carts.start()
    shop.app.carts.add(cart.id, Shop.MILK, 1)
    assert not any(offer.full for offer in shop.app.checkout.offers(cart.id))


def test_the_counter_has_no_gateway(open_shop: OpenShop) -> None:
    with pytest.raises(Misconfigured):
        open_shop(gateways={"in_store": FakeGateway()})


def test_without_a_secret_there_is_no_pass(open_shop: OpenShop) -> None:
    shop = open_shop(secret=None)
    order = placed(shop)
    refused(Misconfigured, shop.app.orders.pickup_pass, order.id)


def test_the_secret_is_in_no_repr(shop: Shop) -> None:
    for thing in (shop.hub, vars(shop.hub), shop.app, vars(shop.app)):
        assert "only-for-the-example-shop" not in repr(thing)


# --- the shop that is shipped for playing -----------------------------------------------------------------


def test_the_example_shop_draws_the_same_ids_from_the_same_seed() -> None:
    orders = [placed(Shop.example(seed=seed)).id for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_the_example_shop_does_what_time_asks_for_when_it_goes_by() -> None:
    with Shop.example() as shop:
        promise = promised(shop)
        assert shop.advance(minutes=16).happened == {"PromiseLapsed": 1}
        assert shop.app.carts.get(promise.cart_id).promise_id is None


@pytest.mark.parametrize("name", ["promise_shortest", "handoff_lasts", "handoff_longest", "grant_lasts", "lease"])
def test_a_time_to_act_is_more_than_nothing(name: str) -> None:
    settings: dict[str, Any] = {name: timedelta(0)}
    with pytest.raises(InvalidInput, match=name):
        Settings(**settings)


def test_what_stops_a_sweep_is_a_function(shop: Shop) -> None:
    stop: Any = True
    assert refused(InvalidInput, shop.hub.sweep, stop=stop).facts["field"] == "stop"


def test_every_example_shop_is_a_shop_of_its_own() -> None:
    with Shop.example() as one, Shop.example() as other:
        cart = one.app.carts.start()
        refused(NotFound, other.app.carts.get, cart.id)


def test_the_market_has_one_carton_and_one_place(shop: Shop) -> None:
    cart = filled(shop, {Shop.MILK: 1})
    slot = free_slot(shop, cart, Shop.MARKET)
    shop.app.checkout.place(shop.app.checkout.promise(cart.id, slot=slot).id, pay=VISA)
    assert level(shop, store=Shop.MARKET) == (1, 1)
    other = filled(shop, {Shop.APPLES: 100}, touch=shop.stranger)
    assert free_slot(shop, other, Shop.MARKET, touch=shop.stranger) != slot


def test_stores_and_articles_are_found_again_as_they_were_put(shop: Shop) -> None:
    stores = shop.office.stores.all()
    assert [store.id for store in stores] == ["SOF01", "SOF02", "VAR01"]
    assert shop.office.stores.get("SOF01") == stores[0]
    assert shop.office.articles.get(Shop.MILK).name == "Oat milk 1 l"
    assert refused(NotFound, shop.office.articles.get, "GONE").facts == {"kind": "article", "id": "GONE"}
