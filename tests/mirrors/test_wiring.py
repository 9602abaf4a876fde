"""How mirrors hang together with the project: checks, settings, tasks, databases."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models.signals import post_save

from django_sadadpay import conf, tasks
from django_sadadpay.gateway.tokens import Tokens
from django_sadadpay.models import ProductCategory
from django_sadadpay.registry import mirrors
from django_sadadpay.services import clock, following, mirroring, tokens, waking
from tests.shop.models import Category, Level


class Elsewhere:
    """The catalogue lives in another database."""

    def db_for_write(self, model: Any, **_: Any) -> str | None:
        return "goods" if model is apps.get_model("shop", "Product") else None


def test_a_mirrored_model_of_another_database_is_refused(settings: Any) -> None:
    settings.DATABASE_ROUTERS = [Elsewhere()]
    found = {message.id: message.msg for message in run_checks(tags=["sadadpay"], databases=[])}
    assert list(found) == ["sadadpay.E011"]
    assert "'product' is written to the database 'goods'" in found["sadadpay.E011"]


def test_what_is_saved_in_another_database_is_not_ours(transactional_db: None) -> None:
    found = mirrors.get("category")
    assert found is not None
    following._saved(found, instance=Category(pk=1), using="goods", raw=False)
    following._deleted(found, instance=Category(pk=1), using="goods")
    assert ProductCategory.objects.count() == 0


def test_what_was_registered_before_the_apps_were_ready_is_followed(transactional_db: None) -> None:
    found = mirrors.get("level")
    assert found is not None
    following._follow(found, False)
    assert not _is_followed(Level)
    following.connect()
    assert _is_followed(Level)


def _is_followed(model: Any) -> bool:
    live = post_save._live_receivers(model)  # no public way to ask
    return any(isinstance(one, partial) for group in live for one in group)


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_the_setting_is_true_or_false(settings: Any, value: Any) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "PUSH_ON_SAVE": value}
    with pytest.raises(ImproperlyConfigured, match="PUSH_ON_SAVE must be True or False"):
        conf.current()


def test_with_celery_a_worker_is_woken_after_the_commit_and_once(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[str] = []
    monkeypatch.setattr(tasks, "_send", lambda task, args: woken.append(task.name))
    settings.SADADPAY = {**settings.SADADPAY, "TASK_RUNNER": "celery"}
    with transaction.atomic():
        Category.objects.create(name="Coffee")
        Category.objects.create(name="Tea")
        assert woken == []
    assert woken == ["sadadpay.push"]


def test_other_hooks_of_the_transaction_are_left_alone(transactional_db: None) -> None:
    seen: list[int] = []
    with transaction.atomic():
        transaction.on_commit(lambda: seen.append(1))
        Category.objects.create(name="Coffee")
        transaction.on_commit(lambda: seen.append(2))
        Category.objects.create(name="Tea")
    assert seen == [1, 2]
    waking.connect(waking._runner)


def test_a_name_that_is_not_registered_has_no_row(transactional_db: None) -> None:
    with pytest.raises(LookupError):
        mirroring.row_of(Category(pk=1), name="nobody")
    assert mirroring.row_of(Category(pk=1)) is None


# The token of a run


def test_a_run_reads_its_token_once(transactional_db: None, django_assert_num_queries: Any) -> None:
    account = conf.current().account("default")
    held = tokens.HeldTokenStore(tokens.store_for(account))
    assert held.load() is None
    now = held.now()
    holder = held.acquire(45)
    assert holder is not None
    assert held.save(holder, Tokens("access", "refresh", now, now))
    first = held.load()
    with django_assert_num_queries(0):
        assert held.load() == first
        assert abs((held.now() - now).total_seconds()) < 60
    again = held.acquire(45)
    assert again is not None
    held.release(again)
    assert held.load() == first
    assert abs((clock.now() - held.now()).total_seconds()) < 5
