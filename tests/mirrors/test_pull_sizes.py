"""Lists of many thousand objects: how many statements, how much memory, and what a kill leaves behind."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.mirrored import Customers, installed
from django_sadadpay.models import Customer, Mark
from django_sadadpay.services import pull
from django_sadadpay.services.pull import BATCH, Counted
from django_sadadpay.services.vanishing import Seen

pytestmark = pytest.mark.django_db(transaction=True)
AROUND = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


@pytest.fixture
def sadad() -> Iterator[Customers]:
    """2,500 customers: two whole parts and a half."""
    customers = Customers(2 * BATCH + 500)
    with installed(customers):
        yield customers


def run(**options: Any) -> Counted:
    (counted,) = pull.run(resources=["customers"], **options).lists
    return counted


def statements(**options: Any) -> tuple[Counted, list[str]]:
    with CaptureQueriesContext(connection) as seen:
        counted = run(**options)
    return counted, [q["sql"] for q in seen.captured_queries if not q["sql"].startswith(AROUND)]


def test_new_objects_take_less_than_a_twentieth_of_a_statement_each(sadad: Customers) -> None:
    run(dry_run=True)  # what is done once for a process: the token
    counted, sql = statements()
    assert counted.counts == {"new": sadad.count}
    assert len(sql) / sadad.count <= 0.05


def test_unchanged_objects_take_one_look_a_part_and_write_nothing(sadad: Customers) -> None:
    run()
    before = list(Customer.objects.order_by("pk").values())
    counted, sql = statements()
    assert counted.counts == {"unchanged": sadad.count}
    about = [text for text in sql if '"sadadpay_customer"' in text]
    assert all(text.startswith("SELECT") for text in about)
    # three parts, and three looks for rows that the list left out
    assert len(about) == 6
    assert list(Customer.objects.order_by("pk").values()) == before


def test_changed_objects_take_less_than_a_twentieth_of_a_statement_each(sadad: Customers) -> None:
    run()
    sadad.word = " renamed"
    counted, sql = statements()
    assert counted.counts == {"changed": sadad.count}
    assert len(sql) / sadad.count <= 0.05
    assert Customer.objects.filter(name__endswith=" renamed").count() == sadad.count


class Killed(BaseException):
    """As SIGKILL: nothing of ours catches it."""


def test_a_run_that_was_killed_goes_on_where_it_was(
    sadad: Customers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(progress: pull.Progress) -> None:
        if progress.done == 2 * BATCH:
            raise Killed

    with pytest.raises(Killed):
        run(on_progress=kill)
    assert Customer.objects.count() == 2 * BATCH
    asked: list[int] = []
    page = sadad.page

    def note(skip: int) -> bytes:
        asked.append(skip)
        return page(skip)

    monkeypatch.setattr(sadad, "page", note)
    counted = run()
    assert asked[0] == counted.began_at == BATCH  # the part in hand is taken again
    assert counted.counts == {"unchanged": BATCH, "new": 500}
    assert Customer.objects.count() == sadad.count
    assert (run().began_at, run().counts) == (0, {"unchanged": sadad.count})


def test_a_run_that_went_on_does_not_say_what_is_gone(sadad: Customers) -> None:
    run()
    Mark.objects.filter(name="pull:default:sandbox:customers").update(detail={"skip": BATCH})
    counted = run()
    assert (counted.whole, counted.counts) == (False, {"unchanged": BATCH + 500})


def test_a_place_of_yesterday_is_forgotten(sadad: Customers, sadad_clock: Any) -> None:
    run()
    Mark.objects.filter(name="pull:default:sandbox:customers").update(detail={"skip": BATCH})
    sadad_clock(25 * 3600)
    assert run().began_at == 0


def test_where_paging_is_ignored_the_whole_list_is_taken_in_parts(
    sadad: Customers, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks import mirrored

    monkeypatch.setattr(mirrored, "TAKE", sadad.count)
    parts: list[int] = []
    counted = run(on_progress=lambda progress: parts.append(progress.done))
    assert counted.counts == {"new": sadad.count}
    assert parts[:3] == [BATCH, 2 * BATCH, sadad.count]
    assert run().counts == {"unchanged": sadad.count}


def test_progress_is_told_with_the_total_after_each_part(sadad: Customers) -> None:
    told: list[tuple[str, int, int | None]] = []
    run(on_progress=lambda progress: told.append((progress.resource, progress.done, progress.total)))
    assert told == [("customers", done, sadad.count) for done in (BATCH, 2 * BATCH, sadad.count, sadad.count)]


def test_memory_does_not_grow_with_the_list(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unchanged rows of a list five times as long: nothing of them is kept but a bit each."""
    monkeypatch.setattr(pull, "BATCH", 100)
    peaks = []
    for count in (200, 1000):
        with installed(Customers(count, kept=False)):
            run()
            run()  # caches
            gc.collect()
            tracemalloc.start()
            run()
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.2


def test_a_million_rows_are_remembered_in_a_few_kilobytes() -> None:
    seen = Seen()
    seen.add(range(1_000_000, 2_000_000))
    assert 1_234_567 in seen
    assert 2_000_000 not in seen
    assert sum(len(page) for page in seen._pages.values()) < 150_000
