from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
import time_machine
from django.db import connection
from django.utils import timezone as django_timezone

from django_sadadpay.models import Mark
from django_sadadpay.services import clock

pytestmark = pytest.mark.django_db
KUWAIT = timezone(timedelta(hours=3))


def sql_now() -> datetime:
    Mark.objects.get_or_create(name="any")
    moment: datetime = Mark.objects.annotate(moment=clock.sql_now()).values_list("moment", flat=True)[0]
    return moment


def test_the_time_is_the_databases_and_in_utc() -> None:
    real = datetime.now(UTC)
    with time_machine.travel(real + timedelta(days=400)):
        now = clock.now()
    assert now.tzinfo is UTC
    assert abs(now - real) < timedelta(minutes=5)  # same machine; the test may be slow


def test_it_does_not_depend_on_the_active_time_zone() -> None:
    with django_timezone.override("Pacific/Kiritimati"):
        assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=5)


def test_time_goes_on() -> None:
    moments = [clock.now() for _ in range(5)]
    assert moments == sorted(moments)


def test_one_statement_tells_the_time(django_assert_num_queries: Callable[[int], object]) -> None:
    with django_assert_num_queries(1):  # type: ignore[attr-defined]  # a context manager
        clock.now()


def test_inside_a_statement_it_is_the_same_clock(sadad_clock: Callable[[float], None]) -> None:
    assert abs(sql_now() - clock.now()) < timedelta(minutes=5)
    sadad_clock(86400)
    assert abs(sql_now() - clock.now()) < timedelta(minutes=5)


def test_mariadb_is_asked_for_utc_whatever_its_session_says() -> None:
    compiler = Mark.objects.all().query.get_compiler("default")
    sql, params = clock.UtcNow().as_mysql(compiler, connection)
    assert (sql, list(params)) == ("UTC_TIMESTAMP(6)", [])


def test_tests_move_it_and_put_it_right_again() -> None:
    before = clock.now()
    clock.shift(3600)
    clock.shift(3600)
    try:
        moved = clock.now() - before
    finally:
        clock.shift_reset()
    assert timedelta(hours=2) <= moved < timedelta(hours=2, minutes=5)
    assert clock.now() - before < timedelta(minutes=5)


@pytest.mark.parametrize(
    "value",
    [
        "2026-04-01 09:00:00.123",
        datetime(2026, 4, 1, 9, 0, 0, 123000),  # noqa: DTZ001 - as MariaDB gives it
        datetime(2026, 4, 1, 9, 0, 0, 123000, tzinfo=UTC),
        datetime(2026, 4, 1, 12, 0, 0, 123000, tzinfo=KUWAIT),
    ],
)
def test_however_a_database_tells_the_time_it_is_aware_utc(value: datetime | str) -> None:
    moment = clock._aware(value)
    assert moment == datetime(2026, 4, 1, 9, 0, 0, 123000, tzinfo=UTC)
    assert moment.utcoffset() == timedelta(0)
