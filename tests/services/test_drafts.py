from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from math import floor
from typing import Any
from unittest.mock import patch

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.utils import translation
from django.utils.translation import gettext_lazy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from django_sadadpay import conf, money
from django_sadadpay.models import CurrencyRate
from django_sadadpay.registry import Customer, DraftError, InvoiceDraft, Line, Payable
from django_sadadpay.services import clock, drafts, rates
from django_sadadpay.services.drafts import Plan, PlanLine
from django_sadadpay.services.errors import NothingToPay
from tests.shop.models import Order

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
NOOR = Customer("Noor Al-Sabah")
calm = settings(max_examples=100, deadline=None)


class _Shop(Payable[Any]):
    """Gives the draft that it was made with."""

    name, model = "order", Order

    def __init__(self, draft: Any) -> None:
        self.made = draft

    def draft(self, obj: Any) -> InvoiceDraft:
        return self.made  # type: ignore[no-any-return]  # a wrong type is one of the cases


class _Donations(_Shop):
    name, model = "donation", None  # type: ignore[assignment]  # narrower in the class above


def draft(**values: Any) -> InvoiceDraft:
    return InvoiceDraft(**{"reference": "A-1", "amount": "10.000", "customer": NOOR, **values})


def plan(made: Any = None, /, **values: Any) -> Plan:
    return drafts.plan(_Shop(made or draft(**values)), Order(pk=7), NOW)


def refused(**values: Any) -> DraftError:
    with pytest.raises(DraftError) as raised:
        plan(**values)
    return raised.value


@contextmanager
def rate_of(rate: str | Decimal) -> Iterator[None]:
    with patch.object(rates, "rate", return_value=Decimal(rate)):
        yield


# Lines (money-flow 10)

prices = st.integers(-20_000, 200_000).map(money.from_fils) | st.just(Decimal(0))
quantities = st.integers(1, 12) | st.decimals("0.001", "12", places=3) | st.just(Decimal("2.0"))


@st.composite
def baskets(draw: st.DrawFn) -> tuple[list[Line], Decimal]:
    """Lines with discounts, zero lines and broken quantities, and the amount a shop would ask for them."""
    pairs = draw(st.lists(st.tuples(prices, quantities), max_size=8))
    lines = [Line(f"line {i}", price, quantity) for i, (price, quantity) in enumerate(pairs)]
    exact = sum((exact_total(line) for line in lines), Fraction(0))
    amount = money.from_fils(floor(exact * 1000 + Fraction(1, 2)))
    assume(amount > 0)
    return lines, amount


def exact_total(line: Line) -> Fraction:
    return Fraction(Decimal(line.price)) * Fraction(line.quantity)


def exact_shares(lines: list[Line], kwd: Decimal) -> dict[str, Fraction]:
    """Each bearing line's share of the KWD amount in fils, reckoned without decimals."""
    bearing = {line.name: exact_total(line) * 1000 for line in lines if exact_total(line) > 0}
    weights = {name: max(1, floor(total + Fraction(1, 2))) for name, total in bearing.items()}
    return {name: Fraction(kwd) * 1000 * weight / sum(weights.values()) for name, weight in weights.items()}


def total_fils(lines: tuple[PlanLine, ...]) -> int:
    return sum(money.fils(line.amount) * line.quantity for line in lines)


def check(made: Plan, lines: list[Line]) -> None:
    assert made.lines
    assert all(line.amount > 0 and line.quantity >= 1 for line in made.lines)
    assert total_fils(made.lines) == money.fils(made.amount)
    sent = {line.name.rsplit(" × ", 1)[-1]: line for line in made.lines}
    shares = exact_shares(lines, made.amount)
    if not shares:
        assert made.lines == (PlanLine("A-1", 1, made.amount),)
        return
    assert set(sent) <= set(shares)
    for name, share in shares.items():
        bears = money.fils(sent[name].amount) * sent[name].quantity if name in sent else 0
        assert abs(bears - share) < 1


@calm
@given(baskets())
def test_every_line_is_above_zero_and_they_add_up_to_the_fils(basket: tuple[list[Line], Decimal]) -> None:
    lines, amount = basket
    made = plan(amount=amount, lines=lines)
    assert made.amount == made.shop_amount == amount
    check(made, lines)


@calm
@given(baskets(), st.integers(1, 10**12).map(lambda n: Decimal(n).scaleb(-9)))
def test_they_do_so_in_any_currency_at_any_rate(basket: tuple[list[Line], Decimal], rate: Decimal) -> None:
    lines, amount = basket
    kwd = floor(Fraction(amount) * Fraction(rate) * 1000 + Fraction(1, 2))
    if kwd == 0:  # less than half a fils is nothing to pay
        rate, kwd = Decimal(1), money.fils(amount)
    with rate_of(rate):
        made = plan(amount=amount, lines=lines, currency="USD")
    assert (money.fils(made.amount), made.shop_amount, made.rate) == (kwd, amount, rate)
    check(made, lines)


@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(1, 999)), min_size=1, max_size=9))
@settings(deadline=None)
def test_plain_dinar_lines_are_sent_as_they_are(pairs: list[tuple[int, int]]) -> None:
    lines = [Line(f"line {i}", money.from_fils(price), count) for i, (price, count) in enumerate(pairs)]
    amount = money.from_fils(sum(price * count for price, count in pairs))
    sent = [(line.name, line.amount, line.quantity) for line in plan(amount=amount, lines=lines).lines]
    assert sent == [(line.name, line.price, line.quantity) for line in lines]


def test_a_thread_with_a_small_precision_changes_no_line() -> None:
    lines = [Line("Ring", "123456.789", Decimal("2.5")), Line("Box", "0.001", 3)]
    with localcontext(Context(prec=3)):
        made = plan(amount="308641.976", lines=lines)
    assert made.lines == (
        PlanLine("2.5 × Ring", 1, Decimal("308641.973")),
        PlanLine("Box", 3, Decimal("0.001")),
    )


def test_a_discount_is_spread_and_a_zero_line_is_left_out() -> None:
    lines = [Line("Coffee", "3.000", 2), Line("Gift", 0), Line("Cake", "4.000"), Line("Coupon", "-1.000")]
    assert plan(amount="9.000", lines=lines).lines == (
        PlanLine("Coffee", 2, Decimal("2.700")),
        PlanLine("Cake", 1, Decimal("3.600")),
    )


def test_what_is_no_whole_price_times_quantity_is_folded_into_the_name() -> None:
    lines = [Line("Coffee", "1.000", 3), Line("Cheese", "2.000", Decimal("0.250")), Line("Off", "-0.001")]
    assert [(line.name, line.quantity) for line in plan(amount="3.499", lines=lines).lines] == [
        ("3 × Coffee", 1),
        ("0.25 × Cheese", 1),
    ]


def test_a_broken_quantity_may_be_rounded_by_the_shop_but_no_more_than_a_fils() -> None:
    lines = [Line("Cheese", "1.000", Decimal("0.3335")), Line("Olives", "1.000", Decimal("0.3335"))]
    for amount in ("0.665", "0.667", "0.668", "0.669"):
        assert plan(amount=amount, lines=lines).amount == Decimal(amount)
    assert refused(amount="0.664", lines=lines).field == "lines"
    assert refused(amount="0.670", lines=lines).field == "lines"


def test_a_share_of_no_fils_is_left_out_and_the_rest_still_adds_up() -> None:
    with rate_of("0.001"):
        made = plan(amount="100.001", currency="IQD", lines=[Line("Ring", "100.000"), Line("Box", "0.001")])
    assert made.lines == (PlanLine("Ring", 1, Decimal("0.100")),)


def test_one_line_carries_the_amount_where_there_are_none() -> None:
    assert plan().lines == (PlanLine("A-1", 1, Decimal("10.000")),)
    assert plan(reference=" ").lines == (PlanLine("–", 1, Decimal("10.000")),)
    tiny = [Line("Off", "-0.001", Decimal("0.1")), Line("Off", "-0.001", Decimal("0.1"))]
    assert plan(amount="0.001", lines=tiny).lines == (PlanLine("A-1", 1, Decimal("0.001")),)


def test_names_are_tidied_and_cut_to_what_the_column_holds() -> None:
    lines = [
        Line("  Iced \n coffee ", 1),
        Line("", 1),
        Line("x" * 500, 2, 3),
        Line("y" * 500, 1, Decimal("1.5")),
    ]
    sent = plan(amount="9.500", lines=lines).lines
    assert [line.name for line in sent[:3]] == ["Iced coffee", "–", "x" * 200]
    assert sent[3].name == "1.5 × " + "y" * 194


def test_a_lazily_translated_name_is_text() -> None:
    made = plan(lines=[Line(gettext_lazy("Delivery"), 10)])  # type: ignore[arg-type]  # shops do it
    assert made.lines[0].name == "Delivery"


def test_lines_may_be_a_generator() -> None:
    assert len(plan(lines=(Line(name, 5) for name in ("a", "b"))).lines) == 2


def test_suppliers_make_it_a_multi_supplier_invoice() -> None:
    made = plan(lines=[Line("a", 5, supplier_id=12), Line("b", 5, supplier_id=13), Line("gift", 0)])
    assert [line.supplier_id for line in made.lines] == [12, 13]
    assert made.kind == "MultiVendorInvoice"
    assert plan().kind == "Invoice"


def test_a_line_without_a_supplier_beside_one_with_is_refused() -> None:
    error = refused(lines=[Line("a", 5, supplier_id=12), Line("b", 5)])
    assert (error.field, error.problem) == ("lines.supplier_id", "must be on every line, or on none")


def test_a_quantity_of_whole_numbers_written_as_a_decimal_stays_a_quantity() -> None:
    assert plan(lines=[Line("a", 5, Decimal("2.00"))]).lines == (PlanLine("a", 2, Decimal("5.000")),)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (Line("a", 10.0), "lines.price"),  # type: ignore[arg-type]  # the fault
        (Line("a", "10.0001"), "lines.price"),
        (Line("a", "NaN"), "lines.price"),
        (Line("a", True), "lines.price"),
        (Line("a", 10, 1.0), "lines.quantity"),  # type: ignore[arg-type]  # the fault
        (Line("a", 10, True), "lines.quantity"),
        (Line("a", 10, "1"), "lines.quantity"),  # type: ignore[arg-type]  # the fault
        (Line("a", 10, 0), "lines.quantity"),
        (Line("a", 10, -1), "lines.quantity"),
        (Line("a", 10, Decimal("NaN")), "lines.quantity"),
        (Line("a", 10, Decimal("Infinity")), "lines.quantity"),
        (Line("a", 10, Decimal("1E-31")), "lines.quantity"),
        (Line("a", 10, Decimal("1E+999999")), "lines.quantity"),
        (Line("a", 10, 2_147_483_648), "lines.quantity"),
        (Line("a", "999999999999", 2), "lines"),
        (Line("a", 9), "lines"),
        (Line("a\x00", 10), "lines.name"),
        (Line("a\ud800", 10), "lines.name"),
        (Line("a" * 10_001, 10), "lines.name"),
        (Line("a", 10, supplier_id=0), "lines.supplier_id"),
        (Line("a", 10, supplier_id=2**63), "lines.supplier_id"),
        (Line("a", 10, supplier_id=True), "lines.supplier_id"),
        (Line("a", 10, supplier_id="12"), "lines.supplier_id"),  # type: ignore[arg-type]  # the fault
        ({"name": "a"}, "lines"),
    ],
)
def test_a_line_that_cannot_be_used_names_its_field(line: Any, field: str) -> None:
    assert refused(lines=[line]).field == field


def test_lines_that_do_not_add_up_say_by_how_much() -> None:
    error = refused(lines=[Line("a", "4.000"), Line("b", "5.999")])
    assert (error.field, error.problem) == ("lines", "add up to 9.999, but the amount is 10.000")


@pytest.mark.parametrize("lines", [None, 5])
def test_lines_that_are_no_lines_are_refused(lines: Any) -> None:
    assert refused(lines=lines).field == "lines"


# The digest (money-flow 3.1)


def lines_of(supplier: int | None) -> st.SearchStrategy[list[Line]]:
    line = st.builds(
        Line,
        st.sampled_from(["Coffee", " Coffee", "Cake", "x" * 200, "x" * 201]),
        st.sampled_from(["1", "1.000", "2", "-0.500", "0"]),
        st.sampled_from([1, 2, Decimal("1.0"), Decimal("1.5")]),
        st.just(supplier),
    )
    return st.lists(line, min_size=1, max_size=3)


few_lines = lines_of(None) | lines_of(5) | lines_of(6)


def digest_of(lines: list[Line]) -> tuple[str, tuple[PlanLine, ...]]:
    total = sum(Decimal(line.price) * line.quantity for line in lines)
    assume(total > 0)
    made = plan(amount=total, lines=lines)
    return made.digest, made.lines


@calm
@given(few_lines, few_lines)
def test_the_digest_changes_if_and_only_if_the_basket_looks_different(
    one: list[Line], other: list[Line]
) -> None:
    (digest, seen), (another, seen_too) = digest_of(one), digest_of(other)
    assert (digest == another) == (seen == seen_too)


def test_the_digest_changes_with_nothing_but_the_basket() -> None:
    lines = [Line("Ring", "7.000"), Line("Box", "3.000")]
    with rate_of("0.31"):
        first = plan(currency="USD", lines=lines)
    with rate_of("0.0003"):
        second = plan(
            currency="USD", lines=[*lines, Line("Gift", 0)], customer=Customer("Salem"), language="ar",
            comment="Thank you", reference="B-2", expires_on=date(2026, 5, 1),
        )  # fmt: skip
    assert first.amount != second.amount
    assert first.digest == second.digest
    assert len(first.digest) == 64


# The rest of the draft


def test_a_plan_holds_what_the_invoice_needs() -> None:
    made = plan(amount="2.5", purpose="deposit", language="ar", comment="Thanks", send="SMS")
    assert (made.object_id, made.purpose, made.shop_reference) == ("7", "deposit", "A-1")
    assert (made.slot, made.object_key) == ("order:7:deposit", "order:7")
    assert (made.currency, made.rate, made.amount) == ("KWD", Decimal(1), Decimal("2.500"))
    assert (made.language, made.account.name) == ("ar", "default")
    assert made.request == {"send": "SMS", "comment": "Thanks"}
    assert made.customer == {"name": "Noor Al-Sabah", "mobile": "", "email": ""}
    assert "Noor" not in repr(made)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"amount": 10.0}, "amount"),
        ({"amount": "10.0001"}, "amount"),
        ({"amount": Decimal("NaN")}, "amount"),
        ({"amount": "ten"}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"reference": "r" * 101}, "reference"),
        ({"reference": "r\x00"}, "reference"),
        ({"reference": None}, "reference"),
        ({"purpose": "p" * 51}, "purpose"),
        ({"purpose": "\x00"}, "purpose"),
        ({"purpose": None}, "purpose"),
        ({"currency": "KW"}, "currency"),
        ({"currency": "K1D"}, "currency"),
        ({"currency": "درهم"}, "currency"),
        ({"currency": None}, "currency"),
        ({"language": "de"}, "language"),
        ({"language": "english"}, "language"),
        ({"language": 5}, "language"),
        ({"customer": "Noor"}, "customer"),
        ({"customer": Customer("")}, "customer.name"),
        ({"customer": Customer(" \n ")}, "customer.name"),
        ({"customer": Customer(None)}, "customer.name"),  # type: ignore[arg-type]  # the fault
        ({"customer": Customer("n" * 201)}, "customer.name"),
        ({"customer": Customer("Noor\x00")}, "customer.name"),
        ({"customer": Customer("Noor\udfff")}, "customer.name"),
        ({"customer": Customer("Noor", mobile="12")}, "customer.mobile"),
        ({"customer": Customer("Noor", mobile="+123456789012345")}, "customer.mobile"),
        ({"customer": Customer("Noor", mobile="5000 000x")}, "customer.mobile"),
        ({"customer": Customer("Noor", mobile="++96550000001")}, "customer.mobile"),
        ({"customer": Customer("Noor", mobile="५५५५५")}, "customer.mobile"),
        ({"customer": Customer("Noor", email="noor")}, "customer.email"),
        ({"customer": Customer("Noor", email="noor@")}, "customer.email"),
        ({"customer": Customer("Noor", email="no or@example.com")}, "customer.email"),
        ({"customer": Customer("Noor", email="a@b@example.com")}, "customer.email"),
        ({"customer": Customer("Noor", email="n" * 250 + "@a.kw")}, "customer.email"),
        ({"customer": Customer("Noor", email="n\x00@a.kw")}, "customer.email"),
        ({"expires_on": date(2026, 3, 31)}, "expires_on"),
        ({"expires_on": datetime(2026, 5, 1, tzinfo=UTC)}, "expires_on"),
        ({"expires_on": "2026-05-01"}, "expires_on"),
        ({"expires_on": date.max}, "expires_on"),
        ({"send": "Pigeon"}, "send"),
        ({"send": None}, "send"),
        ({"comment": "c" * 501}, "comment"),
        ({"comment": "\x00"}, "comment"),
        ({"comment": None}, "comment"),
    ],
)
def test_what_cannot_be_used_is_refused_by_the_name_of_its_field(values: dict[str, Any], field: str) -> None:
    error = refused(**values)
    assert error.field == field
    assert not any(private in str(error) for private in ("Noor", "noor", "9655", "5000"))


def test_a_wrong_amount_says_what_is_wrong_with_it_once() -> None:
    assert str(refused(amount=1.5)) == "amount: give a Decimal, int or text, not float"


def test_nothing_to_pay_is_not_a_fault_of_the_draft() -> None:
    with pytest.raises(NothingToPay):
        plan(amount=0)


def test_a_draft_of_another_kind_is_the_developers_fault() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"order: draft\(\) must return an InvoiceDraft"):
        plan({"amount": 1})


def test_an_account_that_does_not_exist_is_the_developers_fault() -> None:
    class Elsewhere(_Shop):
        def account(self, obj: Any) -> str:
            return "elsewhere"

    with pytest.raises(ImproperlyConfigured, match=r"no account 'elsewhere'"):
        drafts.plan(Elsewhere(draft()), Order(pk=7), NOW)


def test_the_shops_number_may_be_a_number() -> None:
    assert plan(reference=1042).shop_reference == "1042"


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("", ""),
        (None, ""),
        ("+96550000001", "+96550000001"),
        ("+965 5000-0001", "+96550000001"),
        ("(965) 5000.0001", "96550000001"),
        ("٩٦٥٥٠٠٠٠٠٠١", "96550000001"),
        ("+۹۶۵۵۰۰۰۰۰۰۱", "+96550000001"),
        ("\u200e+965\u00a05000\u20110001\u202c", "+96550000001"),
        ("123", "123"),
        (50000001, "50000001"),
    ],
)
def test_phone_numbers_are_written_in_ascii_digits(written: Any, sent: str) -> None:
    assert plan(customer=Customer("Noor", mobile=written)).customer["mobile"] == sent


def test_names_and_addresses_lose_blanks_around_them() -> None:
    made = plan(customer=Customer("  نور \n الصباح ", email=" noor@example.com "))
    assert made.customer == {"name": "نور الصباح", "mobile": "", "email": "noor@example.com"}


@pytest.mark.parametrize(
    ("asked", "active", "sent"),
    [
        ("", "ar", "ar"),
        ("", "ar-kw", "ar"),
        ("", "de", "en"),
        ("", None, "en"),
        ("en", "ar", "en"),
        ("AR", "en", "ar"),
        ("ar-KW", "en", "ar"),
        ("en_US", "ar", "en"),
    ],
)
def test_the_pay_page_speaks_the_drafts_or_else_the_active_language(
    asked: str, active: str | None, sent: str
) -> None:
    with translation.override(active):
        assert plan(language=asked).language == sent


def test_a_link_is_good_until_the_end_of_its_last_day_in_kuwait() -> None:
    assert plan(expires_on=date(2026, 4, 1)).expires_at == datetime(2026, 4, 1, 21, tzinfo=UTC)
    assert plan().expires_at == datetime(2026, 4, 4, 21, tzinfo=UTC)
    late = datetime(2026, 4, 1, 22, tzinfo=UTC)  # already April 2 in Kuwait
    made = drafts.plan(_Shop(draft()), Order(pk=7), late)
    assert made.expires_at == datetime(2026, 4, 5, 21, tzinfo=UTC)


def test_a_last_day_that_is_all_but_over_is_refused() -> None:
    made = _Shop(draft(expires_on=date(2026, 4, 1)))
    in_time = datetime(2026, 4, 1, 19, tzinfo=UTC)  # its end is at 21:00 UTC
    assert drafts.plan(made, Order(pk=7), in_time).expires_at == datetime(2026, 4, 1, 21, tzinfo=UTC)
    with pytest.raises(DraftError, match="expires_on: has less than two hours left"):
        drafts.plan(made, Order(pk=7), in_time + timedelta(seconds=1))


def test_how_long_links_are_good_is_a_setting() -> None:
    base = {"ACCOUNTS": {"default": {"CLIENT_KEY": "k", "CLIENT_SECRET": "s", "ENVIRONMENT": "live"}}}
    base["ACCOUNTS"]["default"]["WEBHOOK_SECRET"] = "w"
    with override_settings(SADADPAY={**base, "INVOICE_VALID_DAYS": 10}):
        assert plan().expires_at == datetime(2026, 4, 11, 21, tzinfo=UTC)


def test_a_payable_without_a_model_is_known_by_its_key() -> None:
    made = drafts.plan(_Donations(draft(key="well-3")), "well-3", NOW)
    assert (made.object_id, made.slot) == ("well-3", "donation:well-3:")


@pytest.mark.parametrize("key", ["", "k" * 256, "k\x00"])
def test_a_key_that_cannot_be_used_is_refused(key: str) -> None:
    with pytest.raises(DraftError) as raised:
        drafts.plan(_Donations(draft(key=key)), key, NOW)
    assert raised.value.field == "key"


def test_an_object_must_be_saved_first() -> None:
    with pytest.raises(DraftError) as raised:
        drafts.plan(_Shop(draft()), Order(), NOW)
    assert raised.value.field == "pk"


# Currencies


def test_a_foreign_amount_below_one_fils_is_refused() -> None:
    with rate_of("0.0004"):
        error = refused(amount="0.999", currency="IRR")
    assert str(error) == "amount: 0.999 IRR is less than one fils"


def test_a_foreign_amount_too_large_in_dinars_is_refused() -> None:
    with rate_of("10"):
        error = refused(amount="999999999999.999", currency="XAU")
    assert error.field == "amount"
    assert "is too large" in error.problem


def test_a_draft_that_cannot_be_used_asks_for_no_rate() -> None:
    with patch.object(rates, "rate", side_effect=AssertionError("asked")):
        assert refused(currency="USD", lines=[Line("a", 1)]).field == "lines"


@pytest.mark.django_db
def test_the_stored_rate_is_used_and_kept_with_the_plan() -> None:
    CurrencyRate.objects.create(
        environment="sandbox", code="USD", rate=Decimal("0.3075"), fetched_at=clock.now()
    )
    made = drafts.plan(_Shop(draft(amount="1.000", currency="usd")), Order(pk=7), clock.now())
    assert (made.currency, made.shop_amount) == ("USD", Decimal("1.000"))
    assert (made.rate, made.amount) == (Decimal("0.3075"), Decimal("0.308"))


def test_a_plan_is_frozen() -> None:
    made = plan()
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.amount = Decimal(1)  # type: ignore[misc]  # the point
    assert isinstance(made.account, conf.Account)
    assert made.expires_at - NOW > timedelta(days=2)
