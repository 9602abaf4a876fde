"""Django's signals of the models that are mirrored: connected when a mirror is registered, now or later."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.signals import post_delete, post_save

from django_sadadpay.registry import Mirrored, mirrors
from django_sadadpay.services import mirroring, transactions


def connect() -> None:
    """Follow what is registered, now and later (``AppConfig.ready``: all models are loaded)."""
    mirrors.listener = _follow
    for mirrored in mirrors:
        _follow(mirrored, True)


def _follow(mirrored: Mirrored[Any], come: bool) -> None:
    """Proxies and children of a model are senders of their own. A receiver for all models would make every
    delete of the project slow.
    """
    for model in apps.get_models(include_auto_created=True):
        if issubclass(model, mirrored.model):
            for signal, receiver in ((post_save, _saved), (post_delete, _deleted)):
                uid = f"sadadpay.mirror.{mirrored.name}"
                if come:
                    signal.connect(partial(receiver, mirrored), model, weak=False, dispatch_uid=uid)
                else:
                    signal.disconnect(sender=model, dispatch_uid=uid)


def _saved(mirrored: Mirrored[Any], *, instance: models.Model, using: str, raw: bool, **_: Any) -> None:
    """Fixtures (``raw``) are loaded in any order: what they need may not be there yet."""
    if not raw and using == transactions.alias():
        mirroring.mark(mirrored, instance)


def _deleted(mirrored: Mirrored[Any], *, instance: models.Model, using: str, **_: Any) -> None:
    if using == transactions.alias():
        mirroring.forget(mirrored, instance.pk)
