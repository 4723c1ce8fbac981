"""One valid file of every shape, framing and packing worth having: real headers and fields, invented names.

All hold the same five events of `EVENTS` (counts: what those come to), so that what one comes to is known of all.
Headers and fields are those of real exports (the Splunk columns those of one that had gone through Splunk and back).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import zstandard
from audit_exports import Record, compact

from estimator.audit import Reduction
from estimator.audit.engine import Engine
from estimator.audit.reduce import _reduce

Row = dict[str, Any]

ORGANIZATION = "5a0f38c6-710b-4503-92c0-3a9f6e00f726"
OUTLOOK = "5d661950-3475-41cd-a2c3-d671a3162bc1"
SITE = "https://contoso.sharepoint.example/sites/finance/"


def event(number: int, operation: str, workload: str, record_type: int, time: str, user: str, **fields: Any) -> Record:
    """A record in the common schema, fields in Microsoft's order."""
    return {
        "CreationTime": time,
        "Id": f"5e0f6a5c-31d4-4c0e-9d1f-{number:012d}",
        "Operation": operation,
        "OrganizationId": ORGANIZATION,
        "RecordType": record_type,
        "ResultStatus": "Succeeded",
        "UserKey": f"1003200{number}",
        "UserType": 0,
        "Version": 1,
        "Workload": workload,
        "ClientIP": "203.0.113.7",
        "UserId": user,
        **fields,
    }


def accessed(number: int, time: str, user: str, access: str, messages: int, record_type: int = 50) -> Record:
    """A MailItemsAccessed record; Sync has no folders, but the item's parent."""
    properties = [{"Name": "MailAccessType", "Value": access}, {"Name": "IsThrottled", "Value": "False"}]
    folder = {"Id": "LgAAAADx1B", "Path": "\\Inbox"}
    items = [
        {"InternetMessageId": f"<m{number}.{n}@contoso.example>", "SizeInBytes": 4_000 + n} for n in range(messages)
    ]
    what: Row = (
        {"Folders": [{"FolderItems": items, **folder}]} if access == "Bind" else {"Item": {"ParentFolder": folder}}
    )
    return event(
        number,
        "MailItemsAccessed",
        "Exchange",
        record_type,
        time,
        user,
        ClientInfoString="Client=REST;Client=RESTSystem;;",
        MailboxGuid=f"00000000-0000-4000-9000-{number:012d}",
        MailboxOwnerUPN=user.lower(),
        OperationProperties=properties,
        OriginatingServer="DB9PR0 (15.20.4200.000)\r\n",
        ClientAppId=OUTLOOK,
        OperationCount=messages,
        **what,
    )


#: Two days, five events, three people.
EVENTS: list[Record] = [
    accessed(1, "2026-03-12T07:31:34", "Ann@Contoso.Example", "Bind", 3),
    accessed(2, "2026-03-12T09:02:11", "ben@contoso.example", "Sync", 1, record_type=2),
    event(
        3, "Send", "Exchange", 2, "2026-03-13T10:15:00", "ann@contoso.example",
        MailboxOwnerUPN="ann@contoso.example", ClientInfoString="Client=MSExchangeRPC",
        Item={"Subject": 'Müller\'s "final" \\ offer, 発注 😀', "InternetMessageId": "<s3@contoso.example>"},
    ),
    event(
        4, "FileAccessed", "SharePoint", 6, "2026-03-13T10:20:59", "cara@contoso.example",
        SiteUrl=SITE, SourceFileName="Budget 2026.xlsx", ItemType="File",
        ApplicationId="08e18876-6177-487e-b8b5-cf950c1e598c",
    ),
    event(5, "ModifyFolderPermissions", "Exchange", 2, "2026-03-13T23:59:59", "NT AUTHORITY\\SYSTEM (x)"),
]  # fmt: skip

#: By (day, operation, access type): the events there are in every sample.
TALLY = {
    ("2026-03-12", "MailItemsAccessed", "Bind"): 1,
    ("2026-03-12", "MailItemsAccessed", "Sync"): 1,
    ("2026-03-13", "FileAccessed", ""): 1,
    ("2026-03-13", "ModifyFolderPermissions", ""): 1,
    ("2026-03-13", "Send", ""): 1,
}

#: Names of AuditLogRecordType, as the cmdlet and Sentinel write them.
TYPE_NAMES = {2: "ExchangeItem", 6: "SharePointFileOperation", 50: "ExchangeItemAggregated"}

PORTAL_COLUMNS = (
    "RecordId", "CreationDate", "RecordType", "Operation", "UserId", "AuditData", "AssociatedAdminUnits",
    "AssociatedAdminUnitsNames",
)  # fmt: skip
CMDLET_COLUMNS = (
    "PSComputerName", "RunspaceId", "PSShowComputerName", "RecordType", "CreationDate", "UserIds", "Operations",
    "AuditData", "ResultIndex", "ResultCount", "Identity", "IsValid", "ObjectState",
)  # fmt: skip
SPLUNK_COLUMNS = (
    "_raw", "_time", "date_hour", "date_mday", "date_minute", "date_month", "date_second", "date_wday", "date_year",
    "date_zone", "eventtype", "host", "index", "linecount", "product", "punct", "source", "sourcetype",
    "splunk_server", "splunk_server_group", "tag", "tag::eventtype", "tag::host", "timeendpos", "timestartpos",
    "unix_category", "unix_group", "vendor", "_bkt", "_cd",
)  # fmt: skip


def american(time: str) -> str:
    """`9/20/2023 4:05:03 AM`."""
    year, month, day = time[:10].split("-")
    hour = int(time[11:13])
    return f"{int(month)}/{int(day)}/{year} {hour % 12 or 12}:{time[14:16]}:{time[17:19]} {'AM' if hour < 12 else 'PM'}"


def seven_decimals(time: str) -> str:
    """`2026-01-24T06:54:24.0000000Z `, with the space the portal writes."""
    return f"{time}.0000000Z "


def portal_row(one: Record, dated: Callable[[str], str] = seven_decimals) -> Row:
    """A row of the Purview portal's export."""
    return {
        "RecordId": one["Id"], "CreationDate": dated(one["CreationTime"]), "RecordType": one["RecordType"],
        "Operation": one["Operation"], "UserId": one["UserId"], "AuditData": compact(one),
        "AssociatedAdminUnits": "", "AssociatedAdminUnitsNames": "",
    }  # fmt: skip


def cmdlet_row(number: int, one: Record, dated: Callable[[str], str] = american) -> Row:
    """A row of Search-UnifiedAuditLog."""
    return {
        "PSComputerName": "outlook.office365.example", "RunspaceId": "0c1e8e0a-51ad-4d5c-8f6c-0b8f3a9d2c55",
        "PSShowComputerName": "False", "RecordType": TYPE_NAMES[one["RecordType"]],
        "CreationDate": dated(one["CreationTime"]), "UserIds": one["UserId"], "Operations": one["Operation"],
        "AuditData": compact(one), "ResultIndex": number, "ResultCount": len(EVENTS), "Identity": one["Id"],
        "IsValid": "True", "ObjectState": "Unchanged",
    }  # fmt: skip


def graph_record(one: Record) -> Row:
    """A record of a Graph query: identities crossed, the address null, `@odata.type` beside what is no text."""
    data: Row = {"@odata.type": "#microsoft.graph.security.defaultAuditData"}
    for key, value in one.items():
        if isinstance(value, int):
            data[f"{key}@odata.type"] = "#Int64"
        data[key] = value
    return {
        "@odata.type": "#microsoft.graph.security.auditLogRecord", "id": one["Id"],
        "createdDateTime": f"{one['CreationTime']}Z", "auditLogRecordType": "exchangeItemAggregated",
        "operation": one["Operation"], "organizationId": ORGANIZATION, "userType": "Regular",
        "userId": one["UserKey"], "service": one["Workload"], "objectId": "", "userPrincipalName": one["UserId"],
        "clientIp": None, "administrativeUnits": [""], "auditData": data,
    }  # fmt: skip


def officeactivity_row(one: Record) -> Row:
    """A row of Sentinel's OfficeActivity: nested values as pretty-printed text, RecordType a name or a number."""
    nested = {
        name: json.dumps(one[name], indent=2) if name in one else "" for name in ("Folders", "OperationProperties")
    }
    return {
        "TenantId": "00000000-0000-0000-0000-00000000000a",
        "RecordType": {2: "ExchangeItem", 6: "SharePointFileOperation"}.get(one["RecordType"], str(one["RecordType"])),
        "TimeGenerated": f"{one['CreationTime']}Z", "Operation": one["Operation"], "OrganizationId": ORGANIZATION,
        "OrganizationId_": ORGANIZATION, "UserType": "Regular", "UserKey": one["UserKey"],
        "OfficeWorkload": one["Workload"], "ResultStatus": "Succeeded", "UserId": one["UserId"],
        "UserId_": one["UserId"], "OriginatingServer": one.get("OriginatingServer", ""),
        "MailboxOwnerUPN": one.get("MailboxOwnerUPN", ""), **nested, "Site_Url": one.get("SiteUrl", ""),
        "SourceSystem": "OfficeActivityManager", "OfficeId": one["Id"], "SourceRecordId": one["Id"],
        "ClientAppId": one.get("ClientAppId", ""), "AppId": "", "Type": "OfficeActivity", "_ResourceId": "",
    }  # fmt: skip


def flattened(one: Record) -> Row:
    """OfficeActivity as PowerShell leaves it: nested lists become `@{Value=…; Name=…}`, items are lost."""
    pairs = one.get("OperationProperties") or []
    return {
        **officeactivity_row(one),
        "Folders": "",
        "OperationProperties": [f"@{{Value={pair['Value']}; Name={pair['Name']}}}" for pair in pairs],
        "OperationCount": str(one.get("OperationCount", "")),
    }


def cloudappevent(one: Record, time: str = "Timestamp") -> Row:
    """A row of CloudAppEvents; Defender's `Timestamp` is Sentinel's `TimeGenerated`."""
    return {
        time: f"{one['CreationTime']}Z", "ActionType": one["Operation"], "Application": "Microsoft Exchange Online",
        "ApplicationId": 20893, "AccountObjectId": one["UserKey"], "AccountId": one["UserId"],
        "AccountDisplayName": "Ann Archer", "IsAdminOperation": False, "DeviceType": "", "IPAddress": "203.0.113.7",
        "ActivityType": "Basic", "ActivityObjects": [{"Type": "User", "Role": "Actor", "Id": one["UserKey"]}],
        "ReportId": f"1_20893_{one['Id']}", "AdditionalFields": {}, "RawEventData": one,
    }  # fmt: skip


def elastic(one: Record, *, original: bool = True) -> Row:
    """A document of Elastic's o365 integration."""
    found: Row = {
        "@timestamp": f"{one['CreationTime']}.000Z",
        "data_stream": {"dataset": "o365.audit", "namespace": "default", "type": "logs"},
        "event": {"action": one["Operation"], "id": one["Id"], "provider": one["Workload"], "kind": "event"},
        "o365": {"audit": {k: v for k, v in one.items() if k not in ("ClientIP",)}},
        "user": {"id": one["UserId"], "name": one["UserId"].partition("@")[0]},
    }
    if original:
        found["event"]["original"] = compact(one)
    return found


def exploded(one: Record) -> Row:
    """AuditData taken apart by ConvertFrom-Json and Export-Csv: what was nested is a type name."""
    return {key: "System.Object[]" if isinstance(value, list) else value for key, value in one.items()}


def counts_rows() -> list[Row]:
    """What the events come to, as `measure --out` and the queries of collect/ give them."""
    return [
        {
            "day": one["CreationTime"][:10],
            "subject": one.get("MailboxOwnerUPN") or one.get("SiteUrl", ""),
            "principal": one["UserId"],
            "workload": one["Workload"],
            "operation": one["Operation"],
            "access_type": one.get("OperationProperties", [{"Value": ""}])[0]["Value"],
            "app_id": one.get("ClientAppId", ""),
            "events": 1,
            "items": one.get("OperationCount", 1),
            "bytes": len(compact(one).encode()),
            "size_basis": "auditdata",
        }
        for one in EVENTS
    ]


# ------------------------------------------------------------------------------------------------- how they lie


def table(
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str] = (),
    *,
    newline: str = "\r\n",
    delimiter: str = ",",
    quoting: Any = csv.QUOTE_MINIMAL,
) -> str:
    """Rows as CSV; nested values as JSON."""
    rows = list(rows)
    columns = columns or list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=newline, delimiter=delimiter, quoting=quoting)
    writer.writerow(columns)
    for row in rows:
        cells = (row.get(column, "") for column in columns)
        writer.writerow([compact(cell) if isinstance(cell, (dict, list)) else cell for cell in cells])
    return out.getvalue()


def lines(values: Iterable[Any]) -> str:
    """One object a line."""
    return "".join(compact(value) + "\n" for value in values)


def columns_and_rows(rows: Sequence[Row], cells: str) -> Row:
    """Log Analytics' and ES|QL's way with a table."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    values = [[row.get(column) for column in columns] for row in rows]
    return {"columns": [{"name": column, "type": "string"} for column in columns], cells: values}


def log_analytics(rows: Sequence[Row]) -> str:
    """The answer of the query API."""
    return json.dumps({"tables": [{"name": "PrimaryResult", **columns_and_rows(rows, "rows")}]})


def parquet(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Rows as Parquet: numbers as numbers, everything else as text."""
    import duckdb

    columns = list(dict.fromkeys(key for row in rows for key in row))
    kinds = ["BIGINT" if all(isinstance(row.get(c), int) for row in rows) else "VARCHAR" for c in columns]
    with duckdb.connect() as db:
        named = ", ".join(f'"{column}" {kind}' for column, kind in zip(columns, kinds, strict=True))
        db.execute(f"CREATE TABLE t ({named})")
        for row in rows:
            cells = [row.get(column) for column in columns]
            cells = [compact(cell) if isinstance(cell, (dict, list)) else cell for cell in cells]
            db.execute(f"INSERT INTO t VALUES ({', '.join('?' * len(columns))})", cells)
        db.execute(f"COPY t TO '{path}' (FORMAT parquet)")
    return path


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _cell(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"<c><v>{value}</v></c>"
    text = str(value).replace("&", "&amp;").replace("<", "&lt;")
    if text.startswith("="):  # a formula, and what was last shown
        return f'<c t="str"><f>{text[1:]}</f><v>shown</v></c>'
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def sheet_xml(rows: Iterable[Sequence[Any]], doctype: str = "") -> str:
    """A sheet of inline strings."""
    inner = "".join("<row>" + "".join(map(_cell, row)) + "</row>" for row in rows)
    return f'<?xml version="1.0"?>{doctype}<worksheet xmlns="{_MAIN}"><sheetData>{inner}</sheetData></worksheet>'


def workbook(sheets: Mapping[str, Sequence[Sequence[Any]] | str]) -> bytes:
    """An XLSX, by hand so that it can be made wrong: a text is a sheet's XML as it stands; `=…` is a formula."""
    numbers = range(1, len(sheets) + 1)
    files = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="'
        'application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="'
        f'application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_KIND}.worksheet+xml"/>' for n in numbers
        )
        + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        + "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in zip(numbers, sheets, strict=True))
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="r{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
        )
        + "</Relationships>",
    }
    for number, rows in zip(numbers, sheets.values(), strict=True):
        files[f"xl/worksheets/sheet{number}.xml"] = rows if isinstance(rows, str) else sheet_xml(rows)
    return zipped({name: text.encode() for name, text in files.items()})


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A zip archive with these members, names as they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def redacted_workbook() -> bytes:
    """A portal export as an open-records office passes it on."""
    rows = [portal_row(one) for one in EVENTS]
    header = [*PORTAL_COLUMNS, "Summary"]
    cells = [[*row.values(), f'=CONCATENATE("{row["Operation"]}", "x")'] for row in rows]
    notes = [["Redaction Notes"], ["Column", "What was blacked out"], ["AuditData", "addresses of the public"]]
    return workbook({"Sheet1": [header, *cells], "Redaction Notes": notes})


# -------------------------------------------------------------------------------------------------- the samples


def _text(name: str, content: Callable[[], str], encoding: str = "utf-8") -> Callable[[Path], Path]:
    return _bytes(name, lambda: content().encode(encoding))


def _bytes(name: str, content: Callable[[], bytes]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content())
        return path

    return write


def _portal(**how: Any) -> str:
    return table(map(portal_row, EVENTS), PORTAL_COLUMNS, **how)


def _cmdlet(columns: Sequence[str] = CMDLET_COLUMNS, **how: Any) -> str:
    return table((cmdlet_row(n, one) for n, one in enumerate(EVENTS, 1)), columns, **how)


def _through_splunk() -> str:
    rows = []
    for number, one in enumerate(EVENTS, 1):
        row = cmdlet_row(number, one)
        raw = ",".join('"' + str(row[name]).replace('"', '""') + '"' for name in sorted(row))
        rows.append({**row, "_raw": raw, "_time": one["CreationTime"], "date_zone": "local", "index": "o365"})
    return table(rows, (*sorted(CMDLET_COLUMNS), *SPLUNK_COLUMNS))


def _convert_to_json() -> str:
    """Windows PowerShell's ConvertTo-Json: deep indents, dates as /Date(…)/, slashes escaped there."""
    rows = [cmdlet_row(n, one, _epoch) for n, one in enumerate(EVENTS, 1)]
    return json.dumps(rows, indent=4).replace("/Date(", "\\/Date(").replace(')/"', ')\\/"').replace("\n", "\r\n")


def _epoch(time: str) -> str:
    from datetime import UTC, datetime

    return f"/Date({int(datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp() * 1000)})/"


def _graph_page(records: Sequence[Record], next_link: str = "") -> Row:
    context = "https://graph.microsoft.com/beta/$metadata#security/auditLog/queries('1')/records"
    link = {"@odata.nextLink": next_link} if next_link else {}
    return {"@odata.context": context, "@odata.count": len(records), **link, "value": list(map(graph_record, records))}


def _graph_pages() -> str:
    pages = [_graph_page(EVENTS[:2], "https://graph.microsoft.com/beta/x?$skiptoken=1"), _graph_page(EVENTS[2:])]
    return "\n".join(json.dumps(page, indent=2, ensure_ascii=False) for page in pages)


def _officeactivity_portal() -> str:
    rows = [officeactivity_row(one) for one in EVENTS]
    for row, one in zip(rows, EVENTS, strict=True):
        year, month, day = one["CreationTime"][:10].split("-")
        shown = american(one["CreationTime"])
        row["TimeGenerated"] = f"{int(month)}/{int(day)}/{year}, {shown.split()[1]}.000 {shown.split()[2]}"
    columns = ["TimeGenerated", *(name for name in rows[0] if name != "TimeGenerated")]
    return "\ufeff" + table(rows, columns).replace("TimeGenerated", "TimeGenerated [UTC]", 1)


def _splunk_rows() -> list[Row]:
    return [
        {"_serial": n, "_time": f"{one['CreationTime']}.000+00:00", "source": "ms_o365",
         "sourcetype": "o365:management:activity",
         "host": "sh1", "index": "o365", "splunk_server": "idx1", "_raw": compact(one)} for n, one in enumerate(EVENTS)
    ]  # fmt: skip


def _splunk_results(rows: Sequence[Row]) -> str:
    return lines({"preview": False, "offset": n, "result": row} for n, row in enumerate(rows))


def _hits() -> str:
    hits = [
        {"_index": ".ds-logs-o365.audit", "_id": one["Id"], "_score": 1.0, "_source": elastic(one)} for one in EVENTS
    ]
    return json.dumps({"took": 3, "timed_out": False, "hits": {"total": {"value": 5, "relation": "eq"}, "hits": hits}})


def _dotted(value: Mapping[str, Any], prefix: str = "") -> Row:
    found: Row = {}
    for key, inner in value.items():
        found |= _dotted(inner, f"{prefix}{key}.") if isinstance(inner, dict) else {f"{prefix}{key}": inner}
    return found


def _wazuh_alert(one: Record) -> Row:
    return {
        "timestamp": f"{one['CreationTime']}.000+0000", "rule": {"id": "91545", "level": 3, "groups": ["office365"]},
        "agent": {"id": "000", "name": "manager"}, "decoder": {"name": "json"}, "location": "office365",
        "data": {"integration": "office365", "office365": {**one, "RecordType": str(one["RecordType"]),
                                                           "Subscription": "Audit.Exchange"}},
    }  # fmt: skip


SAMPLES: dict[str, Callable[[Path], Path]] = {
    # AuditData in a column
    "portal-2023": _text("p.csv", lambda: table((portal_row(one, american) for one in EVENTS), PORTAL_COLUMNS)),
    "portal-2026": _text("p.csv", _portal),
    "portal-bom-semicolons": _text("p.csv", lambda: _portal(delimiter=";", quoting=csv.QUOTE_ALL), "utf-8-sig"),
    "portal-gzip": _bytes("p.csv.gz", lambda: gzip.compress(_portal().encode(), mtime=0)),
    "portal-zip": _bytes("p.zip", lambda: zipped({"Audit/p.csv": _portal().encode()})),
    "portal-zstd": _bytes("p.csv.zst", lambda: zstandard.compress(_portal().encode())),
    "portal-xlsx": _bytes("p.xlsx", redacted_workbook),
    "portal-parquet": lambda folder: parquet(folder / "p.parquet", list(map(portal_row, EVENTS))),
    "cmdlet": _text("c.csv", lambda: _cmdlet(quoting=csv.QUOTE_ALL)),
    "cmdlet-type": _text("c.csv", lambda: "#TYPE Deserialized.Microsoft.Exchange.Data.X\r\n" + _cmdlet()),
    "cmdlet-reversed": _text("c.csv", lambda: _cmdlet(CMDLET_COLUMNS[::-1], newline="\n")),
    "cmdlet-utf16": _text("c.csv", _cmdlet, "utf-16"),
    "cmdlet-utf16-no-bom": _text("c.csv", _cmdlet, "utf-16-le"),
    "cmdlet-through-splunk": _text("c.csv", _through_splunk),
    "cmdlet-json": _text("c.json", _convert_to_json),
    # records themselves
    "records-array": _text("r.json", lambda: json.dumps(EVENTS, ensure_ascii=False)),
    "records-jsonl": _text("r.jsonl", lambda: lines(EVENTS)),
    "records-jsonl-no-last-newline": _text("r.jsonl", lambda: lines(EVENTS).rstrip("\n")),
    "records-jsonl-zstd": _bytes("r.jsonl.zst", lambda: zstandard.compress(lines(EVENTS).encode())),
    "records-pretty": _text("r.json", lambda: json.dumps(EVENTS, indent=2)),
    "records-pretty-objects": _text("r.json", lambda: "\n".join(json.dumps(one, indent=2) for one in EVENTS)),
    # Graph
    "graph-page": _text("g.json", lambda: json.dumps(_graph_page(EVENTS))),
    "graph-pages": _text("g.json", _graph_pages),
    "graph-array": _text("g.json", lambda: json.dumps(list(map(graph_record, EVENTS)), indent=1)),
    "graph-jsonl": _text("g.jsonl", lambda: lines(map(graph_record, EVENTS))),
    # Sentinel and Defender
    "officeactivity-portal": _text("o.csv", _officeactivity_portal),
    "officeactivity-jsonl": _text("o.jsonl", lambda: lines(map(officeactivity_row, EVENTS))),
    "officeactivity-flattened": _text("o.jsonl", lambda: lines(map(flattened, EVENTS))),
    "officeactivity-api": _text("o.json", lambda: log_analytics(list(map(officeactivity_row, EVENTS)))),
    "officeactivity-az": _text(
        "o.json",
        lambda: json.dumps([{**officeactivity_row(one), "TableName": "PrimaryResult"} for one in EVENTS], indent=2),
    ),
    "officeactivity-parquet": lambda folder: parquet(folder / "o.parquet", list(map(officeactivity_row, EVENTS))),
    "cloudappevents-hunting": _text("a.csv", lambda: table(map(cloudappevent, EVENTS))),
    "cloudappevents-hunting-json": _text("a.json", lambda: json.dumps({"Results": list(map(cloudappevent, EVENTS))})),
    "cloudappevents-sentinel": _text(
        "a.csv",
        lambda: "\ufeff" + table(cloudappevent(one, "TimeGenerated [UTC]") for one in EVENTS),
    ),
    "cloudappevents-streaming": _text(
        "a.jsonl",
        lambda: lines(
            {"time": f"{one['CreationTime']}Z", "category": "AdvancedHunting-CloudAppEvents",
             "operationName": "Publish", "properties": cloudappevent(one)} for one in EVENTS
        ),
    ),
    "cloudappevents-hub": _text(
        "a.json",
        lambda: json.dumps({"records": [
            {"category": "AdvancedHunting-CloudAppEvents", "properties": cloudappevent(one)} for one in EVENTS]}),
    ),
    # Splunk
    "splunk-csv": _text("s.csv", lambda: table(_splunk_rows(), quoting=csv.QUOTE_ALL, newline="\n")),
    "splunk-jsonl": _text("s.json", lambda: _splunk_results(_splunk_rows())),
    "splunk-results": _text("s.json", lambda: json.dumps({"init_offset": 0, "results": _splunk_rows()})),
    "splunk-raw": _text("s.txt", lambda: lines(EVENTS)),
    # Elastic
    "elastic-hits": _text("e.json", _hits),
    "elastic-dump": _text(
        "e.jsonl", lambda: lines({"_index": "a", "_id": one["Id"], "_source": elastic(one)} for one in EVENTS)
    ),
    "elastic-o365audit": _text(
        "e.ndjson", lambda: lines({"@timestamp": one["CreationTime"], "o365audit": one} for one in EVENTS)
    ),
    "elastic-no-original": _text(
        "e.jsonl", lambda: lines({"_index": "a", "_source": elastic(one, original=False)} for one in EVENTS)
    ),
    "elastic-discover": _text("e.csv", lambda: table(_dotted(elastic(one)) for one in EVENTS)),
    "elastic-discover-no-original": _text(
        "e.csv", lambda: table(_dotted(elastic(one, original=False)) for one in EVENTS)
    ),
    # others
    "wazuh-event": _text("w.jsonl", lambda: lines({"integration": "office365", "office365": one} for one in EVENTS)),
    "wazuh-alert": _text("w.json", lambda: lines(map(_wazuh_alert, EVENTS))),
    "exploded": _text("x.csv", lambda: table(map(exploded, EVENTS), quoting=csv.QUOTE_ALL)),
    # counts made at the source
    "counts-csv": _text("n.csv", lambda: table(counts_rows())),
    "counts-json": _text("n.json", lambda: json.dumps(counts_rows())),
    "counts-api": _text("n.json", lambda: log_analytics(counts_rows())),
    "counts-splunk": _text("n.json", lambda: _splunk_results(counts_rows())),
    "counts-esql": _text("n.json", lambda: json.dumps(columns_and_rows(counts_rows(), "values"))),
    "counts-parquet": lambda folder: parquet(folder / "n.parquet", counts_rows()),
}  # fmt: skip


def tally(result: Reduction) -> dict[tuple[str, str, str], int]:
    """Events by day, operation and access type."""
    found: Counter[tuple[str, str, str]] = Counter()
    for row in result.table.to_dict("records"):
        found[str(row["day"].date()), row["operation"], row["access_type"]] += row["events"]
    return dict(found)


def read(path: Path, content: str | bytes | None = None, *, fast_lane: bool | None = None) -> Reduction:
    """A file (written first, if there is content) reduced; both lanes must agree and tell of every row.

    With `fast_lane` it is also checked whether DuckDB alone read it.
    """
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with patch.object(Engine, "load_candidates", autospec=True, side_effect=Engine.load_candidates) as by_python:
        result = _reduce([path])
    if fast_lane is not None:
        assert by_python.called is not fast_lane
    tolerant = _reduce([path], fast=False)
    assert result.read == result.distinct + result.duplicates + result.rejected
    assert (result.read, result.distinct, result.rejected) == (tolerant.read, tolerant.distinct, tolerant.rejected)
    assert result.rejects == tolerant.rejects
    pd.testing.assert_frame_equal(result.table, tolerant.table)
    pd.testing.assert_frame_equal(result.hours, tolerant.hours)
    return result


def only(result: Reduction) -> Row:
    """The one row of a table."""
    (row,) = result.table.to_dict("records")
    return row


#: Samples in which what tells access types apart is gone.
WITHOUT_ACCESS_TYPE = frozenset({"exploded"})


def kind_of(name: str) -> str:
    """The kind a sample is to be recognised as, by its name."""
    first = name.partition("-")[0]
    if name == "splunk-raw":
        return "audit-records"
    return f"audit-{ {'portal': 'rows', 'cmdlet': 'rows'}.get(first, first) }"
