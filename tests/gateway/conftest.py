from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from django_sadadpay.gateway import wire
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.tokens import MemoryTokenStore, Tokens
from tests.gateway.server import Server

DATA = Path(__file__).parent / "data"


class ClockedStore(MemoryTokenStore):
    """A store whose clock stands still until told."""

    def __init__(self) -> None:
        super().__init__()
        self.time = datetime(2026, 4, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def hold(self, access: str = "access-0", *, left: float = 86000, age: float = 3600) -> None:
        """Have tokens that were fetched ``age`` seconds ago and last ``left`` more."""
        expires, fetched = self.time + timedelta(seconds=left), self.time - timedelta(seconds=age)
        self._tokens = Tokens(access, "refresh-0", expires, fetched)


@pytest.fixture(autouse=True)
def _no_kept_sessions(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test has its own connections, and no proxy of the machine gets in between."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    pool = wire.SessionPool()
    monkeypatch.setattr(wire, "SESSIONS", pool)
    yield
    pool.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def store() -> ClockedStore:
    held = ClockedStore()
    held.hold()
    return held


@pytest.fixture
def client(server: Server, store: ClockedStore) -> SadadClient:
    """A client with a token that is an hour old, and a short patience."""
    return make_client(server, store)


def make_client(server: Server, store: ClockedStore, *, deadline: float = 5.0) -> SadadClient:
    made = SadadClient("ck_1", "cs_1", api_url=server.url, store=store, deadline=deadline)
    made.transport._pause = 0.001
    return made


@pytest.fixture(scope="session")
def certificate_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return file


@pytest.fixture(scope="session")
def certificate(certificate_file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file)
    return context
