"""Answers to commands with an idempotency key: one per key, kept until they are old."""

from __future__ import annotations

from functools import partial

from attrs import evolve

from omniorder.errors import AlreadyThere
from omniorder.ports.storage import Storage
from omniorder.ports.writes import Answer, CartWrite
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import StorageBench, put, read, refuses, together
from omniorder.testing.samples import MINUTE, NOW, SOFIA, VARNA

ANSWER = Answer(
    home=SOFIA, scope="customer:анна|place|prm_SOF01_1", key="k-1 ~!", request="5f4dcc3b", result="SOF01-000001", at=NOW
)


def _stored(storage: Storage, answer: Answer) -> Answer | None:
    return read(storage, lambda tx: tx.answer(answer.home, answer.scope, answer.key))


def _forget(storage: Storage, minutes: int, limit: int = 10) -> int:
    with storage.transaction() as tx:
        return tx.forget_answers(NOW + minutes * MINUTE, limit)


class AnswerContract(StorageBench):
    """What a storage promises about answers."""

    def test_an_answer_that_was_never_given_is_none(self, storage: Storage) -> None:
        assert _stored(storage, ANSWER) is None

    def test_an_answer_comes_back_as_it_was_written(self, storage: Storage) -> None:
        put(storage, answers=(ANSWER,))
        assert _stored(storage, ANSWER) == ANSWER

    def test_home_scope_and_key_tell_answers_apart(self, storage: Storage) -> None:
        others = (
            evolve(ANSWER, home=VARNA, result="1"),
            evolve(ANSWER, scope="customer:boris|place|prm_SOF01_1", result="2"),
            evolve(ANSWER, key="k-2", result="3"),
        )
        put(storage, answers=(ANSWER, *others))
        for answer in (ANSWER, *others):
            assert _stored(storage, answer) == answer

    def test_a_key_is_answered_once(self, storage: Storage) -> None:
        put(storage, answers=(ANSWER,))
        refuses(storage, AlreadyThere, answers=(evolve(ANSWER, result="SOF01-000002"),))
        assert _stored(storage, ANSWER) == ANSWER

    def test_a_repeated_key_undoes_the_command(self, storage: Storage) -> None:
        put(storage, answers=(ANSWER,))
        cart = samples.cart()
        refuses(storage, AlreadyThere, carts=(CartWrite(None, cart),), answers=(ANSWER,))
        assert read(storage, lambda tx: tx.cart(cart.id)) is None

    def test_of_two_commands_under_one_key_one_is_answered(self, shared: Storage) -> None:
        answers = [evolve(ANSWER, result=f"SOF01-00000{n}") for n in range(4)]
        results = together(*(partial(put, shared, answers=(answer,)) for answer in answers))
        given = [answer for answer, result in zip(answers, results, strict=True) if result is None]
        assert len(given) == 1
        assert _stored(shared, ANSWER) == given[0]

    def test_answers_older_than_the_limit_are_forgotten(self, storage: Storage) -> None:
        answers = [evolve(ANSWER, key=f"k{n}", at=NOW + n * MINUTE) for n in range(4)]
        put(storage, answers=tuple(answers))
        assert _forget(storage, 2) == 2
        assert [_stored(storage, answer) for answer in answers] == [None, None, *answers[2:]]
        assert _forget(storage, 2) == 0

    def test_no_more_answers_are_forgotten_than_asked_for(self, storage: Storage) -> None:
        put(storage, answers=tuple(evolve(ANSWER, key=f"k{n}") for n in range(5)))
        assert [_forget(storage, 1, limit=2) for _ in range(4)] == [2, 2, 1, 0]

    def test_a_forgotten_key_may_be_used_again(self, storage: Storage) -> None:
        put(storage, answers=(ANSWER,))
        _forget(storage, 1)
        again = evolve(ANSWER, result="SOF01-000002", at=NOW + MINUTE)
        put(storage, answers=(again,))
        assert _stored(storage, ANSWER) == again
