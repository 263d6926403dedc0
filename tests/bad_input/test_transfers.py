"""Questions and requests about transfers that no desk could mean."""

from __future__ import annotations

from typing import Any, Final

from omniorder.domain.lifecycle import TransferState
from omniorder.errors import InvalidId, InvalidInput, InvalidInstant, InvalidQuantity, NotFound
from omniorder.testing.shop import Shop
from tests.bad_input.cases import Case, each, given, judge, parametrised
from tests.bad_input.conftest import World
from tests.bad_input.test_quantities import LIMITS
from tests.bad_input.test_text import IDS
from tests.bad_input.test_time import INSTANTS

BREAD: Final = {Shop.BREAD: 1}
NO_STATES: Final[dict[str, Any]] = {
    "nothing": None,
    "a text": "requested",
    "a number": 5,
    "one that is in no list": TransferState.REQUESTED,
}
NO_IDS: Final[dict[str, Any]] = {**IDS, "nothing": None}
NO_STORES: Final[dict[str, Any]] = {**NO_IDS, "unknown": "ZZ99"}


def _unknown(name: str, store: object) -> list[Case]:
    def ask(world: World, value: Any) -> object:
        return world.shop.office.transfers.outgoing(value)

    def ask_other_way(world: World, value: Any) -> object:
        return world.shop.office.transfers.incoming(value)

    return [
        Case(f"{what} {name}", given(call, store), NotFound, {"kind": "store"})
        for what, call in (("outgoing", ask), ("incoming", ask_other_way))
    ]


LISTS = parametrised(
    each("outgoing", lambda w, v: w.shop.office.transfers.outgoing("SOF01", states=v), NO_STATES, InvalidInput,
         field="states"),
    each("incoming", lambda w, v: w.shop.office.transfers.incoming("SOF01", states=v), NO_STATES, InvalidInput,
         field="states"),
    each("of another kind", lambda w, v: w.shop.office.transfers.outgoing("SOF01", states=[v]), ["requested", None],
         InvalidInput, field="states"),
    each("outgoing", lambda w, v: w.shop.office.transfers.outgoing("SOF01", limit=v), LIMITS, InvalidQuantity),
    *(_unknown(name, value) for name, value in NO_STORES.items()),
)  # fmt: skip
REQUESTS = parametrised(
    each("source", lambda w, v: w.shop.office.transfers.request(v, "VAR01", BREAD), NO_IDS, InvalidId,
         field="source"),
    each("destination", lambda w, v: w.shop.office.transfers.request("SOF01", v, BREAD), NO_IDS,
         InvalidId, field="destination"),
    each("units", lambda w, v: w.shop.office.transfers.request("SOF01", "VAR01", v), [None, 5, [Shop.BREAD]],
         InvalidInput, field="units"),
    each("expected_at", lambda w, v: w.shop.office.transfers.request("SOF01", "VAR01", BREAD, expected_at=v), INSTANTS,
         InvalidInstant, field="expected_at"),
)  # fmt: skip


@LISTS
def test_transfers_are_listed_by_state_at_a_known_store(world: World, case: Case) -> None:
    judge(world, case)


@REQUESTS
def test_goods_are_requested_from_a_store_for_another(world: World, case: Case) -> None:
    judge(world, case)
