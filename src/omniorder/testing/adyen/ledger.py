"""What Adyen makes of each request: the reply at once, and the notifications that follow."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from attrs import evolve, frozen

from omniorder.testing.adyen.state import CARDS, REFUSALS, AtAdyen, FakeCard, FakeLink


@frozen
class Told:
    """An event that a notification tells."""

    payment: AtAdyen
    event: str
    success: bool = True
    amount: int | None = None
    psp: str = ""
    reference: str = ""
    reason: str = ""


@frozen
class Reply:
    """Status and JSON of a reply, and what is notified."""

    status: int
    body: Mapping[str, Any]
    told: tuple[Told, ...] = ()


class Ledger:
    """Payments at one merchant account. Not thread-safe: its owner is."""

    def __init__(self, *, several_captures: bool) -> None:
        self._several = several_captures
        self._numbers = count(1)
        self.payments: dict[str, AtAdyen] = {}
        self.links: dict[str, FakeLink] = {}
        self.cards: dict[str, FakeCard] = dict(CARDS)
        self.authorises: int | None = None
        """What the next authorisation is for, whatever is asked."""

    def number(self, prefix: str = "P") -> str:
        """A reference of sixteen characters."""
        return f"{prefix}{next(self._numbers):015d}"

    def find(self, reference: str) -> AtAdyen | None:
        """The latest payment under our reference."""
        return next((p for p in reversed(self.payments.values()) if p.reference == reference), None)

    # --- authorising ---

    def pay(self, body: Mapping[str, Any]) -> Reply:
        """`POST /payments`."""
        method: Mapping[str, Any] = body["paymentMethod"]
        card = self._card(method)
        if card is None:
            return invalid("Required object 'paymentMethod' is not provided.", "14_0415")
        more: Mapping[str, str] = body.get("additionalData", {})
        payment = AtAdyen(
            self.number(), body["reference"], body["amount"]["currency"], body["amount"]["value"], card.brand,
            manual=more.get("manualCapture") == "true", preauthorised=more.get("authorisationType") == "PreAuth",
            card=card, metadata=dict(body.get("metadata", {})),
        )  # fmt: skip
        self.payments[payment.psp] = payment
        match card.asks:
            case "redirect":
                action = {"type": "redirect", "method": "GET", "paymentMethodType": "scheme",
                          "url": f"https://checkoutshopper-test.adyen.com/redirect/{payment.psp}"}  # fmt: skip
                return Reply(200, {"resultCode": "RedirectShopper", "action": action})
            case "challenge":
                action = {
                    "type": "threeDS2",
                    "subtype": "challenge",
                    "token": payment.psp,
                    "paymentMethodType": "scheme",
                }
                return Reply(200, {"resultCode": "ChallengeShopper", "action": action, "pspReference": payment.psp})
            case "later":
                return Reply(200, {"resultCode": "Received", "pspReference": payment.psp})
            case _:
                return self.settle(payment)

    def settle(self, payment: AtAdyen) -> Reply:
        """The card's bank has decided."""
        common = {
            "pspReference": payment.psp,
            "merchantReference": payment.reference,
            "paymentMethod": {"type": "scheme", "brand": payment.brand},
        }
        if refusal := REFUSALS.get(payment.card.holder):
            code, reason = refusal
            payment.refused = reason
            told = Told(payment, "AUTHORISATION", success=False, amount=payment.asked, reason=reason)
            body = {**common, "resultCode": "Refused", "refusalReason": reason, "refusalReasonCode": code}
            return Reply(200, body, (told,))
        payment.authorised, self.authorises = self.authorises or payment.asked, None
        if not payment.manual:
            payment.captured = payment.authorised
        amount = {"value": payment.authorised, "currency": payment.currency}
        told = Told(payment, "AUTHORISATION", reason="033899:1111:03/2030")
        return Reply(200, {**common, "resultCode": "Authorised", "amount": amount}, (told,))

    def settle_at_reader(self, payment: AtAdyen, card: FakeCard) -> Reply:
        """A card was presented."""
        payment.card, payment.brand = card, card.brand
        self.payments[payment.psp] = payment
        return self.settle(payment)

    def details(self, body: Mapping[str, Any]) -> Reply:
        """`POST /payments/details`."""
        details: Mapping[str, str] = body["details"]
        result = details.get("redirectResult") or details.get("threeDSResult") or ""
        psp, _, said = result.partition("!")
        payment = self.payments.get(psp)
        if payment is None or payment.authorised or payment.refused or payment.cancelled:
            return invalid("Invalid payload provided", "14_006")
        if said != "ok":
            payment.card = evolve(payment.card, holder="DECLINED")
            reply = self.settle(payment)
            body = {**reply.body, "refusalReason": "3D Not Authenticated", "refusalReasonCode": "11"}
            return evolve(reply, body=body)
        return self.settle(payment)

    # --- modifying ---

    def capture(self, psp: str, body: Mapping[str, Any]) -> Reply:
        """`POST /payments/{psp}/captures`: accepted whatever it is, and decided afterwards."""
        payment, amount = self.payments.get(psp), body["amount"]["value"]
        if payment is None or body["amount"]["currency"] != payment.currency:
            return invalid("Original pspReference required for this operation", "167")
        good = 0 < amount <= payment.open and (self._several or payment.captures == 0)
        if good:
            payment.captured += amount
            payment.captures += 1
            if not self._several:
                payment.authorised = payment.captured
        reason = "" if good else "Authorisation expired" if payment.expired else "Insufficient balance on payment"
        return self._received(payment, "captures", body, Told(payment, "CAPTURE", good, amount, reason=reason))

    def refund(self, psp: str, body: Mapping[str, Any]) -> Reply:
        """`POST /payments/{psp}/refunds`."""
        payment, amount = self.payments.get(psp), body["amount"]["value"]
        if payment is None or body["amount"]["currency"] != payment.currency:
            return invalid("Original pspReference required for this operation", "167")
        good = 0 < amount <= payment.captured - payment.refunded
        payment.refunded += amount if good else 0
        reason = "" if good else "Insufficient balance on payment"
        return self._received(payment, "refunds", body, Told(payment, "REFUND", good, amount, reason=reason))

    def cancel(self, psp: str, body: Mapping[str, Any]) -> Reply:
        """`POST /payments/{psp}/cancels`."""
        payment = self.payments.get(psp)
        if payment is None:
            return invalid("Original pspReference required for this operation", "167")
        told = Told(payment, "CANCELLATION", payment.cancelled or payment.open > 0)
        payment.cancelled = payment.cancelled or told.success
        return self._received(payment, "cancels", body, told)

    def cancel_by_reference(self, body: Mapping[str, Any]) -> Reply:
        """`POST /cancels`: accepted although there may be no such payment."""
        payment = self.find(body["paymentReference"])
        found = payment is not None and not payment.refused and payment.captured < max(1, payment.authorised)
        if payment is not None and found:
            payment.cancelled = True
        of = payment or AtAdyen(self.number(), body["paymentReference"], "EUR", 0, "")
        told = Told(of, "TECHNICAL_CANCEL", found, of.authorised, reason="" if found else "Transaction not found")
        reply = self._received(of, "cancels", body, told)
        body = {name: value for name, value in reply.body.items() if name != "paymentPspReference"}
        return evolve(reply, body={**body, "paymentReference": of.reference})

    def update_amount(self, psp: str, body: Mapping[str, Any]) -> Reply:
        """`POST /payments/{psp}/amountUpdates`."""
        payment, amount = self.payments.get(psp), body["amount"]["value"]
        if payment is None:
            return invalid("Original pspReference required for this operation", "167")
        good = payment.preauthorised and payment.open > 0 and payment.captured == 0
        payment.authorised = amount if good else payment.authorised
        reason = "" if good else "Refused"
        told = Told(payment, "AUTHORISATION_ADJUSTMENT", good, amount, reason=reason)
        return self._received(payment, "amountUpdates", body, told)

    # --- links ---

    def link(self, body: Mapping[str, Any]) -> Reply:
        """`POST /paymentLinks`."""
        payment = AtAdyen(
            self.number(), body["reference"], body["amount"]["currency"], body["amount"]["value"], "",
            manual=bool(body.get("manualCapture")), metadata=dict(body.get("metadata", {})),
        )  # fmt: skip
        link = FakeLink(self.number("PL"), payment)
        self.links[link.id] = link
        return Reply(201, {**self.show(link).body, "expiresAt": body["expiresAt"], "amount": body["amount"]})

    def show(self, link: FakeLink) -> Reply:
        """`GET /paymentLinks/{id}`."""
        url = f"https://test.adyen.link/{link.id}"
        return Reply(200, {"id": link.id, "url": url, "status": link.status, "reference": link.payment.reference})

    def pay_link(self, link: FakeLink, card: FakeCard) -> Reply:
        """The customer pays; another card may be tried when one is refused."""
        payment = evolve(link.payment, psp=self.number(), card=card, brand=card.brand)
        self.payments[payment.psp] = payment
        if card.holder not in REFUSALS:
            link.status = "completed"
        return self.settle(payment)

    # --- the parts of it ---

    def _card(self, method: Mapping[str, Any]) -> FakeCard | None:
        stored, number = method.get("storedPaymentMethodId", ""), method.get("encryptedCardNumber", "")
        if stored:
            return self.cards.get(stored)
        if method.get("type") in ("applepay", "googlepay") and len(method) > 1:
            return FakeCard(f"visa_{method['type']}")
        if not number.startswith("test_"):
            return None
        return FakeCard("mc" if number[5:6] in "25" else "visa", method.get("holderName", ""))

    def _received(self, payment: AtAdyen, kind: str, body: Mapping[str, Any], told: Told) -> Reply:
        psp = self.number("M")
        reply: dict[str, Any] = {
            "merchantAccount": body["merchantAccount"],
            "paymentPspReference": payment.psp,
            "pspReference": psp,
            "reference": body.get("reference", ""),
            "status": "received",
        }
        if "amount" in body:
            reply["amount"] = body["amount"]
        return Reply(201, reply, (evolve(told, psp=psp, reference=body.get("reference", "")),))


def invalid(message: str, code: str, *, status: int = 422, kind: str = "validation") -> Reply:
    """An error as Adyen words it."""
    return Reply(status, {"status": status, "errorCode": code, "message": message, "errorType": kind})
