"""A store to try it with, and something in it."""

from __future__ import annotations

from django.core.management.base import BaseCommand

from omniorder import Article, Channel, Money, Price, Store, System

from ...ordering import hub


class Command(BaseCommand):
    help = "Open a store and receive forty cartons of oat milk. Doing it again changes nothing."

    def handle(self, **_: object) -> None:
        with hub() as opened:
            office = opened.at(Channel.SYSTEM, System("setup"))
            office.stores.put(Store("SOF01", zone="Europe/Sofia", hours="24/7", country="BG"))
            office.articles.put(Article("OAT-MILK-1L", "Oat milk 1 l"))
            office.prices.put(Price("OAT-MILK-1L", Money(249, "EUR"), tax="0.20"))
            office.stock.receive("SOF01", "OAT-MILK-1L", 40, key="opening-stock")
