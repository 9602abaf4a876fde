"""What an endpoint is given and how it answers or refuses (contract 1.3, 1.4)."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django_sadadpay.emulator.state import World

Auth = Literal["basic", "refresh", "access", "none"]

#: How well an endpoint's body is known (contract 0); its path alone is documented in any case.
Evidence = Literal["doc", "vendor", "observed", "assumed"]


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One call: ``body`` is the parsed JSON with Decimal numbers, ``faults`` the kinds that it meets."""

    query: Mapping[str, str]
    body: Any = None
    authorization: str = field(default="", repr=False)
    faults: frozenset[str] = frozenset()

    def asked(self, name: str) -> str:
        """A parameter of the query, whatever its case (assumed, as for paths); "" when missing."""
        return next((value.strip() for key, value in self.query.items() if key.lower() == name), "")

    def query_id(self) -> int:
        """``?id=``; 0 for what is not a number, which counts as missing."""
        text = self.asked("id")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


class Refusal(Exception):
    """The call is refused with an error key. Nothing was changed.

    ``is_valid`` True is Sadad's oddity of a missing id or an empty list (contract 1.3).
    """

    def __init__(
        self, error_key: str, *, is_valid: bool = False, status: int = 200, detail: Any = None
    ) -> None:
        super().__init__(error_key)
        self.error_key = error_key
        self.is_valid = is_valid
        self.status = status
        self.detail = detail


def wrong_object(name: str, sentence: str) -> Refusal:
    """HTTP 400 with a model-state object, for a body that does not bind (contract 1.3, 1.4)."""
    return Refusal("WrongObject", status=400, detail={name: [sentence]})


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint; its path and verb are documented in any case."""

    name: str
    verb: str
    auth: Auth = "access"
    _: KW_ONLY
    handler: Callable[[World, ApiRequest], Any]
    reads_body: bool = False
    evidence: Evidence = "assumed"

    @property
    def path(self) -> str:
        """The path under the API base, in the documented spelling."""
        return f"/{self.name}"
