"""Files that are wrong: each row is refused by itself, with its line and column, and the rows around it are taken."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from typing import Any

import pytest

from omniorder.errors import InvalidFile, InvalidInput
from omniorder.exchange import ImportReport, import_file
from omniorder.exchange.lines import MOST_BYTES
from omniorder.testing.shop import Shop
from tests.exchange.conftest import WriteFile

HEAD = "store,sku,on_hand,safety\n"
FIRST = "SOF01,OAT-MILK-1L,31,1\n"
LAST = "VAR01,OAT-MILK-1L,12,\n"


def taken(shop: Shop) -> tuple[int, int]:
    """Whether the first and the last row of the files below were taken: milk in Sofia and in Varna."""
    return shop.office.stock.level("SOF01", Shop.MILK).on_hand, shop.office.stock.level("VAR01", Shop.MILK).on_hand


def levels(shop: Shop, content: str | bytes, **options: Any) -> ImportReport:
    given = content if isinstance(content, bytes) else content.encode()
    return import_file(shop.office, "levels", io.BytesIO(given), **{"format": "csv", **options})


def told(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(one.line, one.column, one.code) for one in report.first]


# --- rows of CSV ------------------------------------------------------------------------------------------

ROWS: dict[str, tuple[str | bytes, str, str]] = {
    "no number": ("SOF01,RYE-BREAD,many,1", "on_hand", "quantity.invalid"),
    "a fraction": ("SOF01,RYE-BREAD,1.5,1", "on_hand", "quantity.invalid"),
    "a fraction of nothing": ("SOF01,RYE-BREAD,1.0,1", "on_hand", "quantity.invalid"),
    "below zero": ("SOF01,RYE-BREAD,-1,1", "on_hand", "quantity.invalid"),
    "2**63": (f"SOF01,RYE-BREAD,{2**63},1", "on_hand", "quantity.invalid"),
    "2**200": (f"SOF01,RYE-BREAD,{2**200},1", "on_hand", "quantity.invalid"),
    "an underscore": ("SOF01,RYE-BREAD,1_000,1", "on_hand", "quantity.invalid"),
    "digits of another script": ("SOF01,RYE-BREAD,٣,1", "on_hand", "quantity.invalid"),
    "a plus sign": ("SOF01,RYE-BREAD,+5,1", "on_hand", "quantity.invalid"),
    "an exponent": ("SOF01,RYE-BREAD,1e3,1", "on_hand", "quantity.invalid"),
    "a space": ("SOF01,RYE-BREAD, 5,1", "on_hand", "quantity.invalid"),
    "not a number": ("SOF01,RYE-BREAD,NaN,1", "on_hand", "quantity.invalid"),
    "hexadecimal": ("SOF01,RYE-BREAD,0x10,1", "on_hand", "quantity.invalid"),
    "a bad safety": ("SOF01,RYE-BREAD,5,-2", "safety", "quantity.invalid"),
    "an empty cell": ("SOF01,RYE-BREAD,,1", "on_hand", "row.invalid"),
    "a store in small letters": ("sof01,RYE-BREAD,5,1", "store", "id.invalid"),
    "a SKU of letters that look alike": ("SOF01,RYE-ВREAD,5,1", "sku", "id.invalid"),
    "a formula for a SKU": ('SOF01,"=HYPERLINK(""x"")",5,1', "sku", "id.invalid"),
    "a line break in a cell": ('SOF01,"RYE\nBREAD",5,1', "sku", "id.invalid"),
    "an unknown store": ("XXX01,RYE-BREAD,5,1", "store", "not_found"),
    "an unknown SKU": ("SOF01,NO-SUCH,5,1", "sku", "not_found"),
    "a cell too few": ("SOF01,RYE-BREAD,5", "", "row.invalid"),
    "a cell too many": ("SOF01,RYE-BREAD,5,1,x", "", "row.invalid"),
    "one cell": ("SOF01", "", "row.invalid"),
    "text behind a quotation mark": ('SOF01,"RYE"-BREAD,5,1', "", "row.invalid"),
    "a NUL": ("SOF01,RYE-BREAD\0,5,1", "", "row.invalid"),
    "Latin-1": ("SOF01,Käse,5,1".encode("latin-1"), "", "row.invalid"),
    "Latin-1 in a quoted line break": ('SOF01,"Kä\nse",5,1'.encode("latin-1"), "", "row.invalid"),
    "a lone surrogate": (b"SOF01,\xed\xa0\x80,5,1", "", "row.invalid"),
    "a cell of ten million characters": ("SOF01," + "x" * 10_000_000 + ",5,1", "", "row.invalid"),
    "ten million cells": ("," * 10_000_000, "", "row.invalid"),
    "a row that repeats the first": ("SOF01,OAT-MILK-1L,31,1", "", "row.duplicate"),
    "a row that contradicts the first": ("SOF01,OAT-MILK-1L,99,1", "", "row.duplicate"),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_bad_row_of_csv_is_refused_and_the_others_are_taken(name: str, shop_in_memory: Shop) -> None:
    row, column, code = ROWS[name]
    given = row if isinstance(row, bytes) else row.encode()
    report = levels(shop_in_memory, (HEAD + FIRST).encode() + given + b"\n" + LAST.encode())
    assert told(report) == [(3, column, code)]
    assert (report.taken, report.refused, report.finished) == (2, 1, True)
    assert taken(shop_in_memory) == (31, 12)
    assert shop_in_memory.office.stock.level("SOF01", Shop.BREAD).on_hand == 5


def test_bad_bytes_are_named_by_their_place_in_the_file(shop_in_memory: Shop) -> None:
    report = levels(shop_in_memory, (HEAD + FIRST).encode() + b"SOF01,K\xe4se,5,1\n")
    assert report.first[0].message == f"must be in UTF-8, and byte {len(HEAD + FIRST) + 7} of the file isn't"
    assert report.first[0].value == r"b'\xe4'"


def test_a_quotation_mark_that_is_missing_costs_no_more_than_a_row_may_be_long(shop_in_memory: Shop) -> None:
    """What it swallowed is one refusal; from then on rows are taken again."""
    swallowed = '"SOF01,RYE-BREAD,5,1\n' + FIRST * (MOST_BYTES // len(FIRST))
    report = levels(shop_in_memory, HEAD + swallowed + LAST)
    assert told(report) == [(2, "", "row.invalid")]
    assert "quotation mark" in report.first[0].message
    assert taken(shop_in_memory) == (40, 12)


def test_a_quotation_mark_that_is_missing_at_the_end_is_told(shop_in_memory: Shop) -> None:
    assert told(levels(shop_in_memory, HEAD + FIRST + '"SOF01,RYE')) == [(3, "", "row.invalid")]
    assert taken(shop_in_memory) == (31, 10)


def test_a_long_line_is_never_held_in_memory(shop_in_memory: Shop) -> None:
    row = b"SOF01," + b"x" * 30_000_000 + b",5,1\n"
    file = io.BytesIO(HEAD.encode() + row)
    tracemalloc.start()
    import_file(shop_in_memory.office, "levels", file, format="csv")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_the_value_that_was_refused_is_shown_short_and_in_ascii(shop_in_memory: Shop) -> None:
    row = "SOF01,RYE-BREAD," + "٣" * 500 + ",1\n"
    (refused,) = levels(shop_in_memory, HEAD + row).first
    assert refused.value.isascii()
    assert len(refused.value) == 80


@pytest.mark.parametrize("column", range(4))
def test_a_card_number_is_shown_nowhere(column: int, shop_in_memory: Shop) -> None:
    cells = ["SOF01", "RYE-BREAD", "5", "1"]
    cells[column] = "4242 4242 4242 4242"
    (refused,) = levels(shop_in_memory, HEAD + ",".join(cells) + "\n").first
    assert "4242" not in f"{refused.message} {refused.value}"


# --- CSV as programs write it -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        HEAD + FIRST + LAST,
        (HEAD + FIRST + LAST).removesuffix("\n"),
        (HEAD + FIRST + LAST).replace("\n", "\r\n"),
        "\ufeff" + HEAD + FIRST + LAST,
        HEAD + "\n" + FIRST + "\r\n\n" + LAST + "\n\n",
        'on_hand,"sku",store,safety\n31,"OAT-MILK-1L",SOF01,1\n12,OAT-MILK-1L,"VAR01",\n',
        "store,sku,on_hand\nSOF01,OAT-MILK-1L,31\nVAR01,OAT-MILK-1L,0012\n",
    ],
    ids=["plain", "no last line end", "CRLF", "BOM", "empty lines", "another order", "without safety"],
)
def test_csv_as_programs_write_it_is_taken(content: str, shop_in_memory: Shop) -> None:
    report = levels(shop_in_memory, content)
    assert (report.taken, report.refused, report.finished) == (2, 0, True)
    assert taken(shop_in_memory) == (31, 12)


def test_another_delimiter_may_be_said(shop_in_memory: Shop) -> None:
    report = levels(shop_in_memory, (HEAD + FIRST).replace(",", ";"), delimiter=";")
    assert (report.taken, taken(shop_in_memory)[0]) == (1, 31)


def test_a_file_of_columns_alone_is_finished(shop_in_memory: Shop) -> None:
    report = levels(shop_in_memory, HEAD)
    assert (report.taken, report.refused, report.finished) == (0, 0, True)


def test_a_compressed_file_is_read_as_what_is_in_it(shop_in_memory: Shop, write_file: WriteFile) -> None:
    path = write_file(gzip.compress((HEAD + FIRST).encode()), "levels.csv.gz")
    assert import_file(shop_in_memory.office, "levels", path).taken == 1


# --- files that are refused as a whole --------------------------------------------------------------------

WHOLE: dict[str, tuple[bytes, str]] = {
    "nothing at all": (b"", "columns"),
    "no columns": (FIRST.encode(), "columns"),
    "a column that is missing": (b"store,sku\nSOF01,RYE-BREAD\n", "columns"),
    "a column that is unknown": (b"store,sku,on_hand,colour\n", "columns"),
    "a column in capitals": (b"Store,sku,on_hand\n", "columns"),
    "a column named twice": (b"store,sku,on_hand,sku\n", "columns"),
    "UTF-16": ((HEAD + FIRST).encode("utf-16"), "encoding"),
    "UTF-16 without a mark": ((HEAD + FIRST).encode("utf-16-le"), "encoding"),
    "Latin-1 in the columns": ("store,sku,on_hand,Stück\n".encode("latin-1"), "encoding"),
    "columns of ten million characters": (b"x" * 10_000_000, "columns"),
    "a quotation mark that never ends": (b'"store,sku,on_hand', "columns"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_without_its_columns_is_refused_as_a_whole(name: str, shop_in_memory: Shop) -> None:
    content, field = WHOLE[name]
    with pytest.raises(InvalidFile) as refused:
        levels(shop_in_memory, content)
    assert refused.value.facts["field"] == field
    assert taken(shop_in_memory) == (40, 10)


def test_the_columns_that_are_wrong_are_named(shop_in_memory: Shop) -> None:
    with pytest.raises(InvalidFile, match="colour, size"):
        levels(shop_in_memory, "store,sku,on_hand,colour,size\n")
    with pytest.raises(InvalidFile, match="must have sku, on_hand"):
        levels(shop_in_memory, "store,safety\n")


@pytest.mark.parametrize("name", ["levels.xlsx", "levels", "levels.csv.zip"])
def test_a_name_that_tells_no_format_is_refused(name: str, shop_in_memory: Shop, write_file: WriteFile) -> None:
    with pytest.raises(InvalidFile):
        import_file(shop_in_memory.office, "levels", write_file(HEAD, name))


def test_a_file_that_is_not_there_is_told(shop_in_memory: Shop) -> None:
    with pytest.raises(InvalidFile, match="No such file"):
        import_file(shop_in_memory.office, "levels", "nowhere.csv")


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_damaged_gzip_file_is_told(cut: int, shop_in_memory: Shop, write_file: WriteFile) -> None:
    whole = gzip.compress((HEAD + FIRST).encode())
    with pytest.raises(InvalidFile, match="gzip"):
        import_file(shop_in_memory.office, "levels", write_file(whole[:cut], "levels.csv.gz"))


@pytest.mark.parametrize(
    "options",
    [
        {"format": "xml"}, {"format": None}, {"delimiter": ""}, {"delimiter": "::"}, {"delimiter": "\n"},
        {"delimiter": '"'}, {"batch": 0}, {"batch": True}, {"id": ""}, {"id": "a b"}, {"id": "x" * 65},
        {"resume": True}, {"strict": True},
    ],
)  # fmt: skip
def test_arguments_that_make_no_sense_are_refused(options: dict[str, Any], shop_in_memory: Shop) -> None:
    with pytest.raises(InvalidInput):
        levels(shop_in_memory, HEAD + FIRST, **options)
    assert taken(shop_in_memory) == (40, 10)


def test_an_unknown_kind_is_refused(shop_in_memory: Shop) -> None:
    with pytest.raises(InvalidInput):
        import_file(shop_in_memory.office, "orders", io.BytesIO(b""), format="csv")


# --- JSON Lines -------------------------------------------------------------------------------------------

GOOD = '{"store": "SOF01", "sku": "OAT-MILK-1L", "on_hand": 31, "safety": 1}\n'
AFTER = '{"store": "VAR01", "sku": "OAT-MILK-1L", "on_hand": 12, "safety": null}\n'
OBJECTS: dict[str, tuple[str | bytes, str, str]] = {
    "no JSON": ("SOF01,RYE-BREAD,5,1", "", "row.invalid"),
    "half an object": ('{"store": "SOF01", "sku":', "", "row.invalid"),
    "two objects": ('{"store": "SOF01"} {"sku": "x"}', "", "row.invalid"),
    "a list": ('["SOF01", "RYE-BREAD", 5, 1]', "", "row.invalid"),
    "null": ("null", "", "row.invalid"),
    "text": ('"SOF01"', "", "row.invalid"),
    "a key twice": ('{"store": "SOF01", "sku": "RYE-BREAD", "on_hand": 5, "on_hand": 6}', "", "row.invalid"),
    "an unknown key": ('{"store": "SOF01", "sku": "RYE-BREAD", "on_hand": 5, "colour": "red"}', "", "row.invalid"),
    "a key that is missing": ('{"store": "SOF01", "sku": "RYE-BREAD"}', "on_hand", "row.invalid"),
    "null where something must be": ('{"store": "SOF01", "sku": null, "on_hand": 5}', "sku", "row.invalid"),
    "a value in a value": ('{"store": "SOF01", "sku": {"id": "RYE-BREAD"}, "on_hand": 5}', "sku", "text.invalid"),
    "a list for a number": ('{"store": "SOF01", "sku": "RYE-BREAD", "on_hand": [5]}', "on_hand", "quantity.invalid"),
    "a float": ('{"store": "SOF01", "sku": "RYE-BREAD", "on_hand": 5.0}', "on_hand", "quantity.invalid"),
    "an exponent": ('{"store": "SOF01", "sku": "RYE-BREAD", "on_hand": 1e3}', "on_hand", "quantity.invalid"),
    "a truth": ('{"store": "SOF01", "sku": "RYE-BREAD", "on_hand": true}', "on_hand", "quantity.invalid"),
    "a number as text": ('{"store": "SOF01", "sku": "RYE-BREAD", "on_hand": "5"}', "on_hand", "quantity.invalid"),
    "NaN": ('{"store": "SOF01", "sku": "RYE-BREAD", "on_hand": NaN}', "", "row.invalid"),
    "infinity": ('{"store": "SOF01", "sku": "RYE-BREAD", "on_hand": -Infinity}', "", "row.invalid"),
    "2**200": (f'{{"store": "SOF01", "sku": "RYE-BREAD", "on_hand": {2**200}}}', "on_hand", "quantity.invalid"),
    "a number of 5,000 digits": (
        f'{{"store": "SOF01", "sku": "RYE-BREAD", "on_hand": {"9" * 5_000}}}', "", "row.invalid",
    ),
    "a number for text": ('{"store": 1, "sku": "RYE-BREAD", "on_hand": 5}', "store", "text.invalid"),
    "an escaped NUL": (r'{"store": "SOF01", "sku": "RYE\u0000", "on_hand": 5}', "sku", "id.invalid"),
    "an escaped surrogate": (r'{"store": "SOF01", "sku": "\ud800", "on_hand": 5}', "sku", "id.invalid"),
    "a surrogate for a key": (r'{"\ud800": "SOF01", "sku": "RYE-BREAD", "on_hand": 5}', "", "row.invalid"),
    "a depth of 10,000": ('{"store": ' + "[" * 10_000 + "]" * 10_000 + "}", "", "row.invalid"),
    "a NUL": ('{"store": "SOF01", "sku": "RYE\0", "on_hand": 5}', "", "row.invalid"),
    "Latin-1": ('{"store": "SOF01", "sku": "Käse", "on_hand": 5}'.encode("latin-1"), "", "row.invalid"),
    "ten million characters": ('{"store": "' + "x" * 10_000_000 + '"}', "", "row.invalid"),
    "an unknown store": ('{"store": "XXX01", "sku": "RYE-BREAD", "on_hand": 5}', "store", "not_found"),
    "a row that contradicts the first": (GOOD.strip().replace("31", "99"), "", "row.duplicate"),
}  # fmt: skip


@pytest.mark.parametrize("name", OBJECTS)
def test_a_bad_line_of_json_is_refused_and_the_others_are_taken(name: str, shop_in_memory: Shop) -> None:
    row, column, code = OBJECTS[name]
    given = row if isinstance(row, bytes) else row.encode()
    report = levels(shop_in_memory, GOOD.encode() + given + b"\n" + AFTER.encode(), format="jsonl")
    assert told(report) == [(2, column, code)]
    assert (report.taken, report.refused, report.finished) == (2, 1, True)
    assert taken(shop_in_memory) == (31, 12)
    assert shop_in_memory.office.stock.level("SOF01", Shop.BREAD).on_hand == 5


@pytest.mark.parametrize("content", [GOOD + AFTER, "\ufeff\n" + GOOD + "\r\n  \n" + AFTER, (GOOD + AFTER).strip()])
def test_json_lines_as_programs_write_them_are_taken(content: str, shop_in_memory: Shop) -> None:
    assert (levels(shop_in_memory, content, format="jsonl").taken, taken(shop_in_memory)) == (2, (31, 12))


def test_an_empty_file_of_json_lines_is_finished(shop_in_memory: Shop) -> None:
    report = levels(shop_in_memory, "", format="jsonl")
    assert (report.taken, report.refused, report.finished) == (0, 0, True)


# --- the other kinds --------------------------------------------------------------------------------------

KINDS: dict[str, tuple[str, str, str, str, str]] = {
    "bad hours": ("stores", "id,zone,hours", "NEW01,Europe/Sofia,sometimes", "hours", "store.invalid"),
    "an unknown zone": ("stores", "id,zone,hours", "NEW01,Mars/Olympus,24/7", "zone", "store.invalid"),
    "a bad id": ("stores", "id,zone,hours", "new,Europe/Sofia,24/7", "id", "id.invalid"),
    "a latitude off the globe": ("stores", "id,zone,hours,lat,lon", "NEW01,Europe/Sofia,24/7,91,0", "lat",
                                 "store.invalid"),
    "a latitude alone": ("stores", "id,zone,hours,lat,lon", "NEW01,Europe/Sofia,24/7,9,", "lon", "store.invalid"),
    "a decimal comma": ("stores", "id,zone,hours,lat,lon", 'NEW01,Europe/Sofia,24/7,"9,5",3', "lat", "input.invalid"),
    "too short a slot": ("stores", "id,zone,hours,slot_minutes", "NEW01,Europe/Sofia,24/7,1", "slot_minutes",
                         "store.invalid"),
    "a lead of centuries": ("stores", "id,zone,hours,lead_minutes", "NEW01,Europe/Sofia,24/7,999999999999999999",
                            "lead_minutes", "store.invalid"),
    "a country without its hours": ("stores", "id,zone,hours,country", "NEW01,Europe/Sofia,24/7,XX", "country",
                                    "store.invalid"),
    "a capacity below zero": ("stores", "id,zone,hours,slot_capacity", "NEW01,Europe/Sofia,24/7,-1", "slot_capacity",
                              "store.invalid"),
    "an unknown unit": ("articles", "sku,name,unit", "NEW,New,litre", "unit", "input.invalid"),
    "a name with a bidi override": ("articles", "sku,name", "NEW,a\u202eb", "name", "text.invalid"),
    "a name too long": ("articles", "sku,name", f"NEW,{'x' * 201}", "name", "text.invalid"),
    "a card number in a label": ("articles", "sku,name,meta.note", "NEW,New,4242424242424242", "meta.note",
                                 "text.card_number"),
    "an amount with a comma": ("prices", "sku,amount,currency,tax", 'RYE-BREAD,"2,49",EUR,0.2', "amount",
                               "money.invalid"),
    "an amount with three decimals": ("prices", "sku,amount,currency,tax", "RYE-BREAD,2.499,EUR,0.2", "amount",
                                      "money.invalid"),
    "decimals of a currency without any": ("prices", "sku,amount,currency,tax", "RYE-BREAD,2.50,JPY,0.2", "amount",
                                           "money.invalid"),
    "an amount below zero": ("prices", "sku,amount,currency,tax", "RYE-BREAD,-1,EUR,0.2", "amount", "money.invalid"),
    "an unknown currency": ("prices", "sku,amount,currency,tax", "RYE-BREAD,1,XXX,0.2", "currency", "money.invalid"),
    "a tax in per cent": ("prices", "sku,amount,currency,tax", "RYE-BREAD,1,EUR,20%", "tax", "money.invalid"),
    "a price of an unknown article": ("prices", "sku,amount,currency,tax", "NO-SUCH,1,EUR,0.2", "sku", "not_found"),
    "a price at an unknown store": ("prices", "sku,amount,currency,tax,store", "RYE-BREAD,1,EUR,0.2,XXX01", "store",
                                    "not_found"),
    "an unknown channel": ("prices", "sku,amount,currency,tax,channel", "RYE-BREAD,1,EUR,0.2,fax", "channel",
                           "input.invalid"),
    "an instant without an offset": ("prices", "sku,amount,currency,tax,valid_from",
                                     "RYE-BREAD,1,EUR,0.2,2026-11-22T08:00:00", "valid_from", "instant.invalid"),
    "30 February": ("prices", "sku,amount,currency,tax,valid_from", "RYE-BREAD,1,EUR,0.2,2026-02-30T08:00:00Z",
                    "valid_from", "instant.invalid"),
    "the year 9999": ("prices", "sku,amount,currency,tax,valid_to", "RYE-BREAD,1,EUR,0.2,9999-12-31T23:00:00Z",
                      "valid_to", "instant.invalid"),
    "an end before the beginning": ("prices", "sku,amount,currency,tax,valid_from,valid_to",
                                    "RYE-BREAD,1,EUR,0.2,2026-02-03T08:00:00Z,2026-02-02T08:00:00Z", "valid_to",
                                    "instant.invalid"),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_what_makes_no_sense_is_refused_by_its_column(name: str, shop_in_memory: Shop) -> None:
    kind, head, row, column, code = KINDS[name]
    file = io.BytesIO(f"{head}\n{row}\n".encode())
    report = import_file(shop_in_memory.office, kind, file, format="csv")
    assert (told(report), report.taken) == ([(2, column, code)], 0)


def test_an_amount_in_json_is_text(shop_in_memory: Shop) -> None:
    """A float of 2.49 is not two euros and 49 cents."""
    row = b'{"sku": "RYE-BREAD", "amount": 2.49, "currency": "EUR", "tax": "0.2"}'
    report = import_file(shop_in_memory.office, "prices", io.BytesIO(row), format="jsonl")
    assert told(report) == [(1, "amount", "text.invalid")]
