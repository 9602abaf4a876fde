"""Whatever fails, and whoever reports it: no key, token, phone or e-mail address is shown (DESIGN rule 8)."""

from __future__ import annotations

import ast
import inspect
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import django
import pytest
from django.core import mail
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, OperationalError, connection
from django.test import Client
from django.utils.log import AdminEmailHandler

import django_sadadpay
from django_sadadpay import cancel, checkout, refund, tasks, verify
from django_sadadpay.gateway.errors import SadadError
from django_sadadpay.gateway.hidden import HiddenDict
from django_sadadpay.gateway.transport import Transport
from django_sadadpay.models import Attention, Customer, GatewayToken, Invoice, WebhookEvent
from django_sadadpay.services import gateway, inbox, links, pull, push, reconcile, transactions
from django_sadadpay.services.errors import PaymentError
from django_sadadpay.testing.factories import InvoiceFactory
from django_sadadpay.testing.gateway import Sadad
from tests.security import leaks
from tests.security.conftest import EMAIL, PHONE
from tests.shop.models import Client as Buyer
from tests.shop.models import Order
from tests.views.buying import back, call, make_order, named

pytestmark = pytest.mark.django_db(transaction=True)
Secrets = Callable[[], tuple[str, ...]]
#: Each ends a call in another way; those that only take time are another test's subject.
FAULTS = (
    "error_before",
    "unauthorized_401",
    "rate_limited",
    "refuse",
    "cut_after",
    "unreadable",
)
ENDPOINTS = (
    "User/GenerateRefreshToken",
    "User/GenerateAccessToken",
    "Invoice/insert",
    "Invoice/getbyid",
    "Invoice/getall",
    "Invoice/delete",
    "Refund/insert",
)


class Everything(logging.Handler):
    """Each line that anybody logs, with its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith("django.db"):  # DEBUG's own list of SQL
            self.lines.append(self.format(record))


@pytest.fixture
def logged() -> Any:
    handler, root = Everything(), logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    for name in ("", "django", "django.request", "django_sadadpay", "urllib3"):
        logging.getLogger(name).addHandler(handler)
    yield handler.lines
    root.setLevel(level)
    for name in ("", "django", "django.request", "django_sadadpay", "urllib3"):
        logging.getLogger(name).removeHandler(handler)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that is asked again is asked without a pause."""
    defaults = Transport.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "pause", 0.001)


def told(text: str, secrets: tuple[str, ...]) -> list[str]:
    return [secret for secret in secrets if secret in text]


def held(order: Order, invoice: Invoice) -> list[Callable[[], object]]:
    """All public ways into the services, each meeting the gateway."""
    other = make_order()
    return [
        lambda: checkout(other),
        lambda: verify(invoice),
        lambda: cancel(checkout(other)),
        lambda: refund(invoice, "1", reason="x"),
        reconcile.run,
    ]


def django_sadadpay_account() -> Any:
    from django_sadadpay import conf

    return conf.current().account("default")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_no_failed_call_leaves_anything_in_a_traceback(
    endpoint: str, sadad: Sadad, paid: Invoice, order: Order, secrets: Secrets, logged: list[str]
) -> None:
    """Each endpoint fails in each way under each public function; variables are searched as Sentry does."""
    for fault in FAULTS:
        for way in held(order, paid):
            GatewayToken.objects.update(access_expires_at=paid.created_at)
            sadad.control.faults.add(endpoint, fault)
            error = raised(way)
            if error is not None:
                assert leaks.in_locals(error, secrets()) == [], (fault, type(error).__name__)
                assert told(f"{error} {error!r} {error.args}", secrets()) == []
            sadad.control.faults.clear()
            Attention.objects.all().delete()
    assert told("\n".join(logged), secrets()) == []


def raised(way: Callable[[], object]) -> Exception | None:
    try:
        way()
    except (PaymentError, SadadError, DatabaseError) as error:
        return error
    return None


class Failing:
    """Lets the n-th writing statement fail, and counts them."""

    def __init__(self, number: int) -> None:
        self.number, self.seen = number, 0

    def __call__(self, execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith(("INSERT INTO", "UPDATE")):
            self.seen += 1
            if self.seen == self.number:
                raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, *rest)


@pytest.mark.parametrize("way", ["checkout", "webhook", "refund"])
def test_no_failed_statement_leaves_anything_in_a_traceback(
    way: str, sadad: Sadad, order: Order, secrets: Secrets
) -> None:
    """The database dies at each statement of a sale in turn; the variables of all our frames are searched."""
    number, found = 0, set()
    while True:
        number += 1
        act = prepared(way, sadad)
        failing = Failing(number)
        with connection.execute_wrapper(failing):
            error = raised(act)
        if error is not None:
            found.update(leaks.in_locals(error, secrets()))
        if failing.seen < number:
            break
    assert number > 5
    assert sorted(found) == []


def prepared(way: str, sadad: Sadad) -> Callable[[], object]:
    """A sale up to where ``way`` goes on with it."""
    if way == "checkout":
        return lambda: checkout(make_order())
    invoice = checkout(make_order())
    sadad.pay(invoice)
    if way == "webhook":
        return partial(inbox.process, waiting(invoice).pk)
    return partial(refund, verify(invoice), "1", reason="x")


def test_no_failed_statement_leaves_a_customer_of_the_catalogue_in_a_traceback(
    sadad: Sadad, secrets: Secrets
) -> None:
    """The same while the shop's customers are mirrored, pushed to Sadad and pulled from there."""
    found: set[str] = set()
    for number in range(1, 13):
        values = {"number": f"K-{number}", "name": "Noor", "phone": f"+{PHONE}", "email": EMAIL}
        for way in (
            partial(Buyer.objects.create, **values),
            push.run,
            partial(pull.run, resources=["customers"]),
        ):
            with connection.execute_wrapper(Failing(number)):
                error = raised(way)
            if error is not None:
                found.update(leaks.in_locals(error, secrets()))
        Customer.objects.update(reply_digest="", name="changed")
    assert sorted(found) == []


def waiting(invoice: Invoice) -> WebhookEvent:
    slot = f"default:sandbox:{invoice.sadad_id}"
    return WebhookEvent.objects.create(
        account="default",
        environment="sandbox",
        sadad_id=invoice.sadad_id or "",
        waiting_slot=slot,
        body=EMAIL,
        received_at=invoice.created_at,
        next_try_at=invoice.created_at,
    )


def test_a_refusal_of_our_own_shows_none_of_the_values(sadad: Sadad, secrets: Secrets) -> None:
    client = gateway.client_for(django_sadadpay_account())
    values = {"customer_name": "Noor", "customer_mobile": f"+{PHONE}", "amount": 1.5, "lang": "xx"}
    for ask in (
        lambda: client.invoices.insert(HiddenDict(values)),
        lambda: client.call("Invoice/insert", body=HiddenDict({"x": {"mobile": f"+{PHONE}", "y": 0.1}})),
        lambda: client.call("Customer/getall", query=HiddenDict(mobile=f"+{PHONE}", other=0.1)),
    ):
        with pytest.raises(SadadError) as caught:
            ask()
        assert leaks.in_locals(caught.value, (PHONE,)) == []


def test_what_is_sent_does_not_show_itself() -> None:
    shown = HiddenDict({"customer_Mobile": PHONE})
    assert (repr(shown), f"{[shown]}", shown["customer_Mobile"]) == ("{***}", "[{***}]", PHONE)


def test_a_refused_row_shows_nothing_of_itself(secrets: Secrets, sadad: Sadad) -> None:
    """PostgreSQL's message quotes the row that fails, and Django's frames hold what was sent to it."""
    row = InvoiceFactory.build(amount=-1, customer={"name": "N", "mobile": f"+{PHONE}", "email": EMAIL})
    with pytest.raises(IntegrityError) as caught:
        transactions.run(row.save)
    assert told(leaks.report(caught.value), secrets()) == []
    assert "transactions.py" in leaks.report(caught.value)


def test_the_shop_s_own_line_stays_in_the_traceback_of_a_database_error() -> None:
    """What is taken away is Django's part, where the row's values are; not where it happened."""

    def shop_code() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    with pytest.raises(DatabaseError) as caught:
        transactions.run(shop_code)
    assert [frame.f_code.co_name for frame in leaks.frames(caught.value)][-1] == "shop_code"


# Pages and mails


@pytest.fixture
def mailed(settings: Any) -> Any:
    """Django's mails to the admins with all variables in them."""
    address = "admin@shop.example"
    settings.ADMINS = [address] if django.VERSION >= (6,) else [("Admin", address)]
    handler, logger = AdminEmailHandler(include_html=True), logging.getLogger("django")
    handler.setLevel(logging.ERROR)
    logger.addHandler(handler)
    yield lambda: "\n".join(_text(message) for message in mail.outbox)
    logger.removeHandler(handler)


def _text(message: Any) -> str:
    return "\n".join([message.subject, message.body, *(str(part[0]) for part in message.alternatives)])


def away(execute: Any, sql: str, *rest: Any) -> Any:
    """A database that dies in the middle of a sale."""
    if sql.startswith(("INSERT INTO", "UPDATE")):
        raise OperationalError("server closed the connection unexpectedly")
    return execute(sql, *rest)


@pytest.mark.parametrize("debug", [False, True], ids=["in production", "DEBUG"])
@pytest.mark.parametrize("page", ["checkout", "return", "webhook"])
def test_an_error_page_and_the_mail_about_it_show_nothing(
    page: str, debug: bool, sadad: Sadad, invoice: Invoice, mailed: Any, secrets: Secrets, settings: Any
) -> None:
    settings.DEBUG = debug
    client = Client(raise_request_exception=False)
    link = links.checkout_url(make_order()).removeprefix("https://shop.example")
    visits: dict[str, Callable[[], Any]] = {
        "checkout": lambda: client.get(link),
        "return": lambda: client.get(f"/payments/return/{invoice.reference}/"),
        "webhook": lambda: call(named(invoice), client=client),
    }
    with connection.execute_wrapper(away):
        answer = visits[page]()
    assert answer.status_code in (500, 503)
    assert told(answer.content.decode(), secrets()) == []
    assert told(mailed(), secrets()) == []
    assert (page == "webhook") == (mail.outbox == [])


@pytest.mark.parametrize("page", ["refund", "verify", "cancel"])
def test_an_error_in_the_admin_shows_nothing(
    page: str, sadad: Sadad, paid: Invoice, mailed: Any, secrets: Secrets, boss: Client
) -> None:
    boss.raise_request_exception = False
    data = {"amount": "1", "reason": "x", "key": "k", "confirmed": "1"}
    with connection.execute_wrapper(away):
        answer: Any = boss.post(f"/admin/sadadpay/invoice/{paid.pk}/{page}/", data)
    assert answer.status_code in (302, 500)
    assert told(answer.content.decode() + mailed(), secrets()) == []


def test_what_the_shop_s_code_raises_is_told_by_its_class_alone(
    sadad: Sadad, invoice: Invoice, order: Order, mailed: Any, secrets: Secrets, logged: list[str]
) -> None:
    Order.objects.filter(pk=order.pk).update(behaviour="raise")
    sadad.pay(invoice)
    assert sadad.deliver() == [200]
    back(invoice)
    assert told("\n".join(logged) + mailed(), secrets()) == []
    assert "RuntimeError" in "\n".join(logged)


def test_a_whole_day_of_sales_logs_nothing_that_it_should_not(
    sadad: Sadad, paid: Invoice, secrets: Secrets, logged: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    refund(paid, "1", reason="x")
    back(paid)
    sadad.post(b'{"customerEmail": "noor@example.com"}')
    for command in ("reconcile", "process_inbox", "refresh_tokens", "purge"):
        call_command(f"sadadpay_{command}")
    printed = capsys.readouterr()
    assert told("\n".join(logged) + printed.out + printed.err, secrets()) == []


# Repr, tasks


def test_no_row_shows_a_person_or_a_token(sadad: Sadad, paid: Invoice, secrets: Secrets) -> None:
    from django.apps import apps

    rows = [
        row for model in apps.get_app_config("sadadpay").get_models() for row in model._base_manager.all()
    ]
    assert len(rows) > 5
    assert told("".join(f"{row!r}{row}" for row in rows), secrets()) == []


def test_a_reply_does_not_show_a_person(sadad: Sadad, paid: Invoice, secrets: Secrets) -> None:
    client = gateway.client_for(django_sadadpay_account())
    record = client.invoices.getbyid(paid.sadad_id or "")
    assert record.customer_email == "noor@example.com"
    assert (
        told(f"{record!r} {client!r} {client.tokens!r} {client.transport!r} {client.__dict__!r}", secrets())
        == []
    )


def test_a_task_carries_a_number_or_a_name_of_settings_alone() -> None:
    """Arguments of a task stand in the broker, in its result and in every worker's log."""
    found = {
        name: list(inspect.signature(task.run).parameters.values())
        for name, task in vars(tasks).items()
        if hasattr(task, "apply_async")
    }
    assert len(found) >= 4
    for name, parameters in found.items():
        assert {parameter.name for parameter in parameters} <= {"pk", "account", "resources"}, name


def test_the_webhook_hands_a_number_to_the_worker(
    sadad: Sadad, invoice: Invoice, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    settings.SADADPAY = {**settings.SADADPAY, "TASK_RUNNER": "celery"}
    monkeypatch.setattr(
        tasks.process_event, "apply_async", lambda args, **options: sent.append((args, options))
    )
    assert call({**named(invoice), "customerEmail": "noor@example.com"}).status_code == 200
    ((args, options),) = sent
    assert [type(value) for value in args] == [int]
    assert "noor" not in repr(options)


def test_no_line_of_ours_prints_or_logs_a_whole_object() -> None:
    """Loggers get numbers, class names and codes: never a body, a customer, a record or an error's text."""
    harmless = {"pk", "event_pk", "name", "__name__", "_told", "reference", "code", "payable", "type", "id"}
    folder = Path(django_sadadpay.__file__).parent
    odd = []
    for file in folder.rglob("*.py"):
        if file.relative_to(folder).parts[0] in ("emulator", "testing", "probe"):
            continue
        source = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)) if "logger." in source else ():
            if not (isinstance(node, ast.Call) and ast.unparse(node.func).startswith("logger.")):
                continue
            names = {ast.unparse(argument).split("(")[0].split(".")[-1] for argument in node.args[1:]}
            odd += [f"{file.name}:{node.lineno}: {name}" for name in names - harmless]
    allowed = {"error"}  # views.py: a PaymentError's own code, written by us
    assert [line for line in odd if line.split(": ")[1] not in allowed] == []
