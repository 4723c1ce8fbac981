"""What the fuzzer starts from: one valid file of every kind that may lie in a tenant folder, small, all names invented.

Written by hand from real headers, so that a recogniser is not only fed what its own author thought of; the samples of
the tests (`tests/audit/samples.py`) come on top.
"""

from __future__ import annotations

import csv
import gzip
import importlib
import io
import json
import struct
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

Record = dict[str, Any]

_TESTS = Path(__file__).resolve().parents[1] / "tests" / "audit"


def records(count: int = 6) -> list[Record]:
    """Audit records as the Management Activity API gives them: four operations, a copy, an application, a site."""
    found: list[Record] = []
    for number in range(count):
        name = ("MailItemsAccessed", "Send", "FileAccessed", "UserLoggedIn")[number % 4]
        mail = number % 4 < 2
        one: Record = {
            "CreationTime": f"2026-03-0{2 + number % 5}T{8 + number % 10:02}:15:00",
            "Id": f"5e0f6a5c-31d4-4c0e-9d1f-{number - (number == 5):012x}",  # the sixth has the Id of the fifth
            "Operation": name,
            "RecordType": 50 if name == "MailItemsAccessed" else "6",
            "Workload": "Exchange" if mail else "SharePoint" if number % 4 == 2 else "AzureActiveDirectory",
            "UserType": 0,
            "UserId": ("Ann@Contoso.com", "NT AUTHORITY\\SYSTEM (x)", "app@sharepoint", "bö@contoso.com")[number % 4],
            "ClientIP": "203.0.113.7",
        }
        if mail:
            one |= {
                "MailboxOwnerUPN": "ann@contoso.com",
                "OperationProperties": [
                    {"Name": "MailAccessType", "Value": "Bind"},
                    {"Name": "IsThrottled", "Value": "False"},
                ],
                "Folders": [{"Path": "\\Inbox", "FolderItems": [{"InternetMessageId": '<a"b@c>', "SizeInBytes": 9}]}],
                "OperationCount": 2,
                "ClientAppId": "13937bba-652e-4c46-b222-3003f4d1ff97",
                "Subject": 'a "quoted" \\ word, 発注 😀\r\n',
            }
        else:
            one["SiteUrl"] = "https://contoso.sharepoint.com/sites/a"
        found.append(one)
    return found


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def table(rows: Iterable[Sequence[Any]], newline: str = "\r\n", delimiter: str = ",", quoting: Any = 0) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator=newline, delimiter=delimiter, quoting=quoting).writerows(rows)
    return out.getvalue().encode()


def lines(values: Iterable[Any]) -> bytes:
    return "".join(compact(value) + "\n" for value in values).encode()


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def zstd(content: bytes) -> bytes:
    """A zstd frame of stored blocks (RFC 8878 §3.1.1), which needs no library."""
    frame = bytearray(b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(content)))
    blocks = [content[at : at + 0x1FFFF] for at in range(0, len(content), 0x1FFFF)] or [b""]
    for number, block in enumerate(blocks, start=1):
        frame += ((len(block) << 3) | (number == len(blocks))).to_bytes(3, "little") + block
    return bytes(frame)


def zstd_bomb(megabytes: int) -> bytes:
    """A zstd frame that unpacks to so many MiB of spaces: a block of four bytes for each 128 KiB."""
    size = megabytes << 20
    count = size >> 17
    blocks = b"".join(((1 << 17 << 3) | 2 | (n == count)).to_bytes(3, "little") + b" " for n in range(1, count + 1))
    return b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", size) + blocks


def workbook(rows: Sequence[Sequence[str]]) -> bytes:
    """An XLSX of one sheet of inline strings; a cell that begins with `=` is a formula."""

    def cell(text: str) -> str:
        escaped = text.replace("&", "&amp;").replace("<", "&lt;")
        return (
            f"<c><f>{escaped[1:]}</f><v>1</v></c>"
            if text[:1] == "="
            else (f'<c t="inlineStr"><is><t xml:space="preserve">{escaped}</t></is></c>')
        )

    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    sheet = "".join("<row>" + "".join(map(cell, row)) + "</row>" for row in rows)
    return zipped(
        {
            "[Content_Types].xml": (
                f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="application/vnd.'
                'openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
                f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/><Override PartName='
                f'"/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>'
            ).encode(),
            "_rels/.rels": (
                f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/officeDocument" '
                'Target="xl/workbook.xml"/></Relationships>'
            ).encode(),
            "xl/workbook.xml": (
                f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="Sheet1" sheetId="1" r:id="r1"/>'
                "</sheets></workbook>"
            ).encode(),
            "xl/_rels/workbook.xml.rels": (
                f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/worksheet" '
                'Target="worksheets/sheet1.xml"/></Relationships>'
            ).encode(),
            "xl/worksheets/sheet1.xml": (
                f'<?xml version="1.0"?><worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>'
            ).encode(),
        }
    )


def _parquet(found: list[Record]) -> bytes:
    import duckdb

    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "a.parquet")
        rows = [(one["Id"], one["Operation"], compact(one)) for one in found]
        with duckdb.connect() as db:
            db.execute("CREATE TABLE t (RecordId VARCHAR, Operation VARCHAR, AuditData VARCHAR)")
            db.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
            db.execute(f"COPY t TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


def _pretty(found: list[Record]) -> list[Record]:
    """Sentinel's OfficeActivity: nested fields as pretty-printed JSON text."""
    rows = []
    for one in found:
        row = {
            "TimeGenerated": one["CreationTime"] + ".0000000Z",
            "OfficeId": one["Id"],
            "RecordType": "ExchangeItem" if one["RecordType"] == 50 else one["RecordType"],
            "Operation": one["Operation"],
            "OfficeWorkload": one["Workload"],
            "UserId": one["UserId"],
            "Type": "OfficeActivity",
            "OriginatingServer": "AB1 (15.20)\r\n",
            "MailboxOwnerUPN": one.get("MailboxOwnerUPN", ""),
            "Site_Url": one.get("SiteUrl", ""),
            "OperationProperties": json.dumps(one.get("OperationProperties", ""), indent=2),
        }
        rows.append(row)
    return rows


def own_seeds() -> dict[str, bytes]:
    """By file name, the content."""
    found = records()
    texts = [compact(one) for one in found]
    portal = [
        ["RecordId", "CreationDate", "RecordType", "Operation", "UserId", "AuditData", "AssociatedAdminUnits"],
        *([one["Id"], "3/12/2026 7:31:34 AM", "50", one["Operation"], one["UserId"], text, ""] for one, text in
          zip(found, texts, strict=True)),
    ]  # fmt: skip
    cmdlet = [
        ["RecordType", "CreationDate", "UserIds", "Operations", "AuditData", "ResultIndex", "ResultCount", "Identity"],
        *(["ExchangeItemAggregated", one["CreationTime"] + ".0000000Z ", one["UserId"], one["Operation"], text,
           str(number), "6", one["Id"]] for number, (one, text) in enumerate(zip(found, texts, strict=True), start=1)),
    ]  # fmt: skip
    pretty = _pretty(found)
    officeactivity = [list(pretty[0]), *(list(row.values()) for row in pretty)]
    officeactivity[0][0] = "TimeGenerated [UTC]"
    hunting = [
        {"Timestamp": one["CreationTime"] + "Z", "ActionType": one["Operation"], "Application": "Microsoft Exchange",
         "AccountId": "x", "ReportId": one["Id"], "RawEventData": one} for one in found
    ]  # fmt: skip
    graph = [
        {"id": one["Id"], "createdDateTime": one["CreationTime"] + "Z", "auditLogRecordType": "exchangeItemAggregated",
         "operation": one["Operation"], "userPrincipalName": one["UserId"], "userId": "1003", "clientIp": None,
         "auditData": {"@odata.type": "#microsoft.graph.security.defaultAuditData", "RecordType@odata.type": "#Int64",
                       **one}} for one in found
    ]  # fmt: skip
    counts = [
        ["day", "subject", "subject_kind", "principal", "workload", "operation", "access_type", "app_id", "throttled",
         "events", "raw_events", "items", "bytes", "size_basis"],
        *(["2026-03-02", "ann@contoso.com", "mailbox", "ann@contoso.com", one["Workload"], one["Operation"], "Bind", "",
           "False", "31", "32", "40", "45000", "auditdata"] for one in found),
    ]  # fmt: skip
    mailboxes = [
        ["UserPrincipalName", "PrimarySmtpAddress", "RecipientTypeDetails", "AuditEnabled", "DefaultAuditSet",
         "AuditAdmin", "AuditDelegate", "AuditOwner"],
        ["ann@contoso.com", "ann@contoso.com", "UserMailbox", "True", "Admin,Delegate,Owner", "Update", "Update",
         "Update,MailItemsAccessed,Send"],
        ["info@contoso.com", "info@contoso.com", "SharedMailbox", "True", "", "Update", "Update", "Update"],
    ]  # fmt: skip
    activity = [
        ["Report Refresh Date", "User Principal Name", "Is Deleted", "Send Count", "Receive Count", "Read Count",
         "Report Period"],
        ["2026-03-08", "ann@contoso.com", "False", "259", "2400", "276", "30"],
    ]  # fmt: skip
    users = [
        {"userPrincipalName": "ann@contoso.com", "displayName": "Ann", "assignedLicenses": [{"skuId": "06ebc4ee"}]}
    ]
    array = ("[" + ",\n".join(texts) + "]\n").encode()
    return {
        "portal.csv": table(portal),
        "portal-bom-semicolon.csv": b"\xef\xbb\xbf" + table(portal, delimiter=";", quoting=csv.QUOTE_ALL),
        "portal.xlsx": workbook([*portal, ["=1+1", "=HYPERLINK(1)"]]),
        "cmdlet.csv": b"#TYPE System.Management.Automation.PSCustomObject\r\n" + table(cmdlet),
        "cmdlet-utf16.csv": table(cmdlet).decode().encode("utf-16"),
        "array.json": array,
        "pretty.json": json.dumps(found, indent=2).encode(),
        "records.jsonl": lines(found),
        "value.json": json.dumps({"@odata.context": "x", "value": graph}).encode(),
        "graph.jsonl": lines(graph),
        "officeactivity.csv": b"\xef\xbb\xbf" + table(officeactivity),
        "officeactivity.jsonl": lines(pretty),
        "cloudappevents.csv": table([list(hunting[0]), *([*list(row.values())[:-1], compact(row["RawEventData"])]
                                                         for row in hunting)]),
        "cloudappevents.jsonl": lines({"category": "AdvancedHunting-CloudAppEvents", "properties": h} for h in hunting),
        "splunk.jsonl": lines({"preview": False, "result": {"_time": "x", "_raw": text}} for text in texts),
        "splunk.csv": table([["_time", "_raw"], *(["2026-03-02T10:00:00.000+0000", text] for text in texts)]),
        "elastic.jsonl": lines({"_index": "a", "_source": {"event": {"original": text}}} for text in texts),
        "elastic-o365audit.jsonl": lines({"@timestamp": "x", "o365audit": one} for one in found),
        "wazuh.jsonl": lines({"integration": "office365", "data": {"office365": one}} for one in found),
        "counts.csv": table(counts),
        "counts.json": json.dumps([dict(zip(counts[0], row, strict=True)) for row in counts[1:]]).encode(),
        "audit.parquet": _parquet(found),
        "portal.csv.gz": gzip.compress(table(portal), mtime=0),
        "portal.zip": zipped({"a/portal.csv": table(portal), "b.json": array, "readme.txt": b"hello"}),
        "records.jsonl.zst": zstd(lines(found)),
        "mailboxes.csv": table(mailboxes),
        "licences.csv": table([["UserPrincipalName", "SkuPartNumber"], ["ann@contoso.com", "SPE_E5"]]),
        "users.json": json.dumps({"value": users}).encode(),
        "activity.csv": b"\xef\xbb\xbf" + table(activity),
        "mailboxes.json": json.dumps([{**dict(zip(mailboxes[0], row, strict=True)), "AuditOwner": ["Update", "Send"]}
                                      for row in mailboxes[1:]]).encode(),
        "mailboxes-braces.csv": table([[cell.replace(",", ", ").join("{}") if "," in cell else cell for cell in row]
                                       for row in mailboxes]),
        "settings.txt": b"\r\n\r\nName          : contoso\r\nAuditDisabled : False\r\n\r\n",
        "bypass.csv": table([["Name", "Identity", "ObjectId", "AuditBypassEnabled"], ["ann", "ann", "", "True"]]),
        "totals.csv": table([["SkuPartNumber", "SkuId", "ConsumedUnits", "Enabled"], ["SPE_E5", "06ebc4ee", "1", "5"]]),
        "active-users.csv": table([["Display name", "User principal name", "Licenses"],
                                   ["Ann", "ann@contoso.com", "Microsoft 365 E5+Power BI Pro"]]),
        "usage.csv": table([["Report Refresh Date", "User Principal Name", "Is Deleted", "Last Activity Date",
                             "Item Count", "Storage Used (Byte)", "Report Period"],
                            ["2026-03-08", "ann@contoso.com", "False", "2026-03-07", "12", "3400", "30"]]),
        "empty": b"",
    }  # fmt: skip


def sample_seeds() -> dict[str, bytes]:
    """The samples of the tests, one a shape, by kind and file name; none where the tests are not beside this."""
    if not (_TESTS / "samples.py").exists():
        return {}
    sys.path.insert(0, str(_TESTS))  # the tests' folders are no packages: their modules find each other by this
    try:
        samples = importlib.import_module("samples").SAMPLES
    finally:
        sys.path.remove(str(_TESTS))
    found = {}
    for kind, write in samples.items():
        with tempfile.TemporaryDirectory() as name:
            path = write(Path(name))
            found[f"{kind}-{path.name}"] = path.read_bytes()
    return found
