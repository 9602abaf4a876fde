"""Asks a real account how far the endpoint table is right, on throwaway objects that it deletes again.

Plain Python: no Django. ``manage.py sadadpay_probe`` is made of this::

    from pathlib import Path
    from django_sadadpay.probe import Account, Options, markdown, probe

    report = probe(Account("ck_…", "cs_…"), Options(journal=Path("probe.journal")))
    print(markdown(report))
"""

from __future__ import annotations

from django_sadadpay.probe.markdown import text as markdown
from django_sadadpay.probe.options import Account, CouldNotRun, Options
from django_sadadpay.probe.report import Finding, Report
from django_sadadpay.probe.run import cleanup, probe

__all__ = ["Account", "CouldNotRun", "Finding", "Options", "Report", "cleanup", "markdown", "probe"]
