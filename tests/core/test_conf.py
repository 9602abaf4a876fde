from __future__ import annotations

import copy
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_sadadpay import conf

ACCOUNT = {
    "CLIENT_KEY": "key-nobody-may-see",
    "CLIENT_SECRET": "secret-nobody-may-see",
    "ENVIRONMENT": "live",
    "WEBHOOK_SECRET": "webhook-nobody-may-see",
}
GOOD: dict[str, Any] = {"ACCOUNTS": {"default": ACCOUNT}, "SITE_URL": "https://shop.example"}
MISSING = object()


def changed(path: str, value: Any) -> dict[str, Any]:
    """The good settings with one of them set, or left out."""
    made = copy.deepcopy(GOOD)
    *way, last = path.split("/")
    place = made
    for step in way:
        place = place[step]
    if value is MISSING:
        place.pop(last)
    else:
        place[last] = value
    return made


def read(path: str, value: Any) -> conf.Config:
    with override_settings(SADADPAY=changed(path, value)):
        return conf.current()


def complaint(path: str, value: Any) -> str:
    with pytest.raises(ImproperlyConfigured) as raised:
        read(path, value)
    return str(raised.value)


def test_the_smallest_settings_are_enough() -> None:
    with override_settings(SADADPAY={"ACCOUNTS": {"default": ACCOUNT}}):
        config = conf.current()
    account = config.account("default")
    assert account.client_key == "key-nobody-may-see"
    assert account.webhook_secrets == ("webhook-nobody-may-see",)
    assert (account.environment, account.api_url, account.pay_url) == ("live", None, None)
    assert (config.site_url, config.task_runner, config.encryption_keys) == (None, "inline", ())
    assert (config.invoice_valid_days, config.rate_max_age_hours, config.refund_look_hours) == (3, 24, 72)


def test_settings_changed_in_a_test_are_read_anew() -> None:
    before = conf.current()
    with override_settings(SADADPAY=GOOD):
        assert conf.current().accounts["default"].client_key == "key-nobody-may-see"
        assert conf.current() is conf.current()
    assert conf.current() == before


def test_another_setting_changes_nothing() -> None:
    before = conf.current()
    with override_settings(TIME_ZONE="UTC"):
        assert conf.current() is before


@override_settings(SADADPAY={**GOOD, "ENCRYPTION_KEYS": ["encryption-nobody-may-see"]})
def test_no_secret_is_in_a_repr() -> None:
    config = conf.current()
    assert "nobody-may-see" not in repr(config)
    assert "nobody-may-see" not in repr(config.account("default"))
    assert "nobody-may-see" not in f"{config}"


@pytest.mark.parametrize(
    ("path", "value", "names"),
    [
        ("ACCOUNTS", MISSING, 'SADADPAY["ACCOUNTS"]'),
        ("ACCOUNTS", {}, 'SADADPAY["ACCOUNTS"]'),
        ("ACCOUNTS", ["nobody-may-see"], 'SADADPAY["ACCOUNTS"]'),
        ("ACCOUNTS/default", "nobody-may-see", "ACCOUNTS['default'] must be a dict"),
        ("ACCOUNTS/", ACCOUNT, "ACCOUNTS['']: an account's name is 1 to 40"),
        ("ACCOUNTS/my shop", ACCOUNT, "ACCOUNTS['my shop']: an account's name is 1 to 40"),
        ("ACCOUNTS/" + "a" * 41, ACCOUNT, "an account's name is 1 to 40"),
        ("ACCOUNTS/default/CLIENT_KEY", MISSING, "ACCOUNTS['default'].CLIENT_KEY"),
        ("ACCOUNTS/default/CLIENT_KEY", "  ", "ACCOUNTS['default'].CLIENT_KEY"),
        ("ACCOUNTS/default/CLIENT_SECRET", b"nobody-may-see", "ACCOUNTS['default'].CLIENT_SECRET"),
        ("ACCOUNTS/default/ENVIRONMENT", MISSING, "ENVIRONMENT must be one of sandbox, live"),
        ("ACCOUNTS/default/ENVIRONMENT", "nobody-may-see", "ACCOUNTS['default'].ENVIRONMENT"),
        ("ACCOUNTS/default/ENVIRONMENT", ["live"], "ACCOUNTS['default'].ENVIRONMENT"),
        ("ACCOUNTS/default/WEBHOOK_SECRET", MISSING, "ACCOUNTS['default'].WEBHOOK_SECRET"),
        ("ACCOUNTS/default/WEBHOOK_SECRET", [], "ACCOUNTS['default'].WEBHOOK_SECRET"),
        ("ACCOUNTS/default/WEBHOOK_SECRET", ["good", ""], "ACCOUNTS['default'].WEBHOOK_SECRET"),
        ("ACCOUNTS/default/WEBHOOK_SECRET", "nobody/may/see", "may hold only letters, digits"),
        ("ACCOUNTS/default/WEBHOOK_SECRET", ["good", "nobody-may-see?"], "may hold only letters, digits"),
        ("ACCOUNTS/default/WEBHOOK_SECRET", {"nobody-may-see"}, "must be a text or a list of texts"),
        ("ACCOUNTS/default/API_URL", "nobody-may-see", "ACCOUNTS['default'].API_URL"),
        ("ACCOUNTS/default/PAY_URL", "ftp://nobody-may-see", "ACCOUNTS['default'].PAY_URL"),
        ("ACCOUNTS/default/FIELDS", "nobody-may-see", "ACCOUNTS['default'].FIELDS must be a dict such as"),
        ("ACCOUNTS/default/FIELDS", {"Product/insert": "nobody-may-see"}, "FIELDS must be a dict such as"),
        ("ACCOUNTS/default/FIELDS", {"Product/add": {}}, "FIELDS: there is no endpoint 'Product/add'"),
        ("ACCOUNTS/default/FIELDS", {"Product/insert": {"hue": "c"}}, "FIELDS: Product/insert: no field hue"),
        ("ACCOUNTS/default/CLIENT_PASSWORD", "nobody-may-see", "['default']: unknown CLIENT_PASSWORD"),
        ("SITE_URL", "shop.example", "SITE_URL must be an address that starts with http"),
        ("SITE_URL", "https://", "SITE_URL must be an address"),
        ("SITE_URL", "https://:80", "SITE_URL must be an address"),
        ("SITE_URL", "http://[nobody-may-see", "SITE_URL must be an address"),
        ("SITE_URL", 5, "SITE_URL must be an address"),
        ("TASK_RUNNER", "nobody-may-see", "TASK_RUNNER must be one of inline, celery"),
        ("ENCRYPTION_KEYS", 5, "ENCRYPTION_KEYS must be a text or a list of texts"),
        ("ENCRYPTION_KEYS", ["nobody-may-see", 5], "ENCRYPTION_KEYS must be a text that is not empty"),
        ("RATE_MAX_AGE_HOURS", 0, "RATE_MAX_AGE_HOURS must be a whole number from 1 to 1000000"),
        ("INVOICE_VALID_DAYS", 10**9, "INVOICE_VALID_DAYS must be a whole number"),
        ("REFUND_LOOK_HOURS", True, "REFUND_LOOK_HOURS must be a whole number"),
        ("RECONCILE_MAX_CALLS", "nobody-may-see", "RECONCILE_MAX_CALLS must be a whole number"),
        ("RECONCILE_MAX_SECONDS", 1.5, "RECONCILE_MAX_SECONDS must be a whole number"),
        ("COLOUR", "nobody-may-see", "SADADPAY: unknown COLOUR; known are ACCOUNTS, "),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_by_name_and_never_shown(path: str, value: Any, names: str) -> None:
    text = complaint(path, value)
    assert names in text
    assert "nobody-may-see" not in text.replace("ACCOUNTS['nobody-may-see']", "")
    assert "nobody/may/see" not in text


@pytest.mark.parametrize("value", [None, "nobody-may-see", []])
def test_settings_that_are_missing_are_named(value: Any) -> None:
    with (
        override_settings(SADADPAY=value),
        pytest.raises(ImproperlyConfigured, match=r"^SADADPAY is missing"),
    ):
        conf.current()


def test_an_account_that_does_not_exist_is_named() -> None:
    config = read("SITE_URL", None)
    with pytest.raises(ImproperlyConfigured, match=r"has no account 'second'"):
        config.account("second")


@pytest.mark.parametrize("name", ["default", "second-shop", "SHOP_2", "2"])
def test_names_of_letters_digits_and_dashes_are_accounts(name: str) -> None:
    assert read(f"ACCOUNTS/{name}", ACCOUNT).account(name).name == name


def test_webhook_secrets_may_be_a_list_while_they_are_rotated() -> None:
    config = read("ACCOUNTS/default/WEBHOOK_SECRET", ["new", "old"])
    assert config.account("default").webhook_secrets == ("new", "old")


def test_blanks_pasted_with_a_key_are_dropped() -> None:
    config = read("ACCOUNTS/default/CLIENT_KEY", " key\n")
    assert config.account("default").client_key == "key"


def test_an_account_may_spell_fields_its_own_way() -> None:
    from django_sadadpay.services.gateway import client_for

    names = {"Product/insert": {"name_en": "name_En"}}
    account = read("ACCOUNTS/default/FIELDS", names).account("default")
    fields = client_for(account).endpoints["Product/insert"].fields
    assert "name_En" in [field.wire for field in fields]
    assert read("SITE_URL", None).account("default").fields == {}


def test_addresses_lose_blanks_and_their_last_slash() -> None:
    assert read("SITE_URL", " https://shop.example/ ").site_url == "https://shop.example"
    there = read("ACCOUNTS/default/API_URL", "http://127.0.0.1:9/api/")
    assert there.account("default").api_url == "http://127.0.0.1:9/api"


@pytest.mark.parametrize(
    "name",
    [
        "INVOICE_VALID_DAYS", "RECONCILE_MAX_CALLS", "RECONCILE_MAX_SECONDS", "RECONCILE_LATE_AFTER",
        "REFUND_LOOK_HOURS", "RATE_MAX_AGE_HOURS", "RETURN_VIEW_DEADLINE",
    ],
)  # fmt: skip
def test_every_number_can_be_set(name: str) -> None:
    assert getattr(read(name, 7), name.lower()) == 7


def test_encryption_keys_keep_their_order() -> None:
    assert read("ENCRYPTION_KEYS", ["new", "old"]).encryption_keys == ("new", "old")
    assert read("ENCRYPTION_KEYS", "only").encryption_keys == ("only",)
