"""The surface: what is public, that it is explained, and what it costs to import."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import omniorder
from omniorder import errors
from omniorder.services import touchpoints

NAMES = """
Actor Add Agent Article Associate Capabilities Card Cart CartLine CartState Change Channel Customer Edit Funding Guest
IsActionRequired IsAuthorised IsDueInStore IsSettled IsUnanswered Level Money Movement Note Offer OmniorderError Order
OrderHub OrderLine OrderState Page PayInStore Payment PaymentState Pick Pickup PickupLine PickupPass PickupState Point
Price Promise PromiseState Quote QuoteLine Reason Receipt ReceiptLine Recorded Remove Settings Slot Stage Stamp Store
SweepReport System Taken TaxPart Tender Unit Units WebhookReply Wire errors events from_json to_json
"""


def test_the_public_names_are_these_and_no_others() -> None:
    assert sorted(omniorder.__all__) == NAMES.split()


@pytest.mark.parametrize("name", NAMES.split())
def test_every_public_name_is_explained(name: str) -> None:
    thing = getattr(omniorder, name)
    if name not in ("Actor", "Edit"):  # unions of classes that are explained
        assert inspect.getdoc(thing), name


def desks() -> Iterator[type[Any]]:
    """The classes that touchpoints hand out."""
    for kind in vars(touchpoints).values():
        if inspect.isclass(kind) and kind.__module__.startswith("omniorder.services."):
            yield kind


@pytest.mark.parametrize("kind", [omniorder.OrderHub, *desks()], ids=lambda kind: kind.__name__)
def test_every_method_of_a_desk_is_explained(kind: type[Any]) -> None:
    for name, method in vars(kind).items():
        if not name.startswith("_") and (inspect.isfunction(method) or isinstance(method, property)):
            assert inspect.getdoc(method), f"{kind.__name__}.{name}"


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
