"""What is kept at Sadad, made and edited here: saved at once, sent later, refused by its field's name."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from django_sadadpay.models import (
    Customer,
    InstallmentPlan,
    Mirror,
    PaymentLink,
    Product,
    ProductCategory,
    ProductLink,
    Subscription,
    SubscriptionLink,
    SubscriptionTemplate,
)
from django_sadadpay.registry import CategoryDraft, CustomerDraft, ProductDraft, TemplateDraft
from django_sadadpay.services import mirroring, push
from django_sadadpay.testing.factories import (
    InstallmentPlanFactory,
    PaymentLinkFactory,
    ProductCategoryFactory,
    ProductFactory,
)
from django_sadadpay.testing.gateway import Sadad
from tests.admin.conftest import StaffMaker, text, told, url
from tests.admin.mirrors import (
    CHANGES,
    KINDS,
    VIEWS,
    errors,
    form_of,
    fresh,
    make,
    one_of_each,
    payment_link,
    pushed,
    save,
)
from tests.shop import models as shop

pytestmark = pytest.mark.django_db(transaction=True)
State = Mirror.State
STORED = "Stored. It is sent to Sadad by itself; the badge says how far it is."


# Saving


def test_a_payment_link_is_made_without_a_call_to_sadad(sadad: Sadad, boss: Client) -> None:
    answer = boss.post(url("paymentlink", "add"), {"title": "Rent", "amount": "150.250", "lang": "ar"})
    assert answer.status_code == 302
    assert ("info", STORED) in told(answer)
    row = PaymentLink.objects.get()
    assert (row.state, row.account, row.environment) == (State.PENDING, "default", "sandbox")
    assert row.payload["amount"] == "150.250"
    assert sadad.calls() == []
    assert "to be sent" in text(boss.get(url("paymentlink")))
    assert LogEntry.objects.get().get_change_message() == "Added."
    push.run()
    (there,) = sadad.control.objects("PaymentLink")
    assert (there["title"], there["lang"]) == ("Rent", "ar")


def test_saving_works_while_sadad_is_down(boss: Client) -> None:
    """The settings of the tests point to a port at which nobody listens."""
    boss.post(url("paymentlink", "add"), {"title": "Rent", "amount": "1"})
    row = PaymentLink.objects.get()
    answer = boss.post(url("paymentlink", "push", row.pk))
    ((level, sentence),) = told(answer)
    assert (answer.status_code, level) == (302, "warning")
    assert "could not be reached" in sentence
    page = text(boss.get(url("paymentlink", "change", row.pk)))
    assert "Sadad could not be reached. It is tried again by itself." in page
    assert "could not be reached" in text(boss.get(url("paymentlink")))
    assert save(boss, row, title="Rent of May").status_code == 302
    assert fresh(row).title == "Rent of May"


def test_a_shop_without_workers_sends_after_the_commit(sadad: Sadad, settings: Any, boss: Client) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "PUSH_ON_SAVE": True}
    boss.post(url("paymentlink", "add"), {"title": "Rent", "amount": "1"})
    assert PaymentLink.objects.get().state == State.SYNCED
    sadad.control.faults.add("PaymentLink/insert", "cut_before")
    assert boss.post(url("paymentlink", "add"), {"title": "May", "amount": "1"}).status_code == 302
    assert PaymentLink.objects.get(title="May").state == State.UNKNOWN


def test_every_kind_is_made_in_the_admin_and_reaches_sadad(sadad: Sadad, boss: Client) -> None:
    def add(kind: str, **values: Any) -> Any:
        answer = boss.post(url(kind, "add"), values)
        assert answer.status_code == 302, errors(answer)

    add("productcategory", name_en="Coffee", sort="3")
    category = ProductCategory.objects.get()
    add("product", category=category.pk, name_en="Beans", price="4.75", quantity="7", stockable="on")
    product = Product.objects.get()
    add("productlink", name_en="Market", name_ar="السوق", products=[product.pk])
    add("customer", name="Noor", mobile="+96550000001", reference="K-7")
    add("subscriptiontemplate", name_en="Gold", amount="3", bill_period="Monthly", can_be_suspended="on")
    template, customer = SubscriptionTemplate.objects.get(), Customer.objects.get()
    add("subscription", template=template.pk, customer=customer.pk, reference="S-1", start_date="2026-12-01")
    add("subscription", template=template.pk, customer_name="A guest", customer_mobile="+96550000002")
    add("subscriptionlink", template=template.pk, name_en="Join", inactive="on")
    add(
        "installmentplan",
        customer_name="Sara",
        amount="100",
        installment_count="2",
        pay_per="Manual",
        start_date="2026-12-01",
        installments="2026-12-01 ٤٠٫٥\n2027-01-01 59.500\n",
    )
    assert push.run().failed == {}
    models = (Product, ProductLink, Subscription, SubscriptionLink, InstallmentPlan)
    assert {row.state for model in models for row in model.objects.all()} == {State.SYNCED}
    (plan,) = sadad.control.objects("InstallmentPlan")
    assert [part["amount"] for part in plan["installments"]] == [40.5, 59.5]
    assert sadad.control.objects("Product")[0]["quantity"] == 7
    assert {row["customerName"] for row in sadad.control.objects("Subscription")} >= {"A guest"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_that_is_saved_as_it_is_changes_nothing(sadad: Sadad, boss: Client, kind: str) -> None:
    row = one_of_each()[kind]
    push.run()
    row = fresh(row)
    assert row.state == State.SYNCED, row.error
    answer = save(boss, row)
    assert answer.status_code == 302, errors(answer)
    assert ("info", STORED) not in told(answer)
    after = fresh(row)
    assert (after.payload, after.digest, after.state) == (row.payload, row.digest, State.SYNCED)


def test_an_edit_is_sent_as_an_update(sadad: Sadad, boss: Client) -> None:
    row = pushed(payment_link())
    answer = save(boss, row, title="Rent of May", amount="151.5", comment="")
    assert answer.status_code == 302
    assert fresh(row).state == State.PENDING
    assert LogEntry.objects.get().get_change_message() == "Changed Title and Amount (KWD)."
    push.run()
    (there,) = sadad.control.objects("PaymentLink")
    assert (there["title"], there["amount"]) == ("Rent of May", 151.5)


def test_products_keep_the_order_in_which_they_were_chosen(boss: Client) -> None:
    first, second, third = ProductFactory(), ProductFactory(), ProductFactory()
    chosen = [second.pk, third.pk, first.pk]
    boss.post(url("productlink", "add"), {"name_en": "M", "name_ar": "م", "products": chosen})
    link = ProductLink.objects.get()
    assert list(link.items.values_list("product", flat=True)) == chosen
    html = boss.get(url("productlink", "change", link.pk)).content.decode()
    places = [html.index(f'<option value="{pk}" selected') for pk in chosen]
    assert places == sorted(places)
    assert save(boss, link).status_code == 302
    assert list(link.items.values_list("product", flat=True)) == chosen


def test_a_flag_that_was_never_set_is_not_sent_as_no(boss: Client) -> None:
    boss.post(url("productcategory", "add"), {"name_en": "Tea"})
    row = ProductCategory.objects.get()
    assert "inactive" not in row.payload
    save(boss, row, inactive="on")
    assert fresh(row).payload["inactive"] is True
    save(boss, row, inactive=None)
    assert fresh(row).payload["inactive"] is False


def test_fields_that_the_form_does_not_know_are_kept(boss: Client) -> None:
    row = make(CategoryDraft(name_en="Tea", extra={"shelf": "B"}))
    save(boss, row, name_en="Green tea")
    assert fresh(row).payload == {"name_en": "Green tea", "name_ar": "", "shelf": "B"}


def test_a_word_of_sadad_s_that_is_not_listed_can_be_kept(boss: Client) -> None:
    row = make(TemplateDraft(name_en="Gold", amount="3", bill_period="Fortnightly"))
    assert form_of(boss, row)["bill_period"] == "Fortnightly"
    assert save(boss, row, amount="4").status_code == 302
    assert fresh(row).payload["bill_period"] == "Fortnightly"


# What Sadad would refuse


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"amount": "5.1234"}, "amount", "no more than 3 decimal places"),
        ({"amount": ""}, "amount", "This is missing."),
        ({"amount": "-1"}, "amount", "greater than or equal to 0"),
        ({"amount": "much"}, "amount", "Enter a number"),
        ({"amount": "1e400"}, "amount", "no more than"),
        ({"title": ""}, "title", "This field is required."),
        ({"title": "x" * 251}, "title", "at most 250 characters"),
        ({"lang": "fr"}, "lang", "Select a valid choice"),
        ({"currency": "K1D"}, "currency", "three letters"),
        ({"title": "a\0b"}, "title", "Null characters"),
        ({"amount": "", "is_open_amount": "on", "min_amount": "0.0005"}, "min_amount", "3 decimal places"),
        ({"is_open_amount": "on", "min_amount": "9", "max_amount": "3"}, "max_amount", "below the lowest"),
    ],
)
def test_a_wrong_value_is_refused_beside_its_field(
    boss: Client, values: dict[str, str], field: str, words: str
) -> None:
    answer = boss.post(url("paymentlink", "add"), {"title": "Rent", "amount": "5", **values})
    found = errors(answer)
    assert list(found) == [field]
    assert words in found[field][0]
    assert not PaymentLink.objects.exists()


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"customer_name": ""}, "customer_name", "required"),
        ({"start_date": "tomorrow"}, "start_date", "valid date"),
        ({"installment_count": "1.5"}, "installment_count", "whole number"),
        ({"amount": "0"}, "amount", "above zero"),
        ({"pay_per": ""}, "pay_per", "required"),
        ({"pay_per": "Manual", "installments": "soon 5"}, "installments", "yyyy-mm-dd"),
        ({"pay_per": "Manual", "installments": "2026-12-01"}, "installments", "each line"),
        ({"pay_per": "Manual", "installments": "2026-12-01 1.2345"}, "installments", "1000 fils"),
        ({"pay_per": "Manual", "installments": "2026-12-01 99"}, "installments", "do not add up"),
        ({"pay_per": "Manual"}, "installments", "do not add up"),
        ({"installments": "2026-12-01 100"}, "installments", "paid by hand"),
    ],
)
def test_a_wrong_plan_is_refused_beside_its_field(
    boss: Client, values: dict[str, str], field: str, words: str
) -> None:
    good = {
        "customer_name": "Sara",
        "amount": "100",
        "installment_count": "1",
        "pay_per": "Monthly",
        "start_date": "2026-12-01",
    }
    found = errors(boss.post(url("installmentplan", "add"), {**good, **values}))
    assert list(found) == [field]
    assert words in found[field][0]
    assert boss.post(url("installmentplan", "add"), good).status_code == 302


def test_what_a_product_needs_is_named(boss: Client) -> None:
    assert list(errors(boss.post(url("product", "add"), {"name_en": "Beans"}))) == ["category"]
    gone = ProductCategoryFactory(deleted=True)
    answer = boss.post(url("product", "add"), {"name_en": "Beans", "category": gone.pk})
    assert "category" in errors(answer)
    answer = boss.post(url("productlink", "add"), {"name_en": "M", "name_ar": "م"})
    assert list(errors(answer)) == ["products"]


def test_a_subscription_needs_one_customer_and_not_two(boss: Client) -> None:
    template, customer = (
        make(TemplateDraft(name_en="Gold", amount="3", bill_period="Monthly")),
        make(CustomerDraft(name="Noor")),
    )
    assert list(errors(boss.post(url("subscription", "add"), {"template": template.pk}))) == ["customer"]
    both = {"template": template.pk, "customer": customer.pk, "customer_name": "Sara"}
    assert "not both" in errors(boss.post(url("subscription", "add"), both))["customer_name"][0]


def test_a_new_row_names_its_account_where_there_are_several(settings: Any, boss: Client) -> None:
    accounts = settings.SADADPAY["ACCOUNTS"]
    settings.SADADPAY = {**settings.SADADPAY, "ACCOUNTS": {**accounts, "second": accounts["default"]}}
    assert "account" in errors(boss.post(url("productcategory", "add"), {"name_en": "Tea"}))
    boss.post(url("productcategory", "add"), {"name_en": "Tea", "account": "second"})
    category = ProductCategory.objects.get()
    assert category.account == "second"
    values = {"name_en": "Green", "category": category.pk, "account": "default"}
    assert errors(boss.post(url("product", "add"), values)) == {
        "category": ["It is kept by another account."]
    }
    assert boss.post(url("product", "add"), {**values, "account": "second"}).status_code == 302
    assert "Account" not in errors(boss.post(url("product", "change", Product.objects.get().pk), {}))


def test_what_was_removed_while_the_form_was_checked_is_a_message(
    boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    category = make(CategoryDraft(name_en="Tea"))
    check = mirroring.validate

    def quicker(draft: Any) -> None:
        check(draft)
        mirroring.remove(fresh(category))

    monkeypatch.setattr(mirroring, "validate", quicker)
    answer = boss.post(url("product", "add"), {"name_en": "Green", "category": category.pk})
    assert answer.status_code == 302
    assert told(answer) == [("error", "category: It is not kept at Sadad.")]
    assert not Product.objects.exists()


def test_what_somebody_may_not_see_and_is_missing_is_said_above_the_form(staff: StaffMaker) -> None:
    plan = InstallmentPlanFactory(customer_name="")
    answer = save(staff(*CHANGES, views=VIEWS), plan, amount="120")
    assert errors(answer) == {"__all__": ["This is missing."]}


# Rows that are not staff's


def test_a_row_of_the_shop_s_is_read_only_and_says_so(sadad: Sadad, boss: Client) -> None:
    mine = shop.Product.objects.create(
        category=shop.Category.objects.create(name="Tea"), name="Green tea", price="2.500"
    )
    row = Product.objects.get()
    page = text(boss.get(url("product", "change", row.pk)))
    assert f"Kept in step with the shop's product {mine.pk}; change it there." in page
    assert "English name Green tea" in page
    assert "2.500 KWD" in page
    assert "Delete at Sadad" not in page
    assert boss.post(url("product", "change", row.pk), {"name_en": "Mine"}).status_code == 403
    assert told(boss.post(url("product", "remove", row.pk)))[0][0] == "error"
    assert told(boss.post(url("product", "restore", row.pk)))[0][0] == "error"
    assert fresh(row).is_wanted


def test_a_row_whose_mirror_is_no_longer_registered_says_where_it_came_from(boss: Client) -> None:
    row = ProductFactory(source="old", object_id="9")
    assert "the shop's old 9; change it there" in text(boss.get(url("product", "change", row.pk)))


def test_a_shop_s_object_is_linked_where_the_admin_shows_it(
    boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django_sadadpay.registry import mirrors

    row = ProductFactory(source="product", object_id="9")
    mirrored = mirrors.get("product")
    assert mirrored is not None
    monkeypatch.setattr(type(mirrored), "model", PaymentLink)
    html = boss.get(url("product", "change", row.pk)).content.decode()
    assert f'<a href="{url("paymentlink", "change", 9)}">Open it</a>' in html


def test_a_row_of_another_environment_is_left_alone(boss: Client) -> None:
    row = PaymentLinkFactory(environment="live", pending=True)
    page = text(boss.get(url("paymentlink", "change", row.pk)))
    assert "another Sadad environment" in page
    for name in ("Push now", "Pull now", "Delete at Sadad"):
        assert name not in page
    assert boss.post(url("paymentlink", "change", row.pk), {"title": "x"}).status_code == 403
    for name in ("push", "pull", "insist", "restore"):
        assert told(boss.post(url("paymentlink", name, row.pk)))[0][0] == "error", name
    assert fresh(row).state == State.PENDING


def test_what_is_to_go_is_read_only_until_it_is_wanted_again(sadad: Sadad, boss: Client) -> None:
    row = pushed(payment_link())
    boss.post(url("paymentlink", "remove", row.pk))
    page = text(boss.get(url("paymentlink", "change", row.pk)))
    assert "It is to be deleted at Sadad." in page
    assert "to be deleted" in page
    assert boss.post(url("paymentlink", "change", row.pk), {"title": "x"}).status_code == 403
    push.run()
    assert sadad.control.objects("PaymentLink") == []
    assert "It was deleted at Sadad." in text(boss.get(url("paymentlink", "change", row.pk)))
    assert told(boss.post(url("paymentlink", "restore", row.pk))) == [("success", STORED)]
    push.run()
    assert [there["title"] for there in sadad.control.objects("PaymentLink")] == ["Rent"]
    assert told(boss.post(url("paymentlink", "restore", row.pk)))[0][0] == "error"


def test_what_needs_something_that_is_gone_cannot_be_wanted_again(boss: Client) -> None:
    category = make(CategoryDraft(name_en="Tea"))
    row = make(ProductDraft(category=category, name_en="Green"))
    mirroring.remove(row)
    mirroring.remove(category)
    answer = boss.post(url("product", "restore", row.pk))
    assert told(answer) == [("error", "category: It is not kept at Sadad.")]
