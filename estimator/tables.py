"""Each table's columns, declared once: name, type, unit, meaning. Every step checks what it is handed against these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from estimator.errors import TableError

Kind = Literal["text", "integer", "number", "flag", "day"]

_DTYPES: dict[Kind, str] = {
    "text": "str",
    "integer": "int64",
    "number": "float64",
    "flag": "bool",
    "day": "datetime64[us]",
}


@dataclass(frozen=True)
class Column:
    """One column of a table. `null` says whether a value may be missing (text then holds NaN)."""

    name: str
    kind: Kind
    unit: str
    meaning: str
    null: bool = False


@dataclass(frozen=True)
class Table:
    """A declared table. Extra columns are allowed and ignored; missing or mistyped ones are a `TableError`."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """The column names in declared order."""
        return [column.name for column in self.columns]

    def empty(self) -> pd.DataFrame:
        """The table without rows, each column with its type."""
        return pd.DataFrame({c.name: pd.Series([], dtype=_DTYPES[c.kind]) for c in self.columns})

    def check(self, frame: pd.DataFrame, step: str) -> pd.DataFrame:
        """Return `frame` unchanged if it keeps the declaration; `step` names who asked, for the message.

        Raises:
            TableError: a column is missing, has another type, or holds nulls where none may be.
        """
        missing = [c.name for c in self.columns if c.name not in frame.columns]
        if missing:
            raise TableError(
                f"{step}: table '{self.name}' lacks the columns {missing}; it has {list(map(str, frame.columns))}",
                expected=f"the columns {self.names}",
            )
        for column in self.columns:
            series = frame[column.name]
            if not _is_kind(series, column.kind):
                raise TableError(
                    f"{step}: column '{column.name}' of table '{self.name}' has type {series.dtype}",
                    expected=f"{column.kind} ({column.unit}): {column.meaning}",
                )
            if not column.null and bool(series.isna().any()):
                raise TableError(
                    f"{step}: column '{column.name}' of table '{self.name}' has {int(series.isna().sum())} gaps",
                    expected=f"a value in every row: {column.meaning}",
                )
        return frame


def _is_kind(series: pd.Series, kind: Kind) -> bool:
    types = pd.api.types
    if kind == "text":
        return bool(types.is_string_dtype(series.dtype) or (series.dtype == object and series.isna().all()))
    if kind == "integer":
        return bool(types.is_integer_dtype(series.dtype))
    if kind == "number":
        return bool(types.is_float_dtype(series.dtype) or types.is_integer_dtype(series.dtype))
    if kind == "flag":
        return bool(types.is_bool_dtype(series.dtype))
    return bool(types.is_datetime64_any_dtype(series.dtype))


REDUCTION = Table(
    "reduction",
    (
        Column("day", "day", "UTC day", "day of AuditData.CreationTime"),
        Column("subject", "text", "UPN, site URL or ''", "lower-cased mailbox or site acted on; '' for the tenant"),
        Column("subject_kind", "text", "mailbox | site | tenant", "what the subject is"),
        Column("principal", "text", "lower case", "UserId: who acted"),
        Column("workload", "text", "name", "AuditData.Workload"),
        Column("operation", "text", "name", "AuditData.Operation, outer spaces removed"),
        Column("access_type", "text", "Bind | Sync | ''", "MailAccessType of OperationProperties"),
        Column("app_id", "text", "GUID or ''", "ClientAppId, else AppId, else ApplicationId"),
        Column("throttled", "flag", "true/false", "IsThrottled of OperationProperties"),
        Column("events", "integer", "records", "distinct records, by Id over all files together"),
        Column("raw_events", "integer", "records", "records counting copies too"),
        Column("items", "integer", "messages", "messages in the distinct records"),
        Column("bytes", "integer", "bytes", "UTF-8 length of the AuditData JSON of the distinct records"),
        Column("size_basis", "text", "auditdata | feed:ID | none", "what `bytes` measures"),
        Column(
            "weight", "number", "records", "records each stands for: 1, or true count ÷ rows of an export that was cut"
        ),
    ),
)

HOURS = Table(
    "hours",
    (
        Column("day", "day", "UTC day", "day of AuditData.CreationTime"),
        Column("hour", "integer", "0-23 UTC", "hour of AuditData.CreationTime; -1 where the time is unreadable"),
        Column("workload", "text", "name", "AuditData.Workload"),
        Column("operation", "text", "name", "AuditData.Operation"),
        Column("events", "integer", "records", "distinct records"),
    ),
)

MAILBOXES = Table(
    "mailboxes",
    (
        Column("mailbox", "text", "UPN", "lower-cased user principal name: the key everything joins on"),
        Column(
            "kind", "text", "user | shared | room | equipment | group | discovery | ...", "from RecipientTypeDetails"
        ),
        Column("audit_tier", "text", "premium | standard | standard_unlisted | none", "from the assigned licences"),
        Column("audit_enabled", "flag", "true/false", "AuditEnabled"),
        Column("default_audit_set", "text", "admin,delegate,owner", "logon types Microsoft still manages", null=True),
        Column("audit_admin", "text", "actions, comma-joined", "AuditAdmin", null=True),
        Column("audit_delegate", "text", "actions, comma-joined", "AuditDelegate", null=True),
        Column("audit_owner", "text", "actions, comma-joined", "AuditOwner", null=True),
        Column("bypassed", "flag", "true/false", "the account of this mailbox bypasses mailbox auditing"),
    ),
)

ACTIVITY = Table(
    "activity",
    (
        Column("mailbox", "text", "UPN", "lower-cased user principal name"),
        Column("sends", "number", "messages", "Send Count over the report period"),
        Column("receives", "number", "messages", "Receive Count over the report period"),
        Column("reads", "number", "messages", "Read Count over the report period"),
        Column("period_days", "integer", "days", "Report Period"),
        Column("period_end", "day", "day", "Report Refresh Date: the last day the report covers"),
    ),
)

MAILBOX_USAGE = Table(
    "mailbox usage",
    (
        Column("mailbox", "text", "UPN", "lower-cased user principal name"),
        Column("items", "number", "messages", "Item Count: what lies in the mailbox"),
        Column("last_activity", "day", "day", "Last Activity Date", null=True),
        Column("period_end", "day", "day", "Report Refresh Date: the last day the report covers"),
    ),
)

TEAMS_ACTIVITY = Table(
    "teams activity",
    (
        Column("mailbox", "text", "UPN", "lower-cased user principal name"),
        Column("team_chats", "number", "messages", "Team Chat Message Count over the report period"),
        Column("private_chats", "number", "messages", "Private Chat Message Count over the report period"),
        Column("calls", "number", "calls", "Call Count over the report period"),
        Column("meetings", "number", "meetings", "Meeting Count over the report period"),
        Column("period_days", "integer", "days", "Report Period"),
        Column("period_end", "day", "day", "Report Refresh Date: the last day the report covers"),
    ),
)

READINESS = Table(
    "readiness",
    (
        Column("mailbox", "text", "UPN", "lower-cased user principal name"),
        Column("kind", "text", "kind", "as in the mailboxes table"),
        Column("audit_tier", "text", "tier", "as in the mailboxes table"),
        Column("operation", "text", "Workload/Operation", "the operation judged"),
        Column("state", "text", "emitting | will_emit | blocked | unknown | not_applicable", "the verdict"),
        Column("cause", "text", "id", "why, as a stable code: an id of catalog/readiness.toml"),
        Column("reason", "text", "words", "why"),
    ),
)
