"""Each failure of the network ends in the right class of error, in time and with bounded memory."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import time
import tracemalloc
from datetime import timedelta

import pytest

from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.errors import OutcomeUnknown, SadadError, Unavailable
from django_sadadpay.gateway.wire import HEADER_ROOM
from tests.gateway import server as s
from tests.gateway.conftest import ClockedStore, make_client
from tests.gateway.server import Server
from tests.network.cases import CAP, CASES, GOOD, REDIRECTS, Case
from tests.network.conftest import Authority, counted

READ, WRITE = "Product/getall", "Product/insert"
DEADLINE = 0.25
#: A loaded machine may be slow; the shortest drip of the table would take more than 20 s.
PATIENCE = DEADLINE + 5
#: What one reading takes at most beyond a limit: the reader's buffer.
ONE_READING = 64 * 1024
each = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


def short(server: Server, store: ClockedStore, case: Case | None = None) -> SadadClient:
    """A client with little patience, and enough of it for what must end by itself."""
    client = make_client(server, store, deadline=30 if case and not case.late else DEADLINE)
    client.transport.max_bytes = CAP
    return client


def failure(client: SadadClient, endpoint: str) -> SadadError:
    body = {"nameEn": "Coffee"} if endpoint == WRITE else None
    began = time.monotonic()
    with pytest.raises(SadadError) as caught:
        client.call(endpoint, body=body)
    assert time.monotonic() - began < max(PATIENCE, client.transport.deadline)
    return caught.value


@each
def test_a_read_can_be_asked_again(server: Server, store: ClockedStore, case: Case) -> None:
    server.on(READ, case.answer)
    error = failure(short(server, store, case), READ)
    assert type(error) is case.read
    assert not error.may_have_acted
    assert case.late == ("no answer in time" in str(error))


@each
def test_a_write_is_unknown_and_is_sent_once(server: Server, store: ClockedStore, case: Case) -> None:
    server.on(WRITE, case.answer)
    error = failure(short(server, store, case), WRITE)
    assert type(error) is case.write
    assert error.may_have_acted
    assert len(server.to(WRITE)) == 1
    assert case.late == ("no answer in time" in str(error))


@each
def test_no_more_is_taken_than_the_cap_allows(
    server: Server, store: ClockedStore, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on(WRITE, case.answer)
    client = short(server, store, case)
    with counted(monkeypatch) as exchanges:
        failure(client, WRITE)
    (exchange,) = exchanges
    assert exchange.received <= CAP + HEADER_ROOM + ONE_READING


@pytest.mark.parametrize("case", [case for case in CASES if not case.late], ids=lambda case: case.name)
def test_what_is_left_of_a_bad_reply_is_never_taken_for_the_next(
    server: Server, store: ClockedStore, case: Case
) -> None:
    client = short(server, store, case)
    server.on(WRITE, case.answer).on(READ, s.ok(["the next"]))
    failure(client, WRITE)
    assert client.call(READ, deadline=5) == ["the next"]


def test_memory_stays_bounded_whatever_comes(server: Server, store: ClockedStore) -> None:
    """Python's own memory at its peak: a few times the cap, never what the server would like to send."""
    peaks = {}
    client = make_client(server, store, deadline=PATIENCE)
    client.transport.max_bytes = CAP
    for case in CASES:
        if case.late:
            continue
        server.on(WRITE, case.answer)
        tracemalloc.start()
        failure(client, WRITE)
        peaks[case.name] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert {name: peak for name, peak in peaks.items() if peak > 3 * 1024 * 1024} == {}


def test_a_process_grows_by_no_more_than_a_few_caps(server: Server) -> None:
    """As the system counts it, with the cap that is in force (4 MB): 100 MB, an endless body, a bomb."""
    by_name = {case.name: case.answer for case in CASES}
    for endpoint, name in zip(
        (WRITE, "ProductLink/insert", "ProductCategory/insert"),
        ("100 MB", "an endless body", "a gzip bomb"),
        strict=True,
    ):
        server.on(endpoint, by_name[name])
    server.on("Common/getcurrencies", s.ok([]))
    command = [sys.executable, "-m", "tests.network.child", server.url]
    *classes, grown = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert classes == ["OutcomeUnknown"] * 3
    assert int(grown) < 24 * 1024  # kilobytes: the cap's 4 MB, kept twice while it grows, and the bomb itself


# Elsewhere


@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize("endpoint", [READ, WRITE])
def test_nobody_elsewhere_is_called_or_shown_the_token(
    server: Server, store: ClockedStore, status: int, endpoint: str
) -> None:
    with Server() as elsewhere:
        elsewhere.on(endpoint, s.ok([1]))
        for target in (f"{elsewhere.url}/{endpoint}", f"//127.0.0.1:{elsewhere.port}/api/{endpoint}"):
            server.on(endpoint, s.status(status, GOOD, Location=target, Refresh=f"0; url={target}"))
            error = failure(short(server, store), endpoint)
            assert type(error) is (Unavailable if endpoint == READ else OutcomeUnknown)
        assert elsewhere.connections == 0


def test_a_redirect_of_the_token_call_takes_the_keys_nowhere(server: Server, store: ClockedStore) -> None:
    with Server() as elsewhere:
        there = f"{elsewhere.url}/User/GenerateRefreshToken"
        server.on("User/GenerateRefreshToken", s.status(307, b"", Location=there))
        store._tokens = None
        with pytest.raises(SadadError):
            short(server, store).call(READ)
        assert elsewhere.connections == 0
    assert server.to(READ) == []


# Before anything was sent: both sorts of call surely did nothing


@pytest.mark.parametrize("endpoint", [READ, WRITE])
@pytest.mark.parametrize(
    ("what", "host", "days", "known"),
    [
        ("another name", "other.example", 9, True),
        ("another address", "127.0.0.2", 9, True),
        ("expired", "127.0.0.1", -1, True),
        ("not yet valid", "127.0.0.1", 30, True),
        ("an authority that nobody knows", "127.0.0.1", 9, False),
    ],
)
def test_a_server_that_cannot_prove_its_name_is_told_nothing(
    store: ClockedStore,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    endpoint: str,
    what: str,
    host: str,
    days: int,
    known: bool,
) -> None:
    if known:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    with Server(tls=authority.server(host=host, until=timedelta(days=days))) as server:
        error = failure(make_client(server, store, deadline=30), endpoint)
        assert type(error) is Unavailable, what
        assert "SSLCertVerificationError" in str(error)
        assert server.calls == []


def test_a_server_that_proves_its_name_is_believed(
    store: ClockedStore, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other side of the table above: those failed because of what they name, and of nothing else."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    with Server(tls=authority.server()) as server:
        server.on(WRITE, s.ok(5))
        assert make_client(server, store).call(WRITE, body={"nameEn": "Coffee"}) == 5


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_an_outdated_tls_is_refused(
    store: ClockedStore, authority: Authority, monkeypatch: pytest.MonkeyPatch, newest: ssl.TLSVersion
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    context = authority.server()
    with pytest.warns(DeprecationWarning, match="is deprecated"):
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, newest
    with Server(tls=context) as server:
        assert type(failure(make_client(server, store, deadline=30), WRITE)) is Unavailable
        assert server.calls == []


@pytest.mark.parametrize("endpoint", [READ, WRITE])
@pytest.mark.parametrize("silent", [True, False], ids=["silence", "plain HTTP"])
def test_a_handshake_that_fails_or_hangs_has_sent_nothing(
    store: ClockedStore, endpoint: str, silent: bool
) -> None:
    with Server(silent=silent) as server:
        client = short(server, store)
        client.transport.api_url = server.url.replace("http:", "https:")
        assert type(failure(client, endpoint)) is Unavailable
        assert server.to(endpoint) == []  # the hello's random bytes may look like some request


@pytest.mark.parametrize("endpoint", [READ, WRITE])
@pytest.mark.parametrize("code", [socket.EAI_NONAME, socket.EAI_AGAIN, socket.EAI_FAIL])
def test_a_name_that_cannot_be_looked_up(
    server: Server, store: ClockedStore, monkeypatch: pytest.MonkeyPatch, endpoint: str, code: int
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise socket.gaierror(code, "told by the resolver")

    client = short(server, store)
    client.transport.api_url = "https://sadad.invalid/api"
    monkeypatch.setattr(socket, "getaddrinfo", fails)
    error = failure(client, endpoint)
    assert type(error) is Unavailable
    assert "gaierror" in str(error)


@pytest.mark.parametrize("endpoint", [READ, WRITE])
def test_a_refused_connection(store: ClockedStore, endpoint: str) -> None:
    with Server() as gone:
        client = short(gone, store)
    assert type(failure(client, endpoint)) is Unavailable


@pytest.mark.parametrize("endpoint", [READ, WRITE])
def test_a_name_that_cannot_be_a_name(server: Server, store: ClockedStore, endpoint: str) -> None:
    client = short(server, store)
    for address in (f"https://{'x' * 70}.example/api", "https://xn--\u200d.example/api", "https://a..b/api"):
        client.transport.api_url = address
        assert type(failure(client, endpoint)) is Unavailable


def test_the_table_has_every_row_that_was_asked_for() -> None:
    """A row that goes missing is a failure that nobody tries any more."""
    names = " | ".join(case.name for case in CASES)
    asked = {"cut after the request", "cut in the body", "drip", "half-closed", "redirect", "gzip bomb"}
    asked |= {"100 MB", "endless body", "endless headers", "invalid UTF-8", "HTML"}
    assert [name for name in asked if name not in names] == []
    assert len({case.name for case in CASES}) == len(CASES)
