"""How a value looks: money, state badges, masks, links. What comes from outside is escaped here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _

from django_sadadpay import money as kwd

NOTHING = "–"
MASK = "••••••••"

#: Colours of the badges in admin.css.
_GOOD = frozenset({"paid", "done", "synced"})
_BAD = frozenset({"refused", "unknown", "lost", "dead", "did_not_happen", "failed"})
_BUSY = frozenset({"new", "superseding", "requested", "sending", "waiting", "working", "pending"})


def title(model: type[models.Model], name: str) -> str:
    """A column's title; the name alone of one that this version does not have."""
    try:
        return str(getattr(model._meta.get_field(name), "verbose_name", name))
    except FieldDoesNotExist:
        return name


def plain_money(amount: Decimal | None, currency: str = kwd.KWD) -> str:
    return NOTHING if amount is None else kwd.show(amount, currency, get_language() or "en")


def money(amount: Decimal | None, currency: str = kwd.KWD) -> SafeString:
    return format_html('<bdi class="sadadpay-money">{}</bdi>', plain_money(amount, currency))


def moment(value: datetime | None) -> str:
    return NOTHING if value is None else date_format(timezone.localtime(value), "DATETIME_FORMAT")


def short(value: datetime) -> str:
    """For a column of a list."""
    return date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT")


def isolated(text: str) -> str:
    """A value in an Arabic sentence keeps its own direction: a link would turn the rest around."""
    return f"\u2068{text}\u2069" if get_language_bidi() else text


def badge(state: str, label: Any) -> SafeString:
    colour = next((name for name, states in _COLOURS if state in states), "quiet")
    return format_html('<span class="sadadpay-badge sadadpay-{}">{}</span>', colour, label)


_COLOURS = (("good", _GOOD), ("bad", _BAD), ("busy", _BUSY))


def warning(label: Any) -> SafeString:
    return format_html('<span class="sadadpay-badge sadadpay-bad">{}</span>', label)


def code(value: Any) -> SafeString | str:
    """Ids, links and references: written from left to right in Arabic too."""
    return format_html('<bdi dir="ltr" class="sadadpay-code">{}</bdi>', value) if value else NOTHING


def link(url: str, label: Any) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, label)


def copyable(value: str) -> SafeString | str:
    """The pay link with a button that copies it; admin.js shows the button."""
    if not value:
        return NOTHING
    return format_html(
        '<span class="sadadpay-copy"><input type="text" readonly dir="ltr" value="{}" aria-label="{}">'
        '<button type="button" class="button" data-sadadpay-copy data-copied="{}" hidden>{}</button></span>',
        value,
        _("Pay link"),
        _("Copied"),
        _("Copy"),
    )


def data(value: Any) -> SafeString | str:
    """A raw reply, readable."""
    if value is None:
        return NOTHING
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return format_html('<pre class="sadadpay-raw" dir="ltr">{}</pre>', text) if text else NOTHING


def bullets(lines: Iterable[Any]) -> SafeString | str:
    items = format_html_join("", "<li>{}</li>", ((line,) for line in lines))
    return format_html('<ul class="sadadpay-list">{}</ul>', items) if items else ""


def personal(value: Any, may_see: bool) -> SafeString | str:
    """A phone or e-mail. The mask has always the same length, so that it tells nothing."""
    if not value:
        return NOTHING
    return code(value) if may_see else MASK


def buttons(tools: Iterable[Mapping[str, Any]]) -> SafeString:
    """Links that look like buttons; each leads to a page that asks before it does anything."""
    return format_html_join(
        " ",
        '<a class="button sadadpay-tool" href="{}">{}</a>',
        ((tool["url"], tool["label"]) for tool in tools),
    )
