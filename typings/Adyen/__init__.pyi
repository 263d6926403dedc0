"""What the Adyen adapter uses of Adyen's own library, which ships no types."""

from collections.abc import Mapping
from typing import Any

from Adyen.client import AdyenClient as AdyenClient
from Adyen.client import AdyenResult
from Adyen.exceptions import AdyenError as AdyenError

class Adyen:
    client: AdyenClient
    checkout: Checkout
    def __init__(
        self, *, xapikey: str = ..., platform: str = ..., http_timeout: int = ..., live_endpoint_prefix: str = ...
    ) -> None: ...

class Checkout:
    payments_api: Payments
    modifications_api: Modifications
    payment_links_api: Links

class Payments:
    def payments(self, request: Mapping[str, Any], idempotency_key: str | None = ..., /) -> AdyenResult: ...
    def payments_details(self, request: Mapping[str, Any], idempotency_key: str | None = ..., /) -> AdyenResult: ...

class Modifications:
    def cancel_authorised_payment(
        self, request: Mapping[str, Any], idempotency_key: str | None = ...
    ) -> AdyenResult: ...
    def cancel_authorised_payment_by_psp_reference(
        self, request: Mapping[str, Any], psp: str, idempotency_key: str | None = ..., /
    ) -> AdyenResult: ...
    def capture_authorised_payment(
        self, request: Mapping[str, Any], psp: str, idempotency_key: str | None = ..., /
    ) -> AdyenResult: ...
    def refund_captured_payment(
        self, request: Mapping[str, Any], psp: str, idempotency_key: str | None = ..., /
    ) -> AdyenResult: ...
    def update_authorised_amount(
        self, request: Mapping[str, Any], psp: str, idempotency_key: str | None = ..., /
    ) -> AdyenResult: ...

class Links:
    def get_payment_link(self, number: str, /) -> AdyenResult: ...
    def payment_links(self, request: Mapping[str, Any], idempotency_key: str | None = ..., /) -> AdyenResult: ...
    def update_payment_link(self, request: Mapping[str, Any], number: str, /) -> AdyenResult: ...
