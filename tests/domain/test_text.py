"""Text is stored only when every database, log and reader takes it for the same text."""

from __future__ import annotations

import pickle
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain.text import MAX_NOTE, Metadata, key, line, looks_like_card_number, metadata, note
from omniorder.errors import CardNumberRefused, InvalidKey, InvalidText, TooMany

VISA = "4111111111111111"  # the schemes' published test numbers
AMEX = "378282246310005"

bad_characters = [
    "\x00",
    "\x1b",
    "\x7f",
    "\x85",
    "\u2028",
    "\u2029",
    "\ud800",
    "\u202e",
    "\u202a",
    "\u2066",
    "\u2069",
]
plain = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Zs", "Po"]), min_size=1, max_size=40)


def with_check_digit(digits: str) -> str:
    return next(
        digits + str(last)
        for last in range(10)
        if sum(int(d) if i % 2 == 0 else sum(divmod(2 * int(d), 10)) for i, d in enumerate(f"{last}{digits[::-1]}"))
        % 10
        == 0
    )


card_numbers = st.text("0123456789", min_size=12, max_size=18).map(with_check_digit)


class TestLine:
    @given(st.text())
    def test_what_is_accepted_is_clean_and_stays_the_same_when_given_again(self, value: str) -> None:
        try:
            cleaned = line(value, "name")
        except InvalidText:
            return
        assert line(cleaned, "name") == cleaned == cleaned.strip() == unicodedata.normalize("NFC", cleaned)
        assert 1 <= len(cleaned) <= 200
        assert cleaned.encode().decode() == cleaned
        assert len(cleaned.splitlines()) == 1

    def test_two_spellings_of_one_letter_become_one(self) -> None:
        assert line("Cafe\u0301", "name") == line("Café", "name") == "Café"

    def test_surrounding_space_is_dropped(self) -> None:
        assert line("  Sofia \u00a0", "name") == "Sofia"

    @pytest.mark.parametrize("character", [*bad_characters, "\n", "\r", "\t"])
    def test_no_control_character_break_surrogate_or_bidi_control_passes(self, character: str) -> None:
        with pytest.raises(InvalidText):
            line(f"So{character}fia", "name")

    @pytest.mark.parametrize("value", ["Sofia\n", "\nSofia", "\x00"])
    def test_a_bad_character_at_the_edge_is_refused_and_not_stripped(self, value: str) -> None:
        with pytest.raises(InvalidText):
            line(value, "name")

    @pytest.mark.parametrize(
        "value", ["Щанд 5", "متجر", "店", "🥛", "O'Neil & <b>Sons</b>; DROP TABLE", "=HYPERLINK()"]
    )
    def test_every_script_passes_and_so_does_text_that_is_code_elsewhere(self, value: str) -> None:
        assert line(value, "name") == value

    def test_length_is_counted_after_cleaning(self) -> None:
        assert len(line("e\u0301" * 200, "name")) == 200
        with pytest.raises(InvalidText):
            line("e" * 201, "name")
        with pytest.raises(InvalidText):
            line("   ", "name")

    @pytest.mark.parametrize("value", [None, 5, b"Sofia", ["Sofia"]])
    def test_only_text_is_text(self, value: object) -> None:
        with pytest.raises(InvalidText):
            line(value, "name")

    def test_a_card_number_is_never_shown_by_a_refusal(self) -> None:
        with pytest.raises(InvalidText) as refusal:
            line(f"{VISA}\n", "name")
        assert "4111" not in str(refusal.value)


class TestNote:
    def test_it_may_have_lines_and_tabs_and_may_be_empty(self) -> None:
        assert note("ring twice\n\tthen wait") == "ring twice\n\tthen wait"
        assert note("") == ""

    @pytest.mark.parametrize("character", bad_characters)
    def test_no_other_control_character_passes(self, character: str) -> None:
        with pytest.raises(InvalidText):
            note(f"a{character}b")

    @pytest.mark.parametrize("length", [MAX_NOTE + 1, 10**6])
    def test_a_note_has_a_limit(self, length: int) -> None:
        assert len(note("x" * MAX_NOTE)) == MAX_NOTE
        with pytest.raises(InvalidText):
            note("x" * length)

    @given(plain, card_numbers, plain)
    def test_a_card_number_anywhere_in_it_is_refused_and_not_shown(self, before: str, card: str, after: str) -> None:
        with pytest.raises(CardNumberRefused) as refusal:
            note(f"{before}x{card}x{after}")
        assert card not in str(refusal.value.problem())

    @pytest.mark.parametrize("value", [f"{VISA}\x00", f"{VISA}{'x' * 500}", f"{VISA}{'x' * 5000}"])
    def test_a_note_refused_for_another_reason_is_not_shown_either(self, value: str) -> None:
        with pytest.raises(InvalidText) as refusal:
            note(value)
        assert "4111" not in str(refusal.value.problem())


class TestCardNumbers:
    @pytest.mark.parametrize(
        "text",
        [
            VISA,
            AMEX,
            "4222222222222",  # 13 digits
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "3782 822463 10005",
            "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
            "4111 - 1111 - 1111 - 1111",
            "4111\u20131111\u20141111\u00a01111",
            "4111\u200b1111\u200b1111\u200b1111",
            "4111\n1111\n1111\n1111",
            "flat 12 4111 1111 1111 1111 12/29",
            f"card:{VISA}.",
            "٤١١١١١١١١١١١١١١١",
            "４１１１ １１１１ １１１１ １１１１",
        ],
    )
    def test_a_number_is_found_however_it_is_written(self, text: str) -> None:
        assert looks_like_card_number(text)

    @given(card_numbers)
    def test_every_number_with_a_right_check_digit_is_found(self, card: str) -> None:
        assert looks_like_card_number(card)

    @given(card_numbers, st.integers(1, 9))
    def test_a_wrong_check_digit_is_no_card_number(self, card: str, off: int) -> None:
        assert not looks_like_card_number(card[:-1] + str((int(card[-1]) + off) % 10))

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "call +359 88 123 4567",
            "411111111111",
            f"{VISA}0000",
            "4111,1111,1111,1111",
            "4111 1111 a 1111 1111",
        ],
    )
    def test_short_long_and_interrupted_digits_are_none(self, text: str) -> None:
        assert not looks_like_card_number(text)


class TestKey:
    @given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=255))
    def test_printable_ascii_is_kept_as_it_is(self, value: str) -> None:
        assert key(value) == value

    @pytest.mark.parametrize("value", ["", "x" * 256, "ключ", "a\nb", "a\n", "\x7f", None, 5, b"key"])
    def test_anything_else_is_refused(self, value: object) -> None:
        with pytest.raises(InvalidKey):
            key(value)


class TestMetadata:
    def test_it_equals_the_mapping_it_was_made_of(self) -> None:
        assert metadata({"b": "2", "a.x-y_z": "1"}) == {"a.x-y_z": "1", "b": "2"}

    def test_its_keys_are_in_order(self) -> None:
        assert list(metadata({"b": "2", "a": "1"})) == ["a", "b"]

    def test_equal_metadata_have_one_hash_whatever_the_order_of_making(self) -> None:
        one, other = metadata({"b": "2", "a": "1"}), metadata({"a": "1", "b": "2"})
        assert one == other
        assert hash(one) == hash(other)

    def test_the_caller_s_later_changes_don_t_reach_it(self) -> None:
        given = {"a": "1"}
        kept = metadata(given)
        given["a"] = "2"
        assert kept["a"] == "1"

    def test_a_missing_key_is_a_key_error(self) -> None:
        with pytest.raises(KeyError):
            metadata({"a": "1"})["b"]

    def test_it_travels_by_pickle_and_reads_like_a_dict(self) -> None:
        kept = metadata({"a": "1"})
        assert pickle.loads(pickle.dumps(kept)) == kept
        assert repr(kept) == "{'a': '1'}"

    def test_what_was_checked_is_taken_as_it_is(self) -> None:
        kept = metadata({"a": "1"})
        assert metadata(kept) is kept

    def test_values_are_cleaned(self) -> None:
        assert metadata({"a": " Cafe\u0301 ", "b": ""}) == {"a": "Café", "b": ""}

    @pytest.mark.parametrize("name", ["", "A", "1a", "a b", "a" * 41, "é", "a\n", 1, None])
    def test_a_key_of_another_form_is_refused(self, name: Any) -> None:
        with pytest.raises(InvalidText):
            metadata({name: "x"})

    @pytest.mark.parametrize("value", [1, None, True, "x" * 501, "a\nb", "\x00", "\ud800", ["x"]])
    def test_a_value_that_is_no_clean_text_is_refused(self, value: Any) -> None:
        with pytest.raises(InvalidText):
            metadata({"a": value})

    @pytest.mark.parametrize("value", [None, "a=b", [("a", "b")], 5])
    def test_only_a_mapping_is_metadata(self, value: object) -> None:
        with pytest.raises(InvalidText):
            metadata(value)

    def test_twenty_keys_are_the_most(self) -> None:
        assert len(metadata({f"k{n}": "" for n in range(20)})) == 20
        with pytest.raises(TooMany):
            metadata({f"k{n}": "" for n in range(21)})

    @pytest.mark.parametrize("labels", [{"a": VISA}, {f"x{VISA}": "a"}])
    def test_it_holds_no_card_number(self, labels: dict[str, str]) -> None:
        with pytest.raises(CardNumberRefused) as refusal:
            metadata(labels)
        assert "4111" not in str(refusal.value.problem())

    def test_a_refused_key_with_a_card_number_is_not_shown(self) -> None:
        with pytest.raises(InvalidText) as refusal:
            metadata({VISA: "a"})
        assert "4111" not in str(refusal.value.problem())

    def test_without_labels_it_is_empty(self) -> None:
        assert metadata({}) == Metadata() == {}
