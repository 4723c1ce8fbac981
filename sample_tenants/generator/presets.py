"""The tenants that stand ready in this folder, by name."""

from __future__ import annotations

from datetime import date

from .spec import TenantSpec

PRESETS = {
    # Sixty mailboxes, a quiet house: seven lawyers have E5, everybody else E3. Small enough to be kept in Git.
    "law_firm": TenantSpec(
        seed=17,
        domain="hartwell-marsh.example",
        mailboxes=60,
        licences={"SPE_E3": 0.86, "SPE_E5": 0.14},
        shared=0.13,
        rooms=2,
        shared_emitting=0.25,
        customised=0.05,
        bias="mild",
        sample_start=date(2026, 10, 26),
        sample_days=14,
        report_lag=2,
        forecast_start=date(2027, 1, 1),
        forecast_months=12,
        mail=0.4,
        files=0.25,
        country="US",
        utc_offset=-7,
        departments={"Litigation": 0.35, "Corporate": 0.25, "Real Estate": 0.15, "Finance": 0.10, "Operations": 0.15},
    ),
}
