"""The pages of instalment plans and subscription links: what is to be paid and when, and on to the pay page.

Sadad's addresses of these pages are not known: ``/installmentplan/{key}`` and ``/subscriptionlink/{key}``
are ours. What a payer enters travels in the body of the form only.
"""

from __future__ import annotations

from datetime import date
from html import escape
from typing import TYPE_CHECKING

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from django_sadadpay.emulator import layout, objects, plans, subscription_links, wire
from django_sadadpay.emulator import subscription_templates as templates
from django_sadadpay.emulator.protocol import Refusal
from django_sadadpay.emulator.recurrence import kuwait_date
from django_sadadpay.emulator.recurring_texts import RECURRING_TEXTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_sadadpay.emulator.entities import Stored
    from django_sadadpay.emulator.objects import Values
    from django_sadadpay.emulator.state import World


def _open(world: World, kind: str, key: str) -> Stored | None:
    try:
        return objects.for_payer(world, kind, key)
    except Refusal:
        return None


def _language(request: Request, row: Stored | None) -> str:
    """``?lang=``, else the plan's own, else Arabic; of what is not there English."""
    own = row.values.get("lang", "ar") if row else "en"
    return layout.language(request.args.get("lang") or own)


def _message(language: str, text: str, status: int) -> Response:
    return layout.message(language, text, status, more=RECURRING_TEXTS)


def _day(day: date) -> str:
    return f'<bdi><time datetime="{day}">{day:%Y-%m-%d}</time></bdi>'


# Instalment plans


def installment_plan(world: World, request: Request, key: str) -> Response:
    """``/installmentplan/{key}``: GET shows the schedule, POST goes on to the named instalment's pay page."""
    with world.transaction():
        plan = _open(world, plans.KIND, key)
        language = _language(request, plan)
        if plan is None:
            return _message(language, "no_plan", 404)
        if request.method == "POST":
            return _bill(world, plan, request.form.get("installment", ""), language)
        return _plan_page(world, plan, language)


def _bill(world: World, plan: Stored, number: str, language: str) -> Response:
    """The form names the instalment, so that a page left open never pays another than it showed."""
    is_number = number.isascii() and number.isdigit() and len(number) < 20
    try:
        part = plans.find_part(plan, int(number) if is_number else 0)
    except Refusal:
        return _message(language, "not_part", 404)
    try:
        invoice = plans.bill(world, plan, part)
    except Refusal as refusal:
        return _message(language, refusal.error_key, 409)
    return redirect(wire.pay_url(world, invoice), 303)


def _plan_page(world: World, plan: Stored, language: str) -> Response:
    texts = layout.frame(language, RECURRING_TEXTS)
    parts = plan.values["installments"]
    paid = sum(part["amount"] for part in parts if plans.is_paid(world, part))
    values = {
        "code": escape(plan.code),
        "reference": escape(plan.values["ref_Number"]),
        "schedule": layout.rows(_part_row(world, plan, part, texts) for part in parts),
        "paid": layout.money(paid, language),
        "remaining": layout.money(plan.values["amount"] - paid, language),
        "next": _next(world, plan, texts),
    }
    return layout.render("plan.html", {**texts, **values})


def _part_row(world: World, plan: Stored, part: Values, texts: Mapping[str, str]) -> tuple[str, ...]:
    fees = plans.late_fees(world, plan, part)
    added = f"<br><small>+ {layout.money(fees, texts['lang'])} {texts['fees_word']}</small>" if fees else ""
    return (
        str(part["number"]),
        _day(kuwait_date(part["dueDate"])),
        texts["Paid" if plans.is_paid(world, part) else "Unpaid"],
        layout.money(part["amount"], texts["lang"]) + added,
    )


def _next(world: World, plan: Stored, texts: Mapping[str, str]) -> str:
    """The button for the first unpaid instalment, or the sentence that says why there is none."""
    part = plans.next_part(world, plan)
    if part is None:
        return f'<p class="sentence" id="message">{texts["all_paid"]}</p>'
    if not plans.is_due(world, plan, part):
        return f'<p class="sentence" id="message">{texts["DueDateNotComeYet"]}</p>'
    return (
        f'<form method="post" action="?lang={texts["lang"]}" id="next">'
        f'<input type="hidden" name="installment" value="{part["id"]}">'
        f'<div class="buttons"><button class="go" id="continue">{texts["next_word"]}</button></div></form>'
    )


# Subscription links


def subscription_link(world: World, request: Request, key: str) -> Response:
    """``/subscriptionlink/{key}``: GET shows the form, POST subscribes and goes on to the first invoice."""
    with world.transaction():
        link = _open(world, subscription_links.KIND, key)
        language = _language(request, link)
        if link is None:
            return _message(language, "no_link", 404)
        if request.method != "POST":
            return _link_page(world, link, language, {})
        return _subscribe(world, link, request.form, language)


def _subscribe(world: World, link: Stored, form: Mapping[str, str], language: str) -> Response:
    person = (form.get("customerName", ""), form.get("customerMobile", ""))
    try:
        invoice = subscription_links.subscribe(world, link, *person, language)
    except Refusal as refusal:
        return _link_page(world, link, language, form, refusal.error_key)
    if invoice is None:
        return _message(language, "subscribed", 200)
    return redirect(wire.pay_url(world, invoice), 303)


def _link_page(
    world: World, link: Stored, language: str, entered: Mapping[str, str], error_key: str = ""
) -> Response:
    texts = layout.frame(language, RECURRING_TEXTS)
    template = subscription_links.template_of(world, link)
    rhythm = templates.rhythm(template.values, kuwait_date(world.now()))
    about = [f"{texts['first_word']} {_day(rhythm.first)}"]
    about += [f"{texts['last_word']} {_day(rhythm.end)}"] if rhythm.end else []
    values = {
        "heading_text": escape((link.values["nameAr"] if language == "ar" else "") or link.values["nameEn"]),
        "about": " · ".join(about),
        "rhythm": texts[rhythm.word] + (f" × {rhythm.every}" if rhythm.every > 1 else ""),
        "amount": layout.money(template.values["amount"], language),
        "error": _error(error_key, texts),
        "name": escape(entered.get("customerName", "")),
        "mobile": escape(entered.get("customerMobile", "")),
        "terms": _terms(link, texts),
    }
    return layout.render("subscription.html", {**texts, **values}, 400 if error_key else 200)


def _error(error_key: str, texts: Mapping[str, str]) -> str:
    if not error_key:
        return ""
    return f'<p class="notice" role="alert" id="error" data-key="{error_key}">{texts[error_key]}</p>'


def _terms(link: Stored, texts: Mapping[str, str]) -> str:
    if not link.values["termsConditionEnabled"]:
        return ""
    return (
        f'<p id="terms">{escape(link.values["termsCondition"])}</p>'
        f'<label class="choice"><input type="checkbox" id="agree" required> {texts["terms_word"]}</label>'
    )
