"""Ids say what they name and where it lives, sort by time, and give nothing away when they are wrong."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain import ids
from omniorder.errors import InvalidId, InvalidInstant, NotFound

stores = st.from_regex(r"[A-Z0-9]{2,8}", fullmatch=True)
sixteen = st.binary(min_size=16, max_size=16)
minutes = st.integers(0, 200 * 365 * 24 * 60).map(lambda n: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=n))

STORE_SIDE: list[tuple[ids.Kind, str, Callable[[str, bytes], str]]] = [
    ("promise", "prm", ids.promise_id),
    ("reservation", "rsv", ids.reservation_id),
    ("movement", "mov", ids.movement_id),
]
EXAMPLES: dict[ids.Kind, str] = {
    "cart": ids.cart_id(bytes(range(16))),
    "line": ids.line_id(bytes(range(8))),
    "order": "SOF01-7K3F9Q",
    "slot": "slt_SOF01_20261122T0800Z",
    "payment": ids.payment_id("SOF01-7K3F9Q", 1),
    "attempt": ids.attempt_id(ids.payment_id("SOF01-7K3F9Q", 1), 2),
    "pickup": ids.pickup_id("SOF01-7K3F9Q"),
    **{kind: make("SOF01", bytes(range(16))) for kind, _, make in STORE_SIDE},
}


class TestGivenByTheRetailer:
    @given(stores)
    def test_a_store_s_code_is_kept(self, value: str) -> None:
        assert ids.store_id(value) == value

    @pytest.mark.parametrize("value", ["S", "SOF010101", "sof01", "SOF-1", "SOF01\n", "СОФ01", "SOF٠١", "", None, 10])
    def test_another_form_is_no_store(self, value: object) -> None:
        with pytest.raises(InvalidId):
            ids.store_id(value)

    @pytest.mark.parametrize("value", ["OAT-MILK-1L", "a", "3800123456789", "a/b.c_d", "x" * 64])
    def test_an_article_number_is_kept(self, value: str) -> None:
        assert ids.sku(value) == value

    @pytest.mark.parametrize("value", ["", "x" * 65, "-a", "a b", "a\n", "ОAT-MILK-1L", "a'b", "=A1", None, 5])
    def test_look_alikes_and_other_forms_are_no_article_number(self, value: object) -> None:
        with pytest.raises(InvalidId):
            ids.sku(value)

    @pytest.mark.parametrize("value", ["anna", "42", "anna@example.com", "Анна Петрова", "a:b@c/d", "x" * 200])
    def test_a_customer_s_id_is_the_retailer_s_business(self, value: str) -> None:
        assert ids.customer_id(value) == value

    def test_two_spellings_of_one_id_are_one_customer(self) -> None:
        assert ids.customer_id("Jose\u0301") == ids.customer_id("José")

    @pytest.mark.parametrize(
        "value",
        [
            "",
            " anna",
            "anna ",
            "a\nb",
            "a\x00",
            "a\u202eb",
            "a\u200bb",
            "\ud800",
            "x" * 201,
            None,
            5,
            "\ufb2c" * 199,
        ],
    )
    def test_unprintable_or_overlong_ids_are_refused(self, value: object) -> None:
        with pytest.raises(InvalidId):
            ids.customer_id(value)

    @pytest.mark.parametrize("check", [ids.store_id, ids.sku, ids.customer_id])
    def test_the_refusal_names_the_field(self, check: Callable[[object, str], str]) -> None:
        with pytest.raises(InvalidId) as refusal:
            check("", "somewhere")
        assert refusal.value.facts["field"] == "somewhere"


class TestMadeHere:
    @pytest.mark.parametrize(("kind", "value"), EXAMPLES.items())
    def test_every_id_made_has_the_form_that_is_checked(self, kind: ids.Kind, value: str) -> None:
        assert ids.check(kind, value) == value

    @pytest.mark.parametrize(("kind", "prefix", "make"), STORE_SIDE)
    def test_a_store_side_id_tells_kind_and_store(
        self, kind: str, prefix: str, make: Callable[[str, bytes], str]
    ) -> None:
        made = make("SOF01", bytes(16))
        assert made == f"{prefix}_SOF01_{'0' * 26}"

    @given(stores, sixteen)
    def test_the_home_store_can_be_read_from_every_store_side_id(self, store: str, entropy: bytes) -> None:
        made = [make(store, entropy) for _, _, make in STORE_SIDE]
        made.append(ids.order_id(store, entropy))
        assert {ids.store_of(one) for one in made} == {store}

    @given(sixteen, sixteen)
    def test_ids_sort_as_their_bytes_do(self, one: bytes, other: bytes) -> None:
        assert (ids.cart_id(one) < ids.cart_id(other)) == (one < other)
        assert (ids.promise_id("AA", one) < ids.promise_id("AA", other)) == (one < other)
        assert (ids.line_id(one[:8]) < ids.line_id(other[:8])) == (one[:8] < other[:8])

    @given(sixteen, sixteen)
    def test_different_bytes_are_different_ids(self, one: bytes, other: bytes) -> None:
        assert (ids.cart_id(one) == ids.cart_id(other)) == (one == other)

    @pytest.mark.parametrize("size", [0, 15, 17])
    def test_too_little_entropy_is_refused(self, size: int) -> None:
        with pytest.raises(InvalidId):
            ids.cart_id(bytes(size))

    def test_an_id_needs_a_real_store(self) -> None:
        with pytest.raises(InvalidId):
            ids.promise_id("sof01", bytes(16))

    @given(stores, st.binary(min_size=8, max_size=16), st.integers(6, 12))
    def test_an_order_reference_has_no_letter_that_is_misread(self, store: str, entropy: bytes, length: int) -> None:
        home, dash, rest = ids.order_id(store, entropy, length).rpartition("-")
        assert (home, dash, len(rest)) == (store, "-", length)
        assert set(rest) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")

    def test_an_order_reference_is_made_of_the_last_bits(self) -> None:
        assert ids.order_id("SOF01", bytes(15) + b"\x1f") == "SOF01-00000Z"
        assert ids.order_id("SOF01", b"\xff" * 10 + bytes(6)) == "SOF01-000000"

    @pytest.mark.parametrize(("size", "length"), [(16, 5), (16, 13), (3, 6), (0, 6)])
    def test_an_order_reference_has_limits(self, size: int, length: int) -> None:
        with pytest.raises(InvalidId):
            ids.order_id("SOF01", bytes(size), length)

    @given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
    def test_uuid7_is_a_version_7_uuid_of_its_instant(self, unix_ms: int, entropy: bytes) -> None:
        made = uuid.UUID(bytes=ids.uuid7(unix_ms, entropy))
        assert (made.version, made.variant) == (7, uuid.RFC_4122)
        assert made.int >> 80 == unix_ms

    @given(st.integers(0, 2**48 - 2), st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
    def test_a_later_uuid7_sorts_after_an_earlier_one(self, unix_ms: int, one: bytes, other: bytes) -> None:
        assert ids.uuid7(unix_ms, one) < ids.uuid7(unix_ms + 1, other)

    def test_uuid7_keeps_74_random_bits(self) -> None:
        made = uuid.UUID(bytes=ids.uuid7(0, b"\xff" * 10)).int
        assert made.bit_count() == 74 + 3 + 1

    @pytest.mark.parametrize(("unix_ms", "size"), [(-1, 10), (2**48, 10), (0, 9), (0, 16)])
    def test_uuid7_has_limits(self, unix_ms: int, size: int) -> None:
        with pytest.raises(InvalidId):
            ids.uuid7(unix_ms, bytes(size))


class TestSlots:
    @given(stores, minutes)
    def test_a_slot_s_id_names_its_store_and_start(self, store: str, starts: datetime) -> None:
        assert ids.parse_slot_id(ids.slot_id(store, starts)) == (store, starts)
        assert ids.store_of(ids.slot_id(store, starts)) == store
        assert ids.same_slot_at(store, ids.slot_id("SOF01", starts)) == ids.slot_id(store, starts)

    def test_the_start_is_written_in_utc(self) -> None:
        starts = datetime(2026, 11, 22, 10, 0, tzinfo=ZoneInfo("Europe/Sofia"))
        assert ids.slot_id("SOF01", starts) == "slt_SOF01_20261122T0800Z"

    def test_a_naive_start_or_one_with_seconds_is_refused(self) -> None:
        starts = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
        with pytest.raises(InvalidInstant):
            ids.slot_id("SOF01", starts.replace(tzinfo=None))
        with pytest.raises(InvalidId):
            ids.slot_id("SOF01", starts.replace(second=1))

    @pytest.mark.parametrize(
        "value",
        [
            "slt_SOF01_20261122T0800",
            "slt_SOF01_20260230T0800Z",
            "slt_SOF01_20261122T2400Z",
            "slt_SOF01_99990101T0000Z",
            "slt_SOF01_20261122T0800Z\n",
            "slt_SOF01_٢٠٢٦1122T0800Z",
            "slt_sof01_20261122T0800Z",
            "",
            None,
        ],
    )
    def test_another_form_is_no_slot(self, value: Any) -> None:
        with pytest.raises(InvalidId):
            ids.parse_slot_id(value)
        with pytest.raises(NotFound):
            ids.check("slot", value)


class TestMalformed:
    @pytest.mark.parametrize("kind", EXAMPLES)
    @pytest.mark.parametrize(
        "value", ["", "x", "crt_", "SOF01-7K3F9", "SOF01-7K3F9I", "sof01-7k3f9q", "\x00", None, 5, ["x"]]
    )
    def test_a_malformed_id_answers_as_a_missing_one(self, kind: ids.Kind, value: object) -> None:
        with pytest.raises(NotFound) as refusal:
            ids.check(kind, value)
        assert refusal.value.facts["kind"] == kind

    @pytest.mark.parametrize("kind", EXAMPLES)
    def test_the_id_of_another_kind_is_malformed(self, kind: ids.Kind) -> None:
        for other, value in EXAMPLES.items():
            if other != kind:
                with pytest.raises(NotFound):
                    ids.check(kind, value)

    @pytest.mark.parametrize("kind", EXAMPLES)
    def test_a_line_break_after_an_id_is_malformed(self, kind: ids.Kind) -> None:
        with pytest.raises(NotFound):
            ids.check(kind, EXAMPLES[kind] + "\n")

    @pytest.mark.parametrize(
        "value",
        [EXAMPLES["cart"], EXAMPLES["line"], "SOF01", "prm_SOF01_", "xxx_SOF01_" + "0" * 26, "", None],
    )
    def test_only_store_side_ids_have_a_home_store(self, value: Any) -> None:
        with pytest.raises(InvalidId):
            ids.store_of(value)
