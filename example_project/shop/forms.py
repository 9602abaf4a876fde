from __future__ import annotations

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from example_project.shop.basket import MOST

_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789")
_is_phone = RegexValidator(r"^(\+|00)?[0-9]{8,14}$", _("Write the number with its 8 digits, like 5123 4567."))


class PhoneField(forms.CharField):
    """Digits as people type them: with blanks, dashes, or in Arabic."""

    default_validators = [_is_phone]

    def to_python(self, value: object) -> str:
        text = str(value or "").translate(_DIGITS)
        return text.replace(" ", "").replace("-", "")


class CheckoutForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100, widget=forms.TextInput({"autocomplete": "name"}))
    phone = PhoneField(
        label=_("Phone"), max_length=20, widget=forms.TextInput({"autocomplete": "tel", "inputmode": "tel"})
    )
    email = forms.EmailField(
        label=_("E-mail"), required=False, widget=forms.EmailInput({"autocomplete": "email"})
    )


class QuantityForm(forms.Form):
    quantity = forms.IntegerField(min_value=0, max_value=MOST)
