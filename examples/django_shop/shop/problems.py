"""Every refusal becomes an RFC 9457 problem, in one place."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from omniorder import OmniorderError, to_json
from omniorder.errors import PaymentDeclined, QuoteChanged, VersionConflict


class Problems:
    """Middleware: answers with the error's own status, and with what the client needs to go on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, OmniorderError):
            return None
        body = error.problem()
        match error:
            case VersionConflict():
                body["current"] = to_json(error.snapshot)
            case QuoteChanged():
                body["quote"] = to_json(error.quote)
            case PaymentDeclined():
                body["order"] = to_json(error.order)
        headers = {"Retry-After": "1"} if error.retry else None
        return JsonResponse(body, status=error.status, headers=headers, content_type="application/problem+json")
