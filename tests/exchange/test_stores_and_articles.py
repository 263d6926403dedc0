"""What stores do, when they are closed and what articles need: taken as it is written, or refused by its column."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, time, timedelta

import pytest

from omniorder import Article, Closure, Service, Store, Unit
from omniorder.exchange import ImportReport, import_file
from omniorder.testing.shop import Shop

FIRST, SECOND = "2027-01-01T06:00:00Z", "2027-01-02T06:00:00Z"
DAY = f"{FIRST}/{SECOND}"


def imported(shop: Shop, kind: str, content: str, format: str = "csv") -> ImportReport:
    return import_file(shop.office, kind, io.BytesIO(content.encode()), format=format)


def told(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(one.line, one.column, one.code) for one in report.first]


# --- what is taken ----------------------------------------------------------------------------------------


def test_what_a_store_does_is_taken_on_every_storage(shop: Shop) -> None:
    report = imported(
        shop,
        "stores",
        "id,zone,hours,services,transit_minutes,cutoff,slot_lines\n"
        'PDV01,Europe/Sofia,24/7,"pickup, curbside age_restricted",90,15:30,40\n'
        "DC001,Europe/Sofia,24/7,ship_to_store,,00:00,\n"
        "PDV02,Europe/Sofia,24/7,,,,\n",
    )
    assert (told(report), report.taken) == ([], 3)
    assert shop.office.stores.get("PDV01") == Store(
        "PDV01",
        zone="Europe/Sofia",
        hours="24/7",
        services={Service.PICKUP, Service.CURBSIDE, Service.AGE_RESTRICTED},
        transit=timedelta(minutes=90),
        cutoff=time(15, 30),
        slot_lines=40,
    )
    centre = Store("DC001", zone="Europe/Sofia", hours="24/7", services={Service.SHIP_TO_STORE}, cutoff=time(0))
    assert shop.office.stores.get("DC001") == centre
    assert shop.office.stores.get("PDV02") == Store("PDV02", zone="Europe/Sofia", hours="24/7")


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_closures_are_lines_of_one_cell_in_any_order(line_end: str, shop: Shop) -> None:
    """A reason may hold commas, semicolons and quotation marks."""
    closed = f'{SECOND}/2027-01-03T06:00:00Z{line_end}2027-01-01T08:00+02:00/{SECOND} stock-taking; ""A"", B'
    content = f'id,zone,hours,closed\nPDV01,Europe/Sofia,24/7,"{closed}"\nNO,Europe/Sofia,24/7,'
    report = imported(shop, "stores", content)
    assert (told(report), report.taken) == ([], 2)
    first, second, third = (datetime(2027, 1, day, 6, tzinfo=UTC) for day in (1, 2, 3))
    found = shop.office.stores.get("PDV01").closed
    assert found == (Closure(first, second, 'stock-taking; "A", B'), Closure(second, third))
    assert shop.office.stores.get("NO").closed == ()


def test_what_an_article_needs_and_how_far_its_weight_may_be_off_is_taken(shop: Shop) -> None:
    report = imported(
        shop,
        "articles",
        "sku,name,unit,tolerance,needs\n"
        "PLUMS,Plums,gram,0.10,\n"
        "WINE,Wine,piece,0,age_restricted\n"
        'SUIT,Suit,,,"fitting,pickup"\n',
    )
    assert (told(report), report.taken) == ([], 3)
    assert shop.office.articles.get("PLUMS") == Article("PLUMS", "Plums", Unit.GRAM, tolerance="0.1")
    assert shop.office.articles.get("WINE") == Article("WINE", "Wine", needs={Service.AGE_RESTRICTED})
    assert shop.office.articles.get("SUIT").needs == {Service.FITTING, Service.PICKUP}


def test_in_json_all_of_it_is_text_too(shop_in_memory: Shop) -> None:
    row = {
        "id": "PDV01", "zone": "Europe/Sofia", "hours": "24/7", "services": "lockers", "cutoff": "09:05",
        "slot_lines": 0, "transit_minutes": 0, "closed": f"{DAY} strike",
    }  # fmt: skip
    assert told(imported(shop_in_memory, "stores", json.dumps(row), "jsonl")) == []
    store = shop_in_memory.office.stores.get("PDV01")
    assert store.services == {Service.LOCKERS}
    assert (store.cutoff, store.slot_lines, store.transit) == (time(9, 5), 0, timedelta(0))
    assert [one.reason for one in store.closed] == ["strike"]


# --- what is refused --------------------------------------------------------------------------------------

STORES: dict[str, tuple[str, str, str]] = {
    "an unknown service": ("services", "pickup drone", "input.invalid"),
    "a service in capitals": ("services", "PICKUP", "input.invalid"),
    "services with semicolons between": ("services", "pickup;curbside", "input.invalid"),
    "a space for services": ("services", " ", "input.invalid"),
    "a comma behind the last service": ("services", "pickup,", "input.invalid"),
    "a way back in time": ("transit_minutes", "-5", "store.invalid"),
    "a way of a hundred days": ("transit_minutes", "144000", "store.invalid"),
    "a way of centuries": ("transit_minutes", "999999999999999999", "store.invalid"),
    "a cut-off with seconds": ("cutoff", "15:30:00", "input.invalid"),
    "a cut-off with an offset": ("cutoff", "15:30+02:00", "input.invalid"),
    "a cut-off at the 24th hour": ("cutoff", "24:00", "input.invalid"),
    "a cut-off at the 60th minute": ("cutoff", "15:60", "input.invalid"),
    "a cut-off of one digit": ("cutoff", "9:00", "input.invalid"),
    "a cut-off in digits of another script": ("cutoff", "١٥:٣٠", "input.invalid"),
    "a bin of nothing": ("bins", "C4/ambient/0", "store.invalid"),
    "a bin of no temperature": ("bins", "C4/cold/1", "store.invalid"),
    "a locker of two": ("bins", "L1/ambient/2/locker", "store.invalid"),
    "a comma behind the last bin": ("bins", "C4/ambient/1,", "store.invalid"),
    "a bin twice": ("bins", "C4/ambient/1, C4/chilled/1", "store.invalid"),
    "a bin with a number without end": ("bins", f"C4/ambient/{'9' * 5000}", "store.invalid"),
    "fewer lines than none": ("slot_lines", "-1", "store.invalid"),
    "lines without end": ("slot_lines", "99999999", "store.invalid"),
    "half a line": ("slot_lines", "0.5", "quantity.invalid"),
    "a closure without an end": ("closed", FIRST, "input.invalid"),
    "a closure with nothing for an end": ("closed", f"{FIRST}/", "instant.invalid"),
    "a closure of days": ("closed", "2027-01-01/2027-01-02", "instant.invalid"),
    "a closure without an offset": ("closed", f"2027-01-01T06:00:00/{SECOND}", "instant.invalid"),
    "a closure that ends before it starts": ("closed", f"{SECOND}/{FIRST}", "instant.invalid"),
    "a closure on 30 February": ("closed", f"2026-02-30T06:00:00Z/{FIRST}", "instant.invalid"),
    "closures that overlap": ("closed", f"{DAY}\n{DAY}", "store.invalid"),
    "an empty line among closures": ("closed", f"{DAY}\n", "input.invalid"),
    "a reason with a bidi override": ("closed", f"{DAY} a\u202eb", "text.invalid"),
    "a reason too long": ("closed", f"{DAY} {'x' * 101}", "text.invalid"),
    "a card number for a reason": ("closed", f"{DAY} 4242424242424242", "text.card_number"),
    "a thousand and one closures": (
        "closed",
        "\n".join(f"{2000 + n // 28}-02-{n % 28 + 1:02}T06:00Z/{2000 + n // 28}-02-{n % 28 + 1:02}T07:00Z"
                  for n in range(1_001)),
        "store.invalid",
    ),
}  # fmt: skip


@pytest.mark.parametrize("format", ["csv", "jsonl"])
@pytest.mark.parametrize("name", STORES)
def test_what_no_store_is_is_refused_by_its_column(name: str, format: str, shop_in_memory: Shop) -> None:
    """The same in either format, where CSV's digits are a number in JSON."""
    column, cell, code = STORES[name]
    content = f'id,zone,hours,{column}\nNEW01,Europe/Sofia,24/7,"{cell}"\nNEW02,Europe/Sofia,24/7,\n'
    line = 2
    if format == "jsonl":
        value = json.loads(cell) if column in ("slot_lines", "transit_minutes") else cell
        row = {"id": "NEW01", "zone": "Europe/Sofia", "hours": "24/7", column: value}
        content = f"{json.dumps(row)}\n{json.dumps({**row, 'id': 'NEW02', column: None})}\n"
        line = 1
    report = imported(shop_in_memory, "stores", content, format)
    assert told(report) == [(line, column, code)]
    assert report.taken == 1
    assert "4242" not in f"{report.first[0].message} {report.first[0].value}"


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("services", ["pickup"], "text.invalid"), ("services", True, "text.invalid"),
        ("services", "'", "input.invalid"), ("services", "pickup\ncurbside", "input.invalid"),
        ("cutoff", 900, "text.invalid"), ("cutoff", "'15:30", "input.invalid"),
        ("slot_lines", "40", "quantity.invalid"), ("transit_minutes", 90.0, "quantity.invalid"),
        ("closed", [{"starts": FIRST, "ends": SECOND}], "text.invalid"), ("closed", "'", "input.invalid"),
    ],
)  # fmt: skip
def test_another_type_in_json_is_refused(column: str, value: object, code: str, shop_in_memory: Shop) -> None:
    row = json.dumps({"id": "NEW01", "zone": "Europe/Sofia", "hours": "24/7", column: value})
    assert told(imported(shop_in_memory, "stores", row, "jsonl")) == [(1, column, code)]


def test_the_closure_that_is_wrong_is_shown(shop_in_memory: Shop) -> None:
    content = f'id,zone,hours,closed\nNEW01,Europe/Sofia,24/7,"{DAY} strike\n2027-02-01/2027-02-02"\n'
    (refused,) = imported(shop_in_memory, "stores", content).first
    assert (refused.line, refused.column, refused.value) == (2, "closed", "'2027-02-01'")


ARTICLES: dict[str, tuple[str, str, str, str]] = {
    "a tolerance of pieces": ("tolerance", "piece", "0.1", "input.invalid"),
    "a tolerance in per cent": ("tolerance", "gram", "10%", "quantity.invalid"),
    "a tolerance of more than half": ("tolerance", "gram", "0.51", "quantity.invalid"),
    "a tolerance below zero": ("tolerance", "gram", "-0.1", "quantity.invalid"),
    "a tolerance with an exponent": ("tolerance", "gram", "1e-1", "quantity.invalid"),
    "a tolerance with five decimals": ("tolerance", "gram", "0.12345", "quantity.invalid"),
    "an unknown need": ("needs", "piece", "ice", "input.invalid"),
}


@pytest.mark.parametrize("name", ARTICLES)
def test_what_no_article_is_is_refused_by_its_column(name: str, shop_in_memory: Shop) -> None:
    column, unit, cell, code = ARTICLES[name]
    report = imported(shop_in_memory, "articles", f"sku,name,unit,{column}\nNEW,New,{unit},{cell}\n")
    assert (told(report), report.taken) == ([(2, column, code)], 0)
