"""How every page is put together: templates, both languages, amounts, table rows. Values are HTML already."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from django_sadadpay.emulator.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    #: Language → name → sentence.
    Texts = Mapping[str, Mapping[str, str]]


@cache
def _template(name: str) -> Template:
    return Template(files("django_sadadpay.emulator").joinpath("templates", name).read_text("utf-8"))


def render(name: str, values: dict[str, str], status: int = 200) -> Response:
    """``values`` are HTML already."""
    content = _template(name).substitute(values)
    page = _template("base.html").substitute(values, content=content)
    return Response(page, status, content_type="text/html; charset=utf-8")


def language(asked: str) -> str:
    """``en`` or ``ar``: what is not English is Arabic, as at Sadad (contract 3.1)."""
    return "en" if asked.lower().startswith("en") else "ar"


def frame(lang: str, more: Texts | None = None) -> dict[str, str]:
    """What every page has, and ``more`` sentences of one page; both hold plain text."""
    plain = {**TEXTS[lang], **(more[lang] if more else {})}
    texts = {name: escape(text) for name, text in plain.items()}
    return {**texts, "lang": lang, "dir": "rtl" if lang == "ar" else "ltr"}


def money(fils: int, lang: str) -> str:
    """``1,234.500 KWD`` or ``1,234.500 د.ك``, kept together whatever the direction of the page."""
    unit = TEXTS[lang]["unit"]
    return f'<span class="money"><bdi>{fils // 1000:,}.{fils % 1000:03d}</bdi> <bdi>{unit}</bdi></span>'


def rows(cells: Iterable[tuple[str, ...]]) -> str:
    """Table rows; the cells are HTML already."""
    return "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in cells)


def message(lang: str, text: str, status: int, link: str = "", more: Texts | None = None) -> Response:
    """A page with one sentence, by its name, and with the link back where paying again makes sense."""
    texts = frame(lang, more)
    back = (
        f'<a class="button" id="back" href="{escape(link)}">{texts["back"]}</a>' if text == "Failed" else ""
    )
    return render(
        "message.html", {**texts, "sentence": texts[text], "mark": escape(text), "back_link": back}, status
    )
