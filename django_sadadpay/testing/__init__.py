"""A test kit for shops: ``pytest_plugins = ["django_sadadpay.testing.plugin"]`` in their ``conftest.py``.

Needs pytest, pytest-django, factory-boy and the ``emulator`` extra. Nothing heavy is imported before
a fixture is used.
"""
