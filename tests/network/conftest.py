"""The gateway's tests have the server, the client and the clock; here they meet every way to go wrong."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from django_sadadpay.gateway import transport
from django_sadadpay.gateway.wire import Exchange
from tests.gateway.conftest import ClockedStore, _no_kept_sessions, client, server, store

__all__ = ["ClockedStore", "_no_kept_sessions", "client", "server", "store"]

TODAY = datetime.now(UTC)


class Authority:
    """A certificate authority that signs whatever it is asked to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Authority of the tests")])
        self.file = folder / "authority.pem"
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        mine = self._certificate(self._name, self._key.public_key(), TODAY + timedelta(days=9))
        mine = mine.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        mine = mine.add_extension(usage, critical=True)
        # Python 3.13 checks strictly: an authority names its key, and a certificate the key that signed it.
        named = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        mine = mine.add_extension(named, critical=False)
        self.file.write_bytes(mine.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def server(self, *, host: str = "127.0.0.1", until: timedelta = timedelta(days=9)) -> ssl.SSLContext:
        """A server's TLS, its certificate made out to ``host`` and good ``until`` from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
        kind: x509.GeneralName = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        made = self._certificate(name, key.public_key(), TODAY + until)
        made = made.add_extension(x509.SubjectAlternativeName([kind]), critical=False)
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = made.add_extension(signer, critical=False)
        return self._context(key, made.sign(self._key, hashes.SHA256()))

    def _certificate(
        self, name: x509.Name, key: ec.EllipticCurvePublicKey, until: datetime
    ) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder(self._name, name, key, x509.random_serial_number())
        return made.not_valid_before(until - timedelta(days=20)).not_valid_after(until)

    def _context(self, key: ec.EllipticCurvePrivateKey, signed: x509.Certificate) -> ssl.SSLContext:
        file = self._folder / f"{signed.serial_number}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(private + signed.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exchange]]:
    """Every HTTP call made meanwhile; each knows how many bytes were taken from its socket."""
    made: list[Exchange] = []

    class Counted(Exchange):
        def __init__(self, *args: float, **kwargs: float) -> None:
            super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed through as they came
            made.append(self)

    with monkeypatch.context() as patch:
        patch.setattr(transport, "Exchange", Counted)
        yield made
