"""What can happen at the same time as a push; the list is in ``services/push.py``.

``during`` acts between the claim and the call, in the pushing thread: nothing depends on luck. Races with
threads are at the end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, connections

from django_sadadpay import CategoryDraft, InsideTransaction, ProductDraft, mirror
from django_sadadpay.models import (
    Attention,
    Customer,
    PaymentLink,
    ProductCategory,
    ProductLink,
    ProductLinkItem,
    SubscriptionTemplate,
)
from django_sadadpay.models import Product as ProductRow
from django_sadadpay.registry import PaymentLinkDraft
from django_sadadpay.services import (
    deciding,
    finding,
    kinds,
    mirroring,
    push,
    pushing,
    sources,
    storing,
    transactions,
)
from django_sadadpay.services.errors import Refused, TryAgain
from django_sadadpay.services.pushing import Outcome
from django_sadadpay.testing.gateway import Sadad
from tests.core.racing import race
from tests.mirrors.conftest import (
    assert_same_on_both_sides,
    at_sadad,
    during,
    fresh,
    pause,
    product,
    states,
    waiting,
)
from tests.shop.models import Category, Choice, Client, Level, Product

pytestmark = [pytest.mark.django_db(transaction=True)]
#: Longer than an answer is waited for before it is looked into.
LATER = 61.0
#: Longer than a killed worker's lease.
DEAD = 181.0
LOST = ["cut_after", "error_after", "unreadable"]


@pytest.fixture
def noor(transactional_db: None) -> Client:
    return Client.objects.create(number="K-7", name="Noor")


def rename(obj: Any, name: str) -> Callable[[], None]:
    def change() -> None:
        again = type(obj)._base_manager.get(pk=obj.pk)
        again.name = name
        again.save()

    return change


class Killed(BaseException):
    """SIGKILL: nothing of ours runs after it."""


def kill() -> None:
    raise Killed


def die_after_the_call() -> None:
    """A worker dies between Sadad's answer and our store."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storing, "store", lambda *_: kill())
        with pytest.raises(Killed):
            push.run()


# Edits, deletes and pull during a push


def test_an_edit_between_select_and_claim_is_left_for_the_next_round(sadad: Sadad, coffee: Category) -> None:
    row = ProductCategory.objects.get()
    rename(coffee, "Tea")()
    assert storing.claim([row], "holder", push.LEASE) == []
    push.run()
    assert [one["nameEn"] for one in at_sadad(sadad, "ProductCategory").values()] == ["Tea"]


def test_an_edit_during_the_insert_is_sent_after_it(sadad: Sadad, coffee: Category) -> None:
    with during("ProductCategory/insert", rename(coffee, "Tea")):
        assert push.run().done == {"inserted": 1}
    row = ProductCategory.objects.get()
    assert (row.state, row.sadad_id, row.sending) == ("pending", "1", "")
    assert push.run().done == {"updated": 1}
    assert_same_on_both_sides(sadad)


def test_an_edit_during_an_update_is_sent_after_it(sadad: Sadad, coffee: Category) -> None:
    push.run()
    rename(coffee, "Tea")()
    with during("ProductCategory/update", rename(coffee, "Cocoa")):
        push.run()
    assert push.run().done == {"updated": 1}
    assert_same_on_both_sides(sadad)


def test_a_bad_edit_during_the_insert_stays_on_the_row(sadad: Sadad, coffee: Category) -> None:
    with during("ProductCategory/insert", rename(coffee, "")):
        push.run()
    row = ProductCategory.objects.get()
    assert (row.state, row.error, row.sadad_id, row.next_try_at) == ("failed", "bad_mirror", "1", None)
    rename(coffee, "Tea")()
    push.run()
    assert_same_on_both_sides(sadad)
    assert waiting() == []


def test_a_refusal_of_old_values_does_not_hold_up_new_ones(sadad: Sadad, coffee: Category) -> None:
    sadad.control.faults.add("ProductCategory/insert", "refuse", times=1, error_key="NameEnRequired")
    with during("ProductCategory/insert", rename(coffee, "Tea")):
        push.run()
    assert states(ProductCategory) == ["pending"]
    push.run()
    assert_same_on_both_sides(sadad)


def test_a_delete_during_the_insert_deletes_what_was_inserted(sadad: Sadad, coffee: Category) -> None:
    with during("ProductCategory/insert", coffee.delete):
        push.run()
    assert states(ProductCategory) in (["deleted"], ["pending"])
    push.run()
    assert states(ProductCategory) == ["deleted"]
    assert_same_on_both_sides(sadad)


def test_a_save_during_the_delete_inserts_anew(sadad: Sadad, coffee: Category) -> None:
    push.run()
    pk = coffee.pk
    coffee.delete()
    with during("ProductCategory/delete", lambda: Category.objects.create(pk=pk, name="Coffee")):
        push.run()
    push.run()
    assert states(ProductCategory) == ["synced"]
    assert list(at_sadad(sadad, "ProductCategory")) == ["2"]
    assert_same_on_both_sides(sadad)


def test_pull_that_met_the_object_first_is_merged_into_its_source(sadad: Sadad, coffee: Category) -> None:
    """Pull lists the new category, and makes a row and a product below it, before push has stored the id."""
    usual = storing.store
    made: list[Any] = []

    def pulled_first(each: Any, *args: Any) -> None:
        if not made:
            made.append(_pulled(each, "1"))
        usual(each, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storing, "store", pulled_first)
        push.run()
    row, other = ProductCategory.objects.order_by("pk")
    assert (row.state, row.sadad_id) == ("synced", "1")
    assert (other.state, other.sadad_id, other.error) == ("deleted", None, "merged")
    assert ProductRow.objects.get().category == row


def _pulled(each: Any, sadad_id: str) -> ProductCategory:
    own = {"account": each.account, "environment": each.environment, "state": "synced"}
    row = ProductCategory.objects.create(**own, sadad_id=sadad_id)
    ProductRow.objects.create(**own, sadad_id="9", category=row)
    return row


# Lost answers


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_insert_is_found_by_our_reference_and_not_sent_again(
    sadad: Sadad, noor: Client, sadad_clock: Callable[[float], None], fault: str
) -> None:
    sadad.control.faults.add("Customer/insert", fault, times=1)
    assert push.run().failed == {"unknown": 1}
    row = Customer.objects.get()
    assert (row.state, row.sending, row.error) == ("unknown", "insert", "outcome_unknown")
    assert push.run().failed == {}
    sadad_clock(LATER)
    assert push.run().done == {"found": 1, "updated": 1}
    assert len(sadad.calls("Customer/insert")) == 1
    assert_same_on_both_sides(sadad)
    assert fresh(row).state == "synced"


def test_an_insert_that_never_arrived_is_sent_after_a_look(
    sadad: Sadad, noor: Client, sadad_clock: Callable[[float], None]
) -> None:
    sadad.control.faults.add("Customer/insert", "error_before", times=1)
    push.run()
    Client.objects.create(number="K-8", name="Huda")
    push.run()
    sadad_clock(LATER)
    assert push.run().done == {"absent": 1, "inserted": 1}
    assert_same_on_both_sides(sadad)


def test_an_error_key_that_proves_nothing_is_looked_into(
    sadad: Sadad, noor: Client, sadad_clock: Callable[[float], None]
) -> None:
    sadad.control.faults.add("Customer/insert", "refuse", times=1)  # the documented placeholder, "Error "
    assert push.run().failed == {"unknown": 1}
    sadad_clock(LATER)
    assert push.run().done == {"absent": 1, "inserted": 1}
    assert_same_on_both_sides(sadad)


def test_an_answer_that_names_no_object_is_looked_into(
    sadad: Sadad, noor: Client, sadad_clock: Callable[[float], None]
) -> None:
    sadad.control.settings(insert_reply="true")
    assert push.run().failed == {"unknown": 1}
    sadad_clock(LATER)
    assert push.run().done == {"found": 1, "updated": 1}
    assert_same_on_both_sides(sadad)


def test_a_lost_insert_and_an_edit_end_with_the_new_values(
    sadad: Sadad, noor: Client, sadad_clock: Callable[[float], None]
) -> None:
    sadad.control.faults.add("Customer/insert", "cut_after", times=1)
    push.run()
    rename(noor, "Noor Al-Sabah")()
    assert states(Customer) == ["unknown"]
    sadad_clock(LATER)
    push.run()
    assert_same_on_both_sides(sadad)


@pytest.mark.parametrize("fault", ["cut_after", "error_before"])
def test_a_lost_insert_and_a_delete_leave_nothing_behind(
    sadad: Sadad, noor: Client, sadad_clock: Callable[[float], None], fault: str
) -> None:
    sadad.control.faults.add("Customer/insert", fault, times=1)
    push.run()
    noor.delete()
    assert states(Customer) == ["unknown"]
    sadad_clock(LATER)
    push.run()
    assert states(Customer) == ["deleted"]
    assert_same_on_both_sides(sadad)


def test_a_look_that_fails_is_made_again(
    sadad: Sadad, noor: Client, sadad_clock: Callable[[float], None]
) -> None:
    sadad.control.faults.add("Customer/insert", "cut_after", times=1)
    sadad.control.faults.add("Customer/getall", "error_before", status=500)
    push.run()
    sadad_clock(LATER)
    assert push.run().failed == {"later": 1}
    row = Customer.objects.get()
    assert (row.state, row.sending, row.error) == ("unknown", "insert", "unavailable")
    assert pause(row) > timedelta(minutes=4)
    sadad.control.faults.clear()
    sadad_clock(301)
    push.run()
    assert_same_on_both_sides(sadad)


def test_a_lost_insert_is_found_by_a_name_that_no_other_mirror_holds(
    sadad: Sadad, coffee: Category, sadad_clock: Callable[[float], None]
) -> None:
    push.run()
    sadad.control.faults.add("Product/insert", "cut_after", times=1)
    tea = Category.objects.create(name="Tea")
    push.run()
    for category in (coffee, tea):
        product(category)
    push.run()
    sadad_clock(LATER)
    push.run()
    assert len(sadad.calls("Product/insert")) == 2
    assert_same_on_both_sides(sadad)


def test_two_twins_that_were_both_lost_wait_for_a_person(
    sadad: Sadad, coffee: Category, sadad_clock: Callable[[float], None]
) -> None:
    push.run()
    sadad.control.faults.add("Product/insert", "cut_after", times=2)
    product(coffee), product(coffee)
    push.run()
    sadad_clock(LATER)
    assert push.run().failed == {"person": 2}
    assert states(ProductRow) == ["unknown", "unknown"]
    assert ProductRow.objects.filter(next_try_at=None).count() == 2
    assert waiting() == ["mirror_unknown"] * 2
    one, other = ProductRow.objects.order_by("pk")
    deciding.adopt(one, "1")
    with pytest.raises(Refused, match="id_held"):
        deciding.adopt(other, "1")
    deciding.adopt(other, "2")
    assert push.run().done == {"updated": 2}
    assert waiting() == []
    assert_same_on_both_sides(sadad)


@pytest.mark.parametrize(
    ("paging", "reply"),
    [
        ({}, {"path": "*.ref_Number", "remove": True}),  # the list does not carry our key: it proves nothing
        ({}, {"path": "*.totalCount", "value": 99}),  # the list is cut
    ],
)
def test_a_list_that_proves_nothing_is_no_reason_to_send_again(
    sadad: Sadad,
    noor: Client,
    sadad_clock: Callable[[float], None],
    paging: dict[str, Any],
    reply: dict[str, Any],
) -> None:
    sadad.control.create_object("Customer", name="Made in the panel")
    sadad.control.faults.add("Customer/insert", "error_before", times=1)
    sadad.control.faults.add("Customer/getall", "reply_field", **reply)
    push.run()
    sadad_clock(LATER)
    assert push.run().failed == {"person": 1}
    assert len(sadad.calls("Customer/insert")) == 1


def test_where_nothing_tells_a_person_is_asked_and_nothing_is_sent(
    sadad: Sadad, sadad_clock: Callable[[float], None]
) -> None:
    sadad.control.faults.add("SubscriptionTemplate/insert", "cut_after", times=1)
    level = Level.objects.create(name="Gold", fee=Decimal(3))
    push.run()
    sadad_clock(LATER)
    assert push.run().failed == {"person": 1}
    assert push.run().failed == {}
    row = SubscriptionTemplate.objects.get()
    assert (row.state, row.next_try_at, waiting()) == ("unknown", None, ["mirror_unknown"])
    rename(level, "Silver")()
    assert push.run().done == {}
    deciding.adopt(row, " 1 ")
    push.run()
    assert_same_on_both_sides(sadad)
    assert waiting() == []


def test_a_person_can_say_that_it_is_not_there(
    sadad: Sadad, sadad_clock: Callable[[float], None], admin_user: Any
) -> None:
    from django_sadadpay.services import cases

    sadad.control.faults.add("SubscriptionTemplate/insert", "error_before", times=1)
    Level.objects.create(name="Gold", fee=Decimal(3))
    push.run()
    sadad_clock(LATER)
    push.run()
    case = Attention.objects.get()
    assert cases.actions(case) == ("adopt", "send_again")
    with pytest.raises(Refused, match="bad_id"):
        cases.act(case, "adopt", by=admin_user, note="here")
    with pytest.raises(Refused, match="mirror_gone"):
        cases.act(case, "adopt", by=admin_user, note="77")
    cases.act(case, "send_again", by=admin_user)
    assert fresh(case).by_name == admin_user.get_username()
    push.run()
    assert_same_on_both_sides(sadad)
    with pytest.raises(Refused, match="no_longer_waiting"):
        deciding.send_again(SubscriptionTemplate.objects.get())


def test_a_person_can_try_a_refused_one_again(sadad: Sadad, coffee: Category, admin_user: Any) -> None:
    from django_sadadpay.services import cases

    sadad.control.faults.add("ProductCategory/insert", "refuse", times=1, error_key="NameEnRequired")
    push.run()
    case = cases.act(Attention.objects.get(), "retry", by=admin_user)
    assert (case.is_open, states(ProductCategory)) == (False, ["synced"])


def test_what_went_at_sadad_can_be_made_anew(sadad: Sadad, coffee: Category) -> None:
    push.run()
    sadad.control._world.objects["ProductCategory"].clear()
    rename(coffee, "Tea")()
    push.run()
    deciding.send_again(ProductCategory.objects.get())
    push.run()
    assert_same_on_both_sides(sadad)
    assert waiting() == []


def test_a_lost_insert_that_is_to_go_and_is_not_there_is_done_with(
    sadad: Sadad, sadad_clock: Callable[[float], None]
) -> None:
    sadad.control.faults.add("SubscriptionTemplate/insert", "error_before", times=1)
    level = Level.objects.create(name="Gold", fee=Decimal(3))
    push.run()
    level.delete()
    sadad_clock(LATER)
    push.run()
    assert deciding.send_again(SubscriptionTemplate.objects.get()).state == "deleted"


def test_nothing_is_adopted_while_sadad_cannot_be_asked(
    sadad: Sadad, sadad_clock: Callable[[float], None]
) -> None:
    sadad.control.faults.add("SubscriptionTemplate/insert", "cut_after", times=1)
    Level.objects.create(name="Gold", fee=Decimal(3))
    push.run()
    sadad.control.faults.add("SubscriptionTemplate/getbyid", "error_before", status=500)
    with pytest.raises(TryAgain):
        deciding.adopt(SubscriptionTemplate.objects.get(), "1")


@pytest.mark.parametrize(
    ("fault", "done"), [("cut_after", {"updated": 1}), ("error_before", {"absent": 1, "updated": 1})]
)
def test_a_lost_update_is_read_before_it_is_sent_again(
    sadad: Sadad,
    coffee: Category,
    sadad_clock: Callable[[float], None],
    fault: str,
    done: dict[str, int],
) -> None:
    push.run()
    sadad.control.faults.add("ProductCategory/update", fault, times=1)
    rename(coffee, "Tea")()
    push.run()
    assert (ProductCategory.objects.get().sending, states(ProductCategory)) == ("update", ["unknown"])
    sadad_clock(LATER)
    assert push.run().done == done
    assert_same_on_both_sides(sadad)


def test_a_lost_update_that_cannot_be_seen_whole_is_sent_again(
    sadad: Sadad, coffee: Category, sadad_clock: Callable[[float], None]
) -> None:
    """Sadad shows a link's products under their categories: the list that was sent is not what it tells."""
    product(coffee, "Beans"), product(coffee, "Cups")
    choice = Choice.objects.create(title="Pick")
    choice.products.set(Product.objects.filter(name="Beans"))
    mirror([choice])
    push.run()
    sadad.control.faults.add("ProductLink/update", "error_before", times=1)
    choice.products.set(Product.objects.all())
    mirror([choice])
    push.run()
    sadad_clock(LATER)
    push.run()
    assert_same_on_both_sides(sadad)


def test_a_lost_update_of_what_is_to_go_needs_no_look(
    sadad: Sadad, coffee: Category, sadad_clock: Callable[[float], None]
) -> None:
    push.run()
    sadad.control.faults.add("ProductCategory/update", "cut_after", times=1)
    rename(coffee, "Tea")()
    push.run()
    coffee.delete()
    sadad_clock(LATER)
    assert push.run().done == {"absent": 1, "deleted": 1}
    assert_same_on_both_sides(sadad)


def test_a_lost_update_of_what_went_meanwhile_asks_a_person(
    sadad: Sadad, coffee: Category, sadad_clock: Callable[[float], None]
) -> None:
    push.run()
    sadad.control.faults.add("ProductCategory/update", "cut_after", times=1)
    rename(coffee, "Tea")()
    push.run()
    sadad.control._world.objects["ProductCategory"].clear()
    sadad_clock(LATER)
    assert push.run().failed == {"gone": 1}
    assert waiting() == ["mirror_gone"]


@pytest.mark.parametrize("fault", ["cut_after", "error_before"])
def test_a_lost_delete_is_looked_into(
    sadad: Sadad, coffee: Category, sadad_clock: Callable[[float], None], fault: str
) -> None:
    push.run()
    sadad.control.faults.add("ProductCategory/delete", fault, times=1)
    coffee.delete()
    push.run()
    assert states(ProductCategory) == ["unknown"]
    sadad_clock(LATER)
    push.run()
    assert states(ProductCategory) == ["deleted"]
    assert_same_on_both_sides(sadad)


@pytest.mark.parametrize("fault", ["cut_after", "error_before"])
def test_a_lost_delete_of_what_is_wanted_again(
    sadad: Sadad, coffee: Category, sadad_clock: Callable[[float], None], fault: str
) -> None:
    push.run()
    sadad.control.faults.add("ProductCategory/delete", fault, times=1)
    pk = coffee.pk
    coffee.delete()
    push.run()
    Category.objects.create(pk=pk, name="Tea")
    sadad_clock(LATER)
    push.run()
    assert states(ProductCategory) == ["synced"]
    assert_same_on_both_sides(sadad)


def test_an_object_that_is_read_by_its_key_is_found_without_it_too(
    sadad: Sadad, sadad_clock: Callable[[float], None]
) -> None:
    link = mirroring.create(PaymentLinkDraft(title="Gift", amount=5))
    push.run()
    for key in (True, False):
        if not key:
            PaymentLink.objects.update(sadad_key="")
        sadad.control.faults.add("PaymentLink/update", "error_before", times=1)
        mirroring.change(link, PaymentLinkDraft(title=f"Gift {key}", amount=5))
        push.run()
        sadad_clock(LATER)
        assert push.run().done == {"absent": 1, "updated": 1}


@pytest.mark.parametrize("keyed", [True, False])
def test_a_lost_delete_of_what_is_read_by_its_key(
    sadad: Sadad, sadad_clock: Callable[[float], None], keyed: bool
) -> None:
    link = mirroring.create(PaymentLinkDraft(title="Gift", amount=5))
    push.run()
    if not keyed:
        PaymentLink.objects.update(sadad_key="")
    sadad.control.faults.add("PaymentLink/delete", "cut_after", times=1)
    mirroring.remove(link)
    push.run()
    sadad_clock(LATER)
    push.run()
    assert states(PaymentLink) == ["deleted"]


def test_a_list_without_an_end_says_nothing_of_what_it_does_not_show(
    sadad: Sadad, sadad_clock: Callable[[float], None]
) -> None:
    link = mirroring.create(PaymentLinkDraft(title="Gift", amount=5))
    mirroring.create(PaymentLinkDraft(title="Other", amount=5))
    push.run()
    PaymentLink.objects.update(sadad_key="")
    sadad.control.faults.add("PaymentLink/delete", "cut_after", times=1)
    sadad.control.faults.add("PaymentLink/getall", "reply_field", path="*.totalCount", value=9)
    mirroring.remove(link)
    push.run()
    sadad_clock(LATER)
    assert push.run().failed == {"later": 1}
    assert fresh(link).state == "unknown"


def test_a_list_that_is_too_long_to_read_asks_a_person(
    sadad: Sadad, noor: Client, sadad_clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "_BYTES", 10)
    sadad.control.faults.add("Customer/insert", "cut_after", times=1)
    push.run()
    sadad_clock(LATER)
    assert push.run().failed == {"person": 1}
    assert Attention.objects.get().params["why"] == "long_list"


def test_of_two_who_find_the_same_object_one_looks_again(
    sadad: Sadad, coffee: Category, sadad_clock: Callable[[float], None]
) -> None:
    """Two twins were lost, one of them arrived: the quicker adopts it, the other is sent."""
    push.run()
    sadad.control.faults.add("Product/insert", "cut_after", times=1)
    sadad.control.faults.add("Product/insert", "error_before", times=1)
    product(coffee), product(coffee)
    push.run()
    sadad_clock(LATER)
    one, other = ProductRow.objects.order_by("pk")
    for row, holder in ((one, "one"), (other, "other")):
        assert storing.claim([row], holder, push.LEASE) == [row]
    for row, holder in ((one, "one"), (other, "other")):
        storing.store(row, kinds.of(row), holder, Outcome("found", {"sadad_id": "1", "pushed_digest": ""}))
    assert (fresh(one).sadad_id, fresh(other).sadad_id, fresh(other).state) == ("1", None, "unknown")
    for _ in range(2):
        sadad_clock(LATER * 6)
        push.run()
    assert_same_on_both_sides(sadad)


def test_a_products_row_of_pull_is_merged_with_its_places_on_links(coffee: Category) -> None:
    own = {"account": "default", "environment": "sandbox"}
    row = mirroring.row_of(product(coffee))
    assert isinstance(row, ProductRow)
    pulled = ProductRow.objects.create(**own, sadad_id="7")
    both, only = (ProductLink.objects.create(**own) for _ in range(2))
    for link, listed in ((both, row), (both, pulled), (only, pulled)):
        ProductLinkItem.objects.create(link=link, product=listed)
    (row,) = storing.claim([row], "me", push.LEASE)
    storing.store(row, kinds.of(row), "me", Outcome("inserted", {"sadad_id": "7"}))
    assert (fresh(row).sadad_id, fresh(row).state, fresh(pulled).state) == ("7", "synced", "deleted")
    assert [item.product_id for item in ProductLinkItem.objects.order_by("pk")] == [row.pk, row.pk]


def test_a_parent_that_went_after_the_select_sends_nothing(sadad: Sadad, coffee: Category) -> None:
    row = mirroring.row_of(product(coffee))
    assert isinstance(row, ProductRow)
    assert pushing.act(row, kinds.of(row), None).what == "later"  # type: ignore[arg-type]  # nobody is called
    choice = Choice.objects.create(title="Pick")
    choice.products.set(Product.objects.all())
    mirror([choice])
    link = ProductLink.objects.get()
    assert pushing.act(link, kinds.of(link), None).what == "later"  # type: ignore[arg-type]  # nobody is called


def test_a_statement_that_meets_a_lock_is_made_again() -> None:
    answers: list[int | Exception] = []

    def statement() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    locked = OperationalError("database is locked")
    for times in (1, 4):
        answers[:] = [*[locked] * times, 7]
        assert transactions.statement(statement) == 7
    answers[:] = [locked] * 5
    with pytest.raises(TryAgain):
        transactions.statement(statement)
    answers[:] = [OperationalError("no such table")]
    with pytest.raises(OperationalError):
        transactions.statement(statement)


def test_a_call_inside_a_transaction_gives_the_row_back(
    sadad: Sadad, coffee: Category, monkeypatch: pytest.MonkeyPatch
) -> None:
    def inside(*_: object) -> Outcome:
        raise InsideTransaction

    monkeypatch.setattr(pushing, "act", inside)
    with pytest.raises(InsideTransaction):
        push.run()
    row = ProductCategory.objects.get()
    assert (row.sending, row.lease_holder, row.state) == ("", "", "pending")


def test_an_answer_about_another_object_is_none(
    sadad: Sadad, coffee: Category, sadad_clock: Callable[[float], None]
) -> None:
    push.run()
    sadad.control.faults.add("ProductCategory/delete", "cut_after", times=1)
    sadad.control.faults.add("ProductCategory/getbyid", "reply_field", path="id", value=99)
    with sadad.control._world.transaction():
        pass
    rename(coffee, "Tea")()
    sadad.control.faults.add("ProductCategory/update", "error_before", times=1)
    push.run()
    sadad_clock(LATER)
    assert push.run().failed == {"later": 1}
    assert states(ProductCategory) == ["unknown"]


# A worker that is killed, or sleeps


def test_a_worker_killed_before_the_call_leaves_rows_that_are_looked_for(
    sadad: Sadad, noor: Client, sadad_clock: Callable[[float], None]
) -> None:
    with pytest.raises(Killed), during("Customer/insert", kill):
        push.run()
    row = Customer.objects.get()
    assert (row.state, row.sending) == ("pending", "insert")
    assert push.run().done == {}
    sadad_clock(DEAD)
    assert push.run().done == {"absent": 1, "inserted": 1}
    assert_same_on_both_sides(sadad)


def test_a_worker_killed_after_the_call_is_not_repeated(
    sadad: Sadad, noor: Client, sadad_clock: Callable[[float], None]
) -> None:
    die_after_the_call()
    sadad_clock(DEAD)
    assert push.run().done == {"found": 1, "updated": 1}
    assert len(sadad.calls("Customer/insert")) == 1
    assert_same_on_both_sides(sadad)


def test_an_edit_after_a_kill_waits_for_the_look(
    sadad: Sadad, noor: Client, sadad_clock: Callable[[float], None]
) -> None:
    die_after_the_call()
    rename(noor, "Noor Al-Sabah")()
    assert push.run().done == {}
    sadad_clock(DEAD)
    push.run()
    assert len(sadad.calls("Customer/insert")) == 1
    assert_same_on_both_sides(sadad)


def test_a_worker_killed_during_update_and_delete_is_made_up_for(
    sadad: Sadad, coffee: Category, sadad_clock: Callable[[float], None]
) -> None:
    push.run()
    rename(coffee, "Tea")()
    with pytest.raises(Killed), during("ProductCategory/update", kill):
        push.run()
    sadad_clock(DEAD)
    push.run()
    assert_same_on_both_sides(sadad)
    coffee.delete()
    die_after_the_call()
    sadad_clock(DEAD)
    push.run()
    assert states(ProductCategory) == ["deleted"]
    assert_same_on_both_sides(sadad)


def test_rows_not_begun_are_not_looked_for_by_a_person(
    sadad: Sadad, sadad_clock: Callable[[float], None]
) -> None:
    """Templates carry no key: those that were never sent must not wait for anybody."""
    for number in range(5):
        Level.objects.create(name=f"Level {number}", fee=Decimal(3))
    with pytest.raises(Killed), during("SubscriptionTemplate/insert", kill):
        push.run()
    assert SubscriptionTemplate.objects.exclude(sending="").count() <= 4
    sadad_clock(DEAD)
    push.run()
    assert states(SubscriptionTemplate).count("synced") >= 1


def test_a_late_answer_is_kept_when_nobody_knows_the_id_yet(
    sadad: Sadad, noor: Client, sadad_clock: Callable[[float], None]
) -> None:
    row = Customer.objects.get()
    kind = kinds.of(row)
    assert storing.claim([row], "sleeper", push.LEASE) == [row]
    sadad_clock(DEAD)
    (again,) = storing.claim([fresh(row)], "another", push.LEASE)
    storing.store(row, kind, "sleeper", Outcome("inserted", {"sadad_id": "7"}))
    assert (fresh(row).sadad_id, fresh(row).state) == ("7", "pending")
    storing.store(again, kind, "another", Outcome("inserted", {"sadad_id": "8"}))
    assert fresh(row).sadad_id == "7"
    assert waiting() == ["mirror_twice"]
    storing.store(again, kind, "another", Outcome("inserted", {"sadad_id": "7"}))
    storing.store(again, kind, "nobody", Outcome("updated"))
    assert waiting() == ["mirror_twice"]


def test_a_row_whose_turn_comes_too_late_is_given_back(
    sadad: Sadad, coffee: Category, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "_BEGIN_WITHIN", -1.0)
    assert push.run().done == {}
    row = ProductCategory.objects.get()
    assert (row.sending, row.sent_at, row.lease_holder, row.state) == ("", None, "", "pending")
    assert sadad.calls("ProductCategory/insert") == []


# Threads


@pytest.mark.races
def test_workers_at_the_same_time_push_each_row_once(sadad: Sadad) -> None:
    Client.objects.bulk_create([Client(number=str(number), name="Noor") for number in range(30)])
    mirror(Client.objects.all())
    reports = race(push.run, threads=3)
    assert sum(report.done.get("inserted", 0) for report in reports) == 30
    assert len(sadad.calls("Customer/insert")) == 30
    push.run()
    assert_same_on_both_sides(sadad)


@pytest.mark.races
def test_shop_and_workers_at_the_same_time_end_in_step(sadad: Sadad, coffee: Category) -> None:
    goods = [product(coffee, f"Bean {number}") for number in range(12)]
    turns = iter(range(4))
    lock = threading.Lock()

    def work() -> None:
        with lock:
            turn = next(turns)
        if turn >= 2:
            push.run()
            return
        for number, one in enumerate(goods):
            if number % 2 == turn:
                Product.objects.get(pk=one.pk).delete() if number % 3 == 0 else rename(one, f"New {number}")()

    race(work, threads=4)
    connections.close_all()
    for _ in range(2):
        push.run()
    assert set(states(ProductRow)) <= {"synced", "deleted"}
    assert_same_on_both_sides(sadad)


@pytest.mark.races
def test_two_who_save_an_object_that_has_no_row_yet_make_one(transactional_db: None) -> None:
    Category.objects.bulk_create([Category(name="Coffee")])
    race(lambda: Category.objects.get().save(), threads=4)
    assert states(ProductCategory) == ["pending"]


def test_a_row_made_by_another_transaction_meanwhile_is_taken(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    Category.objects.bulk_create([Category(name="Coffee")])
    category, usual, calls = Category.objects.get(), sources.locked, iter([True, False])

    def blind(kind: Any, key: str) -> list[Any]:
        if not next(calls):
            return usual(kind, key)
        mirroring.create(CategoryDraft(name_en="Coffee"))
        ProductCategory.objects.update(source_key=key)
        return []

    monkeypatch.setattr("django_sadadpay.services.mirroring.locked", blind)
    category.save()
    assert ProductCategory.objects.count() == 1


@pytest.mark.races
def test_lost_answers_under_load_make_no_object_twice(
    sadad: Sadad, sadad_clock: Callable[[float], None]
) -> None:
    Client.objects.bulk_create([Client(number=str(number), name="Noor") for number in range(24)])
    mirror(Client.objects.all())
    for fault in ("cut_after", "error_before"):
        sadad.control.faults.add("Customer/insert", fault, probability=0.3)
    for _ in range(8):
        race(push.run, threads=2)
        sadad_clock(400)
    sadad.control.faults.clear()
    push.run()
    sadad_clock(90_000)
    push.run()
    assert states(Customer) == ["synced"] * 24
    assert_same_on_both_sides(sadad)


# What is compared


def test_staff_who_adopt_get_what_they_want_there(sadad: Sadad, sadad_clock: Callable[[float], None]) -> None:
    category = mirroring.create(CategoryDraft(name_en="Tea"))
    push.run()
    sadad.control.faults.add("Product/insert", "cut_after", times=1)
    row = mirroring.create(ProductDraft(category=category, name_en="Green", price="2.500"))
    push.run()
    sadad_clock(LATER)
    push.run()
    assert (fresh(row).state, fresh(row).sadad_id) == ("synced", "1")
    assert pushing.is_id("1")
    assert not pushing.is_id("٣")
