"""How long an id in a webhook may be: twenty digits fit the column, one more names no invoice."""

from __future__ import annotations

import json

import pytest

from django_sadadpay.gateway import webhook


@pytest.mark.parametrize("as_number", [True, False])
def test_an_id_has_at_most_twenty_digits(as_number: bool) -> None:
    longest, longer = "9" * webhook.LONGEST_ID, "9" * (webhook.LONGEST_ID + 1)

    def read(digits: str) -> webhook.WebhookPayload:
        value = int(digits) if as_number else digits
        return webhook.parse(json.dumps({"invoiceId": value, "invoiceKey": value}).encode())

    assert (read(longest).invoice_id, read(longest).invoice_key) == (longest, longest)
    assert (read(longer).invoice_id, read(longer).invoice_key) == ("", "")
