"""What is scanned: the same text that stands in the pass, the ticket or the link, as a picture."""

from __future__ import annotations

import sys

import pytest

from omniorder import Scope, qr
from omniorder.errors import MissingExtra
from omniorder.testing.shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop.example()


def test_a_handoffs_code_is_that_of_its_token(shop: Shop) -> None:
    ticket = shop.app.handoffs.offer(shop.app.carts.start().id, Scope.EDIT)
    assert qr.svg(ticket) == qr.svg(ticket.token)
    assert qr.terminal(ticket) == qr.terminal(ticket.token)


def test_a_link_has_a_code_of_its_own(shop: Shop) -> None:
    """For a phone's own camera, which opens links."""
    ticket = shop.app.handoffs.offer(shop.app.carts.start().id, Scope.EDIT)
    link = ticket.link("https://shop.example/join")
    assert qr.svg(link).startswith("<svg")
    assert qr.svg(link) != qr.svg(ticket)


def test_two_handoffs_have_different_codes(shop: Shop) -> None:
    cart = shop.app.carts.start()
    one, other = (shop.app.handoffs.offer(cart.id, Scope.EDIT) for _ in range(2))
    assert qr.svg(one) != qr.svg(other)


def test_without_the_extra_it_says_which(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    with pytest.raises(MissingExtra) as raised:
        qr.svg("text")
    assert raised.value.facts == {"needs": "segno", "extra": "qr"}
