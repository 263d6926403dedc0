"""Which databases we can use, by their URL."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from omniorder.errors import Misconfigured

DRIVERS: Final = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")


def parse(url: str) -> URL:
    """The parts of a URL; raises `Misconfigured` for what is none, or of another database or driver."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # a port that is no number is a ValueError
        raise Misconfigured(needs="a database URL such as sqlite:///shop.db") from error
    if parsed.drivername not in DRIVERS:
        raise Misconfigured(needs="a database URL that begins with sqlite:// or postgresql://")
    return parsed


def for_reading(url: str) -> str:
    """The same database for somebody who only looks. SQLite would make a missing file, and change what it opens.

    Raises `Misconfigured`, also for an SQLite database in memory: nobody else's can be looked at.
    """
    return _existing(url, "ro")


def for_writing(url: str) -> str:
    """The same database for somebody who changes what is there. SQLite would make a missing file.

    Raises `Misconfigured`, also for an SQLite database in memory: it would be gone at once.
    """
    return _existing(url, "rw")


def _existing(url: str, mode: str) -> str:
    parsed = parse(url)
    if parsed.get_backend_name() != "sqlite":
        return url
    if parsed.database in (None, "", ":memory:"):
        raise Misconfigured(needs="a database in a file: sqlite:///shop.db")
    path = f"file:{quote(parsed.database)}"
    return parsed.set(database=path, query={"mode": mode, "uri": "true"}).render_as_string(hide_password=False)
