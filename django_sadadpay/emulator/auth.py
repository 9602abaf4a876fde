"""Key and secret → refresh token → access token (contract 2)."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING

from django_sadadpay.emulator.protocol import Refusal, Route

if TYPE_CHECKING:
    from django_sadadpay.emulator.protocol import ApiRequest
    from django_sadadpay.emulator.state import World


def generate_refresh_token(world: World, request: ApiRequest) -> dict[str, str]:
    """Contract 2.1. The body is not read. A wrong key or secret is HTTP 200 with an error key."""
    sent = _credentials(request.authorization)
    if sent is None:
        raise Refusal("UnauthorizedAccess")
    expected = f"{world.settings.client_key}:{world.settings.client_secret}".encode()
    if not hmac.compare_digest(sent, expected):
        raise Refusal("WrongClientKeyOrClientSecret")
    return {"refreshToken": world.new_token("refresh")}


def generate_access_token(world: World, request: ApiRequest) -> dict[str, str | int]:
    """Contract 2.2, with the refresh token as bearer. Anything else is UnauthorizedAccess in HTTP 200."""
    token = world.tokens.get(_bearer(request.authorization) or "")
    if token is None or token.kind != "refresh":
        raise Refusal("UnauthorizedAccess")
    seconds = world.settings.access_token_seconds
    return {"accessToken": world.new_token("access", seconds), "expiredAfterSeconds": seconds}


def why_not_authorized(world: World, authorization: str) -> str | None:
    """The error key of a call whose access token is missing, wrong or too old, else None (contract 1.4)."""
    value = _bearer(authorization)
    if value is None:
        return "UnauthorizedAccess"
    token = world.tokens.get(value)
    if token is None or token.kind != "access":
        return "InvalidToken"
    return "TokenExpired" if (token.expires_at or 0) <= world.now() else None


def _credentials(authorization: str) -> bytes | None:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None


def _bearer(authorization: str) -> str | None:
    scheme, _, value = authorization.partition(" ")
    return value.strip() if scheme.lower() == "bearer" and value.strip() else None


ROUTES = (
    Route("User/GenerateRefreshToken", "POST", "basic", handler=generate_refresh_token, evidence="doc"),
    Route("User/GenerateAccessToken", "POST", "refresh", handler=generate_access_token, evidence="doc"),
)
