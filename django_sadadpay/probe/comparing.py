"""A reply beside the endpoint table. Pure: no call is made here, and no value of a reply gets out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django_sadadpay.gateway.coerce import fold, moment
from django_sadadpay.gateway.errors import shown
from django_sadadpay.probe.report import Finding, Level

if TYPE_CHECKING:
    from django_sadadpay.gateway.endpoints import Endpoint
    from django_sadadpay.gateway.envelope import Reply
    from django_sadadpay.gateway.fields import Field

#: Where a blank text is as bad as none.
_NAMING = frozenset({"id", "key", "url", "status", "code", "invoice_id", "session_id"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")

#: Kind in the table → what JSON must hold.
_WANTED = {
    **dict.fromkeys(("text", "word", "date", "moment", "language", "currency"), ("text",)),
    "integer": ("whole number",),
    "number": ("whole number", "number"),
    "kwd": ("whole number", "number"),
    "flag": ("true or false",),
    "rows": ("list",),
}


@dataclass(frozen=True, slots=True)
class Expected:
    """What a step should meet: success, or one of these error keys.

    :ivar is_valid: beside the error key (contract 1.3); None where it does not matter.
    :ivar evidence: how well the error key is known.
    """

    keys: tuple[str, ...] = ()
    status: int = 200
    is_valid: bool | None = None
    evidence: str = "assumed"


SUCCESS = Expected()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding is made, and whose settings its advice is about."""

    endpoint: Endpoint
    step: str
    account: str = "default"

    def finding(
        self,
        kind: str,
        expected: str,
        came: str,
        *,
        field: str = "",
        evidence: str = "assumed",
        advice: str = "",
        level: Level = "difference",
    ) -> Finding:
        return Finding(self.endpoint.name, self.step, level, kind, field, expected, evidence, came, advice)

    def about(
        self,
        field: Field,
        path: str,
        kind: str,
        expected: str,
        came: str,
        *,
        advice: str = "",
        level: Level = "difference",
    ) -> Finding:
        """A finding on a field of the table, whose evidence it has."""
        return self.finding(
            kind,
            expected,
            came,
            field=path + field.wire,
            evidence=field.evidence,
            advice=advice,
            level=level,
        )

    def setting(self, name: str, wire: str, endpoint: str = "") -> str:
        """The line of settings that gives a field its real name."""
        where = endpoint or self.endpoint.name
        return f"set `ACCOUNTS['{self.account}']['FIELDS'] = {{'{where}': {{'{name}': '{wire}'}}}}`"


def compare(place: Place, reply: Reply, expected: Expected, *, rows: bool = False) -> Iterator[Finding]:
    """Everything about one reply that is not as expected.

    :param rows: ``response`` is a list of objects.
    """
    if reply.status == 429:
        advice = "run it again when nothing else calls Sadad with this account"
        yield place.finding("turned_away", "an answer", "HTTP 429 each time", evidence="doc", advice=advice)
        return
    if not reply.readable:
        yield place.finding("no_envelope", "the envelope", "a body that is none", evidence="doc")
        return
    if expected.keys:
        yield from _refusal(place, reply, expected)
    elif reply.failed:
        key = f"`{shown(reply.error_key)}`" if reply.error_key else "no error key"
        advice = f"look at what was sent, and at its spelling; then {place.setting('our name', 'its name')}"
        yield place.finding("refused", "success", f"refused: {key}", advice=advice)
    else:
        yield from _status(place, reply, 200, "doc")
        yield from fields(place, reply.response, rows=rows)


def _refusal(place: Place, reply: Reply, expected: Expected) -> Iterator[Finding]:
    wanted = " or ".join(f"`{key}`" for key in expected.keys)
    if not reply.failed:
        advice = "the check is ours alone; what was made by it was deleted again"
        yield place.finding("accepted", wanted, "success", evidence=expected.evidence, advice=advice)
        return
    if reply.error_key not in expected.keys:
        advice = "report it: until the table lists the key, it proves nothing and the outcome is looked up"
        came = f"`{shown(reply.error_key)}`" if reply.error_key else "no error key"
        yield place.finding("error_key", wanted, came, evidence=expected.evidence, advice=advice)
    elif expected.is_valid is not None and reply.is_valid is not expected.is_valid:
        came, wanted = (f"isValid {str(flag).lower()}" for flag in (reply.is_valid, expected.is_valid))
        yield place.finding("is_valid", wanted, came, evidence=expected.evidence, level="note")
    yield from _status(place, reply, expected.status, expected.evidence)


def _status(place: Place, reply: Reply, status: int, evidence: str) -> Iterator[Finding]:
    if reply.status != status:
        advice = "report it; the client goes by the envelope"
        yield place.finding(
            "http_status", f"HTTP {status}", f"HTTP {reply.status}", evidence=evidence, advice=advice
        )


def fields(place: Place, response: Any, *, rows: bool = False) -> Iterator[Finding]:
    """The fields of ``response``, or of each row of it."""
    table = place.endpoint.reply
    if not table:
        yield _shape(place, response)
    elif rows:
        yield from _listed(place, table, response, "")
    elif isinstance(response, Mapping):
        yield from _object(place, table, response, "")
    else:
        needed = [field for field in table if field.required]
        level: Level = "difference" if needed else "note"
        wanted = "an object" if needed else "an id, or an object with it"
        evidence = (needed or list(table))[0].evidence
        yield place.finding("shape", wanted, _a(kind_of(response)), evidence=evidence, level=level)


def _shape(place: Place, response: Any) -> Finding:
    came = _a(kind_of(response))
    if isinstance(response, Mapping):
        came += f" with {', '.join(f'`{_name(key)}`' for key in response) or 'no fields'}"
    if isinstance(response, bool):
        came = str(response).lower()
    return place.finding("shape", "not known", came, level="note")


def _listed(place: Place, table: Sequence[Field], value: Any, path: str) -> Iterator[Finding]:
    """Each finding once, however many rows give it."""
    if not isinstance(value, list):
        yield place.finding("shape", "a list", _a(kind_of(value)), field=path, advice="report it")
        return
    found: dict[tuple[str, str], Finding] = {}
    for row in value:
        if isinstance(row, Mapping):
            for finding in _object(place, table, row, path):
                found.setdefault((finding.kind, finding.field), finding)
        else:
            odd = place.finding("shape", "objects in the list", _a(kind_of(row)), field=path)
            found.setdefault(("shape", path), replace(odd, advice="report it"))
    yield from found.values()


def _object(place: Place, table: Sequence[Field], row: Mapping[str, Any], path: str) -> Iterator[Finding]:
    folded = {fold(str(key)): str(key) for key in row}
    known = {folded.get(fold(field.wire), "") for field in table} | {field.wire for field in table}
    extra = [_name(key) for key in row if key not in known]
    for field in table:
        spelt = field.wire if field.wire in row else folded.get(fold(field.wire))
        if spelt is None:
            yield _missing(place, field, path, extra)
            continue
        if spelt != field.wire:
            yield _spelling(place, field, path, spelt)
        yield from _value(place, field, row[spelt], path)
    for name in extra:
        yield place.finding("extra", "no such field", "it is there", field=path + name, level="note")


def _missing(place: Place, field: Field, path: str, extra: Sequence[str]) -> Finding:
    if not field.required:
        return place.about(field, path, "missing", f"there, {field.kind}", "not there", level="note")
    name = extra[0] if len(extra) == 1 else "its name"
    advice = f"if it has another name, {place.setting(f'reply.{field.name}', name)}"
    if len(extra) > 1:
        advice += f"; new here: {', '.join(f'`{other}`' for other in extra)}"
    return place.about(field, path, "missing", f"always there, {field.kind}", "not there", advice=advice)


def _spelling(place: Place, field: Field, path: str, spelt: str) -> Finding:
    """Replies are read whatever the case and underscores; a request's underscores may matter."""
    name = next((ours.name for ours in place.endpoint.fields if fold(ours.wire) == fold(field.wire)), None)
    folder = place.endpoint.name.split("/")[0]
    setting = place.setting(name or field.name, _name(spelt), f"{folder}/insert")
    advice = f"the reply is read all the same; if this field is ignored when sent, {setting}"
    return place.about(field, path, "spelling", f"`{field.wire}`", f"`{_name(spelt)}`", advice=advice)


def _value(place: Place, field: Field, value: Any, path: str) -> Iterator[Finding]:
    wanted, came = _WANTED.get(field.kind), kind_of(value)
    if wanted is None or (value is None and not field.required):
        return
    if came not in wanted:
        advice = "report it; numbers and texts of digits are read alike, anything else counts as missing"
        yield place.about(field, path, "retyped", _a(wanted[-1]), _a(came), advice=advice)
    elif field.kind == "moment" and value.strip() and moment(value) is None:
        advice = "report it: the time counts as unknown"
        yield place.about(field, path, "format", "`MM/dd/yyyy HH:mm:ss`", "another form", advice=advice)
    elif field.name in _NAMING and field.required and isinstance(value, str) and not value.strip():
        yield place.about(field, path, "blank", "a text that is not blank", "a blank one", advice="report it")
    elif field.kind == "rows" and field.items:
        yield from _listed(place, field.items, value, f"{path}{field.wire}[].")


def kind_of(value: Any) -> str:
    """What JSON held."""
    if value is None:
        return "null"
    names: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"),
        (int, "whole number"),
        (Decimal, "number"),
        (str, "text"),
        (list, "list"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "object")


def _a(kind: str) -> str:
    if kind in ("null", "true or false"):
        return kind
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _name(key: object) -> str:
    """A field's name, if it looks like one: an object could be keyed by anything, a person's name too."""
    text = str(key)
    return text if _NAME.fullmatch(text) else "(unusual name)"
