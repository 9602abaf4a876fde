"""The webhook view: what each kind of call is answered, and what it leaves behind (money-flow 6)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.core import mail
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.urls import reverse

from django_sadadpay.models import Attention, Invoice, WebhookEvent
from django_sadadpay.services import inbox
from django_sadadpay.testing.gateway import Sadad
from django_sadadpay.views import WebhookView
from tests.shop.models import Order
from tests.views.buying import SECRET, call, changed, fresh, named, no_sql, webhook_url, with_account

pytestmark = pytest.mark.django_db(transaction=True)
KINDS = [
    pytest.param({"invoiceId": "{id}"}, id="camelCase, id as text"),
    pytest.param({"InvoiceId": "{id}", "Status": "Paid"}, id="PascalCase, as documented"),
    pytest.param({"INVOICEID": "{id}"}, id="any case"),
    pytest.param({"invoiceId": "{id}", "extra": {"a": [1]}}, id="unknown fields"),
]


# Who calls


@pytest.mark.parametrize("method", ["POST", "GET", "HEAD", "PUT", "OPTIONS"])
def test_a_wrong_secret_is_told_nothing_and_costs_no_sql(method: str) -> None:
    with no_sql():
        answer = Client().generic(method, webhook_url("a-wrong-one"), "{}", content_type="application/json")
    assert (answer.status_code, answer.content) == (404, b"")


def test_an_unknown_account_is_told_the_same() -> None:
    with no_sql():
        answer = Client().post(webhook_url(SECRET, "nobody"), data="{}", content_type="application/json")
    assert answer.status_code == 404


@pytest.mark.parametrize("secret", [SECRET[:-1], SECRET + "x", SECRET.upper(), "%00", "é", "x" * 5000])
def test_only_the_very_secret_opens(secret: str) -> None:
    answer = Client().post(f"/payments/webhook/default/{secret}/", data="{}", content_type="application/json")
    assert answer.status_code == 404


def test_both_secrets_open_while_it_is_rotated(settings: Any) -> None:
    settings.SADADPAY = with_account(WEBHOOK_SECRET=["the-new-webhook-secret", SECRET])
    assert [call({}, secret=one).status_code for one in ("the-new-webhook-secret", SECRET)] == [200, 200]
    settings.SADADPAY = with_account(WEBHOOK_SECRET=["the-new-webhook-secret"])
    assert call({}).status_code == 404


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_with_the_secret_only_post_is_taken(method: str) -> None:
    with no_sql():
        answer = getattr(Client(), method)(webhook_url())
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


@pytest.mark.parametrize("ending", ["", "/", "//", "/%20", "%20"])
def test_the_address_works_as_it_was_typed(ending: str, invoice: Invoice) -> None:
    url = f"/payments/webhook/default/{SECRET}{ending}"
    answer = Client().post(url, data=named(invoice), content_type="application/json")
    assert (answer.status_code, WebhookEvent.objects.count()) == (200, 1)


# What they bring


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"[1]", b'"68141"', b"68141", b"null", b'{"invoiceId": NaN}', b"\xff\xfe{", b"[" * 60000],
)
def test_what_is_no_json_object_is_400_and_costs_no_sql(body: bytes) -> None:
    with no_sql():
        assert call(body).status_code == 400


def test_more_than_64_kb_is_413_and_costs_no_sql() -> None:
    most = json.dumps({"a": "x" * (64 * 1024 - 9)}).encode()
    assert len(most) == 64 * 1024
    with no_sql():
        assert call(most + b" ").status_code == 413
    assert call(most).status_code == 200


def test_a_form_is_no_json(client: Client) -> None:
    assert client.post(webhook_url(), {"invoiceId": "1"}).status_code == 400


@pytest.mark.parametrize("kind", ["text/plain", "application/*+json", "application/x-www-form-urlencoded"])
def test_the_content_type_does_not_matter(kind: str, invoice: Invoice) -> None:
    assert call(json.dumps(named(invoice)), content_type=kind).status_code == 200
    assert WebhookEvent.objects.get().state == WebhookEvent.State.DONE


@pytest.mark.parametrize("form", KINDS)
def test_every_spelling_of_the_id_is_read(form: dict[str, Any], sadad: Sadad, invoice: Invoice) -> None:
    sadad.pay(invoice)
    body = json.dumps(form).replace("{id}", str(invoice.sadad_id))
    assert call(body).status_code == 200
    assert fresh(invoice).is_paid


def test_an_id_as_number_is_read(sadad: Sadad, invoice: Invoice, order: Order) -> None:
    sadad.pay(invoice)
    assert (
        call({"invoiceId": int(invoice.sadad_id or 0), "invoiceKey": 1, "amount": 12.345}).status_code == 200
    )
    assert (fresh(invoice).is_paid, fresh(order).status, fresh(order).paid_calls) == (True, "paid", 1)


@pytest.mark.parametrize(
    "body", [{}, {"invoiceId": None}, {"invoiceId": "x"}, {"invoiceId": True}, {"id": 5}]
)
def test_json_that_names_no_invoice_is_kept_for_a_person(body: dict[str, Any]) -> None:
    assert call(body).status_code == 200
    assert WebhookEvent.objects.get().state == WebhookEvent.State.DEAD
    assert [row.code for row in Attention.objects.all()] == ["event_names_nothing"]


def test_at_most_a_hundred_such_calls_a_day_are_kept() -> None:
    assert {call({"n": n}).status_code for n in range(inbox.DEAD_A_DAY + 3)} == {200}
    assert WebhookEvent.objects.count() == inbox.DEAD_A_DAY


# What becomes of them


def test_nothing_that_the_body_says_is_believed(invoice: Invoice, order: Order) -> None:
    body = {**named(invoice), "amount": "12.345", "transactionStatus": "Success"}
    assert call(body).status_code == 200
    assert (fresh(invoice).state, fresh(order).status) == ("open", "new")


def test_a_call_is_committed_before_sadad_is_asked(sadad: Sadad, invoice: Invoice) -> None:
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    assert call(named(invoice)).status_code == 503
    event = WebhookEvent.objects.get()
    assert (event.state, event.next_try_at is not None) == (WebhookEvent.State.WAITING, True)


def test_calls_that_come_again_act_once(sadad: Sadad, invoice: Invoice, order: Order) -> None:
    sadad.pay(invoice)
    assert [call(named(invoice)).status_code for _ in range(5)] == [200] * 5
    assert fresh(order).paid_calls == 1


def test_a_call_for_somebody_elses_invoice_is_closed_quietly(sadad: Sadad, invoice: Invoice) -> None:
    from django_sadadpay import conf
    from django_sadadpay.services import gateway

    client = gateway.client_for(conf.current().account("default"))
    other = client.invoices.insert({"amount": "1.000", "customer_name": "POS", "ref_number": "till 4"})
    assert call({"invoiceId": other}).status_code == 200
    assert WebhookEvent.objects.get().state == WebhookEvent.State.FOREIGN
    assert not Attention.objects.exists()


def test_a_shop_whose_hook_raises_is_paid_all_the_same(sadad: Sadad, invoice: Invoice, order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(behaviour="raise")
    sadad.pay(invoice)
    assert call(named(invoice)).status_code == 200
    assert fresh(invoice).is_paid


# Nothing is told in logs


class Everything(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def logged() -> Any:
    """All that anybody logs, Django too."""
    handler, names = Everything(), ("", "django", "django.request", "django_sadadpay")
    for name in names:
        logging.getLogger(name).addHandler(handler)
    yield handler.lines
    for name in names:
        logging.getLogger(name).removeHandler(handler)


@pytest.mark.parametrize("status", [400, 404, 405, 413, 503])
def test_the_address_is_neither_logged_nor_mailed(
    status: int, settings: Any, logged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ADMINS = settings.MANAGERS = ["admin@shop.example"]
    if status == 503:
        monkeypatch.setattr(inbox, "store", _fail)
    answers: dict[int, Callable[[], Any]] = {
        400: lambda: call(b"x"),
        404: lambda: call({}, secret="nearly-" + SECRET),
        405: lambda: Client().get(webhook_url()),
        413: lambda: call(b"x" * 70000),
        503: lambda: call({"invoiceId": 1}),
    }
    assert answers[status]().status_code == status
    assert mail.outbox == []
    assert not [line for line in logged if SECRET in line or "webhook/" in line]


def _fail(*_: Any) -> Any:
    raise OperationalError("server closed the connection; the buyer is noor@example.com")


def test_a_database_that_is_away_is_503_so_that_sadad_calls_again(
    logged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "store", _fail)
    assert call({"invoiceId": 1}).status_code == 503
    (line,) = logged[:1]
    assert "OperationalError in _fail (test_webhook.py, line" in line
    assert "noor" not in "".join(logged)


def test_settings_that_broke_are_503_too(settings: Any, logged: list[str]) -> None:
    url = webhook_url()
    settings.SADADPAY = changed(TASK_RUNNER="cron")
    assert Client().post(url, data={}, content_type="application/json").status_code == 503
    assert "ImproperlyConfigured" in logged[0]


# Transport


def test_a_call_that_breaks_off_is_400() -> None:
    class Broken(BytesIO):
        def read(self, *_: Any) -> bytes:
            raise OSError("client is gone")

    request = RequestFactory().post("/", data=b"{}", content_type="application/json")
    request._stream = Broken()  # what the server would have handed over
    assert WebhookView.as_view()(request, account="default", secret=SECRET).status_code == 400


def test_a_body_that_a_middleware_has_read_is_still_read(invoice: Invoice) -> None:
    request = RequestFactory().post("/", data=json.dumps(named(invoice)), content_type="application/json")
    assert request.body
    assert WebhookView.as_view()(request, account="default", secret=SECRET).status_code == 200
    assert WebhookEvent.objects.get().sadad_id == invoice.sadad_id


def test_reverse_gives_the_address_with_its_slash() -> None:
    assert reverse("sadadpay:webhook", args=["default", "s"]) == "/payments/webhook/default/s/"
