"""Every row of the table of faults holds on every storage, and would not without its guard."""

from __future__ import annotations

from pathlib import Path

import pytest

from omniorder.errors import OmniorderError
from omniorder.testing.invariants import InvariantBroken
from tests.faults.rows import FAULTS, Fault, Floor
from tests.services.conftest import OpenShop
from tests.services.conftest import database_url as database_url
from tests.services.conftest import open_shop as open_shop
from tests.services.conftest import stocked_postgres as stocked_postgres
from tests.services.conftest import stocked_sqlite as stocked_sqlite

rows = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what.replace(" ", "_"))


@rows
def test_afterwards_everything_is_as_it_should_be(
    open_shop: OpenShop, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault.happens(Floor.opened(open_shop), monkeypatch)


@rows
def test_without_its_guard_it_would_not(open_shop: OpenShop, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    floor = Floor.opened(open_shop)
    fault.without(floor, monkeypatch)
    with pytest.raises((AssertionError, InvariantBroken, OmniorderError, pytest.fail.Exception)):
        fault.happens(floor, monkeypatch)


def test_the_page_about_faults_tells_every_row() -> None:
    page = (Path(__file__).parents[2] / "docs" / "faults.md").read_text("utf-8")
    told = [f"| {fault.what} | {fault.afterwards} |" for fault in FAULTS]
    assert [row for row in page.splitlines() if row.startswith("|")][2:] == told
