"""Emulator, shop and Celery worker as real processes: for people, ``--check`` and the browser tests."""
