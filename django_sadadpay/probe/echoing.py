"""What was sent must come back: a field that is spelt wrongly is ignored without a word (contract 1.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django_sadadpay.gateway.coerce import fold, number, text

if TYPE_CHECKING:
    from django_sadadpay.gateway.fields import Field
    from django_sadadpay.probe.comparing import Place
    from django_sadadpay.probe.report import Finding


def echoed(
    place: Place, names: Iterable[str], sent: Mapping[str, Any], response: Mapping[str, Any]
) -> Iterator[Finding]:
    """Fields of a reply, by our names, that are not as they were sent. What is missing is another finding.

    :param sent: by Sadad's names.
    """
    before = {fold(str(key)): value for key, value in sent.items()}
    folder = place.endpoint.name.split("/")[0]
    folded = {fold(str(key)): value for key, value in response.items()}
    for field in (field for field in place.endpoint.reply if field.name in names):
        wire = fold(field.wire)
        if wire in folded and wire in before and not _same(field, before[wire], folded[wire]):
            setting = place.setting(field.name, "its name", f"{folder}/insert")
            advice = f"it may be ignored when sent; if it is spelt otherwise, {setting}"
            yield place.about(field, "", "value", "as it was sent", "another value", advice=advice)


def _same(field: Field, sent: Any, came: Any) -> bool:
    if field.kind in ("kwd", "number", "integer"):
        wanted, found = number(sent), number(came)
        return wanted is not None and found is not None and abs(wanted - found) < Decimal("0.0005")
    if isinstance(sent, bool):
        return sent is came
    return text(sent) == text(came)
