"""Everything that omniorder raises on purpose.

    OmniorderError
    ├── InvalidInput               the request itself can't be right; nothing was read or written
    │   ├── InvalidBarcode
    │   ├── InvalidQuantity
    │   ├── InvalidMoney
    │   │   └── CurrencyMismatch
    │   ├── InvalidText
    │   │   └── CardNumberRefused
    │   ├── InvalidInstant
    │   ├── InvalidId
    │   ├── InvalidStore
    │   ├── InvalidKey
    │   ├── InvalidFile
    │   ├── InvalidRow
    │   │   └── DuplicateRow
    │   └── TooMany
    ├── NotFound                   missing, or somebody else's: the answers are the same
    ├── NotAllowed                 this actor may not do that
    ├── Refused                    right in form, but the state of the shop says no
    │   ├── IllegalTransition
    │   ├── VersionConflict
    │   ├── HandoffInvalid
    │   ├── HandoffGone
    │   ├── CartEmpty
    │   ├── CartChanged
    │   ├── OutOfStock
    │   ├── ServiceMissing
    │   ├── SlotUnavailable
    │   ├── NoPrice
    │   ├── QuoteChanged
    │   ├── PromiseGone
    │   ├── PaymentInFlight
    │   ├── PaymentDeclined
    │   ├── TenderUnsupported
    │   ├── PlanImpossible
    │   ├── NotCovered
    │   ├── GiftCardInvalid
    │   ├── GiftCardGone
    │   ├── BalanceTooLow
    │   ├── AlreadyClaimed
    │   ├── NotToPick
    │   ├── BinFull
    │   ├── NotReady
    │   ├── NotExtended
    │   ├── WeightOutOfTolerance
    │   ├── NotPaid
    │   ├── CorrectionRefused
    │   ├── ReturnRefused
    │   ├── SubstituteRefused
    │   ├── AlreadyAttended
    │   ├── WrongCode
    │   ├── CodeLocked
    │   ├── AgeCheckNeeded
    │   ├── IdentityCheckNeeded
    │   ├── PassRefused
    │   ├── ReservationGone
    │   ├── ImportChanged
    │   └── KeyReused
    ├── StillRunning               the same command is under way elsewhere
    ├── NeedsOwnTransaction        a provider would be called inside the caller's transaction
    ├── GatewayFault               a payment provider did not do what it must
    │   ├── GatewayTimeout
    │   └── BadWebhook
    ├── InventoryFault             a retailer's own stock system did not do what it must
    │   └── InventoryUnavailable
    ├── StorageFault               the database did not do what it must; the transaction is gone
    │   ├── StaleWrite
    │   ├── AlreadyThere
    │   ├── StorageUnavailable
    │   ├── StorageFull
    │   └── SchemaOutdated
    └── Misconfigured              the hub was opened without something that this call needs
        └── MissingExtra

Each error has a stable `code` (for programs), `facts` (JSON values: what was wanted, what there is), a
message (for people), `status` (the HTTP status that fits) and `retry`: whether the very same call may
succeed later without anybody changing it. What is `Refused` also says `why`: a tree of reasons with what would
change the answer. `problem()` is all of it as RFC 9457 "problem details".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from types import MappingProxyType
from typing import Any, ClassVar, cast

from omniorder.reasons.refusals import of_refusal
from omniorder.reasons.saying import say
from omniorder.reasons.tree import Reason

__all__ = [
    "AgeCheckNeeded",
    "AlreadyAttended",
    "AlreadyClaimed",
    "AlreadyThere",
    "BadWebhook",
    "BalanceTooLow",
    "BinFull",
    "CardNumberRefused",
    "CartChanged",
    "CartEmpty",
    "CodeLocked",
    "CorrectionRefused",
    "CurrencyMismatch",
    "DuplicateRow",
    "GatewayFault",
    "GatewayTimeout",
    "GiftCardGone",
    "GiftCardInvalid",
    "HandoffGone",
    "HandoffInvalid",
    "IdentityCheckNeeded",
    "IllegalTransition",
    "ImportChanged",
    "InvalidBarcode",
    "InvalidFile",
    "InvalidId",
    "InvalidInput",
    "InvalidInstant",
    "InvalidKey",
    "InvalidMoney",
    "InvalidQuantity",
    "InvalidRow",
    "InvalidStore",
    "InvalidText",
    "InventoryFault",
    "InventoryUnavailable",
    "KeyReused",
    "Misconfigured",
    "MissingExtra",
    "NeedsOwnTransaction",
    "NoPrice",
    "NotAllowed",
    "NotExtended",
    "NotFound",
    "NotPaid",
    "NotReady",
    "NotToPick",
    "OmniorderError",
    "OutOfStock",
    "PassRefused",
    "PaymentDeclined",
    "PaymentInFlight",
    "PlanImpossible",
    "PromiseGone",
    "QuoteChanged",
    "Refused",
    "ReservationGone",
    "ReturnRefused",
    "SchemaOutdated",
    "ServiceMissing",
    "SlotUnavailable",
    "StaleWrite",
    "StillRunning",
    "StorageFault",
    "StorageFull",
    "StorageUnavailable",
    "SubstituteRefused",
    "TenderUnsupported",
    "TooMany",
    "VersionConflict",
    "WeightOutOfTolerance",
    "WrongCode",
    "shown",
]


def shown(value: object) -> str:
    """A value as it may stand in a fact or a log line: one line of ASCII, at most 80 characters."""
    try:
        text = ascii(value)
    except Exception:  # a hostile __repr__ must not hide the error that is being told
        text = f"<{type(value).__name__}>"
    return _cut(text)


def _cut(text: str) -> str:
    """At most 80 characters of it, so that no message grows with what was sent."""
    return text if len(text) <= 80 else text[:77] + "..."


class OmniorderError(Exception):
    """The root. `facts` are JSON values; attributes beside them may hold whole snapshots."""

    code: ClassVar[str] = "omniorder"
    status: ClassVar[int] = 500
    retry: ClassVar[bool] = False
    says: ClassVar[str] = "omniorder could not do this"

    def __init__(self, **facts: Any) -> None:
        self.facts: Mapping[str, Any] = MappingProxyType(facts)
        super().__init__(self.says.format_map(_Readable(facts)))

    def problem(self) -> dict[str, Any]:
        """RFC 9457 problem details, ready for `application/problem+json`."""
        return {
            "type": f"urn:omniorder:{self.code}",
            "title": (type(self).__doc__ or "").partition("\n")[0].partition(". Facts")[0].rstrip("."),
            "detail": str(self),
            "status": self.status,
            "code": self.code,
            "retry": self.retry,
            "facts": dict(self.facts),
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), dict(self.facts), self.__dict__.copy() | {"facts": None}))


class _Readable(dict[str, Any]):
    """Facts for a message: a fact that was not given reads as `?` rather than as a KeyError."""

    def __missing__(self, key: str) -> str:
        return "?"


def _rebuild(kind: type[OmniorderError], facts: dict[str, Any], rest: dict[str, Any]) -> OmniorderError:
    error = kind.__new__(kind)
    OmniorderError.__init__(error, **facts)
    error.__dict__.update({name: value for name, value in rest.items() if name != "facts"})
    return error


# --- the request can't be right ---------------------------------------------------------------------------


class InvalidInput(OmniorderError):
    """A value that no shop could accept. Facts: `field`, `value` (as shown), `rule`."""

    code = "input.invalid"
    status = 422
    says = "{field}: {rule} (got {value})"

    def __init__(self, field: str, value: object, rule: str, **facts: Any) -> None:
        super().__init__(field=field, value=shown(value), rule=rule, **facts)


class InvalidQuantity(InvalidInput):
    """Not a whole number of the article's unit within 1 and the limit."""

    code = "quantity.invalid"


class InvalidBarcode(InvalidInput):
    """No barcode that is known here, or one that was misread: its check digit says so."""

    code = "barcode.invalid"


class InvalidMoney(InvalidInput):
    """Not a whole number of minor units of a known currency."""

    code = "money.invalid"


class CurrencyMismatch(InvalidMoney):
    """Two currencies in one sum."""

    code = "money.currency_mismatch"


class InvalidText(InvalidInput):
    """Text that one database stores and another refuses, or that fools its reader."""

    code = "text.invalid"


class CardNumberRefused(InvalidText):
    """Something that looks like a card number, where none may be stored. The value is never shown."""

    code = "text.card_number"


class InvalidInstant(InvalidInput):
    """A naive datetime, or one outside the years 2000 to 2199."""

    code = "instant.invalid"


class InvalidId(InvalidInput):
    """An id, SKU or store code that is not of its form."""

    code = "id.invalid"


class InvalidStore(InvalidInput):
    """A store that can't be: unknown time zone, opening hours that don't parse, a place off the globe."""

    code = "store.invalid"


class InvalidKey(InvalidInput):
    """An idempotency key that is empty, too long or not plain ASCII."""

    code = "key.invalid"


class InvalidFile(InvalidInput):
    """A file that can't be read as a whole: no text in UTF-8, not compressed as it says, without its columns."""

    code = "file.invalid"


class InvalidRow(InvalidInput):
    """A row of a file that can't be read: broken off, too long, with cells too many, with a key twice."""

    code = "row.invalid"


class DuplicateRow(InvalidRow):
    """A row about what an earlier row of the same file was about. Facts: also `first`, the line of that row."""

    code = "row.duplicate"


class TooMany(InvalidInput):
    """More lines, keys or items than one call may carry."""

    code = "input.too_many"


# --- missing, or not yours --------------------------------------------------------------------------------


class NotFound(OmniorderError):
    """No such thing, or not this actor's: nobody can tell the two apart. Facts: `kind`, `id` (cut to 80 characters)."""

    code = "not_found"
    status = 404
    says = "no {kind} {id}"

    def __init__(self, kind: str, id: object) -> None:
        plain = _cut(id) if isinstance(id, str) and id.isascii() and id.isprintable() else shown(id)
        super().__init__(kind=kind, id=plain)


class NotAllowed(OmniorderError):
    """This actor may not do that here. Facts: `actor`, `action`."""

    code = "not_allowed"
    status = 403
    says = "{actor} may not {action}"


# --- the state of the shop says no ------------------------------------------------------------------------


class Refused(OmniorderError):
    """Right in form, but not now: another state, no stock, no money."""

    code = "refused"
    status = 409
    says = "refused"

    @property
    def why(self) -> Reason:
        """The tree of reasons, and what would change the answer: see `omniorder.reasons`."""
        return of_refusal(self.code, self.facts)

    def sentence(self, language: str = "en", *, zone: tzinfo | None = None) -> str:
        """`why` in words, as `omniorder.say` puts it. Raises `InvalidInput` as it does."""
        if not isinstance(cast("object", language), str):
            raise InvalidInput("language", language, "must be text, such as sv or sv-SE")
        if not (zone is None or isinstance(cast("object", zone), tzinfo)):
            raise InvalidInput("zone", zone, "must be a time zone, such as ZoneInfo('Europe/Sofia')")
        return say(self.why, language, zone=zone)

    def problem(self) -> dict[str, Any]:
        """RFC 9457 problem details, with `why` as data."""
        return {**super().problem(), "why": self.why.to_json()}


class IllegalTransition(Refused):
    """A state machine's table, or a guard, forbids this step.

    Facts: `machine`, `state`, `event`, `legal` (the events that are possible), `why`.
    """

    code = "transition.illegal"
    says = "{machine} is {state}, so {event} can't happen: {why}"


class VersionConflict(Refused):
    """What this edit touches was changed after `if_version`. `snapshot` is the current cart or order.

    Facts: `kind`, `id`, `expected`, `current`.
    """

    code = "version.conflict"
    says = "{kind} {id} is at version {current}, not {expected}"

    def __init__(self, snapshot: Any, **facts: Any) -> None:
        super().__init__(**facts)
        self.snapshot = snapshot


class HandoffInvalid(Refused):
    """No token or spoken code of a handoff: malformed, forged, unknown, or said wrongly. It is never shown.

    Facts: `tries_left`, where a spoken code named a handoff and was wrong.
    """

    code = "handoff.invalid"
    status = 404
    says = "this is no handoff that can be taken"


class HandoffGone(Refused):
    """The token was right, but opens nothing any more. Facts: `handoff`, `reason`.

    `reason` is `used` (by somebody else, or by you and the grant has ended), `expired`, `withdrawn` (by its owner, or
    because the cart isn't theirs any more or was merged) or `locked` (too many wrong codes were said).
    """

    code = "handoff.gone"
    status = 410
    says = "handoff {handoff} can't be taken any more: {reason}"


class CartEmpty(Refused):
    """There is nothing in this cart to promise. Facts: `cart`."""

    code = "cart.empty"
    says = "cart {cart} has no lines"


class CartChanged(Refused):
    """The cart was edited after it was promised: promise again. Facts: `cart`, `promise`."""

    code = "cart.changed"
    says = "cart {cart} was changed after promise {promise} was made"


class OutOfStock(Refused):
    """The store can't promise all units. Facts: `store`, `short`: a list of `{sku, wanted, available}`.

    Beside them may stand the `unit` of what is weighed, and `next_at` and `next_units` of the next delivery.
    """

    code = "stock.short"
    says = "store {store} has too little: {short}"


class ServiceMissing(Refused):
    """The store doesn't do what was asked for. Facts: `store`, `missing`: a list of `{sku, service}`.

    `sku` is the article that needs the service; without one it is how the customer wanted to collect.
    """

    code = "service.missing"
    says = "store {store} lacks what is needed: {missing}"


class SlotUnavailable(Refused):
    """Full, past, too soon, beyond the horizon or outside opening hours.

    Facts: `slot`, `reason`, and where known `earliest`: from when on there are times to choose, in the store's zone.
    `reason` is `full` (then also `of`: `orders` or `lines`, `wanted` and `free`), `past`, `too_soon`, `cut_off`,
    `beyond_horizon`, `closed`, `closure` or `no_pickup`; see `slots.slot_at`.
    """

    code = "slot.unavailable"
    says = "slot {slot}: {reason}"


class NoPrice(Refused):
    """No price is valid for these articles at this store, channel and instant. Facts: `store`, `skus`."""

    code = "price.missing"
    says = "no valid price at {store} for {skus}"


class QuoteChanged(Refused):
    """The total is not the one that the customer saw. `quote` is the new one. Facts: `expected`, `total`."""

    code = "quote.changed"
    says = "the total is now {total}, not {expected}"

    def __init__(self, quote: Any, **facts: Any) -> None:
        super().__init__(**facts)
        self.quote = quote


class PromiseGone(Refused):
    """The promise lapsed, was replaced or withdrawn: promise again.

    Facts: `promise`, `state`, and `order` where an order used it up.
    """

    code = "promise.gone"
    says = "promise {promise} is {state}"


class PaymentInFlight(Refused):
    """An order was placed on this cart's promise: finish or cancel that first. Facts: `order`."""

    code = "payment.in_flight"
    says = "order {order} stands on this promise"


class PaymentDeclined(Refused):
    """The provider said no. `order` lives on and takes another tender.

    Facts: `order`, `reason`, `until` (in the store's zone).
    """

    code = "payment.declined"
    status = 402
    says = "payment for {order} was declined ({reason}); another tender is accepted until {until}"

    def __init__(self, order: Any, **facts: Any) -> None:
        super().__init__(order=order.id, **facts)
        self.order = order


class TenderUnsupported(Refused):
    """No gateway takes this kind of tender here. Facts: `tender`, `reason`."""

    code = "tender.unsupported"
    says = "{tender}: {reason}"


class PlanImpossible(Refused):
    """The provider of this tender can't carry out what would have to be done with it.

    Facts: `tender`, and `reason`: "deposit" (it takes nothing at once), "wallet" (with `method`: it does not take that
    one) or "too_short": what is set aside ends at `until`, and the goods may be collected until `needed`.
    """

    code = "tender.plan_impossible"
    says = "{tender}: {reason}"


class NotCovered(Refused):
    """The tenders together give less than the order may cost. Facts: `missing`, and the whole as `of`."""

    code = "tender.too_little"
    says = "the tenders leave {missing} of {of} open"


class GiftCardInvalid(Refused):
    """No code of a gift card: mistyped, guessed, of a retired key; or too many wrong ones were shown by this actor.

    Which of these it is nobody is told, and the code is never shown.
    """

    code = "gift_card.invalid"
    status = 404
    says = "this is no gift card that can be used"


class GiftCardGone(Refused):
    """The code was right, but nothing can be spent from the card. Facts: `card`, `reason`: `closed` or `expired`."""

    code = "gift_card.gone"
    status = 410
    says = "gift card {card} is {reason}"


class BalanceTooLow(Refused):
    """There is less on the account, or less that is not set aside. Facts: `account`, `amount` (wanted), `left`."""

    code = "balance.too_low"
    says = "account {account} has {left} to spend, not {amount}"


class AlreadyClaimed(Refused):
    """Somebody else picks this order: `who`. To pick it with them, join.

    Facts: `order`, `pickers` (as in the journal), `who` (the same by their plain ids).
    """

    code = "pick.claimed"
    says = "{order} is being picked by {who}"


class NotToPick(Refused):
    """What was scanned is not to be picked. Facts: `reason`, and `order` or `sku` where they are known.

    `reason` is `not_ordered` (no order of this associate wants it), `all_picked` (it was scanned once too often) or
    `no_orders` (this associate has claimed nothing).
    """

    code = "pick.not_wanted"
    says = "not to be picked: {reason}"


class BinFull(Refused):
    """As many orders lie in this bin as it `holds`. Facts: `store`, `bin` (its code), `holds`."""

    code = "bin.full"
    says = "bin {bin} of {store} holds no more than {holds}"


class NotReady(Refused):
    """The goods are not (all) there yet, or not any more.

    Facts: `order`, `reason`, and where it matters `state` (of the pick-up), `lines` (how many are not picked yet) or
    `amount` (what the counter took in vain).
    """

    code = "pickup.not_ready"
    says = "{order}: {reason}"


class NotExtended(Refused):
    """Ready goods don't wait longer. Facts: `order`, `reason`, `until` (how long they wait as it is).

    `reason` is `used` (the customer had it extended before), `never` (the shop doesn't offer it), `perishable`,
    `closed` (the store doesn't open then), `not_later` or `too_long`.
    """

    code = "pickup.not_extended"
    says = "{order} waits until {until} and no longer: {reason}"


class WeightOutOfTolerance(Refused):
    """It weighs more, or less, than was agreed on with the customer. Facts: `line`, `ordered` (less what was called
    off), `weighed`, `least`, `most`, in grams."""

    code = "weight.out_of_tolerance"
    says = "{line}: {weighed} g, where {ordered} g were ordered and {least} g to {most} g agreed on"


class NotPaid(Refused):
    """What would leave the store is not paid. Facts: `order`, `due`, and `reason` where there is one."""

    code = "payment.missing"
    status = 402
    says = "{order}: {due} must be paid before the goods leave"


class CorrectionRefused(Refused):
    """So much can't be refunded, or kept as a fee. Facts: `order`, `reason`, `most` (what would do), `line` for units.

    `reason` is `above_rest`, `nothing_left`, `units` (not collected, or refunded before), `fee_too_high`,
    `named_tender` (it can't give back so much), `at_the_counter` (it was paid there, and goes back there) or
    `all_or_nothing` (the provider can't give back a part).
    """

    code = "refund.refused"
    says = "{order}: {reason}; at most {most}"


class ReturnRefused(Refused):
    """These goods are not taken back. Facts: `order`, `line`, `reason`, `units` (that would be), `until`.

    `reason` is `more_than_there_is` (not collected, or brought back before), `too_late`, `perishable` (taken back only
    where something is wrong with it) or `other_store` (taken back where it was collected only).
    """

    code = "return.refused"
    says = "{line} of {order} is not taken back: {reason}"


class SubstituteRefused(Refused):
    """This may not be given instead of that line's units. Facts: `order`, `line`, `sku`, `reason`; `price`, `most`.

    `reason` is `no_consent`, `other_article` (than the one that was named), `allergen` or `brand` (which the customer
    excluded), `other_unit`, `needs_more` (a check of age, for example, that the line does not need) or `above_cap` (the
    store may give it for `most`).
    """

    code = "substitute.refused"
    says = "{order}: {sku} may not be given instead of {line}: {reason}"


class AlreadyAttended(Refused):
    """Another associate takes care of this order's customer already.

    Facts: `order`, `by` (as in the journal), `who` (their plain id).
    """

    code = "arrival.attended"
    says = "{who} takes care of the customer of {order} already"


class WrongCode(Refused):
    """Not this order's code. Facts: `order`, `tries_left`."""

    code = "code.wrong"
    status = 403
    says = "wrong code for {order}; {tries_left} tries left"


class CodeLocked(Refused):
    """Too many wrong codes: staff must re-issue it. Facts: `order`."""

    code = "code.locked"
    status = 403
    says = "the code of {order} is locked; staff can re-issue it"


class AgeCheckNeeded(Refused):
    """Articles leave only with an age check that passed. Facts: `order`, `skus` (which), `failed` (it did not pass)."""

    code = "check.age"
    status = 403
    says = "{order}: {skus} leave only with an age check that passed"


class IdentityCheckNeeded(Refused):
    """Somebody collects for the customer, and must show who they are. Facts: `order`, `failed` (they could not)."""

    code = "check.identity"
    status = 403
    says = "{order}: who collects for somebody else needs an identity check that passed"


class PassRefused(Refused):
    """A signed pass that opens nothing here and now. Facts: `reason`, and `order` if the signature was good.

    `reason` is `malformed`, `forged`, `unknown_key`, `retired_key`, `other_store`, `other_order`, `not_yet_valid`,
    `expired`, `used` or `replaced` (by a newer pass of the same order).
    """

    code = "pass.refused"
    status = 403
    says = "the pass is refused: {reason}"


class ReservationGone(Refused):
    """The reservation has ended, or holds fewer units than asked for. Facts: `reservation`, `state`."""

    code = "reservation.gone"
    says = "reservation {reservation} is {state}"


class ImportChanged(Refused):
    """An import can't go on with this file: it is not the one with which it began. Facts: `id`, `reason`."""

    code = "import.changed"
    says = "import {id} can't go on: {reason}"


class KeyReused(Refused):
    """One idempotency key, two different requests. Facts: `command`, `key`."""

    code = "key.reused"
    status = 422
    says = "idempotency key {key} was used for another {command} request"


# --- not now ----------------------------------------------------------------------------------------------


class StillRunning(OmniorderError):
    """The same command is under way elsewhere and did not end in time. Facts: `command`, `id`."""

    code = "still_running"
    status = 409
    retry = True
    says = "{command} on {id} is still running"


class NeedsOwnTransaction(OmniorderError):
    """Not inside the caller's transaction: it calls a provider, or counts tries of a code. Facts: `command`."""

    code = "needs_own_transaction"
    says = "{command} does what a rollback could not take back: run it outside of `joined`"


class GatewayFault(OmniorderError):
    """A payment provider failed. Facts: `gateway`, `reason`."""

    code = "gateway.fault"
    status = 502
    retry = True
    says = "{gateway}: {reason}"


class GatewayTimeout(GatewayFault):
    """No answer: the request may or may not have taken effect. Raised by gateways, kept as UNKNOWN."""

    code = "gateway.timeout"
    status = 504


class BadWebhook(GatewayFault):
    """A webhook that is forged, malformed, too old or from the future. Facts: `gateway`, `reason`."""

    code = "webhook.bad"
    status = 400
    retry = False


class InventoryFault(OmniorderError):
    """A retailer's own stock system refused what it must not refuse. Facts: `inventory`, `reason`."""

    code = "inventory.fault"
    status = 502
    says = "{inventory}: {reason}"


class InventoryUnavailable(InventoryFault):
    """No answer from a retailer's own stock system after all tries: the request may or may not have taken effect."""

    code = "inventory.unavailable"
    status = 503
    retry = True


class StorageFault(OmniorderError):
    """The database failed, and would again; the transaction is gone. Facts: `reason`."""

    code = "storage.fault"
    says = "storage: {reason}"


class StaleWrite(StorageFault):
    """A guarded write met another version than was read: the transaction is run again. Facts: `kind`, `id`."""

    code = "storage.stale_write"
    status = 503
    retry = True
    says = "{kind} {id} was changed meanwhile"


class AlreadyThere(StorageFault):
    """An insert met a row with the same key. Facts: `kind`, `id`."""

    code = "storage.already_there"
    status = 503
    retry = True
    says = "{kind} {id} exists already"


class StorageUnavailable(StorageFault):
    """Connection lost, lock not granted in time, deadlock or serialization failure after all tries."""

    code = "storage.unavailable"
    status = 503
    retry = True


class StorageFull(StorageFault):
    """No space left."""

    code = "storage.full"
    status = 507


class SchemaOutdated(StorageFault):
    """The tables are missing or of another version: run `migrate`. Facts: `found`, `needed`."""

    code = "storage.schema_outdated"
    status = 503
    says = "the schema is at {found}, this version of omniorder needs {needed}: run `python -m omniorder migrate`"


class Misconfigured(OmniorderError):
    """The hub was opened without something that this call needs. Facts: `needs`."""

    code = "misconfigured"
    says = "this needs {needs}"


class MissingExtra(Misconfigured):
    """An optional dependency is not installed. Facts: `needs`, `extra`."""

    code = "missing_extra"
    says = 'this needs {needs}: pip install "omniorder[{extra}]"'
