from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.core.exceptions import DisallowedHost, ImproperlyConfigured
from django.db import transaction
from django.test import RequestFactory

from django_sadadpay.registry import DraftError
from django_sadadpay.services import links
from django_sadadpay.services.errors import Refused
from django_sadadpay.services.links import Target
from tests.shop.models import Order

START = "https://shop.example/payments/checkout/"


def signed_of(url: str) -> str:
    assert url.startswith(START)
    assert url.endswith("/")
    return url.removeprefix(START)[:-1]


def without_site(settings: Any) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "SITE_URL": None}


def test_a_link_names_the_object_and_reads_back() -> None:
    signed = signed_of(links.checkout_url(Order(pk=42)))
    assert links.read_signed(signed) == Target("order", "42")


def test_a_payable_without_a_model_is_named_by_its_key() -> None:
    url = links.checkout_url("well / 3 ؟", name="donation")
    assert links.read_signed(signed_of(url)) == Target("donation", "well / 3 ؟")


def test_a_name_that_nobody_registered_is_the_developers_fault() -> None:
    with pytest.raises(ImproperlyConfigured, match="no payable is registered as 'basket'"):
        links.checkout_url(Order(pk=42), name="basket")


def test_an_object_must_be_saved_first() -> None:
    with pytest.raises(DraftError, match="pk: the object must be saved first"):
        links.checkout_url(Order())


@pytest.mark.django_db(transaction=True)
def test_it_works_inside_a_transaction_and_asks_the_database_nothing(django_assert_num_queries: Any) -> None:
    order = Order.objects.create(number="A-1", amount="1.000")
    with transaction.atomic(), django_assert_num_queries(0):
        links.checkout_url(order)


def test_every_changed_character_is_noticed() -> None:
    signed = signed_of(links.checkout_url(Order(pk=42)))
    for place, letter in enumerate(signed):
        other = "A" if letter != "A" else "B"
        # The last letter of a part holds bits that base64 does not use; the text itself is what was signed.
        with pytest.raises(Refused, match=r"^link_(invalid|expired)$"):
            links.read_signed(signed[:place] + other + signed[place + 1 :])


@pytest.mark.parametrize("signed", ["", "x", ":::", "a:b:c", "\x00", "é", "." * 500])
def test_what_we_never_signed_is_invalid(signed: str) -> None:
    with pytest.raises(Refused, match="link_invalid"):
        links.read_signed(signed)


@pytest.mark.parametrize("value", ["order", [], ["order"], ["order", "1", "x"], 5, None])
def test_a_link_of_another_shape_is_invalid(value: Any) -> None:
    with pytest.raises(Refused, match="link_invalid"):
        links.read_signed(signing.dumps(value, salt=links._SALT))


def test_what_was_signed_for_something_else_is_invalid() -> None:
    with pytest.raises(Refused, match="link_invalid"):
        links.read_signed(signing.dumps(["order", "42"], salt="another"))


def test_a_link_is_good_for_24_hours() -> None:
    made = datetime(2026, 4, 1, 9, tzinfo=UTC)
    with time_machine.travel(made, tick=False):
        signed = signed_of(links.checkout_url(Order(pk=42)))
    with time_machine.travel(made + timedelta(hours=24), tick=False):
        assert links.read_signed(signed).object_id == "42"
    with time_machine.travel(made + timedelta(hours=24, seconds=1), tick=False):
        with pytest.raises(Refused, match="link_expired"):
            links.read_signed(signed)


def test_a_new_secret_key_ends_all_links_unless_the_old_one_is_a_fallback(settings: Any) -> None:
    signed = signed_of(links.checkout_url(Order(pk=42)))
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "new"
    assert links.read_signed(signed).object_id == "42"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(Refused, match="link_invalid"):
        links.read_signed(signed)


# Addresses


def test_the_site_comes_before_the_request() -> None:
    request = RequestFactory().get("/", headers={"host": "127.0.0.1"})
    assert (
        links.return_url("A-1-abcdefghij", request) == "https://shop.example/payments/return/A-1-abcdefghij/"
    )
    assert links.return_url("A-1-abcdefghij") == "https://shop.example/payments/return/A-1-abcdefghij/"


@pytest.mark.parametrize("secure", [True, False])
def test_without_a_site_the_requests_own_address_is_used(settings: Any, secure: bool) -> None:
    without_site(settings)
    request = RequestFactory().get("/basket/?x=1", secure=secure, headers={"host": "127.0.0.1:8000"})
    scheme = "https" if secure else "http"
    assert links.absolute("/payments/", request) == f"{scheme}://127.0.0.1:8000/payments/"
    assert links.checkout_url(Order(pk=1), request).startswith(
        f"{scheme}://127.0.0.1:8000/payments/checkout/"
    )


def test_a_host_that_is_not_ours_is_refused(settings: Any) -> None:
    without_site(settings)
    request = RequestFactory().get("/", headers={"host": "evil.example"})
    with pytest.raises(DisallowedHost):
        links.return_url("A-1", request)


def test_with_neither_the_setting_is_named(settings: Any) -> None:
    without_site(settings)
    with pytest.raises(ImproperlyConfigured, match=r'SADADPAY\["SITE_URL"\]'):
        links.return_url("A-1")


def test_a_site_below_a_path_keeps_the_paths_of_django(settings: Any) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "SITE_URL": "https://example.com/"}
    assert links.absolute("/shop/payments/x/") == "https://example.com/shop/payments/x/"
