"""Draws the diagrams of README.md and docs/ from the transition tables, so that they can't tell another story.

    python docs/diagrams.py            # write them
    python docs/diagrams.py --check    # exit with 1, naming the files, where they differ

A page says where a drawing goes, and what stands between the two comments is replaced:

    <!-- diagram: order -->
    <!-- /diagram -->

There is a diagram for every machine of `omniorder.domain.lifecycle`, and `<!-- table: couplings -->` ...
`<!-- /table -->` for the joint states that are legal, `reasons` and `remedies` for the vocabulary of "why not", and
`ends` and `plan_reasons` for what the capture planner does.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from pathlib import Path

from attrs import evolve

from omniorder.domain.authorisations import Terms
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.lifecycle import COUPLINGS, ENDED, MACHINES
from omniorder.domain.planning import plan
from omniorder.domain.steps import REASONS
from omniorder.reasons.codes import CODES, REMEDIES
from omniorder.reasons.sentences.en import TONGUE
from omniorder.reasons.tongues import PLACE
from omniorder.testing import samples

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

MARKED = re.compile(
    r"^(?P<begin><!-- (?P<kind>diagram|table): (?P<name>\w+) -->)\n(?P<drawn>.*?)^(?P<end><!-- /(?P=kind) -->)$",
    re.DOTALL | re.MULTILINE,
)
BEGINNING = re.compile(r"^<!-- (diagram|table): .*-->$", re.MULTILINE)


def diagram(machine: str) -> str:
    """The machine as a Mermaid state diagram: one arrow for all events that lead from one state to another.

    What may happen anywhere and changes no state is said in a line below it, rather than drawn at every state.
    """
    table = MACHINES[machine]
    first, *_ = table
    anywhere = [event for event in table[first] if all(row.get(event) is state for state, row in table.items())]
    lines = ["stateDiagram-v2", f"    [*] --> {first.value}"]
    for state, row in table.items():
        arrows: dict[Enum, list[str]] = {}
        for event, after in row.items():
            if event not in anywhere:
                arrows.setdefault(after, []).append(event.__name__)
        lines += [f"    {state.value} --> {after.value}: {'<br/>'.join(names)}" for after, names in arrows.items()]
        if state in ENDED:
            lines.append(f"    {state.value} --> [*]")
    drawing = "\n".join(["```mermaid", *lines, "```"])
    if anywhere:
        drawing += f"\n\nIn every state, and changing none: {', '.join(f'`{event.__name__}`' for event in anywhere)}."
    return drawing


def couplings() -> str:
    """The legal joint states as a Markdown table; a cell lists its states as the enums do."""
    rows = [[_listed(c.orders), _listed(c.fundings), _listed(c.pickups), _listed(c.reservations)] for c in COUPLINGS]
    return _table(["order", "funding", "pick-up", "reservation"], rows)


def reasons() -> str:
    """Every code of a reason as a Markdown table; facts that are there only when known stand in brackets."""
    rows = [
        [f"`{code}`", _facts(told.needs, told.may), ", ".join(f"`{one}`" for one in told.remedies),
         _wording(TONGUE.sentences[code][0])]
        for code, told in CODES.items()
    ]  # fmt: skip
    return _table(["code", "facts", "remedies", "in English"], rows)


def remedies() -> str:
    """Every code of a remedy as a Markdown table."""
    rows = [
        [f"`{code}`", _facts(told.needs, told.may), _wording(TONGUE.phrases[code][0])]
        for code, told in REMEDIES.items()
    ]
    return _table(["code", "facts", "in English: you can ..."], rows)


_LIVES = timedelta(days=2)
PLANNED: tuple[tuple[str, bool, Capabilities], ...] = (
    ("ready; it refunds parts", True, Capabilities()),
    ("ready; it refunds no parts, and extends", True, Capabilities(partial_refund=False, extension=True)),
    ("ready; it refunds no parts, and takes a token again", True, Capabilities(partial_refund=False, reuse=True)),
    ("ready; it can do none of these", True, Capabilities(partial_refund=False)),
    ("not ready; it extends", False, Capabilities(extension=True)),
    ("not ready; it takes a token again", False, Capabilities(reuse=True)),
    ("not ready; it can do neither", False, Capabilities()),
)
"""Goods and provider, of which the page on authorisations tells what is planned."""


def ends() -> str:
    """What the planner does about an authorisation that lasts two days, for goods that wait for three."""
    rows: list[list[str]] = []
    for told, is_ready, can in PLANNED:
        order = samples.authorised(samples.order())
        order = samples.ready(order) if is_ready else order
        order = evolve(order, payments=tuple(evolve(p, until=samples.NOW + _LIVES) for p in order.payments))
        terms = Terms({"card": can}, timedelta(hours=6))
        made = [step for step in plan(order, terms, samples.NOW).steps if step.at is not None]
        when = "before it ends" if made[0].at and made[0].at < samples.NOW + _LIVES else "when it ends"
        rows.append([told, when, ", then ".join(f"`{type(step).__name__}`" for step in made)])
    return _table(["the goods and the provider", "when", "what is done"], rows)


def plan_reasons() -> str:
    """Why a step is planned."""
    return _table(["`reason`", "in words"], ([f"`{code}`", told] for code, told in REASONS.items()))


TABLES: Mapping[str, Callable[[], str]] = {
    "couplings": couplings, "reasons": reasons, "remedies": remedies, "ends": ends, "plan_reasons": plan_reasons,
}  # fmt: skip


def _table(header: list[str], rows: Iterable[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *rows))


def _facts(needs: Iterable[str], may: Iterable[str]) -> str:
    return ", ".join([*(f"`{name}`" for name in needs), *(f"(`{name}`)" for name in may)])


def _wording(wording: str) -> str:
    """A wording with its facts in italics; of two forms, the one for many."""
    return PLACE.sub(lambda place: (place["other"] or "#").replace("#", f"*{place['fact']}*"), wording)


def _listed(states: Iterable[Enum]) -> str:
    chosen = set(states)
    whole = list(type(next(iter(chosen))))
    if len(chosen) == len(whole):
        return "any"
    return ", ".join(state.value for state in whole if state in chosen)


def drawn(page: str) -> str:
    """The page with everything drawn anew. Raises ValueError for a marker that is unknown or never closed."""
    if len(BEGINNING.findall(page)) != len(MARKED.findall(page)):
        raise ValueError("a diagram or table begins that does not end")

    def fill(found: re.Match[str]) -> str:
        kind, name = found["kind"], found["name"]
        if kind == "diagram" and name in MACHINES:
            drawing = diagram(name)
        elif kind == "table" and name in TABLES:
            drawing = TABLES[name]()
        else:
            raise ValueError(f"there is no {kind} {name}")
        return f"{found['begin']}\n{drawing}\n{found['end']}"

    return MARKED.sub(fill, page)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Draw the diagrams of README.md and docs/ from the tables.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where a drawing is old")
    parser.add_argument("pages", nargs="*", type=Path, default=PAGES, help="default: README.md and docs/*.md")
    given = parser.parse_args(arguments)
    old: list[Path] = []
    for page in given.pages:
        text = page.read_text(encoding="utf-8")
        try:
            after = drawn(text)
        except ValueError as problem:
            print(f"{page}: {problem}", file=sys.stderr)
            return 1
        if after != text:
            old.append(page)
            if not given.check:
                page.write_text(after, encoding="utf-8")
    if given.check:
        for page in old:
            print(f"{page}: not as the tables say; run python docs/diagrams.py", file=sys.stderr)
    return 1 if given.check and old else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
