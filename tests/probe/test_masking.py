"""What is kept of a reply shows nobody, and still has the shape of the real one."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.envelope import Reply
from django_sadadpay.gateway.records import InvoiceRecord
from django_sadadpay.probe.calling import Recorder
from django_sadadpay.probe.comparing import kind_of
from django_sadadpay.probe.masking import Masker
from tests.probe.conftest import Whole

INVOICE: dict[str, Any] = {
    "id": 68141,
    "key": "9565391268141",
    "code": "INV-68141",
    "status": "Unpaid",
    "amount": Decimal("127.500"),
    "alt_Amount": Decimal("18.000000128746034"),
    "vendor_Id": 20456,
    "url": "https://sandbox.sadadpay.net/pay/9565391268141",
    "customer_Name": "Ali Al-Sabah",
    "customer_Mobile": "+96555512345",
    "customer_Email": "ali.sabah@kuwait.example",
    "ref_Number": "ORDER-77-XK",
    "createDate": "04/01/2026 12:42:48",
    "lang": "en",
    "currency_Code": "KWD",
    "deleted": False,
    "payment_Date": None,
    "refunded_Amount": 0,
    "comment": "",
    "items": [{"id": 14030, "name": "Ring for Sara", "quantity": 5, "amount": 10}],
    "transactions": [{"transactionId": "123456789012345", "ipAddress": "10.1.2.3"}],
}
PRIVATE = (
    *("68141", "95653912", "20456", "14030", "123456789012345", "10.1.2.3", "sandbox.sadadpay"),
    *("Ali", "Sabah", "965555", "12345", "kuwait", "ORDER", "XK", "Ring", "Sara"),
)


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return [(len(key), shape(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [shape(item) for item in value]
    return len(value) if isinstance(value, str) and "://" not in value else kind_of(value)


def masked(value: Any, ours: str = "probe-1234-") -> Any:
    return json.loads(json.dumps(Masker(ours).reply(value)), parse_float=Decimal)


def test_nothing_private_is_left() -> None:
    text = json.dumps(Masker("probe-1234-").reply(INVOICE))
    assert [word for word in PRIVATE if word in text] == []


def test_names_types_and_lengths_are_kept() -> None:
    assert shape(masked(INVOICE)) == shape(INVOICE)


def test_what_is_harmless_is_kept() -> None:
    kept = masked(INVOICE)
    names = ("status", "amount", "createDate", "lang", "currency_Code", "deleted", "payment_Date", "comment")
    assert {name: kept[name] for name in names} == {name: INVOICE[name] for name in names}
    assert kept["items"][0]["quantity"] == 5


def test_the_same_value_has_the_same_mask_wherever_it_stands() -> None:
    kept = masked(INVOICE)
    number = str(kept["id"])
    assert kept["code"].endswith(f"-{number}")
    assert kept["key"].endswith(number)
    assert len(kept["key"]) == 13
    assert kept["url"] == f"https://host.example/{kept['url'].split('/')[3]}/{kept['key']}"


def test_different_values_have_different_masks() -> None:
    kept = masked([{"id": number, "name": f"Name{number}"} for number in range(100, 400)])
    assert len({row["id"] for row in kept}) == 300


def test_our_own_names_stay_so_that_a_fixture_can_be_read() -> None:
    kept = masked({"name": "probe-1234-007 changed", "comment": "sent by Ali to probe-1234-007"})
    assert kept["name"] == "probe-1234-007 changed"
    assert "Ali" not in kept["comment"]


def test_tokens_are_masked() -> None:
    kept = masked({"accessToken": "eyJhbGciOi.J9xx-yy_zz", "expiredAfterSeconds": 86400})
    assert "eyJ" not in kept["accessToken"]
    assert kept["expiredAfterSeconds"] == 86400


def test_a_word_is_kept_only_where_words_stand() -> None:
    kept = masked({"status": "Paid", "customerName": "Paid", "code": "INV-1"})
    assert kept["status"] == "Paid"
    assert kept["customerName"] != "Paid"


def test_a_masked_reply_is_read_as_the_real_one() -> None:
    record = InvoiceRecord.from_wire(masked(INVOICE))
    assert record.status == "Unpaid"
    assert record.amount == Decimal("127.500")
    assert record.created_at == InvoiceRecord.from_wire(INVOICE).created_at
    assert record.id


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.decimals(-1000, 1000, places=3)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50)
@given(_JSON)
def test_whatever_comes_is_masked_into_something_of_the_same_kind(value: Any) -> None:
    kept = Masker("probe-1234-").reply(value)
    assert json.loads(json.dumps(kept)) is not NotImplemented
    assert kind_of(kept) == kind_of(value) or isinstance(value, Decimal)


@settings(max_examples=50)
@given(st.text(alphabet="defgh3456789 -", min_size=4, max_size=40))
def test_a_long_text_never_comes_through(value: str) -> None:
    kept = Masker("probe-1234-").reply({"other": value})["other"]
    for run in re.findall(r"[a-z]{4,}|[0-9]{4,}", value):
        assert run not in kept


def test_recorded_replies_hold_no_secret_and_nothing_of_others(whole: Whole) -> None:
    tokens, emulator = set(whole.lab.control._world.tokens), whole.lab.emulator
    files = sorted(whole.record.glob("*.json"))
    assert len(files) > 250
    text = "\n".join(path.read_text("utf-8") for path in files)
    for secret in (*tokens, emulator.client_key, emulator.client_secret, "Sara", "55512345", "KW81"):
        assert secret not in text
    assert '"Ali"' not in text
    assert "127.0.0.1" not in text
    for invoice in whole.lab.control.invoices():
        assert invoice["key"] not in text
    kept = json.loads((whole.record / "Invoice-getbyid--as-it-should-be.json").read_text("utf-8"))
    assert kept["body"]["response"]["status"] == "Unpaid"
    assert kept["body"]["response"]["customer_Name"].startswith("probe-0000test-")


def test_a_name_that_is_no_field_of_the_table_is_masked_too() -> None:
    kept = masked({"+96555512345": "x", "Sara": {"status": "Paid"}, "totalCount": 1, "customer_Name": ""})
    assert "55512345" not in json.dumps(kept)
    assert "Sara" not in kept
    assert {"totalCount", "customer_Name"} < set(kept)
    assert {"status": "Paid"} in kept.values()


@pytest.mark.parametrize("field", ["status", "lang", "type", "currency_Code", "paymentMethod"])
def test_a_word_that_is_not_sadads_is_masked_wherever_it_stands(field: str) -> None:
    assert masked({field: "Fatima"}) != {field: "Fatima"}
    assert masked({field: "Unpaid"}) == {field: "Unpaid"}


def test_an_error_key_that_is_no_word_is_not_recorded(tmp_path: Path) -> None:
    row = SadadClient("ck", "cs").endpoints["Customer/update"]
    reply = Reply(200, True, False, "Customer Fatima +96555512345 exists")
    Recorder(tmp_path, "probe-1234-").keep(row, "a step", reply)
    (path,) = tmp_path.iterdir()
    assert json.loads(path.read_text())["body"]["errorKey"] == "(unusual)"


def test_of_a_list_only_our_own_rows_are_recorded_or_a_few(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "probe-1234-")
    row = SadadClient("ck", "cs").endpoints["Customer/getall"]
    ours = {"id": 7, "name": "probe-1234-001"}
    others = [{"id": number, "name": "Somebody"} for number in range(10, 20)]
    for step, rows in (("mixed", [*others, ours]), ("foreign", others)):
        recorder.keep(row, step, Reply(200, True, True, response=rows))
    kept = {path.stem.split("--")[1]: json.loads(path.read_text()) for path in tmp_path.iterdir()}
    assert [one["name"] for one in kept["mixed"]["body"]["response"]] == ["probe-1234-001"]
    assert len(kept["foreign"]["body"]["response"]) == 3


def test_what_was_no_envelope_is_recorded_without_a_body(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "probe-1234-")
    row = SadadClient("ck", "cs").endpoints["Invoice/getbyid"]
    for _ in range(2):
        recorder.keep(row, "a step", Reply(502))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["Invoice-getbyid--a-step-2.json", "Invoice-getbyid--a-step.json"]
    assert json.loads((tmp_path / names[1]).read_text()) == {
        "endpoint": "Invoice/getbyid",
        "step": "a step",
        "status": 502,
        "body": None,
    }
