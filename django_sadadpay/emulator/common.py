"""Currencies (contract 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django_sadadpay.emulator.protocol import Route

if TYPE_CHECKING:
    from django_sadadpay.emulator.protocol import ApiRequest
    from django_sadadpay.emulator.state import World


def getcurrencies(world: World, request: ApiRequest) -> list[dict[str, Any]]:
    """Every currency with its rate to KWD and its decimals; no token is needed."""
    return [
        {
            "id": position,
            "code": row.code,
            "conversionRate": row.rate,
            "decimalPlacement": row.decimals,
            "isBase": row.code == "KWD",
        }
        for position, row in enumerate(world.currencies.values(), start=1)
    ]


ROUTES = (Route("Common/getcurrencies", "GET", "none", handler=getcurrencies, evidence="vendor"),)
