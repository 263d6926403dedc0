"""`reconcile`: a payment provider's list beside ours, and what to do where the two differ. Moves no money."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from omniorder.cli.opening import find_hub
from omniorder.cli.windows import add_window
from omniorder.domain.instants import iso
from omniorder.domain.money import Money
from omniorder.domain.reconciling import Difference
from omniorder.exchange.bookkeeping import write_differences
from omniorder.services.reconciling import Sums, Totals

AGREED: Final = 0
DIFFERS: Final = 1
UNABLE: Final = 2


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "reconcile",
        help="compare a payment provider's list with ours, both ways",
        description="Compare what a payment provider has on file with our payments, and say what to do.",
        epilog="Exit code: 0 both agree, 1 something differs, 2 they could not be compared.",
    )
    parser.add_argument("--hub", metavar="MODULE:HUB", required=True, help="such as shop.orders:hub")
    parser.add_argument("--gateway", metavar="KIND", required=True, help="the kind of tender, such as card")
    add_window(parser, of="payments that were created", required=True)
    parser.add_argument("--csv", metavar="FILE", help="write the differences into this file instead of showing them")
    parser.add_argument("--look-again", action="store_true", help="ask the provider again where that is the advice")
    parser.add_argument("--json", action="store_true", help="one JSON object per difference and line, then the totals")
    parser.set_defaults(run=run, unable=UNABLE)


def run(chosen: argparse.Namespace) -> int:
    """0 when both agree, 1 when something differs."""
    with find_hub(chosen.hub) as hub:
        report = hub.reconcile(chosen.gateway, since=chosen.since, until=chosen.until, look_again=chosen.look_again)
        count = write_differences(report, chosen.csv) if chosen.csv else _shown(report, as_json=chosen.json)
    for line in (json.dumps(_totals(report.totals)),) if chosen.json else _told(report.totals):
        print(line)
    return DIFFERS if count else AGREED


def _shown(found: Iterable[Difference], *, as_json: bool) -> int:
    count = 0
    for one in found:
        print(_as_json(one) if as_json else _as_text(one))
        count += 1
    return count


def _as_text(one: Difference) -> str:
    sides = (("ours", one.ours), ("theirs", one.theirs))
    amounts = ", ".join(f"{name} {amount}" for name, amount in sides if amount is not None)
    named = " ".join(_plain(name) for name in (one.order, one.attempt or one.payment, one.provider_id) if name)
    return f"{one.kind.value}  {named}: {amounts}\n    {one.advice.sentence}"


def _plain(text: str) -> str:
    """The provider's text as one word of ours, whatever is in it."""
    return text if text.isprintable() else ascii(text)


def _as_json(one: Difference) -> str:
    amounts = {name: _amount(amount) for name, amount in (("ours", one.ours), ("theirs", one.theirs))}
    named = {"order": one.order, "payment": one.payment, "provider_id": one.provider_id, "attempt": one.attempt}
    told = {"kind": one.kind.value, "advice": one.advice.value, "at": iso(one.at)}
    return json.dumps(told | named | amounts | {"to_do": one.advice.sentence}, ensure_ascii=False)


def _amount(money: Money | None) -> dict[str, Any] | None:
    return None if money is None else {"amount": money.amount, "currency": money.currency}


def _totals(totals: Totals) -> dict[str, Any]:
    names = ("payments", "listed", "agreed", "in_motion", "looked")
    sides = {"ours": totals.ours, "theirs": totals.theirs}
    return {
        **{name: getattr(totals, name) for name in names},
        "differences": {kind.value: count for kind, count in totals.differences.items()},
        **{side: {code: _sums(one) for code, one in sums.items()} for side, sums in sides.items()},
    }


def _sums(sums: Sums) -> dict[str, int]:
    return {"captured": sums.captured, "refunded": sums.refunded, "open": sums.open}


def _told(totals: Totals) -> Iterator[str]:
    for side, sums in (("ours", totals.ours), ("theirs", totals.theirs)):
        for code, one in sorted(sums.items()):
            parts = (f"{name} {Money(amount, code)}" for name, amount in _sums(one).items())
            yield f"{side:<7} {', '.join(parts)}"
    differences = sum(totals.differences.values())
    looked_at = f"{totals.payments:,} payments, {totals.listed:,} listed"
    yield f"{looked_at}: {totals.agreed:,} agree, {differences:,} differences, {totals.in_motion:,} in motion"
