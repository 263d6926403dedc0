"""The hub: opened once per process, shared by all threads; gives out touchpoints."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any, cast, overload

from attrs import evolve

from omniorder.domain.accounts import AccountKind
from omniorder.domain.actors import Actor, Agent, Associate, Customer, Guest, System
from omniorder.domain.channels import Channel
from omniorder.domain.events import Event
from omniorder.domain.passes import KeyRing
from omniorder.domain.payments import PayInStore
from omniorder.domain.quantities import quantity as valid_quantity
from omniorder.domain.ranking import SourcingPolicy
from omniorder.domain.text import line as valid_line
from omniorder.errors import InvalidInput, Misconfigured
from omniorder.ports.catalogue import Catalogue
from omniorder.ports.clock import Clock, Entropy, SystemClock, SystemEntropy
from omniorder.ports.inventory import Inventory, TransactionalInventory
from omniorder.ports.notifications import Notifier
from omniorder.ports.payments import PaymentGateway
from omniorder.ports.pricing import PriceBook
from omniorder.ports.storage import Storage
from omniorder.ports.stores import StoreDirectory
from omniorder.services import notices, payments, reconciling, sweeps, webhooks
from omniorder.services.account_gateway import AccountGateway
from omniorder.services.journal import Journal
from omniorder.services.ledger import Ledger
from omniorder.services.mirror import Mirror
from omniorder.services.opening import connect
from omniorder.services.parts import Handler, Parts, Touch
from omniorder.services.reconciling import Reconciliation
from omniorder.services.settings import Settings
from omniorder.services.surface import does, given
from omniorder.services.sweeps import SweepReport
from omniorder.services.tables import ArticleTable, PriceTable, StoreTable
from omniorder.services.touchpoints import (
    AgentTouchpoint,
    CustomerTouchpoint,
    StoreTouchpoint,
    SystemTouchpoint,
    Touchpoint,
)
from omniorder.services.webhooks import WebhookReply
from omniorder.signing import SigningKeys

_POLICY = "must be a SourcingPolicy"
_KIND = "must be gateways by the kind of a tender, which is text"


class OrderHub:
    """One banner's click and collect, on one database. Use `open`; it is a context manager."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._notices_follow = False

    @classmethod
    def open(
        cls,
        url: str,
        *,
        gateways: Mapping[str, PaymentGateway] | None = None,
        inventory: TransactionalInventory | None = None,
        outside: Inventory | None = None,
        catalogue: Catalogue | None = None,
        prices: PriceBook | None = None,
        stores: StoreDirectory | None = None,
        notifier: Notifier | None = None,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
        settings: Settings | None = None,
        sourcing: SourcingPolicy | None = None,
        secret: str | bytes | Mapping[str, str | bytes] | None = None,
        pass_keys: SigningKeys | None = None,
        schema: str | None = None,
        migrate: bool = False,
    ) -> OrderHub:
        """Open a hub on `memory://`, `sqlite:///file.db` or `postgresql://...`. No connection is made before use.

        `gateways` maps a tender's kind to its gateway (`{"card": ...}`); without any, only paying in the store, by gift
        card and with store credit is possible. `secret` (at least 16 bytes, or several by key id, newest last) makes
        pick-up passes and the codes of gift cards; `pass_keys` sign passes that stores verify without a network.
        `catalogue`, `prices`, `stores` and `inventory` replace the built-in tables; `outside` is a retailer's own stock
        system, which is called between transactions. `sourcing` says in which order stores are offered, and from where
        goods come that a store lacks. `schema` is a PostgreSQL schema. `migrate` brings the tables up to date first.

        Raises `Misconfigured`, `MissingExtra`, `InvalidInput` for what is no such port (it lacks a method, say); with
        `migrate` also `StorageFault`.
        """
        kinds = _by_kind(gateways)
        if inventory is not None and outside is not None:
            raise Misconfigured(needs="one place where the stock is: either inventory= or outside=")
        for field, port, protocol in (
            ("inventory", inventory, TransactionalInventory),
            ("outside", outside, Inventory),
            ("catalogue", catalogue, Catalogue),
            ("prices", prices, PriceBook),
            ("stores", stores, StoreDirectory),
            ("notifier", notifier, Notifier),
            ("clock", clock, Clock),
            ("entropy", entropy, Entropy),
        ):
            if port is not None:
                does(port, protocol, field)
        timer = SystemClock() if clock is None else clock
        limits = Settings() if settings is None else given(settings, Settings, "settings", "a Settings")
        policy = SourcingPolicy() if sourcing is None else given(sourcing, SourcingPolicy, "sourcing", _POLICY)
        keys = KeyRing.of(secret) if secret is not None else None
        if pass_keys is not None:
            given(pass_keys, SigningKeys, "pass_keys", "a SigningKeys")
        storage = connect(url, schema=schema)
        for kind in AccountKind:
            kinds.setdefault(kind.value, AccountGateway(kind, lambda: parts))
        own = Ledger(lambda: parts.time_ordered()) if inventory is None else inventory
        parts = Parts(
            storage=storage,
            catalogue=ArticleTable(storage) if catalogue is None else catalogue,
            prices=PriceTable(storage) if prices is None else prices,
            stores=StoreTable(storage) if stores is None else stores,
            inventory=own if outside is None else Mirror(own, lambda: timer.now() - limits.grace),
            gateways=kinds,
            clock=timer,
            entropy=SystemEntropy() if entropy is None else entropy,
            settings=limits,
            keys=keys,
            pass_keys=pass_keys,
            notifier=notifier,
            outside=outside,
            sourcing=policy,
        )
        hub = cls(parts)
        if migrate:
            hub.migrate()
        return hub

    @overload
    def at(self, channel: Channel, actor: Customer | Guest, *, via: str = "") -> CustomerTouchpoint: ...
    @overload
    def at(self, channel: Channel, actor: Agent, *, via: str = "") -> AgentTouchpoint: ...
    @overload
    def at(self, channel: Channel, actor: Associate, *, via: str = "") -> StoreTouchpoint: ...
    @overload
    def at(self, channel: Channel, actor: System, *, via: str = "") -> SystemTouchpoint: ...
    def at(self, channel: Channel, actor: Actor, *, via: str = "") -> Touchpoint:
        """A touchpoint: `channel`, who acts through it, and free text on the client (`via="ios/5.2"`).

        Does no I/O. The library decides what the actor may do; that they are who they say is the caller's to know.
        """
        given(channel, Channel, "channel", "a member of Channel")
        touch = Touch(channel, actor, valid_line(via, "via", most=100, least=0))
        match actor:
            case Customer() | Guest():
                return CustomerTouchpoint(self._parts, touch)
            case Agent():
                return AgentTouchpoint(self._parts, touch)
            case Associate():
                return StoreTouchpoint(self._parts, touch)
            case System():
                return SystemTouchpoint(self._parts, touch)
            case _:
                raise InvalidInput("actor", actor, "a Customer, Guest, Agent, Associate or System")

    @property
    def settings(self) -> Settings:
        """What this hub was opened with."""
        return self._parts.settings

    @property
    def journal(self) -> Journal:
        """The feed of everything that happens."""
        return Journal(self._parts)

    def on(self, kind: type[Event], handler: Handler) -> None:
        """Run `handler(recorded, tx)` inside the transaction of each event of this class or below it, after all writes.

        For database work only, through `tx.connection`; what it raises undoes the command. Events that a retried
        transaction records are handled again, on the transaction that counts. Register before commands run.
        """
        if not issubclass(given(kind, type, "kind", "an event class of omniorder.events"), Event):
            raise InvalidInput("kind", kind, "an event class of omniorder.events")
        if not callable(handler):
            raise InvalidInput("handler", handler, "must be a function of (recorded, tx)")
        self._parts.handlers.setdefault(kind, []).append(handler)

    def sweep(self, limit: int = 100, *, stop: Callable[[], bool] = lambda: False) -> SweepReport:
        """Do what time asks for: lapsed promises, no-shows, unfinished payment calls, messages; at most `limit`.

        Call it every few seconds, from any number of workers. `stop` is asked before each piece of work: once it says
        True, nothing more is begun, and what was claimed and not handled is given back to other workers.

        Raises `InvalidQuantity` (limit), `InvalidInput` (stop), `NeedsOwnTransaction` inside `joined`.
        """
        if not callable(stop):
            raise InvalidInput("stop", stop, "must be a function without arguments that says True to stop")
        payments.own_transaction(self._parts, "sweep")
        self._follow_for_notices()
        return sweeps.sweep(self._parts, valid_quantity(limit, "limit"), stop)

    def webhook(self, kind: str, *, headers: Mapping[str, str], body: bytes) -> WebhookReply:
        """Take a payment provider's webhook for this tender kind; answer it with the reply's status and body.

        Give it the headers and the raw body, exactly as they came. 200: it is kept, once, and followed now or by the
        sweep. 400: it is not to be trusted, and nothing was recorded. 503: it could not be kept (or the provider did
        not say what it is about), and is to be brought again. Raises `TenderUnsupported` (no gateway for this kind),
        `InvalidInput`, `NeedsOwnTransaction` inside `joined`.
        """
        return webhooks.receive(self._parts, kind, headers, body)

    def reconcile(
        self, kind: str, *, since: datetime, until: datetime | None = None, look_again: bool = False
    ) -> Reconciliation:
        """Compare the payments of this tender kind that were created within [since, until) with the provider's list.

        Iterate over what is returned: each `Difference` says what does not agree and what to do about it; `totals` say
        what was compared. Both sides are read in batches, whatever their number. `until` is now without one.

        No money is moved. With `look_again` the provider is asked again about payments where that is the advice, as a
        sweep or a webhook would have done, and only what still differs then is told.

        Raises `TenderUnsupported` (no gateway, or one that can't list), `InvalidInstant`, `NeedsOwnTransaction`, and
        while it is read `GatewayFault` and `StorageFault`.
        """
        return reconciling.reconcile(self._parts, kind, since, until, look_again=look_again)

    def migrate(self) -> None:
        """Bring the tables to this version; safe when several workers start at once."""
        self._parts.storage.migrate()
        self._follow_for_notices()

    def _follow_for_notices(self) -> None:
        """Put events down for the notifier from now on: as early as the tables are there, or at the first sweep."""
        if self._parts.notifier is not None and not self._notices_follow:
            self.journal.subscribe(notices.CONSUMER, from_start=False)
            self._notices_follow = True

    @contextmanager
    def joined(self, connection: Any) -> Generator[OrderHub, None, None]:
        """A hub whose commands are part of the caller's own transaction on `connection`.

        `connection` is an SQLAlchemy or DB-API connection to the hub's database. Each command is a savepoint; nothing
        is committed or repeated here. Commands that would call a payment provider, or a stock system outside, raise
        `NeedsOwnTransaction`.
        """
        parts = self._parts
        storage = parts.storage.joined(connection)
        yield OrderHub(
            evolve(
                parts,
                storage=storage,
                catalogue=_follows(parts.catalogue, storage),
                prices=_follows(parts.prices, storage),
                stores=_follows(parts.stores, storage),
            )
        )

    def close(self) -> None:
        """Give all connections back."""
        self._parts.storage.close()

    def __enter__(self) -> OrderHub:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _by_kind(gateways: object) -> dict[str, PaymentGateway]:
    """Gateways by kind of tender, each of them one that can be called."""
    if gateways is None:
        return {}
    kinds = cast(
        "Mapping[str, PaymentGateway]", given(gateways, Mapping, "gateways", "must be gateways by tender kind")
    )
    for kind, gateway in kinds.items():
        if not given(kind, str, "gateways", _KIND):
            raise InvalidInput("gateways", kind, _KIND)
        does(gateway, PaymentGateway, "gateways")
    if PayInStore.kind in kinds:
        raise Misconfigured(needs=f"no gateway for {PayInStore.kind!r}: the counter takes that money")
    return dict(kinds)


def _follows(port: Any, storage: Storage) -> Any:
    """The built-in tables read through the joined connection; ports of the caller's own stay as they are."""
    return type(port)(storage) if isinstance(port, ArticleTable | PriceTable | StoreTable) else port
