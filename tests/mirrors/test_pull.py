"""What exists at Sadad is taken over: made in its panel, by an older system, or by an unanswered push."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_sadadpay import conf
from django_sadadpay.models import (
    Attention,
    Customer,
    Installment,
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
from django_sadadpay.registry import CategoryDraft
from django_sadadpay.services import clock, gateway, mirroring, pull, pulling, push
from django_sadadpay.services.kinds import KINDS
from django_sadadpay.services.pull import CannotPull, Counted, Report
from django_sadadpay.testing.gateway import Sadad
from tests.mirrors.conftest import product, waiting
from tests.shop.models import Category, Client

pytestmark = pytest.mark.django_db(transaction=True)
State = Mirror.State
PAYER = {"customerName": "Noor Al-Sabah", "customerMobile": "+96550000001"}


def panel(sadad: Sadad) -> dict[str, dict[str, Any]]:
    """One object of each kind, made in Sadad's panel."""
    make = sadad.control.create_object
    made = {"category": make("ProductCategory", nameEn="Coffee", sort=3)}
    made["product"] = make(
        "Product", categoryId=made["category"]["id"], nameEn="Beans", descEn="Dark", price="1.250", quantity=5
    )
    made["customer"] = make("Customer", name="Noor Al-Sabah", mobile="+96550000001", ref_Number="K-1")
    made["product_link"] = make("ProductLink", nameEn="Pick", nameAr="Pick", products=[made["product"]["id"]])
    made["payment_link"] = make("PaymentLink", title="Donate", isOpenAmount=True, comment="Thanks")
    made["template"] = make("SubscriptionTemplate", nameEn="Gold", amount="3.000", billPeriod="Monthly")
    made["subscription"] = make(
        "Subscription", templateId=made["template"]["id"], customerId=made["customer"]["id"], ref_Number="S-1"
    )
    made["subscription_link"] = make("SubscriptionLink", templateId=made["template"]["id"], nameEn="Join")
    made["plan"] = make(
        "InstallmentPlan",
        **PAYER,
        amount="9.000",
        installmentCount=3,
        startDate="2027-01-01",
        payPer="Monthly",
        ref_Number="P-1",
    )
    return made


def counts(report: Report) -> dict[str, dict[str, int]]:
    return {one.resource: one.counts for one in report.lists if one.counts}


def one(resource: str, **options: Any) -> Counted:
    (counted,) = pull.run(resources=[resource], **options).lists
    return counted


# Taking over


def test_an_object_of_each_kind_is_taken_over(sadad: Sadad) -> None:
    made = panel(sadad)
    report = pull.run()
    assert report.exit_code == 0
    assert set(counts(report)) == {kind.group for kind in KINDS}
    assert all(each == {"new": 1} for each in counts(report).values())
    for model in (kind.model for kind in KINDS):
        row = model._base_manager.get()
        assert (row.state, row.wanted, row.error, row.source) == ("synced", "present", "", "")
        assert row.digest == row.pushed_digest != ""
        assert row.synced_at is not None
    assert Customer.objects.get().sadad_id == str(made["customer"]["id"])
    assert PaymentLink.objects.get().sadad_key == str(made["payment_link"]["key"])


def test_it_holds_what_sadad_said_under_our_names(sadad: Sadad) -> None:
    panel(sadad)
    pull.run()
    beans, plan = Product.objects.get(), InstallmentPlan.objects.get()
    assert (beans.name_en, beans.price) == ("Beans", Decimal("1.250"))
    assert {"desc_en": "Dark", "price": "1.250", "quantity": 5}.items() <= beans.payload.items()
    assert beans.category == ProductCategory.objects.get()
    assert PaymentLink.objects.get().payload["comment"] == "Thanks"
    assert Subscription.objects.get().template == SubscriptionTemplate.objects.get()
    assert Subscription.objects.get().customer == Customer.objects.get()
    assert SubscriptionLink.objects.get().template == SubscriptionTemplate.objects.get()
    assert list(ProductLink.objects.get().products.all()) == [beans]
    assert (plan.status, plan.remaining_amount, plan.payload["start_date"]) == ("New", 9, "2027-01-01")
    parts = list(Installment.objects.order_by("number").values_list("number", "amount", "status"))
    assert parts == [(number, Decimal(3), "Unpaid") for number in (1, 2, 3)]


def test_what_was_taken_over_is_not_pushed(sadad: Sadad) -> None:
    panel(sadad)
    pull.run()
    before = len(sadad.calls())
    push.run()
    assert len(sadad.calls()) == before


def test_an_edit_of_it_changes_nothing_else_at_sadad(sadad: Sadad) -> None:
    panel(sadad)
    pull.run()
    row = ProductCategory.objects.get()
    mirroring.change(row, CategoryDraft(name_en="Tea", sort=row.payload["sort"]))
    push.run()
    (there,) = sadad.control.objects("ProductCategory")
    assert (there["nameEn"], there["sort"]) == ("Tea", 3)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_unchanged_object_costs_a_look_and_no_write(sadad: Sadad, kind: Any) -> None:
    panel(sadad)
    pull.run()
    with CaptureQueriesContext(connection) as seen:
        counted = one(kind.group)
    assert counted.counts == {"unchanged": 1}
    table = kind.model._meta.db_table
    touched = [query["sql"] for query in seen.captured_queries if f'"{table}"' in query["sql"]]
    assert len([sql for sql in touched if sql.startswith("SELECT")]) == len(touched) == 2  # and the unseen
    written = [q["sql"] for q in seen.captured_queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert all("sadadpay_mark" in sql for sql in written)


def test_a_change_at_sadad_is_taken(sadad: Sadad) -> None:
    panel(sadad)
    pull.run()
    change(sadad, "Product/update", Product, {"nameEn": "Green beans", "price": "2.000"})
    assert one("products").counts == {"changed": 1}
    row = Product.objects.get()
    assert (row.name_en, row.price, row.payload["desc_en"]) == ("Green beans", 2, "Dark")
    assert (row.state, row.digest) == ("synced", row.pushed_digest)


def change(sadad: Sadad, endpoint: str, model: type[Mirror], values: dict[str, Any], pk: Any = None) -> None:
    """Staff change an object in the panel."""
    row = model._base_manager.get(pk=pk) if pk else model._base_manager.get()
    objects = sadad.control.objects(endpoint.partition("/")[0])
    before = next(each for each in objects if str(each["id"]) == row.sadad_id)
    whole = {name: value for name, value in before.items() if name != "categories"}
    body = {
        name: str(value) if isinstance(value, float) else value for name, value in (whole | values).items()
    }
    gateway.client_for(conf.current().account("default")).call(endpoint, body=body)


def test_a_list_of_products_that_changed_at_sadad_is_taken(sadad: Sadad) -> None:
    made = panel(sadad)
    more = sadad.control.create_object("Product", categoryId=made["category"]["id"], nameEn="Cups", price="2")
    pull.run()
    change(sadad, "ProductLink/update", ProductLink, {"nameEn": "Pick two", "products": [more["id"]]})
    assert one("product_links").counts == {"changed": 1}
    assert [row.name_en for row in ProductLink.objects.get().products.all()] == ["Cups"]


def test_a_link_whose_products_are_not_here_is_left_for_a_pull_that_has_them(sadad: Sadad) -> None:
    panel(sadad)
    counted = one("product_links")
    assert (counted.counts, counted.needs_a_look) == ({"failed": 1}, True)
    assert not ProductLink.objects.exists()
    assert counts(pull.run())["product_links"] == {"new": 1}


# Ours


def test_what_was_pushed_is_the_same_at_sadad(sadad: Sadad, coffee: Category) -> None:
    product(coffee)
    push.run()
    first, again = counts(pull.run()), counts(pull.run())
    assert first == {"product_categories": {"same": 1}, "products": {"same": 1}}
    assert again == {"product_categories": {"unchanged": 1}, "products": {"unchanged": 1}}
    before = len(sadad.calls("Product/update"))
    push.run()
    assert len(sadad.calls("Product/update")) == before


def test_what_sadad_holds_beside_our_wish_changes_no_wish(sadad: Sadad, coffee: Category) -> None:
    beans = product(coffee)
    push.run()
    change(sadad, "Product/update", Product, {"descEn": "written in the panel", "nameEn": "Beans"})
    pull.run()
    beans.save()
    assert Product.objects.get().state == State.SYNCED  # nothing to push: the draft is the same as before


def test_our_own_push_is_no_change_of_theirs(sadad: Sadad, coffee: Category) -> None:
    pull.run()
    beans = product(coffee)
    push.run()
    pull.run()
    for price in ("2.000", "3.000"):
        beans.price = Decimal(price)
        beans.save()
        if price == "2.000":
            push.run()
    assert one("products").counts == {"waiting": 1}
    push.run()
    assert sadad.control.objects("Product")[0]["price"] == 3
    assert one("products").counts == {"same": 1}


def test_an_object_of_the_panel_becomes_the_shops_own_by_its_name(sadad: Sadad) -> None:
    sadad.control.create_object("ProductCategory", nameEn="Coffee")
    Category.objects.create(name="Coffee")
    assert one("product_categories").counts == {"matched": 1}
    push.run()
    assert ProductCategory.objects.get().state == State.SYNCED
    assert [row["nameEn"] for row in sadad.control.objects("ProductCategory")] == ["Coffee"]


def test_of_two_with_one_name_neither_is_taken_for_ours(sadad: Sadad) -> None:
    for _ in range(2):
        sadad.control.create_object("ProductCategory", nameEn="Coffee")
    Category.objects.create(name="Coffee")
    assert one("product_categories").counts == {"new": 2}


def test_a_lost_insert_is_found_by_our_reference(sadad: Sadad) -> None:
    Client.objects.create(number="K-7", name="Noor")
    sadad.control.faults.add("Customer/insert", "cut_after")
    sadad.control.faults.add("Customer/getall", "error_before")
    push.run()
    sadad.control.faults.clear()
    assert Customer.objects.get().state == State.UNKNOWN
    assert one("customers").counts == {"matched": 1}
    row = Customer.objects.get()
    assert (row.sending, row.sadad_id, row.state) == (
        "",
        str(sadad.control.objects("Customer")[0]["id"]),
        "synced",
    )
    push.run()
    assert len(sadad.control.objects("Customer")) == 1


# Conflicts


def both_changed(sadad: Sadad, coffee: Category) -> Product:
    beans = product(coffee)
    push.run()
    pull.run()
    beans.price = Decimal("9.000")
    beans.save()
    change(sadad, "Product/update", Product, {"nameEn": "Beans", "price": "2.000"})
    return Product.objects.get()


def test_changed_on_both_sides_theirs_is_taken(sadad: Sadad, coffee: Category) -> None:
    both_changed(sadad, coffee)
    counted = one("products")
    assert (counted.counts, counted.needs_a_look) == ({"conflict": 1}, True)
    assert (Product.objects.get().price, Product.objects.get().state) == (2, State.SYNCED)
    push.run()
    assert sadad.control.objects("Product")[0]["price"] == 2


@pytest.fixture
def asking(sadad: Sadad, settings: Any) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "PULL_CONFLICT": "ask"}


def test_or_a_person_is_asked_and_nothing_is_sent(sadad: Sadad, coffee: Category, asking: None) -> None:
    both_changed(sadad, coffee)
    assert one("products").counts == {"conflict": 1, "asked": 1}
    row = Product.objects.get()
    assert (row.price, row.state, row.error) == (9, State.FAILED, "mirror_conflict")
    assert Attention.objects.get(resolved_at=None).params == {"kind": "product", "fields": "price"}
    push.run()
    assert sadad.control.objects("Product")[0]["price"] == 2
    assert one("products").counts == {"unchanged": 1}  # asked once


@pytest.mark.parametrize(("action", "price"), [("take_theirs", 2), ("keep_ours", 9)])
def test_the_person_decides(
    sadad: Sadad, coffee: Category, asking: None, action: str, price: int, django_user_model: Any
) -> None:
    from django_sadadpay.services import cases

    both_changed(sadad, coffee)
    pull.run()
    case = Attention.objects.get(resolved_at=None)
    assert cases.actions(case) == ("take_theirs", "keep_ours")
    cases.act(case, action, by=django_user_model.objects.create(username="boss"))
    push.run()
    assert waiting() == []
    assert Product.objects.get().price == sadad.control.objects("Product")[0]["price"] == price
    assert Product.objects.get().state == State.SYNCED


# Pushed while the list was read


def while_the_list_is_taken(monkeypatch: pytest.MonkeyPatch, change: Callable[[], Any]) -> None:
    """Do ``change`` once, after the list was read and before anything of it is taken."""
    sort, left = pulling.sort, [change]

    def late(*of: Any) -> Any:
        if left:
            left.pop()()
        return sort(*of)

    monkeypatch.setattr(pulling, "sort", late)


def repriced(beans: Any, price: str) -> None:
    beans.price = Decimal(price)
    beans.save()
    push.run()


@pytest.mark.parametrize("pulled_before", [True, False])
def test_an_older_list_does_not_undo_a_push(
    sadad: Sadad, coffee: Category, monkeypatch: pytest.MonkeyPatch, pulled_before: bool
) -> None:
    beans = product(coffee)
    push.run()
    if pulled_before:
        pull.run()
        change(sadad, "Product/update", Product, {"nameEn": "Beans of the panel"})
    while_the_list_is_taken(monkeypatch, lambda: repriced(beans, "9.000"))
    assert one("products").counts == {"waiting": 1}
    assert (Product.objects.get().price, sadad.control.objects("Product")[0]["price"]) == (9, 9)
    assert one("products").counts == {"same": 1}
    assert (Product.objects.get().price, Product.objects.get().state) == (9, State.SYNCED)
    assert waiting() == []


def test_an_older_list_does_not_become_the_base_of_a_newer_edit(
    sadad: Sadad, coffee: Category, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sadad's new value is our own push: beside an edit of ours it is no change of theirs."""
    beans = product(coffee)
    push.run()

    def pushed_and_taken_back() -> None:
        repriced(beans, "9.000")
        beans.price = Decimal("1.250")
        beans.save()

    while_the_list_is_taken(monkeypatch, pushed_and_taken_back)
    pull.run(resources=["products"])
    assert one("products").counts == {"waiting": 1}
    push.run()
    assert (Product.objects.get().price, sadad.control.objects("Product")[0]["price"]) == (
        Decimal("1.250"),
        Decimal("1.250"),
    )


def test_what_was_deleted_while_the_list_was_read_is_not_found_again(
    sadad: Sadad, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list still shows it; the shop wants one of that name again, which is not the deleted one."""
    coffee = Category.objects.create(name="Coffee")
    push.run()

    def deleted_and_wanted_again() -> None:
        coffee.delete()
        push.run()
        ProductCategory.objects.filter(state=State.DELETED).update(
            wanted="present", state=State.PENDING, next_try_at=clock.now()
        )

    while_the_list_is_taken(monkeypatch, deleted_and_wanted_again)
    assert one("product_categories").counts == {"waiting": 1}
    push.run()
    assert waiting() == []
    (there,) = sadad.control.objects("ProductCategory")
    assert ProductCategory.objects.get().sadad_id == str(there["id"])


# Gone


def test_what_only_sadad_kept_and_has_no_more_is_deleted_here(sadad: Sadad) -> None:
    made = panel(sadad)
    pull.run()
    client = gateway.client_for(conf.current().account("default"))
    client.payment_links.delete(made["payment_link"]["id"])
    assert one("payment_links").counts == {"gone": 1}
    row = PaymentLink.objects.get()
    assert (row.state, row.wanted, row.error, row.sadad_id) == ("deleted", "absent", "mirror_gone", None)
    assert waiting() == []
    assert one("payment_links").counts == {}


def test_what_the_shop_wants_and_sadad_has_no_more_waits_for_a_person(sadad: Sadad, coffee: Category) -> None:
    push.run()
    pull.run()
    gateway.client_for(conf.current().account("default")).product_categories.delete(
        ProductCategory.objects.get().sadad_id or ""
    )
    assert one("product_categories").counts == {"gone": 1}
    assert waiting() == ["mirror_gone"]
    row = ProductCategory.objects.get()
    assert (row.state, row.error) == (State.FAILED, "mirror_gone")
    assert one("product_categories").counts == {}


def test_what_a_list_left_out_is_asked_for_before_it_is_believed(sadad: Sadad) -> None:
    panel(sadad)
    pull.run()
    sadad.control.faults.add("Customer/getall", "refuse", error_key="EmptyResult", times=1)
    assert one("customers").counts == {"waiting": 1}
    assert Customer.objects.get().state == State.SYNCED


# Trouble


def test_a_row_without_an_id_is_counted(sadad: Sadad, monkeypatch: pytest.MonkeyPatch) -> None:
    from django_sadadpay.gateway import paging

    rows = [{"id": None, "name": "A"}, {"name": "B"}, {"id": "x7", "name": "C"}, {"id": 7, "name": "D"}]
    monkeypatch.setattr(paging, "page", lambda endpoint, response: rows)
    counted = one("customers")
    assert counted.counts == {"unreadable": 3, "new": 1}
    assert counted.needs_a_look


def test_a_list_that_cannot_be_read_does_not_stop_the_others(sadad: Sadad) -> None:
    panel(sadad)
    sadad.control.faults.add("Customer/getall", "error_before")
    report = pull.run()
    assert [each.resource for each in report.lists if each.error] == ["customers"]
    assert (report.exit_code, Product.objects.count()) == (1, 1)


def test_refused_keys_end_the_account_and_ask_a_person(sadad: Sadad, settings: Any) -> None:
    accounts = {"default": {**settings.SADADPAY["ACCOUNTS"]["default"], "CLIENT_SECRET": "wrong"}}
    settings.SADADPAY = {**settings.SADADPAY, "ACCOUNTS": accounts}
    report = pull.run()
    assert (len(report.lists), report.exit_code) == (1, 2)
    assert waiting() == ["keys_refused"]


def test_after_a_429_it_waits_as_long_as_sadad_asks(sadad: Sadad, monkeypatch: pytest.MonkeyPatch) -> None:
    from django_sadadpay.services import patience

    panel(sadad)
    slept: list[float] = []
    monkeypatch.setattr(patience, "sleep", slept.append)
    sadad.control.faults.add("Product/getall", "rate_limited", retry_after=7, times=3)
    sadad.control.faults.add("Product/getbyid", "rate_limited", retry_after=None, times=1)
    report = pull.run(resources=["products"])
    assert counts(report) == {"products": {"new": 1}}
    assert set(slept) == {7.0, patience.PAUSE}


def test_it_does_not_run_inside_a_transaction(sadad: Sadad) -> None:
    from django.db import transaction

    from django_sadadpay.services.errors import InsideTransaction

    with transaction.atomic(), pytest.raises(InsideTransaction):
        pull.run()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"account": "none"}, "no account 'none'"),
        ({"resources": ["products", "prodcuts"]}, "no such resource: prodcuts"),
        ({"resources": ["customers"], "since": __import__("datetime").date(2026, 1, 1)}, "knows no dates"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is(sadad: Sadad, options: Any, said: str) -> None:
    with pytest.raises(CannotPull, match=said):
        pull.run(**options)
    assert sadad.calls() == []


# Dry run


def test_a_dry_run_says_what_differs_and_writes_nothing(sadad: Sadad, coffee: Category) -> None:
    panel(sadad)
    beans = product(coffee, "Cups")
    Client.objects.create(number="K-7", name="Noor", phone="+96550000007")
    push.run()
    pull.run(resources=["products", "customers"])
    row = Product.objects.get(source="product")
    change(sadad, "Product/update", Product, {"nameEn": "Cups", "price": "2.000"}, row.pk)
    changes: list[Any] = []
    with CaptureQueriesContext(connection) as seen:
        report = pull.run(dry_run=True, on_progress=lambda progress: changes.extend(progress.changes))
    assert not [q for q in seen.captured_queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert counts(report)["products"] == {"changed": 1, "unchanged": 1}
    lines = {(each.what, each.kind, each.name, each.ours, each.theirs) for each in changes}
    assert ("changed", "product", "price", "1.250", "2.000") in lines
    assert ("new", "paymentlink", "", "–", "–") in lines
    assert Product.objects.get(pk=row.pk).price == beans.price


def test_a_dry_run_shows_nobodys_name(sadad: Sadad) -> None:
    Client.objects.create(number="K-7", name="Noor", phone="+96550000007")
    push.run()
    pull.run()
    change(sadad, "Customer/update", Customer, {"name": "Dana", "mobile": "+96550000008"})
    changes: list[Any] = []
    pull.run(dry_run=True, on_progress=lambda progress: changes.extend(progress.changes))
    assert [(each.name, each.ours, each.theirs) for each in changes] == [
        ("mobile", "•••", "•••"),
        ("name", "•••", "•••"),
    ]
