"""Our own pages below the admin: outside any transaction, since they call Sadad (money-flow 9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import django
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from django_sadadpay import texts
from django_sadadpay.admin.base import ReadOnlyAdmin, allowed
from django_sadadpay.gateway.errors import SadadError
from django_sadadpay.services import transactions
from django_sadadpay.services.errors import PaymentError

View = Callable[..., HttpResponse]


class PagesAdmin(ReadOnlyAdmin):
    """Pages of our own: ``<pk>/<name>/<rest>`` is answered by ``<name>_page``; ``pages`` maps them."""

    pages: ClassVar[Mapping[str, str]] = {}

    def get_urls(self) -> list[Any]:
        return [self._page(name, rest) for name, rest in self.pages.items()] + super().get_urls()

    def _page(self, name: str, rest: str) -> URLPattern:
        view: Callable[..., HttpResponse] = transactions.outside(
            self.admin_site.admin_view(getattr(self, f"{name}_page"))
        )
        return path(f"<int:pk>/{name}/{rest}", view, name=f"sadadpay_{self.opts.model_name}_{name}")

    def row(self, request: HttpRequest, pk: int, *permissions: str) -> Any:
        """The row, for staff who may see it and have the permissions.

        :raises PermissionDenied: before anything is said about the row. :raises Http404: no such row.
        """
        if not (self.has_view_permission(request) and allowed(request, *permissions)):
            raise PermissionDenied
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        return row

    @staticmethod
    def person(request: HttpRequest) -> Any:
        """The member of staff: ``admin_view`` lets nobody else in."""
        return request.user

    def attempt(self, request: HttpRequest, work: Callable[[], Any]) -> bool:
        """Do the work; what goes wrong becomes a message, never an error page."""
        try:
            work()
        except PaymentError as error:
            messages.error(request, error.sentence)
        except SadadError:
            messages.error(request, texts.error_sentence("try_again"))
        else:
            return True
        return False

    def ask(self, request: HttpRequest, template: str, row: Any, **context: Any) -> HttpResponse:
        """A page of our own in the admin's frame."""
        request.current_app = self.admin_site.name
        values = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "media": self.media,
            "list_url": self.link("changelist"),
            "back_url": self.link("change", row.pk),
            # Django 6.1 made the breadcrumbs a list.
            "crumbs_as_list": django.VERSION >= (6, 1),
            **context,
        }
        return TemplateResponse(request, template, values)

    def back(self, row: Any) -> HttpResponse:
        return HttpResponseRedirect(self.link("change", row.pk))
