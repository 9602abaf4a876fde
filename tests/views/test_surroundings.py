"""What real projects put around the views: middleware, transactions, redirects, languages, servers."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any
from unittest import mock
from urllib.parse import quote

import hypothesis
import pytest
from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.test import Client
from django.urls import reverse, set_urlconf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase, TransactionTestCase
from werkzeug.serving import make_server

from django_sadadpay.models import Invoice, WebhookEvent
from django_sadadpay.services import inbox
from django_sadadpay.services.links import checkout_url
from django_sadadpay.testing.gateway import Sadad
from tests.shop.models import Order
from tests.views.buying import SECRET, back, call, fresh, named, webhook_url

db = pytest.mark.django_db(transaction=True)
LOGIN = "django.contrib.auth.middleware.LoginRequiredMiddleware"


@pytest.fixture(params=["login required", "atomic requests", "ssl redirect", "i18n patterns", "no sessions"])
def careful(request: pytest.FixtureRequest, settings: Any) -> Iterator[dict[str, Any]]:
    """A project with one such habit; gives what its test client needs."""
    options: dict[str, Any] = {}
    if request.param == "login required":
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, LOGIN]
    elif request.param == "ssl redirect":
        settings.SECURE_SSL_REDIRECT = True
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        options = {"headers": {"x-forwarded-proto": "https"}}
    elif request.param == "i18n patterns":
        settings.ROOT_URLCONF = "tests.views.urls_by_language"
    elif request.param == "no sessions":
        without = ("Session", "Authentication", "Message", "Csrf")
        settings.MIDDLEWARE = [m for m in settings.MIDDLEWARE if not any(word in m for word in without)]
        settings.TEMPLATES = [{**settings.TEMPLATES[0], "OPTIONS": {}}]
    else:
        connections["default"].settings_dict["ATOMIC_REQUESTS"] = True
    yield options
    connections["default"].settings_dict["ATOMIC_REQUESTS"] = False
    set_urlconf(None)


@db
def test_a_sale_goes_through_under_every_habit(careful: dict[str, Any], sadad: Sadad, order: Order) -> None:
    """An anonymous buyer opens the link, pays, Sadad calls, the buyer comes back; no cookie is set."""
    link = checkout_url(order)
    gone = Client().get(link.removeprefix("https://shop.example"), **careful)
    invoice = Invoice.objects.get()
    assert (gone.status_code, gone["Location"]) == (302, invoice.pay_url)
    sadad.pay(invoice)
    called = call(named(invoice), **careful)
    page = back(invoice, **careful)
    assert (called.status_code, page.status_code) == (200, 200)
    assert "Payment received" in page.content.decode()
    assert [answer.cookies for answer in (gone, called, page)] == [{}, {}, {}]
    assert fresh(order).paid_calls == 1


@db
def test_a_csrf_check_is_no_obstacle(invoice: Invoice) -> None:
    assert call(named(invoice), client=Client(enforce_csrf_checks=True)).status_code == 200


@db
@pytest.mark.parametrize("name", ["return", "checkout"])
def test_buyers_pages_work_without_their_last_slash(name: str, invoice: Invoice, order: Order) -> None:
    url = checkout_url(order) if name == "checkout" else reverse("sadadpay:return", args=[invoice.reference])
    answer = Client().get(url.removeprefix("https://shop.example").rstrip("/"))
    assert answer.status_code == (302 if name == "checkout" else 200)


@db
def test_a_wrong_secret_is_not_redirected_to_a_language(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.views.urls_by_language"
    url = webhook_url("a-wrong-secret")
    assert url.startswith("/en/")
    assert Client().post(url, data={}, content_type="application/json").status_code == 404


# A real server


@pytest.fixture
def served() -> Iterator[int]:
    """The port of a WSGI server in a thread; it takes chunked bodies as gunicorn does."""
    server = make_server("127.0.0.1", 0, WSGIHandler(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def post(port: int, body: Any, **options: Any) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", webhook_url(), body, {"Content-Type": "application/json"}, **options)
    status = connection.getresponse().status
    connection.close()
    return status


@db
def test_a_chunked_body_is_read(served: int) -> None:
    """.NET sends JSON so; Django alone would see an empty body and refuse every call."""
    halves = [b'{"invoiceId": 681', b"41}"]
    assert post(served, iter(halves), encode_chunked=True) in (200, 503)
    assert WebhookEvent.objects.get().sadad_id == "68141"


@db
def test_a_chunked_body_that_is_too_long_is_413(served: int) -> None:
    assert post(served, iter([b"x" * 40000, b"y" * 40000]), encode_chunked=True) == 413


@db
def test_a_plain_body_is_read_from_a_real_server(served: int) -> None:
    assert post(served, b"[]") == 400
    assert post(served, b'{"a": 1}') == 200


# Rubbish of every kind

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
_ID = st.sampled_from(["invoiceId", "InvoiceId", "invoice_id", "INVOICEID", "invoiceKey", "amount"])


_calm = hypothesis.settings(deadline=None)


class Rubbish(TransactionTestCase):
    """The event is stored; asking Sadad about it is another test's subject, and slow."""

    def setUp(self) -> None:
        self.enterContext(mock.patch.object(inbox, "process", return_value=True))

    @_calm
    @given(
        body=st.one_of(
            st.binary(max_size=300), st.dictionaries(_ID, _JSON).map(lambda d: json.dumps(d).encode())
        )
    )
    def test_no_body_is_a_500(self, body: bytes) -> None:
        assert call(body).status_code in (200, 400)

    @_calm
    @given(reference=st.text(min_size=1, max_size=60))
    def test_no_reference_is_a_500(self, reference: str) -> None:
        url = reverse("sadadpay:return", args=["x"]).replace("x", _quoted(reference))
        assert Client().get(url).status_code in (404, 301)


class RubbishLinks(TestCase):
    @_calm
    @given(signed=st.text(min_size=1, max_size=60), query=st.text(max_size=20))
    def test_no_signed_link_is_a_500(self, signed: str, query: str) -> None:
        url = reverse("sadadpay:checkout", args=["x"]).replace("x", _quoted(signed), 1)
        assert Client().get(url, {"look": query}).status_code in (404, 301, 410)


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "replace"), safe="")


def test_the_test_settings_hold_the_secret() -> None:
    assert django_settings.SADADPAY["ACCOUNTS"]["default"]["WEBHOOK_SECRET"] == SECRET
