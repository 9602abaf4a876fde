"""Who may call what, and what surrounds the views."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.handlers.base import BaseHandler
from django.db import connections
from django.test import Client
from django.urls import resolve
from rest_framework.authentication import BaseAuthentication, BasicAuthentication
from rest_framework.views import APIView

from django_sadadpay.models import Invoice, InvoiceEvent, Refund
from django_sadadpay.testing.factories import InvoiceFactory
from django_sadadpay.testing.gateway import Sadad
from tests.api.conftest import VIEWS, CallerMaker, give_back, problem, url

pytestmark = pytest.mark.django_db(transaction=True)

ALL = (*VIEWS, "verify_invoice", "refund_invoice", "view_customer_data")
#: Each call with the permissions that it needs.
NEEDS = {
    ("get", "invoice-list"): {"view_invoice"},
    ("get", "invoice-detail"): {"view_invoice"},
    ("post", "invoice-verify"): {"view_invoice", "verify_invoice"},
    ("post", "invoice-refunds"): {"view_invoice", "refund_invoice"},
    ("get", "refund-list"): {"view_refund"},
    ("get", "attention-list"): {"view_attention"},
}
OF_ONE_INVOICE = ("invoice-detail", "invoice-verify", "invoice-refunds")


def call(client: Client, verb: str, name: str, invoice: Invoice | str) -> Any:
    headers = {"Idempotency-Key": "k-1"}
    address = url(name, invoice if name in OF_ONE_INVOICE else None)
    body = {"reason": "x"} if verb == "post" else {}
    return getattr(client, verb)(address, body, content_type="application/json", headers=headers)


@pytest.mark.parametrize(("verb", "name"), NEEDS)
def test_each_call_needs_just_its_permissions(
    verb: str, name: str, paid_invoice: Invoice, caller: CallerMaker
) -> None:
    needs = NEEDS[verb, name]
    assert call(caller(*needs), verb, name, paid_invoice).status_code in (200, 201)
    for missing in needs:
        others = set(ALL) - {missing}
        assert problem(call(caller(*others), verb, name, paid_invoice), 403)[0] == "permission_denied"


@pytest.mark.parametrize(("verb", "name"), NEEDS)
def test_nobody_is_let_in_without_a_login(verb: str, name: str, paid_invoice: Invoice) -> None:
    assert problem(call(Client(), verb, name, paid_invoice), 403)[0] == "not_authenticated"
    assert Refund.objects.count() == 0


def test_being_staff_is_no_permission(open_invoice: Invoice) -> None:
    client = Client()
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert problem(client.get(url("invoice-list")), 403)[0] == "permission_denied"


def test_an_unknown_invoice_looks_like_a_known_one_without_permission(
    open_invoice: Invoice, caller: CallerMaker
) -> None:
    client = caller("view_refund")
    answers = [client.get(url("invoice-detail", one)).content for one in (open_invoice, "no-such")]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("name", OF_ONE_INVOICE)
@pytest.mark.parametrize("reference", ["no-such-abcdefghij", "nul\x00", "ü", "a" * 40])
def test_a_reference_that_is_not_ours_is_not_found(office: Client, name: str, reference: str) -> None:
    verb = "get" if name == "invoice-detail" else "post"
    assert problem(call(office, verb, name, reference), 404)[0] == "not_found"


def test_a_session_needs_the_csrf_token(paid_invoice: Invoice, caller: CallerMaker) -> None:
    """The browser of a member of staff cannot be made to refund by another site."""
    client = caller("view_invoice", "refund_invoice", enforce_csrf_checks=True)
    assert "CSRF" in problem(give_back(client, paid_invoice), 403)[2]
    assert Refund.objects.count() == 0


def test_the_project_s_authentication_is_used(monkeypatch: pytest.MonkeyPatch, office: Client) -> None:
    monkeypatch.setattr(APIView, "authentication_classes", [BasicAuthentication])
    User.objects.create_superuser("boss", password="secret")
    refused = office.get(url("invoice-list"))  # its session means nothing here
    assert problem(refused, 401)[0] == "not_authenticated"
    assert refused["WWW-Authenticate"].startswith("Basic")
    key = b64encode(b"boss:secret").decode()
    answer = Client().get(url("invoice-list"), headers={"Authorization": f"Basic {key}"})
    assert answer.status_code == 200


class Stateless(BaseAuthentication):
    """Tokens of another system: the user is no row of ours, but has permissions."""

    class Caller(AnonymousUser):
        is_authenticated = True  # type: ignore[assignment]  # a method in the stubs

        def has_perms(self, perm_list: Any, obj: Any = None) -> bool:
            return True

        def has_perm(self, perm: str, obj: Any = None) -> bool:
            return False

    def authenticate(self, request: Any) -> Any:
        return self.Caller(), None


def test_a_caller_without_a_user_row_can_refund(
    monkeypatch: pytest.MonkeyPatch, paid_invoice: Invoice
) -> None:
    monkeypatch.setattr(APIView, "authentication_classes", [Stateless])
    assert give_back(Client(), paid_invoice).status_code == 201
    assert Refund.objects.get().by is None
    assert InvoiceEvent.objects.get(kind="refund_requested").source == InvoiceEvent.Source.SHOP


# What projects put around the views


@pytest.fixture
def atomic_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)


@pytest.mark.parametrize("name", [name for _verb, name in NEEDS])
def test_no_view_is_in_a_transaction(atomic_requests: None, name: str) -> None:
    view = resolve(url(name, "x" if name in OF_ONE_INVOICE else None)).func
    assert BaseHandler().make_view_atomic(view) is view


def test_verify_and_refund_work_under_atomic_requests(
    atomic_requests: None, sadad: Sadad, open_invoice: Invoice, office: Client
) -> None:
    sadad.pay(open_invoice)
    verified = call(office, "post", "invoice-verify", open_invoice)
    assert (verified.status_code, verified.json()["state"]) == (200, "paid")
    assert give_back(office, open_invoice, amount="1.000").json()["state"] == "done"


def test_login_required_middleware_leaves_the_answer_to_us(settings: Any, open_invoice: Invoice) -> None:
    login = "django.contrib.auth.middleware.LoginRequiredMiddleware"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, login]
    assert problem(Client().get(url("invoice-list")), 403)[0] == "not_authenticated"


def test_answers_are_stored_nowhere_on_their_way(office: Client) -> None:
    InvoiceFactory()
    answer = office.get(url("invoice-list"))
    assert "no-store" in answer["Cache-Control"]
    assert "private" in answer["Cache-Control"]


def test_another_verb_is_refused(office: Client, open_invoice: Invoice) -> None:
    for verb in ("put", "patch", "delete"):
        answer = getattr(office, verb)(url("invoice-detail", open_invoice))
        assert problem(answer, 405)[0] == "method_not_allowed"


def test_options_tell_what_a_refund_takes(office: Client, open_invoice: Invoice) -> None:
    fields = office.options(url("invoice-refunds", open_invoice)).json()["actions"]["POST"]
    assert set(fields) == {"amount", "reason"}
