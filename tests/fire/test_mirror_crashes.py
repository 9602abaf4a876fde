"""A process that pushes is killed (SIGKILL) at each of push's points; the next push finds everything."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings as django_settings

from django_sadadpay import mirror
from django_sadadpay.models import Attention
from django_sadadpay.services import cases, clock, pull, push
from django_sadadpay.services.points import POINTS
from django_sadadpay.testing.gateway import Sadad
from tests.fire.nursery import Nursery
from tests.mirrors.sides import differences
from tests.shop.models import Category, Choice, Client, Level, Membership, Product

pytestmark = [pytest.mark.fire, pytest.mark.django_db(transaction=True)]
PUSHING = [label for label in POINTS if label.startswith("push.")]
#: Longer than a dead process's claim.
_PAST_LEASE = 185


@dataclass
class Scene:
    """The shop before a process dies."""

    sadad: Sadad
    processes: Nursery
    staff: Any
    shift: float = 0

    def advance(self, seconds: float) -> None:
        """Both sides' clocks."""
        self.shift += seconds
        clock.shift(seconds)
        self.sadad.control.advance(seconds)

    def run(self, job: str, point: str = "", skip: int = 0) -> int:
        """How the process ended."""
        order = {"job": job, "pk": 0, "point": point, "skip": skip, "shift": self.shift}
        return self.processes.run({**order, "sadadpay": django_settings.SADADPAY})[0]

    def inserted(self) -> Counter[str]:
        """Inserts that acted, by kind."""
        return Counter(
            call.endpoint.partition("/")[0]
            for call in self.sadad.control.log
            if call.endpoint.endswith("/insert") and call.done
        )


# What is due when the process starts. Each says how many inserts of which kind may act in all.


def a_category(scene: Scene) -> dict[str, int]:
    """Found by its name."""
    Category.objects.create(name="Coffee")
    return {"ProductCategory": 1}


def a_customer(scene: Scene) -> dict[str, int]:
    """Found by our reference."""
    Client.objects.create(number="K-7", name="Noor", phone="+96550000001")
    return {"Customer": 1}


def some_customers(scene: Scene) -> dict[str, int]:
    """Claimed in groups: those not begun are looked for too."""
    for number in range(6):
        Client.objects.create(number=f"K-{number}", name="Noor")
    return {"Customer": 6}


def a_level(scene: Scene) -> dict[str, int]:
    """Nothing tells it from another: a person has to look."""
    Level.objects.create(name="Gold", fee=Decimal(3))
    return {"SubscriptionTemplate": 1}


def a_page(scene: Scene) -> dict[str, int]:
    """With a field that only an update takes, and nothing to find it by."""
    _goods()
    push.run()
    _choice()
    return {"ProductCategory": 1, "Product": 2, "ProductLink": 1}


def a_whole_shop(scene: Scene) -> dict[str, int]:
    """Parents and children at once: nothing is sent below a category that is not known yet."""
    _goods()
    level = Level.objects.create(name="Gold", fee=Decimal(3))
    Membership.objects.create(level=level, client=Client.objects.create(number="K-7", name="Noor"))
    _choice()
    return {
        "ProductCategory": 1,
        "Product": 2,
        "ProductLink": 1,
        "SubscriptionTemplate": 1,
        "Customer": 1,
        "Subscription": 1,
    }


def edits(scene: Scene) -> dict[str, int]:
    _goods()
    push.run()
    for product in Product.objects.all():
        product.price += 1
        product.save()
    return {"ProductCategory": 1, "Product": 2}


def deletes(scene: Scene) -> dict[str, int]:
    _goods()
    push.run()
    Category.objects.get().delete()
    return {"ProductCategory": 1, "Product": 2}


def deletes_and_makes_anew(scene: Scene) -> dict[str, int]:
    a_category(scene)
    push.run()
    pk = Category.objects.get().pk
    Category.objects.get().delete()
    Category.objects.create(pk=pk, name="Tea")
    Category.objects.create(name="Cocoa")
    return {"ProductCategory": 2}


def _goods() -> None:
    coffee = Category.objects.create(name="Coffee")
    for name in ("Beans", "Cups"):
        Product.objects.create(category=coffee, name=name, price=Decimal("1.250"))


def _choice() -> None:
    choice = Choice.objects.create(title="Pick")
    choice.products.set(Product.objects.all())
    mirror([choice])


STAGES: tuple[Callable[[Scene], dict[str, int]], ...] = (
    a_category,
    a_customer,
    some_customers,
    a_level,
    a_page,
    a_whole_shop,
    edits,
    deletes,
    deletes_and_makes_anew,
)


@pytest.fixture
def scene(sadad: Sadad, processes: Nursery, sadad_clock: Any, admin_user: Any) -> Scene:
    return Scene(sadad, processes, admin_user)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
@pytest.mark.parametrize("point", PUSHING)
def test_the_next_push_makes_up_for_a_killed_one(
    scene: Scene, point: str, stage: Callable[[Scene], dict[str, int]]
) -> None:
    most = stage(scene)
    assert scene.run("pushes", point) == -signal.SIGKILL, f"{stage.__name__} does not come by {point}"
    _made_up_for(scene, most)


@pytest.mark.parametrize("skip", [1, 2, 4])
@pytest.mark.parametrize("point", PUSHING)
def test_it_may_die_in_the_middle_of_its_run(scene: Scene, point: str, skip: int) -> None:
    most = a_whole_shop(scene)
    assert scene.run("pushes", point, skip) == -signal.SIGKILL
    _made_up_for(scene, most)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
@pytest.mark.parametrize("point", PUSHING)
def test_a_pull_in_between_changes_nothing(
    scene: Scene, point: str, stage: Callable[[Scene], dict[str, int]]
) -> None:
    """It lists what the dead process inserted, before anybody knows whose that is."""
    most = stage(scene)
    assert scene.run("pushes", point) == -signal.SIGKILL
    pull.run()
    _made_up_for(scene, most)
    pull.run()
    assert differences(scene.sadad.emulator, cases=True) == []


@pytest.mark.parametrize("point", PUSHING)
def test_a_second_process_dies_where_the_first_did(scene: Scene, point: str) -> None:
    most = a_whole_shop(scene)
    for _ in range(4):
        assert scene.run("pushes", point) in (-signal.SIGKILL, 0)
        scene.advance(_PAST_LEASE)
    _made_up_for(scene, most)


def _made_up_for(scene: Scene, most: dict[str, int]) -> None:
    """One push after the lease; then a person tells what nobody else can."""
    scene.advance(_PAST_LEASE)
    push.run()
    for _ in range(6):  # a person's word lets children go on
        if not _a_person_looks(scene):
            break
        push.run()
    assert differences(scene.sadad.emulator) == []
    assert scene.inserted() == most


def _a_person_looks(scene: Scene) -> int:
    """Into the panel, and tells which object it is, or that there is none."""
    waiting = list(Attention.objects.filter(resolved_at=None))
    for case in waiting:
        row = case.mirror
        assert row is not None
        assert case.code == "mirror_unknown"
        held = set(type(row)._base_manager.exclude(sadad_id=None).values_list("sadad_id", flat=True))
        folder = {"subscriptiontemplate": "SubscriptionTemplate", "productlink": "ProductLink"}[row.kind]
        free = [str(one["id"]) for one in scene.sadad.control.objects(folder) if str(one["id"]) not in held]
        if free:
            cases.act(case, "adopt", by=scene.staff, note=free[0])
        else:
            cases.act(case, "send_again", by=scene.staff)
    return len(waiting)
