"""Every address that we serve, found by walking the project's URLs, tried by everybody who may not use it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from django_sadadpay import refund
from django_sadadpay.models import Attention, Invoice, WebhookEvent
from django_sadadpay.services import clock, links, opening
from django_sadadpay.testing.gateway import Sadad
from tests.retention.conftest import dump
from tests.security.conftest import staff
from tests.shop.models import Order
from tests.views.buying import SECRET, fresh, make_order

pytestmark = pytest.mark.django_db(transaction=True)
WRITING = ("post", "put", "patch", "delete")
FORM = {"amount": "1", "reason": "x", "key": "k", "confirmed": "1", "note": "n", "action": "delete_selected"}
#: Which of the addresses are for whom is not said here: none of these people may do anything anywhere.
NOBODIES: dict[str, Callable[[], Client]] = {
    "anonymous": Client,
    "a customer who is logged in": lambda: staff(is_staff=False),
    "staff without permissions": staff,
    "staff who may look": lambda: staff(
        "view_invoice", "view_refund", "view_attention", "view_webhookevent", "view_customer_data"
    ),
    "staff who may refund, but see nothing": lambda: staff("refund_invoice", "verify_invoice"),
}


@dataclass(frozen=True)
class Door:
    """An address of ours: its name, and the names of what it is made of."""

    name: str
    parts: tuple[str, ...]

    def address(self, **values: Any) -> str:
        return reverse(self.name, kwargs={part: values.get(part, "x") for part in self.parts})


def doors() -> list[Door]:
    found = list(_walk(get_resolver(), ""))
    return [
        door for door in found if door.name.split(":")[-1].startswith("sadadpay_") or "sadadpay" in door.name
    ]


def _walk(resolver: URLResolver, prefix: str) -> Iterator[Door]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            namespace = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from _walk(pattern, namespace)
        elif pattern.name:
            yield Door(prefix + pattern.name, tuple(pattern.pattern.regex.groupindex))


@pytest.fixture
def values(paid: Invoice) -> dict[str, Any]:
    """Something to find behind every door: a payment, a refund, a case and a call."""
    refund(paid, "1", reason="x")
    case = Attention.objects.create(
        account="default",
        environment="sandbox",
        code="paid_twice",
        open_slot="one",
        invoice=paid,
        created_at=clock.now(),
    )
    assert WebhookEvent.objects.exists()
    return {
        "pk": paid.pk,
        "object_id": str(paid.pk),
        "reference": paid.reference,
        "action": "dismiss",
        "case": case.pk,
        "account": "default",
        "secret": "a-guess",
        "signed": links.checkout_url(make_order()).split("/")[-2],
    }


def addresses(values: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [(door.name, door.address(**values)) for door in doors()]
    case = values["case"]
    actions = ("dismiss", "apply", "refund", "happened", "did_not_happen", "verify", "retry")
    rows += [
        ("case", reverse("admin:sadadpay_attention_act", kwargs={"pk": case, "action": action}))
        for action in actions
    ]
    return rows


def test_the_walk_finds_what_is_there(values: dict[str, Any]) -> None:
    names = {door.name for door in doors()}
    assert {"sadadpay:webhook", "sadadpay:return", "sadadpay:checkout"} <= names
    assert {"admin:sadadpay_invoice_refund", "admin:sadadpay_attention_act"} <= names
    assert len([name for name in names if name.startswith("sadadpay-api:")]) >= 5
    assert len(addresses(values)) > 30


@pytest.mark.parametrize("who", NOBODIES)
def test_who_may_not_changes_nothing_anywhere(who: str, sadad: Sadad, values: dict[str, Any]) -> None:
    client = NOBODIES[who]()
    before, calls = dump(), len(sadad.calls())
    for name, address in addresses(values):
        # Django's admin takes every method but POST for a GET.
        for method in ("post",) if name.startswith("admin:") else WRITING:
            answer = getattr(client, method)(address, data=FORM, headers={"idempotency-key": "k"})
            assert answer.status_code < 500, (name, method)
        if not name.startswith("admin:"):
            answer = client.post(
                address, FORM, content_type="application/json", headers={"idempotency-key": "k"}
            )
            assert answer.status_code < 500, name
    assert dump() == before
    assert len(sadad.calls()) == calls


def test_permissions_without_being_staff_open_no_page_of_the_admin(sadad: Sadad, paid: Invoice) -> None:
    client = staff("view_invoice", "refund_invoice", "change_attention", is_staff=False)
    answer = client.post(f"/admin/sadadpay/invoice/{paid.pk}/refund/", FORM)
    assert (answer.status_code, "login" in answer["Location"]) == (302, True)
    assert str(fresh(paid).refunded_amount) == "0.000"


@pytest.mark.parametrize("who", ["anonymous", "a customer who is logged in", "staff without permissions"])
def test_who_may_not_sees_nothing_in_the_back_office(
    who: str, values: dict[str, Any], paid: Invoice, order: Order
) -> None:
    client = NOBODIES[who]()
    for name, address in addresses(values):
        if name.startswith("sadadpay:"):
            continue
        answer = client.get(address)
        assert answer.status_code in (302, 401, 403, 404, 405), name
        assert paid.reference not in answer.content.decode(), name


def test_staff_with_the_permission_may(sadad: Sadad, values: dict[str, Any], paid: Invoice) -> None:
    """The other side of the walk above: with the permission, just these forms do refund."""
    client = staff("view_invoice", "refund_invoice")
    answer = client.post(f"/admin/sadadpay/invoice/{paid.pk}/refund/", FORM)
    assert answer.status_code == 302
    assert str(fresh(paid).refunded_amount) == "2.000"
    headers = {"idempotency-key": "k2"}
    data = {"amount": "1", "reason": "x"}
    url = f"/api/invoices/{paid.reference}/refunds/"
    assert client.post(url, data, content_type="application/json", headers=headers).status_code == 201
    assert str(fresh(paid).refunded_amount) == "3.000"


def test_every_post_of_ours_needs_a_csrf_token(sadad: Sadad, values: dict[str, Any]) -> None:
    """A page elsewhere that a member of staff opens cannot make their browser refund."""
    from django.contrib.auth.models import User

    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("boss"))
    before, calls = dump(), len(sadad.calls())
    for name, address in addresses(values):
        answer = client.post(address, FORM, headers={"idempotency-key": "k"})
        expected = (404,) if name == "sadadpay:webhook" else (403, 405)
        assert answer.status_code in expected, name
    assert dump() == before
    assert len(sadad.calls()) == calls


def test_only_the_webhook_and_the_api_are_exempt_from_csrf() -> None:
    """The API's own authentication asks for the token again where a session is used: seen just above."""
    exempt = {
        getattr(pattern.callback, "view_class", pattern.callback).__name__
        for pattern, prefix in _patterns(get_resolver(), "")
        if "sadadpay" in prefix + str(pattern.name)
        and not prefix.startswith("sadadpay-api:")
        and getattr(pattern.callback, "csrf_exempt", False)
    }
    assert exempt == {"WebhookView"}


def _patterns(resolver: URLResolver, prefix: str) -> Iterator[tuple[URLPattern, str]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern, f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix)
        elif pattern.callback is not None:
            yield pattern, prefix


# Other people's invoices


def test_an_invoice_s_page_cannot_be_guessed(paid: Invoice) -> None:
    """50 random bits a row, from the system's source of secrets; the order's number alone opens nothing."""
    assert "secrets.choice" in inspect.getsource(opening.new_reference)
    made = {opening.new_reference("A-1") for _ in range(2000)}
    assert len(made) == 2000
    assert len({reference[-10:] for reference in made}) == 2000
    number, _, _secret = paid.reference.rpartition("-")
    for guess in (
        number,
        f"{number}-",
        f"{number}-{'a' * 10}",
        f"{number}-%",
        f"{number}-__________",
        str(paid.pk),
    ):
        assert Client().get(f"/payments/return/{guess}/").status_code == 404


def test_one_buyer_s_page_says_nothing_of_another_s(sadad: Sadad, paid: Invoice) -> None:
    from django_sadadpay import checkout

    other = make_order(customer_name="Sara Al-Ali")
    Order.objects.filter(pk=other.pk).update(number="B-9")
    other.refresh_from_db()
    mine = checkout(other)
    client = Client()
    client.get(f"/payments/return/{paid.reference}/")
    page = client.get(
        f"/payments/return/{mine.reference}/", {"invoice_id": paid.sadad_id or ""}
    ).content.decode()
    assert "B-9" in page
    for word in (paid.reference, str(paid.sadad_id), "A-1", "Noor", "Sara"):
        assert word not in page


def test_a_signed_link_opens_its_own_order_only(order: Order, sadad: Sadad) -> None:
    other = make_order()
    own = links.checkout_url(order).split("/")[-2]
    body, _, signature = own.partition(":")
    theirs = links.checkout_url(other).split("/")[-2]
    forged = f"{theirs.partition(':')[0]}:{signature}"
    assert Client().get(f"/payments/checkout/{forged}/").status_code == 404
    assert Client().get(f"/payments/checkout/{body}/").status_code == 404
    assert not Invoice.objects.exists()


def test_the_webhook_s_secret_opens_nothing_else(paid: Invoice) -> None:
    for address in (
        f"/payments/return/{SECRET}/",
        f"/payments/checkout/{SECRET}/",
        f"/api/invoices/{SECRET}/",
    ):
        assert Client().get(address).status_code in (401, 403, 404)
