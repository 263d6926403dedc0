"""Catalogue, price book and directory: the built-in tables keep their contracts, and each promise can be broken."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from threading import get_ident

import pytest
from attrs import evolve

from omniorder.adapters.memory import MemoryStorage
from omniorder.domain.articles import Article, Price
from omniorder.domain.channels import Channel
from omniorder.domain.money import Money
from omniorder.domain.stores import Store
from omniorder.ports.catalogue import Catalogue
from omniorder.ports.pricing import PriceBook
from omniorder.ports.storage import Storage
from omniorder.ports.stores import StoreDirectory
from omniorder.ports.writes import Writes
from omniorder.services.tables import ArticleTable, PriceTable, StoreTable
from omniorder.testing.contracts.catalogue import CatalogueContract
from omniorder.testing.contracts.pricing import PriceBookContract
from omniorder.testing.contracts.stores import StoreDirectoryContract

SKUS = ("OAT-MILK-1L", "RYE-BREAD")
STORES = ("SOF01", "VAR01")


def stocked() -> Storage:
    storage = MemoryStorage()
    stores = tuple(Store(name, zone="Europe/Sofia", hours="24/7") for name in STORES)
    prices = tuple(Price(sku, Money(249, "EUR"), tax="0.20") for sku in SKUS)
    with storage.transaction() as tx:
        tx.write(Writes(stores=stores, articles=tuple(Article(sku, sku.title()) for sku in SKUS), prices=prices))
    return storage


class TestArticleTable(CatalogueContract):
    sold = SKUS

    def open(self) -> Catalogue:
        return ArticleTable(stocked())


class TestPriceTable(PriceBookContract):
    priced = SKUS
    stores = STORES

    def open(self) -> PriceBook:
        return PriceTable(stocked())


class TestStoreTable(StoreDirectoryContract):
    def open(self) -> StoreDirectory:
        return StoreTable(stocked())


class OneThreadOnly:
    """What a connection of sqlite3 does when another thread uses it."""

    def __init__(self) -> None:
        self._owner = get_ident()

    def check(self) -> None:
        if get_ident() != self._owner:
            raise sqlite3.ProgrammingError("SQLite objects created in a thread can only be used in that same thread.")


# --- catalogues -------------------------------------------------------------------------------------------


class Articles:
    def __init__(self) -> None:
        self._table = ArticleTable(stocked())
        self.thread = OneThreadOnly()

    def articles(self, skus: Sequence[str]) -> Mapping[str, Article]:
        return self._table.articles(skus)


class KnowsByName(Articles):
    def articles(self, skus: Sequence[str]) -> Mapping[str, Article]:
        return {article.name: article for article in super().articles(skus).values()}


class SendsItAll(Articles):
    def articles(self, skus: Sequence[str]) -> Mapping[str, Article]:
        return super().articles(SKUS)


class InventsArticles(Articles):
    def articles(self, skus: Sequence[str]) -> Mapping[str, Article]:
        return {sku: Article(sku, "?") for sku in skus}


class IgnoresCase(Articles):
    def articles(self, skus: Sequence[str]) -> Mapping[str, Article]:
        return super().articles([sku.upper() for sku in skus])


class TakesNothingForAll(Articles):
    def articles(self, skus: Sequence[str]) -> Mapping[str, Article]:
        return super().articles(skus or SKUS)


class CountsRows(Articles):
    def articles(self, skus: Sequence[str]) -> Mapping[str, Article]:
        found = super().articles(skus)
        return found if len(found) == len(skus) else {}


class KeepsItsCatalogueInOneThread(Articles):
    def articles(self, skus: Sequence[str]) -> Mapping[str, Article]:
        self.thread.check()
        return super().articles(skus)


# --- price books ------------------------------------------------------------------------------------------


class Prices:
    def __init__(self) -> None:
        self._table = PriceTable(stocked())
        self.thread = OneThreadOnly()

    def prices(
        self, skus: Sequence[str], *, stores: Sequence[str], channel: Channel, at: datetime
    ) -> Mapping[tuple[str, str], Price]:
        return self.changed(dict(self._table.prices(skus, stores=stores, channel=channel, at=at)), at)

    def changed(self, found: dict[tuple[str, str], Price], at: datetime) -> dict[tuple[str, str], Price]:
        return found


class TurnsItsKeys(Prices):
    def changed(self, found: dict[tuple[str, str], Price], at: datetime) -> dict[tuple[str, str], Price]:
        return {(sku, store): price for (store, sku), price in found.items()}


class PricesEveryStore(Prices):
    def changed(self, found: dict[tuple[str, str], Price], at: datetime) -> dict[tuple[str, str], Price]:
        return {(store, sku): price for (_, sku), price in found.items() for store in STORES}


class SellsForNothing(Prices):
    def prices(
        self, skus: Sequence[str], *, stores: Sequence[str], channel: Channel, at: datetime
    ) -> Mapping[tuple[str, str], Price]:
        return {(store, sku): Price(sku, Money(0, "EUR"), tax="0") for store in stores for sku in skus}


class SellsCheaperInBulk(Prices):
    def changed(self, found: dict[tuple[str, str], Price], at: datetime) -> dict[tuple[str, str], Price]:
        return {pair: evolve(price, amount=Money(250 - len(found), "EUR")) for pair, price in found.items()}


class TellsTomorrowsPrices(Prices):
    def changed(self, found: dict[tuple[str, str], Price], at: datetime) -> dict[tuple[str, str], Price]:
        return {pair: evolve(price, valid_from=at + timedelta(days=1)) for pair, price in found.items()}


class FailsWithoutAnything(Prices):
    def changed(self, found: dict[tuple[str, str], Price], at: datetime) -> dict[tuple[str, str], Price]:
        next(iter(found))
        return found


class KeepsItsPricesInOneThread(Prices):
    def changed(self, found: dict[tuple[str, str], Price], at: datetime) -> dict[tuple[str, str], Price]:
        self.thread.check()
        return found


# --- directories ------------------------------------------------------------------------------------------


class Stores:
    def __init__(self) -> None:
        self._table = StoreTable(stocked())
        self.thread = OneThreadOnly()

    def store(self, store_id: str) -> Store | None:
        return self._table.store(store_id)

    def all(self) -> tuple[Store, ...]:
        return self._table.all()


class TellsThemBackwards(Stores):
    def all(self) -> tuple[Store, ...]:
        return super().all()[::-1]


class ForgetsTheHours(Stores):
    def store(self, store_id: str) -> Store | None:
        found = super().store(store_id)
        return found and evolve(found, hours="Mo 08:00-09:00")


class FindsTheNearest(Stores):
    def store(self, store_id: str) -> Store | None:
        return super().store(store_id) or self.all()[0]


class KeepsItsStoresInOneThread(Stores):
    def all(self) -> tuple[Store, ...]:
        self.thread.check()
        return super().all()


Suite = type[CatalogueContract] | type[PriceBookContract] | type[StoreDirectoryContract]
BREAKS: dict[tuple[Suite, str], type[Articles] | type[Prices] | type[Stores]] = {
    (TestArticleTable, "test_what_is_sold_is_found_by_its_sku"): KnowsByName,
    (TestArticleTable, "test_nothing_comes_that_was_not_asked_for"): SendsItAll,
    (TestArticleTable, "test_what_is_not_sold_is_left_out"): InventsArticles,
    (TestArticleTable, "test_a_sku_is_not_another_one_in_other_letters"): IgnoresCase,
    (TestArticleTable, "test_asked_for_nothing_it_finds_nothing"): TakesNothingForAll,
    (TestArticleTable, "test_asked_twice_in_one_go_it_answers_once"): CountsRows,
    (TestArticleTable, "test_many_threads_may_ask_at_once"): KeepsItsCatalogueInOneThread,
    (TestPriceTable, "test_what_is_priced_is_found_by_store_and_sku"): TurnsItsKeys,
    (TestPriceTable, "test_nothing_comes_that_was_not_asked_for"): PricesEveryStore,
    (TestPriceTable, "test_what_has_no_price_is_left_out"): SellsForNothing,
    (TestPriceTable, "test_a_price_is_the_same_asked_for_alone_or_among_others"): SellsCheaperInBulk,
    (TestPriceTable, "test_every_price_holds_where_and_when_it_was_asked_for"): TellsTomorrowsPrices,
    (TestPriceTable, "test_asked_for_nothing_it_finds_nothing"): FailsWithoutAnything,
    (TestPriceTable, "test_many_threads_may_ask_at_once"): KeepsItsPricesInOneThread,
    (TestStoreTable, "test_every_store_is_told_once_and_ordered_by_id"): TellsThemBackwards,
    (TestStoreTable, "test_every_store_is_found_by_its_id"): ForgetsTheHours,
    (TestStoreTable, "test_a_store_that_takes_no_part_is_none"): FindsTheNearest,
    (TestStoreTable, "test_many_threads_may_ask_at_once"): KeepsItsStoresInOneThread,
}


def test_there_is_a_broken_adapter_for_every_promise() -> None:
    suites = (TestArticleTable, TestPriceTable, TestStoreTable)
    assert set(BREAKS) == {(suite, name) for suite in suites for name in dir(suite) if name.startswith("test_")}


def promise(suite: Suite, name: str, adapter: Callable[[], object]) -> Callable[[], None]:
    """One promise of the suite, to be called on this adapter."""
    opened: type = type(suite.__name__, (suite,), {"open": lambda self: adapter()})
    call: Callable[[], None] = getattr(opened(), name)
    return call


WHOLE: dict[Suite, type[Articles] | type[Prices] | type[Stores]] = {
    TestArticleTable: Articles,
    TestPriceTable: Prices,
    TestStoreTable: Stores,
}


@pytest.mark.parametrize(("suite", "name"), BREAKS)
def test_it_is_the_breakage_that_is_noticed(suite: Suite, name: str) -> None:
    promise(suite, name, WHOLE[suite])()


@pytest.mark.parametrize(("suite", "name"), BREAKS)
def test_the_contract_notices(suite: Suite, name: str) -> None:
    with pytest.raises((AssertionError, sqlite3.ProgrammingError, StopIteration)):
        promise(suite, name, BREAKS[suite, name])()
