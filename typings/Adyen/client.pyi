from collections.abc import Mapping
from typing import Any

from Adyen.httpclient import HTTPClient

class AdyenResult:
    message: object
    status_code: int

class AdyenClient:
    platform: str
    http_timeout: int
    http_init: bool
    http_client: HTTPClient
    def call_adyen_api(
        self,
        request_data: Mapping[str, Any] | None,
        service: str,
        method: str,
        endpoint: str,
        idempotency_key: str | None = ...,
    ) -> AdyenResult: ...
