"""Opening a hub: what can't be a port, a secret or a gateway is said there, and not at its first use."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from omniorder import OrderHub
from omniorder.errors import InvalidInput, Misconfigured, OmniorderError
from omniorder.testing import FakeGateway

PORTS: Final = ("inventory", "outside", "catalogue", "prices", "stores", "notifier", "clock", "entropy")


class Half:
    """Some methods of every port, and all of none."""

    reserve = consume = 5

    def available(self) -> None: ...
    def look_up(self) -> None: ...
    def all(self) -> None: ...


@pytest.mark.parametrize("value", [5, "x", object(), Half(), {}], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("port", PORTS)
def test_a_port_has_what_is_called_on_it(port: str, value: object) -> None:
    _refused(InvalidInput, field=port, **{port: value})


@pytest.mark.parametrize("gateway", [None, 5, object(), Half()], ids=lambda value: type(value).__name__)
def test_a_gateway_has_what_is_called_on_it(gateway: object) -> None:
    _refused(InvalidInput, field="gateways", gateways={"card": gateway})


@pytest.mark.parametrize("kind", [5, None, "", b"card"])
def test_a_gateway_is_for_a_kind_of_tender(kind: object) -> None:
    _refused(InvalidInput, field="gateways", gateways={kind: FakeGateway()})


@pytest.mark.parametrize(
    "secret", [5, None.__class__, ["only-for-the-tests"], {"1": 5}, {5: "only-for-the-tests"}, {"1": None}], ids=repr
)
def test_a_secret_is_text_or_bytes_or_several_by_their_names(secret: object) -> None:
    _refused(Misconfigured, secret=secret)


def test_an_error_about_a_secret_does_not_tell_it() -> None:
    wrong: Any = ["only-for-the-tests"]
    with pytest.raises(Misconfigured) as refused:
        OrderHub.open("memory://", secret=wrong)
    assert "only-for" not in str(refused.value.problem())


def test_nothing_is_opened_for_what_is_refused(tmp_path: Path) -> None:
    clock: Any = 5
    with pytest.raises(InvalidInput):
        OrderHub.open(f"sqlite:///{(tmp_path / 'shop.db').as_posix()}", clock=clock, migrate=True)
    assert list(tmp_path.iterdir()) == []


def test_a_port_of_ones_own_needs_the_methods_and_no_base_class() -> None:
    class Duck:
        def __getattr__(self, name: str) -> Any:
            return lambda *_, **__: None

    duck: Any = Duck()
    ports: dict[str, Any] = {port: duck for port in PORTS if port not in ("outside", "notifier")}
    OrderHub.open("memory://", gateways={"card": duck}, notifier=duck, **ports).close()
    OrderHub.open("memory://", outside=duck).close()


def _refused(error: type[OmniorderError], field: str | None = None, **ports: Any) -> None:
    with pytest.raises(error) as wrong:
        OrderHub.open("memory://", **ports)
    assert type(wrong.value) is error
    assert wrong.value.facts.get("field") == field
