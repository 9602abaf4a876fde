"""Handle the webhook calls that are stored and due."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_sadadpay.management.parsing import positive
from django_sadadpay.services import maintenance


class Command(BaseCommand):
    help = "Handle stored webhook calls that are due, oldest first. Exit code 1 if some have to wait."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=positive, default=500, help="at most so many calls (default 500)")

    def handle(self, *args: Any, **options: Any) -> None:
        result = maintenance.process_inbox(options["limit"])
        self.stdout.write(f"inbox: {result.handled} handled, {result.waiting} tried again later")
        if result.waiting:
            raise CommandError(f"{result.waiting} webhook calls are tried again later")
