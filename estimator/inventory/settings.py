"""Audit settings of the tenant: whether auditing is on at all, and which accounts bypass it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from estimator.errors import InventoryError
from estimator.findings import Finding
from estimator.inventory.cells import flag
from estimator.inventory.layout import column_key
from estimator.inventory.names import Names
from estimator.inventory.sheet import Part, Wanted, places_of, read_grid, select
from estimator.inventory.words import counted

ORGANISATION_COMMAND = (
    "Get-OrganizationConfig | Select-Object AuditDisabled | Export-Csv organisation.csv -NoTypeInformation"
)
#: In Exchange Online PowerShell: that of Security & Compliance answers False whatever the setting is.
LOG_COMMAND = (
    "Get-AdminAuditLogConfig | Select-Object UnifiedAuditLogIngestionEnabled | "
    "Export-Csv audit_log.csv -NoTypeInformation"
)
#: All accounts and not those alone that bypass: without any, Export-Csv would leave an empty file.
BYPASS_COMMAND = (
    "Get-MailboxAuditBypassAssociation -ResultSize Unlimited | "
    "Select-Object Name,Identity,ObjectId,AuditBypassEnabled | "
    "Export-Csv bypass.csv -NoTypeInformation -Encoding UTF8"
)
EXPORT_COMMAND = f"Export again with: {ORGANISATION_COMMAND}; {LOG_COMMAND}; {BYPASS_COMMAND}"

_WANTED = {
    "organisation_disabled": Wanted(("AuditDisabled",), needed=False),
    "unified_log": Wanted(("UnifiedAuditLogIngestionEnabled",), needed=False),
    "bypass": Wanted(("AuditBypassEnabled",), needed=False),
    "upn": Wanted(("UserPrincipalName",), needed=False),
    "object_id": Wanted(("ExternalDirectoryObjectId", "ObjectId"), needed=False),
    "guid": Wanted(("Guid",), needed=False),
    "distinguished_name": Wanted(("DistinguishedName",), needed=False),
    "identity": Wanted(("Identity", "Id"), needed=False),
    "name": Wanted(("Name",), needed=False),
    "alias": Wanted(("Alias",), needed=False),
    "display_name": Wanted(("DisplayName",), needed=False),
}

#: What an account is called by, the most telling first.
_NAMES = ("upn", "object_id", "guid", "distinguished_name", "identity", "name", "alias", "display_name")

_CALLED = {
    "organisation_disabled": "AuditDisabled",
    "unified_log": "UnifiedAuditLogIngestionEnabled",
    "bypass": "AuditBypassEnabled",
}


@dataclass(frozen=True)
class Settings:
    """What the settings exports say of the tenant; None where no file says.

    Attributes:
        organisation_disabled: `Get-OrganizationConfig` AuditDisabled: mailbox auditing is off for the organisation.
        unified_log: `Get-AdminAuditLogConfig` UnifiedAuditLogIngestionEnabled: the unified audit log takes records in.
        bypass_known: whether an export of the bypass associations was read.
        bypassed_accounts: accounts that bypass mailbox auditing and have no mailbox in the inventory (service
            accounts), as the export names them.
    """

    organisation_disabled: bool | None = None
    unified_log: bool | None = None
    bypass_known: bool = False
    bypassed_accounts: tuple[str, ...] = ()


def read_settings(path: Path, shown: str) -> Part:
    """Read one file of audit settings: one of the three exports, or several of them in one `Format-List` text.

    Returns:
        One row per setting that is stated, and per account of a bypass export: `setting` (`organisation_disabled`,
        `unified_log`, `bypass`), `account` (as the export names it), `names` (all its names in lower case, a tab
        between them, the most telling first), `value`, and `source` (the file's name). An export of bypass
        associations has one more row, without an account: it may list nobody.

    Raises:
        InventoryError: unreadable, or it states none of the settings.
    """
    grid = read_grid(path, shown, _WANTED, EXPORT_COMMAND)
    sheet = select(grid, shown, _WANTED, EXPORT_COMMAND)
    cells, findings = sheet.cells, sheet.findings
    rows: list[tuple[str, str, str, bool]] = []
    unreadable = pd.Series(False, index=cells.index)
    values = {setting: flag(cells[setting]) for setting in _CALLED}
    for setting in ("organisation_disabled", "unified_log"):
        unreadable |= values[setting].isna() & (cells[setting] != "")
        rows += [(setting, "", "", bool(value)) for value in values[setting].dropna()]
    accounts = values["bypass"].notna()
    unreadable |= values["bypass"].isna() & (cells["bypass"] != "")
    if not {column_key(name) for name in grid.columns}.isdisjoint(_WANTED["bypass"].keys):
        rows.append(("bypass", "", "", False))
    named = cells.loc[accounts, list(_NAMES)]
    for value, *names in zip(values["bypass"][accounts], *(named[name] for name in _NAMES), strict=True):
        account = next((name for name in (names[5], names[0], *names) if name), "")
        rows.append(("bypass", account, _names(names), bool(value)))
    if unreadable.any():
        findings.append(
            Finding(
                "setting_unreadable",
                "warning",
                f"{counted(int(unreadable.sum()), 'row has', 'rows have')} neither True nor False as their setting "
                f"({places_of(cells, unreadable)}); what they say is taken as unknown.",
                shown,
            )
        )
    if not rows:
        raise InventoryError(
            "the file states none of the audit settings",
            path=shown,
            expected=f"{', '.join(_CALLED.values())}, True or False",
            mend=EXPORT_COMMAND,
        )
    table = pd.DataFrame(rows, columns=["setting", "account", "names", "value"]).astype(
        {"setting": "str", "account": "str", "names": "str", "value": "bool"}
    )
    return Part(table.assign(source=shown), sheet.rows, findings)


def combine(table: pd.DataFrame, names: Names) -> tuple[Settings, set[str], list[Finding]]:
    """What all files of settings say together.

    Args:
        table: the rows of `read_settings` of every file.
        names: of the tenant's mailboxes.

    Returns:
        the settings, the mailboxes whose accounts bypass auditing, and what was wrong or doubtful.
    """
    if table.empty:
        return Settings(), set(), []
    findings: list[Finding] = []
    stated = {setting: _agreed(table, setting, findings) for setting in ("organisation_disabled", "unified_log")}
    bypass = table[table["setting"] == "bypass"]
    accounts = bypass[bypass["account"] != ""]
    both = accounts.groupby(accounts["account"].str.lower())["value"].nunique()
    if (both > 1).any():
        findings.append(
            Finding(
                "settings_disagree",
                "warning",
                f"{counted(int((both > 1).sum()), 'account bypasses', 'accounts bypass')} auditing by one row of the "
                "bypass exports and not by "
                "another; they count as bypassing. Keep the newest export alone.",
            )
        )
    bypassed, unjoined, several = set(), [], 0
    for account, called in (
        accounts.loc[accounts["value"], ["account", "names"]].drop_duplicates().itertuples(index=False)
    ):
        mailbox, ambiguous = names.of_account(called.split("\t"))
        if mailbox is not None:
            bypassed.add(mailbox)
        else:
            unjoined.append(account)
            several += ambiguous
    if unjoined:
        which = f", {several} of them because several mailboxes go by their name" if several else ""
        findings.append(
            Finding(
                "bypass_unjoined",
                "warning",
                f"{counted(len(unjoined), 'account bypasses', 'accounts bypass')} mailbox auditing and "
                f"{'has' if len(unjoined) == 1 else 'have'} no mailbox in the inventory{which}: what they do in any "
                "mailbox is in no sample and in no feed. Service accounts are like that; if they are "
                "people, export the mailboxes with Name, Alias, DisplayName and ExternalDirectoryObjectId too.",
            )
        )
    settings = Settings(
        stated["organisation_disabled"], stated["unified_log"], not bypass.empty, tuple(dict.fromkeys(unjoined))
    )
    return settings, bypassed, findings


def without_mailboxes(tables: Sequence[pd.DataFrame]) -> Settings:
    """The settings of a tenant whose mailboxes are not known, from the tables of `read_settings`."""
    if not tables:
        return Settings()
    return combine(pd.concat(tables), Names(pd.DataFrame({"mailbox": pd.Series([], dtype="str")})))[0]


def missing_commands(settings: Settings) -> list[str]:
    """The commands that bring what no file says."""
    return [
        command
        for known, command in (
            (settings.organisation_disabled is not None, ORGANISATION_COMMAND),
            (settings.unified_log is not None, LOG_COMMAND),
            (settings.bypass_known, BYPASS_COMMAND),
        )
        if not known
    ]


def _names(names: Sequence[str]) -> str:
    """An account's names without repetition; of a path (`tenant.example/Users/Ann Lee`) its end is one too."""
    found = [name.lower() for name in names if name]
    found += [name.rsplit("/", 1)[-1] for name in found if "/" in name]
    return "\t".join(dict.fromkeys(found))


def _agreed(table: pd.DataFrame, setting: str, findings: list[Finding]) -> bool | None:
    """What the files say of a setting of the tenant; None where they say nothing, or contradict each other."""
    rows = table[table["setting"] == setting]
    values = set(rows["value"])
    if len(values) > 1:
        findings.append(
            Finding(
                "settings_disagree",
                "warning",
                f"{_CALLED[setting]} is True in one place and False in another ({', '.join(rows['source'].unique())}), "
                "so it counts as unknown. Keep the newest export alone.",
            )
        )
        return None
    return bool(values.pop()) if values else None
