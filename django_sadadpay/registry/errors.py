"""What is raised for a draft that cannot be used."""

from __future__ import annotations


class DraftError(ValueError):
    """A draft that cannot be sent. ``field`` names what to mend; nothing was stored or sent."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field, self.problem = field, problem
