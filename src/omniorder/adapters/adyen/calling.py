"""One call to Adyen by its own library, and the three kinds of no: refused, failed without effect, not known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from Adyen.client import AdyenResult
from Adyen.exceptions import AdyenAPIResponseError, AdyenEndpointInvalidFormat, AdyenInvalidRequestError

from omniorder.errors import GatewayFault, GatewayTimeout

_IN_PROGRESS: Final = "704"
"""The same key is under way elsewhere, or was."""


class Rejected(Exception):
    """Adyen refuses the request as such: its payment, its amount or its card can't be. `reason` has Adyen's code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def call(send: Callable[[], AdyenResult]) -> Mapping[str, Any]:
    """The JSON object that Adyen answered with; empty where the answer holds none.

    Raises `Rejected`, `GatewayFault` for what surely had no effect, `GatewayTimeout` for what may have had one. What
    was sent holds payment details, so the library's own errors are not passed on.
    """
    try:
        result = send()
    except AdyenAPIResponseError as error:
        raise _meaning(error) from None
    except (AdyenInvalidRequestError, AdyenEndpointInvalidFormat) as error:
        raise _fault(type(error).__name__) from None
    except Exception as problem:  # whatever the HTTP library at hand raises
        raise GatewayTimeout(gateway="adyen", reason=type(problem).__name__) from None
    message = result.message
    if not isinstance(message, dict):
        raise GatewayTimeout(gateway="adyen", reason="no JSON object")
    return cast("dict[str, Any]", message)


def _meaning(error: AdyenAPIResponseError) -> Exception:
    status = error.status_code if isinstance(error.status_code, int) else 0
    code = str(error.error_code or "")
    if code == _IN_PROGRESS:
        return GatewayTimeout(gateway="adyen", reason="the same request is under way")
    if _transient(error.headers):
        return _fault(f"HTTP {status}, to be sent again")
    if status == 422 and _kind(error.message) == "validation":
        return Rejected(f"adyen_{code}" if code else "adyen_validation")
    if 400 <= status < 500 and status != 408:
        return _fault(f"HTTP {status} {code}".rstrip())
    return GatewayTimeout(gateway="adyen", reason=f"HTTP {status}")


def _kind(message: object) -> str:
    return str(cast("Mapping[str, object]", message).get("errorType", "")) if isinstance(message, dict) else ""


def _transient(headers: object) -> bool:
    """Adyen's own word that nothing happened, and that the same request may be sent again."""
    if not isinstance(headers, Mapping):
        return False
    told = cast("Mapping[str, object]", headers)
    return any(name.lower() == "transient-error" and str(value).lower() == "true" for name, value in told.items())


def _fault(reason: str) -> GatewayFault:
    return GatewayFault(gateway="adyen", reason=reason)
