from collections.abc import Mapping

class AdyenError(Exception):
    message: object
    headers: Mapping[str, str] | str
    status_code: int | str
    error_code: str | None

class AdyenAPIResponseError(AdyenError): ...
class AdyenInvalidRequestError(AdyenError): ...
class AdyenEndpointInvalidFormat(AdyenError): ...
