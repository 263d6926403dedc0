"""The report of refused rows: a CSV file with a line for each, whole up to what the database has.

Lines are on the disk before the rows beside them are committed. Whoever goes on after a crash keeps those up to the
last committed line and cuts off the rest, so that no refusal is told twice and none is lost.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Protocol

from omniorder.domain.imports import Refusal
from omniorder.errors import InvalidFile
from omniorder.exchange.cells import text_of

COLUMNS: Final = ("line", "column", "code", "message", "value")


class Report(Protocol):
    """Where refusals go."""

    def tell(self, refusals: Iterable[Refusal]) -> None:
        """Write these down, for good."""
        ...


def lines_of(refusals: Iterable[Refusal]) -> str:
    """Refusals as lines of CSV, safe to open in a spreadsheet."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(
        (one.line, one.column, one.code, text_of(one.message), text_of(one.value or None)) for one in refusals
    )
    return written.getvalue()


class Silent:
    """Tells nobody."""

    def tell(self, refusals: Iterable[Refusal]) -> None:
        """Nothing to do."""


class FileReport:
    """A report in a file of its own; a context manager. One without refusals is no file.

    `after` is the last line that an earlier run committed: what it reported up to there stays; 0 begins anew.
    Raises InvalidFile for a file that is there and no report, so that nothing else is written over.
    """

    def __init__(self, path: Path, *, after: int = 0) -> None:
        self._path: Final = path
        try:
            self._file: Final[IO[str]] = path.open("a+", encoding="utf-8", newline="")
        except OSError as error:
            raise InvalidFile("errors", path.name, f"must be a file that can be written: {error.strerror}") from error
        self._begin(after)

    def _begin(self, after: int) -> None:
        head = ",".join(COLUMNS) + "\n"
        self._file.seek(0)
        first = self._file.readline(len(head) + 1)
        if first not in ("", head):
            self._file.close()
            raise InvalidFile("errors", self._path.name, "must be a new file, or the report of an earlier import")
        end = self._file.tell()
        if after and first:
            while line := self._file.readline():
                number = line.partition(",")[0]
                if not (line.endswith("\n") and number.isdigit() and int(number) <= after):
                    break
                end = self._file.tell()
        self._file.truncate(end)
        self._file.seek(0, os.SEEK_END)
        if not first:
            self._write(head)
        self._empty = end <= len(head)

    def tell(self, refusals: Iterable[Refusal]) -> None:
        if written := lines_of(refusals):
            self._write(written)
            self._empty = False

    def _write(self, text: str) -> None:
        try:
            self._file.write(text)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise InvalidFile("errors", self._path.name, f"must be a file that can be written: {error}") from error

    def __enter__(self) -> FileReport:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if self._empty:
            self._path.unlink(missing_ok=True)
