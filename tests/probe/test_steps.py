"""The table of steps: nothing is left out, everything can be deleted, nothing foreign is touched."""

from __future__ import annotations

import pytest

from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.probe.model import Id, Step
from django_sadadpay.probe.steps import STEPS, chosen


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_endpoint_has_a_step_that_should_succeed(name: str) -> None:
    assert [step for step in STEPS if step.endpoint == name and not step.expect.keys]


def test_the_steps_name_endpoints_of_the_table_only() -> None:
    assert {step.endpoint for step in STEPS} == set(ENDPOINTS)
    assert len(ENDPOINTS) == 67


def test_no_two_steps_of_an_endpoint_have_the_same_name() -> None:
    names = [(step.endpoint, step.name) for step in STEPS]
    assert len(names) == len(set(names))


def test_everything_is_made_before_it_is_needed() -> None:
    made: set[str] = set()
    for step in STEPS:
        assert step.needs <= made, step
        made |= {step.makes} - {""}


def test_everything_that_is_made_and_can_be_deleted_is_deleted() -> None:
    made = {step.makes for step in STEPS if step.inserts and step.makes}
    deleted = {step.ends for step in STEPS if step.ends and not step.expect.keys}
    assert made - deleted == {"to_be_paid"}  # a paid invoice cannot be deleted; an unpaid one is cleaned up


def _changes(step: Step) -> bool:
    return step.endpoint.endswith(("/update", "/delete")) or step.endpoint == "Refund/insert"


@pytest.mark.parametrize("step", [step for step in STEPS if _changes(step) and step.body is None], ids=repr)
def test_only_what_the_probe_made_is_changed_deleted_or_refunded(step: Step) -> None:
    number = step.values.get("id", step.values.get("invoice_id"))
    assert isinstance(number, Id)
    assert step.without not in ("id", "invoice_id")
    assert not {"id", "invoice_id"} & set(step.wrong)


@pytest.mark.parametrize(
    "step", [step for step in STEPS if ENDPOINTS[step.endpoint].verb == "POST"], ids=repr
)
def test_whatever_could_make_something_is_in_the_journal(step: Step) -> None:
    makes_nothing = ("User/", "EmbeddedPayment/", "Refund/")
    assert step.inserts is not step.endpoint.startswith(makes_nothing)


def test_a_choice_of_groups_takes_along_what_it_stands_on() -> None:
    """A product needs a category, and can only be tried to be deleted in use while a link holds it."""
    steps = chosen({"Products"}, ENDPOINTS)
    others = {step.endpoint for step in steps if ENDPOINTS[step.endpoint].group != "Products"}
    assert others == {
        f"{name}/{call}" for name in ("ProductCategory", "ProductLink") for call in ("insert", "delete")
    }
    made: set[str] = set()
    for step in steps:
        assert step.needs <= made, step
        made |= {step.makes}


@pytest.mark.parametrize("group", sorted({row.group for row in ENDPOINTS.values()}))
def test_each_group_alone_has_all_that_it_stands_on_and_deletes_it(group: str) -> None:
    steps = chosen({group}, ENDPOINTS)
    own = [step for step in STEPS if ENDPOINTS[step.endpoint].group == group]
    assert [step for step in steps if ENDPOINTS[step.endpoint].group == group] == own
    made: set[str] = set()
    for step in steps:
        assert step.needs <= made, step
        made |= {step.makes} - {""}
    ended = {step.ends for step in steps if step.ends and not step.expect.keys}
    assert made - ended <= {"to_be_paid", "payment"}


def test_no_choice_is_everything() -> None:
    assert chosen((), ENDPOINTS) is STEPS


def test_a_group_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValueError, match=r"no group Produkte; there are: Authentication, Categories, "):
        chosen({"Produkte"}, ENDPOINTS)
