"""What happens in a walk, drawn from a seed: steps that can be shown, shortened and played again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from random import Random
from typing import Any

from tests.fire.mirror_world import FOLDERS, NAMES, SHOP, SHOP_ACTS

#: Endpoint, kind of fault, its options.
Fault = tuple[str, str, dict[str, Any]]
MODELS = {model.__name__: model for model in SHOP}
#: Longer and shorter than an answer is waited for, a lease, and the pauses after failures.
PAUSES = (1, 59, 61, 121, 185, 400, 1000, 4000, 22_000, 90_000)
FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("cut_after", {}),
    ("cut_after", {}),
    ("error_after", {"status": 502}),
    ("unreadable", {"body": "html"}),
    ("unreadable", {"body": "empty"}),
    ("cut_before", {}),
    ("error_before", {"status": 503}),
    ("error_before", {"status": 500}),
    ("latency", {"seconds": 30.0}),
    ("rate_limited", {"retry_after": 1}),
    ("rate_limited", {"retry_after": None}),
    ("unauthorized_401", {}),
    ("unauthorized_200", {}),
    ("refuse", {"error_key": "Error "}),
    ("refuse", {"error_key": "NameEnRequired"}),
)
VERBS = ("insert", "insert", "insert", "update", "delete", "getall", "read")
TOKENS = ("User/GenerateAccessToken", "User/GenerateRefreshToken")
POINTS = ("push.selected", "push.claimed", "push.answered", "push.stored")
#: What somebody else does at such a moment, or between two statements.
MEANWHILE = (
    "push",
    "push",
    "push now",
    "lost push",
    "pull",
    "edit",
    "edit and push",
    "delete",
    "delete and push",
    "comes_back",
    "comes_back and push",
    "panel edits",
    "panel deletes",
    "decide",
)
ENDS = ("commit", "commit", "commit", "commit", "rollback", "savepoint")


@dataclass(frozen=True)
class Trouble:
    """What happens to one process: a fault, its death before a statement or call, or somebody else's action
    at a point or between two statements.
    """

    fault: Fault | None = None
    times: int = 1
    skip: int = 0
    kill: int | None = None
    point: str = ""
    statements: int | None = None
    meanwhile: str = ""
    which: int = 0

    def __repr__(self) -> str:
        said = [f"{f.name}={v!r}" for f in fields(self) if (v := getattr(self, f.name)) != f.default]
        return f"Trouble({', '.join(said)})"


NONE = Trouble()


@dataclass(frozen=True)
class Step:
    """A call of ``MirrorFire``'s method ``what``."""

    what: str
    values: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Step({self.what!r}, {self.values!r})"


def _fault(luck: Random) -> Fault:
    folder, verb = luck.choice([*FOLDERS.values(), "PaymentLink"]), luck.choice(VERBS)
    if verb == "read":
        verb = "getbykey" if folder in ("ProductLink", "PaymentLink") else "getbyid"
    place = luck.choice(TOKENS) if luck.random() < 0.15 else f"{folder}/{verb}"
    return (place, *luck.choice(FAULTS))


def _trouble(luck: Random) -> Trouble:
    other: dict[str, Any] = {"meanwhile": luck.choice(MEANWHILE), "which": luck.randrange(60)}
    fault: dict[str, Any] = {
        "fault": _fault(luck),
        "times": luck.randint(1, 3),
        "skip": luck.choice((0, 0, 1)),
    }
    found: Sequence[Callable[[], Trouble]] = (
        lambda: NONE,
        lambda: Trouble(**fault),
        lambda: Trouble(**fault),
        lambda: Trouble(kill=luck.randrange(60)),
        lambda: Trouble(**fault, kill=luck.randrange(5, 60)),
        lambda: Trouble(point=luck.choice(POINTS), skip=luck.randrange(3), **other),
        lambda: Trouble(point=luck.choice(POINTS), skip=luck.randrange(3), **other),
        lambda: Trouble(statements=luck.randrange(50), **other),
    )
    return luck.choice(found)()


def _shop(luck: Random) -> dict[str, Any]:
    what = luck.choice([*SHOP_ACTS, "create", "create", "edit", "edit"])
    model = luck.choice([*MODELS, "Product", "Category"])
    return {
        "what": what,
        "model": model,
        **_named(luck),
        "number": luck.randrange(60),
        "end": luck.choice(ENDS),
    }


def _named(luck: Random) -> dict[str, Any]:
    return {"which": luck.randrange(60), "name": luck.choice(NAMES)}


def _troubled(luck: Random) -> dict[str, Any]:
    return {"trouble": _trouble(luck)}


#: Step → (weight, what it is called with).
_STEPS: dict[str, tuple[int, Callable[[Random], dict[str, Any]]]] = {
    "shop_changes": (12, _shop),
    "pushes": (5, _troubled),
    "pushes_later": (6, lambda luck: {"seconds": luck.choice(PAUSES), **_troubled(luck)}),
    "pushes_one_now": (2, lambda luck: {"which": luck.randrange(60), **_troubled(luck)}),
    "syncs_one_now": (1, lambda luck: {"model": luck.choice([*MODELS]), **_named(luck), **_troubled(luck)}),
    "pulls": (
        4,
        lambda luck: {**_troubled(luck), "dry_run": luck.random() < 0.15, "details": luck.random() < 0.8},
    ),
    "fault": (1, lambda luck: {"fault": _fault(luck), "times": luck.randint(1, 3)}),
    "inserts_are_answered_otherwise": (
        1,
        lambda luck: {"reply": luck.choice(("object", "id", "text", "true"))},
    ),
    "panel": (
        3,
        lambda luck: {
            "what": luck.choice(("creates", "edits", "edits", "deletes")),
            "folder": luck.choice([*FOLDERS.values(), "PaymentLink"]),
            **_named(luck),
        },
    ),
    "staff_acts": (
        3,
        lambda luck: {
            "what": luck.choice(
                ("link", "category", "change", "change", "remove", "look", "insist", "hurry")
            ),
            **_named(luck),
            **_troubled(luck),
        },
    ),
    "staff_decides": (
        3,
        lambda luck: {"which": luck.randrange(60), "action": luck.randrange(6), **_troubled(luck)},
    ),
}


def plan(seed: int, steps: int) -> list[Step]:
    """The steps of a walk."""
    luck = Random(seed)
    start = {"asks": luck.random() < 0.5, "start": luck.choice(("empty", "made", "synced", "synced"))}
    names = luck.choices([*_STEPS], [weight for weight, _ in _STEPS.values()], k=steps)
    return [Step("opens", start), *(Step(name, _STEPS[name][1](luck)) for name in names)]


def shorten(steps: list[Step], breaks: Callable[[list[Step]], bool], tries: int = 400) -> list[Step]:
    """Leave out what is not needed to break it; the first step stays."""
    size = len(steps) // 2
    while size and tries > 0:
        at = 1
        while at < len(steps) and tries > 0:
            fewer = steps[:at] + steps[at + size :]
            tries -= 1
            if len(fewer) < len(steps) and breaks(fewer):
                steps = fewer
            else:
                at += size
        size //= 2
    return _calmed(steps, breaks)


def _calmed(steps: list[Step], breaks: Callable[[list[Step]], bool]) -> list[Step]:
    """Without the troubles that are not needed."""
    for at, step in enumerate(steps):
        if step.values.get("trouble", NONE) != NONE:
            calm = [*steps[:at], Step(step.what, {**step.values, "trouble": NONE}), *steps[at + 1 :]]
            steps = calm if breaks(calm) else steps
    return steps
