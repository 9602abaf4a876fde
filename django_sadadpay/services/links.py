"""Absolute addresses of our own views, and the signed checkout link that calls nobody (money-flow 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from django.core import signing
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse

from django_sadadpay import conf
from django_sadadpay.registry import DraftError, payables
from django_sadadpay.services.errors import Refused

if TYPE_CHECKING:
    from django.http import HttpRequest

_SALT = "django_sadadpay.checkout"
#: A link in an old mail or tab must not start a payment for ever (money-flow 9).
GOOD_FOR = 24 * 3600


@dataclass(frozen=True)
class Target:
    """What a checkout link names: a registered payable's object."""

    name: str
    object_id: str


def checkout_url(obj: Any, request: HttpRequest | None = None, *, name: str = "") -> str:
    """A signed link to our checkout view, good for 24 hours, for anonymous buyers too.

    Calls nobody and works inside a transaction; the view makes or reuses the invoice when it is opened.

    :param obj: an instance of a registered model; for a payable without a model its key, with ``name``.
    :param request: gives scheme and host when ``SITE_URL`` is not set.
    :raises DraftError: an object that is not saved yet has nothing that a link could name.
    """
    payable = payables.get(name) if name else payables.for_object(obj)
    if payable is None:
        raise ImproperlyConfigured(f"no payable is registered as {name!r}")
    if payable.model is not None and obj.pk is None:
        raise DraftError("pk", "the object must be saved first")
    object_id = str(obj.pk) if payable.model is not None else str(obj)
    signed = signing.dumps([payable.name, object_id], salt=_SALT)
    return absolute(reverse("sadadpay:checkout", args=[signed]), request)


def read_signed(signed: str) -> Target:
    """:raises Refused: ``link_expired`` or ``link_invalid``."""
    try:
        name, object_id = signing.loads(signed, salt=_SALT, max_age=GOOD_FOR)
    except signing.SignatureExpired:
        raise Refused("link_expired") from None
    except (signing.BadSignature, ValueError, TypeError):
        raise Refused("link_invalid") from None
    return Target(str(name), str(object_id))


def return_url(reference: str, request: HttpRequest | None = None) -> str:
    """Where Sadad sends the buyer back, after success and failure alike."""
    return absolute(reverse("sadadpay:return", args=[reference]), request)


def absolute(path: str, request: HttpRequest | None = None) -> str:
    """``path`` on ``SITE_URL``, or on the request's validated host.

    :raises ImproperlyConfigured: neither is there.
    """
    site = conf.current().site_url
    if site:
        return urljoin(site + "/", path)
    if request is None:
        raise ImproperlyConfigured(
            'set SADADPAY["SITE_URL"], or pass the request: Sadad needs an absolute address'
        )
    return request.build_absolute_uri(path)
