"""Two rows of one object: pull made one before push had learned the id of the other. They become one."""

from __future__ import annotations

from django_sadadpay.models import Attention, Mirror, ProductLinkItem
from django_sadadpay.services import attention, mirror_states, transactions


def is_pulls(row: Mirror) -> bool:
    """Made by pull, and nothing was wanted of it or asked about it since."""
    cases = Attention.objects.using(transactions.alias()).filter(
        subject=attention.subject_of(row), resolved_at=None
    )
    alone = row.source_key is None and row.is_wanted and row.digest == row.pushed_digest
    return alone and not row.sending and not row.held and not cases.exists()


def merge(other: Mirror, each: Mirror) -> None:
    """What needs the object, and the schedule that was read of it, becomes ``each``'s."""
    for relation in type(each)._meta.related_objects:
        model, name = relation.related_model, relation.field.name
        rows = model._base_manager.using(transactions.alias())
        if model is ProductLinkItem:
            _move_places(other, each, name)
        elif relation.one_to_many:
            rows.filter(**{name: other}).update(**{name: each})
    mirror_states.deleted(other, None)
    other.error = "merged"
    other.save(update_fields=mirror_states.COLUMNS)


def _move_places(other: Mirror, each: Mirror, name: str) -> None:
    """On links. A link has its own list of products; a product is on a link once."""
    items = ProductLinkItem._base_manager.using(transactions.alias())
    if name == "link":
        items.filter(link_id=other.pk).delete()
        return
    taken = list(items.filter(product_id=each.pk).values_list("link_id", flat=True))
    items.filter(product_id=other.pk, link_id__in=taken).delete()
    items.filter(product_id=other.pk).update(product_id=each.pk)
