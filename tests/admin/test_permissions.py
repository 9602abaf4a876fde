"""Who may open what, and who sees which button."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from django_sadadpay import checkout
from django_sadadpay.models import Attention, GatewayToken, Invoice, Mark, Refund, WebhookEvent
from django_sadadpay.models.attention import RULES
from django_sadadpay.services import clock
from django_sadadpay.testing.factories import InvoiceFactory, RefundFactory
from django_sadadpay.testing.gateway import Sadad
from tests.admin.conftest import StaffMaker, make_order, pay, text, url

pytestmark = pytest.mark.django_db(transaction=True)

MODELS = ("invoice", "refund", "attention", "webhookevent", "gatewaytoken", "currencyrate", "mark")
#: page, and the permission that opens it
PAGES = {"refund": "refund_invoice", "verify": "verify_invoice", "cancel": "change_invoice"}
#: action, and the permissions that it needs (one more than each of them must not be enough alone)
ACTIONS = {
    "verify": {"change_attention", "verify_invoice"},
    "apply": {"change_attention"},
    "retry": {"change_attention"},
    "happened": {"change_attention", "refund_invoice"},
    "did_not_happen": {"change_attention", "refund_invoice"},
    "dismiss": {"change_attention"},
}
CODES = {
    "verify": "mismatch",
    "apply": "amount_changed",
    "retry": "hook_failed",
    "happened": "refund_unknown",
    "did_not_happen": "refund_unknown",
    "dismiss": "mismatch",
}


def make_case(code: str, invoice: Invoice) -> Attention:
    refund = RefundFactory(invoice=invoice, unknown=True) if code == "refund_unknown" else None
    case: Attention = Attention.objects.create(
        account="default",
        environment="sandbox",
        code=code,
        open_slot=f"{code}:{invoice.pk}",
        invoice=invoice,
        refund=refund,
        created_at=clock.now(),
    )
    return case


@pytest.mark.parametrize("model", MODELS)
def test_lists_are_for_staff_who_may_view_them(model: str, staff: StaffMaker, boss: Client) -> None:
    address = url(model)
    assert Client().get(address).status_code == 302
    assert "/login/" in Client().get(address)["Location"]
    assert staff(views=()).get(address).status_code == 403
    assert staff(views=(f"view_{model}",)).get(address).status_code == 200
    assert boss.get(address).status_code == 200


def test_a_customer_who_is_logged_in_is_sent_to_the_login() -> None:
    client = Client()
    client.force_login(User.objects.create_user("buyer"))
    for model in MODELS:
        assert client.get(url(model)).status_code == 302
    invoice = InvoiceFactory(paid=True)
    for page in PAGES:
        assert client.post(url("invoice", page, invoice.pk)).status_code == 302


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_added_changed_or_deleted_even_by_a_superuser(model: str, boss: Client) -> None:
    rows: dict[str, Callable[[], Any]] = {
        "invoice": InvoiceFactory,
        "refund": RefundFactory,
        "attention": lambda: make_case("mismatch", InvoiceFactory()),
        "webhookevent": lambda: WebhookEvent.objects.create(
            account="default", environment="sandbox", sadad_id="1", received_at=clock.now()
        ),
        "gatewaytoken": lambda: GatewayToken.objects.create(account="default", environment="sandbox"),
        "mark": lambda: Mark.objects.create(name="reconcile"),
    }
    assert boss.get(url(model, "add")).status_code == 403
    assert '<select name="action"' not in boss.get(url(model)).content.decode()
    if model not in rows:
        return
    row = rows[model]()
    page = boss.get(url(model, "change", row.pk))
    assert 'name="_save"' not in page.content.decode()
    assert boss.post(url(model, "change", row.pk), {"state": "open", "amount": "1"}).status_code == 403
    assert boss.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    selected = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
    boss.post(url(model), selected)
    assert type(row)._base_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_acts_needs_its_own_permission(
    page: str, sadad: Sadad, staff: StaffMaker, open_invoice: Invoice
) -> None:
    invoice = open_invoice if page != "refund" else pay(sadad, open_invoice)
    address = url("invoice", page, invoice.pk)
    others = [permission for name, permission in PAGES.items() if name != page]
    before = len(sadad.calls())
    for client in (staff(), staff(*others, "change_attention", "view_customer_data")):
        assert client.get(address).status_code == 403
        assert (
            client.post(address, {"amount": "1", "reason": "x", "key": "k", "confirmed": "y"}).status_code
            == 403
        )
        assert address not in client.get(url("invoice", "change", invoice.pk)).content.decode()
    if page != "cancel":  # for Django, who may change may view
        assert staff(PAGES[page], views=()).post(address).status_code == 403
    assert Client().post(address).status_code == 302
    assert (len(sadad.calls()), Refund.objects.count()) == (before, 0)

    able = staff(PAGES[page])
    assert address in able.get(url("invoice", "change", invoice.pk)).content.decode()
    assert able.get(address).status_code == (405 if page == "verify" else 200)


def test_a_permission_says_nothing_about_rows_that_do_not_exist(staff: StaffMaker) -> None:
    assert staff("refund_invoice").get(url("invoice", "refund", 1)).status_code == 404
    assert staff().get(url("invoice", "refund", 1)).status_code == 403


def test_posts_without_a_csrf_token_are_refused(paid_invoice: Invoice, boss: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = boss.cookies
    for page in PAGES:
        answer = strict.post(url("invoice", page, paid_invoice.pk), {"confirmed": "y", "key": "k"})
        assert answer.status_code == 403


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_on_a_case_needs_all_of_its_permissions(action: str, staff: StaffMaker) -> None:
    case = make_case(CODES[action], InvoiceFactory(paid=True))
    address = url("attention", "act", case.pk, action)
    needed = ACTIONS[action]
    short = [needed - {one} for one in needed]
    for client in [staff(*some) for some in short]:
        assert client.get(address).status_code == 403
        assert client.post(address).status_code == 403
        assert address not in client.get(url("attention")).content.decode()
        assert address not in client.get(url("attention", "change", case.pk)).content.decode()
    case.refresh_from_db()
    assert case.is_open

    able = staff(*needed)
    assert able.get(address).status_code == 200
    assert address in able.get(url("attention")).content.decode()
    assert address in able.get(url("attention", "change", case.pk)).content.decode()


def test_the_refund_of_a_case_is_on_the_refund_page(staff: StaffMaker) -> None:
    case = make_case("paid_twice", InvoiceFactory(paid=True))
    address = url("invoice", "refund", case.invoice_id)
    assert address not in staff("change_attention").get(url("attention")).content.decode()
    assert address in staff("refund_invoice").get(url("attention")).content.decode()


def test_every_action_has_its_permissions_and_its_help() -> None:
    from django_sadadpay.admin.cases import PERMISSIONS
    from django_sadadpay.admin.words import ACTION_HELP
    from django_sadadpay.texts import ACTIONS as LABELS

    offered = {action for rule in RULES.values() for action in rule.actions} - {"decide"}
    offered |= {"happened", "did_not_happen"}
    assert offered == set(PERMISSIONS) == set(LABELS)
    assert set(ACTION_HELP) == offered - {"refund"}


def test_the_inbox_is_retried_with_its_change_permission(staff: StaffMaker) -> None:
    event = WebhookEvent.objects.create(
        account="default", environment="sandbox", sadad_id="1", received_at=clock.now()
    )
    address = url("webhookevent", "retry", event.pk)
    assert staff().post(address).status_code == 403
    assert address not in staff().get(url("webhookevent", "change", event.pk)).content.decode()
    assert (
        address in staff("change_webhookevent").get(url("webhookevent", "change", event.pk)).content.decode()
    )
    assert staff("change_webhookevent").get(address).status_code == 405


def test_view_only_staff_see_all_and_are_offered_nothing(
    sadad: Sadad, paid_invoice: Invoice, staff: StaffMaker
) -> None:
    client = staff()
    page = text(client.get(url("invoice", "change", paid_invoice.pk)))
    assert "12.345 KWD" in page
    for label in ("Refund it", "Verify with Sadad now", "Cancel invoice"):
        assert label not in page


def test_an_open_invoice_of_one_order_is_not_refundable_by_its_button(sadad: Sadad, boss: Client) -> None:
    invoice = checkout(make_order())
    assert (
        url("invoice", "refund", invoice.pk)
        not in boss.get(url("invoice", "change", invoice.pk)).content.decode()
    )
