"""What there is to be mended so that a scenario comes true: the plan that `mending/` writes down as PowerShell.

Made from the verdicts the forecast is made from: whoever joins in the forecast stands in the script, in the wave of the
day the scenario names.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, cast

import numpy as np
import pandas as pd

from estimator import catalog
from estimator.catalog.causes import causes
from estimator.inventory import Inventory
from estimator.mending import Mend, MendingPlan, OrganisationMend, Wave
from estimator.readiness.judge import Readiness
from estimator.readiness.rules import LOGON_TYPES, UNSAID, Ruling, set_of
from estimator.scenario import Enabled

#: The tenant's own domain, which no registrar sells.
_OWN_DOMAIN = re.compile(r"[a-z0-9-]+\.onmicrosoft\.(com|us|de|cn)$")


def plan_mending(
    readiness: Readiness, enabled: Sequence[Enabled], inventory: Inventory, title: str, as_of: dt.date
) -> MendingPlan:
    """What a scenario takes for granted, wave by wave.

    Mailboxes that join by the verdicts are in it, and those whose settings leave open whether they emit: the script
    looks again before it changes anything.

    Args:
        readiness: the verdicts, before or under the scenario.
        enabled: what the scenario enables; a wave is a day.
        inventory: the tenant.
        title: of the scenario.
        as_of: the day of the data.
    """
    mine = [part for part in enabled if catalog.operation(part.operation).mailbox_action is not None]
    boxes = inventory.mailboxes
    mends: list[Mend] = []
    waves: list[Wave] = []
    left: dict[str, set[str]] = {}
    switches: set[str] = set()
    for number, day in enumerate(sorted({part.day for part in enabled}), start=1):
        of_day = [part for part in mine if part.day == day]
        joining = np.full((len(boxes), len(of_day)), -1)
        for column, part in enumerate(of_day):
            joining[:, column] = _joining(readiness, part, boxes, left)
        alike, which = np.unique(joining, axis=0, return_inverse=True)
        first = np.full(len(alike), -1)
        first[which[::-1]] = np.arange(len(boxes))[::-1]
        templates = []
        for row, box in zip(alike, first, strict=True):
            rulings = {p.operation: readiness.rulings[r] for p, r in zip(of_day, row, strict=True) if r >= 0}
            switches.update(cause for ruling in rulings.values() for cause in ruling.causes)
            templates.append(_lacking(rulings, boxes.iloc[box]))
        for name, position in zip(boxes["mailbox"].tolist(), which.tolist(), strict=True):
            if (lacking := templates[position]) is not None:
                mends.append(Mend(mailbox=name, wave=number, **lacking))
        everybody = [part.mailboxes for part in enabled if part.day == day]
        waves.append(Wave(number, title, day, len(everybody[0].append(everybody[1:]).unique())))
    return MendingPlan(
        mends=mends,
        waves=waves,
        organisation=OrganisationMend("organisation_off" in switches, "unified_log_off" in switches),
        bypassed_accounts=inventory.settings.bypassed_accounts,
        not_mended={causes()[cause].title: len(names) for cause, names in sorted(left.items())},
        operations=tuple(dict.fromkeys(part.operation for part in mine)),
        tenant=domain_of(inventory),
        as_of=as_of,
        version=version("siem-estimator"),
    )


def _joining(readiness: Readiness, part: Enabled, boxes: pd.DataFrame, left: dict[str, set[str]]) -> np.ndarray:
    """Of each mailbox its ruling where it joins or may join, else -1; what no script can mend goes into `left`."""
    verdicts = readiness.of(part.operation).reindex(pd.Index(boxes["mailbox"]))
    enabled = verdicts.index.isin(part.mailboxes)
    off = verdicts["state"].isin(["blocked", "will_emit"]).to_numpy() & enabled
    open_ = (verdicts["state"] == "unknown").to_numpy() & ~verdicts["settings_known"].to_numpy(dtype=bool) & enabled
    mendable = verdicts["mendable"].to_numpy(dtype=bool)
    for cause, names in verdicts[off & ~mendable].groupby("cause").groups.items():
        left.setdefault(str(cause), set()).update(names)
    return np.where((off | open_) & mendable, verdicts["ruling"].to_numpy(), -1)


def _lacking(rulings: Mapping[str, Ruling], box: pd.Series) -> dict[str, Any] | None:
    """The fields of a `Mend` for mailboxes with these rulings; None where they lack nothing of their own."""
    add: dict[str, set[str]] = {}
    ways: set[str] = set()
    for key, ruling in rulings.items():
        mine = {causes()[name].mend for name in ruling.causes}
        ways |= mine
        action = catalog.operation(key).mailbox_action
        if "set" in mine and action is not None:
            for logon_type in _additions(action, box):
                add.setdefault(logon_type, set()).add(action.action)
    if not add and not ways & {"audit_enabled", "bypass"}:
        return None  # nothing, or the organisation's switch is all it waits for
    managed = "" if pd.isna(box["default_audit_set"]) else str(box["default_audit_set"])
    return {
        "kind": box["kind"],
        "add": {t: tuple(sorted(add[t])) for t in LOGON_TYPES if t in add},
        "managed": tuple(t for t in LOGON_TYPES if t in managed.split(",")),
        "enable_audit": "audit_enabled" in ways,
        "lift_bypass": "bypass" in ways,
    }


def domain_of(inventory: Inventory) -> str:
    """The tenant's `.onmicrosoft.com` domain where some name has it, else the domain that most mailboxes have."""
    names = [*inventory.mailboxes["mailbox"], *inventory.canonical, *inventory.settings.bypassed_accounts]
    domains = Counter(name.partition("@")[2].lower() for name in names if "@" in name)
    own = [name for name, _ in domains.most_common() if _OWN_DOMAIN.fullmatch(name)]
    return own[0] if own else domains.most_common(1)[0][0] if domains else ""


def _additions(action: catalog.MailboxAction, box: pd.Series) -> list[str]:
    """The logon types whose set lacks an action that belongs in it; of a set nobody could read, all of them."""
    settings = cast(Mapping[str, object], box.fillna(UNSAID).to_dict())
    types = [t for t in LOGON_TYPES if t in (action.default or action.optional)]
    return [t for t in types if action.action not in (set_of(settings, t) or ())]
