"""Files as streams of bytes: by path or as they are given, compressed or not, and in which format."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Generator
from contextlib import contextmanager, suppress
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import IO, BinaryIO, cast

from omniorder.errors import InvalidFile, InvalidInput

_CHUNK = 1 << 20


class Format(Enum):
    """How rows are written down."""

    CSV = "csv"
    JSONL = "jsonl"


def delimiter_of(value: object) -> str:
    """`value` as what stands between the cells of CSV: one character. Raises InvalidInput."""
    if not isinstance(value, str) or len(value) != 1 or not value.isascii() or value in "\"'\r\n\0":
        raise InvalidInput("delimiter", value, "must be one character, such as a comma or a semicolon")
    return value


def format_of(path: Path) -> Format:
    """The format by the name of the file, `.gz` aside. Raises InvalidFile for another name."""
    match (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower():
        case ".csv":
            return Format.CSV
        case ".jsonl" | ".ndjson":
            return Format.JSONL
        case _:
            raise InvalidFile("file", path.name, "must end in .csv, .jsonl or .ndjson (.gz), or its format be given")


@contextmanager
def opened_for_reading(source: Path | BinaryIO) -> Generator[BinaryIO]:
    """The bytes of the file, decompressed. A stream that is given is left open.

    Raises InvalidFile when there is no such file, and wherever reading finds that it is damaged.
    """
    try:
        if not isinstance(source, Path):
            yield source
            return
        with _opened(source, "rb") as file:
            yield file
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise InvalidFile("file", _name(source), f"must be a whole gzip file: {error}") from error
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise InvalidFile("file", _name(source), f"must be a file that can be read: {error.strerror}") from error


def _opened(path: Path, mode: str) -> BinaryIO:
    if path.suffix.lower() == ".gz":
        return cast("BinaryIO", gzip.open(path, mode))
    return cast("BinaryIO", path.open(mode))


@contextmanager
def opened_for_writing(target: Path | IO[bytes]) -> Generator[IO[bytes]]:
    """Where bytes go, compressed when the name says so. A file appears under its name once it is whole.

    Raises InvalidFile where no file can be made.
    """
    if not isinstance(target, Path):
        yield target
        target.flush()
        return
    partial = target.with_name(f".{target.name}.part")
    try:
        with partial.open("wb") as raw:
            if target.suffix.lower() == ".gz":
                with gzip.GzipFile(target.name.removesuffix(".gz"), "wb", 6, raw) as packed:
                    yield cast("IO[bytes]", packed)
            else:
                yield raw
        partial.replace(target)
    except OSError as error:
        raise InvalidFile("file", _name(target), f"must be a file that can be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            partial.unlink()


def fingerprint(path: Path) -> str:
    """The SHA-256 of a file as it lies there, in hexadecimal digits. Raises InvalidFile."""
    seen = sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                seen.update(chunk)
    except OSError as error:
        raise InvalidFile("file", path.name, f"must be a file that can be read: {error.strerror}") from error
    return seen.hexdigest()


def _name(place: object) -> str:
    return place.name if isinstance(place, Path) else str(getattr(place, "name", "a stream"))
