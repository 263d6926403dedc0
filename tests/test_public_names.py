"""The surface: what is public, that it is explained, and what it costs to import."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from enum import Enum
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pytest
from attrs import frozen

import omniorder
from omniorder import errors, ports, testing
from omniorder.domain import (
    bookkeeping,
    channels,
    counter,
    handoffs,
    lifecycle,
    merging,
    offline_hand_overs,
    proofs,
    quantities,
    reconciling,
    signed_passes,
    stock,
)
from omniorder.domain.events import EVENTS
from omniorder.ports import notifications
from omniorder.services import touchpoints
from omniorder.testing import contracts, invariants, strategies
from omniorder.testing.invariants import INVARIANTS, Invariant

NAMES = """
Account AccountKind AccountState Actor Add Advice Agent AgentTouchpoint Allow Alternative Arrival Article Associate
Availability Available BankTransfer Bill Bin BinUse Capabilities Card Cart CartLine CartState Change Channel Check
CheckKind Claimed Closure Condition Consent ConsentMode Correction CorrectionKind Customer CustomerTouchpoint
Difference DifferenceKind Edit Endangered Entry ExpectedDelivery Funding GiftCard Guest Handling Handoff HandoffState
HandoffTicket Holder IsActionRequired IsAuthorised IsDueInStore IsSettled IsUnanswered IssuedCard Label Leftovers Leg
Level Measures MergeRule Merged MergedLine Message MissingUnits Money Movement MovementKind New NoShowPolicy NotTaken
Note Notifier Occasion Offer OfflineHandOver OmniorderError OpenRefund Option Order OrderChange OrderEdit OrderHub
OrderLine OrderState Pace Page PaidBy PayInStore PayLink Payment PaymentState Pick Picked Pickup PickupLine PickupPass
PickupState Plan Point Posting Price Promise PromiseState Proof Proposal Proxy Question Quote QuoteLine Ranking Reason
Receipt ReceiptLine Reconciliation Recorded RefundRule RefundState Remedy RemindAfter RemindBefore Remove Rerouting
Rest ReturnPolicy ReturnSlip Returnable ReturnableLine Returned Risk Scope Service Settings Shortage SigningKeys Slot
Sourcing SourcingPolicy Stage Stamp Step Store StoreCredit StoreTouchpoint Strategy SweepReport SyncOutcome Synced
System SystemTouchpoint Taken Task TaxPart Temperature Tender Tendered Terminal Transfer TransferLine TransferState
Unit Units Unwanted Waiting Walk Wallet WebhookReply Wire WithTransfer errors events from_json ranking say sourcing
steps to_json
"""


def test_the_public_names_are_these_and_no_others() -> None:
    assert sorted(omniorder.__all__) == NAMES.split()


# --- everything is explained ------------------------------------------------------------------------------


def own_docstring(thing: object) -> str:
    """What stands at the thing itself: `inspect.getdoc` would take the docstring of a class that it comes from."""
    told = vars(thing).get("__doc__") if inspect.isclass(thing) else getattr(thing, "__doc__", None)
    return (told or "").strip() if isinstance(told, str) else ""


def unexplained(thing: object, name: str) -> Iterator[str]:
    """The thing, and what of its own methods and properties is public: those without a docstring of their own."""
    if not own_docstring(thing):
        yield name
    if inspect.isclass(thing):
        for part, method in vars(thing).items():
            method = getattr(method, "__func__", method)  # of a class method
            asked = inspect.isfunction(method) or isinstance(method, (property, cached_property))
            if asked and not part.startswith("_") and not own_docstring(method):
                yield f"{name}.{part}"


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """The package and everything in it."""
    yield package
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def defined_in(module: ModuleType, kind: type[Any]) -> bool:
    return kind.__module__ == module.__name__


def protocols(module: ModuleType) -> Iterator[type[Any]]:
    """The protocols that this module defines."""
    for kind in vars(module).values():
        if inspect.isclass(kind) and defined_in(module, kind) and getattr(kind, "_is_protocol", False):
            yield kind


def desks() -> Iterator[type[Any]]:
    """The classes that touchpoints hand out, and the touchpoints."""
    for kind in vars(touchpoints).values():
        if inspect.isclass(kind) and kind.__module__.startswith("omniorder.services."):
            yield kind


def entries() -> Iterator[tuple[str, object]]:
    """What the tests of callers and authors of adapters import from `omniorder.testing`."""
    offered = (testing, strategies, invariants, *(found for found in modules(contracts) if found is not contracts))
    for module in offered:
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isroutine(thing) or isinstance(thing, Invariant):
                yield f"{module.__name__}.{name}", thing


PORTS = [kind for module in modules(ports) for kind in protocols(module)]
ENTRIES = dict(entries())
SUITES = [name for name, thing in ENTRIES.items() if inspect.isclass(thing) and hasattr(thing, "open")]


@pytest.mark.parametrize("name", NAMES.split())
def test_every_public_name_is_explained(name: str) -> None:
    if name not in ("Actor", "Edit"):  # unions of classes that are explained
        assert not list(unexplained(getattr(omniorder, name), name))


@pytest.mark.parametrize("kind", [omniorder.OrderHub, *desks()], ids=lambda kind: kind.__name__)
def test_every_method_of_a_desk_is_explained(kind: type[Any]) -> None:
    assert not list(unexplained(kind, kind.__name__))


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_says_what_happened(name: str) -> None:
    assert own_docstring(EVENTS[name])


@pytest.mark.parametrize("kind", PORTS, ids=lambda kind: kind.__name__)
def test_every_port_says_what_each_method_means(kind: type[Any]) -> None:
    assert not list(unexplained(kind, kind.__name__))


def test_the_ports_are_found() -> None:
    """Or nothing would be asked of them above."""
    found = {kind.__name__ for kind in PORTS}
    assert found >= {"Catalogue", "Clock", "Entropy", "Inventory", "Notifier", "PaymentGateway", "PriceBook"}
    assert found >= {"Inspection", "Storage", "StoreDirectory", "Transaction", "TransactionalInventory"}


@pytest.mark.parametrize("kind", [lifecycle.Purse, invariants.ProviderBooks])
def test_every_other_protocol_says_what_each_method_means(kind: type[Any]) -> None:
    assert not list(unexplained(kind, kind.__name__))


@pytest.mark.parametrize("module", list(modules(ports)), ids=lambda module: module.__name__)
def test_whatever_crosses_a_port_is_explained(module: ModuleType) -> None:
    for name, thing in vars(module).items():
        if inspect.isclass(thing) and defined_in(module, thing) and not name.startswith("_"):
            assert not list(unexplained(thing, name))


@pytest.mark.parametrize("name", [name for name in ENTRIES if name not in SUITES])
def test_every_entry_for_tests_is_explained(name: str) -> None:
    assert not list(unexplained(ENTRIES[name], name))


@pytest.mark.parametrize("name", SUITES)
def test_every_suite_is_explained_and_what_its_subclass_must_say(name: str) -> None:
    """Its promises and rules are told by their names."""
    suite = ENTRIES[name]
    assert own_docstring(suite)
    assert own_docstring(getattr(suite, "open", None))


def test_the_entries_for_tests_are_found() -> None:
    assert {name.rpartition(".")[2] for name in SUITES} == {
        "CatalogueContract", "InventoryContract", "InventoryMachine", "OutsideInventoryContract",
            "OutsideInventoryMachine", "PaymentGatewayContract", "PriceBookContract",
        "StorageContract", "StoreDirectoryContract",
    }  # fmt: skip
    assert {"omniorder.testing.Shop", "omniorder.testing.invariants.check_all"} <= ENTRIES.keys()


# Python keeps no docstring of an enum's member, so these are read from the source, where the documentation finds them


def explained_members(source: str) -> dict[str, dict[str, bool]]:
    """By enum and member, whether a text stands right below it."""
    found: dict[str, dict[str, bool]] = {}
    for kind in ast.parse(source).body:
        if isinstance(kind, ast.ClassDef) and any(isinstance(b, ast.Name) and b.id == "Enum" for b in kind.bases):
            found[kind.name] = {}
            for line, below in zip(kind.body, [*kind.body[1:], None], strict=True):
                if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
                    found[kind.name][line.targets[0].id] = _is_text(below)
    return found


def _is_text(line: ast.stmt | None) -> bool:
    constant = line.value if isinstance(line, ast.Expr) else None
    return isinstance(constant, ast.Constant) and isinstance(constant.value, str) and bool(constant.value.strip())


def enums() -> Iterator[tuple[ModuleType, type[Enum]]]:
    for module in (
        lifecycle, channels, counter, handoffs, merging, proofs, quantities, stock, notifications, bookkeeping,
        reconciling, offline_hand_overs, signed_passes,
    ):  # fmt: skip
        for kind in vars(module).values():
            if inspect.isclass(kind) and issubclass(kind, Enum) and defined_in(module, kind):
                yield module, kind


@pytest.mark.parametrize(("module", "kind"), list(enums()), ids=lambda one: one.__name__)
def test_every_member_of_an_enum_is_explained(module: ModuleType, kind: type[Enum]) -> None:
    assert own_docstring(kind)
    assert explained_members(inspect.getsource(module))[kind.__name__] == dict.fromkeys(kind.__members__, True)


def test_every_enum_of_the_lifecycle_is_among_them() -> None:
    machines = {type(next(iter(table))) for table in lifecycle.MACHINES.values()}
    assert machines | {lifecycle.Funding} <= {kind for _, kind in enums()}


# --- and the tests above can fail -------------------------------------------------------------------------


class Told:
    """Explained."""

    def method(self) -> None:
        """Explained."""


class Untold(Told):
    def method(self) -> None: ...


@frozen
class UntoldFact(Told):
    amount: int = 0

    @property
    def shown(self) -> int:
        return self.amount

    @classmethod
    def none(cls) -> UntoldFact:
        return cls()


class UntoldPort(Protocol):
    """Explained, but for what one must do to be one."""

    @property
    def capabilities(self) -> int: ...

    def told(self) -> None:
        """Explained."""


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        (Told, []),
        (Untold, ["it", "it.method"]),
        (UntoldFact, ["it", "it.shown", "it.none"]),
        (UntoldPort, ["it.capabilities"]),
    ],
)
def test_an_inherited_docstring_explains_nothing(kind: type[Any], missing: list[str]) -> None:
    assert list(unexplained(kind, "it")) == missing


def test_a_member_without_a_text_below_it_is_found() -> None:
    source = '''
class State(Enum):
    """Explained."""
    OPEN = "open"
    """It is open."""
    SHUT = "shut"
    LOST = "lost"
    """ """
    LAST = "last"
'''
    assert explained_members(source) == {"State": {"OPEN": True, "SHUT": False, "LOST": False, "LAST": False}}


# --- the page about invariants ----------------------------------------------------------------------------

PAGE = (Path(__file__).parent.parent / "docs" / "invariants.md").read_text(encoding="utf-8")
LABEL = r"[SMOETP][1-9]"


def labels(one: Invariant) -> list[str]:
    """The letters and numbers with which an invariant's docstring begins: `S1, S4: what is on hand ...`."""
    begins = re.match(rf"(?:{LABEL}(?:, )?)+(?=: )", one.claim)
    return re.findall(LABEL, begins[0]) if begins else []


AFTER_A_SWEEP = (
    invariants.nothing_is_overdue,
    invariants.nothing_is_held_past_its_grace,
    invariants.nothing_stays_unknown,
)


@pytest.mark.parametrize("one", [*INVARIANTS, *AFTER_A_SWEEP], ids=lambda one: one.name)
def test_the_page_lists_every_invariant_under_its_labels(one: Invariant) -> None:
    assert labels(one)
    for label in labels(one):
        row = re.search(rf"^\| {label} \|.*$", PAGE, re.MULTILINE)
        assert row, label
        assert f"`{one.name}`" in row[0], label


def test_the_page_lists_no_invariant_that_is_not_checked() -> None:
    checked = (*INVARIANTS, *AFTER_A_SWEEP)
    rows = re.findall(rf"^\| ({LABEL}) \|", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted({label for one in checked for label in labels(one)})
    names = set(re.findall(r"`(\w+)`", "\n".join(line for line in PAGE.split("\n") if line.startswith("| "))))
    assert names == {one.name for one in checked}


# --- errors, and what an import costs ---------------------------------------------------------------------


def every_error() -> list[type[errors.OmniorderError]]:
    kinds = [getattr(errors, name) for name in errors.__all__]
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, errors.OmniorderError)]


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in every_error()]
    assert len(set(codes)) == len(codes)


def test_the_tree_in_the_docstring_names_every_error() -> None:
    assert errors.__doc__
    assert all(f" {kind.__name__}" in errors.__doc__ for kind in every_error())


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError):
        getattr(omniorder, "no_such_name".lower())


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import omniorder", "attrs structlog sqlalchemy sqlmodel psycopg alembic hypothesis pytest cattrs"),
        ("from omniorder import OrderHub", "structlog sqlalchemy sqlmodel psycopg alembic hypothesis pytest"),
        (
            "from omniorder.testing import Shop; Shop.example().close()",
            "structlog sqlalchemy sqlmodel psycopg alembic hypothesis pytest",
        ),
    ],
)
def test_what_is_not_needed_is_not_loaded(statement: str, absent: str) -> None:
    """A bare import costs next to nothing, and a hub in memory loads no SQL."""
    code = f"{statement}; import sys; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not set(absent.split()) & set(told)
