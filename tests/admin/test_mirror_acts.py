"""Push, pull, the difference, and deleting: what staff can do about one object at Sadad."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from django_sadadpay.models import Attention, InstallmentPlan, Mirror, Product, Subscription
from django_sadadpay.registry import (
    CategoryDraft,
    Customer,
    CustomerDraft,
    PlanDraft,
    ProductDraft,
    ProductLinkDraft,
)
from django_sadadpay.services import aligning, clock, deciding, gateway, kinds, mirroring, push, pushing
from django_sadadpay.services.errors import Refused
from django_sadadpay.testing.factories import PaymentLinkFactory, ProductFactory, SubscriptionTemplateFactory
from django_sadadpay.testing.gateway import Sadad
from tests.admin.conftest import StaffMaker, text, told, url
from tests.admin.mirrors import NAME, PHONE, VIEWS, form_of, fresh, make, payment_link, pushed, save
from tests.shop import models as shop

pytestmark = pytest.mark.django_db(transaction=True)
State = Mirror.State


# Push


def test_push_now_sends_what_it_needs_first(sadad: Sadad, boss: Client) -> None:
    category = make(CategoryDraft(name_en="Coffee"))
    product = make(ProductDraft(category=category, name_en="Beans", price="4.750"))
    link = make(ProductLinkDraft(name_en="Market", name_ar="السوق", products=[product]))
    answer = boss.post(url("productlink", "push", link.pk))
    assert answer["Location"] == url("productlink", "change", link.pk)
    assert told(answer) == [("success", "In step with Sadad.")]
    assert {fresh(row).state for row in (category, product, link)} == {State.SYNCED}
    assert LogEntry.objects.get().get_change_message() == "Changed state."


def test_a_refusal_is_a_badge_and_a_sentence(sadad: Sadad, boss: Client) -> None:
    row = make(payment_link())
    sadad.control.faults.add("PaymentLink/insert", "refuse", error_key="TitleRequired")
    answer = boss.post(url("paymentlink", "push", row.pk))
    ((level, sentence),) = told(answer)
    assert (level, sentence) == ("warning", "not sent: The title is missing.")
    page = boss.get(url("paymentlink", "change", row.pk))
    assert "The title is missing." in text(page)
    assert "See what resolves it" in text(page)
    assert 'class="sadadpay-badge sadadpay-bad">not sent<' in page.content.decode()
    assert "The title is missing." in text(boss.get(url("paymentlink") + "?state__exact=failed"))
    sadad.control.faults.clear()
    assert told(boss.post(url("paymentlink", "push", row.pk))) == [("success", "In step with Sadad.")]
    assert not Attention.objects.filter(resolved_at=None).exists()


def test_what_the_draft_refused_names_its_field(sadad: Sadad, boss: Client) -> None:
    category = shop.Category.objects.create(name="Tea")
    shop.Product.objects.create(category=category, name="x" * 251, price="1")
    push.run()
    row = Product.objects.get()
    assert "English name: It has more than 250 characters." in text(boss.get(url("product")))
    assert told(boss.post(url("product", "push", row.pk)))[0][0] == "warning"


def test_a_lost_answer_is_an_unknown_outcome(
    sadad: Sadad, boss: Client, sadad_clock: Callable[[float], None]
) -> None:
    row = make(payment_link())
    sadad.control.faults.add("PaymentLink/insert", "cut_after", times=1)
    unknown = "outcome unknown: Sadad did not answer. It is looked at before anything is sent again."
    for _ in range(2):  # at once, the call may still be under way: nobody looks yet
        assert told(boss.post(url("paymentlink", "push", row.pk))) == [("warning", unknown)]
    sadad_clock(61)
    assert told(boss.post(url("paymentlink", "push", row.pk))) == [("success", "In step with Sadad.")]
    assert len(sadad.control.objects("PaymentLink")) == 1


def test_a_push_of_something_that_was_deleted_says_so(sadad: Sadad, boss: Client) -> None:
    row = pushed(payment_link())
    mirroring.remove(row)
    assert told(boss.post(url("paymentlink", "push", row.pk))) == [("success", "Deleted at Sadad.")]


def test_what_waits_for_another_says_so(sadad: Sadad, boss: Client) -> None:
    category = make(CategoryDraft(name_en="Coffee"))
    product = make(ProductDraft(category=category, name_en="Beans"))
    sadad.control.faults.add("ProductCategory/insert", "refuse", error_key="NameEnRequired")
    ((level, sentence),) = told(boss.post(url("product", "push", product.pk)))
    assert (level, sentence) == ("warning", "to be sent: It waits for what it needs at Sadad.")


def test_selected_rows_are_sent_soon_and_nobody_waits(boss: Client, staff: StaffMaker) -> None:
    later = clock.now() + timedelta(hours=1)
    waits = ProductFactory(failed=True, next_try_at=later, tries=7)
    due, done = ProductFactory(pending=True), ProductFactory()
    stuck = ProductFactory(failed=True, error="bad_mirror", next_try_at=None)
    parked = ProductFactory(pending=True, environment="live", next_try_at=later)
    chosen = [row.pk for row in (waits, due, done, stuck, parked)]
    form = {"action": "push_soon", "_selected_action": chosen}
    answer = boss.post(url("product"), form)
    assert told(answer)[0][1].startswith("2 of them are sent by background work now")
    assert fresh(waits).next_try_at < later
    assert fresh(waits).tries == 0
    assert fresh(parked).next_try_at == later
    assert fresh(stuck).next_try_at is None
    assert push.pending(clock.now())["product"] == 2
    assert "push_soon" not in staff(views=VIEWS).get(url("product")).content.decode()
    assert "delete_selected" not in boss.get(url("product")).content.decode()


# Difference and pull


def change_there(row: Any, **changes: Any) -> None:
    """As somebody does in Sadad's panel: the whole object is sent (every update replaces it)."""
    row, kind = fresh(row), kinds.of(row)
    values = {**(pushing.values_of(row, kind) or {}), **changes, "id": int(row.sadad_id)}
    kind.calls(gateway.client_of(row)).update(values)


def test_the_difference_shows_both_sides_and_changes_nothing(sadad: Sadad, boss: Client) -> None:
    row = pushed(payment_link())
    page = url("paymentlink", "difference", row.pk)
    assert "Both sides agree" in text(boss.get(page))
    change_there(row, amount="99", lang="ar")
    shown = text(boss.get(page))
    assert "Amount (KWD) 150.000 KWD 99.000 KWD" in shown
    assert "Language English العربية" in shown
    assert fresh(row).payload == row.payload


def test_pull_now_takes_what_was_changed_in_the_panel(sadad: Sadad, boss: Client) -> None:
    row = pushed(payment_link())
    change_there(row, title="Rent of May", inactive=True)
    answer = boss.post(url("paymentlink", "pull", row.pk))
    ((level, sentence),) = told(answer)
    assert level == "success"
    assert sentence == "Taken over from Sadad: inactive, title."
    after = fresh(row)
    assert (after.title, after.inactive, after.state) == ("Rent of May", True, State.SYNCED)
    assert LogEntry.objects.get().get_change_message() == "Changed inactive and title."
    assert told(boss.post(url("paymentlink", "pull", row.pk))) == [("success", "Both sides agree.")]


def test_a_change_on_both_sides_is_shown_before_one_counts(sadad: Sadad, boss: Client) -> None:
    row = pushed(payment_link())
    mirroring.change(row, payment_link(title="Ours"))
    change_there(row, title="Theirs")
    answer = boss.post(url("paymentlink", "pull", row.pk))
    assert answer["Location"] == url("paymentlink", "difference", row.pk)
    assert fresh(row).title == "Ours"
    shown = text(boss.get(answer["Location"]))
    assert "Title Ours Theirs" in shown
    assert "Sadad's counts: take it" in shown
    boss.post(url("paymentlink", "pull", row.pk), {"confirmed": "yes"})
    assert (fresh(row).title, fresh(row).state) == ("Theirs", State.SYNCED)


def test_ours_can_be_made_to_count(sadad: Sadad, boss: Client) -> None:
    row = pushed(payment_link())
    change_there(row, title="Theirs")
    assert told(boss.post(url("paymentlink", "insist", row.pk))) == [("success", "In step with Sadad.")]
    assert [there["title"] for there in sadad.control.objects("PaymentLink")] == ["Rent"]


def test_a_row_of_the_shop_s_is_not_taken_over(sadad: Sadad, boss: Client) -> None:
    shop.Category.objects.create(name="Tea")
    push.run()
    from django_sadadpay.models import ProductCategory

    row = ProductCategory.objects.get()
    change_there(row, name_en="Theirs")
    answer = boss.post(url("productcategory", "pull", row.pk), {"confirmed": "yes"})
    assert answer["Location"] == url("productcategory", "difference", row.pk)
    page = text(boss.get(answer["Location"]))
    assert "English name Tea Theirs" in page
    assert "take it" not in page
    assert fresh(row).name_en == "Tea"


def test_products_and_parents_are_shown_by_name(sadad: Sadad, boss: Client) -> None:
    category = pushed(CategoryDraft(name_en="Coffee"))
    other = pushed(CategoryDraft(name_en="Tea"))
    beans = pushed(ProductDraft(category=category, name_en="Beans", price="1"))
    cups = pushed(ProductDraft(category=category, name_en="Cups", price="2"))
    link = pushed(ProductLinkDraft(name_en="Market", name_ar="السوق", products=[beans]))
    change_there(cups, category_id=int(other.sadad_id))
    assert "Category Coffee Tea" in text(boss.get(url("product", "difference", cups.pk)))
    change_there(link, products=[int(beans.sadad_id), int(cups.sadad_id)])
    assert "Products Beans Beans Cups" in text(boss.get(url("productlink", "difference", link.pk)))
    boss.post(url("productlink", "pull", link.pk))
    assert set(link.products.values_list("name_en", flat=True)) == {"Beans", "Cups"}


def test_personal_values_only_say_that_they_differ(sadad: Sadad, staff: StaffMaker) -> None:
    row = pushed(CustomerDraft(name=NAME, mobile=f"+{PHONE}"))
    change_there(row, name="Sara", mobile="+96599999999")
    page = url("customer", "difference", row.pk)
    masked = text(staff("change_customer", views=VIEWS).get(page))
    assert "Name •••••••• ••••••••" in masked
    assert "Phone •••••••• ••••••••" in masked
    assert "Sara" not in masked
    assert "Name Noor Al-Sabah Sara" in text(
        staff("change_customer", "view_customer_data", views=VIEWS).get(page)
    )


def test_a_plan_is_pulled_with_its_instalments(sadad: Sadad, boss: Client) -> None:
    draft = PlanDraft(
        customer=Customer("Sara"),
        amount="100",
        down_amount="10",
        installment_count=3,
        start_date="2026-12-01",
        pay_per="Monthly",
        reference="P-1",
    )
    plan = pushed(draft)
    boss.post(url("installmentplan", "pull", plan.pk), {"confirmed": "yes"})
    page = text(boss.get(url("installmentplan", "change", plan.pk)))
    assert "0 12/01/2026 10.000 KWD – unpaid" in page
    assert "3 03/01/2027 30.000 KWD – unpaid" in page
    assert "Left: 100.000 KWD" in page
    assert InstallmentPlan.objects.get().installments.count() == 4
    assert "installments" not in form_of(boss, plan)
    save(boss, plan, amount="120")
    assert told(boss.post(url("installmentplan", "push", plan.pk))) == [("success", "In step with Sadad.")]
    (there,) = sadad.control.objects("InstallmentPlan")
    assert there["amount"] == 120


def test_what_sadad_does_not_have_is_a_message(sadad: Sadad, boss: Client) -> None:
    row = pushed(payment_link())
    gateway.client_of(row).payment_links.delete(row.sadad_id)
    assert told(boss.get(url("paymentlink", "difference", row.pk))) == [("error", "Sadad does not have it.")]
    assert told(boss.post(url("paymentlink", "pull", row.pk))) == [("error", "Sadad does not have it.")]


def test_a_row_without_an_id_has_no_difference(boss: Client) -> None:
    row = PaymentLinkFactory(pending=True)
    assert "Show difference" not in text(boss.get(url("paymentlink", "change", row.pk)))
    assert told(boss.get(url("paymentlink", "difference", row.pk)))[0][0] == "error"


def test_a_gateway_that_is_down_is_a_message(boss: Client) -> None:
    row = PaymentLinkFactory()
    for answer in (
        boss.get(url("paymentlink", "difference", row.pk)),
        boss.post(url("paymentlink", "pull", row.pk)),
    ):
        assert answer["Location"] == url("paymentlink", "change", row.pk)
        assert "cannot be reached" in told(answer)[0][1]


def test_what_was_changed_since_the_look_is_not_overwritten(sadad: Sadad) -> None:
    row = pushed(payment_link())
    change_there(row, title="Theirs")
    seen = aligning.look(row)
    mirroring.change(row, payment_link(title="Newer"))
    with pytest.raises(Refused, match="no_longer_waiting"):
        deciding.take(row, seen)
    assert fresh(row).title == "Newer"


def test_an_answer_that_cannot_be_read_is_a_message(sadad: Sadad, settings: Any, boss: Client) -> None:
    row = pushed(payment_link())
    account = {
        **settings.SADADPAY["ACCOUNTS"]["default"],
        "FIELDS": {"PaymentLink/getall": {"reply.id": "linkId"}},
    }
    settings.SADADPAY = {**settings.SADADPAY, "ACCOUNTS": {"default": account}}
    assert "cannot be reached" in told(boss.get(url("paymentlink", "difference", row.pk)))[0][1]


def test_a_decision_that_comes_too_late_is_a_message(
    sadad: Sadad, boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = pushed(payment_link())
    seen = aligning.look(row)
    mirroring.change(row, payment_link(title="Newer"))
    monkeypatch.setattr(aligning, "look", lambda _row: seen)
    stale = ["Somebody has dealt with this already."]

    def get_object(*_args: Any) -> Any:
        return row

    monkeypatch.setattr("django_sadadpay.admin.paylinks.PaymentLinkAdmin.get_object", get_object)
    for page in ("pull", "insist"):
        answer = boss.post(url("paymentlink", page, row.pk), {"confirmed": "yes"})
        assert [sentence for _level, sentence in told(answer)] == stale, page


def test_parts_of_a_plan_are_shown_in_the_difference(sadad: Sadad, boss: Client) -> None:
    draft = PlanDraft(
        customer=Customer("Sara"),
        amount="100",
        installment_count=1,
        start_date="2026-12-01",
        pay_per="Manual",
        installments=[("100", "2026-12-01")],
    )
    plan = pushed(draft)
    parts = [{"amount": "60", "due_date": "2026-12-01"}, {"amount": "40", "due_date": "2027-01-01"}]
    change_there(plan, installments=parts, installment_count=2)
    page = text(boss.get(url("installmentplan", "difference", plan.pk)))
    assert "Instalments 2026-12-01 100.000 KWD 2026-12-01 60.000 KWD 2027-01-01 40.000 KWD" in page


# Delete


def test_delete_asks_and_then_wants_it_gone(sadad: Sadad, boss: Client) -> None:
    row = pushed(payment_link())
    page = url("paymentlink", "remove", row.pk)
    assert "Delete “Rent” at Sadad?" in text(boss.get(page))
    assert fresh(row).is_wanted
    answer = boss.post(page)
    assert told(answer) == [
        ("success", "It is deleted at Sadad by itself; the badge says how far it is."),
    ]
    assert fresh(row).state == State.PENDING
    assert LogEntry.objects.get().get_change_message() == "Deleted payment link “Rent”."
    push.run()
    assert fresh(row).state == State.DELETED
    assert sadad.control.objects("PaymentLink") == []


def test_what_others_need_is_not_deleted_and_they_are_named(boss: Client) -> None:
    category = make(CategoryDraft(name_en="Coffee"))
    beans = make(ProductDraft(category=category, name_en="Beans"))
    make(ProductDraft(category=category, name_en="Cups"))
    make(ProductLinkDraft(name_en="Market", name_ar="السوق", products=[beans]))
    for answer in (
        boss.get(url("productcategory", "remove", category.pk)),
        boss.post(url("productcategory", "remove", category.pk)),
    ):
        page = text(answer)
        assert "“Coffee” cannot be deleted" in page
        assert "Others at Sadad need this: 2 products. Delete those first." in page
        assert "product: Beans" in page
    assert url("product", "change", beans.pk) in answer.content.decode()
    assert "1 product link" in text(boss.post(url("product", "remove", beans.pk)))
    assert fresh(category).is_wanted
    assert fresh(beans).is_wanted


def test_django_s_own_delete_is_closed(boss: Client) -> None:
    row = ProductFactory()
    assert boss.post(url("product", "delete", row.pk), {"post": "yes"}).status_code == 403
    assert Product.objects.filter(pk=row.pk).exists()


def test_pages_that_act_are_not_opened_by_a_link(boss: Client) -> None:
    row = ProductFactory()
    for page in ("push", "pull", "insist", "restore"):
        assert boss.get(url("product", page, row.pk)).status_code == 405, page


# Schedules


def test_a_subscription_shows_its_schedule(boss: Client) -> None:
    from django_sadadpay.testing.factories import InvoiceFactory, SubscriptionFactory

    row = SubscriptionFactory(template=SubscriptionTemplateFactory())
    invoice = InvoiceFactory(paid=True, made_from=f"subscription:{row.pk}")
    row.periods.create(number=1, bill_on="2026-11-01", amount="3", status="Paid", invoice=invoice)
    row.periods.create(number=2, bill_on="2026-12-01", amount="3", status="Missed", sadad_invoice_id="77")
    row.periods.create(number=3, status="Else")
    answer = boss.get(url("subscription", "change", row.pk))
    page = text(answer)
    assert f"1 11/01/2026 3.000 KWD paid {invoice.shop_reference}" in page
    assert "2 12/01/2026 3.000 KWD missed 77" in page
    assert "3 – – Else –" in page
    assert url("invoice", "change", invoice.pk) in answer.content.decode()
    assert Subscription.objects.count() == 1
