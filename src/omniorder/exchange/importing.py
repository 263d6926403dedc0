"""Importing a file: read, judged and written batch by batch, so that neither its size nor a crash matters.

Each batch is one transaction with the progress of the import in it. To go on, the file is read again up to where the
database is, which must give the same digest, and what its rows spoke of is remembered, so that the outcome is that of
one run without a crash.
"""

from __future__ import annotations

import errno
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from attrs import evolve, frozen

from omniorder.domain.imports import Import, ImportKind, Refusal, import_id
from omniorder.domain.quantities import quantity
from omniorder.errors import DuplicateRow, ImportChanged, InvalidInput
from omniorder.exchange.files import Format, delimiter_of, fingerprint, format_of, opened_for_reading
from omniorder.exchange.lines import Lines
from omniorder.exchange.reading import Raw, Read, csv_rows, json_rows
from omniorder.exchange.reports import FileReport, Report, Silent
from omniorder.exchange.seen import Seen
from omniorder.exchange.shapes import SHAPES, Shape
from omniorder.services.imports import Imports, Known, Row
from omniorder.services.surface import given
from omniorder.services.touchpoints import SystemTouchpoint

Source: TypeAlias = str | Path | BinaryIO

BATCH: Final = 5_000
"""Rows that are written in one transaction."""

MOST_BATCH: Final = 50_000
MOST_SHOWN: Final = 20
"""Refusals that a report shows by itself; the others are in the file."""

_CHUNK: Final = 1 << 20


@frozen
class ImportReport:
    """What became of a file. `finished`: all of it was decided, by this run and those before it.

    `taken` and `refused` are rows of the whole file, as far as it was read; `first` are the first refusals of this run.
    `already`: an earlier run had finished it, and nothing was done. `dry`: nothing was written.
    """

    id: str
    kind: ImportKind
    taken: int
    refused: int
    finished: bool
    first: tuple[Refusal, ...] = ()
    already: bool = False
    dry: bool = False


def import_file(
    office: SystemTouchpoint,
    kind: ImportKind | str,
    source: Source,
    *,
    id: str | None = None,
    format: Format | str | None = None,
    delimiter: str = ",",
    errors: str | Path | Report | None = None,
    batch: int = BATCH,
    resume: bool = False,
    dry_run: bool = False,
    strict: bool = False,
    stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[Import], object] = lambda _: None,
) -> ImportReport:
    """Import stores, articles, prices or levels from a file, or from a stream of bytes.

    Rows that can't be taken are refused one by one, and `errors` is where they are reported. The import is remembered
    under `id`, by default the kind and what is in the file. With `resume` it goes on where an earlier run has stopped,
    and does nothing when that one has finished; otherwise it begins with the first row. `dry_run` judges every row and
    writes nothing. `strict` does so first, and takes nothing when a row is refused. `stop` is asked between batches.

    Raises `InvalidInput` for arguments that make no sense, `InvalidFile`, `ImportChanged`, `StillRunning` when the same
    import is under way elsewhere, `Misconfigured`, `StorageFault`. What was committed until then stays.
    """
    _check(office, source, errors, stop, on_progress, resume=resume, dry_run=dry_run, strict=strict)
    job = _Job(office.imports, _kind(kind), source, id, format, delimiter, resume=resume)
    most = quantity(batch, "batch", most=MOST_BATCH)
    if strict and not dry_run:
        if job.again is None:
            raise InvalidInput("strict", source, "must be a file, since it is read twice")
        looked = _run(job, None, errors, most, stop, on_progress, dry=True)
        if looked.refused or not looked.finished:
            return looked
    earlier = None if dry_run else job.earlier()
    if earlier is not None and earlier.finished and resume:
        job.must_be_the_same(earlier)
        return ImportReport(job.id, job.kind, earlier.taken, earlier.refused, finished=True, already=True)
    return _run(job, earlier, errors, most, stop, on_progress, dry=dry_run)


def _kind(kind: object) -> ImportKind:
    try:
        return ImportKind(kind)
    except ValueError:
        rule = f"must be one of {', '.join(one.value for one in ImportKind)}"
        raise InvalidInput("kind", kind, rule) from None


class _Job:
    """What is to be imported, and under which id."""

    def __init__(
        self,
        desk: Imports,
        kind: ImportKind,
        source: Source,
        id: str | None,
        format: Format | str | None,
        delimiter: str,
        *,
        resume: bool,
    ) -> None:
        desk.check(kind)
        self.desk: Final = desk
        self.kind: Final = kind
        self.shape: Final[Shape] = SHAPES[kind]
        self.path: Final = Path(source) if isinstance(source, (str, Path)) else None
        # a pipe by its name can be read once, as a stream can
        self.again: Final = self.path if self.path and (self.path.is_file() or not self.path.exists()) else None
        self.source: Final[Path | BinaryIO] = Path(source) if isinstance(source, (str, Path)) else source
        self.delimiter: Final = delimiter_of(delimiter)
        self.resume: Final = resume
        self.format: Final = self._format(format)
        self.id: Final = self._id(id)

    def _format(self, given: Format | str | None) -> Format:
        if given is None:
            if self.path is None:
                raise InvalidInput("format", given, "must be given for a stream: csv or jsonl")
            return format_of(self.path)
        try:
            return Format(given)
        except ValueError:
            raise InvalidInput("format", given, "must be csv or jsonl") from None

    def _id(self, given: str | None) -> str:
        if given is not None:
            return import_id(given)
        if self.again is not None:
            return f"{self.kind.value}-{fingerprint(self.again)[:32]}"
        if self.resume:
            raise InvalidInput("id", given, "must be given, to know which import the stream goes on with")
        return f"{self.kind.value}-{secrets.token_hex(16)}"

    def earlier(self) -> Import | None:
        """How far an earlier run has come. Raises `ImportChanged` when it was about something else."""
        found = self.desk.get(self.id)
        if found is not None and found.kind is not self.kind:
            raise ImportChanged(id=self.id, reason=f"it is one of {found.kind.value}")
        return found

    def must_be_the_same(self, earlier: Import) -> None:
        """Raises `ImportChanged` for a file other than the one that was imported to its end."""
        seen, length = sha256(), 0
        with opened_for_reading(self.source) as file:
            while chunk := file.read(_CHUNK):
                seen.update(chunk)
                length += len(chunk)
        if (length, seen.hexdigest()) != (earlier.offset, earlier.digest):
            raise _changed(self.id)

    def rows(self, lines: Lines) -> Iterator[Read]:
        """The rows of the file, read as they are asked for."""
        if self.format is Format.CSV:
            return csv_rows(lines, self.shape, self.delimiter)
        return json_rows(lines, self.shape)

    def report(self, errors: str | Path | Report | None, after: int) -> Report:
        """Where refusals go; what was reported up to line `after` stays there."""
        if errors is None:
            return Silent()
        return FileReport(Path(errors), after=after) if isinstance(errors, (str, Path)) else errors


def _check(office: object, source: object, errors: object, stop: object, on_progress: object, **yes: object) -> None:
    """Raises `InvalidInput` for what can't be, before anything is read."""
    given(office, SystemTouchpoint, "office", "must be a touchpoint of a System")
    _can_be_a_place(source, "source", "read", "must be the name of a file, or a stream of bytes")
    if errors is not None:
        _can_be_a_place(errors, "errors", "tell", "must be the name of a file, or a Report")
    for name, function in (("stop", stop), ("on_progress", on_progress)):
        if not callable(function):
            raise InvalidInput(name, function, "must be a function")
    for name, switch in yes.items():
        given(switch, bool, name, "must be True or False")


def _can_be_a_place(value: object, field: str, method: str, rule: str) -> None:
    """Whether a system can have a file of this name, there or not; or the value has what is called on it."""
    if not isinstance(value, (str, Path)):
        if not callable(getattr(value, method, None)):
            raise InvalidInput(field, value, rule)
        return
    try:
        Path(value).stat()
    except ValueError:  # a NUL, or what can't be encoded
        raise InvalidInput(field, value, rule) from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InvalidInput(field, value, rule) from None


def _changed(id: str) -> ImportChanged:
    return ImportChanged(id=id, reason="this is not the file with which it began")


def _run(
    job: _Job,
    earlier: Import | None,
    errors: str | Path | Report | None,
    batch: int,
    stop: Callable[[], bool],
    on_progress: Callable[[Import], object],
    *,
    dry: bool,
) -> ImportReport:
    now = job.desk.now()
    goes_on = job.resume and earlier is not None
    begun = Import(job.id, job.kind, 0, 0, 0, sha256().hexdigest(), 0, 0, False, now, now)
    state = earlier if goes_on and earlier is not None else begun
    first: list[Refusal] = []
    with ExitStack() as stack:
        lines = Lines(stack.enter_context(opened_for_reading(job.source)))
        judge = _Judge(job, stack.enter_context(Seen()))
        rows = job.rows(lines)
        judge.catch_up(rows, lines, state)
        report = job.report(errors, state.line)
        if isinstance(report, FileReport):
            stack.enter_context(report)
        before = earlier
        while not state.finished and not stop():
            chunk = list(islice(rows, batch))
            good, refused = judge.judged(chunk)
            first += refused[: MOST_SHOWN - len(first)]
            report.tell(refused)
            state = evolve(
                state,
                version=(before.version if before else 0) + 1,
                offset=lines.offset,
                line=lines.line,
                digest=lines.digest,
                taken=state.taken + len(good),
                refused=state.refused + len(refused),
                finished=len(chunk) < batch,
                changed_at=job.desk.now(),
            )
            if not dry:
                job.desk.take(before, state, good)
                before = state
            on_progress(state)
    return ImportReport(job.id, job.kind, state.taken, state.refused, state.finished, tuple(first), dry=dry)


class _Judge:
    """Says which rows can be taken."""

    def __init__(self, job: _Job, seen: Seen) -> None:
        self._job: Final = job
        self._seen: Final = seen
        self._known: Final = Known()

    def catch_up(self, rows: Iterator[Read], lines: Lines, state: Import) -> None:
        """Read what is decided already, and remember of what it spoke. Raises `ImportChanged` for another file."""
        while lines.offset < state.offset:
            some: list[Read] = []
            while lines.offset < state.offset and len(some) < BATCH:
                row = next(rows, None)
                if row is None:
                    break
                some.append(row)
            self._firsts(self._valued(some)[0])
            if not some:
                break
        if (lines.offset, lines.digest) != (state.offset, state.digest):
            raise _changed(state.id)

    def judged(self, chunk: list[Read]) -> tuple[list[Row], list[Refusal]]:
        """The rows that can be taken, and those that can't, in the order of the file."""
        good, refused = self._valued(chunk)
        twice = self._firsts(good)
        refused += twice
        good = _without(good, twice)
        unknown = self._job.desk.unknown(good, self._known)
        refused += unknown
        return _without(good, unknown), sorted(refused, key=lambda one: one.line)

    def _valued(self, chunk: list[Read]) -> tuple[list[Row], list[Refusal]]:
        good: list[Row] = []
        refused: list[Refusal] = []
        for one in chunk:
            made = self._job.shape.value(one.line, one.values) if isinstance(one, Raw) else one
            if isinstance(made, Refusal):
                refused.append(made)
            else:
                good.append(Row(one.line, made))
        return good, refused

    def _firsts(self, rows: list[Row]) -> list[Refusal]:
        key = self._job.shape.key
        again = self._seen.firsts([(row.line, key(row.value)) for row in rows])
        return [_twice(row.line, again[row.line], key(row.value)) for row in rows if row.line in again]


def _twice(line: int, first: int, key: tuple[str, ...]) -> Refusal:
    told = " ".join(part for part in key if part)
    return Refusal(line, "", DuplicateRow("", told, f"must come once in a file, and is on line {first}", first=first))


def _without(rows: list[Row], refused: list[Refusal]) -> list[Row]:
    if not refused:
        return rows
    lines = {one.line for one in refused}
    return [row for row in rows if row.line not in lines]
