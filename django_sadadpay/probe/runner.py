"""Walks the steps: sends, compares, and keeps the journal ahead of every insert."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from django_sadadpay.gateway import outgoing, paging
from django_sadadpay.gateway.coerce import KUWAIT, Row
from django_sadadpay.gateway.errors import InvalidRequest
from django_sadadpay.gateway.records import ObjectRecord
from django_sadadpay.probe import lists, paying
from django_sadadpay.probe.comparing import Place, compare
from django_sadadpay.probe.echoing import echoed
from django_sadadpay.probe.journal import BILLS
from django_sadadpay.probe.lists import Wanted
from django_sadadpay.probe.looking import Found, Looker, carries, listed
from django_sadadpay.probe.model import GATES, Amount, Contact, Day, Filter, Id, Key, Mark, Seen, Step, Unmade

if TYPE_CHECKING:
    from django_sadadpay.gateway.endpoints import Endpoint
    from django_sadadpay.gateway.envelope import Reply
    from django_sadadpay.probe.calling import Caller
    from django_sadadpay.probe.journal import Journal
    from django_sadadpay.probe.lists import Rows
    from django_sadadpay.probe.options import Options
    from django_sadadpay.probe.report import Finding, Report

_FAR = 1_000_000


@dataclass(slots=True)
class Thing:
    """What the probe made: what was last sent for it, by Sadad's names, and what was last read.

    :ivar folder: ``"Product"``.
    :ivar mark: of its insert. :ivar text: what it carries; its own mark, or that of what it was made from.
    :ivar asked_away: its deletion was asked for, whatever came of it: its id may not be its own any more.
    """

    folder: str
    mark: str
    text: str
    id: str
    key: str = ""
    sent: Mapping[str, Any] = field(default_factory=dict, repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    gone: bool = False
    asked_away: bool = False

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.id, self.text)


class Runner:
    """One walk.

    :ivar things: label → what was made under it.
    """

    def __init__(
        self,
        caller: Caller,
        journal: Journal,
        report: Report,
        options: Options,
        *,
        live: bool,
        today: date,
        say: Callable[[str], None],
    ) -> None:
        self.caller = caller
        self.journal = journal
        self.report = report
        self.options = options
        self.things: dict[str, Thing] = {}
        self._looker = Looker(caller)
        self._live = live
        self._today = today
        self.say = say
        self._count = 0

    def run(self, steps: Iterable[Step]) -> None:
        """Try each step whose needs were met; the others are noted with the reason."""
        for step in steps:
            why = self._why_not(step)
            if not why:
                self.say(f"{step.endpoint}: {step.name}")
                why = self._tried(step)
            if why:
                self.report.rows[step.endpoint].skipped[step.name] = why

    def place(self, step: Step) -> Place:
        return Place(self.caller.endpoints[step.endpoint], step.name, self.report.account)

    def add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.report.add(finding)

    def _new_mark(self) -> str:
        self._count += 1
        return f"{self.options.prefix}{self._count:03d}"

    # Whether

    def _why_not(self, step: Step) -> str:
        allowed = {
            "": True,
            "pay": self.options.pay,
            "change_account": self.options.change_account,
            "not_live": not self._live,
        }
        if not allowed[step.gate]:
            return GATES[step.gate]
        missing = sorted(step.needs - self.things.keys())
        if missing:
            return f"nothing to try it on: {', '.join(missing)} could not be made"
        if step.ends and self.things[step.ends].gone:
            return "it was deleted by an earlier call"
        if step.after and not self.things[step.after].gone:
            return f"nothing to try it on: {step.after} could not be deleted"
        return ""

    def _tried(self, step: Step) -> str:
        """Try it; why it could not be, else ``""``."""
        self.caller.step = step.name
        try:
            if step.act in ("paid", "refund"):
                paying.act(self, step)
            elif step.filter is not None:
                self._filter(step, step.filter)
            elif step.pages:
                self._pages(step)
            elif step.inserts:
                self._insert(step)
            else:
                self._call(step)
        except Unmade as error:
            return str(error)
        except InvalidRequest as error:  # made of what Sadad gave: an id that is none, an object for a text
            advice = "report it: what Sadad gives for this field cannot be sent back as it is"
            came = "a value that cannot be"
            place = self.place(step)
            self.add([place.finding("unsendable", "it can be sent", came, field=error.field, advice=advice)])
        row = self.report.rows[step.endpoint]
        row.done.append(step.name)
        if step.expect.keys:
            row.refused.append(step.name)
        return ""

    # Calls

    def _call(self, step: Step) -> None:
        about = self.things.get(step.reads or step.after)
        self._look_first(step)
        wire = self.wire(step, self.resolve(step.values, about.text if about else ""))
        reply = self.sent(step, wire)
        if about is not None and step.endpoint.endswith("/update") and (reply is None or reply.lost):
            about.sent = {}  # nobody knows what stands there now
        if reply is None:
            return
        if step.rows and not step.shows and listed(reply) == []:
            raise Unmade("nothing to try it on: the list is empty")
        self.add(compare(self.place(step), reply, step.expect, rows=step.rows))
        if reply.lost or reply.failed:
            return
        if step.ends:
            self._ended(step.ends)
        if step.shows:
            ours = [self.things[label].wanted for label in step.shows]
            self.add(lists.shown(self.place(step), listed(reply) or [], ours))
        if step.reads and not step.expect.keys:
            self._seen(step, wire, reply.response)

    def _seen(self, step: Step, wire: Any, response: Any) -> None:
        """What a read shows is kept and held against what was sent; an update becomes what was sent."""
        thing = self.things[step.reads]
        if step.endpoint.endswith("/update"):
            thing.sent = wire
        elif isinstance(response, Mapping):
            thing.raw = response
            self.add(echoed(self.place(step), step.echo, thing.sent, response))

    def _ended(self, label: str) -> None:
        self.things[label].gone = True
        self.journal.note(self.things[label].mark, state="gone")

    def _look_first(self, step: Step) -> None:
        """After a deletion was asked for, an id may be free, and somebody else's by now.

        :raises Unmade: it must not be sent.
        """
        call = step.endpoint.partition("/")[2]
        thing = self.things.get(step.ends or step.after or step.reads)
        if thing is None or call not in ("update", "delete"):
            return
        if thing.asked_away:
            found = self._looker.by_id(thing.folder, thing.id)
            if found.raw is None and not found.sure:
                raise Unmade("nothing to try it on: it cannot be seen what its id names now")
            if found.raw is not None and not carries(found.raw, thing.text):
                raise Unmade("nothing to try it on: its id names something else now")
        thing.asked_away = thing.asked_away or call == "delete"

    def sent(self, step: Step, wire: Any) -> Reply | None:
        """The reply; None, and a finding, where no usable answer came."""
        row = self.caller.endpoints[step.endpoint]
        wrapped = {"Invoices": [wire]} if row.name == "Invoice/insert" and step.body is None else wire
        kind = "query" if row.verb in ("GET", "DELETE") else "body"
        reply = self.caller.send(row.name, credential=step.credential, **{kind: wrapped})
        if reply is None or (reply.status >= 500 and not reply.readable):
            came = "no answer" if reply is None else f"HTTP {reply.status} without an envelope"
            advice = "run it again; if it stays so, report it"
            place = self.place(step)
            self.add([place.finding("no_answer", "an answer", came, evidence="doc", advice=advice)])
            return None
        return reply

    def wire(self, step: Step, values: Mapping[str, Any]) -> Any:
        """What is sent, by Sadad's names, the deliberate faults of the step included."""
        if step.body is not None:
            return step.body
        row = self.caller.endpoints[step.endpoint]
        if not values:
            return None
        wire = outgoing.to_wire(row, values)
        names = {field.name: field.wire for field in row.fields}
        wire.update({names[name]: value for name, value in step.wrong.items()})
        wire.pop(names.get(step.without, ""), None)
        return wire

    # Inserts

    def _insert(self, step: Step) -> None:
        """An insert: in the journal before it is sent, and found again whatever came of it."""
        mark = self._new_mark()
        text = self.things[step.carries].text if step.carries else mark
        wire = self.wire(step, self.resolve(step.values, mark))
        pay = str(self.options.amount) if step.act == "ask" else ""
        self.journal.write(mark, folder=step.folder, state="intended", text=text, pay=pay)
        try:
            reply = self.sent(step, wire)
        except InvalidRequest:
            self.journal.note(mark, state="refused")
            raise
        if reply is not None:
            self.add(compare(self.place(step), reply, step.expect))
        made = self._outcome(step, mark, reply)
        if made is None or not step.makes:
            return
        found = self._confirmed(step, mark, text, made)
        if found.raw is not None:
            key = found.key or made.key
            self.things[step.makes] = Thing(step.folder, mark, text, found.id, key, wire, found.raw)
            self._watch_for_bills(step, self.things[step.makes])

    def _watch_for_bills(self, step: Step, thing: Thing) -> None:
        """A subscription that does not begin when it was told to may be billed while it stands."""
        row = self.caller.endpoints[step.endpoint]
        wire = next((field.wire for field in row.fields if field.name == "start_date"), "")
        if step.folder != "Subscription":
            return
        begins = Row(thing.raw, self.caller.endpoints["Subscription/getbyid"].reply).moment("start_date")
        if begins is None or begins.astimezone(KUWAIT).date().isoformat() != str(thing.sent.get(wire)):
            self.journal.write(thing.mark + BILLS, folder="Invoice", state="made", text=thing.text)

    def _outcome(self, step: Step, mark: str, reply: Reply | None) -> ObjectRecord | None:
        """What the answer says was made; None where surely nothing was."""
        row = self.caller.endpoints[step.endpoint]
        if reply is not None and not reply.lost and reply.failed:
            refusals = row.refusals | {*step.expect.keys, "WrongObject"}
            if reply.error_key in refusals or reply.refuses_token or reply.status == 429:
                self.journal.note(mark, state="refused")
                return None
        if reply is None or reply.lost:
            return ObjectRecord()
        if reply.failed:
            self.journal.note(mark, state="answered")
            return ObjectRecord()
        record = made_of(row, reply.response)
        self.journal.note(mark, state="made", id=record.id, key=record.key)
        return record

    def _confirmed(self, step: Step, mark: str, text: str, made: ObjectRecord) -> Found:
        """The object as it stands in the account, by its id or else by its text in the list.

        An answer's id is only believed when what it names carries our text: the probe changes and deletes it.
        """
        found = self._looker.by_id(step.folder, made.id) if made.id else Found()
        if carries(found.raw, text):
            return found
        by_mark = self._looker.by_mark(step.folder, text)
        place = self.place(step)
        if by_mark.raw is not None:
            self.journal.note(mark, state="made", id=by_mark.id, key=by_mark.key)
            if made.id and made.id != by_mark.id:
                self.add([place.finding("wrong_id", "the new object's id", "another's", advice="report it")])
        elif made.id:
            advice = "look for it in the panel, by the name under which the report lists it"
            self.add([place.finding("not_found", "it can be read", "it cannot be found", advice=advice)])
        return by_mark

    # Lists

    def _rows(self, step: Step, options: Mapping[str, Any], more: Mapping[str, Any]) -> Rows | None:
        """The rows; None, and a finding, where no list came."""
        row = self.caller.endpoints[step.endpoint]
        query = {"listOptions": options, **outgoing.to_wire(row, more)}
        reply = self.caller.send(row.name, query=query)
        rows = listed(reply)
        if rows is None and reply is not None:
            self.add(compare(self.place(step), reply, step.expect, rows=True))
        elif rows is None:
            self.add([self.place(step).finding("no_answer", "an answer", "no answer", evidence="doc")])
        return rows

    def _filter(self, step: Step, asked: Filter) -> None:
        rows = self._rows(step, paging.options(0), {asked.name: self.resolve(asked.value)})
        if rows is not None:
            ours = {label: self.things[label].wanted for label in (asked.finds, asked.leaves) if label}
            finds, leaves = ours.get(asked.finds), ours.get(asked.leaves)
            if isinstance(asked.value, Contact) and self._shared(asked.value):
                leaves = None
            self.add(lists.filtered(self.place(step), asked.name, rows, finds, leaves))

    def _shared(self, contact: Contact) -> bool:
        """Both of two objects have it: where one was given, there is no second that is surely nobody's."""
        return bool(getattr(self.options, contact.what) == getattr(self.options, f"second_{contact.what}"))

    def _pages(self, step: Step) -> None:
        first, second, past_end = (
            self._rows(step, {**paging.options(skip), "take": 1}, {}) for skip in (0, 1, _FAR)
        )
        if first is not None and second is not None and past_end is not None:
            self.add(lists.paged(self.place(step), first, second, past_end))

    # Values

    def resolve(self, value: Any, mark: str = "") -> Any:
        """What stands for something known only now, as what it is now.

        :raises Unmade: it is not there.
        """
        if isinstance(value, Mapping):
            return {name: self.resolve(item, mark) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.resolve(item, mark) for item in value]
        if isinstance(value, Day):
            return date.fromordinal(self._today.toordinal() + value.ahead)
        if isinstance(value, Amount):
            return self.options.amount
        if isinstance(value, Contact):
            return getattr(self.options, value.what)
        if isinstance(value, Mark):
            return (self.things[value.label].text if value.label else mark) + value.more
        return self._named(value) if isinstance(value, (Id, Key, Seen)) else value

    def _named(self, value: Id | Key | Seen) -> Any:
        thing = self.things[value.label]
        if isinstance(value, Seen):
            return _seen(thing.raw, value)
        found = thing.id if isinstance(value, Id) else thing.key
        if not found:
            raise Unmade(f"nothing to try it on: {value.label} has no {type(value).__name__.lower()}")
        return found


def made_of(row: Endpoint, response: Any) -> ObjectRecord:
    """Id and key in the answer of an insert, whatever its form (contract 3.1; the others are assumed)."""
    if isinstance(response, Mapping) and any(field.name == "invoice_id" for field in row.reply):
        return ObjectRecord(id=Row(response, row.reply).id("invoice_id"))
    return ObjectRecord.from_wire(response, row.reply)


def _seen(raw: Any, value: Seen) -> Any:
    for name in value.path:
        raw = raw[0] if isinstance(raw, list) and raw else raw
        raw = raw.get(name) if isinstance(raw, Mapping) else None
    if raw is None:
        raise Unmade(f"nothing to try it on: {value.label} shows no {value.path[-1]}")
    return raw
