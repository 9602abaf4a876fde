"""Short ways to an order, for the tests."""

from __future__ import annotations

from django.test import Client

from example_project.shop.models import Order

BUYER = {"name": "Noor Al-Sabah", "phone": "5123 4567", "email": "noor@example.com"}


def fill(client: Client, *slugs: str) -> None:
    for slug in slugs:
        client.post(f"/basket/add/{slug}/")


def order(client: Client, *slugs: str, **headers: str) -> Order:
    """An order that was placed through the shop's own pages."""
    fill(client, *slugs)
    client.post("/checkout/", BUYER, headers=headers)
    return Order.objects.latest("pk")
