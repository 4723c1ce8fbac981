"""What there is to be mended so that a scenario comes true: the plan that `mending/` writes down as PowerShell.

Made from the verdicts the forecast is made from: whoever joins in the forecast stands in the script, in the wave of the
day the scenario names.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import cast

import pandas as pd

from estimator import catalog
from estimator.catalog.causes import causes
from estimator.inventory import Inventory
from estimator.mending import Mend, MendingPlan, OrganisationMend, Wave
from estimator.readiness.judge import Readiness
from estimator.readiness.rules import LOGON_TYPES, UNSAID, set_of
from estimator.scenario import Enabled

#: The tenant's own domain, which no registrar sells.
_OWN_DOMAIN = re.compile(r"[a-z0-9-]+\.onmicrosoft\.(com|us|de|cn)$")


@dataclass
class _Lacking:
    """What one mailbox lacks on one day."""

    add: dict[str, set[str]] = field(default_factory=dict)
    enable_audit: bool = False
    lift_bypass: bool = False

    @property
    def anything(self) -> bool:
        return bool(self.add) or self.enable_audit or self.lift_bypass


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
    days = sorted({part.day for part in enabled})
    wave_of = {day: number for number, day in enumerate(days, start=1)}
    boxes = inventory.mailboxes.set_index("mailbox", drop=False)
    lacking: dict[tuple[int, str], _Lacking] = {}
    left: dict[str, set[str]] = {}
    switches: set[str] = set()
    for part in enabled:
        action = catalog.operation(part.operation).mailbox_action
        if action is None:
            continue
        verdicts = readiness.of(part.operation)
        mine = verdicts[verdicts.index.isin(part.mailboxes)]
        open_ = (mine["state"] == "unknown") & ~mine["settings_known"]
        off = mine["state"].isin(["blocked", "will_emit"])
        for reason, names in mine[off & ~mine["mendable"]].groupby("cause").groups.items():
            left.setdefault(str(reason), set()).update(names)
        joining = mine[(off | open_) & mine["mendable"]]
        for number, rows in joining.groupby("ruling"):
            ruling = readiness.rulings[cast(int, number)]
            ways = {causes()[name].mend for name in ruling.causes}
            switches.update(ruling.causes)
            # Alike in all that was looked at, so the first stands for them all.
            add = _additions(action, boxes.loc[rows.index[0]]) if "set" in ways else {}
            for name in rows.index:
                one = lacking.setdefault((wave_of[part.day], str(name)), _Lacking())
                one.enable_audit |= "audit_enabled" in ways
                one.lift_bypass |= "bypass" in ways
                for logon_type in add:
                    one.add.setdefault(logon_type, set()).add(action.action)
    kinds, managed = dict(boxes["kind"]), dict(boxes["default_audit_set"].fillna(""))
    mends = [
        Mend(
            mailbox=name,
            kind=kinds[name],
            wave=wave,
            add={t: tuple(sorted(one.add[t])) for t in LOGON_TYPES if t in one.add},
            managed=tuple(t for t in LOGON_TYPES if t in managed[name].split(",")),
            enable_audit=one.enable_audit,
            lift_bypass=one.lift_bypass,
        )
        for (wave, name), one in sorted(lacking.items())
        if one.anything
    ]
    return MendingPlan(
        mends=mends,
        waves=[Wave(wave_of[day], title, day, _of_day(enabled, day)) for day in days],
        organisation=OrganisationMend("organisation_off" in switches, "unified_log_off" in switches),
        bypassed_accounts=inventory.settings.bypassed_accounts,
        not_mended={causes()[cause].title: len(names) for cause, names in sorted(left.items())},
        operations=tuple(
            dict.fromkeys(p.operation for p in enabled if catalog.operation(p.operation).mailbox_action is not None)
        ),
        tenant=domain_of(inventory),
        as_of=as_of,
        version=version("siem-estimator"),
    )


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


def _of_day(enabled: Sequence[Enabled], day: dt.date) -> int:
    names: set[str] = set()
    for part in enabled:
        if part.day == day:
            names.update(part.mailboxes)
    return len(names)
