"""What was measured, as the Markdown of docs/speed.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench import hot, wide
from bench.orders import OURS, YARDSTICK

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "docs" / "speed.md"
DATA: Final = ROOT / "docs" / "speed.json"

_MEASURED: Final = re.compile(
    r"(?P<begin>^<!-- measured: (?P<part>\w+) -->$).*?(?P<end>^<!-- /measured -->$)", re.DOTALL | re.MULTILINE
)
_NAMES: Final = {
    "computer": "Computer",
    "postgresql": "PostgreSQL",
    "sqlite": "SQLite, FULL",
    "sqlite-normal": "SQLite, NORMAL",
}

Found = Mapping[str, Any]


def page(text: str, found: Found) -> str:
    """The page, with what was measured between `<!-- measured: part -->` and `<!-- /measured -->`."""

    def table(place: re.Match[str]) -> str:
        return f"{place['begin']}\n\n{_part(place['part'], found)}\n\n{place['end']}"

    return _MEASURED.sub(table, text)


def markdown(found: Found) -> str:
    """A table, or a sentence, for every part that was measured."""
    return "\n\n".join(_part(name, found) for name in _MAKERS if name in found) + "\n"


def _part(name: str, found: Found) -> str:
    return "\n".join(_MAKERS[name](found[name]))


def _machine(found: Found) -> Iterable[str]:
    for name, told in found.items():
        yield f"- {_NAMES.get(name, name)}: {', '.join(f'{key} {value}' for key, value in told.items())}"


def _orders(found: Found) -> Iterable[str]:
    rows: list[Sequence[Any]] = []
    for name, one in found.items():
        for side, told in one["sides"].items():
            cost = f"{told['orders_per_second']:,.0f}", _of_script(one, side), f"{told['ms_per_order']:.1f}"
            spans = (
                f"{told[command]['p50']:.1f} / {told[command]['p99']:.1f}" for command in ("promise_ms", "place_ms")
            )
            rows.append((_NAMES[name], side, *cost, f"{told['ms_of_our_cpu']:.1f}", *spans))
    heads = ("orders/s", "time, by hand = 1", "ms per order", "of it our CPU", "promise p50 / p99", "place p50 / p99")
    yield from _table(("", "", *heads), rows, texts=2)
    yield ""
    yield from _counts(found)


def _of_script(one: Found, side: str) -> str:
    if side == OURS:
        low, high = one["ratio"]["quartiles"]
        return f"**{one['ratio']['median']:.2f}** ({low:.2f} to {high:.2f})"
    return "1" if side == YARDSTICK else f"{one['ratio']['median'] / one['ratios'][side]:.2f}"


def _counts(found: Found) -> Iterable[str]:
    rows: list[Sequence[Any]] = []
    for name, one in found.items():
        for side, commands in one["counts"].items():
            told = [f"{commands[command]['statements']:.0f}" for command in ("promise", "place")]
            trips = [commands[command].get("round_trips", "") for command in ("promise", "place")]
            rows.append((_NAMES[name], side, told[0], trips[0], told[1], trips[1]))
    heads = ("", "", "promise: statements", "round trips", "place: statements", "round trips")
    return _table(heads, rows, texts=2)


def _offers(found: Found) -> Iterable[str]:
    rows = [
        (f"{found['stores']} stores x {found['lines']} lines", side, f"{told['ms']:.0f}", f"{told['cpu_ms']:.0f}",
         f"**{found['ratio']:.1f}**" if side == OURS else "1")
        for side, told in found["sides"].items()
    ]  # fmt: skip
    yield from _table(("PostgreSQL", "", "ms", "of it our CPU", "time, by hand = 1"), rows, texts=2)
    yield ""
    yield (
        f"Of the stores {found['full']} had everything, and {found['with_transfer']} could have it with goods from a "
        "distribution centre, which only the library plans."
    )


def _growth(found: Found) -> Iterable[str]:
    rows: list[Sequence[Any]] = []
    for name, one in found.items():
        for size, sides in one["sizes"].items():
            told = [(f"{sides[side]['ms_per_order']:.1f}", f"{sides[side]['ratio']:.2f}") for side in (OURS, YARDSTICK)]
            rows.append((_NAMES[name], f"{int(size):,}", *told[0], *told[1]))
    heads = (f"{OURS}, ms per order", "fewest = 1", f"{YARDSTICK}, ms per order", "fewest = 1")
    return _table(("", "orders already there", *heads), rows)


def _workers(found: Found) -> Iterable[str]:
    rows = [
        (name, *(cell for side in (OURS, YARDSTICK) for cell in _speeds(found, side, name)))
        for name in found["orders_per_second"][OURS]
    ]
    return _table(("PostgreSQL", f"{OURS}, orders/s", "1 worker = 1", f"{YARDSTICK}, orders/s", "1 worker = 1"), rows)


def _speeds(found: Found, side: str, name: str) -> tuple[str, str]:
    times = found["times_one_worker"][side].get(name, 1)
    return f"{found['orders_per_second'][side][name]:,.0f}", f"{times:.2f}"


def _hot(found: Found) -> Iterable[str]:
    rows: list[Sequence[Any]] = []
    for disk, ways in found["disks"].items():
        for way, told in ways.items():
            low, high = told["quartiles"]
            times = f"**{told['times_by_hand']:.2f}** ({low:.2f} to {high:.2f})"
            rows.append((disk, way, f"{told['per_second']:,}", "1" if way == hot.YARDSTICK else times))
    return _table(("", f"{found['clients']} clients", "reservations/s", f"{hot.YARDSTICK} = 1"), rows, texts=2)


def _wide(found: Found) -> Iterable[str]:
    rows: list[Sequence[Any]] = []
    for side, told in found["sides"].items():
        low, high = told["quartiles"]
        ratio = "1" if side == wide.YARDSTICK else f"**{told['ratio']:.2f}** ({low:.2f} to {high:.2f})"
        rows.append((side, f"{told['ms']:.2f}", f"{told['ms_of_our_cpu']:.2f}", ratio))
    levels = f"{found['skus']:,} articles at {found['stores']} stores"
    return _table((levels, "ms per reservation", "of it our CPU", f"time, {wide.YARDSTICK} = 1"), rows)


def _profile(found: Found) -> Iterable[str]:
    columns = [(name, side) for name, sides in found.items() for side in sides]
    owners: dict[str, None] = {}
    for name, side in columns:
        owners |= dict.fromkeys(found[name][side]["cpu_ms"])
    rows: list[Sequence[Any]] = [
        ("waiting for the database", *(f"{found[name][side]['waiting_ms']:.2f}" for name, side in columns))
    ]
    rows += [
        (owner, *(f"{found[name][side]['cpu_ms'].get(owner, 0):.2f}" for name, side in columns)) for owner in owners
    ]
    rows.append(("all", *(f"{found[name][side]['ms_per_order']:.2f}" for name, side in columns)))
    return _table(("ms per order", *(f"{_NAMES[name]}: {side}" for name, side in columns)), rows)


def _imports(found: Found) -> Iterable[str]:
    rows = [
        (f"`python -c {statement!r}`", f"{told['median_ms']:.0f}", f"{told['adds_ms']:.0f}")
        for statement, told in found.items()
    ]
    return _table(("", "ms", "more than nothing, ms"), rows)


def _transitions(found: Found) -> Iterable[str]:
    yield (
        f"State machine: {found['advance_per_second']:,} transitions a second, "
        f"{found['ratio']:.2f} times the time of a bare look-up in the same table ({found['look_up_per_second']:,})."
    )


def _memory(found: Found) -> Iterable[str]:
    yield f"Memory adapter: {found['megabytes_per_10000_orders']:.0f} MB per 10,000 live orders of three lines."


def _files(found: Found) -> Iterable[str]:
    rows = [
        (f"{int(size):,}", side, f"{one['rows_per_second']:,}", f"{one['ratio']:.2f}", one["peak_megabytes"] or "")
        for size, sides in found["sizes"].items()
        for side, one in sides.items()
    ]
    yield from _table(("level rows", "", "rows/s", "time, COPY = 1", "peak memory, MB"), rows, texts=2)
    yield ""
    yield f"Peak memory of the largest import: {found['memory_ratio']:.2f} times that of the smallest."


def _webhooks(found: Found) -> Iterable[str]:
    rows: list[Sequence[Any]] = []
    for kind, told in found["kinds"].items():
        low, high = told["ratio"]["quartiles"]
        times = {OURS: f"**{told['ratio']['median']:.2f}** ({low:.2f} to {high:.2f})", YARDSTICK: "1"}
        rows += [(kind, side, f"{speed:,}", times[side]) for side, speed in told["per_second"].items()]
    return _table(("PostgreSQL", "", "webhooks/s", f"time, {YARDSTICK} = 1"), rows, texts=2)


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]], texts: int = 1) -> Iterable[str]:
    """A Markdown table, its first columns text and the others numbers; a name is not repeated below itself."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'|'.join('---' if place < texts else '--:' for place in range(len(heads)))}|"
    before = ""
    for row in rows:
        cells = [str(cell) for cell in row]
        cells[0], before = ("" if cells[0] == before else cells[0]), cells[0]
        yield f"| {' | '.join(cells)} |"


_MAKERS: Final[Mapping[str, Callable[[Found], Iterable[str]]]] = {
    "machine": _machine,
    "orders": _orders,
    "offers": _offers,
    "growth": _growth,
    "workers": _workers,
    "hot": _hot,
    "wide": _wide,
    "profile": _profile,
    "imports": _imports,
    "transitions": _transitions,
    "memory": _memory,
    "files": _files,
    "webhooks": _webhooks,
}
