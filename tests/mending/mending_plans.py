"""Plans to write scripts from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from estimator.mending import Mend, MendingPlan, OrganisationMend, Wave

MIA, SEARCH = "Exchange/MailItemsAccessed", "Exchange/SearchQueryInitiatedExchange"

WAVES = (Wave(1, "Executives", dt.date(2027, 1, 4), 2), Wave(2, "The rest", None, 5))

MENDS = (
    Mend(
        "cyd@contoso.example", "user", 1,
        {"owner": ("MailItemsAccessed", "Send"), "delegate": ("MailItemsAccessed",)}, ("admin",),
    ),
    Mend("bob@contoso.example", "user", 1, {"owner": ("SearchQueryInitiated",)}, ("admin", "delegate", "owner")),
    Mend("dan@contoso.example", "user", 2, {}, ("admin", "delegate", "owner"), enable_audit=True),
    Mend("info@contoso.example", "shared", 2, {"admin": ("Send",)}, ("owner",), enable_audit=True, lift_bypass=True),
    Mend("eli@contoso.example", "user", 2, {"owner": ("SearchQueryInitiated",)}, ("admin", "delegate", "owner")),
)  # fmt: skip


def plan(mends: Sequence[Mend] = MENDS, **fields: Any) -> MendingPlan:
    """The plan above; `fields` replace."""
    given: dict[str, Any] = {
        "mends": mends, "waves": WAVES, "organisation": OrganisationMend(),
        "bypassed_accounts": (), "not_mended": {}, "operations": (MIA, SEARCH),
        "tenant": "contoso.onmicrosoft.com", "as_of": dt.date(2026, 11, 20), "version": "0.1.0",
    }  # fmt: skip
    return MendingPlan(**{**given, **fields})


def nobody() -> MendingPlan:
    return plan((), operations=())
