"""Rows whose object a whole list did not show: each is asked for before it is believed to be gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.errors import AuthenticationError, NotFound, RateLimited, SadadError
from django_sadadpay.models import Attention, Mirror
from django_sadadpay.services import attention, clock, finding, mirror_states, patience, transactions
from django_sadadpay.services.lists import Change, Place, Taken

State, Held, Code = Mirror.State, Mirror.Held, Attention.Code
_CHUNK = 1000
_PAGE = 8192
#: Objects asked for in one run; the others come with the next.
MOST = 200


class Seen:
    """Primary keys that were seen, a bit for each: a million rows take 125 kilobytes."""

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}

    def add(self, pks: Iterable[int]) -> None:
        for pk in pks:
            number, bit = divmod(pk, _PAGE * 8)
            page = self._pages.setdefault(number, bytearray(_PAGE))
            page[bit >> 3] |= 1 << (bit & 7)

    def __contains__(self, pk: int) -> bool:
        number, bit = divmod(pk, _PAGE * 8)
        page = self._pages.get(number)
        return page is not None and bool(page[bit >> 3] & (1 << (bit & 7)))


def look(place: Place, client: SadadClient, seen: Seen) -> Taken:
    """Ask Sadad for what its list left out: paging is assumed (contract 3.4), a row may slip between pages.

    :raises RateLimited, AuthenticationError: it could not be asked; those found gone until then are stored.
    """
    taken = Taken()
    for count, (pk, sadad_id, key) in enumerate(_unseen(place, seen)):
        if count >= MOST:
            taken.count("waiting")
            break
        what = _is_there(place, client, sadad_id, key)
        if what is None:
            taken.count("failed")
        elif what:
            taken.count("waiting")
        else:
            _gone(place, pk, sadad_id, taken)
    return taken


def _unseen(place: Place, seen: Seen) -> Iterator[tuple[int, str, str]]:
    rows = place.rows.filter(sadad_id__isnull=False, sending="").exclude(state=State.DELETED)
    rows = rows.exclude(held=Held.GONE).order_by("pk")
    last, size = 0, _CHUNK
    while size == _CHUNK:
        chunk = list(rows.filter(pk__gt=last).values_list("pk", "sadad_id", "sadad_key")[:_CHUNK])
        yield from (row for row in chunk if row[0] not in seen)
        last, size = chunk[-1][0] if chunk else 0, len(chunk)


def _is_there(place: Place, client: SadadClient, sadad_id: str, key: str) -> bool | None:
    """None: it cannot be told now."""
    try:
        ask = partial(finding.by_id, place.kind, client, sadad_id, key)
        return patience.call(ask) is not None
    except NotFound:
        return False
    except (RateLimited, AuthenticationError):
        raise
    except SadadError:
        return None


def _gone(place: Place, pk: int, sadad_id: str, taken: Taken) -> None:
    taken.count("gone")
    if place.dry_run:
        taken.changes.append(Change("gone", place.kind.name, sadad_id))
    else:
        transactions.run(partial(_store, place, pk, sadad_id))


def _store(place: Place, pk: int, sadad_id: str) -> None:
    """What only Sadad kept is deleted here too; what the shop or staff want is a case for a person."""
    row, now = transactions.lock(place.kind.model, pk), clock.now()
    if row.sadad_id != sadad_id or row.sending:
        return  # somebody is at it
    wanted_here = row.is_wanted and (row.source or row.digest != row.pushed_digest)
    row.reply_digest = ""
    if wanted_here:
        mirror_states.hold(row, Held.GONE)
        attention.close((Code.MIRROR_CONFLICT,), now, "Sadad has it no more", mirror=row)
        attention.ask(Code.MIRROR_GONE, now, row, mirror=row, kind=row.kind, error_key=row.error)
    else:
        was_wanted = row.is_wanted
        mirror_states.deleted(row, now)
        row.error = mirror_states.ERRORS[Held.GONE] if was_wanted else ""
        codes = (Code.MIRROR_REFUSED, Code.MIRROR_CONFLICT, Code.MIRROR_GONE)
        attention.close(codes, now, "Sadad has it no more", mirror=row)
    row.save(update_fields=[*mirror_states.COLUMNS, "reply_digest"])
