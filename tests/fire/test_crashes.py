"""A process is killed (SIGKILL) at each labelled point; the next one finds everything, and loses nothing."""

from __future__ import annotations

import ast
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

import django_sadadpay
from django_sadadpay import AlreadyPaid, checkout, verify
from django_sadadpay.emulator import Refusal
from django_sadadpay.models import Invoice
from django_sadadpay.services import clock, reconcile
from django_sadadpay.services.points import POINTS
from django_sadadpay.testing.gateway import Sadad
from tests.fire.books import Books
from tests.fire.nursery import Nursery
from tests.services.conftest import fresh, make_order
from tests.shop.models import Order

pytestmark = [pytest.mark.fire, pytest.mark.django_db(transaction=True)]
#: Longer than any due time of a row that still moves, and than the look for an unknown refund.
_PAST_ALL = 80 * 3600
#: A dead process is given up after two minutes.
_GIVEN_UP = 130
#: Those of a push stand in ``test_mirror_crashes``: no buyer and no money is near them.
PAYING = [label for label in POINTS if not label.startswith("push.")]


@dataclass
class Scene:
    """The stage on which a process dies: what happened before, and at which job it is."""

    sadad: Sadad
    processes: Nursery
    order: Order
    shift: float = 0

    def advance(self, seconds: float) -> None:
        """Both sides' clocks."""
        self.shift += seconds
        clock.shift(seconds)
        self.sadad.control.advance(seconds)

    def run(self, job: str, pk: int, point: str) -> int:
        """How the process ended."""
        order = {"job": job, "pk": pk, "point": point, "shift": self.shift}
        return self.processes.run({**order, "sadadpay": django_settings.SADADPAY})[0]

    def paid(self, *, told: bool) -> Invoice:
        invoice = checkout(self.order)
        self.sadad.pay(invoice)
        return verify(invoice) if told else invoice


def orders(scene: Scene) -> tuple[str, int]:
    return "checks_out", scene.order.pk


def loses_the_answer(scene: Scene) -> tuple[str, int]:
    scene.sadad.control.faults.add("Invoice/insert", "cut_after", times=1)
    scene.sadad.control.faults.add("Invoice/getall", "error_before")
    return orders(scene)


def changes_the_basket(scene: Scene) -> tuple[str, int]:
    checkout(scene.order)
    scene.order.lines.update(name="Tea")
    return orders(scene)


def pays(scene: Scene) -> tuple[str, int]:
    return "webhook", scene.paid(told=False).pk


def pays_the_older(scene: Scene) -> tuple[str, int]:
    """Sadad refused to delete the first invoice: it is paid while the second is open."""
    first = checkout(scene.order)
    scene.order.lines.update(name="Tea")
    scene.sadad.control.faults.add("Invoice/delete", "refuse", times=1, error_key="InvoiceCannotBeDeleted")
    checkout(scene.order)
    scene.sadad.pay(first)
    return "verifies", first.pk


def refunds(scene: Scene) -> tuple[str, int]:
    return "refunds", scene.paid(told=True).pk


def died_while_refunding(scene: Scene) -> tuple[str, int]:
    job, pk = refunds(scene)
    assert scene.run(job, pk, "refund.claimed") == -signal.SIGKILL
    scene.advance(_GIVEN_UP)
    return "reconciles", 0


def missed_the_webhook(scene: Scene) -> tuple[str, int]:
    scene.paid(told=False)
    scene.advance(3600)
    return "reconciles", 0


def forgot_it(scene: Scene) -> tuple[str, int]:
    checkout(scene.order)
    scene.advance(5 * 86400)
    return "reconciles", 0


#: Where a process comes by the points of a kind; a label of its own first.
STAGES: dict[str, Callable[[Scene], tuple[str, int]]] = {
    "insert.lost": loses_the_answer,
    "insert.unknown": loses_the_answer,
    "insert": orders,
    "token": orders,
    "delete": changes_the_basket,
    "settle.withdrawn": pays_the_older,
    "settle": pays,
    "inbox": pays,
    "refund.abandoned": died_while_refunding,
    "refund": refunds,
    "reconcile.expiring": forgot_it,
    "reconcile": missed_the_webhook,
}


@pytest.fixture
def scene(sadad: Sadad, processes: Nursery, sadad_clock: Any) -> Scene:
    return Scene(sadad, processes, make_order())


@pytest.mark.parametrize("point", PAYING)
def test_what_a_killed_process_left_is_finished_by_reconcile(scene: Scene, point: str) -> None:
    books = _dies_at(scene, point)
    _settle_down(scene, books)
    _pays_in_the_end(scene, books)


@pytest.mark.parametrize("point", PAYING)
def test_a_buyer_can_go_on_after_a_killed_process(scene: Scene, point: str) -> None:
    books = _dies_at(scene, point)
    scene.advance(_GIVEN_UP)
    _pays_in_the_end(scene, books)
    _settle_down(scene, books)
    assert fresh(scene.order).paid_calls == 1


def _dies_at(scene: Scene, point: str) -> Books:
    stage = STAGES.get(point) or STAGES[point.split(".", maxsplit=1)[0]]
    job, pk = stage(scene)
    assert scene.run(job, pk, point) == -signal.SIGKILL, f"{job} does not come by {point}"
    scene.sadad.control.faults.clear()
    books = Books(scene.sadad.emulator.world)
    books.check(scene.sadad.control.log)
    return books


def _settle_down(scene: Scene, books: Books) -> None:
    for _ in range(3):
        scene.advance(_PAST_ALL)
        reconcile.run()
    books.check_ended(scene.sadad.control.log)


def _pays_in_the_end(scene: Scene, books: Books) -> None:
    """The order is paid once, whether the buyer had paid before or has to now."""
    with suppress(AlreadyPaid):
        invoice = checkout(scene.order)
        with suppress(Refusal):  # the page says that it was paid before
            scene.sadad.pay(invoice)
        verify(invoice)
    books.check(scene.sadad.control.log)
    assert fresh(scene.order).paid_calls == 1
    paid = [row for row in scene.sadad.control.invoices() if row["status"] != "Unpaid" and not row["deleted"]]
    assert len(paid) == 1, "the buyer paid twice"


def test_every_point_of_the_code_is_listed_and_killed_at() -> None:
    found = [label for path in _sources() for label in _labels(path)]
    assert sorted(found) == sorted(POINTS)


def _sources() -> list[Path]:
    return sorted(Path(django_sadadpay.__file__).parent.rglob("*.py"))


def _labels(path: Path) -> list[str]:
    """The labels of the calls ``point("…")`` in a file; any other argument is an error."""
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    names = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "point"]
    assert all(len(call.args) == 1 and isinstance(call.args[0], ast.Constant) for call in names), path
    return [str(ast.literal_eval(call.args[0])) for call in names]
