from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from django_sadadpay.models import Mark
from django_sadadpay.services import transactions
from django_sadadpay.services.errors import InsideTransaction, TryAgain
from tests.core.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """No pause between reruns; how long each would have been."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


def reruns() -> int:
    return sum(Mark.objects.filter(name="lock_reruns").values_list("count", flat=True))


# Outside of any transaction


@pytest.fixture
def second() -> Iterator[str]:
    """Another database of the project; its connection calls itself "default", or TestCase would refuse it."""
    connections.settings["second"] = {**connections.settings["default"]}
    connections["second"] = connection.copy()
    yield "second"
    connections["second"].close()
    del connections["second"]
    del connections.settings["second"]


def test_outside_of_transactions_all_is_well() -> None:
    Mark.objects.count()
    assert transactions.open_transactions() == []
    transactions.ensure_outside()


def test_inside_a_transaction_is_refused() -> None:
    with transaction.atomic():
        assert transactions.open_transactions() == ["default"]
        with pytest.raises(InsideTransaction):
            transactions.ensure_outside()
    transactions.ensure_outside()


def test_a_transaction_on_any_other_connection_is_refused_too(second: str) -> None:
    with transaction.atomic(using=second):
        assert connection.atomic_blocks == []
        with pytest.raises(InsideTransaction):
            transactions.ensure_outside()


def test_autocommit_switched_off_is_a_transaction_that_never_ends() -> None:
    transaction.set_autocommit(False)
    try:
        with pytest.raises(InsideTransaction):
            transactions.ensure_outside()
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)
    transactions.ensure_outside()


def test_a_connection_that_was_never_opened_is_in_no_transaction() -> None:
    connection.close()
    transactions.ensure_outside()


class InATestCase(TestCase):
    """A shop's own tests: the blocks of the test case do not count, its own do."""

    def test_the_test_cases_blocks_do_not_count(self) -> None:
        assert connection.in_atomic_block
        transactions.ensure_outside()
        assert transactions.run(lambda: "done") == "done"
        with transaction.atomic(), pytest.raises(InsideTransaction):
            transactions.ensure_outside()


# Run


def test_a_block_is_committed_and_its_result_handed_back() -> None:
    assert transactions.run(lambda: Mark.objects.create(name="made").name) == "made"
    assert Mark.objects.filter(name="made").exists()


def test_a_block_that_raises_leaves_nothing_behind(pauses: list[float]) -> None:
    def block() -> None:
        Mark.objects.create(name="made")
        raise ValueError("a fault")

    with pytest.raises(ValueError, match="a fault"):
        transactions.run(block)
    assert not Mark.objects.exists()
    assert pauses == []


def test_it_is_durable() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        transactions.run(lambda: None)


class _PostgresError(Exception):
    """As psycopg 3 raises it."""

    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate


class _Psycopg2Error(Exception):
    def __init__(self, pgcode: str | None) -> None:
        self.pgcode = pgcode


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def after(error: Exception, context: Exception) -> Exception:
    error.__context__ = context
    return error


LOCKS: dict[str, Callable[[], Exception]] = {
    "PostgreSQL deadlock": lambda: caused(OperationalError("x"), _PostgresError("40P01")),
    "PostgreSQL serialization": lambda: caused(OperationalError("x"), _PostgresError("40001")),
    "PostgreSQL lock timeout": lambda: caused(OperationalError("x"), _PostgresError("55P03")),
    "psycopg2 deadlock": lambda: caused(OperationalError("x"), _Psycopg2Error("40P01")),
    "on a broken cursor": lambda: caused(InterfaceError("x"), _PostgresError("40P01")),
    "MySQL deadlock": lambda: OperationalError(1213, "Deadlock found"),
    "MySQL lock wait timeout": lambda: OperationalError(1205, "Lock wait timeout exceeded"),
    "MariaDB record has changed": lambda: OperationalError(1020, "Record has changed since last read"),
    "SQLite": lambda: OperationalError("database is locked"),
    "SQLite table": lambda: OperationalError("database table is locked: sadadpay_invoice"),
    "wrapped by the shop": lambda: caused(ValueError("shop"), OperationalError("database is locked")),
    "while handling it": lambda: after(KeyError("shop"), OperationalError(1213, "Deadlock found")),
    "deep down": lambda: after(
        caused(ValueError("a"), KeyError("b")), caused(OperationalError("c"), _PostgresError("40P01"))
    ),
}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_error_of_any_database_runs_the_whole_block_again(name: str, pauses: list[float]) -> None:
    tries: list[int] = []

    def block() -> str:
        tries.append(Mark.objects.filter(name="made").count())
        Mark.objects.create(name="made")
        if len(tries) < 3:
            error = LOCKS[name]()
            raise error
        return "done"

    assert transactions.run(block) == "done"
    assert tries == [0, 0, 0]  # each begins from nothing
    assert reruns() == 2


def test_it_gives_up_after_five_tries_with_growing_pauses(pauses: list[float]) -> None:
    tries: list[int] = []

    def block() -> None:
        tries.append(1)
        raise OperationalError("database is locked")

    with pytest.raises(TryAgain, match="database_busy"):
        transactions.run(block)
    assert len(tries) == 5
    assert reruns() == len(pauses) == 4
    for number, pause in enumerate(pauses, 1):
        assert 0.01 * 2**number <= pause <= 0.05 * 2**number


@pytest.mark.parametrize(
    "error",
    [
        IntegrityError("UNIQUE constraint failed"),
        OperationalError("no such table"),
        OperationalError(1062, "Duplicate entry"),
        OperationalError(),
        OperationalError(None),
        DatabaseError(["odd"]),
        caused(OperationalError("x"), _PostgresError("23505")),
        caused(OperationalError("x"), _PostgresError(None)),
        caused(OperationalError("x"), _Psycopg2Error(None)),
        ValueError("the door is locked"),
    ],
)
def test_any_other_error_is_raised_at_once(error: Exception, pauses: list[float]) -> None:
    tries: list[int] = []

    def block() -> None:
        tries.append(1)
        raise error

    with pytest.raises(type(error)) as raised:
        transactions.run(block)
    assert raised.value is error
    assert len(tries) == 1
    assert reruns() == 0


def test_a_chain_of_errors_that_goes_in_a_circle_ends() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert not transactions.is_lock_error(one)
    other.__context__ = OperationalError("database is locked")
    assert transactions.is_lock_error(one)
    assert not transactions.is_lock_error(None)


def test_a_count_that_cannot_be_kept_is_in_nobodys_way(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(**values: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(Mark.objects, "get_or_create", locked)
    errors = iter([OperationalError("database is locked")])

    def block() -> str:
        for error in errors:
            raise error
        return "done"

    assert transactions.run(block) == "done"
    assert reruns() == 0


# Real locks

_IMPATIENT = {
    "sqlite": "PRAGMA busy_timeout = 20",
    "postgresql": "SET lock_timeout = '20ms'",
    "mysql": "SET SESSION innodb_lock_wait_timeout = 1",
}


@pytest.fixture
def impatient() -> Iterator[None]:
    """This connection waits only a moment for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(_IMPATIENT[connection.vendor])
    yield
    connection.close()


@pytest.mark.races
def test_a_row_that_another_connection_holds_is_waited_for(
    impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = Mark.objects.create(name="row")
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                transactions.lock(Mark, mark.pk)
                held.set()
                assert let_go.wait(30)
        finally:
            held.set()
            connection.close()

    holder = threading.Thread(target=hold)

    def pause(seconds: float) -> None:
        let_go.set()
        holder.join(30)

    monkeypatch.setattr(time, "sleep", pause)
    tries: list[int] = []

    def block() -> Mark:
        tries.append(1)
        return transactions.lock(Mark, mark.pk)

    holder.start()
    try:
        assert held.wait(30)
        assert transactions.run(block) == mark
    finally:
        let_go.set()
        holder.join(30)
    assert len(tries) == 2


@pytest.mark.races
def test_eight_threads_that_read_and_add_lose_nothing() -> None:
    mark = Mark.objects.create(name="counter")

    def add() -> None:
        row = transactions.lock(Mark, mark.pk)
        time.sleep(0.01)
        Mark.objects.filter(pk=row.pk).update(count=row.count + 1)

    race(lambda: transactions.run(add))
    mark.refresh_from_db()
    assert mark.count == 8


# Lock

_FIRST = {"sqlite": "UPDATE", "postgresql": "FOR NO KEY UPDATE", "mysql": "FOR UPDATE"}


def test_the_lock_is_the_first_statement_and_gives_the_row_as_it_is_then() -> None:
    mark = Mark.objects.create(name="row", count=1)
    Mark.objects.update(count=2)
    with transaction.atomic(), CaptureQueriesContext(connection) as seen:
        assert transactions.lock(Mark, mark.pk).count == 2
    statements = [query["sql"] for query in seen if "sadadpay_mark" in query["sql"]]
    assert _FIRST[connection.vendor] in statements[0]


def test_a_row_that_is_gone_is_told_as_such() -> None:
    with transaction.atomic(), pytest.raises(Mark.DoesNotExist):
        transactions.lock(Mark, 0)


class _Rows:
    """A manager that writes down what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def using(self, alias: str) -> _Rows:
        self.asked.append(alias)
        return self

    def select_for_update(self, **options: Any) -> _Rows:
        self.asked.append(options)
        return self

    def get(self, pk: int) -> str:
        self.asked.append(pk)
        return "the row"


@pytest.mark.parametrize(
    ("vendor", "no_key", "asked"),
    [("postgresql", True, {"no_key": True}), ("mysql", False, {"no_key": False})],
)
def test_databases_with_row_locks_are_asked_for_the_weakest_that_will_do(
    vendor: str, no_key: bool, asked: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    features = SimpleNamespace(has_select_for_no_key_update=no_key)
    fake = SimpleNamespace(vendor=vendor, alias="default", features=features)
    monkeypatch.setattr(transactions, "connections", {"default": fake})
    rows = _Rows()
    model: Any = SimpleNamespace(_base_manager=rows)
    assert transactions.lock(model, 7) == "the row"
    assert rows.asked == ["default", asked, 7]
