"""A stateful stand-in for SadadPay over real HTTP, written from the wire contract and not from our client.

It needs the extra ``emulator`` and neither Django nor a database::

    from django_sadadpay.emulator import Emulator

    with Emulator(deliver="manual") as emulator:
        ...  # point API_URL at emulator.api_url and PAY_URL at emulator.pay_url
        emulator.control.pay(invoice_id)
        emulator.control.faults.add("Refund/insert", "cut_after", times=1)

README.md beside this file says what it answers, what it assumes and which faults there are.
"""

from __future__ import annotations

try:
    from django_sadadpay.emulator.server import Emulator
except ModuleNotFoundError as error:
    if error.name is None or not error.name.startswith("werkzeug"):
        raise
    raise ModuleNotFoundError(
        "the emulator needs Werkzeug: pip install 'django-sadadpay[emulator]'", name=error.name
    ) from error

from django_sadadpay.emulator.control import UnknownInvoice
from django_sadadpay.emulator.protocol import Refusal

__all__ = ["Emulator", "Refusal", "UnknownInvoice"]
