"""The emulator as a program: start, stop, kill, start again; many callers at once; every documented path."""

from __future__ import annotations

import csv
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from django_sadadpay.emulator import Emulator, __main__, api
from django_sadadpay.emulator.routes import ROUTES
from tests.emulator.conftest import Merchant, wait_until

if TYPE_CHECKING:
    from tests.emulator.conftest import Receiver

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_package_loads_without_django() -> None:
    code = "import sys, django_sadadpay.emulator; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_package_reads_nothing_of_ours() -> None:
    """It must be able to disagree with our client: it may not import it."""
    for file in (ROOT / "django_sadadpay" / "emulator").rglob("*.py"):
        for line in file.read_text("utf-8").splitlines():
            words = line.split()
            if words[:1] in (["from"], ["import"]) and words[1].startswith("django_sadadpay"):
                assert words[1].startswith("django_sadadpay.emulator"), f"{file.name}: {line}"


def test_missing_werkzeug_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    forget(monkeypatch)
    monkeypatch.setitem(sys.modules, "werkzeug.serving", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'django-sadadpay\[emulator\]'"):
        importlib.import_module("django_sadadpay.emulator")


def test_other_missing_modules_are_not_blamed_on_werkzeug(monkeypatch: pytest.MonkeyPatch) -> None:
    forget(monkeypatch)
    monkeypatch.setitem(sys.modules, "django_sadadpay.emulator.state", None)
    with pytest.raises(ModuleNotFoundError, match=r"emulator\.state"):
        importlib.import_module("django_sadadpay.emulator")


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("django_sadadpay.emulator")]:
        monkeypatch.delitem(sys.modules, name)


def test_stop_and_start_keep_port_and_world() -> None:
    emulator = Emulator(deliver="manual")
    with emulator:
        merchant = Merchant(emulator)
        number, port = merchant.insert(), emulator.port
    with pytest.raises(requests.ConnectionError):
        merchant.read(number)
    emulator.stop()
    with emulator:
        assert emulator.port == port
        assert merchant.read(number)["status"] == "Unpaid"


def test_running_emulator_is_not_started_twice(emulator: Emulator) -> None:
    with pytest.raises(RuntimeError):
        emulator.start()


def test_taken_port_is_an_os_error(emulator: Emulator) -> None:
    with pytest.raises(OSError, match="in use"):
        Emulator(port=emulator.port).start()


def test_unknown_way_of_delivery_is_refused() -> None:
    with pytest.raises(ValueError, match="thread or manual"):
        Emulator(deliver="pigeon")  # type: ignore[arg-type]  # the mistake is the point


def test_server_that_listens_everywhere_names_the_machine_itself() -> None:
    assert Emulator(host="0.0.0.0", port=80).api_url == "http://127.0.0.1:80/api"


def test_stop_does_not_wait_for_a_slow_call(merchant: Merchant) -> None:
    merchant.emulator.control.faults.add("Invoice/getall", "latency", times=1, seconds=600)
    with ThreadPoolExecutor() as pool:
        call = pool.submit(merchant.send, "GET", "Invoice/getall", timeout=5)
        wait_until(lambda: merchant.emulator.world.faults.list() == [])
        merchant.emulator.stop()
        assert call.exception(timeout=5) is None or isinstance(call.exception(), requests.RequestException)


def test_client_that_goes_away_first_disturbs_nobody(merchant: Merchant) -> None:
    merchant.emulator.control.faults.add("Invoice/getall", "latency", times=1, seconds=0.3)
    merchant.emulator.control.faults.add("Invoice/getall", "cut_after", times=1)
    with pytest.raises(requests.Timeout):
        merchant.send("GET", "Invoice/getall", timeout=0.05)

    wait_until(lambda: merchant.emulator.control.log[-1].endpoint == "Invoice/getall")
    assert merchant.insert()


def test_connection_that_is_closed_already_needs_no_cut() -> None:
    connection = socket.socket()
    connection.close()
    api.cut_connection(connection)
    assert connection.fileno() == -1


def test_many_callers_get_different_invoices(merchant: Merchant) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: merchant.insert(), range(40)))
    assert len(set(numbers)) == 40


def test_racing_buyers_pay_once_and_racing_refunds_stop_at_what_was_paid(merchant: Merchant) -> None:
    number = merchant.insert(amount="10")
    url = merchant.read(number)["url"]
    form = {"method": "knet", "outcome": "success"}

    def pay(_: int) -> int:
        return requests.post(url, data=form, allow_redirects=False, timeout=10).status_code

    def refund(_: int) -> Any:
        return merchant.refund(number, "3")["errorKey"]

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(pay, range(6))) == [302, 409, 409, 409, 409, 409]
        assert (
            sorted(map(str, pool.map(refund, range(6)))) == ["None"] * 3 + ["RefundAmountExceedBalance"] * 3
        )
    assert merchant.read(number)["refunded_Amount"] == 9


def test_same_seed_gives_the_same_keys_and_never_the_same_tokens() -> None:
    def run(seed: int) -> tuple[str, str]:
        with Emulator(seed=seed, deliver="manual") as emulator:
            return emulator.control.create(1)["key"], Merchant(emulator).token

    assert run(1)[0] == run(1)[0] != run(2)[0]
    assert run(1)[1] != run(1)[1]


def test_state_file_brings_back_the_whole_world(tmp_path: Path, receiver: Receiver) -> None:
    file = tmp_path / "world.json"
    with Emulator(deliver="manual", state_file=file, webhook_url=receiver.url, seed=3) as emulator:
        merchant = Merchant(emulator)
        line = {"name": "x", "quantity": 1, "amount": "12.5"}
        number = merchant.insert(items=[line])
        emulator.control.fail(number)
        emulator.control.pay(number)
        emulator.control.settings(refund_delay=50)
        merchant.refund(number, "1")
        emulator.control.set_rate("USD", 0.4)
        emulator.control.advance(20)
        emulator.control.balance = 5
        emulator.world.webhooks[0].sending = True  # as if it was killed while sending
        emulator.control.advance(0)
        before, port = emulator.control.invoice(number), emulator.port

    assert file.stat().st_mode & 0o777 == 0o600
    with Emulator(port, receiver.url, file, deliver="manual") as again:
        merchant.emulator = again
        assert merchant.read(number) == before
        assert merchant.insert() == number + 1
        assert again.control.deliver_webhooks() == 1
        assert (again.control.balance, again.world.currencies["USD"].rate) == (Decimal(5), 0.4)
        again.control.advance(40)
        assert merchant.read(number)["refunded_Amount"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["world.json"]


class Program:
    """The command in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "django_sadadpay.emulator", *arguments]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        self.lines = [self.process.stdout.readline() for _ in range(3)]

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=10)
        return self.process.returncode


def test_killed_program_goes_on_where_it_was(tmp_path: Path) -> None:
    port = free_port()
    options = ("--port", str(port), "--state", str(tmp_path / "world.json"), "--key", "k", "--secret", "s")
    first = Program(*options)
    merchant = Merchant(Emulator(port=port, client_key="k", client_secret="s"))
    number = merchant.insert()
    first.end(signal.SIGKILL)

    second = Program(*options)
    try:
        assert f"http://127.0.0.1:{port}/api" in "".join(second.lines)
        assert merchant.read(number)["status"] == "Unpaid"
    finally:
        assert second.end(signal.SIGTERM) == 0


def test_command_runs_until_it_is_told_to_stop(capsys: pytest.CaptureFixture[str]) -> None:
    stop, port = threading.Event(), free_port()
    stop.set()
    assert __main__.main(["--port", str(port), "--webhook-interval", "1"], stop) == 0
    assert f"http://127.0.0.1:{port}/pay" in capsys.readouterr().out


def test_command_ends_on_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: dict[int, Any] = {}
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    monkeypatch.setattr(Emulator, "start", lambda self: handlers[signal.SIGINT]())
    assert __main__.main(["--port", str(free_port())]) == 0
    assert set(handlers) == {signal.SIGINT, signal.SIGTERM}


def test_command_says_when_the_port_is_taken(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["--port", str(emulator.port)], threading.Event()) == 1
    assert "cannot listen" in capsys.readouterr().err


def test_help_says_that_much_is_assumed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        __main__.main(["--help"])
    assert "assumed" in capsys.readouterr().out


def documented() -> set[tuple[str, str]]:
    with (Path(__file__).parent / "data" / "endpoints.tsv").open(encoding="utf-8") as file:
        return {(row["verb"], row["path"]) for row in csv.DictReader(file, delimiter="\t")}


def test_every_documented_path_is_known_and_no_other() -> None:
    ours = {(route.verb, f"/api{route.path}") for route in ROUTES}
    assert ours == documented() | {("GET", "/api/Common/getcurrencies")}


def test_unknown_path_is_404_and_wrong_verb_405(merchant: Merchant) -> None:
    assert merchant.send("GET", "Invoice/nothing").status_code == 404
    reply = merchant.send("POST", "Invoice/getbyid")
    assert (reply.status_code, reply.headers["Allow"]) == (405, "GET")


def test_error_of_the_server_itself_is_logged(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    emulator.api.log = None  # type: ignore[assignment]  # breaks the handler on purpose
    assert requests.get(f"{emulator.base_url}/", timeout=5).status_code == 500
    emulator.stop()
    wait_until(lambda: "Error on request" in caplog.text)


def test_what_is_no_http_is_logged_and_answered_with_400(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection(("127.0.0.1", emulator.port), timeout=5) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        assert b"400" in connection.recv(1000)
    wait_until(lambda: "Bad request syntax" in caplog.text)


def test_state_file_is_json(tmp_path: Path) -> None:
    emulator = Emulator(state_file=tmp_path / "world.json")
    emulator.control.create(1)
    assert json.loads((tmp_path / "world.json").read_text("utf-8"))["invoices"][0]["fils"] == 1000
