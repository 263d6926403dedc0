"""What every catalogue must keep, told as tests: for authors of adapters.

class TestMyCatalogue(CatalogueContract):
    sold = ("OAT-MILK-1L", "RYE-BREAD")

    def open(self) -> Catalogue:
        return MyCatalogue(...)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from omniorder.ports.catalogue import Catalogue
from omniorder.testing.contracts.storage.bench import together

__all__ = ["CatalogueContract"]

UNSOLD = "NOBODY/SELLS.THIS"


class CatalogueContract:
    """Subclass it as `Test...`, say in `open` how to open your catalogue, and in `sold` what it sells."""

    sold: ClassVar[Sequence[str]]
    """At least two SKUs."""

    def open(self) -> Catalogue:
        """A catalogue that sells `sold`; called for each promise."""
        raise NotImplementedError(f"{type(self).__name__} must say how to open its catalogue")

    def test_what_is_sold_is_found_by_its_sku(self) -> None:
        found = self.open().articles(self.sold)
        assert {sku: article.sku for sku, article in found.items()} == {sku: sku for sku in self.sold}

    def test_nothing_comes_that_was_not_asked_for(self) -> None:
        assert list(self.open().articles(self.sold[:1])) == list(self.sold[:1])

    def test_what_is_not_sold_is_left_out(self) -> None:
        found = self.open().articles([UNSOLD, *self.sold])
        assert sorted(found) == sorted(self.sold)

    def test_a_sku_is_not_another_one_in_other_letters(self) -> None:
        """What a cart asks for by one SKU would otherwise be held, priced and picked by another."""
        asked = [sku.swapcase() for sku in self.sold]
        found = self.open().articles(asked)
        assert set(found) <= set(asked)
        assert all(article.sku == sku for sku, article in found.items())

    def test_asked_for_nothing_it_finds_nothing(self) -> None:
        assert not self.open().articles([])

    def test_asked_twice_in_one_go_it_answers_once(self) -> None:
        found = self.open().articles([*self.sold, *self.sold])
        assert sorted(found) == sorted(self.sold)

    def test_many_threads_may_ask_at_once(self) -> None:
        catalogue = self.open()
        expected = catalogue.articles(self.sold)
        assert together(*[lambda: catalogue.articles(self.sold)] * 4) == [expected] * 4
