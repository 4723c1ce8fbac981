"""A seeded generator of Microsoft 365 tenants whose truth is known.

A tenant lives day by day: mail arrives, people sit down, open it in bursts, answer, file, meet and go on leave, phones
fetch, Outlook synchronises, programs poll. What of this the audit log would show today is the sample; what it goes on
to show, and would show once more is enabled, is the truth that a forecast can be held against. Nothing here is shared
with the forecast.

    spec = TenantSpec(seed=7, mailboxes=300)
    tenant = generate(spec)
    write(tenant, Path("tenant"))
    truth(tenant)["horizon"]
"""

from .files import write
from .planted import planted, planted_csv
from .presets import PRESETS
from .spec import Application, Exports, TenantSpec
from .tenant import Tenant, generate
from .truth import truth

__all__ = [
    "PRESETS",
    "Application",
    "Exports",
    "Tenant",
    "TenantSpec",
    "generate",
    "planted",
    "planted_csv",
    "truth",
    "write",
]
