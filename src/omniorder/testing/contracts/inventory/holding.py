"""What every inventory promises, wherever its books are: what is held is held once, for all or for nobody."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar, Final, Protocol

import pytest

from omniorder.errors import OutOfStock
from omniorder.testing.contracts.inventory.bench import gone
from omniorder.testing.contracts.storage.bench import together
from omniorder.testing.samples import APPLES, BREAD, MILK, SOFIA, VARNA

THREADS: Final = 16


class Holding(Protocol):
    """An inventory under test, whose reservations go by short names."""

    def id(self, name: str, store: str = SOFIA) -> str: ...

    def stock(self, units: Mapping[str, int], store: str = SOFIA) -> None: ...

    def available(self, sku: str = MILK, store: str = SOFIA) -> int: ...

    def reserve(self, name: str, units: Mapping[str, int], store: str = SOFIA) -> None: ...

    def confirm(self, name: str) -> None: ...

    def release(self, name: str, units: Mapping[str, int] | None = None) -> None: ...


class HoldingContract:
    """The part that the contracts of both ports share; each gives the `case`."""

    concurrent: ClassVar[bool] = True

    @pytest.fixture(name="shared")
    def _shared(self, case: Holding) -> Holding:
        if not self.concurrent:
            pytest.skip("this inventory is not meant for several threads (concurrent = False)")
        return case

    def test_what_is_on_the_shelf_is_available(self, case: Holding) -> None:
        case.stock({MILK: 5})
        case.stock({MILK: 2})
        assert case.available() == 7

    def test_what_is_reserved_is_available_to_nobody_else(self, case: Holding) -> None:
        case.stock({MILK: 10, BREAD: 10})
        case.reserve("anna", {MILK: 4, BREAD: 1})
        assert (case.available(MILK), case.available(BREAD)) == (6, 9)

    def test_all_that_is_there_may_be_reserved_and_no_unit_more(self, case: Holding) -> None:
        case.stock({MILK: 10})
        case.reserve("anna", {MILK: 10})
        with pytest.raises(OutOfStock):
            case.reserve("boris", {MILK: 1})
        assert case.available() == 0

    def test_everything_is_reserved_or_nothing(self, case: Holding) -> None:
        case.stock({MILK: 10, BREAD: 1})
        with pytest.raises(OutOfStock):
            case.reserve("anna", {MILK: 4, BREAD: 2})
        assert (case.available(MILK), case.available(BREAD)) == (10, 1)
        gone(lambda: case.confirm("anna"))

    def test_a_refusal_names_every_article_that_is_short(self, case: Holding) -> None:
        case.stock({MILK: 10, BREAD: 1})
        with pytest.raises(OutOfStock) as refused:
            case.reserve("anna", {MILK: 4, BREAD: 2, APPLES: 3})
        facts = refused.value.facts
        assert facts["store"] == SOFIA
        short = {one["sku"]: (one["wanted"], one["available"]) for one in facts["short"]}
        assert short == {BREAD: (2, 1), APPLES: (3, 0)}

    def test_a_store_does_not_promise_the_stock_of_another(self, case: Holding) -> None:
        case.stock({MILK: 5})
        case.stock({MILK: 3}, VARNA)
        with pytest.raises(OutOfStock):
            case.reserve("anna", {MILK: 4}, VARNA)
        case.reserve("boris", {MILK: 3}, VARNA)
        assert (case.available(), case.available(store=VARNA)) == (5, 0)

    def test_what_is_released_is_available_again(self, case: Holding) -> None:
        case.stock({MILK: 10, BREAD: 2})
        case.reserve("anna", {MILK: 4, BREAD: 1})
        case.release("anna")
        assert (case.available(MILK), case.available(BREAD)) == (10, 2)

    def test_the_last_unit_is_promised_once(self, shared: Holding) -> None:
        shared.stock({MILK: 1})
        names = [f"customer {number}" for number in range(THREADS)]
        for name in names:
            shared.id(name)
        results = together(*(partial(shared.reserve, name, {MILK: 1}) for name in names))
        assert sum(result is None for result in results) == 1
        assert all(result is None or isinstance(result, OutOfStock) for result in results)
        assert shared.available() == 0

    def test_baskets_that_overlap_in_any_order_are_all_answered(self, shared: Holding) -> None:
        """Nobody waits for ever, and what is promised is what was there."""
        shared.stock({MILK: 10, BREAD: 10, APPLES: 10})
        baskets = [(MILK, BREAD), (BREAD, MILK), (APPLES, MILK), (BREAD, APPLES)] * (THREADS // 4)
        names = [f"customer {number}" for number in range(THREADS)]
        for name in names:
            shared.id(name)
        wishes = [dict.fromkeys(basket, 2) for basket in baskets]
        results = together(*(partial(shared.reserve, *wish) for wish in zip(names, wishes, strict=True)))
        assert all(result is None or isinstance(result, OutOfStock) for result in results)
        for sku in (MILK, BREAD, APPLES):
            promised = sum(wish.get(sku, 0) for wish, result in zip(wishes, results, strict=True) if result is None)
            assert shared.available(sku) == 10 - promised
