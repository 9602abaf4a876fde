"""A buyer or a member of staff without a screen: follows the links and sends the forms that a page has."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_TIMEOUT = 30.0  # seconds


class NotThere(Exception):
    """The page has no such form, link or element."""


@dataclass
class Form:
    action: str
    method: str
    id: str = ""
    values: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """A page as it came: its forms, its links, and the text of every element that has an id."""

    def __init__(self, url: str, status: int, html: str) -> None:
        super().__init__()
        self.url, self.status, self.html = url, status, html
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.attributes: dict[str, dict[str, str]] = {"html": {}}
        self._open: list[tuple[str, str]] = []
        self._link = ""
        self.feed(html)

    def form(self, *, id: str = "", has: str = "", action: str = "") -> Form:  # noqa: A002 - HTML's own word
        """The form with this id, with a field of this name, or whose action ends so. :raises NotThere:"""
        for form in self.forms:
            names = {*form.values, *(name for name, _ in form.buttons)}
            if (id and form.id == id) or (has and has in names) or (action and form.action.endswith(action)):
                return form
        raise NotThere(f"{self.url} ({self.status}) has no form {id or has or action}")

    def link(self, text: str) -> str:
        """The address of the link with this text or id. :raises NotThere:"""
        if text not in self.links:
            raise NotThere(f"{self.url} ({self.status}) has no link {text!r}")
        return urljoin(self.url, self.links[text])

    # What the parser finds

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        own = values.get("id", "")
        self._note(tag, own, values)
        if tag not in _VOID:
            self._open.append((tag, own))
        if tag == "form":
            method = values.get("method", "get").lower()
            self.forms.append(Form(values.get("action", ""), method, own))
        elif tag in ("input", "button") and self.forms:
            _collect(self.forms[-1], tag, values)

    def _note(self, tag: str, own: str, values: dict[str, str]) -> None:
        if own or tag == "html":
            self.attributes[own or "html"] = values
        if tag == "a":
            self._link = values.get("href", "")
            if own:
                self.links[own] = self._link

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            continue
        if tag == "a":
            self._link = ""

    def handle_data(self, data: str) -> None:
        text = data.strip()
        for _tag, own in self._open:
            if own and text:
                self.texts[own] = f"{self.texts.get(own, '')} {text}".strip()
        if self._link and text:
            self.links.setdefault(text, self._link)


def _collect(form: Form, tag: str, values: dict[str, str]) -> None:
    name, kind = values.get("name", ""), values.get("type", "submit" if tag == "button" else "text")
    if not name:
        return
    if kind == "submit":
        form.buttons.append((name, values.get("value", "")))
    elif kind not in ("radio", "checkbox") or "checked" in values:
        form.values[name] = values.get("value", "")


class Visitor:
    """One person's browser: its own cookies."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.session = requests.Session()
        self.session.trust_env = False  # a proxy of the machine must not stand between two local programs

    def get(self, path: str) -> Page:
        """``path`` is an address, or a path of the shop."""
        answer = self.session.get(urljoin(self.home, path), timeout=_TIMEOUT)
        return Page(answer.url, answer.status_code, answer.text)

    def submit(self, page: Page, form: Form, button: str = "", *, follow: bool = True, **values: str) -> Page:
        """Send the form with ``values`` written into it, by the button ``name=value``.

        ``follow=False``: the tab is closed before the answer's redirect is opened.
        """
        name, _, value = button.partition("=")
        if button and (name, value) not in form.buttons:
            raise NotThere(f"{page.url}: no button {button}, but {form.buttons}")
        sent = {**form.values, **values, **({name: value} if button else {})}
        answer = self.session.request(
            form.method,
            urljoin(page.url, form.action),
            data=sent,
            headers={"Referer": page.url},
            timeout=_TIMEOUT,
            allow_redirects=follow,
        )
        return Page(answer.url, answer.status_code, answer.text)
