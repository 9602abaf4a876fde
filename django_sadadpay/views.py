"""What Sadad and buyers meet: webhook, return and checkout. No session is touched (money-flow 6)."""

from __future__ import annotations

import logging
import re
import traceback
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from secrets import compare_digest
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.db import router
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import get_script_prefix
from django.utils import translation
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from django_sadadpay import conf, money, texts
from django_sadadpay.gateway.errors import SadadError
from django_sadadpay.gateway.webhook import WebhookError, WebhookPayload, parse
from django_sadadpay.models import Invoice, InvoiceEvent, WebhookEvent
from django_sadadpay.registry import payables
from django_sadadpay.services import attention, gateway, inbox, links, looking, verify
from django_sadadpay.services.checkout import checkout
from django_sadadpay.services.errors import (
    AlreadyPaid,
    InsideTransaction,
    OutcomePending,
    PaymentError,
    Refused,
    TryAgain,
)
from django_sadadpay.services.ledger import Origin

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger("django_sadadpay")
_BODY_LIMIT = 64 * 1024
#: The return view asks Sadad at most once in this time for an invoice, over all processes.
_LOOK_PAUSE = timedelta(seconds=5)
_RETURN = Origin(InvoiceEvent.Source.RETURN)
#: Anything else is no reference of ours, and some of it no database takes (NUL on PostgreSQL).
_REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,31}")


@method_decorator([csrf_exempt, login_not_required], name="dispatch")
class WebhookView(View):
    """``POST webhook/<account>/<secret>/``. A forged call costs no SQL; a true one is committed first."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Never raises: Django would log the traceback with the path, and mail it to the admins."""
        try:
            response = _answer(request, kwargs["account"], kwargs["secret"])
        except Exception as error:  # noqa: BLE001 - whatever it is, 503 makes Sadad call again
            logger.error("a webhook call failed: %s", _told(error))
            response = HttpResponse(status=503)
        return _unlogged(response)


def _answer(request: HttpRequest, name: str, secret: str) -> HttpResponse:
    account = _account(name, secret)
    if account is None:
        return HttpResponse(status=404)
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    body = _body(request)
    if body is None:
        return HttpResponse(status=413)
    try:
        payload = parse(body)
    except WebhookError:
        return HttpResponse(status=400)
    return _receive(account, payload, body)


def _account(name: str, secret: str) -> conf.Account | None:
    """The account whose webhook secret this is. All are compared, in a time that tells nothing."""
    account = conf.current().accounts.get(name)
    given = secret.rstrip("/ ").encode("utf-8", "replace")
    known = account.webhook_secrets if account is not None else ("",)
    matches = [compare_digest(given, one.encode()) for one in known]
    return account if any(matches) else None


def _body(request: HttpRequest) -> bytes | None:
    """At most 64 KB; None if it is more. A call that breaks off is an empty body, so "not JSON"."""
    try:
        body: bytes = _stream(request).read(_BODY_LIMIT + 1)
    except OSError:
        return b""
    return body if len(body) <= _BODY_LIMIT else None


def _stream(request: HttpRequest) -> Any:
    """Django goes by Content-Length and reads no chunked body; .NET, Sadad's platform, likes to send one.

    ``wsgi.input_terminated`` is the server's word that reading to the end is safe.
    """
    environ = getattr(request, "environ", {})
    chunked = environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH")
    return environ["wsgi.input"] if chunked else request


def _receive(account: conf.Account, payload: WebhookPayload, body: bytes) -> HttpResponse:
    event = inbox.store(account, payload, body.decode("utf-8", "replace"))
    if event is None or event.state == WebhookEvent.State.DEAD:
        return HttpResponse(status=200)
    if conf.current().task_runner == "celery":
        _hand_over(event.pk)
        return HttpResponse(status=200)
    # Inline: settle before answering. The row is committed: if this fails, background work goes on with it.
    return HttpResponse(status=200 if inbox.process(event.pk) else 503)


def _hand_over(event_pk: int) -> None:
    """Wake a worker up. A broker that is down changes nothing: the row is committed, reconcile finds it."""
    try:
        from django_sadadpay import tasks  # Celery is an extra

        tasks.send_event(event_pk)
    except Exception as error:  # noqa: BLE001 - whatever the broker's client raises
        logger.error("webhook event %s waits for reconcile: %s", event_pk, _told(error))


def _told(error: Exception) -> str:
    """Class and place; never the text, which can hold what Sadad or a buyer sent."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {place.name} ({Path(place.filename).name}, line {place.lineno})"


def _unlogged(response: HttpResponse) -> HttpResponse:
    """Django would log and mail the path of a 4xx or 5xx answer: here it holds a secret, or a signed link."""
    vars(response)["_has_been_logged"] = True  # what django.utils.log.log_response looks for
    return response


# Return


@method_decorator([login_not_required, never_cache], name="dispatch")
class ReturnView(View):
    """``GET return/<reference>/``: the buyer is back. The query is ignored; Sadad is asked (contract 4)."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, reference: str) -> HttpResponse:
        invoice = _find(reference)
        if invoice is None:
            return _unlogged(_page(request, Page("unknown", status=404)))
        invoice, sure = _fresh(invoice)
        return _shop_page(invoice) or _invoice_page(request, invoice, sure)


def _find(reference: str) -> Invoice | None:
    if not _REFERENCE.fullmatch(reference):
        return None
    return Invoice.objects.filter(reference=reference).first()


def _fresh(invoice: Invoice) -> tuple[Invoice, bool]:
    """The invoice after a look, if one is worth it and allowed; False: nobody knows what Sadad says now."""
    if invoice.is_paid or invoice.sadad_id is None or gateway.is_parked(invoice):
        return invoice, True
    try:
        if verify.claim_look(invoice, _LOOK_PAUSE):
            return looking.look(invoice, _RETURN, deadline=conf.current().return_view_deadline, tries=1), True
    except (SadadError, PaymentError) as error:
        logger.warning("return view: invoice %s: %s", invoice.pk, type(error).__name__)
        return Invoice.objects.get(pk=invoice.pk), False
    # Somebody asked a moment ago. The buyer may have paid since: that answer is not told as today's.
    return Invoice.objects.get(pk=invoice.pk), False


def _shop_page(invoice: Invoice) -> HttpResponse | None:
    """The shop's own page, if its payable has one; a fault of the shop's leaves the buyer on ours."""
    payable = payables.get(invoice.payable)
    obj = invoice.object
    if payable is None or (obj is None and payable.model is not None):
        return None
    try:
        url = payable.return_url(obj, invoice)
        return HttpResponseRedirect(url) if url else None
    except Exception as error:  # noqa: BLE001 - the shop's code may raise anything; the buyer has paid all the same
        logger.error("return_url of payable %s: %s", payable.name, _told(error))
        return None


def _invoice_page(request: HttpRequest, invoice: Invoice, sure: bool) -> HttpResponse:
    state = _state_of(invoice, sure)
    again = _SELF if state in ("confirming", "waiting") else _again(invoice, request)
    with translation.override(invoice.language):
        return _page(request, Page(state, again=again), invoice)


def _state_of(invoice: Invoice, sure: bool) -> str:
    if invoice.is_paid:
        return "paid"
    if attention.blocking(Invoice.objects.filter(object_key=invoice.object_key, purpose=invoice.purpose)):
        return "waiting"  # a person looks into it: the buyer must not pay once more
    if not sure or invoice.state in (Invoice.State.NEW, Invoice.State.UNKNOWN):
        return "confirming"
    if invoice.state != Invoice.State.OPEN:
        return "ended"
    return _state_of_attempts(invoice)


def _state_of_attempts(invoice: Invoice) -> str:
    """Failure lives on the transactions alone (contract 3.10): all must be known to have failed."""
    statuses = {status.casefold() for status in invoice.attempts.values_list("status", flat=True)}
    if statuses & _SUCCEEDED:
        return "confirming"  # the bank says yes, the invoice not yet
    return "failed" if statuses and statuses <= _FAILED else "not_yet"


#: Words of a transaction (contract 3.3).
_SUCCEEDED, _FAILED = {"success", "true"}, {"failed", "false"}


def _again(invoice: Invoice, request: HttpRequest) -> str:
    """Our checkout link for the same object; empty when it is paid, gone or no longer payable."""
    payable = payables.get(invoice.payable)
    if payable is None or invoice.is_paid:
        return ""
    obj = invoice.object if payable.model is not None else invoice.object_id
    return "" if obj is None else links.checkout_url(obj, request, name=payable.name)


# Checkout


@method_decorator([login_not_required, never_cache], name="dispatch")
class CheckoutView(View):
    """``GET checkout/<signed>/``: makes or reuses the invoice and sends the buyer to Sadad's pay page.

    Idempotent, so that a second tab, a reload or a mail scanner makes no second invoice.
    """

    http_method_names = ["get"]

    def get(self, request: HttpRequest, signed: str) -> HttpResponse:
        if _is_prefetch(request):
            return _unlogged(HttpResponse(status=503))
        try:
            target = links.read_signed(signed)
            invoice = checkout(_object(target), request=request, name=target.name)
        except PaymentError as error:
            return _explain(request, error)
        if invoice.is_paid or not invoice.pay_url:
            return HttpResponseRedirect(links.return_url(invoice.reference, request))
        return HttpResponseRedirect(invoice.pay_url)


def _is_prefetch(request: HttpRequest) -> bool:
    """The browser only guesses that the buyer will click; told 503, it asks again when the click comes."""
    purpose = (request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz"))
    return any("prefetch" in value or "prerender" in value for value in purpose)


def _object(target: links.Target) -> Any:
    payable = payables.get(target.name)
    if payable is None:
        raise Refused("not_payable")
    if payable.model is None:
        return target.object_id
    try:
        # never a replica: what is due may have changed a moment ago
        rows = payable.model._base_manager.using(router.db_for_write(payable.model))
        obj = rows.filter(pk=target.object_id).first()
    except (ValueError, ValidationError):  # the model's key has another type than when the link was signed
        obj = None
    if obj is None:
        raise Refused("object_gone")
    return obj


#: What the buyer is told with, where it is not 409: it cannot be paid as it stands.
_STATUS = {
    "outcome_pending": 202,
    "link_invalid": 404,
    "link_expired": 410,
    "object_gone": 410,
    "inside_transaction": 500,
}


def _explain(request: HttpRequest, error: PaymentError) -> HttpResponse:
    invoice = error.invoice
    if isinstance(error, AlreadyPaid) and invoice is not None:
        return HttpResponseRedirect(links.return_url(invoice.reference, request))
    if error.code not in _STATUS or isinstance(error, InsideTransaction):
        logger.warning("checkout: %s: %s", type(error).__name__, error)
    status = 503 if isinstance(error, TryAgain) else _STATUS.get(error.code, 409)
    again = _SELF if isinstance(error, (OutcomePending, TryAgain)) else ""
    with translation.override(invoice.language if invoice else translation.get_language()):
        response = _page(request, Page(*_sorry(error), status=status, again=again))
    if again:
        response["Retry-After"] = "5"
    return _unlogged(response)


def _sorry(error: PaymentError) -> tuple[str, str]:
    """The page's state, and its sentence where the state's own does not say it."""
    if isinstance(error, OutcomePending):
        return "preparing", ""
    # A developer's fault is not the buyer's business.
    return "sorry", "" if isinstance(error, InsideTransaction) else error.sentence


# Pages


@dataclass(frozen=True)
class Page:
    """What a page says: ``state`` is a row of ``texts.PAGES``, ``again`` where its button leads."""

    state: str
    sentence: str = ""
    status: int = 200
    again: str = ""


#: A link to the page itself, without its query.
_SELF = "?"
#: Seconds until a page asks again by itself, doubled with each time, so that a forgotten tab comes to rest.
_REFRESH = {"confirming": 6, "not_yet": 10, "preparing": 3}
_REFRESHES = 6


def _page(request: HttpRequest, shown: Page, invoice: Invoice | None = None) -> HttpResponse:
    """Render ``sadadpay/page.html`` in the active language."""
    text = texts.PAGES[shown.state]
    context = {
        "state": shown.state,
        "title": text.title,
        "sentence": shown.sentence or text.sentence,
        "again": shown.again,
        "again_label": text.again,
        "home": conf.current().site_url or get_script_prefix(),
        "invoice": invoice,
        "amounts": _amounts(invoice) if invoice else (),
    }
    response = render(request, "sadadpay/page.html", context, status=shown.status)
    response["Content-Language"] = translation.get_language() or "en"
    response["Referrer-Policy"] = "same-origin"  # the address names the invoice
    refresh = _refresh(request, shown.state)
    if refresh:
        response["Refresh"] = refresh
    return response


def _amounts(invoice: Invoice) -> tuple[str, ...]:
    """What is paid, as the shop asked for it and, where that differs, in KWD as Sadad takes it."""
    language = translation.get_language() or "en"
    shop = money.show(invoice.shop_amount, invoice.shop_currency, language)
    if invoice.shop_currency == money.KWD:
        return (shop,)
    return shop, money.show(invoice.amount, money.KWD, language)


def _refresh(request: HttpRequest, state: str) -> str:
    """The Refresh header: no script, and nothing that a strict Content-Security-Policy stops."""
    given = request.GET.get("look", "")
    looks = int(given) if re.fullmatch("[0-9]", given) else 0
    if state not in _REFRESH or looks >= _REFRESHES:
        return ""
    return f"{_REFRESH[state] * 2**looks}; url=?look={looks + 1}"
