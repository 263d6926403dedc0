"""`manage.py migrate` brings omniorder's tables up to date as well."""

from __future__ import annotations

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS
from django.db.models.signals import post_migrate

from .ordering import own_hub


class ShopConfig(AppConfig):
    name = "shop"

    def ready(self) -> None:
        post_migrate.connect(migrate_the_hub, sender=self)


def migrate_the_hub(using: str, **_: object) -> None:
    if using == DEFAULT_DB_ALIAS:
        with own_hub() as hub:  # which lets go of its connections, so that Django can copy or drop a test database
            hub.migrate()
