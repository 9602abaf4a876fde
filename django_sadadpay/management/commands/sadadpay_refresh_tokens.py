"""Renew access tokens before they run out; with ``TASK_RUNNER = "inline"``, run it every ten minutes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_sadadpay.services import maintenance


class Command(BaseCommand):
    help = "Make sure that every account has an access token that lasts. Exit code 1 if one has none."

    def handle(self, *args: Any, **options: Any) -> None:
        done = maintenance.refresh_tokens()
        for name, worked in done.items():
            self.stdout.write(f"tokens: account {name}: {'ok' if worked else 'NO TOKEN'}")
        if not all(done.values()):
            raise CommandError("an account has no token; sadadpay_doctor says why")
