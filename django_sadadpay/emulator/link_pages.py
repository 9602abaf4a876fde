"""The pages of payment links and product links: filled in by a payer, they make the invoice and go on to it.

Sadad's addresses of these pages are not known: ``/paymentlink/{key}`` and ``/productlink/{key}`` are ours.
What a payer enters travels in the body of the form only.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from django_sadadpay.emulator import layout, objects, payment_links, product_links, wire
from django_sadadpay.emulator.link_texts import LINK_TEXTS
from django_sadadpay.emulator.protocol import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_sadadpay.emulator.entities import Invoice, Stored
    from django_sadadpay.emulator.state import World

    #: What the payer has entered, by the field's name.
    Entered = Mapping[str, str]

#: Arabic and Persian digits, and the Arabic decimal sign.
DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫", "01234567890123456789.")

#: What a payer is asked for: field, its type for a browser, what a browser may fill in, whether it must be.
PERSON = (
    ("customerName", "text", "name", True),
    ("customerMobile", "tel", "tel", True),
    ("customerEmail", "email", "email", False),
    ("comment", "text", "off", False),
)
LABELS = {
    "customerName": "name_word",
    "customerMobile": "mobile_word",
    "customerEmail": "email_word",
    "comment": "comment_word",
}


def payment_link(world: World, request: Request, key: str) -> Response:
    """``/paymentlink/{key}``: GET shows the form, POST makes the invoice."""
    with world.transaction():
        link = _open(world, "PaymentLink", key)
        if link is None:
            return layout.message(_language(request, None), "no_link", 404, more=LINK_TEXTS)
        language = _language(request, link)
        if request.method != "POST":
            return _payment_form(link, language, {})
        try:
            invoice = payment_links.create_invoice(world, _payment_body(link, request.form, language))
        except Refusal as refusal:
            return _payment_form(link, language, request.form, refusal.error_key)
        return _go_on(world, invoice)


def product_link(world: World, request: Request, key: str) -> Response:
    """``/productlink/{key}``: GET shows what is sold, POST makes the order."""
    with world.transaction():
        link = _open(world, "ProductLink", key)
        if link is None:
            return layout.message(_language(request, None), "no_link", 404, more=LINK_TEXTS)
        language = _language(request, link)
        if request.method != "POST":
            return _product_form(world, link, language, {})
        try:
            invoice = product_links.create_order(world, _order_body(world, link, request.form, language))
        except Refusal as refusal:
            return _product_form(world, link, language, request.form, refusal.error_key)
        return _go_on(world, invoice)


def _open(world: World, kind: str, key: str) -> Stored | None:
    try:
        return objects.for_payer(world, kind, key)
    except Refusal:
        return None


def _language(request: Request, link: Stored | None) -> str:
    """``?lang=``, else the link's own if it has one, else Arabic; of an unknown link English."""
    own = link.values.get("lang", "ar") if link else "en"
    return layout.language(request.args.get("lang") or own)


def _go_on(world: World, invoice: Invoice) -> Response:
    return redirect(wire.pay_url(world, invoice), 303)


# What is sent


def _person(form: Entered) -> dict[str, str]:
    return {name: form.get(name, "").strip() for name, *_ in PERSON}


def _payment_body(link: Stored, form: Entered, language: str) -> dict[str, Any]:
    is_open = link.values["isOpenAmount"]
    amount = _digits(form.get("amount", "")) if is_open else wire.decimal_text(link.values["amount"])
    return {**_person(form), "paymentLinkKey": link.key, "amount": amount, "lang": language}


def _order_body(world: World, link: Stored, form: Entered, language: str) -> dict[str, Any]:
    """Every product of which a quantity was entered. Raises ``Refusal`` for what is no quantity."""
    products = [row for _, shelf in product_links.shelves(world, link) for row in shelf]
    wanted = [(row, _quantity(form.get(f"quantity-{row.id}", ""))) for row in products]
    chosen = [(row, quantity) for row, quantity in wanted if quantity]
    total = sum(row.values["price"] * quantity for row, quantity in chosen)
    return {
        **_person(form),
        "productLinkKey": link.key,
        "lang": language,
        "totalAmount": wire.decimal_text(total),
        "products": [
            {"productId": row.id, "quantity": quantity, "amount": wire.decimal_text(row.values["price"])}
            for row, quantity in chosen
        ],
    }


def _digits(text: str) -> str:
    return text.strip().translate(DIGITS)


def _quantity(text: str) -> int:
    digits = _digits(text) or "0"
    if not (digits.isascii() and digits.isdigit() and len(digits) < 7):
        raise Refusal("ProductQuantityRequired")
    return int(digits)


# What is shown


def _payment_form(link: Stored, language: str, entered: Entered, error_key: str = "") -> Response:
    texts = layout.frame(language, LINK_TEXTS)
    values = {
        **_shared(link, texts, entered, error_key),
        "heading_text": escape(link.values["title"]),
        "about": escape(link.values["comment"]),
        "amount": _amount(link, texts, entered),
    }
    return layout.render("payment_link.html", {**texts, **values}, 400 if error_key else 200)


def _product_form(
    world: World, link: Stored, language: str, entered: Entered, error_key: str = ""
) -> Response:
    texts = layout.frame(language, LINK_TEXTS)
    values = {
        **_shared(link, texts, entered, error_key),
        "heading_text": escape(_named(link, language)),
        "products": "".join(
            _shelf(_named(category, language), products, texts, entered)
            for category, products in product_links.shelves(world, link)
        ),
    }
    return layout.render("product_link.html", {**texts, **values}, 400 if error_key else 200)


def _shared(link: Stored, texts: dict[str, str], entered: Entered, error_key: str) -> dict[str, str]:
    sentence = texts.get(error_key, texts["WrongObject"])
    notice = f'<p class="notice" role="alert" id="error" data-key="{escape(error_key)}">{sentence}</p>'
    return {
        "error": notice if error_key else "",
        "fields": "".join(
            _input(name, kind, texts[LABELS[name]], entered, f'autocomplete="{fills}"', needed=needed)
            for name, kind, fills, needed in PERSON
        ),
        "terms": _terms(link, texts) if link.values["termsConditionEnabled"] else "",
    }


def _input(
    name: str, kind: str, label: str, entered: Entered, attributes: str, *, needed: bool = False
) -> str:
    """A labelled field; ``label`` is HTML already. Numbers and addresses read from left to right."""
    direction = "auto" if kind == "text" else "ltr"
    return (
        f'<p class="field"><label for="{name}">{label}</label>'
        f'<input id="{name}" name="{name}" type="{kind}" dir="{direction}" {attributes}'
        f' value="{escape(entered.get(name, ""))}"{" required" if needed else ""}></p>'
    )


def _terms(link: Stored, texts: dict[str, str]) -> str:
    return (
        f'<p id="terms">{escape(link.values["termsCondition"])}</p>'
        f'<label class="choice"><input type="checkbox" id="agree" required> {texts["terms_word"]}</label>'
    )


def _amount(link: Stored, texts: dict[str, str], entered: Entered) -> str:
    values, language = link.values, texts["lang"]
    if not values["isOpenAmount"]:
        money = layout.money(values["amount"], language)
        return f'<p class="total"><span>{texts["total_word"]}</span> <span id="amount">{money}</span></p>'
    bounds = (("from_word", values["minAmount"]), ("to_word", values["maxAmount"]))
    said = [f"{texts[word]} {layout.money(fils, language)}" for word, fils in bounds if fils]
    label = " ".join([texts["amount_word"], *said])
    return _input("amount", "text", label, entered, 'inputmode="decimal" autocomplete="off"', needed=True)


def _shelf(name: str, products: list[Stored], texts: dict[str, str], entered: Entered) -> str:
    head = f'<tr><th colspan="3" scope="rowgroup">{escape(name)}</th></tr>'
    return f"<tbody>{head}{layout.rows(_product(row, texts, entered) for row in products)}</tbody>"


def _product(row: Stored, texts: dict[str, str], entered: Entered) -> tuple[str, str, str]:
    language, values, field = texts["lang"], row.values, f"quantity-{row.id}"
    name = escape(_named(row, language))
    about = escape((values["descAr"] if language == "ar" else "") or values["descEn"])
    shows_stock = values["stockable"] and values["stockableShow"]
    left = f"<br><small>{max(values['quantity'], 0)} {texts['left_word']}</small>" if shows_stock else ""
    quantity = (
        f'<input id="{field}" name="{field}" dir="ltr" inputmode="numeric" autocomplete="off" size="4"'
        f' aria-label="{texts["quantity_word"]}: {name}" value="{escape(entered.get(field, ""))}">'
    )
    return f"{name}<br><small>{about}</small>{left}", layout.money(values["price"], language), quantity


def _named(row: Stored, language: str) -> str:
    return str((row.values["nameAr"] if language == "ar" else "") or row.values["nameEn"])
