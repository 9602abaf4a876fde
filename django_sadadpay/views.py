"""The three views that Sadad and buyers meet: webhook, return and checkout. No session is touched (money-flow 6)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from secrets import compare_digest
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpResponse, HttpResponseRedirect, UnreadablePostError
from django.shortcuts import render
from django.utils import translation
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from django_sadadpay import conf
from django_sadadpay.gateway.errors import SadadError
from django_sadadpay.gateway.webhook import WebhookError, WebhookPayload, parse
from django_sadadpay.models import Invoice, InvoiceEvent, WebhookEvent
from django_sadadpay.registry import payables
from django_sadadpay.services import inbox, links, looking, verify
from django_sadadpay.services.checkout import checkout
from django_sadadpay.services.errors import (
    AlreadyPaid,
    NeedsAttention,
    NothingToPay,
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


@method_decorator([csrf_exempt, login_not_required], name="dispatch")
class WebhookView(View):
    """``POST webhook/<account>/<secret>/``. Forged calls cost no SQL; a call is committed before it is answered."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _unlogged(self._answer(request, kwargs["account"], kwargs["secret"]))

    def _answer(self, request: HttpRequest, name: str, secret: str) -> HttpResponse:
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
    """The account whose webhook secret this is. Every stored secret is compared, in a time that tells nothing."""
    account = conf.current().accounts.get(name)
    given = secret.encode("utf-8", "replace")
    known = account.webhook_secrets if account is not None else ("",)
    matches = [compare_digest(given, one.encode()) for one in known]
    return account if any(matches) else None


def _body(request: HttpRequest) -> bytes | None:
    """At most 64 KB; None if it is more. A call that breaks off is an empty body, so "not JSON"."""
    try:
        body: bytes = request.read(_BODY_LIMIT + 1)
    except UnreadablePostError:
        return b""
    return body if len(body) <= _BODY_LIMIT else None


def _receive(account: conf.Account, payload: WebhookPayload, body: bytes) -> HttpResponse:
    try:
        event = inbox.store(account, payload, body.decode("utf-8", "replace"))
    except (DatabaseError, TryAgain) as error:
        logger.error(
            "a webhook call of account %s could not be stored: %s", account.name, type(error).__name__
        )
        return HttpResponse(status=503)
    if event is None or event.state == WebhookEvent.State.DEAD:
        return HttpResponse(status=200)
    if conf.current().task_runner == "celery":
        _hand_over(event.pk)
        return HttpResponse(status=200)
    return HttpResponse(status=200 if _process(event.pk) else 503)


def _hand_over(event_pk: int) -> None:
    """Wake a worker up. A broker that is down never changes the answer: the row is committed, reconcile finds it."""
    from django_sadadpay import tasks  # Celery is an extra

    try:
        tasks.send_event(event_pk)
    except Exception as error:  # whatever the broker's client raises
        logger.error("webhook event %s waits for reconcile: %s", event_pk, type(error).__name__)


def _process(event_pk: int) -> bool:
    """Inline: settle before answering. The row is committed: whatever goes wrong, background work goes on with it."""
    try:
        return inbox.process(event_pk)
    except (DatabaseError, TryAgain) as error:
        logger.error("webhook event %s waits: %s", event_pk, type(error).__name__)
        return False


def _unlogged(response: HttpResponse) -> HttpResponse:
    """Django would log, and mail, the path of a 4xx or 5xx answer; ours holds the webhook's secret."""
    response._has_been_logged = True  # type: ignore[attr-defined]  # django.utils.log.log_response looks for it
    return response


@dataclass(frozen=True)
class Page:
    """What a page says: one of the states below, and whether it asks again by itself."""

    state: str
    refresh: int = 0


@method_decorator([login_not_required, never_cache], name="dispatch")
class ReturnView(View):
    """``GET return/<reference>/``: the buyer is back. What the query says is ignored; Sadad is asked (contract 4)."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, reference: str) -> HttpResponse:
        invoice = Invoice.objects.filter(reference=reference).first()
        if invoice is None:
            return page(request, Page("unknown"), status=404)
        invoice, sure = _fresh(invoice)
        url = _shop_url(invoice)
        if url:
            return HttpResponseRedirect(url)
        with translation.override(invoice.language):
            return page(request, _page_of(invoice, sure), invoice=invoice, again=_again(invoice, request))


def _fresh(invoice: Invoice) -> tuple[Invoice, bool]:
    """The invoice after a look, if one is worth it and allowed now; False when Sadad could not be asked."""
    if invoice.is_paid or invoice.sadad_id is None or not verify.claim_look(invoice, _LOOK_PAUSE):
        return Invoice.objects.get(pk=invoice.pk), True
    try:
        return looking.look(invoice, _RETURN, deadline=conf.current().return_view_deadline, tries=1), True
    except (SadadError, PaymentError) as error:
        logger.warning("return view: invoice %s: %s", invoice.pk, type(error).__name__)
        return Invoice.objects.get(pk=invoice.pk), False


def _page_of(invoice: Invoice, sure: bool) -> Page:
    if invoice.is_paid:
        return Page("paid")
    if not sure or invoice.state in (Invoice.State.NEW, Invoice.State.UNKNOWN):
        return Page("confirming", refresh=6)
    if invoice.state != Invoice.State.OPEN:
        return Page("ended")
    return Page("failed") if invoice.attempts.exists() else Page("not_yet", refresh=15)


def _shop_url(invoice: Invoice) -> str | None:
    payable = payables.get(invoice.payable)
    if payable is None:
        return None
    obj = invoice.object
    return None if obj is None and payable.model is not None else payable.return_url(obj, invoice)


def _again(invoice: Invoice, request: HttpRequest) -> str:
    """Our checkout link for the same object; empty when it is paid, gone or no longer payable."""
    payable = payables.get(invoice.payable)
    if payable is None or invoice.is_paid:
        return ""
    obj = invoice.object if payable.model is not None else invoice.object_id
    return "" if obj is None else links.checkout_url(obj, request, name=payable.name)


@method_decorator([login_not_required, never_cache], name="dispatch")
class CheckoutView(View):
    """``GET checkout/<signed>/``: makes or reuses the invoice and sends the buyer to Sadad's pay page."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, signed: str) -> HttpResponse:
        try:
            target = links.read_signed(signed)
            invoice = checkout(_object(target), request=request, name=target.name)
        except AlreadyPaid as error:
            return _to_return(error)
        except PaymentError as error:
            return _explain(request, error)
        if invoice.is_paid or not invoice.pay_url:
            return HttpResponseRedirect(links.return_url(invoice.reference, request))
        return HttpResponseRedirect(invoice.pay_url)


def _object(target: links.Target) -> Any:
    payable = payables.get(target.name)
    if payable is None:
        raise Refused("not_payable")
    if payable.model is None:
        return target.object_id
    obj = payable.model._base_manager.filter(pk=target.object_id).first()
    if obj is None:
        raise Refused("object_gone")
    return obj


def _to_return(error: PaymentError) -> HttpResponse:
    reference = error.invoice.reference if error.invoice is not None else ""
    return HttpResponseRedirect(links.return_url(reference))


_STATUS = ((OutcomePending, 202), (TryAgain, 503), (NeedsAttention, 409), (NothingToPay, 409))


def _explain(request: HttpRequest, error: PaymentError) -> HttpResponse:
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 400)
    pending = isinstance(error, OutcomePending)
    state = "preparing" if pending else "sorry"
    again = request.get_full_path() if isinstance(error, (OutcomePending, TryAgain)) else ""
    shown = Page(state, refresh=3 if pending else 0)
    return page(request, shown, status=status, sentence=error.sentence, again=again)


def page(request: HttpRequest, shown: Page, *, status: int = 200, **context: Any) -> HttpResponse:
    """Render ``sadadpay/page.html``; it gets ``state``, ``refresh`` and, where there is one, ``invoice``."""
    values = {"state": shown.state, "refresh": shown.refresh, **context}
    response = render(request, "sadadpay/page.html", values, status=status)
    response["Referrer-Policy"] = "same-origin"  # the address names the invoice
    return response
