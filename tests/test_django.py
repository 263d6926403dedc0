"""The project of the page "Use it from Django": its own tests, on both databases that Django and we share.

They run in a process of their own, as Django's settings are a process's, and so are its ways with sqlite3.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

MANAGE = Path(__file__).parent.parent / "examples" / "django_shop" / "manage.py"


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment that names the database; without PGDATABASE it is a file in the current folder."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "DJANGO_"))}
    if request.param == "sqlite":
        return bare
    url = urlsplit(request.getfixturevalue("postgres_url"))
    parts = {
        "PGDATABASE": url.path.removeprefix("/"),
        "PGHOST": url.hostname,
        "PGPORT": str(url.port or ""),
        "PGUSER": unquote(url.username or ""),
        "PGPASSWORD": unquote(url.password or ""),
    }
    return bare | {name: value for name, value in parts.items() if value}


def test_the_projects_own_tests_pass(where: dict[str, str], tmp_path: Path) -> None:
    """Baskets, orders and the project's own tables, committed and rolled back together by Django."""
    command: list[str | Path] = [sys.executable, MANAGE, "test", "shop", "--noinput"]
    done = subprocess.run(command, cwd=tmp_path, env=where, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "Found 0 test" not in done.stdout
