"""sadadpay_probe: the command around the probe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import BaseCommand, CommandError, call_command

from django_sadadpay.management.commands.sadadpay_probe import Command, _stoppable
from django_sadadpay.probe import Account, Options
from django_sadadpay.probe.cleaning import Cleaner
from django_sadadpay.probe.journal import Journal
from django_sadadpay.probe.options import head
from django_sadadpay.testing.gateway import Sadad

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("sadadpay_probe", *map(str, arguments), stdout=out)
    return out.getvalue()


def refused(*arguments: object) -> CommandError:
    with pytest.raises(CommandError) as refusal:
        run(*arguments)
    return refusal.value


def test_all_as_the_table_says(sadad: Sadad, tmp_path: Path) -> None:
    said = run("--output", tmp_path, "--only", "Customers", "--only", "Common", "--record", tmp_path / "kept")
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["same"] is True
    assert report["account"] == "default"
    assert (tmp_path / "report.md").read_text().startswith("# What Sadad's API answered\n")
    assert (tmp_path / "kept" / "Customer-insert--as-it-should-be.json").exists()
    assert said.endswith("report.md\n")
    assert "Customer/getbyid: as it should be\n" in said
    assert list(tmp_path.glob("*.journal")) == []


def test_every_option_is_explained_on_its_page() -> None:
    page = (ROOT / "docs" / "probe.md").read_text("utf-8")
    known = set(BaseCommand().create_parser("", "")._option_string_actions)
    own = sorted(set(Command().create_parser("", "")._option_string_actions) - known)
    assert len(own) == 14
    assert [name for name in own if name not in page] == []


def test_without_a_folder_the_report_is_printed(
    sadad: Sadad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "# What Sadad's API answered\n" in run("--only", "Common")
    assert list(tmp_path.iterdir()) == []


def test_made_up_customers_may_have_another_number_which_is_told_to_nobody(
    sadad: Sadad, tmp_path: Path
) -> None:
    run(
        "--output", tmp_path, "--only", "Customers", "--mobile", "+96555512345", "--email", "ali@shop.example"
    )
    sent = [call.body for call in sadad.control.log if call.endpoint == "Customer/insert"]
    assert (sent[0]["mobile"], sent[0]["email"]) == ("+96555512345", "ali@shop.example")
    written = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "55512345" not in written
    assert "ali@" not in written


def test_differences_are_exit_code_1(sadad: Sadad, tmp_path: Path) -> None:
    sadad.control.faults.add("Common/getcurrencies", "reply_field", path="*.code", retype="number")
    sadad.control.faults.add("Common/getcurrencies", "reply_field", path="*.code", value=7)
    error = refused("--output", tmp_path, "--only", "Common")
    assert (error.returncode, str(error)) == (1, "1 differences")
    assert json.loads((tmp_path / "report.json").read_text())["same"] is False


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--only", "Cakes"], "no group Cakes"),
        (["--account", "other"], "no account 'other'"),
        (["--output", "{file}"], "FileExistsError"),
        (["--cleanup", "{file}"], "no journal of a probe"),
    ],
)
def test_what_could_not_run_is_exit_code_2(
    sadad: Sadad, tmp_path: Path, arguments: list[str], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("x")
    error = refused(*(part.format(file=tmp_path / "file") for part in arguments))
    assert error.returncode == 2
    assert text in str(error)


@pytest.mark.parametrize("amount", ["0", "0.0001", "a lot", "1000", "NaN"])
def test_an_amount_is_a_small_one(sadad: Sadad, amount: str) -> None:
    assert "is not an amount of KWD" in str(refused("--pay", "--amount", amount))


def test_wrong_keys(sadad: Sadad, tmp_path: Path) -> None:
    sadad.control.settings(client_secret="cs_new")
    error = refused("--output", tmp_path)
    assert error.returncode == 2
    assert "WrongClientKeyOrClientSecret" in str(error)


@pytest.mark.parametrize("said", [[], ["--live"], ["--yes-this-is-live-money"]])
def test_the_live_account_needs_it_said_twice(
    sadad: Sadad, tmp_path: Path, settings: object, said: list[str]
) -> None:
    _make_live(settings)
    error = refused("--output", tmp_path, *said)
    assert error.returncode == 2
    assert "live account" in str(error)
    assert sadad.calls() == []


def test_said_twice_it_runs(sadad: Sadad, tmp_path: Path, settings: object) -> None:
    _make_live(settings)
    run("--output", tmp_path, "--live", "--yes-this-is-live-money", "--only", "Common")
    assert json.loads((tmp_path / "report.json").read_text())["environment"] == "live"


def _make_live(settings: object) -> None:
    now = settings.SADADPAY  # type: ignore[attr-defined]  # pytest-django's
    account = {**now["ACCOUNTS"]["default"], "ENVIRONMENT": "live"}
    settings.SADADPAY = {**now, "ACCOUNTS": {"default": account}}  # type: ignore[attr-defined]  # pytest-django's


_SETTINGS = """
SECRET_KEY = "x"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django_sadadpay"]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}}
SADADPAY = {{"SITE_URL": "https://shop.example", "ACCOUNTS": {{"default": {account!r}}}}}
"""


def _started(sadad: Sadad, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    account = {
        "CLIENT_KEY": sadad.emulator.client_key,
        "CLIENT_SECRET": sadad.emulator.client_secret,
        "ENVIRONMENT": "sandbox",
        "WEBHOOK_SECRET": "secret-of-a-test",
        "API_URL": sadad.emulator.api_url,
    }
    (folder / "probe_settings.py").write_text(_SETTINGS.format(account=account))
    command = ["-m", "django", "sadadpay_probe", "--output", str(folder), *arguments]
    paths = os.pathsep.join([str(ROOT), str(folder)])
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, "DJANGO_SETTINGS_MODULE": "probe_settings"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _until(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    for said in process.stdout:
        if said.startswith(line):
            return
    raise AssertionError(f"it never said {line}")


def _customers(sadad: Sadad) -> int:
    return len(sadad.control.objects("Customer"))


@pytest.mark.parametrize("numbers", [(signal.SIGTERM,), (signal.SIGHUP, signal.SIGINT)])
def test_a_real_process_that_is_told_to_stop_leaves_nothing(
    sadad: Sadad, tmp_path: Path, numbers: tuple[signal.Signals, ...]
) -> None:
    sadad.control.faults.add("Customer/getall", "latency", seconds=20.0)
    with _started(sadad, tmp_path, "--only", "Customers") as process:
        _until(process, "Customer/getall: as it should be")
        assert _customers(sadad) == 2
        for number in numbers:
            process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "stopped: interrupted" in errors
    assert _customers(sadad) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["stopped"] == "interrupted"
    assert list(tmp_path.glob("*.journal")) == []


def test_the_first_signal_stops_and_a_second_one_does_not_stop_the_cleaning() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with _stoppable():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.raise_signal(number)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("arguments", [[], ["--cleanup"]])
def test_stopped_where_nobody_cleans_up_it_names_the_journal(
    sadad: Sadad, tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Cleaner, "clean", interrupted)
    if arguments:
        account = sadad.emulator
        known = Account(account.client_key, account.client_secret, api_url=account.api_url)
        path = tmp_path / "sadadpay-probe-0000test.journal"
        Journal.start(path, head(known, Options(journal=path, run="0000test")))
        arguments = [*arguments, str(path)]
    error = refused("--output", tmp_path, "--only", "Customers", *arguments)
    (journal,) = tmp_path.glob("*.journal")
    assert error.returncode == 2
    assert str(error) == f"stopped; what was made is in {journal}: run it with --cleanup"


def test_stopped_before_anything_was_made_it_says_so(
    sadad: Sadad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("django_sadadpay.probe.run._log_in", interrupted)
    error = refused("--output", tmp_path)
    assert (error.returncode, str(error)) == (2, "stopped before anything was made")


class Gone(StringIO):
    """A terminal that was closed after a few lines."""

    def write(self, text: str) -> int:
        if len(self.getvalue()) > 100:
            raise BrokenPipeError
        return super().write(text)


def test_with_nobody_listening_it_goes_on_and_writes_its_report(sadad: Sadad, tmp_path: Path) -> None:
    call_command("sadadpay_probe", "--output", str(tmp_path), "--only", "Customers", stdout=Gone())
    assert json.loads((tmp_path / "report.json").read_text())["same"] is True
    assert _customers(sadad) == 0


def test_a_process_whose_output_is_closed_ends_as_any_other(sadad: Sadad, tmp_path: Path) -> None:
    with _started(sadad, tmp_path, "--only", "Customers") as process:
        _until(process, "Customer/insert: as it should be")
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        errors = process.stderr.read()
        process.wait(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert (tmp_path / "report.md").exists()
    assert _customers(sadad) == 0


def test_what_a_killed_process_left_is_deleted_with_its_journal(sadad: Sadad, tmp_path: Path) -> None:
    sadad.control.faults.add("Customer/getall", "latency", times=1, seconds=5.0)
    with _started(sadad, tmp_path, "--only", "Customers") as process:
        _until(process, "Customer/getall: as it should be")
        process.kill()
        process.communicate(timeout=30)
    assert _customers(sadad) == 2
    (journal,) = tmp_path.glob("*.journal")

    sadad.control.faults.add("Customer/delete", "refuse", error_key="NotNow")
    error = refused("--cleanup", journal)
    assert error.returncode == 1
    assert "are left; the journal is kept" in str(error)

    sadad.control.faults.clear()
    assert run("--cleanup", journal) == "nothing is left\n"
    assert _customers(sadad) == 0
    assert not journal.exists()
