"""The pick-up pass: hard to guess, easy to say, and compared without telling anything."""

from __future__ import annotations

import hmac
import string
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain.passes import SHORTEST_CODE, KeyRing, PickupPass, code, matches, token
from omniorder.domain.proofs import Proof
from omniorder.errors import Misconfigured

SECRET = b"sixteen bytes and more"
ORDER = "SOF01-7K3F9Q"

secrets = st.binary(min_size=16, max_size=40)
orders = st.from_regex(r"[A-Z0-9]{2,8}-[0-9A-HJKMNP-TV-Z]{6}", fullmatch=True)
generations = st.integers(1, 1000)
lengths = st.integers(SHORTEST_CODE, 12)


# --- the code and the token -------------------------------------------------------------------------------


def test_the_shortest_code_has_twenty_bits() -> None:
    assert SHORTEST_CODE * log2(10) >= 20


@given(secret=secrets, order=orders, generation=generations, length=lengths)
def test_a_code_is_so_many_digits(secret: bytes, order: str, generation: int, length: int) -> None:
    """Leading zeros included."""
    said = code(secret, order, generation, length)
    assert len(said) == length
    assert set(said) <= set(string.digits)


def test_codes_use_all_of_their_digits() -> None:
    """A code that were always 0000042 would pass every other test."""
    said = {code(SECRET, ORDER, generation, SHORTEST_CODE) for generation in range(1000)}
    assert len(said) > 990
    for place in range(SHORTEST_CODE):
        assert {one[place] for one in said} == set(string.digits)


@given(secret=secrets, order=orders, generation=generations)
def test_a_token_has_128_bits_that_a_qr_code_holds_compactly(secret: bytes, order: str, generation: int) -> None:
    scanned = token(secret, order, generation)
    assert len(scanned) * 5 >= 128
    assert set(scanned) <= set(string.ascii_uppercase + string.digits)


Made = tuple[bytes, str, int]


def others(secret: bytes, order: str, generation: int) -> list[Made]:
    return [(secret + b"!", order, generation), (secret, order + "2", generation), (secret, order, generation + 1)]


@given(secret=secrets, order=orders, generation=generations)
def test_another_secret_order_or_generation_has_another_token(secret: bytes, order: str, generation: int) -> None:
    made = token(secret, order, generation)
    assert all(token(*other) != made for other in others(secret, order, generation))


def test_another_secret_order_or_generation_has_another_code() -> None:
    codes = {code(*made, SHORTEST_CODE) for made in [(SECRET, ORDER, 1), *others(SECRET, ORDER, 1)]}
    assert len(codes) == 4


@given(secret=secrets, order=orders, generation=generations, length=lengths)
def test_the_same_pass_can_be_shown_again(secret: bytes, order: str, generation: int, length: int) -> None:
    """Computed, not stored: every host and every day gives the same."""
    assert code(secret, order, generation, length) == code(bytes(bytearray(secret)), order, generation, length)
    assert token(secret, order, generation) == token(secret, order, generation)


def test_the_code_tells_nothing_of_the_token() -> None:
    """Both are made of the same three things, for two purposes."""
    digits = "".join(c for c in token(SECRET, ORDER, 1) if c.isdigit())
    assert code(SECRET, ORDER, 1, 7) not in digits


# --- what is shown at the counter -------------------------------------------------------------------------


def right(shown: str, generation: int = 1) -> Proof | None:
    return matches(shown, SECRET, ORDER, generation, SHORTEST_CODE)


CODE, TOKEN = code(SECRET, ORDER, 1, SHORTEST_CODE), token(SECRET, ORDER, 1)


@pytest.mark.parametrize(
    "shown",
    [
        CODE,
        f" {CODE}\n".replace("\n", " "),
        f"{CODE[:3]} {CODE[3:]}",
        f"{CODE[:3]}-{CODE[3:]}",
        f"{CODE[:3]}.{CODE[3:]}",
        " ".join(CODE),
        TOKEN,
        TOKEN.lower(),
        f" {TOKEN} ",
        PickupPass(ORDER, CODE, TOKEN, None).qr,
    ],
)
def test_a_pass_is_taken_as_people_and_scanners_give_it(shown: str) -> None:
    assert right(shown)


@pytest.mark.parametrize(
    "shown",
    [
        "",
        CODE[:-1],
        CODE + "0",
        str((int(CODE) + 1) % 10**7).zfill(7),
        TOKEN[:-1],
        TOKEN[1:],
        code(SECRET, ORDER, 2, SHORTEST_CODE),
        token(SECRET, ORDER, 2),
        ORDER,
        CODE.translate({ord("0") + n: 0x0660 + n for n in range(10)}),
        f"{CODE}\x00",
    ],
)
def test_anything_else_is_wrong(shown: str) -> None:
    """Also the right digits in another script: a till that sends those is a till to look at."""
    assert not right(shown)


def test_a_pass_of_an_older_generation_is_dead() -> None:
    assert not right(CODE, generation=2)
    assert not right(TOKEN, generation=2)


@given(shown=st.text(st.characters(), max_size=40))
def test_nothing_that_can_be_typed_fails_otherwise(shown: str) -> None:
    """Half a surrogate pair, say, as JSON may carry it."""
    assert not right("\ud800" + shown)
    assert right(shown) in (None, Proof.CODE, Proof.TOKEN)


@pytest.mark.parametrize("shown", [CODE, TOKEN, "0000000", "x"])
def test_code_and_token_are_both_compared_in_constant_time_whatever_is_shown(
    shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[bytes] = []
    honest = hmac.compare_digest

    def watched(left: bytes, right: bytes) -> bool:
        compared.append(right)
        return honest(left, right)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    right(shown)
    assert compared == [CODE.encode(), TOKEN.encode()]


# --- keys -------------------------------------------------------------------------------------------------


def test_the_last_key_signs_and_the_others_still_verify() -> None:
    ring = KeyRing.of({"2025": "an old secret of theirs", "2026": "a new secret of theirs"})
    assert ring.current == "2026"
    assert ring.secret("2025") == b"an old secret of theirs"


def test_one_secret_is_a_ring_of_one() -> None:
    ring = KeyRing.of(SECRET)
    assert ring.secret(ring.current) == SECRET


@pytest.mark.parametrize("short", ["", "fifteen bytes..", {"1": SECRET, "2": b"short"}, {}])
def test_a_short_secret_is_refused(short: str | dict[str, str | bytes]) -> None:
    with pytest.raises(Misconfigured):
        KeyRing.of(short)


def test_a_key_that_was_taken_off_the_ring_is_told() -> None:
    with pytest.raises(Misconfigured, match="2019"):
        KeyRing.of(SECRET).secret("2019")


def test_nothing_secret_is_shown_in_a_log() -> None:
    shown = repr(KeyRing.of(SECRET)) + repr(PickupPass(ORDER, CODE, TOKEN, None))
    assert not any(secret in shown for secret in (SECRET.decode(), CODE, TOKEN))
