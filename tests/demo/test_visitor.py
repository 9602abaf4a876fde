"""The visitor of ``--check`` sends what a browser would, and complains about what a page does not have."""

from __future__ import annotations

import pytest

from example_project.demo.visitor import NotThere, Page

PAGE = """
<html lang="en"><body><h1 id="title">Order <b>7</b></h1><a id="pay" href="/pay/7">Pay <i>now</i></a>
<a href="other/">Other</a>
<form id="first" action="/one/"><input name="quantity" value="2"><input type="submit" value="no name"></form>
<form method="post"><input type="hidden" name="token" value="t"><br>
  <input type="radio" name="method" value="knet" checked><input type="radio" name="method" value="card">
  <input type="checkbox" name="news" value="yes">
  <button name="outcome" value="success">Pay</button>
  <button name="outcome" value="failure">Fail</button></form>
</body></html>
"""


@pytest.fixture
def page() -> Page:
    return Page("http://shop.example/order/", 200, PAGE)


def test_a_form_sends_its_fields_and_what_is_checked(page: Page) -> None:
    form = page.form(has="outcome")
    assert form.method == "post"
    assert form.values == {"token": "t", "method": "knet"}
    assert form.buttons == [("outcome", "success"), ("outcome", "failure")]


def test_forms_are_found_by_id_field_or_action(page: Page) -> None:
    assert page.form(id="first") is page.form(has="quantity") is page.form(action="/one/")


def test_what_is_not_there_is_told(page: Page) -> None:
    with pytest.raises(NotThere, match="no form amount"):
        page.form(has="amount")
    with pytest.raises(NotThere, match="no link"):
        page.link("Refund")


def test_links_are_found_by_text_or_id(page: Page) -> None:
    assert page.link("pay") == page.link("Pay") == "http://shop.example/pay/7"
    assert page.link("Other") == "http://shop.example/order/other/"


def test_texts_are_found_by_id(page: Page) -> None:
    assert page.texts["title"] == "Order 7"
    assert page.attributes["html"]["lang"] == "en"
