"""The audit settings: the organisation's, the audit log's, and the accounts that bypass mailbox auditing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .licence_files import accounts_without_mailbox
from .mailbox_files import alias, object_id
from .records import guid
from .tenant import Tenant
from .text import BOM, csv_bytes

_LIST = """

Name                                : {domain}
DisplayName                         : {name}
AuditDisabled                       : False
UnifiedAuditLogIngestionEnabled     : True


"""


def settings_files(tenant: Tenant) -> dict[str, bytes]:
    """Return the settings that the tenant's spec asks for; auditing is always on for the organisation."""
    files, shape, domain = {}, tenant.spec.exports.organisation, tenant.spec.domain
    if shape == "list":
        # What an administrator pastes of two Format-List outputs, one below the other.
        text = _LIST.format(domain=domain, name=domain.split(".")[0].replace("-", " ").title())
        files["organisation.txt"] = text.replace("\n", "\r\n").encode()
    elif shape == "csv":
        files["organisation.csv"] = csv_bytes(("Name", "AuditDisabled"), [(domain, False)])
        files["audit_log.csv"] = csv_bytes(("Name", "UnifiedAuditLogIngestionEnabled"), [("Admin Audit Log", True)])
    if tenant.spec.exports.bypass:
        header = ("Name", "Identity", "ObjectId", "AuditBypassEnabled")
        files["bypass.csv"] = csv_bytes(header, _bypass(tenant), BOM)
    return files


def _bypass(tenant: Tenant) -> Iterable[Sequence[object]]:
    """Yield every account, as Get-MailboxAuditBypassAssociation does, of which few bypass."""
    for n in range(len(tenant.mailboxes)):
        name = alias(tenant, n)
        yield name, name, object_id(tenant, n), bool(tenant.mailboxes.plants.bypassed[n])
    bypassing = {a.account for a in tenant.spec.applications if a.bypassed}
    for account in accounts_without_mailbox(tenant):
        yield account, account, guid(tenant.spec.seed, "object", account), account in bypassing
