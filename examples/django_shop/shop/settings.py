"""Settings of the demo: what click and collect needs is at the end."""

from __future__ import annotations

import os
from typing import Any

SECRET_KEY = "only-for-this-demo"
DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["shop"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

MIDDLEWARE = [
    "shop.problems.Problems",
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "shop.db",
        # whoever reads and then writes would otherwise lose to another writer in between: "database is locked"
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
        # in a file: Django's own choice, a database in memory, could not be opened by anybody else
        "TEST": {"NAME": "test.db"},
    }
}
if name := os.environ.get("PGDATABASE"):
    # host, user and password are found by libpq: PGHOST, PGUSER, ~/.pgpass
    DATABASES["default"] = {"ENGINE": "django.db.backends.postgresql", "NAME": name}

PICKUP_SECRET = "makes-the-codes-of-this-demo"
