"""Exporting: what is written reads back to the same, and a file is there only when it is whole."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from omniorder import Article, Channel, Closure, OrderHub, Service, System, SystemTouchpoint
from omniorder.domain.imports import CountedLevel, ImportKind
from omniorder.domain.text import metadata
from omniorder.errors import InvalidFile, InvalidInput, Misconfigured
from omniorder.exchange import export_file, import_file
from omniorder.exchange.cells import Cell, cell_of_text, text_of
from omniorder.exchange.lines import MOST_BYTES
from omniorder.exchange.shapes import SHAPES
from omniorder.ports.writes import StockChange, Writes
from omniorder.testing import strategies
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop

KINDS = [kind.value for kind in ImportKind]


def office_of(hub: OrderHub) -> SystemTouchpoint:
    return hub.at(Channel.SYSTEM, System("export"))


def everything(office: SystemTouchpoint) -> dict[str, list[Any]]:
    with office.exports.reading() as view:
        return {
            "stores": list(view.stores()),
            "articles": list(view.articles()),
            "prices": list(view.prices()),
            "levels": [evolve(level, reserved=0) for level in view.levels()],
        }


def exported(office: SystemTouchpoint, kind: str, format: str = "csv") -> bytes:
    file = io.BytesIO()
    export_file(office, kind, file, format=format)
    return file.getvalue()


# --- there and back ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_what_is_exported_is_imported_to_the_same_shop(database_url: str, format: str, tmp_path: Path) -> None:
    """From any storage into another, all four kinds."""
    with Shop.example(database_url) as shop, OrderHub.open("memory://") as other:
        for kind in KINDS:
            path = tmp_path / f"{kind}.{format}"
            rows = export_file(shop.office, kind, path)
            report = import_file(office_of(other), kind, path)
            assert (report.taken, report.refused) == (rows, 0)
            assert rows > 1
        assert everything(office_of(other)) == everything(shop.office)
        check_all(other)


@st.composite
def shops(draw: st.DrawFn) -> dict[str, Any]:
    """Stores, articles, prices and levels as odd as they may be, that fit together."""
    stores = draw(st.lists(strategies.stores(), min_size=1, max_size=3, unique_by=lambda store: store.id))
    anything = st.sets(st.sampled_from(Service))
    reasons = st.text("=,;/'\" a\u0416", max_size=6).map(str.strip)
    stores = [
        evolve(
            store,
            services=draw(anything),
            closed=[evolve(one, reason=draw(reasons)) for one in store.closed],
        )
        for store in stores
    ]
    articles = draw(st.lists(strategies.articles(), min_size=1, max_size=4, unique_by=lambda one: one.sku))
    skus, ids = st.sampled_from([one.sku for one in articles]), st.sampled_from([one.id for one in stores])
    names = st.text("=+-@'\"\t,;a é\u0416", min_size=1, max_size=6).filter(lambda text: _fits(text))
    articles = [evolve(one, name=draw(names) if draw(st.booleans()) else one.name) for one in articles]
    labels = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["", "'", "''", "=1", "'=1", "-", "x'"]))
    articles = [
        evolve(one, metadata=metadata(dict(one.metadata) | draw(labels)), needs=draw(anything)) for one in articles
    ]
    prices = draw(st.lists(skus.flatmap(lambda sku: strategies.prices(sku=sku)), max_size=5))
    prices = [evolve(one, store=None if one.store is None else draw(ids)) for one in prices]
    prices = list({(one.sku, one.store, one.channel, one.valid_from): one for one in prices}.values())
    counts = st.builds(CountedLevel, ids, skus, st.integers(0, 10**12), st.integers(0, 10**6))
    levels = draw(st.lists(counts, max_size=5, unique_by=lambda one: (one.store, one.sku)))
    return {"stores": stores, "articles": articles, "prices": prices, "levels": levels}


def _fits(text: str) -> bool:
    try:
        Article("SKU", text)
    except InvalidInput:
        return False
    return True


def filled(hub: OrderHub, content: dict[str, Any]) -> SystemTouchpoint:
    office = office_of(hub)
    office.stores.put(*content["stores"])
    office.articles.put(*content["articles"])
    office.prices.put(*content["prices"])
    with hub._parts.storage.transaction() as tx:
        for one in content["levels"]:
            tx.write(Writes(stock=(StockChange(one.store, one.sku, on_hand=one.on_hand, safety=one.safety),)))
    return office


@given(content=shops(), format=st.sampled_from(["csv", "jsonl"]))
def test_whatever_a_shop_holds_survives_the_way_through_a_file(content: dict[str, Any], format: str) -> None:
    with OrderHub.open("memory://") as hub, OrderHub.open("memory://") as other:
        office, there = filled(hub, content), office_of(other)
        for kind in KINDS:
            file = io.BytesIO(exported(office, kind, format))
            report = import_file(there, kind, file, format=format)
            assert [(one.message, one.value) for one in report.first] == []
        assert everything(there) == everything(office)
        for kind in KINDS:
            assert exported(there, kind, format) == exported(office, kind, format)


# --- cells ------------------------------------------------------------------------------------------------


@given(st.text(st.sampled_from("'=+-@\t\rab")))
def test_no_text_begins_as_a_formula_and_every_text_reads_back(text: str) -> None:
    cell = text_of(text)
    assert cell[:1] not in {"=", "+", "-", "@", "\t", "\r", ""}
    assert cell_of_text(Cell.TEXT, cell, "name") == text


def test_texts_that_are_no_formulas_are_written_as_they_are() -> None:
    assert [text_of(text) for text in ("Oat milk", "l'eau", "'t Hof", "5-a")] == ["Oat milk", "l'eau", "'t Hof", "5-a"]


def test_a_spreadsheet_finds_no_formula(shop_in_memory: Shop) -> None:
    shop_in_memory.office.articles.put(Article("X", '=HYPERLINK("https://evil.example")'))
    rows = list(csv.reader(io.StringIO(exported(shop_in_memory.office, "articles").decode())))
    assert ["X", '\'=HYPERLINK("https://evil.example")', "piece", *[""] * 9] in rows


def test_degrees_are_numbers_and_read_back_exactly() -> None:
    for degrees in (-33.8688, 0.1 + 0.2, 5e-324, -180.0, 1e-7):
        cell = text_of(degrees)
        assert "e" not in cell
        assert cell_of_text(Cell.DEGREES, cell, "lat") == degrees


def test_a_store_that_does_nothing_is_not_one_that_does_the_usual(shop_in_memory: Shop) -> None:
    """An empty cell is a store for pick-ups, so no services at all must be another cell."""
    idle = evolve(shop_in_memory.office.stores.get("SOF01"), services=())
    shop_in_memory.office.stores.put(idle)
    for format in ("csv", "jsonl"):
        file = io.BytesIO(exported(shop_in_memory.office, "stores", format))
        shop_in_memory.office.stores.put(evolve(idle, services={Service.PICKUP}))
        import_file(shop_in_memory.office, "stores", file, format=format)
        assert shop_in_memory.office.stores.get("SOF01") == idle


# --- files ------------------------------------------------------------------------------------------------


def test_the_columns_are_those_that_are_imported(shop_in_memory: Shop) -> None:
    for kind, shape in SHAPES.items():
        head = exported(shop_in_memory.office, kind.value).decode().splitlines()[0]
        assert head == ",".join(column.name for column in shape.columns)


def test_labels_are_columns_of_their_own(shop_in_memory: Shop) -> None:
    shop_in_memory.office.articles.put(Article("X", "X", metadata={"ean": "38"}), Article("Y", "Y", metadata={"b": ""}))
    lines = exported(shop_in_memory.office, "articles").decode().splitlines()
    assert (
        lines[0]
        == "sku,name,unit,tolerance,needs,temperature,perishable,brand,allergens,aisle,gtins,scale_item,meta.b,meta.ean"
    )
    assert lines[-2:] == ["X,X,piece,,,,,,,,,,,38", "Y,Y,piece,,,,,,,,,,',"]


def test_too_many_labels_are_no_columns(shop_in_memory: Shop) -> None:
    many = [Article(f"A-{n}", "A", metadata={f"k{n}.{m}": "" for m in range(20)}) for n in range(51)]
    before = exported(shop_in_memory.office, "articles", "jsonl").count(b"\n")
    shop_in_memory.office.articles.put(*many)
    with pytest.raises(InvalidFile, match="jsonl"):
        exported(shop_in_memory.office, "articles")
    assert exported(shop_in_memory.office, "articles", "jsonl").count(b"\n") == before + len(many)


def test_a_row_that_could_not_be_imported_again_is_not_written(shop_in_memory: Shop, tmp_path: Path) -> None:
    """A thousand closures, each with the longest reason there is, are more than a row of a file may be."""
    day = datetime(2027, 1, 1, tzinfo=UTC)
    days = [day + timedelta(days=n) for n in range(1_000)]
    closed = [Closure(one, one + timedelta(hours=9), "\u0416" * 100) for one in days]
    store = shop_in_memory.office.stores.get("SOF01")
    for format in ("csv", "jsonl"):
        path = tmp_path / f"stores.{format}"
        shop_in_memory.office.stores.put(evolve(store, closed=closed))
        with pytest.raises(InvalidFile, match=f"{MOST_BYTES} bytes"):
            export_file(shop_in_memory.office, "stores", path)
        assert not path.exists()
        shop_in_memory.office.stores.put(evolve(store, closed=closed[:400]))
        export_file(shop_in_memory.office, "stores", path)
        assert import_file(shop_in_memory.office, "stores", path).refused == 0


def test_a_file_can_be_compressed(shop_in_memory: Shop, tmp_path: Path) -> None:
    export_file(shop_in_memory.office, "levels", tmp_path / "levels.csv.gz")
    assert gzip.decompress((tmp_path / "levels.csv.gz").read_bytes()) == exported(shop_in_memory.office, "levels")


def test_another_delimiter_may_be_said(shop_in_memory: Shop, tmp_path: Path) -> None:
    export_file(shop_in_memory.office, "levels", tmp_path / "levels.csv", delimiter=";")
    assert (tmp_path / "levels.csv").read_text().startswith("store;sku;on_hand;safety\n")
    assert import_file(shop_in_memory.office, "levels", tmp_path / "levels.csv", delimiter=";").refused == 0


def test_what_fails_leaves_the_file_that_was_there(shop_in_memory: Shop, tmp_path: Path) -> None:
    path = tmp_path / "levels.csv"
    path.write_text("yesterday's")

    def fail(_: int) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        export_file(shop_in_memory.office, "levels", path, on_progress=fail)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("levels.csv", "yesterday's")]


def test_a_place_where_no_file_can_be_is_told(shop_in_memory: Shop, tmp_path: Path) -> None:
    with pytest.raises(InvalidFile):
        export_file(shop_in_memory.office, "levels", tmp_path / "nowhere" / "levels.csv")


@pytest.mark.parametrize("options", [{"kind": "orders"}, {"format": "xml"}, {"format": None}, {"delimiter": "::"}])
def test_arguments_that_make_no_sense_are_refused(options: dict[str, Any], shop_in_memory: Shop) -> None:
    chosen = {"kind": "levels", "format": "csv", **options}
    with pytest.raises(InvalidInput):
        export_file(shop_in_memory.office, chosen.pop("kind"), io.BytesIO(), **chosen)


def test_a_storage_that_cannot_be_inspected_cannot_be_exported(shop_in_memory: Shop) -> None:
    parts: Any = shop_in_memory.hub._parts
    office = office_of(OrderHub(evolve(parts, storage=object())))
    with pytest.raises(Misconfigured):
        exported(office, "levels")
