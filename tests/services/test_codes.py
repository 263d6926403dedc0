"""The code at the counter: a wrong one counts, five lock, and the right one is never locked out by being right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from omniorder import (
    Money,
    PayInStore,
    Settings,
    Stage,
    Taken,
)
from omniorder.domain import passes
from omniorder.errors import (
    CodeLocked,
    NotFound,
    NotPaid,
    NotReady,
    WrongCode,
)
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import (
    charged,
    code,
    handed_over,
    part,
    placed,
    ready,
    refused,
    wrong_code,
)

BASKET = {Shop.MILK: 2, Shop.BREAD: 1}
"""4.98 + 3.10 = 8.08 EUR."""


def test_a_wrong_code_is_refused_and_says_how_many_tries_are_left(shop: Shop) -> None:
    order = ready(shop)
    wrong = wrong_code(shop, order)
    left = [
        refused(WrongCode, shop.store.pickups.hand_over, order.id, code=wrong).facts["tries_left"] for _ in range(5)
    ]
    assert left == [4, 3, 2, 1, 0]


def test_after_five_wrong_codes_the_right_one_is_locked_out_too(shop: Shop) -> None:
    order = ready(shop)
    wrong = wrong_code(shop, order)
    for _ in range(5):
        refused(WrongCode, shop.store.pickups.hand_over, order.id, code=wrong)
    refused(CodeLocked, shop.store.pickups.hand_over, order.id, code=wrong)
    refused(CodeLocked, shop.store.pickups.hand_over, order.id, code=code(shop, order))
    assert charged(shop) == 0


def test_a_reissued_code_opens_a_locked_order(shop: Shop) -> None:
    order = ready(shop)
    wrong = wrong_code(shop, order)
    for _ in range(5):
        refused(WrongCode, shop.store.pickups.hand_over, order.id, code=wrong)
    shop.store.pickups.reissue(order.id)
    assert handed_over(shop, order).order.stage is Stage.COLLECTED


def test_tries_are_counted_also_when_time_passes_between_them(shop: Shop) -> None:
    order = ready(shop)
    wrong = wrong_code(shop, order)
    for _ in range(5):
        refused(WrongCode, shop.store.pickups.hand_over, order.id, code=wrong)
        shop.clock.advance(hours=1)
    refused(CodeLocked, shop.store.pickups.hand_over, order.id, code=wrong)


def test_the_right_code_forgets_the_wrong_ones_before(shop: Shop) -> None:
    order = ready(shop, BASKET)
    wrong = wrong_code(shop, order)
    for _ in range(4):
        refused(WrongCode, shop.store.pickups.hand_over, order.id, code=wrong)
    handed_over(shop, order, lines=part(order, 1))
    assert refused(WrongCode, shop.store.pickups.hand_over, order.id, code=wrong).facts["tries_left"] == 4


def test_the_right_code_is_never_locked_by_being_shown_often(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    for _ in range(7):
        refused(NotPaid, handed_over, shop, order)
    assert handed_over(shop, order, taken=Taken(Money(498, "EUR"))).order.stage is Stage.COLLECTED


def test_a_receipt_can_be_asked_for_again_and_again(shop: Shop) -> None:
    order = ready(shop)
    said = code(shop, order)
    first = shop.store.pickups.hand_over(order.id, code=said)
    for _ in range(7):
        assert shop.store.pickups.hand_over(order.id, code=said) == first


def test_the_number_of_tries_is_a_setting(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(code_tries=1))
    order = ready(shop)
    wrong = wrong_code(shop, order)
    assert refused(WrongCode, shop.store.pickups.hand_over, order.id, code=wrong).facts["tries_left"] == 0
    refused(CodeLocked, shop.store.pickups.hand_over, order.id, code=code(shop, order))


def test_a_wrong_code_changes_nothing_but_the_count(shop: Shop, stored: Callable[[], Rows]) -> None:
    order = ready(shop)
    before = stored()
    refused(WrongCode, shop.store.pickups.hand_over, order.id, code=wrong_code(shop, order))
    changed = [name for name, rows in stored().items() if rows != before[name]]
    assert len(changed) == 1
    assert "tries" in changed[0]


def test_the_code_of_another_order_is_wrong(shop: Shop) -> None:
    mine, other = ready(shop), ready(shop)
    refused(WrongCode, shop.store.pickups.hand_over, mine.id, code=code(shop, other))


def test_the_right_code_at_the_wrong_store_finds_no_order(shop: Shop) -> None:
    order = ready(shop)
    said = code(shop, order)
    assert refused(NotFound, shop.elsewhere.pickups.hand_over, order.id, code=said).facts["id"] == order.id


@pytest.mark.parametrize("step", ["placed", "picking"])
def test_what_is_not_ready_is_not_handed_over(shop: Shop, step: str) -> None:
    order = placed(shop)
    if step == "picking":
        shop.store.pickups.pick(order.id, order.lines[0].id, 1)
    error = refused(NotReady, shop.store.pickups.hand_over, order.id, code="1234567")
    assert error.facts["order"] == order.id


def test_a_cancelled_order_is_not_handed_over(shop: Shop) -> None:
    order = ready(shop)
    said = code(shop, order)
    shop.app.orders.cancel(order.id)
    refused(NotReady, shop.store.pickups.hand_over, order.id, code=said)


@pytest.mark.parametrize(
    "said",
    ["12345\ud80067", "١٢٣٤٥٦٧", "１２３４５６７", "\x00" * 7, "=1+1", "OMNI::", "' OR 1=1"],
)
def test_whatever_else_is_said_is_a_wrong_code_and_counts(shop: Shop, said: str) -> None:
    order = ready(shop)
    assert refused(WrongCode, shop.store.pickups.hand_over, order.id, code=said).facts["tries_left"] == 4


def test_a_code_that_is_reissued_while_it_is_checked_opens_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    order = ready(shop)
    said, really = code(shop, order), passes.matches

    def matches_while_somebody_reissues(*shown: Any) -> Any:
        right = really(*shown)
        shop.store.pickups.reissue(order.id)
        return right

    with monkeypatch.context() as patch:
        patch.setattr(passes, "matches", matches_while_somebody_reissues)
        refused(WrongCode, shop.store.pickups.hand_over, order.id, code=said)
    assert shop.app.orders.get(order.id).stage is Stage.READY
    assert charged(shop) == 0


def test_codes_of_an_old_secret_still_work_and_new_ones_come_from_the_new(
    database_url: str,
) -> None:
    url = "memory://secrets" if database_url == "memory://" else database_url
    in_memory = url != database_url
    first = Shop.example(url, seed=1, stocked=in_memory, secret={"2026": "the-secret-of-2026"})
    order = ready(first)
    said = code(first, order)
    second = Shop.example(
        url, seed=2, stocked=False, clock=first.clock, gateway=first.gateway,
        secret={"2026": "the-secret-of-2026", "2027": "the-secret-of-2027"},
    )  # fmt: skip
    assert code(second, order) == said
    assert ready(second).pickup.key_id == "2027"
    assert second.store.pickups.hand_over(order.id, code=said).order.stage is Stage.COLLECTED
    first.close()
    second.close()
