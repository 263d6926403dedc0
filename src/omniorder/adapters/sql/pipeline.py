"""PostgreSQL in as few round trips as possible: everything that is known to be wanted goes out in one.

This is libpq's pipeline mode, through the wrapper that psycopg gives us. Statements are prepared on first use.

https://www.postgresql.org/docs/current/libpq-pipeline-mode.html
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from psycopg import Error, OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, TransactionStatus
from psycopg.waiting import Ready, Wait
from sqlalchemy import Connection

from omniorder.adapters.sql.compiled import Compiled, Compiler
from omniorder.adapters.sql.faults import fault
from omniorder.adapters.sql.folding import folded, gathered
from omniorder.adapters.sql.guarding import DIVISION_BY_ZERO, can_be_strict, reads, strictly
from omniorder.adapters.sql.link import Outcome, OwnLink, Step
from omniorder.errors import StorageFault, StorageUnavailable

if TYPE_CHECKING:
    from psycopg import Connection as Driver
    from psycopg.pq.abc import PGconn, PGresult

_BEGIN: Final = "BEGIN ISOLATION LEVEL"
_COMMIT: Final = b"COMMIT"
_ROLLBACK: Final = b"ROLLBACK"
_NOT_PREPARED: Final = b"26000"
_PREPARED: Final = b"42P05"
READ_COMMITTED: Final = "READ COMMITTED"


@final
class Session:
    """What stays with a connection from one transaction to the next: what it has prepared, by text.

    `prepares` is false for those who switched it off, because of a pooler between us and the server, say.
    """

    def __init__(self, *, prepares: bool) -> None:
        self.prepares: Final = prepares
        self.names: Final[dict[str, bytes]] = {}


Send = Callable[[], None]
_Command = tuple[Send, list[Any]]
"""What queues a command, and the list for its answer."""


class _Asked(NamedTuple):
    """A statement that was sent, and the server's answers: to its preparation, and to each execution."""

    step: Step
    compiled: Compiled
    answers: list[PGresult]

    def failed_with(self, state: bytes) -> bool:
        """Whether the server refused it for this reason, an SQLSTATE."""
        return any(_state(answer) == state for answer in self.answers)

    def outcome(self) -> Outcome:
        changed, rows = 0, list[Any]()
        for answer in self.answers:
            if answer.status == ExecStatus.FATAL_ERROR:
                error = error_from_result(answer)
                raise self.step.told(error) from error
            changed += answer.command_tuples or 0
            columns = range(answer.nfields)
            for row in range(answer.ntuples):
                rows.append(self.compiled.row([answer.get_value(row, column) for column in columns]))
        return Outcome(changed, rows)


@final
class PipelineLink(OwnLink):
    """A connection of `psycopg`, in autocommit mode: transactions are ours to begin, with the first statement."""

    def __init__(
        self,
        driver: Driver[Any],
        session: Session,
        isolation: str,
        compiler: Compiler,
        lend: Callable[[], Connection],
    ) -> None:
        super().__init__(compiler.dialect, compiler.schema, lend)
        self._compiler: Final = compiler
        self._driver: Final = driver
        self._pgconn: Final = driver.pgconn
        self._session: Final = session
        self._begin: Final = f"{_BEGIN} {isolation}".encode()
        self._to_begin = False
        self._may_repeat = isolation == READ_COMMITTED

    @property
    def connection(self) -> Connection:
        self._may_repeat = False
        if self._to_begin:
            self._ask(())
        return super().connection

    def run(self, step: Step) -> Outcome:
        ((asked,), _) = self._ask([step])
        self._may_repeat &= reads(asked.compiled.text)
        return asked.outcome()

    def carry_out(self, steps: Sequence[Step]) -> None:
        self._may_repeat = False
        for asked in self._ask(steps)[0]:
            outcome = asked.outcome()
            if asked.step.judge is not None:
                asked.step.judge(outcome, self)

    def finish(self, steps: Sequence[Step]) -> None:
        if self._may_repeat and steps and all(map(can_be_strict, steps)) and self._finish_blindly(steps):
            return
        super().finish(steps)

    @property
    def has_only_read(self) -> bool:
        return self._may_repeat

    def finish_if_granted(self, steps: Sequence[Step]) -> bool:
        if not (self._may_repeat and all(map(can_be_strict, steps))):
            return False
        try:
            return self._finish_blindly(gathered(steps))
        except StorageUnavailable:
            raise
        except StorageFault:
            self._say(_ROLLBACK)
            self._to_begin = True
            return False

    def _finish_blindly(self, steps: Sequence[Step]) -> bool:
        """Send all of it, COMMIT included, in one go; whether no guard refused. Why it did must be asked then.

        Nothing but reading has been done in this transaction, and each statement of it saw a state of its own. So it
        makes no difference when everything is done anew in another one.
        """
        committed: list[PGresult] = []
        asked, went_well = self._ask(map(strictly, steps), committed)
        for one in () if went_well else asked:
            if one.failed_with(DIVISION_BY_ZERO):
                self._say(_ROLLBACK)
                self._to_begin = True
                return False
            one.outcome()
        _check_commit(committed[0])
        return True

    def begin(self, *, may_write: bool) -> None:
        self._to_begin = may_write  # who only reads needs none: every read is one statement and sees one state

    def commit(self) -> None:
        if self._to_begin:
            return
        _check_commit(self._say(_COMMIT))

    def end(self) -> bool:
        self._give_back()
        if self._pgconn.transaction_status != TransactionStatus.IDLE:
            with suppress(StorageFault):  # a connection that is gone has rolled back by itself
                self._say(_ROLLBACK)
        return self._pgconn.transaction_status == TransactionStatus.IDLE

    def _say(self, command: bytes) -> PGresult:
        answers: list[PGresult] = []
        self._exchange([(partial(self._pgconn.send_query_params, command, None), answers)])
        return _done(answers[0])

    def _ask(self, steps: Iterable[Step], committed: list[PGresult] | None = None) -> tuple[Sequence[_Asked], bool]:
        """Send all of these at once, behind the BEGIN that is due; and a COMMIT, if there is a place for its answer.

        Also says whether all went well.
        """
        asked: list[_Asked] = []
        executions: list[tuple[list[PGresult], str, list[bytes | None]]] = []
        for step in map(folded, steps):
            several = step.params if isinstance(step.params, Sequence) else [step.params]
            compiled = self._compiler.compiled(step.statement, several[0])
            answers: list[PGresult] = []
            asked.append(_Asked(step, compiled, answers))
            executions += [(answers, compiled.text, compiled.values(params)) for params in several]
        begun: list[PGresult] = []
        new: dict[str, list[PGresult]] = {}
        commands: list[_Command] = []
        if self._to_begin:
            commands.append((partial(self._pgconn.send_query_params, self._begin, None), begun))
        for answers, text, values in executions:
            if self._session.prepares and text not in self._session.names:
                commands.append((self._prepare(text), answers))
                new[text] = answers
            commands.append((self._execute(text, values), answers))
        if committed is not None:
            commands.append((partial(self._pgconn.send_query_params, _COMMIT, None), committed))
        went_well = self._exchange(commands)
        if not went_well:
            self._forget_unprepared(new, asked)
            for answer in begun:
                _done(answer)
        self._to_begin = False
        return asked, went_well

    def _forget_unprepared(self, new: Mapping[str, list[PGresult]], asked: Iterable[_Asked]) -> None:
        """Prepare again what was not prepared, and everything when somebody has deallocated it."""
        if any(one.failed_with(_NOT_PREPARED) for one in asked):
            self._session.names.clear()
        for text, answers in new.items():
            prepared = answers and (answers[0].status == ExecStatus.COMMAND_OK or _state(answers[0]) == _PREPARED)
            if not prepared:
                self._session.names.pop(text, None)

    def _prepare(self, text: str) -> Send:
        # named by what it says, so that behind a pooler, which may lend our connection to others like us, one name is
        # never two statements
        name = self._session.names[text] = b"omniorder_" + sha256(text.encode()).hexdigest()[:32].encode()
        return partial(self._pgconn.send_prepare, name, text.encode())

    def _execute(self, text: str, values: list[bytes | None]) -> Send:
        if self._session.prepares:
            return partial(self._pgconn.send_query_prepared, self._session.names[text], values)
        return partial(self._pgconn.send_query_params, text.encode(), values)

    def _exchange(self, commands: Sequence[_Command]) -> bool:
        """Send these at once, and put each answer where it belongs; whether all went well."""
        pgconn = self._pgconn
        if pgconn.status == ConnStatus.BAD:
            raise StorageUnavailable(reason="the connection was lost in this transaction")
        try:
            pgconn.enter_pipeline_mode()
            for send, _ in commands:
                send()
            pgconn.pipeline_sync()
            answers = self._driver.wait(_answers(pgconn))
            if pgconn.status == ConnStatus.OK:
                pgconn.exit_pipeline_mode()
        except Error as error:
            self._driver.close()
            raise fault(error) from error
        except BaseException:
            self._driver.close()  # interrupted between question and answer: nobody can use it any more
            raise
        for (_, place), answer in zip(commands, answers, strict=False):
            place.append(answer)
        return not any(answer.status == ExecStatus.FATAL_ERROR for answer in answers)


def _check_commit(answer: PGresult) -> None:
    """PostgreSQL answers the COMMIT of a transaction in which a statement failed with a silent ROLLBACK.

    A handler that swallowed such an error must not make a lost command look like a success.
    """
    if _done(answer).command_status != _COMMIT:
        raise StorageFault(reason="a statement failed in this transaction, and its error was swallowed")


def _state(answer: PGresult) -> bytes | None:
    return answer.error_field(DiagnosticField.SQLSTATE)


def _done(answer: PGresult) -> PGresult:
    if answer.status == ExecStatus.FATAL_ERROR:
        error = error_from_result(answer)
        raise fault(error) from error
    return answer


def _answers(pgconn: PGconn) -> Generator[Wait, Ready | int, list[PGresult]]:
    """The answers to all that was queued; fewer when the server hung up after an error, which is the last then."""
    while pgconn.flush():
        if (yield Wait.RW) & Ready.R:
            pgconn.consume_input()
    answers: list[PGresult] = []
    while True:
        while pgconn.is_busy():
            if (yield Wait.R):
                pgconn.consume_input()
        answer = pgconn.get_result()
        if answer is not None and answer.status == ExecStatus.PIPELINE_SYNC:
            return answers
        if answer is not None:
            answers.append(answer)
        elif pgconn.status == ConnStatus.BAD:
            if any(one.status == ExecStatus.FATAL_ERROR for one in answers):
                return answers
            raise OperationalError("the server hung up")
