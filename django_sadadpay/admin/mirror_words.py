"""The admin's words for mirrored objects: titles of fields, Sadad's words, what is wrong with a value."""

from __future__ import annotations

import re
from typing import Any

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from django_sadadpay import texts
from django_sadadpay.models import Mirror

Words = dict[str, "str | Promise"]

#: Fields of the drafts, by our names.
FIELDS: Words = {
    "account": _("account"),
    "account_holder_name": _("account holder"),
    "account_number": _("account number"),
    "amount": _("amount (KWD)"),
    "attachments": _("attachments"),
    "auto_close_after": _("closed by itself after (missed bills)"),
    "auto_renew": _("renewed by itself"),
    "balloon_amount": _("last instalment (KWD)"),
    "bank_id": _("bank's number"),
    "bill_no": _("billed every … periods"),
    "bill_period": _("billed"),
    "can_be_suspended": _("may be suspended"),
    "cancel_fees": _("fee for cancelling (KWD)"),
    "category": _("category"),
    "closed_by_customer": _("the customer may close it"),
    "comment": _("comment"),
    "currency": _("currency"),
    "customer": _("customer"),
    "customer_email": _("customer's e-mail"),
    "customer_mobile": _("customer's phone"),
    "customer_name": _("customer's name"),
    "desc_ar": _("Arabic description"),
    "desc_en": _("English description"),
    "down_amount": _("down payment (KWD)"),
    "due_date": _("due"),
    "duration_no": _("number of periods"),
    "duration_period": _("lasts"),
    "email": _("e-mail"),
    "free_trial_no": _("free periods"),
    "free_trial_period": _("free trial"),
    "free_trial_position": _("when it is free"),
    "grace_period": _("days of grace"),
    "iban": _("IBAN"),
    "inactive": _("inactive"),
    "installment_count": _("number of instalments"),
    "installments": _("instalments"),
    "is_flexible": _("instalments may be paid early"),
    "is_internal": _("internal"),
    "is_open_amount": _("the payer chooses the amount"),
    "lang": _("language"),
    "late_fees_type": _("late fees"),
    "late_fees_value": _("late fee (KWD or %)"),
    "max_amount": _("highest amount (KWD)"),
    "max_suspend_cycle": _("suspended for at most (periods)"),
    "min_amount": _("lowest amount (KWD)"),
    "mirror": _("the shop's own data"),
    "mobile": _("phone"),
    "name": _("name"),
    "name_ar": _("Arabic name"),
    "name_en": _("English name"),
    "other": _("other"),
    "pay_per": _("how often it is paid"),
    "price": _("price (KWD)"),
    "products": _("products"),
    "quantity": _("in stock"),
    "ref_number": _("reference"),
    "reference": _("reference"),
    "sort": _("place in lists"),
    "start_date": _("begins"),
    "status": _("Sadad's status"),
    "stockable": _("counted in stock"),
    "stockable_show": _("stock is shown"),
    "suspend_fees": _("fee for suspending (KWD)"),
    "template": _("template"),
    "terms_condition": _("terms"),
    "terms_condition_enabled": _("terms are shown"),
    "title": _("title"),
}

HELP: Words = {
    "bill_no": _("1 bills every period, 2 every second one."),
    "duration_no": _("0 is without end."),
    "free_trial_position": _("Sadad's own word; leave it empty if you do not know it."),
    "installments": _("Only if paid by hand: a line for each, date and amount. They must add up."),
    "mobile": _("With the country's code: +965 …"),
    "customer_mobile": _("With the country's code: +965 …"),
    "customer": _("A customer at Sadad, or a name and phone below."),
    "reference": _("Your own number. It is sent with a random ending, by which it is found again."),
    "is_open_amount": _("Then the amount may stay empty."),
    "products": _("In the order in which they are chosen."),
    "late_fees_value": _("KWD for a fixed fee, else percent."),
}

_RECURRENCE: Words = {
    "Daily": _("daily"),
    "Weekly": _("weekly"),
    "Monthly": _("monthly"),
    "Quarterly": _("every three months"),
    "Yearly": _("yearly"),
}
#: Sadad's words by field; all of them are assumed (contract 10), and others are shown as they are.
CHOICES: dict[str, Words] = {
    "bill_period": _RECURRENCE,
    "duration_period": _RECURRENCE,
    "free_trial_period": _RECURRENCE,
    "pay_per": {**_RECURRENCE, "Manual": _("by hand, as listed below")},
    "late_fees_type": {
        "NoLateFees": _("none"),
        "FixedPerDay": _("fixed for each day"),
        "FixedPerMonth": _("fixed for each month"),
        "PercentagePerMonth": _("percent for each month"),
    },
    "status": {
        "Active": pgettext_lazy("subscription", "active"),
        "Suspended": pgettext_lazy("subscription", "suspended"),
        "Closed": pgettext_lazy("subscription", "closed"),
        "Completed": pgettext_lazy("subscription", "completed"),
        "New": pgettext_lazy("plan", "new"),
        "PartiallyCompleted": pgettext_lazy("plan", "partly paid"),
        "Upcoming": pgettext_lazy("period", "to come"),
        "Unpaid": pgettext_lazy("period", "unpaid"),
        "Paid": pgettext_lazy("period", "paid"),
        "Missed": pgettext_lazy("period", "missed"),
    },
    "lang": {"en": "English", "ar": "العربية"},
}
#: Those that staff can want of a subscription.
STATUSES = ("Active", "Suspended", "Closed")

#: ``DraftError.problem`` in words.
PROBLEMS: Words = {
    "is missing": _("This is missing."),
    "must be above zero": _("It must be above zero."),
    "must not be negative": _("It must not be negative."),
    "is too large": _("It is too large."),
    "is not a number": _("This is not a number."),
    "has more than three decimal places": _("At most three decimal places: 1 KWD is 1000 fils."),
    "must be a whole number": _("It must be a whole number."),
    "must be text": _("It must be text."),
    "must be True or False": _("It must be yes or no."),
    "must be one of en, ar": _("It must be English or Arabic."),
    "must be a currency's three letters": _("Write the currency's three letters, such as KWD."),
    "must be a date, or yyyy-MM-dd": _("Write a date as yyyy-mm-dd."),
    "is no date of the calendar": _("The calendar has no such date."),
    "must be a list of objects": _("This list cannot be read."),
    "must be a Decimal, a whole number or such a text": _("This is not a number."),
    "holds a character that cannot be sent": _("It holds a character that cannot be sent."),
    "is not mirrored": _("It is not kept at Sadad."),
    "is kept by another account": _("It is kept by another account."),
    "is below the lowest amount": _("It is below the lowest amount."),
    "are only for plans that are paid by hand": _("They are only for a plan that is paid by hand."),
    "do not add up": _("They do not add up to the plan's amount."),
}
_LONGER = re.compile(r"is longer than (\d+) characters")

#: (state, is wanted) → badge. What is to go says so.
_STATES: dict[tuple[str, bool], str | Promise] = {
    (Mirror.State.PENDING, False): _("to be deleted"),
    (Mirror.State.FAILED, True): _("not sent"),
    (Mirror.State.FAILED, False): _("not deleted"),
}


def title(name: str) -> Any:
    """A form field's label, lazy."""
    known: Any = FIELDS[name]
    return capfirst(known)


def field(name: str) -> str:
    """A field's title; ``installments[0].amount`` too."""
    known = FIELDS.get(re.split(r"[\[.]", name)[0])
    return name if known is None else str(known)


def word(name: str, value: str) -> str:
    """One of Sadad's words; unknown ones pass through."""
    return str(CHOICES.get(name, {}).get(value, value))


def problem(text: str) -> str:
    """What is wrong with a value."""
    longer = _LONGER.fullmatch(text)
    if longer:
        return _now("It has more than %(most)s characters.") % {"most": longer[1]}
    return str(PROBLEMS.get(text, text))


def state(row: Mirror) -> str:
    """The badge's words."""
    return str(_STATES.get((row.state, row.is_wanted)) or row.get_state_display())


def error(row: Mirror) -> str:
    """Why the last push did not work, as a sentence; empty when it did."""
    if not row.error:
        return ""
    params: dict[str, Any] = row.error_params if isinstance(row.error_params, dict) else {}
    name, what = str(params.get("field", "")), str(params.get("problem", ""))
    if row.error == "bad_mirror" and name:
        return f"{field(name)}: {problem(what)}"
    return texts.error_sentence(row.error, name)
