"""Lines of a file, each no longer than a row may be, and what was read so far: bytes, lines and their digest.

Nothing is read ahead, so after each row `offset` is where the next begins. A line that is too long is passed over
piece by piece and never kept. What is no UTF-8 is read with marks in the place of the bad bytes, so that whoever reads
the lines stays in step with quotation marks, and is noted as a fault of the row.
"""

from __future__ import annotations

from hashlib import sha256
from typing import BinaryIO, Final

from omniorder.errors import InvalidFile, InvalidRow

MOST_BYTES: Final = 131_072
"""The length of a row, in bytes: far more than any row of ours needs."""

_OTHER_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
_UTF8_BOM: Final = b"\xef\xbb\xbf"
_SHOWN: Final = 40


class Lines:
    """An iterator over the text of a file's lines, with their line ends."""

    def __init__(self, file: BinaryIO) -> None:
        self._file: Final = file
        self._digest: Final = sha256()
        self._length = 0
        self.offset = 0
        """Bytes that were read."""
        self.line = 0
        """Lines that were read."""
        self.fault: InvalidRow | None = None
        """What is wrong with the bytes of the row that is being read."""

    @property
    def digest(self) -> str:
        """The SHA-256 of what was read, in hexadecimal digits."""
        return self._digest.hexdigest()

    def begin_row(self) -> int:
        """From here on a new row is read; the line on which it begins."""
        self._length = 0
        self.fault = None
        return self.line + 1

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        """The next line. Raises InvalidRow once the row is longer than it may be, InvalidFile for another encoding."""
        raw = self._file.readline(MOST_BYTES + 1)
        if not raw:
            raise StopIteration
        start = self.offset
        self._note(raw)
        self.line += 1
        self._length += len(raw)
        if len(raw) > MOST_BYTES:
            self._pass_over(raw)
        if self._length > MOST_BYTES:
            shown = raw[:_SHOWN].decode(errors="replace")
            raise InvalidRow("", shown, f"must have at most {MOST_BYTES} bytes; is a quotation mark missing?")
        if start == 0:
            raw = _without_mark(raw)
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            place = self.offset - len(raw) + error.start
            self._blame(f"must be in UTF-8, and byte {place} of the file isn't", raw[error.start : error.end])
            return raw.decode(errors="replace")
        if "\0" in text:
            self._blame("must not contain U+0000", raw[:_SHOWN])
        return text

    def _note(self, raw: bytes) -> None:
        self._digest.update(raw)
        self.offset += len(raw)

    def _pass_over(self, raw: bytes) -> None:
        while raw and not raw.endswith(b"\n"):
            raw = self._file.readline(MOST_BYTES)
            self._note(raw)

    def _blame(self, rule: str, value: object) -> None:
        if self.fault is None:
            self.fault = InvalidRow("", value, rule)


def _without_mark(raw: bytes) -> bytes:
    """The first line without the mark that some programs begin a UTF-8 file with."""
    if raw.startswith(_OTHER_BOMS):
        raise InvalidFile("encoding", "UTF-16", "must be UTF-8")
    return raw.removeprefix(_UTF8_BOM)
