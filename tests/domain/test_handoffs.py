"""Handoffs: a token and a code that open one cart once, read as people bring them, and what they let somebody do."""

from __future__ import annotations

import contextlib
import string
from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from omniorder.domain import events as e
from omniorder.domain import handoffs, ids, passes
from omniorder.domain.channels import Channel
from omniorder.domain.handoffs import LONGEST, LONGEST_BASE, Handoff, Scope, Shown, read, ticket
from omniorder.domain.lifecycle import HandoffState
from omniorder.errors import HandoffInvalid, IllegalTransition, InvalidId, InvalidInput
from omniorder.testing import samples
from omniorder.testing.samples import HOUR, MINUTE, NOW
from omniorder.testing.strategies import instants

SECRET = b"sixteen bytes and more"
EVA = "agent:eva"
BASE = "https://shop.example/join"


def offered(
    *scopes: Scope, draw: bytes = b"\x01\x02\x03\x04", cart: bytes = bytes(16), promise: str | None = None
) -> Handoff:
    """A handoff of some cart: its token holds for ten minutes."""
    made, _ = handoffs.offer(
        ids.cart_id(cart), scopes or (Scope.EDIT,), draw=draw, by=samples.ANNA, on=Channel.APP, at=NOW,
        until=NOW + 10 * MINUTE, key_id="1", promise_id=promise,
    )  # fmt: skip
    return made


def accepted(handoff: Handoff, actor: str = EVA) -> Handoff:
    """The same when somebody took it at once: what it gave them holds for an hour."""
    event = e.HandoffAccepted(handoff.id, actor, NOW + HOUR)
    return handoffs.apply(handoff, event, on=Channel.PHONE, at=NOW)


@st.composite
def made(draw: st.DrawFn) -> Handoff:
    one = offered(draw=draw(st.binary(min_size=4, max_size=4)), cart=draw(st.binary(min_size=16, max_size=16)))
    return evolve(one, offered_at=draw(instants()))


secrets = st.binary(min_size=16, max_size=40)
cases = st.sampled_from([str, str.lower, str.upper, str.swapcase])
pauses = st.text(" -.", max_size=3)


def brought(handoff: Handoff, secret: bytes, text: str) -> bool:
    """Whether this text opens the handoff."""
    try:
        shown = read(text)
    except HandoffInvalid:
        return False
    return shown.handoff == handoff.id and shown.proves(handoff, secret)


# --- what is read -----------------------------------------------------------------------------------------


@given(handoff=made(), secret=secrets, case=cases)
def test_a_token_is_read_in_any_case(handoff: Handoff, secret: bytes, case: type[str]) -> None:
    shown = read(case(ticket(handoff, secret).token))
    assert (shown.handoff, shown.spoken, shown.proves(handoff, secret)) == (handoff.id, False, True)


@given(handoff=made(), secret=secrets)
@pytest.mark.parametrize("base", [BASE, f"{BASE}?cart=1&utm_source=mail", "myshop://join", "https://магазин.example/в"])
def test_a_link_is_read_by_its_end(base: str, handoff: Handoff, secret: bytes) -> None:
    made = ticket(handoff, secret)
    assert read(made.link(base)) == read(made.token)


@given(handoff=made(), secret=secrets, case=cases, gaps=st.lists(pauses, min_size=13, max_size=13), data=st.data())
def test_a_code_is_read_as_people_say_and_type_it(
    handoff: Handoff, secret: bytes, case: type[str], gaps: list[str], data: st.DataObject
) -> None:
    """In any case, with pauses anywhere, and with the letters that look like its digits."""
    said = ticket(handoff, secret).code.replace(" ", "")
    heard = "".join(data.draw(st.sampled_from({"0": "0Oo", "1": "1IiLl"}.get(one, one))) for one in said)
    typed = gaps[0] + "".join(case(one) + gap for one, gap in zip(heard, gaps[1:], strict=True))
    shown = read(typed)
    assert (shown.handoff, shown.spoken, shown.proves(handoff, secret)) == (handoff.id, True, True)


@given(text=st.text())
@example("hnd_7K3F9Q_")
@example("\ud800")
@example("#")
def test_whatever_else_is_brought_is_no_handoff(text: str) -> None:
    """And no error of another kind, nor one that shows it."""
    with pytest.raises(HandoffInvalid) as raised:
        read(text)
    assert not raised.value.facts
    assert str(raised.value) == HandoffInvalid.says


@given(
    text=st.from_regex(r"\A\s{0,2}(hnd_|HND_)?[0-9A-Za-z _.-]{0,16}_?[A-Za-z2-7]{20,30}\Z|\A[0-9A-Za-z .#-]{8,20}\Z")
)
def test_what_is_read_is_of_one_of_the_two_forms(text: str) -> None:
    """Searched among texts that are almost one."""
    with contextlib.suppress(HandoffInvalid):
        shown = read(text)
        assert ids.check("handoff", shown.handoff) == shown.handoff
        alphabet, length = (string.digits, 6) if shown.spoken else (string.ascii_uppercase + "234567", 26)
        assert len(shown.secret) == length
        assert set(shown.secret) <= set(alphabet)


@given(handoff=made(), secret=secrets, place=st.integers(0, 36), wrong=st.characters())
def test_a_token_with_another_character_anywhere_opens_nothing(
    handoff: Handoff, secret: bytes, place: int, wrong: str
) -> None:
    right = ticket(handoff, secret).token
    text = right[:place] + wrong + right[place + 1 :]
    assert brought(handoff, secret, text) == (text.isascii() and text.upper() == right.upper())


@given(handoff=made(), secret=secrets, place=st.integers(0, 14), wrong=st.characters())
def test_a_code_with_another_character_anywhere_opens_nothing(
    handoff: Handoff, secret: bytes, place: int, wrong: str
) -> None:
    right = ticket(handoff, secret).code
    text = right[:place] + wrong + right[place + 1 :]
    same = text[place].upper().translate(str.maketrans("OIL-.", "011  ")) == right[place]
    assert brought(handoff, secret, text) == (text.isascii() and same)


@given(handoff=made(), secret=secrets, length=st.integers(0, 36))
def test_a_token_that_was_cut_short_opens_nothing(handoff: Handoff, secret: bytes, length: int) -> None:
    assert not brought(handoff, secret, ticket(handoff, secret).token[:length])


HOMOGLYPHS = {"А": "A", "О": "O", "Ｏ": "O", "ı": "I", "ſ": "S", "０": "0", "١": "1", "\u200b": ""}


@pytest.mark.parametrize("alike", HOMOGLYPHS)
def test_what_only_looks_like_a_token_opens_nothing(alike: str) -> None:
    """Also where capitals, or a compatibility form, would make the right letter of it."""
    plain = HOMOGLYPHS[alike]
    for number in range(200):
        handoff = offered(draw=number.to_bytes(4))
        right = ticket(handoff, SECRET)
        for text in (right.token, right.code):
            forged = text.upper().replace(plain, alike, 1) if plain else f"{text[:5]}{alike}{text[5:]}"
            assert forged == text.upper() or not brought(handoff, SECRET, forged)


@pytest.mark.parametrize("text", ["A" * 1_000_000, "#" * 1_000_000, " " * (LONGEST + 1), f"{'x' * LONGEST}#hnd_"])
def test_a_megabyte_is_no_handoff(text: str) -> None:
    with pytest.raises(HandoffInvalid):
        read(text)


def test_what_is_longer_than_any_link_is_not_even_searched() -> None:
    right = ticket(offered(), SECRET)
    assert brought(offered(), SECRET, f"#{right.token}".rjust(LONGEST, "x"))
    for text in (
        f"#{right.token}".rjust(LONGEST + 1, "x"),
        right.token.ljust(LONGEST + 1),
        right.code.rjust(LONGEST + 1),
    ):
        assert not brought(offered(), SECRET, text)


@pytest.mark.parametrize(
    "given", [None, 5, b"7K3F9Q 123456", ["7K3F9Q123456"], object()], ids=lambda one: type(one).__name__
)
def test_what_is_no_text_is_no_handoff(given: object) -> None:
    with pytest.raises(HandoffInvalid):
        read(given)


def test_a_code_is_no_end_of_a_link() -> None:
    """A link with a code in it would put six digits where a hundred bits belong."""
    right = ticket(offered(), SECRET)
    assert brought(offered(), SECRET, right.code)
    assert not brought(offered(), SECRET, f"{BASE}#{right.code.replace(' ', '')}")


# --- token and code ---------------------------------------------------------------------------------------


@given(one=made(), other=made(), secret=secrets)
def test_no_two_handoffs_have_one_token(one: Handoff, other: Handoff, secret: bytes) -> None:
    assert one == other or ticket(one, secret).token != ticket(other, secret).token


@given(handoff=made(), secret=secrets, cart=st.binary(min_size=16, max_size=16), later=st.integers(1, 10**9))
def test_a_number_that_is_drawn_again_has_another_token(
    handoff: Handoff, secret: bytes, cart: bytes, later: int
) -> None:
    """Numbers are short, and handoffs are forgotten: what opened the first must not open the second."""
    old = ticket(evolve(handoff, offered_at=NOW), secret)
    again = evolve(handoff, cart_id=ids.cart_id(cart), offered_at=NOW + timedelta(microseconds=later))
    assert not brought(again, secret, old.token)


@given(handoff=made(), secret=secrets)
def test_another_key_makes_another_token(handoff: Handoff, secret: bytes) -> None:
    assert not brought(handoff, secret + b"!", ticket(handoff, secret).token)


def test_codes_differ_as_much_as_six_digits_can() -> None:
    """A code that were always 000042 would pass every other test."""
    said = {ticket(offered(draw=number.to_bytes(4)), SECRET).code[-7:] for number in range(1000)}
    assert len(said) > 990


@given(handoff=made(), secret=secrets, generation=st.integers(0, 9))
def test_a_handoff_is_never_the_pass_of_an_order(handoff: Handoff, secret: bytes, generation: int) -> None:
    """What the HMACs of passes are about can't be written as what those of handoffs are about."""
    number = handoff.id.removeprefix("hnd_")
    for order in (f"SOF01-{number}", number, handoff.id):
        assert passes.token(secret, order, generation) not in ticket(handoff, secret).token
    with pytest.raises(InvalidId):
        ids.store_of(handoff.id)


@given(handoff=made(), secret=secrets)
def test_a_code_is_written_in_threes_and_never_looks_like_an_id(handoff: Handoff, secret: bytes) -> None:
    """Ids may be logged and read out; on the phone an order's number would be mistaken for it."""
    code = ticket(handoff, secret).code
    assert [len(part) for part in code.split(" ")] == [3, 3, 3, 3]
    with pytest.raises(InvalidId):
        ids.store_of(code)


def test_a_ticket_shows_neither_token_nor_code_by_accident() -> None:
    right = ticket(offered(), SECRET)
    shown = repr(right) + repr(read(right.token)) + repr(read(right.code))
    assert right.token[-26:] not in shown
    assert right.code not in shown
    assert right.code.replace(" ", "")[-6:] not in shown


def test_a_qr_code_holds_the_token() -> None:
    assert ticket(offered(), SECRET).qr == ticket(offered(), SECRET).token


# --- links ------------------------------------------------------------------------------------------------


def test_a_link_has_the_token_where_no_server_logs_it() -> None:
    right = ticket(offered(), SECRET)
    assert right.link(BASE) == f"{BASE}#{right.token}"


def test_the_longest_link_can_be_read() -> None:
    right = ticket(offered(), SECRET)
    base = "https://shop.example/".ljust(LONGEST_BASE, "x")
    assert brought(offered(), SECRET, right.link(base))


@pytest.mark.parametrize(
    "base",
    ["", "/join", "shop.example", "http://shop.example/", "HTTP://shop.example", f"{BASE}#part", "https://",
     "https://a b", "https://shop.example/\n", "javascript:alert(1)", "javascript://%0aalert(1)",
     f"https://{'x' * LONGEST_BASE}"],
)  # fmt: skip
def test_a_link_begins_with_an_https_or_app_url(base: str) -> None:
    with pytest.raises(InvalidInput):
        ticket(offered(), SECRET).link(base)


# --- what it lets somebody do -----------------------------------------------------------------------------


def test_a_grant_is_for_whoever_took_it_until_it_ends() -> None:
    handoff = accepted(offered())
    assert handoff.granted(EVA, NOW)
    assert handoff.granted(EVA, NOW + HOUR - timedelta(microseconds=1))
    assert not handoff.granted(EVA, NOW + HOUR)
    assert not handoff.granted("agent:ivo", NOW)


def test_what_is_only_offered_or_was_withdrawn_grants_nothing() -> None:
    taken = accepted(offered())
    withdrawn = handoffs.apply(taken, e.HandoffWithdrawn(taken.id), on=Channel.APP, at=NOW)
    assert not offered().granted(EVA, NOW)
    assert not withdrawn.granted(EVA, NOW)


def test_who_took_it_where_and_when_stands_in_it() -> None:
    taken = accepted(offered())
    told = (taken.accepted_by, taken.accepted_on, taken.accepted_at, taken.granted_until)
    assert told == (EVA, Channel.PHONE, NOW, NOW + HOUR)


def test_it_is_open_until_the_token_or_what_it_gave_ends() -> None:
    unused, taken = offered(), accepted(offered())
    assert (unused.open(NOW + 9 * MINUTE), unused.open(NOW + 10 * MINUTE)) == (True, False)
    assert (taken.open(NOW + 59 * MINUTE), taken.open(NOW + 60 * MINUTE)) == (True, False)
    withdrawn = handoffs.apply(unused, e.HandoffWithdrawn(unused.id), on=Channel.APP, at=NOW)
    assert not withdrawn.open(NOW)


def test_it_is_taken_once() -> None:
    with pytest.raises(IllegalTransition):
        accepted(accepted(offered()), "agent:ivo")


ALLOWS = [
    # scopes               VIEW   EDIT   PAY
    ([Scope.VIEW], [True, False, False]),
    ([Scope.EDIT], [True, True, False]),
    ([Scope.PAY], [True, False, True]),
    ([Scope.EDIT, Scope.PAY], [True, True, True]),
    ([Scope.OWN], [True, False, False]),  # the cart is theirs: nothing needs to be allowed
]


@pytest.mark.parametrize(("scopes", "allowed"), ALLOWS)
def test_each_scope_is_for_looking_and_for_what_it_is_called(scopes: list[Scope], allowed: list[bool]) -> None:
    handoff = offered(*scopes)
    assert [handoff.allows(scope) for scope in (Scope.VIEW, Scope.EDIT, Scope.PAY)] == allowed


def test_pay_alone_is_for_the_promise_that_was_live_and_no_other() -> None:
    handoff = offered(Scope.PAY, promise="prm_1")
    assert handoff.pays("prm_1")
    assert not handoff.pays("prm_2")


def test_edit_and_pay_are_for_whatever_promise_comes_of_the_editing() -> None:
    handoff = offered(Scope.EDIT, Scope.PAY)
    assert handoff.pays("prm_1")
    assert handoff.pays("prm_2")


@pytest.mark.parametrize("scope", [Scope.VIEW, Scope.EDIT, Scope.OWN])
def test_without_pay_no_promise_is_paid(scope: Scope) -> None:
    assert not offered(scope, promise="prm_1").pays("prm_1")


def test_editing_shows_the_order_that_stands_and_those_placed_since() -> None:
    handoff = offered(Scope.EDIT)
    before = evolve(samples.order(), placed_at=NOW - MINUTE)
    since = evolve(before, placed_at=NOW)
    assert handoff.shows(before, standing=True)
    assert handoff.shows(since, standing=False)
    assert not handoff.shows(before, standing=False)


def test_paying_shows_the_order_of_that_promise_alone() -> None:
    order = samples.order()
    assert offered(Scope.PAY, promise=order.promise_id).shows(order, standing=False)
    assert not offered(Scope.PAY, promise="prm_other").shows(order, standing=True)


def test_looking_shows_no_order() -> None:
    assert not offered(Scope.VIEW).shows(samples.order(), standing=True)


def test_an_offer_tells_what_it_is_for_and_nothing_that_opens_it() -> None:
    made, event = handoffs.offer(
        ids.cart_id(bytes(16)), (Scope.PAY,), draw=bytes(4), by=samples.ANNA, on=Channel.APP, at=NOW, until=NOW + HOUR,
        key_id="1", promise_id="prm_1",
    )  # fmt: skip
    assert event == e.HandoffOffered("hnd_000000", ("pay",), NOW + HOUR, "prm_1")
    assert (made.id, made.state) == (event.handoff, HandoffState.OFFERED)


def test_what_is_compared_takes_the_same_way_for_both_forms() -> None:
    """A code is never compared with a token, however it was brought."""
    handoff, right = offered(), ticket(offered(), SECRET)
    digits = right.code.replace(" ", "")[-6:]
    assert Shown(handoff.id, digits, spoken=True).proves(handoff, SECRET)
    assert not Shown(handoff.id, digits, spoken=False).proves(handoff, SECRET)
    assert not Shown(handoff.id, right.token[-26:], spoken=True).proves(handoff, SECRET)
