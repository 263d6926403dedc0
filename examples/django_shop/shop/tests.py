"""What the shop promises, on whichever database Django is set to. Run it by `manage.py test shop`."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from unittest.mock import patch

from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.http import HttpResponse
from django.test import Client, TestCase, TransactionTestCase, override_settings

from omniorder import Channel, Customer, PayInStore
from omniorder.errors import NotFound, OutOfStock

from .models import PlacedOrder, Wish
from .ordering import CARDS, hub, own_hub

MILK = "OAT-MILK-1L"
ANNA = Customer("anna")


class BasketTest(TestCase):
    """Around each test Django keeps a transaction, which the hub joins."""

    def test_a_basket_fits_into_the_tests_transaction(self) -> None:
        """The next test finds neither basket nor stock."""
        call_command("stock_the_shelves")
        with hub() as joined:
            web = joined.at(Channel.WEB, ANNA)
            self.assertIsNone(web.carts.current())
            cart = web.carts.add(web.carts.start().id, MILK, 2)
            self.assertEqual(web.carts.current(), cart)

    test_and_nothing_of_it_is_left = test_a_basket_fits_into_the_tests_transaction


class ShopTest(TransactionTestCase):
    """Transactions are real here, as what calls a provider needs them."""

    @classmethod
    def tearDownClass(cls) -> None:
        own_hub().close()  # else PostgreSQL would not let the test database go
        super().tearDownClass()

    def setUp(self) -> None:
        call_command("stock_the_shelves")
        self.web = Client(headers={"X-Demo-Customer": "anna"})

    def post(self, path: str, body: object = None, status: int = 200) -> Any:
        return self.answered(self.web.post(path, json.dumps(body), content_type="application/json"), status)

    def get(self, path: str, status: int = 200) -> Any:
        return self.answered(self.web.get(path), status)

    def answered(self, response: HttpResponse, status: int) -> Any:
        self.assertEqual(response.status_code, status, response.content)
        return response.json()

    def cart(self, milk: int = 0) -> str:
        """The id of a new basket."""
        cart: str = self.post("/carts", status=201)["id"]
        if milk:
            self.post(f"/carts/{cart}/lines", {"sku": MILK, "quantity": milk})
        return cart

    def promise(self) -> str:
        """The id of a promise of two cartons."""
        cart = self.cart(milk=2)
        offer = self.get(f"/carts/{cart}/offers")["items"][0]
        promise: str = self.post(
            f"/carts/{cart}/promise", {"slot": offer["slots"][-1]["id"], **offer["quote"]["total"]}
        )["id"]
        return promise

    def lines(self, cart: str) -> dict[str, int]:
        """What is in the basket, as everybody sees it."""
        return {line.sku: line.quantity for line in own_hub().at(Channel.WEB, ANNA).carts.get(cart).lines}

    # --- over HTTP ---

    def test_a_basket_becomes_an_order_with_a_row_in_our_reports(self) -> None:
        """Both are in the same commit, by the handler in `ordering`."""
        order = self.post("/orders", {"promise": self.promise(), "card": "pm_card_visa"})
        self.assertEqual(order["stage"], "preparing")
        row = PlacedOrder.objects.get(reference=order["id"])
        self.assertEqual((row.customer, row.total), ("customer:anna", 498))

    def test_a_declined_card_brings_the_order_that_waits_for_another(self) -> None:
        """402, and the next card pays the same order."""
        promise = self.promise()
        problem = self.post("/orders", {"promise": promise, "card": "pm_card_declined"}, 402)
        self.assertEqual(problem["code"], "payment.declined")
        paid = self.post("/orders", {"promise": promise, "card": "pm_card_visa"})
        self.assertEqual((paid["id"], paid["stage"]), (problem["order"]["id"], "preparing"))

    def test_somebody_elses_order_is_not_found(self) -> None:
        """The same answer as for one that does not exist."""
        order = self.post("/orders", {"promise": self.promise()})["id"]
        self.assertEqual(self.get(f"/orders/{order}")["id"], order)
        self.web = Client(headers={"X-Demo-Customer": "boris"})
        self.assertEqual(self.get(f"/orders/{order}", 404)["code"], "not_found")

    def test_what_is_no_basket_or_no_quantity_is_a_problem(self) -> None:
        """Bad input is told by the library, in the same shape as every refusal."""
        cart = self.cart()
        wrong: list[object] = [{"sku": MILK, "quantity": "2"}, {"quantity": 2}, []]
        for body in wrong:
            self.assertRegex(self.post(f"/carts/{cart}/lines", body, 422)["code"], "invalid")
        self.assertEqual(self.lines(cart), {})

    @override_settings(MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware", "shop.problems.Problems"])
    def test_the_provider_needs_no_csrf_token(self) -> None:
        """Unlike everybody else who posts."""
        self.web = Client(enforce_csrf_checks=True)
        self.assertEqual(self.web.post("/carts").status_code, 403)
        headers, body = CARDS.signed_webhook("pay_SOF01_of_somebody_else", "payment.authorised")
        told = self.web.post("/webhooks/card", body, content_type="application/json", headers=headers)
        self.assertEqual((told.status_code, told.content), (200, b"ok"))

    def test_the_migrations_are_those_of_the_models(self) -> None:
        """Whoever changes a model is reminded of `makemigrations`."""
        call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)

    # --- our tables and the hub's, in one transaction ---

    def test_wishes_move_into_the_basket(self) -> None:
        """Deleted there and added here in one commit."""
        cart = self.cart()
        self.web.post("/wishes", {MILK: 3}, content_type="application/json")
        self.post(f"/carts/{cart}/wishes")
        self.assertEqual((self.lines(cart), Wish.objects.count()), ({MILK: 3}, 0))

    def test_wishes_stay_when_the_basket_refuses_them(self) -> None:
        """An article that is not sold any more undoes the deletion, too."""
        cart = self.cart()
        self.web.post("/wishes", {MILK: 3, "FAX-PAPER": 1}, content_type="application/json")
        self.post(f"/carts/{cart}/wishes", status=404)
        self.assertEqual((self.lines(cart), Wish.objects.count()), ({}, 2))

    def test_the_basket_stays_when_our_own_table_refuses(self) -> None:
        """The other way round: an error of ours undoes what the hub did."""
        cart = self.cart(milk=1)
        Wish.objects.create(customer="anna", sku=MILK, quantity=1)
        with self.assertRaises(IntegrityError), transaction.atomic(), hub() as joined:
            joined.at(Channel.WEB, ANNA).carts.add(cart, MILK, 2)
            Wish.objects.create(customer="anna", sku=MILK, quantity=1)
        self.assertEqual((self.lines(cart), Wish.objects.count()), ({MILK: 1}, 1))

    def test_a_whole_checkout_is_undone_with_the_callers_transaction(self) -> None:
        """The order that is paid in the store, its stock, and the row that the handler wrote."""
        promise, placed = self.promise(), ""
        with suppress(ZeroDivisionError), transaction.atomic(), hub() as joined:
            placed = joined.at(Channel.WEB, ANNA).checkout.place(promise, pay=PayInStore()).id
            self.assertEqual(PlacedOrder.objects.get().reference, placed)
            raise ZeroDivisionError
        self.assertFalse(PlacedOrder.objects.exists())
        with self.assertRaises(NotFound):
            own_hub().at(Channel.WEB, ANNA).orders.get(placed)

    def test_a_refusal_leaves_our_transaction_alive(self) -> None:
        """A refused command undoes itself: what we wrote before it and write after it is kept."""
        cart = self.cart(milk=41)
        slot = self.get(f"/carts/{cart}/offers")["items"][0]["slots"][-1]["id"]
        with transaction.atomic(), hub() as joined:
            Wish.objects.create(customer="anna", sku="BREAD", quantity=1)
            with self.assertRaises(OutOfStock):
                joined.at(Channel.WEB, ANNA).checkout.promise(cart, slot=slot)
            Wish.objects.create(customer="anna", sku="TEA", quantity=1)
        self.assertEqual(Wish.objects.count(), 2)

    # --- what calls a provider ---

    def test_a_provider_is_not_called_inside_a_transaction(self) -> None:
        """It is refused before anything is written or asked."""
        promise, asked = self.promise(), len(CARDS.requests)
        with transaction.atomic():
            problem = self.post("/orders", {"promise": promise, "card": "pm_card_visa"}, 500)
        self.assertEqual(problem["code"], "needs_own_transaction")
        self.assertEqual((len(CARDS.requests), PlacedOrder.objects.count()), (asked, 0))

    def test_on_commit_comes_late_enough(self) -> None:
        """The way to call the provider for those who can't leave the transaction themselves."""
        promise = self.promise()
        with transaction.atomic():
            transaction.on_commit(lambda: self.post("/orders", {"promise": promise, "card": "pm_card_visa"}))
            self.assertFalse(PlacedOrder.objects.exists())
        self.assertTrue(PlacedOrder.objects.exists())

    def test_every_view_works_when_each_request_is_a_transaction(self) -> None:
        """With ATOMIC_REQUESTS the views join it, but for those that say that they must not."""
        with patch.dict(connection.settings_dict, ATOMIC_REQUESTS=True):
            order = self.post("/orders", {"promise": self.promise(), "card": "pm_card_visa"})
        self.assertEqual(order["stage"], "preparing")
