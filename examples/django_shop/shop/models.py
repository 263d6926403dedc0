"""The shop's own tables."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Wish(models.Model):
    """An article on a customer's wish list."""

    customer = models.CharField(max_length=100)
    sku = models.CharField(max_length=64)
    quantity = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["customer", "sku"], name="one_wish_per_article")]


class PlacedOrder(models.Model):
    """An order, as the shop's reports want to see it."""

    reference = models.CharField(max_length=40, primary_key=True)
    customer = models.CharField(max_length=100)
    total = models.BigIntegerField(help_text="minor units")
