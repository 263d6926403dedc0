"""The signed pass at the counter of a store that has a network: taken beside the code and the token."""

from __future__ import annotations

from datetime import timedelta

import pytest

from omniorder import (
    Channel,
    Check,
    CheckKind,
    Holder,
    OfflineHandOver,
    Proof,
    Settings,
    SigningKeys,
    Stage,
    SyncOutcome,
    offline,
)
from omniorder.domain import events as e
from omniorder.errors import IdentityCheckNeeded, InvalidInput, Misconfigured, PassRefused, WrongCode
from omniorder.services.ripples import carry_on
from omniorder.services.units import in_transaction
from omniorder.signing import new_key
from omniorder.testing import invariants
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.steps import charged, code, part, ready, refused, wrong_code

KEY = new_key()
KEYS = SigningKeys({"2026": KEY})


@pytest.fixture
def signing(open_shop: OpenShop) -> Shop:
    """A shop whose passes are signed."""
    return open_shop(pass_keys=KEYS)


def signed(shop: Shop, order: object, **what: Holder) -> str:
    """What Anna's phone shows."""
    return shop.app.orders.pickup_pass(getattr(order, "id", str(order)), **what).signed


def why(shop: Shop, order_id: str, shown: str) -> str:
    """The reason for which the counter refuses it."""
    return str(refused(PassRefused, shop.store.pickups.hand_over, order_id, code=shown).facts["reason"])


def test_a_store_without_a_network_reads_on_it_what_it_must_know(signing: Shop) -> None:
    order = ready(signing)
    now = signing.clock.now()
    said = offline.verify(signed(signing, order), keys=KEYS.public(), store=Shop.SOFIA, now=now)
    assert (said.order, said.store, said.holder, said.until) == (order.id, Shop.SOFIA, Holder.OWNER, order.pickup.until)


def test_who_is_named_to_collect_has_a_pass_of_their_own(signing: Shop) -> None:
    order = ready(signing)
    refused(InvalidInput, signing.app.orders.pickup_pass, order.id, holder=Holder.PROXY)
    mine = signed(signing, order)
    signing.app.orders.name_proxy(order.id, "Ivan Petrov")
    assert why(signing, order.id, mine) == "replaced"
    theirs = signed(signing, order)
    assert offline.read(theirs, keys=KEYS.public(), now=signing.clock.now()).holder is Holder.PROXY
    assert "Ivan" not in theirs


def test_whose_pass_says_so_collects_for_somebody_else(open_shop: OpenShop) -> None:
    """Where the shop wants to see who they are, it does."""
    signing = open_shop(pass_keys=KEYS, settings=Settings(identify_proxy=True))
    order = ready(signing)
    signing.app.orders.name_proxy(order.id, "Ivan Petrov")
    shown = signed(signing, order)
    refused(IdentityCheckNeeded, signing.store.pickups.hand_over, order.id, code=shown)
    looked = Check(CheckKind.IDENTITY, passed=True)
    assert signing.store.pickups.hand_over(order.id, code=shown, checks=[looked]).proof is Proof.PASS


def test_a_store_without_a_network_is_told_to_identify_them_too(open_shop: OpenShop) -> None:
    """The goods are gone: a check that wasn't made is told, and the hand-over is settled."""
    signing = open_shop(pass_keys=KEYS, settings=Settings(identify_proxy=True))
    orders = [ready(signing) for _ in range(3)]
    for order in orders[:2]:
        signing.app.orders.name_proxy(order.id, "Ivan Petrov")
    now, shown = signing.clock.now(), [signed(signing, order) for order in orders]
    needed = [offline.verify(one, keys=KEYS.public(), store=Shop.SOFIA, now=now).checks for one in shown]
    assert needed == [(CheckKind.IDENTITY,), (CheckKind.IDENTITY,), ()]
    looked = [[Check(CheckKind.IDENTITY, passed=True)], [], []]
    entries = [OfflineHandOver(one, now, "mila", checks=checks) for one, checks in zip(shown, looked, strict=True)]
    told = signing.store.pickups.sync(entries)
    assert [one.outcome for one in told] == [SyncOutcome.DONE] * 3
    assert [one.unchecked for one in told] == [(), (CheckKind.IDENTITY,), ()]


def test_nobody_is_named_on_it(signing: Shop) -> None:
    said = offline.read(signed(signing, ready(signing)), keys=KEYS.public(), now=signing.clock.now())
    assert "anna" not in repr(said.claims)


def test_pass_code_and_token_open_the_same_order(signing: Shop) -> None:
    order = ready(signing, {Shop.MILK: 3})
    shown = signing.app.orders.pickup_pass(order.id)
    for way in (shown.code, shown.token, shown.signed):
        receipt = signing.store.pickups.hand_over(order.id, code=way, lines=part(order, 1), key=way[:20])
    assert receipt.order.stage is Stage.COLLECTED
    assert charged(signing) == 3 * 249


def test_the_qr_code_holds_it_and_may_be_scanned_again(signing: Shop) -> None:
    order = ready(signing)
    qr = signing.app.orders.pickup_pass(order.id).qr
    first = signing.store.pickups.hand_over(order.id, code=qr)
    assert signing.store.pickups.hand_over(order.id, code=qr) == first


def test_a_pass_is_no_try_of_a_code(signing: Shop) -> None:
    """Nobody guesses a signature: a wrong pass locks nothing, and a code that is locked leaves the pass good."""
    order, other = ready(signing), ready(signing)
    for _ in range(6):
        assert why(signing, order.id, signed(signing, other)) == "other_order"
    assert refused(WrongCode, signing.store.pickups.hand_over, order.id, code=wrong_code(signing, order)).facts == {
        "order": order.id, "tries_left": 4,
    }  # fmt: skip
    assert signing.store.pickups.hand_over(order.id, code=signed(signing, order)).order.stage is Stage.COLLECTED


def test_a_new_code_replaces_the_pass(signing: Shop) -> None:
    order = ready(signing)
    old = signed(signing, order)
    signing.store.pickups.reissue(order.id)
    assert why(signing, order.id, old) == "replaced"
    assert signing.store.pickups.hand_over(order.id, code=signed(signing, order)).order.stage is Stage.COLLECTED


def test_goods_that_were_made_ready_anew_have_another_pass(signing: Shop) -> None:
    order = ready(signing)
    old = signed(signing, order)
    signing.store.pickups.unready(order.id, reason="wrong bag")
    signing.clock.advance(seconds=1)
    signing.store.pickups.ready(order.id)
    assert why(signing, order.id, old) == "replaced"


def test_a_deadline_that_was_moved_replaces_the_pass_and_not_the_code(signing: Shop) -> None:
    order = ready(signing)
    old, said = signed(signing, order), code(signing, order)
    later = signing.clock.now() + timedelta(days=9)
    stamp = e.Stamp(signing.clock.now(), Channel.APP, "customer:anna")
    extended = [e.DeadlineExtended(later)]
    in_transaction(signing.hub.journal.parts, stamp, lambda unit: carry_on(unit, order, extended))
    assert why(signing, order.id, old) == "replaced"
    assert code(signing, order) == said
    read = offline.read(signed(signing, order), keys=KEYS.public(), now=signing.clock.now())
    assert read.until == later.replace(microsecond=0)


def test_a_pass_of_before_the_keys_were_rotated_is_taken_until_the_old_key_ends(database_url: str) -> None:
    url = "memory://rotated" if database_url == "memory://" else database_url
    first = Shop.example(url, seed=1, stocked=url != database_url, pass_keys=KEYS)
    kept, gone = ready(first), ready(first)
    shown = {order.id: signed(first, order) for order in (kept, gone)}
    rotated = {"2026": KEY, "2027": new_key()}

    def opened(seed: int, keys: SigningKeys) -> Shop:
        return Shop.example(url, seed=seed, stocked=False, clock=first.clock, gateway=first.gateway, pass_keys=keys)

    ended = SigningKeys(rotated, ends={"2026": first.clock.now()})
    with first, opened(2, SigningKeys(rotated)) as after, opened(3, ended) as retired:
        assert after.store.pickups.hand_over(kept.id, code=shown[kept.id]).order.stage is Stage.COLLECTED
        assert why(retired, gone.id, shown[gone.id]) == "retired_key"
        assert retired.store.pickups.hand_over(gone.id, code=signed(retired, gone)).order.stage is Stage.COLLECTED


def test_without_keys_there_is_no_signed_pass_and_one_that_is_shown_is_no_code(open_shop: OpenShop) -> None:
    shop = open_shop()
    order = ready(shop)
    shown = shop.app.orders.pickup_pass(order.id)
    assert (shown.signed, shown.qr) == ("", f"OMNI:{order.id}:{shown.token}")
    elsewhere = "a" * 40 + "." + "b" * 100 + "." + "c" * 86
    refused(InvalidInput, shop.store.pickups.hand_over, order.id, code=elsewhere)
    refused(Misconfigured, shop.store.pickups.sync, [])


def test_neither_a_key_nor_a_pass_is_shown_or_stored(signing: Shop) -> None:
    order = ready(signing)
    shown = signing.app.orders.pickup_pass(order.id)
    signing.store.pickups.hand_over(order.id, code=shown.signed)
    assert shown.signed not in repr(shown)
    assert KEY not in repr(signing.hub.journal.parts)
    invariants.check_all(signing.hub, secrets=[KEY, shown.signed, shown.signed.rpartition(".")[2]])


def test_keys_and_holders_must_be_what_they_are_called(signing: Shop, open_shop: OpenShop) -> None:
    refused(InvalidInput, open_shop, pass_keys={"2026": KEY})
    refused(InvalidInput, signing.app.orders.pickup_pass, ready(signing).id, holder="owner")
