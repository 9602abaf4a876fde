"""When it does not run at all."""

from __future__ import annotations

from decimal import Decimal

import pytest

from django_sadadpay.probe import Account, CouldNotRun, Options, cleanup, probe
from tests.probe.conftest import Lab

#: All of them, but the last three, really go to the live host.
DISGUISED = (
    "https://API.SADADPAY.NET/api",
    "https://api.sadadpay.net./api",
    "https://api%2esadadpay.net/api",
    "https://api.sadadpay.net:443/api",
    "https://apisandbox.sadadpay.net@api.sadadpay.net/api",
    "https://api.sadadpay.net\\@apisandbox.sadadpay.net/api",
    "  https://api.sadadpay.net/api",
    "https://api.sadadpay\u3002net/api",
    "https://api2.sadadpay.net/api",
    "https://sadadpay.net/api",
    "https:///api.sadadpay.net/api",
)


def _refused(account: Account, options: Options) -> str:
    with pytest.raises(CouldNotRun) as refusal:
        probe(account, options)
    return str(refusal.value)


@pytest.mark.parametrize(
    "account",
    [
        Account("ck_x", "cs_x", "live"),
        Account("ck_x", "cs_x", "sandbox", api_url="https://api.sadadpay.net/api"),
        Account("ck_x", "cs_x", "live", api_url="http://127.0.0.1:9/api"),
        *(Account("ck_x", "cs_x", "sandbox", api_url=address) for address in DISGUISED),
    ],
)
def test_the_live_account_is_not_touched_unless_that_is_said(lab: Lab, account: Account) -> None:
    assert "live account" in _refused(account, lab.options())
    lab.journal.write_text('{"head": {}}\n')
    with pytest.raises(CouldNotRun, match="live account"):
        cleanup(account, lab.journal)


@pytest.mark.parametrize(
    "address", [None, "https://apisandbox.sadadpay.net/api", "https://APISANDBOX.sadadpay.net.:443/api/"]
)
def test_the_sandbox_is_not_taken_for_the_live_account(address: str | None) -> None:
    assert not Account("ck_x", "cs_x", api_url=address).live


def test_said_twice_the_live_account_is_probed_without_calls_about_money(lab: Lab) -> None:
    report = probe(lab.account(environment="live"), lab.options("Refund", live=True))
    assert report.differences == []
    assert report.rows["Refund/insert"].skipped["without amount"].startswith("refused calls about money")
    assert report.rows["Refund/insert"].done == ["a body that is no object"]
    assert lab.left() == []


def test_wrong_keys(lab: Lab) -> None:
    account = lab.account(secret="cs_wrong")
    assert "WrongClientKeyOrClientSecret" in _refused(account, lab.options())
    assert "cs_wrong" not in _refused(account, lab.options())
    assert not lab.journal.exists()


def test_nobody_at_the_address(lab: Lab) -> None:
    assert _refused(lab.account(api_url="http://127.0.0.1:9/api"), lab.options(timeout=1)).startswith(
        "no token: "
    )


def test_a_group_that_does_not_exist(lab: Lab) -> None:
    assert _refused(lab.account(), lab.options("Cakes")).startswith("no group Cakes; there are: ")
    assert lab.control.log == []


def test_empty_keys(lab: Lab) -> None:
    assert "must not be empty" in _refused(lab.account(key=" "), lab.options())


def test_a_journal_that_exists_is_not_written_over(lab: Lab) -> None:
    lab.journal.write_text("kept")
    assert "clean up with it first" in _refused(lab.account(), lab.options())
    assert lab.journal.read_text() == "kept"


def test_a_folder_that_cannot_be_written_to(lab: Lab) -> None:
    options = lab.options().with_journal(lab.folder / "missing" / "probe.journal")
    assert "the journal cannot be written" in _refused(lab.account(), options)


@pytest.mark.parametrize("amount", ["0", "-1", "0.1001"])
def test_an_amount_that_is_none(lab: Lab, amount: str) -> None:
    with pytest.raises(ValueError, match="KWD above zero"):
        lab.options(amount=Decimal(amount))


def test_a_run_is_named_so_that_it_can_be_searched_for(lab: Lab) -> None:
    with pytest.raises(ValueError, match="4 to 16"):
        lab.options(run="No")
    assert lab.options().prefix == "probe-0000test-"
    assert len(Options(journal=lab.journal).run) == 8
