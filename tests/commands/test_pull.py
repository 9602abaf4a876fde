"""``sadadpay_pull``: what it prints, and its exit code."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from django_sadadpay.management.progress import Meter, line
from django_sadadpay.models import Customer
from django_sadadpay.testing.gateway import Sadad

pytestmark = pytest.mark.django_db(transaction=True)


def pull(*arguments: str) -> str:
    out = io.StringIO()
    call_command("sadadpay_pull", *arguments, stdout=out)
    return out.getvalue()


def test_it_says_what_it_did_with_each_list(sadad: Sadad) -> None:
    sadad.control.create_object("Customer", name="Noor")
    said = pull("--resource", "customers", "--resource", "product-links").splitlines()
    assert said[0].startswith("pull: default customers: 1 seen, ")
    assert said[0].endswith("; new 1")
    assert said[1] == "pull: default product_links: 0 seen"
    assert "calls of Sadad in" in said[2]
    assert "unchanged 1" in pull("--resource", "customer")


def test_a_dry_run_shows_the_difference_and_nobodys_name(sadad: Sadad) -> None:
    sadad.control.create_object("Customer", name="Noor Al-Sabah")
    said = pull("--dry-run", "--resource", "customers")
    assert said.startswith("new customer ")
    assert "; nothing was stored" in said
    assert "Noor" not in said
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    "arguments",
    [["--account", "none"], ["--resource", "nothing"], ["--since", "2026-01-01", "--resource", "products"]],
)
def test_what_cannot_be_done_ends_with_2(sadad: Sadad, arguments: list[str]) -> None:
    with pytest.raises(CommandError) as caught:
        pull(*arguments)
    assert caught.value.returncode == 2
    assert sadad.calls() == []


def test_a_list_that_failed_ends_with_1_and_all_of_them_with_2(sadad: Sadad) -> None:
    sadad.control.faults.add("Customer/getall", "error_before")
    for arguments, code in (([], 1), (["--resource", "customers"], 2)):
        with pytest.raises(CommandError) as caught:
            pull(*arguments)
        assert caught.value.returncode == code


def test_a_day_that_is_none_is_refused(sadad: Sadad) -> None:
    with pytest.raises(CommandError, match="2026-01-31"):
        pull("--resource", "invoices", "--since", "yesterday")


# How far it is


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def write(self, text: str, ending: str = "\n") -> int:
        return super().write(text + ending)


class Log(Terminal):
    def isatty(self) -> bool:
        return False


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def shown(stream: Any, pause: float) -> Meter:
    clock = Clock()
    meter = Meter(stream, clock=clock)
    for done in (100, 200, 300):
        clock.now += pause
        meter.show("products", done, 1000, 10.0)
    return meter


def test_a_terminal_has_a_bar_with_rate_and_time_left() -> None:
    stream = Terminal()
    meter = shown(stream, 1.0)
    drawn = stream.getvalue()
    assert "[####--------------------] products: 200 of 1,000 (20%), 20 a second, 0:40 left" in drawn
    assert drawn.count("\r") == 3
    assert "\n" not in drawn
    meter.clear()
    meter.clear()
    assert stream.getvalue().endswith(" \r")
    assert stream.getvalue().count("\r") == 5


def test_a_log_has_plain_lines_now_and_then() -> None:
    stream = Log()
    shown(stream, 6.0)
    assert stream.getvalue() == "products: 200 of 1,000 (20%), 20 a second, 0:40 left\n"
    shown(stream, 0.1)
    assert stream.getvalue().count("\n") == 1


def test_without_a_total_there_is_no_time_left() -> None:
    assert line("products", 1200, None, 2.0, bar=True) == "products: 1,200, 600 a second"
    assert line("products", 0, 10, 0.0) == "products: 0 of 10 (0%), 0 a second"
    assert line("products", 1, 7201, 1.0).endswith("2:00:00 left")
