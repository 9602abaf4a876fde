"""Pages that would drift if written by hand. ``python -m docs.generate`` writes them; a test compares."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from docs import figures

if TYPE_CHECKING:
    from django_sadadpay.gateway.endpoints import Endpoint
    from django_sadadpay.gateway.fields import Field

_DOCS = Path(__file__).resolve().parent
FOLDER = _DOCS / "generated"
_NOTE = "<!-- Written by docs/generate.py: change that, then run python -m docs.generate -->\n"


_MARKS = {
    "doc": "documented",
    "vendor": "vendor's code",
    "observed": "observed",
    "assumed": "**assumed**",
}


#: Kind of a field → how it is written.
_KINDS = {
    "text": "text",
    "word": "word",
    "integer": "whole number",
    "number": "number",
    "kwd": "KWD",
    "flag": "true, false",
    "date": "yyyy-MM-dd",
    "moment": "MM/dd/yyyy HH:mm:ss",
    "language": "en, ar",
    "currency": "three letters",
    "rows": "list",
    "any": "any",
}


def advice() -> dict[str, str]:
    """What a member of staff does about a case, by its code."""
    return tomllib.loads((_DOCS / "advice.toml").read_text(encoding="utf-8"))


def attention() -> str:
    """The table of cases: texts and rules come from the code."""
    from django_sadadpay import texts
    from django_sadadpay.models.attention import RULES

    lines = [
        "| Reason | What staff read | Buttons | New checkout | What to do |",
        "| --- | --- | --- | --- | --- |",
    ]
    todo = advice()
    for code, rule in RULES.items():
        buttons = ", ".join(_labels(rule.actions))
        waits = "waits" if rule.blocks else "goes on"
        cells = (f"`{code}`", _words(texts.ATTENTION[code]), buttons, waits, todo[str(code)])
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
        parts += [f"### {group}\n", "| Endpoint | Verb | Credential | Method | Path and verb | Fields |"]
        parts += ["| --- | --- | --- | --- | --- | --- |", *(_endpoint(row) for row in rows), ""]
    used = (row for row in ENDPOINTS.values() if len(row.fields) > 1 or row.reply)
    parts += ["## Fields\n", *(line for row in used for line in _fields(row)), *_webhook()]
    return "\n".join(parts)


def _endpoint(row: Endpoint) -> str:
    marks = sorted({_MARKS[field.evidence] for field in (*row.fields, *row.reply)})
    known = ", ".join(marks)
    return f"| `{row.name}` | {row.verb} | {row.auth} | `{row.method}` | {_MARKS[row.evidence]} | {known} |"


def _fields(row: Endpoint) -> Iterator[str]:
    yield f"### {row.name}\n"
    if row.fields:
        yield from _table("Request", row.fields)
    if row.reply:
        yield from _table("Reply", row.reply)
    if row.refusals:
        keys = ", ".join(f"`{key}`" for key in sorted(row.refusals))
        yield f"Error keys that prove that nothing was done (**assumed**): {keys}. Others prove nothing.\n"


def _webhook() -> Iterator[str]:
    from django_sadadpay.gateway.fields import WEBHOOK

    yield "### Webhook\n"
    yield from _table("Body (names in any case)", WEBHOOK)


def _table(title: str, fields: tuple[Field, ...]) -> Iterator[str]:
    yield f"| {title} | Our name | Kind | Needed | Known from |"
    yield "| --- | --- | --- | --- | --- |"
    for field in fields:
        yield _row(field, "")
        yield from _inner(field, f"{field.wire}[].")
    yield ""


def _inner(field: Field, prefix: str) -> Iterator[str]:
    for inner in field.items:
        yield _row(inner, prefix)
        yield from _inner(inner, f"{prefix}{inner.wire}[].")


def _row(field: Field, prefix: str) -> str:
    needed = "yes" if field.required else ""
    cells = (f"`{prefix}{field.wire}`", f"`{field.name}`", _KINDS[field.kind], needed, _MARKS[field.evidence])
    return f"| {' | '.join(cells)} |"


def probe() -> str:
    """What ``sadadpay_probe`` says of the emulator, payment included."""
    return _probed(())


def probe_differences() -> str:
    """The differences that it finds when the emulator is made to disagree with the table."""
    text = _probed(
        (
            ("Product/getbyid", "reply_field", {"path": "price", "retype": "text"}),
            ("PaymentLink/getbykey", "reply_field", {"path": "key", "remove": True}),
            ("PaymentLink/getbykey", "reply_field", {"path": "linkKey", "value": "12345678"}),
            ("Customer/insert", "refuse", {"error_key": "NameMissing", "times": 1, "skip": 2}),
            ("Invoice/getall", "ignore_paging", {}),
        )
    )
    return text[text.index("| Endpoint |") : text.index("#### Endpoints")].strip() + "\n"


def _probed(faults: Iterable[tuple[str, str, dict[str, Any]]]) -> str:
    """A run against an emulator of its own, without what differs each time; headings two levels down."""
    from django_sadadpay.emulator import Emulator
    from django_sadadpay.probe import Account, Options, markdown
    from django_sadadpay.probe import probe as run

    with TemporaryDirectory() as folder, Emulator(deliver="manual") as emulator:
        for endpoint, kind, details in faults:
            emulator.control.faults.add(endpoint, kind, **details)
        account = Account(
            emulator.client_key, emulator.client_secret, api_url=emulator.api_url, pay_url=emulator.pay_url
        )

        def pay(said: str) -> None:
            if said.startswith("PAY "):
                emulator.control.pay(emulator.control.invoices()[-1]["id"])

        options = Options(journal=Path(folder, "probe.journal"), pay=True, change_account=True)
        text = markdown(run(account, options, say=pay), measured=False)
    return re.sub("^#", "###", text, flags=re.MULTILINE)


PAGES: dict[str, Callable[[], str]] = {
    "attention.md": attention,
    "errors.md": errors,
    "evidence.md": evidence,
    "figures.md": figures.page,
    "probe.md": probe,
    "probe-differences.md": probe_differences,
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
