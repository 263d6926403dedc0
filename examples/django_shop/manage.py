"""A small Django project with click and collect in it.

    cd examples/django_shop
    python manage.py migrate                  # Django's tables, and ours
    python manage.py stock_the_shelves
    python manage.py runserver
    python manage.py test

The database is the SQLite file shop.db in the folder that you are in, or, when PGDATABASE is set, that PostgreSQL
database.
"""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    execute_from_command_line(sys.argv)
