"""Each documented endpoint has a method in the client, a handler in the emulator and a step in the probe."""

from __future__ import annotations

from operator import attrgetter

import pytest

from django_sadadpay.emulator.routes import ROUTES
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.probe.steps import STEPS

HANDLED = {route.name: route for route in ROUTES}


@pytest.mark.parametrize("name", ENDPOINTS)
def test_it_is_reached_from_python_and_answered_by_the_emulator(name: str) -> None:
    row, route = ENDPOINTS[name], HANDLED[name]
    assert callable(attrgetter(row.method)(SadadClient("k", "s")))
    assert (route.verb, route.auth) == (row.verb, row.auth)
    assert callable(route.handler)


def test_the_emulator_answers_nothing_else() -> None:
    assert set(HANDLED) == set(ENDPOINTS)


def test_client_and_emulator_say_the_same_of_how_well_a_body_is_known() -> None:
    """They say it independently; a field of the table may be known worse than the body as a whole."""
    weaker = {
        name: (route.evidence, sorted({field.evidence for field in ENDPOINTS[name].fields}))
        for name, route in HANDLED.items()
        if route.evidence == "assumed"
        and any(field.evidence != "assumed" for field in ENDPOINTS[name].fields)
    }
    assert weaker == {}


def test_the_probe_has_a_step_for_each() -> None:
    assert {step.endpoint for step in STEPS} == set(ENDPOINTS)
