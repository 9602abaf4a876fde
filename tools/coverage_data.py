"""Branch coverage over two environments: ``forget`` one's earlier data, ``report`` on both together.

What decides about money must be covered wholly; some branches only PostgreSQL or SQLite reaches.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import coverage

WHOLE = [
    "django_sadadpay/money.py",
    "django_sadadpay/gateway/*",
    "django_sadadpay/services/*",
    "django_sadadpay/views.py",
]
#: Keeping catalogue and customers in step moves no money: a floor of its own, until all of it is tested.
STEP = [
    f"django_sadadpay/services/{name}.py"
    for name in (
        "aligning",
        "comparing",
        "deciding",
        "finding",
        "following",
        "kinds",
        "matching",
        "mirror_states",
        "mirrored",
        "mirroring",
        "pages",
        "patience",
        "points",
        "pull",
        "pulling",
        "push",
        "pushing",
        "relating",
        "sources",
        "storing",
        "sweeping",
        "told",
        "vanishing",
        "waking",
    )
]
MOST = 95.0  # percent of those
REST = 90.0  # percent of everything else


def forget() -> int:
    """Remove what an earlier run of this environment left."""
    file = Path(os.environ["COVERAGE_FILE"])
    file.parent.mkdir(parents=True, exist_ok=True)
    for old in file.parent.glob(f"{file.name}*"):
        old.unlink()
    return 0


def report() -> int:
    """Combine the data of both environments; 1 when a branch that must be covered is not."""
    file = Path(os.environ["COVERAGE_FILE"])
    parts = [str(part) for part in file.parent.glob("*") if not part.name.startswith(file.name)]
    if not {"sqlite", "postgres"} <= {Path(part).name.split(".")[0] for part in parts}:
        print("run the environments py312-django61 and postgres first")
        return 1
    data = coverage.Coverage(data_file=str(file))
    data.combine(parts, strict=True, keep=True)
    whole = data.report(include=WHOLE, omit=STEP, show_missing=True, skip_covered=False)
    most = data.report(include=STEP, show_missing=True, skip_covered=True)
    rest = data.report(omit=WHOLE, show_missing=True, skip_covered=True)
    print(f"money, gateway, services, webhook: {whole:.2f}% (100 needed)")
    print(f"mirrors kept in step: {most:.2f}% ({MOST} needed)")
    print(f"everything else: {rest:.2f}% ({REST} needed)")
    return int(whole < 100.0 or most < MOST or rest < REST)


if __name__ == "__main__":
    sys.exit({"forget": forget, "report": report}[sys.argv[1]]())
