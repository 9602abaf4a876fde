"""The pages at Sadad on which anybody can pay: their addresses (contract 10: unknown)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from django_sadadpay.gateway import coerce
from django_sadadpay.models import Mirror
from django_sadadpay.services import gateway, plain
from django_sadadpay.services.errors import Refused

#: Kind → folder of its page. Assumed: no evidence has one.
FOLDERS = {
    "paymentlink": "paymentlink",
    "productlink": "productlink",
    "installmentplan": "installmentplan",
    "subscriptionlink": "subscriptionlink",
}
_LONGEST = 500


@dataclass(frozen=True)
class Page:
    """An address for payers.

    :ivar is_assumed: Sadad did not tell it; it is built from the key.
    :ivar qr_url: Sadad's own image of it, if it told one.
    """

    url: str
    is_assumed: bool
    qr_url: str = ""


def page_of(row: Mirror) -> Page | None:
    """Where payers find ``row``; None for kinds without a page, and until its key is known.

    What Sadad tells is used only where it points to the account's own pay host, as for invoices.
    """
    if row.kind not in FOLDERS or row.state == Mirror.State.DELETED:
        return None
    try:
        own = gateway.client_of(row).pay_url
    except Refused:
        return None  # of another environment: its address would be a wrong one
    told = _told(row, "url", own)
    if told:
        return Page(told, is_assumed=False, qr_url=_told(row, "qr", own))
    key = row.sadad_key
    if not (key.isascii() and key.isalnum()):
        return None
    parts = urlsplit(own)
    return Page(f"{parts.scheme}://{parts.netloc}/{FOLDERS[row.kind]}/{key}", is_assumed=True)


def _told(row: Mirror, name: str, own: str) -> str:
    reply = row.reply if isinstance(row.reply, dict) else {}
    found = next((value for key, value in reply.items() if coerce.fold(key) == name), "")
    url = plain.text(found, _LONGEST + 1) if isinstance(found, str) else ""
    try:
        theirs, ours = urlsplit(url), urlsplit(own)
    except ValueError:
        return ""
    same = (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc)
    return url if same and url.isprintable() and len(url) <= _LONGEST else ""
