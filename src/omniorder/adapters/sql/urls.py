"""Which databases we can use, by their URL."""

from __future__ import annotations

from typing import Final

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
