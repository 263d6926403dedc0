"""Which shop a command is about: the retailer's own hub, by where it stands in their code, or a database by its URL."""

from __future__ import annotations

import argparse
import importlib
import re
import traceback
from pathlib import Path
from types import ModuleType

from omniorder.services.hub import OrderHub
from omniorder.services.opening import for_reading, for_writing

__all__ = ["WrongHub", "add_shop", "find_hub", "opened"]

_NAMES = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_PLACE = re.compile(rf"({_NAMES}):({_NAMES})")


class WrongHub(Exception):
    """`--hub` leads to no hub; says what is wrong in one line."""


def add_shop(parser: argparse.ArgumentParser) -> None:
    """Let a command be given a database to look into, or a hub."""
    shop = parser.add_mutually_exclusive_group(required=True)
    shop.add_argument(
        "--database", metavar="URL", help="the database: postgresql://user@host/name or sqlite:///shop.db"
    )
    shop.add_argument("--hub", metavar="MODULE:HUB", help="the hub of your application, such as shop.orders:hub")
    parser.add_argument("--schema", metavar="NAME", help="with --database: a PostgreSQL schema other than the default")


def opened(chosen: argparse.Namespace, *, to_write: bool = False) -> OrderHub:
    """The hub that the arguments of `add_shop` name, for reading or `to_write`. Raises `WrongHub`, `Misconfigured`."""
    if chosen.hub is not None:
        if chosen.schema is not None:
            raise WrongHub("--schema goes with --database: a hub knows its own")
        return find_hub(chosen.hub)
    url = for_writing(chosen.database) if to_write else for_reading(chosen.database)
    return OrderHub.open(url, schema=chosen.schema)


def find_hub(place: str) -> OrderHub:
    """The hub at `module:name`, where `name` is a hub or a function without arguments that makes one.

    Raises `WrongHub`, and says what failed inside the module when it is the module that fails.
    """
    found = _PLACE.fullmatch(place)
    if found is None:
        raise WrongHub(f"--hub {place!r} must look like shop.orders:hub, a module and a name in it")
    module_name, path = found.groups()
    hub: object = _module(module_name)
    for name in path.split("."):
        if not hasattr(hub, name):
            raise WrongHub(f"--hub {place}: {module_name} has no {path}")
        hub = getattr(hub, name)
    if callable(hub) and not isinstance(hub, OrderHub):
        try:
            hub = hub()
        except (Exception, SystemExit) as error:
            raise WrongHub(f"--hub {place}: calling it failed: {_what_failed(error)}") from error
    if not isinstance(hub, OrderHub):
        raise WrongHub(f"--hub {place} is a {type(hub).__name__}, not an OrderHub or a function that makes one")
    return hub


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise WrongHub(f"--hub: there is no module {error.name} here or on PYTHONPATH") from error
        raise WrongHub(f"--hub: importing {name} failed: {_what_failed(error)}") from error
    except (Exception, SystemExit) as error:
        raise WrongHub(f"--hub: importing {name} failed: {_what_failed(error)}") from error


def _what_failed(error: BaseException) -> str:
    """The error, and the line of the retailer's code that it came from."""
    told = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError):
        return told  # it says where
    theirs = [one for one in traceback.extract_tb(error.__traceback__) if not _is_machinery(one.filename)]
    return f"{told} ({Path(theirs[-1].filename).name}, line {theirs[-1].lineno})" if theirs else told


def _is_machinery(filename: str) -> bool:
    return filename in (__file__, importlib.__file__) or filename.startswith("<frozen importlib")
