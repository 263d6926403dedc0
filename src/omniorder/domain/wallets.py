"""The pick-up pass for the wallet of a phone: the fields that Apple's and Google's formats need, as JSON values.

Apple: pass.json of a generic pass (PassKit package format). Google: a generic object (Google Wallet API). Both are
signed by whoever issues them, who adds their own identifiers, name, colours and pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from omniorder.domain.stores import Point

_LABELS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "en": {"title": "Pick-up", "order": "Order", "store": "Store", "code": "Code", "until": "Collect by"},
        "sv": {"title": "Hämtning", "order": "Beställning", "store": "Butik", "code": "Kod", "until": "Hämta senast"},
        "bg": {"title": "Получаване", "order": "Поръчка", "store": "Магазин", "code": "Код", "until": "Получете до"},
    }
)


def payload(
    *, order: str, code: str, qr: str, starts: datetime | None, until: datetime | None, store: str,
    place: Point | None, language: str,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """The pass, as `apple` and as `google` have it. Labels in `language`, or else in English."""
    tongue = language.partition("-")[0].lower()
    tongue = tongue if tongue in _LABELS else "en"
    said = _LABELS[tongue]
    begins, ends = _second(starts), _second(until)
    apple: dict[str, Any] = {
        "formatVersion": 1,
        "serialNumber": order,
        "description": f"{said['title']} {order}",
        "barcodes": [
            {"format": "PKBarcodeFormatQR", "message": qr, "messageEncoding": "iso-8859-1", "altText": code},
        ],
        "generic": {
            "primaryFields": [{"key": "order", "label": said["order"], "value": order}],
            "secondaryFields": [{"key": "store", "label": said["store"], "value": store}],
            "auxiliaryFields": [{"key": "code", "label": said["code"], "value": code}],
        },
    }
    google: dict[str, Any] = {
        "state": "ACTIVE",
        "cardTitle": _localised(said["title"], tongue),
        "header": _localised(order, tongue),
        "subheader": _localised(store, tongue),
        "barcode": {"type": "QR_CODE", "value": qr, "alternateText": code},
        "textModulesData": [{"id": "code", "header": said["code"], "body": code}],
    }
    if begins:
        apple["relevantDate"] = begins
    if ends:
        apple["expirationDate"] = ends
        google["validTimeInterval"] = {"end": {"date": ends}}
        last = {"key": "until", "label": said["until"], "value": ends, "dateStyle": "PKDateStyleMedium"}
        apple["generic"]["auxiliaryFields"].append({**last, "timeStyle": "PKDateStyleShort"})
    if place:
        apple["locations"] = [{"latitude": place.lat, "longitude": place.lon}]
        google["merchantLocations"] = [{"latitude": place.lat, "longitude": place.lon}]
    return {"apple": apple, "google": google}


def _second(at: datetime | None) -> str:
    """As both formats read it: W3C's profile of ISO 8601, to the second."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _localised(value: str, language: str) -> dict[str, Any]:
    return {"defaultValue": {"language": language, "value": value}}
