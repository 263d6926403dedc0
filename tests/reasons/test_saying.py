"""Trees of reasons in words: what is said in which order, and how each language writes its numbers and dates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from babel.dates import format_date, format_time
from babel.lists import format_list
from babel.numbers import format_decimal
from hypothesis import assume, given
from hypothesis import strategies as st

from omniorder import Reason, say
from omniorder.domain.text import line
from omniorder.errors import CartEmpty, InvalidInput
from omniorder.reasons.codes import CODES
from omniorder.reasons.refusals import of_refusal
from omniorder.reasons.saying import LANGUAGES
from omniorder.testing import strategies

SOFIA = ZoneInfo("Europe/Sofia")
LOCALES = {"en": Locale("en", "GB"), "sv": Locale("sv"), "bg": Locale("bg")}
LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)

SHORT = {"sku": "OAT-MILK-1L", "wanted": 3, "available": 1}
LATER = {"next_at": "2026-12-01T09:00+02:00", "next_units": 24}


def short(**more: Any) -> Reason:
    """A store that is short of milk."""
    return of_refusal("stock.short", {"store": "SOF02", "short": [SHORT | more]})


# --- the order of things ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            "Store SOF02 can't provide the whole basket. You want 3 pieces of OAT-MILK-1L, but the store can offer "
            "only 1 piece. The next delivery, of 24 pieces, is expected on 1 December 2026 at 09:00. You can wait for "
            "the delivery on 1 December 2026 at 09:00. You can also reduce OAT-MILK-1L to 1 piece or remove "
            "OAT-MILK-1L. You can also choose another store.",
        ),
        (
            "sv",
            "Butik SOF02 kan inte erbjuda allt i varukorgen. Du vill ha 3 st av OAT-MILK-1L, men butiken kan bara "
            "erbjuda 1 st. Nästa leverans, på 24 st, väntas den 1 december 2026 kl. 09:00. Du kan vänta på leveransen "
            "den 1 december 2026 kl. 09:00. Du kan också minska OAT-MILK-1L till 1 st eller ta bort OAT-MILK-1L. Du "
            "kan också välja en annan butik.",
        ),
        (
            "bg",
            "Магазин SOF02 не може да осигури всичко от количката. Искате 3 броя от OAT-MILK-1L, но магазинът може да "
            "предложи само 1 брой. Следващата доставка – 24 броя – се очаква на 1 декември 2026\u00a0г., 09:00\u00a0ч. "
            "Можете да изчакате доставката на 1 декември 2026\u00a0г., 09:00\u00a0ч. Можете също да намалите "
            "OAT-MILK-1L до 1 брой или да премахнете OAT-MILK-1L. Можете също да изберете друг магазин.",
        ),
    ],
)
def test_the_reason_then_what_is_below_it_then_what_would_change_it(language: str, said: str) -> None:
    assert say(short(unit="piece", **LATER), language) == said


def test_nothing_to_offer_is_said_as_that_and_not_as_zero() -> None:
    assert say(Reason("stock.short", SHORT | {"available": 0})) == (
        "You want 3 of OAT-MILK-1L, but the store has none to offer. You can remove OAT-MILK-1L."
    )


def test_the_same_remedy_is_told_once() -> None:
    two = Reason("store.cannot", {"store": "A"}, (Reason("store.cannot", {"store": "B"}),))
    assert say(two).count("choose another store") == 1


def test_a_code_that_nobody_knows_is_still_an_answer() -> None:
    assert say(Reason("acme.no_forklift", {"forklift": 7}), "sv") == "Det går inte just nu."


def test_so_is_a_reason_whose_facts_are_missing() -> None:
    assert say(Reason("stock.short")) == "This isn't possible at the moment."


@pytest.mark.parametrize(
    ("language", "spoken"),
    [
        *(("", "en"), ("en-GB", "en"), ("de", "en"), ("svenska", "en")),
        *(("sv-SE", "sv"), ("SV", "sv"), ("sv_FI", "sv"), ("bg-Cyrl-BG", "bg")),
    ],
)
def test_a_tag_is_spoken_as_its_language_and_others_as_english(language: str, spoken: str) -> None:
    assert say(short(), language) == say(short(), spoken)


# --- facts in sentences -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "It weighs 1.275\u00a0kg; for 1\u00a0kg, anything from 900\u00a0g to 1.1\u00a0kg was agreed."),
        ("sv", "Vikten är 1,275\u00a0kg; för 1\u00a0kg är 900\u00a0g till 1,1\u00a0kg överenskommet."),
        ("bg", "Теглото е 1,275\u00a0кг; при 1\u00a0кг е договорено от 900\u00a0г до 1,1\u00a0кг."),
    ],
)
def test_weights_are_in_grams_and_from_a_kilogram_on_in_kilograms(language: str, said: str) -> None:
    facts = {"line": "lin_1", "ordered": 1000, "weighed": 1275, "least": 900, "most": 1100}
    assert say(Reason("weight.out_of_tolerance", facts), language).startswith(said)


def test_quantities_of_what_is_weighed_are_weights() -> None:
    facts = {"sku": "APPLES", "wanted": 2500, "available": 20, "unit": "gram"}
    assert say(Reason("stock.short", facts)).startswith(
        "You want 2.5\u00a0kg of APPLES, but the store can offer only 20\u00a0g."
    )


@pytest.mark.parametrize(
    ("left", "language", "said"),
    [
        (1, "en", "1 try is left."),
        (3, "en", "3 tries are left."),
        (0, "en", "no tries are left."),
        (1, "sv", "1 försök återstår."),
        (3, "sv", "3 försök återstår."),
        (0, "sv", "inga försök återstår."),
        (1, "bg", "остава 1 опит."),
        (3, "bg", "остават 3 опита."),
        (0, "bg", "не остават повече опити."),
    ],
)
def test_words_agree_with_their_number(left: int, language: str, said: str) -> None:
    assert said in say(Reason("code.wrong", {"order": "SOF01-7K3F9Q", "tries_left": left}), language)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "The total is now 12,345.00\u00a0EUR, not 1,234.50\u00a0EUR."),
        ("sv", "Totalbeloppet är nu 12\u00a0345,00\u00a0EUR, inte 1\u00a0234,50\u00a0EUR."),
        ("bg", "Общата сума вече е 12\u00a0345,00\u00a0EUR, а не 1234,50\u00a0EUR."),
    ],
)
def test_amounts_are_written_as_the_language_writes_them(language: str, said: str) -> None:
    reason = Reason("quote.changed", {"expected": "1234.50 EUR", "total": "12345.00 EUR"})
    assert say(reason, language).startswith(said)


@pytest.mark.parametrize(
    ("until", "zone", "said"),
    [
        ("2026-11-23T10:15:00+02:00", None, "before 23 November 2026 at 10:15."),
        ("2026-11-23T08:15:00.000000Z", None, "before 23 November 2026 at 08:15 UTC."),
        ("2026-11-23T08:15:00+00:00", SOFIA, "before 23 November 2026 at 10:15."),
        ("2026-11-23T23:30:00+00:00", SOFIA, "before 24 November 2026 at 01:30."),
        ("2026-12-01", SOFIA, "before 1 December 2026."),
        ("2026-13-01", None, "before 2026-13-01."),
        ("2026-11-23T99:15:00Z", None, "before 2026-11-23T99:15:00Z."),
        ("0001-01-01T00:00:00+14:00", SOFIA, "before 0001-01-01T00:00:00+14:00."),
        ("tomorrow", None, "before tomorrow."),
    ],
)
def test_times_are_told_on_the_clock_that_is_asked_for(until: str, zone: ZoneInfo | None, said: str) -> None:
    reason = Reason("payment.declined", {"order": "A", "reason": "card_declined", "until": until})
    assert say(reason, zone=zone).endswith(said)


def test_lists_are_lists() -> None:
    facts = {"store": "SOF01", "sku": ["BEER", "WINE", "KNIFE"], "service": "age_restricted"}
    assert say(Reason("service.missing", facts), "sv") == (
        "Butik SOF01 saknar det som krävs för att sälja BEER, WINE och KNIFE: försäljning med åldersgräns. "
        "Du kan ta bort BEER, WINE och KNIFE."
    )


def test_what_a_store_may_not_sell_is_told_article_by_article() -> None:
    missing = [{"sku": "BEER", "service": "age_restricted"}, {"sku": "SUIT", "service": "fitting"}]
    why = of_refusal("service.missing", {"store": "SOF01", "missing": missing})
    assert say(why, "bg") == (
        "Магазин SOF01 не може да осигури всичко от количката. Магазин SOF01 не предлага това, без което BEER не може "
        "да се продава: продажба с възрастово ограничение. Можете да премахнете BEER. Магазин SOF01 не предлага това, "
        "без което SUIT не може да се продава: проба на дрехи. Можете също да премахнете SUIT. Можете също да изберете "
        "друг магазин."
    )


def test_an_article_whose_number_looks_like_a_date_is_no_date() -> None:
    assert "remove 2026-12-01" in say(Reason("stock.short", SHORT | {"sku": "2026-12-01"}))


def test_other_peoples_words_stay_on_the_line_and_can_not_turn_it_round() -> None:
    facts = {"sku": "A", "units": 2, "reason": "fell\r\ndown\x00 \u202eelttob\u2066 \ud800 ({sku})"}
    assert say(Reason("line.rejected", facts)) == ("The store can't supply 2 of A (fell down elttob ({sku})).")


def test_very_long_words_are_cut() -> None:
    said = say(Reason("line.rejected", {"sku": "A", "units": 2, "reason": "x" * 10_000_000}))
    assert len(said) < 400
    assert "xxx\u2026)" in said


def test_two_full_stops_are_one() -> None:
    reason = Reason("payment.declined", {"order": "A", "reason": "r", "until": "2026-12-01T09:00+02:00"})
    assert say(reason, "bg").endswith("преди 1 декември 2026\u00a0г., 09:00\u00a0ч.")


# --- as CLDR has it ---------------------------------------------------------------------------------------


@LANGUAGE
@given(number=st.one_of(st.integers(-(10**9), 10**9), st.decimals(-99_999, 99_999, places=2)))
def test_numbers_are_written_as_cldr_writes_them(language: str, number: int | Decimal) -> None:
    """But for Bulgarian's `minimumGroupingDigits` of 2, which Babel doesn't heed: 1234, but 12 345."""
    assume(language != "bg" or not 1000 <= Decimal(number).copy_abs() < 10_000)
    pattern = "#,##0" if isinstance(number, int) else "#,##0.00"
    assert LANGUAGES[language].number(number) == format_decimal(number, format=pattern, locale=LOCALES[language])


@LANGUAGE
@given(count=st.integers(0, 10**6))
def test_one_is_the_only_whole_number_with_a_form_of_its_own(language: str, count: int) -> None:
    assert (LOCALES[language].plural_form(count) == "one") == (count == 1)


@LANGUAGE
@given(day=st.dates(date(2000, 1, 1), date(2199, 12, 31)))
def test_days_are_written_as_cldr_writes_them(language: str, day: date) -> None:
    """But for the kind of space before Bulgarian's abbreviation of year, which changed between its releases."""
    written = format_date(day, "long", locale=LOCALES[language])
    assert LANGUAGES[language].date(day).split() == written.split()


@LANGUAGE
@given(at=strategies.instants())
def test_times_are_a_day_and_the_time_on_its_clock(language: str, at: datetime) -> None:
    local, tongue = at.astimezone(SOFIA), LANGUAGES[language]
    said = tongue.instant(at, SOFIA)
    assert said == tongue.instant(local)
    assert said.startswith(tongue.date(local))
    assert format_time(local, "HH:mm", locale=LOCALES[language]) in said


@LANGUAGE
@given(items=st.lists(st.sampled_from(["A", "B", "C"]), max_size=5))
def test_lists_are_linked_as_cldr_links_them(language: str, items: list[str]) -> None:
    tongue, locale = LANGUAGES[language], LOCALES[language]
    assert tongue.listed(items, tongue.both) == format_list(items, locale=locale)
    assert tongue.listed(items, tongue.either) == format_list(items, style="or", locale=locale)


# --- whatever the facts are -------------------------------------------------------------------------------

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=2)),
    max_leaves=4,
)
_FACTS = sorted({fact for told in CODES.values() for fact in told.facts})


@st.composite
def reasons(draw: st.DrawFn, depth: int = 2) -> Reason:
    """Trees of known codes with facts of any kind."""
    code = draw(st.sampled_from(sorted(CODES)))
    known = st.fixed_dictionaries({}, optional=dict.fromkeys(CODES[code].facts, JSON))
    below = draw(st.lists(reasons(depth - 1), max_size=2)) if depth else []
    return Reason(code, draw(known), tuple(below))


@LANGUAGE
@given(reason=reasons())
def test_any_tree_is_said_in_one_clean_line(language: str, reason: Reason) -> None:
    said = say(reason, language)
    assert said == say(reason, language)
    assert line(said, "said", most=10**6) == said or not said.isascii()
    assert said.strip() == said != ""


@LANGUAGE
@pytest.mark.parametrize("zone", [None, SOFIA], ids=str)
@given(values=st.lists(JSON | st.just([5]) | st.integers(10**30, 10**40), min_size=1, max_size=5))
def test_no_fact_keeps_any_code_from_being_said(language: str, zone: ZoneInfo | None, values: list[Any]) -> None:
    """Every code with all of its facts, which are of any kind, and with the options of a question."""
    for code, told in CODES.items():
        names = [*told.facts, "options", "legal"]
        reason = Reason(code, {name: values[place % len(values)] for place, name in enumerate(names)})
        assert say(reason, language, zone=zone)
        assert reason.to_json()["code"] == code


def test_an_option_that_is_none_is_no_remedy() -> None:
    reason = Reason("question.open", {"until": "x", "options": [5, None, {"alternative": "less", "option": "less"}]})
    assert [remedy.code for remedy in reason.remedies] == ["option.less"]
    assert say(reason)


@pytest.mark.parametrize("digits", [30, 5000])
def test_a_number_may_be_very_long(digits: int) -> None:
    said = say(Reason("stock.short", {"sku": "A", "wanted": 10**digits, "available": 1, "unit": "gram"}))
    assert said.startswith("You want ")


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("reason", None), ("reason", "stock.short"), ("language", None), ("language", b"sv"), ("zone", "Europe/Sofia")],
)
def test_what_is_no_reason_no_language_and_no_zone_is_refused(field: str, wrong: Any) -> None:
    arguments: dict[str, Any] = {"reason": Reason("refused"), field: wrong}
    with pytest.raises(InvalidInput) as refused:
        say(**arguments)
    assert refused.value.facts["field"] == field


@pytest.mark.parametrize(("field", "arguments"), [("language", {"language": None}), ("zone", {"zone": "Europe/Sofia"})])
def test_so_is_it_by_the_sentence_of_a_refusal(field: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        CartEmpty(cart="crt_1").sentence(**arguments)
    assert refused.value.facts["field"] == field


def filled(code: str, language: str) -> Mapping[str, Any]:
    """Plain facts for all that a code may have."""
    values: dict[str, Any] = {
        **dict.fromkeys(("until", "earliest", "by", "next_at", "arrives", "starts"), "2026-12-01T09:00+02:00"),
        **dict.fromkeys(("total", "expected", "due", "amount", "left"), "4.98 EUR"),
        **dict.fromkeys(("wanted", "available", "next_units", "units", "lines", "tries_left"), 2),
        **dict.fromkeys(("ordered", "weighed", "least", "most"), 950),
        "skus": ["A", "B"],
        "unit": "piece",
    }
    return {name: values.get(name, f"<{name}>") for name in CODES[code].facts}


@LANGUAGE
@pytest.mark.parametrize("code", CODES)
def test_every_code_is_said_with_its_facts_filled_in(code: str, language: str) -> None:
    facts = filled(code, language)
    said = say(Reason(code, facts), language)
    assert not set(said) & set("{}#|?")
    assert code == "refused" or LANGUAGES[language].sentences["refused"][0] not in said
    assert json.loads(json.dumps(Reason(code, facts).to_json()))["facts"] == facts
