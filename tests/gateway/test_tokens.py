"""Who renews, who waits, who goes on (money-flow 8)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from django_sadadpay.gateway.errors import (
    AuthenticationError,
    RateLimited,
    Rejected,
    SadadError,
    Unavailable,
)
from django_sadadpay.gateway.tokens import LEASE_SECONDS, MemoryTokenStore, Tokens, TokenSource
from tests.gateway.conftest import ClockedStore


class World:
    """A source whose fetches are written down, and whose clock moves only by sleeping."""

    def __init__(self, store: ClockedStore) -> None:
        self.store = store
        self.fetched: list[str] = []
        self.life = 86400
        self.now = 0.0
        self.refused: list[SadadError] = []
        self.while_sleeping: Callable[[], None] = lambda: None
        self.source = TokenSource(
            store, self.refresh, self.access, sleep=self.sleep, monotonic=lambda: self.now
        )

    def refresh(self, seconds: float) -> str:
        assert 0 < seconds <= 40
        self.fetched.append("refresh")
        return f"refresh-{len(self.fetched)}"

    def access(self, refresh: str, seconds: float) -> tuple[str, int]:
        assert 0 < seconds <= 40
        self.fetched.append(f"access with {refresh}")
        if self.refused:
            raise self.refused.pop(0)
        return f"access-{len(self.fetched)}", self.life

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds
        self.store.advance(seconds)
        self.while_sleeping()


@pytest.fixture
def world(store: ClockedStore) -> World:
    return World(store)


def test_a_token_that_lasts_is_used_without_a_call(world: World) -> None:
    assert world.source.access() == "access-0"
    assert world.fetched == []


def test_the_first_token_needs_both_calls_and_is_stored(world: World, store: ClockedStore) -> None:
    store._tokens = None
    assert world.source.access() == "access-2"
    assert world.fetched == ["refresh", "access with refresh-1"]
    held = store.load()
    assert held == Tokens("access-2", "refresh-1", store.time + timedelta(days=1), store.time)
    assert world.source.access() == "access-2"


def test_a_token_near_its_end_is_renewed_with_the_kept_refresh_token(
    world: World, store: ClockedStore
) -> None:
    store.hold(left=59)
    assert world.source.access() == "access-1"
    assert world.fetched == ["access with refresh-0"]


@pytest.mark.parametrize(
    "refusal", [AuthenticationError("x"), Rejected("x", "UnauthorizedAccess")], ids=["401", "key"]
)
def test_a_refused_refresh_token_is_replaced(world: World, store: ClockedStore, refusal: SadadError) -> None:
    store.hold(left=0)
    world.refused = [refusal]
    assert world.source.access() == "access-3"
    assert world.fetched == ["access with refresh-0", "refresh", "access with refresh-2"]


def test_an_empty_refresh_token_is_replaced(world: World, store: ClockedStore) -> None:
    store._tokens = Tokens("access-0", "", store.time, store.time)
    assert world.source.access() == "access-2"


@pytest.mark.parametrize("trouble", [Unavailable("x"), RateLimited("x")])
def test_trouble_on_the_way_does_not_cost_the_refresh_token(
    world: World, store: ClockedStore, trouble: SadadError
) -> None:
    store.hold(left=0)
    world.refused = [trouble]
    with pytest.raises(type(trouble)):
        world.source.access()
    assert world.fetched == ["access with refresh-0"]
    assert store.acquire(1), "the lease was given back"


def test_keys_that_are_refused_end_in_an_authentication_error(world: World, store: ClockedStore) -> None:
    store._tokens = None
    world.refused = [Rejected("User/GenerateAccessToken", "SomeKey", status=200)]
    with pytest.raises(AuthenticationError) as caught:
        world.source.access()
    assert (caught.value.error_key, caught.value.status) == ("SomeKey", 200)


def test_while_another_renews_the_others_go_on_with_a_valid_token(world: World, store: ClockedStore) -> None:
    store.hold(left=30)
    assert store.acquire(LEASE_SECONDS)
    assert world.source.access() == "access-0"
    assert world.fetched == []


def test_who_needs_five_minutes_waits_for_the_other_to_finish(world: World, store: ClockedStore) -> None:
    store.hold(left=200)
    holder = store.acquire(LEASE_SECONDS)
    assert holder
    saved: list[bool] = []
    done = Tokens("access-9", "refresh-0", store.time + timedelta(days=1), store.time)
    world.while_sleeping = lambda: saved.append(store.save(holder, done))
    assert world.source.access(300) == "access-9"
    assert world.fetched == []


def test_without_a_valid_token_the_others_take_over_when_the_lease_lapses(
    world: World, store: ClockedStore
) -> None:
    store.hold(left=5)
    dead = store.acquire(LEASE_SECONDS)
    assert world.source.access(seconds=60) == "access-1"
    assert 45 <= world.now < 47
    late = Tokens("access-late", "refresh-late", store.time, store.time)
    assert dead
    assert not store.save(dead, late), "only the holder's result is stored"
    store.release(dead)
    held = store.load()
    assert held is not None
    assert held.access == "access-1"


def test_waiting_ends_with_the_caller_s_time(world: World, store: ClockedStore) -> None:
    store.hold(left=0)
    store.acquire(LEASE_SECONDS)
    with pytest.raises(Unavailable, match="another process"):
        world.source.access(seconds=10)
    assert world.now == pytest.approx(10)


def test_no_time_left_is_no_call(world: World, store: ClockedStore) -> None:
    store.hold(left=0)
    with pytest.raises(Unavailable, match="no time left"):
        world.source.access(seconds=0)
    assert world.fetched == []


def test_a_result_without_the_lease_is_used_but_not_stored(world: World, store: ClockedStore) -> None:
    store._tokens = None
    real = world.source._fetch_access

    def slow(refresh: str, seconds: float) -> tuple[str, int]:
        store.advance(LEASE_SECONDS + 1)
        assert store.acquire(LEASE_SECONDS), "someone else takes over"
        return real(refresh, seconds)

    world.source._fetch_access = slow
    assert world.source.access() == "access-2"
    assert store.load() is None


def test_a_short_lived_token_is_used_once_and_does_not_loop(world: World, store: ClockedStore) -> None:
    store._tokens = None
    world.life = 120
    assert world.source.access(300) == "access-2"
    assert world.source.access(300) == "access-3"


def test_a_refused_token_is_renewed_though_it_has_not_run_out(world: World) -> None:
    assert world.source.renew("access-0") == "access-1"


def test_a_refused_token_that_another_has_renewed_costs_no_call(world: World, store: ClockedStore) -> None:
    assert world.source.renew("access-old") == "access-0"
    assert world.fetched == []


def test_who_gets_the_lease_looks_again_before_fetching(
    world: World, store: ClockedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.hold(left=0)
    acquire = store.acquire

    def just_renewed(seconds: int) -> str | None:
        store.hold("access-theirs")
        return acquire(seconds)

    monkeypatch.setattr(store, "acquire", just_renewed)
    assert world.source.access() == "access-theirs"
    assert world.fetched == []
    monkeypatch.undo()
    assert store.acquire(1), "the lease was given back"


def test_fresh_means_stored_and_younger_than_a_minute(world: World, store: ClockedStore) -> None:
    store.hold(age=60)
    assert world.source.is_fresh("access-0")
    assert not world.source.is_fresh("access-other")
    store.hold(age=61)
    assert not world.source.is_fresh("access-0")
    store._tokens = None
    assert not world.source.is_fresh("access-0")


def test_tokens_do_not_show_themselves(store: ClockedStore) -> None:
    held = store.load()
    assert held is not None
    shown = repr(held) + repr(held.access) + repr([held.refresh])
    assert "access-0" not in shown
    assert "refresh-0" not in shown


def test_many_threads_fetch_one_token() -> None:
    fetched: list[str] = []
    got: list[str] = []
    together = threading.Barrier(8)

    def refresh(seconds: float) -> str:
        time.sleep(0.05)  # long enough for the others to find the lease taken
        fetched.append("refresh")
        return "refresh-1"

    source = TokenSource(MemoryTokenStore(), refresh, lambda token, seconds: ("access-1", 86400))

    def ask() -> None:
        together.wait(5)
        got.append(source.access())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert got == ["access-1"] * 8
    assert fetched == ["refresh"]
