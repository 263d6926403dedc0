"""For accountants: ledgers of orders and the differences of a reconciliation as CSV, safe to open in a spreadsheet.

A ledger has a line per posting, a reconciliation one per difference. Amounts stand in major units, by the currency's
own number of decimals, and in minor units beside them, so that nobody has to guess which is meant.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby, islice
from pathlib import Path
from typing import Final

from omniorder.domain import bookkeeping, ids
from omniorder.domain.bookkeeping import Entry, LedgerPosting
from omniorder.domain.events import Recorded
from omniorder.domain.instants import instant
from omniorder.domain.money import Money
from omniorder.domain.reconciling import Difference
from omniorder.errors import NotFound
from omniorder.exchange.cells import text_of
from omniorder.exchange.exporting import Target
from omniorder.exchange.files import opened_for_writing
from omniorder.ports.inspection import Inspection
from omniorder.services.touchpoints import SystemTouchpoint

LEDGER: Final = (
    "at", "order", "seq", "what", "reference", "provider_id", "debit", "credit", "amount", "currency", "minor_units",
)  # fmt: skip
DIFFERENCES: Final = (
    "kind", "advice", "at", "order", "payment", "provider_id", "attempt", "ours", "ours_currency", "ours_minor_units",
    "theirs", "theirs_currency", "theirs_minor_units", "to_do",
)  # fmt: skip

_STREAMS: Final = 200
"""Streams of the journal that are held at a time."""

Cells = Sequence[object]


def export_ledger(
    office: SystemTouchpoint, target: Target, *, since: datetime | None = None, until: datetime | None = None
) -> int:
    """Write the entries of all orders that were made within [since, until), where given; how many lines.

    One state of a live database is read, in bounded memory. Lines come by order, and within it as things happened.
    Raises `InvalidInstant`, `InvalidFile`, `Misconfigured`, `StorageFault`.
    """
    start = None if since is None else instant(since, "since")
    end = None if until is None else instant(until, "until")
    with office.exports.reading() as view:
        found = (one for one in _entries(view) if (not start or one.at >= start) and (not end or one.at < end))
        return _write(target, LEDGER, (_line(entry, posting) for entry in found for posting in entry.postings))


def write_ledger(entries: Iterable[Entry], target: Target) -> int:
    """Write these entries, such as those of one order; how many lines. Raises `InvalidFile`."""
    return _write(target, LEDGER, (_line(entry, posting) for entry in entries for posting in entry.postings))


def write_differences(found: Iterable[Difference], target: Target) -> int:
    """Write the differences of a reconciliation as they are found; how many. Raises `InvalidFile`, and what reading
    them raises: then there is no file."""
    return _write(target, DIFFERENCES, map(_difference, found))


def _entries(view: Inspection) -> Iterator[Entry]:
    """The entries of every order, a few orders at a time."""
    streams = ((name, tuple(events)) for name, events in groupby(view.journal(), key=lambda one: one.stream))
    of_orders = ((name, events) for name, events in streams if _is_order(name))
    while some := list[tuple[str, tuple[Recorded, ...]]](islice(of_orders, _STREAMS)):
        orders = view.find_orders([name for name, _ in some])
        for name, events in some:
            yield from bookkeeping.entries(orders[name], events)


def _is_order(stream: str) -> bool:
    try:
        return bool(ids.check("order", stream))
    except NotFound:
        return False


def _line(entry: Entry, posting: LedgerPosting) -> Cells:
    return (
        entry.at, entry.order, entry.seq, entry.what, entry.reference, entry.provider_id or None,
        posting.debit.name, posting.credit.name, *_amount(posting.amount),
    )  # fmt: skip


def _difference(one: Difference) -> Cells:
    named = (one.order, one.payment, one.provider_id, one.attempt)
    return (
        one.kind.value, one.advice.value, one.at, *(name or None for name in named),
        *_amount(one.ours), *_amount(one.theirs), one.advice.sentence,
    )  # fmt: skip


def _amount(money: Money | None) -> Cells:
    """In major units, of what, and in minor units."""
    return (None, None, None) if money is None else (money.decimal, money.currency, money.amount)


def _write(target: Target, names: Sequence[str], rows: Iterable[Cells]) -> int:
    place = Path(target) if isinstance(target, (str, Path)) else target
    count = 0
    with opened_for_writing(place) as file:
        file.write(_csv(names))
        for cells in rows:
            file.write(_csv([text_of(cell) for cell in cells]))
            count += 1
    return count


def _csv(cells: Sequence[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)  # with both, a text with either of them is quoted
    return line.getvalue().encode()
