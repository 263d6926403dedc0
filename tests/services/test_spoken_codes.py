"""The spoken form of a handoff: six digits that are worth something because few wrong ones may be said."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from omniorder import Channel, Settings
from omniorder.errors import HandoffInvalid, NeedsOwnTransaction
from omniorder.services.touchpoints import ShoppingTouchpoint
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.passing import EVA, eva, gone, ticket_for, wrong
from tests.services.steps import filled, refused


def tries_left(to: ShoppingTouchpoint, said: str) -> object:
    return refused(HandoffInvalid, to.handoffs.accept, said).facts.get("tries_left")


def test_a_wrong_code_says_how_many_tries_are_left(shop: Shop) -> None:
    said = wrong(ticket_for(filled(shop).id, by=shop.app).code)
    assert [tries_left(eva(shop), said) for _ in range(5)] == [4, 3, 2, 1, 0]


def test_after_five_wrong_codes_the_right_one_is_locked_out_too(shop: Shop) -> None:
    code = ticket_for(filled(shop).id, by=shop.app).code
    for _ in range(5):
        tries_left(shop.guest, wrong(code))
    assert gone(shop.guest, wrong(code)) == "locked"
    assert gone(eva(shop), code) == "locked"


def test_what_wrong_codes_have_locked_its_token_still_opens(shop: Shop) -> None:
    """Guessing digits brings nobody nearer to it; and who overhears the number must not be able to break a link."""
    ticket = ticket_for(filled(shop).id, by=shop.app)
    for _ in range(5):
        tries_left(shop.stranger, wrong(ticket.code))
    assert shop.guest.handoffs.accept(ticket.token).cart_id == ticket.cart_id


def test_the_right_code_forgets_the_wrong_ones_before(shop: Shop) -> None:
    code = ticket_for(filled(shop).id, by=shop.app).code
    for _ in range(4):
        tries_left(eva(shop), wrong(code))
    eva(shop).handoffs.accept(code)
    assert tries_left(eva(shop), wrong(code)) == 4


def test_the_right_code_is_never_locked_by_being_said_often(shop: Shop) -> None:
    """Nor is what it is refused for."""
    code = ticket_for(filled(shop).id, by=shop.app).code
    taken = {eva(shop).handoffs.accept(code) for _ in range(7)}
    assert len(taken) == 1
    assert {gone(shop.guest, code) for _ in range(7)} == {"used"}


def test_each_handoff_has_tries_of_its_own(shop: Shop) -> None:
    one, other = (ticket_for(filled(shop).id, by=shop.app).code for _ in range(2))
    assert [tries_left(eva(shop), wrong(code)) for code in (one, one, other)] == [4, 3, 4]


def test_tries_are_counted_whoever_makes_them_and_however_long_they_wait(shop: Shop) -> None:
    code = ticket_for(filled(shop).id, by=shop.app).code
    people = (eva(shop), shop.guest, shop.stranger)
    left = []
    for one in people:
        left.append(tries_left(one, wrong(code)))
        shop.clock.advance(minutes=3)
    assert left == [4, 3, 2]


def test_a_wrong_code_changes_nothing_but_the_count(shop: Shop, stored: Callable[[], Rows]) -> None:
    code = ticket_for(filled(shop).id, by=shop.app).code
    before = stored()
    tries_left(eva(shop), wrong(code))
    changed = [name for name, rows in stored().items() if rows != before[name]]
    assert len(changed) == 1
    assert "tries" in changed[0]


def test_a_wrong_code_says_nothing_of_what_became_of_the_handoff(shop: Shop) -> None:
    used, withdrawn, expired = (ticket_for(filled(shop).id, by=shop.app) for _ in range(3))
    shop.guest.handoffs.accept(used.token)
    shop.app.handoffs.withdraw(withdrawn.id)
    shop.clock.set(expired.until)
    assert [tries_left(eva(shop), wrong(one.code)) for one in (used, withdrawn, expired)] == [4, 4, 4]


def test_the_number_of_tries_is_a_setting(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(code_tries=1))
    code = ticket_for(filled(shop).id, by=shop.app).code
    assert tries_left(eva(shop), wrong(code)) == 0
    assert gone(eva(shop), code) == "locked"


class Undo(Exception):
    """The caller changes their mind."""


def test_a_code_is_not_taken_inside_a_transaction_that_could_forget_the_try(
    shop: Shop, stored: Callable[[], Rows]
) -> None:
    """Or whoever rolls back has a million tries. A token, which is not counted, may be taken there."""
    ticket = ticket_for(filled(shop).id, by=shop.app)
    before = stored()
    with suppress(Undo), shop.hub._parts.storage.transaction() as tx:
        joining = tx if tx.connection is None else tx.connection
        with shop.hub.joined(joining) as joined:
            desk = joined.at(Channel.PHONE, EVA).handoffs
            refused(NeedsOwnTransaction, desk.accept, ticket.code)
            refused(NeedsOwnTransaction, desk.accept, wrong(ticket.code))
            assert desk.accept(ticket.token).accepted_by == "agent:eva"
        raise Undo
    assert stored() == before
