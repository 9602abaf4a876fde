"""Pages that would drift if they were written by hand. ``python -m docs.generate`` writes them; a test holds them fresh."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django_sadadpay.gateway.endpoints import Endpoint
    from django_sadadpay.gateway.fields import Field

FOLDER = Path(__file__).resolve().parent / "generated"
_NOTE = "<!-- Written by docs/generate.py: change that, then run python -m docs.generate -->\n"

#: What a member of staff does about a case, by its code.
ADVICE = {
    "mismatch": "Compare both sides in Sadad's panel. If Sadad was corrected, ask Sadad again; else mark it as dealt with "
    "and settle it with the buyer.",
    "id_conflict": "Two invoices at Sadad carry one reference. See in the panel which of them holds money; refund there what "
    "is too much, then mark it as dealt with.",
    "paid_twice": "Refund one of the two payments. The order was told of the first only.",
    "amount_changed": "Count the payment for the order all the same, or refund it.",
    "paid_after_cancel": "Count the payment for the order all the same, or refund it.",
    "refund_seen_first": "Somebody refunded in the panel before we saw the payment. Look at the order; count the payment "
    "for it only if it is to be delivered.",
    "cannot_fulfil": "Refund it; or mend the reason (new stock, say) and try again.",
    "hook_failed": "Tell a developer: `Payable.paid()` raised. It is called again by itself, later and later, at most a "
    "day apart.",
    "object_gone": "Somebody deleted the order. Refund the payment, or restore the order and try again.",
    "not_registered": "Tell a developer: the payable's name was changed or its app was taken out.",
    "refund_hook_failed": "Tell a developer: `Payable.refunded()` raised. The money was given back; it is called again by "
    "itself.",
    "end_hook_failed": "Tell a developer: `Payable.expired()` or `cancelled()` raised. It is **not** called again: mend the "
    "order by hand.",
    "unknown_status": "Look at the invoice in the panel. If the word is new, tell us: nothing is decided on a word that we "
    "do not know.",
    "invoice_not_found": "Are the keys those of the right account and environment? Else it was removed at Sadad.",
    "facts_fell": "Look in the panel. The stored payment stays until a person decides otherwise.",
    "fact_refused": "Look in the panel what was refunded. While Sadad's word and figure differ, no refund is offered.",
    "pay_url_host": "Sadad's pay page may have moved: check it, and set `PAY_URL` if so. Else somebody may be tampering.",
    "refund_unknown": "Look in the panel's list of refunds and say whether it happened. Until then its amount stays "
    "reserved, and it is never sent again.",
    "refund_refused": "A refund that waited was refused when background work sent it. Top up the balance or give a smaller "
    "amount, and refund again.",
    "event_names_nothing": "Harmless once. If there are many, somebody knows the webhook's address: change the secret.",
    "event_without_row": "The payment was made for another database (a restored backup, a second installation). Find out "
    "where its order is.",
    "event_unknown_id": "Usually the webhook of another account or environment points here. Check the panel's address.",
    "cancel_refused": "It can still be paid. Cancel it in the panel, or leave it to expire.",
    "keys_refused": "Copy both keys again from the panel. No payment can be taken until then. Closes by itself once Sadad "
    "accepts them.",
    "access_denied": "The account may not use this part of the API, or is under review. Ask Sadad's support.",
}

_MARKS = {
    "doc": "documented",
    "vendor": "vendor's code",
    "observed": "observed",
    "assumed": "**assumed**",
}


def attention() -> str:
    """The table of cases: texts and rules come from the code."""
    from django_sadadpay import texts
    from django_sadadpay.models.attention import RULES

    lines = [
        "| Reason | What staff read | Buttons | New checkout | What to do |",
        "| --- | --- | --- | --- | --- |",
    ]
    for code, rule in RULES.items():
        buttons = ", ".join(_labels(rule.actions))
        waits = "waits" if rule.blocks else "goes on"
        cells = (f"`{code}`", _words(texts.ATTENTION[code]), buttons, waits, ADVICE[str(code)])
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _labels(actions: tuple[str, ...]) -> Iterator[str]:
    from django_sadadpay import texts

    for action in actions:
        for name in ("happened", "did_not_happen") if action == "decide" else (action,):
            yield f"*{texts.ACTIONS[name]}*"


def _words(text: object) -> str:
    return re.sub(r"%\((\w+)\)s", r"‹\1›", str(text))


def errors() -> str:
    """Our codes and Sadad's error keys with the sentences that people read."""
    from django_sadadpay import texts

    parts = []
    for title, table in (("Our codes", texts.ERRORS), ("Sadad's error keys", texts.ERROR_KEYS)):
        rows = [f"| `{code}` | {_words(text)} |" for code, text in table.items()]
        parts += [f"## {title}\n", "| Code | Sentence |", "| --- | --- |", *rows, ""]
    return "\n".join(parts)


def evidence() -> str:
    """All endpoints, and the fields of those that are used, each with its mark."""
    from django_sadadpay.gateway.endpoints import ENDPOINTS

    groups: dict[str, list[Endpoint]] = {}
    for row in ENDPOINTS.values():
        groups.setdefault(row.group, []).append(row)
    parts = ["## Endpoints\n"]
    for group, rows in groups.items():
        parts += [f"### {group}\n", "| Endpoint | Verb | Credential | Path and verb | Fields |"]
        parts += ["| --- | --- | --- | --- | --- |", *(_endpoint(row) for row in rows), ""]
    used = (row for row in ENDPOINTS.values() if len(row.fields) > 1 or row.reply)
    parts += ["## Fields\n", *(line for row in used for line in _fields(row)), *_webhook()]
    return "\n".join(parts)


def _endpoint(row: Endpoint) -> str:
    marks = sorted({_MARKS[field.evidence] for field in (*row.fields, *row.reply)})
    known = ", ".join(marks) or "**unknown**: pass them yourself, they go through as they are"
    return f"| `{row.name}` | {row.verb} | {row.auth} | {_MARKS[row.evidence]} | {known} |"


def _fields(row: Endpoint) -> Iterator[str]:
    yield f"### {row.name}\n"
    if row.fields:
        yield from _table("Request", row.fields)
    if row.reply:
        yield from _table("Reply", row.reply)
    if row.refusals:
        keys = ", ".join(f"`{key}`" for key in sorted(row.refusals))
        yield f"Error keys that prove that nothing was done (**assumed**): {keys}. Any other key proves nothing.\n"


def _webhook() -> Iterator[str]:
    from django_sadadpay.gateway.fields import WEBHOOK

    yield "### Webhook\n"
    yield from _table("Body (names in any case)", WEBHOOK)


def _table(title: str, fields: tuple[Field, ...]) -> Iterator[str]:
    yield f"| {title} | Our name | Always there | Known from |"
    yield "| --- | --- | --- | --- |"
    for field in fields:
        yield _row(field, "")
        yield from (_row(inner, f"{field.wire}[].") for inner in field.items)
    yield ""


def _row(field: Field, prefix: str) -> str:
    needed = "yes" if field.required else ""
    return f"| `{prefix}{field.wire}` | `{field.name}` | {needed} | {_MARKS[field.evidence]} |"


PAGES: dict[str, Callable[[], str]] = {
    "attention.md": attention,
    "errors.md": errors,
    "evidence.md": evidence,
}


def text(name: str) -> str:
    """A page as it should be now, in English."""
    from django.utils import translation

    with translation.override("en"):
        return _NOTE + PAGES[name]()


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings.memory")
    django.setup()
    FOLDER.mkdir(exist_ok=True)
    for name in PAGES:
        (FOLDER / name).write_text(text(name), encoding="utf-8")


if __name__ == "__main__":
    main()
