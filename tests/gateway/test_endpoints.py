from __future__ import annotations

import pytest

from django_sadadpay.gateway import endpoints, fields
from django_sadadpay.gateway.endpoints import ENDPOINTS
from tests.gateway.conftest import DATA

EVIDENCE = {"doc", "vendor", "observed", "assumed"}


def test_the_table_is_the_vendor_s_list_and_the_currencies() -> None:
    lines = (DATA / "endpoints.tsv").read_text().splitlines()[1:]
    documented = [tuple(line.split("\t")) for line in lines]
    ours = [(row.group, row.verb, f"/api{row.path}") for row in ENDPOINTS.values()]
    assert len(documented) == 66
    assert sorted(ours) == sorted([*documented, ("Common", "GET", "/api/Common/getcurrencies")])
    assert all(name == row.name for name, row in ENDPOINTS.items())


def test_each_row_and_each_field_says_how_well_it_is_known() -> None:
    for row in ENDPOINTS.values():
        assert row.evidence in EVIDENCE
        for field in (*row.fields, *row.reply, *fields.WEBHOOK):
            assert {field.evidence, *(item.evidence for item in field.items)} <= EVIDENCE


def test_names_are_unique_within_a_row() -> None:
    for row in ENDPOINTS.values():
        for table in (row.fields, row.reply):
            assert len({field.name for field in table}) == len({field.wire for field in table}) == len(table)


@pytest.mark.parametrize(
    ("name", "auth"),
    [
        ("User/GenerateRefreshToken", "basic"),
        ("User/GenerateAccessToken", "refresh"),
        ("Common/getcurrencies", "none"),
        ("Invoice/createpaymentlinkinvoice", "none"),
        ("Invoice/createproductlinkinvoice", "none"),
        ("PaymentLink/getforpayment", "none"),
        ("Subscription/getforpayment", "none"),
        ("Invoice/createinstallmentplanlinkinvoice", "access"),
        ("Refund/insert", "access"),
    ],
)
def test_which_credential_a_call_takes(name: str, auth: str) -> None:
    assert ENDPOINTS[name].auth == auth


def test_the_placeholders_of_the_docs_are_no_refusals() -> None:
    for row in ENDPOINTS.values():
        assert not {"Error", "ERROR", "Error ", "", "UnauthorizedAccess"} & row.refusals
        assert not row.refusals & row.missing


def test_only_writes_can_end_unknown() -> None:
    assert not ENDPOINTS["Invoice/delete"].reads
    assert not ENDPOINTS["Invoice/createpaymentlinkinvoice"].reads
    assert ENDPOINTS["Subscription/generatesubscriptionschedule"].reads
    assert ENDPOINTS["User/GenerateAccessToken"].reads


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        ENDPOINTS["x"] = ENDPOINTS["Invoice/insert"]  # type: ignore[index]  # that it is refused is the point
    assert endpoints.ENDPOINTS is ENDPOINTS
