"""What every price book must keep, told as tests: for authors of adapters.

class TestMyPrices(PriceBookContract):
    priced = ("OAT-MILK-1L", "RYE-BREAD")
    stores = ("SOF01", "VAR01")

    def open(self) -> PriceBook:
        return MyPrices(...)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from omniorder.domain.articles import Price
from omniorder.domain.channels import Channel
from omniorder.ports.pricing import PriceBook
from omniorder.testing.contracts.storage.bench import together

__all__ = ["PriceBookContract"]

UNPRICED = "NOBODY/SELLS.THIS"


class PriceBookContract:
    """Subclass it as `Test...`, say in `open` how to open your price book, and what has a price where."""

    priced: ClassVar[Sequence[str]]
    """At least two SKUs that have a price at each of `stores`, in the app, at `at`."""

    stores: ClassVar[Sequence[str]]
    """At least two stores."""

    at: ClassVar[datetime] = datetime(2026, 11, 23, 8, tzinfo=UTC)
    """When the prices are asked for."""

    def open(self) -> PriceBook:
        """A price book; called for each promise."""
        raise NotImplementedError(f"{type(self).__name__} must say how to open its price book")

    def ask(self, book: PriceBook, skus: Sequence[str], stores: Sequence[str]) -> Mapping[tuple[str, str], Price]:
        """The prices in the app, at `at`."""
        return book.prices(skus, stores=stores, channel=Channel.APP, at=self.at)

    def test_what_is_priced_is_found_by_store_and_sku(self) -> None:
        found = self.ask(self.open(), self.priced, self.stores)
        assert {pair: price.sku for pair, price in found.items()} == {
            (store, sku): sku for store in self.stores for sku in self.priced
        }

    def test_nothing_comes_that_was_not_asked_for(self) -> None:
        found = self.ask(self.open(), self.priced[:1], self.stores[:1])
        assert list(found) == [(self.stores[0], self.priced[0])]

    def test_what_has_no_price_is_left_out(self) -> None:
        found = self.ask(self.open(), [UNPRICED, *self.priced], self.stores)
        assert {sku for _, sku in found} == set(self.priced)

    def test_a_price_is_the_same_asked_for_alone_or_among_others(self) -> None:
        """What the offers show, for many stores in one go, is what the promise of one store asks for again."""
        book = self.open()
        for pair, price in self.ask(book, self.priced, self.stores).items():
            assert self.ask(book, [pair[1]], [pair[0]]) == {pair: price}

    def test_every_price_holds_where_and_when_it_was_asked_for(self) -> None:
        for (store, _), price in self.ask(self.open(), self.priced, self.stores).items():
            assert price.holds(store=store, channel=Channel.APP, at=self.at)

    def test_asked_for_nothing_it_finds_nothing(self) -> None:
        book = self.open()
        assert not self.ask(book, [], self.stores)
        assert not self.ask(book, self.priced, [])

    def test_many_threads_may_ask_at_once(self) -> None:
        book = self.open()
        expected = self.ask(book, self.priced, self.stores)
        assert together(*[lambda: self.ask(book, self.priced, self.stores)] * 4) == [expected] * 4
