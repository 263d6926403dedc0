"""A reason: a code, its facts, the reasons below it, and what would change the answer.

All but the code and the facts follows from these: `remedies` are worked out, so that whoever refuses something says
only what is the case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from attrs import field, frozen

from omniorder.reasons.codes import CODES, REMEDIES, Told, is_something, step

_NOTHING = Told()


def _copied(facts: Mapping[str, Any]) -> dict[str, Any]:
    return dict(facts)


@frozen
class Remedy:
    """Something that would change the answer: a stable code (see `codes.REMEDIES`) and its facts."""

    code: str
    facts: Mapping[str, Any] = field(factory=dict[str, Any], converter=_copied)

    def __hash__(self) -> int:
        return hash((self.code, *sorted(self.facts)))

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return {"code": self.code, "facts": dict(self.facts)}


@frozen
class Reason:
    """Why not: a stable code (see `codes.CODES`), JSON facts, and the reasons `because` of which it is so.

    Equal by value, and hashable. A code of one's own is possible: it has no remedies, and is said as "this isn't
    possible".
    """

    code: str
    facts: Mapping[str, Any] = field(factory=dict[str, Any], converter=_copied)
    because: tuple[Reason, ...] = ()

    def __hash__(self) -> int:
        return hash((self.code, *sorted(self.facts), self.because))

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """What would change this answer, as far as it can be told from the facts; any one of them is enough."""
        return tuple(remedy for remedy in self._remedies() if remedy is not None)

    def to_json(self) -> dict[str, Any]:
        """The whole tree as JSON data, remedies included."""
        return {
            "code": self.code,
            "facts": dict(self.facts),
            "because": [reason.to_json() for reason in self.because],
            "remedies": [remedy.to_json() for remedy in self.remedies],
        }

    @property
    def leaves(self) -> tuple[Reason, ...]:
        """The reasons that have none below them: what it all comes down to."""
        return tuple(self._leaves())

    def _leaves(self) -> Iterator[Reason]:
        if not self.because:
            yield self
        for reason in self.because:
            yield from reason._leaves()

    def _remedies(self) -> Iterator[Remedy | None]:
        match self.code, self.facts:
            case "transition.illegal", {"legal": [*events]}:
                yield from (_offered(step(event), {}) for event in cast("Sequence[str]", events))
            case "question.open", {"options": [*options]}:
                for option in cast("Sequence[object]", options):
                    if isinstance(option, Mapping):
                        facts = cast("Mapping[str, Any]", option)
                        yield _offered(f"option.{facts.get('alternative')}", facts)
            case "stock.short", {"orderable": orderable}:
                # to what can be ordered: at its heaviest that is what is there
                named = {**self.facts, "available": orderable}
                yield from (_offered(cure, named) for cure in CODES[self.code].remedies)
            case code, facts:
                yield from (_offered(cure, facts) for cure in CODES.get(code, _NOTHING).remedies)


def _offered(code: str, facts: Mapping[str, Any]) -> Remedy | None:
    told = REMEDIES.get(code)
    if told is None or not all(is_something(facts.get(name)) for name in told.needs):
        return None
    return Remedy(code, {name: facts[name] for name in told.facts if is_something(facts.get(name))})
