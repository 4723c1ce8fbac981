"""The reduction once more, in pandas and json, written from the design and from nothing in `estimator.audit`."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

MAILBOX_ACTIONS = {
    *("ApplyRecord", "AttachmentAccess", "Copy", "Create", "FolderBind", "HardDelete", "MailItemsAccessed"),
    *("MailboxLogin", "MessageBind", "Move", "MoveToDeletedItems", "RecordDelete", "SearchQueryInitiatedExchange"),
    *("Send", "SendAs", "SendOnBehalf", "SoftDelete", "Update", "UpdateCalendarDelegation"),
    *("UpdateFolderPermissions", "UpdateInboxRules"),
}
KEYS = ["day", "subject", "subject_kind", "principal", "workload", "operation", "access_type", "app_id", "throttled"]


def texts(path: Path) -> Iterator[str]:
    """The JSON text of every record of a clean file."""
    opener = gzip.open if path.read_bytes()[:2] == b"\x1f\x8b" else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
        start = file.read(1)
        file.seek(0)
        if start == "[":
            whole, decoder = file.read(), json.JSONDecoder()
            at = whole.index("{")
            while True:
                _, end = decoder.raw_decode(whole, at)
                yield whole[at:end]
                at = whole.find("{", end)
                if at < 0:
                    return
        elif start == "{":
            yield from (line.strip() for line in file if line.strip())
        else:
            csv.field_size_limit(1 << 24)
            for row in csv.DictReader(file):
                yield row["AuditData"]


def _upn(name: str) -> bool:
    return re.fullmatch(r"[^@\s\\/:]+@[^@\s\\/:]+\.[^@\s\\/:]+", name) is not None


def compact(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _row(text: str) -> dict[str, Any]:
    data = json.loads(text)
    moment = datetime.fromisoformat(data["CreationTime"].strip())
    if moment.tzinfo:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    properties = {pair["Name"]: pair["Value"] for pair in reversed(data.get("OperationProperties") or [])}
    owner = (data.get("MailboxOwnerUPN") or "").lower()
    principal = (data.get("UserId") or "").lower()
    workload, operation = data.get("Workload") or "", data["Operation"].strip()
    if owner:
        subject, kind = (owner, "mailbox") if _upn(owner) else ("", "tenant")
    elif workload == "Exchange" and operation in MAILBOX_ACTIONS and _upn(principal):
        subject, kind = principal, "mailbox"
    elif data.get("SiteUrl"):
        subject, kind = data["SiteUrl"].lower(), "site"
    else:
        subject, kind = "", "tenant"
    return {
        "id": data.get("Id") or text,
        "day": pd.Timestamp(moment.date()),
        "hour": moment.hour,
        "subject": subject,
        "subject_kind": kind,
        "principal": principal,
        "workload": workload,
        "operation": operation,
        "access_type": properties.get("MailAccessType", ""),
        "app_id": next((v for k in ("ClientAppId", "AppId", "ApplicationId") if (v := data.get(k))), ""),
        "throttled": str(properties.get("IsThrottled", "")).lower() == "true",
        "items": max(int(data.get("OperationCount") or 0), 0) or len(data.get("AffectedItems") or []) or 1,
        # Over several lines it is pretty-printed, which no feed carries.
        "bytes": len((compact(data) if "\n" in text else text).encode()),
    }


def reference(*paths: Path) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """The table, the hours, and the records read, of clean files.

    Of copies that differ the longest counts, then the greatest in the order of columns.
    """
    frame = pd.DataFrame([_row(text) for path in paths for text in texts(path)])
    frame["day"] = frame["day"].astype("datetime64[us]")
    frame["copies"] = frame.groupby("id")["id"].transform("size")
    order = ["bytes", *(key for key in KEYS if key != "subject_kind"), "hour", "items"]
    one = frame.sort_values(order, ascending=False).drop_duplicates("id")
    table = (
        one.groupby(KEYS)
        .agg(events=("id", "size"), raw_events=("copies", "sum"), items=("items", "sum"), bytes=("bytes", "sum"))
        .reset_index()
        .assign(size_basis="auditdata", weight=1.0)
    )
    hours = one.groupby(["day", "hour", "workload", "operation"]).size().rename("events").reset_index()
    return table, hours, len(frame)
