"""What is on its way: expected once under each reference, and expected no more when it has come."""

from __future__ import annotations

from functools import partial

from omniorder.domain.deliveries import ExpectedDelivery
from omniorder.ports.storage import Storage, Transaction
from omniorder.ports.writes import Arrived, Expect, Writes
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import StorageBench, put, read, repeated, together
from omniorder.testing.samples import BREAD, MILK, SOFIA, VARNA


def _expect(storage: Storage, *deliveries: ExpectedDelivery) -> None:
    put(storage, expected=tuple(map(Expect, deliveries)))


def _arrive(storage: Storage, quantity: int | None, *, reference: str = "DN-7") -> None:
    put(storage, expected=(Arrived(SOFIA, MILK, reference, quantity),))


def _left(storage: Storage) -> list[tuple[str, int]]:
    """References and units of what is still expected of milk in Sofia."""
    found = read(storage, lambda tx: tx.expected([MILK], [SOFIA]))
    return [(one.reference, one.quantity) for one in found]


class ExpectedContract(StorageBench):
    """What a storage promises about deliveries on their way."""

    def test_a_delivery_comes_back_as_it_was_expected(self, storage: Storage) -> None:
        delivery = samples.expected(reference="ПО-2026/11 \u20ac")
        _expect(storage, delivery)
        assert read(storage, lambda tx: tx.expected([MILK], [SOFIA])) == (delivery,)

    def test_a_delivery_expected_again_is_replaced(self, storage: Storage) -> None:
        _expect(storage, samples.expected(1, quantity=12))
        later = samples.expected(30, quantity=20)
        _expect(storage, later)
        assert read(storage, lambda tx: tx.expected([MILK], [SOFIA])) == (later,)

    def test_a_delivery_of_none_is_called_off(self, storage: Storage) -> None:
        _expect(storage, samples.expected(reference="DN-7"), samples.expected(reference="DN-8"))
        _expect(storage, samples.expected(reference="DN-7", quantity=0))
        assert _left(storage) == [("DN-8", 12)]

    def test_what_nobody_expected_can_be_called_off(self, storage: Storage) -> None:
        _expect(storage, samples.expected(quantity=0))
        assert _left(storage) == []

    def test_deliveries_come_by_store_sku_instant_and_reference(self, storage: Storage) -> None:
        ordered = (
            samples.expected(1, sku=BREAD),
            samples.expected(1, reference="B"),
            samples.expected(2, reference="A"),
            samples.expected(2, reference="a"),
            samples.expected(1, store=VARNA),
        )
        _expect(storage, *reversed(ordered))
        with storage.reading() as tx:
            assert tx.expected([MILK, BREAD]) == ordered
            assert tx.expected([MILK, BREAD], [VARNA, SOFIA]) == ordered
            assert tx.expected([MILK], [SOFIA, "NONE1"]) == ordered[1:4]
            assert tx.expected([BREAD, "NO-SUCH"]) == ordered[:1]
            assert tx.expected([]) == ()
            assert tx.expected([MILK], []) == ()

    def test_what_arrives_is_expected_no_more(self, storage: Storage) -> None:
        _expect(storage, samples.expected(quantity=12))
        _arrive(storage, 5)
        assert read(storage, lambda tx: tx.expected([MILK], [SOFIA])) == (samples.expected(quantity=7),)
        _arrive(storage, 7)
        assert _left(storage) == []

    def test_more_may_arrive_than_was_expected(self, storage: Storage) -> None:
        _expect(storage, samples.expected(quantity=12))
        _arrive(storage, 13)
        assert _left(storage) == []

    def test_the_last_of_a_delivery_ends_it_however_many_were_expected(self, storage: Storage) -> None:
        _expect(storage, samples.expected(quantity=12))
        _arrive(storage, None)
        assert _left(storage) == []

    def test_what_nobody_expected_may_arrive(self, storage: Storage) -> None:
        for quantity in (3, None):
            _arrive(storage, quantity)
        assert _left(storage) == []

    def test_what_arrives_under_another_reference_sku_or_store_changes_nothing(self, storage: Storage) -> None:
        _expect(storage, samples.expected(quantity=12))
        others = (Arrived(VARNA, MILK, "DN-7", 5), Arrived(SOFIA, BREAD, "DN-7", 5), Arrived(SOFIA, MILK, "DN-8", None))
        put(storage, expected=others)
        assert _left(storage) == [("DN-7", 12)]

    def test_what_one_command_tells_of_a_delivery_is_taken_in_that_order(self, storage: Storage) -> None:
        other = samples.expected(sku=BREAD)
        told = (Arrived(SOFIA, MILK, "DN-7", 5), Expect(other), Expect(samples.expected(quantity=12)))
        put(storage, expected=told)
        assert _left(storage) == [("DN-7", 12)]
        put(storage, expected=(Expect(samples.expected(quantity=20)), Expect(other), Arrived(SOFIA, MILK, "DN-7", 5)))
        assert _left(storage) == [("DN-7", 15)]

    def test_of_parts_that_arrive_at_once_none_is_lost(self, shared: Storage) -> None:
        """Neither while something is left, nor when the last of it goes."""
        _expect(shared, samples.expected(quantity=20))
        together(*[partial(repeated, shared, partial(_part, units=3))] * 6)
        assert _left(shared) == [("DN-7", 2)]
        _expect(shared, samples.expected(quantity=10))
        together(*[partial(repeated, shared, partial(_part, units=3))] * 6)
        assert _left(shared) == []


def _part(tx: Transaction, units: int) -> None:
    tx.write(Writes(expected=(Arrived(SOFIA, MILK, "DN-7", units),)))
