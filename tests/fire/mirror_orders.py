"""Orders of events that once broke the mirrors, kept as walks: each is played in every run."""

from __future__ import annotations

from typing import Any

from tests.fire.mirror_walk import NONE, Step, Trouble


def _opens(start: str, *, asks: bool = False) -> Step:
    return Step("opens", {"asks": asks, "start": start})


def _shop(what: str, model: str, name: str = "Coffee", number: int = 0, which: int = 0) -> Step:
    values: dict[str, Any] = {"what": what, "model": model, "which": which, "name": name, "number": number}
    return Step("shop_changes", {**values, "end": "commit"})


def _pushes(seconds: int = 1, **trouble: Any) -> Step:
    return Step("pushes_later", {"seconds": seconds, "trouble": Trouble(**trouble)})


def _pulls(**trouble: Any) -> Step:
    return Step("pulls", {"trouble": Trouble(**trouble), "dry_run": False, "details": True})


def _now(which: int) -> Step:
    return Step("pushes_one_now", {"which": which, "trouble": NONE})


def _lost(endpoint: str, kind: str = "cut_after") -> dict[str, Any]:
    return {"fault": (endpoint, kind, {"status": 503} if kind == "error_before" else {})}


def _panel_edits(folder: str, name: str) -> Step:
    return Step("panel", {"what": "edits", "folder": folder, "which": 0, "name": name})


ORDERS: dict[str, list[Step]] = {
    "a name changes while its insert is unanswered": [
        _opens("empty"),
        _shop("create", "Category"),
        _pushes(**_lost("ProductCategory/insert")),
        _shop("edit", "Category", "Tea"),
        _pushes(61),
        _pushes(61),
    ],
    "it is renamed and deleted while its insert is unanswered": [
        _opens("empty"),
        _shop("create", "Category"),
        _pushes(**_lost("ProductCategory/insert")),
        _shop("edit", "Category", "Tea"),
        _shop("delete", "Category"),
        _pushes(61),
        _pushes(61),
    ],
    "its parent is renamed while its insert is unanswered": [
        _opens("empty"),
        _shop("create", "Category"),
        _shop("create", "Product", "Tea"),
        _pushes(**_lost("Product/insert")),
        _shop("edit", "Category", "Tea"),
        _pushes(61),
        _pushes(61),
    ],
    "its parent is renamed in the panel while its insert is unanswered": [
        _opens("empty"),
        _shop("create", "Category"),
        _shop("create", "Product", "Tea"),
        _pushes(**_lost("Product/insert")),
        _panel_edits("ProductCategory", "شاي"),
        _pushes(61),
        _pushes(61),
    ],
    "a pull comes while its insert is unanswered and its name has changed": [
        _opens("empty"),
        _shop("create", "Category"),
        _pushes(**_lost("ProductCategory/insert")),
        _shop("edit", "Category", "Tea"),
        _pulls(),
        _pushes(61),
    ],
    "a parent goes and its child stays": [_opens("made"), _pushes(), _shop("let_go", "Client", number=37)],
    "a category goes and its products are moved without a word": [
        _opens("made"),
        _shop("create", "Category", "Tea"),
        _pushes(),
        _shop("let_go", "Category", number=36),
    ],
    "a link lists nothing any more": [_opens("synced"), _shop("hide", "Product", which=1)],
    "an update is lost of which the read shows nothing": [
        _opens("synced"),
        _shop("edit", "Choice", "شاي", number=38),
        _pushes(**_lost("ProductLink/update", "error_before")),
        _pushes(61),
    ],
    "push now after a lost answer": [
        _opens("empty"),
        _shop("create", "Client"),
        _pushes(**_lost("Customer/insert", "error_before")),
        _now(0),
        _pushes(61),
    ],
    "an edit and push now while a person is asked": [
        _opens("synced", asks=True),
        _panel_edits("ProductCategory", "Tea"),
        _shop("edit", "Category", "شاي"),
        _pulls(),
        *[_now(which) for which in range(7)],
        _shop("edit", "Category", "Coffee"),
        *[_now(which) for which in range(7)],
        _pushes(61),
    ],
    "an edit in the panel that no pull has seen": [
        _opens("synced", asks=True),
        _panel_edits("ProductCategory", "Tea"),
        _shop("edit", "Category", "شاي"),
        _pushes(),
        _pulls(),
    ],
    **{
        f"another push comes between select and claim of phase {skip}": [
            _opens("made"),
            _pushes(point="push.selected", skip=skip, meanwhile="push"),
        ]
        for skip in range(6)
    },
    **{
        f"an edit is pushed after {statements} statements of a pull": [
            _opens("synced"),
            _shop("edit_a_value", "Product", number=1),
            _pushes(),
            _pulls(statements=statements, meanwhile="edit and push", which=11),
        ]
        for statements in (12, 18, 24, 30)
    },
}
