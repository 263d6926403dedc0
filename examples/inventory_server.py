"""The stock system of a retailer, as small as one can be that is right: copy it, and put your own tables underneath.

    python examples/inventory_server.py --database stock.db --port 8080

It speaks the protocol that the page "Stock in a system of your own" describes, and needs nothing but Python. Three
tables, and one rule for each way in which it could be wrong:

- what is held is computed from reservations in the transaction that adds one, with the database locked for writing, so
  two customers can't both get the last unit;
- `consumed` and `released` count in all and only ever grow, so a request that comes twice, or late, has one effect;
- what is held and not confirmed has a time limit that is compared whenever it matters, so nothing is held for ever.

It listens to its own machine only, unless `--host` says otherwise, and stops on SIGTERM or Ctrl-C. Put it behind your
own TLS and network. With `INVENTORY_TOKEN` in its environment every request must carry it.
"""

from __future__ import annotations

import argparse
import hmac
import json
import os
import re
import signal
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from threading import Thread
from typing import Any

MOST_BYTES = 1_000_000
MOST_UNITS = 1_000_000
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
PATH = re.compile(r"/reservations/([A-Za-z0-9_.-]{1,100})(?:/(extend|confirm|consume|release))?")

TABLES = """
CREATE TABLE IF NOT EXISTS level (store TEXT, sku TEXT, on_hand INTEGER NOT NULL CHECK (on_hand >= 0),
    PRIMARY KEY (store, sku)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reservation (id TEXT PRIMARY KEY, store TEXT NOT NULL, party TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'firm', 'released')), until TEXT, made_at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS line (reservation TEXT REFERENCES reservation (id), sku TEXT,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    consumed INTEGER NOT NULL DEFAULT 0 CHECK (consumed >= 0),
    released INTEGER NOT NULL DEFAULT 0 CHECK (released >= 0 AND consumed + released <= quantity),
    PRIMARY KEY (reservation, sku)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS movement (id INTEGER PRIMARY KEY, store TEXT, sku TEXT, units INTEGER NOT NULL,
    reservation TEXT, reference TEXT, at TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS line_by_sku ON line (sku, reservation);
CREATE INDEX IF NOT EXISTS reservation_by_age ON reservation (made_at);
"""

# Reservations of one party may overlap: one of them is about to be released for the other, so the larger one counts.
FREE = """
SELECT l.on_hand - coalesce(sum(h.most), 0) FROM level l LEFT JOIN (
    SELECT r.store, n.sku, max(n.quantity - n.consumed - n.released) AS most
    FROM line n JOIN reservation r ON r.id = n.reservation
    WHERE n.sku = :sku AND r.store = :store AND r.party <> :party
      AND (r.state = 'firm' OR (r.state = 'held' AND r.until > :now))
    GROUP BY r.party) h ON h.store = l.store AND h.sku = l.sku
WHERE l.store = :store AND l.sku = :sku
"""


class Refused(Exception):
    """A no: an HTTP status, a code, and what there is to say about it."""

    def __init__(self, status: int, error: str, **facts: Any) -> None:
        super().__init__(error)
        self.status = status
        self.answer = {"error": error, **facts}


class Stock:
    """Levels and reservations in one SQLite file. `now` is its clock."""

    def __init__(self, path: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._path = path
        self._clock = now
        with self._open() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(TABLES)

    def put(self, store: str, sku: str, units: int) -> None:
        """So many more units came in."""
        with self._transaction() as (db, now):
            put = "INSERT INTO level VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET on_hand = on_hand + excluded.on_hand"
            db.execute(put, (store, sku, units))
            self._moved(db, store, sku, units, "", "received", now)

    def available(self, stores: list[str], skus: list[str]) -> dict[str, dict[str, int]]:
        """Units that may be promised now, per store and SKU."""
        with self._open() as db:
            now = _text(self._clock())
            return {store: {sku: max(0, self._free(db, store, sku, now)) for sku in skus} for store in stores}

    def reserve(self, id: str, store: str, units: dict[str, int], until: datetime, instead_of: str | None) -> None:
        """Hold all of it until then, or nothing; what is held already only for longer, and what ran out anew."""
        with self._transaction() as (db, now):
            known = self._find(db, id)
            if known is not None and known["state"] == "released":
                raise Refused(410, "reservation.gone", state="released")
            if known is not None and (known["store"], self._units(db, id)) != (store, units):
                raise Refused(409, "reservation.other")
            if known is not None and self._stands(known, now):
                self._at_least(db, id, until)
                return
            if _text(until) <= now:
                raise Refused(410, "reservation.gone", state="late")
            followed = self._find(db, instead_of or id)
            party = followed["party"] if followed is not None and followed["store"] == store else id
            self._check(db, store, self._rest(db, id) if known else units, party, now)
            put = (
                "INSERT INTO reservation VALUES (?, ?, ?, 'held', ?, ?) ON CONFLICT DO UPDATE SET party = ?, until = ?"
            )
            db.execute(put, (id, store, party, _text(until), now, party, _text(until)))
            if known is None:
                lines = [(id, sku, number) for sku, number in units.items()]
                db.executemany("INSERT INTO line (reservation, sku, quantity) VALUES (?, ?, ?)", lines)

    def extend(self, id: str, until: datetime) -> None:
        """Hold it at least until then."""
        with self._transaction() as (db, now):
            self._standing(db, id, now)
            self._at_least(db, id, until)

    def confirm(self, id: str) -> None:
        """Hold it without a limit."""
        with self._transaction() as (db, now):
            self._standing(db, id, now)
            db.execute("UPDATE reservation SET state = 'firm', until = NULL WHERE id = ?", (id,))

    def consume(self, id: str, units: dict[str, int], reference: str) -> None:
        """So many left the store by now, in all. They are gone, whatever else became of the reservation."""
        with self._transaction() as (db, now):
            known = self._grow(db, id, "consumed", units)
            for sku, more in known["grown"].items():
                left = "UPDATE level SET on_hand = max(0, on_hand - ?) WHERE store = ? AND sku = ?"
                db.execute(left, (more, known["store"], sku))
                self._moved(db, known["store"], sku, -more, id, reference, now)
            if self._stands(known, now):
                db.execute("UPDATE reservation SET state = 'firm', until = NULL WHERE id = ?", (id,))

    def release(self, id: str, units: dict[str, int] | None) -> None:
        """So many were given back by now, in all; or all that are left, and none can be held under this id again."""
        with self._transaction() as (db, now):
            if units is not None:
                self._grow(db, id, "released", units)
                return
            over = "INSERT INTO reservation VALUES (?, '', ?, 'released', NULL, ?) ON CONFLICT DO UPDATE SET"
            db.execute(f"{over} state = 'released', until = NULL", (id, id, now))

    def tidy(self, age: timedelta = timedelta(days=90)) -> int:
        """Forget what was made so long ago and holds nothing any more; how many."""
        with self._transaction() as (db, now):
            old = """made_at < :before AND (state = 'released' OR (state = 'held' AND until <= :now) OR NOT EXISTS (
                SELECT 1 FROM line WHERE reservation = id AND quantity > consumed + released))"""
            given = {"before": _text(self._clock() - age), "now": now}
            db.execute(f"DELETE FROM line WHERE reservation IN (SELECT id FROM reservation WHERE {old})", given)
            return db.execute(f"DELETE FROM reservation WHERE {old}", given).rowcount

    # --- rows ---

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        db.row_factory = sqlite3.Row
        try:
            yield db
        finally:
            db.close()

    @contextmanager
    def _transaction(self) -> Iterator[tuple[sqlite3.Connection, str]]:
        """All of it or nothing, and nobody else writes meanwhile: what is read here is true until the end."""
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db, _text(self._clock())
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def _find(self, db: sqlite3.Connection, id: str) -> Mapping[str, Any] | None:
        row = db.execute("SELECT * FROM reservation WHERE id = ?", (id,)).fetchone()
        return None if row is None else dict(row)

    def _units(self, db: sqlite3.Connection, id: str) -> dict[str, int]:
        return dict(db.execute("SELECT sku, quantity FROM line WHERE reservation = ?", (id,)).fetchall())

    def _rest(self, db: sqlite3.Connection, id: str) -> dict[str, int]:
        rest = "SELECT sku, quantity - consumed - released FROM line WHERE reservation = ?"
        return dict(db.execute(rest, (id,)).fetchall())

    def _free(self, db: sqlite3.Connection, store: str, sku: str, now: str, party: str = "") -> int:
        row = db.execute(FREE, {"store": store, "sku": sku, "party": party, "now": now}).fetchone()
        return 0 if row is None or row[0] is None else int(row[0])

    def _check(self, db: sqlite3.Connection, store: str, units: dict[str, int], party: str, now: str) -> None:
        free = {sku: self._free(db, store, sku, now, party) for sku in units}
        short = [
            {"sku": sku, "wanted": number, "available": max(0, free[sku])}
            for sku, number in sorted(units.items())
            if number > free[sku]
        ]
        if short:
            raise Refused(409, "stock.short", short=short)

    def _stands(self, known: Mapping[str, Any], now: str) -> bool:
        return known["state"] == "firm" or bool(known["state"] == "held" and known["until"] > now)

    def _standing(self, db: sqlite3.Connection, id: str, now: str) -> None:
        known = self._find(db, id)
        if known is None or not self._stands(known, now):
            state = "unknown" if known is None else "released" if known["state"] == "released" else "expired"
            raise Refused(410, "reservation.gone", state=state)

    def _at_least(self, db: sqlite3.Connection, id: str, until: datetime) -> None:
        db.execute("UPDATE reservation SET until = max(until, ?) WHERE id = ? AND state = 'held'", (_text(until), id))

    def _grow(self, db: sqlite3.Connection, id: str, column: str, units: dict[str, int]) -> dict[str, Any]:
        """Count up to these totals; what was told before, or less, changes nothing."""
        known = self._find(db, id)
        if known is None:
            raise Refused(410, "reservation.gone", state="unknown")
        lines = db.execute("SELECT * FROM line WHERE reservation = ?", (id,)).fetchall()
        counted = {line["sku"]: line[column] for line in lines}
        grown = {sku: total - counted.get(sku, 0) for sku, total in units.items() if total > counted.get(sku, 0)}
        rest = self._rest(db, id)
        if grown and (known["state"] == "released" or any(more > rest.get(sku, 0) for sku, more in grown.items())):
            raise Refused(410, "reservation.gone", state="released" if known["state"] == "released" else "fewer")
        for sku, more in grown.items():
            db.execute(f"UPDATE line SET {column} = {column} + ? WHERE reservation = ? AND sku = ?", (more, id, sku))
        return {**known, "grown": grown}

    def _moved(
        self, db: sqlite3.Connection, store: str, sku: str, units: int, id: str, reference: str, now: str
    ) -> None:
        put = "INSERT INTO movement (store, sku, units, reservation, reference, at) VALUES (?, ?, ?, ?, ?, ?)"
        db.execute(put, (store, sku, units, id, reference, now))


def _text(instant: datetime) -> str:
    """Instants as text that sorts as they do."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


# --- HTTP -------------------------------------------------------------------------------------------------


def answer(stock: Stock, method: str, path: str, body: Any) -> dict[str, Any]:
    """Carry out one request. Raises `Refused`."""
    if not isinstance(body, dict):
        raise Refused(422, "body.invalid")
    if (method, path) == ("POST", "/available"):
        return {"available": stock.available(_names(body, "stores"), _names(body, "skus"))}
    found = PATH.fullmatch(path)
    if found is None:
        raise Refused(404, "path.unknown")
    id, what = found[1], found[2]
    match method, what:
        case "PUT", None:
            old = None if body.get("instead_of") is None else _name(body, "instead_of")
            stock.reserve(id, _name(body, "store"), _units(body), _instant(body), old)
        case "POST", "extend":
            stock.extend(id, _instant(body))
        case "POST", "confirm":
            stock.confirm(id)
        case "POST", "consume":
            stock.consume(id, _units(body), _name(body, "reference") if body.get("reference") else "")
        case "POST", "release":
            stock.release(id, None if body.get("units") is None else _units(body))
        case _:
            raise Refused(405, "method.unknown")
    return {"reservation": id}


def _name(body: Mapping[str, Any], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise Refused(422, "field.invalid", field=field)
    return value


def _names(body: Mapping[str, Any], field: str) -> list[str]:
    value = body.get(field)
    if not isinstance(value, list) or len(value) > 10_000:
        raise Refused(422, "field.invalid", field=field)
    return [_name({field: one}, field) for one in value]


def _units(body: Mapping[str, Any]) -> dict[str, int]:
    value = body.get("units")
    if not isinstance(value, dict) or not 0 < len(value) <= 10_000:
        raise Refused(422, "field.invalid", field="units")
    for sku, number in value.items():
        if not NAME.fullmatch(sku) or type(number) is not int or not 0 < number <= MOST_UNITS:
            raise Refused(422, "field.invalid", field="units")
    return dict(value)


def _instant(body: Mapping[str, Any]) -> datetime:
    try:
        instant = datetime.fromisoformat(body["until"])
        if instant.tzinfo is None:
            raise ValueError("it has no time zone")
        return instant.astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise Refused(422, "field.invalid", field="until") from None


class Handler(BaseHTTPRequestHandler):
    """One connection. `stock` and `token` are set by `serving`."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    stock: Stock
    token: str = ""

    def do_PUT(self) -> None:
        """Reserve."""
        self._handle()

    def do_POST(self) -> None:
        """Everything else."""
        self._handle()

    def _handle(self) -> None:
        try:
            status, reply = 200, answer(self.stock, self.command, self.path, self._body())
        except Refused as no:
            status, reply = no.status, no.answer
        except Exception as fault:
            self.log_error("%s %s: %r", self.command, self.path, fault)
            status, reply = 500, {"error": "fault"}
        self.send(status, json.dumps(reply).encode())

    def _body(self) -> Any:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or len(length) > 9 or int(length) > MOST_BYTES:
            self.close_connection = True  # what was not read would be taken for the next request
            raise Refused(413 if length.isdecimal() else 411, "body.length")
        content = self.rfile.read(int(length))
        if self.token and not hmac.compare_digest(
            self.headers.get("Authorization", "").encode(), f"Bearer {self.token}".encode()
        ):
            raise Refused(401, "token.wrong")
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            raise Refused(400, "body.invalid") from None

    def send(self, status: int, content: bytes) -> None:
        """Send one reply."""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Only what went wrong is worth a line."""


class Server(ThreadingHTTPServer):
    """One thread per connection, as many waiting as come at once."""

    daemon_threads = True
    request_queue_size = 128


@contextmanager
def serving(
    stock: Stock, *, host: str = "127.0.0.1", port: int = 0, token: str = "", handler: type[Handler] = Handler
) -> Iterator[str]:
    """Serve it until the block ends, to this machine unless `host` says otherwise; its URL. Port 0 is any free one."""
    desk = type("Desk", (handler,), {"stock": stock, "token": token})
    server = Server((host, port), desk)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def main() -> None:
    """Serve until SIGTERM or SIGINT (Ctrl-C); what was not committed by then never happened."""
    asked: SimpleQueue[int] = SimpleQueue()  # may be put into by a handler of the thread that waits for it
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: asked.put(number))
    parser = argparse.ArgumentParser(description="A small stock system.")
    parser.add_argument("--database", default="stock.db")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on; 0.0.0.0 for every one")
    parser.add_argument("--port", type=int, default=8080, help="0 for any that is free")
    parser.add_argument("--put", nargs=3, action="append", default=[], metavar=("STORE", "SKU", "UNITS"))
    given = parser.parse_args()
    stock = Stock(given.database)
    stock.tidy()
    for store, sku, units in given.put:
        stock.put(store, sku, int(units))
    token = os.environ.get("INVENTORY_TOKEN", "")
    with serving(stock, host=given.host, port=given.port, token=token) as url:
        print(url, flush=True)
        asked.get()


if __name__ == "__main__":
    main()
