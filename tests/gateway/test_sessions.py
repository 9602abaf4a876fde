"""Whose session it is: (process, thread), at most 32, never shared over a fork."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable

import pytest
import requests

from django_sadadpay.gateway import wire
from django_sadadpay.gateway.client import SadadClient
from tests.gateway import server as s
from tests.gateway.server import Server

READ = "Product/getbyid"


# Forking a process that has threads is what web servers do to us, and what is tested here.
forks = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def in_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()


def test_a_thread_keeps_its_session_and_another_has_its_own() -> None:
    pool = wire.SessionPool()
    seen: list[requests.Session] = []

    def look() -> None:
        with pool.borrow() as session:
            seen.append(session)

    look()
    look()
    in_thread(look)
    assert seen[0] is seen[1]
    assert seen[2] is not seen[0]
    assert len(pool) == 2


def test_at_most_so_many_are_kept_and_the_longest_unused_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[requests.Session] = []

    def close(session: requests.Session) -> None:
        closed.append(session)

    monkeypatch.setattr(requests.Session, "close", close)
    pool = wire.SessionPool(limit=2)
    used: list[requests.Session] = []
    gates = [threading.Event() for _ in range(4)]
    ready = threading.Semaphore(0)

    def work(number: int) -> None:
        with pool.borrow() as session:
            used.append(session)
            ready.release()
            gates[number].wait(10)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:  # all four at once, so that no thread id is used again
        thread.start()
        assert ready.acquire(timeout=10)
    for number, thread in enumerate(threads):
        gates[number].set()
        thread.join(10)
    assert len(pool) == 2
    assert closed == used[:2]
    pool.close()
    assert closed == used
    assert len(pool) == 0


def test_the_process_wide_limit_is_32() -> None:
    assert wire.SessionPool()._limit == 32


def test_a_session_comes_back_after_an_error() -> None:
    pool = wire.SessionPool()
    with pytest.raises(RuntimeError), pool.borrow():
        raise RuntimeError
    assert len(pool) == 1


@forks
def test_a_child_never_gets_a_reply_that_was_meant_for_its_parent(
    server: Server, client: SadadClient
) -> None:
    def echo(connection: socket.socket) -> bool:
        return s.ok(server.calls[-1].query["id"])(connection)

    server.on(READ, echo)
    assert client.call(READ, query={"id": "parent"}) == "parent"
    children = [fork_and_ask(client, f"child-{number}") for number in range(3)]
    for pid, name, reader in children:
        with os.fdopen(reader) as stream:
            assert stream.read() == name
        assert os.waitpid(pid, 0)[1] == 0
    assert client.call(READ, query={"id": "again"}) == "again"
    by_connection: dict[int, set[str]] = {}
    for call in server.calls:
        by_connection.setdefault(call.connection, set()).add(call.query["id"].split("-")[0])
    assert sorted(map(sorted, by_connection.values())) == [
        ["again", "parent"],
        ["child"],
        ["child"],
        ["child"],
    ]


def fork_and_ask(client: SadadClient, name: str) -> tuple[int, str, int]:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return pid, name, reader
    signal.alarm(20)  # a child that hangs must not hang the tests
    try:  # it leaves by os._exit: it must not run the rest of the tests
        os.write(writer, str(client.call(READ, query={"id": name})).encode())
    finally:
        os._exit(0)


@forks
def test_a_child_forked_while_the_pool_is_locked_can_still_call(server: Server, client: SadadClient) -> None:
    server.on(READ, s.ok("fine"))
    with wire.SESSIONS._lock:
        pid, _, reader = fork_and_ask(client, "child")
    with os.fdopen(reader) as stream:
        assert stream.read() == "fine"
    os.waitpid(pid, 0)
