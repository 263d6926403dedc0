"""What a scanner read: an article, by check digits that are right, and how much of it where the label says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain.barcodes import SCALES, Label, Scanned, check_digit, gtin, read
from omniorder.errors import InvalidBarcode, InvalidInput

DIGITS = st.text("0123456789", min_size=7, max_size=13).filter(lambda text: len(text) in (7, 11, 12, 13))
# from the general specifications and the packets on a shelf
KNOWN = ["4006381333931", "9506000134352", "96385074", "036000291452", "10614141543219"]
PRICED = Label(("22",), verifier=1, value=4, priced=True)


@pytest.mark.parametrize("code", KNOWN)
def test_the_check_digits_of_real_barcodes_are_right(code: str) -> None:
    assert read(code) == Scanned(gtin=code.zfill(14))


@given(DIGITS)
def test_whatever_has_its_check_digit_is_read(digits: str) -> None:
    code = digits + check_digit(digits)
    assert gtin(code) == code.zfill(14)


@given(DIGITS, st.data())
def test_one_digit_misread_is_noticed(digits: str, data: st.DataObject) -> None:
    code = digits + check_digit(digits)
    place = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != code[place]]))
    with pytest.raises(InvalidBarcode):
        gtin(code[:place] + other + code[place + 1 :])


@given(st.integers(1, 99_999), st.integers(1, 99_999), st.sampled_from(SCALES[0].prefixes))
def test_a_label_of_the_scales_says_what_it_weighs(item: int, grams: int, prefix: str) -> None:
    digits = f"{prefix}{item:05}{grams:05}"
    assert read(digits + check_digit(digits)) == Scanned(scale_item=str(item), grams=grams)


def test_a_label_may_say_what_it_costs() -> None:
    digits = "22" + "00042" + "7" + "0945"
    assert read(digits + check_digit(digits), [PRICED]) == Scanned(scale_item="42", price=945)


def test_without_labels_of_its_own_a_shop_reads_every_ean_as_a_gtin() -> None:
    digits = "210004200517"
    assert read(digits + check_digit(digits), []).gtin


@pytest.mark.parametrize(
    ("text", "grams"),
    [
        ("(01)09506000134352(3103)000750", 750),
        ("(3102)000075(01)09506000134352", 750),
        ("]C10109506000134352310300075017261231", 750),
        ("]e0010950600013435210ABC\x1d3103000750", 750),
        ("]d20109506000134352", None),
        ("010950600013435210LOT-7\x1d3100000002", 2000),
    ],
)
def test_element_strings_name_the_article_and_its_net_weight(text: str, grams: int | None) -> None:
    assert read(text) == Scanned(gtin="09506000134352", grams=grams)


@pytest.mark.parametrize(
    "text",
    ["", " ", "4006381333930", "123", "x" * 201, "40063813339３1", "(01)09506000134351", "(3103)000750", "(01)123",
     "(01)09506000134352(3103)75", "(01)09506000134352(3103)000000", "]C101", "(01)09506000134352(", "\x1d\x1d",
     None, 5, "2100042000008"],
)  # fmt: skip
def test_what_is_no_barcode_is_refused(text: object) -> None:
    with pytest.raises(InvalidBarcode):
        read(text)  # type: ignore[arg-type]


@pytest.mark.parametrize("label", [{"prefixes": ("2",)}, {"prefixes": ("21",), "value": 6}, {"prefixes": ("2x",)}])
def test_a_label_has_twelve_digits_and_a_check_digit(label: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        Label(**label)  # type: ignore[arg-type]


@pytest.mark.parametrize("fields", ["0309506000134352", "041234567890123456", "4109506000134352"])
def test_what_follows_an_identifier_of_fixed_length_is_read(fields: str) -> None:
    assert read(f"]C1{fields}0109506000134352") == Scanned(gtin="09506000134352")


@pytest.mark.parametrize("parts", [{"item": -1, "value": 11}, {"item": "5"}, {"verifier": -1, "value": 6}])
def test_a_label_has_digits_of_each_part(parts: dict[str, int]) -> None:
    with pytest.raises(InvalidInput):
        Label(("22",), item=parts.get("item", 5), value=parts.get("value", 5), verifier=parts.get("verifier", 0))
