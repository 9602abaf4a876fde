from __future__ import annotations

from django.apps import AppConfig


class SoakConfig(AppConfig):
    name = "benchmarks.soak"
    label = "soak"

    def ready(self) -> None:
        from benchmarks.soak import hurry  # needs the models

        hurry.apply()
