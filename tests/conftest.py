"""A tenant small enough to check by hand, and what writes the files of others.

| mailbox | kind   | licence | owner set                       | what it is there for        |
|---------|--------|---------|---------------------------------|-----------------------------|
| ann     | user   | E5      | of today                        | emits                       |
| bob     | user   | E3      | of 2023, managed by Microsoft   | can be enabled              |
| cyd     | user   | E3      | customised: Update, HardDelete  | can be enabled, by resetting|
| dan     | user   | E3      | of today, AuditEnabled False    | can be enabled, by switching|
| eve     | user   | none    | of 2023                         | can never emit              |
| info    | shared | none    | of 2023                         | can be enabled              |
| room1   | room   | none    | of 2023                         | mailbox audit passes it over|
| team    | group  | none    | of 2023                         | has a fixed set             |
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

#: Reference files and samples beside the checkout; tests that need them are skipped where they are absent.
SHARED = Path(os.environ.get("SIEM_ESTIMATOR_SHARED", Path(__file__).parents[2] / "shared"))

OLD_SET = (
    "Update,MoveToDeletedItems,SoftDelete,HardDelete,SendAs,SendOnBehalf,UpdateFolderPermissions,UpdateInboxRules,"
    "UpdateCalendarDelegation,ApplyRecord"
)
NEW_SET = OLD_SET + ",MailItemsAccessed,Send,Create,AttachmentAccess"
MANAGED = "Admin,Delegate,Owner"

MAILBOX_COLUMNS = (
    "UserPrincipalName", "PrimarySmtpAddress", "RecipientTypeDetails", "AuditEnabled", "DefaultAuditSet",
    "AuditAdmin", "AuditDelegate", "AuditOwner", "Department",
)  # fmt: skip
LICENCE_COLUMNS = ("UserPrincipalName", "SkuPartNumber")
#: Header of getEmailActivityUserDetail as the PnP project recorded it.
ACTIVITY_COLUMNS = (
    "Report Refresh Date", "User Principal Name", "Display Name", "Is Deleted", "Deleted Date", "Last Activity Date",
    "Send Count", "Receive Count", "Read Count", "Meeting Created Count", "Meeting Interacted Count",
    "Assigned Products", "Report Period",
)  # fmt: skip

Row = dict[str, Any]


def mailbox(name: str = "ann", **cells: Any) -> Row:
    """A row of a mailbox export; `cells` replace."""
    row = {
        "UserPrincipalName": f"{name}@contoso.example",
        "PrimarySmtpAddress": f"{name}@contoso.example",
        "RecipientTypeDetails": "UserMailbox",
        "AuditEnabled": "True",
        "DefaultAuditSet": MANAGED,
        "AuditAdmin": OLD_SET,
        "AuditDelegate": OLD_SET,
        "AuditOwner": OLD_SET,
        "Department": "Finance",
    }
    return {**row, **cells}


def licence(name: str = "ann", sku: str = "SPE_E3") -> Row:
    return {"UserPrincipalName": f"{name}@contoso.example", "SkuPartNumber": sku}


def active(name: str = "ann", **cells: Any) -> Row:
    """A row of the email activity report; `cells` replace."""
    row = dict.fromkeys(ACTIVITY_COLUMNS, "")
    row |= {
        "Report Refresh Date": "2026-11-20", "User Principal Name": f"{name}@contoso.example", "Is Deleted": "False",
        "Send Count": "120", "Receive Count": "900", "Read Count": "600", "Report Period": "30",
    }  # fmt: skip
    return {**row, **cells}


def audit_record(number: int, name: str = "ann", operation: str = "MailItemsAccessed", **fields: Any) -> Row:
    """An Exchange audit record of a mailbox acting on itself; numbered from Monday 2026-11-02 on, one a day."""
    record = {
        "CreationTime": f"2026-11-{2 + number % 12:02d}T10:00:00",
        "Id": f"00000000-0000-4000-8000-{number:012d}",
        "Operation": operation,
        "RecordType": 50,
        "Workload": "Exchange",
        "UserId": f"{name}@contoso.example",
        "MailboxOwnerUPN": f"{name}@contoso.example",
        "OperationProperties": [{"Name": "MailAccessType", "Value": "Bind"}],
        "OperationCount": 1,
    }
    return {**record, **fields}


MAILBOXES = (
    mailbox("ann", AuditAdmin=NEW_SET, AuditDelegate=NEW_SET, AuditOwner=NEW_SET, Department="IT"),
    mailbox("bob"),
    mailbox("cyd", DefaultAuditSet="Admin,Delegate", AuditOwner="Update,HardDelete", Department="Legal"),
    mailbox("dan", AuditEnabled="False", AuditAdmin=NEW_SET, AuditDelegate=NEW_SET, AuditOwner=NEW_SET),
    mailbox("eve"),
    mailbox("info", RecipientTypeDetails="SharedMailbox", Department=""),
    mailbox("room1", RecipientTypeDetails="RoomMailbox", Department=""),
    mailbox("team", RecipientTypeDetails="GroupMailbox", Department=""),
)
LICENCES = (licence("ann", "SPE_E5"), licence("bob"), licence("cyd"), licence("dan"))
ACTIVITY = (active("ann"), active("bob", **{"Send Count": "60"}), active("cyd"), active("dan"))
#: Twelve of ann's, six of bob's, all of mailboxes: a search scoped to two people.
AUDIT = (
    *(audit_record(n) for n in range(12)),
    *(audit_record(n, "bob", "Update", OperationProperties=[]) for n in range(12, 18)),
)

SCENARIO = """\
schema_version = 1
id     = "enable-and-connect"
title  = "New events everywhere, CloudAppEvents connected"
start  = 2027-01-01
months = 3

[[feeds]]
id        = "sentinel-officeactivity"
connected = true

[[changes]]
kind       = "enable"
operations = ["newly-available"]

[[changes]]
kind = "connect"
feed = "sentinel-cloudappevents"

[[plans]]
id = "sentinel-eastus"
"""


def csv_text(rows: Iterable[Row], columns: Sequence[str], *, delimiter: str = ",", newline: str = "\r\n") -> str:
    """Rows as Export-Csv writes them."""
    out = io.StringIO()
    writer = csv.DictWriter(
        out,
        columns,
        extrasaction="ignore",
        restval="",
        delimiter=delimiter,
        lineterminator=newline,
        quoting=csv.QUOTE_ALL,
    )
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def mailboxes_csv(*rows: Row, columns: Sequence[str] = MAILBOX_COLUMNS, **how: Any) -> str:
    return csv_text(rows or MAILBOXES, columns, **how)


def licences_csv(*rows: Row, columns: Sequence[str] = LICENCE_COLUMNS, **how: Any) -> str:
    return csv_text(rows or LICENCES, columns, **how)


def activity_csv(*rows: Row, columns: Sequence[str] = ACTIVITY_COLUMNS, **how: Any) -> str:
    return csv_text(rows or ACTIVITY, columns, **how)


def audit_jsonl(*records: Row) -> str:
    return "".join(json.dumps(record) + "\n" for record in records or AUDIT)


def write(path: Path, content: str | bytes, *, zipped: bool = False) -> Path:
    """Write a file as it is, without translating line ends."""
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, mtime=0) if zipped else data)
    return path


Tenant = Callable[..., Path]

_TINY: dict[str, Callable[[], str]] = {
    "mailboxes.csv": mailboxes_csv,
    "licences.csv": licences_csv,
    "email_activity.csv": activity_csv,
    "audit.jsonl": audit_jsonl,
    "scenario.toml": lambda: SCENARIO,
}


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    """Writes the tenant above into a folder; `{name: content}` replaces a file or, with None, leaves it out."""

    def make(files: dict[str, str | bytes | None] | None = None, folder: str = "tenant") -> Path:
        root = tmp_path / folder
        root.mkdir()
        for name, content in {**{name: text() for name, text in _TINY.items()}, **(files or {})}.items():
            if content is not None:
                write(root / name, content)
        return root

    return make


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the reference files are not beside this checkout; SIEM_ESTIMATOR_SHARED names their folder")
    return SHARED
