"""Who sees what of the objects at Sadad: lists, masks, addresses, both directions of writing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from django_sadadpay.models import Customer, PaymentLink, Product
from django_sadadpay.services import push
from django_sadadpay.testing.factories import (
    CustomerFactory,
    InstallmentPlanFactory,
    PaymentLinkFactory,
    ProductCategoryFactory,
    ProductFactory,
    ProductLinkFactory,
    SubscriptionFactory,
)
from django_sadadpay.testing.gateway import Sadad
from tests.admin.conftest import StaffMaker, text, told, url
from tests.admin.mirrors import (
    CHANGES,
    EMAIL,
    FACTORIES,
    KINDS,
    NAME,
    PHONE,
    VIEWS,
    errors,
    fresh,
    one_of_each,
    save,
    statements,
)

pytestmark = pytest.mark.django_db(transaction=True)
HOSTILE = "<script>alert(1)</script>\"'><img src=x>"


# Lists


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_takes_as_many_statements_whatever_its_length(boss: Client, kind: str) -> None:
    FACTORIES[kind]()
    boss.get(url(kind))
    few = statements(boss, url(kind))
    for _ in range(8):
        FACTORIES[kind]()
    assert statements(boss, url(kind)) == few
    assert few <= 7


@pytest.mark.parametrize(
    ("values", "badge"),
    [
        ({}, 'sadadpay-good">in step<'),
        ({"pending": True}, 'sadadpay-busy">to be sent<'),
        ({"failed": True}, 'sadadpay-bad">not sent<'),
        ({"unknown": True}, 'sadadpay-bad">outcome unknown<'),
        ({"leaving": True}, 'sadadpay-busy">to be deleted<'),
        ({"leaving": True, "state": "failed"}, 'sadadpay-bad">not deleted<'),
        ({"deleted": True}, 'sadadpay-quiet">deleted<'),
    ],
)
def test_a_badge_says_in_words_how_far_it_is(boss: Client, values: dict[str, Any], badge: str) -> None:
    row = ProductFactory(**values)
    assert badge in boss.get(url("product")).content.decode()
    assert badge in boss.get(url("product", "change", row.pk)).content.decode()


def found(client: Client, kind: str, query: str) -> list[int]:
    answer = client.get(f"{url(kind)}?{query}")
    assert answer.status_code == 200, answer
    return [row.pk for row in answer.context["cl"].result_list]


def test_rows_are_filtered_and_searched(boss: Client) -> None:
    coffee = ProductCategoryFactory(name_en="Coffee")
    beans = ProductFactory(category=coffee, name_en="Beans", name_ar="حبوب", code="PR-0001")
    other = ProductFactory(failed=True, environment="live")
    assert found(boss, "product", "state__exact=failed") == [other.pk]
    assert found(boss, "product", "environment=sandbox") == [beans.pk]
    for query in ("bean", "حبوب", "coffee", "PR-0001", str(beans.sadad_id)):
        assert found(boss, "product", f"q={query}") == [beans.pk], query
    assert found(boss, "product", f"category__id={coffee.pk}") == [beans.pk]


def test_persons_are_searched_by_those_who_may_see_them(staff: StaffMaker) -> None:
    row = CustomerFactory(name=NAME, mobile=f"+{PHONE}", email=EMAIL, ref_number="K-7")
    plan = InstallmentPlanFactory(customer_name=NAME)
    sees, blind = staff("view_customer_data", views=VIEWS), staff(views=VIEWS)
    for query in ("noor", PHONE, EMAIL):
        assert found(sees, "customer", f"q={query}") == [row.pk]
        assert found(blind, "customer", f"q={query}") == []
    assert found(sees, "installmentplan", "q=noor") == [plan.pk]
    assert found(blind, "installmentplan", "q=noor") == []
    assert found(blind, "customer", "q=K-7") == [row.pk]
    assert blind.get(f"{url('customer')}?mobile__startswith=%2B965").status_code == 400
    assert blind.get(f"{url('subscription')}?customer__name__startswith=N").status_code == 400
    assert blind.get(f"{url('customer')}?payload__icontains=noor").status_code == 400


def test_what_is_chosen_from_is_searched_and_leaves_out_what_is_to_go(boss: Client) -> None:
    tea, gone = ProductCategoryFactory(name_en="Tea"), ProductCategoryFactory(name_en="Teak", leaving=True)
    query = "app_label=sadadpay&model_name=product&field_name=category&term=tea"
    answer = boss.get(f"/admin/autocomplete/?{query}").json()
    assert [row["id"] for row in answer["results"]] == [str(tea.pk)]
    assert found(boss, "productcategory", "q=tea") == [gone.pk, tea.pk]


def test_a_row_that_does_not_exist_leads_to_the_index(boss: Client) -> None:
    assert boss.get(url("product", "change", 99)).status_code == 302


def test_what_was_stored_in_an_odd_way_is_shown_as_it_is(boss: Client) -> None:
    row = ProductFactory(source="product", object_id="1")
    Product.objects.filter(pk=row.pk).update(payload={"price": "dear", "attachments": [{"amount": "x"}, "b"]})
    assert "Price (KWD) dear Attachments x b" in text(boss.get(url("product", "change", row.pk)))
    SubscriptionFactory(customer=None)
    assert boss.get(url("subscription")).status_code == 200


# Masks


def pages(client: Client, rows: dict[str, Any]) -> dict[str, str]:
    addresses = [url(kind) for kind in rows]
    addresses += [url(kind, page, row.pk) for kind, row in rows.items() for page in ("change", "history")]
    addresses += [url(kind, "remove", row.pk) for kind, row in rows.items()]
    found = {}
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        found[address] = answer.content.decode()
    return found


@pytest.mark.parametrize("may_change", [True, False])
def test_persons_are_masked_without_the_permission(sadad: Sadad, staff: StaffMaker, may_change: bool) -> None:
    rows = one_of_each()
    push.run()
    client = staff(*(CHANGES if may_change else [n for n in CHANGES if "delete" in n]), views=VIEWS)
    for address, html in pages(client, rows).items():
        for secret in (NAME, PHONE, EMAIL):
            assert secret not in html, address
    assert "••••••••" in text(client.get(url("customer")))
    page = text(client.get(url("customer", "change", rows["customer"].pk)))
    assert "Name ••••••••" in page
    assert "Phone ••••••••" in page
    assert "Last reply" not in page


def test_persons_are_shown_to_those_who_may_see_them(sadad: Sadad, staff: StaffMaker) -> None:
    rows = one_of_each()
    push.run()
    client = staff("view_customer_data", *CHANGES, views=VIEWS)
    for kind in ("customer", "installmentplan", "subscription"):
        assert NAME in text(client.get(url(kind))), kind
        assert PHONE in client.get(url(kind, "change", rows[kind].pk)).content.decode(), kind
    viewer = staff("view_customer_data", views=VIEWS)
    assert f"Name {NAME}" in text(viewer.get(url("customer", "change", rows["customer"].pk)))


def test_an_edit_without_the_permission_keeps_what_is_masked(staff: StaffMaker) -> None:
    rows = one_of_each()
    client = staff(*CHANGES, views=VIEWS)
    plan = rows["installmentplan"]
    assert save(client, plan, amount="120").status_code == 302
    after = fresh(plan).payload
    assert (after["amount"], after["customer_name"], after["customer_mobile"]) == (
        "120.000",
        NAME,
        f"+{PHONE}",
    )
    assert save(client, rows["customer"], reference="x").status_code == 302
    assert fresh(rows["customer"]).payload == rows["customer"].payload


# Permissions


@pytest.mark.parametrize("kind", KINDS)
def test_each_page_needs_its_permission(staff: StaffMaker, kind: str) -> None:
    row = FACTORIES[kind](pending=True)
    viewer = staff(views=VIEWS)
    assert viewer.get(url(kind)).status_code == 200
    assert viewer.get(url(kind, "change", row.pk)).status_code == 200
    assert viewer.get(url(kind, "add")).status_code == 403
    assert viewer.post(url(kind, "change", row.pk), {}).status_code == 403
    for page in ("push", "pull", "insist", "remove", "restore"):
        assert viewer.post(url(kind, page, row.pk)).status_code == 403, page
        assert Client().post(url(kind, page, row.pk)).status_code == 302, page
    assert viewer.get(url(kind, "difference", row.pk)).status_code == 403
    page = text(viewer.get(url(kind, "change", row.pk)))
    for button in ("Push now", "Pull now", "Delete at Sadad"):
        assert button not in page
    changer = staff(f"change_{kind}", views=VIEWS)
    assert "Push now" in text(changer.get(url(kind, "change", row.pk)))
    assert changer.post(url(kind, "remove", row.pk)).status_code == 403
    assert staff(f"delete_{kind}", views=VIEWS).get(url(kind, "remove", row.pk)).status_code == 200
    assert staff(views=()).get(url(kind)).status_code == 403
    assert fresh(row).is_wanted


def test_posts_need_the_csrf_token(boss: Client) -> None:
    row = ProductFactory()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = boss.cookies
    for page in ("push", "pull", "insist", "remove", "restore"):
        assert strict.post(url("product", page, row.pk)).status_code == 403, page


def test_unknown_rows_are_not_found(boss: Client) -> None:
    for page in ("push", "pull", "difference", "remove"):
        assert boss.post(url("product", page, 99)).status_code == 404


# Both languages


def hostile_rows() -> dict[str, Any]:
    """Every text of them hostile."""
    customer = CustomerFactory(
        name=HOSTILE, mobile=HOSTILE[:40], email=HOSTILE, ref_number=HOSTILE, payload={"other": HOSTILE}
    )
    product = ProductFactory(name_en=HOSTILE, name_ar=HOSTILE, code=HOSTILE, payload={"desc_en": HOSTILE})
    plan = InstallmentPlanFactory(customer_name=HOSTILE, ref_number=HOSTILE, status=HOSTILE[:40])
    plan.installments.create(number=1, status=HOSTILE[:40], sadad_invoice_id=HOSTILE[:40])
    subscription = SubscriptionFactory(customer=None, customer_name=HOSTILE, ref_number=HOSTILE)
    subscription.periods.create(number=1, status=HOSTILE[:40], sadad_invoice_id=HOSTILE[:40])
    link = PaymentLinkFactory(title=HOSTILE, reply={"url": HOSTILE, "x": HOSTILE}, sadad_key="77")
    failed = ProductFactory(
        failed=True,
        name_en=HOSTILE,
        error="bad_mirror",
        error_params={"field": HOSTILE, "problem": HOSTILE},
        source=HOSTILE,
        object_id=HOSTILE,
    )
    Customer.objects.filter(pk=customer.pk).update(error=HOSTILE[:80], state="failed")
    return {
        "customer": customer,
        "productcategory": failed.category,
        "product": product,
        "productlink": ProductLinkFactory(name_en=HOSTILE, products=[product]),
        "paymentlink": link,
        "installmentplan": plan,
        "subscription": subscription,
    }


def all_pages(client: Client) -> dict[str, str]:
    rows = hostile_rows()
    found = {}
    addresses = [url(kind) for kind in KINDS] + [url(kind, "add") for kind in KINDS]
    addresses += [url(kind, page, row.pk) for kind, row in rows.items() for page in ("change", "remove")]
    addresses += [url("product", "change", row.pk) for row in Product.objects.all()]
    for address in addresses:
        answer = client.get(address)
        found[address] = answer.content.decode()
        assert answer.status_code == 200 or "remove" in address, address
    return found


@pytest.mark.parametrize("language", ["en", "ar"])
def test_pages_are_escaped_and_strict_in_both_directions(boss: Client, language: str) -> None:
    boss.cookies["django_language"] = language
    head = '<html lang="ar" dir="rtl">' if language == "ar" else '<html lang="en" dir="ltr">'
    for address, html in all_pages(boss).items():
        assert head in html, address
        for bad in ("<script>alert", "<img src=x", 'href="javascript:', "<style"):
            assert bad not in html, (address, bad)
        assert not re.search(r"<script(?![^>]*\bsrc=)", html), address
        assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", html), address


def test_money_is_ours_and_not_the_language_s(boss: Client) -> None:
    boss.cookies["django_language"] = "ar"
    plan = InstallmentPlanFactory()
    assert "100.000 د.ك" in boss.get(url("installmentplan")).content.decode()
    html = boss.get(url("installmentplan", "change", plan.pk)).content.decode()
    assert 'name="amount" value="100.000"' in html


def test_amounts_are_typed_with_eastern_digits_too(boss: Client) -> None:
    boss.cookies["django_language"] = "ar"
    answer = boss.post(url("paymentlink", "add"), {"title": "إيجار", "amount": "١٥٠٫٢٥٠"})
    assert answer.status_code == 302, errors(answer)
    assert PaymentLink.objects.get().payload["amount"] == "150.250"


def test_the_admin_passes_its_checks() -> None:
    call_command("check", "sadadpay")


# Transactions


def test_pages_that_call_sadad_are_outside_any_transaction(
    sadad: Sadad, boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import connections

    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)
    boss.post(url("paymentlink", "add"), {"title": "Rent", "amount": "1"})
    row = PaymentLink.objects.get()
    chosen = {"action": "push_soon", "_selected_action": [row.pk]}
    assert told(boss.post(url("paymentlink"), chosen))[0][0] == "info"
    assert told(boss.post(url("paymentlink", "push", row.pk)))[0] == ("success", "In step with Sadad.")
    assert boss.get(url("paymentlink", "difference", row.pk)).status_code == 200
    assert told(boss.post(url("paymentlink", "pull", row.pk)))[0][0] == "success"
    assert told(boss.post(url("paymentlink", "insist", row.pk)))[0][0] == "success"
    assert told(boss.post(url("paymentlink", "remove", row.pk)))[0][0] == "success"
