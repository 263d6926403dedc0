"""Carts: they come back as they were written, and of two edits of one version only one is kept."""

from __future__ import annotations

from functools import partial

from omniorder.domain import events as e
from omniorder.domain.carts import Cart
from omniorder.errors import AlreadyThere, StaleWrite
from omniorder.ports.storage import Storage
from omniorder.ports.writes import CartWrite
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import StorageBench, put, read, refuses, together


def start(storage: Storage, cart: Cart) -> Cart:
    """Store a new cart."""
    put(storage, carts=(CartWrite(None, cart),))
    return cart


def edit(storage: Storage, cart: Cart, *events: e.Event) -> Cart:
    """Store the cart as it is after these events."""
    after = samples.changed(cart, *events)
    put(storage, carts=(CartWrite(cart, after),))
    return after


def stored(storage: Storage, cart: Cart) -> Cart | None:
    """The cart as it comes back."""
    return read(storage, lambda tx: tx.cart(cart.id))


class CartContract(StorageBench):
    """What a storage promises about carts."""

    def test_a_cart_that_was_never_stored_is_none(self, storage: Storage) -> None:
        assert stored(storage, samples.cart()) is None

    def test_a_cart_in_any_state_comes_back_as_it_was_written(self, storage: Storage) -> None:
        for name, cart in samples.one_of_each(samples.every_cart).items():
            start(storage, cart)
            assert stored(storage, cart) == cart, name

    def test_a_cart_keeps_its_lines_in_order_with_their_notes_and_labels(self, storage: Storage) -> None:
        cart = start(storage, samples.cart(wishes={samples.MILK: 2, samples.APPLES: 1, samples.BREAD: 3}))
        found = stored(storage, cart)
        assert found is not None
        told = [(line.sku, line.note, dict(line.metadata)) for line in found.lines]
        assert told == [
            (samples.MILK, "ripe, please", {"colour": "green", "size": ""}),
            (samples.APPLES, "", {}),
            (samples.BREAD, "", {}),
        ]

    def test_every_edit_of_a_cart_comes_back(self, storage: Storage) -> None:
        cart = start(storage, samples.cart())
        milk, bread, _ = cart.lines
        for event in (
            e.LineChanged(milk.id, 9),
            e.LineNoted(bread.id, "sliced"),
            e.LineNoted(milk.id, ""),
            e.LineRemoved(milk.id),
            samples.new_line(cart, samples.MILK, 4, "cold"),
            e.LineRemoved(bread.id),
        ):
            cart = edit(storage, cart, event)
            assert stored(storage, cart) == cart, event

    def test_several_edits_in_one_write_come_back(self, storage: Storage) -> None:
        cart = start(storage, samples.cart())
        milk, bread, apples = cart.lines
        cart = edit(
            storage, cart, e.LineRemoved(milk.id), samples.new_line(cart), e.LineChanged(apples.id, 10),
            e.LineNoted(bread.id, "sliced"),
        )  # fmt: skip
        assert stored(storage, cart) == cart

    def test_carts_do_not_touch_each_other(self, storage: Storage) -> None:
        first, second = start(storage, samples.cart(1)), start(storage, samples.cart(2))
        edit(storage, second, e.LineRemoved(second.lines[0].id))
        assert stored(storage, first) == first

    def test_a_cart_is_inserted_once(self, storage: Storage) -> None:
        cart = start(storage, samples.cart())
        facts = refuses(storage, AlreadyThere, carts=(CartWrite(None, samples.empty_cart()),))
        assert (facts["kind"], facts["id"]) == ("cart", cart.id)
        assert stored(storage, cart) == cart

    def test_an_edit_of_an_older_version_is_refused(self, storage: Storage) -> None:
        old = start(storage, samples.cart())
        new = edit(storage, old, e.LineChanged(old.lines[0].id, 9))
        late = samples.changed(old, e.LineRemoved(old.lines[1].id))
        facts = refuses(storage, StaleWrite, carts=(CartWrite(old, late),))
        assert (facts["kind"], facts["id"]) == ("cart", old.id)
        assert stored(storage, old) == new

    def test_an_edit_of_a_cart_that_is_not_there_is_refused(self, storage: Storage) -> None:
        cart = samples.cart()
        after = samples.changed(cart, e.LineRemoved(cart.lines[0].id))
        refuses(storage, StaleWrite, carts=(CartWrite(cart, after),))
        assert stored(storage, cart) is None

    def test_of_edits_at_the_same_time_exactly_one_is_kept(self, shared: Storage) -> None:
        cart = start(shared, samples.cart())
        edits = [samples.changed(cart, e.LineChanged(cart.lines[0].id, 10 + n)) for n in range(4)]
        results = together(*(partial(put, shared, carts=(CartWrite(cart, after),)) for after in edits))
        kept = [after for after, result in zip(edits, results, strict=True) if result is None]
        assert len(kept) == 1
        assert [type(result) for result in results if result is not None] == [StaleWrite] * 3
        assert stored(shared, cart) == kept[0]

    def test_the_open_cart_is_the_one_changed_last(self, storage: Storage) -> None:
        old = start(storage, samples.cart(1, at=samples.NOW))
        start(storage, samples.cart(2, at=samples.NOW - samples.HOUR))
        assert read(storage, lambda tx: tx.open_cart(samples.ANNA)) == old
        newer = start(storage, samples.cart(3, at=samples.NOW + samples.HOUR))
        assert read(storage, lambda tx: tx.open_cart(samples.ANNA)) == newer

    def test_only_open_carts_are_open(self, storage: Storage) -> None:
        ordered = samples.every_cart(1)["ordered"]
        start(storage, ordered)
        assert read(storage, lambda tx: tx.open_cart(ordered.owner)) is None

    def test_the_open_cart_is_the_owners(self, storage: Storage) -> None:
        start(storage, samples.cart(1, owner=samples.BORIS))
        assert read(storage, lambda tx: tx.open_cart(samples.ANNA)) is None
