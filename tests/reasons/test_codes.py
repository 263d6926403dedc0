"""The vocabulary is complete: whatever is refused has a code, every code is said in every language, and alike."""

from __future__ import annotations

import ast
import inspect
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from omniorder import errors
from omniorder.domain.lifecycle import MACHINES, forbidden
from omniorder.domain.questions import Alternative
from omniorder.errors import InvalidInput, OmniorderError, Refused
from omniorder.reasons import refusals
from omniorder.reasons.codes import CODES, REMEDIES, Told, is_something, step
from omniorder.reasons.saying import LANGUAGES
from omniorder.reasons.tongues import PLACE, Tongue

TONGUES = pytest.mark.parametrize("tongue", LANGUAGES.values(), ids=LANGUAGES)
EACH = [
    *((f"{language}, {code}", tongue.sentences, code, CODES[code]) for language, tongue in LANGUAGES.items()
      for code in CODES),
    *((f"{language}, {code}", tongue.phrases, code, REMEDIES[code]) for language, tongue in LANGUAGES.items()
      for code in REMEDIES),
]  # fmt: skip


def wordings(tongue: Tongue) -> Iterator[str]:
    """All that can be said in a language."""
    for table in (tongue.sentences, tongue.phrases):
        for several in table.values():
            yield from several
    yield from tongue.words.values()
    yield from (tongue.can, tongue.also, tongue.both, tongue.either, *tongue.months, *tongue.piece)


def facts(wording: str) -> list[str]:
    """The facts that a wording shows, as a set with an order."""
    return sorted({place["fact"] for place in PLACE.finditer(wording)})


# --- what is refused has a code ---------------------------------------------------------------------------


def subclasses(kind: type[OmniorderError]) -> list[type[OmniorderError]]:
    named = [getattr(errors, name) for name in errors.__all__]
    return [one for one in named if isinstance(one, type) and issubclass(one, kind)]


@pytest.mark.parametrize("kind", [*subclasses(Refused), *subclasses(InvalidInput)])
def test_every_refusal_and_every_invalid_value_has_a_code_here(kind: type[OmniorderError]) -> None:
    assert kind.code in CODES


@pytest.mark.parametrize("machine", MACHINES)
def test_every_state_of_every_machine_has_a_code(machine: str) -> None:
    assert {f"{machine}.is_{state.value}" for state in MACHINES[machine]} <= CODES.keys()


def test_everything_that_a_guard_says_has_a_code() -> None:
    """`forbidden` answers in words, which its callers put into the fact `why`."""
    tree = ast.parse(inspect.getsource(forbidden))
    returned = [node.value.value for node in ast.walk(tree)
                if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant)]  # fmt: skip
    said = {text for text in returned if isinstance(text, str)}
    assert len(said) >= 6
    assert said == set(refusals._GUARDS)
    assert set(refusals._GUARDS.values()) <= CODES.keys()


def test_every_step_that_is_a_remedy_is_an_event_of_some_machine() -> None:
    events = {step(event.__name__) for table in MACHINES.values() for row in table.values() for event in row}
    steps = {code for code in REMEDIES if code.startswith(step(""))}
    assert len(steps) > 5
    assert steps <= events


def test_every_alternative_of_a_question_is_a_remedy_and_so_is_what_silence_means() -> None:
    assert {f"option.{one.value}" for one in Alternative} == {code for code in REMEDIES if code.startswith("option.")}
    assert {"silence.less", "silence.nothing"} == {code for code in CODES if code.startswith("silence.")}


def test_every_remedy_belongs_to_a_reason_whose_facts_it_needs() -> None:
    for code, told in CODES.items():
        for remedy in told.remedies:
            assert set(REMEDIES[remedy].needs) <= set(told.facts), (code, remedy)
    offered = {remedy for told in CODES.values() for remedy in told.remedies}
    assert offered == {code for code in REMEDIES if not code.startswith((step(""), "option."))}


def named_in_the_source() -> set[str]:
    """All words that the library's modules have as text, but for those that only describe codes."""
    root = Path(inspect.getfile(errors)).parent
    describing = {root / "reasons" / "codes.py", *(root / "reasons" / "sentences").glob("*.py")}
    return {
        node.value
        for file in root.rglob("*.py")
        if file not in describing
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_no_code_is_told_by_nobody() -> None:
    """Each is named where it is told, or its end is, as a `reason`. The reasons of a decline are the provider's, and
    states and guards are those of the machines."""
    named = named_in_the_source()
    told_by_machines = {f"{machine}.is_{state.value}" for machine, states in MACHINES.items() for state in states}
    by_reason = (
        *("slot.", "handoff.", "pass.", "silence.", "gift_card.", "refund."),
        *("extension.", "return.", "pick.", "substitute."),
    )
    ends = {code for code in CODES if code.startswith(by_reason) and code.split(".")[1] in named}
    of_providers = {code for code in CODES if code.startswith("payment.") and code not in named}
    assert (
        of_providers
        <= {
            *("payment.insufficient_funds", "payment.authentication_failed", "payment.authorisation_expired"),
            "payment.expired_card",
        }
        | told_by_machines
    )
    assert CODES.keys() - named - told_by_machines - ends - of_providers == set()


def test_no_code_names_a_fact_twice() -> None:
    for told in (*CODES.values(), *REMEDIES.values()):
        assert len(set(told.facts)) == len(told.facts)


@pytest.mark.parametrize("value", [None, "", 0, -1, 0.0, False, [], {}])
def test_a_fact_may_say_nothing(value: object) -> None:
    assert not is_something(value)


@pytest.mark.parametrize("value", ["0", 1, 0.5, True, [0], {"a": 1}])
def test_or_something(value: object) -> None:
    assert is_something(value)


# --- every code is said, in every language ----------------------------------------------------------------


@TONGUES
def test_each_language_has_exactly_these_codes(tongue: Tongue) -> None:
    assert tongue.sentences.keys() == CODES.keys()
    assert tongue.phrases.keys() == REMEDIES.keys()


@TONGUES
def test_each_language_has_words_for_the_same_values(tongue: Tongue) -> None:
    assert tongue.words.keys() == LANGUAGES["en"].words.keys()


@pytest.mark.parametrize(("table", "code", "told"), [one[1:] for one in EACH], ids=[one[0] for one in EACH])
def test_it_can_always_be_said_and_never_from_facts_that_are_not_declared(
    table: dict[str, tuple[str, ...]], code: str, told: Told
) -> None:
    """The last wording needs no fact but those that are always there."""
    *_, last = table[code]
    assert set(facts(last)) <= set(told.needs)
    assert {fact for wording in table[code] for fact in facts(wording)} <= set(told.facts)


@TONGUES
def test_a_wording_that_comes_later_tells_less(tongue: Tongue) -> None:
    """Or it would never be reached."""
    for table in (tongue.sentences, tongue.phrases):
        for code, several in table.items():
            for later, wording in enumerate(several):
                for earlier in several[:later]:
                    assert not set(facts(earlier)) <= set(facts(wording)), (code, wording)


@TONGUES
def test_each_language_shows_the_same_facts_in_the_same_way(tongue: Tongue) -> None:
    """So that a translation can't lose a number, nor turn a weight into a bare one."""

    def shape(wording: str) -> list[tuple[str, str | None, bool]]:
        return sorted({(p["fact"], p["kind"], p["other"] is not None) for p in PLACE.finditer(wording)}, key=repr)

    for ours, theirs in ((tongue.sentences, LANGUAGES["en"].sentences), (tongue.phrases, LANGUAGES["en"].phrases)):
        for code, several in ours.items():
            assert [shape(one) for one in several] == [shape(one) for one in theirs[code]], code


@TONGUES
def test_every_brace_belongs_to_a_place(tongue: Tongue) -> None:
    for wording in wordings(tongue):
        assert not re.search(r"[{}]", PLACE.sub("", wording).replace("{}", "", 1)), wording
    assert (tongue.can.count("{}"), tongue.also.count("{}")) == (1, 1)


@TONGUES
def test_sentences_are_sentences_and_phrases_go_inside_of_one(tongue: Tongue) -> None:
    for several in tongue.sentences.values():
        for sentence in several:
            assert re.match(r"[\w{]", sentence), sentence
            assert not sentence[0].islower(), sentence
            assert sentence.endswith("."), sentence
            assert "  " not in sentence, sentence
    for several in tongue.phrases.values():
        for phrase in several:
            assert phrase[0].islower(), phrase
            assert phrase == phrase.strip(" ."), phrase


@TONGUES
def test_both_forms_of_a_number_show_it_and_differ_where_the_words_do(tongue: Tongue) -> None:
    for wording in wordings(tongue):
        for place in PLACE.finditer(wording):
            if place["other"] is not None:
                assert place["one"].count("#") == place["other"].count("#") == 1, wording


@pytest.mark.parametrize(("language", "script"), [("en", "LATIN"), ("sv", "LATIN"), ("bg", "CYRILLIC")])
def test_no_letter_is_of_another_script(language: str, script: str) -> None:
    """A Latin letter in a Bulgarian word looks right and is found by no search."""
    for wording in wordings(LANGUAGES[language]):
        for letter in PLACE.sub("", wording) if script == "LATIN" else re.sub(r"\{\w+(:\w+)?", "", wording):
            if letter.isalpha():
                assert unicodedata.name(letter).startswith(script), (wording, letter)


def test_bulgarian_phrases_follow_the_verb_that_they_continue() -> None:
    """`Можете` takes `да` and the second person plural."""
    for several in LANGUAGES["bg"].phrases.values():
        for phrase in several:
            assert re.match(r"(първо )?да (се )?\w+те\b", phrase), phrase
