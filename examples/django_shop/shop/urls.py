"""Where the views are."""

from __future__ import annotations

from django.urls import path

from . import views

urlpatterns = [
    path("wishes", views.wish),
    path("carts", views.start),
    path("carts/<cart>/lines", views.add),
    path("carts/<cart>/wishes", views.take_over),
    path("carts/<cart>/offers", views.offers),
    path("carts/<cart>/promise", views.promise),
    path("orders", views.place),
    path("orders/<order>", views.order),
    path("webhooks/card", views.webhook),
]
