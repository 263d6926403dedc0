"""The signed pass: what it says, and that nothing else says so."""

from __future__ import annotations

import json
import string
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from omniorder import offline
from omniorder.domain.proofs import CheckKind
from omniorder.domain.signed_passes import LONGEST, SKEW, Holder, PassFlaw, SignedPass, joined
from omniorder.errors import InvalidInput, InvalidInstant, Misconfigured, MissingExtra, PassRefused
from omniorder.signing import SigningKeys, new_key

OLD, NEW = new_key(), new_key()
KEYS = SigningKeys({"2025": OLD, "2026": NEW})
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
SAID = SignedPass(
    id="pup_SOF01_7K3F9Q_1_1",
    order="SOF01-7K3F9Q",
    store="SOF01",
    holder=Holder.OWNER,
    issued_at=NOW,
    starts=NOW,
    until=NOW + timedelta(days=3),
    key_id="2026",
)
SIGNED = KEYS.sign(SAID)
BASE64 = string.ascii_letters + string.digits + "-_"


def verified(
    signed: str, *, keys: SigningKeys = KEYS, store: str = "SOF01", now: datetime = NOW, seen: tuple[str, ...] = ()
) -> SignedPass:
    return offline.verify(signed, keys=keys.public(), store=store, now=now, seen=seen)


def flaw(signed: str, **where: Any) -> PassFlaw:
    """Why it is refused."""
    with pytest.raises(PassRefused) as refused:
        verified(signed, **where)
    return PassFlaw(refused.value.facts["reason"])


seconds = st.integers(0, 10**9).map(lambda count: NOW + timedelta(seconds=count))
said = st.builds(
    SignedPass,
    st.from_regex(r"pup_[A-Z0-9]{2,8}_[0-9A-HJKMNP-TV-Z]{6}_[1-9]_[1-9]", fullmatch=True),
    st.from_regex(r"[A-Z0-9]{2,8}-[0-9A-HJKMNP-TV-Z]{6}", fullmatch=True),
    st.from_regex(r"[A-Z0-9]{2,8}", fullmatch=True),
    st.sampled_from(Holder),
    seconds,
    seconds,
    seconds,
    st.sampled_from(["2025", "2026"]),
    st.lists(st.sampled_from(CheckKind), unique=True).map(tuple),
)


# --- what it says -----------------------------------------------------------------------------------------


@given(said)
def test_what_was_signed_is_read_again(one: SignedPass) -> None:
    assert offline.read(KEYS.sign(one), keys=KEYS.public(), now=NOW) == one


def test_any_library_for_json_web_signatures_could_read_it() -> None:
    header, payload, signature = SIGNED.split(".")
    assert json.loads(urlsafe_b64decode(header + "==")) == {"alg": "EdDSA", "kid": "2026", "typ": "omni-pass"}
    assert json.loads(urlsafe_b64decode(payload + "==")) == SAID.claims
    assert len(urlsafe_b64decode(signature + "==")) == 64


def test_a_qr_code_of_version_13_holds_it() -> None:
    """The longest names: 425 bytes at the lowest level of error correction (ISO/IEC 18004, table 7)."""
    order, name = "ABCDEFGH-7K3F9Q7K3F9Q", "pup_ABCDEFGH_7K3F9Q7K3F9Q_12_12"
    long = evolve(SAID, id=name, order=order, store="ABCDEFGH", key_id="2026-11", checks=tuple(CheckKind))
    signed = SigningKeys({"2026-11": NEW}).sign(long)
    assert len(f"OMNI:{order}:{signed}") <= 425
    assert len(signed) < LONGEST


def test_it_is_read_with_what_a_scanner_puts_around_it() -> None:
    assert verified(f"  OMNI:SOF01-7K3F9Q:{SIGNED}\n") == verified(SIGNED) == SAID


# --- what is no pass --------------------------------------------------------------------------------------


@given(st.integers(0, len(SIGNED) - 1), st.sampled_from([*BASE64, ".", "!", "=", " ", "é", "\x00"]))
def test_a_pass_with_any_character_altered_is_refused(place: int, other: str) -> None:
    altered = SIGNED[:place] + other + SIGNED[place + 1 :]
    if altered != SIGNED:
        assert flaw(altered) in (PassFlaw.MALFORMED, PassFlaw.FORGED, PassFlaw.UNKNOWN_KEY)


def test_every_bit_of_the_last_character_counts() -> None:
    """Four of its six bits belong to no byte: without a look at them there would be 16 spellings of each pass."""
    spelt = {last for last in BASE64 if _is_taken(SIGNED[:-1] + last)}
    assert spelt == {SIGNED[-1]}


def _is_taken(signed: str) -> bool:
    try:
        verified(signed)
    except PassRefused:
        return False
    return True


@given(st.integers(0, len(SIGNED) - 1))
def test_a_part_of_a_pass_is_none(length: int) -> None:
    assert flaw(SIGNED[:length]) in (PassFlaw.MALFORMED, PassFlaw.FORGED)


@given(st.text(max_size=200))
def test_whatever_is_scanned_is_refused_and_never_fails_otherwise(scanned: str) -> None:
    assert flaw(scanned) is PassFlaw.MALFORMED


def written(header: object, payload: object = SAID.claims) -> str:
    """A pass with this header and payload, signed with the right key: so that only its form is wrong."""
    parts = ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, payload))
    signature = SigningKeys({"2026": NEW}).sign(SAID).rpartition(".")[2]
    return f"{parts}.{signature}"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "kid": "2026", "typ": "omni-pass"},
        {"alg": "HS256", "kid": "2026", "typ": "omni-pass"},
        {"alg": "EdDSA", "kid": "2026", "typ": "JWT"},
        {"alg": "EdDSA", "typ": "omni-pass"},
        {"alg": "EdDSA", "kid": 2026, "typ": "omni-pass"},
        [],
        "EdDSA",
    ],
)
def test_a_header_that_asks_for_anything_else_is_malformed(header: object) -> None:
    """Above all for no signature, or for one made with the public key as a shared secret."""
    assert flaw(written(header)) is PassFlaw.MALFORMED


def test_deep_nesting_is_malformed() -> None:
    deep = urlsafe_b64encode(b"[" * 400).decode().rstrip("=")
    assert flaw(f"{deep}.{deep}.{SIGNED.rpartition('.')[2]}") is PassFlaw.MALFORMED


def test_the_signature_of_another_pass_is_forged() -> None:
    other = KEYS.sign(evolve(SAID, order="SOF01-7K3F9R"))
    assert flaw(joined(SAID.signing_input, urlsafe_b64decode(other.rpartition(".")[2] + "=="))) is PassFlaw.FORGED


def test_a_pass_that_was_signed_with_somebody_elses_key_is_forged() -> None:
    assert flaw(SigningKeys({"2026": new_key()}).sign(SAID)) is PassFlaw.FORGED


def test_a_flaw_of_what_nobody_signed_tells_of_no_order() -> None:
    with pytest.raises(PassRefused) as refused:
        verified(SigningKeys({"2026": new_key()}).sign(SAID))
    assert "order" not in refused.value.facts


def test_what_we_signed_ourselves_is_malformed_where_it_is_no_pass() -> None:
    """An instant that no calendar has: the signature is good, and says nothing."""
    odd = KEYS.sign(evolve(SAID, order="x")).split(".")
    payload = urlsafe_b64encode(json.dumps({**SAID.claims, "exp": 10**30}).encode()).decode().rstrip("=")
    signing_input = f"{odd[0]}.{payload}"
    private = Ed25519PrivateKey.from_private_bytes(urlsafe_b64decode(NEW + "="))
    assert flaw(joined(signing_input, private.sign(signing_input.encode()))) is PassFlaw.MALFORMED


# --- when and where ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (SAID.starts - SKEW - timedelta(seconds=1), PassFlaw.NOT_YET_VALID),
        (SAID.starts - SKEW, None),
        (SAID.starts, None),
        (SAID.until, None),
        (SAID.until + SKEW, None),
        (SAID.until + SKEW + timedelta(seconds=1), PassFlaw.EXPIRED),
    ],
)
def test_a_clock_may_be_wrong_by_minutes_and_no_more(now: datetime, expected: PassFlaw | None) -> None:
    if expected is None:
        assert verified(SIGNED, now=now) == SAID
    else:
        assert flaw(SIGNED, now=now) is expected


def test_by_how_much_is_for_the_caller_to_say() -> None:
    early = SAID.starts - timedelta(seconds=1)
    with pytest.raises(PassRefused):
        offline.verify(SIGNED, keys=KEYS.public(), store="SOF01", now=early, skew=timedelta(0))


def test_a_pass_of_another_store_is_refused() -> None:
    assert flaw(SIGNED, store="VAR01") is PassFlaw.OTHER_STORE


def test_a_pass_whose_order_was_handed_over_here_is_used() -> None:
    assert flaw(SIGNED, seen=("SOF01-7K3F9Q",)) is PassFlaw.USED
    assert verified(SIGNED, seen=("SOF01-7K3F9R",)) == SAID


# --- keys -------------------------------------------------------------------------------------------------


def test_the_last_key_signs_and_the_others_verify() -> None:
    assert KEYS.current == "2026"
    assert verified(KEYS.sign(evolve(SAID, key_id="2025"))).key_id == "2025"


def test_a_key_that_is_not_here_is_unknown() -> None:
    assert flaw(SIGNED, keys=SigningKeys({"2025": OLD})) is PassFlaw.UNKNOWN_KEY


def test_a_key_counts_until_its_end() -> None:
    keys = SigningKeys({"2025": OLD, "2026": NEW}, ends={"2025": NOW})
    old = keys.sign(evolve(SAID, key_id="2025", starts=NOW - timedelta(hours=1)))
    assert verified(old, keys=keys, now=NOW - timedelta(seconds=1)).key_id == "2025"
    assert flaw(old, keys=keys, now=NOW) is PassFlaw.RETIRED_KEY
    assert verified(SIGNED, keys=keys) == SAID


def test_the_public_keys_are_a_jwk_set_without_anything_private() -> None:
    """RFC 8037, appendix A.2: only `x`."""
    ended = SigningKeys({"2025": OLD, "2026": NEW}, ends={"2025": NOW}).public()
    old, new = json.loads(json.dumps(ended))["keys"]
    assert set(new) == {"kty", "crv", "alg", "use", "kid", "x"}
    assert (new["kty"], new["crv"], new["kid"], old["exp"]) == ("OKP", "Ed25519", "2026", int(NOW.timestamp()))
    assert not any(private in json.dumps(ended) for private in (OLD, NEW))


def test_the_example_of_the_standard_is_signed_as_there() -> None:
    """The key pair of RFC 8037, appendix A.1 and A.2."""
    keys = SigningKeys({"a": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"})
    assert keys.public()["keys"][0]["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"


def test_a_private_key_is_shown_nowhere() -> None:
    assert NEW not in repr(KEYS)
    assert repr(urlsafe_b64decode(NEW + "=")) not in repr(KEYS)
    with pytest.raises(Misconfigured) as refused:
        SigningKeys({"2026": NEW + "x"})
    assert NEW not in str(refused.value)
    assert NEW not in str(refused.value.facts)


@pytest.mark.parametrize(
    "keys",
    [{}, {"": NEW}, {"a b": NEW}, {"a": ""}, {"a": NEW[:-1]}, {"a": f"{NEW}="}, {"a": "é" * 43}, {"x" * 21: NEW}],
)
def test_what_is_no_key_is_refused(keys: dict[str, str]) -> None:
    with pytest.raises(Misconfigured):
        SigningKeys(keys)


@pytest.mark.parametrize("name", ["2026", "2019"])
def test_only_an_older_key_that_is_there_can_end(name: str) -> None:
    with pytest.raises(Misconfigured, match=name):
        SigningKeys({"2025": OLD, "2026": NEW}, ends={name: NOW})


@pytest.mark.parametrize(
    "keys",
    [{}, {"keys": "x"}, {"keys": [{**KEYS.public()["keys"][1], "x": "AAAA"}]}, [], {"keys": [], "x": 1}],
)
def test_public_keys_that_are_none_are_told(keys: Any) -> None:
    """A set without keys is one: it knows no pass."""
    kind = PassRefused if keys == {"keys": [], "x": 1} else InvalidInput
    with pytest.raises(kind):
        offline.verify(SIGNED, keys=keys, store="SOF01", now=NOW)


def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.ed25519", None)
    for needs_it in (new_key, lambda: SigningKeys({"2026": NEW}), lambda: verified(SIGNED, keys=KEYS)):
        with pytest.raises(MissingExtra) as raised:
            needs_it()
        assert raised.value.facts == {"needs": "cryptography", "extra": "pass"}


def test_a_clock_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidInstant):
        verified(SIGNED, now=NOW.replace(tzinfo=None))
