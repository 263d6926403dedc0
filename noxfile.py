"""The project's chores: `nox -l` lists them, `nox -s lint` runs one."""

from __future__ import annotations

from pathlib import Path

import nox

nox.needs_version = ">=2026.2"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "docs", "demo", "tests"]


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """All tests, on every Python that is installed. `nox -s tests -- --long` looks harder."""
    session.install("-e", ".[test]")
    session.run("pytest", "-n", "auto", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, formatting, the floors of the house, and the declared dependencies."""
    session.install("-e", ".[dev]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")
    session.run("deptry", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Both type checkers."""
    session.install("-e", ".[dev]")
    session.run("mypy")
    session.run("pyright", "--pythonpath", str(Path(session.bin) / "python"))


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation, where a warning is an error; read it at docs/_build/index.html."""
    session.install("-e", ".[docs]")
    session.run("sphinx-build", "-W", "-b", "html", "docs", "docs/_build")


@nox.session
def demo(session: nox.Session) -> None:
    """The example of the README, from the app to the store."""
    session.install("-e", ".[qr]")
    session.run("python", "examples/app_to_store.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmarks, on an otherwise idle machine; `nox -s bench -- --page` keeps them in docs/speed.md."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "bench", *session.posargs)
