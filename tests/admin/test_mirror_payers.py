"""Pages for payers, the invoices made there, and the cases of what is kept at Sadad."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from django.test import Client

from django_sadadpay.models import Attention, Invoice, Mirror, PaymentLink
from django_sadadpay.services import clock
from django_sadadpay.services.pages import page_of
from django_sadadpay.testing.factories import InvoiceFactory, PaymentLinkFactory, ProductFactory
from django_sadadpay.testing.gateway import Sadad
from tests.admin.conftest import StaffMaker, text, told, url
from tests.admin.mirrors import VIEWS, fresh, payment_link, pushed, statements

pytestmark = pytest.mark.django_db(transaction=True)


# Addresses


def test_a_payment_link_shows_its_address_and_qr_code(sadad: Sadad, boss: Client) -> None:
    pytest.importorskip("segno", reason="the optional library for QR images")
    row = pushed(payment_link())
    answer = boss.get(url("paymentlink", "change", row.pk))
    html = answer.content.decode()
    base = sadad.emulator.pay_url.removesuffix("/pay")
    assert f'value="{base}/paymentlink/{row.sadad_key}"' in html
    assert "data-sadadpay-copy" in html
    assert "as we assume it" in text(answer)
    assert html.count('<span class="sadadpay-qr" role="img" aria-label="QR code"><svg') == 1


def test_without_the_library_it_says_how_to_install_it(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    row = PaymentLinkFactory()
    page = boss.get(url("paymentlink", "change", row.pk))
    assert "pip install segno" in text(page)
    assert "sadadpay-qr" not in page.content.decode()
    base = "http://127.0.0.1:9"
    PaymentLink.objects.update(reply={"URL": f"{base}/l/7", "qr": f"{base}/qr/7"})
    html = boss.get(url("paymentlink", "change", row.pk)).content.decode()
    assert f'<a href="{base}/qr/7">' in html


@pytest.mark.parametrize(
    ("reply", "url_shown", "is_assumed"),
    [
        ({"url": "http://127.0.0.1:9/l/7"}, "http://127.0.0.1:9/l/7", False),
        ({"url": "https://evil.example/l/7"}, "http://127.0.0.1:9/paymentlink/77", True),
        ({"url": "http://[bad"}, "http://127.0.0.1:9/paymentlink/77", True),
        ({"url": 5}, "http://127.0.0.1:9/paymentlink/77", True),
        (None, "http://127.0.0.1:9/paymentlink/77", True),
    ],
)
def test_an_address_is_sadad_s_own_or_marked_as_assumed(reply: Any, url_shown: str, is_assumed: bool) -> None:
    page = page_of(PaymentLinkFactory(reply=reply, sadad_key="77"))
    assert page is not None
    assert (page.url, page.is_assumed) == (url_shown, is_assumed)


@pytest.mark.parametrize(
    "values", [{"pending": True}, {"deleted": True}, {"environment": "live"}, {"sadad_key": "a/../b"}]
)
def test_what_has_no_page_shows_no_address(boss: Client, values: dict[str, Any]) -> None:
    row = PaymentLinkFactory(**values)
    assert page_of(row) is None
    assert "Address: –" in text(boss.get(url("paymentlink", "change", row.pk)))


def test_other_kinds_have_no_page() -> None:
    assert page_of(ProductFactory()) is None


def test_the_invoices_that_a_link_made_are_listed(boss: Client) -> None:
    row, other = PaymentLinkFactory(), PaymentLinkFactory()
    mine = [InvoiceFactory(paid=True, made_from=f"paymentlink:{row.pk}") for _ in range(21)]
    InvoiceFactory(made_from=f"paymentlink:{other.pk}", shop_reference="OTHER")
    answer = boss.get(url("paymentlink", "change", row.pk))
    page, html = text(answer), answer.content.decode()
    assert mine[-1].shop_reference in page
    assert "OTHER" not in page
    assert url("invoice", "change", mine[-1].pk) in html
    more = f"{url('invoice')}?made_from=paymentlink:{row.pk}"
    assert more in html
    assert boss.get(more).context["cl"].result_count == 21
    assert Invoice.objects.count() == 22
    empty = PaymentLinkFactory()
    assert "None is known here yet" in text(boss.get(url("paymentlink", "change", empty.pk)))


@pytest.mark.parametrize(
    ("made_from", "words"),
    [
        ("panel", "Sadad's panel"),
        ("order", "order"),
        ("productlink", "product link"),
        ("paymentlink:5", "payment link 5"),
    ],
)
def test_an_invoice_that_was_taken_over_says_what_made_it(boss: Client, made_from: str, words: str) -> None:
    invoice = InvoiceFactory(made_from=made_from, payable="", shop_reference="KW-1")
    answer = boss.get(url("invoice", "change", invoice.pk))
    assert f"Order: KW-1 Made from: {words} " in text(answer)
    assert (url("paymentlink", "change", 5) in answer.content.decode()) == (made_from == "paymentlink:5")


# Cases


def ask(row: Mirror, code: str, **params: Any) -> Attention:
    case: Attention = Attention.objects.create(
        account=row.account,
        environment=row.environment,
        code=code,
        params={"kind": row.kind, **params},
        subject=f"{row.kind}:{row.pk}",
        open_slot=f"{code}:{row.pk}",
        created_at=clock.now(),
    )
    return case


def test_a_case_names_the_object_and_what_resolves_it(boss: Client) -> None:
    row = ProductFactory(unknown=True)
    case = ask(row, "mirror_unknown")
    answer = boss.get(url("attention"))
    page = text(answer)
    assert f"product {row.pk}" in page
    assert url("product", "change", row.pk) in answer.content.decode()
    assert "It is there, under this id" in page
    assert "It is not there: send it again" in page
    own = boss.get(url("product", "change", row.pk)).content.decode()
    assert url("attention", "change", case.pk) in own
    assert url("attention", "act", case.pk, "adopt") in own
    ask(row, "mirror_refused", error_key="NameEnRequired")
    assert "Try again" not in text(boss.get(url("product", "change", row.pk)))


def test_a_person_says_under_which_id_it_is(sadad: Sadad, boss: Client) -> None:
    there = pushed(payment_link(title="There"))
    there.delete()
    row = PaymentLinkFactory(unknown=True)
    page = url("attention", "act", ask(row, "mirror_unknown").pk, "adopt")
    assert "Sadad id" in text(boss.get(page))
    assert "required" in text(boss.post(page, {"note": ""}))
    assert told(boss.post(page, {"note": "x"})) == [("error", "A Sadad id is a number.")]
    assert told(boss.post(page, {"note": "99"})) == [("error", "Sadad does not have it.")]
    assert told(boss.post(page, {"note": there.sadad_id})) == [("success", "It was at Sadad")]
    assert fresh(row).sadad_id == there.sadad_id


def test_a_person_says_that_it_is_not_there(boss: Client) -> None:
    row = PaymentLinkFactory(unknown=True)
    case = ask(row, "mirror_unknown")
    answer = boss.post(url("attention", "act", case.pk, "send_again"))
    assert told(answer) == [("success", "Sent again")]
    assert (fresh(row).state, fresh(row).sending) == (Mirror.State.PENDING, "")


def test_a_case_of_an_object_needs_the_permission_to_change_it(staff: StaffMaker) -> None:
    case = ask(PaymentLinkFactory(unknown=True), "mirror_unknown")
    views = (*VIEWS, "view_attention")
    page = url("attention", "act", case.pk, "send_again")
    half = staff("change_attention", views=views)
    assert half.post(page).status_code == 403
    assert "send it again" not in text(half.get(url("attention"))).replace(
        "panel: give its id, or send it again", ""
    )
    assert staff("change_attention", "change_paymentlink", views=views).post(page).status_code == 302


def test_the_list_of_cases_names_objects_without_a_statement_each(boss: Client) -> None:
    def count() -> int:
        return statements(boss, url("attention"))

    ask(ProductFactory(unknown=True), "mirror_unknown")
    boss.get(url("attention"))
    few = count()
    for _ in range(5):
        ask(ProductFactory(unknown=True), "mirror_unknown")
    assert count() == few
