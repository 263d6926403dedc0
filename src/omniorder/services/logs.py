"""One log line per command, through the standard logger `omniorder`: silent until the application wants it.

The line tells channel, actor, command, aggregate, outcome and duration. Customers and guests are logged as such,
never by name; free text, codes and tokens never reach the log.
"""

from __future__ import annotations

import functools
import logging
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, Protocol, TypeVar

from omniorder.domain.actors import Agent, Associate, System
from omniorder.errors import OmniorderError
from omniorder.services.parts import Touch

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

_LOGGER = logging.getLogger("omniorder")
_LOGGER.addHandler(logging.NullHandler())


@functools.cache
def log() -> BoundLogger:
    """The library's logger; structlog is loaded with the first line that it writes."""
    import structlog
    from structlog.stdlib import BoundLogger, filter_by_level, render_to_log_kwargs

    bound: BoundLogger = structlog.wrap_logger(
        _LOGGER,
        processors=[filter_by_level, structlog.contextvars.merge_contextvars, render_to_log_kwargs],
        wrapper_class=BoundLogger,
    )
    return bound


class Touched(Protocol):
    """Anything that acts for somebody: a desk."""

    @property
    def touch(self) -> Touch: ...


P = ParamSpec("P")
R = TypeVar("R")
D = TypeVar("D", bound=Touched)


def command(
    name: str, *, secret: bool = False
) -> Callable[[Callable[Concatenate[D, P], R]], Callable[Concatenate[D, P], R]]:
    """Log one line for each call of a desk's method, named `name`; `secret`: what it is given tells no aggregate."""

    def decorate(method: Callable[Concatenate[D, P], R]) -> Callable[Concatenate[D, P], R]:
        @functools.wraps(method)
        def logged(desk: D, /, *args: P.args, **kwargs: P.kwargs) -> R:
            began = time.perf_counter()
            outcome, aggregate = "failed", "" if secret else _aggregate(args)
            try:
                result = method(desk, *args, **kwargs)
                outcome, aggregate = "done", aggregate or str(getattr(result, "id", ""))
                return result
            except OmniorderError as error:
                outcome = error.code
                raise
            finally:
                if _LOGGER.isEnabledFor(logging.INFO):
                    log().info(
                        "command",
                        command=name,
                        channel=desk.touch.channel.value,
                        actor=who(desk.touch),
                        aggregate=aggregate,
                        outcome=outcome,
                        ms=round((time.perf_counter() - began) * 1000, 1),
                    )

        return logged

    return decorate


_ID: Final = re.compile(
    r"crt_[0-9a-z]{26}|prm_[A-Z0-9]{2,8}_[0-9a-z]{26}|[A-Z0-9]{2,8}-[0-9A-Z]{6,12}|[A-Z][A-Z0-9]{1,7}", re.ASCII
)
"""A cart, a promise, an order or a store: what commands address. Tokens, and codes as we write them, look different."""


def _aggregate(args: tuple[object, ...]) -> str:
    """The id that a command addresses: its first argument, when that is one; people mix up fields."""
    first = args[0] if args else ""
    return first if isinstance(first, str) and _ID.fullmatch(first) else ""


def who(touch: Touch) -> str:
    """The actor as it may stand in a log."""
    match touch.actor:
        case Associate() | Agent() | System():
            return touch.actor.name
        case _:
            return touch.actor.name.partition(":")[0]
