"""Encryption of tokens at rest: Fernet of ``cryptography``, newest key first."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from django_sadadpay import conf

_LABEL = b"django-sadadpay token encryption v1"


def encrypt(text: str) -> str:
    """``text`` under the newest key; empty stays empty."""
    return _box().encrypt(text.encode()).decode() if text else ""


def decrypt(token: str) -> str | None:
    """The text, or None when no key fits: the caller throws it away and fetches another (money-flow 8)."""
    if not token:
        return ""
    try:
        return _box().decrypt(token.encode()).decode()
    except InvalidToken:
        return None


def _box() -> MultiFernet:
    keys: list[str | bytes] = [*conf.current().encryption_keys]
    keys = keys or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derive(key)) for key in keys])


def _derive(key: str | bytes) -> bytes:
    secret = key if isinstance(key, bytes) else key.encode()
    raw = HKDF(algorithm=SHA256(), length=32, salt=None, info=_LABEL).derive(secret)
    return base64.urlsafe_b64encode(raw)
