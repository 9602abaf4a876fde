from __future__ import annotations

import base64
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from django_sadadpay import conf
from django_sadadpay.gateway.tokens import LEASE_SECONDS, Tokens, TokenSource
from django_sadadpay.models import GatewayToken
from django_sadadpay.services import crypto, gateway, tokens
from django_sadadpay.services.tokens import DatabaseTokenStore
from django_sadadpay.testing.gateway import Sadad
from tests.core.racing import race

db = pytest.mark.django_db(transaction=True)
Shift = Callable[[float], None]


# Encryption


@settings(max_examples=30, deadline=None)
@given(st.text(min_size=1))
def test_what_was_encrypted_is_read_again_and_shows_nothing(text: str) -> None:
    token = crypto.encrypt(text)
    assert crypto.decrypt(token) == text
    assert len(text) < 4 or text not in token
    assert token.isascii()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 100), st.integers(1, 255))
def test_a_token_that_was_tampered_with_is_no_token(place: int, mask: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(crypto.encrypt("access-token")))
    raw[place % len(raw)] ^= mask
    assert crypto.decrypt(base64.urlsafe_b64encode(raw).decode()) is None


@pytest.mark.parametrize("token", ["plain", "é", "=", "gAAAAA", " "])
def test_text_that_was_never_encrypted_is_no_token(token: str) -> None:
    assert crypto.decrypt(token) is None


def test_empty_stays_empty() -> None:
    assert crypto.encrypt("") == ""
    assert crypto.decrypt("") == ""


def test_a_new_secret_key_reads_old_tokens_while_the_old_one_is_a_fallback() -> None:
    with override_settings(SECRET_KEY="old"):
        token = crypto.encrypt("access")
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["older", "old"]):
        assert crypto.decrypt(token) == "access"
        renewed = crypto.encrypt("access")
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[]):
        assert crypto.decrypt(token) is None
        assert crypto.decrypt(renewed) == "access"


def test_a_secret_key_may_be_bytes() -> None:
    with override_settings(SECRET_KEY=b"same"):
        token = crypto.encrypt("access")
    with override_settings(SECRET_KEY="same"):
        assert crypto.decrypt(token) == "access"


def keys(*given_keys: str) -> Any:
    from django.conf import settings as django_settings

    return override_settings(SADADPAY={**django_settings.SADADPAY, "ENCRYPTION_KEYS": list(given_keys)})


def test_encryption_keys_are_rotated_and_dropped() -> None:
    with keys("old"):
        token = crypto.encrypt("access")
    with keys("new", "old"):
        assert crypto.decrypt(token) == "access"
        renewed = crypto.encrypt("access")
    with keys("new"):
        assert crypto.decrypt(token) is None
        assert crypto.decrypt(renewed) == "access"


def test_with_encryption_keys_of_its_own_the_secret_key_opens_nothing() -> None:
    token = crypto.encrypt("access")
    with keys("own"):
        assert crypto.decrypt(token) is None


# The store


@pytest.fixture
def store(transactional_db: None) -> DatabaseTokenStore:
    return tokens.store_for(conf.current().account("default"))


def some_tokens(store: DatabaseTokenStore, access: str = "access-1", life: int = 86400) -> Tokens:
    now = store.now()
    return Tokens(access, "refresh-1", now + timedelta(seconds=life), now)


def hold(store: DatabaseTokenStore, made: Tokens | None = None) -> Tokens:
    made = made or some_tokens(store)
    holder = store.acquire(LEASE_SECONDS)
    assert holder is not None
    assert store.save(holder, made)
    return made


def test_an_account_without_tokens_has_none(store: DatabaseTokenStore) -> None:
    assert store.load() is None
    assert store.acquire(LEASE_SECONDS) is not None
    assert store.load() is None


def same(one: datetime, other: datetime) -> bool:
    return abs(one - other) < timedelta(milliseconds=1)


def test_saved_tokens_come_back(store: DatabaseTokenStore) -> None:
    made = hold(store)
    found = store.load()
    assert found is not None
    assert (found.access, found.refresh) == ("access-1", "refresh-1")
    assert same(found.access_expires_at, made.access_expires_at)
    assert same(found.fetched_at, made.fetched_at)


def test_no_token_stands_in_the_database_as_it_is(store: DatabaseTokenStore) -> None:
    hold(store)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM sadadpay_gatewaytoken")
        row = repr(cursor.fetchall())
    assert "default" in row
    assert "access-1" not in row
    assert "refresh-1" not in row


def test_each_environment_has_its_own_tokens(store: DatabaseTokenStore) -> None:
    hold(store)
    live = DatabaseTokenStore("default", "live")
    assert live.load() is None
    assert live.acquire(LEASE_SECONDS) is not None


@pytest.mark.parametrize("column", ["access", "refresh"])
def test_a_stored_token_that_cannot_be_read_is_thrown_away(store: DatabaseTokenStore, column: str) -> None:
    hold(store)
    GatewayToken.objects.update(**{column: "gAAAAA-tampered"})
    assert store.load() is None


def test_a_row_with_an_empty_access_token_holds_none(store: DatabaseTokenStore) -> None:
    hold(store)
    GatewayToken.objects.update(access="")
    assert store.load() is None


def test_after_a_change_of_the_secret_key_a_token_is_fetched_anew(store: DatabaseTokenStore) -> None:
    hold(store)
    fetched = TokenSource(store, lambda seconds: "refresh-2", lambda refresh, seconds: ("access-2", 86400))
    assert fetched.access() == "access-1"
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[]):
        assert fetched.access() == "access-2"
        found = store.load()
    assert found is not None
    assert found.access == "access-2"


@db
def test_a_tampered_token_costs_a_new_one_and_no_error(sadad: Sadad) -> None:
    client = gateway.client_for(conf.current().account("default"))
    client.warm()
    before = len(sadad.calls())
    client.warm()
    assert len(sadad.calls()) == before
    GatewayToken.objects.update(access="tampered")
    client.warm()
    assert len(sadad.calls("User/GenerateAccessToken")) == 2


# The lease


def test_one_at_a_time_has_the_lease(store: DatabaseTokenStore) -> None:
    first = store.acquire(LEASE_SECONDS)
    assert first is not None
    assert store.acquire(LEASE_SECONDS) is None
    store.release(first)
    assert store.acquire(LEASE_SECONDS) not in (None, first)


def test_saving_ends_the_lease(store: DatabaseTokenStore) -> None:
    hold(store)
    assert store.acquire(LEASE_SECONDS) is not None


def test_a_lease_lapses_by_the_databases_clock(store: DatabaseTokenStore, sadad_clock: Shift) -> None:
    assert store.acquire(LEASE_SECONDS) is not None
    sadad_clock(LEASE_SECONDS - 5)
    assert store.acquire(LEASE_SECONDS) is None
    sadad_clock(10)
    assert store.acquire(LEASE_SECONDS) is not None


def test_a_machine_whose_own_clock_is_wrong_takes_no_lease(store: DatabaseTokenStore) -> None:
    assert store.acquire(LEASE_SECONDS) is not None
    with time_machine.travel(datetime.now().astimezone() + timedelta(days=30)):
        assert store.acquire(LEASE_SECONDS) is None


def test_only_the_holder_saves_and_releases(store: DatabaseTokenStore, sadad_clock: Shift) -> None:
    late = store.acquire(LEASE_SECONDS)
    assert late is not None
    sadad_clock(LEASE_SECONDS + 1)
    holder = store.acquire(LEASE_SECONDS)
    assert holder is not None
    store.release(late)
    assert store.acquire(LEASE_SECONDS) is None
    assert not store.save(late, some_tokens(store, "late"))
    assert store.load() is None
    assert store.save(holder, some_tokens(store, "in time"))
    assert not store.save(holder, some_tokens(store, "twice"))
    found = store.load()
    assert found is not None
    assert found.access == "in time"


@pytest.mark.races
def test_of_eight_threads_one_takes_the_lease(store: DatabaseTokenStore) -> None:
    leases = race(lambda: store.acquire(LEASE_SECONDS))
    assert len([lease for lease in leases if lease is not None]) == 1
    assert GatewayToken.objects.count() == 1


@pytest.mark.races
def test_eight_threads_without_a_token_fetch_one_together(store: DatabaseTokenStore) -> None:
    fetched: list[str] = []

    def fetch(refresh: str, seconds: float) -> tuple[str, int]:
        fetched.append(refresh)
        time.sleep(0.1)
        return f"access-{len(fetched)}", 86400

    source = TokenSource(store, lambda seconds: "refresh", fetch)
    assert race(source.access) == ["access-1"] * 8
    assert fetched == ["refresh"]


@pytest.mark.races
def test_eight_threads_whose_token_was_refused_renew_it_once(store: DatabaseTokenStore) -> None:
    hold(store, some_tokens(store, "stale"))
    fetched: list[str] = []

    def fetch(refresh: str, seconds: float) -> tuple[str, int]:
        fetched.append(refresh)
        return "renewed", 86400

    source = TokenSource(store, lambda seconds: "refresh", fetch)
    assert race(lambda: source.renew("stale")) == ["renewed"] * 8
    assert fetched == ["refresh-1"]
